/* join: two loops that turn together become one. */
#ifndef RUNTIME_JOIN_H
#define RUNTIME_JOIN_H
#include "graph/op.h"

/* Changes g in place, as graph_trim does. origin: of each node, moved with it. */
void graph_join(Graph *g, Arena *a, NodeId *origin);
#endif
