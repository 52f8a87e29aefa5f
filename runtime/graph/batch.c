/* batch: vmap as a pass over the graph. In: a formula of one element, and for each of its inputs the whole batch, which
 * has one axis more, in front. Out: the formula of the batch, as nodes of the same graph; what does not depend on the
 * element stays as it is and is computed once.
 * A family's rule moves the axes that an op names (an op works on its last axes, leading ones are batch); a loop's body
 * is batched first; what has no rule goes round a loop, an element a turn. A loop that each element ends for itself
 * turns until all have ended; from then on a `where` keeps what an element had.
 * Invariant: a batched node has its element's type with the batch in front; an element's value is the one that the
 * formula alone would have, draws included, whose keys are batched like any other value.
 */
#include "graph/batch.h"
#include <string.h>

typedef struct Pass {
  Graph *from, *to;          /* one graph, or a body and its batched copy */
  NodeId *map;               /* by node of from */
  bool *has;                 /* whether the mapped node has the batch axis */
  bool **outs;               /* of a batched loop: which of its results have it */
  uint32_t **nth;            /* and which of its results is each of the element's; NULL: the same */
  int64_t size;
  BatchError *error;
} Pass;

Type batch_type(const Type *t, int64_t size) {
  Type y = {.dtype = t->dtype, .rank = (uint8_t)(t->rank + 1), .dim = {size}};
  memcpy(y.dim + 1, t->dim, (MAX_RANK - 1) * sizeof *y.dim);
  return y;
}

NodeId batch_full(const Batch *b, uint32_t k) {
  if (b->has[k]) return b->x[k];
  Type t = batch_type(b->g->node[b->x[k]].type, b->size);
  return g_broadcast(b->g, b->x[k], &t);
}

NodeId batch_emit(const Batch *b, const NodeId *x, const int64_t *i, uint32_t n_i) {
  Attr attr = *b->node->attr;
  attr.i = i;
  attr.n = n_i;
  return graph_emit(b->g, b->node->op, x, b->node->n_in, &attr, 0, NULL);
}

static NodeId *all_full(const Batch *b) {
  NodeId *x = NEW_N(b->g->arena, NodeId, b->node->n_in + 1u);
  for (uint32_t k = 0; k < b->node->n_in; k++) x[k] = batch_full(b, k);
  return x;
}

NodeId batch_same(Batch *b) { return batch_emit(b, all_full(b), b->node->attr->i, b->node->attr->n); }

/* attr->i with one of its numbers, an axis, moved on. */
static NodeId axis_moved(Batch *b, uint32_t at) {
  int64_t *i = arena_copy(b->g->arena, b->node->attr->i, b->node->attr->n * sizeof *i);
  i[at]++;
  return batch_emit(b, all_full(b), i, b->node->attr->n);
}
NodeId batch_axis(Batch *b) { return axis_moved(b, 0); }
NodeId batch_second_axis(Batch *b) { return axis_moved(b, 1); }

NodeId batch_sizes(const Batch *b, const NodeId *x, uint32_t first) {
  const Attr *a = b->node->attr;
  int64_t *i = NEW_N(b->g->arena, int64_t, a->n + 1u);
  if (first) memcpy(i, a->i, first * sizeof *i);
  i[first] = b->size;
  for (uint32_t k = first; k < a->n; k++) i[k + 1] = a->i[k];
  return batch_emit(b, x, i, a->n + 1u);
}

NodeId batch_front(Graph *g, NodeId x, int from, int to) {
  Type t = *g->node[x].type;
  if (from == to) return x;
  int64_t i[MAX_RANK];
  int n = 0;
  for (int k = 0; k <= t.rank; k++) {
    if (n == to) i[n++] = from;
    if (k < t.rank && k != from) i[n++] = k;
  }
  return g_attr(g, &op_permute, &x, 1, i, t.rank);
}

/* ---- bodies ---- */

