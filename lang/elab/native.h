/* native: the tables of functions of the host language, a table a file of natives/ (some beside what they are about),
 * and what these functions share. Their arguments come to them as their faces read them: args.h.
 */
#ifndef LANG_NATIVE_H
#define LANG_NATIVE_H
#include "elab/args.h"
#include "elab/lower.h"

extern const Native native_casts[N_DTYPES + 1];  /* by element type */
extern const Native native_lists[], native_shapes[], native_making[], native_numbers[], native_run[],
    native_derivatives[], native_einsum[], native_loops[], native_datasets[], native_random[], native_files[],
    native_checks[], native_sequences[], native_f64[], native_series[], native_values[],
    native_origins[], native_figures[], native_packed[],
    native_maps[], native_jacobian[], native_recompute[], native_labels[];
extern const Native *const native_tables[];      /* NULL-ended; each table ends with a NULL name */
const Native *native_find(const char *name);

static inline Value or_bad(NodeId n) { return n == NO_NODE ? v_bad() : v_node(n); }
/* The element type of a cast (`f32`), which names it; false: v is another value. */
bool cast_type(const Value *v, DType *to);
const char *node_text(Elab *e, NodeId n);        /* its type as a script knows it: a literal's is f32 */

/* ---- trees of tensors: what a data set, a state of fold is made of ---- */
typedef VEC(NodeId) Nodes;
/* Its tensors in order; scalars become nodes. false: it holds something else (reported with `what`). */
bool flat_nodes(Elab *e, Value v, Nodes *out, const Ast *at, const char *what);
Value unflat(Elab *e, Value like, const NodeId *at, uint32_t *k);   /* the same shape of tree with these tensors */

Value value_of_tensor(Elab *e, Tensor *t, const Ast *at);   /* a known tensor: ints and bools as known scalars */
#endif
