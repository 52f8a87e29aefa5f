/* stable: the named rewrites, which change rounding: textbook formulas that overflow, cancel or saturate become the
 * forms that do not. In: roots of a graph. Out: their stable forms, beside the old nodes in the same graph.
 * One walk in the order of ids, so that a form made from a stable form is met. Reshapes, slices and the like between
 * the parts of a formula are looked through: log(move(f(x))) is move(log(f(x))).
 *
 *   log-sigmoid         log(sigmoid(x))                   min(x, 0) - log1p(exp(-abs(x)))
 *   one-minus-sigmoid   1 - sigmoid(x)                    sigmoid(-x)
 *   softplus            log(1 + exp(x)), log1p(exp(x))    max(x, 0) + log1p(exp(-abs(x)))
 *   log-sum-exp         log(sum(exp(x)))                  m + log(sum(exp(x - m))), m = max(x)
 *   log-softmax         log(exp(x) / s)                   x - log(s)
 *   log-exp             log(exp(x))                       x
 *   softmax             exp(x) / sum(exp(x))              exp(x - m) / sum(exp(x - m)), m = max(x)
 *   sigmoid             1 / (1 + exp(-x)), exp(x) / (1 + exp(x))    sigmoid(x)
 *   log1p               log(1 + x)                        log1p(x)
 *   expm1               exp(x) - 1                        expm1(x)
 *   squared root        sqrt(x)^2, where(x == 0, 0, sqrt(x))^2, x no less than 0      x
 */
#include "graph/grad.h"
#include "graph/opt.h"
#include <float.h>
#include <string.h>

enum { MOVES = 16 };

typedef struct Stable {
  Graph *g;
  bool *kept;                /* by id, of the graph as it came */
  uint32_t n_kept;
} Stable;

typedef struct Peeled { NodeId base; uint32_t n; NodeId move[MOVES]; } Peeled;

static bool closed(const Stable *s, NodeId id) { return id < s->n_kept && s->kept[id]; }

static const Op *op_of(const Stable *s, NodeId id) { return closed(s, id) ? NULL : s->g->node[id].op; }

static bool moves(const Op *op) { return op->flags & OP_MOVES; }

static Peeled peel(const Stable *s, NodeId id) {
  Peeled p = {.base = id};
  while (p.n < MOVES && op_of(s, p.base) && moves(op_of(s, p.base))) {
    p.move[p.n++] = p.base;
    p.base = s->g->node[p.base].in[0];
  }
  return p;
}

/* The moves of p, made on x instead of its base. */
static NodeId moved(const Stable *s, NodeId x, const Peeled *p) {
  for (uint32_t k = p->n; k-- > 0;) {
    Node m = s->g->node[p->move[k]];
    x = graph_emit(s->g, m.op, (NodeId[]){x, m.n_in > 1 ? m.in[1] : x}, m.n_in, m.attr, m.loc, NULL);
  }
  return x;
}

static bool is_one(const Stable *s, NodeId id) {
  const Graph *g = s->g;
  for (int k = 0; k < MOVES; k++) {
    const Node *n = &g->node[id];
    if (n->op == &op_constant) return type_count(n->type) == 1 && tensor_get(n->attr->value, 0) == 1;
    if (!(n->op->flags & (OP_MOVES | OP_PASSES))) return false;
    id = n->in[0];
  }
  return false;
}

static NodeId number(Graph *g, NodeId like, double v) { return g_fill(g, g->node[like].type, v); }

/* log1p(exp(-abs(x))) */
static NodeId tail(Graph *g, NodeId x) {
  return g_op(g, &op_log1p, g_op(g, &op_exp, g_op(g, &op_neg, g_op(g, &op_abs, x))));
}

/* Both are smooth, but their parts have a kink at 0: the derivative is given. */
static void softplus_grad(const CustomGrad *self, Grad *d) {
  (void)self;
  d->dx[1] = g_times(d, d->dy, g_op(d->g, &op_sigmoid, d->x[1]));
}
static void log_sigmoid_grad(const CustomGrad *self, Grad *d) {
  (void)self;
  d->dx[1] = g_times(d, d->dy, g_op(d->g, &op_sigmoid, g_op(d->g, &op_neg, d->x[1])));
}

static NodeId with_grad(Graph *g, NodeId y, NodeId x, const CustomGrad *grad) {
  return graph_emit(g, &op_custom, (NodeId[]){y, x}, 2, &(Attr){.foreign = grad}, 0, NULL);
}

