/* fmt: lays tokens out. In: tokens of fmt_read. Out: lines.
 *
 * Where lines break is the writer's choice as long as they are short enough; how they are indented and spaced is not. A
 * line indents by its innermost bracket: two blanks more than the line that ends in it, or below what follows it. A
 * line that is too long is broken at its outermost bracket or operator, and what is left is a line of its own; so what
 * was broken once is found short, and left, the next time.
 */
#include "syntax/fmt.h"
#include "syntax/layout.h"
#include "syntax/parse.h"
#include <string.h>

static bool opens(int kind) { return kind == '(' || kind == '[' || kind == '{'; }
static bool closes(int kind) { return kind == ')' || kind == ']' || kind == '}'; }

/* ---- blanks between two tokens of a line ---- */
static bool ends_operand(int kind) {
  switch (kind) {
  case T_ID: case T_INT: case T_FLOAT: case T_CONST: case T_NONE: case T_SBEGIN: case ')': case ']': case '}':
  case '\'': return true;
  default: return false;
  }
}

static uint32_t gap(const FmtToken *a, const FmtToken *b) {
  if (a->block || b->block) {
    if (b->kind == '}' || a->kind == '{' || b->kind == '{') return 1;
  }
  if (opens(a->kind) || b->kind == ')' || b->kind == ']' || b->kind == '}' || b->kind == ',' || b->kind == T_SEP)
    return 0;
  if (a->kind == '.' || b->kind == '.' || b->kind == '\'' || a->unary) return 0;
  if ((b->kind == '(' || b->kind == '[') && ends_operand(a->kind)) return 0;
  if (a->kind == ',' || a->kind == T_SEP) return 1;
  if (a->kind == '^' || b->kind == '^' || a->kind == T_DOTDOT || a->kind == T_DOTLT || b->kind == T_DOTLT) return 0;
  if (b->kind == T_DOTDOT) return !ends_operand(a->kind);
  if (b->kind == ':') return b->slice && b->spaced && a->kind != ':';
  if (a->kind == ':') return !a->slice || a->spaced;
  return 1;
}

/* ---- where lines break, as far as that is not the writer's choice ---- */
static bool commented(const Fmt *f, uint32_t k) {
  return f->token.at[k].n_comment || (k > 0 && f->token.at[k - 1].after);
}

/* What is inside it has been settled, and breaks if `inside`. Whether a line breaks between open and its pair. */
static bool settle_bracket(Fmt *f, uint32_t open, bool inside) {
  FmtToken *t = f->token.at;
  uint32_t close = t[open].pair;
  if (t[open].block) {
    inside |= t[close].line;
    if (inside) t[open + 1].line = t[close].line = true;
    return inside;
  }
  if (!commented(f, close)) t[close].line = close > open + 1 && t[open + 1].line;
  return inside || t[close].line;
}

static void settle_lines(Fmt *f) {
  typedef struct Open { uint32_t at; bool inside; } Open;
  VEC(Open) open = {0};
  FmtToken *t = f->token.at;
  for (uint32_t k = 0; k + 1 < f->token.n; k++) {
    if ((t[k].kind == T_PIPE || t[k].kind == T_COMPOSE) && t[k + 1].line && !commented(f, k + 1)) {
      t[k + 1].line = false;
      t[k].line = true;
    }
    bool inside = t[k].line;
    if (closes(t[k].kind) && open.n) {
      Open o = open.at[--open.n];
      inside = settle_bracket(f, o.at, o.inside);
    }
    if (inside && open.n) open.at[open.n - 1].inside = true;
    if (opens(t[k].kind)) vec_push(f->arena, &open, (Open){k, false});
  }
  for (uint32_t k = 1; k < f->token.n; k++)
    if (t[k].kind == T_ELSE && t[k - 1].line && !commented(f, k)) t[k].line = false;
}

