/* eval: one node after another, with the ops' kernels and no plan. In: a graph and the values of its inputs. Out:
 * the value of every node. It is the reference that plans are compared with, and the way known values are computed.
 * Invariant: the kernels are called over whole tensors by one thread; as an element's bits do not depend on how the
 * work is split, they are those of any plan.
 */
#include "exec/run.h"
#include "graph/kernels.h"
#include <assert.h>
#include <string.h>

#define KNOWN_LIMIT ((int64_t)1 << 24)   /* elements of a value computed while checking */

typedef struct Eval {
  Host *host;
  const Kernels *kernels;
  Arena *scratch;            /* dies with the evaluation */
  const Graph *g;
  Tensor **values;
  Tensor ***results;         /* of loops, by id: all their outputs */
  const Node *failed;        /* NULL: none yet */
} Eval;

static Fault eval_nodes(Eval *e, const NodeId *ids, uint32_t n);

/* The value belongs to someone who outlives the evaluation: a header over the same bytes. */
static Tensor *lend(Eval *e, const Type *t, void *data) { return tensor_borrow(e->host, t, data, NULL, NULL); }

static Fault eval_kernel(Eval *e, const Node *node, NodeId id) {
  const void **in = NEW_N(e->scratch, const void *, node->n_in + 1u);
  const Type **type = NEW_N(e->scratch, const Type *, node->n_in + 1u);
  for (uint32_t k = 0; k < node->n_in; k++) {
    in[k] = e->values[node->in[k]]->data;
    type[k] = e->g->node[node->in[k]].type;
  }
  Tensor *y = tensor_new(e->host, node->type);
  e->values[id] = y;
  KernelCall c = {.in = in, .out = y->data, .in_type = type, .out_type = node->type, .attr = node->attr,
                  .n_in = node->n_in};
  kernel_call(e->kernels, node->op, &c, e->scratch);
  return c.fault;
}

static Type element_type(const Type *t) { return type_make((DType)t->dtype, t->rank - 1, t->dim + 1); }

static void *row(const Tensor *t, int64_t k) {
  int64_t rows = t->type.dim[0];
  return (char *)t->data + (rows ? (size_t)k * (t->bytes / (size_t)rows) : 0);
}

/* The value of the body's input `slot` in turn `turn`. */
static Tensor *loop_input(Eval *e, const Node *loop, Tensor **carry, uint32_t slot, int64_t turn, const Type *want) {
  uint32_t c = (uint32_t)loop->attr->i[1], s = (uint32_t)loop->attr->i[2];
  if (slot < c) return lend(e, want, carry[slot]->data);
  if (slot < c + s) {
    Type t = element_type(&e->values[loop->in[slot]]->type);
    return lend(e, &t, row(e->values[loop->in[slot]], turn));
  }
  if (slot < loop->n_in) return lend(e, want, e->values[loop->in[slot]]->data);
  int32_t number = (int32_t)turn;
  return tensor_from(e->host, want, &number);
}

/* Most turns that a loop is to make. */
static int64_t loop_turns(const Eval *e, const Node *loop) {
  int64_t ends = loop_ends(loop->attr), turns = loop->attr->i[LOOP_TURNS];
  if (ends == ENDS_AFTER_ALL) return turns;
  double last = tensor_get(e->values[loop->in[loop->n_in - 1]], 0);
  if (ends == ENDS_UNTIL) return last != 0 ? 0 : turns;
  return last < 0 ? 0 : last < (double)turns ? (int64_t)last : turns;
}

static bool all_true(const Tensor *t) {
  for (int64_t k = 0; k < type_count(&t->type); k++)
    if (tensor_get(t, k) == 0) return false;
  return true;
}

