/* require: values that must hold, or the run stops at their place before any cell is written. The value passes through,
 * so the derivative does.
 */
#include "ops/pointwise.h"

/* ---- require_finite ---- */
#ifndef KERNELS
static void require_finite_grad(Grad *d) { d->dx[0] = d->dy; }
const Op op_require_finite = {
    POINTWISE(require_finite, 1, pointwise_float), .flags = OP_POINTWISE | OP_FAILS, .grad = require_finite_grad,
    .faults = &(const OpFault){.code = "E0717", .text = "this is not finite, and has to be finite"},
    .doc = "x itself. If an element is NaN or infinite, the run stops before any cell changes and names the\n"
           "expression that made the first such value.",
    .example = "require_finite([1, 2])   # => [1, 2]",
};
#else
TILE1(require_finite, f32, uint32_t, uint32_t, x)
TILE1(require_finite, f64, uint64_t, uint64_t, x)
#define FINITE(d, C)                                                                          \
  static bool require_finite_check_##d(const void *const *in, int64_t n, const Attr *attr, Fault *f) { \
    const C *x = in[0];                                                                       \
    (void)attr;                                                                               \
    for (int64_t k = 0; k < n; k++)                                                           \
      if (!(x[k] - x[k] == 0)) {                                                              \
        *f = (Fault){.code = FAULT_OP, .element = k};                                      \
        return false;                                                                         \
      }                                                                                       \
    return true;                                                                              \
  }
FINITE(f32, float)
FINITE(f64, double)
const OpKernels KERNELS_OF(require_finite) = {
    .tile = {[F32] = require_finite_f32, [F64] = require_finite_f64},
    .check = {[F32] = require_finite_check_f32, [F64] = require_finite_check_f64},
};
#endif
