/* grad: the graph grows its own derivative. In: a node, its adjoint, the nodes to differentiate by. Out: nodes of
 * the same graph. Reverse accumulation over the slice below y: each node's rule turns its adjoint into contributions
 * to its operands'.
 * Invariant: contributions are summed in the order of falling user id, so the same graph always grows the same
 * derivative. Only floats carry one, and only what lies on a way to a wrt gets a node. A rule emits, so the node
 * array moves: nodes are copied before.
 *
 * An adjoint is *selected* when an op on its way chose (op->selects: relu, max, a slice, `where`): a zero in it may say
 * "not chosen", and then nothing behind it counts. There a rule's products are smul, exactly zero where the adjoint is,
 * though the slope be infinite. Elsewhere a zero came about by accident, as that of exp(log(x)) at 0, and products are
 * plain: 0 * inf is NaN, and no infinite slope is hidden. A sum is selected if all its parts are.
 */
#include "graph/grad.h"
#include <assert.h>
#include <string.h>

typedef struct Reverse {
  Graph *g;
  NodeId *id;                /* the slice, ascending */
  uint32_t n;
  Adjoint *adjoint;          /* by place in the slice; NO_NODE: none yet */
  Adjoint **adjoints;        /* of a loop: one for each output; NULL: none yet */
  bool *active, *end;        /* on a way to a wrt; a wrt itself */
  GradTrace *trace;          /* or NULL */
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

static const Adjoint none = {NO_NODE, true};

static void add_to(Graph *g, Adjoint *sum, Adjoint more) {
  if (more.node == NO_NODE) return;
  sum->node = sum->node == NO_NODE ? more.node : g_op2(g, &op_add, sum->node, more.node);
  sum->selected &= more.selected;
}

static void note_passed(Reverse *r, NodeId user, uint32_t operand, NodeId dx) {
  if (r->trace) vec_push(r->g->arena, &r->trace->passed, (Passed){user, dx, operand});
}

static void push_pick(Reverse *r, const Node *pick, Adjoint dy) {
  uint32_t at = place_of(r, pick->in[0]);
  uint32_t n = r->g->node[pick->in[0]].attr->body->out.n;
  if (!r->adjoints[at]) {
    r->adjoints[at] = NEW_N(r->g->arena, Adjoint, n);
    for (uint32_t k = 0; k < n; k++) r->adjoints[at][k] = none;
  }
  add_to(r->g, &r->adjoints[at][pick->attr->i[0]], dy);
}

static void push(Reverse *r, uint32_t at) {
  Graph *g = r->g;
  NodeId id = r->id[at];
  Adjoint dy = r->adjoint[at];
  Node node = g->node[id];
  if (node.op == &op_pick) {
    push_pick(r, &node, dy);
    note_passed(r, id, 0, dy.node);
    return;
  }
  if (!node.op->grad) {
    graph_no_gradient(g, node.op, node.loc);
    return;
  }
  NodeId few[8];
  bool few_wanted[8], few_selected[8];
  NodeId *dx = node.n_in <= 8 ? few : NEW_N(g->arena, NodeId, node.n_in);
  bool *wanted = node.n_in <= 8 ? few_wanted : NEW_N(g->arena, bool, node.n_in);
  bool *selected = node.n_in <= 8 ? few_selected : NEW_N(g->arena, bool, node.n_in);
  for (uint32_t k = 0; k < node.n_in; k++) {
    dx[k] = NO_NODE;
    wanted[k] = r->active[place_of(r, node.in[k])] && carries(g, node.in[k]);
    selected[k] = dy.selected || (k < 8 && (node.op->selects & SELECTS(k)));
  }
  Grad d = {.g = g, .y = id, .dy = dy.node, .selected = dy.selected, .dys = r->adjoints[at], .x = node.in,
            .n = node.n_in, .attr = node.attr, .wanted = wanted, .dx = dx, .dx_selected = selected};
  node.op->grad(&d);
  for (uint32_t k = 0; k < node.n_in; k++)
    if (wanted[k] && dx[k] != NO_NODE) {
      assert(type_eq(g->node[dx[k]].type, g->node[node.in[k]].type));
      add_to(g, &r->adjoint[place_of(r, node.in[k])], (Adjoint){dx[k], selected[k]});
      note_passed(r, id, k, dx[k]);
    }
}

static NodeId bad_zero(Graph *g, const Type *t) {
  NodeId z = g_fill(g, t, 0);
  g->node[z].flags |= NODE_BAD;
  return z;
}

/* The slice below the seeds down to wrt, and what of it lies on a way. */
static Reverse reverse_over(Graph *g, const Seed *seed, uint32_t n_seed, const NodeId *wrt, uint32_t n) {
  host_deeper(arena_host(g->arena));
  Reverse r = {.g = g};
  Ends ends = {.wrt = arena_copy(g->arena, wrt, n * sizeof *wrt), .n = n};
  NodeId *root = NEW_N(g->arena, NodeId, n_seed + 1u);
  for (uint32_t k = 0; k < n_seed; k++) root[k] = seed[k].y;
  graph_sort(ends.wrt, n);
  r.n = graph_slice(g, root, n_seed, is_end, &ends, &r.id);
  r.adjoint = NEW_N(g->arena, Adjoint, r.n);
  r.adjoints = NEW_N(g->arena, Adjoint *, r.n);
  r.active = NEW_N(g->arena, bool, r.n);
  r.end = NEW_N(g->arena, bool, r.n);
  for (uint32_t k = 0; k < n; k++) {
    uint32_t at = place_of(&r, wrt[k]);
    if (at < r.n) r.end[at] = r.active[at] = true;
  }
  for (uint32_t at = 0; at < r.n; at++) {
    r.adjoint[at] = none;
    if (r.end[at]) continue;
    const Node *node = &g->node[r.id[at]];
    for (uint32_t k = 0; k < node->n_in; k++)
      if (r.active[place_of(&r, node->in[k])] && carries(g, node->in[k])) r.active[at] = true;
  }
  return r;
}

static void back(Graph *g, const Seed *seed, uint32_t n_seed, const NodeId *wrt, uint32_t n, Adjoint *out,
                 bool *connected, GradTrace *trace) {
  Loc loc = g->loc;
  bool bad = false;
  for (uint32_t k = 0; k < n_seed; k++) {
    NodeId dy = seed[k].dy.node;
    bad |= (g->node[seed[k].y].flags & NODE_BAD) || (dy != NO_NODE && (g->node[dy].flags & NODE_BAD));
  }
  Reverse r = reverse_over(g, seed, n_seed, wrt, n);
  r.trace = trace;
  for (uint32_t k = 0; !bad && k < n_seed; k++) {
    NodeId y = seed[k].y;
    uint32_t top = place_of(&r, y);
    if (!r.active[top] || !is_float(g, y)) continue;
    g->loc = g->node[y].loc | LOC_ADJOINT;
    Adjoint dy = seed[k].dy;
    if (dy.node == NO_NODE) dy.node = g_fill(g, g->node[y].type, 1);
    add_to(g, &r.adjoint[top], dy);
  }
  for (uint32_t at = r.n; at-- > 0;) {
    if (!r.active[at] || r.end[at] || (r.adjoint[at].node == NO_NODE && !r.adjoints[at])) continue;
    g->loc = g->node[r.id[at]].loc | LOC_ADJOINT;
    push(&r, at);
  }
  for (uint32_t k = 0; k < n; k++) {
    uint32_t at = place_of(&r, wrt[k]);
    bool has = at < r.n && r.adjoint[at].node != NO_NODE;
    g->loc = g->node[wrt[k]].loc | LOC_ADJOINT;
    out[k] = has ? r.adjoint[at] : none;
    if (!has) out[k].node = bad ? bad_zero(g, g->node[wrt[k]].type) : g_fill(g, g->node[wrt[k]].type, 0);
    if (connected) connected[k] = has || bad;
  }
  for (uint32_t at = 0; trace && at < r.n; at++) trace->adjoint[r.id[at]] = r.adjoint[at].node;
  g->loc = loc;
}

void grad_back(Graph *g, const Seed *seed, uint32_t n_seed, const NodeId *wrt, uint32_t n, Adjoint *out,
               bool *connected) {
  back(g, seed, n_seed, wrt, n, out, connected, NULL);
}

void grad_traced(Graph *g, NodeId y, const NodeId *wrt, uint32_t n, GradTrace *out) {
  *out = (GradTrace){.adjoint = NEW_N(g->arena, NodeId, g->n)};
  for (NodeId k = 0; k < g->n; k++) out->adjoint[k] = NO_NODE;
  Adjoint *all = NEW_N(g->arena, Adjoint, n + 1u);
  back(g, &(Seed){y, {NO_NODE, false}}, 1, wrt, n, all, NULL, out);
}

void grad_reverse(Graph *g, NodeId y, NodeId seed, const NodeId *wrt, uint32_t n, NodeId *out, bool *connected) {
  Adjoint *all = NEW_N(g->arena, Adjoint, n + 1u);
  grad_back(g, &(Seed){y, {seed, false}}, 1, wrt, n, all, connected);
  for (uint32_t k = 0; k < n; k++) out[k] = all[k].node;
}

/* ---- formulas of others ---- */

typedef struct Given {
  NodeId *id, *map;          /* the slice above dy, ascending; what each became */
  bool *of_dy, *selected;    /* made of dy; and selected, then */
  uint32_t n;
} Given;

static bool is_before(void *ctx, NodeId id) { return id <= *(const NodeId *)ctx; }

/* A node whose operand `at` alone was made of a selected dy: as a rule would have written the product, or NO_NODE.
 * (That of a smul is strong as it stands. A foreign function sees dy and may know better.) */
static NodeId strong_product(Graph *g, const Node *node, const NodeId *in, uint32_t at) {
  if (node->op == &op_mul) return g_op2(g, &op_smul, in[at], in[1 - at]);
  if (node->op != &op_div || at > 0) return NO_NODE;
  NodeId slope = g_op(g, &op_recip, in[1]);
  return g_op2(g, &op_smul, in[0], slope);
}

/* Node j of the formula, whose operands are done. */
static void give(Graph *g, Given *s, uint32_t j) {
  Node node = g->node[s->id[j]];
  NodeId *in = NEW_N(g->arena, NodeId, node.n_in + 1u);
  uint32_t at = 0, n_of_dy = 0;
  bool same = true, selected = true;
  for (uint32_t k = 0; k < node.n_in; k++) {
    uint32_t from = find_id(s->id, s->n, node.in[k]);
    in[k] = s->map[from];
    same &= in[k] == node.in[k];
    if (!s->of_dy[from]) continue;
    at = k;
    n_of_dy++;
    selected &= s->selected[from];
  }
  s->of_dy[j] = n_of_dy > 0;
  s->selected[j] = n_of_dy > 0 && (selected || node.op == &op_where);
  NodeId strong = n_of_dy == 1 && selected ? strong_product(g, &node, in, at) : NO_NODE;
  if (strong != NO_NODE) s->map[j] = strong;
  else if (!same) s->map[j] = graph_emit(g, node.op, in, node.n_in, node.attr, node.loc, NULL);
}

void grad_given(Grad *d) {
  Graph *g = d->g;
  Arena *a = g->arena;
  NodeId *root = NEW_N(a, NodeId, d->n + 1u), dy = d->dy;
  uint32_t n_root = 0;
  for (uint32_t k = 1; k < d->n; k++)
    if (d->wanted[k] && d->dx[k] != NO_NODE) root[n_root++] = d->dx[k];
  Given s = {0};
  s.n = graph_slice(g, root, n_root, is_before, &dy, &s.id);
  s.map = NEW_N(a, NodeId, s.n + 1u);
  s.of_dy = NEW_N(a, bool, s.n + 1u);
  s.selected = NEW_N(a, bool, s.n + 1u);
  for (uint32_t j = 0; j < s.n; j++) {
    s.map[j] = s.id[j];
    s.of_dy[j] = s.id[j] == dy;
    s.selected[j] = s.of_dy[j] && d->selected;
    if (s.id[j] > dy) give(g, &s, j);
  }
  for (uint32_t k = 1; k < d->n; k++)
    if (d->wanted[k] && d->dx[k] != NO_NODE) {
      uint32_t at = find_id(s.id, s.n, d->dx[k]);
      d->dx[k] = s.map[at];
      d->dx_selected[k] = s.selected[at];
    }
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

/* What is opaque takes and gives the element types that it was compiled for. */
static NodeId widen_opaque(Graph *to, const Graph *g, const Node *node, NodeId *in) {
  for (uint32_t k = 0; k < node->n_in; k++) in[k] = g_cast(to, in[k], (DType)g->node[node->in[k]].type->dtype);
  NodeId y = graph_emit(to, node->op, in, node->n_in, node->attr, node->loc, NULL);
  return node->type->dtype == F32 ? g_cast(to, y, F64) : y;
}

static NodeId widen_node(Graph *to, const Graph *g, const Node *node, NodeId *in, Arena *a) {
  Attr attr = *node->attr;
  if (node->op->flags & OP_OPAQUE) return widen_opaque(to, g, node, in);
  if (node->op == &op_input) {
    Type t = wide(node->type);
    return graph_input(to, (uint32_t)attr.i[0], &t, node->loc);
  }
  if (node->op == &op_constant) return widen_constant(to, node);
  if (attr.body) attr.body = graph_widen(attr.body, a);
  int64_t f64 = F64;
  if (node->op == &op_cast && attr.i[0] == F32) attr.i = &f64;
  NodeId y = graph_emit(to, node->op, in, node->n_in, &attr, node->loc, NULL);
  /* An op that names its element type, a draw: the same values, widened. A loop has many: its picks look. */
  return node->type->dtype == F32 && !attr.body ? g_cast(to, y, F64) : y;
}

Graph *graph_widen(Graph *g, Arena *a) {
  host_deeper(arena_host(a));
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