static Fault eval_loop(Eval *e, const Node *loop, NodeId id) {
  const Graph *body = loop->attr->body;
  int64_t turns = loop_turns(e, loop), made = 0;
  uint32_t c = (uint32_t)loop->attr->i[1], n_out = body->out.n, stacks = loop_stacks(loop->attr);
  bool until = c < stacks, last = until && turns == 0;
  bool reverse = loop->attr->n > 3 && loop->attr->i[3];
  Tensor **out = NEW_N(e->scratch, Tensor *, n_out + 1u);
  for (uint32_t k = 0; k < n_out; k++) {
    const Type *each = body->node[body->out.at[k].node].type;
    if (k < c) {
      Tensor *first = e->values[loop->in[k]];
      out[k] = tensor_from(e->host, &first->type, first->data);
    } else if (k < stacks) {
      Type t = type_scalar(I32);
      out[k] = tensor_new(e->host, &t);
    } else {
      Type t = {.dtype = each->dtype, .rank = (uint8_t)(each->rank + 1), .dim = {loop->attr->i[LOOP_TURNS]}};
      memcpy(t.dim + 1, each->dim, sizeof each->dim[0] * each->rank);
      out[k] = tensor_new(e->host, &t);
      if (out[k]->bytes) memset(out[k]->data, 0, out[k]->bytes);
    }
  }
  Eval inner = {.host = e->host, .kernels = e->kernels, .g = body};
  Fault fault = {.code = FAULT_NONE};
  for (; made < turns && !last && fault.code == FAULT_NONE; made++) {
    int64_t turn = reverse ? turns - 1 - made : made;
    inner.scratch = arena_new(e->host);
    inner.values = NEW_N(inner.scratch, Tensor *, body->n + 1u);
    inner.results = NEW_N(inner.scratch, Tensor **, body->n + 1u);
    NodeId *ids = NEW_N(inner.scratch, NodeId, body->n + 1u);
    for (NodeId k = 0; k < body->n; k++) {
      ids[k] = k;
      const Node *node = &body->node[k];
      if (node->op->id == OP_input)
        inner.values[k] = loop_input(e, loop, out, (uint32_t)node->attr->i[0], turn, node->type);
    }
    fault = eval_nodes(&inner, ids, body->n);
    if (fault.code == FAULT_NONE) {
      /* A carry may be the very bytes of another: all are copied out before any is written. */
      Tensor **next = NEW_N(inner.scratch, Tensor *, n_out + 1u);
      for (uint32_t k = 0; k < n_out; k++) {
        Tensor *v = inner.values[body->out.at[k].node];
        if (k < c)
          next[k] = tensor_from(e->host, &v->type, v->data);
        else if (k < stacks)
          last = all_true(v);
        else if (v->bytes)
          memcpy(row(out[k], turn), v->data, v->bytes);
      }
      for (uint32_t k = 0; k < n_out && k < c; k++) {
        tensor_unref(out[k]);
        out[k] = next[k];
      }
      if (until && !last && made + 1 == turns && loop->attr->i[LOOP_LIMIT] != 0) {
        const Tensor *flag = inner.values[body->out.at[c].node];
        fault = loop_fault(loop->attr, &flag->type, flag->data, &out[0]->type, out[0]->data);
      }
    } else if (!fault.op) {
      fault.op = inner.failed->op;
      fault.loc = inner.failed->loc;
    }
    for (NodeId k = 0; k < body->n; k++) {
      tensor_unref(inner.values[k]);
      if (inner.results[k])
        for (uint32_t j = 0; j < body->node[k].attr->body->out.n; j++) tensor_unref(inner.results[k][j]);
    }
    arena_free(inner.scratch);
  }
  if (until) tensor_set(out[c], 0, (double)made);
  e->results[id] = out;
  e->values[id] = n_out ? tensor_from(e->host, loop->type, out[0]->data) : tensor_new(e->host, loop->type);
  return fault;
}

static bool picks(const Graph *g, const Node *node) {
  return node->n_in == 1 && g->node[node->in[0]].attr->body;
}

static Fault eval_node(Eval *e, NodeId id) {
  const Node *node = &e->g->node[id];
  if (node->op->id == OP_constant) {
    e->values[id] = lend(e, node->type, node->attr->value->data);
  } else if (picks(e->g, node)) {
    Tensor *v = e->results[node->in[0]][node->attr->i[0]];
    e->values[id] = tensor_from(e->host, node->type, v->data);
  } else if (node->attr->body) {
    return eval_loop(e, node, id);
  } else {
    return eval_kernel(e, node, id);
  }
  return (Fault){.code = FAULT_NONE};
}

