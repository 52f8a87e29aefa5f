/* call: calls. In: a callee and arguments. Out: the value of its body with the parameters bound, or one message.
 *
 * A function is elaborated anew for each call, so shapes are numbers everywhere. What a signature asks of an argument
 * stands in signature.c.
 */
#include "elab/call.h"
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
#include "elab/names.h"
#include "elab/optim.h"
#include "elab/order.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/stmt.h"
#include "elab/uncalled.h"
#include "elab/want.h"
#include "text/foreign.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMS = 64 };

/* ---- arguments to parameters ---- */
typedef struct Param { const char *name; bool optional; } Param;

static void unknown_argument(Elab *e, const char *fn, const char *name, const Param *p, uint32_t n, const Ast *at) {
  const char *names[MOST_PARAMS];
  uint32_t m = 0;
  Text list = {.arena = e->a};
  text_add(&list, "");
  for (uint32_t k = 0; k < n; k++)
    if (p[k].name) {
      names[m++] = p[k].name;
      text_printf(&list, "%s`%s`", list.n ? ", " : "", p[k].name);
    }
  Diag *g = elab_error(e, at, E_UNKNOWN_ARGUMENT, fn, name);
  const char *near = nearest(name, names, m);
  const char *ours = foreign_argument(name);
  if (ours) diag_hint(e->d, g, "%s", ours);
  else if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
  else if (m) diag_hint(e->d, g, "its arguments are %s", list.at);
}

/* "x, axis?, keep?" */
static const char *parameters_text(Elab *e, const Param *p, uint32_t n) {
  Text list = {.arena = e->a};
  text_add(&list, "");
  for (uint32_t j = 0; j < n; j++)
    text_printf(&list, "%s%s%s", j ? ", " : "", p[j].name ? p[j].name : "(...)", p[j].optional ? "?" : "");
  return list.at;
}

/* to[k]: the argument of parameter k, or -1. rest: positional ones beyond go to a "rest...", named ones to a "rest*".
 */
enum { REST_NONE, REST_POSITIONAL = 1, REST_NAMED = 2 };
static bool match_args(Elab *e, const char *fn, const Param *p, uint32_t n, const Args *a, int rest, int *to,
                       const Ast *at) {
  for (uint32_t k = 0; k < n; k++) to[k] = -1;
  uint32_t next = 0;
  for (uint32_t k = 0; k < a->n; k++) {
    uint32_t j;
    if (a->name[k]) {
      for (j = 0; j < n; j++)
        if (p[j].name && !strcmp(p[j].name, a->name[k])) break;
      if (j == n) {
        if (rest & REST_NAMED) continue;
        unknown_argument(e, fn, a->name[k], p, n, a->ast[k]);
        return false;
      }
      if (to[j] >= 0) {
        elab_error(e, a->ast[k], E_ARGUMENT_TWICE, p[j].name);
        return false;
      }
    } else {
      j = next++;
      if (j >= n) {
        if (rest & REST_POSITIONAL) continue;
        Diag *g = elab_error(e, a->ast[k], E_TOO_MANY_ARGUMENTS, fn, (int)n, n == 1 ? "" : "s", (int)a->n);
        if (n && p[0].name && !strcmp(p[0].name, "kind"))
          diag_hint(e->d, g, "a shape is one argument: `%s([2, 3])`", fn);
        else if (n) diag_hint(e->d, g, "call it as `%s(%s)`", fn, parameters_text(e, p, n));
        else diag_hint(e->d, g, "call it as `%s()`", fn);
        return false;
      }
    }
    to[j] = (int)k;
  }
  for (uint32_t k = 0; k < n; k++)
    if (to[k] < 0 && !p[k].optional) {
      Diag *g = elab_error(e, at, E_MISSING_ARGUMENT, fn, p[k].name ? p[k].name : "(...)");
      diag_hint(e->d, g, "call it as `%s(%s)`", fn, parameters_text(e, p, n));
      return false;
    }
  return true;
}

/* "x axis? rest..." or an op's "x axis:int=0 keep:flag" */
static uint32_t params_of(Elab *e, const char *words, Param *p, int *rest) {
  uint32_t n = 0;
  *rest = REST_NONE;
  for (const char *w = words; *w && n < MOST_PARAMS;) {
    size_t len = strcspn(w, " "), name = strcspn(w, " ?:=.");
    bool left_over = len >= 3 && !strncmp(w + len - 3, "...", 3), named = w[len - 1] == '*';
    if (len > 2 && !strncmp(w + len - 2, "..", 2)) *rest |= REST_POSITIONAL;
    if (named) *rest |= REST_NAMED;
    if (!left_over && !named)
      p[n++] = (Param){arena_text(e->a, w, name),
                       memchr(w, '?', len) || memchr(w, '=', len) || (len > 5 && !strncmp(w + len - 5, ":flag", 5))};
    w += len + (w[len] == ' ');
  }
  return n;
}

