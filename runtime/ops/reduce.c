/* reduce: axes that vanish: sum, prod, reduce_max, reduce_min, all, any, argmax, argmin. In: a tensor, attr->i =
 * {how many axes, the axes ascending, keep}. Out: the type without those axes (or with size 1 there).
 * fold.h fixes the order of every reduction by the shape alone. Sums and products of u8 and bool are i32.
 */
#include <math.h>
#include <string.h>
#include "ops/fold.h"

#ifndef KERNELS
static int64_t fold_units(const KernelCall *c) {
  Fold f;
  fold_make(&f, c->in_type[0], c->attr);
  return fold_unit_count(&f);
}

static Cost fold_cost(const KernelCall *c) {
  return (Cost){.flops = (double)type_count(c->in_type[0]),
                .bytes = (double)type_bytes(c->in_type[0]) + (double)type_bytes(c->out_type)};
}

static bool axes(TypeRule *r, int64_t *count) {
  const Type *x = r->x[0];
  const Attr *a = r->attr;
  if (a->n < 2 || a->i[0] < 0 || a->n != (uint64_t)a->i[0] + 2)
    return refuse(r, BAD_AXIS, 0, -1, NULL, "`%s` needs its axes and whether to keep them", r->op->name);
  int64_t before = -1;
  *count = 1;
  r->y = (Type){.dtype = x->dtype};
  for (int64_t k = 0; k < a->i[0]; k++) {
    int64_t axis = a->i[1 + k];
    if (axis < 0 || axis >= x->rank)
      return refuse(r, BAD_AXIS, 0, -1, NULL, "%s has no axis %lld", type_show(r->g->arena, x), (long long)axis);
    if (axis <= before) return refuse(r, BAD_AXIS, 0, -1, NULL, "axis %lld is given twice", (long long)axis);
    before = axis;
    *count *= x->dim[axis];
  }
  bool keep = a->i[a->n - 1] != 0;
  for (int k = 0; k < x->rank; k++) {
    bool gone = fold_reduces(a, k);
    if (!gone || keep) r->y.dim[r->y.rank++] = gone ? 1 : x->dim[k];
  }
  return true;
}

static bool numbers(TypeRule *r) {
  if (r->x[0]->dtype != BOOL) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "`any` and `all` answer for bools", "`%s` needs numbers, but this is %s",
                strncmp(r->op->name, "reduce_", 7) ? r->op->name : r->op->name + 7, type_show(r->g->arena, r->x[0]));
}

static bool not_empty(TypeRule *r, int64_t count, const char *what) {
  if (count > 0 || type_count(&r->y) == 0) return true;
  return refuse(r, BAD_EMPTY, 0, -1, NULL, "the %s of nothing does not exist: this has shape %s", what,
                shape_show(r->g->arena, r->x[0]));
}

static bool sum_type(TypeRule *r) {
  int64_t count;
  if (!axes(r, &count)) return false;
  r->y.dtype = dtype_sum[r->y.dtype];
  return true;
}

/* Only axes of size 1 vanish: the same elements. */
static NodeId fold_simplify(Simplify *s) {
  Type x = *s->g->node[s->node.in[0]].type;
  if (x.dtype != s->node.type->dtype || type_count(&x) != type_count(s->node.type) || type_count(&x) == 0)
    return NO_NODE;
  return g_reshape(s->g, s->node.in[0], s->node.type);
}

static NodeId fold_batch(Batch *b) {
  const Attr *a = b->node->attr;
  int64_t i[MAX_RANK + 2];
  memcpy(i, a->i, a->n * sizeof *i);
  for (int64_t k = 1; k <= i[0]; k++) i[k]++;
  return batch_emit(b, b->x, i, a->n);
}

static void fold_depends(Depends *d) {
  const Attr *a = d->node->attr;
  int to[MAX_RANK], next = 0;
  for (int k = 0; k < d->g->node[d->node->in[0]].type->rank; k++) {
    bool gone = fold_reduces(a, k);
    to[k] = gone ? -1 : next;
    next += !gone || a->i[a->n - 1] != 0;
  }
  depends_axes(d, 0, to);
}

