/* stack: see stack.h. In: what the system knows of the calling thread. Out: where its stack ends.
 *
 * Stacks grow downwards on every machine that the house runs on. The C library is not asked for Linux's main thread: it
 * would read a file, a quarter of the time that a small script takes.
 */
#if !defined _GNU_SOURCE
#define _GNU_SOURCE                     /* pthread_getattr_np */
#endif
#if defined __APPLE__
#define _DARWIN_C_SOURCE
#endif
#include "base/stack.h"
#include <pthread.h>
#include <stdbool.h>
#if defined __linux__
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined __FreeBSD__ || defined __DragonFly__ || defined __NetBSD__
#include <pthread_np.h>
#endif

/* Of a stack whose end nobody knows so much is taken to be left. */
enum { STACK_UNKNOWN = 192 << 10 };

#if defined __linux__
/* The main thread's stack: the kernel lays the program's path at its top and lets it grow as far as the limit says.
 * Other mappings begin no nearer than 128 MB. Not the main thread, or not on that stack: no. */
static bool ask_main(uintptr_t here, uintptr_t *low, size_t *size) {
  enum { MOST = 64 << 20 };
  struct rlimit limit;
  uintptr_t path = (uintptr_t)getauxval(AT_EXECFN);
  if (syscall(SYS_gettid) != getpid() || !path || getrlimit(RLIMIT_STACK, &limit) != 0) return false;
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t top = (path + strlen((const char *)path) + sizeof(void *) + page) / page * page;
  size_t most = limit.rlim_cur < MOST ? (size_t)limit.rlim_cur : MOST;
  if (most <= page || here > top || top - here >= most - page) return false;
  *low = top - most + page;
  *size = most - page;
  return true;
}
#endif

static bool ask(uintptr_t here, uintptr_t *low, size_t *size) {
#if defined __linux__
  if (ask_main(here, low, size)) return true;
#else
  (void)here;
#endif
#if defined __APPLE__
  *size = pthread_get_stacksize_np(pthread_self());
  *low = (uintptr_t)pthread_get_stackaddr_np(pthread_self()) - *size;
  return *size > 0;
#elif defined __linux__ || defined __FreeBSD__ || defined __DragonFly__ || defined __NetBSD__
  pthread_attr_t a;
  void *at = NULL;
#if defined __linux__
  if (pthread_getattr_np(pthread_self(), &a) != 0) return false;
#else
  if (pthread_attr_init(&a) != 0) return false;
  if (pthread_attr_get_np(pthread_self(), &a) != 0) {
    pthread_attr_destroy(&a);
    return false;
  }
#endif
  size_t guard = 0;
  bool known = pthread_attr_getstack(&a, &at, size) == 0 && pthread_attr_getguardsize(&a, &guard) == 0;
  pthread_attr_destroy(&a);
  *low = (uintptr_t)at;
  if (!known || *size <= guard) return false;
  *low += guard;                        /* glibc counts it to the stack */
  *size -= guard;
  return true;
#else
  return false;
#endif
}

uintptr_t stack_end(Stack *s) {
  uintptr_t here = STACK_HERE, self = (uintptr_t)pthread_self(), low;
  size_t size;
  if (s->thread == self && here > s->low && here <= s->high) return s->low;
  if (ask(here, &low, &size) && here > low && here - low <= size) {
    *s = (Stack){self, low, low + size};
    return low;
  }
  return here > STACK_UNKNOWN ? here - STACK_UNKNOWN : 0;
}
