/* stmt: blocks, definitions, declarations, `print`, `assert`, `test`. In a formula a statement computes (a `var` is a
 * name that takes new values); where steps may stand it acts: a `var` is a cell, a `print` is a step. Assignments stand
 * in assign.c, `if` in branch.c, loops in loop.c.
 */
#include "elab/stmt.h"
#include "elab/assign.h"
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/extern.h"
#include "elab/import.h"
#include "elab/layer.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/loop.h"
#include "elab/lower.h"
#include "elab/mark.h"
#include "elab/names.h"
#include "elab/order.h"
#include "elab/series.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/want.h"
#include "steps/effects.h"
#include <string.h>

/* ---- definitions ---- */
static void define_gradient(Elab *e, const Ast *ast) {
  Bound *b = scope_here(e->here.scope, ast->name);
  if (!b || b->value.kind != V_FN || (b->value.fn->kind != FN_CLOSURE && b->value.fn->kind != FN_EXTERN)) {
    Diag *g = elab_error(e, ast, E_GRADIENT_OF_NOTHING, ast->name);
    diag_hint(e->d, g, "a `gradient` stands in the file that defines its function with `fn` or `extern`");
    return;
  }
  mark_keep(e, b->value.fn, sizeof *b->value.fn);
  b->value.fn->gradient = ast;
  b->value.fn->gradient_scope = e->here.scope;
}

void elab_define(Elab *e, const Ast *ast) {
  FnKind kind;
  switch (ast->kind) {
  case A_FN: kind = FN_CLOSURE; break;
  case A_PROC: kind = FN_PROC; break;
  case A_LAYER: kind = FN_LAYER; break;
  case A_OPTIMIZER: kind = FN_OPTIMIZER; break;
  case A_EXTERN: kind = FN_EXTERN; break;
  default: return;
  }
  Fn *f = fn_new(e, kind, ast->name);
  f->ast = ast;
  f->scope = e->here.scope;
  f->self = (Instance *)(uintptr_t)e->here.frame->self;
  if (kind == FN_EXTERN && !extern_open(e, f, ast)) {
    scope_put(e, e->here.scope, ast->name, v_bad(), ast);
    return;
  }
  scope_put(e, e->here.scope, ast->name, v_fn(f), ast);
}

void elab_definitions(Elab *e, const Ast *block) {
  for (uint32_t k = 0; k < block->n; k++) elab_define(e, block->kid[k]);
  for (uint32_t k = 0; k < block->n; k++)
    if (block->kid[k]->kind == A_GRADIENT) define_gradient(e, block->kid[k]);
}

/* Whether a call may be there for what it does: of a proc, a handle's method, or of what gives nothing. */
static bool acts(Elab *e, const Ast *call, const Value *value) {
  if (call->kind != A_CALL) return false;
  if (value->kind == V_UNIT || value->kind == V_BAD) return true;
  const Ast *callee = call->kid[0];
  Value f = v_bad();
  uint32_t errors = e->d->n_errors;
  if (callee->kind == A_MEMBER || callee->kind == A_NAME) f = elab_expr(e, callee);
  if (f.kind == V_BAD || e->d->n_errors > errors) return callee->kind != A_LAMBDA;
  if (f.kind != V_FN) return false;
  return f.fn->kind == FN_PROC || (f.fn->kind == FN_NATIVE && !f.fn->partial && f.fn->native &&
         ((f.fn->captured && f.fn->captured->n > 0) || !strcmp(f.fn->native->name, "trace")));
}

/* A line that is indented further than the one above, which ends in a call: `dense(2, 8)` and `dense(8, 1)` below. */
static bool goes_on(const Ast *stmt) {
  const char *text = stmt->source->text;
  uint32_t line = stmt->span.first, above, end;
  while (line > 0 && text[line - 1] != '\n') line--;
  if (!line) return false;
  for (above = end = line - 1; above > 0 && text[above - 1] != '\n';) above--;
  while (end > above && (text[end - 1] == ' ' || text[end - 1] == '\r')) end--;
  return end > above && text[end - 1] == ')' && strspn(text + line, " \t") > strspn(text + above, " \t");
}

