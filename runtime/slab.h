/* slab: offsets for buffers with lifetimes in one block of memory. In: take and give in the order of the steps. Out: 64-byte
 * aligned offsets, the size of the whole. Invariant: blocks cover the slab without gap or overlap, in order. Best fit, so
 * that what was just read or written is likely to be used again while it is in cache.
 */
#ifndef RUNTIME_SLAB_H
#define RUNTIME_SLAB_H
#include "arena.h"

typedef struct SlabBlock { size_t offset, size; bool used; } SlabBlock;
typedef struct Slab {
  Arena *arena;
  VEC(SlabBlock) blocks;
  size_t size;
} Slab;

size_t slab_take(Slab *s, size_t bytes);
void slab_give(Slab *s, size_t offset);
#endif
