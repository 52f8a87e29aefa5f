/* fuzz_csv: any bytes as a table, with and without gaps, and as a text. An error has a text; every class is one that
 * occurs, in order; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include <string.h>
#include "input_file.h"
#include "replay.h"

static void check(const CsvColumn *c, int64_t rows) {
  if (c->number) return;
  for (int64_t k = 0; k < rows; k++)
    if (c->code[k] < 0 || c->code[k] >= c->n_class) abort();
  for (int64_t k = 1; k < c->n_class; k++)
    if (strcmp(c->class_[k - 1], c->class_[k]) >= 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = input_file(data, size);
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << 26;
  if (HOST_GUARD(&h, &g)) {
    for (int gaps = 0; gaps < 2; gaps++) {
      Arena *a = arena_new(&h);
      CsvTable t;
      FileError e = {{0}};
      if (csv_read(a, path, gaps ? ';' : ',', gaps, &t, &e))
        for (uint32_t k = 0; k < t.n; k++) check(&t.column[k], t.rows);
      else if (!e.text[0]) abort();
      arena_free(a);
    }
    Arena *a = arena_new(&h);
    CsvColumn c;
    int64_t rows;
    FileError e = {{0}};
    if (text_read(a, path, &c, &rows, &e)) check(&c, rows);
    else if (!e.text[0]) abort();
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  unlink(path);
  return 0;
}
