/* loop: turns over a body graph, and pick, which reads one of its results. op.h says how slots and outputs are counted.
 * In: carries, sequences, constants. Out: the last carries, and values stacked over the turns.
 *
 * The gradient is one more loop, in the other direction: a turn repeats the forward turn from the carries that it began
 * with, and turns the adjoints of its results into those of its inputs. The carries of each turn are outputs of the
 * forward loop itself: its body gets them as stacked values (its node gets a new list of outputs; the picks that
 * are there mean what they meant), so nothing runs twice but the inside of a turn. The new loop's body is an ordinary
 * graph, so all orders follow. How a loop runs is the plan's and eval.c's business: it has no kernel.
 */
#include "graph/grad.h"

#ifndef KERNELS
enum { TURNS, CARRIES, SEQUENCES, REVERSE, LOOP_ATTRS };

/* What the loop gives as output k. */
static Type output_type(const Attr *a, uint32_t k) {
  Type t = *a->body->node[a->body->out.at[k].node].type;
  if (k < a->i[CARRIES]) return t;
  Type stacked = {.dtype = t.dtype, .rank = (uint8_t)(t.rank + 1), .dim = {a->i[TURNS]}};
  for (int d = 0; d < t.rank && d + 1 < MAX_RANK; d++) stacked.dim[d + 1] = t.dim[d];
  return stacked;
}

static Type element_of(const Type *t) { return type_make((DType)t->dtype, t->rank - 1, t->dim + 1); }

static bool body_input(TypeRule *r, const Node *n) {
  int64_t slot = n->attr->i[0], c = r->attr->i[CARRIES], s = r->attr->i[SEQUENCES];
  if (slot < 0 || slot > (int64_t)r->n)
    return refuse(r, BAD_VALUE, -1, -1, NULL, "the loop's body reads slot %lld, but it has %u", (long long)slot,
                  (unsigned)r->n + 1);
  Type want = type_scalar(I32);
  if (slot < (int64_t)r->n) want = slot >= c && slot < c + s ? element_of(r->x[slot]) : *r->x[slot];
  if (type_eq(&want, n->type)) return true;
  return refuse(r, BAD_SHAPE, (int)slot, -1, NULL, "the loop's body takes %s here, but it is given %s",
                type_show(r->g->arena, n->type), type_show(r->g->arena, &want));
}

