/* pool: numbered tasks on a persistent set of pthreads.
 *
 * In: tasks 0..<n, a function, a context.  Out: all have run, what they wrote is visible.
 * One 64-bit ticket holds (generation, next task). A thread takes task k by moving the ticket from (g, k) to (g, k +
 * 1): when that succeeds, generation g is still open, so the job's fields read just before belong to it. The caller
 * opens generation g + 1 only when every task of g is done. Late threads fail the exchange and look again.
 * The caller takes tasks itself until none is left, so it never waits for a thread that has not begun; but it must wait
 * for one that has. On a busy machine that one may have lost its processor in the middle of a task. So the caller keeps
 * an account: what the others' tasks would have cost it, less what it waited. While that is in the red it works alone,
 * for a time that doubles as long as company goes on costing.
 * Ordering is by acquire and release on the variables themselves (sequentially consistent where a sleeper and a waker
 * must see each other); there are no stand-alone fences. After a fork the child has no threads: its tasks run on the
 * caller's, and nothing is waited for. Workers never allocate, and block every signal, so that the
 * host's handlers run on the host's threads.
 */
#if defined __linux__ && !defined _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "exec/pool.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
  POOL_MOST = 256,
  SPIN_NS = 50000,                      /* a thread without work looks for some so long, then it sleeps */
  CREDIT_NS = 4000000, DEBT_NS = 200000,    /* the account: at most, a usual wait for a processor; at least */
  ALONE_NS = 4000000, ALONE_MOST_NS = 128000000,
};

typedef void (*Task)(void *ctx, uint32_t k, int worker);

typedef struct Worker { Pool *pool; pthread_t thread; int index; } Worker;

struct Pool {
  Owned owned;
  Host *host;
  int threads;                          /* the caller counts as one */
  int64_t spin_ns;                      /* 0 when there are more threads than CPUs */
  size_t bytes;
  pthread_mutex_t lock;                 /* guards both conditions' sleeping, nothing else */
  pthread_cond_t work, done;
  char apart0[64];                      /* what many threads write stays on lines of its own */
  atomic_uint_least64_t ticket;
  char apart1[64];
  atomic_uint_least32_t finished;
  char apart2[64];
  atomic_uint_least32_t n;
  _Atomic(Task) task;
  _Atomic(void *) ctx;
  char apart3[64];
  atomic_int sleepers;
  atomic_bool waiting;                  /* the caller sleeps on `done` */
  atomic_bool stop;
  atomic_flag busy;                     /* a second caller at the same time runs its tasks itself */
  int64_t account, alone_ns, alone_until;   /* the caller's: nanoseconds */
  pid_t home;                           /* the process that has the threads: after a fork the child has none of them */
  Worker worker[];
};

