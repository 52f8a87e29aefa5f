/* slab: see slab.h. A plan may hold thousands of blocks: neighbours are links, free blocks an ordered list for the best
 * fit, used ones a table by offset. */
#include "exec/slab.h"
#include <assert.h>
#include <string.h>

enum { SLAB_ALIGN = 64 };

/* ---- used blocks ---- */

static uint32_t *bucket_of(const Slab *s, size_t offset) {
  uint64_t h = (uint64_t)(offset / SLAB_ALIGN) * 0x9E3779B97F4A7C15u;
  return &s->bucket[(uint32_t)(h >> 32) & (s->n_bucket - 1)];
}

static void use(Slab *s, uint32_t id) {
  if (s->n_used >= s->n_bucket) {
    uint32_t n = s->n_bucket ? s->n_bucket * 2 : 64;
    uint32_t *bucket = NEW_N(s->arena, uint32_t, n);
    s->bucket = bucket;
    s->n_bucket = n;
    for (uint32_t k = 1; k < s->blocks.n; k++) {
      if (!s->blocks.at[k].used) continue;
      uint32_t *to = bucket_of(s, s->blocks.at[k].offset);
      s->blocks.at[k].chain = *to;
      *to = k;
    }
  }
  SlabBlock *b = &s->blocks.at[id];
  uint32_t *to = bucket_of(s, b->offset);
  b->used = true;
  b->chain = *to;
  *to = id;
  s->n_used++;
}

static uint32_t unuse(Slab *s, size_t offset) {
  assert(s->n_bucket > 0);
  uint32_t *from = bucket_of(s, offset);
  while (s->blocks.at[*from].offset != offset || *from == 0) {
    assert(*from != 0);
    from = &s->blocks.at[*from].chain;
  }
  uint32_t id = *from;
  *from = s->blocks.at[id].chain;
  s->blocks.at[id].used = false;
  s->n_used--;
  return id;
}

/* ---- free blocks ---- */

/* The first of the free ones that is as large as size and, if it is of that size, stands at offset or behind. */
static uint32_t first_spare(const Slab *s, size_t size, size_t offset) {
  uint32_t a = 0, b = s->spare.n;
  while (a < b) {
    uint32_t c = (a + b) / 2;
    const SlabBlock *block = &s->blocks.at[s->spare.at[c]];
    if (block->size < size || (block->size == size && block->offset < offset)) a = c + 1;
    else b = c;
  }
  return a;
}

static void spare_put(Slab *s, uint32_t id) {
  uint32_t at = first_spare(s, s->blocks.at[id].size, s->blocks.at[id].offset);
  vec_push(s->arena, &s->spare, id);
  memmove(&s->spare.at[at + 1], &s->spare.at[at], (s->spare.n - 1 - at) * sizeof id);
  s->spare.at[at] = id;
}

static void spare_drop(Slab *s, uint32_t at) {
  s->spare.n--;
  memmove(&s->spare.at[at], &s->spare.at[at + 1], (s->spare.n - at) * sizeof *s->spare.at);
}

static void spare_remove(Slab *s, uint32_t id) {
  uint32_t at = first_spare(s, s->blocks.at[id].size, s->blocks.at[id].offset);
  assert(s->spare.at[at] == id);
  spare_drop(s, at);
}

/* ---- neighbours ---- */

static uint32_t block_behind(Slab *s, uint32_t before, size_t offset, size_t size) {
  uint32_t id;
  if (s->gone.n > 0) id = s->gone.at[--s->gone.n];
  else {
    id = s->blocks.n;
    vec_push(s->arena, &s->blocks, (SlabBlock){0});
  }
  uint32_t after = s->blocks.at[before].after;
  s->blocks.at[id] = (SlabBlock){.offset = offset, .size = size, .before = before, .after = after};
  s->blocks.at[before].after = s->blocks.at[after].before = id;
  return id;
}

/* b's bytes become those of the block before it. */
static void merge(Slab *s, uint32_t b) {
  SlabBlock *block = &s->blocks.at[b];
  s->blocks.at[block->before].size += block->size;
  s->blocks.at[block->before].after = block->after;
  s->blocks.at[block->after].before = block->before;
  vec_push(s->arena, &s->gone, b);
}

