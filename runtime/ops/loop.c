/* loop: turns over a body graph, and pick, which reads one of its results. op.h says how slots and outputs are counted.
 * In: carries, sequences, constants. Out: the last carries, and values stacked over the turns.
 *
 * The gradient is one more loop, in the other direction: a turn repeats the forward turn from the carries that it began
 * with, and turns the adjoints of its results into those of its inputs. The carries of each turn are outputs of the
 * forward loop itself: its body gets them as stacked values (its node gets a new list of outputs; the picks that
 * are there mean what they meant), so nothing runs twice but the inside of a turn; and of that not its products, which
 * are stacked, too. The adjoint of a weight, a sum over the turns, is one product of what they stack where that is
 * smaller. The new loop's body is an ordinary graph, so all orders follow. The gradient of a loop that ends by
 * itself walks back over the turns that it made. How a loop runs is the plan's and eval.c's business: it has no kernel.
 */
#include "graph/grad.h"

#ifndef KERNELS
/* What the loop gives as output k. */
static Type output_type(const Attr *a, uint32_t k) {
  Type t = *a->body->node[a->body->out.at[k].node].type;
  if (k < a->i[LOOP_CARRIES]) return t;
  if (k < loop_stacks(a)) return type_scalar(I32);
  Type stacked = {.dtype = t.dtype, .rank = (uint8_t)(t.rank + 1), .dim = {a->i[LOOP_TURNS]}};
  for (int d = 0; d < t.rank && d + 1 < MAX_RANK; d++) stacked.dim[d + 1] = t.dim[d];
  return stacked;
}

static Type element_of(const Type *t) { return type_make((DType)t->dtype, t->rank - 1, t->dim + 1); }

static bool body_input(TypeRule *r, const Node *n) {
  int64_t slot = n->attr->i[0], c = r->attr->i[LOOP_CARRIES], s = r->attr->i[LOOP_SEQUENCES];
  if (slot < 0 || slot > (int64_t)r->n)
    return refuse(r, BAD_VALUE, -1, -1, NULL, "the loop's body reads slot %lld, but it has %u", (long long)slot,
                  (unsigned)r->n + 1);
  Type want = type_scalar(I32);
  if (slot < (int64_t)r->n) want = slot >= c && slot < c + s ? element_of(r->x[slot]) : *r->x[slot];
  if (type_eq(&want, n->type)) return true;
  return refuse(r, BAD_SHAPE, (int)slot, -1, NULL, "the loop's body takes %s here, but it is given %s",
                type_show(r->g->arena, n->type), type_show(r->g->arena, &want));
}

/* Where and how it ends. */
static bool end_type(TypeRule *r) {
  const Attr *a = r->attr;
  int64_t ends = loop_ends(a), c = a->i[LOOP_CARRIES];
  if (ends == ENDS_AFTER_ALL) return true;
  Type last = type_scalar(ends == ENDS_UNTIL ? BOOL : I32);
  bool ok = ends <= ENDS_COUNTED && ends >= 0 && r->n > c + a->i[LOOP_SEQUENCES] && type_eq(r->x[r->n - 1], &last) &&
            a->i[LOOP_LIMIT] >= 0 && a->i[LOOP_WHO] >= 0 && a->i[LOOP_WHO] < N_WHO;
  if (ok && ends == ENDS_UNTIL)
    ok = a->body->out.n > c && a->body->node[a->body->out.at[c].node].type->dtype == BOOL;
  return ok || refuse(r, BAD_VALUE, -1, -1, NULL, "a loop that ends before its turns are over needs to know when");
}

