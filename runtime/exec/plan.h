/* plan: an optimised graph becomes fused steps over one slab. Immutable, shareable between threads; knows no text and
 * no data: it binds to slots when it runs. Buffers live at offsets fixed by lifetimes, in place where one ends.
 *
 * Invariant: every write of a cell (a slot that is both read and written) comes after all that can fail, so that
 * a fault or a cancel leaves the cells as they were. How a plan runs never changes the bits.
 */
#ifndef RUNTIME_PLAN_H
#define RUNTIME_PLAN_H
#include "graph/op.h"

typedef struct Plan Plan;

typedef enum { BIND_READ = 1, BIND_WRITE = 2 } BindMode;
typedef struct Binding { uint32_t slot; uint8_t mode; Type type; } Binding;

typedef struct PlanOptions {
  bool no_fuse;                                 /* the reference: op by op */
  const Kernels *kernels;
  bool once;                                    /* it runs once: only the loops in it are made ready for more */
} PlanOptions;

/* In: a graph from opt_run (inputs with slots, outputs with slots; a slot that stands in both is a cell and is
 * updated). Several outputs may name one node. origin maps its nodes to the caller's (kept in the plan). Out: an Owned,
 * young. */
Plan *plan_make(Host *h, const Graph *g, const NodeId *origin, const PlanOptions *o);
void plan_keep(Plan *p);
void plan_free(Plan *p);

uint32_t plan_bindings(const Plan *p, const Binding **out);
size_t plan_slab(const Plan *p);                /* bytes of scratch a run needs, threads' arenas not counted */
/* Where the runs of one caller at a time keep the plan bound to its data. Another caller at the same time has an area
 * of its own: plan_bound(p) bytes, 64-byte aligned, of zeroes at first. */
void *plan_area(const Plan *p);
size_t plan_bound(const Plan *p);
size_t plan_stack(const Plan *p);               /* bytes of the C stack that a run needs */
uint32_t plan_steps(const Plan *p);
/* The nodes (in the caller's numbering) that step k computes, in order. */
uint32_t plan_origin(const Plan *p, uint32_t step, const NodeId **out);
/* What step k is, for people: "relu+mul", what it costs, of a loop (else turns -1) the steps of its body, and the place
 * of its first node. */
typedef struct PlanStepInfo { const char *what; Cost cost; int64_t turns; uint32_t inner; Loc loc; } PlanStepInfo;
PlanStepInfo plan_step_info(const Plan *p, uint32_t step, Arena *a);
Cost plan_cost(const Plan *p);
char *plan_dump(const Plan *p, Arena *a);
#endif
