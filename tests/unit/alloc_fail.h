/* alloc_fail: the test of the k-th allocation. Runs a function on a host whose k-th allocation fails, for k = 1, 2, ...
 * until the function gets through, and asserts each time that the failure came back as FAIL_MEMORY through the guard
 * and that nothing is left allocated. The function frees what it made when it succeeds.
 *
 *   static void build(Host *h, void *ctx) { Arena *a = arena_new(h); ...; arena_free(a); }
 *   static void survives(void) { CU_ASSERT(alloc_fail_each(build, NULL) > 3); }
 */
#ifndef TESTS_ALLOC_FAIL_H
#define TESTS_ALLOC_FAIL_H
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include "runtime/base/host.h"

typedef struct AllocFail {
  long count;      /* allocations so far */
  long fail_at;    /* this one fails, counted from 1; 0: none */
} AllocFail;

static void *alloc_fail_realloc(void *user, void *p, size_t size) {
  AllocFail *f = user;
  if (size == 0) {
    free(p);
    return NULL;
  }
  if (++f->count == f->fail_at) return NULL;
  return realloc(p, size);
}

/* One run: whether it got through. */
static bool alloc_fail_once(Host *h, void (*run)(Host *, void *), void *ctx) {
  Guard g;
  if (HOST_GUARD(h, &g)) {
    run(h, ctx);
    host_leave(h, &g);
    return true;
  }
  CU_ASSERT_EQUAL(h->failure, FAIL_MEMORY);
  CU_ASSERT(h->message[0] != 0);
  return false;
}

/* The allocation to fail after the k-th. Under AddressSanitizer each piece of an arena is an allocation of its own,
 * some hundred for each block of the usual build, where all are tried: there they are taken ever more thinly, and the
 * k-th is still tried within 2 %. */
static inline long alloc_fail_next(long k) {
#ifdef GLIA_ASAN
  return k + 1 + k / 64;
#else
  return k + 1;
#endif
}

/* How many allocations the function makes. */
static long alloc_fail_each(void (*run)(Host *, void *), void *ctx) {
  for (long k = 1;; k = alloc_fail_next(k)) {
    AllocFail f = {.fail_at = k};
    Host h;
    host_init(&h, alloc_fail_realloc, &f);
    bool through = alloc_fail_once(&h, run, ctx);
    CU_ASSERT_EQUAL(h.in_use, 0);
    CU_ASSERT_PTR_NULL(h.guard);
    CU_ASSERT_PTR_EQUAL(h.young.next, &h.young);
    if (through) {
      CU_ASSERT(f.count < k);
      return f.count;
    }
  }
}
#endif