static NodeId log_sigmoid(Graph *g, NodeId x) {
  static const CustomGrad grad = {log_sigmoid_grad};
  NodeId less = tail(g, x);
  return with_grad(g, g_op2(g, &op_sub, g_op2(g, &op_min2, x, number(g, x, 0)), less), x, &grad);
}

static NodeId softplus(Graph *g, NodeId x) {
  static const CustomGrad grad = {softplus_grad};
  NodeId more = tail(g, x);
  return with_grad(g, g_op2(g, &op_add, g_op2(g, &op_max2, x, number(g, x, 0)), more), x, &grad);
}

/* Whether x is z minus its own maximum: the user (or a rewrite) has been here. */
static bool max_taken(const Stable *s, NodeId x) {
  if (op_of(s, x) != &op_sub) return false;
  NodeId z = s->g->node[x].in[0], m = peel(s, s->g->node[x].in[1]).base;
  for (int k = 0; k < 4; k++) {
    const Node *n = &s->g->node[m];
    if (n->op == &op_reduce_max) return n->in[0] == z;
    if (n->op != &op_stop_gradient && n->op != &op_min2 && n->op != &op_max2 && !moves(n->op)) return false;
    m = n->in[0];
  }
  return false;
}

/* exp(x - m), given sum(exp(x)). m, x's maximum, is finite, so that an infinite x gives what it should. */
static NodeId less_max(const Stable *s, NodeId sum, NodeId *max) {
  Graph *g = s->g;
  Node n = g->node[sum];
  NodeId x = g->node[n.in[0]].in[0];
  int64_t i[MAX_RANK + 2];
  memcpy(i, n.attr->i, n.attr->n * sizeof *i);
  i[n.attr->n - 1] = 1;
  NodeId m = g_attr(g, &op_reduce_max, &x, 1, i, n.attr->n);
  double most = g->node[m].type->dtype == F64 ? DBL_MAX : (double)FLT_MAX;
  NodeId upper = number(g, m, most);
  m = g_op2(g, &op_min2, g_op2(g, &op_max2, m, number(g, m, -most)), upper);
  *max = m = g_op(g, &op_stop_gradient, m);
  return g_op(g, &op_exp, g_op2(g, &op_sub, x, g_broadcast(g, m, g->node[x].type)));
}

static bool is_sum_of_exp(const Stable *s, NodeId sum) {
  const Node *n = &s->g->node[sum];
  return op_of(s, sum) == &op_sum && n->attr->n > 0 && type_count(s->g->node[n->in[0]].type) > 0 &&
         op_of(s, n->in[0]) == &op_exp && !max_taken(s, s->g->node[n->in[0]].in[0]);
}

/* log(sum(exp(x))), given the sum. */
static NodeId log_sum_exp(const Stable *s, NodeId sum) {
  Graph *g = s->g;
  NodeId m, e = less_max(s, sum, &m);
  Node n = g->node[sum];
  NodeId again = graph_emit(g, &op_sum, &e, 1, n.attr, n.loc, NULL);
  m = g_reshape(g, m, n.type);
  return g_op2(g, &op_add, g_op(g, &op_log, again), m);
}

/* Whether a and b, written twice, compute one value. most: nodes that may still be compared. */
static bool same(const Graph *g, NodeId a, NodeId b, int *most) {
  const Node *x = &g->node[a], *y = &g->node[b];
  if (a == b) return true;
  if (--*most < 0 || x->op != y->op || x->type != y->type || x->n_in != y->n_in) return false;
  const Attr *p = x->attr, *q = y->attr;
  if (p->n != q->n || p->body || q->body || p->foreign || q->foreign || memcmp(p->f, q->f, sizeof p->f) != 0)
    return false;
  if (p->n && memcmp(p->i, q->i, p->n * sizeof *p->i) != 0) return false;
  if (!p->value != !q->value) return false;
  if (p->value && memcmp(p->value->data, q->value->data, (size_t)type_bytes(x->type)) != 0) return false;
  for (uint32_t k = 0; k < x->n_in; k++)
    if (!same(g, x->in[k], y->in[k], most)) return false;
  return true;
}

static NodeId exponent(const Stable *s, NodeId id) { return op_of(s, id) == &op_exp ? s->g->node[id].in[0] : NO_NODE; }

