/* grammar: random programs of the language, with plausible names, types and shapes, some of them broken on purpose,
 * each through the whole pipeline fused and unfused (script_run.h says what must hold). Programs run in batches, a
 * process each, so that a crash costs one program: it is printed and counted, and the batch goes on behind it.
 *   tests/fuzz/grammar [N [FIRST_SEED]]     N programs; the status is 1 if any crashed, hung or leaked
 *   tests/fuzz/grammar --print SEED         one program
 *   tests/fuzz/grammar --one SEED           runs it, in this process
 * Every fourth seed is run as tests are, every fourth line by line as in a REPL. FUZZ_TEXTS="FILE..." mixes lines of
 * files in.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "script_run.h"

enum { BATCH = 250, MOST_NAMES = 48, MOST_TEXT = 1 << 15, DEPTH = 4 };

/* ---- numbers and text ---- */
static uint64_t state;
static uint32_t below(uint32_t n) {                 /* splitmix64 */
  state += 0x9e3779b97f4a7c15u;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ z >> 31) >> 16) % n;
}
static bool one_in(uint32_t n) { return below(n) == 0; }
#define PICK(list) ((list)[below((uint32_t)(sizeof(list) / sizeof *(list)))])

static char text[MOST_TEXT];
static size_t n_text;
static int indent;

static void put(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text + n_text, MOST_TEXT - n_text, fmt, ap);
  va_end(ap);
  n_text += (size_t)n < MOST_TEXT - n_text ? (size_t)n : 0;
}
static void line(void) { put("\n%*s", 2 * indent, ""); }

/* ---- what is in scope ---- */
typedef struct Shape { int rank, dim[3]; } Shape;
typedef enum { TENSOR, CELL, INT, LIST, TUPLE, RECORD, FUNCTION, PROC, NET, OPTIMIZER, STRING, SERIES, KINDS } Kind;
typedef struct Name { char at[32]; Kind kind; Shape shape; int n_in, n_out; } Name;
static Name names[MOST_NAMES];
static int n_names, serial;
static bool in_formula;

static const int sizes[] = {1, 2, 3, 4};
static Shape any_shape(void) {
  Shape s = {.rank = (int)below(3) + one_in(8)};
  for (int k = 0; k < s.rank; k++) s.dim[k] = PICK(sizes);
  return s;
}
static bool same(const Shape *a, const Shape *b) {
  if (a->rank != b->rank) return false;
  for (int k = 0; k < a->rank; k++)
    if (a->dim[k] != b->dim[k]) return false;
  return true;
}

static int new_number(void) { return one_in(12) ? serial : ++serial; }     /* now and then one that is taken */

static Name *name_add(Kind kind, const Shape *shape, const char *stem, int k) {
  static Name spare;
  Name *m = n_names < MOST_NAMES ? &names[n_names++] : &spare;
  *m = (Name){.kind = kind};
  if (shape) m->shape = *shape;
  snprintf(m->at, sizeof m->at, "%s%d", stem, k);
  return m;
}

static const Name *find(Kind kind, const Shape *shape) {
  const Name *found = NULL;
  uint32_t n = 0;
  for (int k = 0; k < n_names; k++) {
    const Name *m = &names[k];
    if (m->kind == kind && (!shape || same(&m->shape, shape)) && one_in(++n)) found = m;
  }
  return found;
}

/* ---- expressions ---- */
static void tensor(const Shape *s, int depth);
static void boolean(const Shape *s, int depth);
static void number(void) {
  static const char *const some[] = {"0",  "1",     "2",   "3",  "0.5", "1.5", "1e-3",
                                     "-1", "-0.25", "2.0", "pi", "0.1", "10",  "100"};
  put("%s", one_in(40) ? PICK(((const char *const[]){"1e308", "inf", "nan", "0x7f", "1_000", "-0.0", "2147483647",
                                                     "9223372036854775807"}))
                       : PICK(some));
}

