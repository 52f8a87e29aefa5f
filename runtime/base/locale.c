/* locale: see locale.h. The thread takes the locale "C" for as long as a number is written or read: that touches no
 * other thread, and the host's locale stands again behind it.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/locale.h"
#include <locale.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Everything of "C" is a constant of the C library: nothing is allocated, it need not be freed, and threads that ask at
 * once get the same. */
static locale_t c_locale(void) {
  static _Atomic(locale_t) made;
  locale_t c = atomic_load_explicit(&made, memory_order_relaxed);
  if (!c) atomic_store_explicit(&made, c = newlocale(LC_ALL_MASK, "C", (locale_t)0), memory_order_relaxed);
  return c;
}

int c_vsnprintf(char *to, size_t n, const char *fmt, va_list ap) {
  locale_t outside = uselocale(c_locale());
  int written = vsnprintf(to, n, fmt, ap);
  uselocale(outside);
  return written;
}

int c_snprintf(char *to, size_t n, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int written = c_vsnprintf(to, n, fmt, ap);
  va_end(ap);
  return written;
}

double c_strtod(const char *text, char **end) {
  locale_t outside = uselocale(c_locale());
  double v = strtod(text, end);
  uselocale(outside);
  return v;
}
