/* stretch: some statements of a long script that are read, and perhaps run, before the next. In: a session before them.
 * Out: a session behind them, in which a stretch that leaves no name behind takes no room: its nodes, places, slots
 * and segments are taken back, what it changed for good (trace.h) stays.
 *
 * Stretches nest, and end innermost first. A failure that leaves by the guard needs no end: the savepoint of the call
 * takes back all that came behind it.
 */
#ifndef LANG_STRETCH_H
#define LANG_STRETCH_H
#include "steps/state.h"

typedef struct Stretch Stretch;
Stretch *stretch_begin(Session *s);
/* It was read, and what was to run has run. It stays if it leaves something, if something was said about it, or if it
 * does not pass (wait.h). */
void stretch_end(Session *s, Stretch *t, bool passes);
void stretch_stay(Session *s, Stretch *t);         /* it ends and stays, whatever it leaves */
/* It was only looked at: nothing of it stays, but for the text of what was said. */
void stretch_back(Session *s, Stretch *t);
#endif
