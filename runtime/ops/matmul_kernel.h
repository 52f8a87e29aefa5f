/* matmul_kernel: M_(rect)(Product *, rows, columns), a rectangle of the result of a product, of one element type; see
 * each_float.h. K is cut in blocks of `kc`, which depends on K alone.
 */
/* A block of A as MR-row strips, k by k; a is at (i, k): stored [k][i] (turned) or [i][k]. */
static void M_(pack_a)(const T *a, int64_t lda, int64_t kc, int64_t rows, T *to) {
  for (int64_t i = 0; i < rows; i += MR, to += MR * kc) {
    int64_t some = rows - i < MR ? rows - i : MR;
    const T *from = a + i;
    if (some == MR)
      for (int64_t k = 0; k < kc; k++)
        for (int r = 0; r < MR; r++) to[k * MR + r] = from[k * lda + r];
    else
      for (int64_t k = 0; k < kc; k++)
        for (int r = 0; r < MR; r++) to[k * MR + r] = r < some ? from[k * lda + r] : 0;
  }
}

/* A product so small that calls would take longer than the sums; K is one block. */
static void M_(small)(const Product *p, const void *pa, const void *pb, void *pc) {
  const T *a = pa, *b = pb;
  T *c = pc;
  int64_t ai = p->ta ? 1 : p->k, ak = p->ta ? p->m : 1, bj = p->tb ? p->k : 1, bk = p->tb ? 1 : p->n;
  for (int64_t i = 0; i < p->m; i++, a += ai) {
    int64_t j = 0;
    for (; !p->tb && j + VW <= p->n; j += VW, c += VW) {
      V s = SPLAT(0);
      for (int64_t k = 0; k < p->k; k++) s = FMA(SPLAT(a[k * ak]), LOAD(b + j + k * bk), s);
      STORE(c, s);
    }
    for (; j < p->n; j++) {
      T s = 0;
      for (int64_t k = 0; k < p->k; k++) s = FMA1(a[k * ak], b[j * bj + k * bk], s);
      *c++ = s;
    }
  }
}

/* ---- instructions of a straight-line program, see matmul_line ---- */

/* `some` columns of `rows` rows of C at a time: S is a vector of them. */
#define LINE_COLUMNS(rows, S, Su, some, splat, fma)                                                           \
  for (; j + (some) <= n; j += (some)) {                                                                      \
    S sum[rows];                                                                                              \
    const T *x = a, *y = b + j;                                                                               \
    REGISTERS for (int r = 0; r < (rows); r++) sum[r] = splat(0);                                             \
    for (int64_t q = 0; q < k; q++, x += ak, y += bk) {                                                       \
      const S side = (S)(*(const Su *)y);                                                                     \
      REGISTERS for (int r = 0; r < (rows); r++) sum[r] = fma(splat(x[r * ai]), side, sum[r]);                \
    }                                                                                                         \
    REGISTERS for (int r = 0; r < (rows); r++) *(Su *)(c + r * n + j) = (Su)sum[r];                           \
  }
#define LINE_ROWS_OF(rows)                                                                                    \
  for (; row + (rows) <= m; row += (rows), a += (rows) * ai, c += (rows) * n) {                               \
    int64_t j = 0;                                                                                            \
    LINE_COLUMNS(rows, SHORT, SHORT_U, SHORT_BYTES / (int)sizeof(T), SHORT_SPLAT, SHORT_FMA)                  \
    LINE_COLUMNS(rows, QUARTER, QUARTER_U, 16 / (int)sizeof(T), QUARTER_SPLAT, QUARTER_FMA)                   \
    for (; j < n; j++)                                                                                        \
      REGISTERS for (int r = 0; r < (rows); r++) {                                                            \
        T sum = 0;                                                                                            \
        for (int64_t q = 0; q < k; q++) sum = FMA1(a[r * ai + q * ak], b[j + q * bk], sum);                   \
        c[r * n + j] = sum;                                                                                   \
      }                                                                                                       \
  }