/* A quotient: exp(x) / sum(exp(x)), 1 / (1 + exp(-x)) or exp(x) / (1 + exp(x)). */
static NodeId quotient(const Stable *s, NodeId id) {
  Graph *g = s->g;
  Node n = g->node[id];
  Peeled below = peel(s, n.in[1]);
  NodeId top = exponent(s, n.in[0]);
  int most = 64;
  if (top != NO_NODE && is_sum_of_exp(s, below.base) && same(g, exponent(s, g->node[below.base].in[0]), top, &most)) {
    NodeId m, e = less_max(s, below.base, &m);
    Node sum = g->node[below.base];
    return g_op2(g, &op_div, e, moved(s, graph_emit(g, &op_sum, &e, 1, sum.attr, sum.loc, NULL), &below));
  }
  if (op_of(s, below.base) != &op_add) return NO_NODE;
  Node sum = g->node[below.base];
  for (int k = 0; k < 2; k++) {
    Peeled p = peel(s, sum.in[1 - k]);
    NodeId x = exponent(s, p.base);
    if (!is_one(s, sum.in[k]) || x == NO_NODE) continue;
    most = 64;
    if (top != NO_NODE && same(g, x, top, &most)) return moved(s, moved(s, g_op(g, &op_sigmoid, x), &p), &below);
    if (!is_one(s, n.in[0])) continue;
    x = op_of(s, x) == &op_neg ? g->node[x].in[0] : g_op(g, &op_neg, x);
    return moved(s, moved(s, g_op(g, &op_sigmoid, x), &p), &below);
  }
  return NO_NODE;
}

static NodeId log_of(const Stable *s, NodeId u, int depth);

/* log of a node that is no move, or NO_NODE if there is nothing better than `log`. */
static NodeId log_of_base(const Stable *s, NodeId base, int depth) {
  Graph *g = s->g;
  Node n = g->node[base];
  const Op *op = op_of(s, base);
  if (op == &op_sigmoid) return log_sigmoid(g, n.in[0]);
  if (op == &op_exp) return n.in[0];
  if (op == &op_add) {
    for (int k = 0; k < 2; k++) {
      if (!is_one(s, n.in[k])) continue;
      Peeled p = peel(s, n.in[1 - k]);
      if (op_of(s, p.base) == &op_exp) return moved(s, softplus(g, g->node[p.base].in[0]), &p);
      return g_op(g, &op_log1p, n.in[1 - k]);
    }
    return NO_NODE;
  }
  if (op == &op_div) {
    Peeled top = peel(s, n.in[0]);
    if (op_of(s, top.base) != &op_exp) return NO_NODE;
    Peeled below = peel(s, n.in[1]);
    NodeId log_s = depth > 0 ? log_of(s, below.base, depth - 1) : NO_NODE;
    if (log_s == NO_NODE) log_s = g_op(g, &op_log, below.base);
    NodeId x = moved(s, g->node[top.base].in[0], &top);
    return g_op2(g, &op_sub, x, moved(s, log_s, &below));
  }
  return is_sum_of_exp(s, base) ? log_sum_exp(s, base) : NO_NODE;
}

static NodeId log_of(const Stable *s, NodeId u, int depth) {
  Peeled p = peel(s, u);
  NodeId y = log_of_base(s, p.base, depth);
  return y == NO_NODE ? NO_NODE : moved(s, y, &p);
}

/* ---- the square of a root: its slope is 1 at 0, too ---- */
static bool is_number(const Stable *s, NodeId id, double *v) {
  id = peel(s, id).base;
  const Node *n = &s->g->node[id];
  if (n->op == &op_cast) return is_number(s, n->in[0], v);
  if (n->op != &op_constant || type_count(n->type) != 1) return false;
  *v = tensor_get(n->attr->value, 0);
  return true;
}

/* By how it is computed: no less than 0, or NaN. */
static bool not_negative(const Stable *s, NodeId id, int depth) {
  id = peel(s, id).base;
  const Node *n = &s->g->node[id];
  double v;
  if (is_number(s, id, &v)) return v >= 0;
  if (n->op == &op_square || n->op == &op_abs || n->op == &op_exp) return true;
  if (depth == 0) return false;
  if (n->op == &op_mul && n->in[0] == n->in[1]) return true;
  if (n->op == &op_sum || n->op == &op_reduce_max || n->op == &op_cast) return not_negative(s, n->in[0], depth - 1);
  if (n->op == &op_add || n->op == &op_mul || n->op == &op_div)
    return not_negative(s, n->in[0], depth - 1) && not_negative(s, n->in[1], depth - 1);
  return false;
}

