/* vmap: functions made of functions: vmap, vjp, jvp (jacobian has a file of its own). In: a function. Out: one of the
 * same arguments, or its products with vectors.
 *
 * vmap elaborates the function once, over one element, and runtime/graph/batch.c makes the batch of what came out. A
 * forward product is the transpose of the transpose: the reverse product is linear in its vector, and its derivative by
 * that vector is exact.
 */
#include "elab/body.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/derive.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "natives/vmap.h"
#include "runtime/graph/batch.h"
#include <string.h>

/* ---- trees of tensors, instances among them ---- */
bool map_tensors(Elab *e, Value v, Nodes *out, const Ast *at, const char *what) {
  if (!is_tree(e, &v)) return flat_nodes(e, v, out, at, what);
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM, &l);
  for (uint32_t k = 0; k < l.n; k++) vec_push(e->a, out, value_decay(e, l.at[k].value).node);
  return true;
}

typedef struct Next { const NodeId *at; uint32_t k; } Next;
static Value next_leaf(Elab *e, void *ctx, Value leaf) {
  Next *n = ctx;
  (void)e;
  (void)leaf;
  return v_node(n->at[n->k++]);
}
Value map_like(Elab *e, Value v, const NodeId *at) {
  Next n = {at, 0};
  uint32_t k = 0;
  return is_tree(e, &v) ? tree_map(e, v, LEAF_PARAM, next_leaf, &n) : unflat(e, v, at, &k);
}

static bool is_float(Elab *e, NodeId n) { return dtype_is_float((DType)node_type(e, n)->dtype); }

bool map_floats(Elab *e, Value y, Nodes *out, const char *name, const Ast *at) {
  if (y.kind == V_BAD || !map_tensors(e, y, out, at, "the value that is differentiated")) return false;
  for (uint32_t k = 0; k < out->n; k++) {
    out->at[k] = settle(e, out->at[k]);
    if (is_float(e, out->at[k])) continue;
    Diag *g = elab_error(e, at, E_GRAD_VALUE, name, type_show(e->a, node_type(e, out->at[k])));
    diag_hint(e->d, g, "whole numbers and bools have no derivative");
    return false;
  }
  if (out->n) return true;
  elab_error(e, at, E_GRAD_VALUE, name, value_kind_text(e, &y));
  return false;
}

NodeId map_inner(Elab *e, const Op *product, const NodeId *x, const NodeId *v, uint32_t n, const Ast *at) {
  NodeId total = NO_NODE;
  for (uint32_t k = 0; k < n; k++) {
    NodeId y = emit2(e, product, x[k], v[k], at);
    Type scalar = type_scalar((DType)node_type(e, y)->dtype);
    y = g_sum_to(e->g, y, &scalar);
    if (total != NO_NODE && node_type(e, total)->dtype != scalar.dtype) {
      total = g_cast(e->g, total, F64);
      y = g_cast(e->g, y, F64);
    }
    total = total == NO_NODE ? y : g_op2(e->g, &op_add, total, y);
  }
  return total;
}

/* The vector v, of the types of x. */
static bool vector_like(Elab *e, Value v, const Nodes *x, Nodes *out, const char *name, const char *of, const Ast *at) {
  if (v.kind == V_BAD || !map_tensors(e, v, out, at, "the vector")) return false;
  if (out->n != x->n) {
    elab_error(e, at, E_VECTOR_TREE, name, of, (int)x->n, (int)out->n);
    return false;
  }
  for (uint32_t k = 0; k < x->n; k++) {
    Type t = *node_type(e, x->at[k]), u = *node_type(e, out->at[k]);
    if (!type_same_shape(&t, &u)) {
      elab_error(e, at, E_VECTOR_SHAPE, name, type_show(e->a, &t), of, node_text(e, out->at[k]));
      return false;
    }
    if ((out->at[k] = want_typed(e, v_node(out->at[k]), (DType)t.dtype, at, "the vector")) == NO_NODE) return false;
  }
  return true;
}

/* A literal has the element type of the vector that it meets: jvp(f, [1.0, 2.0], v). */
typedef struct Meet { DType dtype; const Ast *at; } Meet;
static Value meet_leaf(Elab *e, void *ctx, Value leaf) {
  const Meet *m = ctx;
  Value v = value_decay(e, leaf);
  if (v.kind != V_NODE || !node_flex(e, v.node) || !dtype_is_float((DType)node_type(e, v.node)->dtype)) return leaf;
  NodeId n = want_typed(e, v, m->dtype, m->at, "what is differentiated by");
  return n == NO_NODE ? v_bad() : v_node(n);
}