/* Rows of B lie side by side. */
static void M_(line_rows)(const Instr *i) {
  const int64_t *s = i->more, m = s[0], n = s[1], k = s[2], ai = s[3], ak = s[4], bk = s[6];
  const T *a = i->in[s[7]], *b = i->in[!s[7]];
  T *c = i->out;
  int64_t row = 0;
  LINE_ROWS_OF(4)
  LINE_ROWS_OF(1)
}

/* Columns of B do. */
static void M_(line_dots)(const Instr *i) {
  const int64_t *s = i->more, m = s[0], n = s[1], k = s[2], ai = s[3], ak = s[4], bj = s[5];
  const T *a = i->in[s[7]], *b = i->in[!s[7]];
  T *c = i->out;
  for (int64_t row = 0; row < m; row++, a += ai, c += n) {
    int64_t j = 0;
    for (; j + 4 <= n; j += 4) {
      const T *x = a, *b0 = b + j * bj, *b1 = b0 + bj, *b2 = b1 + bj, *b3 = b2 + bj;
      T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (int64_t q = 0; q < k; q++, x += ak) {
        s0 = FMA1(*x, b0[q], s0);
        s1 = FMA1(*x, b1[q], s1);
        s2 = FMA1(*x, b2[q], s2);
        s3 = FMA1(*x, b3[q], s3);
      }
      c[j] = s0;
      c[j + 1] = s1;
      c[j + 2] = s2;
      c[j + 3] = s3;
    }
    for (; j < n; j++) {
      T sum = 0;
      for (int64_t q = 0; q < k; q++) sum = FMA1(a[q * ak], b[j * bj + q], sum);
      c[j] = sum;
    }
  }
}
#undef LINE_COLUMNS
#undef LINE_ROWS_OF

/* ---- one row: every element of B is used once, so it is read where it lies, in the order in which it lies ---- */

/* c (width columns, whole vectors) = or += a (kc) times B (kc rows, ldb apart). */
static void M_(row)(const T *a, const T *b, int64_t ldb, int64_t kc, T *c, int64_t width, bool add) {
  enum { MOST = 4096 / sizeof(T) };
  T sum[MOST] __attribute__((aligned(64)));
  for (int64_t j0 = 0; j0 < width; j0 += MOST, c += MOST) {
    int64_t n = width - j0 < MOST ? width - j0 : MOST, k = 0;
    const T *row = b + j0;
    for (int64_t j = 0; j < n; j++) sum[j] = 0;
    for (; k + 4 <= kc; k += 4, row += 4 * ldb) {
      V a0 = SPLAT(a[k]), a1 = SPLAT(a[k + 1]), a2 = SPLAT(a[k + 2]), a3 = SPLAT(a[k + 3]);
      for (int64_t j = 0; j < n; j += VW) {
        V s = FMA(a0, LOAD(row + j), LOAD(sum + j));
        s = FMA(a1, LOAD(row + ldb + j), s);
        s = FMA(a2, LOAD(row + 2 * ldb + j), s);
        STORE(sum + j, FMA(a3, LOAD(row + 3 * ldb + j), s));
      }
    }
    for (; k < kc; k++, row += ldb) {
      V a0 = SPLAT(a[k]);
      for (int64_t j = 0; j < n; j += VW) STORE(sum + j, FMA(a0, LOAD(row + j), LOAD(sum + j)));
    }
    for (int64_t j = 0; j < n; j += VW) STORE(c + j, add ? LOAD(c + j) + LOAD(sum + j) : LOAD(sum + j));
  }
}

#ifdef TURN
/* The same where B is stored turned: its columns are rows, ldb apart, of which VW are turned in registers at a time. */
static void M_(row_turned)(const T *a, const T *b, int64_t ldb, int64_t kc, T *c, int64_t width, bool add) {
  T last[VW * VW] __attribute__((aligned(64)));
  int64_t whole = kc / VW * VW, left = kc - whole;
  for (int64_t j = 0; j < width; j += VW, b += VW * ldb) {
    V sum = SPLAT(0), r[VW];
    for (int64_t k = 0; k < whole; k += VW) {
      REGISTERS for (int i = 0; i < VW; i++) r[i] = LOAD(b + i * ldb + k);
      TURN(r);
      REGISTERS for (int i = 0; i < VW; i++) sum = FMA(SPLAT(a[k + i]), r[i], sum);
    }
    for (int64_t i = 0; i < VW; i++)
      for (int64_t k = 0; k < left; k++) last[k * VW + i] = b[i * ldb + whole + k];
    for (int64_t k = 0; k < left; k++) sum = FMA(SPLAT(a[whole + k]), LOAD(last + k * VW), sum);
    STORE(c + j, add ? LOAD(c + j) + sum : sum);
  }
}
#endif

