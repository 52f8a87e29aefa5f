/* opt: see opt.h. Passes over ids, each a copy: what a pass leaves behind is dead in the next, and a pass that changed
 * nothing is the last. A node is copied only if no equal one stands in the copy (op, inputs, attributes; constants by
 * their bits), then folded, simplified or moved. Bodies of loops are optimised first, each once.
 */
#include "graph/opt.h"
#include "graph/join.h"
#include "graph/kernels.h"
#include "graph/trim.h"
#include <assert.h>
#include <string.h>

enum { PASSES = 64, DEPTH = 32, FOLD_MOST = 1000000, SHARE_BYTES = 1 << 16, LIMIT = INT32_MAX };

typedef struct Entry { uint32_t hash; NodeId id; } Entry;     /* id counts from 1, 0: nobody */

typedef struct Pass {
  const Graph *from;
  Graph *to;
  Arena *tmp;
  const Kernels *kernels;
  NodeId *map;
  uint32_t *uses;            /* of nodes of from */
  const NodeId *origin_from; /* NULL: from's own ids */
  VEC(NodeId) origin;
  VEC(NodeId) better;        /* of nodes of to: what it was improved to */
  Arena *home;               /* of the result: bodies live there */
  NodeId at;                 /* the node of from being copied */
  Entry *table;              /* of nodes of to, by hash; a power of two */
  uint32_t cap, n_shared;
  bool changed;
} Pass;

/* ---- sharing ---- */

static uint64_t mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 29;
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n) {
  const unsigned char *b = p;
  for (; n >= 8; n -= 8, b += 8) {
    uint64_t v;
    memcpy(&v, b, 8);
    h = mix(h, v);
  }
  for (; n > 0; n--) h = mix(h, *b++);
  return h;
}

static bool by_bits(const Node *n) { return n->op == &op_constant && n->attr->value->bytes <= SHARE_BYTES; }

/* Nodes alike that stand one behind the other fall into slots that do. */
static uint32_t hash(const Node *n) {
  uint64_t h = mix((uintptr_t)n->op >> 4, (uintptr_t)n->type >> 4);
  NodeId first = n->n_in ? n->in[0] : 0;
  for (uint32_t k = 1; k < n->n_in; k++) h = mix(h, n->in[k] - first);
  const Attr *a = n->attr;
  if (by_bits(n)) {
    h = mix_bytes(h, a->value->data, a->value->bytes);
  } else {
    h = mix(h, (uintptr_t)a->value ^ (uintptr_t)a->body ^ (uintptr_t)a->foreign);
    h = mix_bytes(h, a->i, a->n * sizeof *a->i);      /* what differs in f alone meets, and is compared */
  }
  return (uint32_t)(h >> 32) + first;
}

static bool equal(const Node *x, const Node *y) {
  const Attr *a = x->attr, *b = y->attr;
  if (x->op != y->op || x->type != y->type || x->n_in != y->n_in || a->n != b->n || a->body != b->body ||
      a->foreign != b->foreign || memcmp(a->f, b->f, sizeof a->f) != 0)
    return false;
  if (a->n > 0 && memcmp(a->i, b->i, a->n * sizeof *a->i) != 0) return false;
  if (x->n_in > 0 && memcmp(x->in, y->in, x->n_in * sizeof *x->in) != 0) return false;
  return a->value == b->value || (by_bits(x) && by_bits(y) && tensor_same_bits(a->value, b->value));
}

static void table_put(Pass *p, Entry e) {
  uint32_t k = e.hash & (p->cap - 1);
  while (p->table[k].id) k = (k + 1) & (p->cap - 1);
  p->table[k] = e;
}

static NodeId table_find(const Pass *p, const Node *n, uint32_t h) {
  for (uint32_t k = h & (p->cap - 1); p->table[k].id; k = (k + 1) & (p->cap - 1))
    if (p->table[k].hash == h && equal(&p->to->node[p->table[k].id - 1], n)) return p->table[k].id - 1;
  return NO_NODE;
}

