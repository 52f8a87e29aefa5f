/* mistake: what is said about a token that cannot stand where it was found. In: what could have come, as the parser
 * knows it. Out: one diagnostic in people's words, with a way out where one is known; nothing if the scanner or the
 * layout has reported it. Then layout is told to drop the rest of the statement.
 */
#include "syntax/parse.h"
#include "syntax/tree.h"
#include <string.h>

static bool expects(const Expected *e, const char *what) {
  for (uint32_t k = 0; k < e->n; k++)
    if (strcmp(e->text[k], what) == 0) return true;
  return false;
}

/* What was found, as it is written. */
static const char *found_text(Tree *t, const Expected *e, int kind) {
  const Source *s = t->r->source;
  if (kind == T_END) return "the end of the text";
  if (kind == T_SEP) return s->text[e->at.first] == ';' ? "`;`" : "the end of the line";
  if (kind == T_SBEGIN) return "a string";
  if (kind == T_SEND || kind == T_SCHARS || kind == T_IOPEN || kind == T_FORMAT) return e->found;
  uint32_t n = e->at.end - e->at.first;
  return arena_printf(t->arena, "`%.*s%s`", n > 40 ? 40 : (int)n, s->text + e->at.first, n > 40 ? "..." : "");
}

/* What could have come: what is particular first, then a name, an expression, an operator. */
static const char *expected_text(Tree *t, const Expected *e) {
  static const char *const closers[] = {"`)`", "`]`", "`}`", "`,`", "`=`", "`~`", "`->`", "`in`", "`{`", "`(`", "`[`",
      "`fn`", "`:`",
    "`else`", "a string", "the end of the string"};
  const char *item[24];
  uint32_t n = 0;
  if (e->statement) item[n++] = "a statement";
  else if (e->expression) item[n++] = "an expression";
  else if (e->name) item[n++] = "a name";
  for (size_t k = 0; k < sizeof closers / sizeof *closers; k++) {
    const char *c = closers[k];
    bool postfix = e->operator_ && (c[1] == '(' || c[1] == '[');
    bool starts = e->expression && (c[1] == '(' || c[1] == '[' || c[1] == '{' || strcmp(c, "`fn`") == 0 || strcmp(c,
        "a string") == 0);
    if (!postfix && !starts && expects(e, c)) item[n++] = c;
  }
  if (e->operator_ && n == 0) item[n++] = "an operator";
  if (e->end_of_line && !e->expression) item[n++] = "the end of the line";
  if (n == 0) item[n++] = e->n ? e->text[0] : "something else";
  Text out = {.arena = t->arena};
  for (uint32_t k = 0; k < n; k++) {
    if (k) text_add(&out, k + 1 < n ? ", " : " or ");
    text_add(&out, item[k]);
  }
  return out.at;
}

static bool compares(int kind) {
  return kind == T_EQ || kind == T_NE || kind == T_LE || kind == T_GE || kind == '<' || kind == '>';
}

static uint32_t line_first(const Source *s, uint32_t at) {
  while (at > 0 && s->text[at - 1] != '\n') at--;
  return at;
}

static bool begins_with(const Source *s, uint32_t at, const char *word) {
  if (at && at >= s->n) at = s->n - 1;
  const char *p = s->text + line_first(s, at && s->text[at] == '\n' ? at - 1 : at);
  while (*p == ' ' || *p == '\t') p++;
  size_t n = strlen(word);
  return strncmp(p, word, n) == 0 && strchr(" \t\"(", p[n]) != NULL;
}

/* Whether the text just before `at`, blanks aside, is this word. */
static bool follows_word(const Source *s, uint32_t at, const char *word) {
  size_t n = strlen(word);
  while (at > 0 && (s->text[at - 1] == ' ' || s->text[at - 1] == '\t')) at--;
  if (at < n || memcmp(s->text + at - n, word, n) != 0) return false;
  char before = at > n ? s->text[at - n - 1] : ' ';
  return !in_name(before) && before != '.';
}

typedef struct Habit { const char *word, *ours; } Habit;