static Value meet(Elab *e, Value x, Value vector, const Ast *at) {
  Leaves l = {0};
  tree_leaves(e, vector, LEAF_PARAM, &l);
  for (uint32_t k = 0; k < l.n; k++) {
    Value v = value_decay(e, l.at[k].value);
    if (v.kind != V_NODE || node_flex(e, v.node) || !dtype_is_float((DType)node_type(e, v.node)->dtype)) continue;
    Meet m = {(DType)node_type(e, v.node)->dtype, at};
    return x.kind == V_NODE                      ? meet_leaf(e, &m, x)
           : x.kind == V_CELL || x.kind == V_INT ? x
                                                 : tree_map(e, x, LEAF_PARAM, meet_leaf, &m);
  }
  return x;
}

/* ---- vjp, jvp ---- */
static Value n_vjp(Elab *e, const Arg *a, const Ast *at) {
  Nodes y = {0}, u = {0};
  Value x = grad_argument(e, meet(e, a[1].value, a[2].value, a[1].at), a[1].at);
  if (x.kind == V_BAD) return x;
  Where outside = make_within(e, MAKE_IN_GRAD);
  Value value = call1(e, a[0].value, x, at);
  e->here = outside;
  if (!map_floats(e, value, &y, "vjp", at)) return v_bad();
  if (!vector_like(e, a[2].value, &y, &u, "vjp", "the value of the function", a[2].at)) return v_bad();
  return derive(e, v_node(map_inner(e, &op_mul, y.at, u.at, y.n, at)), x, at, DERIVE_GRAD);
}

static Value n_jvp(Elab *e, const Arg *a, const Ast *at) {
  Nodes y = {0}, u = {0}, v = {0}, g = {0}, by = {0};
  Value x = grad_argument(e, meet(e, a[1].value, a[2].value, a[1].at), a[1].at);
  if (x.kind == V_BAD || !map_tensors(e, x, &by, a[1].at, "what is differentiated by")) return v_bad();
  if (!vector_like(e, a[2].value, &by, &v, "jvp", "what is differentiated by", a[2].at)) return v_bad();
  Where outside = make_within(e, MAKE_IN_GRAD);
  Value value = call1(e, a[0].value, x, at);
  e->here = outside;
  if (!map_floats(e, value, &y, "jvp", at)) return v_bad();
  Value *seed = NEW_N(e->a, Value, y.n + 1);
  for (uint32_t k = 0; k < y.n; k++) {   /* any vector: what follows is linear in it */
    NodeId n = g_op(e->g, &op_alias, g_fill(e->g, node_type(e, y.at[k]), 0));
    vec_push(e->a, &u, n);
    seed[k] = v_node(n);
  }
  Value back = derive(e, v_node(map_inner(e, &op_mul, y.at, u.at, y.n, at)), x, at, DERIVE_GRAD);
  if (back.kind == V_BAD || !map_tensors(e, back, &g, at, "the derivative")) return v_bad();
  NodeId along = map_inner(e, &op_mul, g.at, v.at, g.n, at);
  Value t = derive(e, v_node(along), v_items(e->a, V_TUPLE, seed, y.n), at, DERIVE_QUIET);
  if (t.kind == V_BAD) return t;
  NodeId *out = NEW_N(e->a, NodeId, y.n + 1);
  for (uint32_t k = 0; k < y.n; k++) out[k] = t.items->at[k].node;
  return map_like(e, value, out);
}

/* ---- vmap ---- */
void map_too_large(Elab *e, const BatchError *why, int64_t size, const Ast *at) {
  Diag *g = elab_error(e, at, E_VMAP_RANK, (long long)size, type_show(e->a, &why->type));
  if (why->loc & ~LOC_ADJOINT) diag_note(e->d, g, why->loc & ~LOC_ADJOINT, "this is %s", type_show(e->a, &why->type));
}

Value map_made_of(Elab *e, Value f, Value second, Value more, const Native *n, BoundCall call) {
  Value v = bound_value(e, n, call, (Value[]){f, second, more}, 3);
  v.fn->base = f.kind == V_FN ? f.fn : NULL;
  return v;
}

typedef struct Along {
  Nodes element, whole;
  int64_t size;
  const Ast *first, *at;
  bool bad;
} Along;

