/* cumulate: running results along one axis: cumsum, cumprod, and recur, h[i] = a[i] h[i-1] + b[i], which is what the
 * derivative of cumprod needs to be right at zeros and is its own transpose. attr->i = {axis, reverse}: reverse runs
 * from the last element to the first. Sums of f32 run in f64, so a long series keeps its digits.
 */
#include "graph/op.h"

enum { LANE = 64 };

/* The axis between what is around it: outer rows, `inner` elements from one to the next. Units are blocks of inner. */
typedef struct Along { int64_t outer, n, inner, blocks; } Along;

static inline Along along(const Type *t, const Attr *a) {
  Along s = {.outer = 1, .n = t->dim[a->i[0]], .inner = 1};
  for (int k = 0; k < a->i[0]; k++) s.outer *= t->dim[k];
  for (int k = (int)a->i[0] + 1; k < t->rank; k++) s.inner *= t->dim[k];
  s.blocks = (s.inner + LANE - 1) / LANE;
  return s;
}

#ifndef KERNELS
static int64_t along_units(const KernelCall *c) {
  Along s = along(c->out_type, c->attr);
  return s.outer * s.blocks;
}

static Cost along_cost(const KernelCall *c) {
  return (Cost){.flops = 2 * (double)type_count(c->out_type), .bytes = 2 * (double)type_bytes(c->out_type)};
}
#endif

#ifdef KERNELS
/* TO: elements of the result, OF: of the input, RUN: of the running value; h is the value so far, j the lane. */
#define ALONG(name, TO, OF, RUN, FIRST, NEXT)                                           \
  static void name(KernelCall *c) {                                                     \
    Along s = along(c->out_type, c->attr);                                              \
    bool reverse = c->attr->i[1] != 0;                                                  \
    for (int64_t u = c->begin; u < c->end; u++) {                                       \
      int64_t col = u % s.blocks * LANE, base = u / s.blocks * s.n * s.inner + col;     \
      int64_t width = s.inner - col < LANE ? s.inner - col : LANE;                      \
      const OF *x = (const OF *)c->in[0] + base;                                        \
      const OF *b = (const OF *)c->in[SECOND] + base;                                   \
      TO *y = (TO *)c->out + base;                                                      \
      RUN h[LANE];                                                                      \
      for (int64_t j = 0; j < LANE; j++) h[j] = FIRST;                                  \
      for (int64_t k = 0; k < s.n; k++) {                                               \
        int64_t at = (reverse ? s.n - 1 - k : k) * s.inner;                             \
        for (int64_t j = 0; j < width; j++) {                                           \
          h[j] = NEXT;                                                                  \
          y[at + j] = (TO)h[j];                                                         \
        }                                                                               \
      }                                                                                 \
      (void)b;                                                                          \
    }                                                                                   \
  }
#define SECOND 0
ALONG(cumsum_f32, float, float, double, -0.0, h[j] + (double)x[at + j])
ALONG(cumsum_f64, double, double, double, -0.0, h[j] + x[at + j])
ALONG(cumsum_i32, int32_t, int32_t, uint32_t, 0, h[j] + (uint32_t)x[at + j])
ALONG(cumsum_u8, int32_t, uint8_t, uint32_t, 0, h[j] + x[at + j])
ALONG(cumprod_f32, float, float, float, 1, h[j] * x[at + j])
ALONG(cumprod_f64, double, double, double, 1, h[j] * x[at + j])
ALONG(cumprod_i32, int32_t, int32_t, uint32_t, 1, h[j] * (uint32_t)x[at + j])
ALONG(cumprod_u8, int32_t, uint8_t, uint32_t, 1, h[j] * x[at + j])
#undef SECOND
#define SECOND 1
ALONG(recur_f32, float, float, float, 0, k ? x[at + j] * h[j] + b[at + j] : b[at + j])
ALONG(recur_f64, double, double, double, 0, k ? x[at + j] * h[j] + b[at + j] : b[at + j])
#undef SECOND

static bool by_dtype(KernelCall *c, void (*const run[N_DTYPES])(KernelCall *)) {
  run[c->in_type[0]->dtype](c);
  return true;
}
static bool cumsum_run(KernelCall *c) {
  static void (*const run[N_DTYPES])(KernelCall *) = {
      [F32] = cumsum_f32, [F64] = cumsum_f64, [I32] = cumsum_i32, [U8] = cumsum_u8, [BOOL] = cumsum_u8};
  return by_dtype(c, run);
}
static bool cumprod_run(KernelCall *c) {
  static void (*const run[N_DTYPES])(KernelCall *) = {
      [F32] = cumprod_f32, [F64] = cumprod_f64, [I32] = cumprod_i32, [U8] = cumprod_u8, [BOOL] = cumprod_u8};
  return by_dtype(c, run);
}
static bool recur_run(KernelCall *c) {
  static void (*const run[N_DTYPES])(KernelCall *) = {[F32] = recur_f32, [F64] = recur_f64};
  return by_dtype(c, run);
}
const OpKernels KERNELS_OF(cumsum) = {.run = cumsum_run};
const OpKernels KERNELS_OF(cumprod) = {.run = cumprod_run};
const OpKernels KERNELS_OF(recur) = {.run = recur_run};
#else
static bool axis_given(TypeRule *r) {
  const Type *x = r->x[0];
  if (r->attr->n != 2) return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs an axis and a direction", r->op->name);
  if (r->attr->i[0] >= 0 && r->attr->i[0] < x->rank) return true;
  if (x->rank == 0) return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs an axis, but a scalar has none", r->op->name);
  return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, x), (long long)r->attr->i[0]);
}