static void integer(int depth) {
  const Name *m = find(INT, NULL);
  if (m && one_in(2)) put("%s", m->at);
  else if (depth > 0 && one_in(3)) {
    static const char *const op[] = {"+", "-", "*", "//", "%"};
    integer(depth - 1);
    put(" %s ", PICK(op));
    integer(depth - 1);
  } else if ((m = find(LIST, NULL)) && one_in(4)) put("len(%s)", m->at);
  else if ((m = find(TENSOR, NULL)) && one_in(4)) put("size(%s, 0)", m->at);
  else put("%u", below(5));
}

static void dims(const Shape *s) {
  put("[");
  for (int k = 0; k < s->rank; k++) put("%s%d", k ? ", " : "", s->dim[k]);
  put("]");
}

static void literal(const Shape *s, int axis) {
  if (axis == s->rank) {
    number();
    return;
  }
  put("[");
  for (int k = 0; k < s->dim[axis]; k++) {
    if (k) put(", ");
    literal(s, axis + 1);
  }
  put("]");
}

static const char *unary(void) {
  static const char *const f[] = {"tanh",          "exp",   "sigmoid", "relu",     "abs",      "square", "sin",
                                  "cos",           "sqrt",  "log",     "softplus", "identity", "gelu",   "neg",
                                  "round",         "log1p", "sign",    "floor",    "erf",      "silu",   "f32",
                                  "stop_gradient", "elu",   "atan",    "recip"};
  return PICK(f);
}

/* Anything at all: the wrong kind, the wrong shape, nonsense. */
static void wild(int depth) {
  Shape s = any_shape();
  const Name *m = n_names ? &names[below((uint32_t)n_names)] : NULL;
  switch (below(14)) {
  case 0: put("undefined"); break;
  case 1: put("\"text {1 + 1:.2} {{}}\""); break;
  case 2: put("()"); break;
  case 3: put("{a = 1, b = "); tensor(&s, 0); put("}"); break;
  case 4: if (m) put("%s", m->at); else put("[]"); break;
  case 5: if (m) put("%s.w", m->at); else put("1"); break;
  case 6: if (m) put("%s(_, 1)", m->at); else put("_"); break;
  case 7: if (m) put("grad(%s)", m->at); else put("grad(sin)"); break;
  case 8: put("f%u(", below(9)); tensor(&s, 0); put(")"); break;
  case 9: put("[1, [2, 3]]"); break;
  case 10: if (m) put("%s[%d:%d, ..]", m->at, (int)below(5) - 2, (int)below(5)); else put("[1][3]"); break;
  case 11: put("None"); break;
  case 12: if (m) put("%s'", m->at); else put("1'"); break;
  default: tensor(&s, depth > 0 ? depth - 1 : 0);
  }
}

static void scalar_of(int depth) {
  static const char *const f[] = {"sum", "mean", "max", "min", "prod", "norm", "variance", "std", "logsumexp"};
  Shape s = any_shape();
  put("%s(", PICK(f));
  tensor(&s, depth);
  put(")");
}

