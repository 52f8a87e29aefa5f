/* opt: the same graph with fewer nodes: outputs equal to the bit, except by the named rewrites (the stable forms), which
 * are listed in opt_rewrites. Sharing, folding, exact simplification, dead code, gather and slice below pointwise ops.
 * Works on a copy, after every derivative has been taken.
 */
#ifndef RUNTIME_OPT_H
#define RUNTIME_OPT_H
#include "op.h"

typedef struct Rewrite { const char *name, *from, *to; } Rewrite;
extern const Rewrite opt_rewrites[];            /* ends with a NULL name */

typedef struct Opt {
  bool no_rewrite;                              /* exact passes only */
  const Kernels *kernels;                       /* for folding */
} Opt;

/* out gets a new graph in arena a whose outputs are g's, in order. origin[id] of the new graph is a node of g
 * that it came from (for places, profile and probes). */
Graph *opt_run(const Graph *g, Arena *a, const Opt *o, NodeId **origin);
#endif