/* The value of a statement that nobody takes. */
static void unused_value(Elab *e, const Ast *stmt, const Value *v) {
  const Ast *x = stmt->kid[0];
  if (x->kind == A_IF || x->kind == A_TRAINING || v->kind == V_BAD || acts(e, x, v)) return;
  Diag *g = elab_error(e, x, E_UNUSED_VALUE);
  char first = stmt->source->text[stmt->span.first];
  uint32_t line, column;
  source_position(stmt->source, stmt->span.first, &line, &column);
  const char *hint = x->kind == A_CALL ? "a formula only computes: print its value, or give it a name with `let`"
                     : v->kind == V_FN ? "a function acts when it is called: `f(x)`"
                                       : "print it, or give it a name with `let`";
  if (goes_on(stmt)) hint = "to go on from the line above, begin this one with `>>` or `|>`";
  if (line > 1 && (first == '-' || first == '(' || first == '['))
    hint = "a line does not go on from the one before it: end that one with the operator or inside an open bracket";
  diag_hint(e->d, g, "%s", hint);
}

/* What stands behind a `break` that only the run knows is computed under a mask: loop.c. */
static void stmts_from(Elab *e, const Ast *block, uint32_t k, Value *last) {
  host_deeper(&e->s->host);
  Use use = e->here.use;
  for (; k < block->n; k++) {
    *last = v_unit();
    const Ast *stmt = block->kid[k];
    e->here.use = k + 1 == block->n ? use : USE_NONE;
    if (!elab_stmt(e, stmt, last) && (stmt->kind == A_ASSERT || stmt->source->library) && !e->here.frame->steps) {
      /* what follows in the formula was to rest on it; in the library nothing else can be wrong */
      *last = v_bad();
      return;
    }
    if (e->here.frame->flow != FLOW_ON) return;
    if (k + 1 == block->n || !leave_pending(e)) continue;
    Mask m;
    mask_enter(e, &m, block->kid[k]);
    stmts_from(e, block, k + 1, last);
    mask_leave(e, &m, block->kid[k]);
    *last = v_unit();
    return;
  }
}

void elab_stmts(Elab *e, const Ast *block, Value *last) {
  *last = v_unit();
  elab_definitions(e, block);
  stmts_from(e, block, 0, last);
}

Value elab_block(Elab *e, const Ast *block, bool new_scope) {
  Where outside = e->here;
  if (new_scope) e->here.scope = scope_new(e, e->here.scope);
  Value last;
  elab_stmts(e, block, &last);
  e->here = outside;
  return last;
}

/* ---- let, var, param ---- */
/* A `let` keeps the values of cells as they are now; instances stay handles. */
static bool is_kept(const Value *v) {
  return !v->stretch && v->kind != V_CELL && v->kind != V_TUPLE && v->kind != V_LIST && v->kind != V_RECORD;
}

Value keep_values(Elab *e, Value v) {
  host_deeper(&e->s->host);
  if (v.kind == V_CELL) return value_decay(e, v);
  v.stretch = 0;
  if (v.kind == V_TUPLE || v.kind == V_LIST) {
    Room *room = v.items->room;
    uint32_t k = room ? room->kept : 0, n = v.items->n;
    while (k < n && is_kept(&v.items->at[k])) k++;
    if (k >= n) {                       /* nothing to keep: a list that grows is not copied each time */
      if (room && room->kept < n) room->kept = n;
      return v;
    }
    Value copy = v_items(e->a, v.kind, v.items->at, n);
    for (; k < n; k++) copy.items->at[k] = keep_values(e, v.items->at[k]);
    return copy;
  }
  if (v.kind == V_RECORD) {
    Fields *f = NEW(e->a, Fields);
    *f = *v.fields;
    f->at = NEW_N(e->a, Value, f->n ? f->n : 1);
    for (uint32_t k = 0; k < f->n; k++) f->at[k] = keep_values(e, v.fields->at[k]);
    return (Value){.kind = V_RECORD, .fields = f};
  }
  return v;
}