static void tensor(const Shape *s, int depth) {
  if (one_in(70)) {
    wild(depth);
    return;
  }
  const Name *m;
  if (depth <= 0 || one_in(5)) {
    m = find(one_in(2) ? TENSOR : CELL, s);
    if (m && !one_in(5)) put("%s", m->at);
    else if (one_in(4)) { put("full("); dims(s); put(", "); number(); put(")"); }
    else if (one_in(12)) { put("normal("); dims(s); put(")"); }
    else literal(s, 0);
    return;
  }
  Shape t;
  switch (below(24)) {
  case 0: case 1: case 2: case 3: {
    static const char *const op[] = {"+", "-", "*", "/", "+", "*", "//", "%", "^"};
    tensor(s, depth - 1);
    put(" %s ", PICK(op));
    if (one_in(3)) number(); else { put("("); tensor(s, depth - 1); put(")"); }
    return;
  }
  case 4: case 5: put("%s(", unary()); tensor(s, depth - 1); put(")"); return;
  case 6: put("-"); put("("); tensor(s, depth - 1); put(")"); return;
  case 7:
    if (s->rank < 2) break;
    t = *s;
    t.dim[s->rank - 1] = PICK(sizes);
    put("("); tensor(&t, depth - 1); put(") @ (");
    t = (Shape){.rank = 2, .dim = {t.dim[s->rank - 1], s->dim[s->rank - 1]}};
    tensor(&t, depth - 1); put(")");
    return;
  case 8:
    t = *s;
    if (t.rank >= 3) break;
    t.rank++;
    t.dim[t.rank - 1] = PICK(sizes);
    put("%s(", PICK(((const char *const[]){"sum", "mean", "max", "min"})));
    tensor(&t, depth - 1);
    put(", axis = %s)", one_in(2) ? "-1" : (char[]){(char)('0' + s->rank), 0});
    return;
  case 9:
    put("where(");
    boolean(s, depth - 1);
    put(", ");
    tensor(s, depth - 1);
    put(", ");
    tensor(s, depth - 1);
    put(")");
    return;
  case 10:
    put("if "); t = (Shape){0}; if (one_in(2)) boolean(&t, 0); else put("%s", one_in(2) ? "true" : "false");
    put(" { "); tensor(s, depth - 1); put(" } else { "); tensor(s, depth - 1); put(" }");
    return;
  case 11:
    if (s->rank != 2) break;
    t = (Shape){.rank = 2, .dim = {s->dim[1], s->dim[0]}};
    put("("); tensor(&t, depth - 1); put(")'");
    return;
  case 12: tensor(s, depth - 1); put(" |> %s", unary()); return;
  case 13:
    m = find(FUNCTION, s);
    if (!m) break;
    put("%s(", m->at); tensor(s, depth - 1); put(")");
    return;
  case 14:
    m = find(NET, NULL);
    if (!m || s->rank != 2 || m->n_out != s->dim[1]) break;
    t = (Shape){.rank = 2, .dim = {s->dim[0], m->n_in}};
    put("%s(", m->at); tensor(&t, depth - 1); put(")");
    return;
  case 15:
    t = *s;
    if (t.rank < 1) break;
    t.dim[0] += 1 + (int)below(2);
    put("("); tensor(&t, depth - 1);
    if (one_in(2)) put(")[:%d]", s->dim[0]); else put(")[%d:]", t.dim[0] - s->dim[0]);
    return;
  case 16:
    if (s->rank >= 3) break;
    t = (Shape){.rank = s->rank + 1, .dim = {PICK(sizes)}};
    for (int k = 0; k < s->rank; k++) t.dim[k + 1] = s->dim[k];
    put("("); tensor(&t, depth - 1); put(")[%s%u]", one_in(3) ? "-" : "", one_in(3) ? 1u : 0u);
    return;
  case 17:
    m = find(one_in(2) ? CELL : TENSOR, s);
    if (!m) break;
    put("grad("); t = (Shape){0}; put("sum("); tensor(s, depth - 1); put(" * %s), %s)", m->at, m->at);
    return;
  case 18:
    put("grad(fn (a) = sum(%s(a%s)))(", unary(), one_in(2) ? " * a" : ""); tensor(s, depth - 1); put(")");
    return;
  case 19:
    if (s->rank < 1 || s->dim[0] < 2) break;
    t = *s;
    t.dim[0] -= 1;
    put("concat(("); tensor(&t, depth - 1); put(", "); t.dim[0] = 1; tensor(&t, depth - 1); put("), axis = 0)");
    return;
  case 20:
    if (s->rank < 1) break;
    t = *s;
    t.rank--;
    for (int k = 0; k < t.rank; k++) t.dim[k] = s->dim[k + 1];
    put("[");
    tensor(&t, depth - 1);
    put(" for q in %s%d]", one_in(2) ? "0..<" : "1..", s->dim[0]);
    return;
  case 21:
    if (s->rank >= 3) break;
    t = (Shape){.rank = s->rank + 1, .dim = {PICK(sizes)}};
    for (int k = 0; k < s->rank; k++) t.dim[k + 1] = s->dim[k];
    put("fold(fn (a, b) = a * 0.5 + b, "); tensor(s, 0); put(", "); tensor(&t, depth - 1); put(")");
    return;
  case 22:
    if (s->rank != 2) break;
    t = *s;
    put("einsum(\"i j, j k -> i k\", "); t.dim[1] = PICK(sizes); tensor(&t, depth - 1); put(", ");
    t = (Shape){.rank = 2, .dim = {t.dim[1], s->dim[1]}}; tensor(&t, depth - 1); put(")");
    return;
  default:
    if (s->rank == 0) { scalar_of(depth - 1); return; }
    t = (Shape){.rank = 1, .dim = {1}};
    for (int k = 0; k < s->rank; k++) t.dim[0] *= s->dim[k];
    put("reshape("); tensor(&t, depth - 1); put(", "); dims(s); put(")");
    return;
  }
  put("("); tensor(s, depth - 1); put(")");
}

