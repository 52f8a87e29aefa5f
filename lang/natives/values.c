/* values: what the standard library asks about values: is it known, what is it called, of which tensors is it made;
 * and it makes records of names that are known. In: any value. Out: known answers, lists, records.
 */
#include "elab/args.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/layer.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/mark.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include <string.h>

/* A known scalar zero: what makes a term of a formula vanish. Of the run: false, whatever it will be. */
static Value n_known_zero(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = a[0].value;
  if (v.kind == V_INT) return v_bool(v.i == 0);
  if (v.kind != V_NODE || !(graph_at(e->g, v.node)->flags & NODE_KNOWN) || node_type(e, v.node)->rank)
    return v_bool(false);
  const Tensor *t = graph_known(e->g, v.node);
  return v_bool(t && tensor_get(t, 0) == 0);
}

/* Without computing it: of a formula of cells, draws, files, false. */
static Value n_is_known(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = a[0].value;
  return v_bool(v.kind != V_CELL && (v.kind != V_NODE || graph_at(e->g, v.node)->flags & NODE_KNOWN));
}

static Value n_leaves(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = a[0].value;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_NUMBER, &l);
  if (l.n == 0 && !is_tree(e, &v)) {
    elab_error(e, a[0].at, E_WANTED, "a tree of tensors", value_kind_text(e, &v));
    return v_bad();
  }
  Value *x = NEW_N(e->a, Value, l.n + 1);
  for (uint32_t k = 0; k < l.n; k++) {
    NodeId n = want_node(e, value_decay(e, l.at[k].value), a[0].at, "a leaf");
    if (n == NO_NODE) return v_bad();
    x[k] = v_node(n);
  }
  return v_items(e->a, V_LIST, x, l.n);
}

typedef struct LeafCall { Value f; const Ast *at; } LeafCall;
static Value call_leaf(Elab *e, void *ctx, Value leaf) {
  const LeafCall *c = ctx;
  return call1(e, c->f, value_decay(e, leaf), c->at);
}

/* Unlike `map` of a tensor, which would be of its rows: a tensor is a tree of one leaf. */
static Value n_map_leaves(Elab *e, const Arg *a, const Ast *at) {
  Value v = a[1].value;
  LeafCall c = {a[0].value, at};
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_NUMBER, &l);
  if (l.n) return tree_map(e, v, LEAF_PARAM | LEAF_NUMBER, call_leaf, &c);
  elab_error(e, a[1].at, E_WANTED, "a tree of tensors", value_kind_text(e, &v));
  return v_bad();
}

static Value n_named_leaves(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = a[0].value;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM, &l);
  Value *pair = NEW_N(e->a, Value, l.n + 1);
  for (uint32_t k = 0; k < l.n; k++) {
    const Leaf *leaf = &l.at[k];
    const char *path = leaf->path[0]                                          ? leaf->path
                       : leaf->value.kind == V_CELL && leaf->value.cell->path ? leaf->value.cell->path
                                                                              : "";
    Value two[2] = {v_string(e->a, path, strlen(path)), value_decay(e, leaf->value)};
    pair[k] = v_items(e->a, V_TUPLE, two, 2);
  }
  if (l.n) return v_items(e->a, V_LIST, pair, l.n);
  elab_error(e, a[0].at, E_WANTED, "a tree of tensors", value_kind_text(e, &v));
  return v_bad();
}

typedef struct Given { const Value *at; uint32_t n, next; } Given;
static Value given_leaf(Elab *e, void *ctx, Value leaf) {
  Given *g = ctx;
  (void)e;
  return g->next < g->n ? g->at[g->next++] : leaf;
}

static Value n_with_leaves(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value tree = a[0].value;
  const Value *list = &a[1].value;
  Leaves l = {0};
  tree_leaves(e, tree, LEAF_PARAM | LEAF_NUMBER, &l);
  uint32_t n = list->kind == V_LIST || list->kind == V_TUPLE ? list->items->n : 0;
  if (n == 0 || n != l.n) {
    elab_error(e, a[1].at, E_WANTED, arena_printf(e->a, "a list of %u tensors", l.n), value_kind_text(e, list));
    return v_bad();
  }
  if (tree.kind == V_NODE || tree.kind == V_CELL || tree.kind == V_INT) return list->items->at[0];
  Given g = {list->items->at, n, 0};
  return tree_map(e, tree, LEAF_PARAM | LEAF_NUMBER, given_leaf, &g);
}

