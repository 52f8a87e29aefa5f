/* correlate: y[o] = sum over the channels c of o's group, and taps, of x[c] * w[o, c]: the convolution of networks.
 * x [N, C, H, W], w [O, C / groups, h, w] -> [N, O, rows, columns]; attr->i = {stride, before, after, dilation,
 * groups}. correlate_input is its adjoint to x, of dy and w, correlate_weight that to w, of x and dy; attr->i of both
 * goes on with the size of what they give. Each is linear in both operands: the adjoints of all three are among them.
 *
 * All three are products (tile_kernel.h) with readings, of which a block at a time is made, in rows that do not fall on
 * the same lines of the cache: y = w readings; readings of dx = w' dy, added up; dw = dy readings', of which parts of a
 * large batch are summed up at once if there is little else to share out. How K is cut, and what a unit is, the shapes
 * of an image and of the kernels decide, so an element's bits depend neither on threads nor on the batch around it (of
 * dw: on its size alone).
 */
#include "ops/window.h"

enum { CORRELATE_NUMBERS = 9, CORRELATE_K = 256, CORRELATE_COLUMNS = 256, CORRELATE_ROW = 336 };
enum { CORRELATE_TAPS = 64, CORRELATE_PARTS = 16, WIDEST_PANEL = 64 };

typedef struct Correlation {
  Window w;                  /* over x */
  int64_t groups, ins, outs; /* channels of a group */
  int64_t k;                 /* taps of a group's channels */
  int64_t blocks;            /* of a group: of columns of y, of channels of dx, of taps of dw */
  int64_t channels;          /* dx: of a block */
  int64_t parts, images;     /* dw: the images are summed up in parts of so many */
} Correlation;

static inline Correlation correlation_of(const Type *x, const Type *w, const Attr *a) {
  Correlation c = {.w = window_of(x, w->dim[2], w->dim[3], a->i), .groups = a->i[8], .ins = w->dim[1],
                   .outs = w->dim[0] / a->i[8]};
  c.k = c.ins * window_taps(&c.w);
  return c;
}

static inline int64_t blocks_of(int64_t n, int64_t size) { return (n + size - 1) / size; }
static inline int64_t k_block(int64_t k) { return k ? blocks_of(k, blocks_of(k, CORRELATE_K)) : 0; }

static inline Correlation correlation_forward(const KernelCall *call) {
  Correlation c = correlation_of(call->in_type[0], call->in_type[1], call->attr);
  c.blocks = blocks_of(window_places(&c.w), CORRELATE_COLUMNS);
  return c;
}

static inline Correlation correlation_input(const KernelCall *call) {
  Correlation c = correlation_of(call->out_type, call->in_type[1], call->attr);
  int64_t taps = window_taps(&c.w);
  c.channels = taps < CORRELATE_TAPS ? CORRELATE_TAPS / taps : 1;
  c.blocks = blocks_of(c.ins, c.channels);
  return c;
}

static inline Correlation correlation_weight(const KernelCall *call) {
  Correlation c = correlation_of(call->in_type[0], call->out_type, call->attr);
  c.blocks = blocks_of(c.k, CORRELATE_TAPS);
  int64_t units = c.groups * c.blocks, parts = units < CORRELATE_PARTS ? CORRELATE_PARTS / (units ? units : 1) : 1;
  c.images = blocks_of(c.w.n, parts);
  c.parts = c.images ? blocks_of(c.w.n, c.images) : 1;
  return c;
}

#ifdef KERNELS
#include "ops/tiles.h"

static const Tiles *tiles_of(const Type *t) { return t->dtype == F32 ? &f32_tiles : &f64_tiles; }

/* Zeros behind `wide` columns of rows, up to a whole tile. */
static void fill_edge(char *b, int64_t rows, int64_t wide, int64_t columns, int64_t size) {
  int64_t edge = wide % columns;
  for (int64_t l = 0; edge && l < rows; l++)
    memset(b + (l * CORRELATE_ROW + wide) * size, 0, (size_t)((columns - edge) * size));
}

