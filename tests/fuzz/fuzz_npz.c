/* fuzz_npz: any bytes as an archive of NumPy's. An error has a text; each array that is read has the type that was
 * promised; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include "entry.h"

static void check(Arena *a, const char *path) {
  FileError e = {0};
  NamedType *type;
  uint32_t n = 0;
  bool good = npz_types(a, path, &type, &n, &e);
  if (good == (e.text[0] != 0)) abort();
  for (uint32_t k = 0; good && k < n && k < 8; k++) {
    FileError inner = {0};
    Tensor *t = npz_read(a, path, type[k].name, &inner);
    if (t ? !type_eq(&type[k].type, &t->type) : !inner.text[0]) abort();
    tensor_unref(t);
  }
}

ENTRY_FILE(check)
