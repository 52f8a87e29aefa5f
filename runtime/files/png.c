/* png: see png.h. In: a stream of chunks. Out: samples as the file has them, a palette's as its colours; transparency
 * is one more channel.
 *
 *   length type data crc, ...: IHDR, perhaps PLTE and tRNS, IDAT one behind another, IEND
 *
 * Nothing is believed: every checksum is compared, a chunk that must be understood and is not is an error, and before
 * memory is taken the file must be large enough to hold so many pixels. Colour spaces and other remarks are passed
 * over.
 */
#include "files/png.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "files/inflate.h"

enum { GRAY = 0, RGB = 2, PALETTE = 3, GRAY_ALPHA = 4, RGB_ALPHA = 6 };

struct Png {
  Deflated from;                       /* the bytes of the IDAT chunks; first, so that it is this */
  Arena *a;
  const char *path;
  Stream *s;
  char type[5];                        /* of the chunk that is open, */
  uint32_t left, crc;                  /* its bytes not yet read, its checksum so far */
  int64_t width, height;
  int depth, colour, samples, channels;   /* samples of a pixel in the file, channels of ours */
  bool interlaced, transparent;
  int n_palette;
  unsigned char palette[256][4];
  unsigned key[3];                     /* the colour that is transparent */
};

static const char damaged[] = "the file is damaged; get it again";