/* y or dy stretched to x's shape. */
static NodeId spread(Grad *d, NodeId n) {
  Type x = *d->g->node[d->x[0]].type, kept = x;
  for (int k = 0; k < x.rank; k++)
    if (fold_reduces(d->attr, k)) kept.dim[k] = 1;
  kept.dtype = d->g->node[n].type->dtype;
  return g_broadcast(d->g, g_reshape(d->g, n, &kept), &x);
}

static void sum_grad(Grad *d) { d->dx[0] = spread(d, d->dy); }

/* Each element's slope is the product of the others: those before it times those after, so that a zero does no harm.
 * The reduced axes are moved to the end and made one. */
static void prod_grad(Grad *d) {
  Graph *g = d->g;
  Type x = *g->node[d->x[0]].type;
  int64_t perm[MAX_RANK], back[MAX_RANK];
  uint32_t n = 0;
  Type moved = {.dtype = x.dtype}, flat = {.dtype = x.dtype}, one = {.dtype = x.dtype};
  int64_t size = 1;
  for (int k = 0; k < x.rank; k++)
    if (!fold_reduces(d->attr, k)) {
      flat.dim[flat.rank++] = moved.dim[moved.rank++] = x.dim[k];
      perm[n++] = k;
    }
  for (int k = 0; k < x.rank; k++)
    if (fold_reduces(d->attr, k)) {
      size *= moved.dim[moved.rank++] = x.dim[k];
      perm[n++] = k;
    }
  for (uint32_t k = 0; k < n; k++) back[perm[k]] = k;
  int64_t axis = flat.rank;
  one = flat;
  one.dim[one.rank++] = 1;
  flat.dim[flat.rank++] = size;
  if (type_count(&flat) == 0) return;
  NodeId v = g_reshape(g, g_attr(g, &op_permute, &d->x[0], 1, perm, n), &flat), side[2];
  for (int reverse = 0; reverse < 2; reverse++) {
    int64_t box[3 * MAX_RANK];   /* all but the last element in the order of the product, after a one */
    for (int k = 0; k < flat.rank; k++) {
      box[3 * k] = k == axis ? reverse : 0;
      box[3 * k + 1] = flat.dim[k] - (k == axis);
      box[3 * k + 2] = 1;
    }
    NodeId others = g_attr(g, &op_slice, &v, 1, box, 3u * flat.rank), first = g_fill(g, &one, 1);
    NodeId both = g_attr(g, &op_concat, reverse ? (NodeId[]){others, first} : (NodeId[]){first, others}, 2, &axis, 1);
    side[reverse] = g_attr(g, &op_cumprod, &both, 1, (int64_t[]){axis, reverse}, 2);
  }
  NodeId others = g_reshape(g, g_op2(g, &op_mul, side[0], side[1]), &moved);
  NodeId slope = g_attr(g, &op_permute, &others, 1, back, n);
  d->dx[0] = g_times(d, spread(d, d->dy), slope);
}

/* Ties share. */
static void extreme_grad(Grad *d) {
  Graph *g = d->g;
  NodeId is = g_op2(g, &op_or, g_op2(g, &op_eq, d->x[0], spread(d, d->y)), g_op(g, &op_isnan, d->x[0]));
  NodeId one = g_cast(g, is, (DType)g->node[d->x[0]].type->dtype);
  NodeId ties = g_attr(g, &op_sum, &one, 1, d->attr->i, d->attr->n);
  NodeId share = spread(d, g_op2(g, &op_div, d->dy, ties));
  d->dx[0] = g_op3(g, &op_where, is, share, g_fill(g, g->node[share].type, 0));
}

static bool extreme_type(TypeRule *r) {
  int64_t count;
  return axes(r, &count) && numbers(r) && not_empty(r, count, r->op == &op_reduce_max ? "max" : "min");
}

