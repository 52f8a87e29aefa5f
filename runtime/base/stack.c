/* stack: see stack.h. In: what the system knows of the calling thread. Out: where its stack ends.
 *
 * Stacks grow downwards on every machine that the house runs on. The main thread of Linux is asked for only once: its
 * answer is read from a file.
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
#if defined __FreeBSD__ || defined __DragonFly__ || defined __NetBSD__
#include <pthread_np.h>
#endif

/* Of a stack whose end nobody knows so much is taken to be left. */
enum { STACK_UNKNOWN = 192 << 10 };

static bool ask(uintptr_t *low, size_t *size) {
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
  if (ask(&low, &size) && here > low && here - low <= size) {
    *s = (Stack){self, low, low + size};
    return low;
  }
  return here > STACK_UNKNOWN ? here - STACK_UNKNOWN : 0;
}
