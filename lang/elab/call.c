/* call: calls. In: a callee and arguments. Out: the value of its body with the parameters bound, or one message.
 *
 * A function is elaborated anew for each call, so shapes are numbers everywhere. What a signature asks of an argument
 * stands in signature.c.
 */
#include "elab/call.h"
#include "elab/args.h"
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/custom.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/extern.h"
#include "elab/layer.h"
#include "elab/leaves.h"
#include "elab/lint.h"
#include "elab/lower.h"
#include "elab/names.h"
#include "elab/optim.h"
#include "elab/order.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/stmt.h"
#include "elab/uncalled.h"
#include "elab/want.h"
#include <string.h>

/* ---- functions of the host language ---- */
static OUT_OF_LINE Value call_native(Elab *e, const Fn *f, Args *a, const Ast *at) {
  const Face *face = face_of(e, f->native->params);
  Arg arg[MOST_FACE];
  if (!args_read(e, f->native->name, face, a, at, arg)) return v_bad();
  return f->bound ? f->bound(e, f, arg, at) : f->native->call(e, arg, at);
}

/* ---- operations ---- */
enum { FEW = 16 };
typedef struct Operands {
  uint32_t n;
  NodeId *in, few_in[FEW];
  Value *value, few_value[FEW];
  const Ast **place, *few_place[FEW];
} Operands;

static void add_operand(Operands *o, const Arg *x) {
  o->in[o->n] = x->node;
  o->value[o->n] = x->value;
  o->place[o->n++] = x->at;
}

static void room_for(Elab *e, Operands *o, uint32_t most) {
  bool few = most <= FEW;
  o->n = 0;
  o->in = few ? o->few_in : NEW_N(e->a, NodeId, most);
  o->value = few ? o->few_value : NEW_N(e->a, Value, most);
  o->place = few ? o->few_place : NEW_N(e->a, const Ast *, most);
}

/* Operands that no element type is written for have one: a literal that of the others. */
static bool operands_alike(Elab *e, const Op *op, const Face *f, const Arg *arg, Operands *o) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < f->n; k++)
    n += f->param[k].kind == FACE_TENSOR && f->param[k].dtype == N_DTYPES && !f->param[k].rest && arg[k].given;
  const char *what = arena_printf(e->a, "an operand of `%s`", op->name);
  return n < 2 || n < o->n || lower_same_dtype(e, o->value, o->in, n, o->place, what);
}

/* The tensors among the arguments, those of a pointwise op in one element type and shape. */
static bool operands_of(Elab *e, const Op *op, const Face *f, const Arg *arg, Operands *o, const Ast *at) {
  uint32_t most = 0;
  for (uint32_t k = 0; k < f->n; k++) most += 1 + (f->param[k].rest ? arg[k].n : 0);
  room_for(e, o, most);
  for (uint32_t k = 0; k < f->n; k++) {
    if (f->param[k].kind != FACE_TENSOR) continue;
    if (!f->param[k].rest) add_operand(o, &arg[k]);
    for (uint32_t j = 0; f->param[k].rest && j < arg[k].n; j++) add_operand(o, &arg[k].rest[j]);
  }
  if (!(op->flags & OP_POINTWISE)) return operands_alike(e, op, f, arg, o);
  if (o->n == 1 && node_type(e, o->in[0])->dtype == U8)
    o->in[0] = emit_i(e, &op_cast, o->in, 1, (int64_t[]){I32}, 1, at);
  return o->n < 2 || unify(e, o->value, o->in, o->n, at, o->place, op->name);
}

/* Functions that only floats have take whole numbers too: int meets float. */
static bool as_floats(Elab *e, Operands *o, const Ast *at) {
  for (uint32_t k = 0; k < o->n; k++) {
    DType d = (DType)node_type(e, o->in[k])->dtype;
    if (d != I32 && d != U8) return false;
  }
  for (uint32_t k = 0; k < o->n; k++) o->in[k] = emit_i(e, &op_cast, &o->in[k], 1, (int64_t[]){F32}, 1, at);
  return o->n > 0;
}

