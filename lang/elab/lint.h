/* lint: warnings about what a script computes, found by looking at its nodes and cells: each hook stands where the
 * elaborator knows what it needs. None changes a value; what they say has a name and can be left out (allow.c).
 */
#ifndef LANG_LINT_H
#define LANG_LINT_H
#include "elab/value.h"

/* what a call that looks at the mode made */
typedef struct Looked { NodeId first, end; Loc loc; const char *name; } Looked;

/* A call whose body read `is_training` outside of `training`; v is its value, perhaps with a node of its own from now
 * on. */
Value lint_looked(Elab *e, const Fn *f, NodeId first, Value v, const Ast *at);
/* An optimizer steps on what these nodes were made of, at `at`. */
void lint_stepped(Elab *e, const NodeId *root, uint32_t n, const Ast *at);
/* A gradient by the leaf l of y is zero: nothing connects the two, or what stands between is flat. from: the nodes that
 * stand for the leaf. */
void lint_zero(Elab *e, NodeId y, const NodeId *from, uint32_t n, const char *by, const Ast *at);
/* `==` or `!=` of two tensors. */
void lint_compared(Elab *e, NodeId a, NodeId b, const Ast *at);
void lint_loop(Elab *e, const Region *r);          /* the body of a loop of steps ends */
void lint_layers(Elab *e, const Source *text, NodeId nodes);       /* those made since there were so many nodes */
/* A text ends: its layers, and what its optimizers left alone. cells, nodes: how many there were before it. */
void lint_text(Elab *e, const Source *text, uint32_t cells, NodeId nodes);
bool in_test(const Elab *e);
#endif
