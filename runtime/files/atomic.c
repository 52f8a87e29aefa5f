/* atomic: a file that is there whole or not at all. In: a path and bytes. Out: the new file under its name, or the old
 * one untouched and nothing beside it.
 *
 * The bytes go into a temporary of the same folder, are forced to the disk, and then take the name in one rename; the
 * folder is forced to the disk too, so that a power failure afterwards finds the new file. A link is followed: what it
 * points to is replaced. What is no regular file (a pipe, /dev/null) is written in place, because a rename would take
 * its name away.
 */
#define _XOPEN_SOURCE 700
#include "files/atomic.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TRIES = 1000 };

struct AtomicFile {
  Owned owned;
  Arena *arena;
  const char *path, *real, *temporary;   /* temporary: NULL when written in place */
  int fd;
};

static void atomic_drop(Owned *o) {
  AtomicFile *f = (AtomicFile *)o;
  if (f->fd >= 0) close(f->fd);
  if (f->temporary) unlink(f->temporary);
}

static const char *folder_of(Arena *a, const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return ".";
  return slash == path ? "/" : arena_text(a, path, (size_t)(slash - path));
}

AtomicFile *atomic_open(Host *h, const char *path, FileError *e) {
  Arena *a = arena_new(h);
  AtomicFile *f = NEW(a, AtomicFile);
  f->arena = a;
  f->path = f->real = arena_text(a, path, strlen(path));
  f->fd = -1;
  char *room = NULL;
  struct stat st;
  bool there = stat(path, &st) == 0;
  if (there && S_ISDIR(st.st_mode)) {
    file_bad_errno(e, "write", path, EISDIR);
    goto bad;
  }
  owned_born(h, &f->owned, atomic_drop);
  arena_own(a, &f->owned);
  if (there && !S_ISREG(st.st_mode)) {
    f->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (f->fd >= 0) return f;
    file_bad_errno(e, "write", path, errno);
    goto bad;
  }
  if (there && access(path, W_OK) != 0) {
    file_bad_errno(e, "write", path, errno);
    goto bad;
  }
  room = there ? arena_alloc(a, PATH_MAX) : NULL;
  if (room && realpath(path, room)) f->real = room;
  const char *folder = folder_of(a, f->real);
  size_t most = strlen(folder) + 64;
  char *name = arena_alloc(a, most);
  for (int k = 0; k < MOST_TRIES && f->fd < 0; k++) {
    snprintf(name, most, "%s/.glia-%ld-%d.part", folder, (long)getpid(), k);
    f->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0 && errno != EEXIST) break;
  }
  if (f->fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      file_bad(e, "write", path, "there is no folder `%s`; make it first", folder);
    else file_bad_errno(e, "write", path, errno);
    goto bad;
  }
  f->temporary = name;
  if (there) (void)!fchmod(f->fd, st.st_mode & 07777);
  return f;
bad:
  arena_free(a);
  return NULL;
}

void atomic_abandon(AtomicFile *f) {
  if (f) arena_free(f->arena);
}

bool atomic_write(AtomicFile *f, const void *bytes, size_t n, FileError *e) {
  const char *at = bytes;
  while (n > 0) {
    ssize_t k = write(f->fd, at, n);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) return file_bad_errno(e, "write", f->path, errno);
    at += k;
    n -= (size_t)k;
  }
  return true;
}

/* A file system that cannot do it says EINVAL; a pipe too. */
static bool force(int fd) { return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS; }

bool atomic_commit(AtomicFile *f, FileError *e) {
  bool good = force(f->fd) || file_bad_errno(e, "write", f->path, errno);
  int fd = f->fd;
  f->fd = -1;
  if (close(fd) != 0 && errno != EINTR && good) good = file_bad_errno(e, "write", f->path, errno);
  if (good && f->temporary) {
    if (rename(f->temporary, f->real) != 0) good = file_bad_errno(e, "write", f->path, errno);
    else f->temporary = NULL;
  }
  if (good) {
    /* the name is taken: what may still fail is only that the folder's entry is not on the disk yet */
    int folder = open(folder_of(f->arena, f->real), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
      if (!force(folder)) good = file_bad(e, "write", f->path, "it is written, but the disk does not confirm its name");
      close(folder);
    }
  }
  arena_free(f->arena);
  return good;
}
