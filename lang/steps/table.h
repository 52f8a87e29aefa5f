/* table: the rows of a series. */
#ifndef LANG_TABLE_H
#define LANG_TABLE_H
#include "steps/program.h"

/* A series: named columns that grow by a row at each add. Lives in the session's arena, its rows until the session
 * ends. */
typedef struct Table Table;
Table *table_new(Session *s);
/* A row: the columns are those of the first add (which must name the same ones with the same types each time:
 * false). */
/* declares; false: it has another type */
bool table_column(Session *s, Table *t, const char *name, const Type *type);
const Type *table_type(const Table *t, const char *name);                      /* of a row; NULL: no such column */
uint32_t table_columns(const Table *t);
const char *table_name(const Table *t, uint32_t k);
int64_t table_rows(const Table *t);
void table_rows_set(Table *t, int64_t rows);                                   /* what is new is zero */
void table_fill(Table *t, uint32_t column, const Tensor *rows);                /* [rows, ...] of the column's type */
/* a row; other columns are zero in it */
void table_add(Table *t, const char *const *column, Tensor *const *value, uint32_t n);
/* A table at a moment; rows: those that came since go, too. */
typedef struct TableMark { void *at; uint32_t n, cap; int64_t rows; } TableMark;
TableMark table_mark(const Table *t);
void table_back(Table *t, const TableMark *m, bool rows);
void table_columns_cut(Table *t, uint32_t n);                                    /* only the first n are declared */
void table_cut(Table *t, int64_t rows);                                        /* only the first rows stay */
void table_write(Text *t, const void *table);                                  /* as `print` writes a series */
/* young, [rows, ...]; NULL: no such column */
Tensor *table_tensor(Session *s, const Table *t, const char *name);
#endif
