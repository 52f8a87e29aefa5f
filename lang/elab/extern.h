/* extern: foreign functions.
 */
#ifndef LANG_EXTERN_H
#define LANG_EXTERN_H
#include "elab/value.h"

bool extern_open(Elab *e, Fn *f, const Ast *ast);                  /* library and symbol; false: reported */
Value extern_call(Elab *e, const Fn *f, Scope *s, Args *a, const Ast *at);   /* binds the parameters in s */
#endif
