/* npy: NumPy's format of one array. In: a path. Out: the type, the tensor, or an error; and the writer.
 *
 *   \x93NUMPY, version, a little-endian length, a Python dict
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, then the elements and nothing more.
 *
 * The dict is read as text of a small grammar, never evaluated. int64, NumPy's own default, becomes i32 where every
 * number fits; arrays in Fortran's order are turned to ours.
 */
#include "files/npy.h"
#include <stdio.h>
#include <string.h>

static const char again[] = "write it again with numpy.save";

/* ---- the header ---- */
typedef struct Reader { const char *at, *end; } Reader;

static void blanks(Reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t')) r->at++;
}
static bool taken(Reader *r, const char *word) {
  size_t n = strlen(word);
  blanks(r);
  if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0) return false;
  r->at += n;
  return true;
}
/* A string in quotes without escapes. */
static bool quoted(Reader *r, char *to, size_t room) {
  blanks(r);
  if (r->at == r->end || (*r->at != '\'' && *r->at != '"')) return false;
  char q = *r->at++;
  size_t n = 0;
  while (r->at < r->end && *r->at != q && *r->at != '\\' && n + 1 < room) to[n++] = *r->at++;
  to[n] = 0;
  return r->at < r->end && *r->at++ == q;
}
static bool whole(Reader *r, int64_t *out) {
  blanks(r);
  int64_t v = 0;
  const char *first = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
    if (v > (int64_t)1 << 50) return false;
    v = v * 10 + (*r->at++ - '0');
  }
  *out = v;
  return r->at > first && r->at - first < 18;
}

static bool kind_of(const char *descr, NpyHeader *h) {
  static const struct { const char *name; DType dtype; uint8_t size; } kinds[] = {
      {"f4", F32, 4}, {"f8", F64, 8}, {"i4", I32, 4}, {"i8", I32, 8},
      {"i2", I32, 2}, {"i1", I32, 1}, {"u1", U8, 1},  {"b1", BOOL, 1}};
  char order = descr[0];
  if (order != '<' && order != '>' && order != '|' && order != '=') return false;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    if (strcmp(descr + 1, kinds[k].name) == 0) {
      h->type.dtype = (uint8_t)kinds[k].dtype;
      h->size = kinds[k].size;
      h->big = order == '>';
      return true;
    }
  return false;
}

static bool dict(const char *path, const char *text, size_t n, NpyHeader *h, FileError *e) {
  Reader r = {text, text + n};
  char key[32], descr[32] = "";
  bool order = false, has_order = false, has_shape = false;
  int64_t dim[MAX_RANK];
  int rank = 0;
  if (!taken(&r, "{")) goto damaged;
  while (!taken(&r, "}")) {
    if (!quoted(&r, key, sizeof key) || !taken(&r, ":")) goto damaged;
    if (strcmp(key, "descr") == 0) {
      if (!quoted(&r, descr, sizeof descr))
        return file_bad(e, "read", path, "it holds records of several fields; save each field by itself");
    } else if (strcmp(key, "fortran_order") == 0) {
      if (taken(&r, "True")) order = true;
      else if (!taken(&r, "False")) goto damaged;
      has_order = true;
    } else if (strcmp(key, "shape") == 0) {
      if (!taken(&r, "(")) goto damaged;
      while (!taken(&r, ")")) {
        int64_t d;
        if (!whole(&r, &d)) goto damaged;
        if (rank == MAX_RANK) return file_bad(e, "read", path, "it has more than %d dimensions", MAX_RANK);
        dim[rank++] = d;
        if (!taken(&r, ",") && !(r.at < r.end && *r.at == ')')) goto damaged;
      }
      has_shape = true;
    } else {
      goto damaged;
    }
    if (!taken(&r, ",")) {
      if (!taken(&r, "}")) goto damaged;
      break;
    }
  }
  if (!descr[0] || !has_order || !has_shape) goto damaged;
  if (!kind_of(descr, h))
    return file_bad(e, "read", path,
                    "its elements are `%s`; f4, f8, i1, i2, i4, i8, u1 and b1 are read: convert it with `astype`",
                    descr);
  h->type = type_make((DType)h->type.dtype, rank, dim);
  if (!type_fits(&h->type))
    return file_bad(e, "read", path, "its header promises more than the %s bytes that a tensor may have; %s",
                    number_show((uint64_t)MAX_BYTES).text, again);
  h->fortran = order && rank > 1;
  h->bytes = type_count(&h->type) * h->size;
  return true;
damaged:
  return file_bad(e, "read", path, "its header is damaged; %s", again);
}

