/* again: see again.h. The slice is copied into a graph of its own, optimised and planned as a segment's is. */
#include "inspect/again.h"
#include "inspect/inspect.h"
#include "runtime/graph/opt.h"

struct Again {
  Session *s;
  Arena *a;
  Graph *g;
  NodeId *map;               /* by node of the session's graph */
  Plan *plan;
  uint32_t n, first;         /* results, in slots from first on */
  Tensor **out;
  Tensor *weight;            /* in the slot behind them, or NULL */
  void **data;
  char *room;
};

/* All versions of a cell are what it holds now. */
static NodeId input_of(const Graph *g, SlotId slot) {
  for (NodeId id = 0; id < g->n; id++)
    if (graph_at(g, id)->op == &op_input && (SlotId)graph_at(g, id)->attr->i[0] == slot) return id;
  return NO_NODE;
}

static Again *copy(Session *s, const NodeId *root, uint32_t n) {
  Arena *a = arena_new(&s->host);
  Again *x = NEW(a, Again);
  NodeId *ids;
  *x = (Again){.s = s, .a = a, .g = graph_beside(s->graph, a), .map = NEW_N(a, NodeId, s->graph->n + 1u)};
  uint32_t count = inspect_below(s->graph, root, n, a, &ids);
  graph_room(x->g, count);
  x->g->limit = s->graph->limit;
  for (uint32_t k = 0; k < count; k++) {
    const Node *node = graph_at(s->graph, ids[k]);
    x->map[ids[k]] = node->op == &op_input ? input_of(x->g, (SlotId)node->attr->i[0]) : NO_NODE;
    if (x->map[ids[k]] != NO_NODE) continue;
    NodeId *in = NEW_N(a, NodeId, node->n_in + 1u);
    for (uint32_t j = 0; j < node->n_in; j++) in[j] = x->map[node->in[j]];
    x->map[ids[k]] = graph_copy(x->g, node, in, false);
  }
  return x;
}

/* Results have slots beyond the program's. */
static void finish(Again *x, const NodeId *root, uint32_t n) {
  Session *s = x->s;
  uint32_t first = x->first = s->program->slot.n;
  NodeId *origin;
  const Binding *b;
  for (uint32_t k = 0; k < n; k++) graph_output(x->g, root[k], first + k);
  Graph *g = opt_run(x->g, x->a, &(Opt){.kernels = s->kernels}, &origin);
  x->plan = plan_make(&s->host, g, origin, &(PlanOptions){s->config.no_fuse, s->kernels, true});
  x->n = n;
  x->out = NEW_N(x->a, Tensor *, n + 1u);
  for (uint32_t k = 0; k < n; k++) x->out[k] = tensor_new(&s->host, graph_at(x->g, root[k])->type);
  x->data = NEW_N(x->a, void *, plan_bindings(x->plan, &b) + 1u);
  x->room = arena_alloc(x->a, plan_slab(x->plan) + 64);
  x->room += 64 - (uintptr_t)x->room % 64;
  for (uint32_t k = 0; k < n; k++) tensor_keep(x->out[k]);     /* nothing can fail any more */
  if (x->weight) tensor_keep(x->weight);
  plan_keep(x->plan);
  arena_keep(x->a);
}

Again *again_values(Session *s, const NodeId *node, uint32_t n) {
  Again *x = copy(s, node, n);
  NodeId *root = NEW_N(x->a, NodeId, n + 1u);
  for (uint32_t k = 0; k < n; k++) root[k] = x->map[node[k]];
  finish(x, root, n);
  return x;
}

/* The inputs that read these slots. */
static NodeId *inputs(Again *x, const SlotId *slot, uint32_t n) {
  NodeId *wrt = NEW_N(x->a, NodeId, n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    wrt[k] = input_of(x->g, slot[k]);
    if (wrt[k] == NO_NODE) wrt[k] = graph_input(x->g, slot[k], &x->s->program->slot.at[slot[k]].type, 0);
  }
  return wrt;
}

static Again *by(Again *x, NodeId y, const NodeId *wrt, uint32_t n) {
  NodeId *out = NEW_N(x->a, NodeId, n + 1u);
  graph_stable(x->g, &y, 1, wrt, n, &y, NULL);
  grad_reverse(x->g, y, NO_NODE, wrt, n, out, NULL);
  finish(x, out, n);
  return x;
}

Again *again_gradients(Session *s, NodeId loss, const SlotId *slot, uint32_t n) {
  Again *x = copy(s, &loss, 1);
  return by(x, x->map[loss], inputs(x, slot, n), n);
}

Again *again_by(Session *s, NodeId loss, NodeId node) {
  Again *x = copy(s, &loss, 1);
  return by(x, x->map[loss], &x->map[node], 1);
}

Again *again_weighted(Session *s, NodeId node, const SlotId *slot, uint32_t n, Tensor **weight) {
  Again *x = copy(s, &node, 1);
  NodeId *wrt = inputs(x, slot, n), *out = NEW_N(x->a, NodeId, n + 1u), y = x->map[node];
  const Type *t = graph_at(x->g, y)->type;
  x->weight = tensor_new(&s->host, t);
  NodeId dy = graph_input(x->g, s->program->slot.n + n, t, 0);
  graph_stable(x->g, &y, 1, wrt, n, &y, NULL);
  Adjoint *grad = NEW_N(x->a, Adjoint, n + 1u);
  grad_back(x->g, &(Seed){y, {dy, false}}, 1, wrt, n, grad, NULL);
  for (uint32_t k = 0; k < n; k++) out[k] = grad[k].node;
  finish(x, out, n);
  *weight = x->weight;
  return x;
}

bool again_run(Again *x) {
  Session *s = x->s;
  const Binding *b;
  uint32_t n = plan_bindings(x->plan, &b);
  for (uint32_t k = 0; k < n; k++) {
    bool own = b[k].slot >= x->first;
    bool weight = b[k].slot == x->first + x->n;
    Tensor *t = weight ? x->weight : own ? x->out[b[k].slot - x->first] : slot_tensor(s, b[k].slot, 0);
    if (!t) return false;
    x->data[k] = t->data;
  }
  host_stack_need(&s->host, plan_stack(x->plan));
  return run_plan(x->plan, x->data, plan_area(x->plan), x->room, s->pool, NULL).code == FAULT_NONE;
}

const Tensor *again_value(const Again *x, uint32_t k) { return x->out[k]; }

void again_close(Again *x) {
  if (!x) return;
  for (uint32_t k = 0; k < x->n; k++) tensor_unref(x->out[k]);
  tensor_unref(x->weight);
  plan_free(x->plan);
  arena_free(x->a);
}