static bool loop_type(TypeRule *r) {
  const Attr *a = r->attr;
  const Graph *body = a->body;
  bool known = a->n == LOOP_REVERSE + 1 || a->n == LOOP_ATTRS;
  if (!known || !body || a->i[LOOP_TURNS] < 0 || a->i[LOOP_CARRIES] < 0 || a->i[LOOP_SEQUENCES] < 0 ||
      a->i[LOOP_CARRIES] > r->n || a->i[LOOP_SEQUENCES] > r->n - a->i[LOOP_CARRIES] ||
      body->out.n < (uint64_t)a->i[LOOP_CARRIES])
    return refuse(r, BAD_VALUE, -1, -1, NULL,
                  "a loop needs its turns, carries, sequences and a body that gives the carries");
  for (int64_t k = a->i[LOOP_CARRIES]; k < a->i[LOOP_CARRIES] + a->i[LOOP_SEQUENCES]; k++) {
    if (r->x[k]->rank == 0)
      return refuse(r, BAD_RANK, (int)k, -1, NULL, "a loop runs along the first axis, but a scalar has none");
    if (r->x[k]->dim[0] != a->i[LOOP_TURNS])
      return refuse(r, BAD_SHAPE, (int)k, -1, NULL, "a loop of %lld turns cannot run along %s",
                    (long long)a->i[LOOP_TURNS], type_show(r->g->arena, r->x[k]));
  }
  if (!end_type(r)) return false;
  for (NodeId id = 0; id < body->n; id++)
    if (body->node[id].op == &op_input && !body_input(r, &body->node[id])) return false;
  for (uint32_t k = 0; k < body->out.n; k++) {
    const Type *t = body->node[body->out.at[k].node].type;
    if (k >= loop_stacks(a) && t->rank == MAX_RANK)
      return refuse(r, BAD_LIMIT, -1, -1, NULL, "values of rank %d cannot be stacked over turns", MAX_RANK);
    if (k < a->i[LOOP_CARRIES] && !type_eq(t, r->x[k]))
      return refuse(r, BAD_SHAPE, (int)k, -1, "what goes round a loop keeps its shape and element type",
                    "what goes round the loop begins as %s, but a turn makes it %s", type_show(r->g->arena, r->x[k]),
                    type_show(r->g->arena, t));
    Type whole = output_type(a, k);
    if (!type_fits(&whole))
      return refuse(r, BAD_LIMIT, -1, -1, NULL, "a loop's result is %s, more than 1 TiB",
                    type_show(r->g->arena, &whole));
  }
  r->y = body->out.n ? output_type(a, 0) : type_scalar(F32);
  return true;
}

/* It stands in the segment of its loop, even if a derivative is made in a later one: a loop itself is no value that
 * could cross. */
static NodeId pick(Graph *g, NodeId loop, uint32_t k) {
  NodeId id = g_attr(g, &op_pick, &loop, 1, (int64_t[]){k}, 1);
  g->node[id].segment = g->node[loop].segment;
  return id;
}

/* The output of the body that is the value of its node `id` over the turns; the loop y gets it if it has none. */
static uint32_t stacked_output(Graph *g, NodeId y, NodeId id) {
  Attr attr = *g->node[y].attr;
  for (uint32_t k = loop_stacks(&attr); k < attr.body->out.n; k++)
    if (attr.body->out.at[k].node == id) return k;
  Graph *body = arena_copy(g->arena, attr.body, sizeof *body);
  body->mark = NULL;         /* scratch and caches are each graph's own */
  body->mark_cap = 0;
  body->known = NULL;
  body->known_cap = 0;
  body->out.at = NULL;
  body->out.n = body->out.cap = 0;
  for (uint32_t k = 0; k < attr.body->out.n; k++) vec_push(g->arena, &body->out, attr.body->out.at[k]);
  vec_push(g->arena, &body->out, (Output){.node = id, .slot = body->out.n});
  attr.body = body;
  g->node[y].attr = arena_copy(g->arena, &attr, sizeof attr);
  return body->out.n - 1;
}

/* The backward loop while it is made. By forward slot: reads is the forward body's input, in the new body's; both
 * NO_NODE where no turn reads the slot. By forward output: weight is the new body's input for its adjoint. By operand:
 * sum is the new body's input for a constant's adjoint so far. Its carries are adjoints of float carries, then sums. */
