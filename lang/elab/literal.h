/* literal: numbers without an element type. A literal is an f64 node marked NODE_FLEX, until one wants an element type
 * of it: then it is cast. NODE_INTS: it holds whole numbers, which may become i32 or u8. NODE_SETTLED: nothing wanted a
 * type, so it is f32; what was made of it can be made again. In: nodes. Out: nodes; what was made of literals alone is
 * a literal.
 */
#ifndef LANG_LITERAL_H
#define LANG_LITERAL_H
#include "elab/value.h"

NodeId literal(Elab *e, double v, const Ast *at);                  /* a scalar */
NodeId int_literal(Elab *e, int64_t i, const Ast *at);
/* a literal that nothing wants: f32; others as they are */
NodeId settle(Elab *e, NodeId n);
bool ints_fit(Elab *e, NodeId n, DType d, const Ast *at);          /* a literal's ints do; no: reported */

/* y, whose elements are x's: a literal if x is one, of whole numbers if x is. */
NodeId literal_moved(Elab *e, NodeId x, NodeId y);
/* x beside an index: elements of a literal chosen by the run are no literal, and f32. */
NodeId literal_chosen(Elab *e, NodeId x, NodeId index);

/* n, elements of literals that the run chose (f32 by itself), with another element type: a label wants ints wherever
 * the literal went. NO_NODE: it is something else, or not whole. */
bool of_literals(Elab *e, NodeId n, DType d);
NodeId literal_as(Elab *e, NodeId n, DType d);
#endif
