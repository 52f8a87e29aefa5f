/* embed: the frame of a host's test: CHECK counts what is wrong and says where; the program's status tells. */
#ifndef TESTS_EMBED_H
#define TESTS_EMBED_H
#include <stdio.h>
#include <stdlib.h>

static int wrong;
#define CHECK(cond) ((cond) ? (void)0 : (void)(wrong++, printf("%s:%d: %s\n", __FILE__, __LINE__, #cond)))

/* An allocator whose k-th request fails, and that knows what is still out. */
typedef struct Failing { long count, fail_at, out; } Failing;

static inline void *failing(void *user, void *p, size_t size) {
  Failing *f = (Failing *)user;
  if (size == 0) {
    f->out -= p != NULL;
    free(p);
    return NULL;
  }
  if (++f->count == f->fail_at) return NULL;
  void *q = realloc(p, size);
  if (q && !p) f->out++;
  return q;
}

/* The request to fail after the k-th: each of the first `all`, then one in `step`; under AddressSanitizer, where each
 * piece of an arena is a request of its own, ever fewer. */
static inline long failing_next(long k, long all, long step) {
#ifdef GLIA_ASAN
  return k + (k < all ? 1 : step) + k / 64;
#else
  return k + (k < all ? 1 : step);
#endif
}
#endif
