/* fault: who failed while a plan ran, and in which words. In: a Fault of run_plan. Out: the node at fault, and what its
 * op says of it (Op.faults), the same for a script, a plan of the C library and a frozen function.
 */
#ifndef RUNTIME_FAULT_H
#define RUNTIME_FAULT_H
#include "exec/plan.h"

enum { FAULT_TEXT = 160 };   /* room for what fault_text says */

/* The node of `written`, the graph that the plan was made of, that failed in a step of it; NO_NODE: none is known. */
NodeId fault_node(const Graph *written, const Plan *p, uint32_t step);
/* What op says of f, or the op in a loop's body that f names; NULL: no op is known. */
const OpFault *fault_of(const Op *op, const Fault *f);
/* Its text with the numbers of f: no place, no full stop. Allocates nothing. */
void fault_text(const Op *op, const Fault *f, char to[FAULT_TEXT]);
bool fault_hint(const Op *op, const Fault *f, char to[FAULT_TEXT]);      /* a way out; false: none is known */
#endif
