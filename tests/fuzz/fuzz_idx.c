/* fuzz_idx: any bytes as an IDX file, plain or gzip. An error has a text, and nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include "entry.h"

static void check(Arena *a, const char *path) {
  FileError e = {0};
  Type type;
  bool header = idx_type(arena_host(a), path, &type, &e);
  Tensor *t = idx_read(arena_host(a), path, &e);
  if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
  tensor_unref(t);
}

ENTRY_FILE(check)
