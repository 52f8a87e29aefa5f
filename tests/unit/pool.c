/* pool: every task once, everything visible, however many threads, however small the work. */
#define _POSIX_C_SOURCE 200809L
#include "runtime/exec/pool.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "unit.h"
#include "alloc_fail.h"

typedef struct Job { uint32_t *hits; int threads; atomic_int bad; } Job;

static void count_task(void *ctx, uint32_t k, int worker) {
  Job *j = ctx;
  j->hits[k]++;
  if (worker < 0 || worker >= j->threads) atomic_fetch_add(&j->bad, 1);
}

static const int counts[] = {1, 2, 3, 7};

static void each_task_once(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  static uint32_t hits[100];
  for (size_t t = 0; t < 4; t++) {
    Pool *p = pool_new(&h, counts[t]);
    CU_ASSERT(pool_threads(p) >= 1 && pool_threads(p) <= counts[t]);
    Job j = {.hits = hits, .threads = counts[t]};
    uint32_t want = 0;
    memset(hits, 0, sizeof hits);
    for (uint32_t round = 0; round < 25000; round++) {   /* 1e5 small dispatches in all */
      uint32_t n = round % 9;
      pool_run(p, n, count_task, &j);
      want += n;
    }
    uint32_t got = 0;
    for (int k = 0; k < 100; k++) got += hits[k];
    CU_ASSERT_EQUAL(got, want);
    CU_ASSERT_EQUAL(hits[0], 25000u - 25000u / 9 - 1);   /* every round but those of no task */
    CU_ASSERT_EQUAL(atomic_load(&j.bad), 0);
    pool_free(p);
  }
  CU_ASSERT_EQUAL(h.in_use, 0);
  host_leave(&h, &g);
}

static void no_pool_is_the_caller(void) {
  uint32_t hits[4] = {0};
  Job j = {.hits = hits, .threads = 1};
  pool_run(NULL, 4, count_task, &j);
  for (int k = 0; k < 4; k++) CU_ASSERT_EQUAL(hits[k], 1);
  CU_ASSERT_EQUAL(pool_threads(NULL), 1);
  CU_ASSERT(pool_default_threads() >= 1);
}

static void sleepers_wake(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Pool *p = pool_new(&h, 2);
  uint32_t hits[8] = {0};
  Job j = {.hits = hits, .threads = 2};
  for (int round = 0; round < 20; round++) {
    struct timespec t = {.tv_nsec = 2000000};            /* long past the spin */
    nanosleep(&t, NULL);
    pool_run(p, 8, count_task, &j);
  }
  for (int k = 0; k < 8; k++) CU_ASSERT_EQUAL(hits[k], 20);
  pool_free(p);
  host_leave(&h, &g);
}

/* Threads without work use no processor. */
static void idle_is_free(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Pool *p = pool_new(&h, 7);
  uint32_t hits[8] = {0};
  Job j = {.hits = hits, .threads = 7};
  pool_run(p, 8, count_task, &j);
  struct timespec t = {.tv_nsec = 20000000};
  nanosleep(&t, NULL);                                   /* they spin at first */
  clock_t before = clock();
  t.tv_nsec = 200000000;
  nanosleep(&t, NULL);
  CU_ASSERT((double)(clock() - before) / CLOCKS_PER_SEC < 0.02);
  pool_free(p);
  host_leave(&h, &g);
}

/* A worker that loses its processor in each task costs more than it gives: it is left alone, but for a try now and
 * then. Here it sleeps instead. */
static void lame_task(void *ctx, uint32_t k, int worker) {
  atomic_int *by_worker = ctx;
  (void)k;
  struct timespec t = {.tv_nsec = worker ? 5000000 : 20000};
  nanosleep(&t, NULL);
  if (worker) atomic_fetch_add(by_worker, 1);
}

static void alone_beside_lame(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Pool *p = pool_new(&h, 2);
  atomic_int by_worker = 0;
  if (pool_threads(p) == 2)
    for (int round = 0; round < 300; round++) pool_run(p, 4, lame_task, &by_worker);
  CU_ASSERT(atomic_load(&by_worker) < 100);
  pool_free(p);
  host_leave(&h, &g);
}

/* A second host thread on the same pool runs its tasks itself. */
typedef struct Both { Pool *p; Job j; uint32_t hits[16]; } Both;

static void *caller(void *arg) {
  Both *b = arg;
  for (int k = 0; k < 3000; k++) pool_run(b->p, 16, count_task, &b->j);
  return NULL;
}

static void two_callers(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  static Both b[2];
  Pool *p = pool_new(&h, 3);
  pthread_t t[2];
  for (int k = 0; k < 2; k++) {
    b[k] = (Both){.p = p, .j = {.threads = 3}};
    b[k].j.hits = b[k].hits;
    CU_ASSERT_FATAL(pthread_create(&t[k], NULL, caller, &b[k]) == 0);
  }
  for (int k = 0; k < 2; k++) pthread_join(t[k], NULL);
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < 16; i++) CU_ASSERT_EQUAL(b[k].hits[i], 3000);
  pool_free(p);
  host_leave(&h, &g);
}

static void masks_task(void *ctx, uint32_t k, int worker) {
  atomic_int *open = ctx;
  (void)k;
  sigset_t s;
  pthread_sigmask(SIG_SETMASK, NULL, &s);
  struct timespec t = {.tv_nsec = 200000};
  nanosleep(&t, NULL);
  if (worker > 0 && !sigismember(&s, SIGINT)) atomic_fetch_add(open, 1);
}

static void workers_block_signals(void) {
  Host h;
  Guard g;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &g));
  Pool *p = pool_new(&h, 2);
  atomic_int open;
  atomic_init(&open, 0);
  pool_run(p, 20, masks_task, &open);
  CU_ASSERT_EQUAL(atomic_load(&open), 0);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, NULL, &mine);
  CU_ASSERT(!sigismember(&mine, SIGINT));
  pool_free(p);
  host_leave(&h, &g);
}

static void make(Host *h, void *ctx) {
  (void)ctx;
  pool_free(pool_new(h, 3));
}

static void failed_allocation(void) { CU_ASSERT(alloc_fail_each(make, NULL) == 1); }

UNIT(TEST(each_task_once), TEST(no_pool_is_the_caller), TEST(sleepers_wake), TEST(idle_is_free),
     TEST(alone_beside_lame), TEST(two_callers), TEST(workers_block_signals), TEST(failed_allocation))