/* A unit: an image, a group, a block of columns. */
static bool correlate_run(KernelCall *call) {
  Correlation c = correlation_forward(call);
  const Type *t = call->out_type;
  const Tiles *tiles = tiles_of(t);
  Reading r[2];
  readings_of(&c.w, r);
  int64_t size = dtype_size[t->dtype], places = window_places(&c.w), step = k_block(c.k);
  int64_t image = c.ins * r[ROWS].size * r[COLUMNS].size * size;
  char *b = call->scratch;
  for (int64_t u = call->begin; u < call->end; u++) {
    int64_t j = u % c.blocks * CORRELATE_COLUMNS, group = u / c.blocks;
    int64_t wide = places - j < CORRELATE_COLUMNS ? places - j : CORRELATE_COLUMNS;
    const char *a = (const char *)call->in[1] + group % c.groups * c.outs * c.k * size;
    char *y = (char *)call->out + (group * c.outs * places + j) * size;
    for (int64_t o = 0; c.k == 0 && o < c.outs; o++) memset(y + o * places * size, 0, (size_t)(wide * size));
    for (int64_t at = 0; at < c.k; at += step) {
      int64_t kc = c.k - at < step ? c.k - at : step;
      read_of(t)(r, (const char *)call->in[0] + group * image, at, kc, j, wide, CORRELATE_ROW, b);
      fill_edge(b, kc, wide, tiles->columns, size);
      for (int64_t l = 0; l < wide; l += tiles->columns)
        tiles->strip(a + at * size, c.k, c.outs, kc, b + l * size, CORRELATE_ROW, y + l * size, places,
                     wide - l < tiles->columns ? wide - l : tiles->columns, at > 0);
    }
  }
  return true;
}

/* The readings of some channels' planes, rows of taps, = a dy, a block of columns at a time, added to the planes. */
static void input_planes(const KernelCall *call, const Correlation *c, const char *a, const char *dy, int64_t rows,
                         char *planes) {
  const Type *t = call->out_type;
  const Tiles *tiles = tiles_of(t);
  Reading r[2];
  readings_of(&c->w, r);
  int64_t size = dtype_size[t->dtype], places = window_places(&c->w), step = k_block(c->outs);
  char *b = call->scratch, *sums = b + step * CORRELATE_ROW * size;
  for (int64_t j = 0; j < places; j += CORRELATE_COLUMNS) {
    int64_t wide = places - j < CORRELATE_COLUMNS ? places - j : CORRELATE_COLUMNS;
    for (int64_t at = 0; at < c->outs; at += step) {
      int64_t kc = c->outs - at < step ? c->outs - at : step;
      for (int64_t o = 0; o < kc; o++)
        memcpy(b + o * CORRELATE_ROW * size, dy + ((at + o) * places + j) * size, (size_t)(wide * size));
      fill_edge(b, kc, wide, tiles->columns, size);
      for (int64_t l = 0; l < wide; l += tiles->columns)
        tiles->strip(a + at * size, c->outs, rows, kc, b + l * size, CORRELATE_ROW, sums + l * size, CORRELATE_ROW,
                     tiles->columns, at > 0);
    }
    add_of(t)(r, planes, 0, rows, j, wide, CORRELATE_ROW, sums);
  }
}

/* A unit: an image, a group, a block of its channels in. */
static bool correlate_input_run(KernelCall *call) {
  Correlation c = correlation_input(call);
  int64_t size = dtype_size[call->out_type->dtype], taps = window_taps(&c.w), places = window_places(&c.w);
  int64_t plane = call->out_type->dim[2] * call->out_type->dim[3] * size;
  for (int64_t u = call->begin; u < call->end; u++) {
    int64_t i = u % c.blocks * c.channels, group = u / c.blocks;
    int64_t some = c.ins - i < c.channels ? c.ins - i : c.channels;
    char *planes = (char *)call->out + (group * c.ins + i) * plane;
    memset(planes, 0, (size_t)(some * plane));
    if (c.outs > 0)
      input_planes(call, &c, (const char *)call->shared + (group % c.groups * c.ins + i) * taps * c.outs * size,
                   (const char *)call->in[0] + group * c.outs * places * size, some * taps, planes);
  }
  return true;
}

/* w by its taps, in each group: [groups, ins, taps, outs]. A unit is a channel of w. */
#define BY_TAPS(name, T)                                                                                   \
  static void name(const T *w, int64_t taps, int64_t outs, T *to) {                                        \
    for (int64_t k = 0; k < taps; k++) to[k * outs] = w[k];                                                \
  }
BY_TAPS(by_taps_f32, float)
BY_TAPS(by_taps_f64, double)

