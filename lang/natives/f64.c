/* f64: a function and its gradient in f64, for what compares with differences. In: a function and a point. Out: both as
 * functions of points like it, in f64.
 *
 * They are elaborated as they are, lifted out, and widened (f32 becomes f64, captured cells are cast on the way in): so
 * what is looked at is the graph that trains, only with more digits, and its draws are the same at each point.
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
#include "runtime/graph/grad.h"

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

enum { ALL_LEAVES = LEAF_PARAM | LEAF_NUMBER };

typedef struct Point { Nodes input; const Ast *at; const char *what; } Point;

/* An input in the place of a leaf; of a literal a literal: the function may want f32 or f64. */
static Value input_leaf(Elab *e, void *ctx, Value leaf) {
  Point *p = ctx;
  leaf = value_decay(e, leaf);
  bool number = is_tensor(&leaf);
  if (!number) refuse_value(e, &leaf, p->at, arena_printf(e->a, "numbers as %s", p->what));
  NodeId x = number ? want_float(e, leaf, p->at, p->what) : NO_NODE;
  if (x == NO_NODE) return v_bad();
  NodeId in = body_input(e, node_type(e, x), p->at);
  e->g->node[in].flags |= graph_at(e->g, x)->flags & NODE_FLEX;
  vec_push(e->a, &p->input, in);
  return v_node(in);
}

static Value next_leaf(Elab *e, void *ctx, Value leaf) {
  const NodeId **next = ctx;
  (void)e, (void)leaf;
  return v_node(*(*next)++);
}

static Value like(Elab *e, Value tree, const NodeId *at) {
  return tree.kind == V_NODE ? v_node(at[0]) : tree_map(e, tree, ALL_LEAVES, next_leaf, &at);
}

static NodeId *nodes_of(Elab *e, Value tree, uint32_t *n) {
  Leaves l = {0};
  tree_leaves(e, tree, ALL_LEAVES, &l);
  NodeId *id = NEW_N(e->a, NodeId, l.n + 1);
  for (uint32_t k = 0; k < l.n; k++) id[k] = l.at[k].value.node;
  *n = l.n;
  return id;
}

/* The leaves of a point as f64, of the shapes of the inputs; false: reported. */
static bool point_leaves(Elab *e, const Arg *point, const NodeId *input, uint32_t n, NodeId *out) {
  Leaves l = {0};
  tree_leaves(e, point->value, ALL_LEAVES, &l);
  bool fits = l.n == n;
  for (uint32_t k = 0; fits && k < n; k++) {
    out[k] = want_typed(e, l.at[k].value, F64, point->at, "a point of a function in f64");
    if (out[k] == NO_NODE) return false;
    fits = type_same_shape(node_type(e, out[k]), node_type(e, input[k]));
  }
  if (!fits) elab_error(e, point->at, E_WANTED, "a point like the first", value_kind_text(e, &point->value));
  return fits;
}

/* captured: a tree of values, and the tree of inputs that they were made of. */
static Value call_wide(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  Value value = self->captured->at[0];
  uint32_t n_root, n;
  NodeId *root = nodes_of(e, value, &n_root), *input = nodes_of(e, self->captured->at[1], &n);
  Type i32 = type_scalar(I32);
  Nodes capture = {0};
  Graph *body = lift_body(e, input, n, body_input(e, &i32, at), root, n_root, &capture);
  NodeId *in = NEW_N(e->a, NodeId, n + capture.n + 1), *out = NEW_N(e->a, NodeId, n_root + 1);
  if (!point_leaves(e, &a[0], input, n, in)) return v_bad();
  for (uint32_t k = 0; k < capture.n; k++) {
    NodeId c = capture.at[k];
    in[n + k] = node_type(e, c)->dtype == F32 ? lower_cast(e, c, F64, at) : c;
  }
  graph_inline(e->g, graph_widen(body, e->g->arena), in, out);
  return like(e, value, out);
}

static const Native wide_fn = {.name = "in_f64", .params = "x:any", .doc = "A function in f64: takes its argument."};

static Value n_in_f64(Elab *e, const Arg *a, const Ast *at) {
  Point p = {.at = a[1].at, .what = argument_text(e, "x", "in_f64", a[1].at)};
  Value x = a[1].value;
  bool held = x.kind == V_TUPLE || x.kind == V_LIST || x.kind == V_RECORD || is_tree(e, &x);
  Value tree = held ? tree_map(e, x, ALL_LEAVES, input_leaf, &p) : input_leaf(e, &p, x);
  if (tree.kind == V_BAD) return v_bad();
  Where outside = make_within(e, MAKE_IN_MAP);
  Value y = value_decay(e, call1(e, a[0].value, tree, at));
  e->here = outside;
  NodeId out = want_float(e, y, a[0].at, "the value that `gradcheck` differentiates");
  if (out == NO_NODE || (out = settle(e, out)) == NO_NODE) return v_bad();
  if (node_type(e, out)->rank != 0) {
    Diag *g = elab_error(e, a[0].at, E_GRADCHECK_SCALAR, type_show(e->a, node_type(e, out)));
    diag_hint(e->d, g, "e.g. `gradcheck(fn (x) = sum(f(x)), x)`");
    return v_bad();
  }
  Value slope = derive(e, v_node(out), tree, at, DERIVE_GRAD);
  if (slope.kind == V_BAD) return slope;
  uint32_t n;
  NodeId *root = nodes_of(e, slope, &n);
  root[n] = out;
  const Op *coarse = f32_foreign(e->g, root, n + 1);
  if (coarse) diag_at(e->d, own_loc(e->d, elab_loc_at(e, at)), E_GRADCHECK_F32, coarse->name);
  Value made[3] = {bound_value(e, &wide_fn, call_wide, (Value[]){v_node(out), tree}, 2),
                   bound_value(e, &wide_fn, call_wide, (Value[]){slope, tree}, 2), v_bool(coarse != NULL)};
  return v_items(e->a, V_TUPLE, made, 3);
}

const Native native_f64[] = {
    {"in_f64", "f:fn, x:any", n_in_f64,
     "(value, gradient, coarse): f, whose value is one number, and its gradient as functions in f64 of points like x, "
     "and whether they\n"
     "call a foreign function that computes in f32. They are what trains at x: draws are those of one call.",
     "in_f64(fn (x) = 1 / x, 2.0)[1](f64(4))   # => -0.0625"},
    {0}};
