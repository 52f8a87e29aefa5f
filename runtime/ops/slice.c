/* slice: cutting a box out of a tensor and placing one into it. slice and its transpose unslice have static places, one
 * (start, count, step) an axis; slice_dyn and update_slice have a start that only the run knows, along one axis.
 * update and update_slice replace a part: what `v[i] = e` means. Out of range is refused while the graph is built,
 * or is a fault of the run for the dynamic ones: slices never clamp.
 */
#include "ops/walk.h"

typedef struct Box { int64_t start, count, step; } Box;
static inline Box box_at(const int64_t *i, int axis) {
  return (Box){.start = i[3 * axis], .count = i[3 * axis + 1], .step = i[3 * axis + 2]};
}

#ifndef KERNELS
static Cost move_cost(const KernelCall *c) {
  double bytes = (double)type_bytes(c->out_type);
  return (Cost){.flops = 0, .bytes = 2 * bytes};
}
#endif

/* ---- slice: attr->i = {start, count, step} of each axis ---- */

static inline void slice_walk(const KernelCall *c, Walk *w, int64_t *offset) {
  int64_t from[MAX_RANK], to[MAX_RANK];
  walk_strides(c->in_type[0], from);
  walk_strides(c->out_type, to);
  *w = (Walk){.rank = 0};
  *offset = 0;
  for (int k = 0; k < c->out_type->rank; k++) {
    Box b = box_at(c->attr->i, k);
    if (b.count) *offset += b.start * from[k];
    walk_axis(w, c->out_type->dim[k], to[k], from[k] * b.step);
  }
  walk_fold(w);
}

#ifndef KERNELS
static int64_t slice_units(const KernelCall *c) {
  Walk w;
  int64_t offset;
  slice_walk(c, &w, &offset);
  return walk_units(&w);
}
#endif

#ifdef KERNELS
static bool slice_run(KernelCall *c) {
  Walk w;
  int64_t offset, size = dtype_size[c->out_type->dtype];
  slice_walk(c, &w, &offset);
  walk_copy(&w, c->out, (const char *)c->in[0] + offset * size, (size_t)size, c->begin, c->end);
  return true;
}
const OpKernels KERNELS_OF(slice) = {.run = slice_run};
#else
/* Whether the box lies within the type; counts are the shape of what is cut. */
static bool boxes(TypeRule *r, const Type *whole, const int64_t *i, uint32_t n) {
  if (n != 3u * whole->rank)
    return refuse(r, BAD_VALUE, 0, -1, NULL, "`%s` of %s needs a start, a count and a step for each axis", r->op->name,
                  type_show(r->g->arena, whole));
  for (int k = 0; k < whole->rank; k++) {
    Box b = box_at(i, k);
    if (b.count < 0)
      return refuse(r, BAD_SIZE, 0, -1, NULL, "a slice cannot have %lld elements", (long long)b.count);
    if (b.step == 0) return refuse(r, BAD_RANGE, 0, -1, NULL, "a slice cannot step by 0");
    if (b.count == 0) continue;
    int64_t span, last = 0;
    bool over = __builtin_mul_overflow(b.count - 1, b.step, &span) || __builtin_add_overflow(b.start, span, &last);
    int64_t wrong = b.start < 0 || b.start >= whole->dim[k] ? b.start : last;
    if (!over && wrong >= 0 && wrong < whole->dim[k]) continue;
    return refuse(r, BAD_RANGE, 0, -1, "slices do not clamp",
                  "index %lld is outside axis %d of %s, which has %lld elements", (long long)wrong, k,
                  shape_show(r->g->arena, whole), (long long)whole->dim[k]);
  }
  return true;
}

static bool slice_type(TypeRule *r) {
  if (!boxes(r, r->x[0], r->attr->i, r->attr->n)) return false;
  r->y = *r->x[0];
  for (int k = 0; k < r->y.rank; k++) r->y.dim[k] = r->attr->i[3 * k + 1];
  return true;
}

static NodeId slice_simplify(Simplify *s) {
  Node n = s->node;
  if (n.type != s->g->node[n.in[0]].type) return NO_NODE;
  for (int k = 0; k < n.type->rank; k++)
    if (n.attr->i[3 * k] != 0 || n.attr->i[3 * k + 2] != 1) return NO_NODE;
  return n.in[0];
}

