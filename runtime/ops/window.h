/* window: images [N, C, H, W] seen through windows: what convolution and pooling are made of.
 * A window of size h x w stands at each place of a grid: `stride` apart, from `before` rows and columns above and left
 * of the image to `after` below and right of it; its elements (taps) are `dilation` apart. What lies outside is 0. The
 * grid has (H + before + after - dilation * (h - 1) - 1) // stride + 1 rows, and columns likewise.
 * In attr->i: pairs (rows, columns), in this order where an op has them: size, stride, before, after, dilation.
 */
#ifndef RUNTIME_OPS_WINDOW_H
#define RUNTIME_OPS_WINDOW_H
#include <string.h>
#include "graph/op.h"

enum { ROWS, COLUMNS };      /* of a pair */

/* Along one axis: tap t of window u is element u * stride + t * dilation - before of the image. */
typedef struct Slide { int64_t size, stride, before, after, dilation, image, grid; } Slide;
typedef struct Window {
  Slide axis[2];
  int64_t n, channels;
} Window;

static inline Slide slide(int axis, int64_t size, const int64_t *pairs, int64_t image) {
  Slide s = {.size = size, .stride = pairs[axis], .before = pairs[2 + axis], .after = pairs[4 + axis],
             .dilation = pairs[6 + axis], .image = image};
  s.grid = (image + s.before + s.after - s.dilation * (size - 1) - 1) / s.stride + 1;
  return s;
}

/* Of images x, by windows and pairs that fit. */
static inline Window window_of(const Type *x, int64_t height, int64_t width, const int64_t *pairs) {
  return (Window){.n = x->dim[0], .channels = x->dim[1],
                  .axis = {slide(ROWS, height, pairs, x->dim[2]), slide(COLUMNS, width, pairs, x->dim[3])}};
}
static inline int64_t window_taps(const Window *w) { return w->axis[ROWS].size * w->axis[COLUMNS].size; }
static inline int64_t window_places(const Window *w) { return w->axis[ROWS].grid * w->axis[COLUMNS].grid; }

/* ---- what elements are read where: row k (a channel and a tap), column j (a place of the grid) ----
 * At place u of an axis, tap t, it is element u * mul + t * tap + first, if there is one. */
typedef struct Reading { int64_t size, taps, places, mul, tap, first; } Reading;

#ifdef KERNELS
static inline Reading reading_of(const Slide *s) {
  return (Reading){.size = s->image, .taps = s->size, .places = s->grid, .mul = s->stride, .tap = s->dilation,
                   .first = -s->before};
}

static inline void readings_of(const Window *w, Reading r[2]) {
  for (int k = 0; k < 2; k++) r[k] = reading_of(&w->axis[k]);
}

/* The first place whose element at tap t is not below `least`. */
static inline int64_t reading_from(const Reading *r, int64_t t, int64_t least) {
  int64_t lacks = least - (t * r->tap + r->first), skip = lacks <= 0 ? 0 : (lacks + r->mul - 1) / r->mul;
  return skip < r->places ? skip : r->places;
}

/* Rows k..k+n_k, columns j..j+width of the readings of an image (its channels one after another), rows ld apart. */
#define READ(name, T)                                                                                                 \
  static inline void name(const Reading r[2], const void *image, int64_t k, int64_t n_k, int64_t j, int64_t width,    \
                          int64_t ld, void *out) {                                                                    \
    const Reading across = r[COLUMNS];                                                                                \
    int64_t taps = r[ROWS].taps * across.taps, mul = across.mul;                                                      \
    int64_t first_u = j / across.places, first_v = j % across.places;                                                 \
    for (int64_t l = 0; l < n_k; l++, k++) {                                                                          \
      const T *plane = (const T *)image + k / taps * (r[ROWS].size * across.size);                                    \
      int64_t tv = k % taps % across.taps, tu = k % taps / across.taps, shift = tv * across.tap + across.first;       \
      int64_t inside = reading_from(&across, tv, 0), outside = reading_from(&across, tv, across.size);                \
      T *to = (T *)out + l * ld, *end = to + width;                                                                   \
      for (int64_t u = first_u, v = first_v; to < end; u++, v = 0) {                                                  \
        int64_t stop = across.places - v < end - to ? across.places : v + (end - to);                                 \
        int64_t row = u * r[ROWS].mul + tu * r[ROWS].tap + r[ROWS].first;                                             \
        bool there = row >= 0 && row < r[ROWS].size;                                                                  \
        int64_t lo = there && inside < stop ? inside : stop, hi = there && outside < stop ? outside : stop;           \
        const T *from = plane + row * across.size;                                                                    \
        for (; v < lo; v++) *to++ = 0;                                                                                \
        if (mul == 1 && v < hi) {                                                                                     \
          memcpy(to, from + (v + shift), (size_t)(hi - v) * sizeof *to);                                              \
          to += hi - v;                                                                                               \
          v = hi;                                                                                                     \
        }                                                                                                             \
        for (; v < hi; v++) *to++ = from[v * mul + shift];                                                            \
        for (; v < stop; v++) *to++ = 0;                                                                              \
      }                                                                                                               \
    }                                                                                                                 \
  }
READ(read_8, uint64_t)
READ(read_4, uint32_t)
READ(read_1, uint8_t)
typedef void (*Read)(const Reading r[2], const void *image, int64_t k, int64_t n_k, int64_t j, int64_t width,
                     int64_t ld, void *out);
static inline Read read_of(const Type *t) {
  int size = dtype_size[t->dtype];
  return size == 8 ? read_8 : size == 4 ? read_4 : read_1;
}

