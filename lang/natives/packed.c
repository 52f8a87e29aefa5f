/* packed: numbers that stand in a script as text: bytes, compressed by zlib, written as base64. In: the text, a list of
 * its lines, and a shape. Out: a constant of that shape. A text that is damaged, or holds more or fewer bytes, is an
 * error.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/args.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/files/inflate.h"
#include <string.h>

/* Base64 without blanks, a line after another, `=` at the end. */
typedef struct Lines {
  Deflated from;                       /* first, so that it is this */
  const Items *line;
  uint32_t at, column;
} Lines;

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The next digit; -1: none, the end or `=`; -2: it is none. */
static int next_digit(Lines *l) {
  while (l->at < l->line->n) {
    const Str *s = l->line->at[l->at].str;
    if (l->column < s->n) {
      char c = s->at[l->column++];
      return c == '=' ? -1 : digit_of(c) < 0 ? -2 : digit_of(c);
    }
    l->at++;
    l->column = 0;
  }
  return -1;
}

static bool decoded(Deflated *d, void *to, size_t n, size_t *got, FileError *e) {
  Lines *l = (Lines *)(void *)d;
  for (*got = 0; *got + 3 <= n;) {
    int v[4], k = 0;
    while (k < 4 && (v[k] = next_digit(l)) >= 0) k++;
    if (k < 4 && v[k] == -2) return file_bad(e, "read", "the text", "it has a letter that base64 has not");
    unsigned char *p = (unsigned char *)to + *got;
    if (k > 1) p[0] = (unsigned char)(v[0] << 2 | v[1] >> 4);
    if (k > 2) p[1] = (unsigned char)((v[1] & 15) << 4 | v[2] >> 2);
    if (k > 3) p[2] = (unsigned char)((v[2] & 3) << 6 | v[3]);
    *got += k > 1 ? (size_t)k - 1 : 0;
    if (k < 4) break;
  }
  return true;
}

static Value n_packed(Elab *e, const Arg *a, const Ast *at) {
  Value v = value_decay(e, a[0].value);
  bool lines = v.kind == V_LIST;
  for (uint32_t k = 0; lines && k < v.items->n; k++) lines = v.items->at[k].kind == V_STRING;
  Type type = type_make(U8, (int)a[1].n, a[1].ints);
  if (!lines) {
    elab_error(e, a[0].at, E_WANTED, "a list of strings", value_kind_text(e, &v));
    return v_bad();
  }
  Lines l = {.from.more = decoded, .line = v.items};
  Tensor *t = tensor_new(&e->s->host, &type);
  FileError error = {0};
  size_t got, more = 0;
  char byte;
  Inflate *i = inflate_new(e->a, "the text", false, &l.from);
  bool good = inflate_read(i, t->data, t->bytes, &got, &error) && (got < t->bytes || inflate_read(i, &byte, 1, &more,
                                                                                                  &error));
  if (good && (got < t->bytes || more))
    good = file_bad(&error, "read", "the text", "it holds %s than the %s bytes of its shape", more ? "more" : "fewer",
                    number_show(t->bytes).text);
  NodeId n = good ? graph_const(e->g, t, elab_loc(e, at)) : NO_NODE;
  tensor_unref(t);
  if (!good) elab_error(e, a[0].at, E_FILE, error.text);
  return or_bad(n);
}

const Native native_packed[] = {
    {"packed", "lines:any, shape:sizes", n_packed,
     "Numbers from 0 to 255 that a script carries as text: bytes compressed by zlib and written as base64, in a list "
     "of lines.",
     "packed([\"eJxjZGIGAAANAAc=\"], [3])   # => [1, 2, 3]"},
    {0}};
