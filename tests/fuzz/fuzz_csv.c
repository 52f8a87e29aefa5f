/* fuzz_csv: any bytes as a table, with and without gaps, and as a text. An error has a text; every class is one that
 * occurs, in order; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include <string.h>
#include "entry.h"

static void column(const CsvColumn *c, int64_t rows) {
  if (c->number) return;
  for (int64_t k = 0; k < rows; k++)
    if (c->code[k] < 0 || c->code[k] >= c->n_class) abort();
  for (int64_t k = 1; k < c->n_class; k++)
    if (strcmp(c->class_[k - 1], c->class_[k]) >= 0) abort();
}

static void check(Arena *a, const char *path) {
  for (int gaps = 0; gaps < 2; gaps++) {
    CsvTable t = {0};
    FileError e = {0};
    if (csv_read(a, path, gaps ? ';' : ',', gaps, &t, &e))
      for (uint32_t k = 0; k < t.n; k++) column(&t.column[k], t.rows);
    else if (!e.text[0]) abort();
  }
  CsvColumn c = {0};
  int64_t rows = 0;
  FileError e = {0};
  if (text_read(a, path, &c, &rows, &e)) column(&c, rows);
  else if (!e.text[0]) abort();
}

ENTRY_FILE(check)
