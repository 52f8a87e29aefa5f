/* binary: pointwise operations of two operands. i32 wraps, so its kernels compute in uint32_t. */
#include "ops/pointwise.h"

#ifndef KERNELS
#include "ops/pieces.h"
#include <math.h>
#include <stdlib.h>

/* dy where operand k wins, half of it where both are equal, else 0. */
static void share(Grad *d, int k, const Op *wins) {
  Graph *g = d->g;
  if (!d->wanted[k]) return;
  NodeId first = g_op2(g, wins, d->x[k], d->x[1 - k]), equal = g_op2(g, &op_eq, d->x[k], d->x[1 - k]);
  NodeId half = scale_(g, d->dy, 0.5);
  d->dx[k] = g_op3(g, &op_where, first, d->dy, g_op3(g, &op_where, equal, half, number_(g, d->dy, 0)));
}
#else
/* fmod is exact; the rest takes the sign of y, as Python and NumPy have it. */
static inline float vm_modf(float x, float y) {
  float r = fmodf(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r == 0 ? copysignf(r, y) : r;
}
static inline double vm_mod(double x, double y) {
  double r = fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r == 0 ? copysign(r, y) : r;
}
/* From the exact rest, so that x == floordiv(x, y) * y + mod(x, y) up to one rounding; floor(x / y) may be one off, and
 * so it is below 0 for an infinite y: -1 // inf is -1. */
static inline float vm_floordivf(float x, float y) {
  float r = vm_modf(x, y);
  if (y == 0 || y != y) return x / y;
  if (x - x != 0) return x - x;
  if (y - y != 0) return x != 0 && (x < 0) != (y < 0) ? -1 : x / y;
  return rintf((x - r) / y);
}
static inline double vm_floordiv(double x, double y) {
  double r = vm_mod(x, y);
  if (y == 0 || y != y) return x / y;
  if (x - x != 0) return x - x;
  if (y - y != 0) return x != 0 && (x < 0) != (y < 0) ? -1 : x / y;
  return rint((x - r) / y);
}
/* The second operand on equality, except that NaN on either side wins. */
static inline float vm_min2f(float x, float y) { return x < y || x != x ? x : y; }
static inline double vm_min2(double x, double y) { return x < y || x != x ? x : y; }
static inline float vm_max2f(float x, float y) { return x > y || x != x ? x : y; }
static inline double vm_max2(double x, double y) { return x > y || x != x ? x : y; }
#endif

/* ---- smul: the product of gradient rules ---- */
#ifndef KERNELS
/* y is flat in x[1] where x[0] is zero, even under an infinite dy, which the third derivative of an untaken branch
 * has. */
static void smul_grad(Grad *d) {
  Graph *g = d->g;
  NodeId x = d->x[0];
  if (d->wanted[0]) slope(d, 0, d->x[1]);
  if (d->wanted[1]) {
    NodeId zero = number_(g, x, 0), moves = g_op2(g, &op_ne, x, zero);
    d->dx[1] = g_op3(g, &op_where, moves, mul_(g, d->dy, x), zero);
  }
}
static NodeId smul_simplify(Simplify *s) {
  double v;
  if (!same_number(s->g, s->node.in[0], &v) || v == 0) return NO_NODE;
  return v == 1 ? s->node.in[1] : mul_(s->g, s->node.in[0], s->node.in[1]);
}
const Op op_smul = {
    POINTWISE(smul, 2, pointwise_float), .form = "x * y", .simplify = smul_simplify,
    .flags = OP_POINTWISE, .selects = SELECTS(1), .grad = smul_grad,
    .doc = "x * y, but exactly 0 where x is 0, whatever y is.", .example = "smul(0.0, inf)   # => 0",
};
#else
FLOATS2(smul, x == 0 ? 0 : x * y, x == 0 ? 0 : x * y)
#endif

/* ---- gate: the adjoint of relu ---- */
#ifndef KERNELS
static void gate_grad(Grad *d) { d->dx[0] = g_op2(d->g, &op_gate, d->dy, d->x[1]); }
const Op op_gate = {
    POINTWISE(gate, 2, pointwise_float), .form = "where(y > 0, x, 0)",
    .flags = OP_POINTWISE, .selects = SELECTS(0), .grad = gate_grad,
    .doc = "x where y is positive, else exactly 0.", .example = "gate([1, 2], [-3, 4])   # => [0, 2]",
};
#else
FLOATS2(gate, y > 0 ? x : 0, y > 0 ? x : 0)
#endif

/* ---- add ---- */
#ifndef KERNELS
static void add_grad(Grad *d) { d->dx[0] = d->dx[1] = d->dy; }
static NodeId add_simplify(Simplify *s) {
  /* Only -0 leaves a float's bits alone: -0 + 0 is 0. */
  double zero = s->node.type->dtype == I32 ? 0.0 : -0.0;
  if (operand_is(s, 1, zero)) return s->node.in[0];
  return operand_is(s, 0, zero) ? s->node.in[1] : sum_of_pieces(s->g, s->node.in[0], s->node.in[1]);
}
const Op op_add = {
    POINTWISE(add, 2, pointwise_number), .simplify = add_simplify,
    .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN, .grad = add_grad,
    .sign = "+",
    .doc = "Sum of x and y, element by element; i32 wraps.", .example = "[1, 2] + [3, 4]   # => [4, 6]",
};
#else
NUMBERS2(add, x + y, x + y, x + y)
#endif

/* ---- sub ---- */
#ifndef KERNELS
static void sub_grad(Grad *d) {
  d->dx[0] = d->dy;
  if (d->wanted[1]) d->dx[1] = neg_(d->g, d->dy);
}
static NodeId sub_simplify(Simplify *s) {
  return operand_is(s, 1, 0) ? s->node.in[0] : NO_NODE;
}
const Op op_sub = {
    POINTWISE(sub, 2, pointwise_number), .simplify = sub_simplify, .flags = OP_POINTWISE | OP_HIDDEN, .grad = sub_grad,
    .sign = "-",
    .doc = "Difference of x and y, element by element; i32 wraps.", .example = "[1, 2] - [3, 5]   # => [-2, -3]",
};
#else
NUMBERS2(sub, x - y, x - y, x - y)
#endif

/* ---- mul ---- */
#ifndef KERNELS
static void mul_grad(Grad *d) {
  if (d->wanted[0]) slope(d, 0, d->x[1]);
  if (d->wanted[1]) slope(d, 1, d->x[0]);
}
static NodeId mul_simplify(Simplify *s) {
  return operand_is(s, 1, 1) ? s->node.in[0] : operand_is(s, 0, 1) ? s->node.in[1] : NO_NODE;
}
const Op op_mul = {
    POINTWISE(mul, 2, pointwise_number), .simplify = mul_simplify,
    .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN, .grad = mul_grad,
    .sign = "*",
    .doc = "Product of x and y, element by element; i32 wraps.", .example = "[1, 2] * [3, 4]   # => [3, 8]",
};
#else
NUMBERS2(mul, x * y, x * y, x * y)
#endif

/* ---- div ---- */
#ifndef KERNELS
static void div_grad(Grad *d) {
  Graph *g = d->g;
  if (d->wanted[0]) slope(d, 0, g_op(g, &op_recip, d->x[1]));
  if (d->wanted[1]) slope(d, 1, neg_(g, div_(g, d->y, d->x[1])));
}
static NodeId div_simplify(Simplify *s) {
  double v;
  int exponent;
  if (operand_is(s, 1, 1)) return s->node.in[0];
  if (operand_is(s, 0, 1)) return g_op(s->g, &op_recip, s->node.in[1]);
  /* 1 / v is exact for a power of two, so the product is the quotient. */
  if (same_number(s->g, s->node.in[1], &v) && fabs(frexp(v, &exponent)) == 0.5 && abs(exponent) < 100)
    return mul_(s->g, s->node.in[0], number_(s->g, s->node.in[0], 1 / v));
  return NO_NODE;
}
const Op op_div = {
    POINTWISE(div, 2, pointwise_float), .simplify = div_simplify, .flags = OP_POINTWISE | OP_HIDDEN, .grad = div_grad,
    .lo = 0.3f, .hi = 3.0f,
    .sign = "/",
    .wants = "something is divided by 0: add a small number to what may become 0, or choose with `where`",
    .doc = "Quotient of x and y, element by element, as IEEE-754 has it: 1 / 0 is inf.",
    .example = "[1, 3] / [2, 4]   # => [0.5, 0.75]",
};
#else
FLOATS2(div, x / y, x / y)
#endif

/* ---- floordiv ---- */
#ifndef KERNELS
static const OpFault zero_division = {.code = "E0702", .text = "an integer is divided by zero"};
const Op op_floordiv = {
    POINTWISE(floordiv, 2, pointwise_number),
    .flags = OP_POINTWISE | OP_HIDDEN | OP_FAILS | OP_EFFECTLESS_ZERO, .grad = zero_grad,
    .lo = 0.3f, .hi = 3.0f,
    .sign = "//",
    .faults = &zero_division,
    .doc = "The largest whole number not above x / y, element by element. An integer divided by 0 is an error.",
    .example = "[7, -7] // 2   # => [3, -4]",
    .js = "floor(x / y)",
};
#else
/* INT32_MIN // -1 wraps to itself. Division by 0 gives 0 here: the check has refused it. */
static inline int32_t floor_quotient(int32_t x, int32_t y) {
  if (y == 0) return 0;
  if (y == -1) return (int32_t)(0u - (uint32_t)x);
  int32_t q = x / y;
  return q - (x % y != 0 && (x ^ y) < 0);
}
static bool no_zero(const void *const *in, int64_t n, const Attr *attr, Fault *f) {
  (void)attr;
  const int32_t *x = in[0], *y = in[1];
  for (int64_t k = 0; k < n; k++)
    if (y[k] == 0) {
      *f = (Fault){.code = FAULT_OP, .element = k, .a = x[k], .b = 0};
      return false;
    }
  return true;
}
TILE2(floordiv, f32, float, float, vm_floordivf(x, y))
TILE2(floordiv, f64, double, double, vm_floordiv(x, y))
TILE2(floordiv, i32, int32_t, int32_t, floor_quotient(x, y))
const OpKernels KERNELS_OF(floordiv) = {
    NUMBERS_OF(floordiv), .check = {[I32] = no_zero},
};
#endif

/* ---- mod ---- */
#ifndef KERNELS
/* x - floor(x / y) y, the quotient constant between its jumps. */
static void mod_grad(Grad *d) {
  d->dx[0] = d->dy;
  if (d->wanted[1]) slope(d, 1, neg_(d->g, g_op2(d->g, &op_floordiv, d->x[0], d->x[1])));
}
const Op op_mod = {
    POINTWISE(mod, 2, pointwise_number), .flags = OP_POINTWISE | OP_FAILS, .grad = mod_grad,
    .lo = 0.3f, .hi = 3.0f,
    .sign = "%",
    .faults = &zero_division,
    .doc = "The rest of x // y, with the sign of y, element by element. An integer divided by 0 is an error.",
    .example = "[7, -7] % 3   # => [1, 2]",
    .js = "x - floor(x / y) * y",
};
#else
TILE2(mod, f32, float, float, vm_modf(x, y))
TILE2(mod, f64, double, double, vm_mod(x, y))
TILE2(mod, i32, int32_t, int32_t, (uint32_t)x - (uint32_t)floor_quotient(x, y) * (uint32_t)y)
const OpKernels KERNELS_OF(mod) = {
    NUMBERS_OF(mod), .check = {[I32] = no_zero},
};
#endif

/* ---- pow ---- */
#ifndef KERNELS
/* y x^(y - 1) and x^y log x; where x is 0 the second is 0, or -inf for a negative y. A factor y = 0 selects 0, so that
 * x^0 is flat at 0 too. */
static void pow_grad(Grad *d) {
  Graph *g = d->g;
  NodeId x = d->x[0], y = d->x[1];
  if (d->wanted[0]) slope(d, 0, smul_(g, y, g_op2(g, &op_pow, x, plus_(g, y, -1))));
  if (d->wanted[1]) slope(d, 1, smul_(g, d->y, g_op(g, &op_log, x)));
}
static NodeId pow_simplify(Simplify *s) {
  if (operand_is(s, 1, 1)) return s->node.in[0];
  if (operand_is(s, 1, 2)) return g_op(s->g, &op_square, s->node.in[0]);
  double y;
  if (same_number(s->g, s->node.in[1], &y) && y == 0) return number_(s->g, s->node.in[0], 1);   /* NaN^0, too */
  return NO_NODE;
}
const Op op_pow = {
    POINTWISE(pow, 2, pointwise_number), .simplify = pow_simplify, .flags = OP_POINTWISE | OP_FAILS, .grad = pow_grad,
    .lo = 0.3f, .hi = 3.0f,
    .sign = "^",
    .faults = &(const OpFault){.code = "E0718", .text = "{a} to the power {b} is no whole number",
                               .hint = "make the base a float: `2.0^k`, `f32(n)^k`"},
    .doc = "x to the power y, element by element; NaN for a negative x and a y that is not whole. Powers of i32 wrap\n"
           "as products do; a negative y is an error there.",
    .example = "pow([2, 9], [3, 0.5])   # => [8, 3]",
    .js = "pow(x, y)",
};
#else
/* The squares and roots that formulas are full of are exact and cheap, whatever the neighbours are. */
TILE2(pow, f32, float, float, y == 2 ? x * x : y == 1 ? x : powf(x, y))
TILE2(pow, f64, double, double, y == 2 ? x * x : y == 1 ? x : pow(x, y))
/* A negative y gives 1 here: the check has refused it. */
static inline uint32_t whole_power(uint32_t x, int32_t y) {
  uint32_t p = 1;
  for (; y > 0; y >>= 1, x *= x)
    if (y & 1) p *= x;
  return p;
}
TILE2(pow, i32, int32_t, int32_t, whole_power((uint32_t)x, y))
static bool no_negative_power(const void *const *in, int64_t n, const Attr *attr, Fault *f) {
  (void)attr;
  const int32_t *x = in[0], *y = in[1];
  for (int64_t k = 0; k < n; k++)
    if (y[k] < 0) {
      *f = (Fault){.code = FAULT_OP, .element = k, .a = x[k], .b = y[k]};
      return false;
    }
  return true;
}
const OpKernels KERNELS_OF(pow) = {
    NUMBERS_OF(pow), .check = {[I32] = no_negative_power},
};
#endif

/* ---- min2 ---- */
#ifndef KERNELS
static void min2_grad(Grad *d) {
  share(d, 0, &op_lt);
  share(d, 1, &op_lt);
}
static NodeId min2_simplify(Simplify *s) {
  return s->node.in[0] == s->node.in[1] ? s->node.in[0] : NO_NODE;
}
const Op op_min2 = {
    POINTWISE(min2, 2, pointwise_number), .sign = "min", .simplify = min2_simplify,
    .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN | OP_CHOOSES, .selects = SELECTS(0) | SELECTS(1), .grad = min2_grad,
    .doc = "The smaller of x and y, element by element; NaN if one is. Equal ones share the derivative.",
    .example = "min([1, 5], [2, 4])   # => [1, 4]",
    .js = "min(x, y)",
};
#else
TILE2(min2, f32, float, float, vm_min2f(x, y))
TILE2(min2, f64, double, double, vm_min2(x, y))
TILE2(min2, i32, int32_t, int32_t, x < y ? x : y)
const OpKernels KERNELS_OF(min2) = {NUMBERS_OF(min2)};
#endif

/* ---- max2 ---- */
#ifndef KERNELS
static void max2_grad(Grad *d) {
  share(d, 0, &op_gt);
  share(d, 1, &op_gt);
}
static NodeId max2_simplify(Simplify *s) {
  return s->node.in[0] == s->node.in[1] ? s->node.in[0] : NO_NODE;
}
const Op op_max2 = {
    POINTWISE(max2, 2, pointwise_number), .sign = "max", .simplify = max2_simplify,
    .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN | OP_CHOOSES, .selects = SELECTS(0) | SELECTS(1), .grad = max2_grad,
    .doc = "The larger of x and y, element by element; NaN if one is. Equal ones share the derivative.",
    .example = "max([1, 5], [2, 4])   # => [2, 5]",
    .js = "max(x, y)",
};
#else
TILE2(max2, f32, float, float, vm_max2f(x, y))
TILE2(max2, f64, double, double, vm_max2(x, y))
TILE2(max2, i32, int32_t, int32_t, x > y ? x : y)
const OpKernels KERNELS_OF(max2) = {NUMBERS_OF(max2)};
#endif

/* ---- atan2 ---- */
#ifndef KERNELS
/* x / (x^2 + y^2) for y, the first operand, and -y / (x^2 + y^2) for x, the second. */
static void atan2_grad(Grad *d) {
  Graph *g = d->g;
  NodeId x2 = g_op(g, &op_square, d->x[1]);
  NodeId r2 = add_(g, g_op(g, &op_square, d->x[0]), x2);
  if (d->wanted[0]) slope(d, 0, div_(g, d->x[1], r2));
  if (d->wanted[1]) slope(d, 1, neg_(g, div_(g, d->x[0], r2)));
}
const Op op_atan2 = {
    POINTWISE(atan2, 2, pointwise_float), .flags = OP_POINTWISE, .grad = atan2_grad, .args = "y, x",
    .doc = "The angle in [-pi, pi] of the point (x, y), element by element.",
    .example = "atan2([1, -1], [1, 0])   # => [0.785398, -1.5708]",
};
#else
FLOATS2(atan2, atan2f(x, y), atan2(x, y))
#endif

/* ---- hypot ---- */
#ifndef KERNELS
/* x / r; 0 at the origin, the middle of its slopes. */
static NodeId hypot_slope(Graph *g, NodeId x, NodeId r) { return smul_(g, x, g_op(g, &op_recip, r)); }
static void hypot_grad(Grad *d) {
  if (d->wanted[0]) slope(d, 0, hypot_slope(d->g, d->x[0], d->y));
  if (d->wanted[1]) slope(d, 1, hypot_slope(d->g, d->x[1], d->y));
}
const Op op_hypot = {
    POINTWISE(hypot, 2, pointwise_float), .flags = OP_POINTWISE | OP_COMMUTES, .grad = hypot_grad,
    .doc = "sqrt(x^2 + y^2) without overflow on the way, element by element; the derivative at the origin is 0.",
    .example = "hypot([3], [4])   # => [5]",
};
#else
FLOATS2(hypot, hypotf(x, y), hypot(x, y))
#endif
