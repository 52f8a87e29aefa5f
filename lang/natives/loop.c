/* loop: fold and scan. In: a function of (state, element), a first state, what to go along. Out: over a list the
 * calls one after another; over a tensor (or a record or tuple of tensors, or a range) one op `loop` whose body is made
 * once.
 */
#include "elab/body.h"
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
  if (traced.n && e->here.traces) vec_push(e->a, &e->here.traces->item, (TraceItem){NULL, NO_NODE, l->group});
  else if (traced.n) step_effect(e, effect_traces(e->s, l->group, elab_loc(e, at)));
  return unflat(e, l->init, out.at, &k2);
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
                               {0}};
