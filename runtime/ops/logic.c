/* logic: comparisons, logic and choice, element by element. A bool is a byte, 0 or 1; integers and bools carry no
 * derivative, and a comparison of floats is flat everywhere.
 */
#include "ops/pointwise.h"

#define COMPARISON (OP_POINTWISE | OP_HIDDEN | OP_EFFECTLESS_ZERO | OP_COMPARES)

/* ---- eq ---- */
#ifndef KERNELS
const Op op_eq = {
    POINTWISE(eq, 2, pointwise_equal), .flags = COMPARISON | OP_COMMUTES,
    .grad = zero_grad,
    .sign = "==",
    .doc = "True where x and y are equal, element by element; false if one is NaN.",
    .example = "[1, 2] == [1, 3]   # => [true, false]",
};
#else
TESTS2(eq, x == y)
#endif

/* ---- ne ---- */
#ifndef KERNELS
const Op op_ne = {
    POINTWISE(ne, 2, pointwise_equal), .flags = COMPARISON | OP_COMMUTES,
    .grad = zero_grad,
    .sign = "!=",
    .doc = "True where x and y differ, element by element; true if one is NaN.",
    .example = "[1, 2] != [1, 3]   # => [false, true]",
};
#else
TESTS2(ne, x != y)
#endif

/* ---- lt ---- */
#ifndef KERNELS
const Op op_lt = {
    POINTWISE(lt, 2, pointwise_order), .flags = COMPARISON, .grad = zero_grad,
    .sign = "<",
    .doc = "True where x is less than y, element by element; false if one is NaN.",
    .example = "[1, 2] < [2, 2]   # => [true, false]",
};
#else
TESTS2(lt, x < y)
#endif

/* ---- le ---- */
#ifndef KERNELS
const Op op_le = {
    POINTWISE(le, 2, pointwise_order), .flags = COMPARISON, .grad = zero_grad,
    .sign = "<=",
    .doc = "True where x is at most y, element by element; false if one is NaN.",
    .example = "[1, 2] <= [2, 1]   # => [true, false]",
};
#else
TESTS2(le, x <= y)
#endif

/* ---- gt ---- */
#ifndef KERNELS
const Op op_gt = {
    POINTWISE(gt, 2, pointwise_order), .flags = COMPARISON, .grad = zero_grad,
    .sign = ">",
    .doc = "True where x is greater than y, element by element; false if one is NaN.",
    .example = "[1, 2] > [0, 2]   # => [true, false]",
};
#else
TESTS2(gt, x > y)
#endif

/* ---- ge ---- */
#ifndef KERNELS
const Op op_ge = {
    POINTWISE(ge, 2, pointwise_order), .flags = COMPARISON, .grad = zero_grad,
    .sign = ">=",
    .doc = "True where x is at least y, element by element; false if one is NaN.",
    .example = "[1, 2] >= [1, 3]   # => [true, false]",
};
#else
TESTS2(ge, x >= y)
#endif

/* ---- and ---- */
#ifndef KERNELS
static NodeId and_simplify(Simplify *s) {
  if (s->node.in[0] == s->node.in[1] || operand_is(s, 1, 1)) return s->node.in[0];
  return operand_is(s, 0, 1) ? s->node.in[1] : NO_NODE;
}
const Op op_and = {
    POINTWISE(and, 2, pointwise_logic), .simplify = and_simplify, .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN,
    .no_grad = "a bool carries no derivative",
    .doc = "True where both are true, element by element.",
    .example = "[true, true] and [true, false]   # => [true, false]",
    .js = "x & y",
};
#else
TILE2(and, bool_, uint8_t, uint8_t, x & y)
const OpKernels KERNELS_OF(and) = {LOGIC_OF(and)};
#endif

/* ---- or ---- */
#ifndef KERNELS
static NodeId or_simplify(Simplify *s) {
  if (s->node.in[0] == s->node.in[1] || operand_is(s, 1, 0)) return s->node.in[0];
  return operand_is(s, 0, 0) ? s->node.in[1] : NO_NODE;
}
const Op op_or = {
    POINTWISE(or, 2, pointwise_logic), .simplify = or_simplify, .flags = OP_POINTWISE | OP_COMMUTES | OP_HIDDEN,
    .no_grad = "a bool carries no derivative",
    .doc = "True where one or both are true, element by element.",
    .example = "[true, false] or [false, false]   # => [true, false]",
    .js = "x | y",
};
#else
TILE2(or, bool_, uint8_t, uint8_t, x | y)
const OpKernels KERNELS_OF(or) = {LOGIC_OF(or)};
#endif