/* The types that are no tensor's: of known scalars and of functions. */
static bool is_known_type(const Ast *type) {
  static const char *const names[] = {"int", "float", "bool", "string", "fn"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    if (type->kind == A_NAME && !strcmp(type->name, names[k])) return true;
  return false;
}

/* The value behind `=` or `~` of a declaration. */
static Value declared(Elab *e, const Ast *type, const Ast *expr, int op, int kind) {
  Type t;
  if (type && op == '=' && ((kind == A_LET && is_known_type(type)) || (kind <= A_VAR && type->kind == A_TTUPLE))) {
    DType unmarked = F32;
    Value v = elab_expr(e, expr);
    return match_type(e, type, &v, scope_new(e, e->here.scope), &unmarked, expr, "the value") ? v : v_bad();
  }
  if (type && !elab_type(e, type, &t)) {
    if (op != '~') elab_expr(e, expr);      /* a draw is no call without its type */
    return v_bad();
  }
  if (op == '~') {
    if (!type) {
      Diag *g = elab_error(e, expr, E_DRAW_WITHOUT_TYPE);
      diag_hint(e->d, g, "write the type of what is drawn: `let x: [3, 4] ~ ...`");
      return v_bad();
    }
    Value v = elab_draw(e, &t, expr);
    if (v.kind == V_BAD) return v;
    NodeId n = want_typed(e, v, (DType)t.dtype, expr, "what is drawn");
    if (n == NO_NODE) return v_bad();
    if (!type_same_shape(node_type(e, n), &t)) {
      elab_error(e, expr, E_DECLARED_SHAPE, shape_show(e->a, &t), shape_show(e->a, node_type(e, n)));
      return v_bad();
    }
    return v_node(n);
  }
  Value v = elab_expr(e, expr);
  if (!type || v.kind == V_BAD) return v;
  NodeId n = want_typed(e, v, (DType)t.dtype, expr, "this");
  if (n != NO_NODE) n = lower_cast(e, n, (DType)t.dtype, expr);
  if (n == NO_NODE) return v_bad();
  const Type *has = node_type(e, n);
  if (!type_same_shape(has, &t)) {
    if (has->rank) {
      Diag *g = elab_error(e, expr, E_DECLARED_SHAPE, shape_show(e->a, &t), shape_show(e->a, has));
      diag_mark(e->d, g, elab_loc(e, expr), "%s", shape_show(e->a, has));
      diag_mark(e->d, g, elab_loc(e, type), "declared here");
      return v_bad();
    }
    Type full = t;
    full.dtype = has->dtype;
    n = g_broadcast(e->g, n, &full);
  }
  return v_node(n);
}

static const char *pattern_name(const Ast *pattern) { return pattern->kind == A_NAME ? pattern->name : "let"; }

static bool is_bool(Elab *e, Value v) { return v.kind == V_NODE && node_type(e, v.node)->dtype == BOOL; }

/* A cell, or a tree of cells, that begins with v. */
static Value make_cells(Elab *e, Value v, int role, const char *path, const Ast *at) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  switch (v.kind) {
  case V_INT: case V_BOOL: case V_NODE: {
    bool whole = v.kind == V_INT ||
                 (v.kind == V_NODE && graph_at(e->g, v.node)->flags & NODE_INTS && !node_type(e, v.node)->rank);
    bool open = whole || (v.kind == V_NODE && node_flex(e, v.node));
    DType d = whole ? I32 : F32;
    Loc loc = elab_loc(e, at);
    for (uint32_t k = 0; open && k < e->widened.n; k++)
      if (e->widened.at[k].made == loc && !strcmp(e->widened.at[k].path, path ? path : "")) d = e->widened.at[k].dtype;
    NodeId n = open && v.kind != V_BOOL && !is_bool(e, v) ? want_typed(e, v, d, at, "a cell's first value")
                                                        : settle(e, want_node(e, v, at, "a cell's first value"));
    if (n == NO_NODE) return v_bad();
    Cell *c = cell_new(e, role, node_type(e, n), path, loc);
    c->flex = open;
    cell_assign(e, c, n, elab_loc(e, at));
    return (Value){.kind = V_CELL, .cell = c};
  }
  case V_TUPLE: case V_LIST: {
    Value y = v_items(e->a, v.kind, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++) {
      y.items->at[k] = make_cells(e, v.items->at[k], role, arena_printf(e->a, "%s.%u", path, k), at);
      if (y.items->at[k].kind == V_BAD) return v_bad();
    }
    return y;
  }
  case V_RECORD: {
    Fields *f = NEW(e->a, Fields);
    *f = *v.fields;
    f->at = NEW_N(e->a, Value, f->n ? f->n : 1);
    for (uint32_t k = 0; k < f->n; k++)
      f->at[k] = make_cells(e, v.fields->at[k], role, arena_printf(e->a, "%s.%s", path, f->name[k]), at);
    return (Value){.kind = V_RECORD, .fields = f};
  }
  case V_OPTIMIZER:
    if (!v.optimizer->tied) break;
    /* fall through */
  case V_INSTANCE: return cells_of_instance(e, v, path, at);
  case V_FN:
    if (v.fn->kind == FN_CHAIN) return cells_of_instance(e, v, path, at);
    break;
  default: break;
  }
  if (v.kind != V_BAD) {
    Diag *g = elab_error(e, at, E_NO_CELL, value_kind_text(e, &v));
    diag_hint(e->d, g, "a `var` holds numbers, tensors and trees of them; use `let` for the rest");
  }
  return v_bad();
}
Value cells_from(Elab *e, Value v, int role, const char *path, const Ast *at) {
  return make_cells(e, v, role, path, at);
}

