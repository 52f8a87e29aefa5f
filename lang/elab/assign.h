/* assign: assignment to names, members, elements and trees.
 */
#ifndef LANG_ASSIGN_H
#define LANG_ASSIGN_H
#include "elab/value.h"

void elab_assign(Elab *e, const Ast *ast);
bool assign_index(Elab *e, const Ast *target, Value base, Value v, Value *out);   /* base with the part replaced */
bool assign_tree(Elab *e, Value target, Value v, const Ast *at);                  /* leaf by leaf */
#endif
