/* order: operands are evaluated from left to right. For each: order_before, its value, order_met; behind the last,
 * order_end.
 */
#ifndef LANG_ORDER_H
#define LANG_ORDER_H
#include "elab/value.h"

typedef struct Order { VEC(Value *) met; VEC(Value) kept; VEC(uint64_t) writes; } Order;
void order_before(Elab *e, Order *o, const Ast *next);
void order_met(Elab *e, Order *o, Value *v);
void order_end(Elab *e, Order *o);
#endif
