/* run: executes a plan on a pool. Allocates nothing, looks no name up, locks nothing it does not need. */
#ifndef RUNTIME_RUN_H
#define RUNTIME_RUN_H
#include <stdatomic.h>
#include "exec/plan.h"
#include "exec/pool.h"

/* data[k] belongs to plan_bindings[k]; a cell is updated in place. area: plan_area(p), or another like it; it stays
 * bound from one run to the next. slab: plan_slab(p) bytes, 64-byte aligned. cancel may be NULL; it is looked at until
 * the first cell write. Returns a fault with code FAULT_NONE when all went well; else the first in plan order, then by
 * element, on any number of threads, and no cell has been written. Values of VALUE slots computed by earlier steps are
 * in place even then. */
Fault run_plan(const Plan *p, void *const *data, void *area, void *slab, Pool *pool, const atomic_bool *cancel);

/* What a step's part took: begin and end in nanoseconds of CLOCK_MONOTONIC, and by which of the pool's workers. */
typedef struct Taken { int64_t begin, end; int worker; } Taken;
/* Told on the caller's thread when step k of a plan is done, of a loop's body in each turn: its parts (of a loop all of
 * it as one), those that only prepared before the others. */
typedef struct RunTrace {
  void *to;
  void (*done)(void *to, const Plan *p, uint32_t step, const Taken *part, uint32_t n);
} RunTrace;
/* The same run, told of. */
Fault run_plan_traced(const Plan *p, void *const *data, void *area, void *slab, Pool *pool, const atomic_bool *cancel,
                      const RunTrace *trace);

/* One node after another with no plan: the reference for tests and the way known values are computed. values[id] must
 * hold the inputs; fills the rest (young tensors). Returns the first fault. */
Fault run_graph(Host *h, const Graph *g, const Kernels *k, Tensor **values);
/* The same of n ids alone, ascending, which hold all that they need. */
Fault run_nodes(Host *h, const Graph *g, const Kernels *k, const NodeId *ids, uint32_t n, Tensor **values);
#endif