static bool correlate_input_prepare(KernelCall *call) {
  Correlation c = correlation_input(call);
  int64_t taps = window_taps(&c.w);
  for (int64_t u = call->begin; u < call->end; u++) {
    int64_t g = u / (c.outs * c.ins), o = u / c.ins % c.outs, to = (g * c.ins + u % c.ins) * taps * c.outs + o;
    if (call->out_type->dtype == F32)
      by_taps_f32((const float *)call->in[1] + u * taps, taps, c.outs, (float *)call->shared + to);
    else
      by_taps_f64((const double *)call->in[1] + u * taps, taps, c.outs, (double *)call->shared + to);
  }
  return true;
}
static int64_t correlate_input_prepares(const KernelCall *call) {
  return call->in_type[1]->dim[0] * call->in_type[1]->dim[1];
}
static size_t correlate_input_shared(const KernelCall *call) { return (size_t)type_bytes(call->in_type[1]); }

/* Rows k..k+rows of dw's transpose [taps, outs] of group g, summed over images n..n_end. */
static void weight_rows(const KernelCall *call, const Correlation *c, int64_t g, int64_t k, int64_t rows, int64_t n,
                        int64_t n_end, char *to) {
  const Type *t = call->out_type, *x = call->in_type[0];
  const Tiles *tiles = tiles_of(t);
  Reading r[2];
  readings_of(&c->w, r);
  int64_t size = dtype_size[t->dtype], places = window_places(&c->w), step = k_block(places);
  int64_t image = c->ins * x->dim[2] * x->dim[3] * size;
  char *a = call->scratch, *panel = a + CORRELATE_TAPS * CORRELATE_ROW * size;
  if (n >= n_end) memset(to, 0, (size_t)(rows * c->outs * size));
  for (bool add = false; n < n_end; n++) {
    int64_t group = n * c->groups + g;
    const char *dy = (const char *)call->in[1] + group * c->outs * places * size;
    for (int64_t p = 0; p < places; p += step, add = true) {
      int64_t kc = places - p < step ? places - p : step;
      read_of(t)(r, (const char *)call->in[0] + group * image, k, rows, p, kc, CORRELATE_ROW, a);
      for (int64_t o = 0; o < c->outs; o += tiles->columns) {
        int64_t width = c->outs - o < tiles->columns ? c->outs - o : tiles->columns;
        tiles->pack(dy + (o * places + p) * size, places, kc, width, panel);
        tiles->strip(a, CORRELATE_ROW, rows, kc, panel, tiles->columns, to + o * size, c->outs, width, add);
      }
    }
  }
}

/* Block u of taps of a group, of a part of the images. */
static void weight_block(const KernelCall *call, const Correlation *c, int64_t u, int64_t part, char *to) {
  int64_t k = u % c->blocks * CORRELATE_TAPS, n = part * c->images, n_end = n + c->images;
  weight_rows(call, c, u / c->blocks, k, c->k - k < CORRELATE_TAPS ? c->k - k : CORRELATE_TAPS, n,
              n_end < c->w.n ? n_end : c->w.n, to);
}

/* A unit: a part, a group, a block of its taps. */
static bool correlate_weight_prepare(KernelCall *call) {
  Correlation c = correlation_weight(call);
  int64_t units = c.groups * c.blocks, size = dtype_size[call->out_type->dtype];
  for (int64_t u = call->begin; u < call->end; u++) {
    int64_t at = u % units, row = at / c.blocks * c.k + at % c.blocks * CORRELATE_TAPS;
    weight_block(call, &c, at, u / units,
                 (char *)call->shared + u / units * type_bytes(call->out_type) + row * c.outs * size);
  }
  return true;
}
static int64_t correlate_weight_prepares(const KernelCall *call) {
  Correlation c = correlation_weight(call);
  return c.parts > 1 ? c.parts * c.groups * c.blocks : 0;
}
static size_t correlate_weight_shared(const KernelCall *call) {
  Correlation c = correlation_weight(call);
  return c.parts > 1 ? (size_t)(c.parts * type_bytes(call->out_type)) : 0;
}

/* Rows of dw's transpose, the sum of the parts in their order, to dw. */
#define SUM_PARTS(name, T)                                                                                       \
  static void name(T *y, const T *part, int64_t n_parts, int64_t step, int64_t rows, int64_t outs, int64_t ld) { \
    for (int64_t o = 0; o < outs; o++)                                                                           \
      for (int64_t k = 0; k < rows; k++) {                                                                       \
        T sum = part[k * outs + o];                                                                              \
        for (int64_t p = 1; p < n_parts; p++) sum += part[p * step + k * outs + o];                              \
        y[o * ld + k] = sum;                                                                                     \
      }                                                                                                          \
  }
