/* rows: data sets by rows. */
#ifndef LANG_ROWS_H
#define LANG_ROWS_H
#include "elab/native.h"

/* A data set: tensors with one first size. */
typedef struct Rows { Value value; Nodes node; int64_t n; } Rows;
bool want_rows(Elab *e, Value v, const Ast *at, const char *what, Rows *out);
Value rows_gather(Elab *e, const Rows *r, NodeId index, const Ast *at);
Value rows_slice(Elab *e, const Rows *r, int64_t from, int64_t count, int64_t by, const Ast *at);
Value rows_slice_dyn(Elab *e, const Rows *r, NodeId start, int64_t count, const Ast *at);
#endif
