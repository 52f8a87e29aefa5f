/* native_values: what the standard library asks about values: is it known, what is it called, of which tensors is it made.
 * In: any value. Out: known answers. None of them emits a node, so asking changes no graph.
 */
#include <string.h>
#include "native.h"

/* A known scalar zero: what makes a term of a formula vanish. Of the run: false, whatever it will be. */
static Value n_known_zero(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self, (void)at;
  Value v = a->at[0];
  if (v.kind == V_BAD) return v;
  if (v.kind == V_INT) return v_bool(v.i == 0);
  if (v.kind != V_NODE || !(graph_at(e->g, v.node)->flags & NODE_KNOWN) || node_type(e, v.node)->rank) return v_bool(false);
  const Tensor *t = graph_known(e->g, v.node);
  return v_bool(t && tensor_get(t, 0) == 0);
}

static Value n_leaves(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value v = a->at[0];
  if (v.kind == V_BAD) return v;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM, &l);
  if (l.n == 0) {
    elab_error(e, arg_ast(a, 0, at), E_WANTED, "a tree of tensors", value_kind_text(e, &v));
    return v_bad();
  }
  Value *x = NEW_N(e->a, Value, l.n);
  for (uint32_t k = 0; k < l.n; k++) x[k] = value_decay(e, l.at[k].value);
  return v_items(e->a, V_LIST, x, l.n);
}

static Value n_name_of(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Value *v = &a->at[0];
  if (v->kind == V_BAD) return *v;
  const char *name = v->kind == V_FN         ? v->fn->name
                     : v->kind == V_INSTANCE ? v->instance->layer->name
                                             : NULL;
  if (v->kind != V_FN && v->kind != V_INSTANCE) {
    elab_error(e, arg_ast(a, 0, at), E_WANTED, "a function", value_kind_text(e, v));
    return v_bad();
  }
  if (!name) name = "";
  return v_string(e->a, name, strlen(name));
}

static Value n_record_of(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Value *names = &a->at[0], *values = &a->at[1];
  if (names->kind == V_BAD || values->kind == V_BAD) return v_bad();
  for (uint32_t k = 0; k < 2; k++)
    if (a->at[k].kind != V_LIST && a->at[k].kind != V_TUPLE) {
      elab_error(e, arg_ast(a, k, at), E_WANTED, "a list", value_kind_text(e, &a->at[k]));
      return v_bad();
    }
  uint32_t n = names->items->n;
  if (n != values->items->n) {
    elab_error(e, at, E_ZIP_LENGTH, "record_of", (long long)n, (long long)values->items->n);
    return v_bad();
  }
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){.n = n, .name = NEW_N(e->a, Sym, n + 1), .at = NEW_N(e->a, Value, n + 1)};
  for (uint32_t k = 0; k < n; k++) {
    const char *name = want_string(e, names->items->at[k], arg_ast(a, 0, at), "the name of a field");
    if (!name) return v_bad();
    f->name[k] = sym(e->s->sources, name, strlen(name));
    for (uint32_t j = 0; j < k; j++)
      if (f->name[j] == f->name[k]) {
        elab_error(e, arg_ast(a, 0, at), E_FIELD_TWICE, name);
        return v_bad();
      }
    f->at[k] = values->items->at[k];
  }
  return (Value){.kind = V_RECORD, .fields = f};
}

/* What a distribution is asked for: the sizes of a declared type, or of a shape. */
static Value n_dims(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Type t;
  if (!want_kind(e, a->at[0], arg_ast(a, 0, at), &t)) return v_bad();
  Value dim[MAX_RANK];
  for (uint32_t k = 0; k < t.rank; k++) dim[k] = v_int(t.dim[k]);
  return v_items(e->a, V_LIST, dim, t.rank);
}

const Native native_values[] = {
    {"dims", "kind", n_dims, "The sizes of a kind, as a list: of a declared type, or of a shape, which is itself.",
     "dims([2, 3])   # => [2, 3]"},
    {"known_zero", "x", n_known_zero,
     "Whether x is a scalar that is known to be 0 while the script is checked; a value of the run is not.",
     "known_zero(0.0), known_zero(1)   # => true false"},
    {"leaves", "tree", n_leaves, "The tensors of a tree as a list: an instance's parameters, in the order of their paths.",
     "leaves({a = [1, 2], b = (3.0, [4])})   # => [[1, 2], 3, [4]]"},
    {"name_of", "f", n_name_of, "The name that a function was defined with, \"\" if it has none.",
     "name_of(relu)   # => relu"},
    {"record_of", "names values", n_record_of, "The record with these names of fields and values.",
     "record_of([\"a\", \"b\"], (1, 2))   # => {a = 1, b = 2}"},
    {0}};
