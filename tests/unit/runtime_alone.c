/* The proof that runtime/ needs no lang/: this program is linked from the runtime's objects alone, all of them. That it
 * links is the test; that it runs is a courtesy. */
#include "runtime/base/arena.h"
#include <stdio.h>

int main(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  if (!HOST_GUARD(&h, &g)) return 1;
  Arena *a = arena_new(&h);
  puts(arena_printf(a, "ok unit/%s: links and runs", "runtime_alone"));
  arena_free(a);
  host_leave(&h, &g);
  return h.in_use == 0 ? 0 : 1;
}