static Value call_native(Elab *e, const Fn *f, Args *a, const Ast *at) {
  Param p[MOST_PARAMS];
  int rest;
  uint32_t n = params_of(e, f->native->params, p, &rest);
  int to[MOST_PARAMS];
  if (!match_args(e, f->native->name, p, n, a, rest, to, at)) return v_bad();
  bool *taken = NEW_N(e->a, bool, a->n + 1);
  uint32_t extra = a->n;
  for (uint32_t k = 0; k < n; k++)
    if (to[k] >= 0) taken[to[k]] = true, extra--;
  Args m = {.n = n + extra};
  m.at = NEW_N(e->a, Value, m.n + 1);
  m.name = NEW_N(e->a, Sym, m.n + 1);
  m.ast = NEW_N(e->a, const Ast *, m.n + 1);
  for (uint32_t k = 0; k < n; k++) {
    m.at[k] = to[k] < 0 ? (Value){.kind = V_ABSENT} : a->at[to[k]];
    m.ast[k] = to[k] < 0 ? at : a->ast[to[k]];
  }
  uint32_t next = n;
  for (uint32_t k = 0; k < a->n; k++)
    if (!taken[k]) {
      m.at[next] = a->at[k];
      m.name[next] = a->name[k];
      m.ast[next++] = a->ast[k];
    }
  return f->native->call(e, f, &m, at);
}

/* ---- ops by their face ---- */
static bool op_attr(Elab *e, const char *w, size_t len, Value v, const Ast *at, uint8_t rank, int64_t *i, uint32_t *n) {
  const char *colon = memchr(w, ':', len);
  size_t kind_len = strcspn(colon + 1, " ?=");
  const char *kind = arena_text(e->a, colon + 1, kind_len), *value = memchr(w, '=', len);
  if (v.kind == V_ABSENT && value && strcmp(kind, "axes") != 0) {
    v = v_int(strtoll(value + 1, NULL, 10));
  }
  if (!strcmp(kind, "axes")) {
    uint32_t count;
    if (!want_axes(e, v, rank, at, i + *n + 1, &count)) return false;
    i[*n] = count;
    *n += count + 1;
  } else if (!strcmp(kind, "axis")) {
    if (!want_axis(e, v, rank, at, &i[*n])) return false;
    ++*n;
  } else if (!strcmp(kind, "flag")) {
    bool b = false;
    if (v.kind != V_ABSENT && !want_bool(e, v, at, "a flag", &b)) return false;
    i[(*n)++] = b;
  } else if (!strcmp(kind, "sizes") || !strcmp(kind, "perm")) {
    Type t = {.dtype = F32};
    if (kind[0] == 's') {
      if (!want_dims(e, v, at, "a shape", &t)) return false;
    } else {
      Value *items = v.kind == V_TUPLE || v.kind == V_LIST ? v.items->at : NULL;
      if (!items || v.items->n > MAX_RANK) {
        elab_error(e, at, E_WANTED, "all axes in their new order, `(1, 0)`", value_kind_text(e, &v));
        return false;
      }
      t.rank = (uint8_t)v.items->n;
      for (uint32_t k = 0; k < t.rank; k++)
        if (!want_axis(e, items[k], rank, at, &t.dim[k])) return false;
    }
    memcpy(i + *n, t.dim, t.rank * sizeof *i);
    *n += t.rank;
  } else if (!want_int(e, v, at, "this argument", &i[(*n)++])) return false;
  return true;
}

/* Functions that only floats have take whole numbers too: int meets float. */
static NodeId as_float(Elab *e, NodeId n, const Ast *at) { return emit_i(e, &op_cast, &n, 1, (int64_t[]){F32}, 1, at); }

static Value map_leaf_op(Elab *e, void *ctx, Value leaf);
typedef struct OpCtx { const Op *op; const Ast *at; } OpCtx;

