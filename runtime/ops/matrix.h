/* matrix: what families of operations on matrices share: the last two axes are a matrix, those before them a batch. */
#ifndef RUNTIME_OPS_MATRIX_H
#define RUNTIME_OPS_MATRIX_H
#include "graph/op.h"

static inline int64_t matrices(const Type *t) {
  int64_t n = 1;
  for (int k = 0; k + 2 < t->rank; k++) n *= t->dim[k];
  return n;
}
static inline int64_t side(const Type *t, int from_last) { return t->dim[t->rank - from_last]; }

enum { FAULT_ALONE, FAULT_OF_BATCH, FAULT_OWN };   /* the texts of an op: one matrix, matrix {a}; its own begin here */

#ifdef KERNELS
/* Matrix `unit` has no answer; b and v are what the texts say of it. */
static inline bool no_answer(KernelCall *c, int64_t unit, int64_t b, double v) {
  c->fault = (Fault){.code = FAULT_OP, .which = c->in_type[0]->rank > 2 ? FAULT_OF_BATCH : FAULT_ALONE, .element = -1,
                     .a = unit, .b = b, .v = v};
  return false;
}
#else
static inline int64_t matrix_units(const KernelCall *c) { return matrices(c->in_type[0]); }

static inline bool is_square(TypeRule *r) {
  const Type *a = r->x[0];
  if (a->rank < 2)
    return refuse(r, BAD_RANK, 0, -1, NULL, "`%s` needs a square matrix, but this is %s", r->op->name,
                  type_show(r->g->arena, a));
  if (side(a, 1) != side(a, 2))
    return refuse(r, BAD_SHAPE, 0, -1, NULL, "`%s` needs a square matrix, but this has %lld rows and %lld columns",
                  r->op->name, (long long)side(a, 2), (long long)side(a, 1));
  if (dtype_is_float((DType)a->dtype)) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)`", "`%s` needs floats, but this is %s", r->op->name,
                type_show(r->g->arena, a));
}

/* ---- graph ---- */

static inline NodeId product_of(Graph *g, NodeId a, NodeId b, bool ta, bool tb) {
  return g_attr(g, &op_matmul, (NodeId[]){a, b}, 2, (int64_t[]){ta, tb}, 2);
}

/* The last two axes change places. */
static inline NodeId turned(Graph *g, NodeId a) {
  int64_t i[MAX_RANK];
  int rank = g->node[a].type->rank;
  for (int k = 0; k < rank; k++) i[k] = k + 2 < rank ? k : 2 * rank - 3 - k;
  return g_attr(g, &op_permute, &a, 1, i, (uint32_t)rank);
}
static inline NodeId times_number(Graph *g, NodeId a, double v) {
  return g_op2(g, &op_mul, a, g_fill(g, g->node[a].type, v));
}

static inline NodeId identity(Graph *g, int64_t n, DType d) {
  Type square = {.dtype = I32, .rank = 2, .dim = {n, n}}, column = {.dtype = I32, .rank = 2, .dim = {n, 1}};
  NodeId k = g_attr(g, &op_iota, NULL, 0, &n, 1);
  NodeId row = g_broadcast(g, k, &square), of_column = g_broadcast(g, g_reshape(g, k, &column), &square);
  return g_cast(g, g_op2(g, &op_eq, row, of_column), d);
}
#endif
#endif
