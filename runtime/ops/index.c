/* index: elements chosen by numbers: gather and its transpose scatter_add, take_along and its transpose scatter_along.
 * In: a tensor and i32 indices, negative ones counted from the end. Out: copies, or sums in the order of the indices.
 * An index that is not there is a fault with its place in the index tensor. Units split what is independent of the
 * indices, so that sums never race and their order is fixed.
 */
#include <string.h>
#include "graph/op.h"

enum { COLUMNS = 1024 };     /* elements of a row that one unit of a scatter owns */

/* x around its axis: outer rows, n places of `inner` elements. count: indices. shared: outer rows that read the same
 * ones. */
typedef struct Lie { int64_t outer, n, inner, count, blocks, shared; } Lie;

static inline Lie lie(const Type *x, int64_t axis, int64_t count) {
  Lie l = {.outer = 1, .n = x->dim[axis], .inner = 1, .count = count};
  for (int k = 0; k < axis; k++) l.outer *= x->dim[k];
  for (int k = (int)axis + 1; k < x->rank; k++) l.inner *= x->dim[k];
  l.blocks = (l.inner + COLUMNS - 1) / COLUMNS;
  l.shared = l.outer;
  return l;
}

/* Of gather and scatter_add: attr->i[1], if it is there, counts leading axes that x and the indices share (a batch). */
static inline int lead_of(const Attr *a) { return a->n > 1 ? (int)a->i[1] : 0; }

static inline Lie lie_led(const Type *x, const Type *i, const Attr *a) {
  int64_t batch = 1, count = 1;
  for (int k = 0; k < i->rank; k++) *(k < lead_of(a) ? &batch : &count) *= i->dim[k];
  Lie l = lie(x, a->i[0], count);
  l.shared = batch ? l.outer / batch : 0;
  return l;
}

#ifndef KERNELS
static Cost move_cost(const KernelCall *c) {
  return (Cost){.flops = 0, .bytes = 2 * (double)type_bytes(c->out_type) + (double)type_bytes(c->in_type[1])};
}

static bool indices(TypeRule *r, const Type *i) {
  const Type *x = r->x[0];
  if (r->attr->n < 1) return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs an axis", r->op->name);
  int64_t axis = r->attr->i[0];
  if (x->rank == 0) return refuse(r, BAD_RANK, 0, -1, NULL, "a scalar cannot be indexed");
  if (axis < 0 || axis >= x->rank)
    return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, x), (long long)axis);
  if (i->dtype == I32) return true;
  return refuse(r, BAD_DTYPE, 1, -1,
                i->dtype == BOOL ? "choose with `where(mask, x, 0)`"
                : i->dtype == U8 ? "write `i32(i)`"
                                 : "write `i32(i)` or divide by `//`",
                "an index must be i32, but this is %s", type_show(r->g->arena, i));
}
#else
/* The place an index means, or -1 and the fault. */
static inline int64_t place_of(KernelCall *c, const int32_t *index, int64_t k, int64_t n) {
  int64_t i = index[k] < 0 ? index[k] + n : index[k];
  if (i >= 0 && i < n) return i;
  c->fault = (Fault){.code = FAULT_OP, .element = k, .a = index[k], .b = n};
  return -1;
}

/* to[0..n) += from[0..n) */
static void add_row(DType d, void *to, const void *from, int64_t n) {
  if (d == F32) {
    float *restrict t = to;
    const float *restrict f = from;
    for (int64_t k = 0; k < n; k++) t[k] += f[k];
  } else if (d == F64) {
    double *restrict t = to;
    const double *restrict f = from;
    for (int64_t k = 0; k < n; k++) t[k] += f[k];
  } else {
    uint32_t *restrict t = to;
    const uint32_t *restrict f = from;
    for (int64_t k = 0; k < n; k++) t[k] += f[k];
  }
}
#endif

/* ---- gather: attr->i = {axis, shared leading axes} ---- */

#ifndef KERNELS
static int64_t gather_units(const KernelCall *c) {
  Lie l = lie_led(c->in_type[0], c->in_type[1], c->attr);
  return l.outer * l.count;
}

static bool led(TypeRule *r) {
  const Type *x = r->x[0], *i = r->x[1];
  int lead = lead_of(r->attr);
  bool ok = lead >= 0 && lead <= r->attr->i[0] && lead <= i->rank;
  for (int k = 0; ok && k < lead; k++) ok = x->dim[k] == i->dim[k];
  if (ok) return true;
  return refuse(r, BAD_SHAPE, 0, 1, NULL, "%s and %s do not share their first %d axes", type_show(r->g->arena, x),
                type_show(r->g->arena, i), lead);
}