SUM_PARTS(sum_parts_f32, float)
SUM_PARTS(sum_parts_f64, double)

/* A unit: a group, a block of its taps. */
static bool correlate_weight_run(KernelCall *call) {
  Correlation c = correlation_weight(call);
  int64_t size = dtype_size[call->out_type->dtype], step = type_count(call->out_type);
  char *own = (char *)call->scratch + (CORRELATE_TAPS * CORRELATE_ROW + CORRELATE_K * WIDEST_PANEL) * size;
  for (int64_t u = call->begin; u < call->end; u++) {
    int64_t g = u / c.blocks, k = u % c.blocks * CORRELATE_TAPS, at = g * c.outs * c.k + k;
    int64_t rows = c.k - k < CORRELATE_TAPS ? c.k - k : CORRELATE_TAPS;
    const char *part = c.parts > 1 ? (const char *)call->shared + (g * c.k + k) * c.outs * size : own;
    if (c.parts == 1) weight_block(call, &c, u, 0, own);
    if (call->out_type->dtype == F32)
      sum_parts_f32((float *)call->out + at, (const float *)(const void *)part, c.parts, step, rows, c.outs, c.k);
    else
      sum_parts_f64((double *)call->out + at, (const double *)(const void *)part, c.parts, step, rows, c.outs, c.k);
  }
  return true;
}
const OpKernels KERNELS_OF(correlate) = {.run = correlate_run};
const OpKernels KERNELS_OF(correlate_input) = {
    .run = correlate_input_run, .prepare = correlate_input_prepare, .prepares = correlate_input_prepares,
    .shared = correlate_input_shared};
const OpKernels KERNELS_OF(correlate_weight) = {
    .run = correlate_weight_run, .prepare = correlate_weight_prepare, .prepares = correlate_weight_prepares,
    .shared = correlate_weight_shared};
#else

static int64_t correlate_units(const KernelCall *call) {
  Correlation c = correlation_forward(call);
  return c.w.n * c.groups * c.blocks;
}
static int64_t correlate_input_units(const KernelCall *call) {
  Correlation c = correlation_input(call);
  return c.w.n * c.groups * c.blocks;
}
static int64_t correlate_weight_units(const KernelCall *call) {
  Correlation c = correlation_weight(call);
  return c.groups * c.blocks;
}

static size_t correlate_scratch(const KernelCall *call) {
  return (size_t)(k_block(correlation_forward(call).k) * CORRELATE_ROW * dtype_size[call->out_type->dtype]);
}
static size_t correlate_input_scratch(const KernelCall *call) {
  Correlation c = correlation_input(call);
  int64_t rows = k_block(c.outs) + c.channels * window_taps(&c.w);
  return (size_t)(rows * CORRELATE_ROW * dtype_size[call->out_type->dtype]);
}
static size_t correlate_weight_scratch(const KernelCall *call) {
  Correlation c = correlation_weight(call);
  int64_t own = c.parts == 1 ? CORRELATE_TAPS * c.outs : 0;
  return (size_t)((CORRELATE_TAPS * CORRELATE_ROW + CORRELATE_K * WIDEST_PANEL + own) *
                  dtype_size[call->out_type->dtype]);
}

/* A product for each element of dy, with the taps of all channels of a group. */
static Cost correlation_cost(const KernelCall *call, const Type *dy, const Type *w) {
  double bytes = (double)type_bytes(call->in_type[0]) + (double)type_bytes(call->in_type[1]);
  return (Cost){.flops = 2 * (double)type_count(dy) * (double)(w->dim[1] * w->dim[2] * w->dim[3]),
                .bytes = bytes + (double)type_bytes(call->out_type)};
}
static Cost correlate_cost(const KernelCall *call) {
  return correlation_cost(call, call->out_type, call->in_type[1]);
}
static Cost correlate_input_cost(const KernelCall *call) {
  return correlation_cost(call, call->in_type[0], call->in_type[1]);
}
static Cost correlate_weight_cost(const KernelCall *call) {
  return correlation_cost(call, call->in_type[1], call->out_type);
}

static bool groups_are_sane(TypeRule *r) {
  int64_t groups = r->attr->i[8];
  if (groups >= 1 && groups <= INT32_MAX) return true;
  return refuse(r, BAD_SIZE, -1, -1, NULL, "groups are 1 or more, found %lld", (long long)groups);
}

