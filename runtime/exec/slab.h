/* slab: offsets for buffers with lifetimes in one block of memory. In: take and give in the order of the steps. Out:
 * 64-byte aligned offsets, the size of the whole. Invariant: blocks cover the slab without gap or overlap, no two free
 * ones side by side. Best fit, the lowest of equals, so that what was just read or written is likely to be used again
 * while it is in cache. Where that leaves much unused, slab_pack lays all out again, when all lifetimes are known.
 */
#ifndef RUNTIME_SLAB_H
#define RUNTIME_SLAB_H
#include "base/arena.h"

typedef struct SlabBlock {
  size_t offset, size;
  uint32_t before, after;          /* its neighbours, as indexes */
  uint32_t chain;                  /* the next of its bucket */
  uint32_t span;                   /* its lifetime */
  bool used;
} SlabBlock;

/* Of one block: from the step `from` on, no longer at step `until`. */
typedef struct SlabSpan { size_t offset, size, to; uint32_t from, until; } SlabSpan;

typedef struct Slab {              /* all zero but the arena: empty */
  Arena *arena;
  VEC(SlabBlock) blocks;           /* blocks.at[0] is no block, but the neighbour of the first and of the last */
  VEC(uint32_t) spare;             /* the free ones, by size, then by offset */
  VEC(uint32_t) gone;              /* to be used again for other blocks */
  uint32_t *bucket, n_bucket, n_used;      /* the used ones by offset; a power of two */
  size_t size;
  uint32_t now;                    /* the step that is being laid out: set by who takes and gives */
  size_t live, peak;               /* bytes in use, now and at most */
  VEC(SlabSpan) span;
} Slab;

size_t slab_take(Slab *s, size_t bytes);
void slab_give(Slab *s, size_t offset);
/* If that makes the slab smaller by what counts: each span's `to` is where it lies now, s->size the new size. */
bool slab_pack(Slab *s);
/* Where a byte that a step has at `offset` lies now. */
size_t slab_moved(const Slab *s, size_t offset, uint32_t step);
#endif
