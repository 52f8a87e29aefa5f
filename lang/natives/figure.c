/* figure: see figure.h. The two plotting areas (characters, SVG units) share ranges, ticks and colours; PNG is zlib's
 * deflate between chunks. Every coordinate is written with two digits by format_number, which knows no locale.
 */
#include "natives/figure.h"
#include "steps/format.h"
#include <math.h>
#include <string.h>
#include <zlib.h>

/* ---- ranges and ticks ---- */
typedef struct Range { double low, high; bool fraction; } Range;      /* fraction: not all are whole numbers */

static void range_take(Range *r, double v) {
  if (!isfinite(v)) return;
  r->fraction |= v != floor(v);
  if (v < r->low) r->low = v;
  if (v > r->high) r->high = v;
}

/* A range of nothing is 0..1; of one number it reaches a little around it. */
static void range_open(Range *r) {
  if (!(r->low <= r->high)) *r = (Range){0, 1, true};
  double span = r->high - r->low;
  if (!isfinite(span)) {                     /* so wide that the difference overflows: what is drawn is scaled down */
    r->low /= 4;
    r->high /= 4;
  } else if (!(span > 0)) {
    double around = fabs(r->low) > 0 ? fabs(r->low) * 0.1 : 1;
    r->low -= around;
    r->high += around;
  }
}

static double part_of(const Range *r, double v) { return (v - r->low) / (r->high - r->low); }

/* 1, 2 or 5 times a power of ten, so that about n steps fill the range. */
static double tick_step(const Range *r, int n) {
  double raw = (r->high - r->low) / n, ten = pow(10, floor(log10(raw))), m = raw / ten;
  double step = ten * (m < 1.5 ? 1 : m < 3.5 ? 2 : m < 7.5 ? 5 : 10);
  return r->fraction || step > 1 ? step : 1;
}

/* The round numbers in a range. */
enum { MOST_TICKS = 20 };
typedef struct Ticks { int n; double step, at[MOST_TICKS]; } Ticks;

static Ticks ticks_of(const Range *r, int n) {
  Ticks t = {.step = tick_step(r, n)};
  double step = t.step, first = ceil(r->low / step - 1e-9), last = floor(r->high / step + 1e-9);
  for (double k = first; k <= last && t.n < MOST_TICKS; k++) t.at[t.n++] = k * step;
  return t;
}

/* A multiple of step, with the digits that tell it from the next. */
static void tick_number(Text *t, double v, double step) {
  int digits = step >= 1 ? 0 : -(int)floor(log10(step) + 1e-9);
  if (digits > 4 || fabs(v) >= 1e9) format_number(t, fabs(v) < step * 1e-6 ? 0 : v, F32, NULL);
  else format_number(t, fabs(v) < step * 1e-6 ? 0 : v, F64, &(Format){.kind = 'f', .digits = digits});
}

static void number(Text *t, double v) { format_number(t, v, F64, &(Format){.kind = 'f', .digits = 2}); }
static void label_number(Text *t, double v) { format_number(t, fabs(v) < 1e-300 ? 0 : v, F32, NULL); }

static void ranges(const Figure *f, Range *x, Range *y) {
  *x = *y = (Range){INFINITY, -INFINITY, false};
  for (uint32_t k = 0; k < f->n; k++)
    for (int64_t i = 0; i < f->line[k].n + (f->kind == FIGURE_BARS); i++) {
      const Line *l = &f->line[k];
      if (f->kind == FIGURE_BARS) {
        range_take(x, l->x[i]);
        if (i < l->n) range_take(y, l->y[i]);
      } else if (isfinite(l->x[i]) && isfinite(l->y[i])) {
        range_take(x, l->x[i]);
        range_take(y, l->y[i]);
      }
    }
  if (f->kind == FIGURE_BARS) range_take(y, 0);
  range_open(x);
  range_open(y);
}

static Range pixel_range(const Figure *f) {
  Range r = {INFINITY, -INFINITY, false};
  for (int64_t k = 0; k < f->rows * f->columns; k++) range_take(&r, f->pixel[k]);
  range_open(&r);
  return r;
}

/* ---- text ---- */
enum { WIDE = 64, HIGH = 16, MARGIN = 13 };     /* of the area; columns before it */
static const char marks[] = "*+ox#@%&=$";

/* Where a part 0..1 falls among n places. */
static int64_t place(double part, int64_t n) {
  double v = floor(part * (double)(n - 1) + 0.5);
  return v < 0 ? 0 : v > (double)(n - 1) ? n - 1 : (int64_t)v;
}