/* The axis of what is indexed moves on; indices that differ by the element have a leading axis of their own. */
static NodeId gather_batch(Batch *b) {
  const Attr *a = b->node->attr;
  Graph *g = b->g;
  int lead = lead_of(a), axis = (int)a->i[0];
  if (!b->has[1] && lead == 0) return batch_emit(b, b->x, (int64_t[]){axis + 1}, 1);
  if (!b->has[0] && lead == 0) return batch_front(g, batch_emit(b, b->x, a->i, a->n), axis, 0);
  return batch_emit(b, (NodeId[]){batch_full(b, 0), batch_full(b, 1)}, (int64_t[]){axis + 1, lead + 1}, 2);
}

static NodeId scatter_add_batch(Batch *b) {
  const Attr *a = b->node->attr;
  int lead = lead_of(a);
  bool own = b->has[1] || lead > 0;
  NodeId x[3] = {batch_full(b, 0), own ? batch_full(b, 1) : b->x[1], batch_full(b, 2)};
  return batch_emit(b, x, (int64_t[]){a->i[0] + 1, lead + 1}, own ? 2 : 1);
}

static bool gather_type(TypeRule *r) {
  const Type *x = r->x[0], *i = r->x[1];
  if (!indices(r, i) || !led(r)) return false;
  int axis = (int)r->attr->i[0], lead = lead_of(r->attr);
  r->y = (Type){.dtype = x->dtype};
  if (x->rank + i->rank - lead - 1 > MAX_RANK)
    return refuse(r, BAD_LIMIT, 0, 1, NULL, "%s indexed by %s has more than %d axes", type_show(r->g->arena, x),
                  type_show(r->g->arena, i), MAX_RANK);
  for (int k = 0; k < axis; k++) r->y.dim[r->y.rank++] = x->dim[k];
  for (int k = lead; k < i->rank; k++) r->y.dim[r->y.rank++] = i->dim[k];
  for (int k = axis + 1; k < x->rank; k++) r->y.dim[r->y.rank++] = x->dim[k];
  return true;
}

static void gather_grad(Grad *d) {
  if (!d->wanted[0]) return;
  Type x = *d->g->node[d->x[0]].type;
  d->dx[0] = g_attr(d->g, &op_scatter_add, (NodeId[]){g_fill(d->g, &x, 0), d->x[1], d->dy}, 3, d->attr->i,
                    d->attr->n);
}

/* The axes of operand k, with places for those of the indices: where they are of the run, the axis is mixed. */
static void mixed_at(Depends *d, uint32_t k, int axis, int places, int result_places) {
  int to[MAX_RANK];
  for (int j = 0; j < MAX_RANK; j++)
    to[j] = j < axis ? j : j < axis + places ? -1 : j - places + result_places;
  depends_axes(d, k, to);
}

static int index_axes(const Depends *d) {
  return d->g->node[d->node->in[1]].type->rank - lead_of(d->node->attr);
}

static void gather_depends(Depends *d) {
  if (!depends_where_moved(d)) mixed_at(d, 0, (int)d->node->attr->i[0], 1, index_axes(d));
}

static void scatter_depends(Depends *d) {
  const Attr *a = d->node->attr;
  if (d->node->op == &op_scatter && depends_where_moved(d)) return;
  depends_same(d, 0);
  if (!depends_placed(d, 2, &op_gather, d->node->in + 1, 1, a->i, a->n))
    mixed_at(d, 2, (int)a->i[0], index_axes(d), 1);
}

