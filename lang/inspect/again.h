/* again: some values of a run computed once more, as often as wanted, by a plan of their own. In: nodes of the
 * session's graph. Out: their values with cells, turns and data as they are when it is run; or the gradients of a loss.
 *
 * Formulas alone are computed: no effect happens and no cell changes. Valid as long as the session's texts.
 */
#ifndef LANG_AGAIN_H
#define LANG_AGAIN_H
#include "session.h"

typedef struct Again Again;

/* The values of n nodes. Inside a guard of the session. */
Again *again_values(Session *s, const NodeId *node, uint32_t n);
/* The gradients of loss by the cells in n slots, in this order; zeros where it does not depend on one. */
Again *again_gradients(Session *s, NodeId loss, const SlotId *slot, uint32_t n);
/* What the loss changes by for each element of a node below it. */
Again *again_by(Session *s, NodeId loss, NodeId node);
/* The gradients of the sum of a node's elements, each times one of *weight, which the caller fills before each run. */
Again *again_weighted(Session *s, NodeId node, const SlotId *slot, uint32_t n, Tensor **weight);
/* false: an operation has no result for these values, or a cell has none yet. */
bool again_run(Again *x);
const Tensor *again_value(const Again *x, uint32_t k);
void again_close(Again *x);
#endif