static void table_room(Pass *p) {
  if (p->n_shared * 2 < p->cap) return;
  uint32_t old = p->cap;
  Entry *was = p->table;
  p->cap = old > 0 ? old * 2 : 256;
  while (old == 0 && p->cap / 2 < p->from->n) p->cap *= 2;
  p->table = NEW_N(p->tmp, Entry, p->cap);
  for (uint32_t k = 0; k < old; k++)
    if (was[k].id) table_put(p, was[k]);
}

/* What was emitted since comes from the node that is being copied. */
static void note_origins(Pass *p) {
  NodeId from = p->origin_from ? p->origin_from[p->at] : p->at;
  while (p->origin.n < p->to->n) {
    vec_push(p->tmp, &p->better, p->origin.n);
    vec_push(p->tmp, &p->origin, from);
  }
}

/* ---- folding: the kernel, run now ---- */

/* The elements of a constant, or of one that is stretched for a pointwise op; NULL: of neither. */
static const void *known_elements(Pass *p, NodeId id, bool stretched) {
  Graph *g = p->to;
  const Node *n = &g->node[id];
  if (n->op == &op_constant) return n->attr->value->data;
  if (!stretched || n->op != &op_broadcast || g->node[n->in[0]].op != &op_constant) return NULL;
  const void *x = g->node[n->in[0]].attr->value->data;
  char *y = arena_alloc(p->tmp, (size_t)type_bytes(n->type) + 1);
  KernelCall c = {.in = &x, .out = y, .in_type = (const Type *[]){g->node[n->in[0]].type}, .out_type = n->type,
                  .attr = n->attr, .n_in = 1};
  return kernel_call(p->kernels, n->op, &c, p->tmp) ? y : NULL;
}

static NodeId fold(Pass *p, NodeId id) {
  Graph *g = p->to;
  Node n = g->node[id];
  if (n.op == &op_input || n.op == &op_constant || n.op->flags & OP_OPAQUE) return NO_NODE;
  if (n.attr->body || n.op == &op_pick || n.op == &op_broadcast || type_count(n.type) > FOLD_MOST) return NO_NODE;
  bool all = true, some = n.n_in == 0;
  for (uint32_t k = 0; k < n.n_in; k++) {
    bool own = g->node[n.in[k]].op == &op_constant;
    some |= own;
    all &= own;
  }
  if (!some || (!all && !(n.op->flags & OP_POINTWISE))) return NO_NODE;
  const void **in = NEW_N(p->tmp, const void *, n.n_in + 1u);
  const Type **type = NEW_N(p->tmp, const Type *, n.n_in + 1u);
  for (uint32_t k = 0; k < n.n_in; k++) {
    in[k] = known_elements(p, n.in[k], !all);
    if (!in[k]) return NO_NODE;
    type[k] = g->node[n.in[k]].type;
  }
  Tensor *y = tensor_new(arena_host(g->arena), n.type);
  KernelCall c = {.in = in, .out = y->data, .in_type = type, .out_type = n.type, .attr = n.attr, .n_in = n.n_in};
  bool ok = kernel_call(p->kernels, n.op, &c, p->tmp);
  NodeId r = ok ? graph_const(g, y, n.loc) : NO_NODE;     /* a fault stays a fault of the run */
  tensor_unref(y);
  return r;
}

/* ---- moves ---- */

static NodeId share(Pass *p, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr, int depth);

/* A pointwise op of broadcasts from one shape is the broadcast of the op. */
static NodeId below_broadcasts(Pass *p, const Node *n, int depth) {
  Graph *g = p->to;
  if (!(n->op->flags & OP_POINTWISE) || n->n_in == 0 || n->n_in > 8) return NO_NODE;
  NodeId in[8];
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Node *x = &g->node[n->in[k]];
    if (x->op != &op_broadcast) return NO_NODE;
    in[k] = x->in[0];
    if (!type_same_shape(g->node[in[k]].type, g->node[in[0]].type)) return NO_NODE;
  }
  if (type_count(g->node[in[0]].type) >= type_count(n->type)) return NO_NODE;
  NodeId y = share(p, n->op, in, n->n_in, n->attr, depth);
  Attr shape = {.n = n->type->rank, .i = n->type->dim};
  return share(p, &op_broadcast, &y, 1, &shape, depth);
}

