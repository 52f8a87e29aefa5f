/* host: memory from the embedding program, and the way out when there is none. In: the host's allocator. Out: blocks
 * that are never NULL, and one longjmp to the innermost guard.
 *
 * Invariant: in_use is what has been handed out and not yet freed, so a test sees a leak without a tool. Setting a
 * guard puts the things that are young aside and starts a new ring: a failure below the guard drops exactly what was
 * born below it, newest first, and an inner guard that fails cannot take an outer one's things with it.
 */
#define _DEFAULT_SOURCE   /* madvise, posix_memalign */
#include "base/host.h"
#include "base/locale.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A page fault costs more than what a front end does with the page: a large block is aligned to large pages and asks
 * for them. The last, of which only a part is in the block, stays a matter of small ones. */
static void *take_large(size_t size) {
  void *p;
  if (posix_memalign(&p, HOST_LARGE_PAGE, size) != 0) return NULL;
#ifdef MADV_HUGEPAGE
  madvise(p, size / HOST_LARGE_PAGE * HOST_LARGE_PAGE, MADV_HUGEPAGE);   /* advice: what it answers does not matter */
#endif
  return p;
}

static void *libc_realloc(void *user, void *p, size_t size) {
  (void)user;
  if (size == 0) {
    free(p);
    return NULL;
  }
  return !p && size >= HOST_LARGE_PAGE ? take_large(size) : realloc(p, size);
}

static void ring_init(Owned *head) {
  head->prev = head->next = head;
  head->drop = NULL;
}

/* Everything on `from` goes before what is on `to`: it is older. */
static void ring_prepend(Owned *to, Owned *from) {
  if (from->next == from) return;
  from->next->prev = to;
  from->prev->next = to->next;
  to->next->prev = from->prev;
  to->next = from->next;
  ring_init(from);
}

void host_init(Host *h, HostRealloc allocator, void *user) {
  memset(h, 0, sizeof *h);
  h->realloc = allocator ? allocator : libc_realloc;
  h->user = user;
  ring_init(&h->young);
}

void host_enter(Host *h, Guard *g) {
  if (!h->guard) {
    uintptr_t here = STACK_HERE;
    h->stack_end = stack_end(&h->stack);
    if (h->stack_most && h->stack_most < here - h->stack_end) h->stack_end = here - h->stack_most;
  }
  g->outer = h->guard;
  ring_init(&g->before);
  ring_prepend(&g->before, &h->young);
  h->guard = g;
  h->failure = FAIL_NONE;
  h->message[0] = 0;
}

void host_leave(Host *h, Guard *g) {
  assert(h->guard == g);
  ring_prepend(&h->young, &g->before);
  h->guard = g->outer;
}

_Noreturn void host_fail(Host *h, Failure why, const char *fmt, ...) {
  Guard *g = h->guard;
  assert(g);
  h->failure = why;
  va_list ap;
  va_start(ap, fmt);
  c_vsnprintf(h->message, sizeof h->message, fmt, ap);
  va_end(ap);
  while (h->young.prev != &h->young) {
    Owned *o = h->young.prev;
    owned_keep(o);
    o->drop(o);
  }
  host_leave(h, g);
  longjmp(g->env, 1);
}

size_t host_stack_left(const Host *h) {
  uintptr_t here = STACK_HERE;
  return here > h->stack_end ? here - h->stack_end : 0;
}

void host_stack_need(Host *h, size_t bytes) {
  if (host_stack_left(h) < bytes)
    host_fail(h, FAIL_LIMIT, "this is nested too deeply for the stack of the thread that runs it");
}

void host_deeper(Host *h) { host_stack_need(h, STACK_DEEPER); }

void host_hear(Host *h) {
  bool stop = atomic_load_explicit(h->cancel, memory_order_relaxed);
  if (stop || !h->ask(h->asked)) host_fail(h, FAIL_CANCELLED, "cancelled");
}

static void *take(Host *h, void *p, size_t old, size_t size) {
  host_go_on(h);
  size_t rest = h->in_use - old;
  if (h->limit && (size > h->limit || rest > h->limit - size))
    host_fail(h, FAIL_LIMIT, "the memory limit is reached: %zu bytes more are wanted, %zu are in use, %zu are allowed",
              size - old, h->in_use, h->limit);
  void *q = h->realloc(h->user, p, size);
  if (!q)
    host_fail(h, FAIL_MEMORY, "out of memory: %zu bytes are wanted, %zu are in use", size, h->in_use);
  h->in_use = rest + size;
  if (h->in_use > h->peak) h->peak = h->in_use;
  return q;
}

void *host_alloc_raw(Host *h, size_t size) { return take(h, NULL, 0, size ? size : 1); }

void *host_alloc(Host *h, size_t size) {
  void *p = host_alloc_raw(h, size);
  memset(p, 0, size ? size : 1);
  return p;
}

void *host_resize(Host *h, void *p, size_t old, size_t size) {
  if (!p) return host_alloc(h, size);
  if (old == 0) old = 1;
  if (size == 0) size = 1;
  char *q = take(h, p, old, size);
  if (size > old) memset(q + old, 0, size - old);
  return q;
}

void host_free(Host *h, void *p, size_t size) {
  if (!p) return;
  if (size == 0) size = 1;
  assert(h->in_use >= size);
  h->in_use -= size;
  h->realloc(h->user, p, 0);
}

void owned_born(Host *h, Owned *o, void (*drop)(Owned *)) {
  o->drop = drop;
  o->prev = h->young.prev;
  o->next = &h->young;
  o->prev->next = o;
  h->young.prev = o;
}

void owned_keep(Owned *o) {
  if (!o->next) return;
  o->prev->next = o->next;
  o->next->prev = o->prev;
  o->prev = o->next = NULL;
}

bool size_mul(size_t a, size_t b, size_t *out) {
  if (a && b > SIZE_MAX / a) return false;
  *out = a * b;
  return true;
}

bool size_add(size_t a, size_t b, size_t *out) {
  if (b > SIZE_MAX - a) return false;
  *out = a + b;
  return true;
}
