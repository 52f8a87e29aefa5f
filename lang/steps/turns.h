/* turns: the steps of a training, as people count them. A step is a turn of the innermost loop that moves a parameter,
 * however many segments of the turn do. In: the position of a run, at a segment. Out: whether a step begins with it.
 */
#ifndef LANG_TURNS_H
#define LANG_TURNS_H
#include "steps/state.h"

/* Where the last step began: the block, the place in it, the turns around it. Zero: nowhere yet. */
typedef struct StepTurns { const Steps *block; uint32_t at; uint64_t turns; } StepTurns;

bool segment_moves_parameters(const Session *s, const Segment *g);
bool step_begins(StepTurns *last, const Session *s);
#endif
