/* pool: a persistent set of pthreads that runs numbered tasks. Deterministic by construction: what a task computes does
 * not depend on who runs it. Small work never wakes anybody; idle threads sleep.
 */
#ifndef RUNTIME_POOL_H
#define RUNTIME_POOL_H
#include "base/host.h"

typedef struct Pool Pool;

/* 1: none are made; an Owned, young. Blocks all signals in its threads */
Pool *pool_new(Host *h, int threads);
void pool_keep(Pool *p);
void pool_free(Pool *p);                         /* joins them; NULL is fine */
int pool_threads(const Pool *p);                 /* NULL: 1 */
int pool_default_threads(void);                  /* the CPUs allowed (affinity) */

/* Runs task(ctx, k, worker) for k in 0..<n, each once, worker in 0..<pool_threads; returns when all are done, with
 * everything they wrote visible. A NULL pool runs them in order on the calling thread. */
void pool_run(Pool *p, uint32_t n, void (*task)(void *ctx, uint32_t k, int worker), void *ctx);
#endif
