/* walk: copies between two strided views of one shape: what broadcast, permute, slice and their transposes run on.
 * In: the shape, and for both sides how far an index of each axis leads, in elements. Out: the bytes, moved.
 * Axes of size 1 vanish and neighbours that lie end to end become one, so that most copies are a few long rows.
 * A transposing walk (the source's contiguous axis is not the target's) goes by planes of 16 rows, which keeps its 16
 * lines of the target in the first cache.
 */
#ifndef RUNTIME_OPS_WALK_H
#define RUNTIME_OPS_WALK_H
#include <string.h>
#include "graph/op.h"

enum { WALK_BAND = 16 };

typedef struct Walk {
  int rank;
  bool plane;                /* axis rank-2 is the source's contiguous one; units are bands of it */
  int64_t dim[MAX_RANK], to[MAX_RANK], from[MAX_RANK];
} Walk;

static inline void walk_axis(Walk *w, int64_t dim, int64_t to, int64_t from) {
  w->dim[w->rank] = dim;
  w->to[w->rank] = to;
  w->from[w->rank++] = from;
}

/* Row-major strides of a shape. */
static inline void walk_strides(const Type *t, int64_t *stride) {
  int64_t s = 1;
  for (int k = t->rank; k-- > 0;) {
    stride[k] = s;
    s *= t->dim[k];
  }
}

static inline void walk_fold(Walk *w) {
  Walk f = {.rank = 0};
  for (int k = 0; k < w->rank; k++) {
    if (w->dim[k] == 1) continue;
    int p = f.rank - 1;
    if (p >= 0 && f.to[p] == w->to[k] * w->dim[k] && f.from[p] == w->from[k] * w->dim[k]) {
      f.dim[p] *= w->dim[k];
      f.to[p] = w->to[k];
      f.from[p] = w->from[k];
    } else {
      walk_axis(&f, w->dim[k], w->to[k], w->from[k]);
    }
  }
  if (f.rank == 0) walk_axis(&f, 1, 1, 1);
  int last = f.rank - 1;
  if (f.from[last] != 1 && f.from[last] != 0)
    for (int q = 0; q < last; q++)
      if (f.from[q] == 1 && f.dim[q] > 1) {
        Walk m = {.plane = true};
        for (int k = 0; k < last; k++)
          if (k != q) walk_axis(&m, f.dim[k], f.to[k], f.from[k]);
        walk_axis(&m, f.dim[q], f.to[q], f.from[q]);
        walk_axis(&m, f.dim[last], f.to[last], f.from[last]);
        f = m;
        break;
      }
  *w = f;
}

/* A folded walk's units: rows, or bands of a plane. They write disjoint parts of the target. */
static inline int64_t walk_units(const Walk *w) {
  int64_t n = 1;
  int outer = w->rank - 1 - w->plane;
  for (int k = 0; k < w->rank; k++)
    if (w->dim[k] == 0) return 0;
  for (int k = 0; k < outer; k++) n *= w->dim[k];
  return w->plane ? n * ((w->dim[outer] + WALK_BAND - 1) / WALK_BAND) : n;
}

#ifdef KERNELS
#define WALK_ROW(name, T)                                                                              \
  static inline void name(void *to, int64_t ts, const void *from, int64_t fs, int64_t n) {             \
    T *restrict d = to;                                                                                \
    const T *restrict s = from;                                                                        \
    if (ts == 1 && fs == 1) {                                                                          \
      memcpy(d, s, (size_t)n * sizeof *d);                                                             \
    } else if (ts == 1 && fs == 0) {                                                                   \
      const T v = *s;                                                                                  \
      for (int64_t k = 0; k < n; k++) d[k] = v;                                                        \
    } else if (ts == 1 && fs == -1) {                                                                  \
      for (int64_t k = 0; k < n; k++) d[k] = s[-k];                                                    \
    } else {                                                                                           \
      for (int64_t k = 0; k < n; k++) d[k * ts] = s[k * fs];                                           \
    }                                                                                                  \
  }                                                                                                    \
  /* n rows of the target, which lie side by side in the source */                                     \
  static inline void name##_band(void *to, int64_t ts, int64_t row, const void *from, int64_t fs,      \
                                 int64_t n, int rows) {                                                \
    T *restrict d = to;                                                                                \
    const T *restrict s = from;                                                                        \
    if (rows == WALK_BAND && ts == 1) {                                                                \
      for (int64_t k = 0; k < n; k++)                                                                  \
        for (int r = 0; r < WALK_BAND; r++) d[k + r * row] = s[k * fs + r];                            \
    } else {                                                                                           \
      for (int64_t k = 0; k < n; k++)                                                                  \
        for (int r = 0; r < rows; r++) d[k * ts + r * row] = s[k * fs + r];                            \
    }                                                                                                  \
  }
WALK_ROW(walk_row_1, uint8_t)
WALK_ROW(walk_row_2, uint16_t)
WALK_ROW(walk_row_4, uint32_t)
WALK_ROW(walk_row_8, uint64_t)

typedef void WalkRow(void *to, int64_t ts, const void *from, int64_t fs, int64_t n);
typedef void WalkBand(void *to, int64_t ts, int64_t row, const void *from, int64_t fs, int64_t n, int rows);
static inline WalkRow *walk_row(size_t size) {
  return size == 4 ? walk_row_4 : size == 8 ? walk_row_8 : size == 2 ? walk_row_2 : walk_row_1;
}
static inline WalkBand *walk_band(size_t size) {
  return size == 4 ? walk_row_4_band : size == 8 ? walk_row_8_band : size == 2 ? walk_row_2_band : walk_row_1_band;
}

/* Units begin..end of a folded walk. to and from point at the element of index zero. */
static inline void walk_copy(const Walk *w, void *to, const void *from, size_t size, int64_t begin, int64_t end) {
  if (begin >= end) return;          /* of an axis of none there is no place */
  int last = w->rank - 1, outer = last - w->plane;
  int64_t bands = w->plane ? (w->dim[outer] + WALK_BAND - 1) / WALK_BAND : 1;
  int64_t at[MAX_RANK] = {0}, d = 0, s = 0, rest = begin / bands, band = begin % bands;
  for (int k = outer; k-- > 0;) {
    at[k] = rest % w->dim[k];
    rest /= w->dim[k];
    d += at[k] * w->to[k];
    s += at[k] * w->from[k];
  }
  for (int64_t u = begin; u < end; u++) {
    char *dst = (char *)to + d * (int64_t)size;
    const char *src = (const char *)from + s * (int64_t)size;
    if (w->plane) {
      int64_t row = band * WALK_BAND, left = w->dim[outer] - row;
      int rows = left < WALK_BAND ? (int)left : WALK_BAND;
      dst += row * w->to[outer] * (int64_t)size;
      src += row * (int64_t)size;
      walk_band(size)(dst, w->to[last], w->to[outer], src, w->from[last], w->dim[last], rows);
      if (++band < bands) continue;
      band = 0;
    } else {
      walk_row(size)(dst, w->to[last], src, w->from[last], w->dim[last]);
    }
    for (int k = outer; k-- > 0;) {
      d += w->to[k];
      s += w->from[k];
      if (++at[k] < w->dim[k]) break;
      d -= at[k] * w->to[k];
      s -= at[k] * w->from[k];
      at[k] = 0;
    }
  }
}
#endif
#endif