static Value whole_result(Elab *e, const Op *op, const Operands *o, NodeId y) {
  e->g->node[y].flags |= NODE_INTS;
  bool all = op->flags & OP_POINTWISE;       /* of known ints: a known int, with its 64 bits */
  for (uint32_t k = 0; k < o->n; k++)
    all &= o->value[k].kind == V_INT && o->value[k].i > -(1LL << 53) && o->value[k].i < 1LL << 53;
  int64_t known;
  return all && known_int(e, v_node(y), &known) && known < 1LL << 53 ? v_int(known) : v_node(y);
}

typedef struct OpCall { const Op *op; const Args *args; int tree; const Ast *at; } OpCall;

/* The argument that an op of one tensor maps over, if it is a tree: its number, or -1. */
static int tree_argument(Elab *e, const Op *op, const Face *f, const Args *a) {
  for (uint32_t k = 0; k < a->n && op->n_in == 1; k++)
    if (a->name[k] ? !strcmp(a->name[k], f->param[0].name) : k == 0) return is_tree(e, &a->at[k]) ? (int)k : -1;
  return -1;
}

/* A leaf in the place of the tree, the other arguments as they are. */
static Value map_leaf_op(Elab *e, void *ctx, Value leaf) {
  const OpCall *c = ctx;
  Args a = *c->args;
  a.at = arena_copy(e->a, a.at, a.n * sizeof *a.at);
  a.at[c->tree] = value_decay(e, leaf);
  return op_apply(e, c->op, &a, c->at);
}

OUT_OF_LINE Value op_apply(Elab *e, const Op *op, Args *a, const Ast *at) {
  const Face *f = face_of(e, op_face(op));
  int tree = tree_argument(e, op, f, a);
  if (tree >= 0) return tree_map(e, a->at[tree], LEAF_PARAM, map_leaf_op, &(OpCall){op, a, tree, at});
  Arg arg[MOST_FACE];
  Operands o;
  if (!args_read(e, op->name, f, a, at, arg) || !operands_of(e, op, f, arg, &o, at)) return v_bad();
  uint16_t ints = NODE_INTS;
  for (uint32_t k = 0; k < o.n; k++) ints &= graph_at(e->g, o.in[k])->flags;
  TypeError t = {0};
  Attr attr = args_attr(e, f, arg);
  Loc loc = elab_loc(e, at);
  NodeId y = graph_emit(e->g, op, o.in, o.n, &attr, loc, &t);
  if (y == NO_NODE && t.kind == BAD_DTYPE && as_floats(e, &o, at))
    y = graph_emit(e->g, op, o.in, o.n, &attr, loc, &t);
  if (y == NO_NODE) {
    return elab_type_error(e, at, &t, o.in, o.place, o.n);
  }
  return ints && op->flags & OP_KEEPS_INTS ? whole_result(e, op, &o, y) : v_node(y);
}

/* ---- closures ---- */
static const Ast *params_ast(const Fn *f) { return f->ast->kind == A_EXTERN ? f->ast->kid[1] : f->ast->kid[0]; }

/* Binds arguments into s. unmarked: the float type of the signature's unmarked tensors. */
bool bind_params(Elab *e, const Fn *f, const Ast *params, Args *a, Scope *s, bool by_value, DType *unmarked,
                 const Ast *at) {
  const char *name = f->name ? f->name : "this function";
  uint32_t n = params ? params->n : 0;
  if (n > MOST_PARAMS) {
    elab_error(e, params, E_TOO_MANY_PARAMETERS, MOST_PARAMS);
    return false;
  }
  Param p[MOST_PARAMS] = {0};
  int to[MOST_PARAMS];
  for (uint32_t k = 0; k < n; k++) {
    const Ast *q = params->kid[k];
    p[k] = (Param){q->kid[0]->kind == A_NAME ? q->kid[0]->name : NULL, q->kid[2] != NULL, false};
  }
  if (!match_args(e, &(Params){.fn = name, .at = p, .n = n}, a, to, at)) return false;
  bool ok = true;
  for (uint32_t k = 0; k < n; k++) {
    const Ast *q = params->kid[k];
    Value v;
    const Ast *place = at;
    if (to[k] >= 0) {
      v = a->at[to[k]];
      place = a->ast[to[k]];
      if (by_value) v = value_decay(e, v);
    } else v = expr_in(e, s, q->kid[2]);
    if (v.kind == V_BAD) ok = false;
    else if (q->kid[1] && !match_type(e, q->kid[1], &v, s, unmarked, place, p[k].name ? p[k].name : "this argument")) {
      ok = false;
      v = v_bad();
    }
    v.stretch = 0;
    if (!bind_pattern_at(e, s, q->kid[0], v, false, place)) ok = false;
    Bound *b = q->kid[0]->kind == A_NAME ? scope_here(s, q->kid[0]->name) : NULL;
    if (b && q->kid[1]) b->type = q->kid[1];
    if (b && to[k] >= 0 && q->source->library) {
      b->given = spot_of(e, place);
      if (!b->given.fn) b->given.param = p[k].name, b->given.fn = name;
    }
  }
  return ok;
}

