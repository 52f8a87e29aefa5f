/* matmul: the product of matrices, as NumPy's matmul. In: x [.., M, K] and y [.., K, N]; a vector x is a row, a
 * vector y a column, which the result lacks. Leading (batch) axes are equal, or one side has none (the language
 * emits broadcasts for anything else). attr->i = {x transposed, y transposed}, or nothing: with them x is [.., K, M]
 * and y [.., N, K], so that a gradient is three products and no copy.
 *
 * Work is shared out by blocks of the result, whose number depends on the shape only; see tile_kernel.h for why an
 * element's bits depend on K alone.
 */
#include <string.h>
#include "ops/matrix.h"

enum { PRODUCT_ROWS = 64, PRODUCT_COLUMNS = 512, UNIT_COLUMNS = 64, PRODUCT_K = 256, PRODUCT_SMALL = 160,
       LINE_ROWS = 4096, LINE_DOTS = 512 };

typedef struct Product {
  int64_t batch, m, n, k, a_step, b_step;   /* steps from one batch to the next, in elements; 0: the same again */
  int64_t lda, kc, row_blocks, column_blocks;
  int64_t panel;             /* columns of B that are packed at once */
  bool ta, tb;
} Product;

static inline bool flag(const Attr *a, uint32_t k) { return a->n == 2 && a->i[k]; }

