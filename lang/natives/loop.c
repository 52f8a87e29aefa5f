/* loop: fold and scan. In: a function of (state, element), a first state, what to go along. Out: over a list the
 * calls one after another; over a tensor (or a record or tuple of tensors, or a range) one op `loop` whose body is made
 * once.
 */
#include "elab/body.h"
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/seq.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/graph/opt.h"
#include "steps/effects.h"
#include <string.h>

/* ---- what stands around a body ---- */
typedef struct Walked {       /* xs of a loop */
  Value like;                 /* its tree; elements have its shape */
  Nodes sequence;             /* tensors along the first axis */
  const Seq *seq;             /* or a range: elements come from the turn */
  int64_t n;
} Walked;

static Type row_type(const Type *t) { return type_make((DType)t->dtype, t->rank - 1, t->dim + 1); }

/* Whether two values are the same tree of tensors, apart from their types. */
static bool same_tree(Elab *e, Value a, Value b) {
  host_deeper(&e->s->host);
  a = value_decay(e, a);
  b = value_decay(e, b);
  bool ta = is_tensor(&a), tb = is_tensor(&b);
  if (ta || tb) return ta && tb;
  if (a.kind != b.kind) return false;
  if (a.kind == V_TUPLE || a.kind == V_LIST) {
    if (a.items->n != b.items->n) return false;
    for (uint32_t k = 0; k < a.items->n; k++)
      if (!same_tree(e, a.items->at[k], b.items->at[k])) return false;
    return true;
  }
  if (a.kind == V_RECORD) {
    if (a.fields->n != b.fields->n) return false;
    for (uint32_t k = 0; k < a.fields->n; k++)
      if (a.fields->name[k] != b.fields->name[k] || !same_tree(e, a.fields->at[k], b.fields->at[k])) return false;
  }
  return a.kind == V_RECORD || a.kind == V_UNIT;
}

static Value call2(Elab *e, Value f, Value x, Value y, const Ast *const *where, const Ast *at) {
  Value v[2] = {x, y};
  Sym name[2] = {NULL, NULL};
  const Ast *ast[2] = {where[0], where[1]};
  Args a = {.n = 2, .at = v, .name = name, .ast = ast};
  return call_value(e, f, &a, at);
}

/* A first state that is a literal takes the element type of what it meets: that of xs. */
static bool first_state(Elab *e, Nodes *state, const bool *literal_, const Walked *w, const Ast *at) {
  DType d = F32;
  for (uint32_t k = 0; k < w->sequence.n; k++)
    if (dtype_is_float((DType)node_type(e, w->sequence.at[k])->dtype)) {
      d = (DType)node_type(e, w->sequence.at[k])->dtype;
      break;
    }
  for (uint32_t k = 0; k < state->n; k++) {
    if (!node_flex(e, state->at[k])) continue;
    bool ints =
        literal_[k] && (w->seq || (w->sequence.n && !dtype_is_float((DType)node_type(e, w->sequence.at[0])->dtype)));
    state->at[k] = want_typed(e, v_node(state->at[k]), ints ? I32 : d, at, "the first state");
    if (state->at[k] == NO_NODE) return false;
  }
  return true;
}

typedef VEC(NodeId *) Traced;

/* ---- what a body traces: more outputs of the loop, stacked over the turns ---- */
static void traced_nodes(Elab *e, TraceGroup *g, Traced *out) {
  host_deeper(&e->s->host);
  if (g->counted) vec_push(e->a, out, &g->count);
  for (uint32_t k = 0; k < g->item.n; k++) {
    if (g->item.at[k].inner) traced_nodes(e, g->item.at[k].inner, out);
    else vec_push(e->a, out, &g->item.at[k].node);
  }
}