static Value body_value(Elab *e, const Ast *body, const Ast *type, Scope *s, DType *unmarked) {
  e->here.use = e->here.frame->steps ? USE_OF_STEPS : USE_OF_FORMULA;
  Value v = body->kind == A_BLOCK ? elab_block(e, body, false) : elab_expr(e, body);
  v.stretch = 0;
  if (type && v.kind != V_BAD) {
    const Ast *at = body;
    if (body->kind == A_BLOCK && body->n) at = body->kid[body->n - 1];
    if (at->kind == A_EXPR) at = at->kid[0];
    if (!match_type(e, type, &v, s, unmarked, at, "the result")) return v_bad();
  }
  return v;
}

Where frame_enter(Elab *e, CallFrame *frame, Scope *s) {
  Where outside = e->here;
  frame->outer = outside.frame;
  e->here.frame = frame;
  e->here.scope = s;
  return outside;
}

/* A call of an instance finds its states as constants, whatever they were computed from; what it assigns itself is a
 * formula like any other, also for the methods that it calls. */
static void states_constant(Elab *e, const Instance *self) {
  if (!self || self->layer->kind != FN_LAYER) return;
  for (const CallFrame *f = e->here.frame; f; f = f->outer)
    if (f->self == self) return;
  for (uint32_t k = 0; k < self->n; k++)
    if (self->field[k].role == FIELD_STATE && self->field[k].value.kind == V_CELL)
      cell_constant(e, self->field[k].value.cell);
}

static OUT_OF_LINE Value call_extern_or_closure(Elab *e, const Fn *f, Args *a, const Ast *at) {
  const Ast *ast = f->ast;
  bool proc = f->kind == FN_PROC;
  if (proc && !e->here.frame->steps) {
    Diag *g = elab_error(e, at, E_PROC_IN_FORMULA, f->name);
    if (e->here.frame->in_value)
      diag_hint(e->d, g,
                "the value of an `if` is a formula: make a `var` before it, and assign it in the branches of a step");
    else diag_hint(e->d, g, "a formula computes; call the `proc` from a step");
    return v_bad();
  }
  if (e->here.depth >= MOST_CALLS) {
    Diag *g = elab_error(e, at, E_CALL_DEPTH, MOST_CALLS);
    if (proc)
      diag_hint(e->d, g, "a `proc` is put in where it is called, so it goes on and on: repeat with `while` or `for`");
    else diag_hint(e->d, g, "a function may call itself only if known conditions end it");
    return v_bad();
  }
  if (!known_work(e, 1, at)) return v_bad();
  called_mark(e, ast);
  const char *place = f->name ? f->name : "fn";
  Where outside = place_enter(e, place);
  Scope *s = scope_new(e, f->scope);
  states_constant(e, f->self);
  CallFrame frame = {.fn = f, .self = f->self, .steps = proc};
  DType unmarked = N_DTYPES;
  bool ok = f->kind == FN_EXTERN || bind_params(e, f, params_ast(f), a, s, proc, &unmarked, at);
  Value v = v_bad();
  if (ok) {
    Loc caller = elab_loc(e, at);
    Where at_call = frame_enter(e, &frame, s);
    e->here.caller = caller;
    e->here.depth++;
    NodeId first = e->g->n;
    if (f->kind == FN_EXTERN) v = extern_call(e, f, s, a, at);
    else
      v = body_value(e, ast->kid[ast->kind == A_PROC ? 1 : 2], ast->kind == A_PROC ? NULL : ast->kid[1], s, &unmarked);
    /* what happens behind the call may change a cell */
    if (proc) v = keep_values(e, v);
    else if (v.kind == V_CELL && v.cell->role == CELL_VAR) v = value_decay(e, v);
    e->here = at_call;
    if (frame.looked && v.kind != V_BAD) v = lint_looked(e, f, first, v, at);
    if (f->gradient && v.kind != V_BAD) v = with_gradient(e, f, s, v, at);
  }
  e->here = outside;
  return v;
}

