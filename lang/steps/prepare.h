/* prepare: a block of steps made ready to run. In: one graph whose nodes carry the number of their segment, and what
 * steps need of it. Out: for each segment its slice, optimised and planned, and the slots in which values cross.
 */
#ifndef LANG_PREPARE_H
#define LANG_PREPARE_H
#include "steps/program.h"

/* Makes all segments of the block (and of the blocks in it) ready to run: what crosses, graphs, plans. from is the
 * number of the first segment that is new; others that were made since may belong to other blocks. keep: nodes whose
 * values must be kept after the run (REPL names, a function's results): their slots are filled in. Leaves (cells and
 * draws read by earlier, finished entries) are recomputed from. often: the block runs more than once, as a host's
 * function does. Errors (memory) go to diags: false. */
bool program_prepare(Program *p, uint32_t from, Steps *block, bool often, Need *keep, uint32_t n_keep);

/* The slot in which an entry that ran has kept a node's value; NO_SLOT: none has. */
SlotId program_kept(const Program *p, NodeId id);

/* A plan for some values of a segment alone, without its writes, in a: what effects
 * before a fault still need. NULL: there is nothing to compute. */
Plan *segment_part(Program *p, Segment *s, const Need *need, uint32_t n, Arena *a);
#endif
