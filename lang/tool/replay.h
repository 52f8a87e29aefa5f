/* replay: the script of a REPL run once more, in a session of its own, up to a step, with every effect off. A run is a
 * function of its text, its files and its seed, so any moment of it can be computed again: there is no log. It begins
 * at the nearest checkpoint that the run has left, or at the start.
 *
 * A step is a turn of the innermost loop that writes a parameter.
 */
#ifndef LANG_REPLAY_H
#define LANG_REPLAY_H
#include "steps/event.h"
#include "tool/repl_eval.h"

typedef struct Replay {
  Session *s;                /* as it stood */
  int64_t steps;             /* that were done, */
  int64_t from;              /* and at which of them the replay began: 0, or that of a checkpoint */
  bool stopped;              /* at the step that was asked for; false: the run ended before */
} Replay;

typedef struct ReplayAsk {
  int64_t until;             /* stops before the step after so many */
  const char *define;        /* "lr=0.01", or NULL: then a checkpoint may be begun at */
  void (*each)(void *to, Session *s, int64_t step);         /* before each step, and at the end; may be NULL */
  void (*heard)(void *to, Session *s, const Event *e);      /* what happens; may be NULL. Both: from the start */
  void *to;
} ReplayAsk;

/* false: said already. */
bool replay_run(Repl *r, const ReplayAsk *ask, Replay *out);
void replay_close(Replay *p);
/* The cells of the script have the same slots in both sessions, or the script has changed. */
bool replay_same_script(const Session *now, const Session *then);

/* The first run of the script, which notes its checkpoints as it writes them. */
Status replay_first(Repl *r, const char *path, Entry **out);
#endif
