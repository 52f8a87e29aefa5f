/* slab: see slab.h. */
#include "slab.h"
#include <assert.h>
#include <string.h>

enum { SLAB_ALIGN = 64 };

static void insert(Slab *s, uint32_t at, SlabBlock b) {
  vec_push(s->arena, &s->blocks, b);
  memmove(&s->blocks.at[at + 1], &s->blocks.at[at], (s->blocks.n - 1 - at) * sizeof b);
  s->blocks.at[at] = b;
}

size_t slab_take(Slab *s, size_t bytes) {
  size_t size = bytes == 0 ? SLAB_ALIGN : (bytes + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
  uint32_t best = UINT32_MAX;
  for (uint32_t k = 0; k < s->blocks.n; k++) {
    const SlabBlock *b = &s->blocks.at[k];
    if (!b->used && b->size >= size && (best == UINT32_MAX || b->size < s->blocks.at[best].size)) best = k;
  }
  if (best == UINT32_MAX) {       /* at the end, over a free last block if there is one */
    best = s->blocks.n;
    if (best > 0 && !s->blocks.at[best - 1].used) best--;
    else insert(s, best, (SlabBlock){.offset = s->size});
    SlabBlock *b = &s->blocks.at[best];
    s->size = b->offset + size;
    b->size = size;
  }
  SlabBlock *b = &s->blocks.at[best];
  b->used = true;
  size_t offset = b->offset;
  if (b->size > size) {
    SlabBlock rest = {.offset = offset + size, .size = b->size - size};
    b->size = size;
    insert(s, best + 1, rest);
  }
  return offset;
}

static void drop(Slab *s, uint32_t at) {
  memmove(&s->blocks.at[at], &s->blocks.at[at + 1], (s->blocks.n - 1 - at) * sizeof *s->blocks.at);
  s->blocks.n--;
}

void slab_give(Slab *s, size_t offset) {
  uint32_t a = 0, b = s->blocks.n;
  while (b - a > 1) {
    uint32_t c = (a + b) / 2;
    if (s->blocks.at[c].offset <= offset) a = c;
    else b = c;
  }
  assert(s->blocks.n > 0 && s->blocks.at[a].offset == offset && s->blocks.at[a].used);
  s->blocks.at[a].used = false;
  if (a + 1 < s->blocks.n && !s->blocks.at[a + 1].used) {
    s->blocks.at[a].size += s->blocks.at[a + 1].size;
    drop(s, a + 1);
  }
  if (a > 0 && !s->blocks.at[a - 1].used) {
    s->blocks.at[a - 1].size += s->blocks.at[a].size;
    drop(s, a);
  }
}