/* ---- clone ---- */
static bool has_optimizer(const Value *v) {
  const Value *at = v->kind == V_RECORD ? v->fields->at : v->kind == V_TUPLE || v->kind == V_LIST ? v->items->at : NULL;
  uint32_t n = !at ? 0 : v->kind == V_RECORD ? v->fields->n : v->items->n;
  for (uint32_t k = 0; k < n; k++)
    if (has_optimizer(&at[k])) return true;
  return v->kind == V_OPTIMIZER;
}

typedef struct CloneCall { int role; const Ast *at; } CloneCall;
static Value clone_leaf(Elab *e, void *ctx, Value leaf) {
  const CloneCall *c = ctx;
  Loc loc = elab_loc(e, c->at);
  leaf = value_decay(e, leaf);
  if (leaf.kind != V_NODE) return leaf;
  NodeId n = c->role == CELL_PARAM ? want_float(e, leaf, c->at, "a parameter's first value") : leaf.node;
  if ((n = settle(e, n)) == NO_NODE) return v_bad();
  Cell *made = cell_new(e, c->role, node_type(e, n), NULL, loc);
  cell_assign(e, made, n, loc);
  return (Value){.kind = V_CELL, .cell = made};
}

/* The same layers with parameters and states of their own, which begin with the present values. */
static Value n_clone(Elab *e, const Arg *a, const Ast *at) {
  Value v = a[0].value;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_STATE, &l);
  bool lone = v.kind == V_CELL || v.kind == V_NODE;
  if (l.n == 0 || lone || has_optimizer(&v)) {
    Diag *g = elab_error(e, a[0].at, E_WANTED, "a net to clone", value_kind_text(e, &v));
    if (g && lone) diag_hint(e->d, g, "a cell of its own is `var v = ...`");
    else if (g && l.n) diag_hint(e->d, g, "an optimizer is tied to its net: tie a new one to the clone");
    return v_bad();
  }
  if (e->here.make > MAKE_IN_BODY) {
    Diag *g = elab_error(e, at, E_LAYER_IN_CALL, "clone(...)", make_place(e->here.make));
    diag_hint(e->d, g, "clone it with `let` at the top or in a `proc`, and use the clone here");
    return v_bad();
  }
  CloneCall param = {CELL_PARAM, at}, state = {CELL_STATE, at};
  v = tree_map(e, v, LEAF_PARAM, clone_leaf, &param);
  return v.kind == V_BAD ? v : tree_map(e, v, LEAF_STATE, clone_leaf, &state);
}

/* From here on in the text no optimizer moves these parameters, or moves them again. Where the run decides whether this
 * place is reached, that could not be known. */
static Value set_frozen(Elab *e, const char *name, bool frozen, const Arg *a, const Ast *at) {
  Value v = a[0].value;
  if (!step_here(e, at, arena_printf(e->a, "`%s`", name))) return v_bad();
  for (const Region *r = e->here.region; r; r = r->outer)
    if (r->kind == REGION_LOOP || r->kind == REGION_BRANCH) {
      Diag *g = elab_error(e, at, E_FREEZE_HERE, name);
      if (g) diag_hint(e->d, g, "write it before the loop; to train in turns, tie an optimizer to each part");
      return v_bad();
    }
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM, &l);
  uint32_t cells = 0;
  for (uint32_t k = 0; k < l.n; k++) {
    if (l.at[k].value.kind != V_CELL) continue;
    cell_change(e, l.at[k].value.cell)->frozen = frozen;
    cells++;
  }
  if (cells) return v_unit();
  elab_error(e, a[0].at, E_WANTED, "a tree of parameters", value_kind_text(e, &v));
  return v_bad();
}

static Value n_freeze(Elab *e, const Arg *a, const Ast *at) {
  return set_frozen(e, "freeze", true, a, at);
}

static Value n_unfreeze(Elab *e, const Arg *a, const Ast *at) {
  return set_frozen(e, "unfreeze", false, a, at);
}

static Value n_name_of(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const Value *v = &a[0].value;
  const char *name = v->kind == V_FN         ? v->fn->name
                     : v->kind == V_INSTANCE ? v->instance->layer->name
                                             : NULL;
  if (v->kind != V_FN && v->kind != V_INSTANCE) {
    elab_error(e, a[0].at, E_WANTED, "a function", value_kind_text(e, v));
    return v_bad();
  }
  if (!name) name = "";
  return v_string(e->a, name, strlen(name));
}

