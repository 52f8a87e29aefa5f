/* npy: reading NumPy's arrays from wherever their bytes come: a file, or an entry of an .npz. For the readers of this
 * folder. */
#ifndef RUNTIME_NPY_H
#define RUNTIME_NPY_H
#include "files/atomic.h"

typedef struct NpySource NpySource;
struct NpySource {
  bool (*read)(NpySource *s, void *to, size_t n, size_t *got, FileError *e);      /* as stream_read */
};

typedef struct NpyHeader {
  Type type;                  /* as read */
  uint8_t size;               /* bytes of an element in the file */
  bool big, fortran;
  int64_t bytes;              /* of all elements in the file */
} NpyHeader;

/* The header, behind which the source then stands. */
bool npy_header(Arena *a, const char *path, NpySource *s, NpyHeader *h, FileError *e);
/* The rest: elements and the end. Young; NULL on error. The caller has seen that so many bytes can be there. */
Tensor *npy_elements(Arena *a, const char *path, NpySource *s, const NpyHeader *h, FileError *e);
#endif