/* Whether w are kernels for x, in groups. */
static bool correlates(TypeRule *r, const Type *x, int at_w, const Type *w) {
  Arena *a = r->g->arena;
  const int64_t *i = r->attr->i;
  if (!groups_are_sane(r)) return false;
  if (w->rank != 4)
    return refuse(r, BAD_RANK, at_w, -1, NULL, "kernels are [out channels, in channels, height, width], but this is %s",
                  shape_show(a, w));
  if (!window_fits(r, "a kernel", w->dim + 2, i, x)) return false;
  if (x->dim[1] % i[8] || w->dim[0] % i[8])
    return refuse(r, BAD_SHAPE, 0, at_w, NULL, "%lld groups do not divide %lld channels in and %lld out",
                  (long long)i[8], (long long)x->dim[1], (long long)w->dim[0]);
  if (x->dim[1] == i[8] * w->dim[1]) return true;
  return refuse(r, BAD_SHAPE, 0, at_w, NULL,
                "kernels %s in %lld group%s are for images of %lld channels, but these have %lld", shape_show(a, w),
                (long long)i[8], i[8] == 1 ? "" : "s", (long long)(i[8] * w->dim[1]), (long long)x->dim[1]);
}

/* Of one float type, and attr->i with so many numbers. */
static bool correlate_operands(TypeRule *r, uint32_t n) {
  Arena *a = r->g->arena;
  if (!window_attr(r, n) || !one_dtype(r, 0, 1)) return false;
  for (int k = 0; k < 2; k++)
    if (r->x[k]->rank != 4)
      return refuse(r, BAD_RANK, k, -1, k ? NULL : "`x[:, None]` adds an axis of one channel, `reshape` cuts axes",
                    k ? "kernels are [out channels, in channels, height, width], but this is %s"
                      : "images are [N, channels, height, width], but this is %s", shape_show(a, r->x[k]));
  if (dtype_is_float((DType)r->x[0]->dtype)) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "convert with `f32(...)`", "`%s` needs floats, but this is %s", r->op->name,
                type_show(a, r->x[0]));
}

/* The adjoint dy that belongs to x and w. */
static bool is_adjoint(TypeRule *r, int at, const Type *x, const Type *w) {
  Correlation c = correlation_of(x, w, r->attr);
  const Type *dy = r->x[at];
  int64_t want[] = {x->dim[0], w->dim[0], c.w.axis[ROWS].grid, c.w.axis[COLUMNS].grid};
  if (memcmp(dy->dim, want, sizeof want) == 0) return true;
  return refuse(r, BAD_SHAPE, at, -1, NULL, "images %s and kernels %s give [%lld, %lld, %lld, %lld], but this is %s",
                shape_show(r->g->arena, x), shape_show(r->g->arena, w), (long long)want[0], (long long)want[1],
                (long long)want[2], (long long)want[3], shape_show(r->g->arena, dy));
}

static bool correlate_type(TypeRule *r) {
  if (!correlate_operands(r, CORRELATE_NUMBERS) || !correlates(r, r->x[0], 1, r->x[1])) return false;
  Correlation c = correlation_of(r->x[0], r->x[1], r->attr);
  r->y = *r->x[0];
  r->y.dim[1] = r->x[1]->dim[0];
  for (int k = 0; k < 2; k++) r->y.dim[2 + k] = c.w.axis[k].grid;
  return true;
}

static bool correlate_input_type(TypeRule *r) {
  if (!correlate_operands(r, CORRELATE_NUMBERS + 2)) return false;
  const int64_t *i = r->attr->i;
  if (!groups_are_sane(r) || !image_is_sane(r, i + 9)) return false;
  Type x = *r->x[0];
  x.dim[1] = i[8] * r->x[1]->dim[1];
  for (int k = 0; k < 2; k++) x.dim[2 + k] = i[9 + k];
  if (!correlates(r, &x, 1, r->x[1]) || !is_adjoint(r, 0, &x, r->x[1])) return false;
  r->y = x;
  return true;
}

static bool correlate_weight_type(TypeRule *r) {
  if (!correlate_operands(r, CORRELATE_NUMBERS + 2)) return false;
  const int64_t *i = r->attr->i;
  const Type *x = r->x[0];
  if (!groups_are_sane(r)) return false;
  Type w = {.dtype = x->dtype, .rank = 4, .dim = {r->x[1]->dim[1], x->dim[1] / i[8], i[9], i[10]}};
  if (!correlates(r, x, 1, &w) || !is_adjoint(r, 1, x, &w)) return false;
  r->y = w;
  return true;
}

