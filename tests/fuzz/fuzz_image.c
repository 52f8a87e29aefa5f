/* fuzz_image: any bytes as a picture. An error has a text; what is read has the type that was promised and no sample
 * above the greatest; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include "input_file.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = input_file(data, size);
  Host h;
  Guard g;
  FileError e = {{0}};
  Type type;
  int32_t white = 0;
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << 26;
  if (HOST_GUARD(&h, &g)) {
    Arena *a = arena_new(&h);
    bool header = image_type(a, path, &type, &white, &e);
    if (header == (e.text[0] != 0)) abort();
    Tensor *t = image_read(a, path, &e);
    if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
    for (int64_t k = 0; t && k < type_count(&t->type); k++)
      if (!(tensor_get(t, k) <= white)) abort();
    tensor_unref(t);
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  unlink(path);
  return 0;
}
