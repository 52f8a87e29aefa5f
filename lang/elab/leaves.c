/* leaves: trees: anything made of parameters and tensors, walked leaf by leaf. In: values. Out: their leaves with
 * paths, or trees of the same form with other leaves.
 *
 * An instance computed from another (`net - 0.1 * g`) is the same layers with other leaves: its scope stands before the
 * original's, so its functions see its own leaves.
 */
#include "elab/leaves.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/mark.h"
#include "elab/names.h"
#include "elab/show.h"
#include "elab/stmt.h"
static bool is_leaf(const Value *v) { return v->kind == V_CELL || v->kind == V_NODE; }
bool is_chain(const Value *v) { return v->kind == V_FN && v->fn->kind == FN_CHAIN && !v->fn->partial; }

bool is_tree(Elab *e, const Value *v) {
  host_deeper(&e->s->host);
  if (v->kind == V_INSTANCE || is_chain(v) || (v->kind == V_OPTIMIZER && v->optimizer->tied)) return true;
  const Value *at;
  uint32_t n;
  if (v->kind == V_TUPLE || v->kind == V_LIST) at = v->items->at, n = v->items->n;
  else if (v->kind == V_RECORD) at = v->fields->at, n = v->fields->n;
  else return false;
  for (uint32_t k = 0; k < n; k++)
    if (!is_leaf(&at[k]) && !is_tree(e, &at[k])) return false;
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
  host_deeper(&e->s->host);
  host_go_on(&e->s->host);
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
void tree_cells(Elab *e, Value v, Leaves *out) { leaves(e, v, FIELD_LET, LEAF_PARAM | LEAF_STATE, "", out); }

static bool any_has_cells(Elab *e, const Value *at, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (tree_has_cells(e, at[k])) return true;
  return false;
}

/* Whether a leaf is a cell; asked of each value that changes hands, so without names of leaves. */
bool tree_has_cells(Elab *e, Value v) {
  host_deeper(&e->s->host);
  switch (v.kind) {
  case V_CELL: return true;
  case V_TUPLE: case V_LIST: return any_has_cells(e, v.items->at, v.items->n);
  case V_RECORD: return any_has_cells(e, v.fields->at, v.fields->n);
  case V_FN: return is_chain(&v) && any_has_cells(e, v.fn->captured->at, v.fn->captured->n);
  case V_INSTANCE:
    for (uint32_t k = 0; k < v.instance->n; k++) {
      const Field *f = &v.instance->field[k];
      if (f->role == FIELD_ARG || f->role == FIELD_FN || (f->role == FIELD_LET && is_leaf(&f->value))) continue;
      if (tree_has_cells(e, f->value)) return true;
    }
    return false;
  case V_OPTIMIZER:
    return v.optimizer->tied && (tree_has_cells(e, v.optimizer->t) ||
                                 any_has_cells(e, v.optimizer->state, v.optimizer->n_leaf * v.optimizer->n_state));
  default: return false;
  }
}

Instance *instance_with(Elab *e, const Instance *i, const Value *value) {
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
const char *tree_form_text(Elab *e, const Value *v) {
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
    Diag *g = elab_error(m->e, m->at, E_TREES_DIFFER, tree_form_text(m->e, &a), tree_form_text(m->e, &b));
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

static Value map(Map *m, Value a, const Value *b, FieldRole role);

static Value map_items(Map *m, Value a, const Value *b, FieldRole role) {
  if (b && ((b->kind != V_TUPLE && b->kind != V_LIST) || b->items->n != a.items->n)) return differ(m, a, *b);
  Value y = v_items(m->e->a, a.kind, a.items->at, a.items->n);
  bool bad = false;
  for (uint32_t k = 0; k < a.items->n; k++) {
    y.items->at[k] = map(m, a.items->at[k], b ? &b->items->at[k] : NULL, role);
    bad |= y.items->at[k].kind == V_BAD;
  }
  return bad ? v_bad() : y;
}

static Value map_fields(Map *m, Value a, const Value *b, FieldRole role) {
  if (b && (b->kind != V_RECORD || b->fields->n != a.fields->n)) return differ(m, a, *b);
  Fields *f = arena_copy(m->e->a, a.fields, sizeof *f);
  bool bad = false;
  f->at = NEW_N(m->e->a, Value, f->n + 1);
  for (uint32_t k = 0; k < f->n; k++) {
    if (b && b->fields->name[k] != f->name[k]) return differ(m, a, *b);
    f->at[k] = map(m, a.fields->at[k], b ? &b->fields->at[k] : NULL, role);
    bad |= f->at[k].kind == V_BAD;
  }
  return bad ? v_bad() : (Value){.kind = V_RECORD, .fields = f};
}

static Value map_chain(Map *m, Value a, const Value *b) {
  if (!is_chain(&a)) return a;
  if (b && (!is_chain(b) || b->fn->captured->n != a.fn->captured->n)) return differ(m, a, *b);
  Fn *f = arena_copy(m->e->a, a.fn, sizeof *f);
  f->captured = v_items(m->e->a, V_TUPLE, a.fn->captured->at, a.fn->captured->n).items;
  bool outside = !m->inside, bad = false;
  m->inside = true;
  for (uint32_t k = 0; k < f->captured->n; k++) {
    f->captured->at[k] = map(m, a.fn->captured->at[k], b ? &b->fn->captured->at[k] : NULL, FIELD_LET);
    bad |= f->captured->at[k].kind == V_BAD;
  }
  m->inside = !outside;
  return bad ? v_bad() : v_fn(f);
}

static Value map_instance(Map *m, Value a, const Value *b) {
  const Instance *i = a.instance;
  if (b && (b->kind != V_INSTANCE || b->instance->n != i->n || b->instance->layer != i->layer))
    return differ(m, a, *b);
  Value *v = NEW_N(m->e->a, Value, i->n + 1);
  bool outside = !m->inside, bad = false;
  m->inside = true;
  for (uint32_t k = 0; k < i->n; k++) {
    const Field *f = &i->field[k];
    v[k] = f->value;
    if (f->role == FIELD_ARG || f->role == FIELD_FN || (f->role == FIELD_LET && is_leaf(&f->value))) continue;
    v[k] = map(m, f->value, b ? &b->instance->field[k].value : NULL, f->role);
    bad |= v[k].kind == V_BAD;
  }
  m->inside = !outside;
  return bad ? v_bad() : (Value){.kind = V_INSTANCE, .instance = instance_with(m->e, i, v)};
}

static Value map_optimizer(Map *m, Value a, const Value *b) {
  const Optimizer *o = a.optimizer, *p = b && b->kind == V_OPTIMIZER ? b->optimizer : NULL;
  if (!o->tied || !(m->which & LEAF_STATE)) return a;
  uint32_t n = o->n_leaf * o->n_state;
  if (b && (!p || p->rule != o->rule || p->n_leaf * p->n_state != n)) return differ(m, a, *b);
  Optimizer *y = arena_copy(m->e->a, o, sizeof *y);
  bool bad = false;
  y->t = map(m, o->t, p ? &p->t : NULL, FIELD_STATE);
  y->state = NEW_N(m->e->a, Value, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    y->state[k] = map(m, o->state[k], p ? &p->state[k] : NULL, FIELD_STATE);
    bad |= y->state[k].kind == V_BAD;
  }
  return bad ? v_bad() : (Value){.kind = V_OPTIMIZER, .optimizer = y};
}

static Value map(Map *m, Value a, const Value *b, FieldRole role) {
  host_deeper(&m->e->s->host);
  if (is_leaf(&a)) {
    role = role_of(&a, role);
    if (!chosen(role, m->which)) return a;
    if (b && b->kind != V_INT && !is_leaf(b)) return differ(m, a, *b);
    return map_leaf(m, a, b);
  }
  switch (a.kind) {
  case V_INT: case V_BOOL:
    if (role == FIELD_PARAM && b) return m->two(m->e, m->ctx, a, *b);
    return m->which & LEAF_NUMBER && a.kind == V_INT && chosen(role, m->which) ? m->one(m->e, m->ctx, a) : a;
  case V_TUPLE: case V_LIST: return map_items(m, a, b, role);
  case V_RECORD: return map_fields(m, a, b, role);
  case V_FN: return map_chain(m, a, b);
  case V_INSTANCE: return map_instance(m, a, b);
  case V_OPTIMIZER: return map_optimizer(m, a, b);
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
    cell_change(e, c)->path = l.at[k].path[0] ? arena_printf(e->a, "%s.%s", path, l.at[k].path) : path;
    arena_change(e->a, &e->p->slot.at[c->slot].path, sizeof c->path);
    e->p->slot.at[c->slot].path = c->path;
  }
}
