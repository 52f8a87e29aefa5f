/* file: whole files as bytes. In: a path, and the most that may be read. Out: the bytes in an arena, with a NUL behind
 * them that is not counted; or an error that names the path. A file that grows, shrinks or has no size (a pipe) is read
 * as far as it goes.
 */
#define _POSIX_C_SOURCE 200809L
#include "files/atomic.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ROOM = 1 << 16 };

static bool read_all(Arena *a, const char *path, bool gunzip, size_t max, const char **bytes, size_t *n, FileError *e) {
  Stream *s = stream_open(arena_host(a), path, gunzip, e);
  if (!s) return false;
  int64_t known = stream_size(s);
  size_t room = known >= 0 && (uint64_t)known < max ? (size_t)known + 2 : FIRST_ROOM, at = 0;
  bool good = known < 0 || (uint64_t)known <= max;
  char *to = good ? arena_alloc(a, room) : NULL;
  while (good) {
    size_t got;
    good = stream_read(s, to + at, room - 1 - at, &got, e);
    at += got;
    if (!good || at < room - 1 || at > max) break;
    size_t larger = room;
    if (!size_mul(room, 2, &larger)) break;
    char *moved = arena_alloc(a, larger);
    memcpy(moved, to, at);
    to = moved;
    room = larger;
  }
  stream_close(s);
  if (!to || at > max) {
    file_bad(e, "read", path, "it is larger than the %s bytes that are read at most", number_show(max).text);
    return false;
  }
  if (!good) return false;
  to[at] = 0;
  *bytes = to;
  *n = at;
  return true;
}

bool file_read(Arena *a, const char *path, size_t max, const char **bytes, size_t *n, FileError *e) {
  return read_all(a, path, false, max, bytes, n, e);
}

bool file_read_gz(Arena *a, const char *path, size_t max, const char **bytes, size_t *n, FileError *e) {
  return read_all(a, path, true, max, bytes, n, e);
}

static bool write_out(AtomicFile *f, const void *bytes, size_t n, FileError *e) {
  if (atomic_write(f, bytes, n, e)) return atomic_commit(f, e);
  atomic_abandon(f);
  return false;
}

bool file_write_atomic(Host *h, const char *path, const void *bytes, size_t n, FileError *e) {
  AtomicFile *f = atomic_open(h, path, e);
  return f && write_out(f, bytes, n, e);
}

/* Over the old bytes, once there is room for all of the new ones. */
static bool write_over(int fd, const char *path, const char *bytes, size_t n, FileError *e) {
  int no_room = n ? posix_fallocate(fd, 0, (off_t)n) : 0;
  if (no_room == ENOSPC || no_room == EFBIG || no_room == EDQUOT) return file_bad_errno(e, "write", path, no_room);
  for (size_t at = 0; at < n;) {
    ssize_t k = write(fd, bytes + at, n - at);
    if (k < 0 && errno != EINTR) return file_bad_errno(e, "write", path, errno);
    if (k > 0) at += (size_t)k;
  }
  return (ftruncate(fd, (off_t)n) == 0 && fsync(fd) == 0) || file_bad_errno(e, "write", path, errno);
}

bool file_rewrite(Host *h, const char *path, const void *bytes, size_t n, FileError *e) {
  AtomicFile *f = atomic_open(h, path, e);
  if (!f) return false;
  if (atomic_keeps(f)) return write_out(f, bytes, n, e);
  atomic_abandon(f);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return file_bad_errno(e, "write", path, errno);
  bool good = write_over(fd, path, bytes, n, e);
  return (close(fd) == 0 || (good && file_bad_errno(e, "write", path, errno))) && good;
}
