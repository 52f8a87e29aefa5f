/* safetensors: named tensors in one file. In: tensors in an order, or a path. Out: the file, or the tensors.
 *
 *   8 bytes: the header's length, little-endian; the header, JSON, padded with spaces to a multiple of 8; the data.
 *   {"hidden.w":{"dtype":"F32","shape":[784,128],"data_offsets":[0,401408]},...}
 *
 * Writing the same tensors gives the same bytes. Reading believes nothing: the offsets must cover the data from its
 * first to its last byte without a hole or an overlap, each must agree with its shape and element type, a name may
 * stand once. jansson takes its memory from malloc, whose functions are a global that a library must not change; so its
 * tree is one of the young things, lives only inside safetensors_read, and what is returned is copied into the arena.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files/atomic.h"

enum { MOST_HEADER = 100000000 };

#define JSON(x, id, ...) [id] = #id,
static const char *const dtype_json[N_DTYPES] = {DTYPES(JSON, )};

/* ---- writing ---- */

/* Length of the UTF-8 sequence at p, 0 if it is none. */
static int utf8_length(const unsigned char *p) {
  if (p[0] < 0x80) return 1;
  int n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
  if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
  for (int k = 1; k < n; k++)
    if ((p[k] & 0xc0) != 0x80) return 0;
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)) return 0;
  if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)) return 0;
  return n;
}