/* One of the three, of a and b. like: what the adjoints give, its last two sizes; -1: of correlate, which has none. */
static NodeId correlation(const Grad *d, const Op *op, NodeId a, NodeId b, NodeId like) {
  int64_t i[CORRELATE_NUMBERS + 2];
  memcpy(i, d->attr->i, CORRELATE_NUMBERS * sizeof *i);
  if (op != &op_correlate) memcpy(i + CORRELATE_NUMBERS, d->g->node[like].type->dim + 2, 2 * sizeof *i);
  return g_attr(d->g, op, (NodeId[]){a, b}, 2, i, op == &op_correlate ? CORRELATE_NUMBERS : CORRELATE_NUMBERS + 2);
}

static void correlate_grad(Grad *d) {
  if (d->wanted[0]) d->dx[0] = correlation(d, &op_correlate_input, d->dy, d->x[1], d->x[0]);
  if (d->wanted[1]) d->dx[1] = correlation(d, &op_correlate_weight, d->x[0], d->dy, d->x[1]);
}
static void correlate_input_grad(Grad *d) {
  if (d->wanted[0]) d->dx[0] = correlation(d, &op_correlate, d->dy, d->x[1], NO_NODE);
  if (d->wanted[1]) d->dx[1] = correlation(d, &op_correlate_weight, d->dy, d->x[0], d->x[1]);
}
static void correlate_weight_grad(Grad *d) {
  if (d->wanted[0]) d->dx[0] = correlation(d, &op_correlate_input, d->x[1], d->dy, d->x[0]);
  if (d->wanted[1]) d->dx[1] = correlation(d, &op_correlate, d->x[0], d->dy, NO_NODE);
}

/* Operand k as [N, B * C, H, W]. */
static NodeId batch_channels(const Batch *b, uint32_t k) {
  NodeId x = batch_front(b->g, batch_full(b, k), 0, 1);
  const Type *t = b->g->node[x].type;
  Type y = {.dtype = t->dtype, .rank = 4, .dim = {t->dim[0], t->dim[1] * t->dim[2], t->dim[3], t->dim[4]}};
  return g_reshape(b->g, x, &y);
}

/* The elements of a batch are more images, if the kernels are the same; else more channels, each a group of its own. */
static NodeId correlate_batch(Batch *b) {
  Graph *g = b->g;
  bool weight = b->node->op == &op_correlate_weight;
  Type y = batch_type(b->node->type, b->size);
  if (!weight && !b->has[1])
    return g_reshape(g, batch_emit(b, (NodeId[]){batch_images(b, 0), b->x[1]}, b->node->attr->i, b->node->attr->n), &y);
  int64_t i[CORRELATE_NUMBERS + 2];
  memcpy(i, b->node->attr->i, b->node->attr->n * sizeof *i);
  i[8] *= b->size;
  NodeId x[2] = {batch_channels(b, 0), weight ? batch_channels(b, 1) : batch_images(b, 1)};
  NodeId all = batch_emit(b, x, i, b->node->attr->n);
  if (weight) return g_reshape(g, all, &y);
  Type split = y;
  split.dim[0] = y.dim[1];
  split.dim[1] = b->size;
  return batch_front(g, g_reshape(g, all, &split), 1, 0);
}

/* ---- sparsity: channels of a group are mixed, places by the taps ---- */

/* By element of an image or a grid [N, C, H, W], the number of its place and group. */
static int64_t *grouped_places(const Type *t, int64_t channels, Arena *a) {
  int64_t n = type_count(t), plane = t->dim[2] * t->dim[3], *out = NEW_N(a, int64_t, n + 1);
  for (int64_t k = 0; k < n; k++) out[k] = k / plane / channels * plane + k % plane;
  return out;
}

/* The place that tap (row, column) reads of the image, from place (r, c) of the grid; -1: outside. */
static int64_t tap_reads(const Window *w, int64_t tap, int64_t r, int64_t c) {
  const Slide *v = &w->axis[ROWS], *u = &w->axis[COLUMNS];
  int64_t y = r * v->stride + tap / u->size * v->dilation - v->before;
  int64_t x = c * u->stride + tap % u->size * u->dilation - u->before;
  return y < 0 || y >= v->image || x < 0 || x >= u->image ? -1 : y * u->image + x;
}