static bool place_type(TypeRule *r) {
  int64_t count;
  if (!axes(r, &count) || !numbers(r) || !not_empty(r, count, r->op->name)) return false;
  r->y.dtype = I32;
  if (count <= INT32_MAX) return true;
  return refuse(r, BAD_LIMIT, 0, -1, NULL, "`%s` over %lld elements does not fit an i32", r->op->name,
                (long long)count);
}

static bool logic_type(TypeRule *r) {
  int64_t count;
  if (!axes(r, &count)) return false;
  if (r->x[0]->dtype == BOOL) return true;
  return refuse(r, BAD_DTYPE, 0, -1, "compare first, as in `x != 0`", "`%s` needs bools, but this is %s", r->op->name,
                type_show(r->g->arena, r->x[0]));
}
#endif

/* ---- sum: -0 is the zero that changes no element, not even -0 ---- */

#ifdef KERNELS
#define ADD(a, x) ((a) + (x))
#define F sum_f32
#define T float
#define A float
#define FIRST -0.0f
#define EMPTY 0
#define STEP ADD
#include "ops/fold_kernel.h"
#define F sum_f64
#define T double
#define A double
#define FIRST -0.0
#define EMPTY 0
#define STEP ADD
#include "ops/fold_kernel.h"
#define F sum_i32
#define T int32_t
#define A uint32_t
#define FIRST 0
#define EMPTY 0
#define STEP ADD
#include "ops/fold_kernel.h"
#define F sum_u8
#define T uint8_t
#define A uint32_t
#define FIRST 0
#define EMPTY 0
#define STEP ADD
#include "ops/fold_kernel.h"

static bool sum_run(KernelCall *c) {
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return sum_f32(c);
  case F64: return sum_f64(c);
  case I32: return sum_i32(c);
  default: return sum_u8(c);
  }
}
static InstrKernel sum_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  if (!fold_line(&f, c, shape)) return NULL;
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return FOLD_LINE(f, sum_f32);
  case F64: return FOLD_LINE(f, sum_f64);
  case I32: return FOLD_LINE(f, sum_i32);
  default: return FOLD_LINE(f, sum_u8);
  }
}
const OpKernels KERNELS_OF(sum) = {.run = sum_run, .line = sum_line};
#else
const Op op_sum = {
    .name = "sum", .id = OP_sum, .flags = OP_KEEPS_INTS, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc = "The sum over the given axes, or over all. A sum of bools counts.",
    .example = "sum([[1, 2], [3, 4]], axis = 0)   # => [4, 6]",
    .type = sum_type, .simplify = fold_simplify, .grad = sum_grad, .batch = fold_batch, .depends = fold_depends,
    .units = fold_units,
    .cost = fold_cost,
    .js = "each(X, (i, k) => o[at(kept(i, a), R)] += x[k])",
};
#endif

/* ---- prod ---- */

#ifdef KERNELS
#define MUL(a, x) ((a) * (x))
#define F prod_f32
#define T float
#define A float
#define FIRST 1
#define EMPTY 1
#define STEP MUL
#include "ops/fold_kernel.h"
#define F prod_f64
#define T double
#define A double
#define FIRST 1
#define EMPTY 1
#define STEP MUL
#include "ops/fold_kernel.h"
#define F prod_i32
#define T int32_t
#define A uint32_t
#define FIRST 1
#define EMPTY 1
#define STEP MUL
#include "ops/fold_kernel.h"
#define F prod_u8
#define T uint8_t
#define A uint32_t
#define FIRST 1
#define EMPTY 1
#define STEP MUL
#include "ops/fold_kernel.h"

