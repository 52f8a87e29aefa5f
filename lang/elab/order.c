/* order: operands are evaluated from left to right, as `print v, bump(), v` shows. In: operands as they are met. Out:
 * the same, where a cell that a later operand assigned stands as the value that it had in its turn. A cell that nothing
 * assigned stays a cell, since an optimizer, a derivative or a layer may want it as such. Only operands before a call
 * are looked at, so a long bracket of numbers costs nothing.
 */
#include "elab/order.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/stmt.h"

static bool may_assign(const Ast *x) {
  if (!x || x->kind == A_LAMBDA) return false;
  if (x->kind == A_CALL || x->kind == A_ASSIGN || (x->kind == A_BINARY && x->op == K_PIPE)) return true;
  for (uint32_t k = 0; k < x->n; k++)
    if (may_assign(x->kid[k])) return true;
  return false;
}

/* Whether it is looked into when a later operand may assign: not before, since a list may be long. */
static bool may_hold_cells(const Value *v) {
  return v->kind == V_CELL || v->kind == V_TUPLE || v->kind == V_LIST || v->kind == V_RECORD;
}

static uint64_t writes(Elab *e, Value v) {
  if (v.kind == V_CELL) return v.cell->writes;
  Leaves l = {0};
  tree_leaves(e, v, LEAF_PARAM | LEAF_STATE, &l);
  uint64_t sum = 0;
  for (uint32_t k = 0; k < l.n; k++)
    if (l.at[k].value.kind == V_CELL) sum += l.at[k].value.cell->writes;
  return sum;
}

void order_before(Elab *e, Order *o, const Ast *next) {
  if (o->kept.n == o->met.n || !may_assign(next)) return;
  for (uint32_t k = o->kept.n; k < o->met.n; k++) {
    Value *v = o->met.at[k];
    bool cells = tree_has_cells(e, *v);
    vec_push(e->a, &o->writes, cells ? writes(e, *v) : 0);
    vec_push(e->a, &o->kept, cells ? keep_values(e, *v) : *v);
  }
}

void order_met(Elab *e, Order *o, Value *v) {
  if (may_hold_cells(v)) vec_push(e->a, &o->met, v);
}

void order_end(Elab *e, Order *o) {
  for (uint32_t k = 0; k < o->kept.n; k++)
    if (writes(e, *o->met.at[k]) != o->writes.at[k]) *o->met.at[k] = o->kept.at[k];
}