static bool walk(Pass *p, const NodeId *root, uint32_t n_root);

/* The body over a batch. has: by slot, which inputs have the axis; full: outputs that must; out_has: those that do. */
static Graph *batch_body(const Pass *p, Graph *body, const bool *has, const bool *full, bool *out_has) {
  Graph *to = graph_new(p->to->arena);
  to->limit = p->to->limit;
  Arena *a = to->arena;
  Pass q = {.from = body, .to = to, .size = p->size, .error = p->error, .map = NEW_N(a, NodeId, body->n + 1u),
            .has = NEW_N(a, bool, body->n + 1u), .outs = NEW_N(a, bool *, body->n + 1u),
            .nth = NEW_N(a, uint32_t *, body->n + 1u)};
  NodeId *root = NEW_N(a, NodeId, body->out.n + 1u);
  for (NodeId k = 0; k < body->n; k++) q.map[k] = NO_NODE;
  for (uint32_t k = 0; k < body->out.n; k++) root[k] = body->out.at[k].node;
  NodeId *ids;
  uint32_t n = graph_slice(body, root, body->out.n, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = &body->node[ids[k]];
    if (x->op != &op_input) continue;
    uint32_t slot = (uint32_t)x->attr->i[0];
    if (has[slot] && x->type->rank == MAX_RANK) {
      *p->error = (BatchError){.loc = x->loc, .type = *x->type};
      return NULL;
    }
    Type t = has[slot] ? batch_type(x->type, p->size) : *x->type;
    q.map[ids[k]] = graph_input(to, slot, &t, x->loc);
    q.has[ids[k]] = has[slot];
  }
  if (!walk(&q, root, body->out.n)) return NULL;
  for (uint32_t k = 0; k < body->out.n; k++) {
    NodeId y = q.map[root[k]];
    out_has[k] = q.has[root[k]];
    if (full[k] && !out_has[k]) {
      Type t = batch_type(to->node[y].type, p->size);
      y = g_broadcast(to, y, &t);
      out_has[k] = true;
    }
    graph_output(to, y, body->out.at[k].slot);
  }
  return to;
}

/* Which carries have the axis: those that begin with it, and those that a turn gives it to. */
static void spread_through(const Graph *body, bool *has, uint32_t n_carry, Arena *a) {
  bool *of = NEW_N(a, bool, body->n + 1u);
  for (bool again = true; again;) {
    again = false;
    for (NodeId id = 0; id < body->n; id++) {
      const Node *x = &body->node[id];
      of[id] = x->op == &op_input && has[x->attr->i[0]];
      for (uint32_t k = 0; k < x->n_in; k++) of[id] |= of[x->in[k]];
    }
    for (uint32_t k = 0; k < n_carry; k++)
      if (of[body->out.at[k].node] && !has[k]) has[k] = again = true;
  }
}

/* ---- loops that end by themselves ---- */

/* An element's loop, before it is batched. */
typedef struct Turns {
  Graph *body;
  uint32_t n, c, s, n_out;   /* operands, carries, sequences, outputs of the body */
  NodeId *x;                 /* the operands, mapped, */
  bool *has;                 /* and whether they have the axis; behind them the turn */
  uint32_t *nth;
} Turns;

static Turns turns_of(const Pass *p, const Node *node) {
  Arena *a = p->to->arena;
  Turns l = {.body = node->attr->body, .n = node->n_in, .c = (uint32_t)node->attr->i[LOOP_CARRIES],
             .s = (uint32_t)node->attr->i[LOOP_SEQUENCES]};
  l.n_out = l.body->out.n;
  l.x = NEW_N(a, NodeId, l.n + 3u);
  l.has = NEW_N(a, bool, l.n + 4u);
  for (uint32_t k = 0; k < l.n; k++) {
    l.x[k] = p->map[node->in[k]];
    l.has[k] = p->has[node->in[k]];
  }
  return l;
}