/* unslice's attributes for a box in a whole: {start, size of the whole, step} */
static NodeId unslice_of(Graph *g, NodeId v, const Type *whole, const int64_t *box) {
  int64_t i[3 * MAX_RANK];
  for (int k = 0; k < whole->rank; k++) {
    i[3 * k] = box[3 * k];
    i[3 * k + 1] = whole->dim[k];
    i[3 * k + 2] = box[3 * k + 2];
  }
  return g_attr(g, &op_unslice, &v, 1, i, 3u * whole->rank);
}

/* The batch whole, before the boxes of the element's axes. */
static NodeId boxes_batch(Batch *b) {
  const Attr *a = b->node->attr;
  int64_t i[3 * MAX_RANK + 3] = {0, b->size, 1};
  NodeId x[2];
  for (uint32_t k = 0; k < a->n; k++) i[k + 3] = a->i[k];
  for (uint32_t k = 0; k < b->node->n_in; k++) x[k] = batch_full(b, k);
  return batch_emit(b, x, i, a->n + 3);
}

static void slice_grad(Grad *d) { d->dx[0] = unslice_of(d->g, d->dy, d->g->node[d->x[0]].type, d->attr->i); }

const Op op_slice = {
    .name = "slice", .id = OP_slice, .flags = OP_KEEPS_LAZY | OP_HIDDEN | OP_MOVES, .n_in = 1, .args = "x, box:boxes",
    .doc = "A box cut out of a tensor: of each axis a start, a count and a step, which may be negative.",
    .example = "[1, 2, 3, 4][3:0:-2]   # => [4, 2]",
    .samples = "f32[3,4]; 0 2 1 1 2 1 | f32[3,4]; 2 3 -1 3 2 -2 | f32[2,3,4]; 1 1 1 0 2 2 0 4 1"
               " | f32[2,3,2,2]; 0 2 1 1 2 1 1 1 1 0 2 1 | bool[3,4]; 0 2 2 1 2 2 | i32[3]; 1 1 1 | f32[]",
    .type = slice_type, .simplify = slice_simplify, .selects = SELECTS(0), .grad = slice_grad, .batch = boxes_batch,
    .depends = depends_moved,
    .units = slice_units, .cost = move_cost,
    .js = "each(R, (i, k) => o[k] = x[at(i.map((v, m) => a[3 * m] + v * a[3 * m + 2]), X)])",
};
#endif

/* ---- placing: units are indices of the first axis of the target, each cleared (or copied), then overwritten ---- */

#ifndef KERNELS
static int64_t place_units(const KernelCall *c) { return c->out_type->rank >= 2 ? c->out_type->dim[0] : 1; }
#endif

#ifdef KERNELS
/* v at start + j * step of each axis of out, for first-axis indices begin..end of out. */
static void place(const KernelCall *c, const void *v, const Type *vt, const int64_t *start, const int64_t *step) {
  const Type *y = c->out_type;
  int64_t size = dtype_size[y->dtype], from[MAX_RANK], to[MAX_RANK], offset = 0;
  walk_strides(vt, from);
  walk_strides(y, to);
  Walk w = {.rank = 0};
  bool split = y->rank >= 2;
  for (int k = split; k < y->rank; k++) {
    if (vt->dim[k]) offset += start[k] * to[k];
    walk_axis(&w, vt->dim[k], to[k] * step[k], from[k]);
  }
  walk_fold(&w);
  int64_t units = walk_units(&w);
  if (!split) {
    walk_copy(&w, (char *)c->out + offset * size, v, (size_t)size, 0, units);
    return;
  }
  for (int64_t j = 0; j < vt->dim[0]; j++) {
    int64_t row = start[0] + j * step[0];
    if (row < c->begin || row >= c->end) continue;
    walk_copy(&w, (char *)c->out + (row * to[0] + offset) * size, (const char *)v + j * from[0] * size, (size_t)size, 0,
              units);
  }
}

/* The bytes of this call's units in out. */
static void place_range(const KernelCall *c, size_t *at, size_t *n) {
  int64_t bytes = type_bytes(c->out_type), row = c->out_type->rank >= 2 && bytes ? bytes / c->out_type->dim[0] : bytes;
  *at = (size_t)(c->begin * row);
  *n = (size_t)((c->end - c->begin) * row);
}
#endif

/* ---- unslice: attr->i = {start, size of the result, step} of each axis ---- */