static inline void product_make(Product *p, const KernelCall *c) {
  const Type *x = c->in_type[0], *y = c->in_type[1];
  bool ta = flag(c->attr, 0), tb = flag(c->attr, 1);
  p->batch = p->m = p->n = 1;            /* each field is set: to clear the whole costs more than a tiny product */
  p->a_step = p->b_step = 0;
  p->ta = ta;
  p->tb = tb;
  if (x->rank > 1) p->m = x->dim[x->rank - (ta ? 1 : 2)];
  if (y->rank > 1) p->n = y->dim[y->rank - (tb ? 2 : 1)];
  p->k = x->dim[x->rank - (x->rank > 1 && ta ? 2 : 1)];
  const Type *big = x->rank >= y->rank ? x : y;
  for (int k = 0; k + 2 < big->rank; k++) p->batch *= big->dim[k];
  if (x->rank > 2) p->a_step = p->m * p->k;
  if (y->rank > 2) p->b_step = p->n * p->k;
  if (x->rank > 2 && y->rank <= 2 && !ta) {   /* one tall product */
    p->m *= p->batch;
    p->batch = 1;
  }
  if (p->n == 1 && p->batch == 1 && p->m > 1) {   /* a column is computed as the row of the transposed product */
    p->n = p->m;
    p->m = 1;
    p->ta = false;
    p->tb = !ta;
  }
  p->lda = p->k;
  int64_t blocks = (p->k + PRODUCT_K - 1) / PRODUCT_K;
  p->kc = blocks ? (p->k + blocks - 1) / blocks : 0;
  p->row_blocks = (p->m + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
  p->column_blocks = (p->n + UNIT_COLUMNS - 1) / UNIT_COLUMNS;
  p->panel = p->column_blocks * UNIT_COLUMNS < PRODUCT_COLUMNS ? p->column_blocks * UNIT_COLUMNS : PRODUCT_COLUMNS;
}

#ifndef KERNELS
static int64_t matmul_units(const KernelCall *c) {
  Product p;
  product_make(&p, c);
  return p.batch * p.row_blocks * p.column_blocks;
}

static size_t matmul_scratch(const KernelCall *c) {
  Product p;
  product_make(&p, c);
  size_t size = dtype_size[c->out_type->dtype];
  if (c->out_type->dtype == I32) return 0;
  return size * (size_t)(p.kc * (p.panel + (p.ta ? PRODUCT_ROWS + 16 : 0))) + 64;
}

static Cost matmul_cost(const KernelCall *c) {
  Product p;
  product_make(&p, c);
  return (Cost){.flops = 2 * (double)p.batch * (double)p.m * (double)p.n * (double)p.k,
                .bytes = (double)type_bytes(c->in_type[0]) + (double)type_bytes(c->in_type[1]) +
                         (double)type_bytes(c->out_type)};
}
#endif

#ifdef KERNELS

#define EACH_FLOAT "ops/matmul_kernel.h"
#include "ops/each_float.h"

/* Whole numbers wrap, so any order gives the same; rows of y are added up (the axpy order). */
static void i32_rect(const Product *p, const void *pa, const void *pb, void *pc, int64_t i0, int64_t i1, int64_t j0,
                     int64_t j1, void *scratch) {
  const uint32_t *a = pa, *b = pb;
  uint32_t *c = pc;
  (void)scratch;
  for (int64_t i = i0; i < i1; i++) {
    uint32_t *restrict row = c + i * p->n;
    for (int64_t j = j0; j < j1; j++) row[j] = 0;
    for (int64_t k = 0; k < p->k; k++) {
      uint32_t s = p->ta ? a[k * p->m + i] : a[i * p->k + k];
      if (p->tb)
        for (int64_t j = j0; j < j1; j++) row[j] += s * b[j * p->k + k];
      else
        for (int64_t j = j0; j < j1; j++) row[j] += s * b[k * p->n + j];
    }
  }
}

/* Whether product_make turned a column into a row: the operands change places. */
static bool product_swapped(const Product *p, const KernelCall *c) {
  const Type *y = c->in_type[1];
  return p->m == 1 && p->n > 1 && (y->rank == 1 || y->dim[y->rank - (flag(c->attr, 1) ? 2 : 1)] == 1);
}

/* Units run down a column of blocks, then to the next one; where A is packed, along a row of them, so that a strip of
 * A is packed for as many columns as there are. A range of units is at most a part of a line, whole lines as one
 * rectangle, and a part of a line. */
static bool matmul_run(KernelCall *c) {
  Product p;
  product_make(&p, c);
  bool swap = product_swapped(&p, c);
  if (p.batch == 1 && p.m * p.n * p.k <= PRODUCT_SMALL && c->out_type->dtype != I32) {
    (c->out_type->dtype == F32 ? f32_small : f64_small)(&p, c->in[swap], c->in[!swap], c->out);
    return true;
  }
  int64_t size = dtype_size[c->out_type->dtype], each = p.row_blocks * p.column_blocks;
  int64_t line = p.ta ? p.column_blocks : p.row_blocks;
  void (*rect)(const Product *, const void *, const void *, void *, int64_t, int64_t, int64_t, int64_t, void *) =
      c->out_type->dtype == F32 ? f32_rect : c->out_type->dtype == F64 ? f64_rect : i32_rect;
  char *scratch = c->scratch;
  if (scratch) scratch += (64 - (uintptr_t)scratch % 64) % 64;
  for (int64_t u = c->begin; u < c->end;) {
    int64_t batch = u / each, in = u % each, left = c->end - u < each - in ? c->end - u : each - in;
    int64_t at = in % line, lines = at == 0 && left >= line ? left / line : 1;
    int64_t some = lines > 1 || left >= line - at ? line - at : left;
    int64_t row = p.ta ? in / line : at, rows = p.ta ? lines : some;
    int64_t column = p.ta ? at : in / line, columns = p.ta ? some : lines;
    int64_t i1 = (row + rows) * PRODUCT_ROWS, j1 = (column + columns) * UNIT_COLUMNS;
    const char *a = (const char *)c->in[swap] + (swap ? 0 : batch * p.a_step * size);
    const char *b = (const char *)c->in[!swap] + (swap ? 0 : batch * p.b_step * size);
    rect(&p, a, b, (char *)c->out + batch * p.m * p.n * size, row * PRODUCT_ROWS, i1 < p.m ? i1 : p.m,
         column * UNIT_COLUMNS, j1 < p.n ? j1 : p.n, scratch);
    u += rows * columns;
  }
  return true;
}

/* shape: {m, n, k, then the steps in a of a row and of k, in b of a column and of k, which operand is a}. */
static InstrKernel matmul_line(const KernelCall *c, int64_t *shape) {
  Product p;
  product_make(&p, c);
  bool f32 = c->out_type->dtype == F32, dots = p.tb && p.k > 1;
  int64_t most = dots ? LINE_DOTS : LINE_ROWS;
  if (c->out_type->dtype == I32 || p.batch != 1 || p.k > PRODUCT_K) return NULL;
  if (p.m > most || p.n > most || p.m * p.n > most || p.m * p.n * p.k > most) return NULL;
  const int64_t s[LINE_SHAPE] = {p.m, p.n, p.k, p.ta ? 1 : p.k, p.ta ? p.m : 1, p.tb ? p.k : 1, p.tb ? 1 : p.n,
                                 product_swapped(&p, c)};
  memcpy(shape, s, sizeof s);
  if (dots) return f32 ? f32_line_dots : f64_line_dots;
  return f32 ? f32_line_rows : f64_line_rows;
}
const OpKernels KERNELS_OF(matmul) = {.run = matmul_run, .line = matmul_line};
#else

static bool matmul_type(TypeRule *r) {
  const Type *x = r->x[0], *y = r->x[1];
  Arena *a = r->g->arena;
  if (x->rank == 0 || y->rank == 0)
    return refuse_coded(r, "E1109", BAD_RANK, 0, 1, "a number times a tensor is `*`",
                     "`@` multiplies matrices and vectors, but one side is a number");
  if (!one_dtype(r, 0, 1)) return false;
  if (dtype_sum[x->dtype] != x->dtype)
    return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)` or `i32(...)`", "`@` does not multiply %s",
                  type_show(a, x));
  bool ta = flag(r->attr, 0), tb = flag(r->attr, 1);
  if ((ta && x->rank < 2) || (tb && y->rank < 2))
    return refuse(r, BAD_RANK, ta && x->rank < 2 ? 0 : 1, -1, NULL, "a vector has no transpose");
  int64_t kx = x->dim[x->rank - (ta ? 2 : 1)], ky = y->rank == 1 ? y->dim[0] : y->dim[y->rank - (tb ? 1 : 2)];
  if (kx != ky) {
    bool turned = y->rank == 2 && !tb && y->dim[1] == kx;
    return refuse(r, BAD_INNER, 0, 1, turned ? "the right side fits when transposed: write `'` after it" : NULL,
                  "`@` needs the left columns to match the right rows, but %lld is not %lld", (long long)kx,
                  (long long)ky);
  }
  int bx = x->rank > 2 ? x->rank - 2 : 0, by = y->rank > 2 ? y->rank - 2 : 0;
  bool ok = !bx || !by || bx == by;
  for (int k = 0; ok && bx && by && k < bx; k++) ok = x->dim[k] == y->dim[k];
  if (!ok)
    return refuse(r, BAD_BATCH, 0, 1, "the axes before the last two are equal, or left out on one side",
                  "`@` cannot match the leading axes of %s and %s", shape_show(a, x), shape_show(a, y));
  const Type *lead = bx ? x : y;
  r->y = (Type){.dtype = x->dtype};
  for (int k = 0; k < (bx ? bx : by); k++) r->y.dim[r->y.rank++] = lead->dim[k];
  if (x->rank > 1) r->y.dim[r->y.rank++] = x->dim[x->rank - (ta ? 1 : 2)];
  if (y->rank > 1) r->y.dim[r->y.rank++] = y->dim[y->rank - (tb ? 2 : 1)];
  return true;
}

