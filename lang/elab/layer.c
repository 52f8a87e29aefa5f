/* layer: instances of layers: how they are made and called, and members of values. In: a layer and its arguments. Out:
 * an instance whose fields are what the body made; what a call or a method gives.
 */
#include "elab/layer.h"
#include "elab/call.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/import.h"
#include "elab/leaves.h"
#include "elab/mismatch.h"
#include "elab/names.h"
#include "elab/optim.h"
#include "elab/series.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "text/foreign.h"
#include <stdlib.h>
#include <string.h>

/* ---- instances ---- */
const char *make_place(MakeRule m) {
  switch (m) {
  case MAKE_IN_CALL: return "inside a call of an instance";
  case MAKE_IN_GRAD: return "inside a derivative";
  case MAKE_IN_MAP: return "in what runs for many elements (`fold`, `scan`, `vmap`, `jacobian`, `hessian`)";
  default: return "in an `if` whose condition is of the run";
  }
}

static void add_field(Elab *e, Instance *i, Sym name, FieldRole role, Value v) {
  i->field = NULL == i->field ? NEW_N(e->a, Field, 4) : i->field;
  if (i->n >= 4 && (i->n & (i->n - 1)) == 0) {
    Field *more = NEW_N(e->a, Field, i->n * 2);
    memcpy(more, i->field, i->n * sizeof *more);
    i->field = more;
  }
  i->field[i->n++] = (Field){name, role, v};
}

static void fields_of_pattern(Elab *e, Instance *i, const Ast *p, Scope *s) {
  if (p->kind == A_NAME) {
    Bound *b = scope_here(s, p->name);
    if (b) add_field(e, i, p->name, FIELD_LET, b->value);
    return;
  }
  for (uint32_t k = 0; k < p->n; k++) {
    const Ast *q = p->kid[k];
    if (q->kind == A_PFIELD && (!q->n || !q->kid[0])) {
      Bound *b = scope_here(s, q->name);
      if (b) add_field(e, i, q->name, FIELD_LET, b->value);
    } else fields_of_pattern(e, i, q->kind == A_PFIELD ? q->kid[0] : q, s);
  }
}

static bool stands_in_layer(const Ast *stmt) {
  switch (stmt->kind) {
  case A_PARAM: case A_STATE: case A_LET: case A_ASSERT: case A_FN: case A_GRADIENT: case A_ERROR: return true;
  default: return false;
  }
}

/* A layer that is handed to a layer belongs to it like one that it made, unless a `let` of its body names it
 * already. */
static void adopt_arguments(Elab *e, Instance *i) {
  Leaves own = {0};
  for (uint32_t k = 0; k < i->n; k++)
    if (i->field[k].role == FIELD_LET && is_tree(e, &i->field[k].value))
      tree_cells(e, i->field[k].value, &own);
  for (uint32_t k = 0; k < i->n; k++) {
    Field *f = &i->field[k];
    Leaves given = {0};
    if (f->role != FIELD_ARG || !is_tree(e, &f->value)) continue;
    tree_cells(e, f->value, &given);
    for (uint32_t j = 0; j < given.n && f->role == FIELD_ARG; j++) {
      bool named = given.at[j].value.kind != V_CELL;
      for (uint32_t m = 0; m < own.n && !named; m++)
        named = own.at[m].value.kind == V_CELL && own.at[m].value.cell == given.at[j].value.cell;
      if (!named) f->role = FIELD_LET;
    }
  }
}

Value make_instance(Elab *e, const Fn *layer, Args *a, const Ast *at) {
  if (e->here.make > MAKE_IN_BODY) {
    Diag *g = elab_error(e, at, E_LAYER_IN_CALL, layer->name, make_place(e->here.make));
    diag_hint(e->d, g, "make it with `let` in the body of the layer or at the top, and call it here");
    return v_bad();
  }
  if (e->here.depth >= MOST_CALLS) {
    Diag *g = elab_error(e, at, E_CALL_DEPTH, MOST_CALLS);
    diag_hint(e->d, g, "a layer may hold one of its own kind only if known conditions end it");
    return v_bad();
  }
  if (!known_work(e, 1, at)) return v_bad();
  const Ast *ast = layer->ast, *params = ast->kid[0], *body = ast->kid[1];
  Where outside = place_enter(e, layer->name);
  Instance *i = NEW(e->a, Instance);
  i->layer = layer;
  i->made = elab_loc(e, at);
  i->scope = scope_new(e, layer->scope);
  DType unmarked = N_DTYPES;
  CallFrame frame = {.fn = layer, .self = i};
  bool ok = bind_params(e, layer, params, a, i->scope, false, &unmarked, at);
  if (ok) {
    uint32_t n_args = i->scope->bound.n, errors = e->d->n_errors;
    frame_enter(e, &frame, i->scope);
    e->here.caller = i->made;
    e->here.make = MAKE_IN_BODY;
    e->here.depth++;
    for (uint32_t k = 0; k < n_args; k++)
      add_field(e, i, i->scope->bound.at[k]->name, FIELD_ARG, i->scope->bound.at[k]->value);
    elab_definitions(e, body);
    for (uint32_t k = 0; k < body->n; k++) {
      const Ast *stmt = body->kid[k];
      Value last;
      if (stmt->kind == A_EXPR && stmt->kid[0]->kind == A_LAMBDA) {
        i->call = stmt->kid[0];
        continue;
      }
      if (!stands_in_layer(stmt)) continue;                                   /* resolve() reported it */
      if (!elab_stmt(e, stmt, &last) && stmt->kind == A_ASSERT) break;      /* the rest was to rest on it */
      Bound *b = stmt->name ? scope_here(i->scope, stmt->name) : NULL;
      if (stmt->kind == A_PARAM && b) add_field(e, i, stmt->name, FIELD_PARAM, b->value);
      else if (stmt->kind == A_STATE && b) add_field(e, i, stmt->name, FIELD_STATE, b->value);
      else if (stmt->kind == A_FN && b) add_field(e, i, stmt->name, FIELD_FN, b->value);
      else if (stmt->kind == A_LET) fields_of_pattern(e, i, stmt->kid[0], i->scope);
    }
    ok = e->d->n_errors == errors;
    if (ok) adopt_arguments(e, i);
  }
  e->here = outside;
  return ok ? (Value){.kind = V_INSTANCE, .instance = i} : v_bad();
}

