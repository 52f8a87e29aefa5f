/* graph: nodes in one array that is its own topological order. In: ops with inputs and attributes. Out: typed nodes.
 * Invariant: a node is made only when its op's type rule has accepted its inputs, so no later pass meets an ill-typed
 * node. Emission neither folds nor shares: the graph is as written, and `grad` of a known value works.
 * Nodes are values in a vector, everything they point at lies in the arena, so a copy of a node stays valid.
 */
#include "graph/op.h"
#include <assert.h>
#include <string.h>

enum { NODE_LIMIT = 1000000, TYPES_START = 64, STORED = DTYPES_OF(DTYPE_STORAGE) };

typedef struct Types {
  Arena *arena;
  const Type **at;
  uint32_t n, cap;           /* cap is a power of two */
} Types;

static Graph *graph_with(Arena *a, Types *t) {
  Graph *g = NEW(a, Graph);
  g->arena = a;
  g->limit = NODE_LIMIT;
  g->types = t;
  return g;
}

Graph *graph_new(Arena *a) {
  Types *t = NEW(a, Types);
  t->arena = a;
  t->cap = TYPES_START;
  t->at = NEW_N(a, const Type *, t->cap);
  return graph_with(a, t);
}

Graph *graph_beside(const Graph *g, Arena *a) {
  Graph *to = graph_with(a, g->types);
  to->kernels = g->kernels;
  return to;
}

void graph_change(Graph *g) {
  arena_change(g->arena, g, sizeof *g);
  arena_change(g->arena, g->types, sizeof(Types));
}

static uint32_t type_hash(const Type *t) {
  uint64_t h = ((uint64_t)t->dtype << 8 | t->rank) * 0x9e3779b97f4a7c15u;
  for (int k = 0; k < t->rank; k++) h = (h ^ (uint64_t)t->dim[k] ^ h >> 29) * 0x9e3779b97f4a7c15u;
  return (uint32_t)(h >> 32);
}

static uint32_t type_place(const Types *s, const Type *t) {
  uint32_t k = type_hash(t) & (s->cap - 1);
  while (s->at[k] && !type_eq(s->at[k], t)) k = (k + 1) & (s->cap - 1);
  return k;
}

const Type *graph_type(Graph *g, const Type *t) {
  Types *s = g->types;
  uint32_t k = type_place(s, t);
  if (s->at[k]) return s->at[k];
  if (s->n * 2 >= s->cap) {
    Types big = {.arena = s->arena, .cap = s->cap * 2, .n = s->n};
    big.at = NEW_N(s->arena, const Type *, big.cap);
    for (uint32_t j = 0; j < s->cap; j++)
      if (s->at[j]) big.at[type_place(&big, s->at[j])] = s->at[j];
    *s = big;
    k = type_place(s, t);
  }
  Type own = type_make((DType)t->dtype, t->rank, t->dim);   /* unused dims are zero */
  const Type *kept = arena_copy(s->arena, &own, sizeof own);
  arena_change(s->arena, &s->at[k], sizeof s->at[k]);
  s->n++;
  return s->at[k] = kept;
}

/* ---- emission ---- */

const Attr attr_none = {.n = 0};

static const Attr *attr_copy(Graph *g, const Attr *attr) {
  const Attr *none = &attr_none;
  if (!attr || attr == none ||
      !(attr->n || attr->value || attr->body || attr->foreign || memcmp(attr->f, none->f, sizeof none->f) != 0))
    return none;
  Attr *own = arena_copy(g->arena, attr, sizeof *attr);
  if (attr->n) own->i = arena_copy(g->arena, attr->i, attr->n * sizeof *attr->i);
  if (attr->value) tensor_hold(g->arena, attr->value);
  return own;
}

static bool keeps_lazy(const Op *op, const Attr *attr) {
  if (op->flags & (OP_POINTWISE | OP_KEEPS_LAZY)) return true;
  return (op->flags & OP_KEEPS_LAZY_AXIS_0) && attr->n && attr->i[0] == 0;
}

/* A formula over file data stays one only along its first input; a pointwise op may have it anywhere. */
static uint16_t flags_of(const Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr,
                         DType result) {
  uint16_t all = NODE_FLEX | NODE_KNOWN, some = 0, first = 0;
  for (uint32_t k = 0; k < n_in; k++) {
    all &= g->node[in[k]].flags;
    some |= g->node[in[k]].flags;
    if (k == 0) first = some;
  }
  uint16_t flags = some & NODE_BAD;
  if ((all & NODE_KNOWN) && op != &op_input && !(op->flags & OP_OPAQUE)) flags |= NODE_KNOWN;
  if (n_in && (all & NODE_FLEX) && result == F64 && op != &op_cast) flags |= NODE_FLEX;
  uint16_t lazy = op->flags & OP_POINTWISE ? some : first;
  if ((lazy & NODE_LAZY) && keeps_lazy(op, attr)) flags |= NODE_LAZY;
  return flags;
}