/* ---- `=` that stand below one another ---- */
/* The first `=` or `~` of a statement's own, on its first line; 0: none. */
static uint32_t equals(const Fmt *f, uint32_t first) {
  const FmtToken *t = f->token.at;
  switch (t[first].kind) {
  case T_LET: case T_VAR: case T_PARAM: case T_STATE: case T_ID: break;
  default: return 0;
  }
  for (uint32_t k = first + 1; k < f->token.n && !t[k].line; k++)
    if (t[k].depth == t[first].depth && (t[k].kind == '=' || t[k].kind == '~')) return k;
    else if (t[k].depth < t[first].depth || t[k].kind == T_SEP) return 0;
  return 0;
}

static uint32_t natural(const Fmt *f, uint32_t first, uint32_t to) {
  uint32_t n = 0;
  for (uint32_t k = first; k < to; k++)
    n += fmt_width(f->source, f->token.at[k].span) + gap(&f->token.at[k], &f->token.at[k + 1]);
  return n;
}

/* The next statement of the block, if it begins a line and nothing but the rest of this one stands between; 0: none. */
static uint32_t next_statement(const Fmt *f, uint32_t first) {
  const FmtToken *t = f->token.at;
  uint32_t k = first + 1;
  while (k < f->token.n && t[k].depth >= t[first].depth && !(t[k].statement && t[k].depth == t[first].depth)) k++;
  bool next = k < f->token.n && t[k].statement && t[k].depth == t[first].depth && t[k].line && !t[k].blank &&
              !t[k].n_comment;
  return next ? k : 0;
}

static void align_equals(Fmt *f) {
  FmtToken *t = f->token.at;
  for (uint32_t k = 0; k < f->token.n;) {
    uint32_t at = t[k].statement && t[k].line ? equals(f, k) : 0, run = 1;
    if (!at) {
      k++;
      continue;
    }
    uint32_t offset = fmt_column(f->source, t[at].span.first) - fmt_column(f->source, t[k].span.first),
             most = natural(f, k, at);
    uint32_t last = k;
    for (uint32_t next; (next = next_statement(f, last)); last = next, run++) {
      uint32_t e = equals(f, next);
      if (!e || fmt_column(f->source, t[e].span.first) - fmt_column(f->source, t[next].span.first) != offset) break;
      uint32_t wide = natural(f, next, e);
      if (wide > most) most = wide;
    }
    for (uint32_t s = k;; s = next_statement(f, s)) {
      uint32_t e = equals(f, s);
      if (run > 1) t[e].pad = most - natural(f, s, e);
      if (s == last) break;
    }
    k = last + 1;
  }
}

/* ---- lines ---- */
typedef struct Open { uint32_t at, inner, outer; } Open;
/* bytes of the code */
typedef struct Line { size_t first, end; uint32_t width, after; bool blank, comment; uint32_t indent; } Line;
typedef struct Lay {
  Fmt *f;
  uint32_t *along, *block;         /* of each token: measure */
  VEC(uint32_t) next;              /* tokens that begin lines: the nearest last, each up to the first one */
  VEC(Open) open;
  VEC(Line) line;
  Text code;
} Lay;

static uint32_t indent_of(const Lay *l, uint32_t k) {
  const FmtToken *t = l->f->token.at;
  const Open *top = l->open.n ? &l->open.at[l->open.n - 1] : NULL;
  bool block = !top || t[top->at].block;
  uint32_t inner = top ? top->inner : 0;
  if (closes(t[k].kind) && top) return top->outer;
  if (t[k].statement || t[k].kind == T_END) return inner;
  if (t[k].kind == T_ELSE) return t[t[k].head].column;
  if (block) return inner + FMT_STEP;
  bool hangs = t[top->at + 1].line;
  bool begins = t[k - 1].kind == ',' || k == top->at + 1 || t[k].of_for;
  return begins || !hangs ? inner : inner + FMT_STEP;
}