/* For messages: a declared type has names for its sizes. */
static void keep_type(Elab *e, const Ast *pattern, const Ast *type) {
  Bound *b = type && pattern->kind == A_NAME ? scope_here(e->here.scope, pattern->name) : NULL;
  if (b) b->type = type;
}

/* Whether a function that stands in x reads the name: it would read it when it is called. */
static bool read_later(const Ast *x, Sym name, bool in_function) {
  if (x->kind == A_NAME || (x->kind == A_FIELD && !x->kid[0])) return in_function && x->name == name;
  in_function |= x->kind == A_LAMBDA || x->kind == A_FN || x->kind == A_PROC;
  for (uint32_t k = 0; k < x->n; k++)
    if (x->kid[k] && read_later(x->kid[k], name, in_function)) return true;
  return false;
}

/* A name stands behind its `let`: what reads it there means the outer one, also a function that is called later. */
static void outer_names(Elab *e, const Ast *pattern, const Ast *expr, Scope **s) {
  if (pattern->kind != A_NAME && !(pattern->kind == A_PFIELD && (!pattern->n || !pattern->kid[0]))) {
    for (uint32_t k = 0; k < pattern->n; k++)
      if (pattern->kid[k]) outer_names(e, pattern->kid[k], expr, s);
    return;
  }
  Bound *b = read_later(expr, pattern->name, false) ? scope_find(e, e->here.scope, pattern->name) : NULL;
  if (!b) return;
  if (!*s) *s = scope_new(e, e->here.scope);
  vec_push(e->a, &(*s)->bound, b);
}

static void bind_let(Elab *e, const Ast *ast, Value v) {
  const Ast *pattern = ast->kid[0], *type = ast->kid[1], *expr = ast->kid[2];
  bool cell = ast->kind == A_VAR && e->here.frame->steps;
  if (ast->kind == A_LET || !cell) {
    v = keep_values(e, v);
    if (e->here.frame->steps && pattern->kind == A_NAME) tree_paths(e, v, pattern->name);
    bind_pattern(e, e->here.scope, pattern, v, ast->kind == A_VAR);
    keep_type(e, pattern, type);
    return;
  }
  if (pattern->kind == A_NAME) v = make_cells(e, v, CELL_VAR, pattern->name, expr);
  else v = make_cells(e, v, CELL_VAR, "var", expr);
  if (v.kind == V_CELL && type) cell_change(e, v.cell)->flex = false;
  bind_pattern(e, e->here.scope, pattern, v, false);
  Bound *b = pattern->kind == A_NAME ? scope_here(e->here.scope, pattern->name) : NULL;
  if (b) b->of_var = true;
  keep_type(e, pattern, type);
}

static OUT_OF_LINE void let_or_var(Elab *e, const Ast *ast) {
  const Ast *pattern = ast->kid[0], *expr = ast->kid[2];
  Where outside = place_enter(e, pattern_name(pattern));
  Scope *outer = NULL;
  outer_names(e, pattern, expr, &outer);
  if (outer) e->here.scope = outer;
  Value v = declared(e, ast->kid[1], expr, ast->op, ast->kind);
  e->here = outside;
  uint32_t names = e->here.scope->bound.n;
  bind_let(e, ast, v);
  for (uint32_t k = names; k < e->here.scope->bound.n; k++) e->here.scope->bound.at[k]->value_of = expr;
}

