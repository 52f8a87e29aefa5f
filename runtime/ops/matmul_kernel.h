/* matmul_kernel: the product of one element type by register tiles, included once for f32 and once for f64.
 * In: T (elements), M_(name) (names), V (a vector of T), VW (its elements), MR (rows of a tile), FMA, SPLAT, LOAD,
 * STORE. Out: M_(rect)(Product *, rows, columns): a rectangle of the result.
 *
 * A tile is MR rows by two vectors of columns, held in registers over a block of K. Every element is a sum from zero in
 * the order of k within each block of `kc`, blocks added in order; kc depends on K alone. So an element's bits depend
 * neither on where it lies nor on how rows and columns are shared out. Edges compute the same tile, padded, and keep a
 * part of it.
 */
enum { M_(NR) = 2 * VW };

/* acc += a(MR rows, at row[r] + k * step) * b(k), then to c: set, or added to what stands there. The accumulators have
 * names of their own, row by row: an array of them would go through memory. What is not below `rows` and `vectors`,
 * which are known where this is inlined, falls away. */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)
#define ROW_BEGIN(r) V acc##r##_0 = SPLAT(0), acc##r##_1 = acc##r##_0; const T *a##r = (r) < rows ? row[(r) % MR] : 0;
#define ROW_STEP(r)                                        \
  if ((r) < rows) {                                        \
    V s = SPLAT(a##r[k * step]);                           \
    acc##r##_0 = FMA(s, x0, acc##r##_0);                   \
    if (vectors == 2) acc##r##_1 = FMA(s, x1, acc##r##_1); \
  }
#define ROW_END(r)                                                                              \
  if ((r) < rows) {                                                                             \
    T *to = c + (r) * ldc;                                                                      \
    STORE(to, add ? LOAD(to) + acc##r##_0 : acc##r##_0);                                        \
    if (vectors == 2) STORE(to + VW, add ? LOAD(to + VW) + acc##r##_1 : acc##r##_1);            \
  }
static inline __attribute__((always_inline)) void M_(tile)(int rows, int vectors, const T *const *row, int64_t step,
                                                            const T *b, int64_t ldb, int64_t kc, T *c, int64_t ldc,
                                                            bool add) {
  EACH_ROW(ROW_BEGIN)
  for (int64_t k = 0; k < kc; k++, b += ldb) {
    V x0 = LOAD(b), x1 = vectors == 2 ? LOAD(b + VW) : x0;
    EACH_ROW(ROW_STEP)
  }
  EACH_ROW(ROW_END)
}
#undef EACH_ROW
#undef ROW_BEGIN
#undef ROW_STEP
#undef ROW_END

/* The shapes of tile that are compiled: all rows or few, two vectors or one; A as rows (step 1) or packed (step MR). */
#define TILE(name, rows, vectors, step)                                                                          \
  static void name(const T *const *row, const T *b, int64_t ldb, int64_t kc, T *c, int64_t ldc, bool add) {      \
    M_(tile)(rows, vectors, row, step, b, ldb, kc, c, ldc, add);                                                 \
  }
TILE(M_(tile_full), MR, 2, 1)
TILE(M_(tile_full_1), MR, 1, 1)
TILE(M_(tile_4), 4, 2, 1)
TILE(M_(tile_4_1), 4, 1, 1)
TILE(M_(tile_2), 2, 2, 1)
TILE(M_(tile_2_1), 2, 1, 1)
TILE(M_(tile_1), 1, 2, 1)
TILE(M_(tile_1_1), 1, 1, 1)
TILE(M_(tile_packed), MR, 2, MR)
TILE(M_(tile_packed_1), MR, 1, MR)
#undef TILE
typedef void (*M_(Tile))(const T *const *row, const T *b, int64_t ldb, int64_t kc, T *c, int64_t ldc, bool add);

/* VW rows of VW elements, turned: round s swaps the halves of 2s-blocks. */
static inline void M_(turn)(const T *x, int64_t ldx, T *y) {
#ifdef TURN
  V r[VW];
  for (int k = 0; k < VW; k++) r[k] = LOAD(x + k * ldx);
  TURN(r);
  for (int k = 0; k < VW; k++) STORE(y + k * M_(NR), r[k]);
#else
  for (int j = 0; j < VW; j++)
    for (int k = 0; k < VW; k++) y[k * M_(NR) + j] = x[j * ldx + k];
#endif
}

/* A panel of B: kc rows of NR columns, zeros from `width` on. b is at (k, j): stored [k][j], or [j][k] if turned.
 * `left` is how many elements may be read from b on: a whole vector is read where only its head is wanted, but not
 * past the end. */
static void M_(pack_b)(const T *b, int64_t ldb, bool turned, int64_t left, int64_t kc, int64_t width, T *to) {
  enum { NR = M_(NR) };
  if (!turned) {
    for (int64_t k = 0; k < kc; k++, b += ldb, to += NR, left -= ldb) {
      if (left >= NR) {
        for (int v = 0; v < 2; v++) STORE(to + v * VW, LOAD(b + v * VW));
      } else {
        for (int64_t j = 0; j < width; j++) to[j] = b[j];
        for (int64_t j = width; j < NR; j++) to[j] = 0;
      }
    }
    return;
  }
  int64_t whole = kc / VW * VW;
  for (int64_t j = 0; j < NR; j += VW) {
    int64_t some = width - j < 0 ? 0 : width - j < VW ? width - j : VW;
    int64_t k = 0;
    if (some == VW)
      for (; k < whole; k += VW) M_(turn)(b + j * ldb + k, ldb, to + k * NR + j);
    for (; k < kc; k++) {
      for (int64_t l = 0; l < some; l++) to[k * NR + j + l] = b[(j + l) * ldb + k];
      for (int64_t l = some; l < VW; l++) to[k * NR + j + l] = 0;
    }
  }
}

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

/* Rows i..i+rows of one panel of columns. */
static void M_(strip)(const Product *p, const T *a, const T *packed_a, int64_t rows, int64_t kc, const T *b,
                      int64_t ldb, T *c, int64_t width, bool add) {
  enum { NR = M_(NR) };
  bool one = width <= VW;
  int64_t whole = one ? VW : NR;
  T edge[MR * NR] __attribute__((aligned(64)));
  for (int64_t i = 0; i < rows;) {
    int64_t left = rows - i;
    const T *row[MR];
    M_(Tile) tile;
    int height;
    if (packed_a) {
      height = MR;
      tile = one ? M_(tile_packed_1) : M_(tile_packed);
      for (int r = 0; r < MR; r++) row[r] = packed_a + i * kc + r;
    } else {
      height = left > 4 ? MR : left > 2 ? 4 : left == 2 ? 2 : 1;
      tile = height == 1 ? (one ? M_(tile_1_1) : M_(tile_1)) : height == 2 ? (one ? M_(tile_2_1) : M_(tile_2))
           : height == 4 && MR != 4 ? (one ? M_(tile_4_1) : M_(tile_4)) : (one ? M_(tile_full_1) : M_(tile_full));
      for (int r = 0; r < height; r++) row[r] = a + (i + (r < left ? r : left - 1)) * p->lda;
    }
    T *to = c + i * p->n;
    int64_t kept = left < height ? left : height;
    if (kept == height && width == whole) {
      tile(row, b, ldb, kc, to, p->n, add);
    } else {
      tile(row, b, ldb, kc, edge, NR, false);
      for (int64_t r = 0; r < kept; r++)
        for (int64_t j = 0; j < width; j++)
          to[r * p->n + j] = add ? to[r * p->n + j] + edge[r * NR + j] : edge[r * NR + j];
    }
    i += height;
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
          M_(strip)(p, ak, p->ta ? pack_a : NULL, rows, kc, there ? bk + j : pack + (j - jc) * kc, there ? p->n : NR,
                    c + i * p->n + j, width, k > 0);
        }
      }
    }
  }
}
#undef T
#undef V
#undef VW
#undef MR
#undef FMA
#undef SPLAT
#undef LOAD
#undef STORE
#undef TURN
#undef M_
