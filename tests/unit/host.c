/* host: allocation, accounting, limits, guards and the young. */
#include "runtime/base/host.h"
#include <string.h>
#include "unit.h"

typedef struct Thing {
  Owned owned;
  int *dropped, id;
} Thing;

static void thing_drop(Owned *o) {
  Thing *t = (Thing *)o;
  *t->dropped = *t->dropped * 10 + t->id;
}

static void accounts(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  char *p = host_alloc(&h, 100);
  CU_ASSERT_EQUAL(h.in_use, 100);
  for (int k = 0; k < 100; k++) CU_ASSERT_EQUAL(p[k], 0);
  memset(p, 'x', 100);
  p = host_resize(&h, p, 100, 200);
  CU_ASSERT_EQUAL(h.in_use, 200);
  CU_ASSERT_EQUAL(p[99], 'x');
  CU_ASSERT_EQUAL(p[100], 0);
  CU_ASSERT_EQUAL(p[199], 0);
  p = host_resize(&h, p, 200, 50);
  CU_ASSERT_EQUAL(h.in_use, 50);
  CU_ASSERT_EQUAL(h.peak, 200);
  host_free(&h, p, 50);
  void *none = host_alloc(&h, 0);
  CU_ASSERT_PTR_NOT_NULL(none);
  host_free(&h, none, 0);
  host_free(&h, NULL, 7);
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &g);
}

static void limit_is_met(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  h.limit = 1000;
  void *volatile p = NULL;
  if (HOST_GUARD(&h, &g)) {
    p = host_alloc(&h, 1000);
    host_alloc(&h, 1);
    CU_FAIL("a byte too many was given");
  }
  CU_ASSERT_EQUAL(h.failure, FAIL_LIMIT);
  CU_ASSERT_STRING_EQUAL(h.message,
    "the memory limit is reached: 1 bytes more are wanted, 1000 are in use, 1000 are allowed");
  host_free(&h, p, 1000);
  CU_ASSERT_EQUAL(h.in_use, 0);
}

static void absurd_size(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  if (HOST_GUARD(&h, &g)) {
    host_alloc(&h, SIZE_MAX / 2);
    CU_FAIL("half of all addresses were given");
  }
  CU_ASSERT_EQUAL(h.failure, FAIL_MEMORY);
  h.limit = 100;
  if (HOST_GUARD(&h, &g)) {
    host_alloc(&h, SIZE_MAX);
    CU_FAIL("more than the limit was given");
  }
  CU_ASSERT_EQUAL(h.failure, FAIL_LIMIT);
}

static void failure_drops_the_young(void) {
  Host h;
  Guard g;
  int dropped = 0;
  host_init(&h, NULL, NULL);
  Thing t[4];
  for (int k = 0; k < 4; k++) t[k] = (Thing){.dropped = &dropped, .id = k + 1};
  if (HOST_GUARD(&h, &g)) {
    for (int k = 0; k < 4; k++) owned_born(&h, &t[k].owned, thing_drop);
    owned_keep(&t[1].owned);
    owned_keep(&t[1].owned);
    host_fail(&h, FAIL_BUG, "on %s", "purpose");
  }
  CU_ASSERT_EQUAL(dropped, 431);
  CU_ASSERT_EQUAL(h.failure, FAIL_BUG);
  CU_ASSERT_STRING_EQUAL(h.message, "on purpose");
  CU_ASSERT_PTR_NULL(h.guard);
}

static void guards_nest(void) {
  Host h;
  Guard outer, inner;
  int dropped = 0;
  host_init(&h, NULL, NULL);
  Thing a = {.dropped = &dropped, .id = 1}, b = {.dropped = &dropped, .id = 2}, c = {.dropped = &dropped, .id = 3};
  if (HOST_GUARD(&h, &outer)) {
    owned_born(&h, &a.owned, thing_drop);
    if (HOST_GUARD(&h, &inner)) {
      owned_born(&h, &b.owned, thing_drop);
      host_fail(&h, FAIL_LIMIT, "inner");
    }
    CU_ASSERT_EQUAL(dropped, 2);
    CU_ASSERT_PTR_EQUAL(h.guard, &outer);
    if (HOST_GUARD(&h, &inner)) {
      owned_born(&h, &c.owned, thing_drop);
      host_leave(&h, &inner);
    }
    host_fail(&h, FAIL_MEMORY, "outer");
  }
  CU_ASSERT_EQUAL(dropped, 231);
  CU_ASSERT_STRING_EQUAL(h.message, "outer");
}

static void sizes(void) {
  size_t s = 7;
  CU_ASSERT(size_mul(3, 4, &s) && s == 12);
  CU_ASSERT(size_mul(0, SIZE_MAX, &s) && s == 0);
  CU_ASSERT(size_mul(SIZE_MAX, 1, &s) && s == SIZE_MAX);
  CU_ASSERT_FALSE(size_mul(SIZE_MAX / 2 + 1, 2, &s));
  CU_ASSERT(size_add(SIZE_MAX - 1, 1, &s) && s == SIZE_MAX);
  CU_ASSERT_FALSE(size_add(SIZE_MAX, 1, &s));
}

UNIT(TEST(accounts), TEST(limit_is_met), TEST(absurd_size), TEST(failure_drops_the_young), TEST(guards_nest),
     TEST(sizes))
