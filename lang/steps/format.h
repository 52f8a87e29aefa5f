/* format: values as text, as `print` and string holes write them: 6 significant digits, nested brackets, on one line if
 * they fit 80 columns, else a row a line; above 1,000 elements the first and last 3 of an axis and the shape.
 */
#ifndef LANG_FORMAT_H
#define LANG_FORMAT_H
#include "runtime/value/tensor.h"

/* kind 0: as print; 'f' .4, 'e' .4e, '%' .1%; digits -1: none given */
typedef struct Format { char kind; int width, digits; bool zeros; } Format;      /* zeros: fill the width */
/* ".4" "6.2" "03" ".4e" ".1%" "6"; NULL or what is wrong with it, in a. */
const char *format_parse(Arena *a, const char *text, size_t n, Format *out);
void format_number(Text *t, double v, DType d, const Format *f);    /* f NULL: as print */
void format_int(Text *t, int64_t v, const Format *f);               /* every digit, also beyond 2^53 */
/* indent: the column it begins in; further rows begin there too. */
void format_tensor(Text *t, const Tensor *x, const Format *f, int indent);

/* A text with holes, made while elaborating: what print and string holes write. */
typedef struct Part {
  const char *text;          /* literal, or NULL: */
  uint32_t need;             /* the index of the value */
  Format format;
  void (*write)(Text *t, const void *what);   /* or what writes itself as it then is: a series */
  const void *what;
} Part;
typedef struct Template { VEC(Part) part; } Template;
void template_write(Text *t, const Template *m, Tensor *const *value);
#endif
