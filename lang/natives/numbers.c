/* numbers: choices between operands. In: tensors by the rules of element types and stretching. Out: one op.
 */
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

static Value n_where(Elab *e, const Arg *a, const Ast *at) {
  Value v[3] = {a[0].value, a[1].value, a[2].value};
  const Ast *where[3] = {a[0].at, a[1].at, a[2].at};
  NodeId x[3] = {a[0].node};
  if (node_type(e, x[0])->dtype != BOOL) {
    Diag *g = elab_error(e, where[0], E_WHERE_BOOL, value_kind_text(e, &v[0]));
    diag_hint(e->d, g, "a comparison gives bools, e.g. `x > 0`");
    return v_bad();
  }
  if (!lower_same_dtype(e, v + 1, x + 1, 2, where + 1, "a branch of `where`")) return v_bad();
  if (!unify_shapes(e, v, x, 3, at, where, "where")) return v_bad();
  uint16_t literal_ = graph_at(e->g, x[1])->flags & graph_at(e->g, x[2])->flags & (NODE_FLEX | NODE_INTS);
  if (literal_ & NODE_FLEX && !(graph_at(e->g, x[0])->flags & NODE_KNOWN)) /* the run chooses: no literal any more */
    for (int k = 1; k < 3; k++)
      if ((x[k] = settle(e, x[k])) == NO_NODE) return v_bad();
  NodeId y = emit(e, &op_where, x, 3, NULL, at);
  if (y != NO_NODE && node_type(e, y)->dtype == F64) e->g->node[y].flags |= literal_;
  return or_bad(y);
}

/* Of whole numbers without an element type: so is the result. */
static Value keep_ints(Elab *e, NodeId y, uint16_t ints) {
  if (y == NO_NODE) return v_bad();
  e->g->node[y].flags |= ints;
  return v_node(y);
}

/* max and min: of two arguments, element by element; of one, over axes. */
typedef struct Extreme { const char *name; const Op *two, *over; bool max; } Extreme;

static bool further(const Extreme *x, int64_t a, int64_t b) { return x->max ? a > b : a < b; }

static Value of_two(Elab *e, const Extreme *m, const Arg *a, const Ast *at) {
  Value v[2] = {a[0].value, a[1].value};
  const Ast *where[2] = {a[0].at, a[1].at};
  NodeId x[2];
  if (a[2].given || a[3].given) {
    Diag *g = elab_error(e, a[a[2].given ? 2 : 3].at, E_MIN_AXIS, m->name);
    diag_hint(e->d, g, "over an axis: `%s(x, axis = 1)`", m->name);
    return v_bad();
  }
  if (v[0].kind == V_INT && v[1].kind == V_INT) return further(m, v[0].i, v[1].i) ? v[0] : v[1];
  if (!unify(e, v, x, 2, at, where, m->name)) return v_bad();
  uint16_t ints = graph_at(e->g, x[0])->flags & graph_at(e->g, x[1])->flags & NODE_INTS;
  return keep_ints(e, emit(e, m->two, x, 2, NULL, at), ints);
}

/* Of known ints a known one: `max(shape(x))`. V_BAD: it holds something else. */
static Value of_ints(const Extreme *m, const Items *list) {
  Value best = v_bad();
  for (uint32_t k = 0; k < list->n; k++) {
    if (list->at[k].kind != V_INT) return v_bad();
    if (k == 0 || further(m, list->at[k].i, best.i)) best = list->at[k];
  }
  return best;
}

static Value extreme(Elab *e, const Extreme *m, const Arg *a, const Ast *at) {
  if (a[1].given) return of_two(e, m, a, at);
  Value v = a[0].value;
  if (v.kind == V_INT) return v;
  if (v.kind == V_LIST || v.kind == V_TUPLE) v = of_ints(m, v.items);
  if (v.kind == V_INT) return v;
  int64_t i[MAX_RANK + 2] = {a[2].n};
  memcpy(i + 1, a[2].ints, a[2].n * sizeof *i);
  i[a[2].n + 1] = a[3].i;
  uint16_t ints = graph_at(e->g, a[0].node)->flags & NODE_INTS;
  return keep_ints(e, emit_i(e, m->over, &a[0].node, 1, i, a[2].n + 2, at), ints);
}

