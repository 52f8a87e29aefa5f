/* mismatch: shapes that do not fit: marks, notes and hints (ta, tb: where the operands are written, or NULL).
 */
#ifndef LANG_MISMATCH_H
#define LANG_MISMATCH_H
#include "elab/value.h"

char *ast_text(Elab *e, const Ast *at);                            /* as it is written */
void mark_shape(Elab *e, Diag *g, const Ast *operand, const Type *t);
void say_differ(Elab *e, Diag *g, const Type *a, const Type *b, const Ast *ta, const Ast *tb);
void say_stretched(Elab *e, Diag *g, const char *op, const Type *a, const Type *b, const Ast *ta, const Ast *tb);
/* What a type rule refused, at the operands that it names: their shapes or types, and a way out. */
void say_refused(Elab *e, Diag *g, const TypeError *t, const NodeId *in, const Ast *const *operand);
void say_argument(Elab *e, Diag *g, const Ast *type, const Type *t, Scope *dims, const Ast *at, const char *what);
#endif