/* n as a matrix of all its rows. */
static NodeId flat_rows(Graph *g, NodeId n) {
  Type t = *g->node[n].type, m = {.dtype = t.dtype, .rank = 2, .dim = {1, t.dim[t.rank - 1]}};
  for (int k = 0; k + 1 < t.rank; k++) m.dim[0] *= t.dim[k];
  return g_reshape(g, n, &m);
}

static void matmul_grad(Grad *d) {
  Graph *g = d->g;
  Type tx = *g->node[d->x[0]].type, ty = *g->node[d->x[1]].type, tz = *g->node[d->dy].type;
  bool ta = flag(d->attr, 0), tb = flag(d->attr, 1);
  Type mx = tx, my = ty, mz = {.dtype = tz.dtype};
  if (tx.rank == 1) mx = (Type){.dtype = tx.dtype, .rank = 2, .dim = {1, tx.dim[0]}};
  if (ty.rank == 1) my = (Type){.dtype = ty.dtype, .rank = 2, .dim = {ty.dim[0], 1}};
  const Type *lead = mx.rank > 2 ? &mx : &my;
  for (int k = 0; k + 2 < lead->rank; k++) mz.dim[mz.rank++] = lead->dim[k];
  mz.dim[mz.rank++] = mx.dim[mx.rank - (ta ? 1 : 2)];
  mz.dim[mz.rank++] = my.dim[my.rank - (tb ? 2 : 1)];
  NodeId x = g_reshape(g, d->x[0], &mx), y = g_reshape(g, d->x[1], &my), dz = g_reshape(g, d->dy, &mz);
  if (d->wanted[0]) {
    NodeId dx = ta ? product_of(g, y, dz, tb, true) : product_of(g, dz, y, false, !tb);
    d->dx[0] = g_reshape(g, g_sum_to(g, dx, &mx), &tx);
  }
  if (d->wanted[1]) {
    bool tall = mx.rank > 2 && my.rank == 2 && !ta;   /* the batch is more rows: one product instead of a sum of them */
    NodeId fx = tall ? flat_rows(g, x) : x, fz = tall ? flat_rows(g, dz) : dz;
    NodeId dy = tb ? product_of(g, fz, fx, true, ta) : product_of(g, fx, fz, !ta, false);
    d->dx[1] = g_reshape(g, g_sum_to(g, dy, &my), &ty);
  }
}

/* Vectors become matrices; where only one side has the axis, the other is the same for all, unless leading axes of the
 * element stand between, which both sides then have. */
