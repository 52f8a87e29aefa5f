/* pieces: a sum of tensors that were placed in zeros side by side, as the adjoints of x[0], x[1], ... are, is one
 * tensor of these pieces: each of the placed ones and each sum would be as large as the whole. */
#ifndef RUNTIME_PIECES_H
#define RUNTIME_PIECES_H
#include "graph/op.h"

/* x + y as a concat of the pieces of both, with the same bits; NO_NODE: they are not such, or overlap. */
NodeId sum_of_pieces(Graph *g, NodeId x, NodeId y);
#endif