static Value element_leaf(Elab *e, void *ctx, Value leaf) {
  Along *w = ctx;
  leaf = value_decay(e, leaf);
  Type t = *node_type(e, leaf.node);
  if (t.rank == 0) {
    Diag *g = elab_error(e, w->at, E_VMAP_SCALAR, "a scalar");
    diag_hint(e->d, g, "what is the same for every element is closed over: `vmap(fn (x) = f(x, k))(xs)`");
    w->bad = true;
    return v_bad();
  }
  if (w->element.n && t.dim[0] != w->size) {
    Diag *g = elab_error(e, w->at, E_VMAP_SIZES, (long long)w->size, (long long)t.dim[0]);
    if (w->first != w->at) diag_note(e->d, g, elab_loc(e, w->first), "the first size is %lld here", (long long)w->size);
    w->bad = true;
    return v_bad();
  }
  if (!w->element.n) w->first = w->at;
  w->size = t.dim[0];
  Type one = type_make((DType)t.dtype, t.rank - 1, t.dim + 1);
  uint16_t soft = graph_at(e->g, leaf.node)->flags & (NODE_FLEX | NODE_INTS);
  NodeId n = body_input(e, &one, w->at);
  e->g->node[n].flags |= soft;
  vec_push(e->a, &w->element, n);
  vec_push(e->a, &w->whole, leaf.node);
  return v_node(n);
}

static Value call_vmap(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  Along w = {.size = 0};
  Args b = args_rest(e, &a[0]);
  for (uint32_t k = 0; k < b.n; k++) {
    w.at = b.ast[k];
    Value v = b.at[k];
    if (v.kind == V_INT || v.kind == V_BOOL || v.kind == V_STRING) {
      Diag *g = elab_error(e, w.at, E_VMAP_SCALAR, value_kind_text(e, &v));
      diag_hint(e->d, g, "what is the same for every element is closed over: `vmap(fn (x) = f(x, k))(xs)`");
      return v_bad();
    }
    b.at[k] = tree_map(e, v, LEAF_PARAM, element_leaf, &w);
    if (w.bad) return v_bad();
  }
  if (!w.element.n) {
    elab_error(e, at, E_VMAP_NOTHING);
    return v_bad();
  }
  Type i32 = type_scalar(I32);
  NodeId number = body_input(e, &i32, at);   /* of the element: draws differ by it */
  Where outside = make_within(e, MAKE_IN_MAP);
  vec_push(e->a, &e->here.turns, number);
  Value y = call_value(e, self->captured->at[0], &b, at);
  e->here = outside;
  Nodes root = {0};
  if (y.kind == V_BAD || !map_tensors(e, y, &root, at, "the value of a function under `vmap`")) return v_bad();
  vec_push(e->a, &w.element, number);
  vec_push(e->a, &w.whole, lower_iota(e, w.size, at));
  NodeId *out = NEW_N(e->a, NodeId, root.n + 1);
  BatchError why;
  if (!graph_batch(e->g, w.element.at, w.whole.at, w.element.n, w.size, root.at, root.n, out, &why)) {
    map_too_large(e, &why, w.size, at);
    return v_bad();
  }
  for (uint32_t k = 0; k < root.n; k++) literal_moved(e, root.at[k], out[k]);
  return map_like(e, y, out);
}

static const Native vmap_fn = {
    .name = "vmap", .params = "rest:any..*",
    .doc = "A function for a batch: takes the arguments of the function, with a first axis."};

static Value n_vmap(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return map_made_of(e, a[0].value, v_unit(), v_unit(), &vmap_fn, call_vmap);
}

const Native native_maps[] = {
    {"vmap", "f:fn", n_vmap,
     "A function that does for each element along the first axis of every argument what f does for one, at once.\n"
     "Arguments and value may be trees. Draws differ by the element.",
     "vmap(fn (a, b) = a @ b)([[1, 2], [3, 4]], [[1, 1], [0, 1]])   # => [3, 4]"},
    {"vjp", "f:fn, x:any, u:any", n_vjp,
     "The reverse product: u, which is like f(x), times the Jacobian of f at x; it is like x.",
     "vjp(fn (x) = x^2, [1.0, 3.0], [1, 10])   # => [2, 60]"},
    {"jvp", "f:fn, x:any, v:any", n_jvp,
     "The forward product: the Jacobian of f at x times v, which is like x: how f(x) changes as x moves along v.",
     "jvp(fn (x) = x^2, [1.0, 3.0], [1, 10])   # => [2, 60]"},
    {0}};
