/* figure: pictures of numbers: curves, bars, images and maps of classes, as text for a terminal, as SVG, or (images) as
 * PNG. In: doubles that a caller holds while drawing. Out: bytes in a Text. Numbers that are not finite are left out of
 * lines and drawn as empty places of images. The same numbers give the same bytes, whatever the locale.
 */
#ifndef LANG_FIGURE_H
#define LANG_FIGURE_H
#include "runtime/value/tensor.h"

typedef struct Line { const char *label; const double *x, *y; int64_t n; } Line;

typedef struct Figure {
  enum { FIGURE_LINES, FIGURE_BARS, FIGURE_IMAGE, FIGURE_CLASSES } kind;
  const char *x_label;        /* or NULL */
  /* LINES: their number. BARS: one line, x the left edges and a last right one, y the heights */
  uint32_t n;
  const Line *line;
  int64_t rows, columns;      /* IMAGE, CLASSES: of pixel, row by row, the first on top */
  const double *pixel;        /* IMAGE: any numbers. CLASSES: class numbers */
  bool gray;                  /* IMAGE: black to white, not colours */
  double left, right, bottom, top;      /* CLASSES: where the map lies */
  int64_t points;             /* CLASSES: what is drawn over it: (x, y) pairs and their classes */
  const double *point, *point_class;
} Figure;

void figure_text(Text *t, const Figure *f);
void figure_svg(Text *t, const Figure *f);
void figure_png(Text *t, const Figure *f);      /* IMAGE and CLASSES: a pixel a number, small ones enlarged */
#endif
