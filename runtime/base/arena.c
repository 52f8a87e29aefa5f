/* arena: memory that dies together. In: a Host. Out: zeroed, 16-byte aligned blocks; strings; growing vectors and
 * texts.
 *
 * Invariant: every byte lies in a chain of blocks that the arena alone frees; a block is never moved or shrunk, so
 * pointers hold until the arena dies. Blocks double from 4 KB to a large page, then they are a quarter of what there
 * is: little is lost, and from then on they are whole large pages. What is larger than a quarter of a block gets one of
 * its own; the rest of its last page serves next. A block is zeroed piece by piece as it is given out, while the piece
 * is in the cache anyway. Under GLIA_ASAN everything gets its own: the sanitizer then sees each overrun. The Owned
 * things are dropped newest first, before the memory goes.
 */
#include "base/arena.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_BLOCK = 4096, PAGE = HOST_LARGE_PAGE, LARGEST_BLOCK = 32 << 20, ALIGN = 16 };

typedef struct Block Block;
struct Block {
  Block *next;
  size_t size;      /* of the whole allocation */
};
_Static_assert(sizeof(Block) % ALIGN == 0, "what follows a block's head is aligned");

typedef struct Held Held;
struct Held {
  Held *next;
  Owned *thing;
};

struct Arena {
  Owned owned;
  Host *host;
  Block *blocks;
  Held *held;
  char *free;
  size_t left, next_size, bytes;
};

static void arena_drop(Owned *o) { arena_free((Arena *)o); }

Arena *arena_new(Host *h) {
  Arena *a = host_alloc(h, sizeof *a);
  a->host = h;
  a->next_size = FIRST_BLOCK;
  a->bytes = sizeof *a;
  owned_born(h, &a->owned, arena_drop);
  return a;
}

void arena_keep(Arena *a) { owned_keep(&a->owned); }

void arena_free(Arena *a) {
  if (!a) return;
  owned_keep(&a->owned);
  for (Held *k = a->held; k; k = k->next) k->thing->drop(k->thing);
  Host *h = a->host;
  for (Block *b = a->blocks; b;) {
    Block *next = b->next;
    host_free(h, b, b->size);
    b = next;
  }
  host_free(h, a, sizeof *a);
}

Host *arena_host(const Arena *a) { return a->host; }

size_t arena_bytes(const Arena *a) { return a->bytes; }

_Noreturn static void too_large(Arena *a) { host_fail(a->host, FAIL_MEMORY, "out of memory: the size overflows"); }

/* A new block of so many bytes, its head among them. */
static char *block_new(Arena *a, size_t whole) {
  Block *b = host_alloc_raw(a->host, whole);
  b->size = whole;
  b->next = a->blocks;
  a->blocks = b;
  a->bytes += whole;
  return (char *)(b + 1);
}

#ifndef GLIA_ASAN
static size_t next_size(const Arena *a) {
  if (a->next_size < PAGE) return a->next_size * 2;
  size_t quarter = a->bytes / 4 / PAGE * PAGE;
  return quarter > LARGEST_BLOCK ? LARGEST_BLOCK : quarter > a->next_size ? quarter : a->next_size;
}

/* A block of its own for what is large; what is left of its last page is taken next, if it is more than there was. */
static void *alloc_large(Arena *a, size_t need) {
  size_t whole = need + sizeof(Block);
  if (whole > PAGE / 2) whole = (whole + PAGE - 1) / PAGE * PAGE;
  char *p = block_new(a, whole);
  size_t rest = whole - sizeof(Block) - need;
  if (rest > a->left) {
    a->free = p + need;
    a->left = rest;
  }
  return p;
}
#endif

/* Not zeroed: for what is written at once. */
static void *alloc_raw(Arena *a, size_t size) {
  if (size > SIZE_MAX / 2) too_large(a);      /* nor does any rounding below overflow */
#ifdef GLIA_ASAN
  return block_new(a, size + sizeof(Block));
#else
  size_t need = size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
  if (need > a->left) {
    if (need > a->next_size / 4) return alloc_large(a, need);
    a->free = block_new(a, a->next_size);
    a->left = a->next_size - sizeof(Block);
    a->next_size = next_size(a);
  }
  void *p = a->free;
  a->free += need;
  a->left -= need;
  return p;
#endif
}

void *arena_alloc(Arena *a, size_t size) {
  void *p = alloc_raw(a, size);
  memset(p, 0, size);
  return p;
}

void *arena_array(Arena *a, size_t size, size_t n) {
  size_t whole;
  if (!size_mul(size, n, &whole)) too_large(a);
  return arena_alloc(a, whole);
}

void *arena_copy(Arena *a, const void *p, size_t size) {
  void *q = alloc_raw(a, size);
  if (size) memcpy(q, p, size);
  return q;
}

char *arena_text(Arena *a, const char *p, size_t len) {
  size_t whole;
  if (!size_add(len, 1, &whole)) too_large(a);
  char *q = alloc_raw(a, whole);
  if (len) memcpy(q, p, len);
  q[len] = 0;
  return q;
}

char *arena_vprintf(Arena *a, const char *fmt, va_list ap) {
  va_list again;
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  assert(n >= 0);
  char *q = alloc_raw(a, (size_t)n + 1);
  vsnprintf(q, (size_t)n + 1, fmt, again);
  va_end(again);
  return q;
}

char *arena_printf(Arena *a, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  char *q = arena_vprintf(a, fmt, ap);
  va_end(ap);
  return q;
}

void arena_own(Arena *a, Owned *o) {
  Held *k = NEW(a, Held);
  k->thing = o;
  k->next = a->held;
  a->held = k;
  owned_keep(o);
}

void vec_reserve(Arena *a, void **at, uint32_t *cap, uint32_t n, size_t size, uint32_t wanted) {
  if (wanted <= *cap) return;
  if (*cap > UINT32_MAX / 2) too_large(a);
  uint32_t larger = wanted > *cap * 2 ? wanted : *cap * 2;
  size_t whole;
  if (!size_mul(size, larger, &whole)) too_large(a);
  void *q = alloc_raw(a, whole);
  if (n) memcpy(q, *at, size * n);
  *at = q;
  *cap = larger;
}

void vec_room(Arena *a, void **at, uint32_t *cap, uint32_t n, size_t size) {
  if (n >= *cap) vec_reserve(a, at, cap, n, size, n < 8 ? 8 : n + 1);
}

/* Room for n more bytes and the NUL. */
static void text_room(Text *t, size_t n) {
  size_t whole;
  if (!size_add(t->n, n, &whole) || !size_add(whole, 1, &whole)) too_large(t->arena);
  if (whole <= t->cap) return;
  size_t larger = t->cap ? t->cap : 64;
  while (larger < whole)
    if (!size_mul(larger, 2, &larger)) too_large(t->arena);
  char *q = alloc_raw(t->arena, larger);
  if (t->n) memcpy(q, t->at, t->n);
  t->at = q;
  t->cap = larger;
}

void text_add_n(Text *t, const char *s, size_t n) {
  text_room(t, n);
  if (n) memcpy(t->at + t->n, s, n);
  t->n += n;
  t->at[t->n] = 0;
}

void text_add(Text *t, const char *s) { text_add_n(t, s, strlen(s)); }

void text_printf(Text *t, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  assert(n >= 0);
  text_room(t, (size_t)n);
  vsnprintf(t->at + t->n, (size_t)n + 1, fmt, again);
  va_end(again);
  t->n += (size_t)n;
}