static bool prod_run(KernelCall *c) {
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return prod_f32(c);
  case F64: return prod_f64(c);
  case I32: return prod_i32(c);
  default: return prod_u8(c);
  }
}
static InstrKernel prod_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  if (!fold_line(&f, c, shape)) return NULL;
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return FOLD_LINE(f, prod_f32);
  case F64: return FOLD_LINE(f, prod_f64);
  case I32: return FOLD_LINE(f, prod_i32);
  default: return FOLD_LINE(f, prod_u8);
  }
}
const OpKernels KERNELS_OF(prod) = {.run = prod_run, .line = prod_line};
#else
const Op op_prod = {
    .name = "prod", .id = OP_prod, .flags = OP_KEEPS_INTS, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc = "The product over the given axes, or over all.",
    .example = "prod([1, 2, 3, 4])   # => 24",
    .type = sum_type, .simplify = fold_simplify, .grad = prod_grad, .batch = fold_batch, .depends = fold_depends,
    .units = fold_units,
    .cost = fold_cost,
    .js = "o.fill(1); each(X, (i, k) => o[at(kept(i, a), R)] *= x[k])",
};
#endif

/* ---- reduce_max, reduce_min: NaN wins, as in NumPy ---- */

#ifdef KERNELS
#define MAX_FLOAT(a, x) ((x) > (a) || (x) != (x) ? (x) : (a))
#define MIN_FLOAT(a, x) ((x) < (a) || (x) != (x) ? (x) : (a))
#define MAX_INT(a, x) ((x) > (a) ? (x) : (a))
#define MIN_INT(a, x) ((x) < (a) ? (x) : (a))
#define F max_f32
#define T float
#define A float
#define FIRST -INFINITY
#define EMPTY -INFINITY
#define STEP MAX_FLOAT
#include "ops/fold_kernel.h"
#define F max_f64
#define T double
#define A double
#define FIRST -INFINITY
#define EMPTY -INFINITY
#define STEP MAX_FLOAT
#include "ops/fold_kernel.h"
#define F max_i32
#define T int32_t
#define A int32_t
#define FIRST INT32_MIN
#define EMPTY INT32_MIN
#define STEP MAX_INT
#include "ops/fold_kernel.h"
#define F max_u8
#define T uint8_t
#define A uint8_t
#define FIRST 0
#define EMPTY 0
#define STEP MAX_INT
#include "ops/fold_kernel.h"
#define F min_f32
#define T float
#define A float
#define FIRST INFINITY
#define EMPTY INFINITY
#define STEP MIN_FLOAT
#include "ops/fold_kernel.h"
#define F min_f64
#define T double
#define A double
#define FIRST INFINITY
#define EMPTY INFINITY
#define STEP MIN_FLOAT
#include "ops/fold_kernel.h"
#define F min_i32
#define T int32_t
#define A int32_t
#define FIRST INT32_MAX
#define EMPTY INT32_MAX
#define STEP MIN_INT
#include "ops/fold_kernel.h"
#define F min_u8
#define T uint8_t
#define A uint8_t
#define FIRST UINT8_MAX
#define EMPTY UINT8_MAX
#define STEP MIN_INT
#include "ops/fold_kernel.h"

