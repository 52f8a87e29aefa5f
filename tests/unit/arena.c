/* arena: alignment, zeroes, growth, owned things, and every allocation failing once. */
#include "runtime/base/arena.h"
#include <string.h>
#include "alloc_fail.h"
#include "unit.h"

static void blocks(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  CU_ASSERT_PTR_EQUAL(arena_host(a), &h);
  for (size_t n = 0; n < 20000; n = n * 3 / 2 + 1) {
    unsigned char *p = arena_alloc(a, n);
    CU_ASSERT_EQUAL((uintptr_t)p % 16, 0);
    for (size_t k = 0; k < n; k++)
      if (p[k]) CU_FAIL("not zero");
    memset(p, 0xff, n);
  }
  CU_ASSERT_EQUAL(arena_bytes(a), h.in_use);
  arena_free(a);
  arena_free(NULL);
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &g);
}

static void small_things_share_blocks(void) {
#ifndef GLIA_ASAN
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  for (int k = 0; k < 10000; k++) arena_alloc(a, 16);
  CU_ASSERT(h.in_use < 300000);
  arena_free(a);
  host_leave(&h, &g);
#endif
}

static void texts(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  CU_ASSERT_STRING_EQUAL(arena_printf(a, "%d and %s", 3, "four"), "3 and four");
  CU_ASSERT_STRING_EQUAL(arena_text(a, "abcdef", 3), "abc");
  CU_ASSERT_STRING_EQUAL(arena_text(a, NULL, 0), "");
  CU_ASSERT_EQUAL(memcmp(arena_copy(a, "ab", 2), "ab", 2), 0);
  Text t = {.arena = a};
  for (int k = 0; k < 1000; k++) text_printf(&t, "%d,", k % 10);
  text_add(&t, "end");
  text_add_n(&t, "!?", 1);
  CU_ASSERT_EQUAL(t.n, 2004);
  CU_ASSERT_EQUAL(strlen(t.at), 2004);
  CU_ASSERT_STRING_EQUAL(t.at + 1994, "7,8,9,end!");
  arena_free(a);
  host_leave(&h, &g);
}

static void vectors(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  VEC(int) v = {0};
  for (int k = 0; k < 1000; k++) vec_push(a, &v, k);
  CU_ASSERT_EQUAL(v.n, 1000);
  for (int k = 0; k < 1000; k++) CU_ASSERT_EQUAL(v.at[k], k);
  arena_free(a);
  host_leave(&h, &g);
}

static void sizes_that_overflow(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  for (int k = 0; k < 3; k++) {
    if (HOST_GUARD(&h, &g)) {
      Arena *a = arena_new(&h);
      if (k == 0) arena_alloc(a, SIZE_MAX);
      if (k == 1) arena_alloc(a, SIZE_MAX - 20);
      if (k == 2) arena_array(a, 16, SIZE_MAX / 8);
      CU_FAIL("memory that cannot be was given");
    }
    CU_ASSERT_EQUAL(h.failure, FAIL_MEMORY);
    CU_ASSERT_EQUAL(h.in_use, 0);
  }
}

typedef struct Thing {
  Owned owned;
  int *dropped, id;
} Thing;

static void thing_drop(Owned *o) {
  Thing *t = (Thing *)o;
  *t->dropped = *t->dropped * 10 + t->id;
}

static void things_go_with_it(void) {
  Host h;
  Guard g;
  int dropped = 0;
  host_init(&h, NULL, NULL);
  Thing one = {.dropped = &dropped, .id = 1}, two = {.dropped = &dropped, .id = 2};
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  owned_born(&h, &one.owned, thing_drop);
  arena_own(a, &one.owned);
  owned_keep(&one.owned);
  owned_born(&h, &two.owned, thing_drop);
  arena_own(a, &two.owned);
  arena_keep(a);
  CU_ASSERT_PTR_EQUAL(h.young.next, &h.young);
  arena_free(a);
  CU_ASSERT_EQUAL(dropped, 21);
  host_leave(&h, &g);
}

/* What is changed behind an inner mark goes back with it, or with the mark around it. */
static void inner_marks(void) {
  Host h;
  Guard g;
  int dropped = 0;
  Thing thing = {.dropped = &dropped, .id = 1};
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Arena *a = arena_new(&h);
  int *x = NEW(a, int);
  arena_mark(a);
  int *y = NEW(a, int);
  arena_change(a, x, sizeof *x);
  *x = 1, *y = 1;
  size_t before = arena_bytes(a);
  for (int turn = 0; turn < 100; turn++) {
    ArenaInner *m = arena_mark_inner(a), *in;
    arena_change(a, x, sizeof *x);
    arena_change(a, y, sizeof *y);
    *x = *y = 2;
    in = arena_mark_inner(a);
    arena_change(a, y, sizeof *y);
    *y = 3;
    if (turn % 2) arena_unmark_inner(a, in);
    else arena_back_inner(a, in);
    CU_ASSERT_EQUAL(*y, turn % 2 ? 3 : 2);
    for (int k = 0; k < 1000; k++) CU_ASSERT_EQUAL(*(int *)arena_alloc(a, 200), 0);
    if (turn == 0) {
      owned_born(&h, &thing.owned, thing_drop);
      arena_own(a, &thing.owned);
    }
    arena_back_inner(a, m);
    CU_ASSERT_EQUAL(*x, 1);
    CU_ASSERT_EQUAL(*y, 1);
  }
  CU_ASSERT_EQUAL(dropped, 1);
  CU_ASSERT(arena_bytes(a) < before + 100 * 200);
  ArenaInner *m = arena_mark_inner(a);
  arena_change(a, x, sizeof *x);
  *x = 4;
  arena_unmark_inner(a, m);
  arena_back(a);
  CU_ASSERT_EQUAL(*x, 0);
  arena_free(a);
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &g);
}

static void build(Host *h, void *ctx) {
  (void)ctx;
  Arena *a = arena_new(h), *b = arena_new(h);
  VEC(double) v = {0};
  Text t = {.arena = b};
  int dropped = 0;
  Thing thing = {.dropped = &dropped, .id = 1};
  for (int k = 0; k < 3000; k++) {
    vec_push(a, &v, k);
    text_printf(&t, "%d", k);
  }
  arena_printf(a, "%5000d", 1);
  owned_born(h, &thing.owned, thing_drop);
  arena_own(b, &thing.owned);
  arena_free(b);
  CU_ASSERT_EQUAL(dropped, 1);
  arena_free(a);
}

static void every_allocation_fails_once(void) { CU_ASSERT(alloc_fail_each(build, NULL) > 8); }

UNIT(TEST(blocks), TEST(small_things_share_blocks), TEST(texts), TEST(vectors), TEST(sizes_that_overflow),
     TEST(things_go_with_it), TEST(inner_marks), TEST(every_allocation_fails_once))