static bool along_type(TypeRule *r) {
  if (!axis_given(r)) return false;
  r->y = *r->x[0];
  r->y.dtype = dtype_sum[r->y.dtype];
  return true;
}

static bool recur_type(TypeRule *r) {
  if (!axis_given(r)) return false;
  r->y = *r->x[0];
  if (type_eq(r->x[0], r->x[1]) && dtype_is_float((DType)r->y.dtype)) return true;
  return refuse(r, BAD_SHAPE, 0, 1, NULL, "`recur` needs two float tensors of one type, but these are %s and %s",
                type_show(r->g->arena, r->x[0]), type_show(r->g->arena, r->x[1]));
}

/* x moved by one along the axis: element k of the result is the one before k in the order of `reverse`; where none is,
 * `first`. */
static NodeId before(Graph *g, NodeId x, int64_t axis, bool reverse, double first) {
  Type t = *g->node[x].type, one = t;
  one.dim[axis] = 1;
  if (t.dim[axis] == 0) return x;
  int64_t box[3 * MAX_RANK];
  for (int k = 0; k < t.rank; k++) {
    box[3 * k] = k == axis && reverse ? 1 : 0;
    box[3 * k + 1] = t.dim[k] - (k == axis);
    box[3 * k + 2] = 1;
  }
  NodeId rest = g_attr(g, &op_slice, &x, 1, box, 3u * t.rank), fill = g_fill(g, &one, first);
  return g_attr(g, &op_concat, reverse ? (NodeId[]){rest, fill} : (NodeId[]){fill, rest}, 2, &axis, 1);
}

static void cumsum_grad(Grad *d) {
  d->dx[0] = g_attr(d->g, &op_cumsum, &d->dy, 1, (int64_t[]){d->attr->i[0], !d->attr->i[1]}, 2);
}

/* What an element of h still does: l[i] = dy[i] + a[i+1] l[i+1]. */
static NodeId tail(Grad *d, NodeId a) {
  int64_t axis = d->attr->i[0];
  bool reverse = d->attr->i[1] != 0;
  NodeId next = before(d->g, a, axis, !reverse, 0);
  return g_attr(d->g, &op_recur, (NodeId[]){next, d->dy}, 2, (int64_t[]){axis, !reverse}, 2);
}

static void cumprod_grad(Grad *d) {
  NodeId prior = before(d->g, d->y, d->attr->i[0], d->attr->i[1] != 0, 1);
  d->dx[0] = g_times(d, tail(d, d->x[0]), prior);
}

static void recur_grad(Grad *d) {
  NodeId l = tail(d, d->x[0]);
  if (d->wanted[0]) d->dx[0] = g_times(d, l, before(d->g, d->y, d->attr->i[0], d->attr->i[1] != 0, 0));
  d->dx[1] = l;
}

const Op op_cumsum = {
    .name = "cumsum", .id = OP_cumsum, .flags = OP_KEEPS_INTS, .n_in = 1, .args = "x, axis:line?, reverse:flag=false",
    .doc = "The sums of the elements up to each one along an axis; with reverse, from each one on.",
    .example = "cumsum([1, 2, 3])   # => [1, 3, 6]",
    .type = along_type, .grad = cumsum_grad, .batch = batch_axis, .units = along_units, .cost = along_cost,
    .depends = depends_lines,
    .js = "const m = X[a[0]], s = step(X, a[0]); for (let q = 0; q < o.length; q++) { const k = a[1] ? "
          "o.length - 1 - q : q, i = floor(k / s) % m, first = i == (a[1] ? m - 1 : 0), h = first ? 0 : o[a[1] "
          "? k + s : k - s]; o[k] = h + x[k]; }",
};
const Op op_cumprod = {
    .name = "cumprod", .id = OP_cumprod, .flags = OP_KEEPS_INTS, .n_in = 1,
    .args = "x, axis:line?, reverse:flag=false",
    .doc = "The products of the elements up to each one along an axis; with reverse, from each one on.",
    .example = "cumprod([1, 2, 3])   # => [1, 2, 6]",
    .type = along_type, .grad = cumprod_grad, .batch = batch_axis, .units = along_units, .cost = along_cost,
    .depends = depends_lines,
    .js = "const m = X[a[0]], s = step(X, a[0]); for (let q = 0; q < o.length; q++) { const k = a[1] ? "
          "o.length - 1 - q : q, i = floor(k / s) % m, first = i == (a[1] ? m - 1 : 0), h = first ? 1 : o[a[1] "
          "? k + s : k - s]; o[k] = h * x[k]; }",
};
const Op op_recur = {
    .name = "recur", .id = OP_recur, .n_in = 2, .args = "a, b, axis:axis=0, reverse:flag=false",
    .doc = "The linear recurrence h[i] = a[i] h[i-1] + b[i] along an axis, from h = 0.",
    .example = "recur([1, 2, 3], [1, 1, 1])   # => [1, 3, 10]",
    .type = recur_type, .grad = recur_grad, .batch = batch_axis, .units = along_units, .cost = along_cost,
    .depends = depends_lines,
    .js = "const m = X[a[0]], s = step(X, a[0]); for (let q = 0; q < o.length; q++) { const k = a[1] ? "
          "o.length - 1 - q : q, i = floor(k / s) % m, first = i == (a[1] ? m - 1 : 0), h = first ? 0 : o[a[1] "
          "? k + s : k - s]; o[k] = x[k] * h + y[k]; }",
};
#endif
