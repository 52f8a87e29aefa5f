/* linear: linear algebra of matrices, the last two axes; leading axes are a batch. In: float matrices. Out: what solves
 * them, or a fault that says which matrix of the batch has no answer, and where.
 *
 * substitute solves with a triangle, linear_solve with any square matrix (Gauss, rows exchanged for the largest pivot:
 * Golub and Van Loan, Matrix Computations, 3.1 and 3.4). Matrices of a batch are units of work, each computed alone in
 * one order, so its bits depend on nothing beside it. NaN goes on as NaN. {b} of a fault is a row or column, from 0.
 */
#include <math.h>
#include <string.h>
#include "ops/matrix.h"

static inline bool number_is_set(const Attr *a, uint32_t k) { return k < a->n && a->i[k]; }

#ifndef KERNELS
/* Right sides for the matrices of operand 0. */
static bool solves(TypeRule *r) {
  const Type *a = r->x[0], *b = r->x[1];
  if (!is_square(r) || !one_dtype(r, 0, 1)) return false;
  bool fits = b->rank == a->rank && side(b, 2) == side(a, 2);
  for (int k = 0; fits && k + 2 < a->rank; k++) fits = a->dim[k] == b->dim[k];
  r->y = *b;
  return fits || refuse(r, BAD_SHAPE, 0, 1, NULL, "a right side for matrices %s is [.., %lld, columns], but this is %s",
                        shape_show(r->g->arena, a), (long long)side(a, 2), shape_show(r->g->arena, b));
}

static Cost linear_cost(const KernelCall *c) {
  double n = (double)side(c->in_type[0], 1), m = c->n_in > 1 ? (double)side(c->in_type[1], 1) : n / 3;
  return (Cost){.flops = (double)matrices(c->in_type[0]) * n * n * (n / 3 + m) * 4,
                .bytes = 2 * (double)type_bytes(c->in_type[0])};
}

#endif

/* ---- substitute: x with a x = b, a triangle; attr->i = {upper, transposed} ---- */

#ifdef KERNELS
/* The rows of x, b when called, one after another, by those that are known. False: *row has a 0 on the diagonal. */
#define SUBSTITUTE(name, T)                                                                                     \
  static bool name(T *x, const T *a, int64_t n, int64_t m, bool upper, bool turn, int64_t *row) {               \
    for (int64_t s = 0; s < n; s++) {                                                                           \
      int64_t i = upper == turn ? s : n - 1 - s, from = upper == turn ? 0 : i + 1, to = upper == turn ? i : n;  \
      T *restrict y = x + i * m, d = a[i * n + i];                                                              \
      if (d == 0) {                                                                                             \
        *row = i;                                                                                               \
        return false;                                                                                           \
      }                                                                                                         \
      for (int64_t k = from; k < to; k++) {                                                                     \
        const T *z = x + k * m, c = turn ? a[k * n + i] : a[i * n + k];                                         \
        for (int64_t j = 0; j < m; j++) y[j] -= c * z[j];                                                       \
      }                                                                                                         \
      for (int64_t j = 0; j < m; j++) y[j] /= d;                                                                \
    }                                                                                                           \
    return true;                                                                                                \
  }
SUBSTITUTE(substitute_f32, float)
SUBSTITUTE(substitute_f64, double)

static bool substitute_run(KernelCall *c) {
  const Type *x = c->out_type;
  int64_t n = side(x, 2), m = side(x, 1), size = dtype_size[x->dtype], row = 0;
  bool upper = number_is_set(c->attr, 0), turn = number_is_set(c->attr, 1);
  for (int64_t u = c->begin; u < c->end; u++) {
    void *to = (char *)c->out + u * n * m * size;
    const void *a = (const char *)c->in[0] + u * n * n * size;
    if (n * m > 0) memcpy(to, (const char *)c->in[1] + u * n * m * size, (size_t)(n * m * size));
    bool ok = x->dtype == F32 ? substitute_f32(to, a, n, m, upper, turn, &row)
                              : substitute_f64(to, a, n, m, upper, turn, &row);
    if (!ok) return no_answer(c, u, row, 0);
  }
  return true;
}
const OpKernels KERNELS_OF(substitute) = {.run = substitute_run};
#else