static Value n_max(Elab *e, const Arg *a, const Ast *at) {
  return extreme(e, &(Extreme){"max", &op_max2, &op_reduce_max, true}, a, at);
}

static Value n_min(Elab *e, const Arg *a, const Ast *at) {
  return extreme(e, &(Extreme){"min", &op_min2, &op_reduce_min, false}, a, at);
}

/* Indices are labels: whole literals become i32. */
static Value n_gather(Elab *e, const Arg *a, const Ast *at) {
  return or_bad(lower_gather(e, a[0].node, a[1].node, (int)a[2].i, at));
}

static Value n_take_along(Elab *e, const Arg *a, const Ast *at) {
  NodeId x[2] = {a[0].node, a[1].node};
  if (!(graph_at(e->g, x[1])->flags & NODE_KNOWN) && (x[0] = settle(e, x[0])) == NO_NODE) return v_bad();
  return or_bad(literal_moved(e, x[0], emit_i(e, &op_take_along, x, 2, &a[2].i, 1, at)));
}

/* What is added takes the element type of what it is added to. */
static Value n_scatter_add(Elab *e, const Arg *a, const Ast *at) {
  Value v[2] = {a[0].value, a[2].value};
  const Ast *where[2] = {a[0].at, a[2].at};
  NodeId operand[2];
  if (!lower_same_dtype(e, v, operand, 2, where, "scatter_add")) return v_bad();
  NodeId x[3] = {settle(e, operand[0]), a[1].node, settle(e, operand[1])};
  if (x[0] == NO_NODE || x[2] == NO_NODE) return v_bad();
  return or_bad(literal_moved(e, x[0], emit_i(e, &op_scatter_add, x, 3, &a[3].i, 1, at)));
}

static Value n_as_float(Elab *e, const Arg *a, const Ast *at) {
  NodeId x = a[0].node;
  bool is_float = node_flex(e, x) || dtype_is_float((DType)node_type(e, x)->dtype);
  return is_float && node_type(e, x)->dtype != BOOL ? v_node(x) : or_bad(lower_cast(e, x, F32, at));
}

const Native native_numbers[] = {
    {"as_float", "x", n_as_float, "x as floats: whole numbers and bools as f32, floats and literals as they are.",
     "as_float([true, false]), as_float(u8([1, 2])) / 2   # => [1, 0] [0.5, 1]"},
    {"gather", "x, i:index, axis:axis=0", n_gather,
     "The elements of x at the i32 indices i along an axis (0), as NumPy's take; negative ones count from the end.",
     "gather([10, 20, 30], [2, 0, -1])   # => [30, 10, 30]"},
    {"take_along", "x, i:index, axis:axis=0", n_take_along,
     "For each place of i the element of x at that index along an axis (0), as NumPy's take_along_axis.",
     "take_along([[1, 2], [3, 4]], [[1], [0]], axis = 1)   # => [[2], [3]]"},
    {"scatter_add", "x, i:index, v, axis:axis=0", n_scatter_add,
     "x with the rows of v added at the indices i along an axis (0); an index may come again.",
     "scatter_add([0, 0, 0], [2, 0, 2], [1, 2, 3])   # => [2, 0, 4]"},
    {"where", "condition, x, y", n_where,
     "x where the condition holds, else y, element by element; the other branch has no part in the derivative.",
     "where([true, false], 1, 2)   # => [1, 2]"},
    {"max", "x, y?, axis:axes?, keep:flag=false", n_max,
     "The largest element over axes (all when left out); of two arguments the larger, element by element.",
     "max([1, 3, 2])   # => 3"},
    {"min", "x, y?, axis:axes?, keep:flag=false", n_min,
     "The smallest element over axes (all when left out); of two arguments the smaller, element by element.",
     "min([1, 3, 2], 2)   # => [1, 2, 2]"},
    {0}};
