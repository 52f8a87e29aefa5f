/* sort: lines along an axis in order: sort, argsort, search_sorted. In: numbers; attr->i = {axis, descending}. Out: the
 * elements, or their places as i32. Stable: equals keep their order, also when descending; NaN is larger than all.
 * A merge sort of places, which needs no luck with the data; argsort is what sort's derivative goes along.
 */
#include "graph/op.h"

typedef struct Lines { int64_t n, inner, count; } Lines;

static inline Lines lines(const Type *t, int64_t axis) {
  Lines l = {.n = t->dim[axis], .inner = 1, .count = 1};
  for (int k = 0; k < t->rank; k++)
    if (k != axis) l.count *= t->dim[k];
  for (int k = (int)axis + 1; k < t->rank; k++) l.inner *= t->dim[k];
  return l;
}

#ifndef KERNELS
static int64_t line_units(const KernelCall *c) { return lines(c->in_type[0], c->attr->i[0]).count; }

static size_t line_scratch(const KernelCall *c) {   /* the line's elements, and twice its places */
  return (size_t)lines(c->in_type[0], c->attr->i[0]).n * (dtype_size[c->in_type[0]->dtype] + 2 * sizeof(int32_t)) + 16;
}

static Cost line_cost(const KernelCall *c) {
  double n = (double)type_count(c->in_type[0]), line = (double)lines(c->in_type[0], c->attr->i[0]).n, log = 1;
  for (; line > 1; line /= 2) log++;
  return (Cost){.flops = 4 * n * log, .bytes = (double)type_bytes(c->in_type[0]) + (double)type_bytes(c->out_type)};
}

static bool line_type(TypeRule *r) {
  const Type *x = r->x[0];
  if (r->attr->n != 2) return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs an axis and a direction", r->op->name);
  int64_t axis = r->attr->i[0];
  if (x->rank == 0) return refuse(r, BAD_RANK, 0, -1, NULL, "`%s` needs an axis, but a scalar has none", r->op->name);
  if (axis < 0 || axis >= x->rank)
    return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, x), (long long)axis);
  if (x->dim[axis] > INT32_MAX)
    return refuse(r, BAD_LIMIT, 0, -1, NULL, "`%s` of %lld elements has places beyond i32", r->op->name,
                  (long long)x->dim[axis]);
  r->y = *x;
  if (r->op == &op_argsort) r->y.dtype = I32;
  return true;
}

static void sort_grad(Grad *d) {
  Graph *g = d->g;
  Type x = *g->node[d->x[0]].type;
  NodeId place = g_attr(g, &op_argsort, d->x, 1, d->attr->i, 2);
  d->dx[0] = g_attr(g, &op_scatter_along, (NodeId[]){g_fill(g, &x, 0), place, d->dy}, 3, d->attr->i, 1);
}