typedef struct Back {
  Grad *d;
  Graph *g, *body, *fwd;     /* body: the new one */
  uint32_t c, s, n, n_out;   /* of the forward loop */
  NodeId *reads, *in, *weight, *sum;
  bool *selected;            /* by carry: its adjoint is, on every turn */
  Adjoint *slope;            /* by operand, of the new body */
  NodeId *copy;              /* by node of the forward body: what it is in the new one; NO_NODE: it is not */
  uint32_t fixed;            /* the new body's first slot behind the sequences */
  bool *late;                /* by operand: its sum over the turns is made behind the loop */
  NodeId *operand;           /* of the new loop, by slot */
  VEC(NodeId) kept;          /* nodes of the forward body that are stacked, not made again: slots from `fixed` on */
} Back;

static bool floats(const Graph *g, NodeId id) { return dtype_is_float((DType)g->node[id].type->dtype); }
static bool is_read(const Back *b, uint32_t k) { return b->reads[k] != NO_NODE; }
static bool carries(const Back *b, uint32_t k) { return k < b->c && floats(b->g, b->d->x[k]); }
static bool sums(const Back *b, uint32_t k) {
  bool is = k >= b->c + b->s && k < b->n && b->d->wanted[k] && is_read(b, k) && floats(b->g, b->d->x[k]);
  return is && !b->late[k];
}
/* A turn differentiates by it. */
static bool slopes(const Back *b, uint32_t k) {
  return is_read(b, k) && floats(b->g, b->d->x[k]) && (k < b->c || b->d->wanted[k]);
}

static Back back_of(Grad *d) {
  Graph *g = d->g;
  const int64_t *i = d->attr->i;
  Back b = {.d = d, .g = g, .fwd = d->attr->body, .c = (uint32_t)i[LOOP_CARRIES], .s = (uint32_t)i[LOOP_SEQUENCES],
            .n = d->n};
  b.n_out = b.fwd->out.n;
  b.reads = NEW_N(g->arena, NodeId, b.n + 1u);
  b.in = NEW_N(g->arena, NodeId, b.n + 1u);
  b.sum = NEW_N(g->arena, NodeId, b.n + 1u);
  b.weight = NEW_N(g->arena, NodeId, b.n_out + 1u);
  b.selected = NEW_N(g->arena, bool, b.c + 1u);
  b.slope = NEW_N(g->arena, Adjoint, b.n + 1u);
  b.copy = NEW_N(g->arena, NodeId, b.fwd->n + 1u);
  b.late = NEW_N(g->arena, bool, b.n + 1u);
  for (uint32_t k = 0; k <= b.n; k++) b.reads[k] = NO_NODE;
  for (NodeId id = 0; id < b.fwd->n; id++)
    if (b.fwd->node[id].op == &op_input) b.reads[b.fwd->node[id].attr->i[0]] = id;
  for (uint32_t k = 0; k < b.c; k++) b.selected[k] = d->dys[k].selected;
  return b;
}