/* A word of another language behind which something stands that cannot stand there. */
static const Habit before_found[] = {
    {"del", "a name ends with its block: nothing is deleted by hand"},
    {"global", "a `proc` assigns a `var` of the file as it is: leave this line out"},
    {"nonlocal", "a `proc` assigns a `var` of the file as it is: leave this line out"},
    {"int", "a name is made by `let n = 3`, a cell by `var n = 3`"},
    {"float", "a name is made by `let x = 0.5`; a type stands behind the name: `let x: f64 = 0.5`"},
    {"double", "a name is made by `let x = 0.5`; a type stands behind the name: `let x: f64 = 0.5`"},
    {"auto", "a name is made by `let x = e`, a cell by `var x = e`"},
    {"val", "a name is made by `let x = e`, a cell by `var x = e`"},
    {"mut", "a cell is made by `var x = e`"},
    {"struct", "values of several names are a record `{x = 1, y = 2}`, parameters a `layer`"},
    {"enum", "values of several names are a record `{x = 1, y = 2}`"},
    {"impl", "what belongs to a layer stands in its `layer name(...) { }`"},
    {"pub", "all names of a file can be used by who imports it: leave the `pub` out"},
    {"static", "a name is made by `let x = e`, a cell by `var x = e`"},
    {"local", "names end with their block: `let x = e`"},
    {"new", "a call makes it: leave the `new` out"},
    {"using", "functions need no import; a file of your own is `import \"path.nn\" as name`"},
    {"use", "functions need no import; a file of your own is `import \"path.nn\" as name`"},
    {"require", "functions need no import; a file of your own is `import \"path.nn\" as name`"},
    {"include", "functions need no import; a file of your own is `import \"path.nn\" as name`"},
    {"unless", "a choice is `if not c { ... }`"},
    {"until", "a loop is `while not c { ... }`"},
    {"foreach", "a loop is `for x in xs { ... }`"},
    {"echo", "output is `print x`"},
    {"string", "a name is made by `let s = \"text\"`"},
    {"with", "there is nothing to open or to close: leave the `with` out"},
    {"try", "mistakes are found before anything runs; `assert c, \"why\"` checks while it runs"},
    {"switch", "choices are `if a { } else if b { } else { }`"},
    {"match", "choices are `if a { } else if b { } else { }`"},
    {"do", "a loop is `while c { }`"},
    {"async", "steps are taken in order: leave it out"},
    {"await", "steps are taken in order: leave it out"},
    {"yield", "a sequence of values is a list `[e for x in xs]`, or `scan`"},
    {"f", "every string may have holes: leave the `f` out"},
    {"r", "a path is written with `/`: leave the `r` out"},
    {"b", "a string is text: leave the `b` out"}};

/* A word that is found where an operator could stand. */
static const Habit found_here[] = {
    {"is", "`==` compares"},
    {"then", "a body stands in `{ ... }`"},
    {"do", "a body stands in `{ ... }`"},
    {"begin", "a body stands in `{ ... }`"},
    {"where", "a condition is `if c { a } else { b }`, or `where(c, a, b)`"},
    {"mod", "a remainder is `a % b`"},
    {"div", "whole numbers are divided by `a // b`"},
    {"xor", "of two bools it is `xor(a, b)`"},
    {"end", "a block ends with `}`"},
    {"as", "only an `import` has `as`"}};

static bool is_type_word(const Source *s, uint32_t at, const char **ours);
static Span word_before(const Source *s, uint32_t at);

