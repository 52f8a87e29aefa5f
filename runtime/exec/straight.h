/* straight: steps of small tensors as a straight-line program. An ordinary step is called, gathers its operands and
 * finds out its geometry each time it runs; of a sum of four numbers that is nearly all there is to do. So a stretch of
 * such steps becomes instructions (graph/op.h), in which everything is known but the addresses of the plan's bases.
 *
 * Straight are: steps of one part that cannot fail; fused ones of at most a block. Everything else runs as it is, and
 * with --no-fuse all do: the reference; in a plan that runs once, too, since there this would not pay. The bits are the
 * same: an instruction does what the kernel would do on these elements, in the same order.
 *
 * A plan is bound in an area of memory: a copy of its image, with pointers in it. To bind it again touches what a base
 * that has moved reaches.
 */
#ifndef RUNTIME_STRAIGHT_H
#define RUNTIME_STRAIGHT_H
#include "exec/planner.h"

/* In: the steps and places of w->p, its buffers. Out: stretches, image, fixups, sizes. */
void straight_make(Planner *w);

/* area: p->bound bytes on a boundary of PLAN_ALIGN. fresh: whatever was there is gone. */
void straight_bind(const Plan *p, void *area, void *const *data, char *buffers, bool fresh);
/* Whether a caller's area (of zeroes at first) was never bound. */
bool straight_unbound(const Plan *p, const void *area);

static inline Instr *straight_instr(void *area) { return area; }
static inline void **straight_at(const Plan *p, void *area) {
  return (void **)(void *)(straight_instr(area) + p->n_instr);
}

/* By fours: each place of a call has a history of its own by which the processor foresees where it goes. */
static inline void straight_run(const Instr *i, uint32_t n) {
  for (; n >= 4; n -= 4, i += 4) {
    i->run(i);
    i[1].run(i + 1);
    i[2].run(i + 2);
    i[3].run(i + 3);
  }
  if (n & 2) {
    i->run(i);
    i[1].run(i + 1);
    i += 2;
  }
  if (n & 1) i->run(i);
}
#endif