/* Image and grid: operand 0 and the result, or the other way round (back). w: the kernels' type. */
static void places_depend(Depends *d, const Correlation *c, const Type *image, const Type *grid, bool back) {
  int64_t of_image = image->dim[2] * image->dim[3], of_grid = grid->dim[2] * grid->dim[3];
  int64_t from = back ? of_grid : of_image, n = type_count(d->node->type), groups = image->dim[0] * c->groups;
  const Type *x = back ? grid : image;
  const int64_t *group = grouped_places(x, back ? c->outs : c->ins, d->scratch);
  const int64_t *mine = grouped_places(d->node->type, back ? c->ins : c->outs, d->scratch);
  const uint32_t *set = depends_group(d, 0, group, groups * from);
  int64_t *reads = NEW_N(d->scratch, int64_t, (back ? of_image : of_grid) + 1), *of = NEW_N(d->scratch, int64_t, n + 1);
  for (int64_t tap = 0; tap < window_taps(&c->w); tap++) {
    for (int64_t k = 0; k < of_image; k++)
      if (back) reads[k] = -1;
    for (int64_t k = 0; k < of_grid; k++) {
      int64_t place = tap_reads(&c->w, tap, k / grid->dim[3], k % grid->dim[3]);
      if (!back) reads[k] = place;
      else if (place >= 0) reads[place] = k;
    }
    int64_t to = back ? of_image : of_grid;
    for (int64_t k = 0; k < n; k++) {
      int64_t place = reads[mine[k] % to];
      of[k] = place < 0 ? -1 : mine[k] / to * from + place;
    }
    depends_on(d, set, of);
  }
}

/* By element of a tensor, the index along an axis. */
static int64_t *index_along(const Type *t, int axis, Arena *a) {
  int64_t n = type_count(t), inner = 1, *out = NEW_N(a, int64_t, n + 1);
  for (int k = axis + 1; k < t->rank; k++) inner *= t->dim[k];
  for (int64_t k = 0; k < n; k++) out[k] = k / inner % t->dim[axis];
  return out;
}

/* By kernel element (o, c) the number of its input channel among all. */
static int64_t *input_channel(const Correlation *c, const Type *w, Arena *a) {
  int64_t n = type_count(w), each = w->dim[2] * w->dim[3], *out = NEW_N(a, int64_t, n + 1);
  for (int64_t k = 0; k < n; k++) out[k] = k / each / c->ins / c->outs * c->ins + k / each % c->ins;
  return out;
}

static void correlate_depends(Depends *d) {
  const Type *x = d->g->node[d->node->in[0]].type, *w = d->g->node[d->node->in[1]].type;
  Correlation c = correlation_of(x, w, d->node->attr);
  if (d->x[0]) places_depend(d, &c, x, d->node->type, false);
  depends_axes(d, 1, (int[]){1, -1, -1, -1});
}

static void correlate_input_depends(Depends *d) {
  const Type *dy = d->g->node[d->node->in[0]].type, *w = d->g->node[d->node->in[1]].type, *x = d->node->type;
  Correlation c = correlation_of(x, w, d->node->attr);
  if (d->x[0]) places_depend(d, &c, x, dy, true);
  depends_on(d, depends_group(d, 1, input_channel(&c, w, d->scratch), x->dim[1]), index_along(x, 1, d->scratch));
}

static void correlate_weight_depends(Depends *d) {
  const Type *x = d->g->node[d->node->in[0]].type, *w = d->node->type;
  Correlation c = correlation_of(x, w, d->node->attr);
  const uint32_t *set = depends_group(d, 0, index_along(x, 1, d->scratch), x->dim[1]);
  depends_on(d, set, input_channel(&c, w, d->scratch));
  depends_axes(d, 1, (int[]){-1, 0, -1, -1});
}