static const char *habit(Tree *t, const Expected *e, const Token *found) {
  const Reader *r = t->r;
  const Source *s = r->source;
  uint32_t n = e->at.end - e->at.first;
  if (found->kind == T_ID || found->kind == T_SBEGIN || found->kind == T_INT)
    for (size_t k = 0; k < sizeof before_found / sizeof *before_found; k++) {
      bool glued = strlen(before_found[k].word) == 1;      /* f"..." */
      if (glued ? found->kind == T_SBEGIN && follows_word(s, e->at.first, before_found[k].word)
                : follows_word(s, e->at.first, before_found[k].word))
        return before_found[k].ours;
    }
  const char *type;
  if (found->kind == T_ID && e->operator_ && n == 2 && memcmp(s->text + e->at.first, "as", 2) == 0 &&
      is_type_word(s, e->at.end, &type)) {
    Span w = word_before(s, e->at.first);
    return arena_printf(t->arena, "a number is converted by `%s(%.*s)`", type, w.first < w.end ? (int)(w.end - w.first)
                        : 1, w.first < w.end ? s->text + w.first : "x");
  }
  if (found->kind == T_ID && e->operator_) {
    for (size_t k = 0; k < sizeof found_here / sizeof *found_here; k++)
      if (strlen(found_here[k].word) == n && memcmp(found_here[k].word, s->text + e->at.first, n) == 0)
          return found_here[k].ours;
    uint32_t first = line_first(s, e->at.first);
    for (uint32_t k = first; k + 1 < e->at.first; k++)
      if (s->text[k] == '/' && s->text[k + 1] == '/') return "a comment begins with `#`; `//` divides";
  }
  return NULL;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* What stands just before a byte, blanks and line ends aside. */
static Span word_before(const Source *s, uint32_t at) {
  while (at > 0 && is_blank(s->text[at - 1])) at--;
  Span w = {at, at};
  while (w.first > 0 && in_name(s->text[w.first - 1])) w.first--;
  return w;
}

static char before(const Source *s, uint32_t at) {
  while (at > 0 && is_blank(s->text[at - 1])) at--;
  return at > 0 ? s->text[at - 1] : 0;
}

static char behind(const Source *s, uint32_t at) {
  while (at < s->n && (s->text[at] == ' ' || s->text[at] == '\t')) at++;
  return at < s->n ? s->text[at] : 0;
}

static bool after_number(const Source *s, uint32_t at) {
  Span w = word_before(s, at);
  return w.first < w.end && is_digit(s->text[w.first]);
}

static bool begins_value(int kind) {
  switch (kind) {
  case T_ID: case T_INT: case T_FLOAT: case T_CONST: case T_SBEGIN: case T_FN: return true;
  default: return false;
  }
}

/* `fn f(x) = {`: a block was meant. */
static bool gives_body(const Source *s, uint32_t brace) {
  uint32_t at = brace;
  while (at > 0 && s->text[at - 1] == ' ') at--;
  if (at == 0 || s->text[at - 1] != '=') return false;
  return begins_with(s, brace, "fn") || begins_with(s, brace, "proc");
}

static bool token_is(const Source *s, Span at, const char *word) {
  return at.end - at.first == strlen(word) && !strncmp(s->text + at.first, word, strlen(word));
}

static bool names_field(const Source *s, uint32_t at) {
  while (at < s->n && s->text[at] == ' ') at++;
  return at + 1 < s->n && s->text[at] == '=' && s->text[at + 1] != '=';
}

/* Two values side by side: a call without its parentheses, a comma or an operator that is missing. */
static const char *side_by_side(Tree *t, const Expected *e, int kind) {
  const Reader *r = t->r;
  const Source *s = r->source;
  const Bracket *b = r->bracket.n ? &r->bracket.at[r->bracket.n - 1] : NULL;
  uint32_t first = e->at.first, end = e->at.end;
  Span w = word_before(s, first);
  bool name = w.first < w.end && !is_digit(s->text[w.first]), print = begins_with(s, first, "print");
  bool call = before(s, first) == ')' && kind == T_ID && behind(s, end) == '(';
  if (kind == T_SBEGIN && first && s->text[first - 1] == '"' && !expects(e, "`,`"))
    return "a comment begins with `#`, the documentation of what follows with `##`";
  if (call && !(b && expects(e, "`,`"))) return "layers and functions are joined by `>>`: `dense(2, 8) >> dense(8, 1)`";
  if (b && b->open == '[' && expects(e, "`,`")) return "a `,` stands between two elements: `[1, 2]`";
  if (b && b->open == '{' && expects(e, "`,`")) return "a `,` stands between two fields: `{x = 1, y = 2}`";
  if (!name && b && expects(e, "`,`")) return "a `,` stands between two arguments";
  if (!name) return print && expects(e, "`,`") ? "a `,` stands between two values" : NULL;
  int n = (int)(w.end - w.first), m = end - first > 20 ? 20 : (int)(end - first);
  const char *f = s->text + w.first, *x = kind == T_SBEGIN ? "\"...\"" : s->text + first;
  if (kind == T_SBEGIN) m = 5;
  if (kind == T_FN) x = "fn (x) = ...", m = 12;
  if (e->end_of_line && expects(e, "`=`") && behind(s, end) == '=' && kind == T_ID)
    return arena_printf(t->arena, "a name is made by `let %.*s = ...`, a cell by `var %.*s = ...`", m, x, m, x);
  bool comma = expects(e, "`,`") && (print || b);
  return arena_printf(t->arena, "a call has parentheses: `%.*s(%.*s)`%s", n, f, m, x,
                      comma ? print && !b ? "; a `,` stands between two values" : "; a `,` stands between two arguments"
                            : "");
}

static bool is_type_word(const Source *s, uint32_t at, const char **ours) {
  static const Habit types[] = {{"f32", "f32"}, {"f64", "f64"}, {"i32", "i32"}, {"u8", "u8"}, {"bool", "bool"},
    {"float", "f32"}, {"double", "f64"}, {"int", "i32"}, {"usize", "i32"}, {"i64", "i32"}, {"u32", "i32"},
    {"u64", "i32"}, {"Float32", "f32"}, {"Float64", "f64"}, {"Int", "i32"}};
  while (at < s->n && s->text[at] == ' ') at++;
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    size_t n = strlen(types[k].word);
    if (strncmp(s->text + at, types[k].word, n) != 0 || in_name(s->text[at + n])) continue;
    *ours = types[k].ours;
    return true;
  }
  return false;
}