const Op op_sort = {
    .name = "sort", .id = OP_sort, .flags = OP_PASSES | OP_KEEPS_INTS, .n_in = 1,
    .args = "x, axis:axis=-1, descending:flag=false",
    .doc = "The elements along an axis in ascending order, or descending; NaN is larger than all.",
    .example = "sort([3, 1, 2])   # => [1, 2, 3]",
    .type = line_type, .grad = sort_grad, .batch = batch_axis, .units = line_units, .scratch = line_scratch,
    .depends = depends_lines,
    .cost = line_cost,
    .js = "const m = X[a[0]], s = step(X, a[0]); for (let k = 0; k < o.length; k++) { if (floor(k / s) % m) "
          "continue; const by = [...Array(m).keys()].sort((p, q) => (a[1] ? -1 : 1) * (x[k + p * s] - x[k + q "
          "* s]) || p - q); by.forEach((p, i) => o[k + i * s] = x[k + p * s]); }",
};
const Op op_argsort = {
    .name = "argsort", .id = OP_argsort, .n_in = 1, .args = "x, axis:axis=-1, descending:flag=false",
    .doc = "The places of the elements along an axis in ascending order, or descending; equals keep their order.",
    .example = "argsort([3, 1, 2])   # => [1, 2, 0]",
    .type = line_type, .no_grad = "an index has no slope", .batch = batch_axis, .units = line_units,
    .scratch = line_scratch,
    .cost = line_cost,
    .js = "const m = X[a[0]], s = step(X, a[0]); for (let k = 0; k < o.length; k++) { if (floor(k / s) % m) "
          "continue; const by = [...Array(m).keys()].sort((p, q) => (a[1] ? -1 : 1) * (x[k + p * s] - x[k + q "
          "* s]) || p - q); by.forEach((p, i) => o[k + i * s] = p); }",
};
#else
/* Whether b comes before a, which stands before it: NaN is larger than all. */
#define LESS(a, b) (descending ? (b) > (a) || ((b) != (b) && (a) == (a)) : (b) < (a) || ((a) != (a) && (b) == (b)))
#define SORT(name, T)                                                                             \
  /* places of x[0..n) in order, in p or q; the one that holds them */                            \
  static int32_t *name##_places(const T *x, int64_t n, int32_t *p, int32_t *q, bool descending) { \
    for (int64_t k = 0; k < n; k++) p[k] = (int32_t)k;                                            \
    enum { RUN = 16 };                                                                            \
    for (int64_t from = 0; from < n; from += RUN) {                                               \
      int64_t to = n - from < RUN ? n : from + RUN;                                               \
      for (int64_t k = from + 1; k < to; k++) {                                                   \
        int32_t e = p[k];                                                                         \
        int64_t j = k;                                                                            \
        for (; j > from && LESS(x[p[j - 1]], x[e]); j--) p[j] = p[j - 1];                         \
        p[j] = e;                                                                                 \
      }                                                                                           \
    }                                                                                             \
    for (int64_t w = RUN; w < n; w *= 2) {                                                        \
      for (int64_t from = 0; from < n; from += 2 * w) {                                           \
        int64_t mid = n - from < w ? n : from + w, to = n - from < 2 * w ? n : from + 2 * w;      \
        int64_t a = from, b = mid;                                                                \
        for (int64_t k = from; k < to; k++)                                                       \
          q[k] = b >= to || (a < mid && !LESS(x[p[a]], x[p[b]])) ? p[a++] : p[b++];               \
      }                                                                                           \
      int32_t *swap = p;                                                                          \
      p = q;                                                                                      \
      q = swap;                                                                                   \
    }                                                                                             \
    return p;                                                                                     \
  }                                                                                               \
  static void name(KernelCall *c, bool places) {                                                  \
    Lines l = lines(c->in_type[0], c->attr->i[0]);                                                \
    T *x = c->scratch;                                                                            \
    int32_t *p = (int32_t *)(void *)((char *)c->scratch + (l.n * (int64_t)sizeof(T) + 7) / 8 * 8); \
    for (int64_t u = c->begin; u < c->end; u++) {                                                 \
      int64_t at = u / l.inner * l.n * l.inner + u % l.inner;                                     \
      const T *from = (const T *)c->in[0] + at;                                                   \
      for (int64_t k = 0; k < l.n; k++) x[k] = from[k * l.inner];                                 \
      const int32_t *order = name##_places(x, l.n, p, p + l.n, c->attr->i[1] != 0);               \
      if (places)                                                                                 \
        for (int64_t k = 0; k < l.n; k++) ((int32_t *)c->out)[at + k * l.inner] = order[k];       \
      else                                                                                        \
        for (int64_t k = 0; k < l.n; k++) ((T *)c->out)[at + k * l.inner] = x[order[k]];          \
    }                                                                                             \
  }
SORT(sort_f32, float)
SORT(sort_f64, double)
SORT(sort_i32, int32_t)
SORT(sort_u8, uint8_t)

static bool lines_run(KernelCall *c, bool places) {
  switch ((DType)c->in_type[0]->dtype) {
  case F32: sort_f32(c, places); break;
  case F64: sort_f64(c, places); break;
  case I32: sort_i32(c, places); break;
  default: sort_u8(c, places); break;
  }
  return true;
}
static bool sort_run(KernelCall *c) { return lines_run(c, false); }
static bool argsort_run(KernelCall *c) { return lines_run(c, true); }
const OpKernels KERNELS_OF(sort) = {.run = sort_run};
const OpKernels KERNELS_OF(argsort) = {.run = argsort_run};
#endif

/* ---- search_sorted: s v; attr->i = {right, leading axes that s and v share (a batch)} ---- */

enum { SEARCHES = 256 };     /* values a unit looks for */

