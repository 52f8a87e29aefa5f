/* fuzz_idx: any bytes as an IDX file, plain or gzip. An error has a text, and nothing stays allocated. */
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
    bool header = idx_type(&h, path, &type, &e);
    Tensor *t = idx_read(&h, path, &e);
    if (t ? !header || !type_eq(&type, &t->type) : !e.text[0]) abort();
    tensor_unref(t);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  unlink(path);
  return 0;
}
