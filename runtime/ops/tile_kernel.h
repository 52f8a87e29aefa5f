/* tile_kernel: the product of one element type by register tiles, included for f32 and for f64 (each_float.h).
 * In: T (elements), M_(name) (names), V (a vector of T), VW (its elements), MR (rows of a tile), FMA, SPLAT, LOAD,
 * STORE. Out: M_(NR), columns of a tile, M_(pack_b), and M_(strip), a product with one panel of NR columns.
 *
 * A tile is MR rows by two vectors of columns, held in registers over a block of K. Every element is a sum from zero in
 * the order of k within each block, blocks added in order. So an element's bits depend on how K is cut alone, neither
 * on where it lies nor on how rows and columns are shared out. Edges compute the same tile, padded, and keep a part.
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
  REGISTERS for (int k = 0; k < VW; k++) r[k] = LOAD(x + k * ldx);
  TURN(r);
  REGISTERS for (int k = 0; k < VW; k++) STORE(y + k * M_(NR), r[k]);
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

/* c (rows x width, ldc apart) = or += A (rows lda apart, or packed) times a panel of B. */
static void M_(strip)(const T *a, int64_t lda, const T *packed_a, int64_t rows, int64_t kc, const T *b, int64_t ldb,
                      T *c, int64_t ldc, int64_t width, bool add) {
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
      for (int r = 0; r < height; r++) row[r] = a + (i + (r < left ? r : left - 1)) * lda;
    }
    T *to = c + i * ldc;
    int64_t kept = left < height ? left : height;
    if (kept == height && width == whole) {
      tile(row, b, ldb, kc, to, ldc, add);
    } else {
      tile(row, b, ldb, kc, edge, NR, false);
      for (int64_t r = 0; r < kept; r++)
        for (int64_t j = 0; j < width; j++)
          to[r * ldc + j] = add ? to[r * ldc + j] + edge[r * NR + j] : edge[r * NR + j];
    }
    i += height;
  }
}
