/* grad: the graph grows its own derivative. In: a node, its adjoint, the nodes to differentiate by. Out: nodes of
 * the same graph. Reverse accumulation over the slice below y: each node's rule turns its adjoint into contributions
 * to its operands'.
 * Invariant: contributions are summed in the order of falling user id, so the same graph always grows the same
 * derivative. Only floats carry one, and only what lies on a way to a wrt gets a node. A rule emits, so the node
 * array moves: nodes are copied before.
 */
#include "graph/grad.h"
#include <assert.h>
#include <string.h>

typedef struct Reverse {
  Graph *g;
  NodeId *id;                /* the slice, ascending */
  uint32_t n;
  NodeId *adjoint;           /* by place in the slice; NO_NODE: none yet */
  NodeId **adjoints;         /* of a loop: one for each output; NULL: none yet */
  bool *active, *end;        /* on a way to a wrt; a wrt itself */
} Reverse;

/* Where id stands in ascending ids, or n. */
static uint32_t find_id(const NodeId *at, uint32_t n, NodeId id) {
  uint32_t lo = 0, hi = n;
  while (lo < hi) {
    uint32_t mid = lo + (hi - lo) / 2;
    if (at[mid] < id)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < n && at[lo] == id ? lo : n;
}

typedef struct Ends {
  NodeId *wrt;               /* ascending */
  uint32_t n;
} Ends;

static bool is_end(void *ctx, NodeId id) {
  const Ends *e = ctx;
  return find_id(e->wrt, e->n, id) < e->n;
}

/* The place of an id in the slice, or n. */
static uint32_t place_of(const Reverse *r, NodeId id) { return find_id(r->id, r->n, id); }

static bool is_float(const Graph *g, NodeId id) { return dtype_is_float((DType)g->node[id].type->dtype); }

/* A loop is of float type or not by its first output, which says nothing of the others. */
static bool carries(const Graph *g, NodeId id) { return is_float(g, id) || g->node[id].attr->body; }

static void add_to(Graph *g, NodeId *sum, NodeId more) {
  if (more == NO_NODE) return;
  *sum = *sum == NO_NODE ? more : g_op2(g, &op_add, *sum, more);
}

static void push_pick(Reverse *r, const Node *pick, NodeId dy) {
  uint32_t at = place_of(r, pick->in[0]);
  uint32_t n = r->g->node[pick->in[0]].attr->body->out.n;
  if (!r->adjoints[at]) {
    r->adjoints[at] = NEW_N(r->g->arena, NodeId, n);
    for (uint32_t k = 0; k < n; k++) r->adjoints[at][k] = NO_NODE;
  }
  add_to(r->g, &r->adjoints[at][pick->attr->i[0]], dy);
}

static void push(Reverse *r, uint32_t at) {
  Graph *g = r->g;
  NodeId id = r->id[at], dy = r->adjoint[at];
  Node node = g->node[id];
  if (node.op == &op_pick) {
    push_pick(r, &node, dy);
    return;
  }
  if (!node.op->grad) {
    if (node.op->id == OP_foreign) graph_no_gradient(g, node.op, node.loc);
    return;
  }
  NodeId few[8];
  bool few_wanted[8];
  NodeId *dx = node.n_in <= 8 ? few : NEW_N(g->arena, NodeId, node.n_in);
  bool *wanted = node.n_in <= 8 ? few_wanted : NEW_N(g->arena, bool, node.n_in);
  for (uint32_t k = 0; k < node.n_in; k++) {
    dx[k] = NO_NODE;
    wanted[k] = r->active[place_of(r, node.in[k])] && carries(g, node.in[k]);
  }
  Grad d = {.g = g, .y = id, .dy = dy, .dys = r->adjoints[at], .x = node.in, .n = node.n_in, .attr = node.attr,
            .wanted = wanted, .dx = dx};
  node.op->grad(&d);
  for (uint32_t k = 0; k < node.n_in; k++)
    if (wanted[k] && dx[k] != NO_NODE) {
      assert(type_eq(g->node[dx[k]].type, g->node[node.in[k]].type));
      add_to(g, &r->adjoint[place_of(r, node.in[k])], dx[k]);
    }
}

static NodeId bad_zero(Graph *g, const Type *t) {
  NodeId z = g_fill(g, t, 0);
  g->node[z].flags |= NODE_BAD;
  return z;
}

void grad_reverse(Graph *g, NodeId y, NodeId seed, const NodeId *wrt, uint32_t n, NodeId *out, bool *connected) {
  Loc loc = g->loc;
  g->loc = g->node[y].loc | LOC_ADJOINT;
  bool bad = (g->node[y].flags & NODE_BAD) || (seed != NO_NODE && (g->node[seed].flags & NODE_BAD));
  Reverse r = {.g = g};
  Ends ends = {.wrt = arena_copy(g->arena, wrt, n * sizeof *wrt), .n = n};
  graph_sort(ends.wrt, n);
  r.n = graph_slice(g, &y, 1, is_end, &ends, &r.id);
  r.adjoint = NEW_N(g->arena, NodeId, r.n);
  r.adjoints = NEW_N(g->arena, NodeId *, r.n);
  r.active = NEW_N(g->arena, bool, r.n);
  r.end = NEW_N(g->arena, bool, r.n);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t at = place_of(&r, wrt[k]);
    if (at < r.n) r.end[at] = r.active[at] = true;
  }
  for (uint32_t at = 0; at < r.n; at++) {
    r.adjoint[at] = NO_NODE;
    if (r.end[at]) continue;
    const Node *node = &g->node[r.id[at]];
    for (uint32_t k = 0; k < node->n_in; k++)
      if (r.active[place_of(&r, node->in[k])] && carries(g, node->in[k])) r.active[at] = true;
  }
  uint32_t top = place_of(&r, y);
  if (!bad && r.active[top] && is_float(g, y)) r.adjoint[top] = seed != NO_NODE ? seed : g_fill(g, g->node[y].type, 1);
  for (uint32_t at = r.n; at-- > 0;) {
    if (!r.active[at] || r.end[at] || (r.adjoint[at] == NO_NODE && !r.adjoints[at])) continue;
    g->loc = g->node[r.id[at]].loc | LOC_ADJOINT;
    push(&r, at);
  }
  for (uint32_t k = 0; k < n; k++) {
    uint32_t at = place_of(&r, wrt[k]);
    bool has = at < r.n && r.adjoint[at] != NO_NODE;
    g->loc = g->node[wrt[k]].loc | LOC_ADJOINT;
    out[k] = has ? r.adjoint[at] : bad ? bad_zero(g, g->node[wrt[k]].type) : g_fill(g, g->node[wrt[k]].type, 0);
    if (connected) connected[k] = has || bad;
  }
  g->loc = loc;
}