/* Where the tokens would stand if all were one line, and where the next block begins that is not empty. */
static void measure(Lay *l) {
  const FmtToken *t = l->f->token.at;
  uint32_t n = l->f->token.n;
  l->along = NEW_N(l->f->arena, uint32_t, n + 1);
  l->block = NEW_N(l->f->arena, uint32_t, n + 1);
  for (uint32_t k = 0; k + 1 < n; k++)
    l->along[k + 1] = l->along[k] + fmt_width(l->f->source, t[k].span) + gap(&t[k], &t[k + 1]) + t[k + 1].pad;
  l->block[n] = n;
  for (uint32_t k = n; k-- > 0;)
    l->block[k] = t[k].block && t[k].kind == '{' && t[k].pair != k + 1 ? k : l->block[k + 1];
}

/* Of token k, and the column behind it, on a line that begins with `first`. */
static uint32_t column(const Lay *l, uint32_t first, uint32_t k, uint32_t indent) {
  return indent + l->along[k] - l->along[first];
}

static uint32_t column_end(const Lay *l, uint32_t first, uint32_t k, uint32_t indent) {
  return column(l, first, k, indent) + fmt_width(l->f->source, l->f->token.at[k].span);
}

/* ---- the lines to come ---- */
/* Token k begins a line from now on. What lies beyond the last known beginning is found when the layout comes there. */
static void begin_line(Lay *l, uint32_t k) {
  l->f->token.at[k].line = true;
  uint32_t n = l->next.n;
  if (!n || l->next.at[0] < k) return;
  vec_push(l->f->arena, &l->next, k);
  for (; n > 0 && l->next.at[n - 1] < k; n--) l->next.at[n] = l->next.at[n - 1];
  l->next.at[n] = k;
}

/* The first token of the line behind the one that k stands in. */
static uint32_t next_line(Lay *l, uint32_t k) {
  const FmtToken *t = l->f->token.at;
  uint32_t end = l->f->token.n - 1;
  for (uint32_t next; l->next.n; l->next.n--) {
    next = l->next.at[l->next.n - 1];
    if (next > k && (next == end || t[next].line)) return next;
  }
  for (k++; k < end && !t[k].line;) k++;
  vec_push(l->f->arena, &l->next, k);
  return k;
}

static bool binary(const FmtToken *t) {
  switch (t->kind) {
  case T_OR: case T_AND: case T_EQ: case T_NE: case '<': case '>': case T_LE: case T_GE: case '+': case '-':
  case '*': case '/':
  case T_FLOORDIV: case '%': case '@': return !t->unary;
  default: return false;
  }
}

/* What a break before k costs within its bracket: the looser what is parted, the less; 0: it cannot be there. defines:
 * the line begins with `fn`, whose body rather goes to the next line than its parameters. */
static uint32_t cost(const FmtToken *t, uint32_t k, bool defines) {
  const FmtToken *before = &t[k - 1];
  if (t[k].kind == T_PIPE) return 1;
  if (t[k].kind == T_COMPOSE) return 2;
  if (before->kind == ',') return 3;
  if (before->kind == T_OR) return 4;
  if (before->kind == T_AND) return 5;
  if ((before->kind == '+' || before->kind == '-') && !before->unary) return 7;
  if (binary(before)) return before->kind == '*' || before->kind == '/' || before->kind == '@' ? 8 : 6;
  if ((before->kind == '(' || before->kind == '[' || (before->kind == '{' && !before->block)) && before->pair > k)
    return 9;
  if (before->kind == '=' || before->kind == '~') return before->depth == t[k].depth ? (defines ? 6 : 15) : 0;
  return 0;
}

static void break_bracket(Lay *l, uint32_t open) {
  begin_line(l, l->f->token.at[open].pair);
  begin_line(l, open + 1);
}

/* Blocks of one line, none inside another: each gets lines of its own. */
static bool break_blocks(Lay *l, uint32_t first, uint32_t end) {
  FmtToken *t = l->f->token.at;
  bool done = false;
  for (uint32_t k = l->block[first]; k < end; k = l->block[k]) {
    uint32_t close = t[k].pair;
    if (close >= end) {
      k++;
      continue;
    }
    break_bracket(l, k);
    for (uint32_t j = close; j-- > k + 1;)
      if (t[j].kind == T_SEP && t[j].depth == t[k].depth + 1) {
        t[j].gone = true;
        begin_line(l, j + 1);
      }
    if (t[close + 1].kind == T_ELSE && !t[close].after && !t[close + 1].n_comment) t[close + 1].line = false;
    k = close + 1;
    done = true;
  }
  return done;
}

