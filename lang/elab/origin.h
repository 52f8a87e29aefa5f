/* origin: what the graph knows of a tensor by looking at the nodes that it was made of. In: a node. Out: what kind of
 * value it is, and the node that made it one. Nothing is recorded: a softmax that a script writes out is found like the
 * library's.
 */
#ifndef LANG_ORIGIN_H
#define LANG_ORIGIN_H
#include "elab/value.h"

typedef enum {
  ORIGIN_UNKNOWN,
  ORIGIN_SOFTMAX,       /* exp(z) / sum(exp(z)): probabilities that sum to 1 along an axis */
  ORIGIN_SIGMOID,       /* a probability each */
  ORIGIN_LOG,           /* the logarithm of a probability */
  ORIGIN_AFFINE,        /* x @ w, x @ w + b: scores */
  ORIGIN_RELU, ORIGIN_TANH
} OriginKind;
typedef struct Origin { OriginKind kind; NodeId node; } Origin;

/* Moving, choosing and stretching elements keeps an origin: reshape, index, slice, concat, `where` with a constant in
 * 0..1. */
Origin origin_of(Elab *e, NodeId n);
/* it only moves, stretches or chooses elements of its input 0 */
bool origin_moves(const Op *op);
NodeId origin_moved(const Graph *g, NodeId n);            /* n without the ops that only move its elements */
#endif