static const char *callable_name(const Value *v) {
  const char *name = v->kind == V_INSTANCE ? v->instance->layer->name : v->kind == V_FN ? v->fn->name : NULL;
  return name ? name : "fn";
}

/* What goes through a chain: a shape where it has one. */
static const char *flow_text(Elab *e, const Value *v) {
  if (v->kind == V_NODE) return shape_show(e->a, node_type(e, v->node));
  if (v->kind == V_CELL) return shape_show(e->a, &v->cell->type);
  return value_kind_text(e, v);
}

static OUT_OF_LINE Value call_chain(Elab *e, const Fn *f, Args *a, const Ast *at) {
  Value v = v_unit();
  Text so_far = {.arena = e->a};
  for (uint32_t k = 0; k < f->captured->n; k++) {
    Value in = k ? v : a->n ? a->at[0] : v_unit();
    if (!known_work(e, 1, at)) return v_bad();
    uint32_t before = e->d->diag.n;
    v = k ? call1(e, f->captured->at[k], v, at) : call_value(e, f->captured->at[0], a, at);
    if (v.kind == V_BAD) {
      if (e->d->diag.n > before && k) {
        Diag *g = e->d->diag.at[before];
        const Value *link = &f->captured->at[k];
        diag_note(e->d, g, link->kind == V_INSTANCE ? own_loc(e->d, link->instance->made) : 0,
                  "in link %u of the chain, `%s`; so far: %s", k, callable_name(link), so_far.at);
        diag_once(e->d, before);
      }
      return v;
    }
    if (k == 0) text_add(&so_far, flow_text(e, &in));
    text_printf(&so_far, ", `%s` makes %s", callable_name(&f->captured->at[k]), flow_text(e, &v));
  }
  return v;
}

static OUT_OF_LINE Value call_partial(Elab *e, const Fn *f, Args *a, const Ast *at) {
  const Args *p = f->partial;
  uint32_t holes = 0;
  for (uint32_t k = 0; k < p->n; k++) holes += p->at[k].kind == V_ABSENT;
  if (a->n != holes) {
    elab_error(e, at, E_HOLES, (int)holes, holes == 1 ? "" : "s", (int)a->n);
    return v_bad();
  }
  Args full = *p;
  full.at = NEW_N(e->a, Value, p->n);
  uint32_t next = 0;
  for (uint32_t k = 0; k < p->n; k++) full.at[k] = p->at[k].kind == V_ABSENT ? a->at[next++] : p->at[k];
  return call_value(e, f->captured->at[0], &full, at);
}

Value call_fn(Elab *e, const Fn *f, Args *a, const Ast *at) {
  if (!elab_stack_ok(e, at)) return v_bad();
  if (f->partial) return call_partial(e, f, a, at);
  switch (f->kind) {
  case FN_CLOSURE: case FN_PROC: case FN_EXTERN: return call_extern_or_closure(e, f, a, at);
  case FN_LAYER: return make_instance(e, f, a, at);
  case FN_OPTIMIZER: return make_optimizer(e, f, a, at);
  case FN_OP: return op_apply(e, f->op, a, at);
  case FN_NATIVE: {
    Where outside = place_enter(e, f->native->name);
    Value v = call_native(e, f, a, at);
    e->here = outside;
    return v;
  }
  case FN_CHAIN: return call_chain(e, f, a, at);
  }
  return v_bad();
}

