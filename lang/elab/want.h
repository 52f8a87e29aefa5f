/* want: what is wanted of a value. In: a value, where it stands, what it is for ("a size", "an axis"). Out: it as that;
 * on a mistake they report at `at` and return NO_NODE, NULL or false.
 */
#ifndef LANG_WANT_H
#define LANG_WANT_H
#include "elab/value.h"

void refuse_value(Elab *e, const Value *v, const Ast *at, const char *what);   /* E_WANTED, and how it could be had */
/* a tensor of any type; ints become FLEX literals */
NodeId want_node(Elab *e, Value v, const Ast *at, const char *what);
NodeId want_float(Elab *e, Value v, const Ast *at, const char *what);   /* f32, f64 or FLEX; ints, u8 are cast */
/* of that element type, by the rules of literals */
NodeId want_typed(Elab *e, Value v, DType d, const Ast *at, const char *what);
bool want_int(Elab *e, Value v, const Ast *at, const char *what, int64_t *out);   /* known */
bool want_bool(Elab *e, Value v, const Ast *at, const char *what, bool *out);     /* known */
const char *want_string(Elab *e, Value v, const Ast *at, const char *what);       /* known; NULL */

bool known_bool(Elab *e, Value v, bool *out);                      /* true if v is a known scalar bool */
bool known_int(Elab *e, Value v, int64_t *out);


const char *quoted_name(Elab *e, const char *what);
#endif