/* The token that the line of tokens first to end is best broken before; 0: there is no place. */
static uint32_t best_break(const Lay *l, uint32_t first, uint32_t end, uint32_t indent, uint32_t *least) {
  const FmtToken *t = l->f->token.at;
  uint32_t best = 0;
  *least = UINT32_MAX;
  for (uint32_t k = first + 1; k < end; k++) {
    bool fits = column_end(l, first, k - 1, indent) <= FMT_WIDTH;
    if (!fits && best) break;
    uint32_t c = cost(t, k, t[first].kind == T_FN && t[k].depth == t[first].depth);
    if (!c || t[k - 1].gone) continue;
    c += 10 * t[k].depth;
    if (c > *least || (c == *least && !fits)) continue;
    /* nothing would be gained */
    if (c % 10 != 9 && column(l, first, k, indent) <= indent + 2 * FMT_STEP) continue;
    best = k;
    *least = c;
  }
  return best;
}

/* The bracket that token k stands in, if it begins too far right; 0: it does not. */
static uint32_t far_bracket(const Lay *l, uint32_t first, uint32_t k, uint32_t indent) {
  const FmtToken *t = l->f->token.at;
  for (uint32_t open = k; open-- > first;)
    if (opens(t[open].kind) && t[open].pair >= k) {
      bool far = t[open].depth + 1 == t[k].depth && column(l, first, open, indent) > FMT_WIDTH * 3 / 5 &&
                 column(l, first, open + 1, indent) > indent + 2 * FMT_STEP;
      return far ? open : 0;
    }
  return 0;
}

/* The line of tokens first to end is too long: some of them begin lines from now on. false: there is no place. */
static bool break_line(Lay *l, uint32_t first, uint32_t end, uint32_t indent) {
  const FmtToken *t = l->f->token.at;
  uint32_t least;
  if (break_blocks(l, first, end)) return true;
  uint32_t best = best_break(l, first, end, indent, &least);
  if (!best) return false;
  if (least % 10 == 9) {
    break_bracket(l, best - 1);
    return true;
  }
  if (t[best].kind == T_PIPE || t[best].kind == T_COMPOSE) {                 /* a chain is broken at each link */
    for (uint32_t k = end; --k > first;)
      if (t[k].kind == t[best].kind && t[k].depth == t[best].depth) begin_line(l, k);
    return true;
  }
  uint32_t open = far_bracket(l, first, best, indent);
  if (open) break_bracket(l, open);
  else begin_line(l, best);
  return true;
}

static void add_line(Lay *l, Line x) { vec_push(l->f->arena, &l->line, x); }

static void write_line(Lay *l, uint32_t first, uint32_t end, uint32_t indent, uint32_t width) {
  FmtToken *t = l->f->token.at;
  Line x = {.first = l->code.n, .width = width, .indent = indent, .blank = t[first].blank && !t[first].n_comment};
  for (uint32_t k = 0; k < indent; k++) text_add(&l->code, " ");
  for (uint32_t k = first; k < end; k++) {
    x.after = t[k].after;
    if (t[k].gone) continue;
    t[k].column = column(l, first, k, indent);
    t[k].indent = indent;
    for (uint32_t j = k > first ? gap(&t[k - 1], &t[k]) + t[k].pad : 0; j > 0; j--) text_add(&l->code, " ");
    text_add_n(&l->code, l->f->source->text + t[k].span.first, t[k].span.end - t[k].span.first);
  }
  x.end = l->code.n;
  add_line(l, x);
}

static void track_brackets(Lay *l, uint32_t first, uint32_t end) {
  FmtToken *t = l->f->token.at;
  for (uint32_t k = first; k < end; k++) {
    if (closes(t[k].kind) && l->open.n) l->open.n--;
    if (!opens(t[k].kind)) continue;
    uint32_t base = t[k].block ? t[t[k].head].indent : t[k].indent;
    if (t[k + 1].line) vec_push(l->f->arena, &l->open, (Open){k, base + FMT_STEP, base});
    else vec_push(l->f->arena, &l->open, (Open){k, t[k].column + 1, t[k].column});
  }
}

