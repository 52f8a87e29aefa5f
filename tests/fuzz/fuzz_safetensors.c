/* fuzz_safetensors: any bytes as a safetensors file. An error has a text; what is read can be written and read again
 * with the same bits; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include <string.h>
#include "input_file.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = input_file(data, size);
  Host h;
  Guard g;
  FileError e = {{0}};
  NamedTensor *t, *again;
  size_t n, m;
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << 26;
  if (HOST_GUARD(&h, &g)) {
    Arena *a = arena_new(&h);
    if (safetensors_read(a, path, &t, &n, &e)) {
      if (!safetensors_write(&h, path, t, n, &e) || !safetensors_read(a, path, &again, &m, &e) || n != m) abort();
      for (size_t k = 0; k < n; k++) {
        if (strcmp(t[k].name, again[k].name) != 0 || !tensor_same_bits(t[k].tensor, again[k].tensor)) abort();
        tensor_unref(t[k].tensor);
        tensor_unref(again[k].tensor);
      }
    } else if (!e.text[0]) {
      abort();
    }
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  unlink(path);
  return 0;
}