#ifdef KERNELS
static bool unslice_run(KernelCall *c) {
  size_t at, n;
  int64_t start[MAX_RANK], step[MAX_RANK];
  place_range(c, &at, &n);
  if (n) memset((char *)c->out + at, 0, n);
  for (int k = 0; k < c->out_type->rank; k++) {
    start[k] = c->attr->i[3 * k];
    step[k] = c->attr->i[3 * k + 2];
  }
  place(c, c->in[0], c->in_type[0], start, step);
  return true;
}
const OpKernels KERNELS_OF(unslice) = {.run = unslice_run};
#else
static bool unslice_type(TypeRule *r) {
  const Type *x = r->x[0];
  int64_t box[3 * MAX_RANK];
  r->y = *x;
  if (r->attr->n == 3u * x->rank)
    for (int k = 0; k < x->rank; k++) {
      box[3 * k] = r->attr->i[3 * k];
      box[3 * k + 1] = x->dim[k];
      box[3 * k + 2] = r->attr->i[3 * k + 2];
      r->y.dim[k] = r->attr->i[3 * k + 1];
      if (r->y.dim[k] < 0)
        return refuse(r, BAD_SIZE, 0, -1, NULL, "a size cannot be negative, but axis %d is to have %lld", k,
                      (long long)r->y.dim[k]);
    }
  return boxes(r, &r->y, box, r->attr->n);
}

static void unslice_grad(Grad *d) {
  Type x = *d->g->node[d->x[0]].type;
  int64_t i[3 * MAX_RANK];
  for (int k = 0; k < x.rank; k++) {
    i[3 * k] = d->attr->i[3 * k];
    i[3 * k + 1] = x.dim[k];
    i[3 * k + 2] = d->attr->i[3 * k + 2];
  }
  d->dx[0] = g_attr(d->g, &op_slice, &d->dy, 1, i, 3u * x.rank);
}

const Op op_unslice = {
    .name = "unslice", .id = OP_unslice, .flags = OP_CHOOSES | OP_STORES, .n_in = 1, .args = "x, box:boxes",
    .doc = "Zeros of a shape with x placed in them: the transpose of `slice`.",
    .example = "unslice([1, 2], [1, 3, 1])   # => [0, 1, 2]",
    .samples = "f32[3,4]; 1 8 1 1 9 2 | f32[3]; 2 3 -1 | f32[2,3,4]; 0 2 1 3 7 1 0 4 1"
               " | f32[2,3,2,2]; 1 4 1 0 3 1 0 3 1 2 3 -1 | bool[3,4]; 1 8 1 1 9 2 | i32[1]; 2 3 4 | f32[]",
    .type = unslice_type, .grad = unslice_grad, .batch = boxes_batch, .units = place_units, .cost = move_cost,
    .depends = depends_moved,
    .js = "each(X, (i, k) => o[at(i.map((v, m) => a[3 * m] + v * a[3 * m + 2]), R)] = x[k])",
};
#endif

/* ---- update: x with the box attr->i replaced by v ---- */

#ifdef KERNELS
static bool update_run(KernelCall *c) {
  size_t at, n;
  int64_t start[MAX_RANK], step[MAX_RANK];
  place_range(c, &at, &n);
  if (n) memcpy((char *)c->out + at, (const char *)c->in[0] + at, n);
  for (int k = 0; k < c->out_type->rank; k++) {
    start[k] = c->attr->i[3 * k];
    step[k] = c->attr->i[3 * k + 2];
  }
  place(c, c->in[1], c->in_type[1], start, step);
  return true;
}
const OpKernels KERNELS_OF(update) = {.run = update_run};
#else
static bool part_dtype(TypeRule *r) {
  if (r->x[0]->dtype == r->x[1]->dtype) return true;
  return refuse(r, BAD_MIXED, 0, 1, "convert one of them", "a part of %s cannot be replaced by %s",
                type_show(r->g->arena, r->x[0]), type_show(r->g->arena, r->x[1]));
}

static bool update_type(TypeRule *r) {
  const Type *x = r->x[0];
  if (!part_dtype(r) || !boxes(r, x, r->attr->i, r->attr->n)) return false;
  Type part = *x;
  for (int k = 0; k < x->rank; k++) part.dim[k] = r->attr->i[3 * k + 1];
  r->y = *x;
  if (type_same_shape(&part, r->x[1])) return true;
  return refuse(r, BAD_SHAPE, 0, 1, NULL, "the part has shape %s, but its new value %s", shape_show(r->g->arena, &part),
                shape_show(r->g->arena, r->x[1]));
}

