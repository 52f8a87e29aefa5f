/* csv: tables of comma-separated values (RFC 4180), plain or gzip. In: a path. Out: columns with the names of the first
 * line, each all numbers or all text, or an error that says where.
 *
 * The first pass cuts the bytes into cells, in place; the second decides each column. A number is read without its
 * point, which the exponent remembers, so that no locale matters. Nothing is guessed: a row of another length, a gap
 * (an empty cell; among numbers NA, N/A, null, ?), an open quote, a byte that is not UTF-8 are errors.
 */
#include "base/locale.h"
#include "files/stream.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files/utf8.h"

enum { MOST_BYTES = 1 << 30, MOST_COLUMNS = 4096, MOST_DIGITS = 800 };
enum { ROWS_AT_ONCE = 4096 };   /* between two questions whether to go on */

typedef struct Cell { char *at; uint32_t n; } Cell;
typedef struct Cut {
  Arena *a;
  const char *path;
  char separator;
  char *at, *end;
  int64_t line, row;          /* of the file, from 1; of the data, from 1, 0 is the header */
  FileError *e;
} Cut;

/* One field; *last: it ends its record. */
static bool field(Cut *c, Cell *out, bool *last) {
  char *p = c->at, *to = p;
  if (p < c->end && *p == '"') {
    int64_t opened = c->line;
    out->at = to = ++p;
    for (;; p++) {
      if (p == c->end)
        return file_bad(c->e, "read", c->path, "the quote opened in line %lld is not closed", (long long)opened);
      if (*p == '"') {
        if (p + 1 < c->end && p[1] == '"') p++;
        else break;
      }
      if (*p == '\n') c->line++;
      *to++ = *p;
    }
    out->n = (uint32_t)(to - out->at);
    p++;
    if (p < c->end && *p != c->separator && *p != '\n' && *p != '\r')
      return file_bad(c->e, "read", c->path,
                      "line %lld has text behind a closed quote; a quote within quotes is doubled", (long long)c->line);
  } else {
    out->at = p;
    while (p < c->end && *p != c->separator && *p != '\n' && *p != '\r') p++;
    char *from = out->at, *to_ = p;
    while (from < to_ && (*from == ' ' || *from == '\t')) from++;
    while (to_ > from && (to_[-1] == ' ' || to_[-1] == '\t')) to_--;
    out->at = from;
    out->n = (uint32_t)(to_ - from);
  }
  *last = p == c->end || *p != c->separator;
  if (p < c->end && *p == '\r') p++;
  if (p < c->end && *p == '\n') c->line++;
  if (p < c->end && (*p == '\n' || *p == c->separator)) p++;
  c->at = p;
  return true;
}

