/* data: how data sets are divided and mixed. In: a data set. Out: data sets. What is random is one permutation, drawn
 * where the function is called.
 */
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include <math.h>
#include <string.h>

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
