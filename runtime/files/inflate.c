/* inflate: see inflate.h. zlib's state lies in the caller's arena, so a failed allocation in the middle of zlib leaks
 * nothing. Data that breaks off, is damaged or has a wrong checksum is an error that names the file.
 */
#include "files/inflate.h"
#include <zlib.h>

enum { AHEAD = 1 << 15 };

struct Inflate {
  const char *path;
  Deflated *from;
  bool ended;
  z_stream z;
  unsigned char ahead[AHEAD];
};

static voidpf z_take(voidpf arena, uInt n, uInt size) { return arena_array(arena, size, n); }
static void z_give(voidpf arena, voidpf p) { (void)arena, (void)p; }

Inflate *inflate_new(Arena *a, const char *path, bool bare, Deflated *from) {
  Inflate *i = NEW(a, Inflate);
  i->path = path;
  i->from = from;
  i->z.zalloc = z_take;
  i->z.zfree = z_give;
  i->z.opaque = a;
  if (inflateInit2(&i->z, bare ? -15 : 15) != Z_OK) host_fail(arena_host(a), FAIL_BUG, "zlib does not start");
  return i;
}

bool inflate_read(Inflate *i, void *to, size_t n, size_t *got, FileError *e) {
  *got = 0;
  while (*got < n && !i->ended) {
    if (i->z.avail_in == 0) {
      size_t more;
      if (!i->from->more(i->from, i->ahead, AHEAD, &more, e)) return false;
      if (more == 0) return file_bad(e, "read", i->path, "its compressed data breaks off before its end");
      i->z.next_in = i->ahead;
      i->z.avail_in = (uInt)more;
    }
    size_t room = n - *got;
    if (room > UINT32_MAX / 2) room = UINT32_MAX / 2;
    i->z.next_out = (unsigned char *)to + *got;
    i->z.avail_out = (uInt)room;
    int code = inflate(&i->z, Z_NO_FLUSH);
    *got += room - i->z.avail_out;
    if (code == Z_STREAM_END) i->ended = true;
    else if (code != Z_OK && code != Z_BUF_ERROR)
      return file_bad(e, "read", i->path, "its compressed data is damaged; get it again");
  }
  return true;
}
