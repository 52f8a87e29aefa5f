/* join: two loops that turn together become one. In: a graph. Out: the same, in which a loop whose sequences are what
 * another one stacks, turn by turn in the same direction, is made in the turns of the other: then nobody needs the
 * stack. So the memory of a product of `jvp` does not grow with the turns.
 *
 * Invariant: nodes keep their order, but for those between the two loops that read the first one, which move behind the
 * second.
 */
#include "graph/join.h"
#include <string.h>

typedef struct Pair {
  Graph *g;
  Arena *a;
  NodeId first, second;
  const Node *x, *y;         /* they */
  uint32_t cx, cy, nx, ny;   /* carries; outputs */
} Pair;

static uint32_t carries(const Node *loop) { return (uint32_t)loop->attr->i[LOOP_CARRIES]; }
static uint32_t sequences(const Node *loop) { return (uint32_t)loop->attr->i[LOOP_SEQUENCES]; }
static bool ends(const Node *loop) { return loop_ends(loop->attr) != ENDS_AFTER_ALL; }
static bool reverse(const Node *loop) { return loop->attr->i[LOOP_REVERSE] != 0; }

/* What the first loop stacks is this operand of the second, a sequence. */
static bool is_stack(const Graph *g, NodeId first, NodeId operand) {
  const Node *p = &g->node[operand];
  return p->op == &op_pick && p->in[0] == first && p->attr->i[0] >= loop_stacks(g->node[first].attr);
}

static bool same_turns(const Graph *g, NodeId first, const Node *x, const Node *y) {
  if (x->attr->i[LOOP_TURNS] != y->attr->i[LOOP_TURNS] || reverse(x) != reverse(y)) return false;
  int64_t ex = loop_ends(x->attr), ey = loop_ends(y->attr);
  if (ex == ENDS_AFTER_ALL) return ey == ENDS_AFTER_ALL;
  if (ey != ENDS_COUNTED) return false;
  NodeId count = y->in[y->n_in - 1];
  const Node *p = &g->node[count];
  if (ex == ENDS_COUNTED) return count == x->in[x->n_in - 1];
  return p->op == &op_pick && p->in[0] == first && p->attr->i[0] == carries(x);
}

/* Nothing else of the second loop waits for the first. after: by id from the first on, what depends on it. */
static bool joins(const Graph *g, NodeId first, NodeId second, bool *after) {
  const Node *x = &g->node[first], *y = &g->node[second];
  if (!same_turns(g, first, x, y)) return false;
  after[0] = true;
  for (NodeId id = first + 1; id < second; id++) {
    const Node *n = &g->node[id];
    after[id - first] = false;
    for (uint32_t k = 0; k < n->n_in; k++) after[id - first] |= n->in[k] >= first && after[n->in[k] - first];
  }
  for (uint32_t k = 0; k + ends(y) < y->n_in; k++) {
    bool sequence = k >= carries(y) && k < carries(y) + sequences(y);
    if (y->in[k] >= first && after[y->in[k] - first] && !(sequence && is_stack(g, first, y->in[k]))) return false;
  }
  return true;
}

static NodeId input_at(Graph *to, NodeId *made, uint32_t slot, const Node *like) {
  if (made[slot] == NO_NODE) made[slot] = graph_input(to, slot, like->type, like->loc);
  return made[slot];
}

/* Where id stands in in[from..n-1], or n. */
static uint32_t place_of(const NodeId *in, uint32_t from, uint32_t n, NodeId id) {
  while (from < n && in[from] != id) from++;
  return from;
}

/* The operands of both, the stacks left out, what both read once. slot_y[k]: where operand k of the second stands;
 * UINT32_MAX: a stack. */
