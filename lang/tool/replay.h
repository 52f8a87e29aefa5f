/* replay: the script of a REPL run once more, in a session of its own, up to a step, with every effect off. A run is a
 * function of its text, its files and its seed, so any moment of it can be computed again: there is no log.
 *
 * A step is a turn of the innermost loop that writes a parameter.
 */
#ifndef LANG_REPLAY_H
#define LANG_REPLAY_H
#include "tool/repl_eval.h"

typedef struct Replay {
  Session *s;                /* as it stood */
  int64_t steps;             /* that were done */
  bool stopped;              /* at the step that was asked for; false: the run ended before */
} Replay;

/* define: "lr=0.01", or NULL. each: called before each step, and at the end; may be NULL. false: said already. */
bool replay_run(Repl *r, int64_t until, const char *define, void (*each)(void *to, Session *s, int64_t step), void *to,
                Replay *out);
void replay_close(Replay *p);
#endif
