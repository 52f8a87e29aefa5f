/* branch: `if`. In: its syntax. Out: steps of which one branch runs, or values of which a condition chooses.
 */
#ifndef LANG_BRANCH_H
#define LANG_BRANCH_H
#include "elab/value.h"

NodeId condition(Elab *e, const Ast *at, Value v);                                /* a scalar bool */
Value select_value(Elab *e, NodeId cond, Value a, Value b, const Ast *at);        /* leaf by leaf, by `where` */
Value elab_if(Elab *e, const Ast *ast, bool as_steps);
#endif
