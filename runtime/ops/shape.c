/* shape: the same elements in another shape or order: broadcast, reshape, permute, concat, roll, tril, triu.
 * (Cutting and placing is slice.c.) In: tensors of any element type. Out: copies; no arithmetic, so no rounding.
 * Every rule's transpose is another op of this family, slice.c or a sum, so gradients close under every order.
 */
#include "ops/walk.h"

#ifndef KERNELS
static bool ints(TypeRule *r, uint32_t n, const char *what) {
  if (r->attr->n == n) return true;
  return refuse(r, BAD_VALUE, 0, -1, NULL, "`%s` of %s needs %u %s, but %u are given", r->op->name,
                type_show(r->g->arena, r->x[0]), (unsigned)n, what, (unsigned)r->attr->n);
}

static Type shape_of_attr(const TypeRule *r) {
  Type t = {.dtype = r->x[0]->dtype, .rank = (uint8_t)r->attr->n};
  for (uint32_t k = 0; k < r->attr->n; k++) t.dim[k] = r->attr->i[k];
  return t;
}

static bool sizes(TypeRule *r) {
  if (r->attr->n > MAX_RANK)
    return refuse(r, BAD_LIMIT, 0, -1, NULL, "a shape of rank %u is more than %d", (unsigned)r->attr->n, MAX_RANK);
  for (uint32_t k = 0; k < r->attr->n; k++)
    if (r->attr->i[k] < 0)
      return refuse(r, BAD_SIZE, 0, -1, NULL, "a size cannot be negative, but axis %u is to have %lld", (unsigned)k,
                    (long long)r->attr->i[k]);
  return true;
}

#endif

/* ---- broadcast: attr->i is the result's shape ---- */

static inline void broadcast_walk(const KernelCall *c, Walk *w) {
  const Type *x = c->in_type[0], *y = c->out_type;
  int64_t from[MAX_RANK], to[MAX_RANK];
  walk_strides(x, from);
  walk_strides(y, to);
  int lead = y->rank - x->rank;
  *w = (Walk){.rank = 0};
  for (int k = 0; k < y->rank; k++)
    walk_axis(w, y->dim[k], to[k], k < lead || x->dim[k - lead] == 1 ? 0 : from[k - lead]);
  walk_fold(w);
}

#ifndef KERNELS
static int64_t broadcast_units(const KernelCall *c) {
  Walk w;
  broadcast_walk(c, &w);
  return walk_units(&w);
}

static Cost copy_cost(const KernelCall *c) {
  double bytes = (double)type_bytes(c->out_type);
  return (Cost){.flops = 0, .bytes = 2 * bytes};
}
#endif

#ifdef KERNELS
static bool broadcast_run(KernelCall *c) {
  Walk w;
  broadcast_walk(c, &w);
  walk_copy(&w, c->out, c->in[0], dtype_size[c->out_type->dtype], c->begin, c->end);
  return true;
}
const OpKernels KERNELS_OF(broadcast) = {.run = broadcast_run};
#else
static bool broadcast_type(TypeRule *r) {
  if (!sizes(r)) return false;
  const Type *x = r->x[0];
  r->y = shape_of_attr(r);
  int lead = r->y.rank - x->rank;
  bool ok = lead >= 0;
  for (int k = 0; ok && k < x->rank; k++) ok = x->dim[k] == r->y.dim[k + lead] || x->dim[k] == 1;
  if (ok) return true;
  return refuse(r, BAD_SHAPE, 0, -1, "sizes are aligned from the right, and only a size of 1 stretches",
                "%s cannot be stretched to %s", shape_show(r->g->arena, x), shape_show(r->g->arena, &r->y));
}

static NodeId same_type(Simplify *s) {
  return s->node.type == s->g->node[s->node.in[0]].type ? s->node.in[0] : NO_NODE;
}

