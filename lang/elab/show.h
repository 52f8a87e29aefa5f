/* show: values and their types as text.
 */
#ifndef LANG_SHOW_H
#define LANG_SHOW_H
#include "elab/value.h"

/* V_STRING or V_TEXT, as print writes them. */
Value text_of(Elab *e, const Value *v, uint32_t n, const Format *f, const char *between);
const TextValue *text_value(Elab *e, const Value *text);           /* of a V_STRING or V_TEXT, for an effect */
/* a V_STRING, or a V_TEXT with `..` for what is of the run; else NULL */
const char *text_shown(Elab *e, const Value *v);
char *type_text(Elab *e, const Value *v);
const char *value_kind_text(Elab *e, const Value *v);              /* "a list", "a tensor f32[2, 3]", "a function" */
#endif
