/* inflate: deflated bytes inside a file (a picture's, an archive's), given out as they are asked for. For the readers
 * of this folder. */
#ifndef RUNTIME_INFLATE_H
#define RUNTIME_INFLATE_H
#include "files/stream.h"

/* deflate cannot make more than 1,032 bytes of one */
enum { INFLATE_RATIO = 1032 };

/* Where the deflated bytes come from: up to n of them, none at their end. */
typedef struct Deflated Deflated;
struct Deflated { bool (*more)(Deflated *d, void *to, size_t n, size_t *got, FileError *e); };

typedef struct Inflate Inflate;

/* bare: without zlib's header and checksum around it. All of it lies in a. */
Inflate *inflate_new(Arena *a, const char *path, bool bare, Deflated *from);
/* As stream_read: *got < n only where the data ends as it says itself. */
bool inflate_read(Inflate *i, void *to, size_t n, size_t *got, FileError *e);
#endif
