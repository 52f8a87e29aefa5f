/* type, tensor: limits of shapes, their text, reference counts, a host's own buffers, every allocation failing once. */
#include <string.h>
#include "alloc_fail.h"
#include "runtime/value/tensor.h"
#include "unit.h"

static Type of(DType d, int rank, int64_t a, int64_t b) { return type_make(d, rank, (int64_t[]){a, b}); }

static void limits(void) {
  Type t = of(F32, 2, 1 << 20, 1 << 18);
  CU_ASSERT(type_fits(&t));                       /* exactly 1 TiB */
  t.dim[1]++;
  CU_ASSERT(!type_fits(&t));
  t = of(U8, 2, INT64_MAX, INT64_MAX);
  CU_ASSERT(!type_fits(&t));
  t = of(U8, 2, INT64_MAX, 0);
  CU_ASSERT(!type_fits(&t));                      /* the sum over the empty axis would not fit */
  t = of(F64, 2, 0, 5);
  CU_ASSERT(type_fits(&t));
  CU_ASSERT_EQUAL(type_count(&t), 0);
  t = of(F64, 1, -1, 0);
  CU_ASSERT(!type_fits(&t));
  int64_t ones[MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  t = type_make(BOOL, MAX_RANK, ones);
  CU_ASSERT(type_fits(&t));
  t.rank++;
  CU_ASSERT(!type_fits(&t));
}

static void text(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  Type t = of(F32, 2, 2, 3), s = type_scalar(BOOL);
  CU_ASSERT_STRING_EQUAL(type_show(a, &t), "f32[2, 3]");
  CU_ASSERT_STRING_EQUAL(type_show(a, &s), "bool[]");
  CU_ASSERT_STRING_EQUAL(shape_show(a, &t), "[2, 3]");
  DType d;
  CU_ASSERT(dtype_from_name("u8", &d));
  CU_ASSERT_EQUAL(d, U8);
  CU_ASSERT(!dtype_from_name("int8", &d));
  arena_free(a);
  host_leave(&h, &g);
}

static void counts(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Type t = of(I32, 2, 2, 3);
  Tensor *v = tensor_keep(tensor_new(&h, &t));
  CU_ASSERT_EQUAL((uintptr_t)v->data % 64, 0);
  CU_ASSERT_EQUAL(v->bytes, 24);
  tensor_set(v, 5, -7);
  CU_ASSERT_EQUAL(tensor_get(v, 5), -7);
  Tensor *w = tensor_from(&h, &t, v->data);
  CU_ASSERT(tensor_same_bits(v, w));
  tensor_set(w, 0, 1);
  CU_ASSERT(!tensor_same_bits(v, w));
  tensor_unref(w);
  CU_ASSERT_PTR_EQUAL(tensor_ref(v), v);
  tensor_unref(v);
  CU_ASSERT_EQUAL(v->refs, 1);
  Arena *a = arena_new(&h);
  tensor_hold(a, v);
  tensor_unref(v);
  CU_ASSERT_EQUAL(v->refs, 1);                    /* the arena's */
  arena_free(a);
  CU_ASSERT_EQUAL(h.in_use, 0);
  tensor_unref(NULL);
  host_leave(&h, &g);
}

static int released;
static void release(void *user, void *data) {
  CU_ASSERT_PTR_EQUAL(user, &released);
  CU_ASSERT_EQUAL(((float *)data)[1], 2);
  released++;
}

static void borrowed(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  float own[2] = {1, 2};
  Type t = of(F32, 1, 2, 0);
  released = 0;
  Tensor *v = tensor_borrow(&h, &t, own, release, &released);
  CU_ASSERT_EQUAL(tensor_get(v, 1), 2);
  tensor_unref(v);
  CU_ASSERT_EQUAL(released, 1);
  tensor_unref(tensor_borrow(&h, &t, own, NULL, NULL));
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &g);
}

/* A failure drops the young, held or not, in whatever order. */
static void young(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  Type t = of(F32, 1, 8, 0);
  if (HOST_GUARD(&h, &g)) {
    Tensor *before = tensor_new(&h, &t);
    Arena *a = arena_new(&h);
    Tensor *after = tensor_new(&h, &t);
    tensor_hold(a, before);
    tensor_hold(a, after);
    host_fail(&h, FAIL_LIMIT, "on purpose");
  }
  CU_ASSERT_EQUAL(h.in_use, 0);
}

static void build(Host *h, void *ctx) {
  (void)ctx;
  Type t = of(F64, 2, 3, 3);
  Arena *a = arena_new(h);
  Tensor *v = tensor_new(h, &t);
  tensor_hold(a, v);
  Tensor *w = tensor_from(h, &t, v->data);
  tensor_unref(v);
  tensor_unref(w);
  arena_free(a);
}
static void survives(void) { CU_ASSERT(alloc_fail_each(build, NULL) > 4); }

/* The list of element types holds together, and so do the sets that are made of it. */
static void element_types(void) {
  CU_ASSERT_EQUAL(DTYPES_OF(DTYPE_FLOAT), 1u << F32 | 1u << F64);
  CU_ASSERT_EQUAL(DTYPES_OF(DTYPE_BOOL), 1u << BOOL);
  CU_ASSERT_EQUAL(DTYPES_OF(DTYPE_STORAGE), 0);
  CU_ASSERT_EQUAL(DTYPES_NUMBERS, 1u << F32 | 1u << F64 | 1u << I32);
  Host h;
  host_init(&h, NULL, NULL);
  Guard guard;
  CU_ASSERT_FATAL(HOST_GUARD(&h, &guard));
  for (int d = 0; d < N_DTYPES; d++) {
    DType named;
    CU_ASSERT(dtype_from_name(dtype_name[d], &named) && named == (DType)d);
    CU_ASSERT_EQUAL(dtype_sum[dtype_sum[d]], dtype_sum[d]);       /* a sum can be summed */
    Type t = type_make((DType)d, 1, (int64_t[]){3});
    Tensor *v = tensor_new(&h, &t);
    CU_ASSERT_EQUAL(v->bytes, 3u * dtype_size[d]);
    for (int k = 0; k < 3; k++) tensor_set(v, k, k);
    for (int k = 0; k < 3; k++) CU_ASSERT_EQUAL(tensor_get(v, k), d == BOOL ? k != 0 : k);
    tensor_unref(v);
  }
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &guard);
}

UNIT(TEST(element_types), TEST(limits), TEST(text), TEST(counts), TEST(borrowed), TEST(young), TEST(survives))
