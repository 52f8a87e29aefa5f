/* vector_math: the f32 polynomials against libm in double over all of f32 in steps, with the ends; through the
 * kernels, at every level of this CPU.
 */
#include <math.h>
#include <string.h>
#include "runtime/graph/op.h"
#include "unit.h"

enum { BLOCK = 4096, STRIDE = 65521 };   /* a prime: all exponents, no pattern in the fraction */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double ulps(float got, double want) {
  if (want != want) return got != got ? 0 : INFINITY;
  float rounded = (float)want;
  if (isinf(rounded)) return got == rounded ? 0 : INFINITY;
  if (got - got != 0) return INFINITY;
  float a = fabsf(rounded);
  return fabs((double)got - want) / ((double)nextafterf(a, INFINITY) - (double)a);
}

static double worst(const Kernels *level, const Op *op, double (*exact)(double)) {
  double most = 0;
  float x[BLOCK], y[BLOCK];
  static const float ends[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 88.7f, 88.8f, -87.4f, -103.9f, -104.1f, 1e-45f};
  const void *in[] = {x};
  for (uint64_t bits = 0; bits >> 32 == 0;) {
    int64_t n = 0;
    if (bits == 0)
      for (; n < (int64_t)(sizeof ends / sizeof *ends); n++) x[n] = ends[n];
    for (; n < BLOCK && bits >> 32 == 0; bits += STRIDE, n++) {
      uint32_t b = (uint32_t)bits;
      memcpy(&x[n], &b, sizeof b);
    }
    level->op[op->id]->tile[F32](y, in, n, NULL);
    for (int64_t k = 0; k < n; k++) {
      double u = ulps(y[k], exact((double)x[k]));
      if (u > most) most = u;
    }
  }
  return most;
}

static void bounds(void) {
  static const char *const levels[] = {"v1", "v3", "v4"};
  for (int k = 0; k < 3; k++) {
    const Kernels *level = kernels_level(levels[k]);
    if (!level) continue;
    CU_ASSERT(worst(level, &op_exp, exp) < 1);
    CU_ASSERT(worst(level, &op_log, log) < 1);
    CU_ASSERT(worst(level, &op_sigmoid, sigmoid) < 2.5);
    CU_ASSERT(worst(level, &op_tanh, tanh) < 1.5);
    CU_ASSERT(worst(level, &op_erf, erf) < 1.5);
  }
}

UNIT(TEST(bounds))