/* As many columns of a row from j0 on as are whole vectors; where the next one is. */
static int64_t M_(one_row)(const Product *p, const T *a, const T *b, T *c, int64_t j0, int64_t j1) {
  int64_t width = (j1 - j0) / VW * VW;
#ifndef TURN
  if (p->tb) return j0;
#endif
  if (width == 0) return j0;
  for (int64_t k = 0; k < p->k; k += p->kc) {
    int64_t kc = p->k - k < p->kc ? p->k - k : p->kc;
    if (!p->tb) M_(row)(a + k, b + k * p->n + j0, p->n, kc, c + j0, width, k > 0);
#ifdef TURN
    else M_(row_turned)(a + k, b + j0 * p->k + k, p->k, kc, c + j0, width, k > 0);
#endif
  }
  return j0 + width;
}

static void M_(rect)(const Product *p, const void *pa, const void *pb, void *pc, int64_t i0, int64_t i1, int64_t j0,
                     int64_t j1, void *scratch) {
  enum { NR = M_(NR) };
  const T *a = pa, *b = pb;
  T *c = pc, *pack = scratch, *pack_a = pack + p->panel * p->kc;
  int64_t rows_left = i1 - i0;
  if (p->k == 0) {
    for (int64_t i = i0; i < i1; i++)
      for (int64_t j = j0; j < j1; j++) c[i * p->n + j] = 0;
    return;
  }
  if (rows_left == 1 && (!p->ta || p->m == 1))
    j0 = M_(one_row)(p, a + i0 * p->k, b, c + i0 * p->n, j0, j1);
  for (int64_t jc = j0; jc < j1; jc += PRODUCT_COLUMNS) {
    int64_t jend = j1 - jc < PRODUCT_COLUMNS ? j1 : jc + PRODUCT_COLUMNS;
    for (int64_t k = 0; k < p->k; k += p->kc) {
      int64_t kc = p->k - k < p->kc ? p->k - k : p->kc;
      /* B is used where it lies if it is read only a few times, or is so small that its rows, which may all meet in
       * the same few lines of the cache, stay there nevertheless. */
      bool direct = !p->tb && (rows_left < 4 * MR || kc * p->n * (int64_t)sizeof(T) <= 16384);
      const T *bk = p->tb ? b + k : b + k * p->n;
      for (int64_t j = jc; j < jend; j += NR) {
        int64_t width = jend - j < NR ? jend - j : NR;
        if (direct && width == NR) continue;
        const T *from = p->tb ? bk + j * p->k : bk + j;
        M_(pack_b)(from, p->tb ? p->k : p->n, p->tb, (p->k - k) * p->n - j, kc, width, pack + (j - jc) * kc);
      }
      for (int64_t i = i0; i < i1; i += PRODUCT_ROWS) {
        int64_t rows = i1 - i < PRODUCT_ROWS ? i1 - i : PRODUCT_ROWS;
        const T *ak = p->ta ? a + k * p->m + i : a + i * p->k + k;
        if (p->ta) M_(pack_a)(ak, p->m, kc, rows, pack_a);
        for (int64_t j = jc; j < jend; j += NR) {
          int64_t width = jend - j < NR ? jend - j : NR;
          bool there = direct && width == NR;
          M_(strip)(ak, p->lda, p->ta ? pack_a : NULL, rows, kc, there ? bk + j : pack + (j - jc) * kc,
                    there ? p->n : NR, c + i * p->n + j, p->n, width, k > 0);
        }
      }
    }
  }
}
