/* window: the windows of images as columns, and where the largest element of each lies; see window.h.
 * windows and fold_windows are each other's transpose, one column a window. Pooling gathers by window_argmax, so that
 * its derivatives of all orders are those of a gather.
 */
#include "ops/window.h"

/* ---- windows: x -> [N, C * h * w, windows]; fold_windows: back, what overlaps adds up ----
 * attr->i = {size and the pairs}, of fold_windows after the image's height and width. */

#ifndef KERNELS
static bool is_number(TypeRule *r, const Type *x) {
  if (dtype_sum[x->dtype] == x->dtype) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)` or `i32(...)`", "`%s` does not add %s", r->op->name,
                type_show(r->g->arena, x));
}

static NodeId window_batch(Batch *b) {
  NodeId x = batch_images(b, 0);
  Type y = batch_type(b->node->type, b->size);
  return g_reshape(b->g, batch_emit(b, &x, b->node->attr->i, b->node->attr->n), &y);
}
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
  bool sane = i[0] > 0 && i[1] > 0 && i[0] <= INT32_MAX && i[1] <= INT32_MAX;
  int64_t taps = sane ? i[0] * i[1] : 1;
  if (!sane || x->dim[1] % taps)
    return refuse(r, BAD_SHAPE, 0, -1, NULL, "%lld numbers a window are not channels of %lldx%lld",
                  (long long)x->dim[1], (long long)i[0], (long long)i[1]);
  Type image = {.dtype = x->dtype, .rank = 4, .dim = {x->dim[0], x->dim[1] / taps, image_size[0], image_size[1]}};
  if (!image_is_sane(r, image_size)) return false;
  if (!window_fits(r, "a window", i, i + 2, &image)) return false;
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

static void fold_windows_depends(Depends *d) {
  depends_placed(d, 0, &op_windows, NULL, 0, d->node->attr->i + 2, d->node->attr->n - 2);
}

const Op op_windows = {
    .name = "windows", .id = OP_windows, .flags = OP_KEEPS_INTS | OP_STORES, .n_in = 1,
    .args = "x, size:pair, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1",
    .doc = "The windows of images [N, C, H, W], padded with zeros, as columns: [N, C * h * w, windows].",
    .example = "windows([[[[1, 2, 3]]]], size = (1, 2))   # => [[[1, 2], [2, 3]]]",
    .samples = "f32[2,3,4,5]; 2 3 1 1 0 0 0 0 1 1 | f32[1,2,5,4]; 2 2 2 1 1 0 0 2 2 1"
               " | i32[1,1,3,3]; 2 2 1 1 1 1 1 1 1 1 | bool[1,1,2,2]; 1 1 1 1 0 0 0 0 1 1",
    .type = windows_type, .grad = windows_grad, .batch = window_batch, .units = windows_units, .cost = windows_cost,
    .depends = depends_moved,
    .js = "const b = a; const Q = floor((X[3] + b[5] + b[7] - b[9] * (b[1] - 1) - 1) / b[3]) + 1; each(R, ([n, "
          "c, p], k) => { const u = floor(c / b[1]) % b[0], v = c % b[1], h = floor(p / Q) * b[2] - b[4] + u * "
          "b[8], w = p % Q * b[3] - b[5] + v * b[9]; if (h >= 0 && h < X[2] && w >= 0 && w < X[3]) o[k] = "
          "x[at([n, floor(c / (b[0] * b[1])), h, w], X)]; })",
};
const Op op_fold_windows = {
    .name = "fold_windows", .id = OP_fold_windows, .flags = OP_KEEPS_INTS, .n_in = 1,
    .args = "x, image:pair, size:pair, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1",
    .doc = "The images [N, C, H, W] of columns as `windows` gives them; where windows overlap, they add up.",
    .example = "fold_windows([[[1, 2], [2, 3]]], image = (1, 3), size = (1, 2))   # => [[[[1, 4, 3]]]]",
    .samples = "f32[2,18,9]; 4 5 2 3 1 1 0 0 0 0 1 1 | f32[1,8,10]; 5 4 2 2 2 1 1 0 0 2 2 1"
               " | i32[1,4,16]; 3 3 2 2 1 1 1 1 1 1 1 1",
    .type = fold_windows_type, .grad = fold_windows_grad, .batch = window_batch, .units = windows_units,
    .depends = fold_windows_depends,
    .cost = windows_cost,
    .js = "const b = a.slice(2); const Q = floor((R[3] + b[5] + b[7] - b[9] * (b[1] - 1) - 1) / b[3]) + 1; "
          "each(X, ([n, c, p], k) => { const u = floor(c / b[1]) % b[0], v = c % b[1], h = floor(p / Q) * b[2] "
          "- b[4] + u * b[8], w = p % Q * b[3] - b[5] + v * b[9]; if (h >= 0 && h < R[2] && w >= 0 && w < "
          "R[3]) o[at([n, floor(c / (b[0] * b[1])), h, w], R)] += x[k]; })",
};
#else
static bool windows_run(KernelCall *c) {
  const Type *x = c->in_type[0];
  Window w = window_of(x, c->attr->i[0], c->attr->i[1], c->attr->i + 2);
  Reading r[2];
  readings_of(&w, r);
  int64_t size = dtype_size[x->dtype], rows = c->out_type->dim[1], places = window_places(&w);
  int64_t image = w.channels * x->dim[2] * x->dim[3] * size;
  for (int64_t u = c->begin; u < c->end; u++)
    read_of(x)(r, (const char *)c->in[0] + u / rows * image, u % rows, 1, 0, places, places,
               (char *)c->out + u * places * size);
  return true;
}

/* A unit is a plane of the image. */
static bool fold_windows_run(KernelCall *c) {
  const Type *y = c->out_type;
  Window w = window_of(y, c->attr->i[2], c->attr->i[3], c->attr->i + 4);
  Reading r[2];
  readings_of(&w, r);
  int64_t size = dtype_size[y->dtype], plane = y->dim[2] * y->dim[3] * size;
  int64_t taps = window_taps(&w), places = window_places(&w);
  for (int64_t u = c->begin; u < c->end; u++) {
    char *to = (char *)c->out + u * plane;
    if (plane) memset(to, 0, (size_t)plane);
    add_of(y)(r, to, 0, taps, 0, places, places, (const char *)c->in[0] + u * taps * places * size);
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
    .js = "each(R, ([n, c, r, q], k) => { let best = -Infinity, seen = false; each([a[0], a[1]], ([u, v]) => { "
          "const h = r * a[2] - a[4] + u * a[8], w = q * a[3] - a[5] + v * a[9]; if (h < 0 || h >= X[2] || w < "
          "0 || w >= X[3]) return; const e = x[at([n, c, h, w], X)]; if (!seen || e > best) { seen = true; "
          "best = e; o[k] = h * X[3] + w; } }); })",
};
#else
/* Of window u: the element of its first tap, and the taps that lie in the image. */
static inline void window_taps_in(const Slide *s, int64_t u, int64_t *first, int64_t *from, int64_t *to) {
  *first = u * s->stride - s->before;
  *from = 0;
  *to = s->size;
  while (*first + *from * s->dilation < 0) ++*from;
  while (*first + (*to - 1) * s->dilation >= s->image) --*to;
}

#define ARGMAX(name, T)                                                                                               \
  static void name(const KernelCall *c, const Window *w) {                                                            \
    const Slide rows = w->axis[ROWS], columns = w->axis[COLUMNS];                                                     \
    int32_t *out = (int32_t *)c->out + c->begin * rows.grid * columns.grid;                                           \
    for (int64_t u = c->begin; u < c->end; u++) {                                                                     \
      const T *x = (const T *)c->in[0] + u * rows.image * columns.image;                                              \
      for (int64_t i = 0; i < rows.grid; i++) {                                                                       \
        int64_t row, from, to, column, left, right;                                                                   \
        window_taps_in(&rows, i, &row, &from, &to);                                                                   \
        for (int64_t j = 0; j < columns.grid; j++, out++) {                                                           \
          window_taps_in(&columns, j, &column, &left, &right);                                                        \
          int64_t best = (row + from * rows.dilation) * columns.image + column + left * columns.dilation;             \
          for (int64_t tu = from; tu < to; tu++) {                                                                    \
            int64_t at = (row + tu * rows.dilation) * columns.image + column + left * columns.dilation;               \
            for (int64_t tv = left; tv < right; tv++, at += columns.dilation)                                         \
              if (x[at] > x[best] || (x[at] != x[at] && x[best] == x[best])) best = at;                               \
          }                                                                                                           \
          *out = (int32_t)best;                                                                                       \
        }                                                                                                             \
      }                                                                                                               \
    }                                                                                                                 \
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
