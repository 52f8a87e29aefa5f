/* npz: NumPy's archives: a zip file with an .npy file for each array, stored or deflated. In: a path. Out: names and
 * types, or one of the arrays, or an error.
 *
 *   for each entry: local header, data;  then the directory: an entry each;  then where the directory stands
 *
 * The directory says what there is; of each entry only the array's header is read for its type. Lengths and checksums
 * are compared. Archives above 4 GiB have another directory, and are not read.
 */
#include <string.h>
#include <zlib.h>
#include "files/inflate.h"
#include "files/npy.h"

enum { END_BYTES = 22, ENTRY_BYTES = 46, LOCAL_BYTES = 30, MOST_COMMENT = 65535, MOST_ENTRIES = 65534 };

static const char again[] = "write it again with numpy.savez";

typedef struct Entry { const char *name; uint32_t method, crc; int64_t packed, bytes, at; } Entry;
typedef struct Directory { Entry *entry; uint32_t n; } Directory;

static uint32_t little16(const unsigned char *b) { return (uint32_t)b[0] | (uint32_t)b[1] << 8; }
static uint32_t little32(const unsigned char *b) { return little16(b) | little16(b + 2) << 16; }

static bool read_at(Stream *s, const char *path, int64_t at, void *to, size_t n, FileError *e) {
  size_t got;
  if (at < 0 || at > stream_size(s) || !stream_seek(s, at, e) || !stream_read(s, to, n, &got, e))
    return e->text[0] ? false : file_bad(e, "read", path, "it breaks off; %s", again);
  return got == n || file_bad(e, "read", path, "it breaks off; %s", again);
}

/* Sizes of 64 bits are kept in a field of their own, in this order, where those of 32 bits are all ones. */
static bool wide_sizes(const unsigned char *b, uint32_t n, Entry *entry) {
  for (uint32_t at = 0; at + 4 <= n;) {
    uint32_t id = little16(b + at), size = little16(b + at + 2);
    at += 4;
    if (size > n - at) return false;
    if (id == 1) {
      int64_t *field[] = {&entry->bytes, &entry->packed, &entry->at};
      uint32_t used = 0;
      for (int k = 0; k < 3; k++) {
        if (*field[k] != UINT32_MAX) continue;
        if (used + 8 > size || little32(b + at + used + 4)) return false;
        *field[k] = little32(b + at + used);
        used += 8;
      }
    }
    at += size;
  }
  return true;
}

static bool read_entry(Arena *a, const char *path, const unsigned char *b, size_t n, Entry *out, size_t *used,
                       FileError *e) {
  if (n < ENTRY_BYTES || little32(b) != 0x02014b50) return file_bad(e, "read", path, "its directory is damaged; %s",
                                                                    again);
  uint32_t name = little16(b + 28), extra = little16(b + 30), comment = little16(b + 32);
  *used = (size_t)ENTRY_BYTES + name + extra + comment;
  if (*used > n) return file_bad(e, "read", path, "its directory is damaged; %s", again);
  *out = (Entry){arena_text(a, (const char *)b + ENTRY_BYTES, name), little16(b + 10), little32(b + 16),
                 little32(b + 20), little32(b + 24), little32(b + 42)};
  if (strlen(out->name) != name || !wide_sizes(b + ENTRY_BYTES + name, extra, out))
    return file_bad(e, "read", path, "its directory is damaged; %s", again);
  if (little16(b + 8) & 1) return file_bad(e, "read", path, "its entry `%s` is encrypted", out->name);
  if (out->method != 0 && out->method != 8)
    return file_bad(e, "read", path, "its entry `%s` is compressed by method %u; stored and deflated ones are read",
                    out->name, out->method);
  if (name < 5 || strcmp(out->name + name - 4, ".npy") != 0)
    return file_bad(e, "read", path, "its entry `%s` is no array; is it an .npz file?", out->name);
  ((char *)(uintptr_t)out->name)[name - 4] = 0;
  return true;
}

static bool read_directory(Arena *a, const char *path, Stream *s, Directory *d, FileError *e) {
  int64_t size = stream_size(s);
  if (size < END_BYTES) return file_bad(e, "read", path, "it is no zip archive, as .npz files are");
  size_t tail = size < END_BYTES + MOST_COMMENT ? (size_t)size : END_BYTES + MOST_COMMENT;
  unsigned char *b = NEW_N(a, unsigned char, tail);
  if (!read_at(s, path, size - (int64_t)tail, b, tail, e)) return false;
  size_t k = tail - END_BYTES + 1;
  while (k-- > 0)
    if (little32(b + k) == 0x06054b50 && little16(b + k + 20) == tail - k - END_BYTES) break;
  if (k == SIZE_MAX) return file_bad(e, "read", path, "it is no zip archive, as .npz files are, or breaks off");
  uint32_t n = little16(b + k + 10), bytes = little32(b + k + 12), at = little32(b + k + 16);
  if (n > MOST_ENTRIES || at == UINT32_MAX)
    return file_bad(e, "read", path, "it is larger than 4 GiB or has too many arrays: save them as .npy files");
  if (little16(b + k + 8) != n || (int64_t)at + bytes > size - (int64_t)(tail - k))
    return file_bad(e, "read", path, "its directory is damaged; %s", again);
  unsigned char *text = NEW_N(a, unsigned char, bytes + 1);
  *d = (Directory){NEW_N(a, Entry, n + 1), n};
  if (!read_at(s, path, at, text, bytes, e)) return false;
  size_t from = 0;
  for (uint32_t i = 0; i < n; i++) {
    size_t used = 0;
    if (!read_entry(a, path, text + from, bytes - from, &d->entry[i], &used, e)) return false;
    from += used;
    for (uint32_t j = 0; j < i; j++)
      if (strcmp(d->entry[i].name, d->entry[j].name) == 0)
        return file_bad(e, "read", path, "it has two arrays `%s`; %s", d->entry[i].name, again);
  }
  return true;
}

