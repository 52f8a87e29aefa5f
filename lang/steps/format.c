/* format: values as text. In: numbers, tensors, templates with their values. Out: what `print` and string holes write.
 *
 * Invariant: the text depends on the value and the format alone, not on the locale of the host: a point is a point.
 * What is written is bounded whatever the shape (a tensor of no elements may still have a billion rows). A number is
 * written by printf and then mended (`-0`, the decimal point), because its rounding is exact for every number of
 * digits.
 */
#include "steps/format.h"
#include "runtime/base/locale.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 80, WHOLE = 1000, EDGE = 3, MOST_SHOWN = 10000, MOST_DIGITS = 99, MOST_WIDTH = 999, SIGNIFICANT = 6 };

/* ---- formats ---- */

static size_t number_at(const char *text, size_t n, size_t at, int *out) {
  long v = 0;
  for (; at < n && text[at] >= '0' && text[at] <= '9'; at++) {
    v = v * 10 + (text[at] - '0');
    if (v > 100000) v = 100000;
  }
  *out = (int)v;
  return at;
}

const char *format_parse(Arena *a, const char *text, size_t n, Format *out) {
  Format f = {.digits = -1};
  size_t at = 0;
  while (at < n && text[at] == ' ') at++;
  while (n > at && text[n - 1] == ' ') n--;
  const size_t start = at;
  f.zeros = at + 1 < n && text[at] == '0' && text[at + 1] >= '0' && text[at + 1] <= '9';
  at = number_at(text, n, at, &f.width);
  if (at < n && text[at] == '.') {
    size_t digits = at + 1;
    at = number_at(text, n, digits, &f.digits);
    if (at == digits) return arena_printf(a, "the format `%.*s` has no digits after its point", (int)n, text);
    f.kind = 'f';
  }
  if (at < n && (text[at] == 'e' || text[at] == '%')) f.kind = text[at++];
  if (at < n || n == start)
    return arena_printf(a, "`%.*s` is no format: `.4`, `6.2`, `.4e`, `.1%%`, `6` and `06` are", (int)(n - start),
                        text + start);
  if (f.width > MOST_WIDTH) return arena_printf(a, "the width of a format is at most %d", MOST_WIDTH);
  if (f.digits > MOST_DIGITS) return arena_printf(a, "a format has at most %d digits after its point", MOST_DIGITS);
  *out = f;
  return NULL;
}

/* ---- numbers ---- */

/* The host's locale may write another point; a zero has no sign. */
static size_t mend(char *s, size_t n) {
  size_t to = 0;
  bool zero = true, point = false;
  for (size_t k = 0; k < n; k++) {
    unsigned char c = (unsigned char)s[k];
    bool plain = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e' || c == '%';
    if (c >= '1' && c <= '9') zero = false;
    if (c == 'e') break;
    if (!plain) {
      if (point) continue;
      point = true;
      c = '.';
    }
    s[to++] = (char)c;
  }
  const char *e = memchr(s, 'e', n);
  if (e) {
    size_t rest = n - (size_t)(e - s);
    memmove(s + to, e, rest);
    to += rest;
  }
  if (zero && to && s[0] == '-') memmove(s, s + 1, --to);
  return to;
}

static bool has_digits(const char *s, size_t n) {      /* nan, inf and true have none */
  return n > 0 && ((s[n - 1] >= '0' && s[n - 1] <= '9') || s[n - 1] == '%');
}

static void padded(Text *t, const char *s, size_t n, const Format *f) {
  bool zeros = f && f->zeros && has_digits(s, n);
  size_t fill = n;
  if (zeros && s[0] == '-') {
    text_add_n(t, s++, 1);
    n--;
  }
  for (; f && fill < (size_t)f->width; fill++) text_add_n(t, zeros ? "0" : " ", 1);
  text_add_n(t, s, n);
}

void format_int(Text *t, int64_t v, const Format *f) {
  if (f && f->kind) {
    format_number(t, (double)v, F64, f);
    return;
  }
  char s[32];
  padded(t, s, (size_t)snprintf(s, sizeof s, "%lld", (long long)v), f);
}