/* A loop that is being made. */
typedef struct Loop {
  Value f, init;
  const Walked *w;
  const Ast *at, *place[3];   /* of the call, of f, init and xs */
  bool stacked;
  Nodes state;                /* the first one: c tensors */
  bool *soft;                 /* which of them were literals */
  NodeId *input, turn;        /* of the body: states, then elements */
  TraceGroup *group;
  Nodes next;                 /* what a turn makes of the states */
} Loop;

/* The states and elements of a body, and what f makes of them. V_BAD: reported. */
static Value turn_of(Elab *e, Loop *l) {
  const Walked *w = l->w;
  uint32_t c = l->state.n, k0 = 0, k1 = 0;
  Type i32 = type_scalar(I32);
  l->input = NEW_N(e->a, NodeId, c + w->sequence.n + 1);
  for (uint32_t k = 0; k < c; k++) l->input[k] = body_input(e, node_type(e, l->state.at[k]), l->at);
  for (uint32_t k = 0; k < w->sequence.n; k++) {
    Type t = row_type(node_type(e, w->sequence.at[k]));
    l->input[c + k] = body_input(e, &t, l->at);
  }
  l->turn = body_input(e, &i32, l->at);
  Value s = unflat(e, l->init, l->input, &k0);
  Value x = w->seq ? w->seq->element(e, w->seq, 0, l->turn, -1, l->at) : unflat(e, w->like, l->input + c, &k1);
  Where outside = make_within(e, MAKE_IN_MAP);
  vec_push(e->a, &e->here.turns, l->turn);
  e->here.traces = l->group = NEW(e->a, TraceGroup);
  Value y = call2(e, l->f, s, x, l->place + 1, l->at);
  e->here = outside;
  if (y.kind == V_BAD || same_tree(e, l->init, y)) return y;
  elab_error(e, l->place[0], E_FOLD_TREE, type_text(e, &l->init), type_text(e, &y));
  return v_bad();
}

/* State k keeps its type; a literal becomes what the first turn makes of it, and the turn is made again. */
static bool keeps_type(Elab *e, Loop *l, uint32_t k, bool first, bool *again) {
  NodeId *state = &l->state.at[k], *next = &l->next.at[k];
  const Type *t = node_type(e, *state);
  if (node_flex(e, *next) && type_same_shape(t, node_type(e, *next)) &&
      (*next = want_typed(e, v_node(*next), (DType)t->dtype, l->at, "the next state")) == NO_NODE)
    return false;
  Type u = *node_type(e, *next);
  if (type_eq(node_type(e, *state), &u)) return true;
  if (!l->soft[k] || !first) {
    elab_error(e, l->place[0], E_FOLD_TYPE, type_show(e->a, node_type(e, *state)), type_show(e->a, &u));
    return false;
  }
  *again = true;
  NodeId n = lower_cast(e, *state, (DType)u.dtype, l->at);
  if (n == NO_NODE || (node_type(e, n)->rank == 0 && (n = lower_fill(e, &u, n, l->at)) == NO_NODE)) return false;
  *state = n;
  return true;
}

static void show_traces(Elab *e, const Loop *l, const Traced *traced) {
  if (!traced->n) return;
  if (e->here.traces) vec_push(e->a, &e->here.traces->item, (TraceItem){NULL, NO_NODE, l->group});
  else step_effect(e, effect_traces(e->s, l->group, elab_loc(e, l->at)));
}