static void boolean(const Shape *s, int depth) {
  static const char *const op[] = {"<", ">", "<=", ">=", "==", "!="};
  if (depth > 0 && one_in(4)) {
    put(one_in(3) ? "not (" : "(");
    boolean(s, depth - 1);
    put(") %s (", one_in(2) ? "and" : "or");
    boolean(s, depth - 1);
    put(")");
    return;
  }
  put("("); tensor(s, depth - 1); put(") %s ", PICK(op)); number();
}

/* ---- statements ---- */
static void statement(int depth);
static void block(int depth, uint32_t most) {
  int saved = n_names;
  put(" {");
  indent++;
  for (uint32_t k = below(most) + 1; k-- > 0;) {
    line();
    statement(depth - 1);
  }
  indent--;
  line();
  put("}");
  n_names = saved;
}

static void type_of(const Shape *s) {
  static const char *const mark[] = {"", "", "", "f32", "f64", "i32"};
  put(": %s", PICK(mark));
  dims(s);
}

static void define_fn(int depth) {
  Shape s = any_shape();
  int saved = n_names;
  int k = new_number();
  put("fn f%d(a", k);
  if (one_in(2)) { put(": "); if (one_in(3)) put("[..S]"); else dims(&s); }
  if (one_in(3)) put(", k = 2");
  put(")");
  if (one_in(3)) { put(" -> "); dims(&s); }
  names[n_names < MOST_NAMES ? n_names++ : n_names - 1] = (Name){.at = "a", .kind = TENSOR, .shape = s};
  bool was = in_formula;
  in_formula = true;
  if (one_in(2)) { put(" = "); tensor(&s, depth); }
  else {
    put(" {");
    indent++;
    for (uint32_t more = below(3); more-- > 0;) { line(); statement(depth - 1); }
    line();
    tensor(&s, depth);
    indent--;
    line();
    put("}");
  }
  in_formula = was;
  n_names = saved;
  name_add(FUNCTION, &s, "f", k);
}

static void define_net(void) {
  int n_in = PICK(sizes), n_out = PICK(sizes), mid = PICK(sizes), k = new_number();
  if (one_in(3)) {
    put("layer L%d(n: int) {\n  param w: [n, %d]%s\n%s  fn (x: [N, n]) -> [N, %d] = %s(x @ w)\n}\n%*s", k, n_out,
        one_in(2) ? " ~ glorot_uniform()" : " = 0.1", one_in(3) ? "  state seen = 0\n" : "", n_out, unary(), 2 * indent,
        "");
    put("let net%d = L%d(%d)", k, k, n_in);
  } else if (one_in(2)) {
    put("let net%d = dense(%d, %d, %s) >> dense(%d, %d)", k, n_in, mid, unary(), mid, n_out);
  } else {
    put("let net%d = dense(%d, %d)", k, n_in, n_out);
  }
  Name *m = name_add(NET, NULL, "net", k);
  m->n_in = n_in;
  m->n_out = n_out;
}

