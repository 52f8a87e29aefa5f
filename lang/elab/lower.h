/* lower: the structural ops (shapes, slices, gathers, fills) under the names that index, seq and the natives think in.
 * In: nodes and known sizes. Out: nodes; NO_NODE when the type rule refused (reported at `at`).
 * This is the one place of lang/ that knows what these ops keep in attr->i; a step that changes nothing emits nothing.
 */
#ifndef LANG_LOWER_H
#define LANG_LOWER_H
#include "elab/value.h"

NodeId lower_reshape(Elab *e, NodeId x, int rank, const int64_t *dim, const Ast *at);
NodeId lower_broadcast(Elab *e, NodeId x, int rank, const int64_t *dim, const Ast *at);
NodeId lower_permute(Elab *e, NodeId x, const int64_t *axes, const Ast *at);
/* from, count and step of each axis, all within x. */
typedef struct Cut { int64_t from, count, by; } Cut;
NodeId lower_slice(Elab *e, NodeId x, const Cut *cut, const Ast *at);
NodeId lower_rows(Elab *e, NodeId x, int axis, int64_t from, int64_t count, int64_t by, const Ast *at);
/* `count` elements of an axis from one that the run knows; out of range is a fault then. start: i32[]. */
NodeId lower_slice_dyn(Elab *e, NodeId x, int axis, NodeId start, int64_t count, const Ast *at);
NodeId lower_gather(Elab *e, NodeId x, NodeId index, int axis, const Ast *at);
NodeId lower_concat(Elab *e, const NodeId *x, uint32_t n, int axis, const Ast *at);
NodeId lower_sum(Elab *e, NodeId x, const int64_t *axes, uint32_t n, const Ast *at);
NodeId lower_iota(Elab *e, int64_t n, const Ast *at);                     /* i32[n]: 0, 1, ... */
NodeId lower_cast(Elab *e, NodeId x, DType d, const Ast *at);
NodeId lower_number(Elab *e, DType d, double v, const Ast *at);           /* a scalar that is no literal any more */
NodeId lower_fill(Elab *e, const Type *t, NodeId scalar, const Ast *at);
NodeId lower_ints(Elab *e, const int64_t *v, int64_t n, const Ast *at);   /* i32[n] constant */
NodeId lower_mask_dims(Elab *e, NodeId vector, int rank, const int64_t *dim, int axis,
                       const Ast *at); /* spread along the other axes */

/* Operands to one element type, shapes untouched: that of the first float that is no literal, else of the first tensor.
 * Literals alone stay literals. */
bool lower_same_dtype(Elab *e, const Value *v, NodeId *out, uint32_t n, const Ast *const *operand, const char *what);
#endif