/* The other way: what such rows and columns hold is added to the image, row by row. */
#define ADD(name, T)                                                                                                  \
  static inline void name(const Reading r[2], void *image, int64_t k, int64_t n_k, int64_t j, int64_t width,          \
                          int64_t ld, const void *in) {                                                               \
    const Reading across = r[COLUMNS];                                                                                \
    int64_t taps = r[ROWS].taps * across.taps, mul = across.mul;                                                      \
    int64_t first_u = j / across.places, first_v = j % across.places;                                                 \
    for (int64_t l = 0; l < n_k; l++, k++) {                                                                          \
      T *plane = (T *)image + k / taps * (r[ROWS].size * across.size);                                                \
      int64_t tv = k % taps % across.taps, tu = k % taps / across.taps, shift = tv * across.tap + across.first;       \
      int64_t inside = reading_from(&across, tv, 0), outside = reading_from(&across, tv, across.size);                \
      const T *x = (const T *)in + l * ld, *end = x + width;                                                          \
      for (int64_t u = first_u, v = first_v; x < end; u++, v = 0) {                                                   \
        int64_t stop = across.places - v < end - x ? across.places : v + (end - x);                                   \
        int64_t row = u * r[ROWS].mul + tu * r[ROWS].tap + r[ROWS].first;                                             \
        bool there = row >= 0 && row < r[ROWS].size;                                                                  \
        int64_t lo = inside > v ? inside : v, hi = there && outside < stop ? outside : there ? stop : lo;             \
        T *restrict to = plane + row * across.size + shift;                                                           \
        const T *restrict from = x - v;                                                                               \
        if (mul == 1)                                                                                                 \
          for (int64_t i = lo; i < hi; i++) to[i] += from[i];                                                         \
        else                                                                                                          \
          for (int64_t i = lo; i < hi; i++) to[i * mul] += from[i];                                                   \
        x += stop - v;                                                                                                \
      }                                                                                                               \
    }                                                                                                                 \
  }
ADD(add_f32, float)
ADD(add_f64, double)
ADD(add_i32, uint32_t)   /* wraps */
typedef void (*Add)(const Reading r[2], void *image, int64_t k, int64_t n_k, int64_t j, int64_t width, int64_t ld,
                    const void *in);
static inline Add add_of(const Type *t) { return t->dtype == F32 ? add_f32 : t->dtype == F64 ? add_f64 : add_i32; }
#else

/* ---- type rules ---- */

/* Whether the pairs make sense and windows of this size fit into the image. `what`: "a window", "the kernel". */
static inline bool window_fits(TypeRule *r, const char *what, const int64_t *size, const int64_t *pairs,
                               const Type *x) {
  static const char *const axis[] = {"rows", "columns"};
  if (x->rank != 4)
    return refuse(r, BAD_RANK, 0, -1, "`unsqueeze(x, 1)` adds an axis of one channel, `reshape` cuts the axes",
                  "images are [N, channels, height, width], but this is %s", shape_show(r->g->arena, x));
  for (int k = 0; k < 2; k++) {
    Slide s = {.size = size[k], .stride = pairs[k], .before = pairs[2 + k], .after = pairs[4 + k],
               .dilation = pairs[6 + k], .image = x->dim[2 + k]};
    const int64_t least[] = {s.size, s.stride, s.dilation}, most = INT32_MAX;
    static const char *const name[] = {"size", "stride", "dilation"};
    for (int j = 0; j < 3; j++)
      if (least[j] < 1 || least[j] > most)
        return refuse(r, BAD_SIZE, -1, -1, NULL, "the %s of %s is 1 or more, found %lld for the %s", name[j], what,
                      (long long)least[j], axis[k]);
    if (s.before < 0 || s.after < 0 || s.before > most || s.after > most)
      return refuse(r, BAD_SIZE, -1, -1, "a slice cuts off", "padding is 0 or more, found %lld for the %s",
                    (long long)(s.before < 0 || s.before > most ? s.before : s.after), axis[k]);
    int64_t span = s.dilation * (s.size - 1) + 1, room = s.image + s.before + s.after;
    if (span <= room) continue;
    return refuse(r, BAD_SHAPE, 0, -1, "more padding, a smaller window or less dilation",
                  "%s of %lldx%lld (dilation %lldx%lld) spans %lld %s, but the image of %lldx%lld has %lld with its "
                  "padding: the result would have %lld", what, (long long)size[0], (long long)size[1],
                  (long long)pairs[6], (long long)pairs[7], (long long)span, axis[k], (long long)x->dim[2],
                  (long long)x->dim[3], (long long)room, (long long)(1 - (span - room + s.stride - 1) / s.stride));
  }
  return true;
}

static inline bool image_is_sane(TypeRule *r, const int64_t *size) {
  if (size[0] >= 0 && size[1] >= 0 && size[0] <= INT32_MAX && size[1] <= INT32_MAX) return true;
  return refuse(r, BAD_SIZE, -1, -1, NULL, "images have a size, not %lldx%lld", (long long)size[0], (long long)size[1]);
}

static inline bool window_attr(TypeRule *r, uint32_t n) {
  if (r->attr->n == n) return true;
  return refuse(r, BAD_VALUE, 0, -1, NULL, "`%s` needs %u numbers", r->op->name, n);
}

/* Operand k with its first axis B * that of an element. */
static inline NodeId batch_images(const Batch *b, uint32_t k) {
  NodeId x = batch_full(b, k);
  const Type *t = b->g->node[x].type;
  Type y = {.dtype = t->dtype, .rank = (uint8_t)(t->rank - 1), .dim = {t->dim[0] * t->dim[1]}};
  for (int j = 1; j < y.rank; j++) y.dim[j] = t->dim[j + 1];
  return g_reshape(b->g, x, &y);
}
#endif
#endif
