/* tensor: dtype, shape and bytes: contiguous, row-major, 64-byte aligned, reference-counted. An Owned: young from
 * tensor_new until tensor_keep. A tensor with more than one reference is never written.
 */
#ifndef RUNTIME_TENSOR_H
#define RUNTIME_TENSOR_H
#include "value/type.h"

typedef struct Tensor {
  Owned owned;
  Host *host;
  uint32_t refs;
  Type type;
  size_t bytes;
  void *data;
  void (*release)(void *user, void *data);         /* a host's own buffer; NULL: ours */
  void *user;
} Tensor;

Tensor *tensor_new(Host *h, const Type *t);        /* zeroed, one reference, young */
Tensor *tensor_borrow(Host *h, const Type *t, void *data, void (*release)(void *, void *), void *user);
Tensor *tensor_from(Host *h, const Type *t, const void *data);
Tensor *tensor_keep(Tensor *t);                    /* a holder takes the young reference */
Tensor *tensor_ref(Tensor *t);                     /* one more reference */
void tensor_unref(Tensor *t);                      /* gives up the caller's, young or not; NULL is fine */
void tensor_hold(Arena *a, Tensor *t);             /* the arena has one more reference until it dies */
double tensor_get(const Tensor *t, int64_t i);     /* element i of the flat order, as a double */
void tensor_set(Tensor *t, int64_t i, double v);
bool tensor_same_bits(const Tensor *a, const Tensor *b);
#endif
