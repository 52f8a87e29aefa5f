/* folder: a name like the one that is not there. In: a path. Out: the nearest name in its folder, or which folder is
 * missing. What a folder cannot say (it is unreadable, or huge) is simply not offered.
 */
#define _POSIX_C_SOURCE 200809L
#include "text/folder.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_NAMES = 1024, LONGEST_NAME = 65 };    /* nearest looks at no longer ones */

/* Nothing is allocated while the folder is open: an allocation that fails leaves by a jump. */
const char *folder_near(Arena *a, const char *path, const char *suffix) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  const char *folder = slash ? arena_text(a, path, (size_t)(slash - path + (slash == path))) : ".";
  char(*text)[LONGEST_NAME] = arena_alloc(a, MOST_NAMES * sizeof *text);
  const char **names = NEW_N(a, const char *, MOST_NAMES);
  size_t end = suffix ? strlen(suffix) : 0, count = 0;
  DIR *dir = opendir(folder);
  if (!dir) return NULL;
  for (struct dirent *d; count < MOST_NAMES && (d = readdir(dir));) {
    size_t n = strlen(d->d_name);
    if (d->d_name[0] == '.' || n <= end || n >= LONGEST_NAME) continue;
    if (suffix && strcmp(d->d_name + n - end, suffix) != 0) continue;
    names[count] = memcpy(text[count], d->d_name, n + 1);
    count++;
  }
  closedir(dir);
  const char *near = nearest(name, names, count);
  if (!near && suffix) near = nearest(arena_printf(a, "%s%s", name, suffix), names, count);
  return near && slash ? arena_printf(a, "%.*s/%s", (int)(slash - path), path, near) : near;
}

const char *folder_missing(Arena *a, const char *path) {
  struct stat st;
  for (const char *p = strchr(path + (*path == '/'), '/'); p; p = strchr(p + 1, '/')) {
    const char *part = arena_text(a, path, (size_t)(p - path));
    if (stat(part, &st) != 0 || !S_ISDIR(st.st_mode)) return part;
  }
  return NULL;
}
