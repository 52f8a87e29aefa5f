/* held: a value apart from the session that made it: what an entry showed, when the entry itself is taken back. In: a
 * value behind a savepoint. Out: the same value for another entry to read; of a tensor the numbers alone, so that no
 * derivative passes through it.
 */
#ifndef LANG_HELD_H
#define LANG_HELD_H
#include "elab/elab.h"

typedef struct Held Held;
/* Holds on to nothing behind the savepoint that is set. nodes: how many the graph had there. NULL: that cannot be: a
 * function, a layer, an optimizer that was made behind it, or numbers that are not there yet. */
Held *held_new(Session *s, const Value *v, uint32_t nodes);
/* What it holds that is older, and so stands where it stood. */
void held_older(const Held *h, void (*f)(void *to, const Value *v), void *to);
void held_free(Held *h);                              /* NULL is fine */
Value held_value(Elab *e, const Held *h, Loc loc);    /* made anew, in the session's arena */
#endif