/* `for i in 0 : n {`: a name or a number, and then the body. */
static bool value_then_brace(const Source *s, uint32_t at) {
  while (at < s->n && s->text[at] == ' ') at++;
  uint32_t first = at;
  while (at < s->n && (in_name(s->text[at]) || is_digit(s->text[at]))) at++;
  return at > first && behind(s, at) == '{';
}

/* `1:3`, `x: float = 3`, `xs.map(...)`: a colon where an operator or a block could stand. */
static const char *colon(Tree *t, const Expected *e) {
  const Source *s = t->r->source;
  uint32_t first = e->at.first, line = line_first(s, first);
  Span w = word_before(s, first);
  bool glued = e->at.end < s->n && !is_blank(s->text[e->at.end]);
  if (glued && s->text[e->at.end] == ':') return "functions have no module in front; of an import it is `name.f(x)`";
  bool range = begins_with(s, first, "for") && value_then_brace(s, e->at.end);
  if (expects(e, "`{`") && !glued && !range)
    return "a body stands in braces, not behind a colon: `for x in xs { ... }`";
  if (!e->operator_) return NULL;
  bool declares = w.first == line + strspn(s->text + line, " ") && w.first < w.end && e->end_of_line;
  size_t rest = strcspn(s->text + e->at.end, "\n");
  int n = (int)(w.end - w.first);
  const char *name = s->text + w.first;
  if (declares && memchr(s->text + e->at.end, '~', rest))
    return arena_printf(t->arena, "a draw is made by `let %.*s: [2] ~ ...`, a parameter by `param %.*s: [2] ~ ...`", n,
                        name, n, name);
  if (declares && memchr(s->text + e->at.end, '=', rest))
    return arena_printf(t->arena, "a name is made by `let %.*s = ...`, with a type by `let %.*s: [2] = ...`", n, name,
                        n, name);
  return "a range is `1..n`, which counts both ends, or `0..<n`; a slice stands in an index: `x[1:3]`";
}

