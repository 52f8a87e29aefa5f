/* fuzz_npy: any bytes as a file of NumPy's. An error has a text; what is read can be written and read again with the
 * same bits; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include "entry.h"

static void check(Arena *a, const char *path) {
  FileError e = {0};
  Type type;
  bool header = npy_type(a, path, &type, &e);
  Tensor *t = npy_read(a, path, &e);
  if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
  if (!t) return;
  if (!npy_write(arena_host(a), path, t, &e)) abort();
  Tensor *again = npy_read(a, path, &e);
  if (!again || !tensor_same_bits(t, again)) abort();
  tensor_unref(again);
  tensor_unref(t);
}

ENTRY_FILE(check)