/* The body in a graph of its own, over inputs whose slots are moved by `more` from `from` on. in: by slot. */
static Graph *moved_body(const Turns *l, uint32_t from, uint32_t more, NodeId *in, NodeId *result) {
  Graph *to = graph_new(l->body->arena);
  to->limit = l->body->limit;
  for (uint32_t k = 0; k <= l->n; k++) in[k] = NO_NODE;
  for (NodeId id = 0; id < l->body->n; id++) {
    const Node *x = &l->body->node[id];
    uint32_t slot = (uint32_t)(x->op == &op_input ? x->attr->i[0] : 0);
    if (x->op == &op_input) in[slot] = graph_input(to, slot < from ? slot : slot + more, x->type, x->loc);
  }
  graph_inline(to, l->body, in, result);
  return to;
}

static NodeId kept_where(Graph *g, NodeId keep, NodeId old, NodeId new) {
  return g_op3(g, &op_where, g_broadcast(g, keep, g->node[old].type), old, new);
}

/* A carry as the body finds it, though no turn reads it. */
static NodeId carry_input(Graph *to, const Pass *p, const Turns *l, const NodeId *in, uint32_t k) {
  const Node *node = &l->body->node[l->body->out.at[k].node];
  return in[k] != NO_NODE ? in[k] : graph_input(to, k, node->type, p->to->loc);
}

/* A loop that ends by a flag, as one that goes on when its flag was set, and then keeps what it has: two carries more,
 * whether it ended and after how many turns. What it gives for an element is what it gave. */
static void until_goes_on(const Pass *p, Turns *l) {
  Graph *g = p->to;
  Arena *a = g->arena;
  uint32_t c = l->c, n_out = l->n_out;
  NodeId *in = NEW_N(a, NodeId, l->n + 1u), *y = NEW_N(a, NodeId, n_out + 1u), *x = NEW_N(a, NodeId, l->n + 3u);
  bool *has = NEW_N(a, bool, l->n + 4u);
  Graph *to = moved_body(l, c, 2, in, y);
  Type flag = *to->node[y[c]].type, i32 = type_scalar(I32), truth = type_scalar(BOOL);
  NodeId ended = graph_input(to, c, &truth, g->loc), made = graph_input(to, c + 1, &i32, g->loc);
  if (flag.rank > 0) {       /* that of a loop over elements that end for themselves: all of them */
    int64_t axes[MAX_RANK + 2] = {flag.rank};
    for (int k = 0; k < flag.rank; k++) axes[k + 1] = k;
    y[c] = g_attr(to, &op_all, &y[c], 1, axes, (uint32_t)flag.rank + 2);
  }
  for (uint32_t k = 0; k < c; k++)
    graph_output(to, kept_where(to, ended, carry_input(to, p, l, in, k), y[k]), k);
  NodeId end = g_op2(to, &op_or, ended, y[c]), one = graph_const_like(to, I32, 1, 0);
  graph_output(to, end, c);
  graph_output(to, kept_where(to, ended, made, g_op2(to, &op_add, made, one)), c + 1);
  graph_output(to, end, c + 2);
  for (uint32_t k = c + 1; k < n_out; k++)
    graph_output(to, kept_where(to, ended, g_fill(to, to->node[y[k]].type, 0), y[k]), k + 2);
  l->nth = NEW_N(a, uint32_t, n_out + 1u);
  for (uint32_t k = 0; k < n_out; k++) l->nth[k] = k < c ? k : k == c ? c + 1 : k + 2;
  for (uint32_t k = 0; k < l->n; k++) {
    x[k < c ? k : k + 2] = l->x[k];
    has[k < c ? k : k + 2] = l->has[k];
  }
  x[c] = l->x[l->n - 1];
  has[c] = l->has[l->n - 1];
  x[c + 1] = graph_const_like(g, I32, 0, 0);
  x[l->n + 1] = graph_const_like(g, BOOL, 0, 0);
  has[l->n + 1] = false;
  *l = (Turns){.body = to, .n = l->n + 2, .c = c + 2, .s = l->s, .n_out = n_out + 2, .x = x, .has = has, .nth = l->nth};
}