static NodeId node_push(Graph *g, Node node) {
  if (g->n >= g->limit)
    host_fail(arena_host(g->arena), FAIL_LIMIT, "the graph has more than %u nodes", (unsigned)g->limit);
  host_go_on(arena_host(g->arena));
  vec_room(g->arena, (void **)&g->node, &g->cap, g->n, sizeof *g->node);
  g->node[g->n] = node;
  return g->n++;
}

NodeId graph_emit(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr, Loc loc, TypeError *e) {
  static const Attr none = {.n = 0};
  if (!attr) attr = &none;
  const Type *few[8];
  const Type **x = n_in <= 8 ? few : NEW_N(g->arena, const Type *, n_in);
  bool bad = false;
  for (uint32_t k = 0; k < n_in; k++) {
    assert(in[k] < g->n);
    x[k] = g->node[in[k]].type;
    if (g->node[in[k]].flags & NODE_BAD) bad = true;
  }
  TypeRule r = {.g = g, .op = op, .x = x, .in = in, .n = n_in, .attr = attr, .e = {.a = -1, .b = -1}};
  if (bad) {
    r.y = *x[0];   /* nobody reads it: what follows from a mistake is never run */
  } else {
    bool ok = (op->n_in < 0 || n_in == (uint32_t)op->n_in) && op->type(&r) && storage_kept(&r, STORED);
    if (!ok && r.e.kind == BAD_NONE) refuse(&r, BAD_VALUE, -1, -1, NULL, "`%s` does not take these operands", op->name);
    if (ok && r.y.rank > MAX_RANK)
      ok = refuse(&r, BAD_LIMIT, -1, -1, NULL, "the result of `%s` has rank %d, more than %d", op->name, r.y.rank,
                  MAX_RANK);
    if (ok && !type_fits(&r.y))
      ok = refuse(&r, BAD_LIMIT, -1, -1, NULL, "the result of `%s` is %s, more than 1 TiB", op->name,
                  type_show(g->arena, &r.y));
    if (!ok) {
      if (!e) host_fail(arena_host(g->arena), r.e.kind == BAD_LIMIT ? FAIL_LIMIT : FAIL_BUG, "%s", r.e.text);
      *e = r.e;
      return NO_NODE;
    }
  }
  Node node = {.op = op, .loc = loc ? loc : g->loc, .segment = g->segment, .n_in = (uint16_t)n_in};
  if (n_in > UINT16_MAX)
    host_fail(arena_host(g->arena), FAIL_LIMIT, "an operation has more than %d operands", UINT16_MAX);
  node.type = graph_type(g, &r.y);
  node.in = n_in ? arena_copy(g->arena, in, n_in * sizeof *in) : NULL;
  node.attr = attr_copy(g, attr);
  node.flags = flags_of(g, op, in, n_in, attr, (DType)r.y.dtype);
  return node_push(g, node);
}

void graph_room(Graph *g, uint32_t more) {
  if (more > UINT32_MAX - g->n) more = UINT32_MAX - g->n;
  vec_reserve(g->arena, (void **)&g->node, &g->cap, g->n, sizeof *g->node, g->n + more);
}

NodeId graph_copy(Graph *g, const Node *n, const NodeId *in, bool lasts) {
  Node node = *n;
  if (!node.loc) node.loc = g->loc;
  node.segment = g->segment;
  if (n->n_in && !(lasts && memcmp(in, n->in, n->n_in * sizeof *in) == 0))
    node.in = arena_copy(g->arena, in, n->n_in * sizeof *in);
  if (!lasts) node.attr = attr_copy(g, n->attr);
  node.flags = flags_of(g, n->op, in, n->n_in, n->attr, (DType)n->type->dtype);
  return node_push(g, node);
}

Graph *graph_clone(const Graph *g, Arena *a) {
  Graph *to = graph_beside(g, a);
  to->limit = g->limit;
  to->n = to->cap = g->n;
  to->node = arena_copy(a, g->node, g->n * sizeof *g->node);
  return to;
}

NodeId graph_input(Graph *g, uint32_t slot, const Type *t, Loc loc) {
  int64_t i[2 + MAX_RANK] = {slot, t->dtype};
  for (int k = 0; k < t->rank; k++) i[2 + k] = t->dim[k];
  return graph_emit(g, &op_input, NULL, 0, &(Attr){.i = i, .n = 2u + t->rank}, loc, NULL);
}

NodeId graph_const(Graph *g, Tensor *t, Loc loc) {
  return graph_emit(g, &op_constant, NULL, 0, &(Attr){.value = t}, loc, NULL);
}

