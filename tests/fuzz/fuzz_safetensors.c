/* fuzz_safetensors: any bytes as a safetensors file. An error has a text; what is read can be written and read again
 * with the same bits; nothing stays allocated. */
#define _XOPEN_SOURCE 700
#include "runtime/files/files.h"
#include <string.h>
#include "entry.h"

static void check(Arena *a, const char *path) {
  FileError e = {0};
  NamedTensor *t, *again;
  size_t n, m;
  if (!safetensors_read(a, path, &t, &n, &e)) {
    if (!e.text[0]) abort();
    return;
  }
  if (!safetensors_write(arena_host(a), path, t, n, &e) || !safetensors_read(a, path, &again, &m, &e) || n != m)
    abort();
  for (size_t k = 0; k < n; k++) {
    if (strcmp(t[k].name, again[k].name) != 0 || !tensor_same_bits(t[k].tensor, again[k].tensor)) abort();
    tensor_unref(t[k].tensor);
    tensor_unref(again[k].tensor);
  }
}

ENTRY_FILE(check)
