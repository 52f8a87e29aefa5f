/* foreign: what is said to a name of another tool: how the same is written here, or NULL.
 */
#ifndef LANG_FOREIGN_H
#define LANG_FOREIGN_H
#include "text/source.h"

const char *foreign_name(const char *name);                    /* `np`, `Linear`, `range` */
bool foreign_module(const char *name);                         /* `np`, `torch`, `nn` */
const char *foreign_argument(const char *name);                /* `dim`, `keepdims` */
const char *foreign_member(Arena *a, const char *base, const char *name);   /* `x.mean()`, base: how x is written */
#endif
