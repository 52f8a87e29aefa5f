/* checkpoint: the whole state of a run in a file, and a run that goes on from it. In: a session whose script runs,
 * between two steps. Out: a safetensors file that holds every cell under its path (so that `load` reads it), the values
 * that are still to be read, the series, and in the entry `~run` a text: which script, arguments, library and data,
 * where it stands.
 *
 * A script that is read again makes the same graph, slots and steps, so numbers of slots and of steps mean the same
 * there. What the file says is checked against them before anything is taken over: a damaged file is refused, never
 * believed.
 */
#ifndef LANG_CHECKPOINT_H
#define LANG_CHECKPOINT_H
#include "steps/effects.h"

typedef struct Checkpoint Checkpoint;

/* Notes that the texts read so far are a script's: what a checkpoint is compared with. */
void checkpoint_script(Session *s);
/* A part of the script (its statements from `from` on) was made ready; its series have rows now. */
void checkpoint_part(Session *s, uint32_t from, const Steps *steps);

/* done: the innermost step has happened. false: a diagnostic was made at loc. */
bool checkpoint_write(Session *s, const char *path, bool done, Loc loc);
/* Reads a file, before the script is checked: it says in which folder the run began, where the script's files are
 * looked for. NULL: a diagnostic was made. */
Checkpoint *checkpoint_open(Session *s, const char *path);
/* Compares it with the script that was checked; false: a diagnostic was made. */
bool checkpoint_fits(Session *s, const Checkpoint *c);
void checkpoint_close(Checkpoint *c);
uint32_t checkpoint_parts(const Checkpoint *c);      /* how many were begun: it stands in the last */
/* Before part `k` is read: the rows that its series had then. */
void checkpoint_rows(Session *s, const Checkpoint *c, uint32_t k);
/* Takes over what belongs to the parts that are ready, if their data files are what they were. last: all of it, series
 * and position too. false: reported, nothing runs. */
bool checkpoint_take(Session *s, Checkpoint *c, bool last);

Step *effect_checkpoint(Session *s, const TextValue *path, Loc loc);
#endif
