/* layer: instances of layers, and trees: anything made of parameters and tensors, leaf by leaf.
 *
 * An instance computed from another (`net - 0.1 * g`) is the same layers with other leaves: its scope stands before the original's, so its
 * functions see its own leaves.
 */
#include "elab/elab.h"
#include "text/foreign.h"
#include <stdlib.h>
#include <string.h>

/* ---- walking trees ---- */
static bool is_leaf(const Value *v) { return v->kind == V_CELL || v->kind == V_NODE; }
static bool is_chain(const Value *v) { return v->kind == V_FN && v->fn->kind == FN_CHAIN && !v->fn->partial; }

bool is_tree(const Value *v) {
  if (v->kind == V_INSTANCE || is_chain(v) || (v->kind == V_OPTIMIZER && v->optimizer->tied)) return true;
  const Value *at;
  uint32_t n;
  if (v->kind == V_TUPLE || v->kind == V_LIST) at = v->items->at, n = v->items->n;
  else if (v->kind == V_RECORD) at = v->fields->at, n = v->fields->n;
  else return false;
  for (uint32_t k = 0; k < n; k++)
    if (!is_leaf(&at[k]) && !is_tree(&at[k])) return false;
  return n > 0;
}

static FieldRole role_of(const Value *v, FieldRole given) {
  if (v->kind == V_CELL) return v->cell->role == CELL_STATE ? FIELD_STATE : FIELD_PARAM;
  return given;
}
static bool chosen(FieldRole role, int which) {
  return (role == FIELD_PARAM && which & LEAF_PARAM) || (role == FIELD_STATE && which & LEAF_STATE);
}

static const char *join(Elab *e, const char *path, const char *name) {
  return path[0] ? arena_printf(e->a, "%s.%s", path, name) : name;
}

static void leaves(Elab *e, Value v, FieldRole role, int which, const char *path, Leaves *out) {
  if (is_leaf(&v)) {
    role = role_of(&v, role);
    if (!chosen(role, which)) return;
    for (uint32_t k = 0; v.kind == V_CELL && k < out->n; k++)
      if (out->at[k].value.kind == V_CELL && out->at[k].value.cell == v.cell) return;
    vec_push(e->a, out, (Leaf){v, path, role});
    return;
  }
  switch (v.kind) {
  case V_TUPLE: case V_LIST:
    for (uint32_t k = 0; k < v.items->n; k++)
      leaves(e, v.items->at[k], role, which, join(e, path, arena_printf(e->a, "%u", k)), out);
    break;
  case V_RECORD:
    for (uint32_t k = 0; k < v.fields->n; k++)
      leaves(e, v.fields->at[k], role, which, join(e, path, v.fields->name[k]), out);
    break;
  case V_FN:
    if (!is_chain(&v)) break;
    for (uint32_t k = 0; k < v.fn->captured->n; k++)
      leaves(e, v.fn->captured->at[k], FIELD_LET, which, join(e, path, arena_printf(e->a, "%u", k)), out);
    break;
  case V_INSTANCE:
    for (uint32_t k = 0; k < v.instance->n; k++) {
      const Field *f = &v.instance->field[k];
      if (f->role == FIELD_ARG || f->role == FIELD_FN) continue;
      if (f->role == FIELD_LET && is_leaf(&f->value)) continue;
      leaves(e, f->value, f->role, which, join(e, path, f->name), out);
    }
    break;
  case V_OPTIMIZER:
    if (!v.optimizer->tied || !(which & LEAF_STATE)) break;
    leaves(e, v.optimizer->t, FIELD_STATE, which, join(e, path, "t"), out);
    for (uint32_t k = 0; k < v.optimizer->n_leaf; k++)
      for (uint32_t j = 0; j < v.optimizer->n_state; j++) {
        const char *of = join(e, path, v.optimizer->state_name[j]), *leaf = v.optimizer->leaf_path[k];
        leaves(e, v.optimizer->state[k * v.optimizer->n_state + j], FIELD_STATE, which,
               leaf[0] ? join(e, of, leaf) : of, out);
      }
    break;
  case V_INT:
    if (which & LEAF_NUMBER && chosen(role, which)) vec_push(e->a, out, (Leaf){v, path, role});
    break;
  default: break;
  }
}

void tree_leaves(Elab *e, Value v, int which, Leaves *out) { leaves(e, v, FIELD_PARAM, which, "", out); }

static bool any_has_cells(const Value *at, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (tree_has_cells(at[k])) return true;
  return false;
}

