/* batch: a formula of one element becomes the formula of a batch: what `vmap` is made of. */
#ifndef RUNTIME_BATCH_H
#define RUNTIME_BATCH_H
#include "graph/grad.h"

/* What cannot have one axis more: its type has no room for it. */
typedef struct BatchError { Loc loc; Type type; } BatchError;

/* out[k] is root[k] for each element, along a first axis of `size`, when in[k] is an element of to[k] (whose first axis
 * has that size). What the roots do not have of `in` is the same for all elements. false: *e says what is too large. */
bool graph_batch(Graph *g, const NodeId *in, const NodeId *to, uint32_t n, int64_t size, const NodeId *root,
                 uint32_t n_root, NodeId *out, BatchError *e);
/* The same of a formula in another graph, `one`, whose inputs are in[0..n-1]: has[k] says that in[k] is an element of
 * to[k], else that it is to[k]; out_has[k], that out[k] has the axis. */
bool graph_batch_into(Graph *g, Graph *one, const NodeId *in, const NodeId *to, const bool *has, uint32_t n,
                      int64_t size, const NodeId *root, uint32_t n_root, NodeId *out, bool *out_has, BatchError *e);
#endif
