/* making: tensors made from sizes. In: a kind (a shape, or a type such as `f64[3]`) and known numbers. Out:
 * broadcasts and counts: no memory until something reads them.
 */
#include "elab/args.h"
#include "elab/arith.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/want.h"

static Value fill(Elab *e, const Type *t, double v, const Ast *at) {
  NodeId n = lower_number(e, (DType)t->dtype, v, at);
  return or_bad(lower_fill(e, t, n, at));
}

static Value n_zeros(Elab *e, const Arg *a, const Ast *at) {
  return fill(e, a[0].type, 0, at);
}

static Value n_ones(Elab *e, const Arg *a, const Ast *at) {
  return fill(e, a[0].type, 1, at);
}

static Value n_full(Elab *e, const Arg *a, const Ast *at) {
  const Arg *value = &a[1];
  NodeId v = want_typed(e, value->value, (DType)a[0].type->dtype, value->at, "the value of `full`");
  if (v == NO_NODE) return v_bad();
  if (node_type(e, v)->rank != 0) {
    elab_error(e, value->at, E_FULL_VALUE, type_show(e->a, node_type(e, v)));
    return v_bad();
  }
  return or_bad(lower_fill(e, a[0].type, v, at));
}

static Value n_range(Elab *e, const Arg *a, const Ast *at) {
  bool both = a[1].given;
  int64_t from = both ? a[0].i : 0, to = a[both].i, by = a[2].i;
  if (by == 0) {
    elab_error(e, a[2].at, E_SLICE_STEP);
    return v_bad();
  }
  if (from > INT32_MAX || from < INT32_MIN || to > INT32_MAX || to < INT32_MIN || by > INT32_MAX || by < INT32_MIN) {
    elab_error(e, at, E_RANGE_LONG, (long long)from, (long long)to);
    return v_bad();
  }
  int64_t n = by > 0 ? (to > from ? (to - from + by - 1) / by : 0) : from > to ? (from - to - by - 1) / -by : 0;
  NodeId x = lower_iota(e, n, at);
  if (x == NO_NODE) return v_bad();
  Value v = v_node(x);
  if (by != 1) v = elab_binary(e, '*', v, v_node(lower_number(e, I32, (double)by, at)), at);
  if (from != 0 && v.kind == V_NODE) v = elab_binary(e, '+', v, v_node(lower_number(e, I32, (double)from, at)), at);
  return v;
}

const Native native_making[] = {
    {"zeros", "kind:kind", n_zeros, "A tensor of zeros; kind is a shape (f32) or a type such as `i32[3]`.",
     "zeros([2])   # => [0, 0]"},
    {"ones", "kind:kind", n_ones, "A tensor of ones; kind is a shape (f32) or a type such as `i32[3]`.",
     "ones([2])   # => [1, 1]"},
    {"full", "kind:kind, value", n_full, "A tensor with one value everywhere.", "full([2], 7)   # => [7, 7]"},
    {"range", "start:int, stop:int?, step:int=1", n_range,
     "i32 numbers: 0 to n - 1, or from start up to (not with) stop.",
     "range(3)   # => [0, 1, 2]"},
    {0}};
