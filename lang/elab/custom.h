/* custom: `gradient f(...)`: a derivative that a text gives instead of that of the body.
 */
#ifndef LANG_CUSTOM_H
#define LANG_CUSTOM_H
#include "elab/value.h"

Value with_gradient(Elab *e, const Fn *f, Scope *s, Value y, const Ast *at);   /* y, differentiated by f's `gradient` */
#endif
