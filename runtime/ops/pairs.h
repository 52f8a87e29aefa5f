/* pairs: two pointwise operations as one instruction of a straight-line program, where nobody else reads the first
 * one's result: half of the calls, and a number less that goes through memory.
 */
#ifndef RUNTIME_OPS_PAIRS_H
#define RUNTIME_OPS_PAIRS_H
#include "graph/op.h"

/* The instruction's inputs: those of `first`, then the other one of `second`, of which `right` says that the first
 * one's result is operand 1. NULL: there is none for these. */
InstrKernel pair_kernel(const Op *first, const Op *second, bool right, DType d);
#endif