/* A loop of counted turns, as one of the most turns that an element has: in the others it keeps what it has. */
static void counted_goes_on(const Pass *p, Turns *l) {
  Graph *g = p->to;
  NodeId *in = NEW_N(g->arena, NodeId, l->n + 1u), *y = NEW_N(g->arena, NodeId, l->n_out + 1u);
  Graph *to = moved_body(l, l->n, 1, in, y);
  Type i32 = type_scalar(I32);
  NodeId count = graph_input(to, l->n - 1, &i32, g->loc);
  NodeId turn = in[l->n] != NO_NODE ? in[l->n] : graph_input(to, l->n + 1, &i32, g->loc);
  NodeId over = g_op2(to, &op_ge, turn, count);
  for (uint32_t k = 0; k < l->n_out; k++) {
    NodeId old = k < l->c ? carry_input(to, p, l, in, k) : g_fill(to, to->node[y[k]].type, 0);
    graph_output(to, kept_where(to, over, old, y[k]), k);
  }
  NodeId most = l->x[l->n - 1];
  l->x[l->n] = p->size == 0 ? graph_const_like(g, I32, 0, 0)
                            : g_attr(g, &op_reduce_max, &most, 1, (int64_t[]){1, 0, 0}, 3);
  l->has[l->n] = false;
  l->body = to;
  l->n++;
}

/* An element's loop that an element ends for itself goes on for the others. */
static void go_on(const Pass *p, const Attr *attr, Turns *l) {
  int64_t ends = loop_ends(attr);
  if (ends == ENDS_COUNTED && l->has[l->n - 1]) counted_goes_on(p, l);
  if (ends != ENDS_UNTIL) return;
  bool *of = NEW_N(p->to->arena, bool, l->n + 1u), *node = NEW_N(p->to->arena, bool, l->body->n + 1u);
  memcpy(of, l->has, l->n * sizeof *of);
  spread_through(l->body, of, l->c, p->to->arena);
  for (NodeId id = 0; id < l->body->n; id++) {
    const Node *x = &l->body->node[id];
    node[id] = x->op == &op_input && of[x->attr->i[0]];
    for (uint32_t k = 0; k < x->n_in; k++) node[id] |= node[x->in[k]];
  }
  if (of[l->n - 1] || node[l->body->out.at[l->c].node]) until_goes_on(p, l);
}

static bool batch_loop(Pass *p, NodeId id, const Node *node) {
  Graph *g = p->to;
  Arena *a = g->arena;
  const Attr *attr = node->attr;
  Turns l = turns_of(p, node);
  go_on(p, attr, &l);
  uint32_t n = l.n, c = l.c, s = l.s, n_out = l.n_out;
  bool *has = l.has, *began = arena_copy(a, l.has, n * sizeof *has);
  bool *full = NEW_N(a, bool, n_out + 1u), *out = NEW_N(a, bool, n_out + 1u);
  NodeId *x = l.x;
  has[n] = false;            /* the turn */
  spread_through(l.body, has, c, a);
  for (uint32_t k = 0; k < n_out; k++) full[k] = k < c && has[k];
  for (uint32_t k = 0; k < c; k++)
    if (has[k] && !began[k]) {
      Type t = batch_type(g->node[x[k]].type, p->size);
      x[k] = g_broadcast(g, x[k], &t);
    }
  for (uint32_t k = c; k < c + s; k++)
    if (has[k]) x[k] = batch_front(g, x[k], 1, 0);   /* turns first */
  Attr batched = *attr;
  batched.body = batch_body(p, l.body, has, full, out);
  if (!batched.body) return false;
  int64_t *i = arena_copy(a, attr->i, attr->n * sizeof *i);
  i[LOOP_CARRIES] = c;
  batched.i = i;
  p->map[id] = graph_emit(g, &op_loop, x, n, &batched, node->loc, NULL);
  p->outs[id] = out;
  p->nth[id] = l.nth;
  p->has[id] = true;
  return true;
}

