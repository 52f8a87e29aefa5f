/* savepoint: a session as it was before a call: its arena, texts, names, graph, slots and segments, tables, and what
 * stands in them. In: the beginning of a call, and how it ended. Out: a session that has all of what the call made, or
 * nothing of it.
 *
 * Invariant: what lives in the session's arena is changed behind arena_change (or mark_keep and cell_change, which call
 * it), or stands in what savepoint_set keeps.
 */
#ifndef LANG_SAVEPOINT_H
#define LANG_SAVEPOINT_H
#include "steps/state.h"

struct Savepoint *savepoint_new(Session *s);     /* in the session's arena */
void savepoint_end(Session *s);                  /* before that is freed: what stands outside of it */
void savepoint_set(Session *s);                  /* inside a guard; one at a time */
/* Before what may change cells in more than one step: their tensors come back, too. */
void savepoint_hold(Session *s);
/* How it ended. It is taken back, but not before the next call begins: until then what was said can be read. ran: what
 * the run has put into cells, tables and slots that stood before stays. Or, if that was not said, all of it is kept. */
void savepoint_later(Session *s, bool ran);
bool savepoint_keep(Session *s);                 /* it was kept */
/* As a call begins: what the last one left to be taken back. Allocates nothing. */
void savepoint_settle(Session *s);

/* An entry passes if it leaves no name, cell, table or module behind: all of it is taken back when the next text comes,
 * but for what is noted here once it is elaborated, before it runs: which cells it assigns, what it draws, what it
 * warned of. Until then questions about it can be asked, and go with it. */
void savepoint_note(Session *s);                 /* if it will pass */
bool savepoint_pass(Session *s);                 /* as it ends: it passes. false: it does not */
bool savepoint_passing(const Session *s);        /* an entry has passed, and is still there */
void savepoint_stay(Session *s);                 /* it is kept after all */
void savepoint_goes_on(Session *s);              /* the next text reads its value: both pass, or both are kept */
void savepoint_ask(Session *s);                  /* a question begins: what went wrong is taken back, no more */
uint32_t savepoint_nodes(const Session *s);      /* how many nodes the graph had */
#endif
