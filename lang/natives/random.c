/* random: what the distributions of the standard library are made of. In: a kind. Out: a key of the place where
 * the call stands, and an op that draws from it.
 */
#include "elab/args.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/native.h"

static Value draw(Elab *e, const Op *op, const Type *t, const Ast *at) {
  int64_t i[MAX_RANK + 1] = {t->dtype};
  uint32_t n = 1;
  for (uint32_t k = 0; k < t->rank; k++) i[n++] = t->dim[k];
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, op, &key, 1, i, n, at));
}

/* `normal(0, 1)`: a number where the shape stands. */
static bool has_shape(Elab *e, const Arg *kind) {
  if (kind->value.kind != V_INT) return true;
  Diag *g = elab_said(e, kind->at, E_LIBRARY_WANTS, "a draw wants a shape first");
  diag_hint(e->d, g, "write `normal([3], 0, 1)`, or `let x: [3] ~ normal(0, 1)`; one number is of shape `[]`");
  return false;
}

static Value floats(Elab *e, const Op *op, const Arg *kind, const Ast *at) {
  if (!has_shape(e, kind)) return v_bad();
  if (dtype_is_float((DType)kind->type->dtype)) return draw(e, op, kind->type, at);
  elab_error(e, kind->at, E_DRAW_FLOAT, op->name, type_show(e->a, kind->type));
  return v_bad();
}

static Value n_uniform(Elab *e, const Arg *a, const Ast *at) {
  return floats(e, &op_random_uniform, &a[0], at);
}

static Value n_normal(Elab *e, const Arg *a, const Ast *at) {
  return floats(e, &op_random_normal, &a[0], at);
}

static Value n_int(Elab *e, const Arg *a, const Ast *at) {
  if (!has_shape(e, &a[0])) return v_bad();
  const Type *t = a[0].type;
  int64_t low = a[1].i, high = a[2].i;
  if (low >= high || low < INT32_MIN || high > INT32_MAX) {
    elab_error(e, a[1].at, E_RANDOM_BOUNDS, (long long)low, (long long)high);
    return v_bad();
  }
  int64_t i[MAX_RANK + 2] = {low, high};
  for (uint32_t k = 0; k < t->rank; k++) i[k + 2] = t->dim[k];
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, &op_random_int, &key, 1, i, t->rank + 2u, at));
}

static Value n_permutation(Elab *e, const Arg *a, const Ast *at) {
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, &op_permutation, &key, 1, &a[0].i, 1, at));
}

const Native native_random[] = {
    {"random_uniform", "kind:kind", n_uniform, "Draws in [0, 1), each element its own; kind is a shape or a type.",
     "all(random_uniform([3]) < 1)   # => true"},
    {"random_normal", "kind:kind", n_normal, "Draws of the standard normal distribution; kind is a shape or a type.",
     "shape(random_normal([2, 3]))   # => [2, 3]"},
    {"random_int", "kind:kind, low:int, high:int", n_int, "Draws of the i32 numbers from low to high - 1.",
     "all(random_int([9], 0, 2) < 2)   # => true"},
    {"permutation", "n:size", n_permutation, "The numbers 0 to n - 1 in an order drawn here.",
     "sum(permutation(4))   # => 6"},
    {0}};
