/* stdlib: the standard library's text, embedded in the library, and where in it a name is defined. A definition is
 * parsed only when its name is first used. Constant data; nothing is allocated.
 */
#ifndef LANG_STDLIB_H
#define LANG_STDLIB_H
#include <stddef.h>
#include <stdint.h>

typedef struct StdFile {
  const char *name;     /* "layers.nn" */
  const char *text;     /* ends with a NUL that n does not count */
  size_t n;
} StdFile;

/* A top-level `fn`, `layer`, `proc`, `optimizer` or `let NAME` of a file. */
typedef struct StdName {
  const char *name;
  int file;             /* index into stdlib_files */
  uint32_t first, end;  /* its bytes of that, end excluded */
} StdName;

extern const StdFile stdlib_files[];      /* ends with a NULL name */
extern const int stdlib_n_files;
extern const StdName stdlib_names[];      /* in byte order; ends with a NULL name */
extern const int stdlib_n_names;

const StdName *stdlib_entry(const char *name);        /* NULL: no file defines it */
int stdlib_find(const char *name);                    /* the file that defines name, or -1 */
int stdlib_find_n(const char *name, size_t n);        /* the same for a name that does not end with NUL */
#endif
