/* fuzz_script: any bytes as a script through the whole pipeline, fused and not: the same status and the same output,
 * errors that say something, nothing left allocated, no hang. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include "script_run.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Outcome fused, plain;
  const char *text = (const char *)data;
  if (!script_is_tame(text, size)) return 0;
  script_enter();
  script_run(text, size, LOAD_RUN, false, &fused);
  script_run(text, size, LOAD_RUN, true, &plain);
  script_leave();
  if (fused.cut || plain.cut) return 0;
  if (fused.status != plain.status || fused.n != plain.n || memcmp(fused.out, plain.out, plain.n) != 0)
    wrong("--no-fuse gives another result", text, size);
  return 0;
}