static void batch_pick(Pass *p, NodeId id, const Node *node) {
  NodeId from = node->in[0], loop = p->map[from];
  uint32_t k = (uint32_t)node->attr->i[0];
  if (p->nth[from]) k = p->nth[from][k];
  NodeId y = g_attr(p->to, &op_pick, &loop, 1, (int64_t[]){k}, 1);
  const Attr *attr = p->to->node[loop].attr;
  bool stacked = k >= loop_stacks(attr), count = k < loop_stacks(attr) && k >= (uint32_t)attr->i[LOOP_CARRIES];
  p->has[id] = p->outs[from][k] && !count;
  p->map[id] = p->has[id] && stacked ? batch_front(p->to, y, 1, 0) : y;
}

/* An element a turn: for what is called once for each (a foreign function that takes tensors). */
static NodeId by_loop(Batch *b) {
  Graph *g = b->g, *body = graph_new(g->arena);
  uint32_t n = b->node->n_in, s = 0, slot = 0;
  NodeId *in = NEW_N(g->arena, NodeId, n + 1u), *x = NEW_N(g->arena, NodeId, n + 1u);
  for (uint32_t k = 0; k < n; k++) s += b->has[k];
  for (int batched = 1; batched >= 0; batched--)
    for (uint32_t k = 0; k < n; k++)
      if (b->has[k] == (batched == 1)) {
        Type t = *g->node[b->x[k]].type;
        if (batched) t = type_make((DType)t.dtype, t.rank - 1, t.dim + 1);
        in[slot] = b->x[k];
        x[k] = graph_input(body, slot++, &t, b->node->loc);
      }
  graph_output(body, graph_emit(body, b->node->op, x, n, b->node->attr, b->node->loc, NULL), 0);
  Attr attr = {.body = body, .i = (int64_t[]){b->size, 0, s, 0}, .n = 4};
  NodeId loop = graph_emit(g, &op_loop, in, n, &attr, 0, NULL);
  return g_attr(g, &op_pick, &loop, 1, (int64_t[]){0}, 1);
}

bool graph_batch_into(Graph *g, Graph *one, const NodeId *in, const NodeId *to, const bool *has, uint32_t n,
                      int64_t size, const NodeId *root, uint32_t n_root, NodeId *out, bool *out_has, BatchError *e) {
  Arena *a = g->arena;
  Pass p = {.from = one, .to = g, .size = size, .error = e, .map = NEW_N(a, NodeId, one->n + 1u),
            .has = NEW_N(a, bool, one->n + 1u), .outs = NEW_N(a, bool *, one->n + 1u),
            .nth = NEW_N(a, uint32_t *, one->n + 1u)};
  for (NodeId k = 0; k < one->n; k++) p.map[k] = NO_NODE;
  for (uint32_t k = 0; k < n; k++) {
    p.map[in[k]] = to[k];
    p.has[in[k]] = has[k];
  }
  if (!walk(&p, root, n_root)) return false;
  for (uint32_t k = 0; k < n_root; k++) {
    out[k] = p.map[root[k]];
    out_has[k] = p.has[root[k]];
  }
  return true;
}

/* ---- gradients that are given ---- */

typedef struct BatchedGrad {
  CustomGrad base;
  const CustomGrad *of;      /* that of an element */
  const Attr *attr;          /* its node's */
  const Type *type;          /* of each operand of it */
  bool *has;                 /* which operands have the axis */
  uint32_t n;
  int64_t size;
} BatchedGrad;

/* The element's gradient in a graph of its own, batched into the one that asks. An operand that all elements share gets
 * the sum of what they say. */