/* The op, whose body is what the turn made. */
static Value loop_of(Elab *e, Loop *l) {
  const Walked *w = l->w;
  const Ast *at = l->at;
  uint32_t c = l->state.n, values = l->stacked ? 2 * c : c, k2 = 0;
  Traced traced = {0};
  l->group->turns = w->n;
  traced_nodes(e, l->group, &traced);
  NodeId *root = NEW_N(e->a, NodeId, 2 * c + traced.n);
  for (uint32_t k = 0; k < c; k++) root[k] = root[c + k] = l->next.at[k];
  for (uint32_t k = 0; k < traced.n; k++) root[values + k] = *traced.at[k];
  Nodes capture = {0}, in = {0}, out = {0};
  Graph *body = lift_body(e, l->input, c + w->sequence.n, l->turn, root, values + traced.n, &capture);
  for (uint32_t k = 0; k < c; k++) vec_push(e->a, &in, l->state.at[k]);
  for (uint32_t k = 0; k < w->sequence.n; k++) vec_push(e->a, &in, w->sequence.at[k]);
  for (uint32_t k = 0; k < capture.n; k++) vec_push(e->a, &in, capture.at[k]);
  int64_t i[4] = {w->n, c, w->sequence.n, 0};
  NodeId loop = emit(e, &op_loop, in.at, in.n, &(Attr){.body = body, .i = i, .n = 4}, at);
  if (loop == NO_NODE) return v_bad();
  for (uint32_t k = 0; k < c; k++) {
    NodeId n = emit_i(e, &op_pick, &loop, 1, (int64_t[]){l->stacked ? c + k : k}, 1, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  for (uint32_t k = 0; k < traced.n; k++)
    if ((*traced.at[k] = emit_i(e, &op_pick, &loop, 1, (int64_t[]){values + k}, 1, at)) == NO_NODE) return v_bad();
  show_traces(e, l, &traced);
  return unflat(e, l->init, out.at, &k2);
}

/* ---- iterate ----
 * What goes round is the state and how many turns were made, i32[]. A state of which a derivative would have to keep
 * many bytes goes round in two loops: pieces of as many turns as there are pieces, each of which the derivative makes
 * again. There what goes round has also whether `until` holds, bool[]. */

enum { KEPT_BYTES = 1 << 20 };               /* of states, by a derivative */

typedef struct Until {
  Value f;
  const Ast *at;
  int64_t limit;
  int who;
  NodeId made, first, end;    /* of the body: turns made; whether to make one at all; whether this was the last */
  Traced traced;
  int64_t piece, pieces;      /* turns of a piece; 1 piece: one loop */
} Until;

static NodeId until_holds(Elab *e, const Until *u, Value state) {
  Value v = call1(e, u->f, state, u->at);
  return v.kind == V_BAD ? NO_NODE : condition(e, u->at, v);
}

/* The states of a body, what f makes of them, and what `until` says of that. V_BAD: reported. */
static Value turn_until(Elab *e, Loop *l, Until *u) {
  uint32_t c = l->state.n, k = 0;
  Type i32 = type_scalar(I32);
  l->input = NEW_N(e->a, NodeId, c + 3);
  for (uint32_t j = 0; j < c; j++) {
    l->input[j] = body_input(e, node_type(e, l->state.at[j]), l->at);
    e->g->node[l->input[j]].flags |= graph_at(e->g, l->state.at[j])->flags & NODE_FLEX;
  }
  l->input[c] = u->made = body_input(e, &i32, l->at);
  Where outside = make_within(e, MAKE_IN_MAP);
  vec_push(e->a, &e->here.turns, u->made);
  e->here.traces = l->group = NEW(e->a, TraceGroup);
  Value y = call1(e, l->f, unflat(e, l->init, l->input, &k), l->at);
  e->here = outside;
  if (y.kind == V_BAD || same_tree(e, l->init, y)) return y;
  elab_error(e, l->place[0], E_FOLD_TREE, type_text(e, &l->init), type_text(e, &y));
  return v_bad();
}

static bool end_of_turn(Elab *e, const Loop *l, Until *u) {
  uint32_t k = 0;
  Where outside = make_within(e, MAKE_IN_MAP);
  vec_push(e->a, &e->here.turns, u->made);
  u->end = until_holds(e, u, unflat(e, l->init, l->next.at, &k));
  e->here = outside;
  if (u->end == NO_NODE) return false;
  k = 0;
  u->first = until_holds(e, u, unflat(e, l->init, l->state.at, &k));
  return u->first != NO_NODE;
}

static NodeId graph_true(Graph *g, bool v, Loc loc) { return graph_const_like(g, BOOL, v, loc); }

/* One piece: the body of the outer loop. Its slots are those of the inner body. */
static Graph *piece_of(Elab *e, const Loop *l, const Until *u, Graph *inner, const Nodes *capture) {
  Graph *g = graph_new(e->g->arena);
  uint32_t c = l->state.n + 2, n = c + capture->n;
  NodeId *in = NEW_N(e->a, NodeId, n + 1);
  g->loc = elab_loc(e, l->at);
  g->limit = e->g->limit;
  for (uint32_t k = 0; k + 2 < c; k++) in[k] = graph_input(g, k, node_type(e, l->state.at[k]), g->loc);
  Type i32 = type_scalar(I32);
  in[c - 2] = graph_input(g, c - 2, &i32, g->loc);
  in[c - 1] = in[n] = graph_true(g, false, g->loc);
  for (uint32_t k = 0; k < capture->n; k++) in[c + k] = graph_input(g, c + k, node_type(e, capture->at[k]), g->loc);
  int64_t i[LOOP_ATTRS] = {u->piece, c, 0, 0, ENDS_UNTIL};
  NodeId loop = graph_emit(g, &op_loop, in, n + 1, &(Attr){.body = inner, .i = i, .n = LOOP_ATTRS}, g->loc, NULL);
  for (uint32_t k = 0; k < inner->out.n; k++)
    graph_output(g, g_attr(g, &op_pick, &loop, 1, (int64_t[]){k == c ? c - 1 : k}, 1), k);
  return g;
}

/* The body of one loop, or of an inner one: it ends there also where the limit is no multiple of a piece. */
static Graph *body_until(Elab *e, const Loop *l, const Until *u, Nodes *capture) {
  uint32_t c = l->state.n, n = 0;
  bool pieces = u->pieces > 1;
  NodeId *root = NEW_N(e->a, NodeId, c + u->traced.n + 3), end = u->end;
  WITH_LOC(e, l->at);
  for (uint32_t k = 0; k < c; k++) root[n++] = l->next.at[k];
  NodeId made = root[n++] = g_op2(e->g, &op_add, u->made, graph_const_like(e->g, I32, 1, 0));
  if (pieces) root[n++] = u->end;
  if (pieces && u->piece * u->pieces != u->limit)
    end = g_op2(e->g, &op_or, end, g_op2(e->g, &op_ge, made, graph_const_like(e->g, I32, (double)u->limit, 0)));
  root[n++] = end;
  for (uint32_t k = 0; k < u->traced.n; k++) root[n++] = *u->traced.at[k];
  if (pieces) {
    Type flag = type_scalar(BOOL);
    l->input[c + 1] = body_input(e, &flag, l->at);
  }
  return lift_body(e, l->input, c + 1 + pieces, NO_NODE, root, n, capture);
}

/* The op: out: the last states, then the turns made. false: reported. */
static bool loop_until(Elab *e, Loop *l, Until *u, Nodes *out) {
  uint32_t c = l->state.n, stacks = c + 2 + (u->pieces > 1);
  Nodes capture = {0}, in = {0};
  traced_nodes(e, l->group, &u->traced);
  Graph *body = body_until(e, l, u, &capture);
  WITH_LOC(e, l->at);
  for (uint32_t k = 0; k < c; k++) vec_push(e->a, &in, l->state.at[k]);
  vec_push(e->a, &in, graph_const_like(e->g, I32, 0, 0));
  if (u->pieces > 1) vec_push(e->a, &in, u->first);
  for (uint32_t k = 0; k < capture.n; k++) vec_push(e->a, &in, capture.at[k]);
  vec_push(e->a, &in, u->first);
  int64_t i[LOOP_ATTRS] = {u->limit, stacks - 1, 0, 0, ENDS_UNTIL, u->limit, u->who};
  if (u->pieces > 1) {
    body = piece_of(e, l, u, body, &capture);
    i[LOOP_TURNS] = u->pieces;
  }
  NodeId loop = emit(e, &op_loop, in.at, in.n, &(Attr){.body = body, .i = i, .n = LOOP_ATTRS}, l->at);
  if (loop == NO_NODE) return false;
  for (uint32_t k = 0; k <= c; k++) {
    NodeId n = emit_i(e, &op_pick, &loop, 1, (int64_t[]){k}, 1, l->at);
    if (n == NO_NODE) return false;
    vec_push(e->a, out, n);
  }
  for (uint32_t k = 0; k < u->traced.n; k++) {
    NodeId n = emit_i(e, &op_pick, &loop, 1, (int64_t[]){stacks + k}, 1, l->at);
    if (n == NO_NODE) return false;
    Type t = *node_type(e, n), whole = type_make((DType)t.dtype, t.rank - 1, t.dim + 1);
    whole.dim[0] *= t.dim[0];
    *u->traced.at[k] = u->pieces > 1 ? g_reshape(e->g, n, &whole) : n;
  }
  l->group->turns = u->piece * u->pieces;
  l->group->counted = true;
  l->group->count = out->at[c];
  show_traces(e, l, &u->traced);
  return true;
}

/* Pieces of about as many turns as there are pieces, where a derivative would keep too much else. */
static void cut_turns(Elab *e, const Loop *l, Until *u) {
  double bytes = 0;
  for (uint32_t k = 0; k < l->state.n; k++) bytes += (double)type_bytes(node_type(e, l->state.at[k]));
  u->pieces = 1;
  u->piece = u->limit;
  if (bytes * (double)u->limit <= KEPT_BYTES) return;
  while (u->pieces * u->pieces < u->limit) u->pieces++;
  u->piece = (u->limit + u->pieces - 1) / u->pieces;
  u->pieces = (u->limit + u->piece - 1) / u->piece;
}

/* A first state that is a literal: a whole number is i32, others have the element type that a turn of literals gives,
 * which is f32 if nothing in it wants another. */
static bool first_until(Elab *e, Loop *l, Until *u) {
  uint32_t c = l->state.n;
  bool open = false;
  DType *d = NEW_N(e->a, DType, c);
  l->soft = NEW_N(e->a, bool, c);
  for (uint32_t k = 0; k < c; k++) {
    NodeId n = l->state.at[k];
    l->soft[k] = node_flex(e, n);
    d[k] = node_type(e, n)->rank == 0 && graph_at(e->g, n)->flags & NODE_INTS ? I32 : F32;
    open |= l->soft[k] && d[k] == F32;
  }
  Nodes given = {0}, next = {0};
  for (uint32_t k = 0; k < c; k++) vec_push(e->a, &given, l->state.at[k]);
  for (uint32_t k = 0; k < c; k++)
    if (l->soft[k] && d[k] == I32 &&
        (l->state.at[k] = want_typed(e, v_node(given.at[k]), I32, l->place[1], "the first state")) == NO_NODE)
      return false;
  if (open) {
    Value y = turn_until(e, l, u);
    if (y.kind == V_BAD || !flat_nodes(e, y, &next, l->at, "the next state")) return false;
  }
  for (uint32_t k = 0; k < c; k++) {
    if (!l->soft[k] || d[k] == I32) continue;
    DType to = (DType)node_type(e, next.at[k])->dtype;
    if (!node_flex(e, next.at[k]) && dtype_is_float(to)) d[k] = to;
    if ((l->state.at[k] = want_typed(e, v_node(given.at[k]), d[k], l->place[1], "the first state")) == NO_NODE)
      return false;
  }
  return true;
}

/* Arguments: f, x, until, limit, count. */
static Value iterate(Elab *e, const Arg *a, int who, const Ast *at) {
  Loop l = {.f = a[0].value, .init = a[1].value, .at = at, .place = {a[0].at, a[1].at, a[1].at}};
  Until u = {.f = a[2].value, .at = a[2].at, .limit = a[3].i, .who = who};
  Nodes out = {0};
  uint32_t k = 0;
  if (u.limit < 1 || u.limit > INT32_MAX) {
    elab_error(e, a[3].at, E_ITERATE_TURNS, (long long)u.limit);
    return v_bad();
  }
  if (!flat_nodes(e, l.init, &l.state, a[1].at, "the first state")) return v_bad();
  if (l.state.n == 0) {
    elab_error(e, a[1].at, E_FOLD_EMPTY);
    return v_bad();
  }
  if (l.state.n == 1 && who == WHO_ITERATE) u.who = WHO_ITERATE_ONE;
  if (!first_until(e, &l, &u)) return v_bad();
  bool again = true;
  for (bool first = true; again; first = false) {
    Value y = turn_until(e, &l, &u);
    again = false;
    l.next = (Nodes){0};
    if (y.kind == V_BAD || !flat_nodes(e, y, &l.next, at, "the next state")) return v_bad();
    for (uint32_t j = 0; j < l.state.n; j++)
      if (!keeps_type(e, &l, j, first, &again)) return v_bad();
  }
  if (!end_of_turn(e, &l, &u)) return v_bad();
  cut_turns(e, &l, &u);
  if (!loop_until(e, &l, &u, &out)) return v_bad();
  Value state = unflat(e, l.init, out.at, &k);
  return a[4].i ? v_items(e->a, V_TUPLE, (Value[]){state, v_node(out.at[l.state.n])}, 2) : state;
}

static Value n_iterate(Elab *e, const Arg *a, const Ast *at) { return iterate(e, a, WHO_ITERATE, at); }

static Value n_iterate_of(Elab *e, const Arg *a, const Ast *at) {
  return iterate(e, a + 1, a[0].i ? WHO_ROOT : WHO_FIXED_POINT, at);
}

static Value run_loop(Elab *e, Value f, Value init, const Walked *w, bool stacked, const Arg *a, const Ast *at) {
  Loop l = {.f = f, .init = init, .w = w, .at = at, .place = {a[0].at, a[1].at, a[2].at}, .stacked = stacked};
  if (!flat_nodes(e, init, &l.state, a[1].at, "the first state")) return v_bad();
  uint32_t c = l.state.n;
  if (c == 0) {
    elab_error(e, a[1].at, E_FOLD_EMPTY);
    return v_bad();
  }
  bool *ints = NEW_N(e->a, bool, c);
  l.soft = NEW_N(e->a, bool, c);
  for (uint32_t k = 0; k < c; k++) {
    l.soft[k] = node_flex(e, l.state.at[k]);
    ints[k] = l.soft[k] && (graph_at(e->g, l.state.at[k])->flags & NODE_INTS);
  }
  if (!first_state(e, &l.state, ints, w, a[1].at)) return v_bad();
  bool again = true;
  for (bool first = true; again; first = false) {
    Value y = turn_of(e, &l);
    again = false;
    l.next = (Nodes){0};
    if (y.kind == V_BAD || !flat_nodes(e, y, &l.next, at, "the next state")) return v_bad();
    for (uint32_t k = 0; k < c; k++)
      if (!keeps_type(e, &l, k, first, &again)) return v_bad();
  }
  return loop_of(e, &l);
}

/* ---- fold and scan ---- */
static Value stack_values(Elab *e, const Value *v, uint32_t n, bool rows, const Ast *at);
static Value stack_at(Elab *e, const Value *v, uint32_t n, uint32_t k, ValueKind kind, bool rows, const Ast *at) {
  Value *part = NEW_N(e->a, Value, n);
  for (uint32_t j = 0; j < n; j++) part[j] = kind == V_RECORD ? v[j].fields->at[k] : v[j].items->at[k];
  return stack_values(e, part, n, rows, at);
}

/* The states of an unrolled scan, stacked leaf by leaf; rows: they are stacks already, and are joined. */
static Value stack_values(Elab *e, const Value *v, uint32_t n, bool rows, const Ast *at) {
  host_deeper(&e->s->host);
  if (v[0].kind == V_TUPLE || v[0].kind == V_LIST) {
    Value out = v_items(e->a, (ValueKind)v[0].kind, v[0].items->at, v[0].items->n);
    for (uint32_t k = 0; k < out.items->n; k++)
      if ((out.items->at[k] = stack_at(e, v, n, k, (ValueKind)v[0].kind, rows, at)).kind == V_BAD) return v_bad();
    return out;
  }
  if (v[0].kind == V_RECORD) {
    Fields *f = NEW(e->a, Fields);
    *f = (Fields){.n = v[0].fields->n, .name = v[0].fields->name, .at = NEW_N(e->a, Value, v[0].fields->n + 1)};
    for (uint32_t k = 0; k < f->n; k++)
      if ((f->at[k] = stack_at(e, v, n, k, V_RECORD, rows, at)).kind == V_BAD) return v_bad();
    return (Value){.kind = V_RECORD, .fields = f};
  }
  NodeId *x = NEW_N(e->a, NodeId, n);
  const Ast **where = NEW_N(e->a, const Ast *, n);
  for (uint32_t k = 0; k < n; k++) where[k] = at;
  if (!lower_same_dtype(e, v, x, n, where, "a state of `scan`")) return v_bad();
  if (rows) return or_bad(lower_concat(e, x, n, 0, at));
  Type t = *node_type(e, x[0]);
  int64_t dim[MAX_RANK + 1] = {1};
  if (t.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  memcpy(dim + 1, t.dim, MAX_RANK * sizeof *dim);
  for (uint32_t k = 0; k < n; k++) {
    if (!type_same_shape(&t, node_type(e, x[k]))) {
      elab_error(e, at, E_STACK, shape_show(e->a, &t), shape_show(e->a, node_type(e, x[k])));
      return v_bad();
    }
    if ((x[k] = lower_reshape(e, x[k], t.rank + 1, dim, at)) == NO_NODE) return v_bad();
  }
  return or_bad(lower_concat(e, x, n, 0, at));
}

static Value last_row(Elab *e, void *ctx, Value leaf) {
  const Ast *at = ctx;
  const Type t = *node_type(e, leaf.node);
  NodeId row = lower_rows(e, leaf.node, 0, t.dim[0] - 1, 1, 1, at);
  return row == NO_NODE ? v_bad() : or_bad(lower_reshape(e, row, t.rank - 1, t.dim + 1, at));
}

/* The first or last element of a sequence has another shape: a loop for the others, a call for it. */
static Value in_pieces(Elab *e, Value f, Value state, Value xs, bool stacked, const Arg *a, const Ast *at) {
  const Ast *where[2] = {a[1].at, a[2].at};
  Value all[3];
  for (uint32_t p = 0; p < xs.seq->n_piece; p++) {
    SeqPiece piece = xs.seq->piece[p];
    if (piece.count == 1) {
      Value x = xs.seq->element(e, xs.seq, p, NO_NODE, piece.first, at);
      if (x.kind == V_BAD) return x;
      state = call2(e, f, state, x, where, at);
      if (state.kind == V_BAD) return state;
      all[p] = stacked ? stack_values(e, &state, 1, false, at) : state;
    } else {
      Walked w = {.seq = seq_cut(e, xs, piece.first, piece.count, 1).seq, .n = piece.count};
      w.like = xs;
      all[p] = state = run_loop(e, f, state, &w, stacked, a, at);
      if (stacked && state.kind != V_BAD)
        state = tree_map(e, state, LEAF_PARAM | LEAF_STATE, last_row, (void *)(uintptr_t)at);
    }
    if (all[p].kind == V_BAD || state.kind == V_BAD) return v_bad();
  }
  return stacked ? stack_values(e, all, xs.seq->n_piece, true, at) : state;
}

static Value over(Elab *e, const char *name, bool stacked, const Arg *a, const Ast *at) {
  Value f = a[0].value, init = a[1].value, xs = value_decay(e, a[2].value);
  const Ast *where = a[2].at;
  const Ast *args[2] = {a[1].at, where};
  Walked w = {.like = xs};
  bool tensors = xs.kind == V_RECORD || xs.kind == V_TUPLE || (xs.kind == V_NODE && node_type(e, xs.node)->rank > 0);
  if (tensors) {
    Rows r;
    if (!want_rows(e, xs, where, name, &r)) return v_bad();
    w.like = r.value;
    w.sequence = r.node;
    w.n = r.n;
    for (uint32_t k = 0; k < w.sequence.n; k++)      /* an element of the body is no literal */
      if ((w.sequence.at[k] = settle(e, w.sequence.at[k])) == NO_NODE) return v_bad();
    return run_loop(e, f, init, &w, stacked, a, at);
  }
  xs = seq_of(e, xs, where);
  if (xs.kind == V_SEQ) {
    if (xs.seq->count < 0) {
      const char *why = depends_text(e, xs.seq->count_node, false);
      Diag *g = elab_error(e, where, E_FOLD_OF_RUN, name, why ? why : "the run");
      if (g) diag_hint(e->d, g, "a `for` or `while` of steps may turn as often as the run says");
      return v_bad();
    }
    if (xs.seq->n_piece > 1) return in_pieces(e, f, init, xs, stacked, a, at);
    w.seq = xs.seq;
    w.n = xs.seq->count;
    return run_loop(e, f, init, &w, stacked, a, at);
  }
  if (xs.kind != V_LIST) return v_bad();
  Value s = init, *all = NEW_N(e->a, Value, xs.items->n + 1);
  for (uint32_t k = 0; k < xs.items->n; k++) {
    s = call2(e, f, s, xs.items->at[k], args, at);
    if (s.kind == V_BAD) return s;
    all[k] = value_decay(e, s);
  }
  if (!stacked) return s;
  if (xs.items->n == 0) {
    elab_error(e, where, E_SCAN_EMPTY);
    return v_bad();
  }
  return stack_values(e, all, xs.items->n, false, at);
}

static Value n_fold(Elab *e, const Arg *a, const Ast *at) {
  return over(e, "fold", false, a, at);
}

static Value n_scan(Elab *e, const Arg *a, const Ast *at) {
  return over(e, "scan", true, a, at);
}

const Native native_loops[] = {{"fold", "f:fn, init:any, xs:any", n_fold,
                                "The last state: f(state, element) for each element of a list, a tensor's rows, a "
                                "record or tuple of tensors, or a range,\n"
                                "beginning with init. Over tensors it is one loop, whose body is made once.",
                                "fold(fn (s, x) = s + x, 0, [1.5, 2, 3])   # => 6.5"},
                               {"scan", "f:fn, init:any, xs:any", n_scan,
                                "All states of `fold` after each element, stacked along a new first axis.",
                                "scan(fn (s, x) = s + x, 0, [1.5, 2, 3])   # => [1.5, 3.5, 6.5]"},
                               {"iterate",
                                "f:fn, x:any, until:fn, limit:int=1000, count:flag=false", n_iterate,
                                "The first of x, f(x), f(f(x)), ... of which `until` holds, a tensor or a tree; with "
                                "count = true (it, how many turns\n"
                                "were made). It has derivatives of any order. That `limit` turns were made and it "
                                "still does not hold is an error.",
                                "iterate(fn (x) = x / 2, 40.0, until = fn (x) = x < 3)   # => 2.5"},
                               {"iterate_of",
                                "who:word(fixed_point|root), f:fn, x:any, until:fn, limit:int=1000, count:flag=false",
                                n_iterate_of,
                                "`iterate`, whose error says what the first number of the state is to those who call "
                                "it.",
                                "iterate_of(\"root\", fn (x) = x / 2, 40.0, until = fn (x) = x < 3)   # => 2.5"},
                               {0}};
