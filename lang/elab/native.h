/* native: what the functions of the host language share: reading their arguments, rows of data sets, loops over bodies.
 * Each table stands in a file of natives/, a table a file.
 */
#ifndef LANG_NATIVE_H
#define LANG_NATIVE_H
#include "elab/lower.h"

extern const Native native_lists[], native_shapes[], native_making[], native_numbers[], native_run[],
    native_derivatives[], native_einsum[], native_loops[], native_datasets[], native_random[], native_files[],
    native_checks[], native_sequences[], native_gradcheck[], native_series[], native_values[],
    native_origins[], native_figures[], native_packed[],
    native_maps[], native_recompute[], native_labels[];
extern const Native *const native_tables[];      /* NULL-ended; each table ends with a NULL name */
const Native *native_find(const char *name);

/* ---- arguments ---- */
static inline bool given(const Args *a, uint32_t k) { return k < a->n && a->at[k].kind != V_ABSENT; }
static inline bool bad(const Args *a, uint32_t k) { return k < a->n && a->at[k].kind == V_BAD; }
static inline const Ast *arg_ast(const Args *a, uint32_t k, const Ast *at) {
  return k < a->n && a->ast[k] ? a->ast[k] : at;
}
static inline Value or_bad(NodeId n) { return n == NO_NODE ? v_bad() : v_node(n); }
/* v as i32, a number below n each (or `ignore`), checked now where it is known, else when it runs. NO_NODE: reported.
 */
NodeId class_numbers(Elab *e, Value v, int64_t n, int64_t ignore, const Ast *at);
NodeId arg_node(Elab *e, const Args *a, uint32_t k, const Ast *at, const char *what);
bool arg_int(Elab *e, const Args *a, uint32_t k, int64_t otherwise, const Ast *at, const char *what, int64_t *out);
bool arg_bool(Elab *e, const Args *a, uint32_t k, bool otherwise, const Ast *at, const char *what, bool *out);
/* The elements of a known list of ints: an int, a bracket, a tuple or a list. */
bool want_ints(Elab *e, Value v, const Ast *at, const char *what, int64_t *out, uint32_t max, uint32_t *n);
bool want_number(Elab *e, Value v, const Ast *at, const char *what, double *out);   /* a known scalar */
const char *node_text(Elab *e, NodeId n);        /* its type as a script knows it: a literal's is f32 */
/* What keeps a node from being known: "the param `w`", "a draw", "the contents of \"x.gz\""; NULL if nothing. */
const char *depends_text(Elab *e, NodeId n, bool files_are_known);

/* ---- trees of tensors: what a data set, a state of fold is made of ---- */
typedef VEC(NodeId) Nodes;
/* Its tensors in order; scalars become nodes. false: it holds something else (reported with `what`). */
bool flat_nodes(Elab *e, Value v, Nodes *out, const Ast *at, const char *what);
Value unflat(Elab *e, Value like, const NodeId *at, uint32_t *k);   /* the same shape of tree with these tensors */

/* A text that may be of the run: a file that a step writes or reads. NULL: reported. */
const TextValue *want_path(Elab *e, const Args *a, uint32_t k, const Ast *at);
Value value_of_tensor(Elab *e, Tensor *t, const Ast *at);   /* a known tensor: ints and bools as known scalars */
#endif