static void build_batched(const CustomGrad *base, Grad *d) {
  const BatchedGrad *b = (const BatchedGrad *)base;
  Graph *g = d->g, *one = graph_new(g->arena);
  Arena *a = g->arena;
  one->limit = g->limit;
  bool wide = b->type[0].dtype == F32 && g->node[d->x[0]].type->dtype == F64;
  NodeId *x = NEW_N(a, NodeId, b->n + 2u), *dx = NEW_N(a, NodeId, b->n + 1u), *in = NEW_N(a, NodeId, b->n + 2u);
  for (uint32_t k = 0; k < b->n + 2; k++) {
    Type t = b->type[k < b->n ? k : 0];
    if (wide && t.dtype == F32) t.dtype = F64;
    x[k] = graph_input(one, k, &t, g->loc);
    in[k] = k < b->n ? d->x[k] : k == b->n ? d->y : d->dy;
  }
  for (uint32_t k = 0; k < b->n; k++) dx[k] = NO_NODE;
  Grad e = {.g = one, .y = x[b->n], .dy = x[b->n + 1], .selected = d->selected, .x = x, .n = b->n, .attr = b->attr,
            .wanted = d->wanted, .dx = dx, .dx_selected = d->dx_selected};
  b->of->build(b->of, &e);
  graph_no_gradient(g, one->no_gradient, one->no_gradient_at);
  NodeId *root = NEW_N(a, NodeId, b->n + 1u), *of = NEW_N(a, NodeId, b->n + 1u);
  uint32_t n_root = 0;
  for (uint32_t k = 1; k < b->n; k++)
    if (dx[k] != NO_NODE && d->wanted[k]) {
      of[n_root] = k;
      root[n_root++] = dx[k];
    }
  BatchError none;
  bool *has = NEW_N(a, bool, b->n + 2u), *out_has = NEW_N(a, bool, n_root + 1u);
  NodeId *out = NEW_N(a, NodeId, n_root + 1u);
  for (uint32_t k = 0; k < b->n + 2; k++) has[k] = k < b->n ? b->has[k] : true;
  if (!graph_batch_into(g, one, x, in, has, b->n + 2, b->size, root, n_root, out, out_has, &none))
    return;                  /* refused when the formula itself was batched */
  for (uint32_t k = 0; k < n_root; k++) {
    NodeId y = out[k];
    const Type *want = g->node[d->x[of[k]]].type;
    if (b->has[of[k]] && !out_has[k]) y = g_broadcast(g, y, want);
    if (!b->has[of[k]] && !out_has[k]) {   /* each element says the same */
      Type t = batch_type(want, b->size);
      y = g_broadcast(g, y, &t);
    }
    d->dx[of[k]] = b->has[of[k]] ? y : g_sum_to(g, y, want);
  }
}

static NodeId batch_custom(Batch *b, const Graph *from) {
  Arena *a = b->g->arena;
  BatchedGrad *c = NEW(a, BatchedGrad);
  uint32_t n = b->node->n_in;
  *c = (BatchedGrad){.base = {build_batched}, .of = b->node->attr->foreign, .attr = b->node->attr, .n = n,
                     .size = b->size, .has = arena_copy(a, b->has, n * sizeof *b->has)};
  Type *type = NEW_N(a, Type, n + 1u);
  NodeId *x = NEW_N(a, NodeId, n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    type[k] = *from->node[b->node->in[k]].type;
    x[k] = k ? b->x[k] : batch_full(b, 0);
  }
  c->type = type;
  c->has[0] = true;
  return graph_emit(b->g, &op_custom, x, n, &(Attr){.foreign = c}, 0, NULL);
}

/* ---- the walk ---- */

/* A node that has no batch axis. In its own graph it stays, unless it reads a result of a loop that was batched for the
 * sake of others: that result has no axis either, but it is of the new loop. */