static bool loop_type(TypeRule *r) {
  const Attr *a = r->attr;
  const Graph *body = a->body;
  if (a->n != LOOP_ATTRS || !body || a->i[TURNS] < 0 || a->i[CARRIES] < 0 || a->i[SEQUENCES] < 0 ||
      a->i[CARRIES] > r->n || a->i[SEQUENCES] > r->n - a->i[CARRIES] || body->out.n < (uint64_t)a->i[CARRIES])
    return refuse(r, BAD_VALUE, -1, -1, NULL,
                  "a loop needs its turns, carries, sequences and a body that gives the carries");
  for (int64_t k = a->i[CARRIES]; k < a->i[CARRIES] + a->i[SEQUENCES]; k++) {
    if (r->x[k]->rank == 0)
      return refuse(r, BAD_RANK, (int)k, -1, NULL, "a loop runs along the first axis, but a scalar has none");
    if (r->x[k]->dim[0] != a->i[TURNS])
      return refuse(r, BAD_SHAPE, (int)k, -1, NULL, "a loop of %lld turns cannot run along %s", (long long)a->i[TURNS],
                    type_show(r->g->arena, r->x[k]));
  }
  for (NodeId id = 0; id < body->n; id++)
    if (body->node[id].op == &op_input && !body_input(r, &body->node[id])) return false;
  for (uint32_t k = 0; k < body->out.n; k++) {
    const Type *t = body->node[body->out.at[k].node].type;
    if (k >= a->i[CARRIES] && t->rank == MAX_RANK)
      return refuse(r, BAD_LIMIT, -1, -1, NULL, "values of rank %d cannot be stacked over turns", MAX_RANK);
    if (k < a->i[CARRIES] && !type_eq(t, r->x[k]))
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

static NodeId pick(Graph *g, NodeId loop, uint32_t k) { return g_attr(g, &op_pick, &loop, 1, (int64_t[]){k}, 1); }

/* The output of the body that is the value of its node `id` over the turns; the loop y gets it if it has none. */
static uint32_t stacked_output(Graph *g, NodeId y, NodeId id) {
  Attr attr = *g->node[y].attr;
  for (uint32_t k = (uint32_t)attr.i[CARRIES]; k < attr.body->out.n; k++)
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

/* The backward loop while it is made. */
typedef struct Back {
  Grad *d;
  Graph *body, *fwd;         /* its body; the forward one */
  uint32_t c, s, n_out;      /* of the forward loop */
  NodeId *in;                /* by forward slot: the input of the new body; NO_NODE if the body reads none */
  VEC(NodeId) carry, sequence, constant;      /* its operands */
} Back;

static NodeId body_node(Back *b, const Type *t, uint32_t slot) { return graph_input(b->body, slot, t, 0); }

/* total += sum(result * its adjoint): one scalar whose derivative is that of all results at once. */
static void weigh(Graph *g, NodeId *total, NodeId result, NodeId adjoint) {
  NodeId both = g_op2(g, &op_mul, result, adjoint);
  int rank = g->node[both].type->rank;
  int64_t i[MAX_RANK + 2] = {rank};
  for (int k = 0; k < rank; k++) i[1 + k] = k;
  NodeId sum = g_attr(g, &op_sum, &both, 1, i, (uint32_t)rank + 2);
  *total = *total == NO_NODE ? sum : g_op2(g, &op_add, *total, sum);
}

static bool floats(const Graph *g, NodeId id) { return dtype_is_float((DType)g->node[id].type->dtype); }

static void loop_grad(Grad *d) {
  Graph *g = d->g;
  Arena *a = g->arena;
  const int64_t *i = d->attr->i;
  Back b = {.d = d, .fwd = d->attr->body, .c = (uint32_t)i[CARRIES], .s = (uint32_t)i[SEQUENCES]};
  b.n_out = b.fwd->out.n;
  b.body = graph_new(a);
  b.body->loc = g->loc;
  b.body->limit = g->limit;
  uint32_t n = d->n;
  NodeId *reads = NEW_N(a, NodeId, n + 1u);   /* the forward body's input of each slot */
  for (uint32_t k = 0; k <= n; k++) reads[k] = NO_NODE;
  for (NodeId id = 0; id < b.fwd->n; id++)
    if (b.fwd->node[id].op == &op_input) reads[b.fwd->node[id].attr->i[0]] = id;

  /* The operands: adjoints of float carries, sums for wanted constants; saved carries, sequences, adjoints of what was
   * stacked; the constants. */
  NodeId *weight = NEW_N(a, NodeId, b.n_out + 1u);
  b.in = NEW_N(a, NodeId, n + 1u);
  for (uint32_t k = 0; k < b.c; k++)
    if (floats(g, d->x[k])) {
      vec_push(a, &b.carry, d->dys[k] != NO_NODE ? d->dys[k] : g_fill(g, g->node[d->x[k]].type, 0));
    }
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (d->wanted[k] && reads[k] != NO_NODE && floats(g, d->x[k])) {
      vec_push(a, &b.carry, g_fill(g, g->node[d->x[k]].type, 0));
    }
  for (uint32_t k = 0; k < b.c; k++)
    if (reads[k] != NO_NODE) vec_push(a, &b.sequence, pick(g, d->y, stacked_output(g, d->y, reads[k])));
  for (uint32_t k = b.c; k < b.c + b.s; k++)
    if (reads[k] != NO_NODE) vec_push(a, &b.sequence, d->x[k]);
  for (uint32_t k = b.c; k < b.n_out; k++)
    if (d->dys[k] != NO_NODE) vec_push(a, &b.sequence, d->dys[k]);
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (reads[k] != NO_NODE) vec_push(a, &b.constant, d->x[k]);

  /* Its body's inputs, in the same order. */
  uint32_t slot = 0;
  NodeId *sum = NEW_N(a, NodeId, n + 1u);
  for (uint32_t k = 0; k < b.n_out; k++) weight[k] = NO_NODE;
  for (uint32_t k = 0; k <= n; k++) b.in[k] = sum[k] = NO_NODE;
  for (uint32_t k = 0; k < b.c; k++)
    if (floats(g, d->x[k])) weight[k] = body_node(&b, g->node[d->x[k]].type, slot++);
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (d->wanted[k] && reads[k] != NO_NODE && floats(g, d->x[k]))
      sum[k] = body_node(&b, g->node[d->x[k]].type, slot++);
  for (uint32_t k = 0; k < b.c + b.s; k++)
    if (reads[k] != NO_NODE) b.in[k] = body_node(&b, b.fwd->node[reads[k]].type, slot++);
  for (uint32_t k = b.c; k < b.n_out; k++)
    if (d->dys[k] != NO_NODE) weight[k] = body_node(&b, b.fwd->node[b.fwd->out.at[k].node].type, slot++);
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (reads[k] != NO_NODE) b.in[k] = body_node(&b, g->node[d->x[k]].type, slot++);
  if (reads[n] != NO_NODE) b.in[n] = body_node(&b, b.fwd->node[reads[n]].type, slot);

  /* The turn, and its derivative. */
  NodeId *result = NEW_N(a, NodeId, b.n_out + 1u), total = NO_NODE;
  graph_inline(b.body, b.fwd, b.in, result);
  for (uint32_t k = 0; k < b.n_out; k++)
    if (weight[k] != NO_NODE) weigh(b.body, &total, result[k], weight[k]);
  if (total == NO_NODE) return;
  NodeId *wrt = NEW_N(a, NodeId, n + 1u), *slope = NEW_N(a, NodeId, n + 1u), *of = NEW_N(a, NodeId, n + 1u);
  uint32_t n_wrt = 0;
  for (uint32_t k = 0; k < n; k++) {
    of[k] = NO_NODE;
    bool needed = k < b.c || d->wanted[k];
    if (!needed || reads[k] == NO_NODE || !floats(g, d->x[k])) continue;
    of[k] = n_wrt;
    wrt[n_wrt++] = b.in[k];
  }
  grad_reverse(b.body, total, NO_NODE, wrt, n_wrt, slope, NULL);
  graph_no_gradient(g, b.body->no_gradient, b.body->no_gradient_at);
  for (uint32_t k = 0; k < b.c; k++)
    if (floats(g, d->x[k]))
      graph_output(b.body, of[k] != NO_NODE ? slope[of[k]] : g_fill(b.body, g->node[d->x[k]].type, 0), b.body->out.n);
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (sum[k] != NO_NODE) graph_output(b.body, g_op2(b.body, &op_add, sum[k], slope[of[k]]), b.body->out.n);
  for (uint32_t k = b.c; k < b.c + b.s; k++)
    if (of[k] != NO_NODE) graph_output(b.body, slope[of[k]], b.body->out.n);

  /* The loop, and what each operand takes from it. */
  uint32_t n_in = b.carry.n + b.sequence.n + b.constant.n, k_in = 0;
  NodeId *in = NEW_N(a, NodeId, n_in + 1u);
  for (uint32_t k = 0; k < b.carry.n; k++) in[k_in++] = b.carry.at[k];
  for (uint32_t k = 0; k < b.sequence.n; k++) in[k_in++] = b.sequence.at[k];
  for (uint32_t k = 0; k < b.constant.n; k++) in[k_in++] = b.constant.at[k];
  int64_t attrs[LOOP_ATTRS] = {i[TURNS], b.carry.n, b.sequence.n, !i[REVERSE]};
  NodeId back = graph_emit(g, &op_loop, in, n_in, &(Attr){.body = b.body, .i = attrs, .n = LOOP_ATTRS}, 0, NULL);
  uint32_t out = 0;
  for (uint32_t k = 0; k < b.c; k++)
    if (floats(g, d->x[k])) d->dx[k] = pick(g, back, out++);
  for (uint32_t k = b.c + b.s; k < n; k++)
    if (sum[k] != NO_NODE) d->dx[k] = pick(g, back, out++);
  for (uint32_t k = b.c; k < b.c + b.s; k++)
    if (of[k] != NO_NODE) d->dx[k] = pick(g, back, out++);
}

const Op op_loop = {
    .name = "loop", .id = OP_loop, .flags = OP_HIDDEN, .n_in = -1,
    .args = "xs.. turns:int carries:int sequences:int reverse:flag",
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
    .name = "pick", .id = OP_pick, .flags = OP_HIDDEN, .n_in = 1, .args = "loop k:int",
    .doc = "One result of a loop.", .example = "fold(fn (s, x) = s + x, 0.0, [1, 2, 3])   # => 6", .type = pick_type,
    .no_grad = "its loop takes its adjoint",
};
#else
const OpKernels KERNELS_OF(pick) = {.run = NULL};
#endif