static inline void relax(void) {
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#endif
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void finish_one(Pool *p, uint32_t n) {
  if (atomic_fetch_add(&p->finished, 1) + 1 == n && atomic_load(&p->waiting)) {
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
  }
}

/* Takes tasks of the open generation until there are none. How many it took. */
static uint32_t work_off(Pool *p, int worker) {
  uint32_t took = 0;
  uint64_t t = atomic_load_explicit(&p->ticket, memory_order_acquire);
  for (;;) {
    uint32_t n = atomic_load_explicit(&p->n, memory_order_acquire);
    Task task = atomic_load_explicit(&p->task, memory_order_acquire);
    void *ctx = atomic_load_explicit(&p->ctx, memory_order_acquire);
    uint32_t k = (uint32_t)t;
    if (k >= n) return took;
    if (!atomic_compare_exchange_weak_explicit(&p->ticket, &t, t + 1, memory_order_acq_rel, memory_order_acquire))
      continue;
    task(ctx, k, worker);
    finish_one(p, n);
    took++;
    t = atomic_load_explicit(&p->ticket, memory_order_acquire);
  }
}

/* Returns when the generation is no longer `seen`: spins by time, then sleeps. */
static uint32_t next_generation(Pool *p, uint32_t seen) {
  if (p->spin_ns > 0) {
    int64_t until = now_ns() + p->spin_ns;
    do {
      for (int i = 0; i < 64; i++) {
        uint32_t g = (uint32_t)(atomic_load_explicit(&p->ticket, memory_order_acquire) >> 32);
        if (g != seen) return g;
        relax();
      }
    } while (now_ns() < until);
  }
  pthread_mutex_lock(&p->lock);
  atomic_fetch_add(&p->sleepers, 1);
  uint32_t g;
  while ((g = (uint32_t)(atomic_load(&p->ticket) >> 32)) == seen) pthread_cond_wait(&p->work, &p->lock);
  atomic_fetch_sub(&p->sleepers, 1);
  pthread_mutex_unlock(&p->lock);
  return g;
}

static void *worker_main(void *arg) {
  Worker *w = arg;
  Pool *p = w->pool;
  uint32_t seen = 0;
  while (!atomic_load_explicit(&p->stop, memory_order_acquire)) {
    seen = next_generation(p, seen);
    work_off(p, w->index);
  }
  return NULL;
}

/* Opens a generation and wakes those who sleep. */
static void publish(Pool *p, uint32_t n, Task task, void *ctx) {
  uint64_t t = atomic_load_explicit(&p->ticket, memory_order_acquire);
  /* The fields change while no generation is open: the old one has handed out all its tasks, so a late thread either
   * sees k >= n or fails its exchange, because the ticket that it read is closed first. */
  uint64_t closed = ((t >> 32) << 32) | UINT32_MAX;
  atomic_store(&p->ticket, closed);
  atomic_store_explicit(&p->finished, 0, memory_order_release);
  atomic_store_explicit(&p->task, task, memory_order_release);
  atomic_store_explicit(&p->ctx, ctx, memory_order_release);
  atomic_store_explicit(&p->n, n, memory_order_release);
  atomic_store(&p->ticket, ((t >> 32) + 1) << 32);
  if (atomic_load(&p->sleepers) > 0) {
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
  }
}

static void wait_done(Pool *p, uint32_t n) {
  if (p->spin_ns > 0) {
    int64_t until = now_ns() + p->spin_ns;
    do {
      for (int i = 0; i < 64; i++) {
        if (atomic_load_explicit(&p->finished, memory_order_acquire) == n) return;
        relax();
      }
    } while (now_ns() < until);
  }
  pthread_mutex_lock(&p->lock);
  atomic_store(&p->waiting, true);
  while (atomic_load(&p->finished) != n) pthread_cond_wait(&p->done, &p->lock);
  atomic_store(&p->waiting, false);
  pthread_mutex_unlock(&p->lock);
}

/* n tasks took the caller's own `mine` from `begun` to `worked`, and all were done at `ended`. */
static void settle(Pool *p, uint32_t n, uint32_t mine, int64_t begun, int64_t worked, int64_t ended) {
  if (mine == 0) return;                /* nothing to compare with */
  p->account += (worked - begun) / mine * (n - mine) - (ended - worked);
  if (p->account > CREDIT_NS) {
    p->account = CREDIT_NS;
    p->alone_ns = ALONE_NS;
  }
  if (p->account > -DEBT_NS) return;
  p->account = 0;
  p->alone_until = ended + p->alone_ns;
  p->alone_ns = p->alone_ns * 2 < ALONE_MOST_NS ? p->alone_ns * 2 : ALONE_MOST_NS;
}

void pool_run(Pool *p, uint32_t n, Task task, void *ctx) {
  bool together = p && p->threads > 1 && n > 1 && getpid() == p->home &&
                  !atomic_flag_test_and_set_explicit(&p->busy, memory_order_acquire);
  int64_t begun = together ? now_ns() : 0;
  if (!together || begun < p->alone_until) {
    for (uint32_t k = 0; k < n; k++) task(ctx, k, 0);
  } else {
    publish(p, n, task, ctx);
    uint32_t mine = work_off(p, 0);
    int64_t worked = now_ns();
    wait_done(p, n);
    settle(p, n, mine, begun, worked, now_ns());
  }
  if (together) atomic_flag_clear_explicit(&p->busy, memory_order_release);
}

static void end_threads(Pool *p) {
  atomic_store(&p->stop, true);
  if (p->threads > 1) publish(p, 0, NULL, NULL);
  for (int i = 0; i < p->threads - 1; i++) pthread_join(p->worker[i].thread, NULL);
  pthread_cond_destroy(&p->work);
  pthread_cond_destroy(&p->done);
  pthread_mutex_destroy(&p->lock);
}

static void pool_drop(Owned *o) {
  Pool *p = (Pool *)(void *)o;
  if (getpid() == p->home) end_threads(p);
  Host *h = p->host;
  host_free(h, p, p->bytes);
}

/* The CPUs that the file of a control group leaves, or `most`: "QUOTA PERIOD", the quota perhaps "max". */
static int quota_of(const char *path, int most) {
  FILE *f = fopen(path, "r");
  if (!f) return most;
  long long quota, period;
  int n = most;
  if (fscanf(f, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
    long long whole = (quota + period - 1) / period;
    if (whole < most) n = whole < 1 ? 1 : (int)whole;
  }
  fclose(f);
  return n;
}

/* A limit may be set for the group that the process is in, or for any that it lies in. */
static int cpu_quota(int most) {
  char line[512], path[640];
  FILE *f = fopen("/proc/self/cgroup", "r");
  int n = quota_of("/sys/fs/cgroup/cpu.max", most);
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, "0::/", 4) != 0) continue;
    char *group = line + 3;
    group[strcspn(group, "\n")] = 0;
    for (char *end; (end = strrchr(group, '/')) && end[1]; *end = 0) {
      snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
      n = quota_of(path, n);
      if (end == group) break;
    }
  }
  if (f) fclose(f);
  return n;
}

