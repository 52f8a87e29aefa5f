/* window: images [N, C, H, W] seen through windows: what convolution and pooling are made of.
 * A window of size h x w stands at each place of a grid: `stride` apart, from `before` rows and columns above and left
 * of the image to `after` below and right of it; its elements (taps) are `dilation` apart. What lies outside is 0. The
 * grid has (H + before + after - dilation * (h - 1) - 1) // stride + 1 rows, and columns likewise.
 * In attr->i: pairs (rows, columns), in this order where an op has them: size, stride, before, after, dilation.
 *
 * windows and fold_windows are each other's transpose, one column a window. window_argmax is where the largest element
 * of each window lies: pooling gathers by it, so that its derivatives of all orders are those of a gather.
 */
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

/* ---- what elements are read where: row k (a channel and a tap), column j (a place of a grid) ----
 * At place u of an axis, tap t, the element is (u * mul + t * tap + first) / div, if that is whole and inside. A grid
 * over an image has mul = stride, div = 1; the image over its grid, which its gradient reads, the other way round. */
typedef struct Reading { int64_t size, taps, places, mul, tap, first, div; } Reading;

static inline Reading image_by_grid(const Slide *s) {
  return (Reading){.size = s->image, .taps = s->size, .places = s->grid, .mul = s->stride, .tap = s->dilation,
                   .first = -s->before, .div = 1};
}
static inline Reading grid_by_image(const Slide *s) {
  return (Reading){.size = s->grid, .taps = s->size, .places = s->image, .mul = 1, .tap = -s->dilation,
                   .first = s->before, .div = s->stride};
}

#ifdef KERNELS
/* Element (u, t) of an axis, -1: none. */
static inline int64_t reading_at(const Reading *r, int64_t u, int64_t t) {
  int64_t x = u * r->mul + t * r->tap + r->first;
  if (x < 0 || (r->div > 1 && x % r->div)) return -1;
  x /= r->div;
  return x < r->size ? x : -1;
}

/* The first place from `u` on whose element is not below `least`, at most `end`; div is 1. */
static inline int64_t reading_from(const Reading *r, int64_t u, int64_t end, int64_t t, int64_t least) {
  int64_t lacks = least - (u * r->mul + t * r->tap + r->first);
  int64_t skip = lacks <= 0 ? 0 : (lacks + r->mul - 1) / r->mul;
  return skip < end - u ? u + skip : end;
}

