/* ffi: a foreign C function as an op, called through libffi. In: a library, a symbol, a signature. Out: an Op like any
 * other, so that the graph, the optimiser and the planner know nothing of it but that it is never folded. The cif is
 * prepared once. Invariant: one call at a time in a session (a foreign op has one unit of work).
 */
#ifndef RUNTIME_FFI_H
#define RUNTIME_FFI_H
#include "graph/op.h"

/* An opened shared object: an Owned, young until library_keep or arena_own(a, &l->owned). */
typedef struct Library { Owned owned; Host *host; void *handle; } Library;

/* NULL and the loader's reason, which is the loader's own text: copy it before the next call. */
Library *library_open(Host *h, const char *path, const char **why);
void *library_symbol(Library *l, const char *name, const char **why);
void library_keep(Library *l);

/* What a foreign function takes. Scalar functions (every argument and the result a scalar type) are mapped over
 * elements; with tensors it is called once: inputs' pointers, the output's pointer, then n_dims int64_t. */
typedef struct ForeignSig {
  const char *name;
  void (*fn)(void);
  uint32_t n_in;
  const DType *in;
  DType out;
  bool scalar;
  uint32_t n_dims;
  const char *const *arg, *const *dim;           /* names, for the prototype; NULL: none. They live as long as the op */
} ForeignSig;

/* The op of that function; lives as long as the arena. NULL if libffi refuses the signature. */
const Op *foreign_op(Arena *a, const ForeignSig *s);
/* A call of it. Scalar: the inputs have one shape, no shape or sizes. Else the result's shape and the sizes to pass. */
NodeId foreign_emit(Graph *g, const Op *op, const NodeId *in, const Type *shape, const int64_t *size, Loc loc,
                    TypeError *e);
const char *foreign_prototype(Arena *a, const Op *op);          /* as C would declare it */
#endif
