/* unary: pointwise operations of one operand. */
#include "ops/pointwise.h"

#ifndef KERNELS
static NodeId one_minus_square(Graph *g, NodeId x) {
  NodeId square = g_op(g, &op_square, x);
  return sub_(g, number_(g, x, 1), square);
}
/* c exp(-x^2) */
static NodeId bell(Graph *g, NodeId x, double c) {
  return scale_(g, g_op(g, &op_exp, neg_(g, g_op(g, &op_square, x))), c);
}
#endif

/* ---- neg ---- */
#ifndef KERNELS
static void neg_grad(Grad *d) { d->dx[0] = neg_(d->g, d->dy); }
static NodeId neg_simplify(Simplify *s) {
  return through(s, &op_neg);
}
const Op op_neg = {
    POINTWISE(neg, 1, pointwise_number), .form = "-x", .simplify = neg_simplify, .flags = OP_POINTWISE | OP_CHOOSES,
    .grad = neg_grad,
    .doc = "-x for each element; i32 wraps.", .example = "neg([1, -2])   # => [-1, 2]",
};
#else
NUMBERS1(neg, -x, -x, 0u - x)
#endif

/* ---- abs ---- */
#ifndef KERNELS
static void abs_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_sign, d->x[0])); }
static NodeId abs_simplify(Simplify *s) {
  NodeId x = through(s, &op_neg);
  return x == NO_NODE ? NO_NODE : g_op(s->g, &op_abs, x);
}
const Op op_abs = {
    POINTWISE(abs, 1, pointwise_number), .simplify = abs_simplify,
    .flags = OP_POINTWISE | OP_CHOOSES | OP_KEEPS_INTS, .grad = abs_grad,
    .doc = "Absolute value of each element; the derivative at 0 is 0.", .example = "abs([-1.5, 2])   # => [1.5, 2]",
};
#else
NUMBERS1(abs, fabsf(x), fabs(x), x >> 31 ? 0u - x : x)
#endif

/* ---- sign ---- */
#ifndef KERNELS
const Op op_sign = {
    POINTWISE(sign, 1, pointwise_number), ZERO_EVERYWHERE(OP_KEEPS_INTS),
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
    POINTWISE(recip, 1, pointwise_float), .form = "1 / x", .flags = OP_POINTWISE, .grad = recip_grad,
    .lo = 0.3f, .hi = 3.0f,
    .wants = "something is divided by 0: add a small number to what may become 0, or choose with `where`",
    .doc = "1 / x for each element.", .example = "recip([2, 4])   # => [0.5, 0.25]",
};
#else
FLOATS1(recip, 1.0f / x, 1.0 / x)
#endif

/* ---- square ---- */
#ifndef KERNELS
static void square_grad(Grad *d) { slope(d, 0, scale_(d->g, d->x[0], 2)); }
static NodeId square_simplify(Simplify *s) {
  NodeId x = through(s, &op_neg);
  return x == NO_NODE ? NO_NODE : g_op(s->g, &op_square, x);
}
const Op op_square = {
    POINTWISE(square, 1, pointwise_number), .form = "x^2", .simplify = square_simplify,
    .flags = OP_POINTWISE | OP_KEEPS_INTS, .grad = square_grad,
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
    .lo = 0.2f, .hi = 4.0f,
    .wants = "the root wants numbers of at least 0: `sqrt(max(x, 0))`",
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
    .wants = "exp of more than 88 does not fit into f32: subtract the largest first, as `softmax` and `logsumexp` do",
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
    .lo = 0.2f, .hi = 4.0f,
    .wants = "the logarithm wants numbers above 0: `log(max(x, 1e-12))` bounds them, `log_softmax` and `bce_logits` "
             "need no bound",
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

/* ---- rsqrt ---- */
#ifndef KERNELS
static void rsqrt_grad(Grad *d) { slope(d, 0, scale_(d->g, div_(d->g, d->y, d->x[0]), -0.5)); }
const Op op_rsqrt = {
    POINTWISE(rsqrt, 1, pointwise_float), .form = "1 / sqrt(x)", .flags = OP_POINTWISE, .grad = rsqrt_grad,
    .lo = 0.3f, .hi = 4.0f,
    .wants = "the root wants numbers above 0: `rsqrt(x + 1e-12)`",
    .doc = "1 / sqrt(x) for each element.",
    .example = "rsqrt([4, 0.25])   # => [0.5, 2]",
};
#else
FLOATS1(rsqrt, 1.0f / sqrtf(x), 1.0 / sqrt(x))
#endif

/* ---- expm1 ---- */
#ifndef KERNELS
static void expm1_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_exp, d->x[0])); }
const Op op_expm1 = {
    POINTWISE(expm1, 1, pointwise_float), .flags = OP_POINTWISE, .grad = expm1_grad,
    .doc = "exp(x) - 1 for each element, exact near 0.",
    .example = "expm1([0, 1])   # => [0, 1.71828]",
};
#else
FLOATS1(expm1, expm1f(x), expm1(x))
#endif