/* x = a^-1 b: db = a^-T dx, da = -db x' (of the transposed a: -x db'); of a triangle, that triangle of it. */
static void solve_grad(Grad *d) {
  Graph *g = d->g;
  bool triangle = d->g->node[d->y].op == &op_substitute, upper = triangle && number_is_set(d->attr, 0);
  bool turn = number_is_set(d->attr, triangle);
  const Op *op = d->g->node[d->y].op;
  NodeId db = triangle
                ? g_attr(g, op, (NodeId[]){d->x[0], d->dy}, 2, (int64_t[]){upper, !turn}, 2)
                : g_attr(g, op, (NodeId[]){d->x[0], d->dy}, 2, (int64_t[]){!turn}, 1);
  if (d->wanted[1]) d->dx[1] = db;
  if (!d->wanted[0]) return;
  NodeId da = g_op(g, &op_neg, turn ? product_of(g, d->y, db, false, true) : product_of(g, db, d->y, false, true));
  d->dx[0] = !triangle ? da : g_attr(g, upper ? &op_triu : &op_tril, &da, 1, (int64_t[]){0}, 1);
}

static const OpFault no_triangle[] = {
    [FAULT_ALONE] = {NULL, "the triangle has a 0 on its diagonal, in row {b}, so it solves nothing", NULL},
    [FAULT_OF_BATCH] = {NULL, "triangle {a} of the batch has a 0 on its diagonal, in row {b}, so it solves nothing",
                        NULL},
};

const Op op_substitute = {
    .name = "substitute", .id = OP_substitute, .flags = OP_FAILS, .n_in = 2, .faults = no_triangle,
    .args = "a, b, upper:flag=false, transposed:flag=false",
    .doc = "The matrix x with a @ x = b, a the lower (or upper) triangle of a square matrix, or its transpose; the "
           "rest of it is not looked at.",
    .example = "substitute([[2, 9], [1, 4]], [[2], [9]])   # => [[1], [2]]",
    .samples = "f32[3,3]+3 f32[3,2]; 0 0 | f32[3,3]+3 f32[3,2]; 1 0 | f32[3,3]+3 f32[3,1]; 0 1"
               " | f32[3,3]+3 f32[3,2]; 1 1 | f32[2,3,3]+3 f32[2,3,2]; 0 0 | f32[1,1]+3 f32[1,1]; 0 0",
    .type = solves, .grad = solve_grad, .batch = batch_same, .units = matrix_units, .cost = linear_cost,
    .depends = depends_matrices,
};
#endif

/* ---- linear_solve: x with a x = b, a any square matrix; attr->i = {transposed}; det, logdet: of a ---- */

#ifndef KERNELS
static size_t lu_scratch(const KernelCall *c) {
  size_t n = (size_t)side(c->in_type[0], 1), size = (size_t)dtype_size[c->in_type[0]->dtype];
  return n * (n * size + sizeof(int64_t));
}
#else
/* `from`, or its transpose, in `a` with rows exchanged (p: from where), made L (below the diagonal, which is 1) and U;
 * *sign of the exchanges. The result is the first column without a pivot, or n. */