bool npy_header(Arena *a, const char *path, NpySource *s, NpyHeader *h, FileError *e) {
  unsigned char b[12];
  size_t got;
  if (!s->read(s, b, 10, &got, e)) return false;
  if (got == 0) return file_bad(e, "read", path, "the file is empty; %s", again);
  if (got < 10 || memcmp(b, "\x93NUMPY", 6) != 0)
    return file_bad(e, "read", path, "it does not begin as NumPy's files do; is it an .npy file?");
  size_t n = (size_t)b[8] | (size_t)b[9] << 8;
  if (b[6] == 2 || b[6] == 3) {
    if (!s->read(s, b + 10, 2, &got, e)) return false;
    if (got < 2) return file_bad(e, "read", path, "it ends within its header; %s", again);
    n |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
  } else if (b[6] != 1) {
    return file_bad(e, "read", path, "it has version %d of NumPy's format; 1 to 3 are read", b[6]);
  }
  if (n > 1 << 20)
    return file_bad(e, "read", path, "its header promises %s bytes of text; %s", number_show(n).text, again);
  char *text = NEW_N(a, char, n + 1);
  if (!s->read(s, text, n, &got, e)) return false;
  if (got < n) return file_bad(e, "read", path, "it ends within its header; %s", again);
  return dict(path, text, n, h, e);
}

/* ---- elements ---- */
/* int64, int16 and int8 become i32 where they fit. */
static bool narrowed(const char *path, const unsigned char *raw, const NpyHeader *h, Tensor *t, FileError *e) {
  int32_t *to = t->data;
  for (int64_t k = 0, n = type_count(&h->type); k < n; k++, raw += h->size) {
    if (h->size == 8) {
      int64_t v;
      memcpy(&v, raw, 8);
      if (v < INT32_MIN || v > INT32_MAX)
        return file_bad(e, "read", path, "element %lld is %lld, which no i32 holds; save it as f8", (long long)k,
                        (long long)v);
      to[k] = (int32_t)v;
    } else if (h->size == 2) {
      int16_t v;
      memcpy(&v, raw, 2);
      to[k] = v;
    } else {
      to[k] = (signed char)*raw;
    }
  }
  return true;
}

/* The first axis changes fastest in the file: element i of ours comes from the place that its mirrored index has. */
static void turned(Tensor *t, const void *from) {
  const Type *type = &t->type;
  size_t size = dtype_size[type->dtype];
  int64_t n = type_count(type), index[MAX_RANK] = {0};
  for (int64_t k = 0; k < n; k++) {
    int64_t at = 0;
    for (int a = type->rank - 1; a >= 0; a--) at = at * type->dim[a] + index[a];
    memcpy((char *)t->data + (size_t)k * size, (const char *)from + (size_t)at * size, size);
    for (int a = type->rank - 1; a >= 0 && ++index[a] == type->dim[a]; a--) index[a] = 0;
  }
}