/* What is read by its first name: `let a, b =`, `for i, v in`, `let x` alone. */
static const char *header(const Expected *e, int kind, const Source *s) {
  bool makes = begins_with(s, e->at.first, "let") || begins_with(s, e->at.first, "var");
  if (kind == ',' && expects(e, "`in`"))
    return "two names stand in parentheses: `for (i, x) in enumerate(xs) { ... }`";
  if (kind == ',' && makes && expects(e, "`~`")) return "two names stand in parentheses: `let (a, b) = pair`";
  if (kind == '(' && makes && expects(e, "`~`")) return "a function is `fn f(x) = ...`";
  if (kind == T_EQ && makes && expects(e, "`=`")) return "one `=` gives a name its value, `==` compares";
  if (kind == '[' && expects(e, "`~`")) return "a type stands behind a colon: `param w: [2, 3] ~ glorot_uniform()`";
  if ((kind == T_INT || kind == T_FLOAT || kind == T_SBEGIN) && makes && e->name && !e->expression)
    return "a name stands on the left: `let x = 1`";
  bool owns = begins_with(s, e->at.first, "param") || begins_with(s, e->at.first, "state");
  if ((kind == T_SEP || kind == T_END) && owns && expects(e, "`~`"))
    return "it begins as a value or a draw: `param b: [2] = 0`, `param w: [2] ~ normal(0, 0.1)`";
  if ((kind == T_SEP || kind == T_END) && makes && expects(e, "`~`"))
    return "a name is made with its value: `let x = 1`, a cell with its first one: `var x = 0`";
  return NULL;
}

/* What is written by habit inside an expression, where its operand or operator is expected. */
static const char *of_expression(Tree *t, const Expected *e, const Token *found) {
  const Reader *r = t->r;
  int kind = found->kind;
  const Source *s = r->source;
  const Bracket *b = r->bracket.n ? &r->bracket.at[r->bracket.n - 1] : NULL;
  if (kind == T_ID && expects(e, "`{`") && token_is(s, e->at, "then"))
    return "there is no `then`: `if c { ... } else { ... }`";
  const char *other = habit(t, e, found);
  if (other) return other;
  bool in_list = b && expects(e, "`,`");
  if (kind == T_ID && e->operator_ && !in_list && after_number(s, e->at.first)) return "a product is written with `*`";
  if (expects(e, "`(`") && !e->expression && !e->operator_ && follows_word(s, e->at.first, "fn"))
    return "the arguments of a function stand in parentheses: `fn (x) = e`";
  if (kind == '=' && expects(e, "`in`")) return "a loop is `for i in 1..10 { ... }`";
  if (compares(kind) && e->expression && (follows_word(s, e->at.first, "and") || follows_word(s, e->at.first, "or")))
    return "both sides are conditions: `x > 3 and x < 5`";
  if (kind == '>' && e->expression && before(s, e->at.first) == '>')
    return "`>>`, without a blank in it, joins functions and layers";
  if (kind == T_ARROW && e->operator_)
    return before(s, e->at.first) == ')' ? "layers and functions are joined by `>>`; a function is `fn (x, y) = e`"
                                         : "a function is `fn (x) = e`";
  if (kind == '~' && e->operator_) return "a draw has a name and a shape: `let y: [3] ~ normal(0, 1)`";
  if (kind == T_FOR && e->operator_ && b && b->open == '[')
    return "a bracket has one `for`; a bracket in a bracket makes rows: `[[i * j for j in 1..3] for i in 1..3]`";
  if (kind == T_FOR && e->operator_ && b && b->open == '(')
    return "what a loop makes stands in brackets: `[2 * x for x in xs]`";
  if (kind == T_IF && e->operator_ && b && b->open == '[' && expects(e, "`]`") && !expects(e, "`,`"))
    return "a comprehension takes every element; `filter(fn (x) = x > 1, xs)` keeps those for which it is true";
  if (kind == T_IF && e->operator_) return "a choice is `if c { a } else { b }`";
  if (kind == T_IN && e->operator_) return "whether a value is among others is `any(xs == x)`";
  if (b && b->open == '{' && !b->block && (kind == T_SBEGIN || kind == ':'))
      return "a record is `{name = value}`, and is read by `r.name`";
  bool value = kind == T_INT || kind == T_FLOAT || kind == '[' || kind == '(' || kind == '-';
  if (b && b->open == '{' && !b->block && value)
    return "numbers stand in `[1, 2]`, a tuple is `(a, b)`, a record `{name = value}`";
  return NULL;
}

