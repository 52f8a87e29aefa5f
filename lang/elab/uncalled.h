/* uncalled: functions with a full signature that nobody called: elaborated once, for what they would say.
 */
#ifndef LANG_UNCALLED_H
#define LANG_UNCALLED_H
#include "elab/value.h"

void called_mark(Elab *e, const Ast *fn);
void elab_uncalled(Elab *e, const Ast *program);                   /* after the statements */
#endif
