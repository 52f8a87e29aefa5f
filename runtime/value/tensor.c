/* tensor: dtype, shape and bytes. In: a Host, a Type, sometimes a host's own buffer. Out: reference-counted tensors.
 * Invariant: data is 64-byte aligned when it is ours; refs >= 1 while anybody may look; a tensor that nobody keeps is
 * young, so a failure anywhere gives it back. Data and header are two allocations: a borrowed buffer has only the
 * header.
 */
#include "value/tensor.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { ALIGN = 64 };

static void tensor_free(Tensor *t) {
  owned_keep(&t->owned);   /* leaves the ring of the young, if it is there */
  if (t->release)
    t->release(t->user, t->data);
  else if (t->user)
    host_free(t->host, t->user, t->bytes + ALIGN);
  host_free(t->host, t, sizeof *t);
}

/* The reference of a failed creator: others may have theirs. */
static void tensor_drop(Owned *o) {
  Tensor *t = (Tensor *)(void *)((char *)o - offsetof(Tensor, owned));
  if (--t->refs == 0) tensor_free(t);
}

static Tensor *tensor_header(Host *h, const Type *type) {
  assert(type_fits(type));
  Tensor *t = host_alloc(h, sizeof *t);
  t->host = h;
  t->refs = 1;
  t->type = *type;
  t->bytes = (size_t)type_bytes(type);
  owned_born(h, &t->owned, tensor_drop);
  return t;
}

Tensor *tensor_new(Host *h, const Type *type) {
  Tensor *t = tensor_header(h, type);
  t->user = host_alloc(h, t->bytes + ALIGN);
  t->data = (char *)t->user + (ALIGN - (uintptr_t)t->user % ALIGN);
  return t;
}

Tensor *tensor_borrow(Host *h, const Type *type, void *data, void (*release)(void *, void *), void *user) {
  Tensor *t = tensor_header(h, type);
  t->data = data;
  t->release = release;
  t->user = release ? user : NULL;
  return t;
}

Tensor *tensor_from(Host *h, const Type *type, const void *data) {
  Tensor *t = tensor_new(h, type);
  if (t->bytes) memcpy(t->data, data, t->bytes);
  return t;
}

Tensor *tensor_keep(Tensor *t) {
  owned_keep(&t->owned);
  return t;
}

Tensor *tensor_ref(Tensor *t) {
  t->refs++;
  return t;
}

void tensor_unref(Tensor *t) {
  if (!t) return;
  assert(t->refs > 0);
  owned_keep(&t->owned);
  if (--t->refs == 0) tensor_free(t);
}

typedef struct Hold {
  Owned owned;
  Tensor *tensor;
} Hold;

/* Unlike tensor_unref it leaves a young tensor young: its creator has not had its say. */
static void hold_drop(Owned *o) {
  Tensor *t = ((Hold *)(void *)((char *)o - offsetof(Hold, owned)))->tensor;
  if (--t->refs == 0) tensor_free(t);
}

void tensor_hold(Arena *a, Tensor *t) {
  Hold *hold = NEW(a, Hold);
  owned_born(arena_host(a), &hold->owned, hold_drop);
  hold->tensor = tensor_ref(t);
  arena_own(a, &hold->owned);
}

double tensor_get(const Tensor *t, int64_t i) {
  assert(i >= 0 && i < type_count(&t->type));
  switch ((DType)t->type.dtype) {
#define GET(x, id, name, C, bytes, class, sum, number) case id: return DTYPE_##number##_OF(C, t->data, i);
    DTYPES(GET, )
#undef GET
  case N_DTYPES: break;
  }
  assert(0);
  return 0;
}

void tensor_set(Tensor *t, int64_t i, double v) {
  assert(i >= 0 && i < type_count(&t->type) && t->refs == 1);
  switch ((DType)t->type.dtype) {
#define SET(x, id, name, C, bytes, class, sum, number) case id: ((C *)t->data)[i] = DTYPE_TO_##number(C, v); break;
    DTYPES(SET, )
#undef SET
  case N_DTYPES: assert(0);
  }
}

bool tensor_same_bits(const Tensor *a, const Tensor *b) {
  return type_eq(&a->type, &b->type) && (a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0);
}
