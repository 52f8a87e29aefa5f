/* matmul: every form against the sum written out, batches, vectors, gradients, and the same bits however it is
 * shared out. */
#include "calc.h"

/* Element (i, j) of batch b by the definition, in f64. */
static double entry(const double *x, const double *y, int64_t m, int64_t n, int64_t k, bool ta, bool tb, int64_t i,
                    int64_t j) {
  double s = 0;
  for (int64_t p = 0; p < k; p++) s += (ta ? x[p * m + i] : x[i * k + p]) * (tb ? y[j * k + p] : y[p * n + j]);
  return s;
}

static bool product_right(DType d, int64_t m, int64_t n, int64_t k, bool ta, bool tb, bool parts) {
  volatile bool ok = true;
  Calc c = {.seed = (uint32_t)(m * 31 + n * 7 + k)};
  host_init(&c.host, NULL, NULL);
  if (!HOST_GUARD(&c.host, &c.guard)) return false;
  c.arena = arena_new(&c.host);
  c.g = graph_new(c.arena);
  NodeId x = ta ? numbers(&c, d, DIMS(k, m)) : numbers(&c, d, DIMS(m, k));
  NodeId y = tb ? numbers(&c, d, DIMS(n, k)) : numbers(&c, d, DIMS(k, n));
  NodeId z = make(&c, &op_matmul, (NodeId[]){x, y}, 2, INTS(ta, tb));
  if (parts && !same_in_parts(&c, z)) ok = false;
  double tol = d == F32 ? 1e-6 * (double)(k + 1) : 1e-13 * (double)(k + 1);
  const double *px = values_of(&c, x), *py = values_of(&c, y);
  for (int l = 0; l < 3; l++) {
    Tensor **v = NEW_N(c.arena, Tensor *, c.g->n);
    if (!level(l)) continue;
    calc_all(&c, level(l), v);
    for (int64_t i = 0; i < m && ok; i++)
      for (int64_t j = 0; j < n && ok; j++) {
        double want = entry(px, py, m, n, k, ta, tb, i, j);
        if (d == I32 ? tensor_get(v[z], i * n + j) != want : !(fabs(tensor_get(v[z], i * n + j) - want) <= tol)) {
          printf("  %s %lldx%lldx%lld %d%d %s at %lld, %lld: %g is not %g\n", dtype_name[d], (long long)m, (long long)n,
                 (long long)k, ta, tb, level(l)->level, (long long)i, (long long)j, tensor_get(v[z], i * n + j), want);
          ok = false;
        }
      }
    calc_drop(&c, v, NULL);
  }
  arena_free(c.arena);
  ok = ok && c.host.in_use == 0;
  host_leave(&c.host, &c.guard);
  return ok;
}

static void forms(void) {
  static const int64_t size[] = {1, 2, 3, 5, 8, 9, 16, 17, 31, 33, 65};
  enum { SIZES = sizeof size / sizeof *size };
  for (int form = 0; form < 4; form++)
    for (int a = 0; a < SIZES; a++)
      for (int b = 0; b < SIZES; b++) {
        int64_t k = size[(a * 3 + b * 5 + form) % SIZES];
        CU_ASSERT(product_right(F32, size[a], size[b], k, form & 1, form & 2, true));
        if ((a + b) % 3 == 0) CU_ASSERT(product_right(F64, size[a], size[b], k, form & 1, form & 2, true));
        if ((a + b) % 4 == 0) CU_ASSERT(product_right(I32, size[a], size[b], k, form & 1, form & 2, true));
      }
}

static void large(void) {
  for (int form = 0; form < 4; form++) {
    CU_ASSERT(product_right(F32, 70, 530, 300, form & 1, form & 2, true));
    CU_ASSERT(product_right(F32, 130, 64, 784, form & 1, form & 2, true));
    CU_ASSERT(product_right(F64, 67, 1030, 20, form & 1, form & 2, true));
    CU_ASSERT(product_right(F32, 300, 1, 513, form & 1, form & 2, true));
    CU_ASSERT(product_right(F32, 1, 300, 513, form & 1, form & 2, true));
  }
  CU_ASSERT(product_right(F32, 33, 1100, 5, false, false, true));
}

static void empties(void) {
  for (int form = 0; form < 4; form++) {
    CU_ASSERT(product_right(F32, 3, 4, 0, form & 1, form & 2, false));
    CU_ASSERT(product_right(F32, 0, 4, 3, form & 1, form & 2, false));
    CU_ASSERT(product_right(F32, 3, 0, 3, form & 1, form & 2, false));
    CU_ASSERT(product_right(I32, 3, 1, 0, form & 1, form & 2, false));
  }
}