/* The element's own axes stay at the end: ones stand between them and the batch. */
static NodeId broadcast_batch(Batch *b) {
  Type x = *b->g->node[b->x[0]].type,
       wide = {.dtype = x.dtype, .rank = (uint8_t)(b->node->type->rank + 1), .dim = {b->size}};
  int lead = wide.rank - x.rank;
  for (int k = 1; k < wide.rank; k++) wide.dim[k] = k <= lead ? 1 : x.dim[k - lead];
  NodeId y = g_reshape(b->g, b->x[0], &wide);
  return batch_sizes(b, &y, 0);
}

static void broadcast_grad(Grad *d) { d->dx[0] = g_sum_to(d->g, d->dy, d->g->node[d->x[0]].type); }

const Op op_broadcast = {
    .name = "broadcast", .id = OP_broadcast, .flags = OP_MOVES | OP_KEEPS_INTS, .n_in = 1, .args = "x, shape:sizes",
    .doc = "Repeats along axes of size 1 and new leading ones, so that the result has the given shape.",
    .example = "broadcast([1, 2], [2, 2])   # => [[1, 2], [1, 2]]",
    .samples = "f32[]; 4 3 | f32[3]; 4 3 | f32[1]; 2 1 | i32[1,3]; 2 4 3 | f32[2,1,3]; 2 2 4 3"
               " | bool[3,4]; 1 3 4",
    .type = broadcast_type, .simplify = same_type, .grad = broadcast_grad, .batch = broadcast_batch,
    .depends = depends_moved,
    .units = broadcast_units, .cost = copy_cost,
    .js = "each(R, (i, k) => o[k] = x[at(i.slice(R.length - X.length).map((v, m) => X[m] == 1 ? 0 : v), X)])",
};
#endif

/* ---- reshape: attr->i is the result's shape ---- */

#define MOVE_UNIT ((int64_t)1 << 16)   /* bytes of a plain copy that one unit moves */

#ifndef KERNELS
static int64_t reshape_units(const KernelCall *c) { return (type_bytes(c->out_type) + MOVE_UNIT - 1) / MOVE_UNIT; }
#endif

#ifdef KERNELS
static bool reshape_run(KernelCall *c) {
  int64_t bytes = type_bytes(c->out_type), begin = c->begin * MOVE_UNIT, end = c->end * MOVE_UNIT;
  if (end > bytes) end = bytes;
  if (begin < end) memcpy((char *)c->out + begin, (const char *)c->in[0] + begin, (size_t)(end - begin));
  return true;
}
const OpKernels KERNELS_OF(reshape) = {.run = reshape_run};
#else
static bool reshape_type(TypeRule *r) {
  if (!sizes(r)) return false;
  r->y = shape_of_attr(r);
  const Type *x = r->x[0];
  if (!type_fits(&r->y))
    return refuse(r, BAD_LIMIT, 0, -1, NULL, "the shape %s is more than 1 TiB", shape_show(r->g->arena, &r->y));
  if (type_count(x) == type_count(&r->y)) return true;
  return refuse(r, BAD_SHAPE, 0, -1, "the sizes' product must stay the same",
                "%s has %lld elements, but the shape %s needs %lld", shape_show(r->g->arena, x),
                (long long)type_count(x), shape_show(r->g->arena, &r->y), (long long)type_count(&r->y));
}

static NodeId reshape_simplify(Simplify *s) {
  NodeId same = same_type(s), x = s->node.in[0];
  if (same != NO_NODE) return same;
  if (s->g->node[x].op != &op_reshape) return NO_NODE;
  return g_reshape(s->g, s->g->node[x].in[0], s->node.type);
}

static NodeId reshape_batch(Batch *b) { return batch_sizes(b, b->x, 0); }

static void reshape_grad(Grad *d) { d->dx[0] = g_reshape(d->g, d->dy, d->g->node[d->x[0]].type); }

const Op op_reshape = {
    .name = "reshape", .id = OP_reshape, .flags = OP_KEEPS_LAZY | OP_MOVES | OP_KEEPS_INTS, .n_in = 1,
    .args = "x, shape:sizes",
    .doc = "The same elements, in row-major order, in another shape.",
    .example = "reshape([1, 2, 3, 4], [2, 2])   # => [[1, 2], [3, 4]]",
    .samples = "f32[3,4]; 12 | f32[4,3]; 2 2 3 | f32[2,3,2,2]; 4 6 | bool[3,4]; 4 3 | i32[1] | f32[]; 1 1",
    .type = reshape_type, .simplify = reshape_simplify, .grad = reshape_grad, .batch = reshape_batch,
    .depends = depends_moved,
    .units = reshape_units, .cost = copy_cost,
    .js = "o.set(x)",
};
#endif

