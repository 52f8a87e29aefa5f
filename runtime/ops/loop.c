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
} Back;

static bool floats(const Graph *g, NodeId id) { return dtype_is_float((DType)g->node[id].type->dtype); }
static bool is_read(const Back *b, uint32_t k) { return b->reads[k] != NO_NODE; }
static bool carries(const Back *b, uint32_t k) { return k < b->c && floats(b->g, b->d->x[k]); }
static bool sums(const Back *b, uint32_t k) {
  return k >= b->c + b->s && k < b->n && b->d->wanted[k] && is_read(b, k) && floats(b->g, b->d->x[k]);
}
/* A turn differentiates by it. */
static bool slopes(const Back *b, uint32_t k) {
  return is_read(b, k) && floats(b->g, b->d->x[k]) && (k < b->c || b->d->wanted[k]);
}

static Back back_of(Grad *d) {
  Graph *g = d->g;
  const int64_t *i = d->attr->i;
  Back b = {.d = d, .g = g, .fwd = d->attr->body, .c = (uint32_t)i[CARRIES], .s = (uint32_t)i[SEQUENCES], .n = d->n};
  b.n_out = b.fwd->out.n;
  b.reads = NEW_N(g->arena, NodeId, b.n + 1u);
  b.in = NEW_N(g->arena, NodeId, b.n + 1u);
  b.sum = NEW_N(g->arena, NodeId, b.n + 1u);
  b.weight = NEW_N(g->arena, NodeId, b.n_out + 1u);
  b.selected = NEW_N(g->arena, bool, b.c + 1u);
  b.slope = NEW_N(g->arena, Adjoint, b.n + 1u);
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
  for (uint32_t k = b->c + b->s; k < b->n; k++)
    if (is_read(b, k)) b->in[k] = graph_input(b->body, slot++, g->node[x[k]].type, 0);
  if (is_read(b, b->n)) b->in[b->n] = graph_input(b->body, slot, b->fwd->node[b->reads[b->n]].type, 0);
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
  graph_inline(b->body, b->fwd, b->in, result);
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
}

/* The new loop: adjoints and sums; saved carries, sequences, adjoints of what was stacked; the constants. */
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
  uint32_t n_sequence = in.n - n_carry;
  for (uint32_t k = b->c + b->s; k < b->n; k++)
    if (is_read(b, k)) vec_push(g->arena, &in, d->x[k]);
  int64_t i[LOOP_ATTRS] = {d->attr->i[TURNS], n_carry, n_sequence, !d->attr->i[REVERSE]};
  return graph_emit(g, &op_loop, in.at, in.n, &(Attr){.body = b->body, .i = i, .n = LOOP_ATTRS}, 0, NULL);
}

/* Whether a carry's adjoint is selected depends on the turn after, so it is taken to be, until a turn says no. */
static void loop_grad(Grad *d) {
  Back b = back_of(d);
  bool any = false;
  for (uint32_t k = 0; k < b.n_out; k++) any |= d->dys[k].node != NO_NODE || carries(&b, k);
  if (!any) return;
  while (!back_turn(&b)) {}
  back_outputs(&b);
  NodeId loop = back_loop(&b);
  uint32_t out = 0;
  for (uint32_t k = 0; k < b.c; k++)
    if (carries(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.selected[k];
    }
  for (uint32_t k = b.c + b.s; k < b.n; k++)
    if (sums(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.slope[k].selected;
    }
  for (uint32_t k = b.c; k < b.c + b.s; k++)
    if (slopes(&b, k)) {
      d->dx[k] = pick(d->g, loop, out++);
      d->dx_selected[k] = b.slope[k].selected;
    }
}

const Op op_loop = {
    .name = "loop", .id = OP_loop, .flags = OP_HIDDEN | OP_STORES, .n_in = -1,
    .args = "xs.., turns:int, carries:int, sequences:int, reverse:flag=false",
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