/* [+-] digits [. digits] [e [+-] digits], nan, [+-] inf. */
static bool number(const Cell *c, double *out) {
  const char *p = c->at, *end = p + c->n;
  bool minus = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  size_t n = (size_t)(end - p);
  if (n == 3 && (memcmp(p, "inf", 3) == 0 || memcmp(p, "Inf", 3) == 0)) {
    *out = minus ? -INFINITY : INFINITY;
    return true;
  }
  if (n == 3 && (memcmp(p, "nan", 3) == 0 || memcmp(p, "NaN", 3) == 0)) { *out = NAN; return true; }
  char digits[MOST_DIGITS + 32];
  size_t used = 0;
  long exponent = 0, written = 0;
  bool any = false, point = false;
  for (; p < end; p++) {
    if (*p == '.' && !point) { point = true; continue; }
    if (*p < '0' || *p > '9') break;
    any = true;
    if (point) exponent--;
    if (used == 0 && *p == '0') continue;
    if (used < MOST_DIGITS) digits[used++] = *p;
    else exponent++;
  }
  if (!any) return false;
  if (p < end && (*p == 'e' || *p == 'E')) {
    bool down = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return false;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
      if (written < 100000) written = written * 10 + (*p - '0');
    if (down) written = -written;
  }
  if (p != end) return false;
  if (used == 0) digits[used++] = '0';
  snprintf(digits + used, 32, "e%ld", exponent + written);
  double v = c_strtod(digits, NULL);
  *out = minus ? -v : v;
  return true;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool wrong_length(Cut *c, uint32_t found, uint32_t wanted) {
  return file_bad(c->e, "read", c->path,
                  "row %lld (line %lld) has %u field%s, but the header has %u; text with `%c` stands in quotes",
                  (long long)c->row, (long long)c->line, found, found == 1 ? "" : "s", wanted, c->separator);
}

/* All records; blank lines at the end are none. */
static bool cut(Arena *a, Cut *c, uint32_t *columns, int64_t *rows, Cell **cells) {
  size_t room = 1024, n = 0;
  Cell *cell = NEW_N(a, Cell, room);
  *columns = 0;
  *rows = 0;
  while (c->at < c->end) {
    if (c->row % ROWS_AT_ONCE == 0) host_go_on(arena_host(a));
    char *p = c->at;
    while (p < c->end && (*p == '\n' || *p == '\r')) p++;
    if (p == c->end) break;
    uint32_t width = 0;
    int64_t line = c->line;
    bool last = false;
    while (!last) {
      if (n == room) {
        Cell *more = NEW_N(a, Cell, room * 2);
        memcpy(more, cell, room * sizeof *more);
        cell = more;
        room *= 2;
      }
      if (!field(c, &cell[n++], &last)) return false;
      if (++width > MOST_COLUMNS) return file_bad(c->e, "read", c->path, "it has more than %d columns", MOST_COLUMNS);
    }
    if (c->row == 0) *columns = width;
    else if (width != *columns) {
      c->line = line;
      return wrong_length(c, width, *columns);
    }
    c->row++;
  }
  *rows = c->row - 1;
  *cells = cell;
  return true;
}

/* What stands among numbers where one is missing: nothing, NA, N/A, null, ?, in any case. */
static bool is_gap(const Cell *x) {
  static const char *const words[] = {"", "na", "n/a", "null", "?"};
  for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
    size_t n = strlen(words[k]), same = 0;
    if (x->n != n) continue;
    while (same < n && (x->at[same] | (x->at[same] >= 'A' && x->at[same] <= 'Z' ? 0x20 : 0)) == words[k][same]) same++;
    if (same == n) return true;
  }
  return false;
}

static bool gap_found(Cut *c, const Cell *x, int64_t row, const char *column) {
  const char *is = x->n ? arena_printf(c->a, "is `%.*s` among numbers", (int)x->n, x->at) : "is empty";
  return file_bad(c->e, "read", c->path, "row %lld, column `%s` %s; `missing = nan` reads gaps as nan", (long long)row,
                  column, is);
}

static bool column(Cut *c, Cell *cell, uint32_t k, uint32_t columns, int64_t rows, bool missing, CsvColumn *out) {
  Arena *a = c->a;
  bool numbers = true, any = false;
  double v;
  int64_t gap = 0;
  for (int64_t r = 1; r <= rows; r++) {
    if (r % ROWS_AT_ONCE == 0) host_go_on(arena_host(a));
    const Cell *x = &cell[(size_t)r * columns + k];
    if (x->n == 0 && !missing) return gap_found(c, x, r, out->name);
    if (is_gap(x)) gap = gap ? gap : r;
    else if (numbers) numbers = any = number(x, &v);
  }
  if (numbers && any) {
    if (gap && !missing) return gap_found(c, &cell[(size_t)gap * columns + k], gap, out->name);
    out->number = NEW_N(a, float, rows + 1);
    for (int64_t r = 1; r <= rows; r++) {
      if (r % ROWS_AT_ONCE == 0) host_go_on(arena_host(a));
      const Cell *x = &cell[(size_t)r * columns + k];
      out->number[r - 1] = is_gap(x) || !number(x, &v) ? NAN : (float)v;
    }
    return true;
  }
  const char **text = NEW_N(a, const char *, rows + 1), **sorted = NEW_N(a, const char *, rows + 1);
  for (int64_t r = 1; r <= rows; r++) {
    Cell *x = &cell[(size_t)r * columns + k];
    if (memchr(x->at, 0, x->n))
      return file_bad(c->e, "read", c->path, "row %lld, column `%s` holds a NUL byte", (long long)r, out->name);
    char *own = NEW_N(a, char, x->n + 1);
    memcpy(own, x->at, x->n);
    own[x->n] = 0;
    text[r - 1] = sorted[r - 1] = own;
  }
  if (rows) qsort(sorted, (size_t)rows, sizeof *sorted, by_bytes);
  for (int64_t r = 0; r < rows; r++)
    if (r == 0 || strcmp(sorted[r], sorted[out->n_class - 1]) != 0) sorted[out->n_class++] = sorted[r];
  out->class_ = sorted;
  out->code = NEW_N(a, int32_t, rows + 1);
  for (int64_t r = 0; r < rows; r++) {
    if (r % ROWS_AT_ONCE == 0) host_go_on(arena_host(a));
    const char **at = bsearch(&text[r], sorted, (size_t)out->n_class, sizeof *sorted, by_bytes);
    out->code[r] = (int32_t)(at - sorted);
  }
  return true;
}

