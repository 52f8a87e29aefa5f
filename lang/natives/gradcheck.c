/* gradcheck: a gradient against finite differences, all in f64. In: a function and a point. Out: {ok, error,
 * at}.
 *
 * f and its gradient are elaborated as they are, lifted out, and widened (f32 becomes f64, captured cells are cast on
 * the way in); a loop runs the widened f at 2n points. So what is checked is the graph that trains, only with more
 * digits.
 */
#include "elab/arith.h"
#include "elab/body.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/derive.h"
#include "elab/elab.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/exec/ffi.h"
#include "runtime/graph/grad.h"
#include <string.h>

enum { MAX_POINT = 4096 };
/* Where a foreign function rounds to f32 the differences do too: a step that an f32 near the point has, a wider
 * bound. */
typedef struct Bounds { double step, allowed; } Bounds;
static const Bounds f64_bounds = {1e-6, 1e-5}, f32_bounds = {0x1p-8, 2e-3};

static bool of_f32(const Graph *g, const Node *x) {
  bool f32 = x->type->dtype == F32;
  for (uint32_t k = 0; k < x->n_in; k++) f32 |= g->node[x->in[k]].type->dtype == F32;
  return f32;
}

/* The foreign function of f32 that the slice of a node meets, bodies of loops too; NULL: none. */
static const Op *f32_foreign(Graph *g, const NodeId *root, uint32_t n_root) {
  host_deeper(arena_host(g->arena));
  NodeId *id;
  uint32_t n = graph_slice(g, root, n_root, NULL, NULL, &id);
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = &g->node[id[k]];
    if (x->op->flags & OP_OPAQUE && of_f32(g, x)) return x->op;
    if (!x->attr->body) continue;
    Graph *body = x->attr->body;
    NodeId *out = NEW_N(g->arena, NodeId, body->out.n + 1u);
    for (uint32_t j = 0; j < body->out.n; j++) out[j] = body->out.at[j].node;
    const Op *op = f32_foreign(body, out, body->out.n);
    if (op) return op;
  }
  return NULL;
}

/* The floats of a tree as one vector, and a tree like it cut out of one. */
static NodeId flat_point(Elab *e, Value v, Nodes *leaf, const Ast *at) {
  if (!flat_nodes(e, v, leaf, at, "the point of `gradcheck`")) return NO_NODE;
  NodeId *x = NEW_N(e->a, NodeId, leaf->n + 1);
  for (uint32_t k = 0; k < leaf->n; k++) {
    leaf->at[k] = want_float(e, v_node(leaf->at[k]), at, "the point of `gradcheck`");
    if (leaf->at[k] == NO_NODE) return NO_NODE;
    leaf->at[k] = settle(e, leaf->at[k]);
    Type t = type_make(F64, 1, (int64_t[]){type_count(node_type(e, leaf->at[k]))});
    x[k] = g_reshape(e->g, g_cast(e->g, leaf->at[k], F64), &t);
  }
  if (leaf->n) return lower_concat(e, x, leaf->n, 0, at);
  elab_error(e, at, E_GRADCHECK_SIZE, MAX_POINT, value_kind_text(e, &v));
  return NO_NODE;
}
static Value tree_of(Elab *e, Value like, NodeId flat, const Nodes *leaf, const Ast *at) {
  NodeId *part = NEW_N(e->a, NodeId, leaf->n + 1);
  int64_t from = 0;
  for (uint32_t k = 0; k < leaf->n; k++) {
    const Type t = *node_type(e, leaf->at[k]);
    int64_t count = type_count(&t);
    NodeId cut = lower_rows(e, flat, 0, from, count, 1, at);
    part[k] = g_cast(e->g, g_reshape(e->g, cut, &t), (DType)t.dtype);
    from += count;
  }
  uint32_t next = 0;
  return unflat(e, like, part, &next);
}

