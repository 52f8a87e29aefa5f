/* shape: what changes the shape of tensors and not their elements. In: tensors and known sizes and axes. Out:
 * reshapes, permutations, slices and joins; sizes are checked here, where a message can name what was meant.
 */
#include "elab/args.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/index.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

static Value n_shape(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  const Type *t = a[0].type;
  return v_ints(e->a, t->dim, t->rank);
}

static Value n_rank(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  return v_int(a[0].type->rank);
}

/* size(x) is the number of elements, size(x, axis) that of an axis. */
static Value n_size(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  const Type *t = a[0].type;
  return v_int(a[1].given ? t->dim[a[1].i] : type_count(t));
}

static Value n_count(Elab *e, const Arg *a, const Ast *at) {
  (void)e, (void)at;
  return v_int(a[0].rows->n);
}

static Value n_reshape(Elab *e, const Arg *a, const Ast *at) {
  NodeId x = a[0].node;
  int64_t dim[MAX_RANK], known = 1;
  uint32_t n = a[1].n;
  const Ast *where = a[1].at;
  if (n > MAX_RANK) {
    elab_error(e, where, E_RANK_LIMIT, (int)n, MAX_RANK);
    return v_bad();
  }
  memcpy(dim, a[1].ints, n * sizeof *dim);
  int open = -1;
  Type t = *node_type(e, x);
  int64_t count = type_count(&t);
  for (uint32_t k = 0; k < n; k++) {
    if (dim[k] == -1) {
      if (open >= 0) {
        elab_error(e, where, E_RESHAPE_TWO);
        return v_bad();
      }
      open = (int)k;
    } else if (dim[k] < 0) {
      elab_error(e, where, E_NEGATIVE_SIZE, "a size", (int64_t)dim[k]);
      return v_bad();
    } else if (__builtin_mul_overflow(known, dim[k], &known)) known = INT64_MAX;
  }
  if (open >= 0 && known > 0 && count % known == 0) dim[open] = count / known, known = count;
  else if (open >= 0) known = -1;
  if (known != count) {
    Text s = {.arena = e->a};
    text_add(&s, "[");
    for (uint32_t k = 0; k < n; k++) text_printf(&s, "%s%lld", k ? ", " : "", (long long)dim[k]);
    text_add(&s, "]");
    elab_error(e, where, E_RESHAPE, shape_show(e->a, &t), (long long)count, s.at);
    return v_bad();
  }
  return or_bad(lower_reshape(e, x, (int)n, dim, at));
}

static Value n_transpose(Elab *e, const Arg *a, const Ast *at) {
  return or_bad(lower_permute(e, a[0].node, a[1].ints, at));
}

/* ---- joining and cutting ---- */
static Value n_concat(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return or_bad(lower_concat(e, a[0].nodes, a[0].n, (int)a[1].i, a[0].at));
}

/* x[start:stop:step] along one axis. */
static Value n_slice(Elab *e, const Arg *a, const Ast *at) {
  NodeId x = a[0].node;
  const Type *t = node_type(e, x);
  bool ends = a[2].given;
  int64_t axis = a[3].i, by = a[4].i;
  if (by == 0) {
    elab_error(e, a[4].at, E_SLICE_STEP);
    return v_bad();
  }
  Cut cut;
  const char *of = t->rank == 1 ? "" : arena_printf(e->a, " of axis %d", (int)axis);
  if (!index_cut(e, at, true, a[1].i, ends, a[2].i, by, t->dim[axis], of, &cut)) return v_bad();
  return or_bad(lower_rows(e, x, (int)axis, cut.from, cut.count, cut.by, at));
}

/* ---- what the library reads of its arguments ---- */
static Value n_axes_of(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return v_ints(e->a, a[1].ints, a[1].n);
}

static Value n_ints_of(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return v_ints(e->a, a[0].ints, a[0].n);
}

const Native native_shapes[] = {
    {"shape", "x:shaped", n_shape, "The sizes of x, a list of known ints.", "shape([[1, 2, 3]])   # => [1, 3]"},
    {"rank", "x:shaped", n_rank, "The number of axes of x.", "rank([[1, 2, 3]])   # => 2"},
    {"size", "x:shaped, axis:axis?", n_size,
     "The number of elements of x, or of one axis.", "size([[1, 2, 3]])   # => 3"},
    {"count", "x:rows", n_count, "The first size of x: the number of rows of a tensor or data set.",
     "count([[1, 2, 3]])   # => 1"},
    {"reshape", "x, shape:ints", n_reshape,
     "The elements of x in their order in another shape; one size may be -1: what is left.",
     "reshape([1, 2, 3, 4], [2, -1])   # => [[1, 2], [3, 4]]"},
    {"transpose", "x, axes:perm?", n_transpose, "The axes of x in another order; reversed when none is given.",
     "transpose([[1, 2], [3, 4]])   # => [[1, 3], [2, 4]]"},
    {"permute", "x, axes:perm", n_transpose,
     "The axes of x in another order: axis k of the result is axis `axes[k]` of x.",
     "shape(permute([[[1, 2]]], [2, 0, 1]))   # => [2, 1, 1]"},
    {"concat", "xs:tensors, axis:axis?", n_concat, "A list or tuple of tensors joined along an axis (0).",
     "concat(([1, 2], [3]))   # => [1, 2, 3]"},
    {"slice", "x, start:int, stop:int?, axis:axis=0, step:int=1", n_slice,
     "The elements from start up to (not with) stop along an axis (0): `x[start:stop:step]` where the axis is a "
     "number.",
     "slice([[1, 2, 3]], 1, 3, axis = 1)   # => [[2, 3]]"},
    {"axes_of", "rank:size, axis:axes?", n_axes_of,
     "The axes that an argument `axis` means, ascending, for a tensor of that rank: an int, a tuple, or () for all.",
     "axes_of(3, (-1, 0)), axes_of(2, ())   # => [0, 2] [0, 1]"},
    {"ints_of", "x:nested", n_ints_of,
     "The known whole numbers in x, an int, a bracket, or tuples and lists of them, as one list.",
     "ints_of([(1, 2), (3, 4)]), ints_of(5)   # => [1, 2, 3, 4] [5]"},
    {0}};
