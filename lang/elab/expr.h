/* expr: expressions. In: their syntax. Out: values.
 */
#ifndef LANG_EXPR_H
#define LANG_EXPR_H
#include "elab/value.h"

Value elab_expr(Elab *e, const Ast *ast);
Value elab_training(Elab *e, const Ast *ast, bool as_steps);
Value expr_in(Elab *e, Scope *s, const Ast *ast);                 /* its names are those of s */
/* A tensor of numbers and tensors of one shape; else a list. */
Value bracket_of(Elab *e, const Value *v, uint32_t n, const Ast *at);
#endif