const Op op_gather = {
    .name = "gather", .id = OP_gather, .flags = OP_FAILS | OP_KEEPS_LAZY_AXIS_0 | OP_MOVES, .n_in = 2,
    .args = "x, i, axis:axis=0",
    .faults = &fault_index,
    .doc = "The places of an axis that the indices name, as NumPy's take; negative indices count from the end.",
    .example = "gather([10, 20, 30], [2, 0, -1])   # => [30, 10, 30]",
    .samples = "f32[3,4] i32[2]; 0 | f32[3,4] i32[2]; 1 | f32[2,3,4] i32[2,2]; 1 | f32[2,3,2,2] i32[]; 3"
               " | i32[3,4] i32[2]; 1 | bool[3] i32[2]; 0 | f32[2,4] i32[2,3]; 1 1 | f32[2,3,2,2] i32[2,3]; 2 2",
    .type = gather_type, .selects = SELECTS(0), .grad = gather_grad, .batch = gather_batch, .depends = gather_depends,
    .units = gather_units,
    .cost = move_cost,
    .js = "const r = Y.length - (a[1] || 0), d = a[0]; each(R, (i, k) => { const p = y[at([...i.slice(0, a[1] "
          "|| 0), ...i.slice(d, d + r)], Y)], j = at([...i.slice(0, d), p < 0 ? p + X[d] : p, ...i.slice(d + "
          "r)], X); o[k] = x[j]; })",
};
#else
static bool gather_run(KernelCall *c) {
  Lie l = lie_led(c->in_type[0], c->in_type[1], c->attr);
  const int32_t *index = c->in[1];
  int64_t row = l.inner * dtype_size[c->out_type->dtype];
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t k = u / l.count / l.shared * l.count + u % l.count, i = place_of(c, index, k, l.n);
    if (i < 0) return false;
    char *to = (char *)c->out + u * row;
    const char *from = (const char *)c->in[0] + (u / l.count * l.n + i) * row;
    if (row == 4)
      memcpy(to, from, 4);
    else
      memcpy(to, from, (size_t)row);
  }
  return true;
}
const OpKernels KERNELS_OF(gather) = {.run = gather_run};
#endif

/* ---- scatter_add, scatter: attr->i = {axis, shared leading axes}; x i v ---- */

#ifndef KERNELS
static int64_t scatter_add_units(const KernelCall *c) {
  Lie l = lie(c->out_type, c->attr->i[0], 0);
  return l.outer * l.blocks;
}

static bool alike(TypeRule *r) {
  const Type *x = r->x[0], *v = r->x[2];
  r->y = *x;
  if (x->dtype == v->dtype) return true;
  return refuse(r, BAD_MIXED, 0, 2, "convert one of them",
                "`%s` takes values of the same element type, but %s meets %s", r->op->name, type_show(r->g->arena, x),
                type_show(r->g->arena, v));
}

static bool summed(TypeRule *r) {
  const Type *x = r->x[0];
  if (!alike(r)) return false;
  if (dtype_sum[x->dtype] != x->dtype)
    return refuse(r, BAD_DTYPE, 0, -1, "convert with `i32(...)`", "`%s` does not add %s", r->op->name,
                  type_show(r->g->arena, x));
  return true;
}

/* v holds a row for each index. */
static bool rows_given(TypeRule *r) {
  const Type *x = r->x[0], *i = r->x[1];
  int axis = (int)r->attr->i[0], lead = lead_of(r->attr);
  Type want = {.dtype = x->dtype};
  if (x->rank + i->rank - lead - 1 <= MAX_RANK) {
    for (int k = 0; k < axis; k++) want.dim[want.rank++] = x->dim[k];
    for (int k = lead; k < i->rank; k++) want.dim[want.rank++] = i->dim[k];
    for (int k = axis + 1; k < x->rank; k++) want.dim[want.rank++] = x->dim[k];
    if (type_same_shape(&want, r->x[2])) return true;
  }
  return refuse(r, BAD_SHAPE, 1, 2, NULL, "%s indexed by %s along axis %d takes values of shape %s, but these are %s",
                shape_show(r->g->arena, x), shape_show(r->g->arena, i), axis, shape_show(r->g->arena, &want),
                shape_show(r->g->arena, r->x[2]));
}

static bool scatter_add_type(TypeRule *r) { return indices(r, r->x[1]) && summed(r) && led(r) && rows_given(r); }
static bool scatter_type(TypeRule *r) { return indices(r, r->x[1]) && alike(r) && led(r) && rows_given(r); }

static void scatter_add_grad(Grad *d) {
  d->dx[0] = d->dy;
  if (d->wanted[2]) d->dx[2] = g_attr(d->g, &op_gather, (NodeId[]){d->dy, d->x[1]}, 2, d->attr->i, d->attr->n);
}

