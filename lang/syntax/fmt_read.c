/* fmt_read: what is laid out. In: a text and its tree. Out: tokens and comments in order, each with what the layout
 * must know: where statements and blocks begin, which `-` is a sign, which `:` a slice's, which `=` stand below one
 * another.
 *
 * The tokens come from the scanner itself; what only the parser knows is looked up in the tree by byte, so no rule of
 * the grammar is written down a second time.
 */
#include "syntax/fmt.h"
#include "syntax/layout.h"
#include "syntax/parse.h"
#include <string.h>

uint32_t fmt_width(const Source *s, Span span) {
  uint32_t n = 0;
  for (uint32_t k = span.first; k < span.end; k++) n += ((unsigned char)s->text[k] & 0xC0) != 0x80;
  return n;
}

uint32_t fmt_column(const Source *s, uint32_t byte) {
  uint32_t first = byte;
  while (first > 0 && s->text[first - 1] != '\n') first--;
  return fmt_width(s, (Span){first, byte});
}

/* ---- tokens ---- */
static bool opens(int kind) { return kind == '(' || kind == '[' || kind == '{'; }
static bool closes(int kind) { return kind == ')' || kind == ']' || kind == '}'; }

typedef VEC(FmtToken) Tokens;

/* A string is one token up to its end: what stands in its holes is left as it was written. */
static void read_tokens(Fmt *f, Reader *r, Tokens *out) {
  uint32_t strings = 0, first = 0;
  bool line = true;
  for (;;) {
    Token t;
    lex_raw(r, &t);
    if (t.kind == T_NEWLINE) {
      line = true;
      continue;
    }
    if (closes(t.kind) && r->bracket.n) r->bracket.n--;
    if (t.kind == T_SBEGIN && strings++ == 0) first = t.span.first;
    if (t.kind == T_SEND && --strings == 0) {
      t.kind = T_SBEGIN;
      t.span.first = first;
    } else if (strings) continue;
    vec_push(f->arena, out, (FmtToken){.kind = t.kind, .span = t.span, .line = line});
    line = false;
    if (t.kind == T_END) return;
  }
}

/* A `;` that only ends a line, or stands beside another end, is left out. */
static void keep_tokens(Fmt *f, const Tokens *all) {
  bool line = false;
  for (uint32_t k = 0; k < all->n; k++) {
    FmtToken t = all->at[k];
    line |= t.line;
    if (t.kind == T_SEP) {
      const FmtToken *next = &all->at[k + 1];
      if (line || next->line || next->kind == '}' || next->kind == T_SEP || next->kind == T_END) continue;
      const FmtToken *before = &f->token.at[f->token.n - 1];
      if (before->kind == '{') continue;
    }
    t.line = line;
    line = false;
    vec_push(f->arena, &f->token, t);
  }
}

static void pair_brackets(Fmt *f) {
  VEC(uint32_t) open = {0};
  for (uint32_t k = 0; k < f->token.n; k++) {
    FmtToken *t = &f->token.at[k];
    if (closes(t->kind) && open.n) {
      t->pair = open.at[--open.n];
      f->token.at[t->pair].pair = k;
    }
    t->depth = open.n;
    if (opens(t->kind)) vec_push(f->arena, &open, k);
  }
}

/* ---- comments ---- */
/* Line breaks between two bytes; *blank: a line with nothing on it, not even a `;` that is left out. */
static uint32_t line_breaks(const Source *s, uint32_t from, uint32_t to, bool *blank) {
  uint32_t n = 0;
  bool empty = false;
  *blank = false;
  for (uint32_t k = from; k < to; k++) {
    if (s->text[k] == ';') empty = false;
    if (s->text[k] != '\n') continue;
    *blank |= empty;
    empty = true;
    n++;
  }
  if (from == 0) *blank = false;
  return n;
}