static const char *hint(Tree *t, const Expected *e, const Token *found) {
  const char *expression = of_expression(t, e, found);
  if (expression) return expression;
  const Reader *r = t->r;
  int kind = found->kind;
  const Source *s = r->source;
  const Bracket *b = r->bracket.n ? &r->bracket.at[r->bracket.n - 1] : NULL;
  const char *named = header(e, kind, s);
  if (named) return named;
  if (kind == T_ICLOSE) return "a hole holds an expression: `\"x is {x}\"`; a brace of the text itself is `{{`";
  if (b && b->open == '{' && !b->block && gives_body(s, b->at.first) && expects(e, "`}`"))
    return "leave out the `=` before the `{`: `= e` gives one expression, `{ ... }` alone is a block";
  if (layout_is_word(found) && e->operator_ && e->end_of_line && !b)
    return "each statement has a line of its own, or a `;` before it";
  if (kind == T_ID && !e->operator_ && expects(e, "`,`") && b && b->open == '(')
    return "a `,` stands between two arguments";
  if (kind == ',' && e->operator_ && !b && after_number(s, e->at.first) && is_digit(s->text[e->at.end]))
    return "the point of a number is a point: `1.5`; a tuple is `(1, 5)`";
  if (kind == ',' && e->operator_ && !b && e->end_of_line)
    return "one name stands before `=`; a tuple is taken apart by `let (a, b) = pair`";
  if (b && b->open == '(' && begins_with(s, e->at.first, "for")) return "a loop is `for i in 0..<n { ... }`";
  if (b && b->open == '(' && kind == '=' && begins_with(s, e->at.first, "print"))
    return "`print a, b` writes its values and ends the line; it takes nothing else";
  if (expects(e, "`{`") && !e->expression && layout_is_word(found))
      return "a body stands in braces: `if c { print x }`";
  if (b && b->open == '{' && !b->block && layout_is_word(found) && gives_body(s, b->at.first))
    return "leave out the `=` before the `{`: `= e` gives one expression, `{ ... }` alone is a block";
  if (b && b->open == '[' && kind == '.') return "all other axes are `..`: `x[.., 0]`";
  if (b && b->open == '{' && !b->block && layout_is_word(found) && names_field(s, e->at.end))
    return "that is a word of the language; a field has another name";
  if (b && b->open == '{' && !b->block && layout_is_word(found))
    return "`{` begins a record here: a block stands only after a header such as `fn f(x)`, `if c` or `for x in xs`";
  if (kind == '=' && e->operator_) return "`==` compares; `=` stands after a name, a member or an element only";
  if (kind == T_ELSE) return "`else` stands after the `}` of an `if`";
  if (kind == '{' && e->operator_ && !expects(e, "`{`"))
    return "a block stands only after a header such as `fn f(x)`, `if c` or `for x in xs`";
  if (kind == T_ID && e->operator_ && e->end_of_line && r->last.value.name) {
    if (strcmp(r->last.value.name, "of") == 0) return "a loop is `for x in xs { ... }`";
  }
  if (kind == ':') return colon(t, e);
  if (begins_with(s, e->at.first, "extern") && (kind == T_FN || expects(e, "`fn`")))
    return "a function of a C library is `extern \"libm.so.6\" fn cbrt(x: f64) -> f64`";
  if (kind == T_FLOORDIV && e->statement) return "a comment begins with `#`; `//` divides";
  if (kind == '(' && expects(e, "a name") && !e->expression && before(s, e->at.first) == '.')
    return "functions of numbers work element by element as they are: leave the point out";
  if (kind == T_SEP && expects(e, "`->`"))
    return "a header goes on where its line ends in `->`, `=`, `{` or an open `(`";
  if ((kind == T_SEP || kind == T_END) && expects(e, "`{`") && !e->expression && !e->name)
    return "a body stands in `{ ... }`";
  if (kind == T_DOTDOT || kind == T_DOTLT) return "a range has both ends: `0..<n`, `1..n`";
  if (begins_value(kind) && e->operator_) return side_by_side(t, e, kind);
  return NULL;
}

/* A word of another language on the same line has been reported. */
static bool foreign_before(const Reader *r, uint32_t at) {
  const Diags *d = r->diags;
  for (uint32_t k = d->diag.n; k-- > 0 && k + 4 > d->diag.n;) {
    const Diag *g = d->diag.at[k];
    if (g->id == E_FOREIGN_WORD && g->source == r->source && g->at.first <= at &&
        line_first(r->source, g->at.first) == line_first(r->source, at))
      return true;
  }
  return false;
}