/* The new body's inputs, in the order of the new loop's operands. */
static void back_inputs(Back *b) {
  Graph *g = b->g;
  const NodeId *x = b->d->x;
  uint32_t slot = 0;
  for (uint32_t k = 0; k < b->n_out; k++) b->weight[k] = NO_NODE;
  for (uint32_t k = 0; k <= b->n; k++) b->in[k] = b->sum[k] = NO_NODE;
  for (uint32_t k = 0; k < b->c; k++)
    if (carries(b, k)) b->weight[k] = graph_input(b->body, slot++, g->node[x[k]].type, 0);
  for (uint32_t k = 0; k < b->n; k++)
    if (sums(b, k)) b->sum[k] = graph_input(b->body, slot++, g->node[x[k]].type, 0);
  for (uint32_t k = 0; k < b->c + b->s; k++)
    if (is_read(b, k)) b->in[k] = graph_input(b->body, slot++, b->fwd->node[b->reads[k]].type, 0);
  for (uint32_t k = b->c; k < b->n_out; k++)
    if (b->d->dys[k].node != NO_NODE)
      b->weight[k] = graph_input(b->body, slot++, b->fwd->node[b->fwd->out.at[k].node].type, 0);
  b->fixed = slot;
  for (uint32_t k = b->c + b->s; k < b->n; k++)
    if (is_read(b, k)) b->in[k] = graph_input(b->body, slot++, g->node[x[k]].type, 0);
  slot += loop_ends(b->d->attr) != ENDS_AFTER_ALL;   /* the count of turns: no turn reads it */
  if (is_read(b, b->n)) b->in[b->n] = graph_input(b->body, slot, b->fwd->node[b->reads[b->n]].type, 0);
}

/* The forward turn in the new body. */
static void forward_turn(Back *b, NodeId *result) {
  Arena *a = b->g->arena;
  NodeId *root = NEW_N(a, NodeId, b->n_out + 1u), *ids, next = b->body->n;
  for (uint32_t k = 0; k < b->n_out; k++) root[k] = b->fwd->out.at[k].node;
  graph_inline(b->body, b->fwd, b->in, result);
  for (NodeId id = 0; id < b->fwd->n; id++) b->copy[id] = NO_NODE;
  uint32_t n = graph_slice(b->fwd, root, b->n_out, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++)   /* in this order they were copied, one for one */
    if (b->fwd->node[ids[k]].op != &op_input) b->copy[ids[k]] = next++;
}

/* A turn and its derivative, in a body of its own. False: an adjoint that was taken to be selected is not. */
static bool back_turn(Back *b) {
  Arena *a = b->g->arena;
  b->body = graph_new(a);
  b->body->loc = b->g->loc;
  b->body->limit = b->g->limit;
  back_inputs(b);
  NodeId *result = NEW_N(a, NodeId, b->n_out + 1u), *wrt = NEW_N(a, NodeId, b->n + 1u);
  Seed *seed = NEW_N(a, Seed, b->n_out + 1u);
  Adjoint *slope = NEW_N(a, Adjoint, b->n + 1u);
  uint32_t n_seed = 0, n_wrt = 0;
  forward_turn(b, result);
  for (uint32_t k = 0; k < b->n_out; k++)
    if (b->weight[k] != NO_NODE) {
      bool selected = k < b->c ? b->selected[k] : b->d->dys[k].selected;
      seed[n_seed++] = (Seed){result[k], {b->weight[k], selected}};
    }
  for (uint32_t k = 0; k < b->n; k++)
    if (slopes(b, k)) wrt[n_wrt++] = b->in[k];
  grad_back(b->body, seed, n_seed, wrt, n_wrt, slope, NULL);
  graph_no_gradient(b->g, b->body->no_gradient, b->body->no_gradient_at);
  bool holds = true;
  for (uint32_t k = 0, j = 0; k < b->n; k++) {
    b->slope[k] = slopes(b, k) ? slope[j++] : (Adjoint){NO_NODE, true};
    if (!carries(b, k) || b->slope[k].selected || !b->selected[k]) continue;
    holds = b->selected[k] = false;
  }
  return holds;
}

/* ---- products are kept ---- */

enum { KEPT_TIMES = 4 };     /* the bytes of a turn that they may add to those of its carries and elements */

/* More arithmetic than it reads and writes numbers: a matmul, a convolution, a factorisation. */
static bool is_product(const Graph *g, const Node *node) {
  if (!node->op->cost || node->type->rank == MAX_RANK) return false;
  const Type **type = NEW_N(g->arena, const Type *, node->n_in + 1u);
  double numbers = (double)type_count(node->type);
  for (uint32_t k = 0; k < node->n_in; k++) {
    type[k] = g->node[node->in[k]].type;
    numbers += (double)type_count(type[k]);
  }
  KernelCall c = {.in_type = type, .out_type = node->type, .attr = node->attr, .n_in = node->n_in};
  return node->op->cost(&c).flops > 1.5 * numbers;
}

