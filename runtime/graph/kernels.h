/* kernels: how the kernel of an op is called. In: a level's table, an op, the types of its operands. Out: a Dispatch,
 * found once (by the planner for a step), with which any number of parts can be run; or the whole, run here and now.
 */
#ifndef RUNTIME_KERNELS_H
#define RUNTIME_KERNELS_H
#include <assert.h>
#include "graph/op.h"

enum { KERNEL_ALIGN = 64 };  /* of scratch */

typedef struct Dispatch {
  Kernel run;                /* of an op with units of its own */
  TileKernel tile;           /* of a pointwise op: a unit is an element */
  TileCheck check;           /* NULL: cannot fail */
  int64_t units;
  size_t scratch;            /* bytes that each caller needs for itself; a multiple of KERNEL_ALIGN */
  Kernel prepare;
  int64_t prepares;          /* units of prepare; 0: nothing is prepared */
  size_t shared;             /* bytes that it fills for all; a multiple of KERNEL_ALIGN */
  bool exclusive;            /* the parts of all calls in the process run one at a time */
} Dispatch;

/* The level, k or one below it, that has the kernel: of a pointwise op for this dtype of its last input. NULL: none. */
const OpKernels *kernels_of(const Kernels *k, const Op *op, DType last);
/* What does the same to one element as an instruction; NULL: the tile kernel does it. */
InstrKernel kernels_one(const Kernels *k, const Op *op, DType last);
/* An instruction for the whole of a small call, or NULL; see OpKernels.line. */
InstrKernel kernels_line(const Kernels *k, const Op *op, const KernelCall *c, int64_t *shape);
/* What the bits of a sum of products are: those of one rounding a step ("fma"), or of two ("plain"). Levels of one
 * class give the same bits; nothing else in a kernel depends on the level. docs/determinism.md */
const char *kernels_class(const Kernels *k);
/* Before a thread runs kernels of k; cheap after the first time. */
void kernels_begin(const Kernels *k);
/* c has types and attr; data is not looked at. */
Dispatch kernel_dispatch(const Kernels *k, const Op *op, const KernelCall *c);
/* Units c->begin..c->end of d->prepares, then of d->units. c->scratch is the caller's own, c->shared that of all parts.
 * False: c->fault says why. */
bool kernel_prepare(const Dispatch *d, KernelCall *c);
bool kernel_part_guarded(const Dispatch *d, KernelCall *c);  /* pointwise, or exclusive */
static inline bool kernel_part(const Dispatch *d, KernelCall *c) {
  if (c->begin >= c->end) return true;
  if (!d->run || d->exclusive) return kernel_part_guarded(d, c);
  if (d->run(c)) return true;
  assert(c->fault.code != FAULT_NONE);
  return false;
}
/* All units, on this thread, with scratch from a. */
bool kernel_call(const Kernels *k, const Op *op, KernelCall *c, Arena *a);
#endif
