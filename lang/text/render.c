/* render: diagnostics as people read them: the place, the message, the source line with its marks, notes, a way out.
 * In: a Diag. Out: text for a terminal or a log.
 *
 * Invariant: a caret stands below the first column of what it marks, in terminal columns: a tab is shown as spaces, a
 * combining character takes none, a wide one two. Nothing that could move a terminal's cursor is passed on.
 */
#include "text/diag.h"
#include <stdlib.h>
#include <string.h>

enum { TAB = 4, DEFAULT_WIDTH = 100, LEAST_WIDTH = 40, GUTTER = 5 };

typedef struct Range32 { uint32_t first, last; } Range32;

static const Range32 no_width[] = {
  {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF}, {0x05C1, 0x05C2}, {0x05C4, 0x05C5},
  {0x0610, 0x061A}, {0x064B, 0x065F}, {0x0670, 0x0670}, {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},
  {0x06EA, 0x06ED}, {0x0900, 0x0902}, {0x093C, 0x093C}, {0x0941, 0x0948}, {0x094D, 0x094D}, {0x0E31, 0x0E31},
  {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E},
  {0x2060, 0x2064}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};
static const Range32 wide[] = {
  {0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0xA000, 0xA4CF},
  {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
  {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static bool within(uint32_t c, const Range32 *r, size_t n) {
  for (size_t k = 0; k < n; k++)
    if (c >= r[k].first && c <= r[k].last) return true;
  return false;
}

/* The character at p, its bytes in *n; what is no character is 0 and one byte. */
static uint32_t decode(const char *p, size_t left, uint32_t *n) {
  unsigned char c = (unsigned char)*p;
  *n = 1;
  if (c < 0x80) return c;
  uint32_t more = c >= 0xF0 && c < 0xF5 ? 3 : c >= 0xE0 ? 2 : c >= 0xC2 ? 1 : 0;
  if (!more || c >= 0xF5 || more >= left) return 0;
  uint32_t v = c & (0x3Fu >> more);
  for (uint32_t k = 1; k <= more; k++) {
    if (((unsigned char)p[k] & 0xC0) != 0x80) return 0;
    v = v << 6 | ((unsigned char)p[k] & 0x3F);
  }
  *n = more + 1;
  return v;
}

static bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0x2028 || c == 0x2029;
}

/* Text from a script, without what a terminal would obey. Line ends stay if they are wanted. */
static void add_clean(Text *t, const char *s, size_t n, bool lines) {
  for (size_t k = 0; k < n;) {
    uint32_t bytes, c = decode(s + k, n - k, &bytes);
    if (is_control(c) && !(c == '\n' && lines)) text_add(t, c == '\t' ? " " : "?");
    else text_add_n(t, s + k, bytes);
    k += bytes;
  }
}

/* One source line: for each byte the terminal column it begins in. */
typedef struct Line {
  const Source *source;
  uint32_t number, first, end;
  uint32_t *column;             /* end - first + 1 of them */
} Line;

static Line line_of(Arena *a, const Source *s, uint32_t number) {
  Line l = {.source = s, .number = number, .first = s->line.at[number - 1]};
  l.end = number < s->line.n ? s->line.at[number] - 1 : s->n;
  if (l.end > l.first && s->text[l.end - 1] == '\r') l.end--;
  l.column = NEW_N(a, uint32_t, l.end - l.first + 1);
  uint32_t at = 0;
  for (uint32_t k = l.first; k < l.end;) {
    uint32_t bytes, c = decode(s->text + k, l.end - k, &bytes);
    for (uint32_t j = 0; j < bytes; j++) l.column[k - l.first + j] = at;
    if (c == '\t') at += TAB - at % TAB;
    else if (c < 0x300) at += 1;
    else if (within(c, no_width, sizeof no_width / sizeof *no_width)) at += 0;
    else at += within(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
    k += bytes;
  }
  l.column[l.end - l.first] = at;
  return l;
}

typedef struct Underline {
  uint32_t first, end;          /* terminal columns */
  char sign;
  const char *label;
} Underline;

static uint32_t column_at(const Line *l, uint32_t byte) {
  if (byte < l->first) byte = l->first;
  if (byte > l->end) byte = l->end;
  return l->column[byte - l->first];
}

static Underline underline(const Line *l, Span s, char sign, const char *label) {
  Underline u = {column_at(l, s.first), column_at(l, s.end), sign, label};
  if (u.end <= u.first) u.end = u.first + 1;
  return u;
}

static void pad(Text *t, char c, uint32_t n) {
  for (uint32_t k = 0; k < n; k++) text_add_n(t, &c, 1);
}

static uint32_t text_columns(const char *s) {
  uint32_t n = 0;
  for (; *s; s++) n += ((unsigned char)*s & 0xC0) != 0x80;
  return n;
}

typedef struct Look { bool color; uint32_t width, gutter; const char *strong; } Look;

static void color(Text *t, const Look *l, const char *c) {
  if (l->color) text_add(t, c);
}

static int by_column(const void *a, const void *b) {
  const Underline *x = a, *y = b;
  return x->first < y->first ? -1 : x->first > y->first;
}

/* The columns [from, to) of the line are shown, so that what is marked is among them. */
static void window(const Line *l, const Look *look, const Underline *u, uint32_t n, uint32_t *from, uint32_t *to) {
  uint32_t whole = l->column[l->end - l->first], room = look->width - look->gutter - 3;
  *from = 0;
  *to = whole;
  if (whole <= room) return;
  uint32_t first = u[0].first, last = u[0].end;
  for (uint32_t k = 1; k < n; k++)
    if (u[k].end > last) last = u[k].end;
  if (last - first > room / 2) last = first + room / 2;
  uint32_t middle = first + (last - first) / 2;
  *from = middle > room / 2 ? middle - room / 2 : 0;
  if (*from + room > whole) *from = whole - room;
  *to = *from + room;
}

static void show_source(Text *t, const Line *l, uint32_t from, uint32_t to) {
  if (from) text_add(t, "...");
  for (uint32_t k = l->first; k < l->end;) {
    uint32_t bytes, c = decode(l->source->text + k, l->end - k, &bytes);
    uint32_t at = l->column[k - l->first], next = l->column[k + bytes - l->first];
    if (at >= from + (from ? 3 : 0) && next <= to - (to < l->column[l->end - l->first] ? 3 : 0)) {
      if (c == '\t') pad(t, ' ', next - at);
      else if (c == 0 || is_control(c)) text_add(t, "?");
      else text_add_n(t, l->source->text + k, bytes);
    }
    k += bytes;
  }
  if (to < l->column[l->end - l->first]) text_add(t, "...");
}

static void gutter(Text *t, const Look *look, uint32_t number) {
  if (number) text_printf(t, "%*u | ", (int)look->gutter, number);
  else text_printf(t, "%*s | ", (int)look->gutter, "");
}

/* Lines end without spaces. */
static void end_line(Text *t) {
  while (t->n && t->at[t->n - 1] == ' ') t->at[--t->n] = 0;
  text_add(t, "\n");
}

static void show_line(Text *t, const Line *l, const Look *look, Underline *u, uint32_t n) {
  qsort(u, n, sizeof *u, by_column);
  uint32_t from, to;
  window(l, look, u, n, &from, &to);
  gutter(t, look, l->number);
  show_source(t, l, from, to);
  end_line(t);
  for (uint32_t k = 0; k < n; k++) {
    u[k].first = u[k].first > from ? u[k].first - from : 0;
    u[k].end = u[k].end > to ? to - from : u[k].end > from ? u[k].end - from : 0;
    if (u[k].end <= u[k].first) u[k].end = u[k].first + 1;
  }
  gutter(t, look, 0);
  color(t, look, look->strong);
  uint32_t at = 0;
  const Underline *last = &u[0];
  for (uint32_t k = 0; k < n; k++) {
    if (u[k].first > at) pad(t, ' ', u[k].first - at), at = u[k].first;
    if (u[k].end > at) {
      uint32_t end = u[k].end;
      if (k + 1 < n && u[k + 1].first < end && u[k + 1].first > at) end = u[k + 1].first;
      pad(t, u[k].sign, end - at);
      at = end;
    }
    if (u[k].end >= last->end) last = &u[k];
  }
  bool inline_label = last->label && last == &u[n - 1];
  if (inline_label) {
    text_add(t, " ");
    add_clean(t, last->label, strlen(last->label), false);
  }
  color(t, look, "\033[0m");
  end_line(t);
  /* the other labels below, from the right, several in one row where they do not touch */
  bool *done = NEW_N(t->arena, bool, n);
  for (uint32_t k = 0; k < n; k++) done[k] = !u[k].label || (inline_label && &u[k] == last);
  for (uint32_t left = 1; left;) {
    left = 0;
    uint32_t limit = UINT32_MAX, row = 0;
    uint32_t *take = NEW_N(t->arena, uint32_t, n);
    for (uint32_t k = n; k-- > 0;) {
      if (done[k]) continue;
      uint32_t end = u[k].first + text_columns(u[k].label);
      if (end + 1 < limit) {
        take[row++] = k;
        limit = u[k].first;
        done[k] = true;
      } else {
        left++;
        limit = 0;       /* what stands further left waits for a row of its own, so that rows read downwards */
      }
    }
    if (!row) break;
    gutter(t, look, 0);
    color(t, look, look->strong);
    for (at = 0; row-- > 0;) {
      const Underline *m = &u[take[row]];
      pad(t, ' ', m->first - at);
      add_clean(t, m->label, strlen(m->label), false);
      at = m->first + text_columns(m->label);
    }
    color(t, look, "\033[0m");
    end_line(t);
  }
}

static void add_place(Text *t, const Source *s, uint32_t byte) {
  uint32_t line, column;
  source_position(s, byte, &line, &column);
  add_clean(t, s->name, strlen(s->name), false);
  text_printf(t, ":%u:%u", line, column);
}

static uint32_t line_number(const Source *s, uint32_t byte) {
  uint32_t line, column;
  source_position(s, byte, &line, &column);
  return line;
}

/* The lines with marks: the place's own first, then the others in their order. */
static void show_lines(Text *t, const Diag *g, const Look *look) {
  Arena *a = t->arena;
  uint32_t n = g->mark.n, own = line_number(g->source, g->at.first);
  bool *done = NEW_N(a, bool, n + 1);
  Underline *u = NEW_N(a, Underline, n + 1);
  const Source *source = g->source;
  for (uint32_t number = own; number;) {
    Line l = line_of(a, source, number);
    uint32_t m = 0;
    bool place_here = source == g->source && number == own, covered = false;
    for (uint32_t k = 0; k < n; k++) {
      const Mark *mark = &g->mark.at[k];
      if (done[k] || mark->source != source || line_number(source, mark->span.first) != number) continue;
      done[k] = true;
      u[m++] = underline(&l, mark->span, '^', mark->label);
      if (place_here && mark->span.first <= g->at.first && g->at.end <= mark->span.end) covered = true;
    }
    if (place_here && !covered) {
      u[m] = underline(&l, g->at, m ? '-' : '^', NULL);
      m++;
    }
    show_line(t, &l, look, u, m);
    number = 0;
    for (uint32_t k = 0; k < n; k++) {
      if (done[k]) continue;
      uint32_t at = line_number(g->mark.at[k].source, g->mark.at[k].span.first);
      if (number == 0 || (g->mark.at[k].source == source && at < number)) {
        if (number == 0 && g->mark.at[k].source != source) {
          source = g->mark.at[k].source;
          text_add(t, "   ");
          add_place(t, source, g->mark.at[k].span.first);
          text_add(t, "\n");
        }
        number = at;
      }
    }
  }
}

char *diag_excerpt(const Diags *d, Loc loc, Arena *a, const RenderOptions *o) {
  const Place *p = loc_place(d->sources, loc);
  Text t = {.arena = a};
  text_add(&t, "");
  if (!p || !p->source) return t.at;
  Look look = {.color = o->color, .width = o->width ? (uint32_t)o->width : 100, .gutter = 5, .strong = "\033[36m"};
  show_lines(&t, &(Diag){.source = p->source, .at = p->span}, &look);
  return t.at;
}

/* ` [E1110]`, and of a warning the name, too, by which it is turned off. */
static void add_code(Text *t, const Diag *g, const Look *look) {
  const DiagInfo *info = &diag_info[g->id];
  color(t, look, "\033[2m");
  text_printf(t, " [%s", info->code);
  if (info->warning) {
    text_add(t, " ");
    for (const char *p = info->name; *p; p++) text_add_n(t, &(char){*p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p}, 1);
  }
  text_add(t, "]");
  color(t, look, "\033[0m");
}

static void render(Text *t, const Diags *d, const Diag *g, const RenderOptions *o) {
  Look look = {o && o->color, o && o->width > 0 ? (uint32_t)o->width : DEFAULT_WIDTH, GUTTER,
               g->warning ? "\033[1;33m" : "\033[1;31m"};
  if (look.width < LEAST_WIDTH) look.width = LEAST_WIDTH;
  uint32_t largest = g->source ? line_number(g->source, g->at.first) : 0;
  for (uint32_t k = 0; k < g->mark.n; k++) {
    uint32_t line = line_number(g->mark.at[k].source, g->mark.at[k].span.first);
    if (line > largest) largest = line;
  }
  for (uint32_t digits = 100000; largest >= digits && digits < 1000000000; digits *= 10) look.gutter++;
  color(t, &look, "\033[1m");
  if (g->source) {
    add_place(t, g->source, g->at.first);
    text_add(t, ": ");
  }
  color(t, &look, look.strong);
  text_add(t, g->warning ? "warning: " : "error: ");
  color(t, &look, "\033[0m\033[1m");
  add_clean(t, g->text, strlen(g->text), true);
  color(t, &look, "\033[0m");
  add_code(t, g, &look);
  text_add(t, "\n");
  if (g->source) show_lines(t, g, &look);
  for (uint32_t k = 0; k < g->note.n; k++) {
    const Note *note = &g->note.at[k];
    color(t, &look, "\033[36m");
    text_add(t, "   note: ");
    color(t, &look, "\033[0m");
    size_t n = strlen(note->text);
    add_clean(t, note->text, n, true);
    const Place *p = loc_place(d->sources, note->loc);
    if (p && p->source) {
      bool at = n >= 3 && memcmp(note->text + n - 3, " at", 3) == 0;
      text_add(t, at ? " " : " (");
      add_place(t, p->source, p->span.first);
      if (!at) text_add(t, ")");
    }
    text_add(t, "\n");
  }
  if (g->hint) {
    color(t, &look, "\033[36m");
    text_add(t, "   hint: ");
    color(t, &look, "\033[0m");
    add_clean(t, g->hint, strlen(g->hint), true);
    text_add(t, "\n");
  }
}

typedef struct Ranked { const Diag *diag; uint32_t number; } Ranked;

/* Without a place last; else by source, byte, and then as they came. */
static int by_place(const void *a, const void *b) {
  const Ranked *x = a, *y = b;
  uint32_t s = x->diag->source ? x->diag->source->id : UINT32_MAX,
           r = y->diag->source ? y->diag->source->id : UINT32_MAX;
  if (s != r) return s < r ? -1 : 1;
  if (x->diag->at.first != y->diag->at.first) return x->diag->at.first < y->diag->at.first ? -1 : 1;
  return x->number < y->number ? -1 : 1;
}

char *diags_render(const Diags *d, Arena *a, const RenderOptions *o) {
  Text t = {.arena = a};
  text_add(&t, "");
  uint32_t n = d->diag.n - d->shown;
  Ranked *order = NEW_N(a, Ranked, n + 1);
  for (uint32_t k = 0; k < n; k++) order[k] = (Ranked){d->diag.at[d->shown + k], k};
  if (n) qsort(order, n, sizeof *order, by_place);
  for (uint32_t k = 0; k < n; k++) render(&t, d, order[k].diag, o);
  uint32_t all = d->n_errors + d->n_warnings;
  if (all > d->diag.n && n) text_printf(&t, "%u more are not shown\n", all - d->diag.n);
  return t.at;
}
