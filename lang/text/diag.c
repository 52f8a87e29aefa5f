/* diag: the list of what a script did wrong, and where each mistake is shown. In: an id of errors.list, a place, the
 * arguments of its text. Out: a Diag in the list. Rendering stands in render.c.
 *
 * Invariant: a diagnostic is placed where the user can change something: a place inside the standard library or an
 * import moves out along the callers to the first line of the user's own text; what is moved over becomes notes, so
 * that nothing is lost.
 */
#include "text/diag.h"
#include <string.h>

const DiagInfo diag_info[N_DIAGS] = {
#define ERROR(code, name, text) {code, #name, text, false},
#define WARNING(code, name, text) {code, #name, text, true},
#include "text/errors.list"
#undef ERROR
#undef WARNING
};

DiagId diag_of_code(const char *code, size_t n) {
  int id = 0;
  while (id < N_DIAGS && (strlen(diag_info[id].code) != n || memcmp(diag_info[id].code, code, n) != 0)) id++;
  return (DiagId)id;
}

enum { MOST_KEPT = 100, FIRST_CALLERS = 4, LAST_CALLERS = 2 };

Diags *diags_new(Arena *a, Sources *s) {
  Diags *d = NEW(a, Diags);
  d->arena = a;
  d->sources = s;
  d->limit = MOST_KEPT;
  return d;
}

/* What is called at p: the text up to the bracket, `f` of `x |> f`. */
static const char *callee_text(Arena *a, const Place *p) {
  const char *text = p->source->text;
  uint32_t k = p->span.first, end = p->span.end < p->source->n ? p->span.end : p->source->n;
  if (end - k >= 2 && text[k] == '|' && text[k + 1] == '>') {
    k += 2;
    end = p->source->n;
    while (k < end && (text[k] == ' ' || text[k] == '\t' || text[k] == '\n' || text[k] == '\r')) k++;
  }
  uint32_t first = k;
  while (k < end && (in_name(text[k]) || (text[k] == '.' && k > first))) k++;
  return k > first ? arena_text(a, text + first, k - first) : NULL;
}

static void add_note(Diags *d, Diag *g, Loc loc, const char *text) {
  vec_push(d->arena, &g->note, (Note){loc, text});
}

static void note_call(Diags *d, Diag *g, Loc shown, const Place *call, bool outer) {
  const char *name = callee_text(d->arena, call);
  if (name && !strcmp(name, "import")) {
    add_note(d, g, shown, outer ? "imported at" : "found at");
    return;
  }
  const char *what = name ? arena_printf(d->arena, "in `%s`", name) : "in a function";
  add_note(d, g, shown, arena_printf(d->arena, outer ? "%s, called at" : "%s at", what));
}

static bool is_own(const Place *p) { return p->source && !p->source->library && !p->source->imported; }

/* Where the innermost place of the user's own text is; loc itself if there is none. */
static Loc own_place(const Diags *d, Loc loc) {
  for (Loc k = loc & ~LOC_ADJOINT; k;) {
    const Place *p = loc_place(d->sources, k);
    if (!p) break;
    if (is_own(p)) return k;
    k = p->caller;
  }
  return loc & ~LOC_ADJOINT;
}

Loc own_loc(const Diags *d, Loc loc) { return own_place(d, loc); }

/* The notes of the chain that begins at loc: inner places down to `own`, callers from there on. */
static void note_chain(Diags *d, Diag *g, Loc loc, Loc own) {
  uint32_t depth = 0;
  for (const Place *p = loc_place(d->sources, loc); p && p->caller; p = loc_place(d->sources, p->caller)) depth++;
  uint32_t k = 0;
  bool outer = loc == own;
  for (const Place *p = loc_place(d->sources, loc); p && p->caller; k++) {
    const Place *call = loc_place(d->sources, p->caller);
    if (!call) break;
    if (depth > FIRST_CALLERS + LAST_CALLERS && k == FIRST_CALLERS)
      add_note(d, g, 0, arena_printf(d->arena, "%u more calls are not shown", depth - FIRST_CALLERS - LAST_CALLERS));
    if (depth <= FIRST_CALLERS + LAST_CALLERS || k < FIRST_CALLERS || k >= depth - LAST_CALLERS)
      note_call(d, g, outer ? p->caller : loc, call, outer);
    loc = p->caller;
    if (loc == own) outer = true;
    p = call;
  }
}

