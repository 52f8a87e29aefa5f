/* arena: memory that dies together. In: a Host. Out: zeroed, 16-byte aligned blocks; strings; growing vectors and
 * texts.
 *
 * Invariant: every byte lies in a chain of blocks that the arena alone frees; a block is never moved or shrunk, so
 * pointers hold until the arena dies. Blocks double from 4 KB to a large page, then they are a quarter of what there
 * is: little is lost, and from then on they are whole large pages. What is larger than a quarter of a block gets one of
 * its own; the rest of its last page serves next. A block is zeroed piece by piece as it is given out, while the piece
 * is in the cache anyway. Under GLIA_ASAN everything gets its own: the sanitizer then sees each overrun. The Owned
 * things are dropped newest first, before the memory goes.
 *
 * The journal of a mark lies outside of the arena: bytes as they were, and behind them where they belong, so that it
 * is read from its end. It grows before anything is changed.
 */
#include "base/arena.h"
#include "base/locale.h"
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

/* What an arena has given out. */
typedef struct Extent {
  Block *blocks;
  Held *held;
  char *free;
  size_t left, next_size, bytes;
} Extent;

typedef struct Change { void *at; size_t n; } Change;      /* behind n bytes, rounded up */

typedef struct Journal {
  bool on;
  Extent first, before;       /* at the mark; at the innermost of those inside it */
  char *at;
  size_t n, cap;
} Journal;

struct Arena {
  Owned owned;
  Host *host;
  Extent now;
  Journal journal;
  Block *spare;     /* what inner marks gave back: taken again before the host is asked */
};

static void arena_drop(Owned *o) { arena_free((Arena *)o); }

Arena *arena_new(Host *h) {
  Arena *a = host_alloc(h, sizeof *a);
  a->host = h;
  a->now.next_size = FIRST_BLOCK;
  a->now.bytes = sizeof *a;
  owned_born(h, &a->owned, arena_drop);
  return a;
}

void arena_keep(Arena *a) { owned_keep(&a->owned); }

/* Gives back what came behind `to`: to the host, or for what the arena takes next. (The sanitizer sees who reads what
 * is gone if it goes to the host.) */
static void release(Arena *a, const Extent *to, bool spare) {
#ifdef GLIA_ASAN
  spare = false;
#endif
  for (Held *k = a->now.held; k != to->held; k = k->next) k->thing->drop(k->thing);
  for (Block *b = a->now.blocks; b != to->blocks;) {
    Block *next = b->next;
    if (spare) {
      b->next = a->spare;
      a->spare = b;
    } else host_free(a->host, b, b->size);
    b = next;
  }
  a->now = *to;
}

static void spare_free(Arena *a) {
  for (Block *b = a->spare; b; b = a->spare) {
    a->spare = b->next;
    host_free(a->host, b, b->size);
  }
}

void arena_free(Arena *a) {
  if (!a) return;
  owned_keep(&a->owned);
  release(a, &(Extent){0}, false);
  spare_free(a);
  host_free(a->host, a->journal.at, a->journal.cap);
  host_free(a->host, a, sizeof *a);
}

Host *arena_host(const Arena *a) { return a->host; }

size_t arena_bytes(const Arena *a) { return a->now.bytes; }

void arena_spare(Arena *a) { a->now.next_size = FIRST_BLOCK; }

_Noreturn static void too_large(Arena *a) { host_fail(a->host, FAIL_MEMORY, "out of memory: the size overflows"); }

/* A spare block of so many bytes, or of not much more. */
static Block *spare_block(Arena *a, size_t whole) {
  for (Block **at = &a->spare; *at; at = &(*at)->next) {
    Block *b = *at;
    if (b->size < whole || b->size / 2 > whole) continue;
    *at = b->next;
    return b;
  }
  return NULL;
}

/* A new block of so many bytes, its head among them. */
static char *block_new(Arena *a, size_t whole) {
  Block *b = spare_block(a, whole);
  if (!b) {
    b = host_alloc_raw(a->host, whole);
    b->size = whole;
  }
  b->next = a->now.blocks;
  a->now.blocks = b;
  a->now.bytes += b->size;
  return (char *)(b + 1);
}

#ifndef GLIA_ASAN
static size_t next_size(const Arena *a) {
  if (a->now.next_size < PAGE) return a->now.next_size * 2;
  size_t quarter = a->now.bytes / 4 / PAGE * PAGE;
  return quarter > LARGEST_BLOCK ? LARGEST_BLOCK : quarter > a->now.next_size ? quarter : a->now.next_size;
}

