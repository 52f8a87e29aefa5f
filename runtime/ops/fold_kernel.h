/* fold_kernel: the kernel of one reduction over one element type, included once for each.
 * In: F (its name), T (elements), A (results), FIRST (what a chunk begins with), EMPTY (the result of no elements),
 * STEP(a, x) (joins). Out: static bool F(KernelCall *).
 */
#define FOLD_CAT_(a, b) a##b
#define FOLD_CAT(a, b) FOLD_CAT_(a, b)

static A FOLD_CAT(F, _chunk)(const T *x, int64_t n) {
  A lane[FOLD_LANES];
  for (int l = 0; l < FOLD_LANES; l++) lane[l] = FIRST;
  int64_t k = 0;
  for (; k + FOLD_LANES <= n; k += FOLD_LANES)
    for (int l = 0; l < FOLD_LANES; l++) lane[l] = STEP(lane[l], (A)x[k + l]);
  for (int l = 0; k + l < n; l++) lane[l] = STEP(lane[l], (A)x[k + l]);
  if (n < FOLD_LANES) {   /* the lanes that are still FIRST change nothing */
    A sum = lane[0];
    for (int64_t l = 1; l < n; l++) sum = STEP(sum, lane[l]);
    return sum;
  }
  for (int w = FOLD_LANES / 2; w > 0; w /= 2)
    for (int l = 0; l < w; l++) lane[l] = STEP(lane[l], lane[l + w]);
  return lane[0];
}

static A FOLD_CAT(F, _row)(const Fold *f, const T *x) {
  A part[FOLD_LEVELS];
  int top = 0;
  uint64_t count = 0;
  for (int64_t run = 0; run < f->runs; run++) {
    const T *at = x + fold_place(f->n_reduced, f->reduced, f->reduced_stride, run);
    for (int64_t k = 0; k < f->rows; k += FOLD_CHUNK) {
      A v = FOLD_CAT(F, _chunk)(at + k, f->rows - k < FOLD_CHUNK ? f->rows - k : FOLD_CHUNK);
      for (uint64_t c = ++count; !(c & 1); c >>= 1) {
        top--;
        v = STEP(part[top], v);
      }
      part[top++] = v;
    }
  }
  if (top == 0) return EMPTY;
  A v = part[--top];
  while (top-- > 0) v = STEP(part[top], v);
  return v;
}

static void FOLD_CAT(F, _rows)(A *restrict to, const T *restrict x, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t j = 0; j < width; j++) to[j] = FIRST;
  for (int64_t k = 0; k < rows; k++) {
    const T *restrict row = x + k * stride;
    for (int64_t j = 0; j < width; j++) to[j] = STEP(to[j], (A)row[j]);
  }
}

static void FOLD_CAT(F, _columns)(const Fold *f, const T *x, A *out, int64_t width) {
  A part[FOLD_LEVELS][FOLD_WIDTH];
  int top = 0;
  uint64_t count = 0;
  for (int64_t run = 0; run < f->runs; run++) {
    const T *at = x + fold_place(f->n_reduced, f->reduced, f->reduced_stride, run);
    for (int64_t k = 0; k < f->rows; k += FOLD_ROWS) {
      FOLD_CAT(F, _rows)(part[top], at + k * f->stride, f->stride, f->rows - k < FOLD_ROWS ? f->rows - k : FOLD_ROWS,
                         width);
      top++;
      for (uint64_t c = ++count; !(c & 1); c >>= 1) {
        top--;
        for (int64_t j = 0; j < width; j++) part[top - 1][j] = STEP(part[top - 1][j], part[top][j]);
      }
    }
  }
  if (top == 0) {
    for (int64_t j = 0; j < width; j++) out[j] = EMPTY;
    return;
  }
  for (; top > 1; top--)
    for (int64_t j = 0; j < width; j++) part[top - 2][j] = STEP(part[top - 2][j], part[top - 1][j]);
  for (int64_t j = 0; j < width; j++) out[j] = part[0][j];
}

static bool F(KernelCall *c) {
  Fold f;
  fold_make(&f, c->in_type[0], c->attr);
  const T *x = c->in[0];
  A *out = c->out;
  int64_t blocks = fold_blocks(&f);
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t row = u / blocks, j = u % blocks * FOLD_WIDTH;
    const T *at = x + fold_place(f.n_kept, f.kept, f.kept_stride, row);
    if (f.columns)
      FOLD_CAT(F, _columns)(&f, at + j, out + row * f.width + j, f.width - j < FOLD_WIDTH ? f.width - j : FOLD_WIDTH);
    else
      out[row] = FOLD_CAT(F, _row)(&f, at);
  }
  return true;
}
/* The same of a few elements, see fold_line: the lanes of one short chunk, and one short run of rows. */
static void FOLD_CAT(F, _line_rows)(const Instr *i) {
  const int64_t *s = i->more, rows = s[1];
  const T *x = i->in[0];
  A *out = i->out;
  for (int64_t row = 0; row < s[0]; row++, x += rows) {
    A v = STEP((A)FIRST, (A)x[0]);
    for (int64_t k = 1; k < rows; k++) {
      const A lane = STEP((A)FIRST, (A)x[k]);
      v = STEP(v, lane);
    }
    out[row] = v;
  }
}

static void FOLD_CAT(F, _line_columns)(const Instr *i) {
  enum { SIDE = 8 };
  const int64_t *s = i->more, rows = s[1], width = s[2];
  const T *x = i->in[0];
  A *out = i->out;
  for (int64_t block = 0; block < s[0]; block++, x += rows * width, out += width) {
    int64_t j = 0;
    for (; j + SIDE <= width; j += SIDE) {
      A v[SIDE];
      for (int l = 0; l < SIDE; l++) v[l] = FIRST;
      for (int64_t k = 0; k < rows; k++)
        for (int l = 0; l < SIDE; l++) v[l] = STEP(v[l], (A)x[k * width + j + l]);
      for (int l = 0; l < SIDE; l++) out[j + l] = v[l];
    }
    for (; j < width; j++) {
      A v = FIRST;
      for (int64_t k = 0; k < rows; k++) v = STEP(v, (A)x[k * width + j]);
      out[j] = v;
    }
  }
}
#undef F
#undef T
#undef A
#undef FIRST
#undef EMPTY
#undef STEP
#undef FOLD_CAT
#undef FOLD_CAT_