/* ---- log1p ---- */
#ifndef KERNELS
static void log1p_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_recip, plus_(d->g, d->x[0], 1))); }
const Op op_log1p = {
    POINTWISE(log1p, 1, pointwise_float), .flags = OP_POINTWISE, .grad = log1p_grad,
    .lo = -0.5f, .hi = 3.0f,
    .doc = "log(1 + x) for each element, exact near 0.",
    .example = "log1p([0, 1])   # => [0, 0.693147]",
};
#else
FLOATS1(log1p, log1pf(x), log1p(x))
#endif

/* ---- log2 ---- */
#ifndef KERNELS
static void log2_grad(Grad *d) { slope(d, 0, div_(d->g, number_(d->g, d->y, 1.4426950408889634), d->x[0])); }
const Op op_log2 = {
    POINTWISE(log2, 1, pointwise_float), .flags = OP_POINTWISE, .grad = log2_grad,
    .lo = 0.2f, .hi = 4.0f,
    .doc = "Logarithm to the base 2 of each element.",
    .example = "log2([1, 8])   # => [0, 3]",
};
#else
FLOATS1(log2, log2f(x), log2(x))
#endif

/* ---- log10 ---- */
#ifndef KERNELS
static void log10_grad(Grad *d) { slope(d, 0, div_(d->g, number_(d->g, d->y, 0.43429448190325183), d->x[0])); }
const Op op_log10 = {
    POINTWISE(log10, 1, pointwise_float), .flags = OP_POINTWISE, .grad = log10_grad,
    .lo = 0.2f, .hi = 4.0f,
    .doc = "Logarithm to the base 10 of each element.",
    .example = "log10([1, 100])   # => [0, 2]",
};
#else
FLOATS1(log10, log10f(x), log10(x))
#endif

/* ---- tan ---- */
#ifndef KERNELS
static void tan_grad(Grad *d) { slope(d, 0, plus_(d->g, g_op(d->g, &op_square, d->y), 1)); }
const Op op_tan = {
    POINTWISE(tan, 1, pointwise_float), .flags = OP_POINTWISE, .grad = tan_grad,
    .lo = -1.2f, .hi = 1.2f,
    .doc = "Tangent of each element, in radians.",
    .example = "tan([0, 0.5])   # => [0, 0.546302]",
};
#else
FLOATS1(tan, tanf(x), tan(x))
#endif

/* ---- asin ---- */
#ifndef KERNELS
static void asin_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_rsqrt, one_minus_square(d->g, d->x[0]))); }
const Op op_asin = {
    POINTWISE(asin, 1, pointwise_float), .flags = OP_POINTWISE, .grad = asin_grad,
    .lo = -0.9f, .hi = 0.9f,
    .doc = "The angle in [-pi / 2, pi / 2] whose sine is each element; NaN outside [-1, 1].",
    .example = "asin([0, 0.5])   # => [0, 0.523599]",
};
#else
FLOATS1(asin, asinf(x), asin(x))
#endif

