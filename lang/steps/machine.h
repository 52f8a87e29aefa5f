/* machine: runs a prepared block of steps. */
#ifndef LANG_MACHINE_H
#define LANG_MACHINE_H
#include "steps/program.h"

/* Reads the files that a block uses, so that a broken one is said before anything was done. false: a diagnostic was
 * made. */
bool machine_files(Session *s, const Steps *block);

/* Runs a block from its first step. false: a diagnostic was made, or it was cancelled (session->cancelled). Cells are
 * as they were before the segment that failed. */
bool machine_run(Session *s, Steps *block);
bool machine_continue(Session *s);     /* from the position in the session on */

/* The diagnostic of a fault of a plan that somebody else ran. */
void machine_fault(Session *s, const Plan *plan, const Fault *f);


const Position *machine_position(const Session *s);
/* "3:0.1.17 2": step 3 of the outermost block is a loop in piece 0, phase 1, turn 17; step 2 of its body. */
char *position_text(const Position *p, Arena *a);

/* Every cell's tensor, shared: a test's own copy of the cells. */
typedef struct Snapshot { Tensor **value; uint32_t n; } Snapshot;
Snapshot *snapshot_take(Program *p, Arena *a);
void snapshot_restore(Program *p, Snapshot *s);
#endif
