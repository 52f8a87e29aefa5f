/* stdlib: looks a name up in the table that stdlib/embed makes. In: a name. Out: where it is defined. The table is
 * in byte order, each name once (embed refuses a second definition), so the search is binary.
 */
#include "text/stdlib.h"
#include <string.h>

static const StdName *entry(const char *name, size_t n) {
  int low = 0, high = stdlib_n_names;
  while (low < high) {
    int mid = low + (high - low) / 2;
    const char *at = stdlib_names[mid].name;
    int c = strncmp(at, name, n);
    if (c == 0 && at[n] == 0) return &stdlib_names[mid];
    if (c < 0) low = mid + 1;
    else high = mid;
  }
  return NULL;
}

const StdName *stdlib_entry(const char *name) { return entry(name, strlen(name)); }

int stdlib_find_n(const char *name, size_t n) {
  const StdName *x = entry(name, n);
  return x ? x->file : -1;
}

int stdlib_find(const char *name) { return stdlib_find_n(name, strlen(name)); }