static bool copy(Pass *p, NodeId id, const Node *node) {
  bool same = p->from == p->to;
  for (uint32_t k = 0; k < node->n_in && same; k++) same = p->map[node->in[k]] == node->in[k];
  if (same) {
    p->map[id] = id;
    return true;
  }
  NodeId *in = NEW_N(p->to->arena, NodeId, node->n_in + 1u);
  for (uint32_t k = 0; k < node->n_in; k++) in[k] = p->map[node->in[k]];
  p->map[id] = graph_emit(p->to, node->op, in, node->n_in, node->attr, node->loc, NULL);
  p->to->node[p->map[id]].flags |= node->flags & (NODE_LAZY | NODE_BAD);
  return true;
}

static bool batch_node(Pass *p, NodeId id) {
  Node node = p->from->node[id];
  bool any = false;
  for (uint32_t k = 0; k < node.n_in; k++) any |= p->has[node.in[k]];
  if (!any) return copy(p, id, &node);
  Type whole = node.type->rank < MAX_RANK ? batch_type(node.type, p->size) : *node.type;
  if (node.type->rank == MAX_RANK || !type_fits(&whole)) {
    *p->error = (BatchError){.loc = node.loc, .type = *node.type};
    return false;
  }
  Loc loc = p->to->loc;
  p->to->loc = node.loc;
  bool ok = true;
  if (node.op == &op_loop) {
    ok = batch_loop(p, id, &node);
  } else if (node.op == &op_pick) {
    batch_pick(p, id, &node);
  } else {
    NodeId few[8];
    bool few_has[8];
    NodeId *x = node.n_in <= 8 ? few : NEW_N(p->to->arena, NodeId, node.n_in);
    bool *has = node.n_in <= 8 ? few_has : NEW_N(p->to->arena, bool, node.n_in);
    for (uint32_t k = 0; k < node.n_in; k++) {
      x[k] = p->map[node.in[k]];
      has[k] = p->has[node.in[k]];
    }
    Batch b = {.g = p->to, .node = &node, .x = x, .has = has, .size = p->size};
    p->has[id] = true;
    p->map[id] = node.op == &op_custom            ? batch_custom(&b, p->from)
                 : node.op->batch                 ? node.op->batch(&b)
                 : node.op->flags & OP_POINTWISE  ? batch_same(&b)
                                                  : by_loop(&b);
  }
  p->to->loc = loc;
  return ok;
}

static bool walk(Pass *p, const NodeId *root, uint32_t n_root) {
  host_deeper(arena_host(p->to->arena));
  NodeId *ids;
  uint32_t n = graph_slice(p->from, root, n_root, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++)
    if (p->map[ids[k]] == NO_NODE && !batch_node(p, ids[k])) return false;
  return true;
}

bool graph_batch(Graph *g, const NodeId *in, const NodeId *to, uint32_t n, int64_t size, const NodeId *root,
                 uint32_t n_root, NodeId *out, BatchError *e) {
  Arena *a = g->arena;
  Pass p = {.from = g, .to = g, .size = size, .error = e, .map = NEW_N(a, NodeId, g->n + 1u),
            .has = NEW_N(a, bool, g->n + 1u), .outs = NEW_N(a, bool *, g->n + 1u),
            .nth = NEW_N(a, uint32_t *, g->n + 1u)};
  for (NodeId k = 0; k < g->n; k++) p.map[k] = NO_NODE;
  for (uint32_t k = 0; k < n; k++) {
    p.map[in[k]] = to[k];
    p.has[in[k]] = true;
  }
  if (!walk(&p, root, n_root)) return false;
  for (uint32_t k = 0; k < n_root; k++) {
    out[k] = p.map[root[k]];
    if (p.has[root[k]]) continue;
    if (g->node[out[k]].type->rank == MAX_RANK) {
      *e = (BatchError){.loc = g->node[out[k]].loc, .type = *g->node[out[k]].type};
      return false;
    }
    Type t = batch_type(g->node[out[k]].type, size);
    out[k] = g_broadcast(g, out[k], &t);
  }
  return true;
}