/* Text centred over a column, where it does not run into what stands before it. */
static void centred(char *line, int room, int column, const char *text, int *end) {
  int n = (int)strlen(text), from = column - n / 2;
  if (from < 0) from = 0;
  if (from < *end + (*end ? 2 : 0) || from + n > room) return;
  memcpy(line + from, text, (size_t)n);
  *end = from + n;
}

/* The area with its axes: round numbers where they belong. */
static void text_rows(Text *t, char (*cell)[WIDE + 1], const Range *x, const Range *y) {
  const char *label[HIGH] = {0};
  Ticks ticks = ticks_of(y, 4);
  for (int k = 0; k < ticks.n; k++) {
    Text number_ = {.arena = t->arena};
    tick_number(&number_, ticks.at[k], ticks.step);
    label[HIGH - 1 - place(part_of(y, ticks.at[k]), HIGH)] = number_.at;
  }
  for (int r = 0; r < HIGH; r++) {
    int end = WIDE;
    while (end > 0 && cell[r][end - 1] == ' ') end--;
    text_printf(t, "%11s %c%.*s\n", label[r] ? label[r] : "", label[r] ? '+' : '|', end, cell[r]);
  }
  char axis[WIDE + 1], under[MARGIN + WIDE + MARGIN + 1];
  memset(axis, '-', WIDE);
  memset(under, ' ', sizeof under - 1);
  axis[WIDE] = under[sizeof under - 1] = 0;
  int end = 0;
  ticks = ticks_of(x, 6);
  for (int k = 0; k < ticks.n; k++) {
    Text number_ = {.arena = t->arena};
    tick_number(&number_, ticks.at[k], ticks.step);
    int64_t column = place(part_of(x, ticks.at[k]), WIDE);
    axis[column] = '+';
    centred(under, (int)sizeof under - 1, MARGIN + (int)column, number_.at, &end);
  }
  text_printf(t, "%11s +%s\n%.*s\n", "", axis, end, under);
}

/* Which mark means which line, in as many lines as it takes. */
static void legend_text(Text *t, const Figure *f) {
  int column = 0;
  for (uint32_t k = 0; k < f->n; k++) {
    const char *name = f->line[k].label ? f->line[k].label : "";
    int n = (int)strlen(name) + 2;
    bool breaks = column > 0 && column + 3 + n > WIDE;
    if (breaks) text_add(t, "\n");
    if (breaks || k == 0) text_printf(t, "%*s", MARGIN, ""), column = 0;
    text_printf(t, "%s%c %s", column ? "   " : "", marks[k % (sizeof marks - 1)], name);
    column += n + (column ? 3 : 0);
  }
  text_add(t, "\n");
}

static void lines_text(Text *t, const Figure *f) {
  char cell[HIGH][WIDE + 1];
  Range x, y;
  ranges(f, &x, &y);
  memset(cell, ' ', sizeof cell);
  for (uint32_t k = 0; k < f->n; k++) {
    const Line *l = &f->line[k];
    char mark = marks[k % (sizeof marks - 1)];
    int64_t before = -1, column_before = 0;
    for (int64_t i = 0; i < l->n; i++) {
      if (!isfinite(l->x[i]) || !isfinite(l->y[i])) {
        before = -1;
        continue;
      }
      int64_t c = place(part_of(&x, l->x[i]), WIDE), r = HIGH - 1 - place(part_of(&y, l->y[i]), HIGH);
      if (before >= 0 && c > column_before + 1)          /* the straight line between two points */
        for (int64_t m = column_before + 1; m < c; m++) {
          double q = (double)(m - column_before) / (double)(c - column_before);
          cell[(int64_t)floor((double)before + q * (double)(r - before) + 0.5)][m] = mark;
        }
      cell[r][c] = mark;
      before = r;
      column_before = c;
    }
  }
  if (f->n > 1 || (f->n == 1 && f->line[0].label)) legend_text(t, f);
  text_rows(t, cell, &x, &y);
  if (f->x_label) text_printf(t, "%*s\n", 13 + WIDE / 2 + (int)strlen(f->x_label) / 2, f->x_label);
}

/* An edge between bars `width` wide, with the digits that tell it from the next. */
static void edge_number(Text *t, double v, double width) {
  int digits = 1 - (int)floor(log10(width));
  if (digits < 0) digits = 0;
  if (!(width > 0) || digits > 6 || fabs(v) >= 1e6) label_number(t, v);
  else format_number(t, fabs(v) < width * 1e-6 ? 0 : v, F64, &(Format){.kind = 'f', .digits = digits});
}

