/* layout: the newline rule of the language, brackets that do not match, and where reading goes on after a mistake.
 * In: raw tokens. Out: the grammar's. See layout.h for the invariant.
 */
#include "syntax/layout.h"
#include "syntax/parse.h"
#include <string.h>

/* A line that ends in one of these goes on. */
static bool goes_on_after(int kind) {
  switch (kind) {
  case T_PIPE: case T_COMPOSE: case T_OR: case T_AND: case T_NOT: case T_EQ: case T_NE: case '<': case '>':
  case T_LE: case T_GE:
  case T_DOTDOT: case T_DOTLT: case '+': case '-': case '*': case '/': case T_FLOORDIV: case '%': case '@': case '^':
  case ',': case '=': case T_OPSET: case '~': case T_ARROW: case ':': case '.': case T_IN: case T_ELSE:
  case '(': case '[': case '{': case T_IOPEN:
    return true;
  default: return false;
  }
}

/* A line that begins with one of these goes on from the line before. */
static bool goes_on_before(int kind) {
  return kind == T_PIPE || kind == T_COMPOSE || kind == '.' || kind == T_ELSE;
}

static bool opens(int kind) { return kind == '(' || kind == '[' || kind == '{' || kind == T_IOPEN; }

bool layout_is_word(const Token *t) {
  switch (t->kind) {
  case T_LET: case T_VAR: case T_PROC: case T_WHILE: case T_BREAK: case T_CONTINUE: case T_PRINT:
  case T_ASSERT: case T_IMPORT:
  case T_PARAM: case T_STATE: case T_LAYER: case T_OPTIMIZER: case T_GRADIENT: case T_TEST: case T_EXTERN:
    return true;
  case T_FN: return t->value.i != 0;      /* fn NAME */
  default: return false;
  }
}

/* How many brackets are open before t, which may have opened one, as may what has been read ahead. */
static uint32_t depth_before(const Reader *r, const Token *t) {
  uint32_t depth = r->bracket.n - (opens(t->kind) ? 1 : 0);
  for (uint32_t k = 0; k < r->n_queue; k++) depth -= opens(r->queue[k].kind) ? 1 : 0;
  return depth;
}

/* The depth of the innermost block's statements. */
static uint32_t block_depth(const Reader *r, uint32_t depth) {
  while (depth && !r->bracket.at[depth - 1].block) depth--;
  return depth;
}

static bool in_record(const Reader *r, uint32_t depth) {
  return depth && r->bracket.at[depth - 1].open == '{' && !r->bracket.at[depth - 1].block && r->last.kind != '{';
}

/* The newline rule: whether the line break before `next` ends a statement. */
static bool ends_statement(const Reader *r, const Token *next) {
  uint32_t depth = depth_before(r, next);
  if (depth && r->bracket.at[depth - 1].open != '{') return false;
  if (r->last.kind == 0 || r->last.kind == T_SEP || next->kind == T_END || next->kind == '}') return false;
  if (goes_on_after(r->last.kind)) return false;
  if (goes_on_before(next->kind)) return false;      /* a REPL runs a complete line before it sees the next one */
  return true;
}

static void report_open(Reader *r, uint32_t index) {
  const Bracket *b = &r->bracket.at[index];
  const char text[] = {b->open == '"' ? '{' : b->open, 0};
  diag_in(r->diags, r->source, b->at, E_BRACKET_OPEN, text);
}

/* How far the line of this byte is indented; SIZE_MAX if the byte is not the first that can be seen there. */
static size_t indent(const Source *s, uint32_t at, bool first) {
  uint32_t line = at;
  while (line > 0 && s->text[line - 1] != '\n') line--;
  size_t n = strspn(s->text + line, " \t");
  return first && line + n != at ? SIZE_MAX : n;
}

/* Where a line begins that is outside of the block opened at this byte, by its indentation; the end if none does. */
static uint32_t line_outside(const Source *s, uint32_t at) {
  size_t most = indent(s, at, false);
  for (uint32_t k = at; k < s->n;) {
    const char *end = memchr(s->text + k, '\n', s->n - k);
    if (!end) break;
    k = (uint32_t)(end - s->text) + 1;
    size_t n = strspn(s->text + k, " \t");
    char c = k + n < s->n ? s->text[k + n] : 0;
    if (n <= most && c && !strchr("\r\n#})]", c)) return k + (uint32_t)n;
  }
  return s->n;
}

/* The { that is left open is the one whose } stands where another one's should, or the innermost; it ends where a line
 * is indented as its own. */
