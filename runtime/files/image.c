/* image: pictures. In: a path. Out: the type and the greatest sample, or the samples as they are in the file, or an
 * error. PNG is png.c's, netpbm's PGM and PPM (plain and raw) are read here:
 *
 *   P2|P3|P5|P6 width height greatest, apart by blanks and # comments; one blank; samples as decimals (2, 3) or bytes
 *   (5, 6)
 *
 * As everywhere in this folder, nothing is believed and a file ends where it should.
 */
#include <string.h>
#include "files/png.h"

typedef struct Picture {
  Arena *a;
  const char *path;
  Stream *s;
  Type type;
  int32_t white;
  Png *png;                    /* NULL: netpbm, */
  bool plain;                  /* its samples as decimals */
  int byte;                    /* the last one read; -1: the end */
  int64_t at;                  /* how many bytes were read */
} Picture;

static bool next_byte(Picture *p, FileError *e) {
  unsigned char b;
  size_t got;
  if (!stream_read(p->s, &b, 1, &got, e)) return false;
  p->at += (int64_t)got;
  p->byte = got ? b : -1;
  return true;
}

static bool blank(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool digit(int c) { return c >= '0' && c <= '9'; }

/* A number of at most `most`; p->byte stands before it, and then behind it. */
static bool decimal(Picture *p, const char *what, int64_t most, int64_t *out, FileError *e) {
  while (blank(p->byte) || p->byte == '#') {
    bool comment = p->byte == '#';
    do
      if (!next_byte(p, e)) return false;
    while (comment && p->byte != '\n' && p->byte != -1);
  }
  if (p->byte == -1) return file_bad(e, "read", p->path, "it ends where %s should stand", what);
  if (!digit(p->byte)) return file_bad(e, "read", p->path, "byte %lld is no digit of %s", (long long)p->at, what);
  for (*out = 0; digit(p->byte);) {
    *out = *out * 10 + (p->byte - '0');
    if (*out > most) return file_bad(e, "read", p->path, "%s is above %lld", what, (long long)most);
    if (!next_byte(p, e)) return false;
  }
  if (blank(p->byte) || p->byte == '#' || p->byte == -1) return true;
  return file_bad(e, "read", p->path, "byte %lld is no digit of %s", (long long)p->at, what);
}

static bool netpbm_header(Picture *p, char kind, FileError *e) {
  int64_t width, height, white;
  bool colour = kind == '3' || kind == '6';
  p->plain = kind == '2' || kind == '3';
  if (!next_byte(p, e) || !decimal(p, "its width", INT32_MAX, &width, e) || !decimal(p, "its height", INT32_MAX,
                                                                                     &height, e) ||
      !decimal(p, "its greatest sample", 65535, &white, e))
    return false;
  if (!width || !height || !white) return file_bad(e, "read", p->path, "its header has a 0");
  if (!blank(p->byte)) return file_bad(e, "read", p->path, "a blank should follow its header");
  p->white = (int32_t)white;
  p->type = type_make(white > 255 ? I32 : U8, colour ? 3 : 2, (int64_t[]){height, width, 3});
  int64_t size = stream_size(p->s), per = p->plain ? 2 : white > 255 ? 2 : 1;
  if (!type_fits(&p->type) || (size >= 0 && type_count(&p->type) > (size - p->at + p->plain) / per))
    return file_bad(e, "read", p->path, "its header promises %lld x %lld pixels, more than the file holds",
                    (long long)width, (long long)height);
  if (size >= 0 && !p->plain && size - p->at > type_count(&p->type) * per)
    return file_bad(e, "read", p->path, "it has more bytes than its header promises; one picture a file is read");
  return true;
}

static bool netpbm_pixels(Picture *p, Tensor *t, FileError *e) {
  int64_t n = type_count(&p->type);
  uint8_t *u8 = t->data;
  int32_t *i32 = t->data;
  bool wide = p->type.dtype == I32;
  size_t got;
  if (p->plain) {
    for (int64_t k = 0, v; k < n; k++) {
      if (!decimal(p, "a sample", p->white, &v, e)) return false;
      if (wide) i32[k] = (int32_t)v;
      else u8[k] = (uint8_t)v;
    }
    while (blank(p->byte))
      if (!next_byte(p, e)) return false;
    return p->byte == -1 || file_bad(e, "read", p->path, "it has more samples than its header promises");
  }
  size_t bytes = (size_t)n * (wide ? 2 : 1);
  unsigned char *raw = wide ? NEW_N(p->a, unsigned char, bytes) : u8;
  if (!stream_read(p->s, raw, bytes, &got, e)) return false;
  if (got < bytes) return file_bad(e, "read", p->path, "it breaks off; get it again");
  for (int64_t k = 0; k < n; k++) {
    int32_t v = wide ? raw[2 * k] << 8 | raw[2 * k + 1] : raw[k];
    if (v > p->white) return file_bad(e, "read", p->path, "a sample is %d, above the %d of its header", (int)v,
                                      (int)p->white);
    if (wide) i32[k] = v;
  }
  return next_byte(p, e) && (p->byte == -1 || file_bad(e, "read", p->path,
                                                       "it has more bytes than its header promises"));
}

/* What the file is by its first bytes, for those that are not read. */
static const char *other_kind(const unsigned char *b, size_t n) {
  static const struct { const char *mark, *name; } kinds[] = {
      {"\xff\xd8", "JPEG"}, {"GIF8", "GIF"}, {"BM", "BMP"}, {"RIFF", "WebP"}, {"II*", "TIFF"}, {"MM", "TIFF"},
      {"<svg", "SVG"}, {"<?xm", "SVG"}, {"P1", "PBM"}, {"P4", "PBM"}, {"P7", "PAM"}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    if (n >= strlen(kinds[k].mark) && memcmp(b, kinds[k].mark, strlen(kinds[k].mark)) == 0) return kinds[k].name;
  return NULL;
}

static bool opened(Picture *p, Arena *a, const char *path, FileError *e) {
  *p = (Picture){.a = a, .path = path, .s = stream_open(arena_host(a), path, false, e)};
  if (!p->s) return false;
  static const unsigned char png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  unsigned char b[8];
  size_t got, rest;
  bool good = stream_read(p->s, b, 2, &got, e);
  if (good && got == 2 && b[0] == 'P' && strchr("2356", b[1]) && b[1]) {
    p->at = 2;
    good = netpbm_header(p, (char)b[1], e);
  } else if (good) {
    good = stream_read(p->s, b + got, 8 - got, &rest, e);
    got += rest;
    if (good && got == 8 && memcmp(b, png, 8) == 0) {
      p->png = png_open(a, path, p->s, &p->type, &p->white, e);
      good = p->png != NULL;
    } else if (good) {
      const char *kind = other_kind(b, got);
      if (got == 0) good = file_bad(e, "read", path, "the file is empty");
      else
        good = file_bad(e, "read", path,
                        "it is %s%s; PNG, PGM and PPM are read: convert it, e.g. with `magick FILE out.png`",
                        kind ? "a picture as " : "none of the pictures that are read", kind ? kind : "");
    }
  }
  if (!good) stream_close(p->s);
  return good;
}

bool image_type(Arena *a, const char *path, Type *out, int32_t *white, FileError *e) {
  Picture p;
  if (!opened(&p, a, path, e)) return false;
  stream_close(p.s);
  *out = p.type;
  *white = p.white;
  return true;
}

Tensor *image_read(Arena *a, const char *path, FileError *e) {
  Picture p;
  if (!opened(&p, a, path, e)) return NULL;
  Tensor *t = tensor_new(arena_host(a), &p.type);
  bool good = p.png ? png_pixels(p.png, t, e) : netpbm_pixels(&p, t, e);
  stream_close(p.s);
  if (good) return t;
  tensor_unref(t);
  return NULL;
}
