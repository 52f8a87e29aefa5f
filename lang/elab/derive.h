/* derive: grad and its kin. In: a formula and a tree to differentiate by. Out: the tree of gradients, as more nodes.
 */
#ifndef LANG_DERIVE_H
#define LANG_DERIVE_H
#include "elab/elab.h"

/* `grad`; a step of an optimizer; of many seeds, where zeros are common: no warning */
enum { DERIVE_GRAD, DERIVE_STEP, DERIVE_QUIET };
Value derive(Elab *e, Value y, Value wrt, const Ast *at, int why);
/* the same tree with nodes of its own, to differentiate by */
Value grad_argument(Elab *e, Value v, const Ast *at);
/* f's value, with what is differentiated by (wrt: its names; V_ABSENT: the first argument) as nodes of their own in
 * *by. */
Value call_by(Elab *e, Value f, Value wrt, const Args *a, MakeRule rule, Value *by, const Ast *at);
#endif