static NodeId *operands(const Pair *p, uint32_t *slot_x, uint32_t *slot_y, uint32_t *n, uint32_t *s) {
  const Node *loop[2] = {p->x, p->y};
  uint32_t *slot[2] = {slot_x, slot_y};
  NodeId *in = NEW_N(p->a, NodeId, p->x->n_in + p->y->n_in + 1u);
  *n = *s = 0;
  for (int part = 0; part < 3; part++) {     /* carries, sequences, constants */
    uint32_t first = *n;
    for (int j = 0; j < 2; j++) {
      const Node *l = loop[j];
      uint32_t c = carries(l), q = c + sequences(l), end = l->n_in - ends(l);
      uint32_t from = part == 0 ? 0 : part == 1 ? c : q, to = part == 0 ? c : part == 1 ? q : end;
      for (uint32_t k = from; k < to; k++) {
        bool stack = j == 1 && part == 1 && is_stack(p->g, p->first, l->in[k]);
        uint32_t at = part == 0 || j == 0 ? *n : place_of(in, first, *n, l->in[k]);
        slot[j][k] = stack ? UINT32_MAX : at;
        if (stack || at < *n) continue;
        in[(*n)++] = l->in[k];
        *s += part == 1;
      }
    }
  }
  if (ends(p->x)) in[(*n)++] = p->x->in[p->x->n_in - 1];
  slot_x[p->x->n_in] = slot_y[p->y->n_in] = *n;
  return in;
}

static Graph *joined_body(const Pair *p, const uint32_t *slot_x, const uint32_t *slot_y, uint32_t n) {
  Graph *bx = p->x->attr->body, *by = p->y->attr->body, *to = graph_beside(bx, p->a);
  NodeId *made = NEW_N(p->a, NodeId, n + 1u), *in = NEW_N(p->a, NodeId, p->x->n_in + p->y->n_in + 2u);
  NodeId *x = NEW_N(p->a, NodeId, p->nx + 1u), *y = NEW_N(p->a, NodeId, p->ny + 1u);
  Graph fx = *bx, fy = *by;
  to->limit = bx->limit > by->limit ? bx->limit : by->limit;
  fx.arena = fy.arena = p->a;                /* scratch of the walks */
  fx.mark = fy.mark = NULL;
  fx.mark_cap = fy.mark_cap = 0;
  for (uint32_t k = 0; k <= n; k++) made[k] = NO_NODE;
  for (NodeId id = 0; id < bx->n; id++)
    if (bx->node[id].op == &op_input) {
      int64_t k = bx->node[id].attr->i[0];
      in[k] = input_at(to, made, slot_x[k], &bx->node[id]);
    }
  graph_inline(to, &fx, in, x);
  for (NodeId id = 0; id < by->n; id++)
    if (by->node[id].op == &op_input) {
      int64_t k = by->node[id].attr->i[0];
      in[k] = slot_y[k] != UINT32_MAX ? input_at(to, made, slot_y[k], &by->node[id])
                                      : x[p->g->node[p->y->in[k]].attr->i[0]];
    }
  graph_inline(to, &fy, in, y);
  for (uint32_t k = 0; k < p->cx; k++) graph_output(to, x[k], to->out.n);
  for (uint32_t k = 0; k < p->cy; k++) graph_output(to, y[k], to->out.n);
  for (uint32_t k = p->cx; k < p->nx; k++) graph_output(to, x[k], to->out.n);
  for (uint32_t k = p->cy; k < p->ny; k++) graph_output(to, y[k], to->out.n);
  return to;
}

static void pick_other(Pair *p, NodeId id) {
  Node *n = &p->g->node[id];
  if (n->op != &op_pick || (n->in[0] != p->first && n->in[0] != p->second)) return;
  int64_t k = n->attr->i[0];
  if (n->in[0] == p->first) k += k < p->cx ? 0 : p->cy;
  else k += k < p->cy ? p->cx : p->nx;
  n->in = arena_copy(p->a, &p->second, sizeof p->second);
  n->attr = arena_copy(p->a, &(Attr){.i = arena_copy(p->a, &k, sizeof k), .n = 1}, sizeof(Attr));
}

