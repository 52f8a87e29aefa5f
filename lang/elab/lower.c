/* lower: the structural ops under the names that index, seq and the natives think in. See lower.h.
 * Invariant: what stands in attr->i of reshape, slice, gather ... is known here and in runtime/ops alone.
 */
#include "elab/lower.h"
#include "elab/elab.h"
#include "elab/literal.h"
#include "elab/want.h"
#include <string.h>

NodeId lower_reshape(Elab *e, NodeId x, int rank, const int64_t *dim, const Ast *at) {
  const Type *t = node_type(e, x);
  if (t->rank == rank && memcmp(t->dim, dim, (size_t)rank * sizeof *dim) == 0) return x;
  return literal_moved(e, x, emit_i(e, &op_reshape, &x, 1, dim, (uint32_t)rank, at));
}

NodeId lower_broadcast(Elab *e, NodeId x, int rank, const int64_t *dim, const Ast *at) {
  const Type *t = node_type(e, x);
  if (t->rank == rank && memcmp(t->dim, dim, (size_t)rank * sizeof *dim) == 0) return x;
  return literal_moved(e, x, emit_i(e, &op_broadcast, &x, 1, dim, (uint32_t)rank, at));
}

NodeId lower_permute(Elab *e, NodeId x, const int64_t *axes, const Ast *at) {
  int rank = node_type(e, x)->rank, k = 0;
  while (k < rank && axes[k] == k) k++;
  if (k == rank) return x;
  return literal_moved(e, x, emit_i(e, &op_permute, &x, 1, axes, (uint32_t)rank, at));
}

NodeId lower_slice(Elab *e, NodeId x, const Cut *cut, const Ast *at) {
  const Type *t = node_type(e, x);
  int rank = t->rank;
  bool all = true;
  int64_t i[3 * MAX_RANK];
  for (int k = 0; k < rank; k++) {
    if (cut[k].from != 0 || cut[k].count != t->dim[k] || (cut[k].by != 1 && cut[k].count > 1)) all = false;
    i[3 * k] = cut[k].from;
    i[3 * k + 1] = cut[k].count;
    i[3 * k + 2] = cut[k].by;
  }
  if (all) return x;
  return literal_moved(e, x, emit_i(e, &op_slice, &x, 1, i, (uint32_t)(3 * rank), at));
}

NodeId lower_rows(Elab *e, NodeId x, int axis, int64_t from, int64_t count, int64_t by, const Ast *at) {
  const Type *t = node_type(e, x);
  Cut cut[MAX_RANK];
  for (int k = 0; k < t->rank; k++) cut[k] = (Cut){0, t->dim[k], 1};
  cut[axis] = (Cut){from, count, by};
  return lower_slice(e, x, cut, at);
}

NodeId lower_slice_dyn(Elab *e, NodeId x, int axis, NodeId start, int64_t count, const Ast *at) {
  x = literal_chosen(e, x, start);
  if (x == NO_NODE) return x;
  return literal_moved(e, x, emit_i(e, &op_slice_dyn, (NodeId[]){x, start}, 2, (int64_t[]){axis, count}, 2, at));
}

NodeId lower_gather(Elab *e, NodeId x, NodeId index, int axis, const Ast *at) {
  x = literal_chosen(e, x, index);
  if (x == NO_NODE) return x;
  return literal_moved(e, x, emit_i(e, &op_gather, (NodeId[]){x, index}, 2, (int64_t[]){axis}, 1, at));
}

NodeId lower_concat(Elab *e, const NodeId *x, uint32_t n, int axis, const Ast *at) {
  if (n == 1 && node_type(e, x[0])->rank) return x[0];
  NodeId y = emit_i(e, &op_concat, x, n, (int64_t[]){axis}, 1, at);
  uint16_t ints = NODE_INTS;
  for (uint32_t k = 0; k < n; k++) ints &= graph_at(e->g, x[k])->flags;
  if (y != NO_NODE) e->g->node[y].flags |= ints;
  return y;
}

NodeId lower_sum(Elab *e, NodeId x, const int64_t *axes, uint32_t n, const Ast *at) {
  if (n == 0) return x;
  int64_t i[MAX_RANK + 2] = {n};
  for (uint32_t k = 0; k < n; k++) i[k + 1] = axes[k];
  return emit_i(e, &op_sum, &x, 1, i, n + 2, at);
}

NodeId lower_iota(Elab *e, int64_t n, const Ast *at) { return emit_i(e, &op_iota, NULL, 0, &n, 1, at); }

NodeId lower_cast(Elab *e, NodeId x, DType d, const Ast *at) {
  /* it is f32 from here on */
  if (node_type(e, x)->dtype == d && !node_flex(e, x) && !(d == F32 && of_literals(e, x, F64))) return x;
  return emit_i(e, &op_cast, &x, 1, (int64_t[]){d}, 1, at);
}

NodeId lower_number(Elab *e, DType d, double v, const Ast *at) {
  return graph_const_like(e->g, d, v, elab_loc(e, at));
}

NodeId lower_fill(Elab *e, const Type *t, NodeId scalar, const Ast *at) {
  return lower_broadcast(e, scalar, t->rank, t->dim, at);
}

NodeId lower_ints(Elab *e, const int64_t *v, int64_t n, const Ast *at) {
  Type t = type_make(I32, 1, &n);
  Tensor *x = tensor_new(arena_host(e->a), &t);
  for (int64_t k = 0; k < n; k++) tensor_set(x, k, (double)v[k]);
  NodeId id = graph_const(e->g, x, elab_loc(e, at));
  tensor_unref(x);
  return id;
}

NodeId lower_mask_dims(Elab *e, NodeId vector, int rank, const int64_t *dim, int axis, const Ast *at) {
  int64_t one[MAX_RANK];
  for (int k = 0; k < rank; k++) one[k] = k == axis ? dim[k] : 1;
  NodeId x = lower_reshape(e, vector, rank, one, at);
  return x == NO_NODE ? x : lower_broadcast(e, x, rank, dim, at);
}

bool lower_same_dtype(Elab *e, const Value *v, NodeId *out, uint32_t n, const Ast *const *operand, const char *what) {
  bool literal_ = true, any_float = false;
  DType d = F32;
  for (uint32_t k = 0; k < n; k++) {
    if ((out[k] = want_node(e, v[k], operand[k], what)) == NO_NODE) return false;
    const Type *t = node_type(e, out[k]);
    bool is_int_literal = (graph_at(e->g, out[k])->flags & NODE_INTS) != 0, f = dtype_is_float((DType)t->dtype);
    if (node_flex(e, out[k])) {
      if (!is_int_literal && f) any_float = true;
      continue;
    }
    if (literal_ || (f && !dtype_is_float(d))) d = (DType)t->dtype;
    literal_ = false;
  }
  if (literal_) return true;
  if (!dtype_is_float(d) && any_float && d != BOOL) d = F32;
  for (uint32_t k = 0; k < n; k++)
    if ((out[k] = want_typed(e, v_node(out[k]), d, operand[k], what)) == NO_NODE) return false;
  return true;
}