/* Whether a leaf is a cell; asked of each value that changes hands, so without names of leaves. */
bool tree_has_cells(Value v) {
  switch (v.kind) {
  case V_CELL: return true;
  case V_TUPLE: case V_LIST: return any_has_cells(v.items->at, v.items->n);
  case V_RECORD: return any_has_cells(v.fields->at, v.fields->n);
  case V_FN: return is_chain(&v) && any_has_cells(v.fn->captured->at, v.fn->captured->n);
  case V_INSTANCE:
    for (uint32_t k = 0; k < v.instance->n; k++) {
      const Field *f = &v.instance->field[k];
      if (f->role == FIELD_ARG || f->role == FIELD_FN || (f->role == FIELD_LET && is_leaf(&f->value))) continue;
      if (tree_has_cells(f->value)) return true;
    }
    return false;
  case V_OPTIMIZER:
    return v.optimizer->tied && (tree_has_cells(v.optimizer->t) ||
                                 any_has_cells(v.optimizer->state, v.optimizer->n_leaf * v.optimizer->n_state));
  default: return false;
  }
}

/* The same layers with these fields. */
static Instance *instance_with(Elab *e, const Instance *i, const Value *value) {
  Instance *y = NEW(e->a, Instance);
  *y = *i;
  y->field = arena_copy(e->a, i->field, i->n * sizeof *i->field);
  y->scope = scope_new(e, i->scope);
  for (uint32_t k = 0; k < y->n; k++) {
    Field *f = &y->field[k];
    if (f->role == FIELD_FN) {
      Fn *fn = NEW(e->a, Fn);
      *fn = *f->value.fn;
      fn->scope = y->scope;
      fn->self = y;
      f->value = v_fn(fn);
    } else f->value = value[k];
    if (f->role != FIELD_ARG) scope_put(e, y->scope, f->name, f->value, NULL);
  }
  return y;
}

typedef Value (*MapTwo)(Elab *, void *, Value, Value);
typedef struct Done { Value a, b, result; } Done;
typedef struct Map {
  Elab *e;
  int which;
  VEC(Done) done;             /* a leaf reached by two paths is one leaf: its result is made once */
  bool inside;                /* an instance: equal nodes there are one leaf; elsewhere they only are equal */
  Value (*one)(Elab *, void *, Value);
  MapTwo two;
  void *ctx;
  const Ast *at;
} Map;

/* What two trees may differ in: the names of a record, the length of a list or chain, the layer of an instance. */
static const char *form_text(Elab *e, const Value *v) {
  if (v->kind == V_TUPLE || v->kind == V_LIST)
    return arena_printf(e->a, "a %s of %u", v->kind == V_LIST ? "list" : "tuple", v->items->n);
  if (is_chain(v)) return arena_printf(e->a, "a chain of %u functions", v->fn->captured->n);
  if (v->kind != V_RECORD) return value_kind_text(e, v);
  const char *names = "";
  for (uint32_t k = 0; k < v->fields->n && k < 8; k++)
    names = arena_printf(e->a, "%s%s%s", names, k ? ", " : "", k < 7 ? v->fields->name[k] : "...");
  return arena_printf(e->a, "a record {%s}", names);
}

static Value differ(Map *m, Value a, Value b) {
  if (a.kind != V_BAD && b.kind != V_BAD) {
    Diag *g = elab_error(m->e, m->at, E_TREES_DIFFER, form_text(m->e, &a), form_text(m->e, &b));
    if (m->at->kind == A_ASSIGN) diag_hint(m->e->d, g, "a `var` keeps its form: as many values, of the same names");
  }
  return v_bad();
}

static bool same_leaf(const Value *a, const Value *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == V_CELL) return a->cell == b->cell;
  return a->kind == V_NODE && a->node == b->node && a->stretch == b->stretch;
}

static Value map_leaf(Map *m, Value a, const Value *b) {
  Elab *e = m->e;
  bool one = a.kind == V_CELL || (a.kind == V_NODE && m->inside);
  for (uint32_t k = one ? m->done.n : 0; k-- > 0;)
    if (same_leaf(&m->done.at[k].a, &a) && (!b || a.kind == V_CELL || same_leaf(&m->done.at[k].b, b)))
      return m->done.at[k].result;
  Value v = b ? m->two(e, m->ctx, a, *b) : m->one(e, m->ctx, a);
  if (one) vec_push(e->a, &m->done, (Done){a, b ? *b : v_unit(), v});
  return v;
}