static bool is_free(const Slab *s, uint32_t id) { return id != 0 && !s->blocks.at[id].used; }

size_t slab_take(Slab *s, size_t bytes) {
  size_t size = bytes == 0 ? SLAB_ALIGN : (bytes + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
  if (s->blocks.n == 0) vec_push(s->arena, &s->blocks, (SlabBlock){0});
  uint32_t at = first_spare(s, size, 0), id;
  if (at < s->spare.n) {
    id = s->spare.at[at];
    spare_drop(s, at);
  } else {                        /* at the end, over a free last block if there is one */
    id = s->blocks.at[0].before;
    if (is_free(s, id)) spare_remove(s, id);
    else id = block_behind(s, id, s->size, 0);
    s->blocks.at[id].size = size;
    s->size = s->blocks.at[id].offset + size;
  }
  size_t offset = s->blocks.at[id].offset, rest = s->blocks.at[id].size - size;
  if (rest > 0) {
    s->blocks.at[id].size = size;
    spare_put(s, block_behind(s, id, offset + size, rest));
  }
  s->blocks.at[id].span = s->span.n;
  vec_push(s->arena, &s->span, (SlabSpan){.offset = offset, .size = size, .from = s->now, .until = UINT32_MAX});
  s->live += size;
  if (s->live > s->peak) s->peak = s->live;
  use(s, id);
  return offset;
}

void slab_give(Slab *s, size_t offset) {
  uint32_t id = unuse(s, offset), after = s->blocks.at[id].after, before = s->blocks.at[id].before;
  s->span.at[s->blocks.at[id].span].until = s->now;
  s->live -= s->blocks.at[id].size;
  if (is_free(s, after)) {
    spare_remove(s, after);
    merge(s, after);
  }
  if (is_free(s, before)) {
    spare_remove(s, before);
    merge(s, id);
    id = before;
  }
  spare_put(s, id);
}

/* ---- all at once ---- */

enum { MOST_PACKED = 2048 };       /* spans; each is held against each */

/* The lowest offset where a span fits between those that live beside it, which are by rising offset. */
static size_t lowest(const Slab *s, const SlabSpan *span, const uint32_t *placed, uint32_t n) {
  size_t at = 0;
  for (uint32_t k = 0; k < n; k++) {
    const SlabSpan *other = &s->span.at[placed[k]];
    if (other->until <= span->from || span->until <= other->from) continue;
    if (other->to >= at + span->size) break;
    if (other->to + other->size > at) at = other->to + other->size;
  }
  return at;
}

/* The largest first, of equals the first: as Pisarchyk and Lee, "Efficient memory management for deep neural net
 * inference" (2020). */
bool slab_pack(Slab *s) {
  if (s->size - s->peak <= s->peak / 20 || s->span.n > MOST_PACKED) return false;
  uint32_t *order = NEW_N(s->arena, uint32_t, s->span.n), *placed = NEW_N(s->arena, uint32_t, s->span.n), n = 0;
  size_t size = 0;
  for (uint32_t k = 0; k < s->span.n; k++) {
    uint32_t at = k;
    for (; at > 0 && s->span.at[order[at - 1]].size < s->span.at[k].size; at--) order[at] = order[at - 1];
    order[at] = k;
  }
  for (uint32_t k = 0; k < s->span.n; k++) {
    SlabSpan *span = &s->span.at[order[k]];
    span->to = lowest(s, span, placed, n);
    if (span->to + span->size > size) size = span->to + span->size;
    uint32_t at = n++;
    for (; at > 0 && s->span.at[placed[at - 1]].to > span->to; at--) placed[at] = placed[at - 1];
    placed[at] = order[k];
  }
  if (size >= s->size) return false;
  s->size = size;
  return true;
}

size_t slab_moved(const Slab *s, size_t offset, uint32_t step) {
  const SlabSpan *span = s->span.at;
  while (step < span->from || step >= span->until || offset < span->offset || offset >= span->offset + span->size)
    span++;
  return span->to + (offset - span->offset);
}
