/* grad: the graph grows its own derivative, by reverse accumulation. Derivatives are ordinary nodes of the same graph,
 * so they differentiate again.
 */
#ifndef RUNTIME_GRAD_H
#define RUNTIME_GRAD_H
#include "graph/op.h"

/* Where an adjoint enters the graph. */
typedef struct Seed {
  NodeId y;
  Adjoint dy;                /* of y's type; NO_NODE: ones */
} Seed;

/* What all seeds together say of wrt[k], one after the other: out[k].node has the type of wrt[k], zeros if no y depends
 * on it. connected[k]: whether one does (may be NULL). Nodes in wrt are not looked behind. Integer and bool nodes carry
 * no derivative. */
void grad_back(Graph *g, const Seed *seed, uint32_t n_seed, const NodeId *wrt, uint32_t n, Adjoint *out,
               bool *connected);
/* The same of one y, with a seed that selects nothing (NO_NODE: ones). */
void grad_reverse(Graph *g, NodeId y, NodeId seed, const NodeId *wrt, uint32_t n, NodeId *out, bool *connected);

/* What an adjoint passes on: node user to its operand. Of all nodes that one passes through, the user falling. */
typedef struct Passed { NodeId user, dx; uint32_t operand; } Passed;
typedef struct GradTrace {
  NodeId *adjoint;           /* by id of the graph as it came; NO_NODE: none arrives. A loop has one for each pick */
  VEC(Passed) passed;
} GradTrace;
/* The derivative of y by wrt, for who explains it; what is filled lies in the graph's arena. */
void grad_traced(Graph *g, NodeId y, const NodeId *wrt, uint32_t n, GradTrace *out);

/* What op `custom` does instead of differentiating its input 0: attr->foreign is one of these. build fills d->dx[1..],
 * the adjoints of the arguments that stand behind the value. */
typedef struct CustomGrad {
  void (*build)(const struct CustomGrad *self, Grad *d);
} CustomGrad;
/* For a build whose formula knows nothing of selected adjoints, as a script's: d->dx[1..] as a rule would have made
 * them. */
void grad_given(Grad *d);

/* A copy of the slice of g below roots in which f32 is f64 (inputs become f64; the caller widens their values). */
Graph *graph_widen(Graph *g, Arena *a);
#endif