Value call_instance(Elab *e, Instance *i, Args *a, const Ast *at) {
  if (!i->call) {
    Diag *g = elab_error(e, at, E_LAYER_NOT_CALLED, i->layer->name);
    diag_hint(e->d, g, "give its body an `fn (x) = ...`");
    return v_bad();
  }
  Fn *f = fn_new(e, FN_CLOSURE, i->layer->name);
  f->ast = i->call;
  f->scope = i->scope;
  f->self = i;
  Where outside = make_within(e, MAKE_IN_CALL);
  Value v = call_fn(e, f, a, at);
  e->here = outside;
  return v;
}

/* ---- members ---- */
static void no_member(Elab *e, const Ast *at, const Value *base, Sym name, const char *const *names, uint32_t n) {
  Diag *g = elab_error(e, at, E_NO_MEMBER, value_kind_text(e, base), name);
  const char *near = nearest(name, names, n);
  bool tensor = base->kind == V_NODE || base->kind == V_CELL || base->kind == V_INT;
  const char *x = at->kind == A_MEMBER && at->kid[0]->span.end - at->kid[0]->span.first <= 28 ? ast_text(e, at->kid[0])
                  : tensor                                                                 ? "x"
                                                                                           : "net";
  const char *ours = near || base->kind == V_RECORD ? NULL : foreign_member(e->a, x, name);
  if (near || ours) {
    if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
    else diag_hint(e->d, g, "%s", ours);
    return;
  }
  if (tensor && scope_find(e, e->here.scope, name)) {
    diag_hint(e->d, g, "functions stand before what they take: `%s(%s)`", name, x);
    return;
  }
  Text t = {.arena = e->a};
  text_add(&t, "");
  for (uint32_t k = 0; k < n && k < 12; k++) text_printf(&t, "%s`%s`", k ? ", " : "", names[k]);
  if (n) diag_hint(e->d, g, "it has %s", t.at);
}

/* `net.0`: an element by its number, as paths are written. */
static Value numbered(Elab *e, const Value *base, Sym name, const Ast *at) {
  const Items *items = base->kind == V_FN ? base->fn->captured : base->items;
  unsigned long k = strtoul(name, NULL, 10);
  if (k < items->n) return items->at[k];
  elab_error(e, at, E_PATH_RANGE, name, value_kind_text(e, base), (int)items->n);
  return v_bad();
}

Value member(Elab *e, Value base, Sym name, const Ast *at) {
  const char **names;
  bool number = name[0] >= '0' && name[0] <= '9';
  if (number && (base.kind == V_TUPLE || base.kind == V_LIST || is_chain(&base))) return numbered(e, &base, name, at);
  switch (base.kind) {
  case V_BAD: return base;
  case V_RECORD:
    for (uint32_t k = 0; k < base.fields->n; k++)
      if (base.fields->name[k] == name) return base.fields->at[k];
    no_member(e, at, &base, name, (const char *const *)base.fields->name, base.fields->n);
    return v_bad();
  case V_INSTANCE:
    for (uint32_t k = 0; k < base.instance->n; k++)
      if (base.instance->field[k].name == name) return base.instance->field[k].value;
    names = NEW_N(e->a, const char *, base.instance->n + 1);
    for (uint32_t k = 0; k < base.instance->n; k++) names[k] = base.instance->field[k].name;
    no_member(e, at, &base, name, names, base.instance->n);
    return v_bad();
  case V_OPTIMIZER: return optimizer_method(e, base.optimizer, name, at);
  case V_MODULE: return module_member(e, base.module, name, at);
  case V_SERIES: return series_member(e, base.series, name, at);
  default: {
    if (number) {
      Diag *g = elab_error(e, at, E_NO_MEMBER, value_kind_text(e, &base), name);
      diag_hint(e->d, g, "an element is `x[%s]`", name);
      return v_bad();
    }
    no_member(e, at, &base, name, NULL, 0);
    return v_bad();
  }
  }
}