static void statement(int depth) {
  Shape s = any_shape(), zero = {0};
  const Name *m;
  switch (below(in_formula ? 9 : 30)) {
  case 0: case 1: case 2: {
    int k = new_number();
    put("let x%d", k);
    if (one_in(4)) type_of(&s);
    put(" = ");
    tensor(&s, DEPTH);
    name_add(TENSOR, &s, "x", k);
    return;
  }
  case 3: case 4: {
    int k = new_number();
    put("var v%d = ", k);
    tensor(&s, 2);
    name_add(CELL, &s, "v", k);
    return;
  }
  case 5: case 6:
    if (!(m = find(CELL, NULL))) break;
    put("%s %s ", m->at, PICK(((const char *const[]){"=", "+=", "-=", "*=", "="})));
    tensor(&m->shape, DEPTH - 1);
    return;
  case 7:
    if (!(m = find(CELL, NULL)) || m->shape.rank == 0) break;
    put("%s[%d] = ", m->at, (int)below(3) - 1);
    zero = (Shape){.rank = m->shape.rank - 1};
    for (int k = 0; k < zero.rank; k++) zero.dim[k] = m->shape.dim[k + 1];
    tensor(&zero, 1);
    return;
  case 8: {
    int k = new_number();
    put("let n%d = ", k);
    integer(2);
    name_add(INT, NULL, "n", k);
    return;
  }
  case 9: case 10: define_fn(3); return;
  case 11: define_net(); return;
  case 12:
    put("param w%d", ++serial);
    type_of(&s);
    put(one_in(2) ? " = 0.5" : " ~ normal(0, 1)");
    name_add(CELL, &s, "w", serial);
    return;
  case 13: case 14:
    if (depth <= 0) break;
    put("for i%d in %s", ++serial, one_in(2) ? "1..3" : one_in(2) ? "[1, 2]" : "0..<2");
    block(depth, 3);
    return;
  case 15:
    if (depth <= 0) break;
    put("if ");
    if (one_in(3)) put("%s", one_in(2) ? "true" : "false"); else boolean(&zero, 1);
    block(depth, 2);
    if (one_in(2)) { put(" else"); block(depth, 2); }
    return;
  case 16: {
    if (depth <= 0) break;
    int k = ++serial;
    put("var k%d = 0", k);
    line();
    put("while k%d < %u {", k, below(4));
    indent++;
    line();
    statement(depth - 1);
    line();
    if (one_in(6)) { put("%s", one_in(2) ? "break" : "continue"); line(); }
    put("k%d += 1", k);
    indent--;
    line();
    put("}");
    return;
  }
  case 17: case 18: case 19:
    put("print ");
    if (one_in(3)) { put("\"it is {"); tensor(&s, 1); put("%s}\", ", one_in(2) ? ":.3" : ""); }
    tensor(&s, 2);
    return;
  case 20: put("assert "); boolean(&zero, 1); if (one_in(2)) put(" or true"); return;
  case 21: {
    if (!(m = find(NET, NULL))) break;
    static const char *const rule[] = {"sgd", "adam", "sgd", "rmsprop", "adamw"};
    int k = ++serial, rows = PICK(sizes);
    Name net = *m;
    put("let opt%d = %s(%s, lr = %s)", k, PICK(rule), net.at, one_in(2) ? "0.1" : "fn (t) = 0.1 / t");
    line();
    put("for step in 1..%u {", 1 + below(3));
    indent++;
    line();
    put("let l = %s(%s(", PICK(((const char *const[]){"mean", "sum", "max"})), net.at);
    s = (Shape){.rank = 2, .dim = {rows, net.n_in}};
    tensor(&s, 1);
    put(") - ");
    if (one_in(2)) number(); else { s.dim[1] = net.n_out; literal(&s, 0); }
    put(")");
    line();
    put("opt%d.step(l)", k);
    line();
    if (one_in(2)) put("print l");
    indent--;
    line();
    put("}");
    return;
  }
  case 22: if (depth <= 0) break; put("test \"%d\"", ++serial); block(depth, 2); return;
  case 23: {
    int k = ++serial;
    put("let (a%d, b%d) = (", k, k);
    tensor(&s, 1); put(", "); tensor(&zero, 1); put(")");
    name_add(TENSOR, &s, "a", k);
    return;
  }
  case 24: {
    int k = ++serial;
    put("let r%d = {a = ", k); tensor(&s, 1); put(", b = "); tensor(&zero, 1); put("}");
    line();
    put("let x%d = r%d.%s", k, k, one_in(5) ? "c" : "a");
    name_add(TENSOR, &s, "x", k);
    return;
  }
  case 25: {
    int k = ++serial;
    put("let xs%d = [", k);
    if (one_in(2)) put("q * 2 for q in [1, 2, 3]"); else put("\"a\", \"b\"");
    put("]");
    name_add(LIST, NULL, "xs", k);
    return;
  }
  case 26: {
    if (depth <= 0) break;
    int k = ++serial;
    bool was = in_formula;
    put("proc p%d(a, b = 1)", k);
    int saved = n_names;
    names[n_names < MOST_NAMES ? n_names++ : n_names - 1] = (Name){.at = "a", .kind = TENSOR, .shape = s};
    block(depth, 3);
    n_names = saved;
    in_formula = was;
    line();
    put("p%d(", k); tensor(&s, 1); put(")");
    return;
  }
  case 27:
    put("let x%d = training { ", ++serial);
    tensor(&s, 2);
    put(" }");
    name_add(TENSOR, &s, "x", serial);
    return;
  case 28:
    if (!(m = find(NET, NULL))) break;
    s = (Shape){.rank = 2, .dim = {2, m->n_in}};
    switch (below(4)) {
    case 0: put("%s -= 0.1 * grad(sum(%s(", m->at, m->at); tensor(&s, 1); put(")), %s)", m->at); return;
    case 1: put("print (%s * 0.5)(", m->at); tensor(&s, 1); put(")"); return;
    case 2: put("let c%d = copy(%s)", ++serial, m->at); return;
    default: put("print vmap(fn (row) = sum(row * row))("); tensor(&s, 1); put(")"); return;
    }
  default:
    if (one_in(3)) { put("seed(%u)", below(9)); return; }
    if (one_in(2)) {
      put("let x%d", ++serial);
      type_of(&s);
      put(" ~ %s", one_in(2) ? "normal(0, 1)" : "uniform(-1, 1)");
      name_add(TENSOR, &s, "x", serial);
      return;
    }
    put("let s%d = \"n {", ++serial); integer(1); put("}\"");
    return;
  }
  put("let x%d = ", ++serial);
  tensor(&s, 2);
  name_add(TENSOR, &s, "x", serial);
}

