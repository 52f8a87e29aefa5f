/* folder: what stands in a folder, for messages about a file that does not.
 */
#ifndef LANG_FOLDER_H
#define LANG_FOLDER_H
#include "text/diag.h"

/* "data/mnst.csv" to "data/mnist.csv", if such a file is there: the path with the nearest name of its folder, or NULL.
 * suffix: only files that end so, and it may have been left out; NULL: any. */
const char *folder_near(Arena *a, const char *path, const char *suffix);
/* The first part of the path that is no folder, if that is not its last part; else NULL. */
const char *folder_missing(Arena *a, const char *path);
#endif