static bool is_marked(void *ctx, NodeId id) { return ((const bool *)ctx)[id]; }

/* What a turn's derivative needs of the new body, not looked behind what is marked. */
static uint32_t needed(const Back *b, bool *marked, NodeId **ids) {
  NodeId *root = NEW_N(b->g->arena, NodeId, b->n + 1u);
  uint32_t n = 0;
  for (uint32_t k = 0; k < b->n; k++)
    if (b->slope[k].node != NO_NODE) root[n++] = b->slope[k].node;
  return graph_slice(b->body, root, n, is_marked, marked, ids);
}

/* By node of the new body: the only node that reads it; NO_NODE if it is a result, or several do; itself, if none. */
static NodeId *only_readers(const Back *b, bool *none) {
  Arena *a = b->g->arena;
  NodeId *reader = NEW_N(a, NodeId, b->body->n + 1u), *ids;
  for (NodeId id = 0; id < b->body->n; id++) reader[id] = id;
  for (uint32_t k = 0; k < b->n; k++)
    if (b->slope[k].node != NO_NODE) reader[b->slope[k].node] = NO_NODE;
  uint32_t n = needed(b, none, &ids);
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = &b->body->node[ids[k]];
    for (uint32_t j = 0; j < x->n_in; j++) reader[x->in[j]] = reader[x->in[j]] == x->in[j] ? ids[k] : NO_NODE;
  }
  return reader;
}

/* What the derivative of a turn would make again, and what pointwise operations alone make of it: x @ w + h @ u + b is
 * kept once. */
static void choose_kept(Back *b) {
  const Graph *body = b->body, *fwd = b->fwd;
  bool *keep = NEW_N(b->g->arena, bool, body->n + 1u);
  NodeId *reader = only_readers(b, keep), *of = NEW_N(b->g->arena, NodeId, body->n + 1u), *ids;
  double anyway = 0, more = 0;
  for (NodeId id = 0; id < body->n; id++) of[id] = NO_NODE;
  for (NodeId id = 0; id < fwd->n; id++)
    if (b->copy[id] != NO_NODE) of[b->copy[id]] = id;
  for (NodeId id = 0; id < fwd->n; id++) {
    NodeId at = b->copy[id];
    if (at == NO_NODE || reader[at] == at || !is_product(fwd, &fwd->node[id])) continue;
    for (NodeId next = reader[at]; next != NO_NODE && of[next] != NO_NODE; next = reader[at]) {
      const Node *x = &body->node[next];
      if (!(x->op->flags & OP_POINTWISE) || type_bytes(x->type) > type_bytes(body->node[at].type)) break;
      at = next;
    }
    keep[at] = true;
  }
  for (uint32_t k = 0; k < b->c + b->s; k++)
    if (is_read(b, k)) anyway += (double)type_bytes(fwd->node[b->reads[k]].type);
  uint32_t n = needed(b, keep, &ids);
  for (uint32_t k = 0; k < n; k++) more += keep[ids[k]] ? (double)type_bytes(body->node[ids[k]].type) : 0;
  for (uint32_t k = 0; k < n && more <= KEPT_TIMES * anyway; k++)
    if (keep[ids[k]]) vec_push(b->g->arena, &b->kept, of[ids[k]]);
}

static void set_slot(Graph *g, NodeId id, int64_t slot) {
  Node *x = &g->node[id];
  int64_t i[2 + MAX_RANK] = {slot, x->type->dtype};
  for (int k = 0; k < x->type->rank; k++) i[2 + k] = x->type->dim[k];
  Attr attr = {.i = arena_copy(g->arena, i, sizeof i), .n = 2u + x->type->rank};
  *x = (Node){.op = &op_input, .type = x->type, .loc = x->loc, .segment = x->segment,
              .attr = arena_copy(g->arena, &attr, sizeof attr)};
}