/* The second becomes both. */
static void join(Pair *p) {
  Graph *g = p->g;
  uint32_t *slot_x = NEW_N(p->a, uint32_t, p->x->n_in + 1u), *slot_y = NEW_N(p->a, uint32_t, p->y->n_in + 1u), n, s;
  NodeId *in = operands(p, slot_x, slot_y, &n, &s);
  int64_t *i = arena_copy(p->a, p->x->attr->i, p->x->attr->n * sizeof *i);
  i[LOOP_CARRIES] = p->cx + p->cy;
  i[LOOP_SEQUENCES] = s;
  Attr attr = {.body = joined_body(p, slot_x, slot_y, n), .i = i, .n = p->x->attr->n};
  const Type *type = p->cx > 0 || p->cy == 0 ? p->x->type : p->y->type;
  Node *both = &g->node[p->second];
  both->in = in;
  both->n_in = (uint16_t)n;
  both->attr = arena_copy(p->a, &attr, sizeof attr);
  both->type = type;
  for (NodeId id = p->first + 1; id < g->n; id++) pick_other(p, id);
}

/* What stands between the two and depends on the first moves behind the second. */
static void reorder(Pair *p, const bool *after, NodeId *origin) {
  Graph *g = p->g;
  uint32_t n = p->second - p->first + 1, at = 0;
  NodeId *to = NEW_N(p->a, NodeId, n);
  Node *node = NEW_N(p->a, Node, n);
  NodeId *from = NEW_N(p->a, NodeId, n);
  for (int late = 0; late < 2; late++)
    for (uint32_t k = 0; k < n; k++)
      if ((k > 0 && k + 1 < n && after[k]) == (late == 1)) {
        node[at] = g->node[p->first + k];
        from[at] = origin[p->first + k];
        to[k] = p->first + at++;
      }
  memcpy(g->node + p->first, node, n * sizeof *node);
  memcpy(origin + p->first, from, n * sizeof *from);
  for (NodeId id = p->first; id < g->n; id++) {
    Node *x = &g->node[id];
    bool moved = false;
    for (uint32_t k = 0; k < x->n_in; k++)
      moved |= x->in[k] >= p->first && x->in[k] <= p->second && to[x->in[k] - p->first] != x->in[k];
    if (!moved) continue;
    NodeId *in = arena_copy(p->a, x->in, x->n_in * sizeof *in);
    for (uint32_t k = 0; k < x->n_in; k++)
      if (in[k] >= p->first && in[k] <= p->second) in[k] = to[in[k] - p->first];
    x->in = in;
  }
  for (uint32_t k = 0; k < g->out.n; k++) {
    NodeId *out = &g->out.at[k].node;
    if (*out >= p->first && *out <= p->second) *out = to[*out - p->first];
  }
}

void graph_join(Graph *g, Arena *a, NodeId *origin) {
  bool *after = NULL;
  for (NodeId id = 0; id < g->n; id++) {
    const Node *y = &g->node[id];
    if (y->op != &op_loop) continue;
    if (!after) after = NEW_N(a, bool, g->n + 1u);
    uint32_t c = carries(y), s = sequences(y);
    for (uint32_t k = c; k < c + s; k++) {
      const Node *pick = &g->node[y->in[k]];
      NodeId first = pick->op == &op_pick ? pick->in[0] : NO_NODE;
      if (first == NO_NODE || !is_stack(g, first, y->in[k]) || !joins(g, first, id, after)) continue;
      Pair p = {.g = g, .a = a, .first = first, .second = id};
      Node x = g->node[first], second = *y;
      p.x = &x;
      p.y = &second;
      p.cx = carries(&x);
      p.cy = carries(&second);
      p.nx = x.attr->body->out.n;
      p.ny = second.attr->body->out.n;
      if (x.n_in + second.n_in > UINT16_MAX) continue;
      join(&p);
      reorder(&p, after, origin);
      id = first;            /* the loop that they are may be the first or the second of another pair */
      break;
    }
  }
}