static bool add_name(Text *t, const char *path, const char *name, FileError *e) {
  text_add(t, "\"");
  for (const unsigned char *p = (const unsigned char *)name; *p;) {
    int n = utf8_length(p);
    if (n == 0) return file_bad(e, "write", path, "the name of a tensor is not UTF-8");
    if (*p < 0x20) text_printf(t, "\\u%04x", *p);
    else if (*p == '"' || *p == '\\') text_printf(t, "\\%c", *p);
    else text_add_n(t, (const char *)p, (size_t)n);
    p += n;
  }
  text_add(t, "\"");
  return true;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool names_differ(Arena *a, const char *path, const NamedTensor *t, size_t n, FileError *e) {
  const char **name = NEW_N(a, const char *, n);
  for (size_t k = 0; k < n; k++) name[k] = t[k].name;
  qsort(name, n, sizeof *name, by_name);
  for (size_t k = 0; k < n; k++) {
    if (strcmp(name[k], "__metadata__") == 0)
      return file_bad(e, "write", path, "no tensor can be called `__metadata__`: the format uses that name itself");
    if (k && strcmp(name[k - 1], name[k]) == 0)
      return file_bad(e, "write", path, "two tensors are called `%.200s`", name[k]);
  }
  return true;
}

static bool header_text(Text *out, const char *path, const NamedTensor *t, size_t n, FileError *e) {
  int64_t at = 0;
  text_add(out, "{");
  for (size_t k = 0; k < n; k++) {
    const Type *type = &t[k].tensor->type;
    if (k) text_add(out, ",");
    if (!add_name(out, path, t[k].name, e)) return false;
    text_printf(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_json[type->dtype]);
    for (int d = 0; d < type->rank; d++) text_printf(out, "%s%lld", d ? "," : "", (long long)type->dim[d]);
    int64_t end = at + type_bytes(type);
    text_printf(out, "],\"data_offsets\":[%lld,%lld]}", (long long)at, (long long)end);
    at = end;
  }
  text_add(out, "}");
  while (out->n % 8) text_add(out, " ");
  if (out->n > MOST_HEADER)
    return file_bad(e, "write", path, "its header would have %s bytes; the format allows %s",
                    number_show(out->n).text, number_show(MOST_HEADER).text);
  return true;
}

static bool write_data(AtomicFile *f, const Tensor *t, FileError *e) {
  enum { PART = 4096 };
  char part[PART];
  const char *at = t->data;
  size_t size = dtype_size[t->type.dtype];
  const uint16_t probe = 1;
  if (size == 1 || *(const unsigned char *)&probe == 1) return atomic_write(f, at, t->bytes, e);
  for (size_t left = t->bytes; left > 0;) {
    size_t n = left < PART ? left : PART;
    memcpy(part, at, n);
    elements_order(part, size, (int64_t)(n / size), false);
    if (!atomic_write(f, part, n, e)) return false;
    at += n;
    left -= n;
  }
  return true;
}

bool safetensors_write(Host *h, const char *path, const NamedTensor *t, size_t n, FileError *e) {
  Arena *a = arena_new(h);
  Text head = {.arena = a};
  AtomicFile *f = NULL;
  bool good = names_differ(a, path, t, n, e) && header_text(&head, path, t, n, e) &&
              (f = atomic_open(h, path, e)) != NULL;
  if (good) {
    uint64_t length = head.n;
    elements_order(&length, sizeof length, 1, false);
    good = atomic_write(f, &length, sizeof length, e) && atomic_write(f, head.at, head.n, e);
    for (size_t k = 0; good && k < n; k++) good = write_data(f, t[k].tensor, e);
    if (good) good = atomic_commit(f, e);
    else atomic_abandon(f);
  }
  arena_free(a);
  return good;
}

/* ---- reading ---- */

typedef struct Tree {
  Owned owned;
  json_t *root;
} Tree;

static void tree_drop(Owned *o) { json_decref(((Tree *)o)->root); }

typedef struct Entry {
  const char *name;
  Type type;
  int64_t begin, end;
  size_t place;      /* in the header */
} Entry;

static bool whole_number(const json_t *j, int64_t *out) {
  if (!json_is_integer(j) || json_integer_value(j) < 0) return false;
  *out = json_integer_value(j);
  return true;
}

static bool entry_of(Entry *x, const char *path, const json_t *j, FileError *e) {
  const char *dtype = json_string_value(json_object_get(j, "dtype"));
  const json_t *shape = json_object_get(j, "shape"), *offsets = json_object_get(j, "data_offsets");
  if (!dtype || !json_is_array(shape) || !json_is_array(offsets) || json_array_size(offsets) != 2)
    return file_bad(e, "read", path, "the entry `%.200s` lacks its dtype, its shape or its two data_offsets", x->name);
  int d = 0;
  while (d < N_DTYPES && strcmp(dtype_json[d], dtype) != 0) d++;
  if (d == N_DTYPES)
    return file_bad(e, "read", path, "`%.160s` has the element type %.40s; F32, F64, I32, U8 and BOOL are read",
                    x->name, dtype);
  size_t rank = json_array_size(shape);
  if (rank > MAX_RANK)
    return file_bad(e, "read", path, "`%.200s` has %zu dimensions; %d are the most", x->name, rank, MAX_RANK);
  int64_t dim[MAX_RANK];
  for (size_t k = 0; k < rank; k++)
    if (!whole_number(json_array_get(shape, k), &dim[k]))
      return file_bad(e, "read", path, "the shape of `%.200s` holds something that is no size", x->name);
  x->type = type_make((DType)d, (int)rank, dim);
  if (!type_fits(&x->type))
    return file_bad(e, "read", path, "`%.200s` would be larger than the %s bytes that a tensor may have", x->name,
                    number_show((uint64_t)MAX_BYTES).text);
  if (!whole_number(json_array_get(offsets, 0), &x->begin) || !whole_number(json_array_get(offsets, 1), &x->end) ||
      x->begin > x->end)
    return file_bad(e, "read", path, "the data_offsets of `%.200s` are not two offsets in order", x->name);
  if (x->end - x->begin != type_bytes(&x->type))
    return file_bad(e, "read", path, "the data_offsets of `%.200s` hold %s bytes, but its shape wants %s", x->name,
                    number_show((uint64_t)(x->end - x->begin)).text, number_show((uint64_t)type_bytes(&x->type)).text);
  return true;
}

static int by_offset(const void *a, const void *b) {
  const Entry *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end) return x->end < y->end ? -1 : 1;
  return x->place < y->place ? -1 : x->place > y->place;
}

