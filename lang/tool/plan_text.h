/* plan_text: what will run, for people: the steps of a program with their places in the user's text, what was fused,
 * bytes and operations.
 */
#ifndef LANG_PLAN_TEXT_H
#define LANG_PLAN_TEXT_H
#include "session.h"

typedef struct PlanTotals {
  uint32_t segments, steps, nodes;     /* plans, their steps, the operations that these compute */
  size_t slab, moved;                  /* the largest slab; bytes that are read and written, each segment once */
  double flops;
} PlanTotals;

/* Appends a block of prepared steps; it may be part of a larger text. */
void plan_text(Session *s, const Steps *block, Text *to, PlanTotals *totals);
/* "line 12" or "lines 12-14": the user's own, in which the nodes of a step of a segment's plan stand; "": none. */
const char *plan_step_lines(Session *s, const Plan *p, uint32_t step, Arena *a);
const char *bytes_text(Arena *a, double n);                /* "1152 B", "12.5 MB" */
#endif
