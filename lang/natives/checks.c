/* checks: comparing results, expecting mistakes, and looking at trees of parameters.
 * In: formulas and trees. Out: bools, known numbers, trees of values.
 */
#include "elab/arith.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

static Value join(Elab *e, int op, Value a, Value b, const Ast *at) {
  return a.kind == V_BAD || b.kind == V_BAD ? v_bad() : elab_binary(e, op, a, b, at);
}

/* |a - b| <= tol * (1 + |b|), or equal (infinities are). */
static Value n_close(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value v[2] = {a->at[0], a->at[1]};
  const Ast *where[2] = {arg_ast(a, 0, at), arg_ast(a, 1, at)};
  NodeId x[2];
  double tol = 1e-5;
  for (int k = 0; k < 2; k++) {
    if ((x[k] = want_float(e, v[k], where[k], "what `close` compares")) == NO_NODE) return v_bad();
    v[k] = v_node(x[k]);
  }
  if (given(a, 2) && !want_number(e, a->at[2], arg_ast(a, 2, at), "`tol`", &tol)) return v_bad();
  if (!type_same_shape(node_type(e, x[0]), node_type(e, x[1]))) {
    elab_error(e, at, E_CLOSE_SHAPE, shape_show(e->a, node_type(e, x[0])), shape_show(e->a, node_type(e, x[1])));
    return v_bad();
  }
  if (!lower_same_dtype(e, v, x, 2, where, "what `close` compares")) return v_bad();
  Value p = v_node(x[0]), q = v_node(x[1]);
  Value off = join(e, '-', p, q, at);
  if (off.kind == V_BAD) return off;
  Value size = or_bad(emit1(e, &op_abs, x[1], at));
  Value bound = join(e, '*', v_node(literal(e, tol, at)), join(e, '+', v_node(literal(e, 1, at)), size, at), at);
  Value near = join(e, K_LE, or_bad(emit1(e, &op_abs, off.node, at)), bound, at);
  Value same = join(e, K_OR, near, join(e, K_EQ, p, q, at), at);
  if (same.kind != V_NODE) return same;
  int64_t i[MAX_RANK + 2] = {node_type(e, same.node)->rank};
  for (int k = 0; k < i[0]; k++) i[k + 1] = k;
  return or_bad(emit_i(e, &op_all, &same.node, 1, i, (uint32_t)i[0] + 2, at));
}

/* The mistakes of the function's body go to a list of their own; one of them must have the text. */
static Value n_assert_error(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const char *text = want_string(e, a->at[0], arg_ast(a, 0, at), "the text of an expected error");
  if (!text || a->at[1].kind == V_BAD) return v_bad();
  if (a->at[1].kind != V_FN) {
    Diag *g = elab_error(e, arg_ast(a, 1, at), E_ASSERT_ERROR_FN, value_kind_text(e, &a->at[1]));
    if (g) diag_hint(e->d, g, "write `assert_error(\"text\", fn () = ...)`");
    return v_bad();
  }
  Diags *ours = e->d;
  Elab saved = *e;
  e->d = diags_new(e->a, ours->sources);
  e->d->limit = 16;
  Args none = {0};
  call_value(e, a->at[1], &none, at);
  const Diags *theirs = e->d;
  e->d = ours;
  e->scope = saved.scope;
  e->frame = saved.frame;
  e->caller = saved.caller;
  e->training = saved.training;
  e->make = saved.make;
  e->place = saved.place;
  e->depth = saved.depth;
  e->turns.n = saved.turns.n;
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

static Value decay_leaf(Elab *e, void *ctx, Value leaf) {
  (void)ctx;
  return value_decay(e, leaf);
}

static Value n_copy(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self, (void)at;
  Value v = a->at[0];
  if (v.kind == V_OPTIMIZER && !v.optimizer->tied) return v;
  if (!is_tree(&v)) return value_decay(e, v);
  return tree_map(e, v, LEAF_PARAM | LEAF_STATE, decay_leaf, NULL);
}

static Value n_count_parameters(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value v = a->at[0];
  if (v.kind == V_BAD) return v;
  if (!is_tree(&v) && v.kind != V_CELL) {
    elab_error(e, arg_ast(a, 0, at), E_WANTED, "a tree of parameters", value_kind_text(e, &v));
    return v_bad();
  }
  Leaves leaves = {0};
  int64_t n = 0;
  tree_leaves(e, v, LEAF_PARAM, &leaves);
  for (uint32_t k = 0; k < leaves.n; k++) {
    const Value *leaf = &leaves.at[k].value;
    n += type_count(leaf->kind == V_CELL ? &leaf->cell->type : node_type(e, leaf->node));
  }
  return v_int(n);
}

const Native native_checks[] = {
    {"close", "a b tol?", n_close,
     "Whether |a - b| <= tol * (1 + |b|) everywhere; a and b have one shape. tol is 1e-5.",
     "close(0.1 + 0.2, 0.3)   # => true"},
    {"assert_error", "text f", n_assert_error,
     "Calls f, which must be refused while checking with a message that contains the text.",
     "assert_error(\"axis\", fn () = sum([1, 2], axis = 3))"},
    {"copy", "tree", n_copy, "The present values of a tree of parameters, as a tree that no assignment changes.",
     "copy((1, 2))   # => (1, 2)"},
    {"count_parameters", "tree", n_count_parameters, "How many numbers the parameters of a tree have.",
     "count_parameters(dense(2, 3))   # => 9"},
    {0}};