const Op op_scatter_add = {
    .name = "scatter_add", .id = OP_scatter_add, .flags = OP_FAILS, .n_in = 3, .args = "x, i, v, axis:axis=0",
    .faults = &fault_index,
    .doc = "x with v added at the places of an axis that the indices name; an index that comes twice adds twice.",
    .example = "scatter_add([0, 0, 0], [2, 0, 2], [1, 2, 3])   # => [2, 0, 4]",
    .samples = "f32[3,4] i32[2] f32[2,4]; 0 | f32[3,4] i32[2] f32[3,2]; 1 | f32[3] i32[2,2] f32[2,2]; 0"
               " | f32[2,3,2,2] i32[] f32[2,3,2]; 2 | i32[3] i32[] i32[]; 0 | f32[2,4] i32[2,3] f32[2,3]; 1 1",
    .type = scatter_add_type, .grad = scatter_add_grad, .batch = scatter_add_batch, .depends = scatter_depends,
    .units = scatter_add_units,
    .cost = move_cost,
    .js = "o.set(x); const r = Y.length - (a[1] || 0), d = a[0]; each(Z, (i, k) => { const p = "
          "y[at([...i.slice(0, a[1] || 0), ...i.slice(d, d + r)], Y)], j = at([...i.slice(0, d), p < 0 ? p + "
          "X[d] : p, ...i.slice(d + r)], X); o[j] += z[k]; })",
};

/* Whether each index is the last of its like, in the shape of i: every place learns the number of the index that wrote
 * it last. */
static NodeId last_of_its_like(Grad *d) {
  Graph *g = d->g;
  Type x = *g->node[d->x[0]].type, i = *g->node[d->x[1]].type;
  int lead = lead_of(d->attr);
  int64_t count = 1, at[2] = {lead, lead};
  Type places = {.dtype = I32, .rank = (uint8_t)(lead + 1)}, row = {.dtype = I32, .rank = (uint8_t)(i.rank - lead)};
  for (int k = 0; k < lead; k++) places.dim[k] = x.dim[k];
  places.dim[lead] = x.dim[d->attr->i[0]];
  for (int k = lead; k < i.rank; k++) count *= row.dim[k - lead] = i.dim[k];
  NodeId number = g_attr(g, &op_iota, NULL, 0, &count, 1);
  number = g_broadcast(g, g_reshape(g, number, &row), &i);
  NodeId writer = g_fill(g, &places, 0);
  writer = g_attr(g, &op_scatter, (NodeId[]){writer, d->x[1], number}, 3, at, 2);
  writer = g_attr(g, &op_gather, (NodeId[]){writer, d->x[1]}, 2, at, 2);
  return g_op2(g, &op_eq, writer, number);
}

static void scatter_grad(Grad *d) {
  Graph *g = d->g;
  Type v = *g->node[d->x[2]].type, i = *g->node[d->x[1]].type;
  NodeId none = g_fill(g, &v, 0);
  if (d->wanted[0]) d->dx[0] = g_attr(g, &op_scatter, (NodeId[]){d->dy, d->x[1], none}, 3, d->attr->i, d->attr->n);
  if (!d->wanted[2]) return;
  d->dx[2] = none;
  if (type_count(&v) == 0) return;   /* nothing is written, and no index is looked at */
  int lead = lead_of(d->attr), axis = (int)d->attr->i[0];
  /* a flag an index, along the axes that v has for them */
  Type stands = {.dtype = BOOL, .rank = v.rank}, whole = v;
  whole.dtype = BOOL;
  for (int k = 0; k < v.rank; k++) stands.dim[k] = k < lead || (k >= axis && k < axis + i.rank - lead) ? v.dim[k] : 1;
  NodeId last = last_of_its_like(d);
  last = g_broadcast(g, g_reshape(g, last, &stands), &whole);
  NodeId back = g_attr(g, &op_gather, (NodeId[]){d->dy, d->x[1]}, 2, d->attr->i, d->attr->n);
  d->dx[2] = g_op3(g, &op_where, last, back, none);
}

