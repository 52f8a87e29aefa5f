/* random: what the distributions of the standard library are made of. In: a kind. Out: a key of the place where
 * the call stands, and an op that draws from it.
 */
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "elab/want.h"

static Value draw(Elab *e, const Op *op, const Type *t, const Ast *at) {
  int64_t i[MAX_RANK + 1] = {t->dtype};
  uint32_t n = 1;
  for (uint32_t k = 0; k < t->rank; k++) i[n++] = t->dim[k];
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, op, &key, 1, i, n, at));
}

static bool want_float_kind(Elab *e, const Args *a, const Ast *at, const char *what, Type *t) {
  if (!want_kind(e, a->at[0], arg_ast(a, 0, at), t)) return false;
  if (dtype_is_float((DType)t->dtype)) return true;
  elab_error(e, arg_ast(a, 0, at), E_DRAW_FLOAT, what, type_show(e->a, t));
  return false;
}

static Value n_uniform(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Type t;
  return want_float_kind(e, a, at, "random_uniform", &t) ? draw(e, &op_random_uniform, &t, at) : v_bad();
}

static Value n_normal(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Type t;
  return want_float_kind(e, a, at, "random_normal", &t) ? draw(e, &op_random_normal, &t, at) : v_bad();
}

static Value n_int(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Type t;
  int64_t bound[2];
  if (!want_kind(e, a->at[0], arg_ast(a, 0, at), &t) || !arg_int(e, a, 1, 0, at, "the least number", &bound[0]) ||
      !arg_int(e, a, 2, 0, at, "the end of the numbers", &bound[1]))
    return v_bad();
  if (bound[0] >= bound[1] || bound[0] < INT32_MIN || bound[1] > INT32_MAX) {
    elab_error(e, arg_ast(a, 1, at), E_RANDOM_BOUNDS, (long long)bound[0], (long long)bound[1]);
    return v_bad();
  }
  int64_t i[MAX_RANK + 2] = {bound[0], bound[1]};
  for (uint32_t k = 0; k < t.rank; k++) i[k + 2] = t.dim[k];
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, &op_random_int, &key, 1, i, t.rank + 2u, at));
}

static Value n_permutation(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n;
  if (!arg_int(e, a, 0, 0, at, "a size", &n)) return v_bad();
  if (n < 0 || n > INT32_MAX) {
    elab_error(e, arg_ast(a, 0, at), E_NEGATIVE_SIZE, "a size", n);
    return v_bad();
  }
  NodeId key = draw_key(e, at);
  return key == NO_NODE ? v_bad() : or_bad(emit_i(e, &op_permutation, &key, 1, &n, 1, at));
}

const Native native_random[] = {
    {"random_uniform", "kind:any", n_uniform, "Draws in [0, 1), each element its own; kind is a shape or a type.",
     "all(random_uniform([3]) < 1)   # => true"},
    {"random_normal", "kind:any", n_normal, "Draws of the standard normal distribution; kind is a shape or a type.",
     "shape(random_normal([2, 3]))   # => [2, 3]"},
    {"random_int", "kind:any, low:any, high:any", n_int, "Draws of the i32 numbers from low to high - 1.",
     "all(random_int([9], 0, 2) < 2)   # => true"},
    {"permutation", "n:any", n_permutation, "The numbers 0 to n - 1 in an order drawn here.",
     "sum(permutation(4))   # => 6"},
    {0}};