/* ---- widening ---- */

static Type wide(const Type *t) {
  Type w = *t;
  if (w.dtype == F32) w.dtype = F64;
  return w;
}

static NodeId widen_constant(Graph *to, const Node *node) {
  Tensor *v = node->attr->value;
  if (v->type.dtype != F32) return graph_const(to, v, node->loc);
  Type t = wide(&v->type);
  Tensor *w = tensor_new(arena_host(to->arena), &t);
  for (int64_t k = 0; k < type_count(&t); k++) tensor_set(w, k, tensor_get(v, k));
  NodeId id = graph_const(to, w, node->loc);
  tensor_unref(w);
  return id;
}

/* A foreign function takes and gives the element types that its library was compiled for. */
static NodeId widen_foreign(Graph *to, const Graph *g, const Node *node, NodeId *in) {
  for (uint32_t k = 0; k < node->n_in; k++) in[k] = g_cast(to, in[k], (DType)g->node[node->in[k]].type->dtype);
  NodeId y = graph_emit(to, node->op, in, node->n_in, node->attr, node->loc, NULL);
  return node->type->dtype == F32 ? g_cast(to, y, F64) : y;
}

static NodeId widen_node(Graph *to, const Graph *g, const Node *node, NodeId *in, Arena *a) {
  Attr attr = *node->attr;
  if (node->op->id == OP_foreign) return widen_foreign(to, g, node, in);
  if (node->op->id == OP_input) {
    Type t = wide(node->type);
    return graph_input(to, (uint32_t)attr.i[0], &t, node->loc);
  }
  if (node->op->id == OP_constant) return widen_constant(to, node);
  if (attr.body) attr.body = graph_widen(attr.body, a);
  int64_t f64 = F64;
  if (node->op->id == OP_cast && attr.i[0] == F32) attr.i = &f64;
  NodeId y = graph_emit(to, node->op, in, node->n_in, &attr, node->loc, NULL);
  /* An op that names its element type, a draw: the same values, widened. A loop has many: its picks look. */
  return node->type->dtype == F32 && !attr.body ? g_cast(to, y, F64) : y;
}

Graph *graph_widen(Graph *g, Arena *a) {
  Graph *to = graph_new(a);
  to->limit = g->limit;
  NodeId *at = NEW_N(a, NodeId, g->n + 1u);
  NodeId *root = NEW_N(a, NodeId, g->out.n + 1u), *ids;
  for (uint32_t k = 0; k < g->out.n; k++) root[k] = g->out.at[k].node;
  uint32_t n = graph_slice(g, root, g->out.n, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++) {
    Node node = g->node[ids[k]];
    NodeId *in = NEW_N(a, NodeId, node.n_in + 1u);
    for (uint32_t j = 0; j < node.n_in; j++) in[j] = at[node.in[j]];
    to->segment = node.segment;
    at[ids[k]] = widen_node(to, g, &node, in, a);
    to->node[at[ids[k]]].flags |= node.flags & (NODE_LAZY | NODE_BAD);
  }
  for (uint32_t k = 0; k < g->out.n; k++) graph_output(to, at[g->out.at[k].node], g->out.at[k].slot);
  return to;
}
