/* fuzz_image: any bytes as a picture. An error has a text; what is read has the type that was promised and no sample
 * above the greatest; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include "entry.h"

static void check(Arena *a, const char *path) {
  FileError e = {0};
  Type type = {0};
  int32_t white = 0;
  bool header = image_type(a, path, &type, &white, &e);
  if (header == (e.text[0] != 0)) abort();
  Tensor *t = image_read(a, path, &e);
  if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
  for (int64_t k = 0; t && k < type_count(&t->type); k++)
    if (!(tensor_get(t, k) <= white)) abort();
  tensor_unref(t);
}

ENTRY_FILE(check)
