/* json: values written as JSON, for logs, traces and pages. In: text, numbers. Out: bytes that readers of JSON take and
 * that may stand in a <script> of HTML: no `<`, `>` or `&` of the text stands there as it is. And text for HTML.
 */
#ifndef LANG_JSON_H
#define LANG_JSON_H
#include "runtime/base/arena.h"
#include "runtime/value/tensor.h"

/* In quotes; what is no UTF-8 becomes U+FFFD. */
void json_string(Text *t, const char *s, size_t n);
void json_text(Text *t, const char *s);                     /* the same of a C string; NULL: null */
/* The shortest text that reads back as the same number of that type; NaN, which JSON has not, is null, and what is
 * infinite 1e999, which readers take as infinite. */
void json_number(Text *t, double v, DType d);
/* A number, or for each axis an array. */
void json_tensor(Text *t, const Tensor *x);
/* `"name": `, with a comma before it unless a `{` stands there. */
void json_key(Text *t, const char *name);
/* Bytes as letters, without quotes. */
void json_base64(Text *t, const char *bytes, size_t n);
/* For HTML, in text and in attributes. */
void html_text(Text *t, const char *s, size_t n);
#endif