const Op op_scatter = {
    .name = "scatter", .id = OP_scatter, .flags = OP_FAILS | OP_CHOOSES | OP_STORES, .n_in = 3,
    .args = "x, i:index, v, axis:axis=0", .faults = &fault_index,
    .doc = "x with v in the places of an axis that the indices name; of an index that comes twice the last value\n"
           "stands.",
    .example = "scatter([0, 0, 0], [2, 0, 2], [1, 2, 3])   # => [2, 0, 3]",
    .samples = "f32[3,4] i32[2] f32[2,4]; 0 | f32[3,4] i32[2] f32[3,2]; 1 | f32[3] i32[2,2] f32[2,2]; 0"
               " | f32[2,3,2,2] i32[] f32[2,3,2]; 2 | i32[3] i32[] i32[]; 0 | f32[2,4] i32[2,3] f32[2,3]; 1 1",
    .type = scatter_type, .selects = SELECTS(0) | SELECTS(2), .grad = scatter_grad, .batch = scatter_add_batch,
    .depends = scatter_depends,
    .units = scatter_add_units, .cost = move_cost,
    .js = "o.set(x); const r = Y.length - (a[1] || 0), d = a[0]; each(Z, (i, k) => { const p = "
          "y[at([...i.slice(0, a[1] || 0), ...i.slice(d, d + r)], Y)], j = at([...i.slice(0, d), p < 0 ? p + "
          "X[d] : p, ...i.slice(d + r)], X); o[j] = z[k]; })",
};
#else
static bool scatter_rows(KernelCall *c, bool add) {
  Lie l = lie_led(c->out_type, c->in_type[1], c->attr);
  int64_t size = dtype_size[c->out_type->dtype];
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t outer = u / l.blocks, j = u % l.blocks * COLUMNS, width = l.inner - j < COLUMNS ? l.inner - j : COLUMNS;
    char *to = (char *)c->out + (outer * l.n * l.inner + j) * size;
    const char *x = (const char *)c->in[0] + (outer * l.n * l.inner + j) * size;
    const char *v = (const char *)c->in[2] + (outer * l.count * l.inner + j) * size;
    if (l.blocks == 1)
      memcpy(to, x, (size_t)(l.n * l.inner * size));
    else
      for (int64_t k = 0; k < l.n; k++) memcpy(to + k * l.inner * size, x + k * l.inner * size, (size_t)(width * size));
    int64_t first = l.count ? outer / l.shared * l.count : 0;
    for (int64_t k = 0; k < l.count; k++) {
      int64_t i = place_of(c, c->in[1], first + k, l.n);
      if (i < 0) return false;
      if (add) add_row((DType)c->out_type->dtype, to + i * l.inner * size, v + k * l.inner * size, width);
      else memcpy(to + i * l.inner * size, v + k * l.inner * size, (size_t)(width * size));
    }
  }
  return true;
}
static bool scatter_add_run(KernelCall *c) { return scatter_rows(c, true); }
static bool scatter_run(KernelCall *c) { return scatter_rows(c, false); }
const OpKernels KERNELS_OF(scatter_add) = {.run = scatter_add_run};
const OpKernels KERNELS_OF(scatter) = {.run = scatter_run};
#endif

/* ---- take_along, scatter_along: attr->i = {axis}; i has x's shape but for the axis; units are the lines ---- */

#ifndef KERNELS
static int64_t along_units(const KernelCall *c) {
  const Type *i = c->in_type[1];
  int64_t n = 1;
  for (int k = 0; k < i->rank; k++)
    if (k != c->attr->i[0]) n *= i->dim[k];
  return n;
}

static bool along(TypeRule *r) {
  const Type *x = r->x[0], *i = r->x[1];
  if (!indices(r, i)) return false;
  bool ok = x->rank == i->rank;
  for (int k = 0; ok && k < x->rank; k++) ok = k == r->attr->i[0] || x->dim[k] == i->dim[k];
  if (ok) return true;
  return refuse(r, BAD_SHAPE, 0, 1, NULL, "`%s` along axis %lld needs the other sizes equal, but they are %s and %s",
                r->op->name, (long long)r->attr->i[0], shape_show(r->g->arena, x), shape_show(r->g->arena, i));
}

static bool take_along_type(TypeRule *r) {
  if (!along(r)) return false;
  r->y = *r->x[1];
  r->y.dtype = r->x[0]->dtype;
  return true;
}

static void take_along_grad(Grad *d) {
  if (!d->wanted[0]) return;
  Type x = *d->g->node[d->x[0]].type;
  d->dx[0] = g_attr(d->g, &op_scatter_along, (NodeId[]){g_fill(d->g, &x, 0), d->x[1], d->dy}, 3, d->attr->i, 1);
}

static bool scatter_along_type(TypeRule *r) {
  if (!along(r) || !summed(r)) return false;
  if (type_same_shape(r->x[1], r->x[2])) return true;
  return refuse(r, BAD_SHAPE, 1, 2, NULL, "`scatter_along` needs a value for each index, but the shapes are %s and %s",
                shape_show(r->g->arena, r->x[1]), shape_show(r->g->arena, r->x[2]));
}