static bool cuts(const Op *op) { return op == &op_slice || op == &op_slice_dyn || op == &op_gather; }

/* The cut n (a slice or gather of x) of another operand of x's shape. A broadcast is cut by being stretched less, where
 * no axis of its own is concerned; *real counts those that were truly cut, without which a fault could be lost. */
static NodeId cut(Pass *p, const Node *n, NodeId operand, int *real, int depth) {
  Graph *g = p->to;
  const Node *b = &g->node[operand];
  if (b->op == &op_broadcast) {
    const Type *x = b->type, *s = g->node[b->in[0]].type;
    bool outside = true;     /* every axis that the cut changes is one that the source does not have */
    int shift = n->type->rank - x->rank;
    for (int k = 0; k < x->rank; k++) {
      int own = k - (x->rank - s->rank);
      bool stretched = own < 0 || s->dim[own] == 1;
      bool changed = n->op == &op_slice ? n->attr->i[3 * k] != 0 || n->attr->i[3 * k + 1] != x->dim[k] ||
                                              n->attr->i[3 * k + 2] != 1
                                        : k == n->attr->i[0];
      if (changed && !stretched) outside = false;
      if (shift != 0 && changed && own >= 0) outside = false;
      if (shift != 0 && !changed && own >= 0 && k < n->attr->i[0]) outside = false;
    }
    if (outside) {
      Attr shape = {.n = n->type->rank, .i = n->type->dim};
      NodeId from = b->in[0];
      return share(p, &op_broadcast, &from, 1, &shape, depth);
    }
  }
  (*real)++;
  NodeId in[2] = {operand, n->n_in > 1 ? n->in[1] : 0};
  return share(p, n->op, in, n->n_in, n->attr, depth);
}

/* A slice of rows gathered from file data: x[p][a:b, c:d] is x[p[a:b]][:, c:d]. Of such a formula only the rows that
 * somebody reads are ever computed, so an index that is cut away is no fault. */
static NodeId rows_of_rows(Pass *p, const Node *n, const Node *x, int depth) {
  Graph *g = p->to;
  if (g->node[x->in[1]].type->rank != 1 || n->type->dim[0] >= x->type->dim[0]) return NO_NODE;
  NodeId in[2] = {x->in[0], x->in[1]};
  Attr rows = {.n = 3, .i = n->attr->i};
  in[1] = share(p, &op_slice, &in[1], 1, &rows, depth);
  NodeId y = share(p, &op_gather, in, 2, x->attr, depth);
  int64_t *rest = arena_copy(p->tmp, n->attr->i, n->attr->n * sizeof *rest);
  rest[0] = 0;
  rest[1] = n->type->dim[0];
  rest[2] = 1;
  return share(p, &op_slice, &y, 1, &(Attr){.n = n->attr->n, .i = rest}, depth);
}

/* Slice and gather below what makes less work there: a pointwise op, a reshape that keeps the axis, another gather. */
static NodeId cut_below(Pass *p, const Node *n, bool alone, int depth) {
  Graph *g = p->to;
  if (!cuts(n->op) || depth == 0) return NO_NODE;
  Node x = g->node[n->in[0]];
  if (!alone && !(x.flags & NODE_LAZY)) return NO_NODE;
  if (x.op->flags & OP_POINTWISE && !(x.op->flags & OP_FAILS) && x.n_in >= 1 && x.n_in <= 8) {
    if (type_count(n->type) >= type_count(x.type)) return NO_NODE;
    NodeId in[8];
    int real = 0;
    for (uint32_t k = 0; k < x.n_in; k++) in[k] = cut(p, n, x.in[k], &real, depth - 1);
    return real > 0 ? share(p, x.op, in, x.n_in, x.attr, depth - 1) : NO_NODE;
  }
  if (n->op == &op_slice && x.op == &op_gather && x.attr->i[0] == 0 && x.flags & NODE_LAZY)
    return rows_of_rows(p, n, &x, depth - 1);
  bool first_axis = n->op != &op_slice && n->attr->i[0] == 0;
  if (!first_axis) return NO_NODE;
  if (x.op == &op_reshape) {
    const Type *from = g->node[x.in[0]].type;
    if (x.type->rank == 0 || from->rank == 0 || from->dim[0] != x.type->dim[0]) return NO_NODE;
    NodeId in[2] = {x.in[0], n->in[1]};
    NodeId y = share(p, n->op, in, 2, n->attr, depth - 1);
    Attr shape = {.n = n->type->rank, .i = n->type->dim};
    return share(p, &op_reshape, &y, 1, &shape, depth - 1);
  }
  if (x.op == &op_gather && x.attr->i[0] == 0 && g->node[x.in[1]].type->rank == 1) {   /* x[p][i] is x[p[i]] */
    NodeId index[2] = {x.in[1], n->in[1]};
    NodeId in[2] = {x.in[0], share(p, n->op, index, 2, n->attr, depth - 1)};
    return share(p, &op_gather, in, 2, x.attr, depth - 1);
  }
  return NO_NODE;
}