/* The entries, in the order of their data, which they cover without a hole. */
static bool entries_of(Arena *a, const char *path, json_t *root, int64_t data, Entry **out, size_t *n, FileError *e) {
  if (!json_is_object(root)) return file_bad(e, "read", path, "its header is no JSON object");
  Entry *x = NEW_N(a, Entry, json_object_size(root) + 1);
  size_t count = 0;
  const char *key;
  json_t *value;
  json_object_foreach(root, key, value) {
    if (strcmp(key, "__metadata__") == 0) continue;
    x[count].name = arena_text(a, key, strlen(key));
    x[count].place = count;
    if (!entry_of(&x[count], path, value, e)) return false;
    count++;
  }
  qsort(x, count, sizeof *x, by_offset);
  int64_t at = 0;
  for (size_t k = 0; k < count; at = x[k++].end) {
    if (x[k].begin < at)
      return file_bad(e, "read", path, "the data of `%.160s` overlaps that of `%.160s`", x[k].name, x[k - 1].name);
    if (x[k].begin > at)
      return file_bad(e, "read", path, "%s bytes before the data of `%.200s` belong to no tensor",
                      number_show((uint64_t)(x[k].begin - at)).text, x[k].name);
  }
  if (at > data)
    return file_bad(e, "read", path, "the file ends after %s of the %s bytes that its header promises; copy it again",
                    number_show((uint64_t)data).text, number_show((uint64_t)at).text);
  if (at < data)
    return file_bad(e, "read", path, "%s bytes at its end belong to no tensor",
                    number_show((uint64_t)(data - at)).text);
  *out = x;
  *n = count;
  return true;
}

static bool read_exactly(Stream *s, const char *path, void *to, size_t n, FileError *e) {
  size_t got;
  if (!stream_read(s, to, n, &got, e)) return false;
  return got == n || file_bad(e, "read", path, "it became shorter while it was read");
}

static bool data_of(Arena *a, Stream *s, const char *path, const Entry *x, size_t n, NamedTensor *t, FileError *e) {
  for (size_t k = 0; k < n; k++) {
    Tensor *to = tensor_new(arena_host(a), &x[k].type);
    t[x[k].place] = (NamedTensor){x[k].name, to};
    if (!read_exactly(s, path, to->data, to->bytes, e)) return false;
    elements_order(to->data, dtype_size[x[k].type.dtype], type_count(&x[k].type), false);
    const unsigned char *b = to->data;
    for (size_t i = 0; x[k].type.dtype == BOOL && i < to->bytes; i++)
      if (b[i] > 1) return file_bad(e, "read", path, "the BOOL tensor `%.200s` holds the byte %d", x[k].name, b[i]);
  }
  return true;
}

static bool header_read(Arena *a, Stream *s, const char *path, Entry **x, size_t *n, FileError *e) {
  Host *h = arena_host(a);
  int64_t size = stream_size(s);
  uint64_t length = 0;
  if (size < 8) return file_bad(e, "read", path, "it has %lld bytes; a safetensors file has more", (long long)size);
  if (!read_exactly(s, path, &length, sizeof length, e)) return false;
  elements_order(&length, sizeof length, 1, false);
  if (length > MOST_HEADER || (int64_t)length > size - 8)
    return file_bad(e, "read", path, "its header would have %s bytes of the %s of the file; is it a safetensors file?",
                    number_show(length).text, number_show((uint64_t)size).text);
  Arena *own = arena_new(h);
  char *head = arena_alloc(own, length + 1);
  bool good = read_exactly(s, path, head, length, e);
  if (good) {
    json_error_t why;
    Tree tree = {.root = json_loadb(head, length, JSON_REJECT_DUPLICATES, &why)};
    if (!tree.root && json_error_code(&why) == json_error_out_of_memory)
      host_fail(h, FAIL_MEMORY, "out of memory: the header of a file has %zu bytes", (size_t)length);
    if (tree.root) {
      owned_born(h, &tree.owned, tree_drop);
      good = entries_of(a, path, tree.root, size - 8 - (int64_t)length, x, n, e);
      owned_keep(&tree.owned);
      json_decref(tree.root);
    } else {
      good = file_bad(e, "read", path, "its header is not JSON as it should be: %s, at byte %d", why.text,
                      why.position);
    }
  }
  arena_free(own);
  return good;
}

bool safetensors_read(Arena *a, const char *path, NamedTensor **out, size_t *n, FileError *e) {
  Stream *s = stream_open_regular(arena_host(a), path, e);
  if (!s) return false;
  Entry *x = NULL;
  NamedTensor *t = NULL;
  size_t count = 0;
  bool good = header_read(a, s, path, &x, &count, e);
  if (good) {
    t = NEW_N(a, NamedTensor, count + 1);
    good = data_of(a, s, path, x, count, t, e);
    for (size_t k = 0; !good && k < count; k++) tensor_unref(t[k].tensor);
  }
  stream_close(s);
  if (!good) return false;
  *out = t;
  *n = count;
  return true;
}