/* ---- breaking what was right ---- */
/* Files whose lines are taken too: named by $FUZZ_TEXTS. */
enum { MOST_FILES = 2000 };
static struct { char *at; size_t n; } file[MOST_FILES];
static uint32_t n_files;

static void read_files(void) {
  const char *list = getenv("FUZZ_TEXTS");
  char path[512];
  for (int n; list && sscanf(list, " %511s%n", path, &n) == 1 && n_files < MOST_FILES; list += n) {
    FILE *f = fopen(path, "rb");
    char *at = malloc(MOST_TEXT);
    if (!f || !at) exit(2);
    file[n_files].n = fread(at, 1, MOST_TEXT / 2, f);
    file[n_files++].at = at;
    fclose(f);
  }
}

static void splice(size_t at, size_t gone, const char *with, size_t n) {
  if (at + gone > n_text || n_text - gone + n >= MOST_TEXT) return;
  memmove(text + at + n, text + at + gone, n_text - at - gone);
  memcpy(text + at, with, n);
  n_text = n_text - gone + n;
}

static void mutate(void) {
  static const char *const piece[] = {
      "(",      ")",      "[",        "]",         "{",       "}",     ",",      "=",     ":",
      "..",     "->",     "\"",       "fn ",       "if ",     "for ",  "in ",    "let ",  "var ",
      " else ", "@",      "^",        "-",         "'",       "_",     "None",   "1e999", "99999999999999999999",
      "\\u{",   "\xff",   "\xc3\xa9", "\n",        ";",       "#",     "##",     "grad(", "param ",
      "layer ", "|> ",    ">> ",      "training ", "import ", "test ", "while ", "true",  "not ",
      "{x:.2}", "known(", "[..S]",    "~ ",        ".w",      "0..<",  "\t",     "\r\n",  "\0"};
  for (uint32_t k = 1 + below(3); k-- > 0 && n_text > 4;) {
    size_t at = below((uint32_t)n_text), span = 1 + below(one_in(4) ? 40 : 6);
    if (at + span > n_text) span = n_text - at;
    char copy[64];
    switch (below(4)) {
    case 0: splice(at, span, "", 0); break;
    case 1: {
      const char *p = PICK(piece);
      splice(at, one_in(2) ? 1 : 0, p, *p ? strlen(p) : 1);
      break;
    }
    case 2:
      memcpy(copy, text + at, span);
      splice(below((uint32_t)n_text), 0, copy, span);
      break;
    default: text[at] = (char)(one_in(3) ? below(256) : 32 + below(95));
    }
  }
}

