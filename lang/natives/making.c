/* making: tensors made from sizes. In: a kind (a shape, or a type such as `f64[3]`) and known numbers. Out:
 * broadcasts and counts: no memory until something reads them.
 */
#include "elab/native.h"

static Value fill(Elab *e, const Type *t, double v, const Ast *at) {
  NodeId n = lower_number(e, (DType)t->dtype, v, at);
  return or_bad(lower_fill(e, t, n, at));
}

static double which(const Fn *self) { return self->native->name[0] == 'o'; }

static Value n_filled(Elab *e, const Fn *self, Args *a, const Ast *at) {
  Type t;
  if (!want_kind(e, a->at[0], arg_ast(a, 0, at), &t)) return v_bad();
  return fill(e, &t, which(self), at);
}

static Value n_filled_like(Elab *e, const Fn *self, Args *a, const Ast *at) {
  NodeId x = arg_node(e, a, 0, at, self->native->name);
  if (x == NO_NODE) return v_bad();
  Type t = *node_type(e, x);
  if (node_flex(e, x)) t.dtype = F32;
  return fill(e, &t, which(self), at);
}

static Value n_full(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Type t;
  if (!want_kind(e, a->at[0], arg_ast(a, 0, at), &t)) return v_bad();
  NodeId v = want_typed(e, a->at[1], (DType)t.dtype, arg_ast(a, 1, at), "the value of `full`");
  if (v == NO_NODE) return v_bad();
  if (node_type(e, v)->rank != 0) {
    elab_error(e, arg_ast(a, 1, at), E_FULL_VALUE, type_show(e->a, node_type(e, v)));
    return v_bad();
  }
  return or_bad(lower_fill(e, &t, v, at));
}

/* Where row and column are equal. */
static NodeId diagonal_mask(Elab *e, int64_t rows, int64_t columns, const Ast *at) {
  int64_t dim[2] = {rows, columns};
  NodeId i = lower_iota(e, rows, at), j = lower_iota(e, columns, at);
  if (i == NO_NODE || j == NO_NODE) return NO_NODE;
  i = lower_mask_dims(e, i, 2, dim, 0, at);
  j = lower_mask_dims(e, j, 2, dim, 1, at);
  if (i == NO_NODE || j == NO_NODE) return NO_NODE;
  Value v = elab_binary(e, K_EQ, v_node(i), v_node(j), at);
  return v.kind == V_NODE ? v.node : NO_NODE;
}

static bool size_ok(Elab *e, int64_t n, const Ast *at) {
  if (n >= 0 && n <= INT32_MAX) return true;
  Type t = type_make(I32, 1, &n);
  if (n < 0) elab_error(e, at, E_NEGATIVE_SIZE, "a size", n);
  else elab_error(e, at, E_TOO_LARGE, shape_show(e->a, &t));
  return false;
}

static Value n_eye(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n, m;
  if (!arg_int(e, a, 0, 0, at, "a size", &n) || !arg_int(e, a, 1, n, at, "a size", &m)) return v_bad();
  if (!size_ok(e, n, arg_ast(a, 0, at)) || !size_ok(e, m, arg_ast(a, 1, at))) return v_bad();
  NodeId mask = diagonal_mask(e, n, m, at);
  return mask == NO_NODE ? v_bad() : or_bad(lower_cast(e, mask, F32, at));
}