/* They become inputs of the new body, in the place of what made them. */
static void keep_products(Back *b) {
  if (loop_ends(b->d->attr) != ENDS_AFTER_ALL) return;   /* its turns are a limit, not what it makes */
  choose_kept(b);
  for (NodeId id = 0; id < b->body->n && b->kept.n; id++) {
    const Node *x = &b->body->node[id];
    if (x->op == &op_input && x->attr->i[0] >= b->fixed) set_slot(b->body, id, x->attr->i[0] + b->kept.n);
  }
  for (uint32_t k = 0; k < b->kept.n; k++) set_slot(b->body, b->copy[b->kept.at[k]], b->fixed + k);
}

/* ---- sums of products ---- */

/* Whether a turn adds x' @ g to the adjoint of k, and g is smaller than that. */
static bool adds_product(const Back *b, uint32_t k) {
  if (!sums(b, k) || loop_ends(b->d->attr) != ENDS_AFTER_ALL) return false;
  const Node *p = &b->body->node[b->slope[k].node];
  if (p->op != &op_matmul || p->type->rank != 2 || p->attr->n != 2 || !p->attr->i[0] || p->attr->i[1]) return false;
  const Type *x = b->body->node[p->in[0]].type, *g = b->body->node[p->in[1]].type;
  return x->rank == 2 && g->rank == 2 && type_bytes(g) <= type_bytes(p->type);
}

static bool find_late(Back *b) {
  bool *late = NEW_N(b->g->arena, bool, b->n + 1u), any = false;
  for (uint32_t k = 0; k < b->n; k++) any |= late[k] = adds_product(b, k);
  b->late = late;
  return any;
}

/* Whether a turn is given node id of the new body, an element of a sequence. */
static bool is_element(const Back *b, NodeId id, int64_t n_carry) {
  const Node *x = &b->body->node[id];
  return x->op == &op_input && x->attr->i[0] >= n_carry && x->attr->i[0] < b->fixed + b->kept.n;
}

/* Node id of a turn, of all turns one below the other. */
static NodeId over_turns(const Back *b, NodeId loop, NodeId id) {
  const Attr *attr = b->g->node[loop].attr;
  int64_t n_carry = attr->i[LOOP_CARRIES];
  Type t = *b->body->node[id].type;
  uint32_t k = (uint32_t)n_carry;
  bool element = is_element(b, id, n_carry);
  while (!element && attr->body->out.at[k].node != id) k++;
  NodeId all = element ? b->operand[b->body->node[id].attr->i[0]] : pick(b->g, loop, k);
  t.dim[0] *= attr->i[LOOP_TURNS];
  return g_reshape(b->g, all, &t);
}

static NodeId late_sum(const Back *b, NodeId loop, uint32_t k) {
  const Node *p = &b->body->node[b->slope[k].node];
  NodeId x = over_turns(b, loop, p->in[0]), g = over_turns(b, loop, p->in[1]);
  return g_attr(b->g, &op_matmul, (NodeId[]){x, g}, 2, (int64_t[]){1, 0}, 2);
}

static void late_outputs(Back *b) {
  int64_t n_carry = 0;
  for (uint32_t k = 0; k < b->n; k++) n_carry += carries(b, k) + sums(b, k);
  for (uint32_t k = 0; k < b->n; k++)
    for (uint32_t j = 0; j < 2 && b->late[k]; j++) {
      NodeId id = b->body->node[b->slope[k].node].in[j];
      bool there = is_element(b, id, n_carry);
      for (uint32_t q = (uint32_t)n_carry; q < b->body->out.n && !there; q++) there = b->body->out.at[q].node == id;
      if (!there) graph_output(b->body, id, b->body->out.n);
    }
}