/* ---- a node of the copy ---- */

static NodeId improve(Pass *p, NodeId id, bool alone, int depth) {
  Graph *g = p->to;
  Node n = g->node[id];
  if (n.op == &op_alias || n.op == &op_stop_gradient) return n.in[0];
  NodeId r = fold(p, id);
  if (r == NO_NODE && n.op->simplify) r = n.op->simplify(&(Simplify){.g = g, .id = id, .node = n});
  if (r == NO_NODE && depth > 0) r = below_broadcasts(p, &n, depth - 1);
  if (r == NO_NODE) r = cut_below(p, &n, alone, depth);
  return r;
}

/* The last node, which is new: it is found from now on, and improved. */
static NodeId enter(Pass *p, NodeId id, uint32_t h, bool alone, int depth) {
  note_origins(p);
  table_put(p, (Entry){h, id + 1});
  p->n_shared++;
  NodeId r = improve(p, id, alone, depth);
  note_origins(p);
  if (r == NO_NODE || r == id) return id;
  p->changed = true;
  return p->better.at[id] = p->better.at[r];
}

static NodeId share_alone(Pass *p, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr, bool alone,
                          int depth) {
  Graph *g = p->to;
  table_room(p);
  /* The type is not known before the node is made: made, then looked up, and if it is there dropped as dead. */
  NodeId id = graph_emit(g, op, in, n_in, attr, g->loc, NULL);
  uint32_t h = hash(&g->node[id]);
  NodeId same = table_find(p, &g->node[id], h);
  if (same != NO_NODE) {
    g->n--;
    return p->better.at[same];
  }
  return enter(p, id, h, alone, depth);
}

/* A node of the graph before, with its inputs of this one. Nothing is made if an equal one is there. */
static NodeId copy(Pass *p, const Node *n, const NodeId *in, bool alone) {
  Graph *g = p->to;
  table_room(p);
  Node wanted = *n;
  wanted.in = in;
  uint32_t h = hash(&wanted);
  NodeId same = table_find(p, &wanted, h);
  if (same != NO_NODE) return p->better.at[same];
  return enter(p, graph_copy(g, n, in, true), h, alone, DEPTH);
}

static NodeId share(Pass *p, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr, int depth) {
  return share_alone(p, op, in, n_in, attr, true, depth);
}

static bool *live_nodes(const Graph *g, Arena *a) {
  bool *live = NEW_N(a, bool, g->n + 1);
  uint32_t slots = 0;
  for (NodeId id = 0; id < g->n; id++)
    if (g->node[id].op == &op_input && g->node[id].attr->i[0] >= slots) slots = (uint32_t)g->node[id].attr->i[0] + 1;
  bool *written = NEW_N(a, bool, slots);
  for (uint32_t k = 0; k < g->out.n; k++) {
    live[g->out.at[k].node] = true;
    if (g->out.at[k].slot < slots) written[g->out.at[k].slot] = true;
  }
  for (NodeId id = g->n; id-- > 0;) {
    const Node *n = &g->node[id];
    if (n->op == &op_input && written[n->attr->i[0]]) live[id] = true;   /* keeps the slot a cell */
    if (!live[id]) continue;
    for (uint32_t k = 0; k < n->n_in; k++) live[n->in[k]] = true;
  }
  return live;
}