/* ---- acos ---- */
#ifndef KERNELS
static void acos_grad(Grad *d) { slope(d, 0, neg_(d->g, g_op(d->g, &op_rsqrt, one_minus_square(d->g, d->x[0])))); }
const Op op_acos = {
    POINTWISE(acos, 1, pointwise_float), .flags = OP_POINTWISE, .grad = acos_grad,
    .lo = -0.9f, .hi = 0.9f,
    .doc = "The angle in [0, pi] whose cosine is each element; NaN outside [-1, 1].",
    .example = "acos([1, 0.5])   # => [0, 1.0472]",
};
#else
FLOATS1(acos, acosf(x), acos(x))
#endif

/* ---- atan ---- */
#ifndef KERNELS
static void atan_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_recip, plus_(d->g, g_op(d->g, &op_square, d->x[0]), 1))); }
const Op op_atan = {
    POINTWISE(atan, 1, pointwise_float), .flags = OP_POINTWISE, .grad = atan_grad,
    .doc = "The angle in (-pi / 2, pi / 2) whose tangent is each element.",
    .example = "atan([0, 1])   # => [0, 0.785398]",
};
#else
FLOATS1(atan, atanf(x), atan(x))
#endif

/* ---- sinh ---- */
#ifndef KERNELS
static void sinh_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_cosh, d->x[0])); }
const Op op_sinh = {
    POINTWISE(sinh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = sinh_grad,
    .doc = "Hyperbolic sine of each element.",
    .example = "sinh([0, 1])   # => [0, 1.1752]",
};
#else
FLOATS1(sinh, sinhf(x), sinh(x))
#endif

/* ---- cosh ---- */
#ifndef KERNELS
static void cosh_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_sinh, d->x[0])); }
const Op op_cosh = {
    POINTWISE(cosh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = cosh_grad,
    .doc = "Hyperbolic cosine of each element.",
    .example = "cosh([0, 1])   # => [1, 1.54308]",
};
#else
FLOATS1(cosh, coshf(x), cosh(x))
#endif

/* ---- tanh ---- */
#ifndef KERNELS
static void tanh_grad(Grad *d) { slope(d, 0, one_minus_square(d->g, d->y)); }
const Op op_tanh = {
    POINTWISE(tanh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = tanh_grad,
    .doc = "Hyperbolic tangent of each element, in (-1, 1).",
    .example = "tanh([0, 1])   # => [0, 0.761594]",
};
#else
FLOATS1(tanh, vm_tanhf(x), tanh(x))
#endif

/* ---- asinh ---- */
#ifndef KERNELS
static void asinh_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_rsqrt, plus_(d->g, g_op(d->g, &op_square, d->x[0]), 1))); }
const Op op_asinh = {
    POINTWISE(asinh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = asinh_grad,
    .doc = "Inverse hyperbolic sine of each element.",
    .example = "asinh([0, 1])   # => [0, 0.881374]",
};
#else
FLOATS1(asinh, asinhf(x), asinh(x))
#endif

/* ---- acosh ---- */
#ifndef KERNELS
static void acosh_grad(Grad *d) {
  slope(d, 0, g_op(d->g, &op_rsqrt, plus_(d->g, g_op(d->g, &op_square, d->x[0]), -1)));
}
const Op op_acosh = {
    POINTWISE(acosh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = acosh_grad,
    .lo = 1.2f, .hi = 4.0f,
    .doc = "Inverse hyperbolic cosine of each element; NaN below 1.",
    .example = "acosh([1, 2])   # => [0, 1.31696]",
};
#else
FLOATS1(acosh, acoshf(x), acosh(x))
#endif

/* ---- atanh ---- */
#ifndef KERNELS
static void atanh_grad(Grad *d) { slope(d, 0, g_op(d->g, &op_recip, one_minus_square(d->g, d->x[0]))); }
const Op op_atanh = {
    POINTWISE(atanh, 1, pointwise_float), .flags = OP_POINTWISE, .grad = atanh_grad,
    .lo = -0.9f, .hi = 0.9f,
    .doc = "Inverse hyperbolic tangent of each element; NaN outside [-1, 1].",
    .example = "atanh([0, 0.5])   # => [0, 0.549306]",
};
#else
FLOATS1(atanh, atanhf(x), atanh(x))
#endif

/* ---- erf ---- */
#ifndef KERNELS
static void erf_grad(Grad *d) { slope(d, 0, bell(d->g, d->x[0], 1.1283791670955126)); }
const Op op_erf = {
    POINTWISE(erf, 1, pointwise_float), .flags = OP_POINTWISE, .grad = erf_grad,
    .doc = "Error function of each element: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
    .example = "erf([0, 0.5])   # => [0, 0.5205]",
};
#else
FLOATS1(erf, vm_erff(x), erf(x))
#endif

/* ---- erfc ---- */
#ifndef KERNELS
static void erfc_grad(Grad *d) { slope(d, 0, bell(d->g, d->x[0], -1.1283791670955126)); }
const Op op_erfc = {
    POINTWISE(erfc, 1, pointwise_float), .flags = OP_POINTWISE, .grad = erfc_grad,
    .doc = "1 - erf(x) for each element, exact where erf is near 1.",
    .example = "erfc([0, 2])   # => [1, 0.00467773]",
};
#else
FLOATS1(erfc, erfcf(x), erfc(x))
#endif

/* ---- sigmoid ---- */
#ifndef KERNELS
static void sigmoid_grad(Grad *d) {
  /* 1 - y as sigmoid(-x): the slope far to the right does not cancel to 0. */
  slope(d, 0, mul_(d->g, d->y, g_op(d->g, &op_sigmoid, neg_(d->g, d->x[0]))));
}
const Op op_sigmoid = {
    POINTWISE(sigmoid, 1, pointwise_float), .flags = OP_POINTWISE, .grad = sigmoid_grad,
    .doc = "1 / (1 + exp(-x)) for each element, in (0, 1).",
    .example = "sigmoid([0, 1])   # => [0.5, 0.731059]",
    .js = "1 / (1 + exp(-x))",
};
#else
FLOATS1(sigmoid, vm_sigmoidf(x), vm_sigmoid(x))
#endif

/* ---- relu ---- */
#ifndef KERNELS
/* By y, which is kept for what comes after, where x is not. */
static void relu_grad(Grad *d) { d->dx[0] = g_op2(d->g, &op_gate, d->dy, d->y); }
static NodeId relu_simplify(Simplify *s) {
  return s->g->node[s->node.in[0]].op == &op_relu ? s->node.in[0] : NO_NODE;
}
const Op op_relu = {
    POINTWISE(relu, 1, pointwise_number), .simplify = relu_simplify, .flags = OP_POINTWISE | OP_CHOOSES,
    .selects = SELECTS(0),
    .grad = relu_grad,
    .doc = "x where it is positive, else 0; the derivative at 0 is 0; NaN stays NaN.",
    .example = "relu([-1, 0.5])   # => [0, 0.5]",
};
#else
NUMBERS1(relu, x > 0 ? x : x == x ? 0 : x, x > 0 ? x : x == x ? 0 : x, x >> 31 ? 0u : x)
#endif

/* ---- step ---- */
#ifndef KERNELS
const Op op_step = {
    POINTWISE(step, 1, pointwise_number), ZERO_EVERYWHERE(0),
    .doc = "1 where x is positive, else 0; step(0) is 0, of NaN it is NaN. The derivative is 0 everywhere.",
    .example = "step([-1, 0, 2])   # => [0, 0, 1]",
};
#else
NUMBERS1(step, x != x ? x : x > 0, x != x ? x : x > 0, x != 0 && !(x >> 31))
#endif

/* ---- floor ---- */
#ifndef KERNELS
const Op op_floor = {
    POINTWISE(floor, 1, pointwise_float), ZERO_EVERYWHERE(OP_KEEPS_INTS),
    .doc = "The largest whole number not above each element.",
    .example = "floor([1.5, -1.5])   # => [1, -2]",
};
#else
FLOATS1(floor, floorf(x), floor(x))
#endif

/* ---- ceil ---- */
#ifndef KERNELS
const Op op_ceil = {
    POINTWISE(ceil, 1, pointwise_float), ZERO_EVERYWHERE(OP_KEEPS_INTS),
    .doc = "The smallest whole number not below each element.",
    .example = "ceil([1.5, -1.5])   # => [2, -1]",
};
#else
FLOATS1(ceil, ceilf(x), ceil(x))
#endif

/* ---- round ---- */
#ifndef KERNELS
const Op op_round = {
    POINTWISE(round, 1, pointwise_float), ZERO_EVERYWHERE(OP_KEEPS_INTS),
    .doc = "The nearest whole number of each element; halves go to the even one.",
    .example = "round([0.5, 1.5, -1.2])   # => [0, 2, -1]",
};
#else
FLOATS1(round, rintf(x), rint(x))
#endif

/* ---- trunc ---- */
#ifndef KERNELS
const Op op_trunc = {
    POINTWISE(trunc, 1, pointwise_float), ZERO_EVERYWHERE(OP_KEEPS_INTS),
    .doc = "Each element without its fraction.",
    .example = "trunc([1.5, -1.5])   # => [1, -1]",
};
#else
FLOATS1(trunc, truncf(x), trunc(x))
#endif

/* ---- isnan ---- */
#ifndef KERNELS
const Op op_isnan = {
    POINTWISE(isnan, 1, pointwise_test), ZERO_EVERYWHERE(0),
    .doc = "True where an element is NaN.",
    .example = "isnan([1, nan])   # => [false, true]",
};
#else
TESTS1(isnan, x != x)
#endif

/* ---- isinf ---- */
#ifndef KERNELS
const Op op_isinf = {
    POINTWISE(isinf, 1, pointwise_test), ZERO_EVERYWHERE(0),
    .doc = "True where an element is inf or -inf.",
    .example = "isinf([1, -inf])   # => [false, true]",
};
#else
TESTS1(isinf, x == INFINITY || x == -INFINITY)
#endif

/* ---- isfinite ---- */
#ifndef KERNELS
const Op op_isfinite = {
    POINTWISE(isfinite, 1, pointwise_test), ZERO_EVERYWHERE(0),
    .doc = "True where an element is neither NaN nor infinite.",
    .example = "isfinite([1, inf, nan])   # => [true, false, false]",
};
#else
TESTS1(isfinite, x - x == 0)
#endif

/* ---- stop_gradient ---- */
#ifndef KERNELS
const Op op_stop_gradient = {
    POINTWISE(stop_gradient, 1, pointwise_any), .flags = OP_POINTWISE | OP_PASSES | OP_STORES, .grad = zero_grad,
    .depends = depends_none,
    .doc = "x itself, but a derivative treats it as a constant.",
    .example = "stop_gradient([1, 2])   # => [1, 2]",
    .js = "x",
};
#else
COPIES(stop_gradient)
#endif

/* ---- alias ---- */
#ifndef KERNELS
static void alias_grad(Grad *d) { d->dx[0] = d->dy; }
const Op op_alias = {
    POINTWISE(alias, 1, pointwise_any), .form = "x", .flags = OP_POINTWISE | OP_HIDDEN | OP_MOVES, .grad = alias_grad,
    .doc = "x itself: a version of a cell.",
    .example = "let y = x",
};
#else
COPIES(alias)
#endif