static void update_grad(Grad *d) {
  Graph *g = d->g;
  Type v = *g->node[d->x[1]].type;
  if (d->wanted[0])
    d->dx[0] = g_attr(g, &op_update, (NodeId[]){d->dy, g_fill(g, &v, 0)}, 2, d->attr->i, d->attr->n);
  if (d->wanted[1]) d->dx[1] = g_attr(g, &op_slice, &d->dy, 1, d->attr->i, d->attr->n);
}

const Op op_update = {
    .name = "update", .id = OP_update, .flags = OP_CHOOSES | OP_STORES, .n_in = 2,
    .args = "x, v, box:boxes",
    .doc = "x with a box of it replaced by v: what `v[i] = e` assigns.",
    .example = "update([1, 2, 3], [9], [1, 1, 1])   # => [1, 9, 3]",
    .samples = "f32[3,4] f32[2,2]; 0 2 1 1 2 1 | f32[3] f32[1]; 1 1 1 | f32[4] f32[2]; 3 2 -2"
               " | i32[3,4] i32[2,2]; 0 2 2 1 2 2 | f32[2,3,2,2] f32[1,3,2,1]; 1 1 1 0 3 1 0 2 1 1 1 1"
               " | f32[] f32[]",
    .type = update_type, .selects = SELECTS(0), .grad = update_grad, .batch = boxes_batch, .units = place_units,
    .depends = depends_moved,
    .cost = move_cost,
    .js = "o.set(x); each(Y, (i, k) => o[at(i.map((v, m) => a[3 * m] + v * a[3 * m + 2]), R)] = y[k])",
};
#endif

/* ---- slice_dyn: attr->i = {axis, count}; update_slice: attr->i = {axis}; the start is the last input, i32[..] ----
 * The start's axes are leading ones of x (a batch), each of whose elements has a start of its own. */

/* Of one element of the batch; there are *n, *step elements of the whole apart. */
static inline void dyn_walk(const KernelCall *c, const Type *whole, const Type *part, int lead, bool cut, Walk *w,
                            int64_t *row, int64_t *n, int64_t *step) {
  int axis = (int)c->attr->i[0];
  int64_t big[MAX_RANK], small[MAX_RANK];
  walk_strides(whole, big);
  walk_strides(part, small);
  *row = big[axis];
  *w = (Walk){.rank = 0};
  for (int k = lead; k < part->rank; k++)
    walk_axis(w, part->dim[k], cut ? small[k] : big[k], cut ? big[k] : small[k]);
  walk_fold(w);
  *n = 1;
  for (int k = 0; k < lead; k++) *n *= whole->dim[k];
  *step = lead ? big[lead - 1] : 0;
}

#ifndef KERNELS
static int64_t slice_dyn_units(const KernelCall *c) {
  Walk w;
  int64_t row, n, step;
  dyn_walk(c, c->in_type[0], c->out_type, c->in_type[1]->rank, true, &w, &row, &n, &step);
  return n * walk_units(&w);
}

static int64_t update_slice_units(const KernelCall *c) {
  return c->in_type[2]->rank ? type_count(c->in_type[2]) : place_units(c);
}
#endif

#ifdef KERNELS
/* Start number k, or a fault that names the index that is not there. */
static bool dyn_start(KernelCall *c, const int32_t *at, int64_t k, int64_t count, int64_t size, int64_t *start) {
  *start = at[k];
  if (*start >= 0 && *start <= size - count) return true;
  bool inside = *start >= 0 && *start < size;
  c->fault = (Fault){.code = FAULT_OP, .element = k, .a = inside ? *start + count - 1 : *start, .b = size};
  return false;
}