/* An element's bits do not depend on how many rows or columns there are beside it. */
static void alone_or_among(void) {
  CALC(c);
  enum { M = 70, N = 90, K = 300 };
  NodeId x = numbers(&c, F32, DIMS(M, K)), y = numbers(&c, F32, DIMS(K, N));
  NodeId z = make(&c, &op_matmul, (NodeId[]){x, y}, 2, NULL, 0);
  const double *all = values_of(&c, z);
  for (int from = 0; from < 60; from += 7) {
    NodeId rows = make(&c, &op_slice, &x, 1, INTS(from, 9, 1, 0, K, 1));
    NodeId cols = make(&c, &op_slice, &y, 1, INTS(0, K, 1, from, 21, 1));
    const double *some = values_of(&c, make(&c, &op_matmul, (NodeId[]){rows, cols}, 2, NULL, 0));
    for (int i = 0; i < 9; i++)
      for (int j = 0; j < 21; j++) CU_ASSERT_EQUAL(some[i * 21 + j], all[(from + i) * N + from + j]);
  }
  CALC_END(c);
}

/* A row alone has the bits that it has in a batch of any size, whatever is transposed, at every level; and levels of
 * one class have the same bits. */
static void row_in_batch(DType d, bool ta, bool tb, int64_t k) {
  CALC(c);
  enum { MOST = 300, N = 37 };
  NodeId x = ta ? numbers(&c, d, DIMS(k, MOST)) : numbers(&c, d, DIMS(MOST, k));
  NodeId w = tb ? numbers(&c, d, DIMS(N, k)) : numbers(&c, d, DIMS(k, N)), z[MOST + 1];
  for (int64_t n = 1; n <= MOST; n++) {
    NodeId some = make(&c, &op_slice, &x, 1, ta ? (int64_t[]){0, k, 1, 0, n, 1} : (int64_t[]){0, n, 1, 0, k, 1}, 6);
    z[n] = make(&c, &op_matmul, (NodeId[]){some, w}, 2, INTS(ta, tb));
  }
  const char *class = "";
  Tensor *of_class = NULL;
  for (int l = 0; l < 3; l++) {
    if (!level(l)) continue;
    Tensor **v = NEW_N(c.arena, Tensor *, c.g->n);
    calc_all(&c, level(l), v);
    const Tensor *all = v[z[MOST]];
    for (int64_t n = 1; n < MOST; n++) CU_ASSERT(memcmp(v[z[n]]->data, all->data, v[z[n]]->bytes) == 0);
    if (of_class && strcmp(class, kernels_class(level(l))) == 0)
      CU_ASSERT(memcmp(of_class->data, all->data, all->bytes) == 0);
    tensor_unref(of_class);
    class = kernels_class(level(l));
    of_class = v[z[MOST]];
    calc_drop(&c, v, of_class);
  }
  tensor_unref(of_class);
  CALC_END(c);
}

static void rows_in_batches(void) {
  for (int form = 0; form < 4; form++)
    for (int k = 0; k < 2; k++) {
      row_in_batch(F32, form & 1, form & 2, k ? 5 : 300);
      row_in_batch(F64, form & 1, form & 2, k ? 5 : 300);
    }
}