static void bars_text(Text *t, const Figure *f) {
  const Line *l = &f->line[0];
  Range x, y;
  ranges(f, &x, &y);
  for (int64_t i = 0; i < l->n; i++) {
    Text from = {.arena = t->arena}, count = {.arena = t->arena};
    edge_number(&from, l->x[i], l->x[1] - l->x[0]);
    label_number(&count, l->y[i]);
    int64_t n = l->y[i] > 0 ? place(part_of(&y, l->y[i]), 50) : 0;
    text_printf(t, "%11s |", from.at);
    for (int64_t k = 0; k < n; k++) text_add(t, "#");
    text_printf(t, "%s%s\n", n ? " " : " ", count.at);
  }
  Text last = {.arena = t->arena};
  edge_number(&last, l->x[l->n], l->x[1] - l->x[0]);
  text_printf(t, "%11s |\n", last.at);
}

/* At most 64 columns and 32 rows: every k-th number. */
static void image_text(Text *t, const Figure *f) {
  static const char shades[] = " .:-=+*#%@";
  Range r = pixel_range(f);
  int64_t by = 1;
  while (f->columns / by > WIDE / 2 || f->rows / by > WIDE / 2) by++;
  for (int64_t i = 0; i < f->rows; i += by) {
    for (int64_t j = 0; j < f->columns; j += by) {
      double v = f->pixel[i * f->columns + j];
      char c = ' ';
      if (f->kind == FIGURE_CLASSES) c = isfinite(v) && v >= 0 ? (char)('a' + (int64_t)fmod(v, 26)) : '?';
      else if (isfinite(v)) c = shades[place(part_of(&r, v), (int64_t)sizeof shades - 1)];
      text_printf(t, "%c%c", c, f->kind == FIGURE_CLASSES ? ' ' : c);
    }
    text_add(t, "\n");
  }
}

static void classes_text(Text *t, const Figure *f) {
  char cell[HIGH][WIDE + 1];
  Range x = {f->left, f->right, true}, y = {f->bottom, f->top, true};
  memset(cell, ' ', sizeof cell);
  for (int r = 0; r < HIGH; r++)
    for (int c = 0; c < WIDE; c++) {
      double v =
          f->pixel[place((double)r / (HIGH - 1), f->rows) * f->columns + place((double)c / (WIDE - 1), f->columns)];
      static const char fields[] = ".:-=~,'`";
      cell[r][c] = isfinite(v) && v >= 0 ? fields[(int64_t)fmod(v, sizeof fields - 1)] : '?';
    }
  for (int64_t k = 0; k < f->points; k++) {
    double px = f->point[2 * k], py = f->point[2 * k + 1], v = f->point_class[k];
    if (!isfinite(px) || !isfinite(py) || !isfinite(v) || v < 0) continue;
    cell[HIGH - 1 - place(part_of(&y, py), HIGH)][place(part_of(&x, px), WIDE)] = (char)('a' + (int64_t)fmod(v, 26));
  }
  text_rows(t, cell, &x, &y);
}

void figure_text(Text *t, const Figure *f) {
  text_add(t, "");
  switch (f->kind) {
  case FIGURE_LINES: lines_text(t, f); break;
  case FIGURE_BARS: bars_text(t, f); break;
  case FIGURE_IMAGE: image_text(t, f); break;
  case FIGURE_CLASSES: classes_text(t, f); break;
  }
}

/* ---- colours ---- */
typedef struct Colour { uint8_t r, g, b; } Colour;

/* Okabe and Ito (2008): told apart by those who see fewer colours. */
static const Colour palette[] = {{0, 114, 178}, {230, 159, 0},   {0, 158, 115}, {213, 94, 0},
                                 {204, 121, 167}, {86, 180, 233}, {148, 130, 20}, {70, 70, 70}};
enum { N_COLOURS = sizeof palette / sizeof *palette };

static Colour colour_of(double class_) {
  return isfinite(class_) && class_ >= 0 ? palette[(int64_t)fmod(class_, N_COLOURS)] : (Colour){255, 255, 255};
}

static Colour pale(Colour c) {
  return (Colour){(uint8_t)(255 - (255 - c.r) * 3 / 10), (uint8_t)(255 - (255 - c.g) * 3 / 10),
                  (uint8_t)(255 - (255 - c.b) * 3 / 10)};
}

