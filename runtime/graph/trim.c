/* trim: loops without what nobody reads. In: a graph. Out: the same, in which a loop makes only the results that are
 * picked, carries only what these and its end need, and takes only what its turns read: so what was made for the sake
 * of the rest is dead. The product of `jvp` is such a loop: it reads nothing of the reverse pass that it was derived
 * from.
 */
#include "graph/trim.h"
#include <string.h>

typedef struct Trim {
  Graph *g;
  Arena *a;
  bool *live;
  bool **picked;             /* by loop: its outputs that are picked; NULL: none yet */
  uint32_t **nth, *n_out;    /* by loop: its outputs as they are numbered now, NULL: as before; how many it had */
} Trim;

/* One loop: which outputs and operands are needed. */
typedef struct Kept {
  const Graph *body;
  uint32_t n, c, s, n_out;   /* operands, carries, sequences, outputs */
  bool until, told;          /* ends by a flag; its fault tells of the first carry */
  bool *out, *operand;       /* behind the operands the turn */
} Kept;

static void read_by(const Kept *k, Arena *a) {
  const Graph *b = k->body;
  bool *live = NEW_N(a, bool, b->n + 1u);
  for (uint32_t j = 0; j < k->n_out; j++)
    if (k->out[j]) live[b->out.at[j].node] = true;
  for (NodeId id = b->n; id-- > 0;) {
    const Node *x = &b->node[id];
    if (live[id] && x->op == &op_input) k->operand[x->attr->i[0]] = true;
    for (uint32_t j = 0; live[id] && j < x->n_in; j++) live[x->in[j]] = true;
  }
}

/* A carry that is read or picked is made, and what it is made of is read. */
static Kept kept_of(const Trim *t, const Node *loop, const bool *picked) {
  const Attr *attr = loop->attr;
  Kept k = {.body = attr->body, .n = loop->n_in, .c = (uint32_t)attr->i[LOOP_CARRIES],
            .s = (uint32_t)attr->i[LOOP_SEQUENCES], .until = loop_ends(attr) == ENDS_UNTIL};
  k.n_out = k.body->out.n;
  k.told = k.until && k.c > 0 && attr->i[LOOP_LIMIT] > 0;
  k.out = NEW_N(t->a, bool, k.n_out + 1u);
  k.operand = NEW_N(t->a, bool, k.n + 1u);
  if (k.n_out) memcpy(k.out, picked, k.n_out * sizeof *picked);
  if (k.until) k.out[k.c] = true;
  if (k.told) k.out[0] = true;
  if (loop_ends(attr) != ENDS_AFTER_ALL) k.operand[k.n - 1] = true;
  for (bool again = true; again;) {
    again = false;
    read_by(&k, t->a);
    for (uint32_t j = 0; j < k.c; j++) {
      again |= k.operand[j] && !k.out[j];
      k.out[j] = k.operand[j] = k.operand[j] || k.out[j];
    }
  }
  return k;
}

static bool keeps_all(const Kept *k) {
  for (uint32_t j = 0; j < k->n_out; j++)
    if (!k->out[j]) return false;
  for (uint32_t j = 0; j < k->n; j++)
    if (!k->operand[j]) return false;
  return true;
}

/* The body over the operands that stay. */
static Graph *trimmed_body(const Kept *k, Arena *a) {
  Graph *to = graph_beside(k->body, a), from = *k->body;   /* types last as long as those of the body */
  NodeId *in = NEW_N(a, NodeId, k->n + 1u), *result = NEW_N(a, NodeId, k->n_out + 1u);
  uint32_t *slot = NEW_N(a, uint32_t, k->n + 1u), next = 0;
  to->limit = k->body->limit;
  for (uint32_t j = 0; j <= k->n; j++) {
    slot[j] = next;
    next += k->operand[j] || j == k->n;
  }
  for (NodeId id = 0; id < k->body->n; id++) {
    const Node *x = &k->body->node[id];
    uint32_t j = (uint32_t)(x->op == &op_input ? x->attr->i[0] : 0);
    if (x->op == &op_input && k->operand[j]) in[j] = graph_input(to, slot[j], x->type, x->loc);
  }
  from.arena = a;            /* scratch of the walk */
  from.mark = NULL;
  from.mark_cap = 0;
  from.out.at = NULL;
  from.out.n = from.out.cap = 0;
  for (uint32_t j = 0; j < k->n_out; j++)
    if (k->out[j]) vec_push(a, &from.out, k->body->out.at[j]);
  graph_inline(to, &from, in, result);
  for (uint32_t j = 0; j < from.out.n; j++) graph_output(to, result[j], j);
  return to;
}

