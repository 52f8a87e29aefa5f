/* depends: what makes a value one of the run: a cell, a draw, a turn, a file, an argument, a foreign function.
 * In: a node. Out: its cause in words, or a note at its place.
 */
#ifndef LANG_DEPENDS_H
#define LANG_DEPENDS_H
#include "elab/value.h"

/* What keeps a node from being known: "the parameter `w`", "a draw", "the contents of \"x.gz\""; NULL if nothing. */
const char *depends_text(Elab *e, NodeId n, bool files_are_known);
void say_depends(Elab *e, Diag *g, NodeId n);                      /* a note: what makes it of the run, where */
bool reads_shown(Elab *e, NodeId n);                               /* what an entry showed that is gone */
#endif
