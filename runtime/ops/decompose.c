/* decompose: matrices, the last two axes, as products of simpler ones, by LAPACK (base/lapack.h); leading axes are a
 * batch. In: float matrices. Out: the factors, rows of one matrix; where LAPACK finds none, or there is no LAPACK, a
 * fault. A matrix with NaN or infinity in it has NaN for its factors: LAPACK may not end on one.
 *
 * Signs of vectors, and which basis vectors with equal values get, are LAPACK's; their derivatives are those of the
 * vectors as they are. Vectors of equal values (as near as rounding) have none: there an adjoint that is not exactly 0
 * gives infinity or NaN, never a number. So functions of the values alone have their derivative everywhere.
 */
#include <assert.h>
#include <math.h>
#include "base/lapack.h"
#include "ops/matrix.h"

enum { FAULT_NO_LAPACK = FAULT_OWN };

enum {
  LAPACK_BLOCK = 64,         /* rows or columns that it takes at once */
  MOST_SIDE = 16384,         /* its counts of scratch that grow with the square of the short side stay in 32 bits */
  MOST_LINES = INT32_MAX / (2 * LAPACK_BLOCK)
};

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* ---- what a matrix takes in scratch: numbers, then ints ---- */
typedef struct Room { int64_t work, numbers, ints; } Room;

static inline Room eigh_room(const Type *t) {
  int64_t n = side(t, 1), work = 1 + 6 * n + 2 * n * n;
  return (Room){work, n * n + n + work, 3 + 5 * n};
}
static inline Room svd_room(const Type *t) {
  int64_t m = side(t, 2), n = side(t, 1), k = least(m, n);
  int64_t work = 7 * k * k + 7 * k + LAPACK_BLOCK * (m + n);
  return (Room){work, m * n + n * k + work, 8 * k};
}
static inline Room qr_room(const Type *t) {
  int64_t m = side(t, 2), n = side(t, 1), k = least(m, n), work = LAPACK_BLOCK * most(n, 1);
  return (Room){work, m * n + k + work, 0};
}

#ifdef KERNELS
/* Each matrix of the call, but those that are not finite, by f(lapack, matrix, rows of the result, m, n, scratch). */
#define EACH_MATRIX(name, T, type, room, f)                                                                       \
  static bool name##_##type(KernelCall *c) {                                                                      \
    int64_t m = side(c->in_type[0], 2), n = side(c->in_type[0], 1);                                               \
    int64_t size = m * n, out = side(c->out_type, 2) * side(c->out_type, 1);                                      \
    if (out == 0) return true;                                                                                    \
    const Lapack *l = lapack();                                                                                   \
    if (!l) {                                                                                                     \
      c->fault = (Fault){.code = FAULT_OP, .which = FAULT_NO_LAPACK, .element = -1};                              \
      return false;                                                                                               \
    }                                                                                                             \
    Room r = room(c->in_type[0]);                                                                                 \
    for (int64_t u = c->begin; u < c->end; u++) {                                                                 \
      const T *a = (const T *)c->in[0] + u * size;                                                                \
      T *y = (T *)c->out + u * out;                                                                               \
      bool finite = true;                                                                                         \
      for (int64_t k = 0; k < size; k++) finite &= isfinite(a[k]) != 0;                                           \
      for (int64_t k = 0; !finite && k < out; k++) y[k] = (T)NAN;                                                 \
      int info = finite ? f(l, a, y, (int)m, (int)n, &r, c->scratch) : 0;                                         \
      assert(info >= 0);                                           /* below: an argument was wrong */             \
      if (info > 0) return no_answer(c, u, 0, 0);                                                                 \
    }                                                                                                             \
    return true;                                                                                                  \
  }
