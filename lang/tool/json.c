/* json: see json.h. */
#include "tool/json.h"
#include "runtime/base/locale.h"
#include "runtime/files/utf8.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What stands for a byte below 0x80; NULL: itself. */
typedef const char *As(unsigned char c, char small[8]);

static const char *as_json(unsigned char c, char small[8]) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '"') return "\\\"";
  if (c == '\\') return "\\\\";
  if (c >= 0x20 && c != 0x7f && c != '<' && c != '>' && c != '&') return NULL;
  snprintf(small, 8, "\\u%04x", c);
  return small;
}

static const char *as_html(unsigned char c, char small[8]) {
  (void)small;
  switch (c) {
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '&': return "&amp;";
  case '"': return "&quot;";
  case '\'': return "&#39;";
  default: return c < 0x20 && c != '\n' && c != '\t' ? "\xef\xbf\xbd" : NULL;
  }
}

static void good_text(Text *t, const char *s, size_t n, As *as) {
  size_t from = 0;
  for (size_t k = 0; k < n; k++) {
    char small[8];
    const char *instead = (unsigned char)s[k] < 0x80 ? as((unsigned char)s[k], small) : NULL;
    if (!instead) continue;
    text_add_n(t, s + from, k - from);
    text_add(t, instead);
    from = k + 1;
  }
  text_add_n(t, s + from, n - from);
}

static void escaped(Text *t, const char *s, size_t n, As *as) {
  while (n > 0) {
    size_t good = utf8_first_bad(s, n);
    good_text(t, s, good, as);
    if (good == n) return;
    text_add(t, "\xef\xbf\xbd");
    s += good + 1;
    n -= good + 1;
  }
}

void json_string(Text *t, const char *s, size_t n) {
  text_add(t, "\"");
  escaped(t, s, n, as_json);
  text_add(t, "\"");
}

void json_text(Text *t, const char *s) {
  if (s) json_string(t, s, strlen(s));
  else text_add(t, "null");
}

void html_text(Text *t, const char *s, size_t n) { escaped(t, s, n, as_html); }

void json_number(Text *t, double v, DType d) {
  char text[32];
  if (d == BOOL) {
    text_add(t, v != 0 ? "true" : "false");
    return;
  }
  if (!isfinite(v)) {
    text_add(t, isnan(v) ? "null" : v < 0 ? "-1e999" : "1e999");
    return;
  }
  for (int digits = d == F64 ? 15 : 6; digits <= 17; digits++) {
    c_snprintf(text, sizeof text, "%.*g", digits, v);
    double back = c_strtod(text, NULL);
    if (d == F64 || !dtype_is_float(d) ? back == v : (float)back == (float)v) break;
  }
  text_add(t, text);
}

static void axis(Text *t, const Tensor *x, int k, int64_t *at) {
  if (k == x->type.rank) {
    json_number(t, tensor_get(x, *at), (DType)x->type.dtype);
    ++*at;
    return;
  }
  text_add(t, "[");
  for (int64_t i = 0; i < x->type.dim[k]; i++) {
    if (i) text_add(t, ", ");
    axis(t, x, k + 1, at);
  }
  text_add(t, "]");
}

void json_tensor(Text *t, const Tensor *x) {
  int64_t at = 0;
  axis(t, x, 0, &at);
}

void json_key(Text *t, const char *name) {
  if (t->n && t->at[t->n - 1] != '{') text_add(t, ", ");
  json_text(t, name);
  text_add(t, ": ");
}

void json_base64(Text *t, const char *bytes, size_t n) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t k = 0; k < n; k += 3) {
    uint32_t v = 0;
    for (size_t j = 0; j < 3; j++) v = v << 8 | (k + j < n ? (uint8_t)bytes[k + j] : 0);
    char four[5] = {digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63], 0};
    if (k + 2 >= n) four[3] = '=';
    if (k + 1 >= n) four[2] = '=';
    text_add(t, four);
  }
}