static bool slice_dyn_run(KernelCall *c) {
  Walk w;
  int64_t row, n, step, start, size = dtype_size[c->out_type->dtype], axis = c->attr->i[0];
  dyn_walk(c, c->in_type[0], c->out_type, c->in_type[1]->rank, true, &w, &row, &n, &step);
  int64_t each = walk_units(&w), part = n ? type_bytes(c->out_type) / n : 0;
  for (int64_t u = c->begin; u < c->end;) {
    int64_t k = u / each, from = u % each, to = c->end - u < each - from ? from + c->end - u : each;
    if (!dyn_start(c, c->in[1], k, c->out_type->dim[axis], c->in_type[0]->dim[axis], &start)) return false;
    walk_copy(&w, (char *)c->out + k * part, (const char *)c->in[0] + (k * step + start * row) * size, (size_t)size,
              from, to);
    u += to - from;
  }
  return true;
}

static bool update_slice_run(KernelCall *c) {
  int64_t start[MAX_RANK] = {0}, by[MAX_RANK], axis = c->attr->i[0], size = dtype_size[c->out_type->dtype];
  if (c->in_type[2]->rank == 0) {
    size_t at, bytes;
    if (!dyn_start(c, c->in[2], 0, c->in_type[1]->dim[axis], c->out_type->dim[axis], &start[axis])) return false;
    for (int k = 0; k < MAX_RANK; k++) by[k] = 1;
    place_range(c, &at, &bytes);
    if (bytes) memcpy((char *)c->out + at, (const char *)c->in[0] + at, bytes);
    place(c, c->in[1], c->in_type[1], start, by);
    return true;
  }
  Walk w;
  int64_t row, n, step;
  dyn_walk(c, c->out_type, c->in_type[1], c->in_type[2]->rank, false, &w, &row, &n, &step);
  int64_t each = walk_units(&w), part = n ? type_bytes(c->in_type[1]) / n : 0;
  for (int64_t k = c->begin; k < c->end; k++) {
    char *to = (char *)c->out + k * step * size;
    if (!dyn_start(c, c->in[2], k, c->in_type[1]->dim[axis], c->out_type->dim[axis], &start[0])) return false;
    if (step) memcpy(to, (const char *)c->in[0] + k * step * size, (size_t)(step * size));
    walk_copy(&w, to + start[0] * row * size, (const char *)c->in[1] + k * part, (size_t)size, 0, each);
  }
  return true;
}
const OpKernels KERNELS_OF(slice_dyn) = {.run = slice_dyn_run};
const OpKernels KERNELS_OF(update_slice) = {.run = update_slice_run};
#else
static bool dyn_axis(TypeRule *r, const Type *start, uint32_t n) {
  if (r->attr->n != n || r->attr->i[0] < 0 || r->attr->i[0] >= r->x[0]->rank)
    return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no such axis to slice", type_show(r->g->arena, r->x[0]));
  bool led = start->rank <= r->attr->i[0];
  for (int k = 0; led && k < start->rank; k++) led = start->dim[k] == r->x[0]->dim[k];
  if (start->dtype == I32 && led) return true;
  return refuse(r, BAD_DTYPE, (int)r->n - 1, -1, "write `i32(...)` or divide by `//`",
                "a slice's start must be an i32 scalar, but this is %s", type_show(r->g->arena, start));
}

static bool slice_dyn_type(TypeRule *r) {
  if (!dyn_axis(r, r->x[1], 2)) return false;
  int64_t axis = r->attr->i[0], count = r->attr->i[1];
  r->y = *r->x[0];
  if (count < 0 || count > r->y.dim[axis])
    return refuse(r, BAD_RANGE, 0, -1, "slices do not clamp", "%lld elements cannot be cut out of axis %lld of %s",
                  (long long)count, (long long)axis, shape_show(r->g->arena, r->x[0]));
  r->y.dim[axis] = count;
  return true;
}

/* Only a start that differs by the element needs the axis. */
static NodeId dyn_batch(Batch *b) {
  const Attr *a = b->node->attr;
  uint32_t last = b->node->n_in - 1u;
  NodeId x[3];
  for (uint32_t k = 0; k < last; k++) x[k] = batch_full(b, k);
  Type start = *b->g->node[b->x[last]].type;
  x[last] = b->has[last] || start.rank ? batch_full(b, last) : b->x[last];
  return batch_emit(b, x, (int64_t[]){a->i[0] + 1, a->n > 1 ? a->i[1] : 0}, a->n);
}

static void slice_dyn_grad(Grad *d) {
  Graph *g = d->g;
  Type x = *g->node[d->x[0]].type;
  if (d->wanted[0])
    d->dx[0] = g_attr(g, &op_update_slice, (NodeId[]){g_fill(g, &x, 0), d->dy, d->x[1]}, 3, d->attr->i, 1);
}