/* Dark blue over green to yellow: five colours of viridis (Smith and van der Walt, 2015), straight between. */
static Colour shade(const Figure *f, const Range *r, double v) {
  static const Colour stop[] = {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}};
  if (!isfinite(v)) return (Colour){255, 255, 255};
  double p = part_of(r, v);
  p = p < 0 ? 0 : p > 1 ? 1 : p;
  if (f->gray) {
    uint8_t g = (uint8_t)(p * 255 + 0.5);
    return (Colour){g, g, g};
  }
  int k = p >= 1 ? 3 : (int)(p * 4);
  double q = p * 4 - k;
  return (Colour){(uint8_t)(stop[k].r + q * (stop[k + 1].r - stop[k].r) + 0.5),
                  (uint8_t)(stop[k].g + q * (stop[k + 1].g - stop[k].g) + 0.5),
                  (uint8_t)(stop[k].b + q * (stop[k + 1].b - stop[k].b) + 0.5)};
}

static Colour pixel_colour(const Figure *f, const Range *r, int64_t k) {
  return f->kind == FIGURE_CLASSES ? pale(colour_of(f->pixel[k])) : shade(f, r, f->pixel[k]);
}

/* ---- SVG ---- */
enum { SVG_W = 640, SVG_H = 400, LEFT = 70, RIGHT = 20, TOP = 20, BOTTOM = 50 };

static double across(const Range *x, double v) { return LEFT + part_of(x, v) * (SVG_W - LEFT - RIGHT); }
static double down(const Range *y, double v) { return SVG_H - BOTTOM - part_of(y, v) * (SVG_H - TOP - BOTTOM); }

static void escaped(Text *t, const char *s) {
  for (; *s; s++) {
    if (*s == '<') text_add(t, "&lt;");
    else if (*s == '&') text_add(t, "&amp;");
    else if (*s == '"') text_add(t, "&quot;");
    else text_add_n(t, s, 1);
  }
}

static void svg_begin(Text *t, int w, int h) {
  text_printf(t, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
              "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n",
              w, h, w, h, w, h);
}

static void svg_axis(Text *t, const Range *r, bool vertical) {
  Ticks ticks = ticks_of(r, vertical ? 6 : 8);
  for (int k = 0; k < ticks.n; k++) {
    double v = ticks.at[k], at = vertical ? down(r, v) : across(r, v);
    text_add(t, "<path stroke=\"#ddd\" d=\"M");
    if (vertical) text_printf(t, "%d ", LEFT);
    number(t, at);
    if (vertical) text_printf(t, "H%d", SVG_W - RIGHT);
    else text_printf(t, " %dV%d", SVG_H - BOTTOM, TOP);
    text_add(t, "\"/><text ");
    if (vertical) {
      text_printf(t, "x=\"%d\" y=\"", LEFT - 8);
      number(t, at + 4);
      text_add(t, "\" text-anchor=\"end\">");
    } else {
      text_add(t, "x=\"");
      number(t, at);
      text_printf(t, "\" y=\"%d\" text-anchor=\"middle\">", SVG_H - BOTTOM + 18);
    }
    tick_number(t, v, ticks.step);
    text_add(t, "</text>\n");
  }
}

static void svg_frame(Text *t, const Figure *f) {
  text_printf(t, "<path fill=\"none\" stroke=\"#333\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, SVG_H - BOTTOM,
              SVG_W - RIGHT);
  if (!f->x_label) return;
  text_printf(t, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (SVG_W + LEFT - RIGHT) / 2, SVG_H - 10);
  escaped(t, f->x_label);
  text_add(t, "</text>\n");
}

/* The colour of line k; of those beyond the palette dashed. */
static void svg_stroke(Text *t, uint32_t k) {
  Colour c = palette[k % N_COLOURS];
  text_printf(t, " stroke=\"#%02x%02x%02x\" stroke-width=\"2\"", c.r, c.g, c.b);
  if (k >= N_COLOURS) text_printf(t, " stroke-dasharray=\"%u 5\"", 3 + 4 * (k / N_COLOURS - 1));
}

/* Names in a box over the lines, in the corner. A long name is cut, of many lines the first have names. */
enum { LEGEND_NAMES = 18, LEGEND_LETTERS = 36, LETTER_WIDTH = 7 };

static size_t letters_cut(const char *s, int *letters) {
  size_t at = 0;
  for (*letters = 0; s[at] && *letters < LEGEND_LETTERS; ++*letters)
    do at++;
    while (((unsigned char)s[at] & 0xc0) == 0x80);
  return at;
}

