/* shape: what changes the shape of tensors and not their elements. In: tensors and known sizes and axes. Out:
 * reshapes, permutations, slices and joins; sizes are checked here, where a message can name what was meant.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

/* The type of a tensor, or the declared type that a distribution is given. */
static const Type *type_of(Elab *e, const Args *a, const Ast *at) {
  if (a->at[0].kind == V_TYPE) return a->at[0].type;
  NodeId x = arg_node(e, a, 0, at, "a tensor");
  return x == NO_NODE ? NULL : node_type(e, x);
}

static Value n_shape(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Type *t = type_of(e, a, at);
  if (!t) return v_bad();
  Value v[MAX_RANK];
  for (int k = 0; k < t->rank; k++) v[k] = v_int(t->dim[k]);
  return v_items(e->a, V_LIST, v, t->rank);
}

static Value n_rank(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Type *t = type_of(e, a, at);
  return t ? v_int(t->rank) : v_bad();
}

/* size(x) is the number of elements, size(x, axis) that of an axis. */
static Value n_size(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Type *t = type_of(e, a, at);
  int64_t axis;
  if (!t) return v_bad();
  if (!given(a, 1)) return v_int(type_count(t));
  return want_axis(e, a->at[1], t->rank, arg_ast(a, 1, at), &axis) ? v_int(t->dim[axis]) : v_bad();
}

static Value n_count(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  if (!want_rows(e, a->at[0], arg_ast(a, 0, at), "`count`", &r)) return v_bad();
  return v_int(r.n);
}