/* ---- permute: result axis k is x's axis attr->i[k] ---- */

static inline void permute_walk(const KernelCall *c, Walk *w) {
  int64_t from[MAX_RANK], to[MAX_RANK];
  walk_strides(c->in_type[0], from);
  walk_strides(c->out_type, to);
  *w = (Walk){.rank = 0};
  for (int k = 0; k < c->out_type->rank; k++) walk_axis(w, c->out_type->dim[k], to[k], from[c->attr->i[k]]);
  walk_fold(w);
}

#ifndef KERNELS
static int64_t permute_units(const KernelCall *c) {
  Walk w;
  permute_walk(c, &w);
  return walk_units(&w);
}
#endif

#ifdef KERNELS
static bool permute_run(KernelCall *c) {
  Walk w;
  permute_walk(c, &w);
  walk_copy(&w, c->out, c->in[0], dtype_size[c->out_type->dtype], c->begin, c->end);
  return true;
}
const OpKernels KERNELS_OF(permute) = {.run = permute_run};
#else
static bool permute_type(TypeRule *r) {
  const Type *x = r->x[0];
  if (!ints(r, x->rank, "axes")) return false;
  uint32_t seen = 0;
  r->y = *x;
  for (int k = 0; k < x->rank; k++) {
    int64_t axis = r->attr->i[k];
    if (axis < 0 || axis >= x->rank)
      return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, x), (long long)axis);
    if (seen >> axis & 1)
      return refuse(r, BAD_AXIS, 0, -1, "each axis stands once in the new order", "axis %lld is given twice",
                    (long long)axis);
    seen |= 1u << axis;
    r->y.dim[k] = x->dim[axis];
  }
  return true;
}

static NodeId permute_simplify(Simplify *s) {
  const Node *n = &s->node;
  bool same = true;
  for (uint32_t k = 0; k < n->attr->n; k++) same &= n->attr->i[k] == k;
  if (same) return n->in[0];
  Node x = s->g->node[n->in[0]];
  if (x.op != &op_permute) return NO_NODE;
  int64_t i[MAX_RANK];
  for (uint32_t k = 0; k < n->attr->n; k++) i[k] = x.attr->i[n->attr->i[k]];
  return g_attr(s->g, &op_permute, x.in, 1, i, n->attr->n);
}

static NodeId permute_batch(Batch *b) {
  int64_t i[MAX_RANK] = {0};
  for (uint32_t k = 0; k < b->node->attr->n; k++) i[k + 1] = b->node->attr->i[k] + 1;
  return batch_emit(b, b->x, i, b->node->attr->n + 1);
}

static void permute_grad(Grad *d) {
  int64_t back[MAX_RANK];
  for (uint32_t k = 0; k < d->attr->n; k++) back[d->attr->i[k]] = k;
  d->dx[0] = g_attr(d->g, &op_permute, &d->dy, 1, back, d->attr->n);
}

const Op op_permute = {
    .name = "permute", .id = OP_permute, .flags = OP_MOVES | OP_KEEPS_INTS, .n_in = 1, .args = "x, axes:perm",
    .doc = "The axes in another order: axis k of the result is axis axes[k] of x.",
    .example = "permute([[1, 2, 3], [4, 5, 6]], [1, 0])   # => [[1, 4], [2, 5], [3, 6]]",
    .samples = "f32[3,4]; 1 0 | f32[2,3,4]; 2 0 1 | f32[2,3,2,2]; 0 3 1 2 | i32[3,4]; 0 1 | bool[2,3,2]; 1 0 2"
               " | f32[]",
    .type = permute_type, .simplify = permute_simplify, .grad = permute_grad, .batch = permute_batch,
    .depends = depends_moved,
    .units = permute_units, .cost = copy_cost,
    .js = "each(R, (i, k) => o[k] = x[at(X.map((s, m) => i[a.indexOf(m)]), X)])",
};
#endif

