/* sample: see sample.h. */
#include "base/locale.h"
#include "graph/sample.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* F32 stands for "a float": each check chooses which. */
static const Type pool[] = {
    {.dtype = F32, .rank = 2, .dim = {3, 4}}, {.dtype = F32, .rank = 2, .dim = {4, 3}},
    {.dtype = F32, .rank = 1, .dim = {3}},    {.dtype = F32, .rank = 0},
    {.dtype = F32, .rank = 1, .dim = {1}},    {.dtype = F32, .rank = 2, .dim = {2, 4}},
    {.dtype = I32, .rank = 1, .dim = {2}},    {.dtype = BOOL, .rank = 2, .dim = {3, 4}},
    {.dtype = I32, .rank = 2, .dim = {3, 4}}, {.dtype = I32, .rank = 0},
    {.dtype = F32, .rank = 3, .dim = {2, 3, 4}}, {.dtype = F32, .rank = 3, .dim = {2, 4, 3}},
};
enum { POOL = sizeof pool / sizeof *pool };

#define A(...) {.i = (const int64_t[]){__VA_ARGS__}, .n = sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)}
static const Attr attrs[] = {
    {.n = 0}, A(0), A(1), A(0, 0), A(1, 0), A(0, 1), A(1, 1), A(1, 0, 0), A(1, 1, 1), A(2, 0, 1, 0), A(3), A(4),
};
enum { ATTRS = sizeof attrs / sizeof *attrs };

static bool fits(Graph *g, const Op *op, const Sample *s) {
  const Type *x[MOST_IN];
  for (uint32_t k = 0; k < s->n; k++) x[k] = &s->x[k];
  TypeRule r = {.g = g, .op = op, .x = x, .n = s->n, .attr = &s->attr};
  return op->type(&r) && type_fits(&r.y) && type_count(&r.y) > 0;
}

/* ---- the op's own samples, see op.h ---- */

static const char *skip(const char *p) {
  while (*p == ' ') p++;
  return p;
}

static const char *read_type(const char *p, Type *t) {
  *t = (Type){.dtype = N_DTYPES};
  for (int d = 0; d < N_DTYPES; d++) {
    size_t len = strlen(dtype_name[d]);
    if (strncmp(p, dtype_name[d], len) == 0 && p[len] == '[') t->dtype = (uint8_t)d;
  }
  assert(t->dtype < N_DTYPES);
  p = strchr(p, '[') + 1;
  while (*p != ']') {
    char *end;
    assert(t->rank < MAX_RANK);
    t->dim[t->rank++] = strtoll(p, &end, 10);
    assert(end > p && (*end == ',' || *end == ']'));
    p = *end == ',' ? end + 1 : end;
  }
  return p + 1;
}

static const char *read_sample(Arena *a, const char *p, Sample *s) {
  int64_t *i = NEW_N(a, int64_t, 64);
  *s = (Sample){.attr = {.i = i}};
  for (p = skip(p); *p >= 'a' && *p <= 'z'; p = skip(p)) {
    assert(s->n < MOST_IN);
    p = read_type(p, &s->x[s->n++]);
    char *end = (char *)(uintptr_t)p;
    if (*p == '+') s->raised[s->n - 1] = c_strtod(p + 1, &end);
    p = end;
  }
  if (*p == ';')
    for (p = skip(p + 1); *p && *p != '|'; p = skip(p)) {
      char *end;
      assert(s->attr.n < 64);
      i[s->attr.n++] = strtoll(p, &end, 10);
      assert(end > p);
      p = end;
    }
  assert(*p == 0 || *p == '|');
  return *p ? p + 1 : p;
}

static uint32_t own_samples(Arena *a, const Op *op, Sample *out) {
  Graph *g = graph_new(a);
  uint32_t n = 0;
  for (const char *p = op->samples; *p; n++) {
    assert(n < SAMPLES);
    p = read_sample(a, p, &out[n]);
    assert(op->n_in < 0 || out[n].n == (uint32_t)op->n_in);
    assert(fits(g, op, &out[n]));
  }
  return n;
}

/* ---- samples by trial ---- */

/* Operand types by counting through the pool, the attributes outermost, so that the samples differ in them. */
static uint32_t find_samples(Arena *a, const Op *op, Sample *out) {
  uint32_t n_in = op->n_in < 0 ? 2 : (uint32_t)op->n_in, n = 0, all = 1;
  if (n_in > MOST_IN) return 0;
  for (uint32_t k = 0; k < n_in; k++) all *= POOL;
  Graph *g = graph_new(a);
  for (int k = 0; k < ATTRS && n < SAMPLES; k++) {
    uint32_t of_this = 0;
    for (uint32_t c = 0; c < all && n < SAMPLES && of_this < 6; c++) {
      Sample s = {.n = n_in, .attr = attrs[k]};
      for (uint32_t j = 0, rest = c; j < n_in; j++, rest /= POOL) s.x[j] = pool[rest % POOL];
      if (!fits(g, op, &s)) continue;
      out[n++] = s;
      of_this++;
    }
  }
  return n;
}

uint32_t op_samples(Arena *a, const Op *op, Sample *out) {
  return op->samples ? own_samples(a, op, out) : find_samples(a, op, out);
}
