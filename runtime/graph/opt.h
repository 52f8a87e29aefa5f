/* opt: the same graph with fewer nodes: outputs equal to the bit, except by the named rewrites (the stable forms),
 * which are listed in stable.c. Sharing, folding, exact simplification, dead code, gather and slice below pointwise
 * ops. Works on a copy, after every derivative has been taken.
 *
 * A derivative must follow the stable form too, or a saturated sigmoid trains nothing: the language calls graph_stable
 * on the formula in front of grad_reverse, so that adjoints are derived from stable forms; opt_run calls it again for
 * what is only computed forward, and sharing makes one of the two. Adjoints (LOC_ADJOINT) are not rewritten: the
 * gradient rules are written in stable form themselves.
 */
#ifndef RUNTIME_OPT_H
#define RUNTIME_OPT_H
#include "graph/op.h"

/* The stable form of each root, in the same graph: what a rewrite does not touch keeps its node. The nodes in keep
 * (what a derivative is taken with respect to) stay what they are, and no rewrite looks through them. A node that
 * replaces another has its Loc. origin (may be NULL) gets for each node of g, then, itself or the node that it was made
 * for. */
void graph_stable(Graph *g, const NodeId *root, uint32_t n, const NodeId *keep, uint32_t n_keep, NodeId *out,
                  NodeId **origin);

typedef struct Opt {
  bool no_rewrite;                              /* exact passes only */
  const Kernels *kernels;                       /* for folding; NULL: the best */
} Opt;

/* out gets a new graph in arena a whose outputs are g's, in order. origin[id] of the new graph is a node of g
 * that it came from (for places, profile and probes). An input whose slot is also an output's stays, read or not: it
 * makes the slot a cell. A fault of an element that nobody uses may go with the element. */
Graph *opt_run(const Graph *g, Arena *a, const Opt *o, NodeId **origin);
#endif