/* The loop makes and takes what is kept. picked, and nth of the loop as it was, follow. */
static void keep(Trim *t, NodeId id, const Kept *k, bool *picked) {
  Node *loop = &t->g->node[id];
  NodeId *in = NEW_N(t->a, NodeId, k->n + 1u);
  uint32_t *to = NEW_N(t->a, uint32_t, k->n_out + 1u), n = 0, c = 0, s = 0, m = 0;
  for (uint32_t j = 0; j < k->n; j++) {
    if (!k->operand[j]) continue;
    in[n++] = loop->in[j];
    c += j < k->c;
    s += j >= k->c && j < k->c + k->s;
  }
  for (uint32_t j = 0; j < k->n_out; j++) {
    to[j] = m;
    picked[m] = picked[j];
    m += k->out[j];
  }
  if (!t->nth[id]) t->nth[id] = to;
  else
    for (uint32_t j = 0; j < t->n_out[id]; j++) t->nth[id][j] = to[t->nth[id][j]];
  int64_t *i = arena_copy(t->a, loop->attr->i, loop->attr->n * sizeof *i);
  i[LOOP_CARRIES] = c;
  i[LOOP_SEQUENCES] = s;
  Attr attr = {.body = trimmed_body(k, t->a), .i = i, .n = loop->attr->n};
  loop->in = in;
  loop->n_in = (uint16_t)n;
  loop->attr = arena_copy(t->a, &attr, sizeof attr);
  Type i32 = type_scalar(I32);
  if (c > 0) loop->type = graph_type(t->g, attr.body->node[attr.body->out.at[0].node].type);
  else if (k->until) loop->type = graph_type(t->g, &i32);
}

static bool holds_loops(const Graph *g) {
  for (NodeId id = 0; id < g->n; id++)
    if (g->node[id].op == &op_loop) return true;
  return false;
}

/* What the loops inside read no more, this one need not take either. */
static void trim_loop(Trim *t, NodeId id) {
  bool *picked = t->picked[id];
  t->n_out[id] = t->g->node[id].attr->body->out.n;
  Kept k = kept_of(t, &t->g->node[id], picked);
  bool inner = holds_loops(k.body);
  if (inner || !keeps_all(&k)) keep(t, id, &k, picked);
  if (!inner) return;
  graph_trim(t->g->node[id].attr->body, t->a);
  k = kept_of(t, &t->g->node[id], picked);
  if (!keeps_all(&k)) keep(t, id, &k, picked);
}

static void pick_again(Trim *t, NodeId id) {
  Node *pick = &t->g->node[id];
  NodeId loop = pick->in[0];
  if (!t->nth[loop]) return;
  int64_t k = t->nth[loop][pick->attr->i[0]];
  pick->attr = arena_copy(t->a, &(Attr){.i = arena_copy(t->a, &k, sizeof k), .n = 1}, sizeof(Attr));
  if (k == 0) t->g->node[loop].type = pick->type;      /* that of its first output */
}

void graph_trim(Graph *g, Arena *a) {
  if (!holds_loops(g)) return;
  host_deeper(arena_host(a));
  Trim t = {.g = g, .a = a, .live = NEW_N(a, bool, g->n + 1u), .picked = NEW_N(a, bool *, g->n + 1u),
            .nth = NEW_N(a, uint32_t *, g->n + 1u), .n_out = NEW_N(a, uint32_t, g->n + 1u)};
  for (uint32_t k = 0; k < g->out.n; k++) t.live[g->out.at[k].node] = true;
  for (NodeId id = g->n; id-- > 0;) {
    if (!t.live[id]) continue;
    const Node *n = &g->node[id];
    if (n->op == &op_pick) {
      NodeId loop = n->in[0];
      if (!t.picked[loop]) t.picked[loop] = NEW_N(a, bool, g->node[loop].attr->body->out.n + 1u);
      t.picked[loop][n->attr->i[0]] = true;
    } else if (n->op == &op_loop && t.picked[id]) trim_loop(&t, id);
    n = &g->node[id];
    for (uint32_t k = 0; k < n->n_in; k++) t.live[n->in[k]] = true;
  }
  for (NodeId id = 0; id < g->n; id++)
    if (t.live[id] && g->node[id].op == &op_pick) pick_again(&t, id);
}
