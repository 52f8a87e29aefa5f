/* signature: types and patterns as a text writes them, and the values that are matched to them.
 */
#ifndef LANG_SIGNATURE_H
#define LANG_SIGNATURE_H
#include "elab/value.h"

bool match_type(Elab *e, const Ast *type, Value *v, Scope *dims, DType *unmarked, const Ast *at, const char *what);
bool elab_type(Elab *e, const Ast *type, Type *out);               /* a type of known sizes: `let`, `param` */
bool bind_pattern(Elab *e, Scope *s, const Ast *pattern, Value v, bool mutable_);
/* place: the value, where it is an argument: there the mistake is; the pattern is what is wanted. NULL: the pattern's
 * own. */
bool bind_pattern_at(Elab *e, Scope *s, const Ast *pattern, Value v, bool mutable_, const Ast *place);
void unknown_type(Elab *e, const Ast *type);
/* a dimension's name that is bound to something else */
void wrong_dimension(Elab *e, const Ast *dim, const Value *is);
#endif
