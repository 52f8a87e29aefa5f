/* stream: bytes of a file from front to back. In: a path. Out: as many bytes as asked for, or a text that says why not.
 *
 * Read, never mapped: a file that somebody truncates meanwhile is then an error and no SIGBUS. Everything that a stream
 * holds lies in an arena of its own, zlib's state included, and the descriptor is one of that arena's things, so a
 * failed allocation in the middle of zlib leaks nothing. zlib checks gzip's checksum and length at the end of each
 * member; a reader that wants them checked reads until fewer bytes come than it asked for.
 */
#define _POSIX_C_SOURCE 200809L
#include "files/stream.h"
#include "base/digest.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 16, PIECE = 1 << 20, SHOWN_PATH = 240 };
/* deflate cannot make more than 1,032 bytes of one */
enum { LARGEST_RATIO = 1032 };

struct Stream {
  Owned owned;
  Arena *arena;
  const char *path;
  int fd;
  bool gzip, ended, finished;   /* ended: no more bytes in the file. finished: none will come out any more */
  int64_t size;                 /* of the file; -1: not a regular one */
  unsigned char *ahead;         /* read, not yet given */
  size_t from, to;
  Digest digest;                /* of all that was read */
  z_stream z;
};

bool file_bad(FileError *e, const char *to_do, const char *path, const char *fmt, ...) {
  const char *shown = path, *dots = "";
  size_t n = strlen(path);
  if (n > SHOWN_PATH) {
    dots = "...";
    shown = path + n - SHOWN_PATH;
    while (((unsigned char)*shown & 0xC0) == 0x80) shown++;
  }
  int at = snprintf(e->text, sizeof e->text, "cannot %s `%s%s`: ", to_do, dots, shown);
  if (at < 0 || (size_t)at >= sizeof e->text) return false;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(e->text + at, sizeof e->text - (size_t)at, fmt, ap);
  va_end(ap);
  return false;
}

bool file_bad_errno(FileError *e, const char *to_do, const char *path, int code) {
  char why[128];
  switch (code) {
  case ENOENT: return file_bad(e, to_do, path, "there is no such file or folder");
  case EISDIR: return file_bad(e, to_do, path, "it is a folder, not a file");
  case EACCES: case EPERM: return file_bad(e, to_do, path, "no permission; see `ls -l` for whose it is");
  case ENOSPC: return file_bad(e, to_do, path, "the disk is full; nothing was changed");
  case EDQUOT: return file_bad(e, to_do, path, "your quota of the disk is used up; nothing was changed");
  case EFBIG: return file_bad(e, to_do, path, "it would be larger than files may be here; nothing was changed");
  case EROFS: return file_bad(e, to_do, path, "the disk is mounted for reading only");
  default: break;
  }
  if (strerror_r(code, why, sizeof why) != 0) snprintf(why, sizeof why, "error %d of the system", code);
  return file_bad(e, to_do, path, "%s", why);
}

Number number_show(uint64_t n) {
  Number out = {{0}};
  char digits[24];
  int k = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  char *p = out.text;
  for (int i = 0; i < k; i++) {
    if (i && (k - i) % 3 == 0) *p++ = ',';
    *p++ = digits[i];
  }
  return out;
}

void elements_order(void *data, size_t size, int64_t n, bool big) {
  const uint16_t probe = 1;
  bool here_big = *(const unsigned char *)&probe == 0;
  if (size == 1 || here_big == big) return;
  unsigned char *p = data;
  for (int64_t k = 0; k < n; k++, p += size)
    for (size_t i = 0; i < size / 2; i++) {
      unsigned char b = p[i];
      p[i] = p[size - 1 - i];
      p[size - 1 - i] = b;
    }
}

static void stream_drop(Owned *o) { close(((Stream *)o)->fd); }

static voidpf z_take(voidpf arena, uInt n, uInt size) { return arena_array(arena, size, n); }

static void z_give(voidpf arena, voidpf p) {
  (void)arena;
  (void)p;
}

/* A piece of the file: in pieces, so that who wants to stop need not wait for all of it. */
static bool read_piece(Stream *s, void *to, size_t n, size_t *got, FileError *e) {
  ssize_t k;
  do {
    host_go_on(arena_host(s->arena));
    k = read(s->fd, to, n < PIECE ? n : PIECE);
  } while (k < 0 && errno == EINTR);
  if (k < 0) return file_bad_errno(e, "read", s->path, errno);
  if (k == 0) s->ended = true;
  *got = (size_t)k;
  digest_add(&s->digest, to, *got);
  e->digest = digest_end(&s->digest);
  return true;
}

/* At least n bytes ahead, unless the file ends before. */
static bool look_ahead(Stream *s, size_t n, FileError *e) {
  while (s->to - s->from < n && !s->ended) {
    if (s->from > 0) {
      memmove(s->ahead, s->ahead + s->from, s->to - s->from);
      s->to -= s->from;
      s->from = 0;
    }
    size_t got;
    if (!read_piece(s, s->ahead + s->to, CHUNK - s->to, &got, e)) return false;
    s->to += got;
  }
  return true;
}