/* The elements of a list; a tensor's are its rows, because a bracket of numbers is one. */
static bool list_of(Elab *e, const Value *v, const Ast *at, uint32_t *n, Value **out) {
  if (v->kind == V_BAD) return false;
  if (v->kind == V_LIST || v->kind == V_TUPLE) {
    *n = v->items->n;
    *out = v->items->at;
    return true;
  }
  if (v->kind != V_NODE || node_type(e, v->node)->rank == 0 || node_type(e, v->node)->dim[0] > 4096) {
    elab_error(e, at, E_WANTED, "a list", value_kind_text(e, v));
    return false;
  }
  const Type t = *node_type(e, v->node);
  *n = (uint32_t)t.dim[0];
  *out = NEW_N(e->a, Value, *n + 1);
  for (uint32_t k = 0; k < *n; k++) {
    NodeId row = lower_rows(e, v->node, 0, k, 1, 1, at);
    row = row == NO_NODE ? row : lower_reshape(e, row, t.rank - 1, t.dim + 1, at);
    if (row == NO_NODE) return false;
    (*out)[k] = v_node(row);
  }
  return true;
}

static Value n_record_of(Elab *e, const Arg *a, const Ast *at) {
  Value v[2] = {value_decay(e, a[0].value), value_decay(e, a[1].value)}, *names, *values;
  uint32_t n, m;
  if (!list_of(e, &v[0], a[0].at, &n, &names) || !list_of(e, &v[1], a[1].at, &m, &values))
    return v_bad();
  if (n != m) {
    elab_error(e, at, E_ZIP_LENGTH, "record_of", (long long)n, (long long)m);
    return v_bad();
  }
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = n, .name = NEW_N(e->a, Sym, n + 1), .at = NEW_N(e->a, Value, n + 1)};
  for (uint32_t k = 0; k < n; k++) {
    const char *name = want_string(e, names[k], a[0].at, "the name of a field");
    if (!name) return v_bad();
    f->name[k] = sym(e->s->sources, name, strlen(name));
    for (uint32_t j = 0; j < k; j++)
      if (f->name[j] == f->name[k]) {
        elab_error(e, a[0].at, E_FIELD_TWICE, name);
        return v_bad();
      }
    f->at[k] = values[k];
  }
  return (Value){.kind = V_RECORD, .fields = f};
}

static Value n_known_number(Elab *e, const Arg *a, const Ast *at) {
  return v_node(literal(e, a[0].f, at));
}

static Value n_is_function(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  const Value *v = &a[0].value;
  return v_bool(v->kind == V_INSTANCE || (v->kind == V_FN && v->fn->kind != FN_LAYER && v->fn->kind != FN_OPTIMIZER));
}

static Value n_is_rule(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  const Value *v = &a[0].value;
  return v_bool((v->kind == V_OPTIMIZER && !v->optimizer->tied) || (v->kind == V_FN && v->fn->kind == FN_OPTIMIZER));
}

static Value n_is_record(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  return v_bool(a[0].value.kind == V_RECORD);
}

static Value n_is_string(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  return v_bool(a[0].value.kind == V_STRING || a[0].value.kind == V_TEXT);
}

static Value n_is_list(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  return v_bool(a[0].value.kind == V_LIST || a[0].value.kind == V_TUPLE);
}

static Value n_joined(Elab *e, const Arg *a, const Ast *at) {
  Fields *f = NEW(e->a, Fields);
  for (uint32_t k = 0; k < 2; k++) {
    const Value *v = &a[k].value;
    if (v->kind != V_RECORD) {
      elab_error(e, a[k].at, E_WANTED, "a record", value_kind_text(e, v));
      return v_bad();
    }
    f->n += v->fields->n;
  }
  f->name = NEW_N(e->a, Sym, f->n + 1);
  f->at = NEW_N(e->a, Value, f->n + 1);
  uint32_t n = 0;
  for (uint32_t k = 0; k < 2; k++)
    for (uint32_t j = 0; j < a[k].value.fields->n; j++) {
      Sym name = a[k].value.fields->name[j];
      for (uint32_t i = 0; i < n; i++)
        if (f->name[i] == name) {
          elab_error(e, at, E_FIELD_TWICE, name);
          return v_bad();
        }
      f->name[n] = name;
      f->at[n++] = a[k].value.fields->at[j];
    }
  return (Value){.kind = V_RECORD, .fields = f};
}

