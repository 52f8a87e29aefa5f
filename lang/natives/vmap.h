/* vmap: what functions made of functions share: trees of tensors that are differentiated, and products with vectors. */
#ifndef LANG_VMAP_H
#define LANG_VMAP_H
#include "elab/native.h"
#include "runtime/graph/batch.h"

bool map_tensors(Elab *e, Value v, Nodes *out, const Ast *at, const char *what);   /* instances among them */
Value map_like(Elab *e, Value v, const NodeId *at);                               /* v with these tensors */
/* The floats of a function's value; others have no derivative: false, and it is said. */
bool map_floats(Elab *e, Value y, Nodes *out, const char *name, const Ast *at);
/* sum(x[k] * v[k]) over all leaves: its derivative by x is v. `product` is mul, or smul if zeros of x choose. */
NodeId map_inner(Elab *e, const Op *product, const NodeId *x, const NodeId *v, uint32_t n, const Ast *at);
void map_too_large(Elab *e, const BatchError *why, int64_t size, const Ast *at);
/* A function of the arguments of f. It captures f, what stands in `second`, and `more`. */
Value map_made_of(Elab *e, Value f, Value second, Value more, const Native *n, BoundCall call);
#endif