static bool reduce_max_run(KernelCall *c) {
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return max_f32(c);
  case F64: return max_f64(c);
  case I32: return max_i32(c);
  default: return max_u8(c);
  }
}
static bool reduce_min_run(KernelCall *c) {
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return min_f32(c);
  case F64: return min_f64(c);
  case I32: return min_i32(c);
  default: return min_u8(c);
  }
}
static InstrKernel reduce_max_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  if (!fold_line(&f, c, shape)) return NULL;
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return FOLD_LINE(f, max_f32);
  case F64: return FOLD_LINE(f, max_f64);
  case I32: return FOLD_LINE(f, max_i32);
  default: return FOLD_LINE(f, max_u8);
  }
}
const OpKernels KERNELS_OF(reduce_max) = {.run = reduce_max_run, .line = reduce_max_line};
static InstrKernel reduce_min_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  if (!fold_line(&f, c, shape)) return NULL;
  switch ((DType)c->in_type[0]->dtype) {
  case F32: return FOLD_LINE(f, min_f32);
  case F64: return FOLD_LINE(f, min_f64);
  case I32: return FOLD_LINE(f, min_i32);
  default: return FOLD_LINE(f, min_u8);
  }
}
const OpKernels KERNELS_OF(reduce_min) = {.run = reduce_min_run, .line = reduce_min_line};
#else
const Op op_reduce_max = {
    .name = "reduce_max", .sign = "max", .id = OP_reduce_max, .flags = OP_HIDDEN | OP_CHOOSES, .n_in = 1,
    .args = "x, axis:axes?, keep:flag=false",
    .doc = "The largest element over the given axes, or over all: `max` of one argument. Ties share the derivative.",
    .example = "max([3, 1, 2])   # => 3",
    .type = extreme_type, .simplify = fold_simplify, .selects = SELECTS(0), .grad = extreme_grad, .batch = fold_batch,
    .depends = fold_depends,
    .units = fold_units, .cost = fold_cost,
    .js = "o.fill(-Infinity); each(X, (i, k) => { const j = at(kept(i, a), R); o[j] = max(o[j], x[k]); })",
};
const Op op_reduce_min = {
    .name = "reduce_min", .sign = "min", .id = OP_reduce_min, .flags = OP_HIDDEN | OP_CHOOSES, .n_in = 1,
    .args = "x, axis:axes?, keep:flag=false",
    .doc = "The smallest element over the given axes, or over all: `min` of one argument. Ties share the derivative.",
    .example = "min([3, 1, 2])   # => 1",
    .type = extreme_type, .simplify = fold_simplify, .selects = SELECTS(0), .grad = extreme_grad, .batch = fold_batch,
    .depends = fold_depends,
    .units = fold_units, .cost = fold_cost,
    .js = "o.fill(Infinity); each(X, (i, k) => { const j = at(kept(i, a), R); o[j] = min(o[j], x[k]); })",
};
#endif

/* ---- all, any ---- */

#ifdef KERNELS
#define AND(a, x) ((A)((a) & (x)))
#define OR(a, x) ((A)((a) | (x)))
#define F all_run
#define T uint8_t
#define A uint8_t
#define FIRST 1
#define EMPTY 1
#define STEP AND
#include "ops/fold_kernel.h"
#define F any_run
#define T uint8_t
#define A uint8_t
#define FIRST 0
#define EMPTY 0
#define STEP OR
#include "ops/fold_kernel.h"
static InstrKernel all_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  return fold_line(&f, c, shape) ? FOLD_LINE(f, all_run) : NULL;
}
const OpKernels KERNELS_OF(all) = {.run = all_run, .line = all_line};
static InstrKernel any_line(const KernelCall *c, int64_t *shape) {
  Fold f;
  return fold_line(&f, c, shape) ? FOLD_LINE(f, any_run) : NULL;
}
const OpKernels KERNELS_OF(any) = {.run = any_run, .line = any_line};
#else
const Op op_all = {
    .name = "all", .id = OP_all, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc = "Whether all elements over the given axes are true; all of nothing are.",
    .example = "all([true, false])   # => false",
    .type = logic_type, .simplify = fold_simplify, .no_grad = "a bool has no slope", .batch = fold_batch,
    .units = fold_units,
    .cost = fold_cost,
    .js = "o.fill(1); each(X, (i, k) => o[at(kept(i, a), R)] &= x[k])",
};
const Op op_any = {
    .name = "any", .id = OP_any, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc = "Whether any element over the given axes is true; none of nothing is.",
    .example = "any([true, false])   # => true",
    .type = logic_type, .simplify = fold_simplify, .no_grad = "a bool has no slope", .batch = fold_batch,
    .units = fold_units,
    .cost = fold_cost,
    .js = "each(X, (i, k) => o[at(kept(i, a), R)] |= x[k])",
};
#endif

/* ---- argmax, argmin: the first place, counted over the reduced axes; the first NaN if there is one ---- */