int pool_default_threads(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
#endif
  if (n < 1) n = 1;
  if (n > POOL_MOST) n = POOL_MOST;
  return cpu_quota((int)n);
}

Pool *pool_new(Host *h, int threads) {
  if (threads < 1) threads = 1;
  if (threads > POOL_MOST) threads = POOL_MOST;
  size_t bytes = sizeof(Pool) + (size_t)threads * sizeof(Worker);
  Pool *p = host_alloc(h, bytes);
  p->host = h;
  p->bytes = bytes;
  p->threads = 1;
  p->home = getpid();
  p->account = p->alone_until = 0;
  p->alone_ns = ALONE_NS;
  p->spin_ns = threads <= pool_default_threads() ? SPIN_NS : 0;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->work, NULL);
  pthread_cond_init(&p->done, NULL);
  atomic_init(&p->ticket, UINT32_MAX);      /* generation 0, closed */
  atomic_init(&p->finished, 0);
  atomic_init(&p->n, 0);
  atomic_init(&p->task, NULL);
  atomic_init(&p->ctx, NULL);
  atomic_init(&p->sleepers, 0);
  atomic_init(&p->waiting, false);
  atomic_init(&p->stop, false);
  atomic_flag_clear(&p->busy);
  owned_born(h, &p->owned, pool_drop);
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  for (int i = 0; i < threads - 1; i++) {   /* fewer than asked for is slower, never wrong */
    p->worker[i].pool = p;
    p->worker[i].index = i + 1;
    if (pthread_create(&p->worker[i].thread, NULL, worker_main, &p->worker[i]) != 0) break;
    p->threads++;
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return p;
}

void pool_keep(Pool *p) { owned_keep(&p->owned); }

void pool_free(Pool *p) {
  if (!p) return;
  owned_keep(&p->owned);
  pool_drop(&p->owned);
}

int pool_threads(const Pool *p) { return p ? p->threads : 1; }
