/* binary: pointwise operations of two operands. i32 wraps, so its kernels compute in uint32_t. */
#include "pointwise.h"

/* ---- smul: the product of gradient rules ---- */
#ifndef KERNELS
static void smul_grad(Grad *d) {
  if (d->wanted[0]) d->dx[0] = smul_(d->g, d->dy, d->x[1]);
  if (d->wanted[1]) d->dx[1] = smul_(d->g, d->dy, d->x[0]);
}
const Op op_smul = {
    POINTWISE(smul, 2, pointwise_float), .flags = OP_POINTWISE | OP_HIDDEN, .grad = smul_grad,
    .doc = "x * y, but exactly 0 where x is 0, whatever y is.", .example = "smul(0.0, inf)   # => 0",
};
#else
FLOATS2(smul, x == 0 ? 0 : x * y, x == 0 ? 0 : x * y)
#endif

/* ---- add ---- */
#ifndef KERNELS
static void add_grad(Grad *d) { d->dx[0] = d->dx[1] = d->dy; }
const Op op_add = {
    POINTWISE(add, 2, pointwise_number), .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN, .grad = add_grad,
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
const Op op_sub = {
    POINTWISE(sub, 2, pointwise_number), .flags = OP_POINTWISE | OP_HIDDEN, .grad = sub_grad,
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
const Op op_mul = {
    POINTWISE(mul, 2, pointwise_number), .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN, .grad = mul_grad,
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
const Op op_div = {
    POINTWISE(div, 2, pointwise_float), .flags = OP_POINTWISE | OP_HIDDEN, .grad = div_grad,
    .doc = "Quotient of x and y, element by element, as IEEE-754 has it: 1 / 0 is inf.",
    .example = "[1, 3] / [2, 4]   # => [0.5, 0.75]",
};
#else
FLOATS2(div, x / y, x / y)
#endif