static void batches(void) {
  CALC(c);
  NodeId a = numbers(&c, F64, DIMS(2, 3, 4, 5)), b = numbers(&c, F64, DIMS(2, 3, 5, 6));
  NodeId w = numbers(&c, F64, DIMS(5, 6));
  NodeId q = numbers(&c, F64, DIMS(4, 5)), v = numbers(&c, F64, DIMS(5));
  NodeId both = make(&c, &op_matmul, (NodeId[]){a, b}, 2, NULL, 0);
  NodeId right = make(&c, &op_matmul, (NodeId[]){a, w}, 2, NULL, 0);
  NodeId left = make(&c, &op_matmul, (NodeId[]){q, b}, 2, NULL, 0);
  NodeId col = make(&c, &op_matmul, (NodeId[]){a, v}, 2, NULL, 0);
  NodeId row = make(&c, &op_matmul, (NodeId[]){v, b}, 2, NULL, 0);
  NodeId dot = make(&c, &op_matmul, (NodeId[]){v, v}, 2, NULL, 0);
  const double *pa = values_of(&c, a), *pb = values_of(&c, b), *pw = values_of(&c, w), *pq = values_of(&c, q),
      *pv = values_of(&c, v);
  const double *z[5] = {values_of(&c, both), values_of(&c, right), values_of(&c, left), values_of(&c, col),
                        values_of(&c, row)};
  for (int k = 0; k < 6; k++)
    for (int i = 0; i < 4; i++) {
      CU_ASSERT_DOUBLE_EQUAL(z[3][k * 4 + i], entry(pa + k * 20, pv, 4, 1, 5, false, false, i, 0), 1e-12);
      for (int j = 0; j < 6; j++) {
        CU_ASSERT_DOUBLE_EQUAL(z[0][k * 24 + i * 6 + j], entry(pa + k * 20, pb + k * 30, 4, 6, 5, false, false, i, j),
                               1e-12);
        CU_ASSERT_DOUBLE_EQUAL(z[1][k * 24 + i * 6 + j], entry(pa + k * 20, pw, 4, 6, 5, false, false, i, j), 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(z[2][k * 24 + i * 6 + j], entry(pq, pb + k * 30, 4, 6, 5, false, false, i, j), 1e-12);
        CU_ASSERT_DOUBLE_EQUAL(z[4][k * 6 + j], entry(pv, pb + k * 30, 1, 6, 5, false, false, 0, j), 1e-12);
      }
    }
  CU_ASSERT_DOUBLE_EQUAL(values_of(&c, dot)[0], entry(pv, pv, 1, 1, 5, false, false, 0, 0), 1e-12);
  CU_ASSERT_EQUAL(c.g->node[dot].type->rank, 0);
  NodeId all[] = {both, right, left, col, row, dot};
  for (int k = 0; k < 6; k++) CU_ASSERT(same_in_parts(&c, all[k]));
  CALC_END(c);
}

static void slopes(void) {
  static const struct { int rx; int64_t x[3]; int ry; int64_t y[3]; int ta, tb; } form[] = {
      {2, {2, 3}, 2, {3, 2}, 0, 0}, {2, {3, 2}, 2, {3, 2}, 1, 0}, {2, {2, 3}, 2, {2, 3}, 0, 1},
      {2, {3, 2}, 2, {2, 3}, 1, 1}, {1, {3}, 2, {3, 2}, 0, 0}, {2, {2, 3}, 1, {3}, 0, 0},
      {1, {3}, 1, {3}, 0, 0}, {3, {2, 2, 3}, 2, {3, 2}, 0, 0}, {2, {2, 3}, 3, {2, 3, 2}, 0, 0},
      {3, {2, 2, 3}, 3, {2, 3, 2}, 0, 0}, {3, {2, 3, 2}, 2, {3, 2}, 1, 0}, {3, {2, 2, 3}, 1, {3}, 0, 0},
      {1, {3}, 3, {2, 3, 2}, 0, 0}, {3, {2, 2, 3}, 2, {2, 3}, 0, 1}, {3, {2, 2, 3}, 3, {2, 2, 3}, 0, 1},
  };
  for (size_t k = 0; k < sizeof form / sizeof *form; k++) {
    CALC(c);
    NodeId x = numbers(&c, F64, form[k].rx, form[k].x), y = numbers(&c, F64, form[k].ry, form[k].y);
    NodeId z = make(&c, &op_matmul, (NodeId[]){x, y}, 2, INTS(form[k].ta, form[k].tb));
    NodeId bent = g_op(c.g, &op_sin, z);
    CU_ASSERT(slopes_right(&c, bent, x));
    CU_ASSERT(slopes_right(&c, bent, y));
    CALC_END(c);
  }
}

static void refusals(void) {
  CALC(c);
  NodeId a = numbers(&c, F32, DIMS(4, 784)), b = numbers(&c, F32, DIMS(128, 10)), t = numbers(&c, F32, DIMS(10, 784));
  NodeId s = numbers(&c, F32, 0, NULL), d = numbers(&c, F64, DIMS(784, 2)), u = numbers(&c, U8, DIMS(784, 2));
  NodeId p = numbers(&c, F32, DIMS(2, 3, 4)), q = numbers(&c, F32, DIMS(5, 4, 3)), v = numbers(&c, U8, DIMS(2, 784));
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_matmul, (NodeId[]){a, b}, 2, NULL, 0),
                         "`@` needs the left columns to match the right rows, but 784 is not 128");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_matmul, (NodeId[]){a, s}, 2, NULL, 0),
                         "`@` multiplies matrices and vectors, but one side is a number");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_matmul, (NodeId[]){a, d}, 2, NULL, 0),
                         "`@` of f32 and f64");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_matmul, (NodeId[]){v, u}, 2, NULL, 0), "`@` does not multiply u8[2, 784]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_matmul, (NodeId[]){p, q}, 2, NULL, 0),
                         "`@` cannot match the leading axes of [2, 3, 4] and [5, 4, 3]");
  TypeError e;
  graph_emit(c.g, &op_matmul, (NodeId[]){a, t}, 2, NULL, 0, &e);
  CU_ASSERT_STRING_EQUAL(e.hint, "the right side fits when transposed: write `'` after it");
  CALC_END(c);
}

UNIT(TEST(forms), TEST(large), TEST(empties), TEST(alone_or_among), TEST(rows_in_batches),
     TEST(batches), TEST(slopes), TEST(refusals))
