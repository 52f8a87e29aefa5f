/* input_file: the fuzzer's bytes as a file, for readers that take a path. */
#ifndef TESTS_INPUT_FILE_H
#define TESTS_INPUT_FILE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *input_file(const uint8_t *data, size_t size) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/glia-fuzz-%ld", (long)getpid());
  FILE *f = fopen(path, "wb");
  if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) abort();
  return path;
}
#endif