static bool before(const Diag *a, const Diag *b) {
  if (!a->source || !b->source) return !a->source && b->source;
  return a->source == b->source ? a->at.first < b->at.first : a->source->id < b->source->id;
}

/* The kept one of g's kind that stands last in the text; NULL: there is none. */
static Diag **last_of_kind(Diags *d, const Diag *g) {
  Diag **last = NULL;
  for (uint32_t k = d->shown; k < d->diag.n; k++)
    if (d->diag.at[k]->warning == g->warning && (!last || before(*last, d->diag.at[k]))) last = &d->diag.at[k];
  return last;
}

Diag *diag_adopt(Diags *d, Diag *g) {
  if (diag_info[g->id].warning && warning_is_off(d, g)) return g;
  for (uint32_t k = 0; k < d->diag.n; k++) {
    const Diag *o = d->diag.at[k];
    if (o->id == g->id && o->source == g->source && o->source && o->at.first == g->at.first && o->at.end == g->at.end &&
        (!g->moved || strcmp(o->text, g->text) == 0))
      return g;
  }
  if (g->warning) d->n_warnings++;
  else d->n_errors++;
  if ((g->warning ? d->n_warnings : d->n_errors) <= d->limit) {
    vec_push(d->arena, &d->diag, g);
  } else {                               /* those that are kept are the first of the text, not the first found */
    Diag **last = last_of_kind(d, g);
    if (last && before(g, *last)) *last = g;
  }
  return g;
}

void diags_focus(Diags *d) {
  bool wrong = false;
  for (uint32_t k = 0; k < d->diag.n; k++) wrong |= !diag_info[d->diag.at[k]->id].warning;
  uint32_t n = 0;
  for (uint32_t k = 0; k < d->diag.n && wrong; k++) {
    Diag *g = d->diag.at[k];
    if (g->id != E_UNUSED) d->diag.at[n++] = g;
    else if (g->warning) d->n_warnings--;
    else d->n_errors--;
  }
  if (wrong) d->diag.n = n;
}

static Diag *add(Diags *d, Loc loc, const Source *source, Span span, DiagId id, const char *text) {
  Diag *g = NEW(d->arena, Diag);
  Loc own = own_place(d, loc);
  const Place *p = loc_place(d->sources, own);
  g->id = id;
  g->warning = diag_info[id].warning && !d->strict;
  g->source = p ? p->source : source;
  g->at = p ? p->span : span;
  g->moved = own != (loc & ~LOC_ADJOINT);
  g->text = text;
  if (loc) note_chain(d, g, loc & ~LOC_ADJOINT, own);
  return diag_adopt(d, g);
}

/* A word as no person writes it (a number of 100,000 digits) is told by its ends. */
static char *bounded(char *text) {
  enum { LONGEST = 400, FIRST = 200, LAST = 60 };
  char *to = text;
  for (const char *p = text; *p;) {
    size_t blank = strspn(p, " \n"), n = strcspn(p + blank, " \n"), first = FIRST, last = n - LAST;
    if (to != p) memmove(to, p, blank + n);
    p += blank + n;
    to += blank;
    if (n > LONGEST) {
      while ((to[first] & 0xc0) == 0x80) first--;
      while ((to[last] & 0xc0) == 0x80) last++;
      memcpy(to + first, "...", 3);
      memmove(to + first + 3, to + last, n - last);
      n = first + 3 + n - last;
    }
    to += n;
  }
  *to = 0;
  return text;
}

static char *said(Arena *a, const char *fmt, va_list ap) { return bounded(arena_vprintf(a, fmt, ap)); }

Diag *diag_va(Diags *d, Loc loc, DiagId id, va_list ap) {
  return add(d, loc, NULL, (Span){0, 0}, id, said(d->arena, diag_info[id].text, ap));
}

