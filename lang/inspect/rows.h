/* rows: which rows of a batch a loss and its gradient are made of. In: a session that stands before a step, and the
 * loss of the step. Out: for each row its share of both.
 *
 * A loss is a sum over rows, times what does not depend on one of them: what the rows hold, times the adjoint that
 * arrives there, is what each gives. The gradient that a row gives is that of its part alone, and its share is how far
 * that goes in the direction of the whole; so the shares of all rows are 1 together.
 */
#ifndef LANG_ROWS_H
#define LANG_ROWS_H
#include "inspect/again.h"

typedef struct RowShare {
  int64_t row, source;       /* in the batch; of the data that it was taken from, or -1 */
  double loss, gradient;     /* shares; gradient NaN: it was not computed */
} RowShare;

typedef struct Rows {
  RowShare *at;              /* by row */
  int64_t n;
  double loss;               /* of the step */
  NodeId each;               /* what holds a number a row, in the session's graph */
} Rows;

/* Inside a guard of the session. false: *why. */
bool rows_share(Session *s, NodeId loss, Arena *a, Rows *out, const char **why);
#endif
