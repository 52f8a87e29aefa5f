/* leaves: trees: anything made of parameters and tensors (an instance, a tuple, list or record of trees), leaf by leaf.
 */
#ifndef LANG_LEAVES_H
#define LANG_LEAVES_H
#include "elab/value.h"

enum { LEAF_PARAM = 1, LEAF_STATE = 2, LEAF_NUMBER = 4 };   /* LEAF_NUMBER: known ints count as leaves, too */
typedef struct Leaf { Value value; const char *path; FieldRole role; } Leaf;   /* V_CELL or V_NODE */
typedef VEC(Leaf) Leaves;
bool is_chain(const Value *v);                                     /* of functions: `f >> g` */
/* an instance, or a tuple, list, record, chain with leaves */
bool is_tree(Elab *e, const Value *v);
bool tree_has_cells(Elab *e, Value v);
void tree_leaves(Elab *e, Value v, int which, Leaves *out);        /* a cell reached twice is one leaf */
/* the leaves of its layers: cells, and what stands for them */
void tree_cells(Elab *e, Value v, Leaves *out);
Value tree_map(Elab *e, Value v, int which, Value (*f)(Elab *, void *, Value leaf), void *ctx);
Value tree_map2(Elab *e, Value a, Value b, int which, Value (*f)(Elab *, void *, Value, Value), void *ctx,
                const Ast *at);
const char *tree_form_text(Elab *e, const Value *v);                 /* what two trees may differ in */
void tree_paths(Elab *e, Value v, const char *path);               /* gives paths to cells that have none */
Value copy_values(Elab *e, Value v);                               /* a tree with the values of its cells now */
/* the same layers with cells of their own */
/* The same layer with these fields. */
Instance *instance_with(Elab *e, const Instance *i, const Value *value);
Value cells_of_instance(Elab *e, Value v, const char *path, const Ast *at);
#endif
