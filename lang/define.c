/* define: -D name=value. In: a script's tree and what the command line (or a host) defines. Out: the tree, with the
 * literals of top-level `let`s replaced: so a value means what it would mean if it were written there, and types,
 * shapes and messages follow from it.
 *
 * Each definition is a text of its own, so that a mistake in it has a place.
 */
#include "session.h"
#include "define.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum { NUMBER, BOOL_, STRING_, NO_LITERAL } LiteralKind;

static LiteralKind kind_of(const Ast *x) {
  switch (x->kind) {
  case A_INT: case A_FLOAT: return NUMBER;
  case A_CONST: return BOOL_;
  case A_STRING:
    for (uint32_t k = 0; k < x->n; k++)
      if (x->kid[k]->kind != A_CHARS) return NO_LITERAL;
    return STRING_;
  case A_UNARY: return x->op == '-' && (x->kid[0]->kind == A_INT || x->kid[0]->kind == A_FLOAT) ? NUMBER : NO_LITERAL;
  default: return NO_LITERAL;
  }
}

static Ast *node(Arena *a, AstKind kind, const Source *s, Span span, const Ast *like, uint32_t n) {
  Ast *x = arena_alloc(a, sizeof(Ast) + n * sizeof(Ast *));
  memset(x, 0, sizeof(Ast) + n * sizeof(Ast *));
  x->kind = (uint8_t)kind;
  x->n = n;
  x->span = x->at = span;
  x->source = s;
  x->id = like->id;
  x->depth = n + 1;
  return x;
}

static Ast *string_node(Arena *a, const Source *s, Span span, const Ast *like) {
  const char *text = s->text + span.first;
  uint32_t n = span.end - span.first;
  bool quoted = n >= 2 && text[0] == '"' && text[n - 1] == '"';
  Ast *chars = node(a, A_CHARS, s, span, like, 0), *x = node(a, A_STRING, s, span, like, 1);
  chars->text = arena_text(a, text + quoted, n - 2 * quoted);
  chars->n_text = n - 2u * quoted;
  x->kid[0] = chars;
  return x;
}

/* The value's text as a literal: a number or a bool as the language writes them; all else is a string. */
static Ast *value_node(Arena *a, Source *s, Span span, const Ast *like) {
  char *text = arena_text(a, s->text + span.first, span.end - span.first), *at = text;
  bool minus = *at == '-';
  if (!strcmp(text, "true") || !strcmp(text, "false")) {
    Ast *x = node(a, A_CONST, s, span, like, 0);
    x->i = *text == 't';
    return x;
  }
  at += minus;
  size_t n = strlen(at);
  if (n && at[0] >= '0' && at[0] <= '9' && strspn(at, "0123456789_.eE+-xXabcdefABCDEF") == n) {
    Sources *of = sources_new(a);       /* the language's own lexer says what a number is */
    Diags *quiet = diags_new(a, of);
    Parsed *p = parse(a, source_add(of, s->name, at, n), quiet, false);
    const Ast *stmt = p->program->n == 1 ? p->program->kid[0] : NULL;
    const Ast *number = stmt && stmt->kind == A_EXPR && !quiet->n_errors ? stmt->kid[0] : NULL;
    if (number && (number->kind == A_INT || number->kind == A_FLOAT)) {
      Ast *x = node(a, (AstKind)number->kind, s, span, like, 0);
      if (number->kind == A_INT) x->i = number->i;
      else x->f = number->f;
      if (!minus) return x;
      Ast *y = node(a, A_UNARY, s, span, like, 1);
      y->op = '-';
      y->kid[0] = x;
      return y;
    }
  }
  return string_node(a, s, span, like);
}

static const char *const kind_text[] = {"a number", "a bool", "a string"};

static void define(Session *s, Ast *program, const char *text) {
  Arena *a = s->arena;
  size_t n = strcspn(text, "=");
  char *wanted = arena_text(a, text, n);
  Source *source = source_add(s->sources, "-D", text, strlen(text));
  Span name = {0, (uint32_t)n}, value = {(uint32_t)n + (text[n] == '='), source->n};
  const char **lets = NEW_N(a, const char *, program->n + 1);
  uint32_t n_lets = 0;
  for (uint32_t k = 0; k < program->n; k++) {
    Ast *let = program->kid[k];
    if (let->kind != A_LET || let->kid[0]->kind != A_NAME) continue;
    LiteralKind is = let->op == '=' ? kind_of(let->kid[2]) : NO_LITERAL;
    if (is != NO_LITERAL) lets[n_lets++] = let->kid[0]->name;
    if (strlen(let->kid[0]->name) != n || strncmp(let->kid[0]->name, text, n) != 0) continue;
    if (is == NO_LITERAL) {
      Diag *g = diag_in(s->diags, source, name, E_DEFINE_WHAT, let->kid[0]->name);
      diag_note(s->diags, g, loc_make(s->sources, let->source, let->span, 0), "it is defined here");
      diag_hint(s->diags, g, "-D replaces a number, a bool or a string");
      return;
    }
    Ast *new = value_node(a, source, value, let->kid[2]);
    LiteralKind got = kind_of(new);
    if (got != is) {
      Diag *g = diag_in(s->diags, source, value, E_DEFINE_KIND, let->kid[0]->name, kind_text[is], kind_text[got]);
      diag_note(s->diags, g, loc_make(s->sources, let->source, let->span, 0), "it is defined here");
      if (is == STRING_)
        diag_hint(s->diags, g, "quote it for the language: -D '%s=\"%s\"'", wanted, source->text + value.first);
      return;
    }
    let->kid[2] = new;
    return;
  }
  Diag *g = diag_in(s->diags, source, name, E_DEFINE_UNKNOWN, wanted);
  const char *near = nearest(wanted, lets, n_lets);
  if (near) diag_hint(s->diags, g, "did you mean `%s`?", near);
  else if (!n_lets) diag_hint(s->diags, g, "-D replaces the literal of a top-level `let`; this script has none");
  else {
    Text list = {.arena = a};
    for (uint32_t k = 0; k < n_lets && k < 12; k++) text_printf(&list, "%s`%s`", k ? ", " : "", lets[k]);
    diag_hint(s->diags, g, "it has %s", list.at);
  }
}

void define_all(Session *s, const Ast *program) {
  for (int k = 0; k < s->config.n_defines; k++) define(s, (Ast *)(uintptr_t)program, s->config.defines[k]);
}