static OUT_OF_LINE void param_or_state(Elab *e, const Ast *ast) {
  const Ast *type = ast->kid[0];
  int role = ast->kind == A_PARAM ? CELL_PARAM : CELL_STATE;
  if (e->here.make > MAKE_IN_BODY) {
    Diag *g = elab_error(e, ast, E_MADE_IN_CALL, ast->name, make_place(e->here.make));
    diag_hint(e->d, g, "a parameter is made once: in the body of a layer, or at the top, where it always runs");
    scope_put(e, e->here.scope, ast->name, v_bad(), ast);
    return;
  }
  Where outside = place_enter(e, ast->name);
  Value v = declared(e, type, ast->kid[1], ast->op, ast->kind);
  e->here = outside;
  NodeId n = v.kind == V_BAD ? NO_NODE : want_float(e, v, ast->kid[1], "a parameter's first value");
  if (v.kind != V_BAD && ast->kind == A_STATE) n = want_node(e, v, ast->kid[1], "a state's first value");
  n = settle(e, n);
  if (n == NO_NODE) {
    scope_put(e, e->here.scope, ast->name, v_bad(), ast);
    return;
  }
  bool top = !e->here.frame->self;
  Cell *c = cell_new(e, role, node_type(e, n), top ? ast->name : NULL, elab_loc_at(e, ast));
  cell_assign(e, c, n, elab_loc_at(e, ast));
  scope_put(e, e->here.scope, ast->name, (Value){.kind = V_CELL, .cell = c}, ast);
}

/* ---- print, assert ---- */
static bool steps_here(Elab *e, const Ast *ast, const char *what, const char *hint) {
  if (e->here.frame->steps) return true;
  Diag *g = elab_error(e, ast, E_STEP_IN_FORMULA, what);
  diag_hint(e->d, g, "%s", hint);
  return false;
}

static OUT_OF_LINE void print(Elab *e, const Ast *ast) {
  Value *v = NEW_N(e->a, Value, ast->n);
  bool ok = true;
  Order o = {0};
  for (uint32_t k = 0; k < ast->n; k++) {
    order_before(e, &o, ast->kid[k]);
    v[k] = elab_expr(e, ast->kid[k]);
    order_met(e, &o, &v[k]);
    ok &= v[k].kind != V_BAD;
  }
  order_end(e, &o);
  if (!steps_here(e, ast, "`print`", "`trace(x, \"name\")` is x and shows it when it is computed") || !ok) return;
  Value text = text_of(e, v, ast->n, NULL, " ");
  if (text.kind == V_BAD) return;
  step_effect(e, effect_print(e->s, text_value(e, &text), elab_loc(e, ast)));
}

/* What the standard library asserts is a message of its own, at the argument that the condition reads first: "E0393:
 * text (newline) hint", where the code and the hint may be left out. */
static void failed_assertion(Elab *e, const Ast *ast, const char *text) {
  if (!text || !ast->source->library) {
    elab_error(e, ast, E_ASSERT, text ? ": " : "", text ? text : "");
    return;
  }
  const char *colon = strstr(text, ": "), *hint = strchr(text, '\n');
  DiagId id = colon ? diag_of_code(text, (size_t)(colon - text)) : N_DIAGS;
  if (id < N_DIAGS) text = colon + 2;
  const Ast *argument = argument_in(e, ast->kid[0]);
  Diag *g = elab_said(e, argument ? argument : ast, id < N_DIAGS ? id : E_LIBRARY_WANTS,
                      hint ? arena_text(e->a, text, (size_t)(hint - text)) : text);
  if (g && hint) diag_hint(e->d, g, "%s", hint + 1);
}

