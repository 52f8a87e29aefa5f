/* pool_api: threads that several graphs and sessions share. In: a number of threads. Out: a glia_pool, which outlives
 * all that use it.
 *
 * A pool computes for one run at a time; a run that comes while another has it computes on its own thread, with the
 * same bits.
 */
#include "pool_api.h"
#include <stdlib.h>
#include <string.h>

struct glia_pool {
  Host host;
  Pool *pool;                              /* NULL: one thread needs none */
  int threads;
};

Pool *pool_behind(const glia_pool *p) { return p ? p->pool : NULL; }

int glia_pool_threads(const glia_pool *p) { return p ? p->threads : 0; }

glia_status glia_pool_open(int threads, glia_realloc alloc, void *user, glia_pool **out) {
  if (!out) return GLIA_MISUSE;
  *out = NULL;
  if (threads < 0) return GLIA_MISUSE;
  glia_pool *p = alloc ? alloc(user, NULL, sizeof *p) : malloc(sizeof *p);
  if (!p) return GLIA_MEMORY;
  memset(p, 0, sizeof *p);
  host_init(&p->host, alloc, user);
  p->threads = threads ? threads : pool_default_threads();
  Guard guard;
  if (HOST_GUARD(&p->host, &guard)) {
    if (p->threads > 1) {
      p->pool = pool_new(&p->host, p->threads);
      pool_keep(p->pool);
    }
    host_leave(&p->host, &guard);
    *out = p;
    return GLIA_OK;
  }
  p->pool = NULL;
  glia_pool_close(p);
  return GLIA_MEMORY;
}

void glia_pool_close(glia_pool *p) {
  if (!p) return;
  pool_free(p->pool);
  HostRealloc release = p->host.realloc;
  release(p->host.user, p, 0);
}
