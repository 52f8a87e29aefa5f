/* stmt: statements. In a formula they compute (a `var` is a name that takes new values, loops unroll, an `if` of the run selects); where
 * steps may stand they act: cells are written, loops and branches become steps.
 */
#include "effects.h"
#include "elab.h"
#include <string.h>

/* ---- definitions ---- */
static void define_gradient(Elab *e, const Ast *ast) {
  Bound *b = scope_here(e->scope, ast->name);
  if (!b || b->value.kind != V_FN || (b->value.fn->kind != FN_CLOSURE && b->value.fn->kind != FN_EXTERN)) {
    Diag *g = elab_error(e, ast, E_GRADIENT_OF_NOTHING, ast->name);
    diag_hint(e->d, g, "a `gradient` stands in the file that defines its function with `fn` or `extern`");
    return;
  }
  b->value.fn->gradient = ast;
  b->value.fn->gradient_scope = e->scope;
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
  f->scope = e->scope;
  f->self = (Instance *)(uintptr_t)e->frame->self;
  if (kind == FN_EXTERN && !extern_open(e, f, ast)) {
    scope_put(e, e->scope, ast->name, v_bad(), ast);
    return;
  }
  scope_put(e, e->scope, ast->name, v_fn(f), ast);
}

void elab_definitions(Elab *e, const Ast *block) {
  for (uint32_t k = 0; k < block->n; k++) elab_define(e, block->kid[k]);
  for (uint32_t k = 0; k < block->n; k++)
    if (block->kid[k]->kind == A_GRADIENT) define_gradient(e, block->kid[k]);
}

/* Whether a call may be there for what it does: of a proc, a handle or its method, or of what gives nothing. */
static bool acts(Elab *e, const Ast *call, const Value *value) {
  if (call->kind != A_CALL) return false;
  if (value->kind == V_UNIT || value->kind == V_BAD) return true;
  const Ast *callee = call->kid[0];
  Value f = v_bad();
  uint32_t errors = e->d->n_errors;
  if (callee->kind == A_MEMBER || callee->kind == A_NAME) f = elab_expr(e, callee);
  if (f.kind == V_INSTANCE || f.kind == V_BAD || e->d->n_errors > errors) return callee->kind != A_LAMBDA;
  if (f.kind != V_FN) return false;
  return f.fn->kind == FN_PROC || f.fn->self || (f.fn->kind == FN_NATIVE && !f.fn->partial && f.fn->native &&
         (f.fn->captured->n > 0 || !strcmp(f.fn->native->name, "trace")));
}

/* The value of a statement that nobody takes. */
void unused_value(Elab *e, const Ast *stmt, const Value *v) {
  if (stmt->kind != A_EXPR) return;
  const Ast *x = stmt->kid[0];
  if (x->kind == A_IF || x->kind == A_TRAINING || v->kind == V_BAD || acts(e, x, v)) return;
  Diag *g = elab_error(e, x, E_UNUSED_VALUE);
  char first = stmt->source->text[stmt->span.first];
  uint32_t line, column;
  source_position(stmt->source, stmt->span.first, &line, &column);
  const char *hint = x->kind == A_CALL ? "a formula only computes: print its value, or give it a name with `let`"
                                       : "print it, or give it a name with `let`";
  if (line > 1 && (first == '-' || first == '(' || first == '['))
    hint = "a line does not go on from the one before it: end that one with the operator or inside an open bracket";
  diag_hint(e->d, g, "%s", hint);
}

