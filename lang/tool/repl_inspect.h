/* repl_inspect: what the commands that look into a formula share. In: an expression. Out: the formula computed once
 * more, and lines about its tensors.
 */
#ifndef LANG_REPL_INSPECT_H
#define LANG_REPL_INSPECT_H
#include "inspect/formula.h"
#include "tool/repl_commands.h"

/* Evaluates e and shows what is below it, inside a guard of the session; a failure is said. */
typedef void (*Shown)(Repl *r, Inspect *x, void *to);
/* The node that an expression is; false: it is none, said already. */
bool repl_formula(Repl *r, const char *command, const char *e, NodeId *out);
void repl_inspect(Repl *r, const char *command, const char *e, InspectWhen when, Shown show, void *to);
void repl_inspect_node(Repl *r, NodeId y, InspectWhen when, Shown show, void *to);
bool repl_scalar(Repl *r, const char *command, const Inspect *x);        /* there are adjoints; false: said */

double tensor_norm(const Tensor *t);
int64_t tensor_largest(const Tensor *t);                   /* the element of the largest absolute value; NaN first */
const char *element_text(Arena *a, const Type *t, int64_t element);      /* "[3, 0]" */
/* "3, 0" or "[3, 0]" of that type; -1: it has no such element */
int64_t element_of(const Type *t, const char *text);
/* `:graph e FILE.html` */
void repl_page(Repl *r, const char *e, const char *path);
/* "[4, 3]  norm 1.2  |▂▃█▅|", of a scalar its number. */
const char *tensor_brief(Arena *a, const Tensor *t);
/* " 12 | ..." underlined, and what stands there in the library */
void show_place(Repl *r, const Inspect *x, NodeId id);
#endif