static OUT_OF_LINE void assertion(Elab *e, const Ast *ast) {
  Where outside = e->here;
  e->here.asserting = ast;
  Value c = value_decay(e, elab_expr(e, ast->kid[0]));
  e->here = outside;
  Value why = {.kind = V_ABSENT};
  if (c.kind == V_BOOL && c.b && ast->source->library) return;      /* its text may be of what is wrong alone */
  if (ast->n > 1) {
    Value *v = NEW_N(e->a, Value, ast->n);
    for (uint32_t k = 1; k < ast->n; k++) v[k] = elab_expr(e, ast->kid[k]);
    why = text_of(e, v + 1, ast->n - 1, NULL, " ");
  }
  if (c.kind == V_BAD || why.kind == V_BAD) return;
  if (c.kind == V_TUPLE) {
    Diag *g = elab_error(e, ast->kid[0], E_WANTED_BOOL, "assert", value_kind_text(e, &c));
    diag_hint(e->d, g, "it has no parentheses: `assert c, \"why\"`");
    return;
  }
  bool known = c.kind == V_BOOL, holds = known && c.b;
  if (c.kind == V_NODE && !e->here.frame->steps && graph_at(e->g, c.node)->flags & NODE_KNOWN &&
      node_type(e, c.node)->dtype == BOOL) {
    const Tensor *t = graph_known(e->g, c.node);
    known = holds = t != NULL;
    for (int64_t k = 0; t && k < type_count(&t->type); k++) holds &= tensor_get(t, k) != 0;
  }
  if (known && !e->here.frame->steps) {
    if (!holds) failed_assertion(e, ast, text_shown(e, &why));
    return;
  }
  if (!e->here.frame->steps) {
    NodeId n = want_node(e, c, ast->kid[0], "a condition");
    if (n != NO_NODE && node_type(e, n)->dtype != BOOL) {
      Diag *g = elab_error(e, ast->kid[0], E_WANTED_BOOL, "assert", value_kind_text(e, &c));
      diag_hint(e->d, g, "compare: `assert x == y`");
    } else if (n != NO_NODE) say_depends(e, elab_error(e, ast, E_NOT_KNOWN, "what a formula asserts"), n);
    return;
  }
  NodeId n = want_node(e, c, ast->kid[0], "a condition");
  if (n == NO_NODE) return;
  if (node_type(e, n)->dtype != BOOL) {
    Diag *g = elab_error(e, ast->kid[0], E_WANTED_BOOL, "assert", value_kind_text(e, &c));
    diag_hint(e->d, g, "compare: `assert x == y`");
    return;
  }
  Step *step = effect_assert(e->s, n, why.kind == V_ABSENT ? NULL : text_value(e, &why), elab_loc(e, ast));
  const Node *x = graph_at(e->g, n);
  if (x->op->flags & OP_COMPARES && !x->type->rank) effect_assert_sides(e->s, step, x->in[0], x->in[1]);
  step_effect(e, step);
}

/* ---- all of them ---- */
static OUT_OF_LINE void test_block(Elab *e, const Ast *ast) {
  Where outside = place_enter(e, "test");
  Steps *steps = NEW(e->a, Steps);
  uint32_t from = e->p->segment.n;
  CallFrame frame = {.steps = true};
  frame_enter(e, &frame, e->here.scope);
  e->here.use = USE_NONE;
  Region *r = region_enter(e, REGION_TEST, steps, ast);
  elab_block(e, ast->kid[1], true);
  region_leave(e, r);
  e->here = outside;
  vec_push(e->a, &e->made.tests, (TestBlock){ast, steps, from});
}

static OUT_OF_LINE void expression(Elab *e, const Ast *ast, Value *last) {
  const Ast *x = ast->kid[0];
  uint32_t versions = e->made.versions.n, cells = e->made.cells.n, errors = e->d->n_errors;
  bool steps = e->here.use != USE_OF_FORMULA;
  if (x->kind == A_IF) *last = elab_if(e, x, steps);
  else if (x->kind == A_TRAINING) *last = elab_training(e, x, steps);
  else *last = elab_expr(e, x);
  bool taken = e->here.use != USE_NONE || e->d->n_errors > errors;
  for (uint32_t k = versions; k < e->made.versions.n; k++)       /* a call that assigns a state is there for that */
    taken |= e->made.versions.at[k].cell->number < cells;
  if (!taken) unused_value(e, ast, last);
}

bool elab_stmt(Elab *e, const Ast *ast, Value *last) {
  host_go_on(&e->s->host);
  if (!elab_stack_ok(e, ast)) return false;
  uint32_t errors = e->d->n_errors, unknown = e->unknown;
  WITH_LOC(e, ast);
  switch (ast->kind) {
  case A_LET: case A_VAR: let_or_var(e, ast); break;
  case A_PARAM: case A_STATE: param_or_state(e, ast); break;
  case A_ASSIGN: elab_assign(e, ast); break;
  case A_PRINT: print(e, ast); break;
  case A_ASSERT: assertion(e, ast); break;
  case A_FOR: elab_for(e, ast); break;
  case A_WHILE: elab_while(e, ast); break;
  case A_BREAK: case A_CONTINUE: elab_flow(e, ast); break;
  case A_TEST: test_block(e, ast); break;
  case A_IMPORT: elab_import(e, ast); break;
  case A_EXPR: expression(e, ast, last); break;
  default: break;    /* definitions are made already; errors are reported */
  }
  if (e->d->n_errors != errors || e->unknown != unknown) series_lost(e, ast, 0);
  return e->d->n_errors == errors;
}

bool step_here(Elab *e, const Ast *at, const char *what) {
  if (e->here.frame->steps) return true;
  Diag *g = elab_error(e, at, E_STEP_IN_FORMULA, what);
  diag_hint(e->d, g, "call it from a step or a `proc`");
  return false;
}