#ifndef KERNELS
static int lead_of(const Attr *a) { return a->n > 1 ? (int)a->i[1] : 0; }

static int64_t search_units(const KernelCall *c) { return (type_count(c->out_type) + SEARCHES - 1) / SEARCHES; }

static Cost search_cost(const KernelCall *c) {
  return (Cost){.flops = 40 * (double)type_count(c->out_type), .bytes = (double)type_bytes(c->in_type[1])};
}

static bool search_type(TypeRule *r) {
  const Type *s = r->x[0], *v = r->x[1];
  if (r->attr->n < 1) return refuse(r, BAD_VALUE, 0, -1, NULL, "`search_sorted` needs a side");
  int lead = lead_of(r->attr);
  bool led = lead >= 0 && v->rank >= lead && s->rank == lead + 1;
  for (int k = 0; led && k < lead; k++) led = s->dim[k] == v->dim[k];
  if (!led)
    return refuse(r, BAD_RANK, 0, -1, NULL, "`search_sorted` looks in a vector, but this is %s",
                  type_show(r->g->arena, s));
  if (!one_dtype(r, 0, 1)) return false;
  if (s->dim[lead] > INT32_MAX)
    return refuse(r, BAD_LIMIT, 0, -1, NULL, "`search_sorted` in %lld elements has places beyond i32",
                  (long long)s->dim[lead]);
  r->y = *v;
  r->y.dtype = I32;
  return true;
}

static NodeId search_batch(Batch *b) {
  const Attr *a = b->node->attr;
  int lead = lead_of(a);
  if (!b->has[0] && lead == 0) return batch_emit(b, b->x, a->i, a->n);
  return batch_emit(b, (NodeId[]){batch_full(b, 0), batch_full(b, 1)}, (int64_t[]){a->i[0], lead + 1}, 2);
}

const Op op_search_sorted = {
    .name = "search_sorted", .id = OP_search_sorted, .n_in = 2, .args = "s, v, right:flag=false",
    .doc = "Where each value would go in an ascending vector: before its equals, or after them (right).",
    .example = "search_sorted([1, 2, 2, 3], [2, 9])   # => [1, 4]",
    .type = search_type, .no_grad = "an index has no slope", .batch = search_batch, .units = search_units,
    .cost = search_cost,
};
#else
#define SEARCH(name, T)                                                            \
  static int32_t name(const T *s, int64_t n, T v, bool right) {                    \
    int64_t from = 0;                                                              \
    while (n > 0) {                                                                \
      int64_t half = n / 2;                                                        \
      T m = s[from + half];                                                        \
      bool after = m < v || (right && m == v) || (v != v && (m == m || right));    \
      if (after) {                                                                 \
        from += half + 1;                                                          \
        n -= half + 1;                                                             \
      } else {                                                                     \
        n = half;                                                                  \
      }                                                                            \
    }                                                                              \
    return (int32_t)from;                                                          \
  }
SEARCH(search_f32, float)
SEARCH(search_f64, double)
SEARCH(search_i32, int32_t)
SEARCH(search_u8, uint8_t)

static bool search_run(KernelCall *c) {
  const Type *s = c->in_type[0];
  int64_t n = s->dim[s->rank - 1], end = c->end * SEARCHES, count = type_count(c->out_type);
  int64_t batch = n ? type_count(s) / n : 1, each = batch ? count / batch : 0;
  bool right = c->attr->i[0] != 0;
  int32_t *out = c->out;
  for (int64_t k = c->begin * SEARCHES; k < end && k < count; k++) {
    int64_t at = k / each * n;
    switch ((DType)s->dtype) {
    case F32: out[k] = search_f32((const float *)c->in[0] + at, n, ((const float *)c->in[1])[k], right); break;
    case F64: out[k] = search_f64((const double *)c->in[0] + at, n, ((const double *)c->in[1])[k], right); break;
    case I32: out[k] = search_i32((const int32_t *)c->in[0] + at, n, ((const int32_t *)c->in[1])[k], right); break;
    default: out[k] = search_u8((const uint8_t *)c->in[0] + at, n, ((const uint8_t *)c->in[1])[k], right); break;
    }
  }
  return true;
}
const OpKernels KERNELS_OF(search_sorted) = {.run = search_run};
#endif