Value op_apply(Elab *e, const Op *op, Args *a, const Ast *at) {
  static const char *const faces[] = {"", "x", "x y", "x y z"};
  const char *words = op->args ? op->args : faces[op->n_in];
  Param p[MOST_PARAMS];
  int rest;
  uint32_t n = params_of(e, words, p, &rest);
  int to[MOST_PARAMS];
  if (!match_args(e, op->name, p, n, a, REST_NONE, to, at)) return v_bad();
  NodeId in[MOST_PARAMS];
  Value v[MOST_PARAMS];
  const Ast *place[MOST_PARAMS];
  uint32_t n_in = 0;
  int64_t i[4 * MAX_RANK + 8];
  uint32_t n_i = 0;
  const char *w = words;
  bool unified = false;
  for (uint32_t k = 0; k < n; k++) {
    size_t len = strcspn(w, " ");
    Value x = to[k] < 0 ? (Value){.kind = V_ABSENT} : a->at[to[k]];
    const Ast *where = to[k] < 0 ? at : a->ast[to[k]];
    if (x.kind == V_BAD) return x;
    if (!memchr(w, ':', len)) {
      if (op->n_in == 1 && is_tree(&x)) {
        OpCtx c = {op, at};
        return tree_map(e, x, LEAF_PARAM, map_leaf_op, &c);
      }
      v[n_in] = value_decay(e, x);
      place[n_in] = where;
      in[n_in] = want_node(e, x, where, "a tensor");
      if (in[n_in] == NO_NODE) return v_bad();
      if (op->n_in == 1 && node_type(e, in[0])->dtype == U8 && op->flags & OP_POINTWISE)
        in[0] = emit_i(e, &op_cast, in, 1, (int64_t[]){I32}, 1, at);
      n_in++;
    } else {
      if (!unified && n_in > 1 && op->flags & OP_POINTWISE) {
        if (!unify(e, v, in, n_in, at, place, op->name)) return v_bad();
        unified = true;
      }
      if (!op_attr(e, w, len, x, where, n_in ? node_type(e, in[0])->rank : 0, i, &n_i)) return v_bad();
    }
    w += len + (w[len] == ' ');
  }
  if (!unified && n_in > 1 && op->flags & OP_POINTWISE && op != &op_where &&
      !unify(e, v, in, n_in, at, place, op->name))
    return v_bad();
  uint16_t ints = NODE_INTS;
  for (uint32_t k = 0; k < n_in; k++) ints &= graph_at(e->g, in[k])->flags;
  if (n_in == 1 && !(op->flags & OP_POINTWISE) && node_flex(e, in[0]) && ints &&
      (op == &op_sum || op == &op_prod || op == &op_cumsum))
    ints = NODE_INTS;
  TypeError t = {0};
  Attr attr = {.n = n_i, .i = i};
  Loc loc = elab_loc(e, at);
  NodeId y = graph_emit(e->g, op, in, n_in, &attr, loc, &t);
  if (y == NO_NODE && t.kind == BAD_DTYPE && n_in) {
    bool whole = true;
    for (uint32_t k = 0; k < n_in; k++) {
      DType d = (DType)node_type(e, in[k])->dtype;
      whole &= d == I32 || d == U8;
    }
    if (whole) {
      for (uint32_t k = 0; k < n_in; k++) in[k] = as_float(e, in[k], at);
      y = graph_emit(e->g, op, in, n_in, &attr, loc, &t);
    }
  }
  if (y == NO_NODE) {
    const Ast *operand[2] = {n_in > 0 ? place[0] : NULL, n_in > 1 ? place[1] : NULL};
    if (t.a > 1 || t.a >= (int)n_in) t.a = -1;
    if (t.b > 1 || t.b >= (int)n_in) t.b = -1;
    return elab_type_error(e, at, &t, operand);
  }
  bool keeps = op == &op_sum || op == &op_prod || op == &op_abs || op == &op_cumsum || op == &op_reshape ||
               op == &op_broadcast || op == &op_permute || op == &op_concat || op == &op_tril || op == &op_triu ||
               op == &op_roll_along || op == &op_floor || op == &op_round || op == &op_ceil || op == &op_trunc ||
               op == &op_sign || op == &op_square || op == &op_sort || op == &op_cumprod;
  if (keeps && ints) e->g->node[y].flags |= NODE_INTS;
  int64_t known;                             /* of known ints: a known int, with its 64 bits */
  bool all = keeps && ints && op->flags & OP_POINTWISE;
  for (uint32_t k = 0; k < n_in; k++) all &= v[k].kind == V_INT && v[k].i > -(1LL << 53) && v[k].i < 1LL << 53;
  return all && known_int(e, v_node(y), &known) && known < 1LL << 53 ? v_int(known) : v_node(y);
}

static Value map_leaf_op(Elab *e, void *ctx, Value leaf) {
  OpCtx *c = ctx;
  return call1(e, v_fn(&(Fn){.kind = FN_OP, .name = c->op->name, .op = c->op}), leaf, c->at);
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
    p[k] = (Param){q->kid[0]->kind == A_NAME ? q->kid[0]->name : NULL, q->kid[2] != NULL};
  }
  if (!match_args(e, name, p, n, a, REST_NONE, to, at)) return false;
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
    if (b && to[k] >= 0 && q->source->library) b->given = spot_of(e, place);
  }
  return ok;
}

static Value body_value(Elab *e, const Ast *body, const Ast *type, Scope *s, DType *unmarked) {
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

static Value call_extern_or_closure(Elab *e, const Fn *f, Args *a, const Ast *at) {
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

static Value call_chain(Elab *e, const Fn *f, Args *a, const Ast *at) {
  Value v = v_unit();
  Text so_far = {.arena = e->a};
  for (uint32_t k = 0; k < f->captured->n; k++) {
    Value in = k ? v : a->n ? a->at[0] : v_unit();
    uint32_t before = e->d->diag.n;
    v = k ? call1(e, f->captured->at[k], v, at) : call_value(e, f->captured->at[0], a, at);
    if (v.kind == V_BAD) {
      if (e->d->diag.n > before && k) {
        Diag *g = e->d->diag.at[before];
        diag_note(e->d, g, 0, "in link %u of the chain, `%s`; so far: %s", k, callable_name(&f->captured->at[k]),
                  so_far.at);
      }
      return v;
    }
    if (k == 0) text_add(&so_far, flow_text(e, &in));
    text_printf(&so_far, ", `%s` makes %s", callable_name(&f->captured->at[k]), flow_text(e, &v));
  }
  return v;
}

static Value call_partial(Elab *e, const Fn *f, Args *a, const Ast *at) {
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