static void back_outputs(Back *b) {
  Graph *body = b->body;
  for (uint32_t k = 0; k < b->c; k++) {
    if (!carries(b, k)) continue;
    NodeId dx = b->slope[k].node;
    graph_output(body, dx != NO_NODE ? dx : g_fill(body, b->g->node[b->d->x[k]].type, 0), body->out.n);
  }
  for (uint32_t k = b->c + b->s; k < b->n; k++)
    if (sums(b, k)) graph_output(body, g_op2(body, &op_add, b->sum[k], b->slope[k].node), body->out.n);
  for (uint32_t k = b->c; k < b->c + b->s; k++)
    if (slopes(b, k)) graph_output(body, b->slope[k].node, body->out.n);
  late_outputs(b);
}

/* The new loop: adjoints and sums; saved carries, sequences, adjoints of what was stacked; the constants; and how many
 * turns there were. */
static NodeId back_loop(Back *b) {
  Graph *g = b->g;
  const Grad *d = b->d;
  VEC(NodeId) in = {0};
  for (uint32_t k = 0; k < b->c; k++)
    if (carries(b, k))
      vec_push(g->arena, &in, d->dys[k].node != NO_NODE ? d->dys[k].node : g_fill(g, g->node[d->x[k]].type, 0));
  for (uint32_t k = 0; k < b->n; k++)
    if (sums(b, k)) vec_push(g->arena, &in, g_fill(g, g->node[d->x[k]].type, 0));
  uint32_t n_carry = in.n;
  for (uint32_t k = 0; k < b->c; k++)
    if (is_read(b, k)) {
      uint32_t output = stacked_output(g, d->y, b->reads[k]);
      vec_push(g->arena, &in, pick(g, d->y, output));
    }
  for (uint32_t k = b->c; k < b->c + b->s; k++)
    if (is_read(b, k)) vec_push(g->arena, &in, d->x[k]);
  for (uint32_t k = b->c; k < b->n_out; k++)
    if (d->dys[k].node != NO_NODE) vec_push(g->arena, &in, d->dys[k].node);
  for (uint32_t k = 0; k < b->kept.n; k++) {
    uint32_t output = stacked_output(g, d->y, b->kept.at[k]);
    vec_push(g->arena, &in, pick(g, d->y, output));
  }
  uint32_t n_sequence = in.n - n_carry;
  for (uint32_t k = b->c + b->s; k < b->n; k++)
    if (is_read(b, k)) vec_push(g->arena, &in, d->x[k]);
  int64_t i[LOOP_ATTRS] = {d->attr->i[LOOP_TURNS], n_carry, n_sequence, !d->attr->i[LOOP_REVERSE], ENDS_COUNTED};
  int64_t ends = loop_ends(d->attr);
  if (ends != ENDS_AFTER_ALL) vec_push(g->arena, &in, ends == ENDS_UNTIL ? pick(g, d->y, b->c) : d->x[b->n - 1]);
  uint32_t n_i = ends == ENDS_AFTER_ALL ? LOOP_REVERSE + 1 : LOOP_ATTRS;
  b->operand = in.at;
  return graph_emit(g, &op_loop, in.at, in.n, &(Attr){.body = b->body, .i = i, .n = n_i}, 0, NULL);
}

