/* replay: gives an entry point LLVMFuzzerTestOneInput a main that feeds it the files named on the command line, so that
 * a corpus is replayed without libFuzzer. To fuzz: clang -DLIBFUZZER -fsanitize=fuzzer,address with the house's
 * sources.
 */
#ifndef TESTS_REPLAY_H
#define TESTS_REPLAY_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef LIBFUZZER
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  for (int k = 1; k < argc; k++) {
    FILE *f = fopen(argv[k], "rb");
    if (!f) {
      perror(argv[k]);
      return 2;
    }
    uint8_t *bytes = NULL;
    size_t n = 0, got, part = 4096;
    do {
      uint8_t *more = realloc(bytes, n + part);
      if (!more) return 2;
      bytes = more;
      got = fread(bytes + n, 1, part, f);
      n += got;
    } while (got == part);
    fclose(f);
    fprintf(stderr, "%s\n", argv[k]);      /* the last one named is the one that broke it */
    /* a copy of the exact size: a sanitizer then sees each byte too far */
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) return 2;
    for (size_t i = 0; i < n; i++) exact[i] = bytes[i];
    free(bytes);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
  }
  return 0;
}
#endif
#endif