#ifdef KERNELS
#define BETTER_MAX(x, best) ((x) > (best))
#define BETTER_MIN(x, best) ((x) < (best))
#define PLACES(name, T, BETTER)                                                                          \
  static void name(const Fold *f, const void *from, int64_t stride, int32_t *out) {                      \
    const T *x = from;                                                                                   \
    T best = x[0];                                                                                       \
    int64_t at = 0;                                                                                      \
    for (int64_t run = 0; run < f->runs; run++) {                                                        \
      const T *row = x + fold_place(f->n_reduced, f->reduced, f->reduced_stride, run);                   \
      for (int64_t k = 0; k < f->rows; k++) {                                                            \
        T v = row[k * stride];                                                                           \
        if (BETTER(v, best) || (v != v && best == best)) {                                               \
          best = v;                                                                                      \
          at = run * f->rows + k;                                                                        \
        }                                                                                                \
      }                                                                                                  \
    }                                                                                                    \
    *out = (int32_t)at;                                                                                  \
  }
PLACES(argmax_f32, float, BETTER_MAX)
PLACES(argmax_f64, double, BETTER_MAX)
PLACES(argmax_i32, int32_t, BETTER_MAX)
PLACES(argmax_u8, uint8_t, BETTER_MAX)
PLACES(argmin_f32, float, BETTER_MIN)
PLACES(argmin_f64, double, BETTER_MIN)
PLACES(argmin_i32, int32_t, BETTER_MIN)
PLACES(argmin_u8, uint8_t, BETTER_MIN)

static bool places_run(KernelCall *c, bool max) {
  static void (*const find[2][N_DTYPES])(const Fold *, const void *, int64_t, int32_t *) = {
      {[F32] = argmin_f32, [F64] = argmin_f64, [I32] = argmin_i32, [U8] = argmin_u8},
      {[F32] = argmax_f32, [F64] = argmax_f64, [I32] = argmax_i32, [U8] = argmax_u8}};
  Fold f;
  fold_make(&f, c->in_type[0], c->attr);
  int64_t blocks = fold_blocks(&f), size = dtype_size[c->in_type[0]->dtype];
  for (int64_t u = c->begin; u < c->end; u++) {
    int64_t row = u / blocks, j = u % blocks * FOLD_WIDTH;
    int64_t end = f.width - j < FOLD_WIDTH ? f.width : j + FOLD_WIDTH;
    int64_t at = fold_place(f.n_kept, f.kept, f.kept_stride, row);
    for (; j < end; j++)
      find[max][c->in_type[0]->dtype](&f, (const char *)c->in[0] + (at + j) * size, f.stride,
                                      (int32_t *)c->out + row * f.width + j);
  }
  return true;
}
static bool argmax_run(KernelCall *c) { return places_run(c, true); }
static bool argmin_run(KernelCall *c) { return places_run(c, false); }
const OpKernels KERNELS_OF(argmax) = {.run = argmax_run};
const OpKernels KERNELS_OF(argmin) = {.run = argmin_run};
#else
const Op op_argmax = {
    .name = "argmax", .id = OP_argmax, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc =
        "Where the largest element is, the first of equals: an index along the axis, or in row-major order over all.",
    .example = "argmax([3, 1, 4])   # => 2",
    .type = place_type, .no_grad = "an index has no slope", .batch = fold_batch, .units = fold_units, .cost = fold_cost,
    .js = "const best = o.slice().fill(-Infinity), seen = o.slice(); each(X, (i, k) => { const j = at(kept(i, "
          "a), R); if (x[k] > best[j]) { best[j] = x[k]; o[j] = seen[j]; } seen[j]++; })",
};
const Op op_argmin = {
    .name = "argmin", .id = OP_argmin, .n_in = 1, .args = "x, axis:axes?, keep:flag=false",
    .doc =
        "Where the smallest element is, the first of equals: an index along the axis, or in row-major order over all.",
    .example = "argmin([3, 1, 4])   # => 1",
    .type = place_type, .no_grad = "an index has no slope", .batch = fold_batch, .units = fold_units, .cost = fold_cost,
    .js = "const best = o.slice().fill(Infinity), seen = o.slice(); each(X, (i, k) => { const j = at(kept(i, "
          "a), R); if (x[k] < best[j]) { best[j] = x[k]; o[j] = seen[j]; } seen[j]++; })",
};
#endif
