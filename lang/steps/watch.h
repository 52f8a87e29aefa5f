/* watch: whether the parameters that a run moves stay numbers. In: each segment that moves some, when its plan has run.
 * Out: one warning at the step that first made one NaN or infinite, with the turn, and at the expression that did it
 * where the step could be computed again.
 *
 * An ordinary step pays for one look at the first element of each parameter. What a step began with is held, and the
 * expression found by computing it again (blame.h), in the first step and where parameters grow beyond ten times what
 * they were: those are the steps in which numbers end. At the end of a run that moved parameters all of them are looked
 * at, once.
 */
#ifndef LANG_WATCH_H
#define LANG_WATCH_H
#include "steps/state.h"
#include <string.h>

/* Whether what this segment begins with must be held. */
static inline bool watch_holds(const Session *s, const Segment *g) {
  return g->n_watch && !s->watch.told && (!g->ran || s->watch.held > 0);
}

bool watch_look(Session *s, const Segment *g, Tensor *const *before);

/* before: what was held, or NULL. false: the warning is an error. */
static inline bool watch_step(Session *s, const Segment *g, Tensor *const *before) {
  bool odd = before != NULL;
  for (uint32_t k = 0; k < g->n_watch; k++) {
    const Watched *w = &g->watch[k];
    uint32_t upper;
    memcpy(&upper, (const char *)g->data[w->binding] + w->high, sizeof upper);
    odd |= (upper & 0x7fffffff) > s->watch.limit[w->wide];
  }
  if (g->n_watch && (odd || !g->ran)) s->watch.moved = true;
  return !odd || s->watch.told || watch_look(s, g, before);
}

bool watch_end(Session *s);
#endif
