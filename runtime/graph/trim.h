/* trim: loops without what nobody reads. */
#ifndef RUNTIME_TRIM_H
#define RUNTIME_TRIM_H
#include "graph/op.h"

/* Changes g in place: its nodes are its own, what they point at may be shared and is not changed. Scratch, and what the
 * changed nodes point at, is in a. */
void graph_trim(Graph *g, Arena *a);
#endif
