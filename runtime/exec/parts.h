/* parts: what one part of a step does. In: the step, its operands' places, which part. Out: the part's bytes of the
 * results, or a fault.
 */
#ifndef RUNTIME_PARTS_H
#define RUNTIME_PARTS_H
#include "exec/step.h"

void part_tiles(const PlanStep *s, void *const *at, uint32_t part);
void part_copy(const PlanStep *s, void *const *at, uint32_t part);
void part_prepare(const PlanStep *s, void *const *at, uint32_t part, Fault *fault);
void part_work(const PlanStep *s, void *const *at, uint32_t part, Fault *fault);
/* The n elements from `begin` on of what a load makes of `in`. */
void part_spread(void *out, const void *in, const TileLoad *l, int64_t begin, int64_t n);
#endif