NodeId graph_const_like(Graph *g, DType d, double v, Loc loc) {
  Type type = type_scalar(d);
  Tensor *t = tensor_new(arena_host(g->arena), &type);
  tensor_set(t, 0, v);
  NodeId id = graph_const(g, t, loc);
  tensor_unref(t);
  return id;
}

void graph_output(Graph *g, NodeId node, uint32_t slot) {
  assert(node < g->n);
  vec_push(g->arena, &g->out, (Output){.node = node, .slot = slot});
}

/* ---- slices ---- */

static void sift(NodeId *at, uint32_t k, uint32_t n) {
  for (;;) {
    uint32_t child = 2 * k + 1;
    if (child >= n) return;
    if (child + 1 < n && at[child + 1] > at[child]) child++;
    if (at[k] >= at[child]) return;
    NodeId t = at[k];
    at[k] = at[child];
    at[child] = t;
    k = child;
  }
}

/* Heap sort: qsort may allocate behind the host's back. */
void graph_sort(NodeId *at, uint32_t n) {
  for (uint32_t k = n / 2; k-- > 0;) sift(at, k, n);
  for (uint32_t last = n; last-- > 1;) {
    NodeId t = at[0];
    at[0] = at[last];
    at[last] = t;
    sift(at, 0, last);
  }
}

/* at holds all that is marked: where they stand close together, the marks say them in order. */
static void sort_marked(const Graph *g, NodeId *at, uint32_t n) {
  NodeId low = at[0], high = at[0];
  for (uint32_t k = 1; k < n; k++) {
    if (at[k] < low) low = at[k];
    if (at[k] > high) high = at[k];
  }
  if ((high - low) / 16 > n) {
    graph_sort(at, n);
    return;
  }
  uint32_t k = 0;
  for (NodeId id = low; id <= high; id++)
    if (g->mark[id] == g->epoch) at[k++] = id;
}

static void marks_room(Graph *g) {
  if (g->mark_cap < g->n) {
    uint32_t cap = g->mark_cap ? g->mark_cap : 256;
    while (cap < g->n) cap *= 2;
    g->mark = NEW_N(g->arena, uint32_t, cap);
    g->mark_cap = cap;
  }
  if (g->epoch == UINT32_MAX) {
    memset(g->mark, 0, g->mark_cap * sizeof *g->mark);
    g->epoch = 0;
  }
  g->epoch++;
}

uint32_t graph_slice(Graph *g, const NodeId *root, uint32_t n_root, bool (*stop)(void *, NodeId), void *ctx,
                     NodeId **out) {
  marks_room(g);
  VEC(NodeId) ids = {0};
  for (uint32_t k = 0; k < n_root; k++)
    if (g->mark[root[k]] != g->epoch) {
      g->mark[root[k]] = g->epoch;
      vec_push(g->arena, &ids, root[k]);
    }
  for (uint32_t at = 0; at < ids.n; at++) {   /* ids is the queue too */
    NodeId id = ids.at[at];
    if (stop && stop(ctx, id)) continue;
    const Node *node = &g->node[id];
    for (uint32_t k = 0; k < node->n_in; k++)
      if (g->mark[node->in[k]] != g->epoch) {
        g->mark[node->in[k]] = g->epoch;
        vec_push(g->arena, &ids, node->in[k]);
      }
  }
  bool ascending = true;
  for (uint32_t k = 1; k < ids.n; k++) ascending &= ids.at[k - 1] < ids.at[k];
  if (!ascending) sort_marked(g, ids.at, ids.n);
  *out = ids.at;
  return ids.n;
}

void graph_inline(Graph *g, Graph *from, const NodeId *in, NodeId *out) {
  Arena *a = g->arena;
  NodeId *at = NEW_N(a, NodeId, from->n + 1u), *root = NEW_N(a, NodeId, from->out.n + 1u), *ids;
  for (uint32_t k = 0; k < from->out.n; k++) root[k] = from->out.at[k].node;
  uint32_t n = graph_slice(from, root, from->out.n, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++) {
    Node node = from->node[ids[k]];
    if (node.op == &op_input) {
      at[ids[k]] = in[node.attr->i[0]];
      continue;
    }
    NodeId *x = NEW_N(a, NodeId, node.n_in + 1u);
    for (uint32_t j = 0; j < node.n_in; j++) x[j] = at[node.in[j]];
    at[ids[k]] = graph_emit(g, node.op, x, node.n_in, node.attr, node.loc, NULL);
    g->node[at[ids[k]]].flags |= node.flags & (NODE_LAZY | NODE_BAD);
  }
  for (uint32_t k = 0; k < from->out.n; k++) out[k] = at[root[k]];
}