/* ---- xor ---- */
#ifndef KERNELS
const Op op_xor = {
    POINTWISE(xor, 2, pointwise_logic), .flags = OP_POINTWISE | OP_COMMUTES,
    .no_grad = "a bool carries no derivative",
    .doc = "True where just one is true, element by element.",
    .example = "xor([true, true], [true, false])   # => [false, true]",
    .js = "x ^ y",
};
#else
TILE2(xor, bool_, uint8_t, uint8_t, x ^ y)
const OpKernels KERNELS_OF(xor) = {LOGIC_OF(xor)};
#endif

/* ---- not ---- */
#ifndef KERNELS
static NodeId not_simplify(Simplify *s) {
  return through(s, &op_not);
}
const Op op_not = {
    POINTWISE(not, 1, pointwise_logic), .simplify = not_simplify, .flags = OP_POINTWISE | OP_HIDDEN,
    .no_grad = "a bool carries no derivative",
    .doc = "True where x is false, element by element.",
    .example = "not [true, false]   # => [false, true]",
    .js = "x ^ 1",
};
#else
TILE1(not, bool_, uint8_t, uint8_t, x ^ 1)
const OpKernels KERNELS_OF(not) = {LOGIC_OF(not)};
#endif

/* ---- where ---- */
#ifndef KERNELS
static bool where_type(TypeRule *r) {
  Arena *m = r->g->arena;
  if (r->x[0]->dtype != BOOL)
    return refuse(r, BAD_DTYPE, 0, -1, "write a condition: `where(c != 0, x, y)`",
                  "`where` wants a bool to choose by, but c is %s", type_show(m, r->x[0]));
  if (!pointwise_agree(r, 1, 2)) return false;
  if (!type_same_shape(r->x[0], r->x[1]))
    return refuse(r, BAD_SHAPE, 0, 1, "make the shapes equal: the condition chooses element by element",
                  "`where` wants operands of one shape, but c is %s and x is %s", type_show(m, r->x[0]),
                  type_show(m, r->x[1]));
  r->y = *r->x[1];
  return true;
}
static void where_grad(Grad *d) {
  Graph *g = d->g;
  NodeId zero = number_(g, d->dy, 0);
  if (d->wanted[1]) d->dx[1] = g_op3(g, &op_where, d->x[0], d->dy, zero);
  if (d->wanted[2]) d->dx[2] = g_op3(g, &op_where, d->x[0], zero, d->dy);
}
static NodeId where_simplify(Simplify *s) {
  double c;
  if (s->node.in[1] == s->node.in[2]) return s->node.in[1];
  return same_number(s->g, s->node.in[0], &c) ? s->node.in[c != 0 ? 1 : 2] : NO_NODE;
}
static void where_depends(Depends *d) {
  const Tensor *c = d->g->node[d->node->in[0]].flags & NODE_KNOWN ? graph_known(d->g, d->node->in[0]) : NULL;
  int64_t n = type_count(d->node->type), *of = NEW_N(d->scratch, int64_t, n + 1);
  for (uint32_t k = 1; k < 3; k++) {
    for (int64_t i = 0; i < n; i++) of[i] = c && (tensor_get(c, i) != 0) != (k == 1) ? -1 : i;
    depends_on(d, d->x[k], of);
  }
}
const Op op_where = {
    POINTWISE(where, 3, where_type), .simplify = where_simplify,
    .flags = OP_POINTWISE | OP_CHOOSES | OP_STORES, .selects = SELECTS(1) | SELECTS(2), .grad = where_grad,
    .depends = where_depends, .args = "c, x, y",
    .doc = "x where the bool c is true, else y, element by element; the derivative of the one not taken is exactly 0.",
    .example = "where([true, false], [1, 2], [3, 4])   # => [1, 4]",
    .js = "x ? y : z",
};
#else
TILE3(where, 1, uint8_t, uint8_t, uint8_t, x ? y : z)
TILE3(where, 4, uint8_t, uint32_t, uint32_t, x ? y : z)
TILE3(where, 8, uint8_t, uint64_t, uint64_t, x ? y : z)
const OpKernels KERNELS_OF(where) = {
    .tile = {where_4, where_8, where_4, where_1, where_1},
    .one = {ONE(where_4), ONE(where_8), ONE(where_4), ONE(where_1), ONE(where_1)}};
#endif