/* A whole file, or some lines of one behind what is there. */
static void take_file(bool whole) {
  uint32_t k = below(n_files);
  size_t first = 0, n = file[k].n;
  if (!whole && n > 2) {
    first = below((uint32_t)n);
    while (first > 0 && file[k].at[first - 1] != '\n') first--;
    if (n - first > 400) n = first + 400;
    while (n < file[k].n && file[k].at[n - 1] != '\n') n++;
    n -= first;
  }
  if (n_text + n < MOST_TEXT) {
    memcpy(text + n_text, file[k].at + first, n);
    n_text += n;
  }
}

static void generate(uint64_t seed) {
  state = seed * 0x2545f4914f6cdd1du + 1;
  n_text = 0;
  n_names = serial = indent = 0;
  in_formula = false;
  if (n_files && one_in(3)) {
    take_file(true);
    if (one_in(3)) take_file(false);
    mutate();
    return;
  }
  for (uint32_t k = 2 + below(9); k-- > 0;) {
    statement(3);
    put("\n");
    if (n_files && one_in(12)) take_file(false);
  }
  if (one_in(4)) mutate();
}

/* ---- runs ---- */
typedef struct Shared { volatile uint64_t at, good; } Shared;    /* between a batch and who counts */
static Shared *shared;

static void run(uint64_t seed) {
  static Outcome fused, plain;
  generate(seed);
  if (!script_is_tame(text, n_text)) return;
  if (seed % 4 > 1) {
    script_run(text, n_text, seed % 4 == 2 ? LOAD_TEST : LOAD_REPL, false, &fused);
    if (fused.status == STATUS_OK) shared->good++;
    return;
  }
  script_run(text, n_text, LOAD_RUN, false, &fused);
  script_run(text, n_text, LOAD_RUN, true, &plain);
  if (!fused.cut && !plain.cut &&
      (fused.status != plain.status || fused.n != plain.n || memcmp(fused.out, plain.out, plain.n) != 0))
    wrong("--no-fuse gives another result", text, n_text);
  if (fused.status == STATUS_OK) shared->good++;
}

int main(int argc, char **argv) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 2;
  read_files();
  if (argc == 3 && argv[1][0] == '-') {
    generate(strtoull(argv[2], NULL, 10));
    fwrite(text, 1, n_text, stdout);
    fflush(stdout);
    if (strcmp(argv[1], "--one") == 0) {
      script_enter();
      run(strtoull(argv[2], NULL, 10));
    }
    return 0;
  }
  uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000, seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1,
           end = seed + n;
  unsigned bad = 0;
  while (seed < end) {
    uint64_t stop = seed + BATCH < end ? seed + BATCH : end;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return 2;
    if (child == 0) {
      script_enter();
      for (uint64_t k = seed; k < stop; k++) {
        shared->at = k;
        run(k);
      }
      script_leave();
      exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0) return 2;
    if (status == 0) {
      seed = stop;
      continue;
    }
    bad++;
    printf("seed %llu: %s %d\n", (unsigned long long)shared->at, WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    generate(shared->at);
    printf("---- begins\n%.*s\n---- ends\n", (int)n_text, text);
    fflush(stdout);
    seed = shared->at + 1;
  }
  printf("%llu programs, %llu ran to their end, %u wrong\n", (unsigned long long)n, (unsigned long long)shared->good,
         bad);
  return bad != 0;
}
