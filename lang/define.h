/* define: what -D name=value overrides. */
#ifndef LANG_DEFINE_H
#define LANG_DEFINE_H
#include "syntax/ast.h"

struct Session;
/* Replaces the literals of the top-level `let`s that the session's configuration names; mistakes go to its
 * diagnostics. */
void define_all(struct Session *s, const Ast *program);
#endif