/* x of sqrt(x), or of a root that is flat at 0. */
static NodeId under_root(const Stable *s, NodeId id) {
  const Graph *g = s->g;
  const Node *n = &g->node[id];
  double zero;
  if (op_of(s, id) == &op_where) {
    const Node *is = &g->node[n->in[0]], *root = &g->node[n->in[2]];
    if (is->op != &op_eq || root->op != &op_sqrt || is->in[0] != root->in[0] || !is_number(s, is->in[1], &zero) ||
        zero != 0 || !is_number(s, n->in[1], &zero) || zero != 0)
      return NO_NODE;
    n = root;
  } else if (op_of(s, id) != &op_sqrt) {
    return NO_NODE;
  }
  return not_negative(s, n->in[0], 4) ? n->in[0] : NO_NODE;
}

static NodeId rewrite(const Stable *s, NodeId id) {
  Graph *g = s->g;
  Node n = g->node[id];
  if (!dtype_is_float((DType)n.type->dtype)) return NO_NODE;
  if (n.op == &op_log) return log_of(s, n.in[0], 2);
  if (n.op == &op_log1p) {
    Peeled p = peel(s, n.in[0]);
    if (op_of(s, p.base) != &op_exp) return NO_NODE;
    NodeId x = g->node[p.base].in[0];
    bool is_tail = op_of(s, x) == &op_neg && op_of(s, g->node[x].in[0]) == &op_abs;   /* a stable form already */
    return is_tail ? NO_NODE : moved(s, softplus(g, x), &p);
  }
  if (n.op == &op_square || n.op == &op_mul) {
    Peeled p = peel(s, n.in[0]);
    NodeId x = under_root(s, p.base);
    int most = 64;
    if (x == NO_NODE || (n.op == &op_mul && !same(g, n.in[0], n.in[1], &most))) return NO_NODE;
    return moved(s, x, &p);
  }
  if (n.op == &op_div) return quotient(s, id);
  if (n.op != &op_sub) return NO_NODE;
  if (is_one(s, n.in[0])) {
    Peeled p = peel(s, n.in[1]);
    if (op_of(s, p.base) != &op_sigmoid) return NO_NODE;
    return moved(s, g_op(g, &op_sigmoid, g_op(g, &op_neg, g->node[p.base].in[0])), &p);
  }
  if (is_one(s, n.in[1])) {
    Peeled p = peel(s, n.in[0]);
    if (op_of(s, p.base) == &op_exp) return moved(s, g_op(g, &op_expm1, g->node[p.base].in[0]), &p);
  }
  return NO_NODE;
}

static bool stop_at(void *ctx, NodeId id) { return closed(ctx, id); }

void graph_stable(Graph *g, const NodeId *root, uint32_t n, const NodeId *keep, uint32_t n_keep, NodeId *out,
                  NodeId **origin) {
  Arena *tmp = arena_new(arena_host(g->arena));
  Stable s = {.g = g, .kept = NEW_N(tmp, bool, g->n + 1), .n_kept = g->n};
  NodeId *map = NEW_N(tmp, NodeId, g->n + 1);
  for (uint32_t k = 0; k < n_keep; k++) s.kept[keep[k]] = true;
  NodeId *ids;
  uint32_t n_ids = graph_slice(g, root, n, stop_at, &s, &ids);
  VEC(NodeId) from = {0};
  for (NodeId id = 0; origin && id < g->n; id++) vec_push(g->arena, &from, id);
  Loc loc = g->loc;
  uint32_t segment = g->segment;
  for (uint32_t j = 0; j < n_ids; j++) {
    NodeId id = ids[j];
    Node node = g->node[id];
    map[id] = id;
    if (closed(&s, id) || (node.flags & NODE_BAD)) continue;
    g->loc = node.loc;
    g->segment = node.segment;
    bool same = true;
    NodeId few[8], *in = node.n_in <= 8 ? few : NEW_N(tmp, NodeId, node.n_in);
    for (uint32_t k = 0; k < node.n_in; k++) {
      in[k] = map[node.in[k]];
      same &= in[k] == node.in[k];
    }
    if (!same) {
      map[id] = graph_emit(g, node.op, in, node.n_in, node.attr, node.loc, NULL);
      g->node[map[id]].flags |= node.flags & (NODE_LAZY | NODE_INTS);
    }
    NodeId better = node.loc & LOC_ADJOINT ? NO_NODE : rewrite(&s, map[id]);
    if (better != NO_NODE) map[id] = better;
    while (origin && from.n < g->n) vec_push(g->arena, &from, id);
  }
  g->loc = loc;
  g->segment = segment;
  if (origin) *origin = from.at;
  for (uint32_t k = 0; k < n; k++) out[k] = map[root[k]];
  arena_free(tmp);
}
