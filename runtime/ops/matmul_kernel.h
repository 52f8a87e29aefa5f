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
  for (int64_t jc = j0; jc < j1; jc += PRODUCT_COLUMNS) {
    int64_t jend = j1 - jc < PRODUCT_COLUMNS ? j1 : jc + PRODUCT_COLUMNS;
    for (int64_t k = 0; k < p->k; k += p->kc) {
      int64_t kc = p->k - k < p->kc ? p->k - k : p->kc;
      /* B is used where it lies if its rows are near each other or are read only a few times. */
      bool direct = !p->tb && (p->n <= 1024 || rows_left < 4 * MR);
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
