/* entry: what every entry point does around its check: a host with a limit, a guard, an arena, and in the end nothing
 * that is still allocated. A file is then a check and one line:
 *
 *   ENTRY_FILE(check)     static void check(Arena *a, const char *path): the bytes are a file
 *   ENTRY_BYTES(check)    static void check(Arena *a, const uint8_t *data, size_t size)
 */
#ifndef TESTS_ENTRY_H
#define TESTS_ENTRY_H
#include "runtime/base/arena.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "replay.h"

typedef struct Entry {
  void (*file)(Arena *a, const char *path);
  void (*bytes)(Arena *a, const uint8_t *data, size_t size);
} Entry;

/* The bytes as a file, for readers that take a path; the caller removes it. */
static const char *entry_path(const uint8_t *data, size_t size) {
  static char path[512];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/glia-fuzz-%ld", folder ? folder : "/tmp", (long)getpid());
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
  return path;
}

static int entry_run(const Entry *entry, const uint8_t *data, size_t size) {
  const char *path = entry->file ? entry_path(data, size) : NULL;
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  h.limit = (size_t)1 << (path ? 26 : 28);
  if (HOST_GUARD(&h, &g)) {
    Arena *a = arena_new(&h);
    if (path) entry->file(a, path);
    else entry->bytes(a, data, size);
    arena_free(a);
    host_leave(&h, &g);
  }
  if (h.in_use != 0) abort();
  if (path) unlink(path);
  return 0;
}

#define ENTRY(...)                                                  \
  int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {    \
    return entry_run(&(const Entry){__VA_ARGS__}, data, size);      \
  }
#define ENTRY_FILE(check) ENTRY(.file = check)
#define ENTRY_BYTES(check) ENTRY(.bytes = check)
#endif
