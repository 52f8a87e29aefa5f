/* expect: expectations beside the code. In: comments and their file's tree, or a ## text. Out: which statement is
 * expected to print what; a comparison that forgives layout and unwritten digits, nothing else.
 *
 * The statement of a comment is the last one that ends on its line, so that one comment after a loop's brace collects
 * all that the loop prints. Reading numbers and comparing text go hand in hand over both texts: no copy, no token list.
 */
#include "tool/expect.h"
#include "runtime/base/locale.h"
#include "text/source.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t line_of(const Source *s, uint32_t byte) {
  uint32_t line, column;
  source_position(s, byte, &line, &column);
  return line;
}

static bool is_block(const Ast *at) { return at->kind == A_BLOCK; }

/* The deepest blocks hold the innermost statements, but what ends last wins: an outer statement ends after its inner
 * ones. */
static void last_statement(const Ast *at, uint32_t before, uint32_t line, const Ast **best) {
  for (uint32_t k = 0; k < at->n; k++) {
    const Ast *kid = at->kid[k];
    if (!kid || kid->span.first >= before) continue;
    if (is_block(at) && kid->span.end <= before && kid->span.end > kid->span.first &&
        line_of(kid->source, kid->span.end - 1) == line && (!*best || kid->span.end > (*best)->span.end))
      *best = kid;
    last_statement(kid, before, line, best);
  }
}

/* Where the text after `# =>` begins, or NULL. */
static const char *arrow(const char *text, const char *end) {
  if (text == end || *text != '#') return NULL;
  text++;
  while (text < end && *text == ' ') text++;
  return end - text >= 2 && text[0] == '=' && text[1] == '>' ? text + 2 : NULL;
}

void expectations(Arena *a, const Parsed *p, Expectations *out) {
  const Source *s = p->source;
  for (uint32_t k = 0; k < p->comment.n; k++) {
    const Comment *c = &p->comment.at[k];
    const char *end = s->text + c->span.end, *text = arrow(s->text + c->span.first, end);
    if (!text) continue;
    Expectation e = {.line = line_of(s, c->span.first)};
    if (c->trailing) last_statement(p->program, c->span.first, e.line, &e.statement);
    Text wanted = {.arena = a};
    text_add_n(&wanted, text, (size_t)(end - text));
    uint32_t line = e.line;
    while (k + 1 < p->comment.n && !p->comment.at[k + 1].trailing &&
           line_of(s, p->comment.at[k + 1].span.first) == line + 1) {
      c = &p->comment.at[++k];
      line++;
      end = s->text + c->span.end;
      text = arrow(s->text + c->span.first, end);
      if (!text) text = s->text + c->span.first + 1;
      text_add(&wanted, "\n");
      text_add_n(&wanted, text, (size_t)(end - text));
    }
    e.wanted = wanted.at;
    vec_push(a, out, e);
  }
}

static const char *skip_blanks(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t')) p++;
  return p;
}

/* Where `# =>` stands outside a string on the line, or NULL. */
static const char *find_arrow(const char *line, const char *end) {
  bool quoted = false;
  for (const char *p = line; p < end; p++) {
    if (*p == '\\' && quoted && p + 1 < end) p++;
    else if (*p == '"') quoted = !quoted;
    else if (*p == '#' && !quoted) return arrow(p, end) ? p : NULL;
  }
  return NULL;
}

void doc_examples(Arena *a, const char *doc, DocExamples *out) {
  uint32_t number = 0;
  for (const char *line = doc; line && *line; number++) {
    const char *end = strchr(line, '\n');
    if (!end) end = line + strlen(line);
    const char *next = *end ? end + 1 : end;
    const char *first = skip_blanks(line, end), *hash = find_arrow(first, end);
    if (hash && hash > first) {
      DocExample e = {.line = number, .expr = arena_text(a, first, (size_t)(hash - first))};
      Text wanted = {.arena = a};
      const char *text = arrow(hash, end);
      text_add_n(&wanted, text, (size_t)(end - text));
      while (*next) {
        const char *more_end = strchr(next, '\n');
        if (!more_end) more_end = next + strlen(next);
        const char *more = skip_blanks(next, more_end);
        if (more == more_end || *more != '#') break;
        text = arrow(more, more_end);
        if (!text) text = more + 1;
        text_add(&wanted, "\n");
        text_add_n(&wanted, text, (size_t)(more_end - text));
        next = *more_end ? more_end + 1 : more_end;
        number++;
      }
      e.wanted = wanted.at;
      vec_push(a, out, e);
    }
    line = next;
  }
}

/* ---- the comparison ---- */

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

typedef struct Number { const char *end; double value; int digits; bool point, exponent; } Number;

/* A number at p as print writes them; before is the character that stands there, which must not be part of a word. */
static bool number_at(const char *p, char before, Number *n) {
  if (in_name(before) || before == '.') return false;
  const char *at = p;
  if (*at == '-') at++;
  if (!is_digit(*at)) return false;
  *n = (Number){0};
  while (is_digit(*at)) at++;
  if (*at == '.' && is_digit(at[1])) {
    n->point = true;
    for (at++; is_digit(*at); at++) n->digits++;
  }
  if ((*at == 'e' || *at == 'E') &&
      (is_digit(at[1]) || ((at[1] == '-' || at[1] == '+') && is_digit(at[2])))) {
    n->exponent = true;
    for (at += 2; is_digit(*at);) at++;
  }
  if (in_name(*at)) return false;
  n->end = at;
  n->value = c_strtod(p, NULL);
  return true;
}

static bool same_number(const Number *wanted, const Number *found) {
  if (wanted->value == found->value) return true;
  if (!wanted->point && !wanted->exponent) return false;
  char text[512];
  int digits = wanted->digits < 100 ? wanted->digits : 100;
  c_snprintf(text, sizeof text, wanted->exponent ? "%.*e" : "%.*f", digits, found->value);
  return c_strtod(text, NULL) == wanted->value;
}

static const char *skip_space(const char *p) {
  while (is_blank(*p)) p++;
  return p;
}

bool expect_match(const char *wanted, const char *found) {
  const char *w = skip_space(wanted), *f = skip_space(found);
  char w_before = ' ', f_before = ' ';
  for (;;) {
    if (is_blank(*w) || is_blank(*f)) {
      const char *w_next = skip_space(w), *f_next = skip_space(f);
      if ((w_next == w && *w) || (f_next == f && *f)) return false;
      w = w_next;
      f = f_next;
      w_before = f_before = ' ';
      if (!*w || !*f) return !*w && !*f;
    }
    if (!*w || !*f) return !*w && !*f;
    Number a, b;
    if (number_at(w, w_before, &a) && number_at(f, f_before, &b)) {
      if (!same_number(&a, &b)) return false;
      w_before = f_before = '0';
      w = a.end;
      f = b.end;
      continue;
    }
    if (*w != *f) return false;
    w_before = *w++;
    f_before = *f++;
  }
}