static void add_comments(Lay *l, uint32_t k, uint32_t indent) {
  const FmtToken *t = &l->f->token.at[k];
  if (closes(t->kind) && l->open.n) indent = l->open.at[l->open.n - 1].inner;
  for (uint32_t c = t->comment; c < t->comment + t->n_comment; c++)
    add_line(l, (Line){.after = c + 1, .comment = true, .indent = indent, .blank = l->f->comment.at[c].blank});
  if (t->n_comment && t->blank) l->f->token.at[k].blank = true;
}

static void lay_out(Lay *l) {
  FmtToken *t = l->f->token.at;
  uint32_t n = l->f->token.n - 1;
  measure(l);
  for (uint32_t k = 0; k < n;) {
    uint32_t indent = indent_of(l, k), end, width;
    for (;;) {
      end = next_line(l, k);
      uint32_t last = end - 1;
      while (t[last].gone) last--;
      width = column_end(l, k, last, indent);
      if (width <= FMT_WIDTH || !break_line(l, k, end, indent)) break;
    }
    add_comments(l, k, indent);
    write_line(l, k, end, indent, width);
    if (t[k].n_comment) l->line.at[l->line.n - 1].blank = t[k].blank;
    track_brackets(l, k, end);
    k = end;
  }
  add_comments(l, n, 0);
}

/* ---- comments at the ends of lines ---- */
static bool expectation(const Fmt *f, const FmtComment *c) {
  const char *p = f->source->text + c->span.first + 1;
  while (*p == ' ' || *p == '\t') p++;
  return p[0] == '=' && p[1] == '>';
}

/* Comments at the ends of lines by the column that they stood in, within one paragraph: how many, the widest line, and
 * where they would go. */
typedef struct Column { uint32_t many, wide, next; } Column;

/* The paragraph that begins with line k, into column[]; the line after it. */
static uint32_t paragraph(const Lay *l, uint32_t k, Column *column) {
  uint32_t end = k;
  for (; end < l->line.n && (end == k || !l->line.at[end].blank); end++)
    if (l->line.at[end].after) column[l->f->comment.at[l->line.at[end].after - 1].column] = (Column){0};
  for (uint32_t j = k; j < end; j++) {
    const Line *x = &l->line.at[j];
    if (!x->after || x->comment) continue;
    const FmtComment *c = &l->f->comment.at[x->after - 1];
    Column *to = &column[c->column];
    uint32_t next = x->width + (expectation(l->f, c) ? 3 : 2);
    to->many++;
    if (x->width > to->wide) to->wide = x->width;
    if (next > to->next) to->next = next;
  }
  return end;
}

/* A column in which more than one comment of the file stood is the writer's, and kept where there is room; else the
 * comments of a paragraph that stood below one another move as one. */
static void comment_columns(Lay *l) {
  const Fmt *f = l->f;
  uint32_t most = 0;
  for (uint32_t c = 0; c < f->comment.n; c++)
    if (f->comment.at[c].column > most) most = f->comment.at[c].column;
  uint32_t *kept = NEW_N(f->arena, uint32_t, most + 1);
  Column *column = NEW_N(f->arena, Column, most + 1);
  for (uint32_t pass = 0; pass < 2; pass++)
    for (uint32_t k = 0, end; k < l->line.n; k = end) {
      end = paragraph(l, k, column);
      for (uint32_t j = k; j < end; j++) {
        Line *x = &l->line.at[j];
        if (!x->after || x->comment) continue;
        uint32_t at = f->comment.at[x->after - 1].column;
        bool fits = at >= column[at].wide + 2;
        if (pass == 0) kept[at] += fits;
        else x->indent = fits && kept[at] > 1 ? at : column[at].next;
      }
    }
  /* A comment on the line below another's, in its column, goes on from it. */
  uint32_t at = 0, before = UINT32_MAX;
  for (uint32_t k = 0; k < l->line.n; k++) {
    Line *x = &l->line.at[k];
    if (!x->after) before = UINT32_MAX;
    else if (!x->comment) {
      before = f->comment.at[x->after - 1].column;
      at = x->indent;
    } else if (x->blank || f->comment.at[x->after - 1].column != before) before = UINT32_MAX;
    else x->indent = at;
  }
}