Stream *stream_open(Host *h, const char *path, bool gunzip, FileError *e) {
  Arena *a = arena_new(h);
  Stream *s = NEW(a, Stream);
  s->arena = a;
  s->path = arena_text(a, path, strlen(path));
  s->ahead = arena_alloc(a, CHUNK);
  do {                          /* a pipe waits for who writes */
    host_go_on(h);
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
  } while (s->fd < 0 && errno == EINTR);
  if (s->fd < 0) {
    file_bad_errno(e, "read", path, errno);
    arena_free(a);
    return NULL;
  }
  owned_born(h, &s->owned, stream_drop);
  arena_own(a, &s->owned);
  struct stat st;
  bool good = fstat(s->fd, &st) == 0 || file_bad_errno(e, "read", path, errno);
  if (good && S_ISDIR(st.st_mode)) good = file_bad_errno(e, "read", path, EISDIR);
  if (!good || !look_ahead(s, 2, e)) {
    arena_free(a);
    return NULL;
  }
  s->size = S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
  if (gunzip && s->to >= 2 && s->ahead[0] == 0x1f && s->ahead[1] == 0x8b) {
    s->gzip = true;
    s->z.zalloc = z_take;
    s->z.zfree = z_give;
    s->z.opaque = a;
    if (inflateInit2(&s->z, 15 + 16) != Z_OK) host_fail(h, FAIL_BUG, "zlib does not start");
  }
  return s;
}

Stream *stream_open_regular(Host *h, const char *path, FileError *e) {
  struct stat st;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
    file_bad(e, "read", path, "it is no regular file; copy what it holds into one first");
    return NULL;
  }
  return stream_open(h, path, false, e);
}

void stream_close(Stream *s) {
  if (s) arena_free(s->arena);
}

bool stream_seek(Stream *s, int64_t at, FileError *e) {
  if (lseek(s->fd, (off_t)at, SEEK_SET) < 0) return file_bad_errno(e, "read", s->path, errno);
  s->from = s->to = 0;
  s->ended = false;
  return true;
}

int64_t stream_size(const Stream *s) { return s->gzip ? -1 : s->size; }

int64_t stream_at_most(const Stream *s) {
  if (s->size < 0 || !s->gzip) return s->size;
  return s->size > INT64_MAX / LARGEST_RATIO ? INT64_MAX : s->size * LARGEST_RATIO;
}

/* After a member: another one, or zeros that fill a tape's block, or the end. */
static bool next_member(Stream *s, FileError *e) {
  do {
    if (!look_ahead(s, 2, e)) return false;
    if (s->from == s->to) {
      s->finished = true;
      return true;
    }
  } while (s->ahead[s->from] == 0 && ++s->from);
  if (s->to - s->from < 2 || s->ahead[s->from] != 0x1f || s->ahead[s->from + 1] != 0x8b)
    return file_bad(e, "read", s->path, "something that is not gzip follows the gzip data; download it again");
  inflateReset(&s->z);
  return true;
}

static bool gunzip_some(Stream *s, unsigned char *to, size_t n, size_t *got, FileError *e) {
  while (*got < n && !s->finished) {
    if (!look_ahead(s, 1, e)) return false;
    if (s->from == s->to)
      return file_bad(e, "read", s->path, "the gzip data breaks off before its end; download it again");
    size_t room = n - *got, had = s->to - s->from;
    if (room > UINT32_MAX / 2) room = UINT32_MAX / 2;
    s->z.next_in = s->ahead + s->from;
    s->z.avail_in = (uInt)had;
    s->z.next_out = to + *got;
    s->z.avail_out = (uInt)room;
    int code = inflate(&s->z, Z_NO_FLUSH);
    s->from += had - s->z.avail_in;
    *got += room - s->z.avail_out;
    if (code == Z_STREAM_END) {
      if (!next_member(s, e)) return false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      /* zlib's own words are for its makers */
      const char *said = s->z.msg ? s->z.msg : "", *why = "the gzip data is damaged";
      if (strcmp(said, "incorrect data check") == 0) why = "the checksum of the gzip data is wrong";
      else if (strcmp(said, "incorrect length check") == 0) why = "the length at the end of the gzip data is wrong";
      return file_bad(e, "read", s->path, "%s; download it again", why);
    }
  }
  return true;
}

bool stream_read(Stream *s, void *to, size_t n, size_t *got, FileError *e) {
  unsigned char *at = to;
  *got = 0;
  if (s->gzip) return gunzip_some(s, at, n, got, e);
  size_t ready = s->to - s->from < n ? s->to - s->from : n;
  if (ready) memcpy(at, s->ahead + s->from, ready);
  s->from += ready;
  *got = ready;
  while (*got < n && !s->ended) {
    size_t more;
    if (!read_piece(s, at + *got, n - *got, &more, e)) return false;
    *got += more;
  }
  return true;
}