/* ---- concat: attr->i = {axis} ---- */

static inline int64_t product(const Type *t, int from, int to) {
  int64_t n = 1;
  for (int k = from; k < to; k++) n *= t->dim[k];
  return n;
}

#ifndef KERNELS
static int64_t concat_units(const KernelCall *c) { return product(c->out_type, 0, (int)c->attr->i[0]); }
#endif

#ifdef KERNELS
static bool concat_run(KernelCall *c) {
  int axis = (int)c->attr->i[0];
  const Type *y = c->out_type;
  int64_t size = dtype_size[y->dtype], inner = product(y, axis + 1, y->rank) * size, row = y->dim[axis] * inner;
  int64_t at = 0;
  for (int64_t k = 0; at < row; k++) {   /* the parts' sizes end where the result's does */
    int64_t part = c->in_type[k]->dim[axis] * inner;
    if (part)
      for (int64_t u = c->begin; u < c->end; u++)
        memcpy((char *)c->out + u * row + at, (const char *)c->in[k] + u * part, (size_t)part);
    at += part;
  }
  return true;
}
const OpKernels KERNELS_OF(concat) = {.run = concat_run};
#else
static bool axis_within(TypeRule *r, int64_t axis) {
  if (axis >= 0 && axis < r->x[0]->rank) return true;
  if (r->x[0]->rank == 0)
    return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs an axis, but a scalar has none", r->op->name);
  return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, r->x[0]), (long long)axis);
}

/* The axis along which two shapes fit, or -1. */
static int fitting_axis(const Type *x, const Type *y) {
  int differ = 0, axis = -1;
  for (int d = 0; x->rank == y->rank && d < x->rank; d++)
    if (x->dim[d] != y->dim[d]) differ++, axis = d;
  return differ == 1 ? axis : -1;
}

static bool concat_type(TypeRule *r) {
  if (r->n == 0) return refuse(r, BAD_EMPTY, -1, -1, NULL, "`concat` of nothing has no shape");
  if (r->x[0]->rank == 0)
    return refuse_coded(r, "E0396", BAD_RANK, 0, -1, "`stack` joins scalars along a new axis",
                     "scalars have no axis to join along");
  if (!ints(r, 1, "axis") || !axis_within(r, r->attr->i[0])) return false;
  int axis = (int)r->attr->i[0];
  r->y = *r->x[0];
  for (uint32_t k = 1; k < r->n; k++) {
    const Type *x = r->x[k];
    if (!one_dtype(r, 0, (int)k)) return false;
    bool fits = x->rank == r->y.rank;
    for (int d = 0; fits && d < x->rank; d++) fits = d == axis || x->dim[d] == r->y.dim[d];
    if (!fits) {
      int other = fitting_axis(r->x[0], x);
      return refuse_coded(r, "E0397", BAD_SHAPE, 0, (int)k,
                       other < 0 ? NULL : arena_printf(r->g->arena, "they fit along `axis = %d`", other),
                       "joined along axis %d the other sizes must agree, found %s and %s", axis,
                       shape_show(r->g->arena, r->x[0]), shape_show(r->g->arena, x));
    }
    if (__builtin_add_overflow(r->y.dim[axis], x->dim[axis], &r->y.dim[axis]))
      return refuse(r, BAD_LIMIT, 0, (int)k, NULL, "the result of `concat` is more than 1 TiB");
  }
  return true;
}

/* A concat of concats along the same axis is one. */
static NodeId concat_simplify(Simplify *s) {
  enum { MOST = 256 };
  NodeId in[MOST];
  uint32_t n = 0;
  if (s->node.n_in == 1) return s->node.in[0];
  for (uint32_t k = 0; k < s->node.n_in; k++) {
    const Node *x = &s->g->node[s->node.in[k]];
    bool inner = x->op == &op_concat && x->attr->i[0] == s->node.attr->i[0];
    uint32_t more = inner ? x->n_in : 1u;
    if (n + more > MOST) return NO_NODE;
    memcpy(in + n, inner ? x->in : &s->node.in[k], more * sizeof *in);
    n += more;
  }
  return n > s->node.n_in ? g_attr(s->g, &op_concat, in, n, s->node.attr->i, 1) : NO_NODE;
}