static Value n_range(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t from, to, by;
  if (!arg_int(e, a, 0, 0, at, "an end of `range`", &from) || !arg_int(e, a, 1, 0, at, "an end of `range`", &to) ||
      !arg_int(e, a, 2, 1, at, "the step of `range`", &by))
    return v_bad();
  if (!given(a, 1)) { to = from; from = 0; }
  if (by == 0) {
    elab_error(e, arg_ast(a, 2, at), E_SLICE_STEP);
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

static Value n_linspace(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n;
  NodeId end[2];
  const Ast *where[2] = {arg_ast(a, 0, at), arg_ast(a, 1, at)};
  Value v[2] = {a->at[0], a->at[1]};
  if (!arg_int(e, a, 2, 50, at, "the number of points", &n)) return v_bad();
  for (int k = 0; k < 2; k++)
    if ((end[k] = want_float(e, v[k], where[k], "an end of `linspace`")) == NO_NODE) return v_bad();
  v[0] = v_node(end[0]);
  v[1] = v_node(end[1]);
  if (!lower_same_dtype(e, v, end, 2, where, "an end of `linspace`")) return v_bad();
  for (int k = 0; k < 2; k++)
    if ((end[k] = settle(e, end[k])) == NO_NODE) return v_bad();
  if (n < 1 || n > INT32_MAX) {
    elab_error(e, arg_ast(a, 2, at), E_LINSPACE, (long long)n);
    return v_bad();
  }
  DType d = (DType)node_type(e, end[0])->dtype;
  NodeId t = lower_iota(e, n, at);
  if (t == NO_NODE || (t = lower_cast(e, t, d, at)) == NO_NODE) return v_bad();
  Value u = elab_binary(e, '/', v_node(t), v_node(lower_number(e, d, n > 1 ? (double)(n - 1) : 1, at)), at);
  Value span = elab_binary(e, '-', v_node(end[1]), v_node(end[0]), at);
  return elab_binary(e, '+', v_node(end[0]), elab_binary(e, '*', span, u, at), at);
}

/* An index outside 0..n-1 is refused by the gather. */
static Value n_one_hot(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  int64_t n;
  NodeId i = want_typed(e, a->at[0], I32, arg_ast(a, 0, at), "the indices of `one_hot`");
  if (i == NO_NODE || !arg_int(e, a, 1, 0, at, "the number of classes", &n) || !size_ok(e, n, arg_ast(a, 1, at)))
    return v_bad();
  Type t = *node_type(e, i);
  if (t.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  NodeId iota = lower_iota(e, n, at);
  if (iota == NO_NODE) return v_bad();
  int64_t one = 1;
  bool scalar = t.rank == 0;
  if (scalar) i = lower_reshape(e, i, 1, &one, at);
  i = i == NO_NODE ? i : lower_gather(e, iota, i, 0, at);
  if (i == NO_NODE) return v_bad();
  t.dim[t.rank] = 1;
  i = lower_reshape(e, i, t.rank + 1, t.dim, at);
  t.dim[t.rank++] = n;
  if (i == NO_NODE || (i = lower_broadcast(e, i, t.rank, t.dim, at)) == NO_NODE) return v_bad();
  NodeId j = lower_mask_dims(e, iota, t.rank, t.dim, t.rank - 1, at);
  if (j == NO_NODE) return v_bad();
  Value v = elab_binary(e, K_EQ, v_node(i), v_node(j), at);
  return v.kind == V_NODE ? or_bad(lower_cast(e, v.node, F32, at)) : v_bad();
}

/* ---- diagonals: of the last two axes ---- */
/* The main diagonal is every (n+1)-th element of a square. */
static NodeId diagonal(Elab *e, NodeId x, const Ast *at) {
  Type t = *node_type(e, x);
  int r = t.rank;
  int64_t n = t.dim[r - 2] < t.dim[r - 1] ? t.dim[r - 2] : t.dim[r - 1], m = t.dim[r - 1];
  Cut cut[MAX_RANK];
  for (int k = 0; k < r; k++) cut[k] = (Cut){0, k >= r - 2 ? (k == r - 2 ? n : m) : t.dim[k], 1};
  x = lower_slice(e, x, cut, at);
  if (x == NO_NODE) return x;
  t.dim[r - 2] = n * m;
  t.rank = (uint8_t)(r - 1);
  x = lower_reshape(e, x, r - 1, t.dim, at);
  return x == NO_NODE ? x : lower_rows(e, x, r - 2, 0, n, m + 1, at);
}

static Value n_diag(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`diag`");
  if (x == NO_NODE) return v_bad();
  x = settle(e, x);
  Type t = *node_type(e, x);
  if (t.rank == 0) {
    elab_error(e, arg_ast(a, 0, at), E_BAD_RANK,
               arena_printf(e->a, "`diag` takes a vector or a matrix, found %s", type_show(e->a, &t)));
    return v_bad();
  }
  if (t.rank > 1) return or_bad(diagonal(e, x, at));
  int64_t n = t.dim[0];
  t = type_make((DType)t.dtype, 2, (int64_t[]){n, n});
  NodeId mask = diagonal_mask(e, n, n, at), spread = lower_mask_dims(e, x, 2, t.dim, 0, at);
  Value zero = fill(e, &t, 0, at);
  if (mask == NO_NODE || spread == NO_NODE || zero.kind == V_BAD) return v_bad();
  return or_bad(emit(e, &op_where, (NodeId[]){mask, spread, zero.node}, 3, NULL, at));
}

const Native native_making[] = {
    {"zeros", "kind", n_filled, "A tensor of zeros; kind is a shape (f32) or a type such as `i32[3]`.",
     "zeros([2])   # => [0, 0]"},
    {"ones", "kind", n_filled, "A tensor of ones; kind is a shape (f32) or a type such as `i32[3]`.",
     "ones([2])   # => [1, 1]"},
    {"full", "kind value", n_full, "A tensor with one value everywhere.", "full([2], 7)   # => [7, 7]"},
    {"zeros_like", "x", n_filled_like, "Zeros of the shape and element type of x.", "zeros_like([1, 2])   # => [0, 0]"},
    {"ones_like", "x", n_filled_like, "Ones of the shape and element type of x.", "ones_like([1, 2])   # => [1, 1]"},
    {"eye", "n m?", n_eye, "The identity matrix, n by n (or n by m).", "eye(2)   # => [[1, 0], [0, 1]]"},
    {"range", "start stop? step?", n_range, "i32 numbers: 0 to n - 1, or from start up to (not with) stop.",
     "range(3)   # => [0, 1, 2]"},
    {"linspace", "start stop num?", n_linspace, "num numbers (50) in equal steps, both ends among them.",
     "linspace(0, 1, 3)   # => [0, 0.5, 1]"},
    {"one_hot", "i n", n_one_hot, "For each index a row of n numbers, 1 at the index, else 0.",
     "one_hot([1, 0], 2)   # => [[0, 1], [1, 0]]"},
    {"diag", "x", n_diag, "The diagonal of a matrix; for a vector the matrix that has it as diagonal.",
     "diag([[1, 2], [3, 4]])   # => [1, 4]"},
    {0}};
