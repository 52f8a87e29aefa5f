/* version: which version of a cell a formula read. In: nodes of a formula, cells, what is differentiated by.
 * Out: cells, versions, and whether a derivative is that of the values which the formula had.
 */
#ifndef LANG_VERSION_H
#define LANG_VERSION_H
#include "elab/cell.h"
#include "elab/leaves.h"

Cell *cell_of_slot(const Elab *e, SlotId slot);        /* NULL: of none */
Cell *cell_of_node(const Elab *e, NodeId n);           /* a version of which; NULL: of none */

typedef struct Slice { NodeId *at; uint32_t n; } Slice;                /* nodes below a formula, ascending */
/* What was read before a loop that changes it, which begins at node `first`: a constant in the loop. */
typedef struct KeptRead { NodeId node, first; } KeptRead;
/* what is differentiated by: for which leaf; and what of it is a constant here */
typedef struct Wrt { VEC(NodeId) node; VEC(uint32_t) leaf; VEC(KeptRead) kept; } Wrt;
/* the nodes that a derivative of y passes through */
uint32_t slice_derivable(Elab *e, NodeId y, NodeId **out);
bool reaches(const Slice *s, NodeId id);

/* The newest version of c that the formula read, with its aliases, into w: but what was read before a loop that assigns
 * c is another one. moves: the derivative is for a step that does. *current: it is the present one. */
bool version_read(Elab *e, Cell *c, const Slice *s, uint32_t leaf, Wrt *w, bool moves, Loc loc, bool *current);
/* The same for what a name holds that was read from a cell: whatever read it since, before it was assigned. */
bool version_read_node(Elab *e, NodeId n, const Slice *s, uint32_t leaf, Wrt *w);
/* A term of y that was computed before the loop, from what y is differentiated by: read: where y reads it. */
typedef struct Term { NodeId node, read; } Term;
void version_terms(Elab *e, const Slice *s, const KeptRead *kept, Arena *a, Term **out, uint32_t *n);
/* A derivative of y by w in the loop r: what of it was made before the loop is wrong if r assigns a cell that it read,
 * which is known, and said, at its end. */
void version_fresh(Elab *e, Region *r, const Slice *s, const Wrt *w, NodeId y, const Ast *at);
/* Whether the formula read cells behind a loop or branch which computed them from the leaves l: reported. */
bool version_passes_out(Elab *e, const Slice *s, const Wrt *w, const Leaves *l, const Ast *at);
/* The loop r assigned c, which ends a turn as `last`: what was differentiated in it is told if it is wrong by that. */
void version_loop_end(Elab *e, Region *r, Cell *c, NodeId last);
/* No derivative passes through what a block of steps assigned: nothing is lost if the cells are read anew. */
bool version_closed(Elab *e, const Region *r);
/* A derivative passes through what was assigned to the cell last, in this part of the script or an earlier one. */
bool version_open(const Elab *e, const Cell *c);
#endif