/* One copy; the first also optimises bodies. */
static bool pass(Pass *p, const Opt *o, bool bodies) {
  const Graph *g = p->from;
  bool *live = live_nodes(g, p->tmp);
  p->map = NEW_N(p->tmp, NodeId, g->n + 1);
  p->uses = NEW_N(p->tmp, uint32_t, g->n + 1);
  for (NodeId id = 0; id < g->n; id++)
    if (live[id])
      for (uint32_t k = 0; k < g->node[id].n_in; k++) p->uses[g->node[id].in[k]]++;
  for (uint32_t k = 0; k < g->out.n; k++) p->uses[g->out.at[k].node]++;
  for (NodeId id = 0; id < g->n; id++) {
    if (!live[id]) continue;      /* dropped here and now: that asks for no further pass */
    Node n = g->node[id];
    p->at = id;
    p->to->loc = n.loc;
    p->to->segment = n.segment;
    NodeId few[8], *in = n.n_in <= 8 ? few : NEW_N(p->tmp, NodeId, n.n_in);
    for (uint32_t k = 0; k < n.n_in; k++) in[k] = p->map[n.in[k]];
    bool alone = n.n_in == 0 || p->uses[n.in[0]] == 1;
    NodeId y;
    if (bodies && n.attr->body) {
      Attr attr = *n.attr;
      NodeId *unused;
      attr.body = opt_run(attr.body, p->home, o, &unused);
      y = share_alone(p, n.op, in, n.n_in, &attr, alone, DEPTH);
    } else y = copy(p, &n, in, alone);
    if (n.op->id == OP_input) p->to->node[y].flags |= n.flags;
    else p->to->node[y].flags |= n.flags & (NODE_LAZY | NODE_INTS);
    p->map[id] = y;
  }
  for (uint32_t k = 0; k < g->out.n; k++)
    graph_output(p->to, p->map[g->out.at[k].node], g->out.at[k].slot);
  p->to->loc = 0;
  return p->changed;
}

/* A copy of g in which every output has its stable form, and loops make what is read. */
static Graph *stabilised(const Graph *g, Arena *a, const NodeId **origin) {
  Graph *to = graph_clone(g, a);
  to->limit = LIMIT;
  NodeId *root = NEW_N(a, NodeId, g->out.n + 1), *best = NEW_N(a, NodeId, g->out.n + 1);
  for (uint32_t k = 0; k < g->out.n; k++) root[k] = g->out.at[k].node;
  NodeId *made;
  graph_stable(to, root, g->out.n, NULL, 0, best, &made);
  for (uint32_t k = 0; k < g->out.n; k++) graph_output(to, best[k], g->out.at[k].slot);
  graph_trim(to, a);
  graph_join(to, a, made);
  graph_trim(to, a);
  *origin = made;
  return to;
}

Graph *opt_run(const Graph *g, Arena *a, const Opt *o, NodeId **origin) {
  host_deeper(arena_host(a));
  Arena *tmp = arena_new(arena_host(a));
  const NodeId *from = NULL;
  const Graph *now = o->no_rewrite ? g : stabilised(g, tmp, &from);
  for (int k = 0;; k++) {
    Pass p = {.from = now, .tmp = tmp, .home = a, .origin_from = from};
    p.kernels = o->kernels ? o->kernels : kernels_best();
    p.to = graph_beside(g, tmp);
    p.to->limit = LIMIT;
    graph_room(p.to, now->n);
    bool again = pass(&p, o, k == 0);
    now = p.to;
    from = p.origin.at;
    if (!again || k == PASSES) break;
  }
  /* The last copy, in the caller's arena: nothing is left to change, so ids stay. */
  Graph *to = graph_beside(g, a);
  to->limit = LIMIT;
  graph_room(to, now->n);
  for (NodeId id = 0; id < now->n; id++) {
    const Node *n = &now->node[id];
    to->segment = n->segment;
    graph_copy(to, n, n->in, false);
    to->node[id].flags = n->flags;
  }
  for (uint32_t k = 0; k < now->out.n; k++) graph_output(to, now->out.at[k].node, now->out.at[k].slot);
  *origin = arena_copy(a, from, now->n * sizeof *from);
  arena_free(tmp);
  return to;
}