static Value map(Map *m, Value a, const Value *b, FieldRole role) {
  Elab *e = m->e;
  if (is_leaf(&a)) {
    role = role_of(&a, role);
    if (!chosen(role, m->which)) return a;
    if (b && b->kind != V_INT && !is_leaf(b)) return differ(m, a, *b);
    return map_leaf(m, a, b);
  }
  bool bad = false;
  switch (a.kind) {
  case V_INT: case V_BOOL:
    if (role == FIELD_PARAM && b) return m->two(e, m->ctx, a, *b);
    return m->which & LEAF_NUMBER && a.kind == V_INT && chosen(role, m->which) ? m->one(e, m->ctx, a) : a;
  case V_TUPLE: case V_LIST: {
    if (b && ((b->kind != V_TUPLE && b->kind != V_LIST) || b->items->n != a.items->n)) return differ(m, a, *b);
    Value y = v_items(e->a, a.kind, a.items->at, a.items->n);
    for (uint32_t k = 0; k < a.items->n; k++) {
      y.items->at[k] = map(m, a.items->at[k], b ? &b->items->at[k] : NULL, role);
      bad |= y.items->at[k].kind == V_BAD;
    }
    return bad ? v_bad() : y;
  }
  case V_RECORD: {
    if (b && (b->kind != V_RECORD || b->fields->n != a.fields->n)) return differ(m, a, *b);
    Fields *f = NEW(e->a, Fields);
    *f = *a.fields;
    f->at = NEW_N(e->a, Value, f->n + 1);
    for (uint32_t k = 0; k < f->n; k++) {
      if (b && b->fields->name[k] != f->name[k]) return differ(m, a, *b);
      f->at[k] = map(m, a.fields->at[k], b ? &b->fields->at[k] : NULL, role);
      bad |= f->at[k].kind == V_BAD;
    }
    return bad ? v_bad() : (Value){.kind = V_RECORD, .fields = f};
  }
  case V_FN: {
    if (!is_chain(&a)) return a;
    if (b && (!is_chain(b) || b->fn->captured->n != a.fn->captured->n)) return differ(m, a, *b);
    Fn *f = NEW(e->a, Fn);
    *f = *a.fn;
    f->captured = v_items(e->a, V_TUPLE, a.fn->captured->at, a.fn->captured->n).items;
    bool outside = !m->inside;
    m->inside = true;
    for (uint32_t k = 0; k < f->captured->n; k++) {
      f->captured->at[k] = map(m, a.fn->captured->at[k], b ? &b->fn->captured->at[k] : NULL, FIELD_LET);
      bad |= f->captured->at[k].kind == V_BAD;
    }
    m->inside = !outside;
    return bad ? v_bad() : v_fn(f);
  }
  case V_INSTANCE: {
    const Instance *i = a.instance;
    if (b && (b->kind != V_INSTANCE || b->instance->n != i->n || b->instance->layer != i->layer))
      return differ(m, a, *b);
    Value *v = NEW_N(e->a, Value, i->n + 1);
    bool outside = !m->inside;
    m->inside = true;
    for (uint32_t k = 0; k < i->n; k++) {
      const Field *f = &i->field[k];
      v[k] = f->value;
      if (f->role == FIELD_ARG || f->role == FIELD_FN || (f->role == FIELD_LET && is_leaf(&f->value))) continue;
      v[k] = map(m, f->value, b ? &b->instance->field[k].value : NULL, f->role);
      bad |= v[k].kind == V_BAD;
    }
    m->inside = !outside;
    return bad ? v_bad() : (Value){.kind = V_INSTANCE, .instance = instance_with(e, i, v)};
  }
  case V_OPTIMIZER: {
    const Optimizer *o = a.optimizer;
    if (!o->tied || !(m->which & LEAF_STATE)) return a;
    const Optimizer *p = b && b->kind == V_OPTIMIZER ? b->optimizer : NULL;
    uint32_t n = o->n_leaf * o->n_state;
    if (b && (!p || p->rule != o->rule || p->n_leaf * p->n_state != n)) return differ(m, a, *b);
    Optimizer *y = NEW(e->a, Optimizer);
    *y = *o;
    y->t = map(m, o->t, p ? &p->t : NULL, FIELD_STATE);
    y->state = NEW_N(e->a, Value, n + 1);
    for (uint32_t k = 0; k < n; k++) {
      y->state[k] = map(m, o->state[k], p ? &p->state[k] : NULL, FIELD_STATE);
      bad |= y->state[k].kind == V_BAD;
    }
    return bad ? v_bad() : (Value){.kind = V_OPTIMIZER, .optimizer = y};
  }
  default: return a;
  }
}

Value tree_map(Elab *e, Value v, int which, Value (*f)(Elab *, void *, Value leaf), void *ctx) {
  Map m = {.e = e, .which = which, .one = f, .ctx = ctx};
  return map(&m, v, NULL, FIELD_PARAM);
}

Value tree_map2(Elab *e, Value a, Value b, int which, Value (*f)(Elab *, void *, Value, Value), void *ctx,
                const Ast *at) {
  Map m = {.e = e, .which = which, .two = f, .ctx = ctx, .at = at};
  return map(&m, a, &b, FIELD_PARAM);
}