#define LU(name, T, solve_upper)                                                                                \
  static int64_t name(const T *from, bool turn, T *a, int64_t *p, int64_t n, double *sign) {                    \
    int64_t bad = n;                                                                                            \
    *sign = 1;                                                                                                  \
    for (int64_t i = 0; i < n; i++) {                                                                           \
      p[i] = i;                                                                                                 \
      for (int64_t j = 0; j < n; j++) a[i * n + j] = turn ? from[j * n + i] : from[i * n + j];                  \
    }                                                                                                           \
    for (int64_t k = 0; k < n; k++) {                                                                           \
      int64_t best = k;                                                                                         \
      for (int64_t i = k + 1; i < n; i++)                                                                       \
        if ((T)fabs(a[i * n + k]) > (T)fabs(a[best * n + k])) best = i;                                         \
      if (best != k) {                                                                                          \
        for (int64_t j = 0; j < n; j++) {                                                                       \
          T other = a[k * n + j];                                                                               \
          a[k * n + j] = a[best * n + j];                                                                       \
          a[best * n + j] = other;                                                                              \
        }                                                                                                       \
        int64_t row = p[k];                                                                                     \
        p[k] = p[best];                                                                                         \
        p[best] = row;                                                                                          \
        *sign = -*sign;                                                                                         \
      }                                                                                                         \
      const T *restrict pivot = a + k * n;                                                                      \
      if (pivot[k] == 0) {                                                                                      \
        if (bad == n) bad = k;                                                                                  \
        continue;                                                                                               \
      }                                                                                                         \
      for (int64_t i = k + 1; i < n; i++) {                                                                     \
        T *restrict row = a + i * n, c = row[k] / pivot[k];                                                     \
        row[k] = c;                                                                                             \
        for (int64_t j = k + 1; j < n; j++) row[j] -= c * pivot[j];                                             \
      }                                                                                                         \
    }                                                                                                           \
    return bad;                                                                                                 \
  }                                                                                                             \
  static void name##_apply(T *x, const T *b, const T *a, const int64_t *p, int64_t n, int64_t m) {              \
    for (int64_t i = 0; i < n; i++) {                                                                           \
      T *restrict y = x + i * m;                                                                                \
      memcpy(y, b + p[i] * m, (size_t)m * sizeof *y);                                                           \
      for (int64_t k = 0; k < i; k++)                                                                           \
        for (int64_t j = 0; j < m; j++) y[j] -= a[i * n + k] * x[k * m + j];                                    \
    }                                                                                                           \
    int64_t row;                                                                                                \
    (void)solve_upper(x, a, n, m, true, false, &row);   /* U has no 0 on its diagonal */                        \
  }
LU(lu_f32, float, substitute_f32)
LU(lu_f64, double, substitute_f64)

/* Of matrix u, in scratch. */
static int64_t lu_of(KernelCall *c, int64_t u, bool turn, void **lu, int64_t **p, double *sign) {
  const Type *t = c->in_type[0];
  int64_t n = side(t, 1);
  const void *a = (const char *)c->in[0] + u * n * n * dtype_size[t->dtype];
  *p = c->scratch;
  *lu = *p + n;
  return t->dtype == F32 ? lu_f32(a, turn, *lu, *p, n, sign) : lu_f64(a, turn, *lu, *p, n, sign);
}

static bool linear_solve_run(KernelCall *c) {
  int64_t n = side(c->out_type, 2), m = side(c->out_type, 1), bytes = n * m * dtype_size[c->out_type->dtype];
  for (int64_t u = c->begin; u < c->end; u++) {
    void *lu;
    int64_t *p;
    double sign;
    int64_t bad = lu_of(c, u, number_is_set(c->attr, 0), &lu, &p, &sign);
    if (bad < n) return no_answer(c, u, bad, 0);
    void *x = (char *)c->out + u * bytes;
    const void *b = (const char *)c->in[1] + u * bytes;
    if (c->out_type->dtype == F32)
      lu_f32_apply(x, b, lu, p, n, m);
    else
      lu_f64_apply(x, b, lu, p, n, m);
  }
  return true;
}

/* The product of the diagonal of U, or the logarithm of it: NaN below 0, as that of a number. In f64. */
static bool diagonal_run(KernelCall *c, bool log_of) {
  int64_t n = side(c->in_type[0], 1);
  for (int64_t u = c->begin; u < c->end; u++) {
    void *lu;
    int64_t *p;
    double sign, y = log_of ? 0 : 1;
    lu_of(c, u, false, &lu, &p, &sign);
    for (int64_t k = 0; k < n; k++) {
      double d = c->in_type[0]->dtype == F32 ? ((const float *)lu)[k * n + k] : ((const double *)lu)[k * n + k];
      y = log_of ? y + log(fabs(d)) : y * d;
      if (d < 0) sign = -sign;
    }
    if (log_of && sign < 0 && y > -INFINITY) y = (double)NAN;
    if (!log_of) y = sign < 0 ? -fabs(y) : fabs(y);
    if (c->out_type->dtype == F32)
      ((float *)c->out)[u] = (float)y;
    else
      ((double *)c->out)[u] = y;
  }
  return true;
}
static bool det_run(KernelCall *c) { return diagonal_run(c, false); }
static bool logdet_run(KernelCall *c) { return diagonal_run(c, true); }
const OpKernels KERNELS_OF(linear_solve) = {.run = linear_solve_run};
const OpKernels KERNELS_OF(det) = {.run = det_run};
const OpKernels KERNELS_OF(logdet) = {.run = logdet_run};
#endif