/* A line that would have gone on from a header that was reported just above: `-> int`, `= x + 1`. */
static bool header_before(const Reader *r, uint32_t at) {
  const Diags *d = r->diags;
  if (!d->diag.n) return false;
  const Diag *g = d->diag.at[d->diag.n - 1];
  if (g->id != E_SYNTAX || g->source != r->source || g->at.first > at || !strstr(g->text, "`->`")) return false;
  uint32_t lines = 0;
  for (uint32_t k = g->at.first; k < at; k++) lines += r->source->text[k] == '\n';
  return lines > 0 && lines < 4;
}

/* `{` where a value stands: a record, though a block was meant. */
static bool in_record(const Reader *r) {
  const Bracket *b = r->bracket.n ? &r->bracket.at[r->bracket.n - 1] : NULL;
  return b && b->open == '{' && !b->block;
}

void mistake(Tree *t, const Expected *e) {
  Reader *r = t->r;
  Token found = r->last;
  const Source *s = r->source;
  Diag *g = NULL;
  int kind = found.kind;
  if (kind == T_ERR || (kind == T_END && r->incomplete && r->end_told)) {
    /* reported where it was found */
  } else if ((compares(kind) && e->operator_ && !e->comparison) ||
             ((kind == T_DOTDOT || kind == T_DOTLT) && e->operator_ && e->comparison)) {
    g = diag_in(r->diags, s, e->at, E_CHAIN);
    if (compares(kind)) diag_hint(r->diags, g, "write `a < b and b < c`");
  } else if (kind == T_SBEGIN && (e->operator_ || expects(e, "the end of the hole")) && r->bracket.n &&
             r->bracket.at[r->bracket.n - 1].open == '"') {
    lex_hole_open(r, r->bracket.at[r->bracket.n - 1].at);
  } else if (kind == T_ID && expects(e, "a string") && begins_with(s, e->at.first, "import")) {
    g = diag_in(r->diags, s, e->at, E_SYNTAX, "a string", found_text(t, e, kind));
    diag_hint(r->diags, g, "functions need no import; a file of your own is `import \"path.nn\" as name`");
  } else if (e->name && !e->expression && begins_with(s, e->at.first, "import")) {
    g = diag_in(r->diags, s, e->at, E_IMPORT_AS, found_text(t, e, kind));
    diag_hint(r->diags, g, "write `import \"path.nn\" as name`");
  } else if ((kind == ':' || kind == '=' || kind == T_SEP) && foreign_before(r, e->at.first)) {
    /* `def f(x):` was told what a function is, `:=` and `=>` what they are here */
  } else if ((kind == T_ARROW || kind == '=') && e->statement && header_before(r, e->at.first)) {
    /* the header that ended too soon was reported */
  } else if (kind == T_NONE && e->expression) {
    g = diag_in(r->diags, s, e->at, E_NONE_PLACE);
    diag_hint(r->diags, g, "`x[:, None]` makes a new axis; a value that is absent is `()`");
  } else if (e->name && !e->expression && !in_record(r) && (found.kind == T_IF || found.kind == T_FOR ||
      found.kind == T_IN || found.kind == T_AND ||
             found.kind == T_OR || found.kind == T_NOT || found.kind == T_CONST || found.kind == T_FN ||
                 found.kind == T_TRAINING ||
             found.kind == T_ELSE || layout_is_word(&found))) {
    g = diag_in(r->diags, s, e->at, E_RESERVED, arena_text(t->arena, s->text + e->at.first, e->at.end - e->at.first));
    diag_hint(r->diags, g, "choose another name: `%.*s_`", (int)(e->at.end - e->at.first), s->text + e->at.first);
  } else {
    g = diag_in(r->diags, s, e->at, E_SYNTAX, expected_text(t, e), found_text(t, e, kind));
    const char *h = hint(t, e, &found);
    if (h) diag_hint(r->diags, g, "%s", h);
  }
  layout_recover(r, &found);
}