/* What stands behind a `break` that only the run knows is computed under a mask: loop.c. */
static void stmts_from(Elab *e, const Ast *block, uint32_t k, Value *last) {
  for (; k < block->n; k++) {
    *last = v_unit();
    if (!elab_stmt(e, block->kid[k], last) && block->kid[k]->kind == A_ASSERT && !e->frame->steps) {
      *last = v_bad();        /* what follows in the formula was to rest on it */
      return;
    }
    if (k + 1 < block->n && e->scope != e->globals) unused_value(e, block->kid[k], last);
    if (e->frame->flow != FLOW_ON) return;
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
  Scope *saved = e->scope;
  if (new_scope) e->scope = scope_new(e, e->scope);
  Value last;
  elab_stmts(e, block, &last);
  e->scope = saved;
  return last;
}

/* ---- let, var, param ---- */
/* A `let` keeps the values of cells as they are now; instances stay handles. */
static bool is_kept(const Value *v) {
  return !v->stretch && v->kind != V_CELL && v->kind != V_TUPLE && v->kind != V_LIST && v->kind != V_RECORD;
}

Value keep_values(Elab *e, Value v) {
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
    return match_type(e, type, &v, scope_new(e, e->scope), &unmarked, expr, "the value") ? v : v_bad();
  }
  if (type && !elab_type(e, type, &t)) {
    elab_expr(e, expr);
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
  v = value_decay(e, v);
  switch (v.kind) {
  case V_INT: case V_BOOL: case V_NODE: {
    bool whole = v.kind == V_INT || (v.kind == V_NODE && graph_at(e->g, v.node)->flags & NODE_INTS && !node_type(e, v.node)->rank);
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
    for (uint32_t k = 0; k < v.items->n; k++)
      y.items->at[k] = make_cells(e, v.items->at[k], role, arena_printf(e->a, "%s.%u", path, k), at);
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
Value cells_from(Elab *e, Value v, int role, const char *path, const Ast *at) { return make_cells(e, v, role, path, at); }

/* For messages: a declared type has names for its sizes. */
static void keep_type(Elab *e, const Ast *pattern, const Ast *type) {
  Bound *b = type && pattern->kind == A_NAME ? scope_here(e->scope, pattern->name) : NULL;
  if (b) b->type = type;
}

static void let_or_var(Elab *e, const Ast *ast) {
  const Ast *pattern = ast->kid[0], *type = ast->kid[1], *expr = ast->kid[2];
  PlaceMark m = place_enter(e, pattern_name(pattern));
  Value v = declared(e, type, expr, ast->op, ast->kind);
  place_leave(e, m);
  bool cell = ast->kind == A_VAR && e->frame->steps;
  if (ast->kind == A_LET || !cell) {
    v = keep_values(e, v);
    if (e->frame->steps && pattern->kind == A_NAME) tree_paths(e, v, pattern->name);
    bind_pattern(e, e->scope, pattern, v, ast->kind == A_VAR);
    keep_type(e, pattern, type);
    return;
  }
  if (pattern->kind == A_NAME) v = make_cells(e, v, CELL_VAR, pattern->name, expr);
  else v = make_cells(e, v, CELL_VAR, "var", expr);
  if (v.kind == V_CELL && type) v.cell->flex = false;
  bind_pattern(e, e->scope, pattern, v, false);
  keep_type(e, pattern, type);
}

static void param_or_state(Elab *e, const Ast *ast) {
  const Ast *type = ast->kid[0];
  int role = ast->kind == A_PARAM ? CELL_PARAM : CELL_STATE;
  if (e->make > MAKE_IN_BODY) {
    elab_error(e, ast, E_MADE_IN_CALL, ast->name);
    scope_put(e, e->scope, ast->name, v_bad(), ast);
    return;
  }
  PlaceMark m = place_enter(e, ast->name);
  Value v = declared(e, type, ast->kid[1], ast->op, ast->kind);
  place_leave(e, m);
  NodeId n = v.kind == V_BAD ? NO_NODE : want_float(e, v, ast->kid[1], "a parameter's first value");
  if (v.kind != V_BAD && ast->kind == A_STATE) n = want_node(e, v, ast->kid[1], "a state's first value");
  n = settle(e, n);
  if (n == NO_NODE) {
    scope_put(e, e->scope, ast->name, v_bad(), ast);
    return;
  }
  bool top = !e->frame->self;
  Cell *c = cell_new(e, role, node_type(e, n), top ? ast->name : NULL, elab_loc_at(e, ast));
  cell_assign(e, c, n, elab_loc_at(e, ast));
  scope_put(e, e->scope, ast->name, (Value){.kind = V_CELL, .cell = c}, ast);
}

/* ---- assignment ---- */
static bool may_assign_cell(Elab *e, Cell *c, const Ast *target) {
  if (e->frame->steps) return true;
  if (c->role == CELL_STATE || c->role == CELL_HIDDEN) {
    const Instance *self = e->frame->self;
    for (uint32_t k = 0; self && k < self->n; k++)
      if (self->field[k].value.kind == V_CELL && self->field[k].value.cell == c) {
        if (e->make > MAKE_IN_GRAD) {
          Diag *g = elab_error(e, target, E_STATE_IN_IF, c->path ? c->path : "state", make_place(e->make));
          diag_hint(e->d, g, "a state changes once, where the call stands: call the layer outside and use its value here");
          return false;
        }
        return true;
      }
  }
  Diag *g = elab_error(e, target, E_ASSIGN_IN_FORMULA, c->path ? c->path : target->name ? target->name : "a cell");
  diag_hint(e->d, g, "a `fn` computes a value; what changes cells is a `proc`");
  return false;
}

/* `var total = 0` and then a float: the cell was open, and is a float from its first value on. What read it as an int
 * before is elaborated once more; until then the value that was assigned says nothing. */
static bool widen_cell(Elab *e, Cell *c, DType d, const Ast *at) {
  bool float_already = dtype_is_float((DType)c->type.dtype) && d != F64;
  if (!c->flex || !dtype_is_float(d) || c->type.dtype == d || float_already) return false;
  const Place *made = loc_place(e->s->sources, c->loc);
  if (!made || made->source != at->source) return false;
  for (uint32_t k = 0; k < e->widened.n; k++)
    if (e->widened.at[k].made == c->loc && !strcmp(e->widened.at[k].path, c->path ? c->path : "")) {
      if (e->widened.at[k].dtype == d || d == F32) return e->again;
      e->widened.at[k].dtype = d;
      return e->again = true;
    }
  vec_push(e->a, &e->widened, (Widened){c->loc, c->path ? c->path : "", d});
  return e->again = true;
}

static bool assign_cell(Elab *e, Cell *c, Value v, const Ast *target, const Ast *at) {
  if (!may_assign_cell(e, c, target)) return false;
  v = value_decay(e, v);
  if (v.kind == V_NODE) {
    const Node *x = graph_at(e->g, v.node);
    bool open = x->flags & NODE_FLEX && x->type->dtype == F64;
    DType d = open ? x->flags & NODE_INTS ? I32 : F32 : (DType)x->type->dtype;
    if (widen_cell(e, c, d, at)) return false;
  }
  const char *name = c->path ? c->path : "the cell";
  NodeId n = want_node(e, v, at, "a value to assign");
  if (n == NO_NODE) return false;
  const Node *x = graph_at(e->g, n);
  bool fits = x->type->dtype == c->type.dtype && !(x->flags & NODE_FLEX);
  if (!fits) {
    bool narrows = !dtype_is_float((DType)c->type.dtype) && !(x->flags & NODE_INTS) &&
                   (dtype_is_float((DType)x->type->dtype) || c->type.dtype == BOOL);
    bool mixed = x->type->dtype == F64 && c->type.dtype == F32 && !(x->flags & NODE_FLEX);
    if (narrows || mixed) {
      Diag *g = elab_error(e, at, E_ASSIGN_DTYPE, name, dtype_name[c->type.dtype], type_show(e->a, x->type));
      diag_note(e->d, g, c->loc, "`%s` was made here", name);
      diag_hint(e->d, g, c->type.dtype == I32 ? "begin with a float: `0.0`" : "convert it: `%s(...)`", dtype_name[c->type.dtype]);
      return false;
    }
    n = want_typed(e, v_node(n), (DType)c->type.dtype, at, arena_printf(e->a, "`%s`", name));
    if (n == NO_NODE) return false;
  }
  if (!type_same_shape(node_type(e, n), &c->type)) {
    if (node_type(e, n)->rank) {
      Diag *g = elab_error(e, at, E_ASSIGN_SHAPE, name, shape_show(e->a, &c->type), shape_show(e->a, node_type(e, n)));
      if (at->kind == A_ASSIGN) mark_shape(e, g, at->kid[1], node_type(e, n));
      diag_note(e->d, g, c->loc, "`%s` was made here; a cell keeps its shape", name);
      return false;
    }
    n = g_broadcast(e->g, n, &c->type);
  }
  cell_assign(e, c, n, elab_loc(e, at));
  return true;
}

typedef struct AssignCtx { const Ast *target, *at; } AssignCtx;
static Value assign_leaf(Elab *e, void *ctx, Value cell, Value v) {
  AssignCtx *x = ctx;
  if (cell.kind == V_CELL) assign_cell(e, cell.cell, v, x->target, x->at);
  return cell;
}

/* All new values are computed before the first cell is written: they stand as nodes already. */
bool assign_tree(Elab *e, Value target, Value v, const Ast *at) {
  AssignCtx x = {at->kind == A_ASSIGN ? at->kid[0] : at, at};
  if (target.kind == V_CELL) return assign_cell(e, target.cell, v, x.target, at);
  Value all = v;
  bool tree = v.kind == V_TUPLE || v.kind == V_LIST || v.kind == V_RECORD;
  if ((tree && tree_has_cells(e, v)) || v.kind == V_INSTANCE || v.kind == V_OPTIMIZER || (v.kind == V_FN && v.fn->kind == FN_CHAIN)) all = copy_values(e, v);
  return tree_map2(e, target, all, LEAF_PARAM | LEAF_STATE, assign_leaf, &x, at).kind != V_BAD;
}

static void assign_bound(Elab *e, Bound *b, Value v, const Ast *target, const Ast *ast) {
  Value now = b->value;
  if (now.kind == V_CELL || (is_tree(&now) && !b->mutable_)) {
    if (now.kind != V_CELL && !tree_has_cells(e, now)) {
      Diag *g = elab_error(e, target, E_ASSIGN_LET, b->name);
      if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "it was defined here");
      diag_hint(e->d, g, "make it with `var`");
      return;
    }
    assign_tree(e, now, v, ast);
    return;
  }
  if (b->mutable_) {
    if (b->frame != e->frame) {
      elab_error(e, target, E_ASSIGN_IN_FORMULA, b->name);
      return;
    }
    vec_push(e->a, &e->assigned, (Assigned){b, now});
    b->value = keep_values(e, v);
    return;
  }
  if (now.kind == V_BAD) return;
  Diag *g = elab_error(e, target, E_ASSIGN_LET, b->name);
  if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "it was defined here");
  diag_hint(e->d, g, "make it with `var` to assign it");
}

static void assign(Elab *e, const Ast *ast) {
  const Ast *target = ast->kid[0];
  const Ast *base = target->kind == A_INDEX ? target->kid[0] : target;
  Bound *b = NULL;
  Value now;
  if (base->kind == A_NAME) {
    b = scope_find(e, e->scope, base->name);
    if (!b) {
      elab_expr(e, base);
      return;
    }
    now = b->value;
  } else now = elab_expr(e, base);
  Value v = elab_expr(e, ast->kid[1]);
  if (v.kind == V_BAD || now.kind == V_BAD) {
    if (b && b->mutable_) b->value = v_bad();
    return;
  }
  bool parts = now.kind == V_TUPLE || now.kind == V_LIST || (now.kind == V_FN && now.fn->kind == FN_CHAIN);
  if (target->kind == A_INDEX && parts && !(b && b->mutable_) && tree_has_cells(e, now)) {
    now = elab_expr(e, target);            /* an element of a tree of cells: `net[1] = kept[1]` */
    if (now.kind == V_BAD) return;
    b = NULL;
    if (ast->op != '=') v = elab_binary(e, ast->op, now, v, ast);
    if (v.kind == V_BAD) return;
  } else if (target->kind == A_INDEX) {
    if (ast->op != '=') {
      Value part = elab_index(e, target, value_decay(e, now));
      v = elab_binary(e, ast->op, part, v, ast);
    }
    Value out;
    if (v.kind == V_BAD || !assign_index(e, target, value_decay(e, now), v, &out)) return;
    v = out;
  } else if (ast->op != '=') {
    if (now.kind == V_CELL) {     /* an open cell takes the element type of what it meets */
      Value r = value_decay(e, v);
      bool typed = r.kind == V_NODE && dtype_is_float((DType)node_type(e, r.node)->dtype) && !node_flex(e, r.node);
      if (typed && widen_cell(e, now.cell, (DType)node_type(e, r.node)->dtype, ast)) return;
    }
    v = elab_binary(e, ast->op, now, v, ast);
    if (v.kind == V_BAD) return;
  }
  if (b) assign_bound(e, b, v, base, ast);
  else if (now.kind == V_CELL || is_tree(&now)) assign_tree(e, now, v, ast);
  else {
    Diag *g = elab_error(e, target, E_ASSIGN_TARGET, value_kind_text(e, &now));
    diag_hint(e->d, g, "cells are assigned: parameters, states of layers, `var`s and trees of them");
  }
}

/* ---- print, assert ---- */
static bool steps_here(Elab *e, const Ast *ast, const char *what, const char *hint) {
  if (e->frame->steps) return true;
  Diag *g = elab_error(e, ast, E_STEP_IN_FORMULA, what);
  diag_hint(e->d, g, "%s", hint);
  return false;
}

static void print(Elab *e, const Ast *ast) {
  Value *v = NEW_N(e->a, Value, ast->n);
  bool ok = true;
  for (uint32_t k = 0; k < ast->n; k++) {
    v[k] = value_decay(e, elab_expr(e, ast->kid[k]));     /* what stands behind it may change a cell */
    ok &= v[k].kind != V_BAD;
  }
  if (!steps_here(e, ast, "`print`", "`trace(x, \"name\")` is x and shows it when it is computed") || !ok) return;
  Value text = text_of(e, v, ast->n, NULL, " ");
  if (text.kind == V_BAD) return;
  step_effect(e, effect_print(e->s, &text, elab_loc(e, ast)));
}

/* What the standard library asserts is a message of its own; what stands on its second line is the hint. */
static void failed_assertion(Elab *e, const Ast *ast, const char *text) {
  if (!text || !ast->source->library) {
    elab_error(e, ast, E_ASSERT, text ? ": " : "", text ? text : "");
    return;
  }
  const char *hint = strchr(text, '\n');
  Diag *g = elab_error(e, ast, E_LIBRARY_WANTS, hint ? arena_text(e->a, text, (size_t)(hint - text)) : text);
  if (g && hint) diag_hint(e->d, g, "%s", hint + 1);
}

static void assertion(Elab *e, const Ast *ast) {
  const Ast *outer = e->asserting;
  e->asserting = ast;
  Value c = value_decay(e, elab_expr(e, ast->kid[0]));
  e->asserting = outer;
  Value why = {.kind = V_ABSENT};
  if (ast->n > 1) {
    Value *v = NEW_N(e->a, Value, ast->n);
    for (uint32_t k = 1; k < ast->n; k++) v[k] = elab_expr(e, ast->kid[k]);
    why = text_of(e, v + 1, ast->n - 1, NULL, " ");
  }
  if (c.kind == V_BAD || why.kind == V_BAD) return;
  bool known = c.kind == V_BOOL, holds = known && c.b;
  if (c.kind == V_NODE && !e->frame->steps && graph_at(e->g, c.node)->flags & NODE_KNOWN && node_type(e, c.node)->dtype == BOOL) {
    const Tensor *t = graph_known(e->g, c.node);
    known = holds = t != NULL;
    for (int64_t k = 0; t && k < type_count(&t->type); k++) holds &= tensor_get(t, k) != 0;
  }
  const char *text = why.kind == V_STRING ? why.str->at : NULL;
  if (known && !e->frame->steps) {
    if (!holds) failed_assertion(e, ast, text);
    return;
  }
  if (!e->frame->steps) {
    NodeId n = want_node(e, c, ast->kid[0], "a condition");
    if (n != NO_NODE) elab_error(e, ast, E_NOT_KNOWN, "what a formula asserts");
    return;
  }
  NodeId n = want_node(e, c, ast->kid[0], "a condition");
  if (n == NO_NODE) return;
  if (node_type(e, n)->dtype != BOOL) {
    Diag *g = elab_error(e, ast->kid[0], E_WANTED_BOOL, "assert", value_kind_text(e, &c));
    diag_hint(e->d, g, "compare: `assert x == y`");
    return;
  }
  step_effect(e, effect_assert(e->s, n, why.kind == V_ABSENT ? NULL : &why, elab_loc(e, ast)));
}

/* ---- if ---- */
NodeId condition(Elab *e, const Ast *at, Value v) {
  NodeId n = want_node(e, v, at, "a condition");
  if (n == NO_NODE) return n;
  const Type *t = node_type(e, n);
  if (t->dtype != BOOL) {
    Diag *g = elab_error(e, at, E_CONDITION, value_kind_text(e, &v));
    diag_hint(e->d, g, "compare: `x != 0`");
    return NO_NODE;
  }
  if (t->rank) {
    Diag *g = elab_error(e, at, E_CONDITION, value_kind_text(e, &v));
    diag_hint(e->d, g, "`all(...)` or `any(...)` makes one of many; `where(c, a, b)` chooses element by element");
    return NO_NODE;
  }
  return n;
}

static Value branch(Elab *e, const Ast *b) {
  if (!b) return v_unit();
  if (b->kind == A_IF) return elab_if(e, b, false);
  return elab_block(e, b, true);
}

/* Equal shapes or a scalar; floats of one precision; bools with bools. */
static bool one_type(Elab *e, NodeId a, NodeId b) {
  const Type *x = node_type(e, a), *y = node_type(e, b);
  if (x->rank && y->rank && !type_same_shape(x, y)) return false;
  if (node_flex(e, a) || node_flex(e, b) || x->dtype == y->dtype) return true;
  return x->dtype != BOOL && y->dtype != BOOL && !(dtype_is_float((DType)x->dtype) && dtype_is_float((DType)y->dtype));
}

static void mark_branch(Elab *e, Diag *g, const Ast *branch, const Value *v) {
  if (branch && branch->kind == A_BLOCK && branch->n) diag_mark(e->d, g, elab_loc(e, branch->kid[branch->n - 1]), "%s", value_kind_text(e, v));
}

Value select_value(Elab *e, NodeId cond, Value a, Value b, const Ast *at) {
  a = value_decay(e, a);
  b = value_decay(e, b);
  if (a.kind == V_BAD || b.kind == V_BAD) return v_bad();
  if (a.kind == V_UNIT && b.kind == V_UNIT) return a;
  if (a.kind == V_INT && b.kind == V_INT && a.i == b.i) return a;
  if ((a.kind == V_TUPLE || a.kind == V_LIST) && a.kind == b.kind && a.items->n == b.items->n) {
    Value y = v_items(e->a, a.kind, a.items->at, a.items->n);
    for (uint32_t k = 0; k < a.items->n; k++) y.items->at[k] = select_value(e, cond, a.items->at[k], b.items->at[k], at);
    return y;
  }
  if (a.kind == V_RECORD && b.kind == V_RECORD && a.fields->n == b.fields->n) {
    Fields *f = NEW(e->a, Fields);
    *f = *a.fields;
    f->at = NEW_N(e->a, Value, f->n ? f->n : 1);
    for (uint32_t k = 0; k < f->n; k++) {
      if (a.fields->name[k] != b.fields->name[k]) goto differ;
      f->at[k] = select_value(e, cond, a.fields->at[k], b.fields->at[k], at);
    }
    return (Value){.kind = V_RECORD, .fields = f};
  }
  if ((a.kind == V_NODE || a.kind == V_INT || a.kind == V_BOOL) && (b.kind == V_NODE || b.kind == V_INT || b.kind == V_BOOL)) {
    Value v[2] = {a, b};
    NodeId in[2];
    if (a.kind == V_NODE && b.kind == V_NODE && !one_type(e, a.node, b.node)) goto differ;
    if (!unify(e, v, in, 2, at, NULL, "if")) return v_bad();
    bool ints = graph_at(e->g, in[0])->flags & graph_at(e->g, in[1])->flags & NODE_INTS;
    for (int k = 0; k < 2; k++) {
      if (ints) in[k] = emit_i(e, &op_cast, &in[k], 1, (int64_t[]){I32}, 1, at);
      else in[k] = settle(e, in[k]);
    }
    Type t = *node_type(e, in[0]);
    t.dtype = BOOL;
    NodeId c = g_broadcast(e->g, cond, &t);
    NodeId y = emit(e, &op_where, (NodeId[]){c, in[0], in[1]}, 3, NULL, at);
    return y == NO_NODE ? v_bad() : v_node(y);
  }
differ: {
  Diag *g = elab_error(e, at, E_BRANCHES_DIFFER, value_kind_text(e, &a), value_kind_text(e, &b));
  if (at->kind == A_IF) {
    mark_branch(e, g, at->kid[1], &a);
    mark_branch(e, g, at->kid[2], &b);
  }
  diag_note(e->d, g, 0, "the condition is of the run, so one of the two is chosen only then");
  return v_bad();
}
}

static Value if_of_run(Elab *e, const Ast *ast, NodeId cond) {
  MakeRule make = make_within(e, MAKE_IN_IF);
  bool steps = e->frame->steps, in_value = e->frame->in_value;
  e->frame->steps = false;     /* both branches are computed: they are formulas, wherever the `if` stands */
  e->frame->in_value |= steps;
  BranchFlow outer, flow[2];
  branch_flow_take(e, &outer);
  uint32_t mark = e->assigned.n, errors = e->d->n_errors;
  Value v[2];
  Value *after = NULL;
  uint32_t n_then = 0;
  Assigned *taken = NULL;
  for (int k = 0; k < 2; k++) {
    v[k] = branch(e, ast->kid[1 + k]);
    branch_flow_take(e, &flow[k]);
    uint32_t n = e->assigned.n - mark;
    if (k == 0) {
      n_then = n;
      taken = arena_copy(e->a, e->assigned.at ? e->assigned.at + mark : (void *)"", n * sizeof *taken);
      after = NEW_N(e->a, Value, n + 1);
      for (uint32_t j = 0; j < n; j++) after[j] = taken[j].bound->value;
      for (uint32_t j = n; j-- > 0;) taken[j].bound->value = taken[j].before;
      e->assigned.n = mark;
    }
  }
  e->make = make;
  e->frame->steps = steps;
  e->frame->in_value = in_value;
  memcpy(e->frame->leave, outer.leave, sizeof outer.leave);
  bool leaves = branch_flow_join(e, cond, &flow[0], &flow[1], ast);
  uint32_t end = e->assigned.n;
  /* what the second branch assigned: both values stand */
  for (uint32_t j = mark; j < end; j++) {
    Assigned a = e->assigned.at[j];
    bool seen = false;
    for (uint32_t i = mark; i < j; i++) seen |= e->assigned.at[i].bound == a.bound;
    if (seen) continue;
    Value then = a.before;
    for (uint32_t i = 0; i < n_then; i++)
      if (taken[i].bound == a.bound) then = after[i];
    a.bound->value = select_value(e, cond, then, a.bound->value, ast);
  }
  for (uint32_t i = 0; i < n_then; i++) {
    bool seen = false;
    for (uint32_t j = mark; j < end; j++) seen |= e->assigned.at[j].bound == taken[i].bound;
    for (uint32_t j = 0; j < i; j++) seen |= taken[j].bound == taken[i].bound;
    if (seen) continue;
    Value before = taken[i].bound->value;
    vec_push(e->a, &e->assigned, (Assigned){taken[i].bound, before});
    taken[i].bound->value = select_value(e, cond, after[i], before, ast);
  }
  if (e->d->n_errors > errors) return v_bad();
  return leaves ? v_unit() : select_value(e, cond, v[0], v[1], ast);
}

/* Whether select_value can choose between the two. */
static bool alike(Elab *e, Value a, Value b) {
  a = value_decay(e, a);
  b = value_decay(e, b);
  bool ta = a.kind == V_INT || a.kind == V_BOOL || a.kind == V_NODE, tb = b.kind == V_INT || b.kind == V_BOOL || b.kind == V_NODE;
  if (ta && tb) {
    NodeId x = want_node(e, a, NULL, ""), y = want_node(e, b, NULL, "");
    return (node_type(e, x)->dtype == BOOL) == (node_type(e, y)->dtype == BOOL) && one_type(e, x, y) &&
           node_type(e, x)->rank == node_type(e, y)->rank;
  }
  bool items = (a.kind == V_TUPLE || a.kind == V_LIST) && a.kind == b.kind && a.items->n == b.items->n;
  for (uint32_t k = 0; items && k < a.items->n; k++) items = alike(e, a.items->at[k], b.items->at[k]);
  return items;
}

/* The value of a branch of steps, kept in cells of its own. */
static Value branch_cells(Elab *e, Value v, const Ast *at) {
  v = value_decay(e, v);
  if (v.kind == V_TUPLE || v.kind == V_LIST) {
    Value y = v_items(e->a, (ValueKind)v.kind, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++) y.items->at[k] = branch_cells(e, v.items->at[k], at);
    return y;
  }
  if (v.kind != V_INT && v.kind != V_BOOL && v.kind != V_NODE) return v_unit();
  bool whole = v.kind == V_INT || (v.kind == V_NODE && graph_at(e->g, v.node)->flags & NODE_INTS && node_flex(e, v.node));
  NodeId n = whole ? want_typed(e, v, I32, at, "the value of a branch") : settle(e, want_node(e, v, at, "the value of a branch"));
  if (n == NO_NODE) return v_bad();
  Cell *c = cell_new(e, CELL_HIDDEN, node_type(e, n), "the value of an `if`", elab_loc(e, at));
  Tensor *zero = tensor_new(&e->s->host, &c->type);        /* of the branch that is not taken: never looked at */
  memset(zero->data, 0, zero->bytes);
  slot_put(e->p, c->slot, zero);
  tensor_unref(zero);
  cell_assign(e, c, n, elab_loc(e, at));
  return (Value){.kind = V_CELL, .cell = c};
}

static Value if_of_steps(Elab *e, const Ast *ast, NodeId cond, bool want_value) {
  Step *s = step_add(e, STEP_IF, elab_loc_at(e, ast));
  vec_push(e->a, &s->need, (Need){cond, NO_SLOT});
  Value v[2] = {{.kind = V_UNIT}, {.kind = V_UNIT}};
  uint8_t flow[2] = {FLOW_ON, FLOW_ON};
  for (int k = 0; k < 2; k++) {
    const Ast *b = ast->kid[1 + k];
    if (!b) continue;
    Steps *steps = NEW(e->a, Steps);
    Region *r = region_enter(e, REGION_BRANCH, steps, ast);
    v[k] = b->kind == A_IF ? elab_if(e, b, true) : elab_block(e, b, true);
    if (want_value) v[k] = branch_cells(e, v[k], b);
    region_leave(e, r);
    flow[k] = e->frame->flow;
    e->frame->flow = FLOW_ON;
    if (k == 0) s->body = *steps;
    else s->other = *steps;
  }
  if (flow[0] != FLOW_ON && flow[1] != FLOW_ON) e->frame->flow = flow[0] == flow[1] ? flow[0] : FLOW_CONTINUE;
  return want_value && alike(e, v[0], v[1]) ? select_value(e, cond, v[0], v[1], ast) : v_unit();
}

Value elab_if(Elab *e, const Ast *ast, bool as_steps) {
  Value c = value_decay(e, elab_expr(e, ast->kid[0]));
  bool known;
  if (c.kind == V_BAD) return c;
  if (known_bool(e, c, &known)) {
    const Ast *b = ast->kid[known ? 1 : 2];
    if (!b) return v_unit();
    return b->kind == A_IF ? elab_if(e, b, as_steps) : elab_block(e, b, true);
  }
  NodeId n = condition(e, ast->kid[0], c);
  if (n == NO_NODE) return v_bad();
  if (!as_steps || !e->frame->steps) return if_of_run(e, ast, n);
  bool want_value = e->frame->fn && e->frame->loop == LOOP_NONE && ast->kid[2];   /* the last of a proc, perhaps */
  return if_of_steps(e, ast, n, want_value);
}

/* ---- all of them ---- */
static void test_block(Elab *e, const Ast *ast) {
  PlaceMark m = place_enter(e, "test");
  Steps *steps = NEW(e->a, Steps);
  uint32_t from = e->p->segment.n;
  CallFrame frame = {.outer = e->frame, .steps = true};
  CallFrame *saved = e->frame;
  e->frame = &frame;
  Region *r = region_enter(e, REGION_TEST, steps, ast);
  elab_block(e, ast->kid[1], true);
  region_leave(e, r);
  e->frame = saved;
  place_leave(e, m);
  vec_push(e->a, &e->tests, (TestBlock){ast, steps, from});
}

bool elab_stmt(Elab *e, const Ast *ast, Value *last) {
  if (!elab_stack_ok(e, ast)) return false;
  uint32_t errors = e->d->n_errors;
  e->g->loc = elab_loc(e, ast);
  switch (ast->kind) {
  case A_LET: case A_VAR: let_or_var(e, ast); break;
  case A_PARAM: case A_STATE: param_or_state(e, ast); break;
  case A_ASSIGN: assign(e, ast); break;
  case A_PRINT: print(e, ast); break;
  case A_ASSERT: assertion(e, ast); break;
  case A_FOR: elab_for(e, ast); break;
  case A_WHILE: elab_while(e, ast); break;
  case A_BREAK: case A_CONTINUE: elab_flow(e, ast); break;
  case A_TEST: test_block(e, ast); break;
  case A_IMPORT: elab_import(e, ast); break;
  case A_EXPR: {
    const Ast *x = ast->kid[0];
    if (x->kind == A_IF) *last = elab_if(e, x, true);
    else *last = elab_expr(e, x);
    if (e->scope == e->globals && !e->repl) unused_value(e, ast, last);
    break;
  }
  default: break;    /* definitions are made already; errors are reported */
  }
  return e->d->n_errors == errors;
}
