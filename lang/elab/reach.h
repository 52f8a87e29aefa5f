/* reach: what no name holds goes. In: a session between two entries. Out: the tensors in the slots of values that
 * nothing which has a name is computed from are gone; what is left of such an entry is its text and its formula.
 */
#ifndef LANG_REACH_H
#define LANG_REACH_H
#include "steps/state.h"

/* Does it when the session has doubled since it was done last: each entry pays for its own. Inside a guard; no
 * savepoint is set, and no plan will run again. */
void reach_sweep(Session *s);
#endif
