/* random: Philox against the published vectors, draws against the definition and their moments, the same bits in
 * parts and at every level, permutations, refusals.
 */
#include <stdlib.h>
#include "calc.h"
#include "runtime/value/rng.h"

static void known_answers(void) {   /* of the Random123 distribution */
  static const struct { uint64_t key, hi, lo; uint32_t out[4]; } t[] = {
      {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (int k = 0; k < 3; k++) {
    uint32_t out[4];
    philox(t[k].key, t[k].hi, t[k].lo, out);
    CU_ASSERT_EQUAL(memcmp(out, t[k].out, sizeof out), 0);
  }
  CU_ASSERT(rng_f32(0) == 0 && rng_f32(UINT32_MAX) < 1 && rng_f64(0, 0) == 0 && rng_f64(UINT32_MAX, UINT32_MAX) < 1);
}

static NodeId key(Calc *c, int32_t lo, int32_t hi) { return given(c, I32, DIMS(2), (double[]){lo, hi}); }

static void keys(void) {
  CALC(c);
  NodeId k = key(&c, 7, -1), n = given(&c, I32, 0, NULL, (double[]){5});
  const double *v = values_of(&c, make(&c, &op_fold_in, (NodeId[]){k, n}, 2, NULL, 0));
  uint64_t want = rng_fold((uint64_t)UINT32_MAX << 32 | 7, 5);
  CU_ASSERT_EQUAL((uint32_t)(int32_t)v[0], (uint32_t)want);
  CU_ASSERT_EQUAL((uint32_t)(int32_t)v[1], (uint32_t)(want >> 32));
  CU_ASSERT_NOT_EQUAL(rng_fold(1, 2), rng_fold(2, 1));
  CALC_END(c);
}

/* The same bits at every level, in parts, and as the head of a longer draw. */
static bool steady(Calc *c, NodeId y, NodeId longer) {
  Tensor **v[3] = {NULL};
  bool ok = same_in_parts(c, y);
  for (int l = 0; l < 3; l++) {
    if (!level(l)) continue;
    v[l] = NEW_N(c->arena, Tensor *, c->g->n);
    calc_all(c, level(l), v[l]);
    ok &= tensor_same_bits(v[0][y], v[l][y]);
    ok &= memcmp(v[l][y]->data, v[l][longer]->data, v[l][y]->bytes) == 0;
  }
  for (int l = 0; l < 3; l++)
    if (v[l]) calc_drop(c, v[l], NULL);
  return ok;
}

static void uniforms(void) {
  for (int d = F32; d <= F64; d++) {
    CALC(c);
    enum { N = 40000 };
    NodeId k = key(&c, 1, 2), y = make(&c, &op_random_uniform, &k, 1, INTS(d, N));
    NodeId z = make(&c, &op_random_uniform, &k, 1, INTS(d, 3, 333));
    CU_ASSERT(steady(&c, z, y));
    const double *v = values_of(&c, y);
    double sum = 0, square = 0;
    for (int e = 0; e < N; e++) {
      if (!(v[e] >= 0 && v[e] < 1)) CU_FAIL("outside");
      sum += v[e];
      square += v[e] * v[e];
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / N, 0.5, 5 / sqrt(12.0 * N));
    CU_ASSERT_DOUBLE_EQUAL(square / N, 1 / 3.0, 0.01);
    uint32_t w[4];   /* element 70 is block 6, word 1 (f32), words 2 and 3 (f64) */
    philox((uint64_t)2 << 32 | 1, 0, 6, w);
    CU_ASSERT_EQUAL(v[70], d == F32 ? (double)rng_f32(w[1]) : rng_f64(w[2], w[3]));
    CALC_END(c);
  }
}

static void normals(void) {
  for (int d = F32; d <= F64; d++) {
    CALC(c);
    enum { N = 100000 };
    NodeId k = key(&c, 3, 4), y = make(&c, &op_random_normal, &k, 1, INTS(d, N));
    NodeId z = make(&c, &op_random_normal, &k, 1, INTS(d, 7, 100));
    CU_ASSERT(steady(&c, z, y));
    const double *v = values_of(&c, y);
    double m[5] = {0};
    int within = 0;
    for (int e = 0; e < N; e++) {
      for (int p = 1; p <= 4; p++) m[p] += pow(v[e], p) / N;
      within += fabs(v[e]) < 1;
    }
    CU_ASSERT_DOUBLE_EQUAL(m[1], 0, 0.015);
    CU_ASSERT_DOUBLE_EQUAL(m[2], 1, 0.02);
    CU_ASSERT_DOUBLE_EQUAL(m[3], 0, 0.05);
    CU_ASSERT_DOUBLE_EQUAL(m[4], 3, 0.12);
    CU_ASSERT_DOUBLE_EQUAL(within / (double)N, 0.6827, 0.008);
    /* Box and Muller with libm, in f64 */
    double worst = 0, tau = 8 * atan(1.0);
    for (int e = 0; e < 64; e++) {
      uint32_t w[4];
      philox((uint64_t)4 << 32 | 3, 0, (uint64_t)e, w);
      double u = d == F32 ? ((double)w[0] + 0.5) * 0x1p-32
                          : (double)((((uint64_t)w[0] << 32 | w[1]) >> 12) * 2 + 1) * 0x1p-53;
      double turn = d == F32 ? w[1] * 0x1p-32 : (double)((uint64_t)w[2] << 32 | w[3]) * 0x1p-64;
      double r = sqrt(-2 * log(u));
      worst = fmax(worst, fmax(fabs(v[e] - r * cos(tau * turn)), fabs(v[e + 64] - r * sin(tau * turn))));
    }
    CU_ASSERT(worst < (d == F32 ? 2e-6 : 1e-14));
    CALC_END(c);
  }
}

static void ints(void) {
  CALC(c);
  enum { N = 30000 };
  NodeId k = key(&c, 5, 6), y = make(&c, &op_random_int, &k, 1, INTS(-3, 4, N));
  NodeId z = make(&c, &op_random_int, &k, 1, INTS(-3, 4, 200));
  CU_ASSERT(steady(&c, z, y));
  const double *v = values_of(&c, y);
  int count[7] = {0};
  for (int e = 0; e < N; e++) {
    if (!(v[e] >= -3 && v[e] < 4)) CU_FAIL_FATAL("outside");
    count[(int)v[e] + 3]++;
  }
  for (int j = 0; j < 7; j++) CU_ASSERT(abs(count[j] - N / 7) < 350);
  NodeId all = make(&c, &op_random_int, &k, 1, INTS(INT32_MIN, (int64_t)INT32_MAX + 1, 1000));
  NodeId one = make(&c, &op_random_int, &k, 1, INTS(9, 10, 3));
  const double *far = values_of(&c, all);
  double low = 0, high = 0;
  for (int e = 0; e < 1000; e++) {
    low = fmin(low, far[e]);
    high = fmax(high, far[e]);
  }
  CU_ASSERT(low < -2e9 && high > 2e9);
  CU_ASSERT_EQUAL(values_of(&c, one)[2], 9);
  CALC_END(c);
}

static void permutations(void) {
  CALC(c);
  NodeId k = key(&c, 8, 9);
  static const int64_t size[] = {0, 1, 2, 100, 1000};
  for (int s = 0; s < 5; s++) {
    int64_t n = size[s];
    NodeId y = make(&c, &op_permutation, &k, 1, &n, 1);
    const double *v = values_of(&c, y);
    bool *seen = NEW_N(c.arena, bool, n + 1);
    int64_t fixed = 0;
    for (int64_t e = 0; e < n; e++) {
      CU_ASSERT_FATAL(v[e] >= 0 && v[e] < (double)n && !seen[(int64_t)v[e]]);
      seen[(int64_t)v[e]] = true;
      fixed += v[e] == (double)e;
    }
    if (n >= 100) CU_ASSERT(fixed < 8);
    CU_ASSERT(same_in_parts(&c, y));
  }
  int first[3] = {0};   /* every number comes first equally often */
  for (int t = 0; t < 300; t++) {
    NodeId kt = key(&c, t, 1);
    first[(int)values_of(&c, make(&c, &op_permutation, &kt, 1, INTS(3)))[0]]++;
  }
  for (int j = 0; j < 3; j++) CU_ASSERT(abs(first[j] - 100) < 45);
  CALC_END(c);
}

static void refusals(void) {
  CALC(c);
  NodeId k = key(&c, 1, 1), x = numbers(&c, F32, DIMS(2));
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_random_uniform, &x, 1, INTS(F32, 2)),
                         "a key is i32[.., 2], but this is f32[2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_random_normal, &k, 1, INTS(I32, 2)), "a draw of this kind is f32 or f64");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_random_int, &k, 1, INTS(3, 3, 2)), "there is no int from 3 to below 3");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_random_int, &k, 1, INTS(0, 5000000000, 2)),
                         "ints from 0 to below 5000000000 do not fit an i32");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_permutation, &k, 1, INTS(-1)),
                         "a permutation has from 0 to 2147483647 places");
  CALC_END(c);
}

UNIT(TEST(known_answers), TEST(keys), TEST(uniforms), TEST(normals), TEST(ints), TEST(permutations), TEST(refusals))