static void write_text(const Lay *l, Text *out) {
  for (uint32_t k = 0; k < l->line.n; k++) {
    const Line *x = &l->line.at[k];
    bool opened = k > 0 && l->line.at[k - 1].end > l->line.at[k - 1].first &&
                  strchr("{([", l->code.at[l->line.at[k - 1].end - 1]);
    const char *p = l->code.at + x->first;
    while (!x->comment && *p == ' ') p++;
    bool closing = !x->comment && strchr("})]", *p);
    if (x->blank && k > 0 && !opened && !closing) text_add(out, "\n");
    uint32_t at = 0;
    if (!x->comment) {
      text_add_n(out, l->code.at + x->first, x->end - x->first);
      at = x->width;
    }
    if (x->after) {
      Span span = l->f->comment.at[x->after - 1].span;
      for (; at < x->indent; at++) text_add(out, " ");
      text_add_n(out, l->f->source->text + span.first, span.end - span.first);
    }
    text_add(out, "\n");
  }
}

/* ---- the tree before and after ---- */
static bool same_text(const char *a, const char *b) { return a == b || (a && b && !strcmp(a, b)); }

static bool same_doc(const char *a, const char *b) {
  if (!a || !b) return a == b;
  for (;;) {
    size_t n = strcspn(a, "\n"), m = strcspn(b, "\n"), p = n, q = m;
    while (p > 0 && strchr(" \t\r", a[p - 1])) p--;
    while (q > 0 && strchr(" \t\r", b[q - 1])) q--;
    if (p != q || memcmp(a, b, p)) return false;
    if (!a[n] || !b[m]) return a[n] == b[m];
    a += n + 1;
    b += m + 1;
  }
}

bool fmt_same_tree(const Ast *a, const Ast *b) {
  if (!a || !b) return a == b;
  if (a->kind != b->kind || a->parens != b->parens || a->op != b->op || a->n != b->n) return false;
  if (!same_text(a->name, b->name) || !same_doc(a->doc, b->doc)) return false;
  switch (a->kind) {
  case A_INT: case A_CONST: if (a->i != b->i) return false; break;
  case A_FLOAT: if (memcmp(&a->f, &b->f, sizeof a->f)) return false; break;
  case A_CHARS: case A_HOLE:
    if (!a->text != !b->text || (a->text && (a->n_text != b->n_text || memcmp(a->text, b->text, a->n_text))))
      return false;
    break;
  default: break;
  }
  for (uint32_t k = 0; k < a->n; k++)
    if (!fmt_same_tree(a->kid[k], b->kid[k])) return false;
  return true;
}

bool fmt_text(Arena *a, Diags *d, const char *name, const char *text, size_t n, Text *out) {
  *out = (Text){.arena = a};
  text_add(out, "");
  Parsed *p = parse(a, source_add(d->sources, name, text, n), d, false);
  if (d->n_errors) return false;
  Fmt f = {.arena = a};
  fmt_read(&f, d, p);
  settle_lines(&f);
  align_equals(&f);
  Lay l = {.f = &f, .code = {.arena = a}};
  text_add(&l.code, "");
  lay_out(&l);
  comment_columns(&l);
  write_text(&l, out);
  Parsed *again = parse(a, source_add(d->sources, name, out->at, out->n), d, false);
  if (!d->n_errors && fmt_same_tree(p->program, again->program)) return true;
  d->diag.n = d->n_errors = 0;
  diag_in(d, p->source, (Span){0, 0}, E_FMT_MEANING);
  *out = (Text){.arena = a};
  text_add(out, "");
  return false;
}