Diag *diag_said(Diags *d, Loc loc, DiagId id, const char *text) {
  return add(d, loc, NULL, (Span){0, 0}, id, bounded(arena_text(d->arena, text, strlen(text))));
}

Diag *diag_at(Diags *d, Loc loc, DiagId id, ...) {
  va_list ap;
  va_start(ap, id);
  Diag *g = diag_va(d, loc, id, ap);
  va_end(ap);
  return g;
}

Diag *diag_in(Diags *d, const Source *source, Span span, DiagId id, ...) {
  va_list ap;
  va_start(ap, id);
  Loc loc = source && source->import_at ? loc_make(d->sources, source, span, source->import_at) : 0;
  Diag *g = add(d, loc, source, span, id, said(d->arena, diag_info[id].text, ap));
  va_end(ap);
  return g;
}

Diag *diag_there(Diags *d, const Source *source, Span span, DiagId id, ...) {
  va_list ap;
  va_start(ap, id);
  Diag *g = add(d, 0, source, span, id, said(d->arena, diag_info[id].text, ap));
  va_end(ap);
  return g;
}

void diag_mark(Diags *d, Diag *g, Loc loc, const char *fmt, ...) {
  const Place *p = loc_place(d->sources, loc);
  if (!p) return;
  va_list ap;
  va_start(ap, fmt);
  char *label = said(d->arena, fmt, ap);
  va_end(ap);
  if (!g->moved) {
    vec_push(d->arena, &g->mark, (Mark){p->source, p->span, *label ? label : NULL});
  } else if (*label) {      /* the line shown is the user's: what is marked inside is told */
    uint32_t n = p->span.end - p->span.first;
    add_note(d, g, loc,
             arena_printf(d->arena, "`%.*s`: %s", n > 60 ? 60 : (int)n, p->source->text + p->span.first, label));
  }
}

void diag_mark_in(Diags *d, Diag *g, const Source *source, Span span, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  char *label = said(d->arena, fmt, ap);
  va_end(ap);
  if (!g->moved) vec_push(d->arena, &g->mark, (Mark){source, span, *label ? label : NULL});
  else if (*label) add_note(d, g, loc_make(d->sources, source, span, source->import_at), label);
}

void diag_mark_at(Diags *d, Diag *g, const Source *source, Span span, const char *label) {
  if (g->moved || source != g->source) add_note(d, g, loc_make(d->sources, source, span, 0), label);
  else diag_mark_in(d, g, source, span, "%s", label);
}

void diag_note(Diags *d, Diag *g, Loc loc, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  add_note(d, g, loc, said(d->arena, fmt, ap));
  va_end(ap);
}

void diag_hint(Diags *d, Diag *g, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  g->hint = said(d->arena, fmt, ap);
  va_end(ap);
}

static bool same_notes(const Diag *a, const Diag *b) {
  if (a->id != b->id || strcmp(a->text, b->text) != 0 || a->note.n != b->note.n || !a->note.n) return false;
  for (uint32_t k = 0; k < a->note.n; k++)
    if (a->note.at[k].loc != b->note.at[k].loc || strcmp(a->note.at[k].text, b->note.at[k].text) != 0) return false;
  return true;
}

void diag_once(Diags *d, uint32_t k) {
  const Diag *g = d->diag.at[k];
  for (uint32_t j = 0; j < k; j++) {
    if (g->warning || !same_notes(g, d->diag.at[j])) continue;
    memmove(&d->diag.at[k], &d->diag.at[k + 1], (d->diag.n - k - 1) * sizeof *d->diag.at);
    d->diag.n--;
    d->n_errors--;
    return;
  }
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

enum { LONGEST_NEAR = 64 };

enum { SWAP = 1, EDIT = 2 };         /* letters change places more often than they are others */

/* What it costs to make b of a: letters to insert, drop, change or swap. */
static size_t distance(const char *a, size_t n, const char *b, size_t m) {
  size_t row[3][LONGEST_NEAR + 1];
  for (size_t j = 0; j <= m; j++) row[0][j] = j * EDIT;
  for (size_t i = 1; i <= n; i++) {
    size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
    now[0] = i * EDIT;
    for (size_t j = 1; j <= m; j++) {
      size_t best = before[j - 1] + (a[i - 1] != b[j - 1] ? EDIT : 0);
      if (before[j] + EDIT < best) best = before[j] + EDIT;
      if (now[j - 1] + EDIT < best) best = now[j - 1] + EDIT;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two[j - 2] + SWAP < best)
        best = two[j - 2] + SWAP;
      now[j] = best;
    }
  }
  return row[n % 3][m];
}

