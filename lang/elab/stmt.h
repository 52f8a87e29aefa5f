/* stmt: statements and blocks. In: their syntax. Out: bindings, cells and steps; a block of formulas has a value.
 */
#ifndef LANG_STMT_H
#define LANG_STMT_H
#include "elab/value.h"

Value elab_block(Elab *e, const Ast *block, bool new_scope);       /* its value is its last expression, for here.use */
void elab_definitions(Elab *e, const Ast *block);                  /* all of a block, then their `gradient`s */
/* fn, proc, layer, ...: visible in its whole block; others: nothing */
void elab_define(Elab *e, const Ast *stmt);
bool elab_stmt(Elab *e, const Ast *stmt, Value *last);             /* any statement; *last: an expression's value */
void elab_stmts(Elab *e, const Ast *block, Value *last);
bool step_here(Elab *e, const Ast *at, const char *what);          /* steps may stand here; no: reported */

Value keep_values(Elab *e, Value v);              /* all cells in it become their values now; instances stay handles */
Value cells_from(Elab *e, Value v, int role, const char *path, const Ast *at);
#endif
