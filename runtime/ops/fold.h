/* fold: how a reduction walks a tensor. In: a shape and the axes that vanish. Out: neighbouring axes of one kind
 * merged, so that a reduction is one of two: rows (the reduced elements of a result lie side by side) or columns
 * (the results do).
 *
 * The order of a reduction is fixed by the shape: chunks from the start, each from its own zero, joined like a binary
 * counter (as pairwise summation does, so f32 keeps its digits over 1e7 elements). Threads share results out, never
 * the elements of one; so the bits are the same on any number of them.
 */
#ifndef RUNTIME_OPS_FOLD_H
#define RUNTIME_OPS_FOLD_H
#include "graph/op.h"

enum {
  FOLD_CHUNK = 4096,         /* elements of a row's chunk */
  FOLD_LANES = 64,           /* running results inside a chunk, joined by halves */
  FOLD_ROWS = 64,            /* rows of a column's chunk */
  FOLD_WIDTH = 128,          /* columns of one unit */
  FOLD_LEVELS = 44,          /* log2 of the most chunks, and some */
};

typedef struct Fold {
  bool columns;
  int n_kept, n_reduced;     /* axes around: results; reduced axes but the last one */
  int64_t kept[MAX_RANK], kept_stride[MAX_RANK], reduced[MAX_RANK], reduced_stride[MAX_RANK];
  int64_t outer, runs;       /* products of kept, of reduced */
  int64_t rows, stride;      /* the last reduced axis */
  int64_t width;             /* columns: results side by side */
} Fold;

/* attr->i = {how many axes, the axes ascending, keep} */
static inline bool fold_reduces(const Attr *a, int axis) {
  for (int64_t k = 0; k < a->i[0]; k++)
    if (a->i[1 + k] == axis) return true;
  return false;
}

static inline void fold_make(Fold *f, const Type *x, const Attr *a) {
  int64_t dim[MAX_RANK], stride[MAX_RANK], s = 1;
  bool red[MAX_RANK];
  int n = 0;
  for (int k = 0; k < x->rank; k++) {
    bool r = fold_reduces(a, k);
    if (x->dim[k] == 1) continue;
    if (n && red[n - 1] == r) {
      dim[n - 1] *= x->dim[k];
    } else {
      red[n] = r;
      dim[n++] = x->dim[k];
    }
  }
  for (int k = n; k-- > 0;) {
    stride[k] = s;
    s *= dim[k];
  }
  f->columns = false;
  f->n_kept = f->n_reduced = 0;          /* of the arrays what is below these: clearing all costs more than a sum */
  f->outer = f->runs = f->rows = f->stride = f->width = 1;
  int last = -1;
  for (int k = 0; k < n; k++)
    if (red[k]) last = k;
  for (int k = 0; k < n; k++) {
    if (k == last) {
      f->rows = dim[k];
      f->stride = stride[k];
    } else if (red[k]) {
      f->runs *= f->reduced[f->n_reduced] = dim[k];
      f->reduced_stride[f->n_reduced++] = stride[k];
    } else if (k == n - 1) {
      f->columns = true;
      f->width = dim[k];
    } else {
      f->outer *= f->kept[f->n_kept] = dim[k];
      f->kept_stride[f->n_kept++] = stride[k];
    }
  }
}

/* Whether it is so small that each result is one chunk, of which no lane is used twice. shape: {outer, rows, width}. */
static inline bool fold_line(Fold *f, const KernelCall *c, int64_t *shape) {
  enum { SMALL = 4096 };
  fold_make(f, c->in_type[0], c->attr);
  int64_t count = type_count(c->in_type[0]), most = f->columns ? FOLD_ROWS : FOLD_LANES - 1;
  if (count == 0 || count > SMALL || f->runs != 1 || f->n_kept > 1 || f->rows > most) return false;
  shape[0] = f->outer;
  shape[1] = f->rows;
  shape[2] = f->width;
  return true;
}
#define FOLD_LINE(f, kernel) ((f).columns ? kernel##_line_columns : kernel##_line_rows)

static inline int64_t fold_blocks(const Fold *f) { return (f->width + FOLD_WIDTH - 1) / FOLD_WIDTH; }
static inline int64_t fold_unit_count(const Fold *f) { return f->outer * fold_blocks(f); }

static inline int64_t fold_place(int n, const int64_t *dim, const int64_t *stride, int64_t index) {
  int64_t at = 0;
  for (int k = n; k-- > 0;) {
    at += index % dim[k] * stride[k];
    index /= dim[k];
  }
  return at;
}
#endif