static bool same_but_case(const char *a, const char *b) {
  for (; *a && *b; a++, b++)
    if (lower(*a) != lower(*b)) return false;
  return *a == *b;
}

/* `conv1` and `conv2` are two names, not one misspelt. */
static bool same_but_digits(const char *a, const char *b) {
  for (;; a++, b++) {
    while (is_digit(*a)) a++;
    while (is_digit(*b)) b++;
    if (*a != *b) return false;
    if (!*a) return true;
  }
}

/* Among many a name of one or two letters is like some by chance; in one of three, letters are left out or change
 * places, none is another one. A name whose first and last letters are others is not misspelt: `weight`, `eigh`. */
static bool by_chance(const char *name, size_t len, const char *other, size_t far) {
  size_t m = strlen(other);
  bool other_ends = far > EDIT && name[0] != other[0] && name[len - 1] != other[m - 1];
  return len < 3 || m < 3 || (len == 3 && m == 3 && far > SWAP) || other_ends || same_but_digits(name, other);
}

static const char *nearest_of(const char *name, const char *const *names, size_t n, bool many) {
  size_t len = strlen(name), best = SIZE_MAX;
  const char *found = NULL;
  if (len == 0 || len > LONGEST_NEAR) return NULL;
  size_t most = len < 3 ? (len == 1 ? 0 : 1) : len < 6 ? 1 : len < 9 ? 2 : 3;
  for (size_t k = 0; k < n; k++) {
    size_t m = strlen(names[k]);
    if (m == 0 || m > LONGEST_NEAR || m > len + most || len > m + most) continue;
    size_t far = same_but_case(name, names[k]) ? 0 : distance(name, len, names[k], m);
    if (far > most * EDIT || far >= m * EDIT || (many && by_chance(name, len, names[k], far))) continue;
    if (far < best || (far == best && strcmp(names[k], found) < 0)) {
      best = far;
      found = names[k];
    }
  }
  return found;
}

const char *nearest(const char *name, const char *const *names, size_t n) { return nearest_of(name, names, n, false); }
const char *nearest_of_all(const char *name, const char *const *names, size_t n) {
  return nearest_of(name, names, n, true);
}

bool warning_is_off(const Diags *d, const Diag *g) {
  const WarningRules *r = d->sources->rules;
  if (r && (r->allowed[g->id] || (r->quiet && !d->strict))) return true;
  if (!g->source) return false;
  if (g->source->allow.n) {
    uint32_t line, column;
    source_position(g->source, g->at.first, &line, &column);
    for (uint32_t k = 0; k < g->source->allow.n; k++)
      if (g->source->allow.at[k].line == line && g->source->allow.at[k].id == (uint32_t)g->id) return true;
  }
  if (d->strict) return false;
  for (uint32_t k = 0; k < d->sources->told.n; k++) {          /* by an earlier entry */
    const ToldWarning *t = &d->sources->told.at[k];
    if (t->id == (uint32_t)g->id && t->source == g->source && t->first == g->at.first && t->end == g->at.end)
      return true;
  }
  return false;
}

void warnings_told(const Diags *d) {
  for (uint32_t k = 0; k < d->diag.n; k++) {
    const Diag *g = d->diag.at[k];
    if (g->warning && g->source)
      vec_push(d->arena, &d->sources->told, (ToldWarning){(uint32_t)g->id, g->source, g->at.first, g->at.end});
  }
}
