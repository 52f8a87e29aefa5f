/* utf8: the code points of foreign bytes (RFC 3629: no overlong forms, no surrogates, nothing above 10FFFF). For the
 * readers of this folder.
 */
#ifndef RUNTIME_UTF8_H
#define RUNTIME_UTF8_H
#include <stddef.h>
#include <stdint.h>

/* The place of the first byte that begins no code point; n if there is none. */
static inline size_t utf8_first_bad(const char *text, size_t n) {
  const unsigned char *s = (const unsigned char *)text;
  size_t k = 0;
  while (k < n) {
    unsigned c = s[k];
    size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
    if (more == 9 || more >= n - k) return k;
    for (size_t j = 1; j <= more; j++)
      if ((s[k + j] & 0xc0) != 0x80) return k;
    if ((c == 0xe0 && s[k + 1] < 0xa0) || (c == 0xed && s[k + 1] > 0x9f) || (c == 0xf0 && s[k + 1] < 0x90) ||
        (c == 0xf4 && s[k + 1] > 0x8f))
      return k;
    k += more + 1;
  }
  return n;
}

/* Of text that is good: how many bytes the next one has. */
static inline size_t utf8_next(const char *text, uint32_t *point) {
  const unsigned char *s = (const unsigned char *)text;
  if (s[0] < 0x80) { *point = s[0]; return 1; }
  if (s[0] < 0xe0) { *point = (uint32_t)(s[0] & 31) << 6 | (s[1] & 63u); return 2; }
  if (s[0] < 0xf0) { *point = (uint32_t)(s[0] & 15) << 12 | (uint32_t)(s[1] & 63) << 6 | (s[2] & 63u); return 3; }
  *point = (uint32_t)(s[0] & 7) << 18 | (uint32_t)(s[1] & 63) << 12 | (uint32_t)(s[2] & 63) << 6 | (s[3] & 63u);
  return 4;
}

static inline size_t utf8_write(uint32_t p, char *to) {
  if (p < 0x80) { to[0] = (char)p; return 1; }
  size_t n = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
  for (size_t k = n - 1; k > 0; k--, p >>= 6) to[k] = (char)(0x80 | (p & 63));
  to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | p);
  return n;
}
#endif
