/* idx: LeCun's format of the MNIST files, plain or gzip. In: a path. Out: the type, or the tensor, or an error.
 *
 *   0 0 type rank, then a big-endian uint32 a dimension, then the elements, big-endian, row-major, and nothing more.
 *
 * Nothing is believed: before memory is taken for the elements, the file must be large enough to hold them (compressed,
 * to be able to hold them); it must end where they end; and the end of a gzip file is reached, where its checksum
 * stands.
 */
#include "files/stream.h"
#include <stdio.h>
#include <string.h>

enum { MOST_HEADER = 4 + 4 * MAX_RANK };

static bool dtype_of(unsigned char code, DType *d) {
  switch (code) {
  case 0x08: *d = U8; return true;
  case 0x0c: *d = I32; return true;
  case 0x0d: *d = F32; return true;
  case 0x0e: *d = F64; return true;
  default: return false;
  }
}

static const char again[] = "download it again";

static bool header(Stream *s, const char *path, Type *t, FileError *e) {
  unsigned char b[MOST_HEADER];
  size_t got;
  if (!stream_read(s, b, 4, &got, e)) return false;
  if (got == 0) return file_bad(e, "read", path, "the file is empty; %s", again);
  if (got < 4 || b[0] != 0 || b[1] != 0) {
    char found[16] = "";
    for (size_t k = 0; k < got; k++) snprintf(found + strlen(found), 4, k ? " %02x" : "%02x", b[k]);
    return file_bad(e, "read", path,
                    "it begins with %s, not with IDX's 00 00, element type and rank; is it an IDX file?", found);
  }
  DType d;
  if (!dtype_of(b[2], &d))
    return file_bad(e, "read", path,
                    "its IDX header names the element type %02x; 08 (u8), 0c (i32), 0d (f32) and 0e (f64) are read",
                    b[2]);
  int rank = b[3];
  if (rank > MAX_RANK)
    return file_bad(e, "read", path, "its IDX header promises %d dimensions; %d are the most", rank, MAX_RANK);
  size_t want = (size_t)rank * 4;
  if (!stream_read(s, b, want, &got, e)) return false;
  if (got < want)
    return file_bad(e, "read", path, "it ends after %zu of the %zu bytes of its header; %s", got + 4, want + 4, again);
  int64_t dim[MAX_RANK];
  for (int k = 0; k < rank; k++) {
    const unsigned char *p = b + (size_t)k * 4;
    dim[k] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
  }
  *t = type_make(d, rank, dim);
  if (!type_fits(t))
    return file_bad(e, "read", path, "its header promises more than the %s bytes that a tensor may have; %s",
                    number_show((uint64_t)MAX_BYTES).text, again);
  int64_t promised = type_bytes(t), size = stream_size(s), most = stream_at_most(s), head = (int64_t)want + 4;
  if (size >= 0 && size - head > promised)
    return file_bad(e, "read", path, "it has %s byte%s more than its header promises; %s",
                    number_show((uint64_t)(size - head - promised)).text, size - head - promised == 1 ? "" : "s",
                    again);
  if (size >= 0 && size - head < promised)
    return file_bad(e, "read", path, "the file ends after %s of the %s bytes that its header promises; %s",
                    number_show((uint64_t)(size - head)).text, number_show((uint64_t)promised).text, again);
  if (most >= 0 && most < promised)
    return file_bad(e, "read", path, "its header promises %s bytes, more than so small a gzip file can hold; %s",
                    number_show((uint64_t)promised).text, again);
  return true;
}

bool idx_type(Host *h, const char *path, Type *out, FileError *e) {
  Stream *s = stream_open(h, path, true, e);
  if (!s) return false;
  bool good = header(s, path, out, e);
  stream_close(s);
  return good;
}

Tensor *idx_read(Host *h, const char *path, FileError *e) {
  Stream *s = stream_open(h, path, true, e);
  if (!s) return NULL;
  Type type;
  Tensor *t = NULL;
  bool good = header(s, path, &type, e);
  if (good) {
    size_t got, beyond;
    char byte;
    t = tensor_new(h, &type);
    good = stream_read(s, t->data, t->bytes, &got, e);
    if (good && got < t->bytes)
      good = file_bad(e, "read", path, "the file ends after %s of the %s bytes that its header promises; %s",
                      number_show(got).text, number_show(t->bytes).text, again);
    good = good && stream_read(s, &byte, 1, &beyond, e);
    if (good && beyond) good = file_bad(e, "read", path, "it has more bytes than its header promises; %s", again);
  }
  stream_close(s);
  if (!good) {
    tensor_unref(t);
    return NULL;
  }
  elements_order(t->data, dtype_size[type.dtype], type_count(&type), true);
  return t;
}