static void svg_legend(Text *t, const Figure *f) {
  int widest = 0, rows = 0, letters;
  for (uint32_t k = 0; k < f->n && rows < LEGEND_NAMES; k++) {
    if (!f->line[k].label) continue;
    rows++;
    letters_cut(f->line[k].label, &letters);
    if (letters > widest) widest = letters;
  }
  if (!rows) return;
  int w = 34 + widest * LETTER_WIDTH, left = SVG_W - RIGHT - 4 - w;
  text_printf(t, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"white\" fill-opacity=\"0.85\"/>\n", left,
              TOP + 4, w, 16 * rows + 6);
  for (uint32_t k = 0, row = 0; k < f->n && row < LEGEND_NAMES; k++) {
    const char *name = f->line[k].label;
    if (!name) continue;
    int at = TOP + 4 + 16 * (int)++row;
    text_add(t, "<path");
    svg_stroke(t, k);
    text_printf(t, " d=\"M%d %dh18\"/><text x=\"%d\" y=\"%d\">", left + 4, at - 4, left + 28, at);
    size_t cut = letters_cut(name, &letters);
    escaped(t, arena_text(t->arena, name, cut));
    text_add(t, name[cut] ? "...</text>\n" : "</text>\n");
  }
}

static void lines_svg(Text *t, const Figure *f) {
  Range x, y;
  ranges(f, &x, &y);
  svg_begin(t, SVG_W, SVG_H);
  svg_axis(t, &x, false);
  svg_axis(t, &y, true);
  for (uint32_t k = 0; k < f->n; k++) {
    const Line *l = &f->line[k];
    text_add(t, "<path fill=\"none\"");
    svg_stroke(t, k);
    text_add(t, " stroke-linejoin=\"round\" stroke-linecap=\"round\" d=\"");
    bool open = false;
    for (int64_t i = 0; i < l->n; i++) {
      bool finite = isfinite(l->x[i]) && isfinite(l->y[i]);
      if (finite) {
        text_add(t, open ? "L" : "M");
        number(t, across(&x, l->x[i]));
        text_add(t, " ");
        number(t, down(&y, l->y[i]));
        if (!open && (i + 1 == l->n || !isfinite(l->y[i + 1]))) text_add(t, "h0");     /* a lone point is a dot */
      }
      open = finite;
    }
    text_add(t, "\"/>\n");
  }
  svg_legend(t, f);
  svg_frame(t, f);
  text_add(t, "</svg>\n");
}

static void bars_svg(Text *t, const Figure *f) {
  Range x, y;
  ranges(f, &x, &y);
  svg_begin(t, SVG_W, SVG_H);
  svg_axis(t, &x, false);
  svg_axis(t, &y, true);
  text_printf(t, "<path fill=\"#%02x%02x%02x\" stroke=\"white\" d=\"", palette[0].r, palette[0].g, palette[0].b);
  for (int64_t i = 0; i < f->line->n; i++) {
    text_add(t, "M");
    number(t, across(&x, f->line->x[i]));
    text_printf(t, " %dV", SVG_H - BOTTOM);
    number(t, down(&y, f->line->y[i]));
    text_add(t, "H");
    number(t, across(&x, f->line->x[i + 1]));
    text_printf(t, "V%dZ", SVG_H - BOTTOM);
  }
  text_add(t, "\"/>\n");
  svg_frame(t, f);
  text_add(t, "</svg>\n");
}

/* Runs of one colour in a row are one rectangle. */
static void pixels_svg(Text *t, const Figure *f, double x0, double y0, double w, double h) {
  Range r = pixel_range(f);
  double dx = w / (double)f->columns, dy = h / (double)f->rows;
  text_add(t, "<g shape-rendering=\"crispEdges\">\n");
  for (int64_t i = 0; i < f->rows; i++)
    for (int64_t j = 0, end; j < f->columns; j = end) {
      Colour c = pixel_colour(f, &r, i * f->columns + j);
      for (end = j + 1; end < f->columns; end++) {
        Colour d = pixel_colour(f, &r, i * f->columns + end);
        if (d.r != c.r || d.g != c.g || d.b != c.b) break;
      }
      text_printf(t, "<path fill=\"#%02x%02x%02x\" d=\"M", c.r, c.g, c.b);
      number(t, x0 + dx * (double)j);
      text_add(t, " ");
      number(t, y0 + dy * (double)i);
      text_add(t, "h");
      number(t, dx * (double)(end - j));
      text_add(t, "v");
      number(t, dy);
      text_add(t, "H");
      number(t, x0 + dx * (double)j);
      text_add(t, "Z\"/>\n");
    }
  text_add(t, "</g>\n");
}

