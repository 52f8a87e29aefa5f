/* frozen: a function with the values of its cells now, which runs beside its session. In: a compiled function. Out:
 * calls on another thread.
 *
 * The plan is the session's (plans are immutable); the tensors that it reads are held, so that the session copies one
 * before it changes it; slab, turn and results are its own. A call allocates nothing and touches nothing of the
 * session.
 */
#ifndef LANG_FROZEN_H
#define LANG_FROZEN_H
#include "api/function.h"

typedef struct Frozen {
  Arena *arena;                        /* young from frozen_make until arena_keep; all goes with it */
  const char *name;
  const Compiled *compiled;
  const Plan *plan;                    /* NULL: nothing to compute */
  void **data;
  const void *const *fixed;            /* of each binding: the tensor that it always is, or NULL */
  const void *const *copied;           /* of each result that the plan does not write: the tensor that it is, or NULL */
  void **own;                          /* of each result: its memory, for views */
  void **over;                         /* of each result: the buffer on an argument that it is copied to, or NULL */
  void *slab, *area;
  int32_t calls;                       /* the turn of its draws */
  Stack stack;                         /* of the thread that called last */
} Frozen;

/* On the session's thread, inside a guard. NULL: it is a proc with steps, or a file could not be read (then a
 * diagnostic was made). */
Frozen *frozen_make(Function *f, Compiled *c);
void frozen_free(Frozen *f);           /* the same thread, or a time when the session rests */
/* Any thread, one at a time. A result[k] that is NULL is set to its own memory. */
Fault frozen_run(Frozen *f, const void *const *arg, void **result);
#endif
