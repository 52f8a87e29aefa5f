/* literal: what a literal is. See literal.h. */
#include "elab/literal.h"
#include "elab/elab.h"
#include "elab/want.h"

NodeId literal(Elab *e, double v, const Ast *at) {
  NodeId n = graph_const_like(e->g, F64, v, loc_here(e, at));
  e->g->node[n].flags |= NODE_FLEX;
  return n;
}

NodeId int_literal(Elab *e, int64_t i, const Ast *at) {
  NodeId n = literal(e, (double)i, at);
  e->g->node[n].flags |= NODE_INTS;
  return n;
}

NodeId settle(Elab *e, NodeId n) {
  if (n == NO_NODE || !node_flex(e, n)) return n;
  if (node_type(e, n)->dtype != F64) return n;   /* a comparison of literals is a bool */
  Loc loc = graph_at(e->g, n)->loc;
  TypeError t;
  n = graph_emit(e->g, &op_cast, &n, 1, &(Attr){.n = 1, .i = (int64_t[]){F32}}, loc, &t);
  if (n != NO_NODE) e->g->node[n].flags |= NODE_SETTLED;
  return n;
}

bool ints_fit(Elab *e, NodeId n, DType d, const Ast *at) {
  const Node *x = graph_at(e->g, n);
  uint16_t all = NODE_FLEX | NODE_INTS | NODE_KNOWN;
  if ((d != I32 && d != U8) || (x->flags & all) != all) return true;
  const Tensor *t = graph_known(e->g, n);
  double low = d == U8 ? 0 : INT32_MIN, high = d == U8 ? UINT8_MAX : INT32_MAX;
  for (int64_t k = 0, count = t ? type_count(&t->type) : 0; k < count; k++) {
    double i = tensor_get(t, k);
    if (i >= low && i <= high) continue;
    Diag *g = elab_error(e, at, E_INT_FITS, i, dtype_name[d], low, high);
    if (d == U8) diag_hint(e->d, g, "`u8(...)` cuts it to what fits");
    else diag_hint(e->d, g, "a known int has 64 bits, one of the run 32: as a float it is `%.0f.0`", i);
    return false;
  }
  return true;
}

NodeId literal_moved(Elab *e, NodeId x, NodeId y) {
  if (y == NO_NODE || node_type(e, x)->dtype != node_type(e, y)->dtype) return y;
  uint16_t flags = graph_at(e->g, x)->flags & (NODE_FLEX | NODE_INTS);
  if (flags & NODE_FLEX) e->g->node[y].flags |= flags;
  return y;
}

NodeId literal_chosen(Elab *e, NodeId x, NodeId index) {
  return graph_at(e->g, index)->flags & NODE_KNOWN ? x : settle(e, x);
}

/* Operand k of an op that moves or chooses holds elements of the result, and is no index or condition. */
static bool holds_elements(Elab *e, const Node *x, uint32_t k) {
  return node_type(e, x->in[k])->dtype == x->type->dtype;
}

static bool is_chosen(Elab *e, NodeId n, bool whole, int *most) {
  const Node *x = graph_at(e->g, n);
  if (x->flags & NODE_FLEX) return x->type->dtype == F64 && (!whole || x->flags & NODE_INTS);
  if (x->flags & NODE_SETTLED) return is_chosen(e, x->in[0], whole, most);
  if (--*most < 0 || !(x->op->flags & (OP_MOVES | OP_CHOOSES))) return false;
  for (uint32_t k = 0; k < x->n_in; k++)
    if (holds_elements(e, x, k) && !is_chosen(e, x->in[k], whole, most)) return false;
  return true;
}

static NodeId choose_again(Elab *e, NodeId n, DType d) {
  const Node x = *graph_at(e->g, n);
  TypeError t;
  if (x.flags & (NODE_FLEX | NODE_SETTLED))
    return graph_emit(e->g, &op_cast, x.flags & NODE_FLEX ? &n : x.in, 1, &(Attr){.n = 1, .i = (int64_t[]){d}}, x.loc,
                      &t);
  NodeId *in = arena_copy(e->a, x.in, x.n_in * sizeof *x.in);
  for (uint32_t k = 0; k < x.n_in; k++)
    if (holds_elements(e, &x, k) && (in[k] = choose_again(e, in[k], d)) == NO_NODE) return NO_NODE;
  return graph_emit(e->g, x.op, in, x.n_in, x.attr, x.loc, &t);
}

bool of_literals(Elab *e, NodeId n, DType d) {
  bool whole = d == I32 || d == U8;
  int most = 64;
  if (node_flex(e, n) || node_type(e, n)->dtype != F32 || (!whole && d != F64)) return false;
  return is_chosen(e, n, whole, &most);
}

NodeId literal_as(Elab *e, NodeId n, DType d) { return of_literals(e, n, d) ? choose_again(e, n, d) : NO_NODE; }
