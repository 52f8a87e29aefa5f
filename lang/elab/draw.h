/* draw: places and draws. A draw is a function of the seed, its place (the chain of names and calls that leads to it)
 * and the turns of the loops around it.
 */
#ifndef LANG_DRAW_H
#define LANG_DRAW_H
#include "elab/elab.h"

struct PlaceFrame *place_root(Elab *e);                            /* of one entry */
Value elab_draw(Elab *e, const Type *t, const Ast *call);          /* `~ call` for a declared type */
NodeId draw_key(Elab *e, const Ast *at);                           /* i32[2]: seed, place, turns */
/* These say where we were: `e->here = outside` goes back. */
/* a name or call on the way; what is alike, and draws, is counted */
Where place_enter(Elab *e, const char *name);
Where place_turn(Elab *e, int64_t k);                              /* of an unrolled loop, from 0 */
Where place_repeat(Elab *e);                                       /* this place once more: a piece of a loop */
Where place_again(Elab *e, uint64_t hash);                         /* the place of this hash */
uint64_t place_hash(Elab *e);
void place_change(Elab *e);                                        /* arena_change of the present place */
/* What has been counted at the place of an entry, into a; and that it has been, when the entry is taken back. */
typedef struct Counted { uint32_t n; struct Like *at; } Counted;
Counted place_counted(Elab *e, Arena *a);
void place_count(Elab *e, const Counted *c);
void *place_keep(Elab *e);                                         /* what has been counted at the present place */
void place_back(Elab *e, const void *kept);
#endif
