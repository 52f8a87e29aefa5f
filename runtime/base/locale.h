/* locale: numbers as text, whatever locale the host has set. In: what printf and strtod take. Out: the same with a
 * point. Nothing else in the house calls a function of the C library that looks at the locale (tests/style).
 */
#ifndef RUNTIME_LOCALE_H
#define RUNTIME_LOCALE_H
#include <stdarg.h>
#include <stddef.h>

int c_vsnprintf(char *to, size_t n, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
int c_snprintf(char *to, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
double c_strtod(const char *text, char **end);
#endif