void format_number(Text *t, double v, DType d, const Format *f) {
  char kind = f ? f->kind : 0;
  int digits = f ? f->digits : -1;
  if (d == BOOL) {
    padded(t, v != 0 ? "true" : "false", v != 0 ? 4 : 5, f);
    return;
  }
  if (!kind && !dtype_is_float(d)) {
    format_int(t, (int64_t)v, f);
    return;
  }
  if (isnan(v)) {
    padded(t, "nan", 3, f);
    return;
  }
  if (isinf(v)) {
    padded(t, v < 0 ? "-inf" : "inf", v < 0 ? 4 : 3, f);
    return;
  }
  char s[512];
  int n = 0;
  switch (kind) {
  case 'f': n = c_snprintf(s, sizeof s, "%.*f", digits, v); break;
  case 'e':
    if (digits < 0) digits = SIGNIFICANT - 1;
    n = c_snprintf(s, sizeof s, "%.*e", digits, v);
    break;
  case '%':
    /* a hundred times as much is no number */
    if (fabs(v) > 1e300) n = c_snprintf(s, sizeof s, "%.*g%%", SIGNIFICANT, v);
    else if (digits < 0) n = c_snprintf(s, sizeof s, "%.*g%%", SIGNIFICANT, v * 100);
    else n = c_snprintf(s, sizeof s, "%.*f%%", digits, v * 100);
    break;
  default: n = c_snprintf(s, sizeof s, "%.*g", SIGNIFICANT, v); break;
  }
  padded(t, s, mend(s, (size_t)n), f);
}

/* ---- tensors ---- */

typedef struct Nest {
  Text *t;
  const Tensor *x;
  const Format *f;
  int64_t edge;              /* 0: everything is shown */
  int indent;                /* -1: all on one line */
} Nest;

static bool elided(const Nest *w, int64_t size) { return w->edge && size > 2 * w->edge; }

/* The part of x whose first `axis` indices are fixed; it begins at `first`. Recursion is as deep as the rank. */
static void nest(const Nest *w, int axis, int64_t first) {
  const Type *type = &w->x->type;
  if (axis == type->rank) {
    format_number(w->t, tensor_get(w->x, first), (DType)type->dtype, w->f);
    return;
  }
  int64_t size = type->dim[axis], stride = 1;
  for (int k = axis + 1; k < type->rank; k++) stride *= type->dim[k];
  text_add(w->t, "[");
  for (int64_t k = 0; k < size; k++) {
    if (k) {
      text_add(w->t, ",");
      if (w->indent < 0 || axis == type->rank - 1) text_add(w->t, " ");
      else text_printf(w->t, "\n%*s", w->indent + axis + 1, "");
    }
    if (k == w->edge && elided(w, size)) {
      text_add(w->t, "...");
      k = size - w->edge - 1;
    } else {
      nest(w, axis + 1, first + k * stride);
    }
  }
  text_add(w->t, "]");
}

/* How many numbers and brackets would be written, as far as WHOLE matters: saturates. */
static int64_t shown(const Type *type, int64_t edge) {
  int64_t n = 1;
  for (int k = 0; k < type->rank; k++) {
    int64_t size = type->dim[k];
    if (edge && size > 2 * edge) size = 2 * edge;
    if (size == 0) break;
    if (n > ((int64_t)1 << 40) / size) return (int64_t)1 << 40;
    n *= size;
  }
  return n;
}

static size_t characters(const char *s, size_t n) {
  size_t c = 0;
  for (size_t k = 0; k < n; k++) c += ((unsigned char)s[k] & 0xc0) != 0x80;
  return c;
}

void format_tensor(Text *t, const Tensor *x, const Format *f, int indent) {
  Nest w = {.t = t, .x = x, .f = f, .indent = -1};
  bool part = shown(&x->type, 0) > WHOLE;
  if (part) w.edge = shown(&x->type, EDGE) <= MOST_SHOWN ? EDGE : 1;
  const size_t start = t->n;
  text_add_n(t, "", 0);
  nest(&w, 0, 0);
  if ((size_t)indent + characters(t->at + start, t->n - start) > COLUMNS && x->type.rank > 1) {
    t->n = start;
    w.indent = indent;
    nest(&w, 0, 0);
  }
  if (part) {
    text_add(t, " shape [");
    for (int k = 0; k < x->type.rank; k++) text_printf(t, "%s%lld", k ? ", " : "", (long long)x->type.dim[k]);
    text_add(t, "]");
  }
}

/* ---- templates ---- */

/* How far the line that is being written has come: the rows of a tensor stand below each other. */
static int column(const Text *t) {
  size_t from = t->n;
  while (from && t->at[from - 1] != '\n') from--;
  size_t c = characters(t->at + from, t->n - from);
  return c > COLUMNS / 2 ? 0 : (int)c;
}

void template_write(Text *t, const Template *m, Tensor *const *value) {
  for (uint32_t k = 0; k < m->part.n; k++) {
    const Part *p = &m->part.at[k];
    if (p->text) text_add(t, p->text);
    else if (p->write) p->write(t, p->what);
    else format_tensor(t, value[p->need], &p->format, column(t));
  }
}