/* A name of the script stands where a function of the library was meant: `state mean` and `mean(x)`. */
static bool hides_function(Elab *e, Diag *g, const Ast *at) {
  const Ast *name = at->kind == A_CALL ? at->kid[0] : at->kind == A_BINARY && at->op == K_PIPE ? at->kid[1] : at;
  if (name->kind != A_NAME) return false;
  const Bound *own = scope_find(e, e->here.scope, name->name), *library = scope_find(e, e->library, name->name);
  if (!own || !library || own == library || library->value.kind != V_FN) return false;
  if (own->ast) diag_note(e->d, g, elab_loc_at(e, own->ast), "this `%s` hides the one of the library", name->name);
  diag_hint(e->d, g, "give it another name, and `%s` is the function", name->name);
  return true;
}

Value call_value(Elab *e, Value callee, Args *a, const Ast *at) {
  for (uint32_t k = 0; k < a->n; k++)
    if (a->at[k].kind == V_BAD) return v_bad();
  if (callee.kind == V_FN) return call_fn(e, callee.fn, a, at);
  if (callee.kind == V_INSTANCE) return call_instance(e, callee.instance, a, at);
  if (callee.kind == V_OPTIMIZER) return tie_optimizer(e, callee.optimizer, a, at);
  if (callee.kind == V_BAD) return callee;
  Diag *g = elab_error(e, at, E_NOT_A_FUNCTION, value_kind_text(e, &callee));
  if (hides_function(e, g, at)) return v_bad();
  if (callee.kind == V_LIST || callee.kind == V_TUPLE)
    diag_hint(e->d, g, "layers are joined by `>>`: `dense(2, 8) >> relu`, or `sequential` of a list");
  if (callee.kind == V_NODE || callee.kind == V_CELL || callee.kind == V_INT)
    diag_hint(e->d, g, "multiplication is written `*`; indexing `x[...]`");
  return v_bad();
}

Value call1(Elab *e, Value callee, Value x, const Ast *at) {
  Args a = {.n = 1, .at = NEW(e->a, Value), .name = NEW(e->a, Sym), .ast = NEW(e->a, const Ast *)};
  a.at[0] = x;
  a.ast[0] = at->kind == A_BINARY ? at->kid[0] : at;
  return call_value(e, callee, &a, at);
}

Value elab_call(Elab *e, const Ast *call, const Value *first) {
  Value callee = elab_expr(e, call->kid[0]);
  uint32_t more = first ? 1 : 0, n = call->n - 1 + more;
  Args *a = NEW(e->a, Args);
  a->n = n;
  a->at = NEW_N(e->a, Value, n + 1);
  a->name = NEW_N(e->a, Sym, n + 1);
  a->ast = NEW_N(e->a, const Ast *, n + 1);
  if (first) {
    a->at[0] = *first;
    a->ast[0] = call;
  }
  bool holes = false;
  Order o = {0};
  for (uint32_t k = more; k < n; k++) {
    const Ast *arg = call->kid[1 + k - more];
    a->name[k] = arg->kind == A_ARG ? arg->name : NULL;
    const Ast *x = arg->kind == A_ARG ? arg->kid[0] : arg;
    a->ast[k] = x;
    if (arg->kind == A_ARG) a->ast[k] = arg;
    if (x->kind == A_NAME && !strcmp(x->name, "_")) {
      a->at[k] = (Value){.kind = V_ABSENT};
      holes = true;
    } else {
      order_before(e, &o, x);
      a->at[k] = elab_expr(e, x);
      order_met(e, &o, &a->at[k]);
    }
  }
  order_end(e, &o);
  if (callee.kind == V_BAD) return callee;
  if (holes) {
    Fn *f = fn_new(e, FN_NATIVE, callee.kind == V_FN ? callee.fn->name : "partial");
    f->captured = v_items(e->a, V_TUPLE, &callee, 1).items;
    f->partial = a;
    return v_fn(f);
  }
  return call_value(e, callee, a, call);
}
