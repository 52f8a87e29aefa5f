/* series: tables that a run fills, and what is known of their rows while a text is checked.
 */
#ifndef LANG_SERIES_H
#define LANG_SERIES_H
#include "elab/value.h"

enum { ROWS_OF_RUN = -1 };
struct Series {
  struct Table *table;
  int64_t rows;               /* so far, in the block that made it; or ROWS_OF_RUN */
  Region *home;               /* that block; NULL: an entry that has run */
  Loc made;
};
Value series_member(Elab *e, Series *s, Sym name, const Ast *at);
Value series_length(Elab *e, Series *s, const Ast *at);
void series_lost(Elab *e, const Ast *stmt, int depth);            /* it went wrong: what it adds may be missing */
void series_begin(Elab *e);                                       /* the rows are those of the tables */
void series_leave(Elab *e, const Region *r);                      /* a block is left: what it adds counts outside */
bool series_of_run(const Elab *e);                                /* only the run knows how many rows one has */
#endif
