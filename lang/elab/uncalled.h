/* uncalled: functions with a full signature that nobody called: elaborated once, for what they would say.
 */
#ifndef LANG_UNCALLED_H
#define LANG_UNCALLED_H
#include "elab/value.h"

void called_mark(Elab *e, const Ast *fn);
void called_again(Elab *e, const bool *called, uint32_t n);        /* those of a text that were once called */
void elab_uncalled(Elab *e, const Ast *program);                   /* after the statements */
#endif
