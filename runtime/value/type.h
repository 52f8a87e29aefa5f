/* type: element types and shapes. A Type is a value; graphs intern theirs, so that in one graph equal types are one
 * pointer. Shapes are numbers, row-major, rank at most MAX_RANK, and a tensor's bytes at most MAX_BYTES.
 */
#ifndef RUNTIME_TYPE_H
#define RUNTIME_TYPE_H
#include "base/arena.h"
#include "value/dtype.h"

enum { MAX_RANK = 16 };
#define MAX_BYTES ((int64_t)1 << 40)

typedef struct Type {
  uint8_t dtype, rank;
  int64_t dim[MAX_RANK];
} Type;

bool dtype_from_name(const char *name, DType *out);

Type type_make(DType d, int rank, const int64_t *dim);
Type type_scalar(DType d);
bool type_eq(const Type *a, const Type *b);
bool type_same_shape(const Type *a, const Type *b);
int64_t type_count(const Type *t);                 /* elements; the type is known to be within limits */
int64_t type_bytes(const Type *t);
bool type_fits(const Type *t);                     /* dims >= 0, no overflow, at most MAX_BYTES */
char *type_show(Arena *a, const Type *t);          /* "f32[2, 3]", "f32[]" */
char *shape_show(Arena *a, const Type *t);         /* "[2, 3]" */
#endif