static Value decay_leaf(Elab *e, void *ctx, Value leaf) {
  (void)ctx;
  return value_decay(e, leaf);
}
Value copy_values(Elab *e, Value v) { return tree_map(e, v, LEAF_PARAM | LEAF_STATE, decay_leaf, NULL); }

static Value cell_leaf(Elab *e, void *ctx, Value leaf) {
  bool state = leaf.kind == V_CELL && leaf.cell->role == CELL_STATE;
  return cells_from(e, value_decay(e, leaf), state ? CELL_STATE : CELL_VAR, NULL, ctx);
}
Value cells_of_instance(Elab *e, Value v, const char *path, const Ast *at) {
  v = tree_map(e, v, LEAF_PARAM | LEAF_STATE, cell_leaf, (void *)(uintptr_t)at);
  if (v.kind != V_BAD && path) tree_paths(e, v, path);
  return v;
}

void tree_paths(Elab *e, Value v, const char *path) {
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_STATE, &l);
  for (uint32_t k = 0; k < l.n; k++) {
    if (l.at[k].value.kind != V_CELL || l.at[k].value.cell->path) continue;
    Cell *c = l.at[k].value.cell;
    c->path = l.at[k].path[0] ? arena_printf(e->a, "%s.%s", path, l.at[k].path) : path;
    e->p->slot.at[c->slot].path = c->path;
  }
}

/* ---- instances ---- */
MakeRule make_within(Elab *e, MakeRule rule) {
  MakeRule was = e->make;
  if (was < rule) e->make = rule;
  return was;
}

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

/* A layer that is handed to a layer belongs to it like one that it made, unless a `let` of its body names it already. */
static void adopt_arguments(Elab *e, Instance *i) {
  Leaves own = {0};
  for (uint32_t k = 0; k < i->n; k++)
    if (i->field[k].role == FIELD_LET && is_tree(&i->field[k].value))
      leaves(e, i->field[k].value, FIELD_LET, LEAF_PARAM | LEAF_STATE, "", &own);
  for (uint32_t k = 0; k < i->n; k++) {
    Field *f = &i->field[k];
    Leaves given = {0};
    if (f->role != FIELD_ARG || !is_tree(&f->value)) continue;
    leaves(e, f->value, FIELD_LET, LEAF_PARAM | LEAF_STATE, "", &given);
    for (uint32_t j = 0; j < given.n && f->role == FIELD_ARG; j++) {
      bool named = given.at[j].value.kind != V_CELL;
      for (uint32_t m = 0; m < own.n && !named; m++)
        named = own.at[m].value.kind == V_CELL && own.at[m].value.cell == given.at[j].value.cell;
      if (!named) f->role = FIELD_LET;
    }
  }
}

Value make_instance(Elab *e, const Fn *layer, Args *a, const Ast *at) {
  if (e->make > MAKE_IN_BODY) {
    Diag *g = elab_error(e, at, E_LAYER_IN_CALL, layer->name, make_place(e->make));
    diag_hint(e->d, g, "make it with `let` in the body of the layer or at the top, and call it here");
    return v_bad();
  }
  if (e->depth >= MOST_CALLS) {
    Diag *g = elab_error(e, at, E_CALL_DEPTH, MOST_CALLS);
    diag_hint(e->d, g, "a layer may hold one of its own kind only if known conditions end it");
    return v_bad();
  }
  const Ast *ast = layer->ast, *params = ast->kid[0], *body = ast->kid[1];
  PlaceMark m = place_enter(e, layer->name);
  Instance *i = NEW(e->a, Instance);
  i->layer = layer;
  i->made = elab_loc(e, at);
  i->scope = scope_new(e, layer->scope);
  DType unmarked = N_DTYPES;
  Scope *saved_scope = e->scope;
  CallFrame frame = {.outer = e->frame, .fn = layer, .self = i}, *saved_frame = e->frame;
  Loc saved_caller = e->caller;
  MakeRule saved_make = e->make;
  bool ok = bind_params(e, layer, params, a, i->scope, false, &unmarked, at);
  if (ok) {
    uint32_t n_args = i->scope->bound.n, errors = e->d->n_errors;
    e->caller = i->made;
    e->scope = i->scope;
    e->frame = &frame;
    e->make = MAKE_IN_BODY;
    e->depth++;
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
    e->depth--;
    ok = e->d->n_errors == errors;
    if (ok) adopt_arguments(e, i);
  }
  e->make = saved_make;
  e->frame = saved_frame;
  e->scope = saved_scope;
  e->caller = saved_caller;
  place_leave(e, m);
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
  MakeRule saved = make_within(e, MAKE_IN_CALL);
  Value v = call_fn(e, f, a, at);
  e->make = saved;
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
  if (tensor && scope_find(e, e->scope, name)) {
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
