/* folder: a name like the one that is not there. In: a path. Out: the nearest name in its folder, or which folder is missing.
 * What a folder cannot say (it is unreadable, or huge) is simply not offered.
 */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_NAMES = 4096 };

const char *folder_near(Arena *a, const char *path, const char *suffix) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  DIR *dir = opendir(slash ? arena_text(a, path, (size_t)(slash - path + (slash == path))) : ".");
  if (!dir) return NULL;
  VEC(const char *) names = {0};
  size_t end = suffix ? strlen(suffix) : 0;
  for (struct dirent *d; names.n < MOST_NAMES && (d = readdir(dir));) {
    size_t n = strlen(d->d_name);
    if (d->d_name[0] != '.' && n > end && (!suffix || !strcmp(d->d_name + n - end, suffix)))
      vec_push(a, &names, arena_text(a, d->d_name, n));
  }
  closedir(dir);
  const char *near = nearest(name, names.at, names.n);
  if (!near && suffix) near = nearest(arena_printf(a, "%s%s", name, suffix), names.at, names.n);
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
