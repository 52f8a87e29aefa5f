/* arith: operators, and how operands come to one element type and one shape.
 */
#ifndef LANG_ARITH_H
#define LANG_ARITH_H
#include "elab/value.h"

/* Brings operands to one element type and, by the stretch rule, to one shape; false: reported. */
bool unify(Elab *e, Value *v, NodeId *out, uint32_t n, const Ast *at, const Ast *const *operand, const char *op);
bool unify_shapes(Elab *e, const Value *v, NodeId *in, uint32_t n, const Ast *at, const Ast *const *operand,
                  const char *op);
Value elab_binary(Elab *e, int op, Value a, Value b, const Ast *at);   /* `at` is the BINARY (or any) node */
Value elab_unary(Elab *e, int op, Value a, const Ast *at);
#endif