/* x[from .. from + count] along one axis. */
static NodeId cut(Graph *g, NodeId x, int axis, int64_t from, int64_t count) {
  Type t = *g->node[x].type;
  int64_t i[3 * MAX_RANK];
  for (int k = 0; k < t.rank; k++) {
    i[3 * k] = k == axis ? from : 0;
    i[3 * k + 1] = k == axis ? count : t.dim[k];
    i[3 * k + 2] = 1;
  }
  return g_attr(g, &op_slice, &x, 1, i, 3u * t.rank);
}

static void concat_grad(Grad *d) {
  int axis = (int)d->attr->i[0];
  int64_t at = 0;
  for (uint32_t k = 0; k < d->n; k++) {
    int64_t count = d->g->node[d->x[k]].type->dim[axis];
    if (d->wanted[k]) d->dx[k] = cut(d->g, d->dy, axis, at, count);
    at += count;
  }
}

const Op op_concat = {
    .name = "concat", .id = OP_concat, .flags = OP_CHOOSES | OP_KEEPS_INTS | OP_STORES, .n_in = -1,
    .args = "xs.., axis:axis=0",
    .doc = "Joins tensors along an axis; the other sizes are equal.",
    .example = "concat(([1, 2], [3]))   # => [1, 2, 3]",
    .type = concat_type, .simplify = concat_simplify, .grad = concat_grad, .batch = batch_axis,
    .depends = depends_moved,
    .units = concat_units, .cost = copy_cost,
    .js = "let from = 0; xs.forEach((v, m) => { each(Xs[m], (i, k) => o[at(i.map((p, n) => n == a[0] ? p + "
          "from : p), R)] = v[k]); from += Xs[m][a[0]]; })",
};
#endif

/* ---- roll: attr->i = {shift, axis} ---- */

#ifndef KERNELS
static int64_t roll_units(const KernelCall *c) { return product(c->out_type, 0, (int)c->attr->i[1]); }
#endif

#ifdef KERNELS
static bool roll_run(KernelCall *c) {
  int axis = (int)c->attr->i[1];
  const Type *y = c->out_type;
  int64_t n = y->dim[axis], inner = product(y, axis + 1, y->rank) * dtype_size[y->dtype];
  if (n == 0 || inner == 0) return true;
  int64_t shift = c->attr->i[0] % n, row = n * inner;
  if (shift < 0) shift += n;
  for (int64_t u = c->begin; u < c->end; u++) {
    char *d = (char *)c->out + u * row;
    const char *s = (const char *)c->in[0] + u * row;
    memcpy(d + shift * inner, s, (size_t)((n - shift) * inner));
    memcpy(d, s + (n - shift) * inner, (size_t)(shift * inner));
  }
  return true;
}
const OpKernels KERNELS_OF(roll_along) = {.run = roll_run};
#else
static bool roll_type(TypeRule *r) {
  if (!ints(r, 2, "numbers (a shift and an axis)") || !axis_within(r, r->attr->i[1])) return false;
  r->y = *r->x[0];
  return true;
}

static void roll_grad(Grad *d) {
  int64_t n = d->g->node[d->x[0]].type->dim[d->attr->i[1]], shift = n ? d->attr->i[0] % n : 0;
  d->dx[0] = g_attr(d->g, &op_roll_along, &d->dy, 1, (int64_t[]){-shift, d->attr->i[1]}, 2);
}