static void scatter_along_grad(Grad *d) {
  d->dx[0] = d->dy;
  if (d->wanted[2]) d->dx[2] = g_attr(d->g, &op_take_along, (NodeId[]){d->dy, d->x[1]}, 2, d->attr->i, 1);
}

static void take_along_depends(Depends *d) {
  if (!depends_where_moved(d)) mixed_at(d, 0, (int)d->node->attr->i[0], 1, 1);
}

static void scatter_along_depends(Depends *d) {
  const Attr *a = d->node->attr;
  depends_same(d, 0);
  if (!depends_placed(d, 2, &op_take_along, d->node->in + 1, 1, a->i, a->n)) mixed_at(d, 2, (int)a->i[0], 1, 1);
}

const Op op_take_along = {
    .name = "take_along", .id = OP_take_along, .flags = OP_FAILS | OP_MOVES, .n_in = 2, .args = "x, i, axis:axis=0",
    .faults = &fault_index,
    .doc = "Of each line along an axis the elements that its own indices name, as NumPy's take_along_axis.",
    .example = "take_along([[1, 2], [3, 4]], [[1], [0]], axis = 1)   # => [[2], [3]]",
    .type = take_along_type, .selects = SELECTS(0), .grad = take_along_grad, .batch = batch_axis,
    .depends = take_along_depends,
    .units = along_units,
    .cost = move_cost,
    .js = "each(Y, (i, k) => { const j = at(i.map((v, m) => m == a[0] ? y[k] + (y[k] < 0 ? X[m] : 0) : v), X); "
          "o[k] = x[j]; })",
};
const Op op_scatter_along = {
    .name = "scatter_along", .id = OP_scatter_along, .flags = OP_FAILS, .n_in = 3,
    .args = "x, i:index, v, axis:axis=0",
    .faults = &fault_index,
    .doc = "x with v added in each line along an axis where its own indices say: the transpose of `take_along`.",
    .example = "grad(fn (x) = sum(take_along(x, [[1]], axis = 1)))([[5.0, 6.0]])   # => [[0, 1]]",
    .type = scatter_along_type, .grad = scatter_along_grad, .batch = batch_axis, .depends = scatter_along_depends,
    .units = along_units,
    .cost = move_cost,
    .js = "o.set(x); each(Y, (i, k) => { const j = at(i.map((v, m) => m == a[0] ? y[k] + (y[k] < 0 ? X[m] : 0) "
          ": v), X); o[j] += z[k]; })",
};
#else
/* A line's start, and how its elements follow, in x and in what has the indices' shape. */
static inline int64_t line_at(const Lie *l, int64_t u, int64_t n) { return u / l->inner * n * l->inner + u % l->inner; }

static bool take_along_run(KernelCall *c) {
  int64_t axis = c->attr->i[0], count = c->in_type[1]->dim[axis], size = dtype_size[c->out_type->dtype];
  Lie l = lie(c->in_type[0], axis, count);
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t from = line_at(&l, u, l.n), at = line_at(&l, u, count);
    for (int64_t k = 0; k < count; k++, at += l.inner) {
      int64_t i = place_of(c, c->in[1], at, l.n);
      if (i < 0) return false;
      const char *s = (const char *)c->in[0] + (from + i * l.inner) * size;
      char *d = (char *)c->out + at * size;
      if (size == 4)
        memcpy(d, s, 4);
      else if (size == 8)
        memcpy(d, s, 8);
      else
        memcpy(d, s, (size_t)size);
    }
  }
  return true;
}

static bool scatter_along_run(KernelCall *c) {
  int64_t axis = c->attr->i[0], count = c->in_type[1]->dim[axis], size = dtype_size[c->out_type->dtype];
  Lie l = lie(c->out_type, axis, count);
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t to = line_at(&l, u, l.n), at = line_at(&l, u, count);
    for (int64_t k = 0; k < l.n; k++) {
      int64_t e = (to + k * l.inner) * size;
      memcpy((char *)c->out + e, (const char *)c->in[0] + e, (size_t)size);
    }
    for (int64_t k = 0; k < count; k++, at += l.inner) {
      int64_t i = place_of(c, c->in[1], at, l.n);
      if (i < 0) return false;
      add_row((DType)c->out_type->dtype, (char *)c->out + (to + i * l.inner) * size,
              (const char *)c->in[2] + at * size, 1);
    }
  }
  return true;
}
const OpKernels KERNELS_OF(take_along) = {.run = take_along_run};
const OpKernels KERNELS_OF(scatter_along) = {.run = scatter_along_run};
#endif
