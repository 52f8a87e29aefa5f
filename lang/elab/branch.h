/* branch: `if`. In: its syntax. Out: steps of which one branch runs, or values of which a condition chooses.
 */
#ifndef LANG_BRANCH_H
#define LANG_BRANCH_H
#include "elab/names.h"

NodeId condition(Elab *e, const Ast *at, Value v);                                /* a scalar bool */
Value select_value(Elab *e, NodeId cond, Value a, Value b, const Ast *at);        /* leaf by leaf, by `where` */
Value elab_if(Elab *e, const Ast *ast, bool as_steps);

/* What is computed but counts only if a condition of the run holds. */
typedef struct Branch { uint32_t mark, number; } Branch;
Branch branch_open(Elab *e);
/* The variables from outside that were assigned since, each once with its value before; they are n. Their record is
 * taken back. */
Assigned *branch_assigned(Elab *e, const Branch *b, uint32_t *n);
#endif
