/* blame: which expression made the first number that is NaN or infinite. */
#ifndef LANG_BLAME_H
#define LANG_BLAME_H
#include "steps/program.h"

/* A value of the segment is not finite: at[k] belongs to binding k of its plan and holds what the run wrote; before[k]
 * is what was bound before. Computes the segment again, node by node, and follows the bad element to where it was made,
 * which is reported and returned. 0: no result is bad, or it came from a literal, a file or a cell that held it. */
Loc blame_results(Session *s, const Segment *g, void *const *at, Tensor *const *before);

/* The same in a graph all of whose values are there: who made the first number of id that is not finite, and which of
 * its elements. tells: it is told as a diagnostic. false: nobody did; what *culprit names held it: a literal, a file,
 * a cell. */
bool blame_find(Session *s, const Graph *g, Tensor **value, NodeId id, bool tells, NodeId *culprit, int64_t *at);

/* The same as a warning, of which the run goes on: to whoever sees that a result is bad. */
Loc blame_warning(Session *s, const Segment *g, Tensor *const *before);

bool numbers_bad(const Type *t, const void *data);      /* one is NaN or infinite */

/* A `require_finite` of the segment refused its operand: reports where it was made, or the refusal itself, and returns
 * that place. Cells are as they were before. */
Loc blame_refusal(Session *s, const Segment *g, Loc refused);
#endif
