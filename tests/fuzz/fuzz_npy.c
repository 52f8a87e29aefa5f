/* fuzz_npy: any bytes as a file of NumPy's. An error has a text; what is read can be written and read again with the
 * same bits; nothing stays allocated. */
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
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << 26;
  if (HOST_GUARD(&h, &g)) {
    Arena *a = arena_new(&h);
    bool header = npy_type(a, path, &type, &e);
    Tensor *t = npy_read(a, path, &e);
    if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
    if (t) {
      if (!npy_write(&h, path, t, &e)) abort();
      Tensor *again = npy_read(a, path, &e);
      if (!again || !tensor_same_bits(t, again)) abort();
      tensor_unref(again);
    }
    tensor_unref(t);
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  unlink(path);
  return 0;
}
