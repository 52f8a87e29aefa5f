/* arena: memory that dies together. In: a Host. Out: zeroed, 16-byte aligned blocks, strings, growing vectors.
 * Invariant: nothing is freed piecemeal; arena_free frees all, and drops the Owned things handed to the arena.
 * Under --enable-asan each block is an allocation of its own, so that the sanitizer sees overruns.
 */
#ifndef RUNTIME_ARENA_H
#define RUNTIME_ARENA_H
#include <stdarg.h>
#include "base/host.h"

typedef struct Arena Arena;

Arena *arena_new(Host *h);          /* an Owned, young until arena_keep */
void arena_keep(Arena *a);
void arena_free(Arena *a);          /* NULL is fine */
Host *arena_host(const Arena *a);
size_t arena_bytes(const Arena *a);
void arena_spare(Arena *a);         /* memory is short: from here on it takes little at once */
void *arena_alloc(Arena *a, size_t size);
void *arena_copy(Arena *a, const void *p, size_t size);
char *arena_text(Arena *a, const char *p, size_t len);      /* copies and ends with NUL */
char *arena_printf(Arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(Arena *a, const char *fmt, va_list ap);
void arena_own(Arena *a, Owned *o);                         /* o is kept, and dropped when the arena dies */

/* A mark: arena_back gives back all that was given out behind it, drops the Owned things that came behind it, and puts
 * back the bytes that arena_change was told of before they changed. It allocates nothing. One mark at a time; what it
 * can put back is what stood before it, as long as whoever changes that says so. */
void arena_mark(Arena *a);
bool arena_marked(const Arena *a);
void arena_change(Arena *a, void *at, size_t n);            /* does nothing where no mark is set */
bool arena_behind(const Arena *a, const void *p);           /* p was given out behind the mark that is set */
void arena_back(Arena *a);
void arena_unmark(Arena *a);                                /* what came behind the mark stays */

/* Marks inside that mark; they nest, and end innermost first. What is changed behind one may go back with it or with
 * those around it. */
typedef struct ArenaInner ArenaInner;
ArenaInner *arena_mark_inner(Arena *a);
void arena_back_inner(Arena *a, ArenaInner *m);
void arena_unmark_inner(Arena *a, ArenaInner *m);

#define NEW(arena, T) ((T *)arena_alloc((arena), sizeof(T)))
#define NEW_N(arena, T, n) ((T *)arena_array((arena), sizeof(T), (size_t)(n)))
void *arena_array(Arena *a, size_t size, size_t n);         /* checked product */

/* A growing vector in an arena, what is beyond n not zeroed:  VEC(NodeId) ids = {0};  vec_push(a, &ids, id);
 * ids.at[k], ids.n  */
#define VEC(T) struct { T *at; uint32_t n, cap; }
#define vec_push(arena, v, ...) \
  (vec_room((arena), (void **)&(v)->at, &(v)->cap, (v)->n, sizeof *(v)->at), (v)->at[(v)->n] = (__VA_ARGS__), \
   (void)(v)->n++)    /* last: making the element may leave by the guard, and the vector must not count it then */
void vec_room(Arena *a, void **at, uint32_t *cap, uint32_t n, size_t size);
/* Room for `wanted` elements in all, so that they need not move until then; twice what there was at least. */
void vec_reserve(Arena *a, void **at, uint32_t *cap, uint32_t n, size_t size, uint32_t wanted);

/* Text that grows, always NUL-terminated. */
typedef struct Text { Arena *arena; char *at; size_t n, cap; } Text;
void text_add(Text *t, const char *s);
void text_add_n(Text *t, const char *s, size_t n);
void text_printf(Text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#endif