/* The stacked output of a body over the rows of points, in f64. */
static NodeId run_wide(Elab *e, NodeId x, NodeId y, NodeId points, int64_t turns, const Ast *at) {
  Type i32 = type_scalar(I32);
  NodeId turn = body_input(e, &i32, at);
  Nodes capture = {0}, in = {0};
  Graph *body = lift_body(e, &x, 1, turn, &y, 1, &capture);
  Graph *wide = graph_widen(body, e->g->arena);
  vec_push(e->a, &in, points);
  for (uint32_t k = 0; k < capture.n; k++) {
    NodeId n = capture.at[k];
    if (node_type(e, n)->dtype == F32) n = lower_cast(e, n, F64, at);
    vec_push(e->a, &in, n);
  }
  NodeId loop = emit(e, &op_loop, in.at, in.n, &(Attr){.body = wide, .i = (int64_t[]){turns, 0, 1, 0}, .n = 4}, at);
  return loop == NO_NODE ? loop : emit_i(e, &op_pick, &loop, 1, (int64_t[]){0}, 1, at);
}

static Value bin(Elab *e, int op, Value a, Value b, const Ast *at) {
  return a.kind == V_BAD || b.kind == V_BAD ? v_bad() : elab_binary(e, op, a, b, at);
}
static Value wide_number(Elab *e, double v, const Ast *at) { return v_node(lower_number(e, F64, v, at)); }

