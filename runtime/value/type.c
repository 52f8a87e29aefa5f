/* type: element types and shapes. In: dims as numbers. Out: Type values, their sizes and their text.
 * Invariant: a Type that type_fits accepts has at most MAX_BYTES bytes, so products of its dims never overflow.
 * Shapes are arrays of a fixed rank inside the value: no allocation, comparison is a loop.
 */
#include "value/type.h"
#include <assert.h>
#include <string.h>

#define NAME(x, id, name, ...) [id] = #name,
#define SIZE(x, id, name, C, bytes, ...) [id] = bytes,
#define CLASS(x, id, name, C, bytes, class, ...) [id] = DTYPE_##class,
#define SUM(x, id, name, C, bytes, class, sum, ...) [id] = sum,
#define SIZES_FIT(x, id, name, C, bytes, ...) _Static_assert(sizeof(C) == (bytes), #name);
const char *const dtype_name[N_DTYPES] = {DTYPES(NAME, )};
const uint8_t dtype_size[N_DTYPES] = {DTYPES(SIZE, )};
const uint8_t dtype_class[N_DTYPES] = {DTYPES(CLASS, )};
const uint8_t dtype_sum[N_DTYPES] = {DTYPES(SUM, )};
DTYPES(SIZES_FIT, )

bool dtype_from_name(const char *name, DType *out) {
  for (int d = 0; d < N_DTYPES; d++)
    if (strcmp(name, dtype_name[d]) == 0) {
      *out = (DType)d;
      return true;
    }
  return false;
}

Type type_make(DType d, int rank, const int64_t *dim) {
  assert(rank >= 0 && rank <= MAX_RANK);
  Type t = {.dtype = (uint8_t)d, .rank = (uint8_t)rank};
  for (int k = 0; k < rank; k++) t.dim[k] = dim[k];
  return t;
}

Type type_scalar(DType d) { return type_make(d, 0, NULL); }

bool type_same_shape(const Type *a, const Type *b) {
  if (a->rank != b->rank) return false;
  for (int k = 0; k < a->rank; k++)
    if (a->dim[k] != b->dim[k]) return false;
  return true;
}

bool type_eq(const Type *a, const Type *b) { return a->dtype == b->dtype && type_same_shape(a, b); }

int64_t type_count(const Type *t) {
  int64_t n = 1;
  for (int k = 0; k < t->rank; k++) n *= t->dim[k];
  return n;
}

int64_t type_bytes(const Type *t) { return type_count(t) * dtype_size[t->dtype]; }

bool type_fits(const Type *t) {
  if (t->rank > MAX_RANK || t->dtype >= N_DTYPES) return false;
  for (int k = 0; k < t->rank; k++)
    if (t->dim[k] < 0) return false;
  /* The other dims of an empty tensor must fit too: a kernel may loop over them, and a sum over the empty axis has
   * just those. */
  int64_t bytes = dtype_size[t->dtype];
  for (int k = 0; k < t->rank; k++) {
    if (t->dim[k] == 0) continue;
    if (bytes > MAX_BYTES / t->dim[k]) return false;
    bytes *= t->dim[k];
  }
  return true;
}

char *shape_show(Arena *a, const Type *t) {
  Text s = {.arena = a};
  text_add(&s, "[");
  for (int k = 0; k < t->rank; k++) text_printf(&s, "%s%lld", k ? ", " : "", (long long)t->dim[k]);
  text_add(&s, "]");
  return s.at;
}

char *type_show(Arena *a, const Type *t) { return arena_printf(a, "%s%s", dtype_name[t->dtype], shape_show(a, t)); }
