/* body: bodies of the op `loop`. */
#ifndef LANG_BODY_H
#define LANG_BODY_H
#include "elab/native.h"

/* An input to elaborate a body over. Its slot is never filled: it does not run in the session's graph, but messages ask
 * it. */
NodeId body_input(Elab *e, const Type *t, const Ast *at);
/* What of the roots depends on the inputs and the turn, as a graph of its own with the roots as outputs; inputs in the
 * order of its slots, then what it captures from outside, then the turn, if there is one. */
Graph *lift_body(Elab *e, const NodeId *input, uint32_t n_input, NodeId turn, const NodeId *root, uint32_t n_root,
                 Nodes *capture);
#endif