static void place_comments(Fmt *f, const Parsed *p) {
  const Source *s = f->source;
  uint32_t c = 0, end = 0;
  for (uint32_t k = 0; k < f->token.n; k++) {
    FmtToken *t = &f->token.at[k];
    bool first = true;
    t->comment = f->comment.n;
    for (; c < p->comment.n && p->comment.at[c].span.first < t->span.first; c++) {
      Span span = p->comment.at[c].span;
      while (span.end > span.first && strchr(" \t\r\f\v", s->text[span.end - 1])) span.end--;
      bool blank;
      uint32_t breaks = line_breaks(s, end, span.first, &blank);
      vec_push(f->arena, &f->comment, (FmtComment){span, fmt_column(s, span.first), blank});
      end = span.end;
      if (breaks == 0 && k > 0 && first) {
        f->token.at[k - 1].after = f->comment.n;
        t->comment = f->comment.n;
      } else t->n_comment++;
      first = false;
    }
    line_breaks(s, end, t->span.first, &t->blank);
    end = t->span.end;
  }
}

/* ---- what the tree knows ---- */
static uint32_t token_at(const Fmt *f, uint32_t byte) {
  uint32_t low = 0, high = f->token.n - 1;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (f->token.at[middle].span.first < byte) low = middle + 1;
    else high = middle;
  }
  return low;
}

static FmtToken *token_of(Fmt *f, uint32_t byte) { return &f->token.at[token_at(f, byte)]; }

static bool compound(const Ast *x) {
  return x && !x->parens && (x->kind == A_BINARY || x->kind == A_IF || x->kind == A_LAMBDA || x->kind == A_TRAINING);
}

static void slice(Fmt *f, const Ast *x) {
  bool spaced = false;
  for (uint32_t k = 0; k < x->n; k++) spaced |= compound(x->kid[k]);
  FmtToken *colon = token_of(f, x->at.first);
  colon->slice = true;
  colon->spaced = spaced;
  if (!x->kid[2]) return;
  uint32_t k = token_at(f, x->kid[2]->span.first);
  while (k > 0 && f->token.at[k].kind != ':') k--;
  f->token.at[k].slice = true;
  f->token.at[k].spaced = spaced;
}

/* chain: the byte of the `if` that a chain of `else if` begins with. */
static void walk(Fmt *f, const Ast *x, const Ast *parent, uint32_t chain) {
  if (!x || x->kind == A_STRING) return;           /* one token, holes and all */
  switch (x->kind) {
  case A_BLOCK:
    if (parent) {
      uint32_t open = token_at(f, x->span.first);
      FmtToken *t = &f->token.at[open];
      t->block = f->token.at[t->pair].block = true;
      t->head = open > 0 && f->token.at[open - 1].kind == T_ELSE ? open - 1 : token_at(f, parent->span.first);
    }
    for (uint32_t k = 0; k < x->n; k++) token_of(f, x->kid[k]->span.first)->statement = true;
    break;
  case A_IF:
    if (x->kid[2]) {
      uint32_t after = token_at(f, x->kid[2]->span.first);
      if (after > 0 && f->token.at[after - 1].kind == T_ELSE) f->token.at[after - 1].head = token_at(f, chain);
    }
    break;
  case A_UNARY:
    if (x->op == '-') token_of(f, x->at.first)->unary = true;
    break;
  case A_SLICE: slice(f, x); break;
  case A_COMPREHENSION: token_of(f, x->at.first)->of_for = true; break;
  default: break;
  }
  for (uint32_t k = 0; k < x->n; k++) {
    const Ast *kid = x->kid[k];
    if (kid) walk(f, kid, x, x->kind == A_IF && k == 2 && kid->kind == A_IF ? chain : kid->span.first);
  }
}

void fmt_read(Fmt *f, Diags *d, const Parsed *p) {
  Reader *r = NEW(f->arena, Reader);
  *r = (Reader){.arena = f->arena, .source = p->source, .part = {0, p->source->n}, .diags = d, .blank = true};
  Tokens all = {0};
  f->source = p->source;
  lex_open(r);
  read_tokens(f, r, &all);
  lex_close(r);
  keep_tokens(f, &all);
  pair_brackets(f);
  place_comments(f, p);
  walk(f, p->program, NULL, 0);
}
