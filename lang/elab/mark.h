/* mark: a savepoint of elaboration. What was elaborated behind it can be taken back: names, cells and what stands in
 * them, series, places, steps, tests, modules, and where we stand. Used for what is only tried (statements that wait
 * for the run, functions that nobody calls, `assert_error`) and for what went wrong (a text, a call by the host).
 *
 * Invariant: what lives longer than a trial is changed behind mark_keep alone. The nodes stay in the graph, and belong
 * to no step that is left.
 */
#ifndef LANG_MARK_H
#define LANG_MARK_H
#include "elab/cell.h"
#include "elab/value.h"

typedef struct ElabMark ElabMark;
ElabMark *mark_set(Elab *e);              /* marks nest */
void mark_back(Elab *e, ElabMark *m);     /* as it was at m, which still stands; allocates nothing */
void mark_drop(Elab *e, ElabMark *m);     /* m is gone, with those set behind it; what they saw stays */
bool mark_had_rows(const ElabMark *m, const Series *s);    /* only the run knew how many rows s had then */

/* Before n bytes at `at` change: they come back with the innermost mark. */
void mark_keep(Elab *e, void *at, size_t n);
Cell *cell_change(Elab *e, Cell *c);      /* the same for a cell: c */
#endif