#ifndef KERNELS
static const OpFault singular[] = {
    [FAULT_ALONE] = {NULL, "the matrix is singular: column {b} has no pivot, it depends on those before it", NULL},
    [FAULT_OF_BATCH] = {NULL, "matrix {a} of the batch is singular: column {b} has no pivot, it depends on those "
                              "before it", NULL},
};

const Op op_linear_solve = {
    .name = "linear_solve", .id = OP_linear_solve, .flags = OP_FAILS, .n_in = 2, .faults = singular,
    .args = "a, b, transposed:flag=false",
    .doc = "The matrix x with a @ x = b, or a' @ x = b; a is square.",
    .example = "linear_solve([[0, 2], [1, 1]], [[4], [5]])   # => [[3], [2]]",
    .samples = "f32[3,3]+3 f32[3,2]; 0 | f32[3,3]+3 f32[3,2]; 1 | f32[2,3,3]+3 f32[2,3,2]; 0 | f32[1,1]+3 f32[1,1]; 0"
               " | f32[5,5]+4 f32[5,1]; 0",
    .type = solves, .grad = solve_grad, .batch = batch_same, .units = matrix_units, .scratch = lu_scratch,
    .depends = depends_matrices,
    .cost = linear_cost,
};

static bool diagonal_type(TypeRule *r) {
  if (!is_square(r)) return false;
  r->y = type_make((DType)r->x[0]->dtype, r->x[0]->rank - 2, r->x[0]->dim);
  return true;
}

/* d logdet = inv(a)', d det = det inv(a)': a matrix without an inverse is a fault of linear_solve. */
static void diagonal_grad(Grad *d) {
  Graph *g = d->g;
  const Type *t = g->node[d->x[0]].type;
  NodeId by = g->node[d->y].op == &op_det ? g_op2(g, &op_mul, d->dy, d->y) : d->dy;
  Type one = *t;
  one.dim[one.rank - 1] = one.dim[one.rank - 2] = 1;
  NodeId eye = g_broadcast(g, identity(g, side(t, 1), (DType)t->dtype), t);
  NodeId inverse = g_attr(g, &op_linear_solve, (NodeId[]){d->x[0], eye}, 2, (int64_t[]){1}, 1);
  d->dx[0] = g_op2(g, &op_mul, inverse, g_broadcast(g, g_reshape(g, by, &one), t));
}

const Op op_det = {
    .name = "det", .id = OP_det, .n_in = 1, .args = "a",
    .doc = "The determinant of a square matrix. It has a derivative where the matrix has an inverse.",
    .example = "det([[1, 2], [3, 4]])   # => -2",
    .samples = "f32[3,3]+3 | f32[2,3,3]+3 | f32[1,1]+3 | f32[4,4]",
    .type = diagonal_type, .grad = diagonal_grad, .batch = batch_same, .units = matrix_units, .scratch = lu_scratch,
    .depends = depends_matrices,
    .cost = linear_cost,
};
const Op op_logdet = {
    .name = "logdet", .id = OP_logdet, .n_in = 1, .args = "a",
    .doc = "The logarithm of the determinant of a square matrix: -inf of a singular one, NaN where it is negative.",
    .example = "logdet([[2, 0], [0, 3]])   # => 1.79176",
    .samples = "f32[3,3]+6 | f32[2,3,3]+6 | f32[1,1]+3",
    .type = diagonal_type, .grad = diagonal_grad, .batch = batch_same, .units = matrix_units, .scratch = lu_scratch,
    .depends = depends_matrices,
    .cost = linear_cost,
};
#endif

/* ---- cholesky: the lower triangle l with l @ l' = a ----
 * Of the symmetric part (a + a') / 2, which is a itself where that is meant, so that the derivative is by all of a. */