/* What a distribution is asked for: the sizes of a declared type, or of a shape. */
static Value n_dims(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return v_ints(e->a, a[0].type->dim, a[0].type->rank);
}

/* The type of a tensor as a kind. A literal's is f32. */
static Value n_kind_of(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Type t = *node_type(e, a[0].node);
  if (node_flex(e, a[0].node) && t.dtype == F64) t.dtype = F32;
  return (Value){.kind = V_TYPE, .type = graph_type(e->g, &t)};
}

static Value n_described(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const char *text = value_kind_text(e, &a[0].value);
  return v_string(e->a, text, strlen(text));
}

const Native native_values[] = {
    {"clone", "net:any", n_clone,
     "A net of the same layers with parameters and states of its own, which begin with the values of `net` now: two "
     "nets with one start.",
     NULL},
    {"dims", "kind:kind", n_dims, "The sizes of a kind, as a list: of a declared type, or of a shape, which is itself.",
     "dims([2, 3])   # => [2, 3]"},
    {"kind_of", "x", n_kind_of,
     "The shape and element type of a tensor, as a kind: what `zeros`, `full` and distributions take.",
     "ones(kind_of([1, 2]))   # => [1, 1]"},
    {"described", "x:any", n_described, "What x is, as the words of a message.",
     "described([1, 2])   # => a tensor f32[2]"},
    {"known_number", "x:float", n_known_number, "x, a number that is known while the script is checked, in 64 bits.",
     "known_number(3) / 2   # => 1.5"},
    {"is_function", "x:any", n_is_function, "Whether x can be called: a function or an instance of a layer.",
     "is_function(relu), is_function(1)   # => true false"},
    {"is_rule", "x:any", n_is_rule, "Whether x is a rule of an optimizer, or an optimizer that is not tied yet.",
     "is_rule(sgd(lr = 0.1)), is_rule(relu)   # => true false"},
    {"is_record", "x:any", n_is_record, "Whether x is a record.", "is_record({x = 1}), is_record(1)   # => true false"},
    {"is_list", "x:any", n_is_list, "Whether x is a list or a tuple.", "is_list((1, 2)), is_list(1)   # => true false"},
    {"is_string", "x:any", n_is_string, "Whether x is a string.", "is_string(\"a\"), is_string(1)   # => true false"},
    {"joined", "a:any, b:any", n_joined,
     "A record with the fields of two.", "joined({x = 1}, {y = 2})   # => {x = 1, y = 2}"},
    {"known_zero", "x:any", n_known_zero,
     "Whether x is a scalar that is known to be 0 while the script is checked; a value of the run is not.",
     "known_zero(0.0), known_zero(1)   # => true false"},
    {"is_known", "x:any", n_is_known, "Whether x is known while the script is checked; a value of the run is not.",
     "is_known(1)   # => true"},
    {"leaves", "tree:any", n_leaves,
     "The tensors of a tree as a list: an instance's parameters, in the order of their paths.",
     "leaves({a = [1, 2], b = (3.0, [4])})   # => [[1, 2], 3, [4]]"},
    {"map_leaves", "f:fn, tree:any", n_map_leaves, "f of each tensor of a tree; a tensor alone is a tree of one.",
     "map_leaves(square, {a = [1, 2], b = 3})   # => {a = [1, 4], b = 9}"},
    {"named_leaves", "tree:any", n_named_leaves, "Pairs of path and tensor for each tensor of a tree.",
     "named_leaves({a = [1, 2]})   # => [(\"a\", [1, 2])]"},
    {"with_leaves", "tree:any, leaves:any", n_with_leaves,
     "A tree like `tree` with these tensors in the place of its own, in the order of `leaves`.",
     "with_leaves({a = [1, 2], b = 3}, ([4, 5], 6))   # => {a = [4, 5], b = 6}"},
    {"freeze", "tree:any", n_freeze,
     "From here on no optimizer moves the parameters of a tree, whatever it is tied to; gradients stay as they are. A "
     "step.",
     NULL},
    {"unfreeze", "tree:any", n_unfreeze, "From here on optimizers move the parameters of a tree again. A step.", NULL},
    {"name_of", "f:any", n_name_of, "The name that a function was defined with, \"\" if it has none.",
     "name_of(relu)   # => relu"},
    {"record_of", "names:any, values:any", n_record_of, "The record with these names of fields and values.",
     "record_of([\"a\", \"b\"], [1, 2])   # => {a = 1, b = 2}"},
    {0}};