static void image_svg(Text *t, const Figure *f) {
  double scale = 512.0 / (double)(f->rows > f->columns ? f->rows : f->columns);
  int w = (int)ceil((double)f->columns * scale), h = (int)ceil((double)f->rows * scale);
  svg_begin(t, w, h);
  pixels_svg(t, f, 0, 0, (double)f->columns * scale, (double)f->rows * scale);
  text_add(t, "</svg>\n");
}

static void classes_svg(Text *t, const Figure *f) {
  Range x = {f->left, f->right, true}, y = {f->bottom, f->top, true};
  svg_begin(t, SVG_W, SVG_H);
  pixels_svg(t, f, LEFT, TOP, SVG_W - LEFT - RIGHT, SVG_H - TOP - BOTTOM);
  svg_axis(t, &x, false);
  svg_axis(t, &y, true);
  for (int64_t k = 0; k < f->points; k++) {
    double px = f->point[2 * k], py = f->point[2 * k + 1];
    if (!isfinite(px) || !isfinite(py)) continue;
    Colour c = colour_of(f->point_class[k]);
    text_add(t, "<circle r=\"3\" stroke=\"white\" cx=\"");
    number(t, across(&x, px));
    text_add(t, "\" cy=\"");
    number(t, down(&y, py));
    text_printf(t, "\" fill=\"#%02x%02x%02x\"/>\n", c.r, c.g, c.b);
  }
  svg_frame(t, f);
  text_add(t, "</svg>\n");
}

void figure_svg(Text *t, const Figure *f) {
  switch (f->kind) {
  case FIGURE_LINES: lines_svg(t, f); break;
  case FIGURE_BARS: bars_svg(t, f); break;
  case FIGURE_IMAGE: image_svg(t, f); break;
  case FIGURE_CLASSES: classes_svg(t, f); break;
  }
}

/* ---- PNG ---- */
static void big_endian(uint8_t *to, uint32_t v) {
  for (int k = 0; k < 4; k++) to[k] = (uint8_t)(v >> (24 - 8 * k));
}

static void chunk(Text *t, const char *kind, const uint8_t *data, uint32_t n) {
  uint8_t word[4];
  big_endian(word, n);
  text_add_n(t, (const char *)word, 4);
  text_add_n(t, kind, 4);
  text_add_n(t, (const char *)data, n);
  uLong crc = crc32(crc32(0, (const Bytef *)kind, 4), data, n);
  big_endian(word, (uint32_t)crc);
  text_add_n(t, (const char *)word, 4);
}

void figure_png(Text *t, const Figure *f) {
  int64_t longest = f->rows > f->columns ? f->rows : f->columns, scale = longest < 256 ? 256 / longest : 1;
  size_t w = (size_t)(f->columns * scale), h = (size_t)(f->rows * scale), row = 1 + 3 * w, n = row * h;
  uint8_t *raw = NEW_N(t->arena, uint8_t, n), *at = raw;
  Range r = pixel_range(f);
  for (size_t i = 0; i < h; i++) {
    *at++ = 0;                                            /* no filter */
    for (size_t j = 0; j < w; j++) {
      Colour c = pixel_colour(f, &r, (int64_t)(i / (size_t)scale) * f->columns + (int64_t)(j / (size_t)scale));
      *at++ = c.r, *at++ = c.g, *at++ = c.b;
    }
  }
  uLongf packed = compressBound((uLong)n);
  uint8_t *out = NEW_N(t->arena, uint8_t, packed), head[13] = {0};
  if (compress2(out, &packed, raw, (uLong)n, 6) != Z_OK)                   /* compressBound has room for all of it */
    host_fail(arena_host(t->arena), FAIL_MEMORY, "out of memory");
  big_endian(head, (uint32_t)w);
  big_endian(head + 4, (uint32_t)h);
  head[8] = 8;
  head[9] = 2;                                            /* 8 bits each of red, green, blue */
  text_add_n(t, "\x89PNG\r\n\x1a\n", 8);
  chunk(t, "IHDR", head, sizeof head);
  chunk(t, "IDAT", out, (uint32_t)packed);
  chunk(t, "IEND", out, 0);
}
