/* layer: instances of layers: how they are made and called, and members of values.
 */
#ifndef LANG_LAYER_H
#define LANG_LAYER_H
#include "elab/elab.h"

const char *make_place(MakeRule rule);                             /* "inside a derivative", ... */
Value make_instance(Elab *e, const Fn *layer, Args *a, const Ast *at);
Value call_instance(Elab *e, Instance *i, Args *a, const Ast *at);
Value member(Elab *e, Value base, Sym name, const Ast *at);
#endif
