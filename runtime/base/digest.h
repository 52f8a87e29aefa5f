/* digest: a number of 64 bits that stands for bytes: equal bytes, equal numbers; others differ but by an accident of
 * one in 2^64. Not against who wants them equal. In: bytes, in pieces of any length, which do not matter. Out: the
 * number.
 */
#ifndef RUNTIME_DIGEST_H
#define RUNTIME_DIGEST_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Digest { uint64_t h; unsigned char word[8]; size_t n; } Digest;    /* n: bytes that wait in word */

static inline void digest_word(Digest *d, const void *bytes) {
  uint64_t w;
  memcpy(&w, bytes, sizeof w);
  d->h = (d->h ^ w) * 0x9fb21c651e98df25u;
  d->h ^= d->h >> 32;
}

static inline void digest_add(Digest *d, const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  for (; n && d->n; n--) {
    d->word[d->n++] = *p++;
    if (d->n < sizeof d->word) continue;
    digest_word(d, d->word);
    d->n = 0;
  }
  for (; n >= sizeof d->word; n -= sizeof d->word, p += sizeof d->word) digest_word(d, p);
  for (; n; n--) d->word[d->n++] = *p++;
}

static inline uint64_t digest_end(const Digest *d) {
  uint64_t h = d->h;
  for (size_t k = 0; k < d->n; k++) h = (h ^ d->word[k]) * 0x100000001b3u;
  return h ^ (h >> 29);
}

/* Of one piece, on top of another number. */
static inline uint64_t digest(uint64_t h, const void *bytes, size_t n) {
  Digest d = {.h = h};
  digest_add(&d, bytes, n);
  return digest_end(&d);
}
#endif