/* ---- one entry ---- */
typedef struct EntrySource {
  NpySource source;                    /* its bytes, unpacked; first, so that it is this */
  Deflated from;                       /* its bytes as they are in the file */
  Stream *s;
  const Entry *entry;
  Inflate *inflate;                    /* NULL: stored */
  int64_t left, given;                 /* packed bytes not yet read; bytes given out */
  uint32_t crc;
} EntrySource;

static bool packed_more(Deflated *d, void *to, size_t n, size_t *got, FileError *e) {
  EntrySource *s = (EntrySource *)(void *)((char *)d - offsetof(EntrySource, from));
  if (!stream_read(s->s, to, (int64_t)n < s->left ? n : (size_t)s->left, got, e)) return false;
  s->left -= (int64_t)*got;
  return true;
}

static bool entry_read(NpySource *source, void *to, size_t n, size_t *got, FileError *e) {
  EntrySource *s = (EntrySource *)(void *)source;
  if (!(s->inflate ? inflate_read(s->inflate, to, n, got, e) : packed_more(&s->from, to, n, got, e))) return false;
  for (size_t at = 0; at < *got;) {
    size_t part = *got - at > 1 << 30 ? 1 << 30 : *got - at;
    s->crc = (uint32_t)crc32(s->crc, (const unsigned char *)to + at, (uInt)part);
    at += part;
  }
  s->given += (int64_t)*got;
  return true;
}

/* The header of an entry's array. path: what errors call it. */
static bool entry_open(Arena *a, const char *path, Stream *s, const Entry *entry, EntrySource *out, NpyHeader *h,
                       FileError *e) {
  unsigned char b[LOCAL_BYTES];
  if (!read_at(s, path, entry->at, b, LOCAL_BYTES, e)) return false;
  int64_t from = entry->at + LOCAL_BYTES + little16(b + 26) + little16(b + 28);
  if (little32(b) != 0x04034b50 || from + entry->packed > stream_size(s))
    return file_bad(e, "read", path, "the archive is damaged; %s", again);
  if (!stream_seek(s, from, e)) return false;
  *out = (EntrySource){
      .source.read = entry_read, .from.more = packed_more, .s = s, .entry = entry, .left = entry->packed};
  if (entry->method) out->inflate = inflate_new(a, path, true, &out->from);
  if (!npy_header(a, path, &out->source, h, e)) return false;
  if (h->bytes > entry->bytes ||
      (entry->method ? entry->bytes / INFLATE_RATIO > entry->packed : entry->bytes != entry->packed))
    return file_bad(e, "read", path, "its header promises more than the archive holds; %s", again);
  return true;
}

static const char *entry_path(Arena *a, const char *path, const char *name) {
  return arena_printf(a, "%s: %s", path, name);
}

static Stream *opened(Arena *a, const char *path, Directory *d, FileError *e) {
  Stream *s = stream_open_regular(arena_host(a), path, e);
  if (s && read_directory(a, path, s, d, e)) return s;
  stream_close(s);
  return NULL;
}

bool npz_types(Arena *a, const char *path, NamedType **out, uint32_t *n, FileError *e) {
  Directory d;
  Stream *s = opened(a, path, &d, e);
  if (!s) return false;
  NamedType *t = NEW_N(a, NamedType, d.n + 1);
  bool good = true;
  for (uint32_t k = 0; good && k < d.n; k++) {
    EntrySource source;
    NpyHeader h;
    good = entry_open(a, entry_path(a, path, d.entry[k].name), s, &d.entry[k], &source, &h, e);
    if (good) t[k] = (NamedType){d.entry[k].name, h.type};
  }
  stream_close(s);
  *out = t;
  *n = d.n;
  return good;
}

Tensor *npz_read(Arena *a, const char *path, const char *name, FileError *e) {
  Directory d;
  Stream *s = opened(a, path, &d, e);
  if (!s) return NULL;
  Tensor *t = NULL;
  uint32_t k = 0;
  while (k < d.n && strcmp(d.entry[k].name, name) != 0) k++;
  if (k == d.n) file_bad(e, "read", path, "it has no array `%s`", name);
  else {
    EntrySource source;
    NpyHeader h;
    const char *shown = entry_path(a, path, name);
    if (entry_open(a, shown, s, &d.entry[k], &source, &h, e)) t = npy_elements(a, shown, &source.source, &h, e);
    if (t && (source.given != d.entry[k].bytes || source.crc != d.entry[k].crc)) {
      file_bad(e, "read", shown, "its length or checksum is wrong; %s", again);
      tensor_unref(t);
      t = NULL;
    }
  }
  stream_close(s);
  return t;
}
