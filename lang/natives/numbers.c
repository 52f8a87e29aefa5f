/* numbers: choices between operands. In: tensors by the rules of element types and stretching. Out: one op.
 */
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"

static Value n_where(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value v[3] = {value_decay(e, a->at[0]), value_decay(e, a->at[1]), value_decay(e, a->at[2])};
  const Ast *where[3] = {arg_ast(a, 0, at), arg_ast(a, 1, at), arg_ast(a, 2, at)};
  NodeId x[3];
  if ((x[0] = want_node(e, v[0], where[0], "the condition of `where`")) == NO_NODE) return v_bad();
  if (node_type(e, x[0])->dtype != BOOL) {
    Diag *g = elab_error(e, where[0], E_WHERE_BOOL, value_kind_text(e, &v[0]));
    if (g) diag_hint(e->d, g, "a comparison gives bools, e.g. `x > 0`");
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

/* One argument: over axes. Two: element by element. */
static Value n_min_max(Elab *e, const Fn *self, Args *a, const Ast *at) {
  bool max = self->native->name[1] == 'a';
  Value v[2] = {value_decay(e, a->at[0]), given(a, 1) ? value_decay(e, a->at[1]) : v_unit()};
  const Ast *where[2] = {arg_ast(a, 0, at), arg_ast(a, 1, at)};
  NodeId x[2];
  if (v[0].kind == V_BAD || v[1].kind == V_BAD) return v_bad();
  if (given(a, 1)) {
    if (given(a, 2) || given(a, 3)) {
      Diag *g = elab_error(e, arg_ast(a, given(a, 2) ? 2 : 3, at), E_MIN_AXIS, self->native->name);
      if (g) diag_hint(e->d, g, "over an axis: `%s(x, axis = 1)`", self->native->name);
      return v_bad();
    }
    if (v[0].kind == V_INT && v[1].kind == V_INT) return v_int((v[0].i < v[1].i) == max ? v[1].i : v[0].i);
    if (!unify(e, v, x, 2, at, where, self->native->name)) return v_bad();
    uint16_t ints = graph_at(e->g, x[0])->flags & graph_at(e->g, x[1])->flags & NODE_INTS;
    return keep_ints(e, emit(e, max ? &op_max2 : &op_min2, x, 2, NULL, at), ints);
  }
  if (v[0].kind == V_INT) return v[0];
  if (v[0].kind == V_LIST || v[0].kind == V_TUPLE) {        /* of known ints, as `shape` gives them */
    Value best = v_bad();
    for (uint32_t k = 0; k < v[0].items->n; k++) {
      Value y = v[0].items->at[k];
      if (y.kind != V_INT) { best = v_bad(); break; }
      if (k == 0 || (y.i > best.i) == max) best = y;
    }
    if (best.kind == V_INT) return best;
  }
  if ((x[0] = want_node(e, v[0], where[0], "a tensor")) == NO_NODE) return v_bad();
  int64_t i[MAX_RANK + 2], axes[MAX_RANK];
  uint32_t n;
  bool keep;
  if (!want_axes(e, a->n > 2 ? a->at[2] : (Value){.kind = V_ABSENT}, node_type(e, x[0])->rank, arg_ast(a, 2, at), axes,
                 &n) ||
      !arg_bool(e, a, 3, false, at, "`keep`", &keep))
    return v_bad();
  i[0] = n;
  for (uint32_t k = 0; k < n; k++) i[k + 1] = axes[k];
  i[n + 1] = keep;
  uint16_t ints = graph_at(e->g, x[0])->flags & NODE_INTS;
  return keep_ints(e, emit_i(e, max ? &op_reduce_max : &op_reduce_min, x, 1, i, n + 2, at), ints);
}

/* Indices are labels: whole literals become i32. What is added takes the element type of what it is added to. */
static Value n_choose(Elab *e, const Fn *self, Args *a, const Ast *at) {
  const char *name = self->native->name;
  bool add = name[0] == 's', along = name[0] == 't';
  Value v[2] = {a->at[0], add ? a->at[2] : a->at[0]};
  const Ast *where[2] = {arg_ast(a, 0, at), arg_ast(a, add ? 2 : 0, at)};
  NodeId x[3], operand[2];
  if (!lower_same_dtype(e, v, operand, add ? 2 : 1, where, name)) return v_bad();
  x[0] = operand[0];
  x[2] = operand[1];
  x[1] = want_typed(e, a->at[1], I32, arg_ast(a, 1, at), "an index");
  if (x[1] == NO_NODE) return v_bad();
  uint32_t k = add ? 3 : 2;
  int64_t axis = 0;
  if (given(a, k) && !want_axis(e, a->at[k], node_type(e, x[0])->rank, arg_ast(a, k, at), &axis)) return v_bad();
  if (!add && !along) return or_bad(lower_gather(e, x[0], x[1], (int)axis, at));
  if (add || !(graph_at(e->g, x[1])->flags & NODE_KNOWN))
    for (uint32_t j = 0; j < 3; j += 2)
      if ((j == 0 || add) && (x[j] = settle(e, x[j])) == NO_NODE) return v_bad();
  uint16_t literal_ = graph_at(e->g, x[0])->flags & (NODE_FLEX | NODE_INTS);
  NodeId y = emit_i(e, add ? &op_scatter_add : &op_take_along, x, add ? 3 : 2, &axis, 1, at);
  if (y != NO_NODE && literal_ & NODE_FLEX) e->g->node[y].flags |= literal_;
  return or_bad(y);
}

const Native native_numbers[] = {
    {"gather", "x:any, i:any, axis:any?", n_choose,
     "The elements of x at the i32 indices i along an axis (0), as NumPy's take; negative ones count from the end.",
     "gather([10, 20, 30], [2, 0, -1])   # => [30, 10, 30]"},
    {"take_along", "x:any, i:any, axis:any?", n_choose,
     "For each place of i the element of x at that index along an axis (0), as NumPy's take_along_axis.",
     "take_along([[1, 2], [3, 4]], [[1], [0]], axis = 1)   # => [[2], [3]]"},
    {"scatter_add", "x:any, i:any, v:any, axis:any?", n_choose,
     "x with the rows of v added at the indices i along an axis (0); an index may come again.",
     "scatter_add([0, 0, 0], [2, 0, 2], [1, 2, 3])   # => [2, 0, 4]"},
    {"where", "condition:any, x:any, y:any", n_where,
     "x where the condition holds, else y, element by element; the other branch has no part in the derivative.",
     "where([true, false], 1, 2)   # => [1, 2]"},
    {"max", "x:any, y:any?, axis:any?, keep:any?", n_min_max,
     "The largest element over axes (all when left out); of two arguments the larger, element by element.",
     "max([1, 3, 2])   # => 3"},
    {"min", "x:any, y:any?, axis:any?, keep:any?", n_min_max,
     "The smallest element over axes (all when left out); of two arguments the smaller, element by element.",
     "min([1, 3, 2], 2)   # => [1, 2, 2]"},
    {0}};
