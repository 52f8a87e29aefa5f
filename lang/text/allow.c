/* allow: warnings that were turned off: by `--allow`, `:set allow` or a host for a whole session, by `# allow NAME`
 * behind a line for that line. In: lists of names. Out: rules that diag asks before it keeps a warning. A name that no
 * warning has is never passed over.
 */
#include "text/diag.h"
#include <string.h>

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool is_called(const char *name, const char *text, size_t n) {
  for (size_t k = 0; k < n; k++)
    if (!name[k] || lower(name[k]) != lower(text[k])) return false;
  return name[n] == 0;
}

/* By its name in lower case, or its code; N_DIAGS: there is none. */
static DiagId warning_named(const char *text, size_t n) {
  for (int id = 0; id < N_DIAGS; id++)
    if (diag_info[id].warning && (is_called(diag_info[id].name, text, n) || is_called(diag_info[id].code, text, n)))
      return (DiagId)id;
  return N_DIAGS;
}

/* The names of all warnings, as they are written. */
static uint32_t names(char to[][MOST_WARNING_NAME], const char **at, uint32_t most) {
  uint32_t n = 0;
  for (int id = 0; id < N_DIAGS && n < most; id++) {
    if (!diag_info[id].warning) continue;
    size_t k = 0;
    for (; diag_info[id].name[k] && k + 1 < MOST_WARNING_NAME; k++) to[n][k] = lower(diag_info[id].name[k]);
    to[n][k] = 0;
    at[n] = to[n];
    n++;
  }
  return n;
}

bool warning_near(const char *text, size_t n, char near[MOST_WARNING_NAME]) {
  char name[MOST_WARNING_NAME], all[MOST_WARNINGS][MOST_WARNING_NAME];
  const char *at[MOST_WARNINGS];
  if (n >= sizeof name) return false;
  for (size_t k = 0; k < n; k++) name[k] = lower(text[k]);
  name[n] = 0;
  const char *found = nearest(name, at, names(all, at, MOST_WARNINGS));
  if (found) memcpy(near, found, strlen(found) + 1);
  return found != NULL;
}

/* The next name of a list; false: the list ends, or (*bad) is none. */
static bool next_name(const char **p, const char *end, const char **name, size_t *n, bool first, bool *bad) {
  const char *s = *p;
  while (s < end && (*s == ' ' || *s == '\t')) s++;
  if (s == end) {
    *bad = first;
    return false;
  }
  if (!first) {
    if (*s != ',') {
      *bad = true;
      return false;
    }
    for (s++; s < end && (*s == ' ' || *s == '\t');) s++;
  }
  *name = s;
  while (s < end && in_name(*s)) s++;
  *n = (size_t)(s - *name);
  *p = s;
  *bad = *n == 0;
  return *n != 0;
}

bool warnings_allow(WarningRules *r, const char *list, const char **unknown, size_t *n_unknown) {
  const char *p = list, *end = list + strlen(list), *name = list;
  size_t n = 0;
  bool bad;
  *unknown = NULL;
  for (bool first = true; next_name(&p, end, &name, &n, first, &bad); first = false) {
    DiagId id = warning_named(name, n);
    if (id < N_DIAGS) r->allowed[id] = true;
    else if (!*unknown) {
      *unknown = name;
      *n_unknown = n;
    }
  }
  if (bad && !*unknown) {
    *unknown = list;
    *n_unknown = strlen(list);
  }
  return !*unknown;
}

static void line_allows(Diags *d, Source *s, Span comment) {
  const char *text = s->text, *p = text + comment.first + 1, *end = text + comment.end, *name = NULL;
  size_t n = 0;
  bool bad;
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  if (end - p < 6 || memcmp(p, "allow", 5) || (p[5] != ' ' && p[5] != '\t')) return;
  const char *list = p + 5;
  p = list;
  for (bool first = true; next_name(&p, end, &name, &n, first, &bad);) first = false;
  if (bad) return;                       /* prose that begins so */
  uint32_t line, column;
  source_position(s, comment.first, &line, &column);
  p = list;
  for (bool first = true; next_name(&p, end, &name, &n, first, &bad); first = false) {
    DiagId id = warning_named(name, n);
    if (id < N_DIAGS) {
      vec_push(d->arena, &s->allow, (LineAllows){line, (uint32_t)id});
      continue;
    }
    Span at = {(uint32_t)(name - text), (uint32_t)(name - text + (ptrdiff_t)n)};
    Diag *g = diag_in(d, s, at, E_UNKNOWN_WARNING, arena_text(d->arena, name, n));
    char near[MOST_WARNING_NAME];
    if (warning_near(name, n, near)) diag_hint(d, g, "did you mean `%s`?", near);
    else diag_hint(d, g, "a warning shows its name: `[W0201 unused]`");
  }
}

void allow_comments(Diags *d, Source *s, const Comment *comment, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (comment[k].trailing) line_allows(d, s, comment[k].span);
}
