/* ffi: a foreign C function as an op, called through libffi. The cif is prepared once. */
#ifndef RUNTIME_FFI_H
#define RUNTIME_FFI_H
#include "op.h"

typedef struct Library Library;                  /* an opened shared object, an Owned */
Library *library_open(Host *h, const char *path, const char **why);   /* NULL and the loader's reason */
void *library_symbol(Library *l, const char *name, const char **why);

/* What a foreign function takes. Scalar functions (every argument and the result a scalar type) are mapped over
 * elements; with tensors it is called once: inputs' pointers, the outputs' pointers, then n_dims int64_t. */
typedef struct ForeignSig {
  const char *name;
  void (*fn)(void);
  uint32_t n_in;
  const DType *in;
  DType out;
  bool scalar;
  uint32_t n_dims;
} ForeignSig;

/* The op of that function; lives as long as the arena. attr->i of its nodes: rank and dims of the result, then the
 * n_dims sizes to pass. */
const Op *foreign_op(Arena *a, const ForeignSig *s);
Kernel foreign_kernel(const Op *op);             /* op->id == OP_foreign */
#endif