/* Rows k..k+n_k, columns j..j+width of the readings of an image (its channels one after another), rows ld apart. */
#define READ(name, T)                                                                                          \
  static void name(const Reading r[2], const void *image, int64_t k, int64_t n_k, int64_t j, int64_t width,    \
                   int64_t ld, void *out) {                                                                    \
    int64_t taps = r[ROWS].taps * r[COLUMNS].taps;                                                             \
    for (int64_t l = 0; l < n_k; l++, k++) {                                                                   \
      const T *plane = (const T *)image + k / taps * (r[ROWS].size * r[COLUMNS].size);                         \
      int64_t tv = k % taps % r[COLUMNS].taps, tu = k % taps / r[COLUMNS].taps;                                \
      T *to = (T *)out + l * ld, *end = to + width;                                                            \
      for (int64_t u = j / r[COLUMNS].places, v = j % r[COLUMNS].places; to < end; u++, v = 0) {               \
        int64_t n = r[COLUMNS].places - v < end - to ? r[COLUMNS].places - v : end - to;                       \
        int64_t row = reading_at(&r[ROWS], u, tu), stop = v + n;                                               \
        if (row < 0) {                                                                                         \
          memset(to, 0, (size_t)n * sizeof *to);                                                               \
          to += n;                                                                                             \
          continue;                                                                                            \
        }                                                                                                      \
        const T *from = plane + row * r[COLUMNS].size;                                                         \
        if (r[COLUMNS].div > 1) {                                                                              \
          for (; v < stop; v++) {                                                                              \
            int64_t x = reading_at(&r[COLUMNS], v, tv);                                                        \
            *to++ = x < 0 ? 0 : from[x];                                                                       \
          }                                                                                                    \
          continue;                                                                                            \
        }                                                                                                      \
        int64_t lo = reading_from(&r[COLUMNS], v, stop, tv, 0);                                                \
        int64_t hi = reading_from(&r[COLUMNS], lo, stop, tv, r[COLUMNS].size), mul = r[COLUMNS].mul;           \
        from += tv * r[COLUMNS].tap + r[COLUMNS].first;                                                        \
        for (; v < lo; v++) *to++ = 0;                                                                         \
        if (mul == 1)                                                                                          \
          for (; v < hi; v++) *to++ = from[v];                                                                 \
        else                                                                                                   \
          for (; v < hi; v++) *to++ = from[v * mul];                                                           \
        for (; v < stop; v++) *to++ = 0;                                                                       \
      }                                                                                                        \
    }                                                                                                          \
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
#else

/* ---- type rules ---- */

/* Whether the pairs make sense and windows of this size fit into the image. `what`: "a window", "the kernel". */
static bool window_fits(TypeRule *r, const char *what, const int64_t *size, const int64_t *pairs, const Type *x) {
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

static bool window_attr(TypeRule *r, uint32_t n) {
  if (r->attr->n == n) return true;
  return refuse(r, BAD_VALUE, 0, -1, NULL, "`%s` needs %u numbers", r->op->name, n);
}

static bool is_number(TypeRule *r, const Type *x) {
  if (dtype_sum[x->dtype] == x->dtype) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)` or `i32(...)`", "`%s` does not add %s", r->op->name,
                type_show(r->g->arena, x));
}

/* ---- batches: images of all elements are more images, or more channels ---- */

/* Operand k with its first axis B * that of an element. */
static NodeId batch_images(const Batch *b, uint32_t k) {
  NodeId x = batch_full(b, k);
  const Type *t = b->g->node[x].type;
  Type y = {.dtype = t->dtype, .rank = (uint8_t)(t->rank - 1), .dim = {t->dim[0] * t->dim[1]}};
  for (int j = 1; j < y.rank; j++) y.dim[j] = t->dim[j + 1];
  return g_reshape(b->g, x, &y);
}

static NodeId window_batch(Batch *b) {
  NodeId x = batch_images(b, 0);
  Type y = batch_type(b->node->type, b->size);
  return g_reshape(b->g, batch_emit(b, &x, b->node->attr->i, b->node->attr->n), &y);
}
#endif

/* ---- windows: x -> [N, C * h * w, windows]; fold_windows: back, what overlaps adds up ----
 * attr->i = {size and the pairs}, of fold_windows after the image's height and width. */

#ifndef KERNELS
static int64_t windows_units(const KernelCall *c) { return c->out_type->dim[0] * c->out_type->dim[1]; }

static Cost windows_cost(const KernelCall *c) {
  return (Cost){.bytes = (double)type_bytes(c->in_type[0]) + (double)type_bytes(c->out_type)};
}

static bool windows_type(TypeRule *r) {
  const Type *x = r->x[0];
  const int64_t *i = r->attr->i;
  if (!window_attr(r, 10) || !window_fits(r, "a window", i, i + 2, x)) return false;
  Window w = window_of(x, i[0], i[1], i + 2);
  r->y = (Type){.dtype = x->dtype, .rank = 3, .dim = {w.n, w.channels * window_taps(&w), window_places(&w)}};
  return true;
}

static bool fold_windows_type(TypeRule *r) {
  const Type *x = r->x[0];
  const int64_t *image_size = r->attr->i, *i = r->attr->i + 2;
  if (!window_attr(r, 12) || !is_number(r, x)) return false;
  if (x->rank != 3)
    return refuse(r, BAD_RANK, 0, -1, NULL,
                  "`fold_windows` takes [N, channels * height * width, windows], but this is %s",
                  shape_show(r->g->arena, x));
  int64_t taps = i[0] * i[1];
  if (i[0] < 1 || i[1] < 1 || taps > INT32_MAX || x->dim[1] % taps)
    return refuse(r, BAD_SHAPE, 0, -1, NULL, "%lld numbers a window are not channels of %lldx%lld",
                  (long long)x->dim[1], (long long)i[0], (long long)i[1]);
  Type image = {.dtype = x->dtype, .rank = 4, .dim = {x->dim[0], x->dim[1] / taps, image_size[0], image_size[1]}};
  if (image_size[0] < 0 || image_size[1] < 0 || !window_fits(r, "a window", i, i + 2, &image)) return false;
  Window w = window_of(&image, i[0], i[1], i + 2);
  r->y = image;
  if (x->dim[2] == window_places(&w)) return true;
  return refuse(r, BAD_SHAPE, 0, -1, NULL, "an image of %lldx%lld has %lldx%lld of these windows, but %s has %lld",
                (long long)r->y.dim[2], (long long)r->y.dim[3], (long long)w.axis[0].grid, (long long)w.axis[1].grid,
                shape_show(r->g->arena, x), (long long)x->dim[2]);
}

static void windows_grad(Grad *d) {
  const Type *x = d->g->node[d->x[0]].type;
  int64_t i[12] = {x->dim[2], x->dim[3]};
  memcpy(i + 2, d->attr->i, 10 * sizeof *i);
  d->dx[0] = g_attr(d->g, &op_fold_windows, &d->dy, 1, i, 12);
}

static void fold_windows_grad(Grad *d) { d->dx[0] = g_attr(d->g, &op_windows, &d->dy, 1, d->attr->i + 2, 10); }

const Op op_windows = {
    .name = "windows", .id = OP_windows, .flags = OP_KEEPS_INTS, .n_in = 1,
    .args = "x, size:pair, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1",
    .doc = "The windows of images [N, C, H, W], padded with zeros, as columns: [N, C * h * w, windows].",
    .example = "windows([[[[1, 2, 3]]]], size = (1, 2))   # => [[[1, 2], [2, 3]]]",
    .samples = "f32[2,3,4,5]; 2 3 1 1 0 0 0 0 1 1 | f32[1,2,5,4]; 2 2 2 1 1 0 0 2 2 1"
               " | i32[1,1,3,3]; 2 2 1 1 1 1 1 1 1 1 | bool[1,1,2,2]; 1 1 1 1 0 0 0 0 1 1",
    .type = windows_type, .grad = windows_grad, .batch = window_batch, .units = windows_units, .cost = windows_cost,
};
const Op op_fold_windows = {
    .name = "fold_windows", .id = OP_fold_windows, .flags = OP_KEEPS_INTS, .n_in = 1,
    .args = "x, image:pair, size:pair, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1",
    .doc = "The images [N, C, H, W] of columns as `windows` gives them; where windows overlap, they add up.",
    .example = "fold_windows([[[1, 2], [2, 3]]], image = (1, 3), size = (1, 2))   # => [[[[1, 4, 3]]]]",
    .samples = "f32[2,18,9]; 4 5 2 3 1 1 0 0 0 0 1 1 | f32[1,8,10]; 5 4 2 2 2 1 1 0 0 2 2 1"
               " | i32[1,4,16]; 3 3 2 2 1 1 1 1 1 1 1 1",
    .type = fold_windows_type, .grad = fold_windows_grad, .batch = window_batch, .units = windows_units,
    .cost = windows_cost,
};
#else
static bool windows_run(KernelCall *c) {
  const Type *x = c->in_type[0];
  Window w = window_of(x, c->attr->i[0], c->attr->i[1], c->attr->i + 2);
  Reading r[2] = {image_by_grid(&w.axis[ROWS]), image_by_grid(&w.axis[COLUMNS])};
  int64_t size = dtype_size[x->dtype], rows = c->out_type->dim[1], places = window_places(&w);
  int64_t image = w.channels * x->dim[2] * x->dim[3] * size;
  for (int64_t u = c->begin; u < c->end; u++)
    read_of(x)(r, (const char *)c->in[0] + u / rows * image, u % rows, 1, 0, places, places,
               (char *)c->out + u * places * size);
  return true;
}

/* A unit is a plane of the image: cleared, then each tap's windows added, tap by tap. */
#define FOLD(name, T, ADD)                                                                                  \
  static void name(const KernelCall *c, const Window *w) {                                                  \
    const Slide *s = w->axis;                                                                               \
    int64_t plane = s[ROWS].image * s[COLUMNS].image, places = window_places(w);                            \
    const T *x = (const T *)c->in[0] + c->begin * window_taps(w) * places;                                  \
    for (int64_t u = c->begin; u < c->end; u++) {                                                           \
      T *y = (T *)c->out + u * plane;                                                                       \
      if (plane) memset(y, 0, (size_t)plane * sizeof *y);                                                   \
      for (int64_t tu = 0; tu < s[ROWS].size; tu++)                                                         \
        for (int64_t tv = 0; tv < s[COLUMNS].size; tv++)                                                    \
          for (int64_t i = 0; i < s[ROWS].grid; i++) {                                                      \
            int64_t row = i * s[ROWS].stride + tu * s[ROWS].dilation - s[ROWS].before;                      \
            for (int64_t j = 0; j < s[COLUMNS].grid; j++, x++) {                                            \
              int64_t column = j * s[COLUMNS].stride + tv * s[COLUMNS].dilation - s[COLUMNS].before;        \
              if (row < 0 || row >= s[ROWS].image || column < 0 || column >= s[COLUMNS].image) continue;    \
              T *to = y + row * s[COLUMNS].image + column;                                                  \
              *to = (T)(ADD *to + ADD *x);                                                                  \
            }                                                                                               \
          }                                                                                                 \
    }                                                                                                       \
  }
FOLD(fold_f32, float, )
FOLD(fold_f64, double, )
FOLD(fold_i32, int32_t, (uint32_t))

static bool fold_windows_run(KernelCall *c) {
  Window w = window_of(c->out_type, c->attr->i[2], c->attr->i[3], c->attr->i + 4);
  switch ((DType)c->out_type->dtype) {
  case F32: fold_f32(c, &w); break;
  case F64: fold_f64(c, &w); break;
  default: fold_i32(c, &w); break;
  }
  return true;
}
const OpKernels KERNELS_OF(windows) = {.run = windows_run};
const OpKernels KERNELS_OF(fold_windows) = {.run = fold_windows_run};
#endif

/* ---- window_argmax: x -> [N, C, rows, columns], i32: row * W + column of the largest element ----
 * attr->i as windows. */

#ifndef KERNELS
/* Whether each window has a tap in the image. */
static bool window_sees(const Slide *s) {
  for (int64_t u = 0; u < s->grid; u++) {
    int64_t first = u * s->stride - s->before, out = first < 0 ? (s->dilation - 1 - first) / s->dilation : 0;
    if (out >= s->size || first + out * s->dilation >= s->image) return false;
    if (first >= 0 && !s->after) break;   /* so have all that follow */
  }
  return true;
}

static bool window_argmax_type(TypeRule *r) {
  const Type *x = r->x[0];
  const int64_t *i = r->attr->i;
  if (!window_attr(r, 10) || !window_fits(r, "a window", i, i + 2, x)) return false;
  Window w = window_of(x, i[0], i[1], i + 2);
  for (int k = 0; k < 2; k++)
    if (!window_sees(&w.axis[k]))
      return refuse(r, BAD_SIZE, 0, -1, "pad the images by `pad` with what shall count there, or pad less",
                    "a window of %lldx%lld would lie in the padding (%lldx%lld before, %lldx%lld after) alone, where "
                    "nothing is the largest", (long long)i[0], (long long)i[1], (long long)i[4], (long long)i[5],
                    (long long)i[6], (long long)i[7]);
  if (x->dim[2] > INT32_MAX / (x->dim[3] ? x->dim[3] : 1))
    return refuse(r, BAD_LIMIT, 0, -1, NULL, "%s has places beyond i32", shape_show(r->g->arena, x));
  r->y = (Type){.dtype = I32, .rank = 4, .dim = {w.n, w.channels, w.axis[ROWS].grid, w.axis[COLUMNS].grid}};
  return true;
}

static Cost window_argmax_cost(const KernelCall *c) {
  double taps = (double)c->attr->i[0] * (double)c->attr->i[1];
  return (Cost){.flops = taps * (double)type_count(c->out_type), .bytes = (double)type_bytes(c->in_type[0])};
}

const Op op_window_argmax = {
    .name = "window_argmax", .id = OP_window_argmax, .n_in = 1,
    .args = "x, size:pair, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1",
    .doc = "Where in its plane, row * W + column, the largest element of each window of images [N, C, H, W] lies: the "
           "first of equals, NaN before all; padding is never it.",
    .example = "window_argmax([[[[1, 5], [3, 4]]]], size = 2)   # => [[[[1]]]]",
    .samples = "f32[2,3,4,5]; 2 3 1 1 0 0 0 0 1 1 | f32[1,2,5,4]; 2 2 2 1 1 0 0 1 2 1"
               " | i32[1,1,3,3]; 2 2 1 1 0 1 1 1 1 1 | u8[1,2,4,4]; 2 2 2 2 0 0 0 0 1 1",
    .type = window_argmax_type, .no_grad = "an index has no slope", .batch = window_batch, .units = windows_units,
    .cost = window_argmax_cost,
};
#else
#define ARGMAX(name, T)                                                                                            \
  static void name(const KernelCall *c, const Window *w) {                                                         \
    const Slide *r = &w->axis[ROWS], *s = &w->axis[COLUMNS];                                                       \
    int32_t *out = (int32_t *)c->out + c->begin * r->grid * s->grid;                                               \
    for (int64_t u = c->begin; u < c->end; u++) {                                                                  \
      const T *x = (const T *)c->in[0] + u * r->image * s->image;                                                  \
      for (int64_t i = 0; i < r->grid; i++)                                                                        \
        for (int64_t j = 0; j < s->grid; j++, out++) {                                                             \
          int64_t best = -1;                                                                                       \
          for (int64_t tu = 0, row = i * r->stride - r->before; tu < r->size; tu++, row += r->dilation) {          \
            if (row < 0 || row >= r->image) continue;                                                              \
            for (int64_t tv = 0, column = j * s->stride - s->before; tv < s->size; tv++, column += s->dilation) {  \
              if (column < 0 || column >= s->image) continue;                                                      \
              int64_t at = row * s->image + column;                                                                \
              if (best < 0 || x[at] > x[best] || (x[at] != x[at] && x[best] == x[best])) best = at;                \
            }                                                                                                      \
          }                                                                                                        \
          *out = (int32_t)best;                                                                                    \
        }                                                                                                          \
    }                                                                                                              \
  }
ARGMAX(argmax_f32, float)
ARGMAX(argmax_f64, double)
ARGMAX(argmax_i32, int32_t)
ARGMAX(argmax_u8, uint8_t)

static bool window_argmax_run(KernelCall *c) {
  Window w = window_of(c->in_type[0], c->attr->i[0], c->attr->i[1], c->attr->i + 2);
  switch ((DType)c->in_type[0]->dtype) {
  case F32: argmax_f32(c, &w); break;
  case F64: argmax_f64(c, &w); break;
  case I32: argmax_i32(c, &w); break;
  default: argmax_u8(c, &w); break;
  }
  return true;
}
const OpKernels KERNELS_OF(window_argmax) = {.run = window_argmax_run};
#endif