static Value n_reshape(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`reshape`");
  int64_t dim[MAX_RANK], known = 1;
  uint32_t n;
  const Ast *where = arg_ast(a, 1, at);
  if (x == NO_NODE || !want_ints(e, a->at[1], where, "a shape", dim, MAX_RANK, &n)) return v_bad();
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

static Value n_transpose(Elab *e, const Fn *self, Args *a, const Ast *at) {
  NodeId x = arg_node(e, a, 0, at, self->native->name);
  if (x == NO_NODE) return v_bad();
  int rank = node_type(e, x)->rank;
  int64_t axes[MAX_RANK], order[MAX_RANK];
  bool seen[MAX_RANK] = {false};
  uint32_t n;
  for (int k = 0; k < rank; k++) order[k] = rank - 1 - k;
  if (given(a, 1)) {
    const Ast *where = arg_ast(a, 1, at);
    if (!want_ints(e, a->at[1], where, "an order of axes", axes, MAX_RANK, &n)) return v_bad();
    bool ok = (int)n == rank;
    for (uint32_t k = 0; ok && k < n; k++) {
      if (axes[k] < 0) axes[k] += rank;
      ok = axes[k] >= 0 && axes[k] < rank && !seen[axes[k]];
      if (ok) { seen[axes[k]] = true; order[k] = axes[k]; }
    }
    if (!ok) {
      elab_error(e, where, E_PERMUTE, rank, rank - 1);
      return v_bad();
    }
  }
  return or_bad(lower_permute(e, x, order, at));
}

static Value n_swap_axes(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`swap_axes`");
  if (x == NO_NODE) return v_bad();
  uint8_t rank = node_type(e, x)->rank;
  int64_t p, q, order[MAX_RANK];
  if (!want_axis(e, a->at[1], rank, arg_ast(a, 1, at), &p) || !want_axis(e, a->at[2], rank, arg_ast(a, 2, at), &q))
    return v_bad();
  for (int k = 0; k < rank; k++) order[k] = k == p ? q : k == q ? p : k;
  return or_bad(lower_permute(e, x, order, at));
}

static Value n_squeeze(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`squeeze`");
  if (x == NO_NODE) return v_bad();
  Type t = *node_type(e, x);
  int64_t axes[MAX_RANK], dim[MAX_RANK];
  uint32_t n = 0;
  if (given(a, 1)) {
    if (!want_axes(e, a->at[1], t.rank, arg_ast(a, 1, at), axes, &n)) return v_bad();
  } else {
    for (int k = 0; k < t.rank; k++)
      if (t.dim[k] == 1) axes[n++] = k;
  }
  int rank = 0;
  for (int k = 0, j = 0; k < t.rank; k++) {
    if (j < (int)n && axes[j] == k) {
      j++;
      if (t.dim[k] != 1) {
        elab_error(e, arg_ast(a, 1, at), E_SQUEEZE, k, node_text(e, x), (long long)t.dim[k]);
        return v_bad();
      }
    } else dim[rank++] = t.dim[k];
  }
  return or_bad(lower_reshape(e, x, rank, dim, at));
}

static Value n_unsqueeze(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`unsqueeze`");
  if (x == NO_NODE) return v_bad();
  Type t = *node_type(e, x);
  int64_t axis, dim[MAX_RANK + 1];
  if (t.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  if (!want_axis(e, a->at[1], (uint8_t)(t.rank + 1), arg_ast(a, 1, at), &axis)) return v_bad();
  for (int k = 0; k <= t.rank; k++) dim[k] = k < axis ? t.dim[k] : k == axis ? 1 : t.dim[k - 1];
  return or_bad(lower_reshape(e, x, t.rank + 1, dim, at));
}

/* ---- joining and cutting ---- */
/* The tensors of a list or tuple, in one element type. NULL: reported. */
static NodeId *tensors_of(Elab *e, Value v, const Ast *at, const char *what, uint32_t *n) {
  if (v.kind == V_BAD) return NULL;
  v = value_decay(e, v);
  if (v.kind == V_NODE && node_type(e, v.node)->rank > 0) {     /* `[x, y]` of one shape is a tensor: its rows */
    Type t = *node_type(e, v.node);
    Value *row = NEW_N(e->a, Value, t.dim[0] + 1);
    for (int64_t k = 0; k < t.dim[0]; k++) {
      NodeId r = lower_rows(e, v.node, 0, k, 1, 1, at);
      row[k] = or_bad(r == NO_NODE ? r : lower_reshape(e, r, t.rank - 1, t.dim + 1, at));
      if (row[k].kind == V_BAD) return NULL;
    }
    v = v_items(e->a, V_LIST, row, (uint32_t)t.dim[0]);
  }
  if (v.kind != V_LIST && v.kind != V_TUPLE) {
    Diag *g = elab_error(e, at, E_JOIN_WHAT, what, value_kind_text(e, &v));
    if (g && v.kind == V_NODE) diag_hint(e->d, g, "write `%s((x, y))` or `%s([x, y])`", what, what);
    return NULL;
  }
  *n = v.items->n;
  if (*n == 0) {
    elab_error(e, at, E_JOIN_NOTHING, what);
    return NULL;
  }
  NodeId *x = NEW_N(e->a, NodeId, *n);
  const Ast **where = NEW_N(e->a, const Ast *, *n);
  for (uint32_t k = 0; k < *n; k++) where[k] = at->kind == A_TUPLE && at->n == *n ? at->kid[k] : at;
  return lower_same_dtype(e, v.items->at, x, *n, where, arena_printf(e->a, "an element of `%s`", what)) ? x : NULL;
}

static Value n_concat(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  uint32_t n;
  const Ast *where = arg_ast(a, 0, at);
  NodeId *x = tensors_of(e, a->at[0], where, "concat", &n);
  if (!x) return v_bad();
  const Type *t = node_type(e, x[0]);
  int64_t axis = 0;
  if (t->rank == 0) {
    Diag *g = elab_error(e, where, E_CONCAT_SCALAR);
    if (g) diag_hint(e->d, g, "`stack` joins scalars along a new axis");
    return v_bad();
  }
  if (given(a, 1) && !want_axis(e, a->at[1], t->rank, arg_ast(a, 1, at), &axis)) return v_bad();
  for (uint32_t k = 1; k < n; k++) {
    const Type *u = node_type(e, x[k]);
    bool same = u->rank == t->rank;
    for (int d = 0; same && d < t->rank; d++) same = d == axis || u->dim[d] == t->dim[d];
    if (same) continue;
    Diag *g = elab_error(e, where, E_CONCAT, (int)axis, shape_show(e->a, t), shape_show(e->a, u));
    if (g && type_same_shape(t, u) == false && t->rank == u->rank)
      for (int d = 0; d < t->rank; d++) {
        bool fits = d != axis;
        for (int j = 0; fits && j < t->rank; j++) fits = j == d || t->dim[j] == u->dim[j];
        if (fits) { diag_hint(e->d, g, "they fit along `axis = %d`", d); break; }
      }
    return v_bad();
  }
  return or_bad(lower_concat(e, x, n, (int)axis, at));
}

static Value n_stack(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  uint32_t n;
  const Ast *where = arg_ast(a, 0, at);
  NodeId *x = tensors_of(e, a->at[0], where, "stack", &n);
  if (!x) return v_bad();
  Type t = *node_type(e, x[0]);
  int64_t axis = 0, dim[MAX_RANK + 1];
  if (t.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  if (given(a, 1) && !want_axis(e, a->at[1], (uint8_t)(t.rank + 1), arg_ast(a, 1, at), &axis)) return v_bad();
  for (int k = 0; k <= t.rank; k++) dim[k] = k < axis ? t.dim[k] : k == axis ? 1 : t.dim[k - 1];
  for (uint32_t k = 0; k < n; k++) {
    if (!type_same_shape(node_type(e, x[k]), &t)) {
      elab_error(e, where, E_STACK, shape_show(e->a, &t), shape_show(e->a, node_type(e, x[k])));
      return v_bad();
    }
    if ((x[k] = lower_reshape(e, x[k], t.rank + 1, dim, at)) == NO_NODE) return v_bad();
  }
  return or_bad(lower_concat(e, x, n, (int)axis, at));
}

static Value n_chunk(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  NodeId x = arg_node(e, a, 0, at, "`chunk`");
  int64_t n, axis = 0;
  if (x == NO_NODE || !arg_int(e, a, 1, 0, at, "the number of pieces", &n)) return v_bad();
  Type t = *node_type(e, x);
  if (t.rank == 0) {
    elab_error(e, arg_ast(a, 0, at), E_CHUNK_SCALAR);
    return v_bad();
  }
  if (given(a, 2) && !want_axis(e, a->at[2], t.rank, arg_ast(a, 2, at), &axis)) return v_bad();
  if (n < 1 || n > 100000 || t.dim[axis] % n != 0) {
    Diag *g =
        elab_error(e, arg_ast(a, 1, at), E_CHUNK, (int)axis, node_text(e, x), (long long)t.dim[axis], (long long)n);
    if (g && n > 1) diag_hint(e->d, g, "a slice cuts anywhere: `x[:k]`, `x[k:]`");
    return v_bad();
  }
  int64_t size = t.dim[axis] / n;
  Value *v = NEW_N(e->a, Value, n);
  for (int64_t k = 0; k < n; k++) {
    v[k] = or_bad(lower_rows(e, x, (int)axis, k * size, size, 1, at));
    if (v[k].kind == V_BAD) return v_bad();
  }
  return v_items(e->a, V_TUPLE, v, (uint32_t)n);
}

const Native native_shapes[] = {
    {"shape", "x", n_shape, "The sizes of x, a list of known ints.", "shape([[1, 2, 3]])   # => [1, 3]"},
    {"rank", "x", n_rank, "The number of axes of x.", "rank([[1, 2, 3]])   # => 2"},
    {"size", "x axis?", n_size, "The number of elements of x, or of one axis.", "size([[1, 2, 3]])   # => 3"},
    {"count", "x", n_count, "The first size of x: the number of rows of a tensor or data set.",
     "count([[1, 2, 3]])   # => 1"},
    {"reshape", "x shape", n_reshape,
     "The elements of x in their order in another shape; one size may be -1: what is left.",
     "reshape([1, 2, 3, 4], [2, -1])   # => [[1, 2], [3, 4]]"},
    {"transpose", "x axes?", n_transpose, "The axes of x in another order; reversed when none is given.",
     "transpose([[1, 2], [3, 4]])   # => [[1, 3], [2, 4]]"},
    {"permute", "x axes", n_transpose, "The axes of x in another order: axis k of the result is axis `axes[k]` of x.",
     "shape(permute([[[1, 2]]], [2, 0, 1]))   # => [2, 1, 1]"},
    {"swap_axes", "x axis1 axis2", n_swap_axes, "x with two axes exchanged.",
     "swap_axes([[1, 2]], 0, 1)   # => [[1], [2]]"},
    {"squeeze", "x axis?", n_squeeze, "x without its axes of size 1, or without those given.",
     "squeeze([[1, 2]])   # => [1, 2]"},
    {"unsqueeze", "x axis", n_unsqueeze, "x with a new axis of size 1.", "unsqueeze([1, 2], 1)   # => [[1], [2]]"},
    {"concat", "xs axis?", n_concat, "A list or tuple of tensors joined along an axis (0).",
     "concat(([1, 2], [3]))   # => [1, 2, 3]"},
    {"stack", "xs axis?", n_stack, "A list or tuple of tensors of one shape joined along a new axis (0).",
     "stack(([1, 2], [3, 4]))   # => [[1, 2], [3, 4]]"},
    {"chunk", "x n axis?", n_chunk, "x cut into a tuple of n equal pieces along an axis (0); n must divide the size.",
     "chunk([1, 2, 3, 4], 2)   # => ([1, 2], [3, 4])"},
    {0}};