bool csv_read(Arena *a, const char *path, char separator, bool missing, CsvTable *out, FileError *e) {
  const char *bytes;
  size_t n;
  if (!file_read_gz(a, path, MOST_BYTES, &bytes, &n, e)) return false;
  Cut c = {.a = a, .path = path, .separator = separator, .at = (char *)(uintptr_t)bytes, .line = 1, .e = e};
  c.end = c.at + n;
  if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) c.at += 3;
  size_t bad = utf8_first_bad(bytes, n);
  if (bad < n) {
    int64_t line = 1;
    for (size_t k = 0; k < bad; k++) line += bytes[k] == '\n';
    return file_bad(e, "read", path, "line %lld is not UTF-8", (long long)line);
  }
  uint32_t columns;
  int64_t rows;
  Cell *cell = NULL;
  if (!cut(a, &c, &columns, &rows, &cell)) return false;
  if (columns == 0) return file_bad(e, "read", path, "the file is empty; its first line names the columns");
  if (rows > INT32_MAX) return file_bad(e, "read", path, "it has more than %d rows", INT32_MAX);
  *out = (CsvTable){rows, columns, NEW_N(a, CsvColumn, columns), false};
  for (uint32_t k = 0; k < columns; k++) {
    if (cell[k].n == 0 || memchr(cell[k].at, 0, cell[k].n))
      return file_bad(e, "read", path, "column %u has no name; the first line names the columns", k + 1);
    char *name = NEW_N(a, char, cell[k].n + 1);
    memcpy(name, cell[k].at, cell[k].n);
    name[cell[k].n] = 0;
    out->column[k].name = name;
    for (uint32_t j = 0; j < k; j++)
      if (strcmp(out->column[j].name, name) == 0)
        return file_bad(e, "read", path, "two columns are named `%s`", name);
  }
  double v;
  out->header_is_numbers = rows > 0;
  for (uint32_t k = 0; k < columns; k++) out->header_is_numbers &= number(&cell[k], &v);
  for (uint32_t k = 0; k < columns; k++)
    if (!column(&c, cell, k, columns, rows, missing, &out->column[k])) return false;
  return true;
}

/* The characters of a text as numbers: classes are those that occur, in the order of their code points. */
bool text_read(Arena *a, const char *path, CsvColumn *out, int64_t *rows, FileError *e) {
  const char *bytes;
  size_t n, bad;
  if (!file_read_gz(a, path, MOST_BYTES, &bytes, &n, e)) return false;
  if ((bad = utf8_first_bad(bytes, n)) < n) {
    int64_t line = 1;
    for (size_t k = 0; k < bad; k++) line += bytes[k] == '\n';
    return file_bad(e, "read", path, "line %lld is not UTF-8", (long long)line);
  }
  if (memchr(bytes, 0, n)) return file_bad(e, "read", path, "it holds a NUL byte: this is not a text");
  int32_t *code = NEW_N(a, int32_t, n + 1), *seen = NEW_N(a, int32_t, 0x110000);
  int64_t count = 0;
  memset(seen, 0, 0x110000 * sizeof *seen);
  for (size_t k = 0; k < n;) {
    uint32_t point;
    k += utf8_next(bytes + k, &point);
    code[count++] = (int32_t)point;
    seen[point] = 1;
  }
  int64_t classes = 0;
  for (uint32_t p = 0; p < 0x110000; p++) classes += seen[p];
  *out = (CsvColumn){.name = "", .code = code, .class_ = NEW_N(a, const char *, classes + 1)};
  for (uint32_t p = 0; p < 0x110000; p++) {
    if (!seen[p]) continue;
    char *text = NEW_N(a, char, 5);
    text[utf8_write(p, text)] = 0;
    seen[p] = (int32_t)out->n_class;
    out->class_[out->n_class++] = text;
  }
  for (int64_t k = 0; k < count; k++) code[k] = seen[code[k]];
  *rows = count;
  return true;
}