/* Whether a carry's adjoint is selected depends on the turn after, so it is taken to be, until a turn says no. */
static void loop_grad(Grad *d) {
  Back b = back_of(d);
  bool any = false;
  for (uint32_t k = 0; k < b.n_out; k++) any |= d->dys[k].node != NO_NODE || carries(&b, k);
  if (!any) return;
  while (!back_turn(&b)) {}
  if (find_late(&b))
    while (!back_turn(&b)) {}
  keep_products(&b);
  back_outputs(&b);
  NodeId loop = back_loop(&b);
  uint32_t out = 0;
  for (uint32_t k = 0; k < b.c; k++)
    if (carries(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.selected[k];
    }
  for (uint32_t k = b.c + b.s; k < b.n; k++)
    if (b.late[k]) {
      d->dx[k] = late_sum(&b, loop, k);
      d->dx_selected[k] = b.slope[k].selected;
    } else if (sums(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.slope[k].selected;
    }
  for (uint32_t k = b.c; k < b.c + b.s; k++)
    if (slopes(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.slope[k].selected;
    }
}

#define LIMIT "{a} turns were made, and `until` still does not hold"
#define FIXED "{a} turns were made, and f(x) still differs from x by {v}"
#define ROOT "{a} turns were made, and f(x) still differs from 0 by {v}"
#define TURNS_HINT "if it only needs more turns, give it `limit = ...`"
static const OpFault limit_reached[] = {
    [WHO_ITERATE] = {"E0721", LIMIT, TURNS_HINT},
    [WHO_ITERATE_ONE] = {"E0721", LIMIT ": it stopped at {v}", TURNS_HINT},
    [WHO_FIXED_POINT] = {"E0722", FIXED, "a fixed point is found where f brings points closer together; `root` of "
                                         "f(x) - x does not need that"},
    [WHO_ROOT] = {"E0723", ROOT, "begin nearer to a root, or give it `limit = ...`"},
};

Fault loop_fault(const Attr *a, const Type *flag_type, const void *flag, const Type *state_type, const void *state) {
  int64_t n = type_count(flag_type), at = 0;
  while (at < n && ((const uint8_t *)flag)[at]) at++;
  Fault f = {.code = FAULT_OP, .which = (uint32_t)a->i[LOOP_WHO], .a = a->i[LOOP_LIMIT], .element = -1};
  if (flag_type->rank > 0) f.element = at;
  DType d = (DType)state_type->dtype;
  if (type_count(state_type) == n && at < n && (d == F64 || d == F32 || d == I32))
    f.v = d == F64   ? ((const double *)state)[at]
          : d == F32 ? (double)((const float *)state)[at]
                     : (double)((const int32_t *)state)[at];
  else if (f.which == WHO_ITERATE_ONE) f.which = WHO_ITERATE;
  return f;
}

const Op op_loop = {
    .name = "loop", .id = OP_loop, .flags = OP_HIDDEN | OP_STORES | OP_FAILS, .n_in = -1,
    .faults = limit_reached,
    .args = "xs.., turns:int, carries:int, sequences:int, reverse:flag=false, ends:int=0, limit:int=0, who:int=0",
    .doc =
        "Turns over a body: carries go round, a sequence gives an element a turn. What `fold` and `scan` are made of.",
    .example = "fold(fn (s, x) = s + x, 0.0, [1, 2, 3])   # => 6", .type = loop_type, .grad = loop_grad,
};
#else
const OpKernels KERNELS_OF(loop) = {.run = NULL};
#endif

/* ---- pick: attr->i = {which output} ---- */

#ifndef KERNELS
static bool pick_type(TypeRule *r) {
  const Node *loop = &r->g->node[r->in[0]];
  if (loop->op != &op_loop || r->attr->n != 1 || r->attr->i[0] < 0 || r->attr->i[0] >= loop->attr->body->out.n)
    return refuse(r, BAD_VALUE, 0, -1, NULL, "`pick` reads an output of a loop");
  r->y = output_type(loop->attr, (uint32_t)r->attr->i[0]);
  return true;
}

/* Reverse accumulation hands a pick's adjoint to its loop (grad.c). */
const Op op_pick = {
    .name = "pick", .id = OP_pick, .flags = OP_HIDDEN | OP_STORES, .n_in = 1, .args = "loop, k:int",
    .doc = "One result of a loop.", .example = "fold(fn (s, x) = s + x, 0.0, [1, 2, 3])   # => 6", .type = pick_type,
    .no_grad = "its loop takes its adjoint",
};
#else
const OpKernels KERNELS_OF(pick) = {.run = NULL};
#endif
