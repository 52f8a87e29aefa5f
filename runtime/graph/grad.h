/* grad: the graph grows its own derivative, by reverse accumulation. Derivatives are ordinary nodes of the same graph,
 * so they differentiate again.
 */
#ifndef RUNTIME_GRAD_H
#define RUNTIME_GRAD_H
#include "graph/op.h"

/* d y / d wrt[k] for a scalar y, seeded with `seed` (NO_NODE: one). out[k] has the type of wrt[k]; a wrt that y does
 * not depend on gets zeros and connected[k] = false (connected may be NULL). Nodes in wrt are not looked behind.
 * Integer and bool nodes carry no derivative. */
void grad_reverse(Graph *g, NodeId y, NodeId seed, const NodeId *wrt, uint32_t n, NodeId *out, bool *connected);
/* The same for a y of any shape with a seed of y's type (vjp). */

/* What op `custom` does instead of differentiating its input 0: attr->foreign is one of these. build fills d->dx[1..],
 * the adjoints of the arguments that stand behind the value. */
typedef struct CustomGrad {
  void (*build)(const struct CustomGrad *self, Grad *d);
} CustomGrad;

/* A copy of the slice of g below roots in which f32 is f64 (inputs become f64; the caller widens their values). */
Graph *graph_widen(Graph *g, Arena *a);
#endif