static void report_open_block(Reader *r) {
  const Bracket *b = &r->bracket.at[r->bracket.n - 1];
  bool crooked = r->crooked.open && r->crooked.at.first > b->at.first;
  if (crooked) b = &r->crooked;
  r->open_at = r->bracket.at[0].at.first;
  if (b->open != '{') {
    report_open(r, r->bracket.n - 1);
    return;
  }
  Diag *g = diag_in(r->diags, r->source, b->at, E_BRACKET_OPEN, "{");
  uint32_t out = line_outside(r->source, b->at.first), line, column;
  if (crooked || out < r->source->n) diag_mark_in(r->diags, g, r->source, b->at, "%s", "");
  if (crooked) {
    source_position(r->source, r->bracket.at[r->bracket.n - 1].at.first, &line, &column);
    diag_mark_in(r->diags, g, r->source, r->crooked_end, "this stands as if it closed the `{` of line %u", line);
  } else if (out < r->source->n) {
    diag_mark_in(r->diags, g, r->source, (Span){out, out + 1}, "the `}` is probably missing before this line");
  }
}

static void enqueue(Reader *r, Token t) { r->queue[r->n_queue++] = t; }

static Token made(int kind, Span span) { return (Token){.kind = kind, .span = span}; }

/* Puts into the queue what stands for the tokens up to the next one that is not a newline. */
static void read_ahead(Reader *r) {
  Token next;
  bool line_break = false;
  Span at = {0, 0};
  host_go_on(arena_host(r->arena));
  for (lex_raw(r, &next); next.kind == T_NEWLINE; lex_raw(r, &next)) {
    if (!line_break) at = next.span;
    line_break = true;
  }
  uint32_t depth = depth_before(r, &next);
  if (line_break && r->recovering) {
    bool out = depth > r->keep_depth && depth <= r->error_depth && layout_is_word(&next);
    if (out) r->bracket.n = r->keep_depth;
    bool word = r->last.kind == ':' && layout_is_word(&next);      /* `for x in xs:`, and its body on the next line */
    if (out || (depth == r->keep_depth && (word || ends_statement(r, &next)))) enqueue(r, made(T_SEP, at));
  } else if (line_break) {
    bool list = depth && (r->bracket.at[depth - 1].open != '{' || in_record(r, depth));
    if (list && layout_is_word(&next)) {
      report_open(r, depth - 1);
      r->bracket.n = block_depth(r, depth);
      enqueue(r, made(T_ERR, at));
      enqueue(r, made(T_SEP, at));
    } else if (ends_statement(r, &next)) {
      if (in_record(r, depth)) {
        Diag *g = diag_in(r->diags, r->source, at, E_SYNTAX, "`,` or `}`", "the end of the line");
        diag_mark_in(r->diags, g, r->source, r->bracket.at[depth - 1].at, "of this record");
        enqueue(r, made(T_ERR, at));
      } else {
        enqueue(r, made(T_SEP, at));
      }
    }
  }
  enqueue(r, next);
}

static char opener_of(int kind) { return kind == ')' ? '(' : kind == ']' ? '[' : '{'; }

/* `[1, 2))`: of two closing brackets the first was taken for another one, on this line. */
static bool told_other(const Reader *r, Span at) {
  const Diag *g = r->diags->diag.n ? r->diags->diag.at[r->diags->diag.n - 1] : NULL;
  if (!g || g->id != E_BRACKET_OTHER || g->source != r->source || g->at.first > at.first) return false;
  return !memchr(r->source->text + g->at.first, '\n', at.first - g->at.first);
}