#define RUN(name, room)                                                                             \
  EACH_MATRIX(name, float, f32, room, name##_one_f32)                                               \
  EACH_MATRIX(name, double, f64, room, name##_one_f64)                                              \
  static bool name##_run(KernelCall *c) {                                                           \
    return c->out_type->dtype == F32 ? name##_f32(c) : name##_f64(c);                               \
  }                                                                                                 \
  const OpKernels KERNELS_OF(name##_packed) = {.run = name##_run, .exclusive = true};
#else
static int64_t short_side(const Type *t) { return least(side(t, 1), side(t, 2)); }

static bool is_matrix(TypeRule *r, int64_t most_short) {
  const Type *a = r->x[0];
  if (a->rank < 2)
    return refuse(r, BAD_RANK, 0, -1, NULL, "`%s` needs a matrix, but this is %s", r->op->name,
                  type_show(r->g->arena, a));
  if (!dtype_is_float((DType)a->dtype))
    return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)`", "`%s` needs floats, but this is %s", r->op->name,
                  type_show(r->g->arena, a));
  if (short_side(a) <= most_short && most(side(a, 1), side(a, 2)) <= MOST_LINES) return true;
  return refuse(r, BAD_LIMIT, 0, -1, NULL, "a matrix of %lld rows and %lld columns is too large for LAPACK",
                (long long)side(a, 2), (long long)side(a, 1));
}

/* The result: `rows` and `columns` in the place of the matrix. */
static bool packed(TypeRule *r, int64_t rows, int64_t columns) {
  r->y = *r->x[0];
  r->y.dim[r->y.rank - 2] = rows;
  r->y.dim[r->y.rank - 1] = columns;
  return true;
}

static size_t room_bytes(const KernelCall *c, Room r) {
  return (size_t)r.numbers * (size_t)dtype_size[c->in_type[0]->dtype] + (size_t)r.ints * sizeof(int);
}
static Cost decompose_cost(const KernelCall *c) {
  const Type *t = c->in_type[0];
  double k = (double)short_side(t);
  return (Cost){.flops = 12 * k * (double)type_count(t), .bytes = 2 * (double)type_bytes(t)};
}

/* ---- graph: of what the derivatives are made ---- */

static NodeId rows_of(Graph *g, NodeId x, int64_t from, int64_t count) {
  const Type *t = g->node[x].type;
  int64_t box[3 * MAX_RANK];
  for (int k = 0; k < t->rank; k++) {
    bool rows = k + 2 == t->rank;
    box[3 * k] = rows ? from : 0;
    box[3 * k + 1] = rows ? count : t->dim[k];
    box[3 * k + 2] = 1;
  }
  return g_attr(g, &op_slice, &x, 1, box, 3u * t->rank);
}

/* The values of rows [.., 1, k] below each other, [.., k, k]: element (i, j) is value j. */
static NodeId along_rows(Graph *g, NodeId values) {
  Type t = *g->node[values].type;
  t.dim[t.rank - 2] = side(&t, 1);
  return g_broadcast(g, values, &t);
}
static NodeId identity_like(Graph *g, NodeId x) {
  const Type *t = g->node[x].type;
  return g_broadcast(g, identity(g, side(t, 1), (DType)t->dtype), t);
}

static NodeId largest_of(Graph *g, NodeId values) {
  int64_t i[] = {1, g->node[values].type->rank - 1, true};
  return g_attr(g, &op_reduce_max, &values, 1, i, 3);
}

/* What is nearer to 0 than rounding leaves values of the size of the largest one. */
static NodeId is_near(Graph *g, NodeId x, NodeId largest, int64_t n) {
  const Type *t = g->node[x].type;
  double eps = t->dtype == F32 ? 0x1p-23 : 0x1p-52;
  NodeId bound = g_broadcast(g, times_number(g, largest, eps * (double)n), t);
  return g_op2(g, &op_le, g_op(g, &op_abs, x), bound);
}

/* 1 / x, infinity where x is near 0. */
static NodeId inverse_of(Graph *g, NodeId x, NodeId near) {
  const Type *t = g->node[x].type;
  NodeId safe = g_op3(g, &op_where, near, g_fill(g, t, 1), x);
  return g_op3(g, &op_where, near, g_fill(g, t, INFINITY), g_op(g, &op_recip, safe));
}

/* m o f + (m o f)', where f_ij = 1 / gap_ij off the diagonal and 0 on it; `gap` is antisymmetric. 0 where m is. */
static NodeId by_gaps(Graph *g, NodeId m, NodeId gap, NodeId near) {
  const Type *t = g->node[m].type;
  NodeId diagonal = g_op2(g, &op_ne, identity_like(g, m), g_fill(g, t, 0));
  NodeId f = g_op3(g, &op_where, diagonal, g_fill(g, t, 0), inverse_of(g, gap, near));
  NodeId y = g_op2(g, &op_smul, m, f);
  return g_op2(g, &op_add, y, turned(g, y));
}
static NodeId diagonal_of(Graph *g, NodeId values) {
  NodeId x = along_rows(g, values);
  return g_op2(g, &op_mul, identity_like(g, x), x);
}

#define FAULTS(what)                                                                                       \
    [FAULT_ALONE] = {NULL, "LAPACK's iteration for " what " of the matrix did not converge", NULL},        \
    [FAULT_OF_BATCH] = {NULL, "LAPACK's iteration for " what " of matrix {a} of the batch did not "        \
                              "converge", NULL},                                                           \
    [FAULT_NO_LAPACK] = {NULL, NO_LAPACK, INSTALL_LAPACK}
#ifdef LAPACK_LIBRARY
#define NO_LAPACK "there is no LAPACK on this machine: " LAPACK_LIBRARY " cannot be opened"
#define INSTALL_LAPACK "install it: Debian's package is liblapack3, or the faster libopenblas0"
#else
#define NO_LAPACK "this glia was built without LAPACK"
#define INSTALL_LAPACK "build it without `--without-lapack`, and install Debian's package liblapack3"
#endif
#endif

/* ---- eigh_packed: a -> [.., 1 + n, n]: row 0 the eigenvalues, ascending, below them v, its columns the vectors ----
 * Of the symmetric part (a + a') / 2, as cholesky. */

#ifdef KERNELS
#define EIGH(T, type)                                                                                             \
  static int eigh_one_##type(const Lapack *l, const T *a, T *y, int m, int n, const Room *r, void *scratch) {     \
    T *s = scratch, *w = s + (int64_t)m * n, *work = w + n;                                                       \
    int *iwork = (int *)(void *)(work + r->work), l_work = (int)r->work, l_iwork = (int)r->ints, info;            \
    for (int64_t i = 0; i < n; i++)                                                                               \
      for (int64_t j = 0; j < n; j++) s[i * n + j] = a[i * n + j] / 2 + a[j * n + i] / 2;                         \
    l->type.syevd("V", "L", &n, s, &n, w, work, &l_work, iwork, &l_iwork, &info, 1, 1);                           \
    for (int64_t j = 0; j < n; j++) {                                                                             \
      y[j] = w[j];                                                                                                \
      for (int64_t i = 0; i < n; i++) y[(1 + i) * n + j] = s[j * n + i];                                          \
    }                                                                                                             \
    return info;                                                                                                  \
  }
EIGH(float, f32)
EIGH(double, f64)
RUN(eigh, eigh_room)
#else
static bool eigh_type(TypeRule *r) {
  return is_square(r) && is_matrix(r, MOST_SIDE) && packed(r, 1 + side(r->x[0], 1), side(r->x[0], 1));
}
static size_t eigh_scratch(const KernelCall *c) { return room_bytes(c, eigh_room(c->in_type[0])); }

/* da = v (diag dw + sym(f o v' dv)) v', f_ij = 1 / (w_j - w_i) (Giles 2008, 3.1; symmetrised, as a is). */
static void eigh_grad(Grad *d) {
  Graph *g = d->g;
  int64_t n = side(g->node[d->x[0]].type, 1);
  if (n == 0) return;
  NodeId w = rows_of(g, d->y, 0, 1), v = rows_of(g, d->y, 1, n);
  NodeId dw = rows_of(g, d->dy, 0, 1), dv = rows_of(g, d->dy, 1, n);
  NodeId by_column = along_rows(g, w), gap = g_op2(g, &op_sub, by_column, turned(g, by_column));
  NodeId near = is_near(g, gap, largest_of(g, g_op(g, &op_abs, w)), n);
  NodeId turning = by_gaps(g, product_of(g, v, dv, true, false), gap, near);
  NodeId inner = g_op2(g, &op_add, times_number(g, turning, 0.5), diagonal_of(g, dw));
  d->dx[0] = product_of(g, product_of(g, v, inner, false, false), v, false, true);
}

static const OpFault eigh_faults[] = {FAULTS("the eigenvalues")};
const Op op_eigh_packed = {
    .name = "eigh_packed", .id = OP_eigh_packed, .flags = OP_FAILS, .n_in = 1, .args = "a", .faults = eigh_faults,
    .doc = "What `eigh` gives in one matrix: a row of eigenvalues, below it the vectors, a column each.",
    .example = "eigh_packed([[2, 0], [0, 1]])[0]   # => [1, 2]",
    .samples = "f32[3,3] | f32[2,3,3] | f32[1,1]",
    .type = eigh_type, .grad = eigh_grad, .batch = batch_same, .units = matrix_units, .scratch = eigh_scratch,
    .depends = depends_matrices,
    .cost = decompose_cost,
};
#endif

/* ---- svd_packed: a [.., m, n] -> [.., m + 1 + n, k], k = min(m, n): u, a row of singular values, v ---- */

#ifdef KERNELS
/* LAPACK sees a', whose factors are v s u'. */
#define SVD(T, type)                                                                                              \
  static int svd_one_##type(const Lapack *l, const T *a, T *y, int m, int n, const Room *r, void *scratch) {      \
    int k = m < n ? m : n, l_work = (int)r->work, info;                                                           \
    T *x = scratch, *v = x + (int64_t)m * n, *work = v + (int64_t)n * k;                                          \
    int *iwork = (int *)(void *)(work + r->work);                                                                 \
    for (int64_t i = 0; i < (int64_t)m * n; i++) x[i] = a[i];                                                     \
    l->type.gesdd("S", &n, &m, x, &n, y + (int64_t)m * k, v, &n, y, &k, work, &l_work, iwork, &info, 1);          \
    for (int64_t i = 0; i < n; i++)                                                                               \
      for (int64_t j = 0; j < k; j++) y[(m + 1 + i) * k + j] = v[j * n + i];                                      \
    return info;                                                                                                  \
  }
SVD(float, f32)
SVD(double, f64)
RUN(svd, svd_room)
#else
static bool svd_type(TypeRule *r) {
  const Type *a = r->x[0];
  return is_matrix(r, MOST_SIDE) && packed(r, side(a, 2) + 1 + side(a, 1), short_side(a));
}
static size_t svd_scratch(const KernelCall *c) { return room_bytes(c, svd_room(c->in_type[0])); }

/* What of dx lies outside the space of the columns of x, each by its singular value: (dx - x x' dx) / s. It is nothing
 * where x is square. */
static NodeId outside(Graph *g, NodeId x, NodeId dx, NodeId inside, NodeId inverse) {
  NodeId rest = g_op2(g, &op_sub, dx, product_of(g, x, inside, false, false));
  return g_op2(g, &op_smul, rest, g_broadcast(g, inverse, g->node[rest].type));
}

/* da = u (p s + s q + diag ds) v', p_ij = (mu_ij - mu_ji) / (s_j^2 - s_i^2) of mu = u' du, q likewise of v' dv, and
 * what lies outside of u and v (Townsend 2016). */
static void svd_grad(Grad *d) {
  Graph *g = d->g;
  int64_t m = side(g->node[d->x[0]].type, 2), n = side(g->node[d->x[0]].type, 1), k = least(m, n);
  if (k == 0) return;
  NodeId u = rows_of(g, d->y, 0, m), s = rows_of(g, d->y, m, 1), v = rows_of(g, d->y, m + 1, n);
  NodeId du = rows_of(g, d->dy, 0, m), ds = rows_of(g, d->dy, m, 1), dv = rows_of(g, d->dy, m + 1, n);
  NodeId mu = product_of(g, u, du, true, false), mv = product_of(g, v, dv, true, false);
  NodeId sj = along_rows(g, s), si = turned(g, sj), gap = g_op2(g, &op_sub, sj, si);
  NodeId largest = largest_of(g, s);
  NodeId near = is_near(g, gap, largest, most(m, n)), of_squares = g_op2(g, &op_mul, gap, g_op2(g, &op_add, sj, si));
  NodeId p = g_op2(g, &op_mul, by_gaps(g, mu, of_squares, near), sj);
  NodeId q = g_op2(g, &op_mul, by_gaps(g, mv, of_squares, near), si);
  NodeId inner = g_op2(g, &op_add, g_op2(g, &op_add, p, q), diagonal_of(g, ds));
  NodeId left = product_of(g, u, inner, false, false), inverse = NO_NODE;
  if (m != n) inverse = inverse_of(g, s, is_near(g, s, largest, most(m, n)));
  if (m > n) left = g_op2(g, &op_add, left, outside(g, u, du, mu, inverse));
  NodeId da = product_of(g, left, v, false, true);
  if (n > m) da = g_op2(g, &op_add, da, product_of(g, u, outside(g, v, dv, mv, inverse), false, true));
  d->dx[0] = da;
}

static const OpFault svd_faults[] = {FAULTS("the singular values")};
const Op op_svd_packed = {
    .name = "svd_packed", .id = OP_svd_packed, .flags = OP_FAILS, .n_in = 1, .args = "a", .faults = svd_faults,
    .doc = "What `svd` gives in one matrix: u, a row of singular values, v.",
    .example = "svd_packed([[0, 2], [1, 0]])[2]   # => [2, 1]",
    .samples = "f32[3,3] | f32[4,2] | f32[2,3] | f32[2,3,2] | f32[1,1]",
    .type = svd_type, .grad = svd_grad, .batch = batch_same, .units = matrix_units, .scratch = svd_scratch,
    .depends = depends_matrices,
    .cost = decompose_cost,
};
#endif

/* ---- qr_packed: a [.., m, n] -> [.., m + n, k], k = min(m, n): q, and below it r' ---- */

#ifdef KERNELS
#define QR(T, type)                                                                                               \
  static int qr_one_##type(const Lapack *l, const T *a, T *y, int m, int n, const Room *r, void *scratch) {       \
    int k = m < n ? m : n, l_work = (int)r->work, info, info2;                                                    \
    T *x = scratch, *tau = x + (int64_t)m * n, *work = tau + k;                                                   \
    for (int64_t i = 0; i < m; i++)                                                                               \
      for (int64_t j = 0; j < n; j++) x[j * m + i] = a[i * n + j];                                                \
    l->type.geqrf(&m, &n, x, &m, tau, work, &l_work, &info);                                                      \
    for (int64_t j = 0; j < n; j++)                                                                               \
      for (int64_t i = 0; i < k; i++) y[(m + j) * k + i] = i <= j ? x[j * m + i] : 0;                             \
    l->type.orgqr(&m, &k, &k, x, &m, tau, work, &l_work, &info2);                                                 \
    for (int64_t i = 0; i < m; i++)                                                                               \
      for (int64_t j = 0; j < k; j++) y[i * k + j] = x[j * m + i];                                                \
    return info ? info : info2;                                                                                   \
  }
QR(float, f32)
QR(double, f64)
RUN(qr, qr_room)
#else
static bool qr_type(TypeRule *r) {
  const Type *a = r->x[0];
  return is_matrix(r, MOST_LINES) && packed(r, side(a, 2) + side(a, 1), short_side(a));
}
static size_t qr_scratch(const KernelCall *c) { return room_bytes(c, qr_room(c->in_type[0])); }

/* The triangle t with exactly 0 for what rounding left of a 0 on its diagonal. */
static NodeId without_noise(Graph *g, NodeId t, int64_t n) {
  const Type *type = g->node[t].type;
  NodeId zero = g_fill(g, type, 0), size = g_op(g, &op_abs, t);
  int64_t i[] = {2, type->rank - 2, type->rank - 1, true};
  NodeId near = is_near(g, t, g_attr(g, &op_reduce_max, &size, 1, i, 4), n);
  NodeId noise = g_op2(g, &op_and, near, g_op2(g, &op_ne, identity_like(g, t), zero));
  return g_op3(g, &op_where, noise, zero, t);
}

/* With m = r dr' - dq' q: da = (dq + q (tril(m) + tril(m, -1)')) r^-T (Seeger and others 2017; Walter and Lehmann
 * 2018). Of more columns than rows, a = [x, y], r = [t, w]: y = q w, so dq has y dw' = q w dw' too, and dy is q dw.
 * Columns that depend on each other have no derivative: a fault of substitute. */
static void qr_grad(Grad *d) {
  Graph *g = d->g;
  int64_t m = side(g->node[d->x[0]].type, 2), n = side(g->node[d->x[0]].type, 1), k = least(m, n), below = -1;
  if (k == 0) return;
  NodeId q = rows_of(g, d->y, 0, m), t = rows_of(g, d->y, m, k);
  NodeId dq = rows_of(g, d->dy, 0, m), dt = rows_of(g, d->dy, m, k), wide = NO_NODE;
  if (n > k) {
    NodeId w = rows_of(g, d->y, m + k, n - k), dw = rows_of(g, d->dy, m + k, n - k);
    NodeId both = product_of(g, w, dw, true, false);
    dq = g_op2(g, &op_add, dq, product_of(g, q, both, false, false));
    wide = product_of(g, q, dw, false, true);
  }
  NodeId of_q = product_of(g, dq, q, true, false), mid = g_op2(g, &op_sub, product_of(g, t, dt, true, false), of_q);
  NodeId lower = g_attr(g, &op_tril, &mid, 1, (int64_t[]){0}, 1), strict = g_attr(g, &op_tril, &mid, 1, &below, 1);
  NodeId sym = g_op2(g, &op_add, lower, turned(g, strict));
  NodeId b = g_op2(g, &op_add, dq, product_of(g, q, sym, false, false));
  NodeId r = turned(g, without_noise(g, t, most(m, n)));
  NodeId x = g_attr(g, &op_substitute, (NodeId[]){r, turned(g, b)}, 2, (int64_t[]){1, 0}, 2);
  NodeId da[] = {turned(g, x), wide};
  d->dx[0] = wide == NO_NODE ? da[0] : g_attr(g, &op_concat, da, 2, (int64_t[]){g->node[x].type->rank - 1}, 1);
}

static const OpFault qr_faults[] = {FAULTS("the factors")};
const Op op_qr_packed = {
    .name = "qr_packed", .id = OP_qr_packed, .flags = OP_FAILS, .n_in = 1, .args = "a", .faults = qr_faults,
    .doc = "What `qr` gives in one matrix: q, below it the transpose of r.",
    .example = "abs(qr_packed([[3], [4]])[2])   # => [5]",
    .samples = "f32[3,3]+3 | f32[4,2] | f32[2,3]+3 | f32[2,3,2] | f32[1,1]+3",
    .type = qr_type, .grad = qr_grad, .batch = batch_same, .units = matrix_units, .scratch = qr_scratch,
    .depends = depends_matrices,
    .cost = decompose_cost,
};
#endif
