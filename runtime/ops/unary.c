/* unary: pointwise operations of one operand. */
#include "pointwise.h"

/* ---- neg ---- */
#ifndef KERNELS
static void neg_grad(Grad *d) { d->dx[0] = neg_(d->g, d->dy); }
const Op op_neg = {
    POINTWISE(neg, 1, pointwise_number), .flags = OP_POINTWISE, .grad = neg_grad,
    .doc = "-x for each element; i32 wraps.", .example = "neg([1, -2])   # => [-1, 2]",
};
#else
NUMBERS1(neg, -x, -x, 0u - x)
#endif

/* ---- abs ---- */
#ifndef KERNELS
static void abs_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_sign, d->x[0])); }
const Op op_abs = {
    POINTWISE(abs, 1, pointwise_number), .flags = OP_POINTWISE, .grad = abs_grad,
    .doc = "Absolute value of each element; the derivative at 0 is 0.", .example = "abs([-1.5, 2])   # => [1.5, 2]",
};
#else
NUMBERS1(abs, fabsf(x), fabs(x), x >> 31 ? 0u - x : x)
#endif

/* ---- sign ---- */
#ifndef KERNELS
const Op op_sign = {
    POINTWISE(sign, 1, pointwise_number), ZERO_EVERYWHERE,
    .doc = "-1, 0 or 1 as each element is negative, zero or positive; NaN stays NaN.",
    .example = "sign([-3, 0, 2])   # => [-1, 0, 1]",
};
#else
NUMBERS1(sign, x > 0 ? 1 : x < 0 ? -1 : x, x > 0 ? 1 : x < 0 ? -1 : x, x == 0 ? 0u : x >> 31 ? UINT32_MAX : 1u)
#endif

/* ---- recip ---- */
#ifndef KERNELS
static void recip_grad(Grad *d) { slope(d, 0, neg_(d->g, g_op(d->g, &op_square, d->y))); }
const Op op_recip = {
    POINTWISE(recip, 1, pointwise_float), .flags = OP_POINTWISE, .grad = recip_grad,
    .doc = "1 / x for each element.", .example = "recip([2, 4])   # => [0.5, 0.25]",
};
#else
FLOATS1(recip, 1.0f / x, 1.0 / x)
#endif

/* ---- square ---- */
#ifndef KERNELS
static void square_grad(Grad *d) { slope(d, 0, scale_(d->g, d->x[0], 2)); }
const Op op_square = {
    POINTWISE(square, 1, pointwise_number), .flags = OP_POINTWISE, .grad = square_grad,
    .doc = "x * x for each element.", .example = "square([3, -2])   # => [9, 4]",
};
#else
NUMBERS1(square, x * x, x * x, x * x)
#endif

/* ---- sqrt ---- */
#ifndef KERNELS
static void sqrt_grad(Grad *d) { slope(d, 0, div_(d->g, number_(d->g, d->y, 0.5), d->y)); }
const Op op_sqrt = {
    POINTWISE(sqrt, 1, pointwise_float), .flags = OP_POINTWISE, .grad = sqrt_grad,
    .doc = "Square root of each element; NaN below 0.", .example = "sqrt([4, 2.25])   # => [2, 1.5]",
};
#else
FLOATS1(sqrt, sqrtf(x), sqrt(x))
#endif

/* ---- exp ---- */
#ifndef KERNELS
static void exp_grad(Grad *d) { slope(d, 0, d->y); }
const Op op_exp = {
    POINTWISE(exp, 1, pointwise_float), .flags = OP_POINTWISE, .grad = exp_grad,
    .doc = "e to the power of each element.", .example = "exp([0, 1])   # => [1, 2.71828]",
};
#else
FLOATS1(exp, vm_expf(x), exp(x))
#endif

/* ---- log ---- */
#ifndef KERNELS
static void log_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_recip, d->x[0])); }
const Op op_log = {
    POINTWISE(log, 1, pointwise_float), .flags = OP_POINTWISE, .grad = log_grad,
    .doc = "Natural logarithm of each element; -inf at 0, NaN below.", .example = "log([1, 10])   # => [0, 2.30259]",
};
#else
FLOATS1(log, vm_logf(x), log(x))
#endif

/* ---- sin ---- */
#ifndef KERNELS
static void sin_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_cos, d->x[0])); }
const Op op_sin = {
    POINTWISE(sin, 1, pointwise_float), .flags = OP_POINTWISE, .grad = sin_grad,
    .doc = "Sine of each element, in radians.", .example = "sin([0, 0.5])   # => [0, 0.479426]",
};
#else
FLOATS1(sin, sinf(x), sin(x))
#endif

/* ---- cos ---- */
#ifndef KERNELS
static void cos_grad(Grad *d) { slope(d, 0, neg_(d->g, g_op(d->g, &op_sin, d->x[0]))); }
const Op op_cos = {
    POINTWISE(cos, 1, pointwise_float), .flags = OP_POINTWISE, .grad = cos_grad,
    .doc = "Cosine of each element, in radians.", .example = "cos([0, 0.5])   # => [1, 0.877583]",
};
#else
FLOATS1(cos, cosf(x), cos(x))
#endif
