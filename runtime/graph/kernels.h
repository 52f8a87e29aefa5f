/* kernels: how the kernel of an op is called. In: a level's table, an op, the types of its operands. Out: a Dispatch,
 * found once (by the planner for a step), with which any number of parts can be run; or the whole, run here and now.
 */
#ifndef RUNTIME_KERNELS_H
#define RUNTIME_KERNELS_H
#include "graph/op.h"

enum { KERNEL_ALIGN = 64 };  /* of scratch */

typedef struct Dispatch {
  Kernel run;                /* of an op with units of its own */
  TileKernel tile;           /* of a pointwise op: a unit is an element */
  TileCheck check;           /* NULL: cannot fail */
  int64_t units;
  size_t scratch;            /* bytes that each caller needs for itself; a multiple of KERNEL_ALIGN */
} Dispatch;

/* By the dtype of the last input; NULL: it has no tile kernel, cannot fail. */
TileKernel kernel_tile(const Kernels *k, const Op *op, DType last);
TileCheck kernel_check(const Kernels *k, const Op *op, DType last);
/* c has types and attr; data is not looked at. */
Dispatch kernel_dispatch(const Kernels *k, const Op *op, const KernelCall *c);
/* Units c->begin..c->end. c->scratch is the caller's own. False: c->fault says why. */
bool kernel_part(const Dispatch *d, KernelCall *c);
/* All units, on this thread, with scratch from a. */
bool kernel_call(const Kernels *k, const Op *op, KernelCall *c, Arena *a);
#endif