static Value n_gradcheck(Elab *e, const Arg *a, const Ast *at) {
  const Ast *where = a[1].at;
  int64_t order = a[2].i;
  if (order < 1 || order > 2) {
    elab_error(e, a[2].at, E_GRADCHECK_ORDER, (long long)order);
    return v_bad();
  }
  Nodes leaf = {0};
  Value tree = a[1].value;
  bool is_tree_ = tree.kind == V_TUPLE || tree.kind == V_LIST || tree.kind == V_RECORD;
  NodeId point = is_tree_ ? flat_point(e, tree, &leaf, where) : want_float(e, tree, where, "the point of `gradcheck`");
  if (point == NO_NODE) return v_bad();
  bool literal = node_flex(e, point);      /* it stays one for the function, which may want f32 or f64 */
  if (!literal) point = settle(e, point);
  Type t = *node_type(e, point);
  int64_t n = type_count(&t);
  if (n < 1 || n > MAX_POINT || t.rank == MAX_RANK) {
    elab_error(e, where, E_GRADCHECK_SIZE, MAX_POINT, type_show(e->a, &t));
    return v_bad();
  }
  NodeId x = body_input(e, &t, at);
  if (literal) e->g->node[x].flags |= NODE_FLEX;
  Where outside = make_within(e, MAKE_IN_MAP);
  Value y = value_decay(e, call1(e, a[0].value, is_tree_ ? tree_of(e, tree, x, &leaf, at) : v_node(x), at));
  e->here = outside;
  NodeId out = want_float(e, y, a[0].at, "the value that `gradcheck` differentiates");
  if (out == NO_NODE) return v_bad();
  out = settle(e, out);
  if (node_type(e, out)->rank != 0) {
    Diag *g = elab_error(e, a[0].at, E_GRADCHECK_SCALAR, type_show(e->a, node_type(e, out)));
    if (g) diag_hint(e->d, g, "e.g. `gradcheck(fn (x) = sum(f(x)), x)`");
    return v_bad();
  }
  Value slope = derive(e, v_node(out), v_node(x), at, DERIVE_GRAD);
  if (slope.kind != V_NODE) return v_bad();
  if (order == 2) {   /* the gradient, weighed: its gradient has every second derivative in it */
    Type slopes = *node_type(e, slope.node), flat_type = type_make((DType)slopes.dtype, 1, &n);
    NodeId weight = g_cast(e->g, lower_iota(e, n, at), (DType)slopes.dtype);
    NodeId ones = g_fill(e->g, &flat_type, 1), quarters = g_fill(e->g, &flat_type, 0.25);
    weight = g_op2(e->g, &op_add, g_op2(e->g, &op_mul, weight, quarters), ones);
    NodeId both = g_op2(e->g, &op_mul, slope.node, g_reshape(e->g, weight, &slopes));
    Type scalar = type_scalar((DType)slopes.dtype);
    out = g_sum_to(e->g, both, &scalar);
    slope = derive(e, v_node(out), v_node(x), at, true);
    if (slope.kind != V_NODE) return v_bad();
  }
  const Op *coarse = f32_foreign(e->g, (NodeId[]){out, slope.node}, 2);
  Bounds bounds = coarse ? f32_bounds : f64_bounds;
  if (coarse) diag_at(e->d, elab_loc_at(e, at), E_GRADCHECK_F32, coarse->name);

  NodeId wide = lower_cast(e, point, F64, at);
  int64_t flat[2] = {1, n}, rows[MAX_RANK + 1] = {1}, square[2] = {n, n};
  memcpy(rows + 1, t.dim, sizeof t.dim);
  NodeId at_point = wide == NO_NODE ? wide : lower_reshape(e, wide, t.rank + 1, rows, at);
  if (at_point == NO_NODE) return v_bad();
  NodeId g = run_wide(e, x, slope.node, at_point, 1, at);
  g = g == NO_NODE ? g : lower_reshape(e, g, 1, &n, at);
  /* x + h e_k and x - h e_k, a row each. */
  NodeId iota = lower_iota(e, n, at);
  if (g == NO_NODE || iota == NO_NODE) return v_bad();
  Value column = or_bad(lower_mask_dims(e, iota, 2, square, 1, at));
  Value one = bin(e, K_EQ, or_bad(lower_mask_dims(e, iota, 2, square, 0, at)), column, at);
  if (one.kind != V_NODE) return v_bad();
  Value step = wide_number(e, bounds.step, at);
  Value bump = bin(e, '*', or_bad(lower_cast(e, one.node, F64, at)), step, at);
  NodeId base = lower_reshape(e, wide, 2, flat, at);
  base = base == NO_NODE ? base : lower_broadcast(e, base, 2, square, at);
  if (base == NO_NODE) return v_bad();
  Value up = bin(e, '+', v_node(base), bump, at), down = bin(e, '-', v_node(base), bump, at);
  if (up.kind != V_NODE || down.kind != V_NODE) return v_bad();
  NodeId points = lower_concat(e, (NodeId[]){up.node, down.node}, 2, 0, at);
  rows[0] = 2 * n;
  points = points == NO_NODE ? points : lower_reshape(e, points, t.rank + 1, rows, at);
  NodeId f = points == NO_NODE ? points : run_wide(e, x, out, points, 2 * n, at);
  if (f == NO_NODE) return v_bad();
  Value below = or_bad(lower_rows(e, f, 0, n, n, 1, at));
  Value rise = bin(e, '-', or_bad(lower_rows(e, f, 0, 0, n, 1, at)), below, at);
  Value slope2 = bin(e, '/', rise, wide_number(e, 2 * bounds.step, at), at);
  Value off = bin(e, '-', v_node(g), slope2, at);
  if (off.kind != V_NODE) return v_bad();
  Value most = or_bad(emit1(e, &op_abs, g, at));
  Value size = bin(e, '+', wide_number(e, 1, at), most, at);
  Value error = bin(e, '/', or_bad(emit1(e, &op_abs, off.node, at)), size, at);
  if (error.kind != V_NODE) return v_bad();
  int64_t all[3] = {1, 0, 0};
  NodeId worst = emit_i(e, &op_reduce_max, &error.node, 1, all, 3, at);
  NodeId place = emit_i(e, &op_argmax, &error.node, 1, all, 3, at);
  if (worst == NO_NODE || place == NO_NODE) return v_bad();
  static const char *const name[3] = {"ok", "error", "at"};
  Fields *r = NEW(e->a, Fields);
  *r = (Fields){.n = 3, .name = NEW_N(e->a, Sym, 3), .at = NEW_N(e->a, Value, 3)};
  for (int k = 0; k < 3; k++) r->name[k] = sym(e->s->sources, name[k], strlen(name[k]));
  r->at[0] = bin(e, K_LE, v_node(worst), wide_number(e, bounds.allowed, at), at);
  r->at[1] = v_node(worst);
  r->at[2] = v_node(place);
  return r->at[0].kind == V_BAD ? v_bad() : (Value){.kind = V_RECORD, .fields = r};
}

const Native native_gradcheck[] = {{"gradcheck", "f:fn, x:any, order:int=1", n_gradcheck,
                                    "The gradient of f at x against finite differences, in f64: {ok, error, at}. error "
                                    "is the largest |g - d| / (1 + |g|), at the\n"
                                    "element (in flat order) where it stands. x may be a tree. order = 2 checks the "
                                    "second derivatives.",
                                    "gradcheck(fn (x) = sum(x^3), [1, 2]).ok   # => true"},
                                   {0}};