static uint32_t big32(const unsigned char *b) {
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool exactly(Png *p, void *to, size_t n, FileError *e) {
  size_t got;
  if (!stream_read(p->s, to, n, &got, e)) return false;
  return got == n || file_bad(e, "read", p->path, "it breaks off; get it again");
}

static bool begin(Png *p, FileError *e) {
  unsigned char b[8];
  if (!exactly(p, b, 8, e)) return false;
  p->left = big32(b);
  memcpy(p->type, b + 4, 4);
  for (int k = 0; k < 4; k++)
    if (!((p->type[k] >= 'A' && p->type[k] <= 'Z') || (p->type[k] >= 'a' && p->type[k] <= 'z')))
      return file_bad(e, "read", p->path, "%s", damaged);
  if (p->left > INT32_MAX) return file_bad(e, "read", p->path, "%s", damaged);
  p->crc = (uint32_t)crc32(0, b + 4, 4);
  return true;
}

/* Up to n bytes of the open chunk. */
static bool take(Png *p, void *to, size_t n, FileError *e) {
  if (n > p->left) return file_bad(e, "read", p->path, "its chunk %s is too short; %s", p->type, damaged);
  if (!exactly(p, to, n, e)) return false;
  p->crc = (uint32_t)crc32(p->crc, to, (uInt)n);
  p->left -= (uint32_t)n;
  return true;
}

static bool end(Png *p, FileError *e) {
  unsigned char b[4096];
  while (p->left)
    if (!take(p, b, p->left < sizeof b ? p->left : sizeof b, e)) return false;
  if (!exactly(p, b, 4, e)) return false;
  return big32(b) == p->crc || file_bad(e, "read", p->path, "the checksum of its chunk %s is wrong; %s", p->type,
                                        damaged);
}

static bool is(const Png *p, const char *type) { return strcmp(p->type, type) == 0; }

static bool read_header(Png *p, FileError *e) {
  unsigned char b[13];
  if (!begin(p, e)) return false;
  if (!is(p, "IHDR") || p->left != 13) return file_bad(e, "read", p->path,
                                                       "it does not begin with a header of 13 bytes; %s", damaged);
  if (!take(p, b, 13, e) || !end(p, e)) return false;
  p->width = big32(b);
  p->height = big32(b + 4);
  p->depth = b[8];
  p->colour = b[9];
  p->interlaced = b[12] == 1;
  static const struct { int colour, samples, depths; } kinds[] = {
      {GRAY, 1, 1 | 2 | 4 | 8 | 16}, {RGB, 3, 8 | 16}, {PALETTE, 1, 1 | 2 | 4 | 8}, {GRAY_ALPHA, 2, 8 | 16},
          {RGB_ALPHA, 4, 8 | 16}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    if (kinds[k].colour == p->colour && p->depth && (kinds[k].depths & p->depth) == p->depth &&
        !(p->depth & (p->depth - 1)))
      p->samples = kinds[k].samples;
  if (!p->samples || b[10] || b[11] || b[12] > 1 || !p->width || !p->height || p->width > INT32_MAX ||
      p->height > INT32_MAX)
    return file_bad(e, "read", p->path, "its header makes no sense (%lld x %lld, depth %d, colour type %d); %s",
                    (long long)p->width,
                    (long long)p->height, p->depth, p->colour, damaged);
  return true;
}

static bool read_palette(Png *p, FileError *e) {
  unsigned char b[3 * 256];
  uint32_t n = p->left / 3;
  if (p->left % 3 || !n || n > 256 || p->n_palette) return file_bad(e, "read", p->path,
                                                                    "its palette is damaged; get it again");
  if (!take(p, b, n * 3, e)) return false;
  p->n_palette = (int)n;
  for (uint32_t k = 0; k < 256; k++) p->palette[k][3] = 255;
  for (uint32_t k = 0; k < n; k++) memcpy(p->palette[k], b + 3 * k, 3);
  return true;
}

static bool read_transparency(Png *p, FileError *e) {
  unsigned char b[256];
  uint32_t n = p->left;
  bool good = p->colour == PALETTE ? n > 0 && (int)n <= p->n_palette
              : p->colour == GRAY  ? n == 2
                                   : p->colour == RGB && n == 6;
  if (!good || p->transparent) return file_bad(e, "read", p->path, "its transparency is damaged; get it again");
  if (!take(p, b, n, e)) return false;
  p->transparent = true;
  for (uint32_t k = 0; p->colour == PALETTE && k < n; k++) p->palette[k][3] = b[k];
  for (uint32_t k = 0; p->colour != PALETTE && k < n / 2; k++) p->key[k] = (unsigned)b[2 * k] << 8 | b[2 * k + 1];
  return true;
}

static int64_t row_bytes(const Png *p, int64_t width) { return (width * p->samples * p->depth + 7) / 8; }

/* The next bytes of the IDAT chunks, over their borders. */
static bool more(Deflated *d, void *to, size_t n, size_t *got, FileError *e) {
  Png *p = (Png *)(void *)d;
  *got = 0;
  while (is(p, "IDAT") && !p->left)
    if (!end(p, e) || !begin(p, e)) return false;
  if (!is(p, "IDAT")) return true;
  *got = n < p->left ? n : p->left;
  return take(p, to, *got, e);
}

Png *png_open(Arena *a, const char *path, Stream *s, Type *type, int32_t *white, FileError *e) {
  Png *p = NEW(a, Png);
  *p = (Png){.from.more = more, .a = a, .path = path, .s = s};
  if (!read_header(p, e)) return NULL;
  for (;;) {
    if (!begin(p, e)) return NULL;
    if (is(p, "IDAT")) break;
    bool good = is(p, "PLTE") ? read_palette(p, e) : is(p, "tRNS") ? read_transparency(p, e) : true;
    if (is(p, "IEND")) good = file_bad(e, "read", path, "it has no pixels; get it again");
    else if (good && p->type[0] <= 'Z' && !is(p, "PLTE"))
      good = file_bad(e, "read", path, "it has a chunk %s, which nobody knows; %s", p->type, damaged);
    if (!good || !end(p, e)) return NULL;
  }
  if (p->colour == PALETTE && !p->n_palette) {
    file_bad(e, "read", path, "it has no palette; get it again");
    return NULL;
  }
  p->channels = (p->colour == PALETTE ? 3 : p->samples) + p->transparent;
  *white = p->colour == PALETTE ? 255 : (1 << p->depth) - 1;
  *type = type_make(p->depth == 16 ? I32 : U8, p->channels > 1 ? 3 : 2, (int64_t[]){p->height, p->width, p->channels});
  int64_t size = stream_size(s);
  if (!type_fits(type) || (size >= 0 && row_bytes(p, p->width) > size * INFLATE_RATIO / p->height)) {
    file_bad(e, "read", path, "its header promises %lld x %lld pixels, more than so small a file can hold; %s",
             (long long)p->width,
             (long long)p->height, damaged);
    return NULL;
  }
  return p;
}

static unsigned char paeth(int a, int b, int c) {
  int q = a + b - c, da = abs(q - a), db = abs(q - b), dc = abs(q - c);
  return (unsigned char)(da <= db && da <= dc ? a : db <= dc ? b : c);
}

/* Takes the filter off a row; `by` is the bytes of a pixel, at least 1. */
static bool unfilter(unsigned char *row, const unsigned char *above, int64_t n, int64_t by, int filter) {
  for (int64_t k = 0; k < n; k++) {
    int left = k >= by ? row[k - by] : 0, up = above[k], corner = k >= by ? above[k - by] : 0;
    switch (filter) {
    case 0: return true;
    case 1: row[k] = (unsigned char)(row[k] + left); break;
    case 2: row[k] = (unsigned char)(row[k] + up); break;
    case 3: row[k] = (unsigned char)(row[k] + (left + up) / 2); break;
    case 4: row[k] = (unsigned char)(row[k] + paeth(left, up, corner)); break;
    default: return false;
    }
  }
  return true;
}

static unsigned sample(const Png *p, const unsigned char *row, int64_t k) {
  if (p->depth == 8) return row[k];
  if (p->depth == 16) return (unsigned)row[2 * k] << 8 | row[2 * k + 1];
  int64_t bit = k * p->depth;
  return (unsigned)row[bit / 8] >> (8 - p->depth - bit % 8) & ((1u << p->depth) - 1);
}

static bool put_pixel(const Png *p, Tensor *t, int64_t at, const unsigned char *row, int64_t column, FileError *e) {
  unsigned v[4] = {0}, white = (1u << p->depth) - 1;
  if (p->colour == PALETTE) {
    unsigned index = sample(p, row, column);
    if ((int)index >= p->n_palette) return file_bad(e, "read", p->path, "a pixel has no colour of its palette; %s",
                                                    damaged);
    for (int k = 0; k < 4; k++) v[k] = p->palette[index][k];
  } else {
    bool key = p->transparent;
    for (int k = 0; k < p->samples; k++) {
      v[k] = sample(p, row, column * p->samples + k);
      key &= v[k] == p->key[k];
    }
    if (p->transparent) v[p->samples] = key ? 0 : white;
  }
  for (int k = 0; k < p->channels; k++)
    if (t->type.dtype == U8) ((uint8_t *)t->data)[at * p->channels + k] = (uint8_t)v[k];
    else ((int32_t *)t->data)[at * p->channels + k] = (int32_t)v[k];
  return true;
}

/* The pixels (x, y), (x + dx, y), ... of every dy-th row. */
static bool pass(const Png *p, Inflate *from, Tensor *t, const int where[4], FileError *e) {
  int64_t x = where[0], y = where[1], dx = where[2], dy = where[3], width = (p->width - x + dx - 1) / dx;
  if (p->width <= x || p->height <= y) return true;
  int64_t n = row_bytes(p, width), by = p->samples * p->depth / 8;
  unsigned char *row = NEW_N(p->a, unsigned char, n + 1), *above = NEW_N(p->a, unsigned char, n + 1);
  for (; y < p->height; y += dy) {
    unsigned char filter, *swap = above;
    size_t got;
    if (!inflate_read(from, &filter, 1, &got, e) || (got && !inflate_read(from, row, (size_t)n, &got, e))) return false;
    if (got < (size_t)n) return file_bad(e, "read", p->path, "it has fewer pixels than its header promises; %s",
                                         damaged);
    if (!unfilter(row, above, n, by ? by : 1, filter)) return file_bad(e, "read", p->path, "%s", damaged);
    for (int64_t c = 0; c < width; c++)
      if (!put_pixel(p, t, y * p->width + x + c * dx, row, c, e)) return false;
    above = row;
    row = swap;
  }
  return true;
}

bool png_pixels(Png *p, Tensor *t, FileError *e) {
  static const int seven[][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2},
                                 {0, 1, 1, 2}};
  static const int one[][4] = {{0, 0, 1, 1}};
  Inflate *from = inflate_new(p->a, p->path, false, &p->from);
  for (int k = 0; k < (p->interlaced ? 7 : 1); k++)
    if (!pass(p, from, t, (p->interlaced ? seven : one)[k], e)) return false;
  unsigned char byte;
  size_t got;
  if (!inflate_read(from, &byte, 1, &got, e)) return false;
  if (got) return file_bad(e, "read", p->path, "it has more pixels than its header promises; %s", damaged);
  while (!is(p, "IEND"))
    if (!end(p, e) || !begin(p, e)) return false;
  return end(p, e);
}