const Op op_correlate = {
    .name = "correlate", .id = OP_correlate, .n_in = 2,
    .args = "x, w, stride:pair=1, before:pair=0, after:pair=0, dilation:pair=1, groups:size=1",
    .doc = "The cross-correlation of images x [N, C, H, W], padded with zeros, with kernels w [O, C / groups, h, w]: "
           "[N, O, rows, columns], what networks call a convolution.",
    .example = "correlate([[[[1, 2, 3]]]], [[[[1, 10]]]])   # => [[[[21, 32]]]]",
    .samples = "f32[2,3,4,5] f32[2,3,2,3]; 1 1 0 0 0 0 1 1 1 | f32[1,4,5,4] f32[6,2,2,2]; 2 1 1 0 0 2 2 1 2"
               " | f32[2,2,3,3] f32[2,1,3,3]; 1 1 1 1 1 1 1 1 2 | f32[1,1,3,2] f32[3,1,1,1]; 2 2 0 1 0 0 1 1 1",
    .type = correlate_type, .grad = correlate_grad, .batch = correlate_batch, .depends = correlate_depends,
    .units = correlate_units,
    .scratch = correlate_scratch, .cost = correlate_cost,
    .js = "const G = Y[1], per = Y[0] / a[8]; each(R, ([n, c, r, q], k) => each([G, Y[2], Y[3]], ([d, u, v]) "
          "=> { const h = r * a[0] - a[2] + u * a[6], w = q * a[1] - a[3] + v * a[7], at4 = [n, floor(c / per) "
          "* G + d, h, w]; if (h >= 0 && h < X[2] && w >= 0 && w < X[3]) o[k] += x[at(at4, X)] * y[at([c, d, "
          "u, v], Y)]; }))",
};
const Op op_correlate_input = {
    .name = "correlate_input", .id = OP_correlate_input, .n_in = 2,
    .args = "dy, w, stride:pair, before:pair, after:pair, dilation:pair, groups:size, image:pair",
    .doc = "The adjoint of `correlate` to its images, of a size that is given: what networks call a transposed "
           "convolution.",
    .example = "correlate_input([[[[1, 2]]]], [[[[1, 10]]]], 1, 0, 0, 1, 1, (1, 3))   # => [[[[1, 12, 20]]]]",
    .samples = "f32[2,2,3,3] f32[2,3,2,3]; 1 1 0 0 0 0 1 1 1 4 5 | f32[1,6,2,5] f32[6,2,2,2]; 2 1 1 0 0 2 2 1 2 5 4"
               " | f32[1,3,2,2] f32[3,1,1,1]; 2 2 0 1 0 0 1 1 1 3 2",
    .type = correlate_input_type, .grad = correlate_input_grad, .batch = correlate_batch,
    .depends = correlate_input_depends,
    .units = correlate_input_units, .scratch = correlate_input_scratch, .cost = correlate_input_cost,
    .js = "const G = Y[1], per = Y[0] / a[8]; each(X, ([n, c, r, q], k) => each([G, Y[2], Y[3]], ([d, u, v]) "
          "=> { const h = r * a[0] - a[2] + u * a[6], w = q * a[1] - a[3] + v * a[7], at4 = [n, floor(c / per) "
          "* G + d, h, w]; if (h >= 0 && h < R[2] && w >= 0 && w < R[3]) o[at(at4, R)] += x[k] * y[at([c, d, "
          "u, v], Y)]; }))",
};
const Op op_correlate_weight = {
    .name = "correlate_weight", .id = OP_correlate_weight, .n_in = 2,
    .args = "x, dy, stride:pair, before:pair, after:pair, dilation:pair, groups:size, kernel:pair",
    .doc = "The adjoint of `correlate` to its kernels, of a size that is given.",
    .example = "grad(fn (w) = sum(correlate([[[[1, 2, 3]]]], w)))([[[[1, 10]]]])   # => [[[[3, 5]]]]",
    .samples = "f32[2,3,4,5] f32[2,2,3,3]; 1 1 0 0 0 0 1 1 1 2 3 | f32[1,4,5,4] f32[1,6,2,5]; 2 1 1 0 0 2 2 1 2 2 2"
               " | f32[9,1,3,2] f32[9,3,2,2]; 2 2 0 1 0 0 1 1 1 1 1",
    .type = correlate_weight_type, .grad = correlate_weight_grad, .batch = correlate_batch,
    .depends = correlate_weight_depends,
    .units = correlate_weight_units, .scratch = correlate_weight_scratch,
    .cost = correlate_weight_cost,
    .js = "const G = R[1], per = R[0] / a[8]; each(Y, ([n, c, r, q], k) => each([G, R[2], R[3]], ([d, u, v]) "
          "=> { const h = r * a[0] - a[2] + u * a[6], w = q * a[1] - a[3] + v * a[7], at4 = [n, floor(c / per) "
          "* G + d, h, w]; if (h >= 0 && h < X[2] && w >= 0 && w < X[3]) o[at([c, d, u, v], R)] += x[at(at4, "
          "X)] * y[k]; }))",
};
#endif
