/* trace: what an entry, or a stretch of a script, leaves behind when nothing can be asked of it any more. In: a session
 * before it and behind it. Out: whether it leaves a name, cell, table or module; if not, what it has changed for good
 * (cells that it assigns, what it drew, which functions it called), to be put back when all else of it is taken back.
 */
#ifndef LANG_TRACE_H
#define LANG_TRACE_H
#include "steps/state.h"

/* How much there was of what outlives an entry. */
typedef struct Sizes {
  uint32_t globals, library, cells, series, modules, columns, told, sources, nodes;
  const char *checkpoint;
} Sizes;
Sizes trace_sizes(const Session *s);
bool trace_leaves_nothing(const Session *s, const Sizes *then);

/* What everything in a session hangs on says that it changes; what hangs on it says so itself. */
void trace_change(Session *s);

typedef struct Traces Traces;
Traces *traces_new(Session *s, const Sizes *then);        /* outside of the session's arena, young */
void traces_keep(Traces *t);
void traces_back(Session *s, const Traces *t);            /* once all else was taken back */
void traces_free(Traces *t);                              /* NULL is fine */
#endif