const Op op_roll_along = {
    .name = "roll_along", .id = OP_roll_along, .flags = OP_MOVES | OP_KEEPS_INTS, .n_in = 1,
    .args = "x, shift:int, axis:axis=0",
    .doc = "Moves elements along an axis; what leaves at one end comes in at the other.",
    .example = "roll_along([1, 2, 3, 4], 1)   # => [4, 1, 2, 3]",
    .type = roll_type, .grad = roll_grad, .batch = batch_second_axis, .units = roll_units, .cost = copy_cost,
    .depends = depends_moved,
    .js = "const m = X[a[1]]; each(X, (i, k) => o[at(i.map((v, n) => n == a[1] ? ((v + a[0]) % m + m) % m : "
          "v), R)] = x[k])",
};
#endif

/* ---- tril, triu: attr->i = {diagonal} ---- */

#ifndef KERNELS
static int64_t tri_units(const KernelCall *c) { return product(c->out_type, 0, c->out_type->rank - 1); }
#endif

#ifdef KERNELS
/* Row i keeps columns [0, i + k] (lower) or [i + k, columns). */
static void tri_rows(KernelCall *c, bool lower) {
  const Type *y = c->out_type;
  int64_t rows = y->dim[y->rank - 2], columns = y->dim[y->rank - 1], size = dtype_size[y->dtype], k = c->attr->i[0];
  if (k > columns) k = columns;
  if (k < -rows) k = -rows;
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t edge = u % rows + k + (lower ? 1 : 0);
    edge = (edge < 0 ? 0 : edge > columns ? columns : edge) * size;
    char *d = (char *)c->out + u * columns * size;
    const char *s = (const char *)c->in[0] + u * columns * size;
    int64_t rest = columns * size - edge;
    if (lower) {
      memcpy(d, s, (size_t)edge);
      memset(d + edge, 0, (size_t)rest);
    } else {
      memset(d, 0, (size_t)edge);
      memcpy(d + edge, s + edge, (size_t)rest);
    }
  }
}
static bool tril_run(KernelCall *c) {
  tri_rows(c, true);
  return true;
}
static bool triu_run(KernelCall *c) {
  tri_rows(c, false);
  return true;
}
const OpKernels KERNELS_OF(tril) = {.run = tril_run};
const OpKernels KERNELS_OF(triu) = {.run = triu_run};
#else
static bool tri_type(TypeRule *r) {
  if (!ints(r, 1, "diagonal")) return false;
  r->y = *r->x[0];
  if (r->y.rank >= 2) return true;
  return refuse(r, BAD_RANK, 0, -1, NULL, "`%s` needs a matrix, but this is %s", r->op->name,
                type_show(r->g->arena, r->x[0]));
}

static void tril_grad(Grad *d) { d->dx[0] = g_attr(d->g, &op_tril, &d->dy, 1, d->attr->i, 1); }
static void triu_grad(Grad *d) { d->dx[0] = g_attr(d->g, &op_triu, &d->dy, 1, d->attr->i, 1); }

const Op op_tril = {
    .name = "tril", .id = OP_tril, .flags = OP_CHOOSES | OP_KEEPS_INTS | OP_STORES, .n_in = 1, .args = "x, k:int=0",
    .doc = "The lower triangle of the last two axes, up to diagonal k; above it zeros.",
    .example = "tril([[1, 2], [3, 4]])   # => [[1, 0], [3, 4]]",
    .type = tri_type, .selects = SELECTS(0), .grad = tril_grad, .batch = batch_same, .units = tri_units,
    .depends = depends_moved,
    .cost = copy_cost,
    .js = "each(R, (i, k) => o[k] = i[i.length - 1] - i[i.length - 2] <= a[0] ? x[k] : 0)",
};
const Op op_triu = {
    .name = "triu", .id = OP_triu, .flags = OP_CHOOSES | OP_KEEPS_INTS | OP_STORES, .n_in = 1, .args = "x, k:int=0",
    .doc = "The upper triangle of the last two axes, from diagonal k; below it zeros.",
    .example = "triu([[1, 2], [3, 4]])   # => [[1, 2], [0, 4]]",
    .type = tri_type, .selects = SELECTS(0), .grad = triu_grad, .batch = batch_same, .units = tri_units,
    .depends = depends_moved,
    .cost = copy_cost,
    .js = "each(R, (i, k) => o[k] = i[i.length - 1] - i[i.length - 2] >= a[0] ? x[k] : 0)",
};
#endif
