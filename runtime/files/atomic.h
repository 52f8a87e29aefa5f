/* atomic: a file that is there whole or not at all. For the writers of this folder. */
#ifndef RUNTIME_ATOMIC_H
#define RUNTIME_ATOMIC_H
#include "files/stream.h"

typedef struct AtomicFile AtomicFile;

/* NULL on error. A young arena owns it: until atomic_commit, a failure below a guard leaves the folder as it was. */
AtomicFile *atomic_open(Host *h, const char *path, FileError *e);
/* The old file's owner and mode stay, and it has no other name, that would keep the old bytes. */
bool atomic_keeps(const AtomicFile *f);
bool atomic_write(AtomicFile *f, const void *bytes, size_t n, FileError *e);
/* Both end f. After an error nothing is left behind. */
bool atomic_commit(AtomicFile *f, FileError *e);
void atomic_abandon(AtomicFile *f);
#endif