/* A closing bracket comes. False: it is dropped, or an ERR was put before it. */
static bool closes(Reader *r, Token *t) {
  char wanted = opener_of(t->kind);
  uint32_t k = r->bracket.n;
  for (; k; k--) {
    char open = r->bracket.at[k - 1].open;
    if (open == wanted || (open == '"' && wanted == '{')) break;
    if (r->bracket.at[k - 1].block && wanted != '{') k = 1;
  }
  const char text[] = {(char)t->kind, 0};
  const Bracket *last = r->bracket.n ? &r->bracket.at[r->bracket.n - 1] : NULL;
  if (!k && last && !last->block && last->open != '"') {      /* `[1, 2)`: it was meant to close what is open */
    const char open[] = {last->open, 0};
    if (!r->recovering) {
      Diag *g = diag_in(r->diags, r->source, last->at, E_BRACKET_OTHER, open, text);
      diag_mark_in(r->diags, g, r->source, last->at, "%s", "");
      diag_mark_in(r->diags, g, r->source, t->span, "%s", "");
    }
    t->kind = last->open == '(' ? ')' : last->open == '[' ? ']' : '}';
    k = r->bracket.n;
  }
  if (!k) {
    if (!r->recovering && !told_other(r, t->span)) diag_in(r->diags, r->source, t->span, E_BRACKET_STRAY, text);
    return false;
  }
  if (k < r->bracket.n) {
    if (r->recovering && k < r->keep_depth) return false;
    if (!r->recovering) {
      const Bracket *b = &r->bracket.at[r->bracket.n - 1];
      const char open[] = {b->open, 0};
      Diag *g = diag_in(r->diags, r->source, b->at, E_BRACKET_OTHER, open, text);
      diag_mark_in(r->diags, g, r->source, b->at, "%s", "");
      diag_mark_in(r->diags, g, r->source, t->span, "%s", "");
    }
    r->bracket.n = k;
    if (!r->recovering) {
      Token closer = *t;
      for (uint32_t j = r->n_queue; j > 0; j--) r->queue[j] = r->queue[j - 1];
      r->queue[0] = closer;
      r->n_queue++;
      *t = made(T_ERR, t->span);
      return true;
    }
  }
  if (r->bracket.at[k - 1].open == '"') {
    lex_close_hole(r);
    t->kind = T_ICLOSE;
    return true;
  }
  const Bracket *b = &r->bracket.at[k - 1];
  if (b->open == '{' && !r->crooked.open) {
    size_t end = indent(r->source, t->span.first, true);
    if (end != SIZE_MAX && end < indent(r->source, b->at.first, false)) r->crooked = *b, r->crooked_end = t->span;
  }
  r->closed_block = b->block;
  r->bracket.n--;
  return true;
}

/* The text ends with brackets open: they are reported once and closed, so that the parser keeps what it has read. */
static void end(Reader *r, Token *t) {
  if (!r->end_told && !r->recovering && r->bracket.n) {
    r->incomplete = r->diags->n_errors == r->n_errors;
    report_open_block(r);
    r->end_told = true;
  } else if (!r->end_told && !r->bracket.n && goes_on_after(r->last.kind)) {
    r->incomplete = r->diags->n_errors == r->n_errors;
  }
  if (!r->bracket.n) return;
  uint32_t keep = block_depth(r, r->bracket.n);
  if (r->recovering) r->bracket.n = keep;
  if (!r->bracket.n) return;
  enqueue(r, *t);
  if (keep == r->bracket.n) {
    r->bracket.n--;
    r->closed_block = true;
    *t = made('}', t->span);
  } else {
    r->bracket.n = keep;
    *t = made(T_ERR, t->span);
  }
}

void layout_next(Reader *r, Token *t) {
  for (;;) {
    if (!r->n_queue) read_ahead(r);
    *t = r->queue[0];
    for (uint32_t k = 1; k < r->n_queue; k++) r->queue[k - 1] = r->queue[k];
    r->n_queue--;
    r->closed_block = false;
    if (t->kind == T_END) end(r, t);
    else if ((t->kind == ')' || t->kind == ']' || t->kind == '}') && !closes(r, t)) continue;
    r->last = *t;
    if (!r->recovering) return;
    bool over = t->kind == T_END || (t->kind == T_SEP && depth_before(r, t) == r->keep_depth) ||
                (t->kind == '}' && r->bracket.n + 1 == r->keep_depth);
    if (over) {
      r->recovering = false;
      return;
    }
  }
}

void layout_block(Reader *r, uint32_t at) {
  for (uint32_t k = r->bracket.n; k; k--)
    if (r->bracket.at[k - 1].at.first == at) {
      r->bracket.at[k - 1].block = true;
      return;
    }
}

void layout_recover(Reader *r, const Token *found) {
  uint32_t depth = depth_before(r, found);
  r->keep_depth = block_depth(r, depth);
  r->error_depth = depth;
  bool over = found->kind == T_END || (found->kind == T_SEP && depth == r->keep_depth) ||
              (found->kind == '}' && r->closed_block);
  r->recovering = !over;
}

const char *layout_doc(const Reader *r, uint32_t first) {
  uint32_t low = 0, high = r->docs.n;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (r->docs.at[middle].first < first) low = middle + 1;
    else high = middle;
  }
  return low < r->docs.n && r->docs.at[low].first == first ? r->docs.at[low].text : NULL;
}