#ifdef KERNELS
/* Row by row (Golub and Van Loan, 4.2). False: *row is where the leading matrix stops being positive definite. */
#define CHOLESKY(name, T)                                                             \
  static bool name(T *l, const T *a, int64_t n, int64_t *row, double *pivot) {        \
    for (int64_t i = 0; i < n; i++) {                                                 \
      for (int64_t j = 0; j <= i; j++) {                                              \
        T s = (a[i * n + j] + a[j * n + i]) / 2;                                      \
        for (int64_t k = 0; k < j; k++) s -= l[i * n + k] * l[j * n + k];             \
        if (i == j && s <= 0) {                                                       \
          *row = i;                                                                   \
          *pivot = (double)s;                                                         \
          return false;                                                               \
        }                                                                             \
        l[i * n + j] = i == j ? (T)sqrt(s) : s / l[j * n + j];                        \
      }                                                                               \
      for (int64_t j = i + 1; j < n; j++) l[i * n + j] = 0;                           \
    }                                                                                 \
    return true;                                                                      \
  }
CHOLESKY(cholesky_f32, float)
CHOLESKY(cholesky_f64, double)

static bool cholesky_run(KernelCall *c) {
  int64_t n = side(c->out_type, 1), bytes = n * n * dtype_size[c->out_type->dtype], row = 0;
  double pivot = 0;
  for (int64_t u = c->begin; u < c->end; u++) {
    void *l = (char *)c->out + u * bytes;
    const void *a = (const char *)c->in[0] + u * bytes;
    bool ok = c->out_type->dtype == F32 ? cholesky_f32(l, a, n, &row, &pivot) : cholesky_f64(l, a, n, &row, &pivot);
    if (!ok) return no_answer(c, u, row, pivot);
  }
  return true;
}
const OpKernels KERNELS_OF(cholesky) = {.run = cholesky_run};
#else
static bool cholesky_type(TypeRule *r) {
  r->y = *r->x[0];
  return is_square(r);
}

/* With l = y and half(m) the lower triangle of m, half of its diagonal: da is the symmetric part of
 * l^-T half(l' dl) l^-1 (Murray 2016, eq. 10). */
static void cholesky_grad(Grad *d) {
  Graph *g = d->g;
  int64_t lower[] = {0, 1}, below = -1;
  NodeId m = product_of(g, d->y, d->dy, true, false);
  NodeId half = g_op2(g, &op_add, g_attr(g, &op_tril, &m, 1, (int64_t[]){0}, 1), g_attr(g, &op_tril, &m, 1, &below, 1));
  NodeId left = g_attr(g, &op_substitute, (NodeId[]){d->y, times_number(g, half, 0.5)}, 2, lower, 2);
  NodeId both = g_attr(g, &op_substitute, (NodeId[]){d->y, turned(g, left)}, 2, lower, 2);
  d->dx[0] = times_number(g, g_op2(g, &op_add, both, turned(g, both)), 0.5);
}

#define NOT_DEFINITE "is not positive definite: with row and column {b} the pivot is {v}, and has to be above 0"
static const OpFault not_definite[] = {
    [FAULT_ALONE] = {NULL, "the matrix " NOT_DEFINITE, "a small number on the diagonal helps: `a + 1e-6 * eye(n)`"},
    [FAULT_OF_BATCH] = {NULL, "matrix {a} of the batch " NOT_DEFINITE,
                        "a small number on the diagonals helps: `a + 1e-6 * eye(n)`"},
};

const Op op_cholesky = {
    .name = "cholesky", .id = OP_cholesky, .flags = OP_FAILS, .n_in = 1, .args = "a", .faults = not_definite,
    .doc = "The lower triangle l with l @ l' = a, a symmetric and positive definite. Of another matrix its symmetric "
           "part (a + a') / 2 is taken.",
    .example = "cholesky([[4, 2], [2, 5]])   # => [[2, 0], [1, 2]]",
    .samples = "f32[3,3]+6 | f32[2,4,4]+8 | f32[1,1]+3",
    .type = cholesky_type, .grad = cholesky_grad, .batch = batch_same, .units = matrix_units, .cost = linear_cost,
    .depends = depends_matrices,
};
#endif
