/* atomic: a file that is there whole or not at all. In: a path and bytes. Out: the new file under its name, or the old
 * one untouched and nothing beside it.
 *
 * The bytes go into a temporary of the same folder, are forced to the disk, and then take the name in one rename; the
 * folder is forced to the disk too, so that a power failure afterwards finds the new file. A link is followed: what it
 * points to is replaced. What is no regular file (a pipe, /dev/null) is written in place, because a rename would take
 * its name away.
 *
 * A writer holds a lock on its temporary, which ends with it however it ends: a temporary whose lock can be had is of a
 * writer that was killed, and the next one in the folder takes it away.
 */
#define _DEFAULT_SOURCE                /* flock */
#define _XOPEN_SOURCE 700
#include "files/atomic.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TRIES = 1000 };

struct AtomicFile {
  Owned owned;
  Arena *arena;
  const char *path, *real, *temporary;   /* temporary: NULL when written in place */
  int fd;
  size_t written;
  bool other;                            /* what takes the name is not its file with other bytes: see atomic_keeps */
};

static void atomic_drop(Owned *o) {
  AtomicFile *f = (AtomicFile *)o;
  if (f->temporary) unlink(f->temporary);        /* while its lock is held: the name is nobody else's */
  if (f->fd >= 0) close(f->fd);
}

static const char *folder_of(Arena *a, const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return ".";
  return slash == path ? "/" : arena_text(a, path, (size_t)(slash - path));
}

/* A new file with the lock of a living writer, or -1. Where there are no locks nobody gets them, to take it away. */
static int temporary_open(const char *name) {
  int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  struct stat st;
  if (fd < 0) return fd;
  bool taken = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (!taken && fstat(fd, &st) == 0 && st.st_nlink > 0) return fd;
  close(fd);                           /* between the two lines it was taken for one that was left behind */
  errno = EEXIST;
  return -1;
}

/* Removes it if nobody writes it. */
static void sweep_one(int folder, const char *name) {
  struct stat st, there;
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
      fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == st.st_ino && there.st_dev == st.st_dev)
    unlinkat(folder, name, 0);
  close(fd);
}

/* What killed writers left in a folder. */
static void sweep(const char *path) {
  DIR *d = opendir(path);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    long id;
    int k, used = 0;
    if (sscanf(e->d_name, ".glia-%ld-%d.part%n", &id, &k, &used) == 2 && used && !e->d_name[used])
      sweep_one(dirfd(d), e->d_name);
  }
  closedir(d);
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
    f->fd = temporary_open(name);
    if (f->fd < 0 && errno != EEXIST) break;
  }
  if (f->fd < 0) {
    int why = errno;
    if (why != ENOENT && why != ENOTDIR) file_bad_errno(e, "write", path, why);
    else if (access(folder, F_OK) == 0) file_bad(e, "write", path, "`%s` takes no new files", folder);
    else file_bad(e, "write", path, "there is no folder `%s`; make it first", folder);
    goto bad;
  }
  f->temporary = name;
  if (there) {
    f->other = fchown(f->fd, st.st_uid, st.st_gid) != 0;       /* who may not give a file away has it afterwards */
    f->other |= fchmod(f->fd, st.st_mode & 07777) != 0 || st.st_nlink > 1;
  }
  sweep(folder);
  return f;
bad:
  arena_free(a);
  return NULL;
}

bool atomic_keeps(const AtomicFile *f) { return !f->other; }

void atomic_abandon(AtomicFile *f) {
  if (f) arena_free(f->arena);
}

bool atomic_write(AtomicFile *f, const void *bytes, size_t n, FileError *e) {
  const char *at = bytes;
  struct rlimit most;
  /* beyond it a write may be a signal that ends the host */
  if (f->temporary && getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY &&
      (n > most.rlim_cur || f->written > most.rlim_cur - n))
    return file_bad_errno(e, "write", f->path, EFBIG);
  f->written += n;
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
  if (good && f->temporary) {            /* still locked: nobody takes it for one that was left behind */
    if (rename(f->temporary, f->real) != 0) good = file_bad_errno(e, "write", f->path, errno);
    else f->temporary = NULL;
  }
  int fd = f->fd;
  f->fd = -1;
  if (close(fd) != 0 && errno != EINTR && good) good = file_bad_errno(e, "write", f->path, errno);
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