static Fault eval_nodes(Eval *e, const NodeId *ids, uint32_t n) {
  host_stack_need(e->host, STACK_KERNEL);
  for (uint32_t k = 0; k < n; k++) {
    if (e->values[ids[k]]) continue;
    Fault f = eval_node(e, ids[k]);
    if (f.code == FAULT_NONE) continue;
    e->failed = &e->g->node[ids[k]];
    return f;
  }
  return (Fault){.code = FAULT_NONE};
}

static void drop_results(const Eval *e, const NodeId *ids, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (e->results[ids[k]])
      for (uint32_t j = 0; j < e->g->node[ids[k]].attr->body->out.n; j++) tensor_unref(e->results[ids[k]][j]);
}

Fault run_nodes(Host *h, const Graph *g, const Kernels *k, const NodeId *ids, uint32_t n, Tensor **values) {
  Eval e = {.host = h, .kernels = k, .scratch = arena_new(h), .g = g, .values = values};
  e.results = NEW_N(e.scratch, Tensor **, g->n + 1u);
  Fault f = eval_nodes(&e, ids, n);
  drop_results(&e, ids, n);
  arena_free(e.scratch);
  return f;
}

Fault run_graph(Host *h, const Graph *g, const Kernels *k, Tensor **values) {
  Arena *a = arena_new(h);
  NodeId *ids = NEW_N(a, NodeId, g->n + 1u);
  for (NodeId id = 0; id < g->n; id++) ids[id] = id;
  Fault f = run_nodes(h, g, k, ids, g->n, values);
  arena_free(a);
  return f;
}

/* ---- known values ---- */

static bool has_value(void *ctx, NodeId id) {
  const Graph *g = ctx;
  return id < g->known_cap && g->known[id];
}

/* Behind the values that are known lie the tables of an Eval, by id: empty but while one is made, so that it costs its
 * own size and not the graph's. What leaves by the guard leaves them as they are: then the next one takes new ones. */
static void known_room(Graph *g) {
  if (g->known_cap >= g->n && !g->known[3 * (size_t)g->known_cap]) return;
  uint32_t cap = g->known_cap ? g->known_cap : 256;
  while (cap < g->n) cap *= 2;
  Tensor **known = NEW_N(g->arena, Tensor *, 3 * (size_t)cap + 1);
  if (g->known_cap) memcpy(known, g->known, g->known_cap * sizeof *known);
  g->known = known;
  g->known_cap = cap;
}

Tensor *graph_known(Graph *g, NodeId id) {
  assert(g->node[id].flags & NODE_KNOWN);
  if (g->node[id].flags & NODE_BAD) return NULL;
  if (g->node[id].op->id == OP_constant) return g->node[id].attr->value;
  known_room(g);
  if (g->known[id]) return g->known[id];
  NodeId *ids;
  uint32_t n = graph_slice(g, &id, 1, has_value, g, &ids);
  for (uint32_t k = 0; k < n; k++)
    if (type_count(g->node[ids[k]].type) > KNOWN_LIMIT && g->node[ids[k]].op->id != OP_constant) return NULL;
  Host *h = arena_host(g->arena);
  Eval e = {.host = h, .kernels = g->kernels ? g->kernels : kernels_best(), .scratch = arena_new(h), .g = g};
  e.values = g->known + g->known_cap;
  e.results = (Tensor ***)(void *)(e.values + g->known_cap);
  Tensor **busy = &g->known[3 * (size_t)g->known_cap];
  *busy = (Tensor *)(void *)g;
  for (uint32_t k = 0; k < n; k++)
    if (g->known[ids[k]]) e.values[ids[k]] = lend(&e, g->node[ids[k]].type, g->known[ids[k]]->data);
  Fault f = eval_nodes(&e, ids, n);
  if (f.code == FAULT_NONE) {
    Tensor *own = tensor_from(h, g->node[id].type, e.values[id]->data);
    tensor_hold(g->arena, own);
    tensor_unref(own);
    arena_change(g->arena, &g->known[id], sizeof g->known[id]);
    g->known[id] = own;
  }
  for (uint32_t k = 0; k < n; k++) tensor_unref(e.values[ids[k]]);
  drop_results(&e, ids, n);
  for (uint32_t k = 0; k < n; k++) {
    e.values[ids[k]] = NULL;
    e.results[ids[k]] = NULL;
  }
  *busy = NULL;
  arena_free(e.scratch);
  return g->known[id];
}