/* A block of its own for what is large; what is left of its last page is taken next, if it is more than there was. */
static void *alloc_large(Arena *a, size_t need) {
  size_t whole = need + sizeof(Block);
  if (whole > PAGE / 2) whole = (whole + PAGE - 1) / PAGE * PAGE;
  char *p = block_new(a, whole);
  size_t rest = whole - sizeof(Block) - need;
  if (rest > a->now.left) {
    a->now.free = p + need;
    a->now.left = rest;
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
  if (need > a->now.left) {
    if (need > a->now.next_size / 4) return alloc_large(a, need);
    a->now.free = block_new(a, a->now.next_size);
    a->now.left = a->now.next_size - sizeof(Block);
    a->now.next_size = next_size(a);
  }
  void *p = a->now.free;
  a->now.free += need;
  a->now.left -= need;
  return p;
#endif
}

/* Bytes that are first written cost page faults: many of them are written piece by piece, so that a cancel is heard. */
enum { PIECE = 256 << 10 };

static size_t piece_of(Arena *a, size_t rest) {
  if (rest <= PIECE) return rest;
  host_go_on(a->host);
  return PIECE;
}

static void clear(Arena *a, char *to, size_t size) {
  for (size_t n; size; to += n, size -= n) memset(to, 0, n = piece_of(a, size));
}

static void copy(Arena *a, char *to, const char *from, size_t size) {
  for (size_t n; size; to += n, from += n, size -= n) memcpy(to, from, n = piece_of(a, size));
}

void *arena_alloc(Arena *a, size_t size) {
  void *p = alloc_raw(a, size);
  clear(a, p, size);
  return p;
}

void *arena_array(Arena *a, size_t size, size_t n) {
  size_t whole;
  if (!size_mul(size, n, &whole)) too_large(a);
  return arena_alloc(a, whole);
}

void *arena_copy(Arena *a, const void *p, size_t size) {
  void *q = alloc_raw(a, size);
  copy(a, q, p, size);
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
  int n = c_vsnprintf(NULL, 0, fmt, ap);
  assert(n >= 0);
  char *q = alloc_raw(a, (size_t)n + 1);
  c_vsnprintf(q, (size_t)n + 1, fmt, again);
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

/* ---- marks ---- */
enum { JOURNAL_KEPT = 1 << 16 };       /* bytes of a journal that the next mark may use */

void arena_mark(Arena *a) {
  assert(!a->journal.on);
  a->journal.on = true;
  a->journal.n = 0;
  a->journal.first = a->journal.before = a->now;
}

bool arena_marked(const Arena *a) { return a->journal.on; }

bool arena_behind(const Arena *a, const void *at) {
  const Extent *before = &a->journal.before;
  const char *p = at;
  if (!a->journal.on) return false;
  if (before->left && p >= before->free && p < before->free + before->left) return true;
  for (const Block *b = a->now.blocks; b != before->blocks; b = b->next)
    if (p > (const char *)b && p < (const char *)b + b->size) return true;
  return false;
}

/* What came behind the mark goes whole: nobody asks what it was. (Under GLIA_ASAN there are too many blocks to look.)
 */
static bool need_not_say(const Arena *a, const void *at) {
#ifndef GLIA_ASAN
  return arena_behind(a, at);
#else
  (void)a, (void)at;
  return false;
#endif
}

void arena_change(Arena *a, void *at, size_t n) {
  Journal *j = &a->journal;
  if (!j->on || !n || need_not_say(a, at)) return;
  size_t bytes = (n + ALIGN - 1) / ALIGN * ALIGN, whole = j->n + bytes + sizeof(Change);
  if (whole > j->cap) {
    size_t cap = j->cap ? j->cap * 2 : FIRST_BLOCK;
    while (cap < whole) cap *= 2;
    j->at = host_resize(a->host, j->at, j->cap, cap);
    j->cap = cap;
  }
  memcpy(j->at + j->n, at, n);
  memcpy(j->at + j->n + bytes, &(Change){at, n}, sizeof(Change));
  j->n = whole;
}

static void journal_end(Arena *a) {
  Journal *j = &a->journal;
  j->on = false;
  j->n = 0;
  spare_free(a);
  if (j->cap <= JOURNAL_KEPT) return;
  host_free(a->host, j->at, j->cap);
  j->at = NULL;
  j->cap = 0;
}

/* Puts back what was changed since the journal had n bytes. */
static void put_back(Journal *j, size_t n) {
  while (j->n > n) {
    Change c;
    memcpy(&c, j->at + j->n - sizeof c, sizeof c);
    j->n -= sizeof c + (c.n + ALIGN - 1) / ALIGN * ALIGN;
    memcpy(c.at, j->at + j->n, c.n);
  }
}

void arena_back(Arena *a) {
  assert(a->journal.on);
  put_back(&a->journal, 0);
  release(a, &a->journal.first, false);
  journal_end(a);
}

void arena_unmark(Arena *a) {
  assert(a->journal.on);
  journal_end(a);
}

struct ArenaInner { Extent before, here; size_t n; };

ArenaInner *arena_mark_inner(Arena *a) {
  assert(a->journal.on);
  ArenaInner *m = NEW(a, ArenaInner);
  *m = (ArenaInner){a->journal.before, a->now, a->journal.n};
  a->journal.before = a->now;
  return m;
}

void arena_back_inner(Arena *a, ArenaInner *m) {
  put_back(&a->journal, m->n);
  release(a, &m->here, true);
  a->journal.before = m->before;
}

void arena_unmark_inner(Arena *a, ArenaInner *m) { a->journal.before = m->before; }

void arena_own(Arena *a, Owned *o) {
  Held *k = NEW(a, Held);
  k->thing = o;
  k->next = a->now.held;
  a->now.held = k;
  owned_keep(o);
}

void vec_reserve(Arena *a, void **at, uint32_t *cap, uint32_t n, size_t size, uint32_t wanted) {
  if (wanted <= *cap) return;
  if (*cap > UINT32_MAX / 2) too_large(a);
  uint32_t larger = wanted > *cap * 2 ? wanted : *cap * 2;
  size_t whole;
  if (!size_mul(size, larger, &whole)) too_large(a);
  void *q = alloc_raw(a, whole);
  copy(a, q, *at, size * n);
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
  int n = c_vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  assert(n >= 0);
  text_room(t, (size_t)n);
  c_vsnprintf(t->at + t->n, (size_t)n + 1, fmt, again);
  va_end(again);
  t->n += (size_t)n;
}