Tensor *npy_elements(Arena *a, const char *path, NpySource *s, const NpyHeader *h, FileError *e) {
  Host *host = arena_host(a);
  Tensor *t = tensor_new(host, &h->type);
  bool same = h->size == dtype_size[h->type.dtype] && !h->fortran, good = true;
  unsigned char *raw = same ? t->data : NEW_N(a, unsigned char, h->bytes + 1), byte;
  size_t got, want = (size_t)h->bytes;
  good = s->read(s, raw, want, &got, e);
  if (good && got < want)
    good = file_bad(e, "read", path, "the file ends after %s of the %s bytes that its header promises; %s",
                    number_show(got).text, number_show(want).text, again);
  if (good) {
    good = s->read(s, &byte, 1, &got, e);
    if (good && got) good = file_bad(e, "read", path, "it has more bytes than its header promises; %s", again);
  }
  if (good) {
    elements_order(raw, h->size, type_count(&h->type), h->big);
    if (h->size != dtype_size[h->type.dtype]) {
      good = narrowed(path, raw, h, t, e);
      if (good && h->fortran) turned(t, arena_copy(a, t->data, t->bytes));
    } else if (h->fortran) {
      turned(t, raw);
    }
    if (good && h->type.dtype == BOOL)
      for (int64_t k = 0; good && k < type_count(&h->type); k++)
        if (((uint8_t *)t->data)[k] > 1)
          good = file_bad(e, "read", path, "element %lld is no bool; %s", (long long)k, again);
  }
  if (good) return t;
  tensor_unref(t);
  return NULL;
}

/* ---- a file by itself ---- */
typedef struct FileSource { NpySource source; Stream *stream; } FileSource;

static bool from_stream(NpySource *s, void *to, size_t n, size_t *got, FileError *e) {
  return stream_read(((FileSource *)(void *)s)->stream, to, n, got, e);
}

static bool opened(Arena *a, const char *path, FileSource *f, NpyHeader *h, FileError *e) {
  f->source.read = from_stream;
  f->stream = stream_open(arena_host(a), path, false, e);
  if (!f->stream) return false;
  bool good = npy_header(a, path, &f->source, h, e);
  int64_t size = stream_size(f->stream);
  if (good && size >= 0 && size < h->bytes)
    good = file_bad(e, "read", path, "its header promises %s bytes, but it has %s; %s",
                    number_show((uint64_t)h->bytes).text, number_show((uint64_t)size).text, again);
  if (!good) stream_close(f->stream);
  return good;
}

bool npy_type(Arena *a, const char *path, Type *out, FileError *e) {
  FileSource f;
  NpyHeader h;
  if (!opened(a, path, &f, &h, e)) return false;
  stream_close(f.stream);
  *out = h.type;
  return true;
}

Tensor *npy_read(Arena *a, const char *path, FileError *e) {
  FileSource f;
  NpyHeader h;
  if (!opened(a, path, &f, &h, e)) return NULL;
  Tensor *t = npy_elements(a, path, &f.source, &h, e);
  stream_close(f.stream);
  return t;
}

bool npy_write(Host *h, const char *path, const Tensor *t, FileError *e) {
  static const char *const descr[N_DTYPES] =
      {[F32] = "<f4", [F64] = "<f8", [I32] = "<i4", [U8] = "|u1", [BOOL] = "|b1"};
  Arena *a = arena_new(h);
  Text s = {.arena = a};
  text_printf(&s, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr[t->type.dtype]);
  for (int k = 0; k < t->type.rank; k++) text_printf(&s, "%s%lld", k ? ", " : "", (long long)t->type.dim[k]);
  text_add(&s, t->type.rank == 1 ? ",), }" : "), }");
  while ((10 + s.n + 1) % 64) text_add(&s, " ");          /* the elements begin at a multiple of 64 */
  text_add(&s, "\n");
  unsigned char head[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(s.n & 255), (unsigned char)(s.n >> 8)};
  AtomicFile *f = atomic_open(h, path, e);
  bool good = f && atomic_write(f, head, sizeof head, e) && atomic_write(f, s.at, s.n, e);
  if (good && t->bytes) {
    void *bytes = arena_copy(a, t->data, t->bytes);
    elements_order(bytes, dtype_size[t->type.dtype], type_count(&t->type), false);
    good = atomic_write(f, bytes, t->bytes, e);
  }
  if (good) good = atomic_commit(f, e);
  else if (f) atomic_abandon(f);
  arena_free(a);
  return good;
}