static bool update_slice_type(TypeRule *r) {
  if (!part_dtype(r) || !dyn_axis(r, r->x[2], 1)) return false;
  const Type *x = r->x[0], *v = r->x[1];
  bool ok = v->rank == x->rank;
  for (int k = 0; ok && k < x->rank; k++) ok = k == r->attr->i[0] ? v->dim[k] <= x->dim[k] : v->dim[k] == x->dim[k];
  r->y = *x;
  if (ok) return true;
  return refuse(r, BAD_SHAPE, 0, 1, NULL, "%s cannot be placed in %s along axis %lld", shape_show(r->g->arena, v),
                shape_show(r->g->arena, x), (long long)r->attr->i[0]);
}

static void update_slice_grad(Grad *d) {
  Graph *g = d->g;
  Type v = *g->node[d->x[1]].type;
  int64_t axis = d->attr->i[0];
  if (d->wanted[0])
    d->dx[0] = g_attr(g, &op_update_slice, (NodeId[]){d->dy, g_fill(g, &v, 0), d->x[2]}, 3, &axis, 1);
  if (d->wanted[1])
    d->dx[1] = g_attr(g, &op_slice_dyn, (NodeId[]){d->dy, d->x[2]}, 2, (int64_t[]){axis, v.dim[axis]}, 2);
}

/* Of a place that the run alone knows, the axis is mixed. */
static void slice_dyn_depends(Depends *d) {
  if (!depends_where_moved(d)) depends_lines(d);
}

static void update_slice_depends(Depends *d) {
  if (depends_where_moved(d)) return;
  int to[MAX_RANK];
  for (int k = 0; k < MAX_RANK; k++) to[k] = k == d->node->attr->i[0] ? -1 : k;
  depends_same(d, 0);
  depends_axes(d, 1, to);
}

const Op op_slice_dyn = {
    .name = "slice_dyn", .id = OP_slice_dyn, .flags = OP_FAILS | OP_KEEPS_LAZY | OP_MOVES, .n_in = 2,
    .args = "x, start:index, axis:axis, count:int",
    .faults = &fault_index,
    .doc = "A known number of elements of one axis, from a start that the run knows.",
    .example = "slice_dyn([1, 2, 3], 1, axis = 0, count = 2)   # => [2, 3]",
    .samples = "f32[3,4] i32[]; 0 2 | f32[3,4] i32[]; 1 3 | f32[5] i32[]; 0 1 | i32[2,3] i32[]; 1 1"
               " | f32[2,4] i32[2]; 1 1 | f32[2,3,2,2] i32[2]; 1 2",
    .type = slice_dyn_type, .selects = SELECTS(0), .grad = slice_dyn_grad, .batch = dyn_batch,
    .depends = slice_dyn_depends,
    .units = slice_dyn_units, .cost = move_cost,
    .js = "each(R, (i, k) => { const s = y[at(i.slice(0, Y.length), Y)]; o[k] = x[at(i.map((v, m) => m == a[0] "
          "? v + s : v), X)]; })",
};
const Op op_update_slice = {
    .name = "update_slice", .id = OP_update_slice, .flags = OP_FAILS | OP_CHOOSES | OP_STORES, .n_in = 3,
    .args = "x, v, start:index, axis:axis",
    .faults = &fault_index,
    .doc = "x with the elements of one axis from a start that the run knows replaced by v.",
    .example = "update_slice([1, 2, 3], [9], 1, axis = 0)   # => [1, 9, 3]",
    .samples = "f32[3,4] f32[2,4] i32[]; 0 | f32[3,4] f32[3,1] i32[]; 1 | i32[3] i32[1] i32[]; 0"
               " | f32[2,4] f32[2,2] i32[2]; 1 | f32[2,3,2] f32[2,1,2] i32[2]; 1",
    .type = update_slice_type, .selects = SELECTS(0), .grad = update_slice_grad, .batch = dyn_batch,
    .depends = update_slice_depends,
    .units = update_slice_units, .cost = move_cost,
    .js = "o.set(x); each(Y, (i, k) => { const s = z[at(i.slice(0, Z.length), Z)]; o[at(i.map((v, m) => m == "
          "a[0] ? v + s : v), R)] = y[k]; })",
};
#endif