static NodeId matmul_batch(Batch *b) {
  Graph *g = b->g;
  bool t[2] = {flag(b->node->attr, 0), flag(b->node->attr, 1)}, led = false;
  Type m[2];
  NodeId x[2];
  for (int k = 0; k < 2; k++) {   /* without the axis: as matrices */
    m[k] = *g->node[b->x[k]].type;
    if (b->has[k]) m[k] = type_make((DType)m[k].dtype, m[k].rank - 1, m[k].dim + 1);
    if (m[k].rank == 1)
      m[k] = (Type){.dtype = m[k].dtype, .rank = 2, .dim = {k ? m[k].dim[0] : 1, k ? 1 : m[k].dim[0]}};
    led |= m[k].rank > 2;
  }
  const Type *lead = m[0].rank > 2 ? &m[0] : &m[1];
  for (int k = 0; k < 2; k++) {
    Type full = b->has[k] ? batch_type(&m[k], b->size) : m[k];
    x[k] = g_reshape(g, b->x[k], &full);
    bool bare = m[k].rank == 2 && led;   /* the other side has axes of its own */
    if (!bare && (b->has[k] || !led)) continue;
    Type whole = batch_type(lead, b->size), ones = whole;
    for (int j = 0; j < 2; j++)
      whole.dim[whole.rank - 1 - j] = ones.dim[ones.rank - 1 - j] = m[k].dim[m[k].rank - 1 - j];
    if (bare) {
      if (!b->has[k]) continue;          /* a plain matrix meets any batch */
      for (int j = 1; j + 2 < ones.rank; j++) ones.dim[j] = 1;
      x[k] = g_reshape(g, x[k], &ones);
    }
    x[k] = g_broadcast(g, x[k], &whole);
  }
  Type y = batch_type(b->node->type, b->size);
  return g_reshape(g, product_of(g, x[0], x[1], t[0], t[1]), &y);
}

static void matmul_depends(Depends *d) {
  const Attr *a = d->node->attr;
  int rank[2], batch = 0, to[MAX_RANK];
  for (int k = 0; k < 2; k++) {
    rank[k] = d->g->node[d->node->in[k]].type->rank;
    if (rank[k] - 2 > batch) batch = rank[k] - 2;
  }
  for (uint32_t k = 0; k < 2; k++) {
    int last = rank[k] - 1, kept = (int)k ^ (a->n > k && a->i[k]) ? last : last - 1;   /* the axis that is not summed */
    for (int j = 0; j <= last; j++) to[j] = j < last - 1 ? j : -1;
    if (rank[k] > 1) to[kept] = batch + (k && rank[0] > 1);
    depends_axes(d, k, to);
  }
}

const Op op_matmul = {
    .name = "matmul", .id = OP_matmul, .flags = OP_STORES, .n_in = 2, .args = "x, y",
    .sign = "@", .form = "x'0 @ y'1",
    .doc = "The product of matrices, `x @ y`; leading axes are a batch, a vector is a row (left) or a column (right).",
    .example = "[[1, 2], [3, 4]] @ [5, 6]   # => [17, 39]",
    .samples = "f32[3,4] f32[4,3] | f32[3] f32[3,4] | f32[3,4] f32[4] | f32[4] f32[4] | f32[2,3,4] f32[4,3]"
               " | f32[3,4] f32[2,4,3] | f32[2,3,2,4] f32[2,3,4,2] | f32[3,4] f32[3,2]; 1 0"
               " | f32[3,4] f32[2,4]; 0 1 | f32[3,4] f32[2,3]; 1 1 | f32[2,3,4] f32[2,3,2]; 1 0"
               " | f32[2,3,4] f32[2,4]; 0 1 | i32[3,4] i32[4,3]",
    .type = matmul_type, .grad = matmul_grad, .batch = matmul_batch, .depends = matmul_depends,
    .units = matmul_units, .scratch = matmul_scratch,
    .cost = matmul_cost,
    .js = "const u = X.length < 2 ? [1, X[0]] : X, v = Y.length < 2 ? [Y[0], 1] : Y, [M, K] = a[0] ? "
          "[u.at(-1), u.at(-2)] : u.slice(-2), N = a[1] ? v.at(-2) : v.at(-1); for (let b = 0, k = 0; k < "
          "o.length; b++) { const p = X.length > 2 ? b * M * K : 0, q = Y.length > 2 ? b * K * N : 0; for (let "
          "i = 0; i < M; i++) for (let j = 0; j < N; j++, k++) for (let l = 0; l < K; l++) o[k] += x[p + (a[0] "
          "? l * M + i : i * K + l)] * y[q + (a[1] ? j * K + l : l * N + j)]; }",
};
#endif
