/* optim: optimizers: rules tied to trees, and the steps that they take.
 */
#ifndef LANG_OPTIM_H
#define LANG_OPTIM_H
#include "elab/value.h"

Value make_optimizer(Elab *e, const Fn *rule, Args *a, const Ast *at);
Value tie_optimizer(Elab *e, const Optimizer *o, Args *a, const Ast *at);
Value optimizer_method(Elab *e, Optimizer *o, Sym name, const Ast *at);
#endif
