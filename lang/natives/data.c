/* data: data sets: records or tuples of tensors with one first size, cut by rows.
 * In: a data set. Out: data sets; every piece is a formula (a slice or a gather of the first axis), so nothing is
 * copied until it is used. What is random is one permutation, drawn where the function is called.
 */
#include "elab/native.h"
#include <math.h>
#include <string.h>

/* A text field of a table is {codes, classes}: classes are strings and no rows. */
static bool rows_in(Elab *e, Value v, const Ast *at, const char *what, Rows *r, const char *path) {
  v = value_decay(e, v);
  Diag *g;
  switch (v.kind) {
  case V_BAD: return false;
  case V_RECORD:
    for (uint32_t k = 0; k < v.fields->n; k++)
      if (!rows_in(e, v.fields->at[k], at, what, r, arena_printf(e->a, "%s.%s", path, v.fields->name[k]))) return false;
    return true;
  case V_TUPLE:
    for (uint32_t k = 0; k < v.items->n; k++)
      if (!rows_in(e, v.items->at[k], at, what, r, arena_printf(e->a, "%s[%u]", path, k))) return false;
    return true;
  case V_NODE: {
    const Type *t = node_type(e, v.node);
    if (t->rank == 0) break;
    if (r->node.n > 0 && t->dim[0] != r->n) {
      const Type *first = node_type(e, r->node.at[0]);
      if ((g = elab_error(e, at, E_ROWS_DIFFER, what, type_show(e->a, first), path, type_show(e->a, t))))
        diag_hint(e->d, g, "the tensors of a data set have one first size: a row an example");
      return false;
    }
    r->n = t->dim[0];
    vec_push(e->a, &r->node, v.node);
    return true;
  }
  default: break;
  }
  if ((g = elab_error(e, at, E_NOT_ROWS, what, value_kind_text(e, &v),
                      path[0] ? arena_printf(e->a, " at `%s`", path) : "")))
    diag_hint(e->d, g, "a data set is a tensor, or a record or tuple of tensors with one first size, e.g. `{x, y}`");
  return false;
}

bool want_rows(Elab *e, Value v, const Ast *at, const char *what, Rows *out) {
  *out = (Rows){.value = value_decay(e, v)};
  if (!rows_in(e, v, at, what, out, "")) return false;
  if (out->node.n > 0) return true;
  elab_error(e, at, E_NOT_ROWS, what, value_kind_text(e, &v), "");
  return false;
}

static Value rebuild(Elab *e, const Rows *r, const Nodes *n) {
  uint32_t k = 0;
  return unflat(e, r->value, n->at, &k);
}

Value rows_gather(Elab *e, const Rows *r, NodeId index, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_gather(e, r->node.at[k], index, 0, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}

Value rows_slice(Elab *e, const Rows *r, int64_t from, int64_t count, int64_t by, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_rows(e, r->node.at[k], 0, from, count, by, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}

Value rows_slice_dyn(Elab *e, const Rows *r, NodeId start, int64_t count, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_slice_dyn(e, r->node.at[k], 0, start, count, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}

static NodeId permutation(Elab *e, int64_t n, const Ast *at) {
  NodeId key = draw_key(e, at);
  return emit_i(e, &op_permutation, &key, 1, &n, 1, at);
}

static Value n_split(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  double f;
  if (!want_rows(e, a->at[0], arg_ast(a, 0, at), "`split`", &r) ||
      !want_number(e, a->at[1], arg_ast(a, 1, at), "the fraction of `split`", &f))
    return v_bad();
  if (!(f >= 0 && f <= 1)) {
    Diag *g = elab_error(e, arg_ast(a, 1, at), E_FRACTION, f);
    if (g && f > 1)
      diag_hint(e->d, g, "for %g of %lld rows write `split(d, %g)`", f, (long long)r.n, r.n ? f / (double)r.n : 1);
    return v_bad();
  }
  int64_t first = (int64_t)llround(f * (double)r.n);
  Value part[2] = {rows_slice(e, &r, 0, first, 1, at), rows_slice(e, &r, first, r.n - first, 1, at)};
  if (part[0].kind == V_BAD || part[1].kind == V_BAD) return v_bad();
  return v_items(e->a, V_TUPLE, part, 2);
}

/* Fold i has every k-th row from i: sorted data needs no shuffle, and every class meets every fold. */
static Value n_folds(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  int64_t k;
  if (!want_rows(e, a->at[0], arg_ast(a, 0, at), "`folds`", &r) || !arg_int(e, a, 1, 0, at, "the number of folds", &k))
    return v_bad();
  if (k < 2 || k > r.n) {
    elab_error(e, arg_ast(a, 1, at), E_FOLDS, (long long)k, (long long)r.n);
    return v_bad();
  }
  Value *pair = NEW_N(e->a, Value, k);
  int64_t *rest = NEW_N(e->a, int64_t, r.n);
  for (int64_t i = 0; i < k; i++) {
    int64_t n = 0;
    for (int64_t j = 0; j < r.n; j++)
      if (j % k != i) rest[n++] = j;
    Value part[2] = {rows_gather(e, &r, lower_ints(e, rest, n, at), at),
                     rows_slice(e, &r, i, (r.n - i + k - 1) / k, k, at)};
    if (part[0].kind == V_BAD || part[1].kind == V_BAD) return v_bad();
    pair[i] = v_items(e->a, V_TUPLE, part, 2);
  }
  return v_items(e->a, V_LIST, pair, (uint32_t)k);
}

static Value n_shuffle(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  if (!want_rows(e, a->at[0], arg_ast(a, 0, at), "`shuffle`", &r)) return v_bad();
  NodeId order = permutation(e, r.n, at);
  return order == NO_NODE ? v_bad() : rows_gather(e, &r, order, at);
}

static Value n_sample(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  int64_t n;
  if (!want_rows(e, a->at[0], arg_ast(a, 0, at), "`sample`", &r) || !arg_int(e, a, 1, 0, at, "the number of rows", &n))
    return v_bad();
  if (n < 0 || n > r.n) {
    Diag *g = elab_error(e, arg_ast(a, 1, at), E_SAMPLE, (long long)n, (long long)r.n);
    if (g) diag_hint(e->d, g, "a row is taken once; to take rows again and again write `x[randint([n], 0, count(x))]`");
    return v_bad();
  }
  NodeId order = permutation(e, r.n, at);
  if (order != NO_NODE) order = lower_rows(e, order, 0, 0, n, 1, at);
  return order == NO_NODE ? v_bad() : rows_gather(e, &r, order, at);
}

const Native native_datasets[] = {
    {"split", "d fraction", n_split,
     "A data set in two: its first rows and the rest. `fraction` is the share of the first; a data set in order wants "
     "`shuffle` first.",
     "split([1, 2, 3, 4], 0.75)   # => ([1, 2, 3], [4])"},
    {"folds", "d k", n_folds,
     "The list of k pairs (train, valid) of cross-validation: fold i keeps every k-th row from i back for validation.",
     "folds([1, 2, 3, 4], 2)[0]   # => ([2, 4], [1, 3])"},
    {"shuffle", "d", n_shuffle, "The rows of a data set in an order drawn here, the same for all its tensors.",
     "sum(shuffle([1, 2, 3]))   # => 6"},
    {"sample", "d n", n_sample, "n different rows of a data set, drawn here.",
     "shape(sample([[1, 2], [3, 4], [5, 6]], 2))   # => [2, 2]"},
    {0}};
