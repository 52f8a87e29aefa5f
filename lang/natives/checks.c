/* checks: expecting mistakes, and the present values of trees. In: functions and trees. Out: trees of values.
 */
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/mark.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

/* The mistakes of the function's body go to a list of their own; one of them must have the text. */
static Value n_assert_error(Elab *e, const Arg *a, const Ast *at) {
  const char *text = a[0].text;
  if (a[1].value.kind != V_FN) {
    Diag *g = elab_error(e, a[1].at, E_ASSERT_ERROR_FN, value_kind_text(e, &a[1].value));
    if (g) diag_hint(e->d, g, "write `assert_error(\"text\", fn () = ...)`");
    return v_bad();
  }
  Diags *ours = e->d;
  ElabMark *mark = mark_set(e);
  e->d = diags_new(e->a, ours->sources);
  e->d->limit = 16;
  Args none = {0};
  call_value(e, a[1].value, &none, at);
  const Diags *theirs = e->d;
  e->d = ours;
  mark_back(e, mark);
  mark_drop(e, mark);
  const char *found = NULL;
  for (uint32_t k = 0; k < theirs->diag.n; k++) {
    if (theirs->diag.at[k]->warning) continue;
    if (strstr(theirs->diag.at[k]->text, text)) return v_unit();
    if (!found) found = theirs->diag.at[k]->text;
  }
  if (found) elab_error(e, at, E_OTHER_ERROR, text, found);
  else elab_error(e, at, E_NO_ERROR, text);
  return v_bad();
}

/* What stands in a cell now is a constant to derivatives. */
static Value decay_leaf(Elab *e, void *ctx, Value leaf) {
  (void)ctx;
  if (leaf.kind != V_CELL) return leaf;
  NodeId n = cell_read(e, leaf.cell, e->g->loc);
  if (!dtype_is_float((DType)leaf.cell->type.dtype)) return v_node(n);
  return v_node(graph_emit(e->g, &op_stop_gradient, &n, 1, NULL, e->g->loc, NULL));
}

static Value n_copy(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = a[0].value;
  if (v.kind == V_OPTIMIZER && !v.optimizer->tied) return v;
  if (!is_tree(e, &v)) return decay_leaf(e, NULL, v);
  return tree_map(e, v, LEAF_PARAM | LEAF_STATE, decay_leaf, NULL);
}

const Native native_checks[] = {
    {"assert_error", "text:string, f:any", n_assert_error,
     "Calls f, which must be refused while checking with a message that contains the text.",
     "assert_error(\"axis\", fn () = sum([1, 2], axis = 3))"},
    {"copy", "tree:any", n_copy, "The present values of a tree of parameters, as a tree that no assignment changes.",
     "copy((1, 2))   # => (1, 2)"},
    {0}};
