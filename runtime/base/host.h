/* host: what the library takes from the program that embeds it: memory, and a way out when there is none.
 *
 * In:  the host's allocator.  Out: host_alloc, which never returns NULL.
 * Invariant: a failed allocation, or a limit crossed where no diagnostic can be made, leaves by one longjmp to the
 * innermost Guard, which every public function sets. What dies with an arena needs no unwinding; everything else
 * (tensors, plans, pools) is an Owned: young from its birth until a holder keeps it, and the young are dropped when
 * a guard is left by failure. Worker threads never allocate, so no jump crosses a thread.
 */
#ifndef RUNTIME_HOST_H
#define RUNTIME_HOST_H
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/stack.h"

typedef struct Host Host;
typedef struct Owned Owned;
typedef struct Guard Guard;

/* The host's allocator: realloc's meaning; size 0 frees and returns NULL; NULL on failure. Must be thread-safe if
 * sessions on several threads share it. */
typedef void *(*HostRealloc)(void *user, void *p, size_t size);

typedef enum { FAIL_NONE, FAIL_MEMORY, FAIL_LIMIT, FAIL_CANCELLED, FAIL_BUG } Failure;

struct Owned {
  Owned *prev, *next;
  void (*drop)(Owned *);   /* frees the thing; called when it is dropped while young, or with its arena */
};

struct Guard {
  jmp_buf env;
  Guard *outer;
  Owned before;            /* what was young when the guard was set: a failure here leaves it to the outer guard */
};

struct Host {
  HostRealloc realloc;
  void *user;
  Guard *guard;            /* innermost; NULL outside every public function */
  Owned young;             /* ring head */
  Failure failure;         /* why the last guard was left */
  char message[256];
  size_t in_use, peak;     /* bytes handed out now, and at most (for the account and for tests) */
  size_t limit;            /* bytes allowed, 0 for no limit */
  Stack stack;             /* the C stack of the thread that set the outermost guard */
  size_t stack_most;       /* bytes of it that may be used from there on; 0: all that there are */
  uintptr_t stack_end;     /* where that ends */
  /* set from outside: what is being done leaves by the guard at the next allocation or host_go_on. NULL: it does not */
  const atomic_bool *cancel;
  bool (*ask)(void *);     /* asked then, too: false is a cancel. NULL: nobody is */
  void *asked;
  uint32_t asks;
};

/* A block of a multiple of it costs the fewest page faults: the C library's allocator is asked for it on large
 * pages. */
enum { HOST_LARGE_PAGE = 2 << 20 };

void host_init(Host *h, HostRealloc allocator, void *user); /* NULL: the C library's */
void *host_alloc(Host *h, size_t size);                     /* zeroed; never NULL, leaves by the guard */
void *host_alloc_raw(Host *h, size_t size);                 /* the same, not zeroed */
void *host_resize(Host *h, void *p, size_t old, size_t size);   /* what is new is zeroed; on failure p stands */
void host_free(Host *h, void *p, size_t size);
_Noreturn void host_fail(Host *h, Failure why, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* if (HOST_GUARD(h, &g)) { ...; host_leave(h, &g); } else { the failure: h->failure, h->message; the guard is left
 * already and the young are dropped } */
#define HOST_GUARD(h, g) (host_enter((h), (g)), setjmp((g)->env) == 0)
void host_enter(Host *h, Guard *g);
void host_leave(Host *h, Guard *g);

/* ---- the C stack ----
 * Whoever calls itself to a depth that a script decides asks before it goes deeper: so the end of the stack is an error
 * and never a signal, however small the host's thread is. STACK_DEEPER is what may be used without asking again;
 * STACK_KERNEL what running operations takes, STACK_TURN what a loop around them takes. */
#ifdef GLIA_ASAN
enum { STACK_DEEPER = 128 << 10, STACK_KERNEL = 256 << 10, STACK_TURN = 8 << 10 };      /* its frames are larger */
#else
enum { STACK_DEEPER = 32 << 10, STACK_KERNEL = 96 << 10, STACK_TURN = 2560 };
#endif
size_t host_stack_left(const Host *h);
void host_stack_need(Host *h, size_t bytes);                /* leaves by the guard if there are less */
void host_deeper(Host *h);                                  /* before one level more of a recursion: STACK_DEEPER */

/* What runs long without taking memory asks now and then whether it may go on. */
void host_hear(Host *h);     /* for host_go_on: somebody may want it to stop */
static inline void host_go_on(Host *h) {
  enum { EVERY = 16 };       /* times, of which one asks */
  if (h->cancel && (atomic_load_explicit(h->cancel, memory_order_relaxed) || (h->ask && ++h->asks % EVERY == 0)))
    host_hear(h);
}

void owned_born(Host *h, Owned *o, void (*drop)(Owned *));  /* o is young */
void owned_keep(Owned *o);                                  /* a holder has it: no longer young; idempotent */

/* Checked size arithmetic: false on overflow. */
bool size_mul(size_t a, size_t b, size_t *out);
bool size_add(size_t a, size_t b, size_t *out);
#endif
