/* repl_back: `:back e`, a step debugger of backpropagation. In: an expression of one number, then commands, a line
 * each. Out: one operation at a time, from the number down to what it depends on: where it stands, what went in and
 * came out, the adjoint that arrives, the local derivative with its numbers, and what leaves to whom.
 *
 * `:back --shares e` shows the same as a tree: what part of an adjoint each operand carries.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/base/locale.h"
#include "tool/repl_inspect.h"

/* A condition on what arrives (g) or on the value (y): `norm(g) > 10`. measure alone: any. */
typedef struct Condition {
  const char *text;
  double (*measure)(const Tensor *t);
  bool of_value, compares;
  char sign[3];
  double than;
} Condition;

typedef struct Stop { const char *text; uint32_t line; Condition condition; } Stop;      /* of a name: text alone */

typedef struct Walk {
  Repl *r;
  Inspect *x;
  NodeId *op;                /* the operations, from the number down */
  uint32_t n, now;           /* now == n: all of them are passed */
  const char *at;            /* the element that was asked for, or NULL */
  VEC(Stop) stops;
  VEC(Condition) watches;
} Walk;

/* ---- measures ---- */

static double largest_of(const Tensor *t) {
  double most = -INFINITY;
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++)
    if (!(tensor_get(t, k) <= most)) most = tensor_get(t, k);
  return most;
}

static double least_of(const Tensor *t) {
  double least = INFINITY;
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++)
    if (!(tensor_get(t, k) >= least)) least = tensor_get(t, k);
  return least;
}

static double mean_of(const Tensor *t) {
  double sum = 0;
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++) sum += tensor_get(t, k) / (double)n;
  return sum;
}

static double share_of(const Tensor *t, bool (*is)(double v)) {
  int64_t n = type_count(&t->type), found = 0;
  for (int64_t k = 0; k < n; k++) found += is(tensor_get(t, k));
  return n ? (double)found / (double)n : 0;
}

static bool is_zero(double v) { return v == 0; }
static bool is_odd(double v) { return !isfinite(v); }
static double zeros_of(const Tensor *t) { return share_of(t, is_zero); }
static double odd_of(const Tensor *t) { return share_of(t, is_odd); }

static const struct { const char *name; double (*of)(const Tensor *t); } measures[] = {
    {"norm", tensor_norm}, {"max", largest_of}, {"min", least_of}, {"mean", mean_of}, {"zeros", zeros_of},
    {"odd", odd_of}};

/* "norm(g)", "max(y) >= 3"; false: it is none. */
static bool read_condition(Arena *a, const char *text, Condition *out) {
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz");
  *out = (Condition){.text = arena_text(a, text, strlen(text))};
  for (size_t k = 0; k < sizeof measures / sizeof *measures; k++)
    if (strlen(measures[k].name) == n && !strncmp(measures[k].name, text, n)) out->measure = measures[k].of;
  const char *p = text + n;
  if (!out->measure || *p++ != '(' || (*p != 'g' && *p != 'y') || p[1] != ')') return false;
  out->of_value = *p == 'y';
  p += 2;
  p += strspn(p, " ");
  if (!*p) return true;
  size_t sign = strspn(p, "<>=!");
  if (!sign || sign > 2) return false;
  memcpy(out->sign, p, sign);
  char *end;
  out->than = c_strtod(p + sign, &end);
  out->compares = true;
  static const char *const signs[] = {"<", ">", "<=", ">=", "==", "!="};
  bool known = false;
  for (size_t k = 0; k < 6; k++) known |= !strcmp(signs[k], out->sign);
  return known && end > p + sign && !end[strspn(end, " ")];
}

static double measured(const Walk *w, const Condition *c, NodeId id) {
  const Tensor *t = c->of_value ? inspect_value(w->x, id) : inspect_adjoint(w->x, id);
  return t ? c->measure(t) : NAN;
}

static bool holds(const Walk *w, const Condition *c, NodeId id) {
  double v = measured(w, c, id);
  switch (c->sign[0]) {
  case '<': return c->sign[1] ? v <= c->than : v < c->than;
  case '>': return c->sign[1] ? v >= c->than : v > c->than;
  case '!': return v != c->than;
  default: return v == c->than;
  }
}

/* ---- an operation ---- */

static uint32_t line_of(const Walk *w, NodeId id) {
  const Place *p = loc_place(w->x->s->diags->sources, inspect_loc(w->x, id));
  uint32_t line = 0, column;
  if (p && p->source) source_position(p->source, p->span.first, &line, &column);
  return line;
}

static uint32_t number_of(const Walk *w, NodeId id) {
  for (uint32_t k = 0; k < w->n; k++)
    if (w->op[k] == id) return k + 1;
  return 0;
}

static const char *whose(const Walk *w, NodeId id) {
  uint32_t number = number_of(w, id);
  if (number) return arena_printf(w->x->a, "op %u, %s", number, formula_forward(w->x, id));
  const char *name = inspect_name(w->x, id);
  return name ? arena_printf(w->x->a, "`%s`", name) : "what is constant";
}

/* The element of t that is looked at: what was asked for, else the one of the largest absolute value in `by`. */
static int64_t looked_at(const Walk *w, const Type *t, const Tensor *by) {
  int64_t k = w->at ? element_of(t, w->at) : -1;
  return k >= 0 ? k : by && type_count(&by->type) ? tensor_largest(by) : 0;
}

static void show_tensor(const Walk *w, const char *what, const Tensor *t, int64_t element) {
  Cli *c = w->r->c;
  out_printf(c, "  %s  %s", what, tensor_brief(w->x->a, t));
  if (t && t->type.rank && element < type_count(&t->type))
    out_printf(c, "  %s %s", element_text(w->x->a, &t->type, element), number_text(w->x->a, tensor_get(t, element)));
  out_text(c, "\n");
}

static void show_operands(const Walk *w, NodeId id, int64_t element) {
  const Node *n = graph_at(w->x->g, id);
  bool point = n->op->flags & OP_POINTWISE;
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *t = inspect_value(w->x, n->in[k]);
    const char *name = formula_operand(w->x, id, k), *text = inspect_name(w->x, n->in[k]);
    bool same = !text || !strcmp(text, name);
    if (is_digit(*name)) continue;                 /* a literal stands in the formula */
    show_tensor(w, arena_printf(w->x->a, "in      %s%s%s", name, same ? "" : " = ", same ? "" : text), t,
                point ? element : looked_at(w, &t->type, t));
  }
}

/* Several users: what each of them gave. */
static void show_arrival(const Walk *w, NodeId id, int64_t element) {
  Inspect *x = w->x;
  Cli *c = w->r->c;
  show_tensor(w, arena_printf(x->a, "arrives %s", formula_adjoint(x, id)), inspect_adjoint(x, id), element);
  uint32_t users = 0;
  for (uint32_t k = 0; k < x->n_passed; k++)
    users += graph_at(x->g, x->passed[k].user)->in[x->passed[k].operand] == id;
  if (users < 2) return;
  out_text(c, "          =");
  const char *plus = "";
  for (uint32_t k = 0; k < x->n_passed; k++) {
    const Passed *p = &x->passed[k];
    if (graph_at(x->g, p->user)->in[p->operand] != id) continue;
    const Tensor *t = inspect_value(x, p->dx);
    out_printf(c, "%s %s of op %u", plus, t ? number_text(x->a, tensor_get(t, element)) : "?", number_of(w, p->user));
    plus = " +";
  }
  out_text(c, "\n");
}

static void show_passed(const Walk *w, const Passed *p, int64_t element) {
  Inspect *x = w->x;
  Cli *c = w->r->c;
  const Node *n = graph_at(x->g, p->user);
  const Tensor *dx = inspect_value(x, p->dx), *g = inspect_adjoint(x, p->user);
  const char *name = formula_operand(x, p->user, p->operand), *to = whose(w, n->in[p->operand]);
  bool point = n->op->flags & OP_POINTWISE;
  int64_t at = point || !dx ? element : looked_at(w, &dx->type, dx);
  Formula f = formula_passed(x, p, at);
  const char *value = number_text(x->a, f.value);
  out_printf(c, "  %s = %s", f.left, f.text);
  if (f.numbers && strcmp(f.numbers, f.text) && strcmp(f.numbers, value)) out_printf(c, " = %s", f.numbers);
  if (strcmp(f.text, value)) out_printf(c, " = %s", value);
  out_text(c, "\n");
  show_tensor(w, arena_printf(x->a, "leaves  dL/d%s", name), dx, at);
  if (f.slope && g && dx) {
    double arrived = tensor_get(g, at), left = tensor_get(dx, at);
    out_printf(c, "          = %s * %s = %s", number_text(x->a, arrived),
               f.value < 0 ? arena_printf(x->a, "(%s)", value) : value, number_text(x->a, left));
    out_printf(c, "  to %s\n", to);
  } else out_printf(c, "          to %s\n", to);
}

static void show_op(const Walk *w) {
  Inspect *x = w->x;
  Cli *c = w->r->c;
  NodeId id = w->op[w->now];
  const Node *n = graph_at(x->g, id);
  const Tensor *g = inspect_adjoint(x, id), *y = inspect_value(x, id);
  int64_t element = looked_at(w, n->type, g);
  out_printf(c, "op %u of %u: %s%s\n", w->now + 1, w->n, formula_forward(x, id),
             n->loc & LOC_ADJOINT ? ", in the gradient of" : "");
  show_place(w->r, x, id);
  show_operands(w, id, element);
  const char *name = inspect_name(x, id);
  show_tensor(w, arena_printf(x->a, "out     %s", name ? name : formula_forward(x, id)), y, element);
  if (g) show_arrival(w, id, element);
  for (uint32_t k = 0; k < x->n_passed; k++)
    if (x->passed[k].user == id) show_passed(w, &x->passed[k], element);
  for (uint32_t k = 0; k < w->watches.n; k++)
    out_printf(c, "  watch   %s: %s\n", w->watches.at[k].text, number_text(x->a, measured(w, &w->watches.at[k], id)));
}

static void show_end(const Walk *w) {
  Inspect *x = w->x;
  out_text(w->r->c, "the end: what it depends on has its gradient\n");
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    const Tensor *t = inspect_adjoint(x, x->leaf.at[k].node);
    out_printf(w->r->c, "  %-12s %s\n", x->leaf.at[k].path,
               t ? tensor_brief(x->a, t) : "none: nothing that it depends on arrives here");
  }
}

static void show_now(const Walk *w) {
  if (w->now < w->n) show_op(w);
  else show_end(w);
}

/* ---- commands ---- */

static bool stops_here(const Walk *w, uint32_t k) {
  for (uint32_t j = 0; j < w->stops.n; j++) {
    const Stop *s = &w->stops.at[j];
    NodeId id = w->op[k];
    const char *name = inspect_name(w->x, id);
    if (s->condition.measure ? holds(w, &s->condition, id)
        : s->line            ? s->line == line_of(w, id) && (k == 0 || line_of(w, w->op[k - 1]) != s->line)
                             : !strcmp(s->text, inspect_op(w->x, id)) || (name && !strcmp(s->text, name)))
      return true;
  }
  return false;
}

static void go_on(Walk *w) {
  if (w->now < w->n) w->now++;
  while (w->now < w->n && !stops_here(w, w->now)) {
    NodeId id = w->op[w->now];
    for (uint32_t k = 0; k < w->watches.n; k++)
      if (w->watches.at[k].compares && holds(w, &w->watches.at[k], id))
        out_printf(w->r->c, "  watch   op %u, %s: %s is %s\n", w->now + 1, formula_forward(w->x, id),
                   w->watches.at[k].text, number_text(w->x->a, measured(w, &w->watches.at[k], id)));
    w->now++;
  }
}

/* To the next operation of another place of the user's text. */
static void next_place(Walk *w) {
  Loc from = w->now < w->n ? inspect_loc(w->x, w->op[w->now]) : 0;
  do
    if (w->now < w->n) w->now++;
  while (w->now < w->n && inspect_loc(w->x, w->op[w->now]) == from);
}

static void refuse_line(const Walk *w, const char *fmt, const char *what) {
  Text t = {.arena = w->x->a};
  text_printf(&t, fmt, what);
  err_printf(w->r->c, "entry %d: %s\n", w->r->entry, t.at);
}

static bool to_line(Walk *w, const char *rest) {
  uint32_t line = (uint32_t)strtoul(rest, NULL, 10);
  for (uint32_t k = 0; line && k < w->n; k++)
    if (line_of(w, w->op[k]) == line) {
      w->now = k;
      return true;
    }
  refuse_line(w, "no operation of this stands in line %s", *rest ? rest : "?");
  return false;
}

static void add_stop(Walk *w, const char *rest) {
  Arena *a = w->x->a;
  Stop s = {.text = arena_text(a, rest, strlen(rest))};
  if (!*rest) {
    for (uint32_t k = 0; k < w->stops.n; k++) out_printf(w->r->c, "break %s\n", w->stops.at[k].text);
    if (!w->stops.n) out_text(w->r->c, "no breaks; `break 12`, `break tanh`, `break norm(g) > 10` sets one\n");
    return;
  }
  bool found = false;
  if (strchr(rest, '(') && read_condition(a, rest, &s.condition) && s.condition.compares) found = true;
  else if (is_digit(*rest)) {
    s.line = (uint32_t)strtoul(rest, NULL, 10);
    for (uint32_t k = 0; k < w->n; k++) found |= line_of(w, w->op[k]) == s.line;
  } else
    for (uint32_t k = 0; k < w->n; k++) {
      const char *name = inspect_name(w->x, w->op[k]);
      found |= !strcmp(rest, inspect_op(w->x, w->op[k])) || (name && !strcmp(rest, name));
    }
  if (found) vec_push(a, &w->stops, s);
  else refuse_line(w, "`%s` is no line, operation, name or condition of this, as `norm(g) > 10`", rest);
}

static void add_watch(Walk *w, const char *rest) {
  Condition c;
  if (read_condition(w->x->a, rest, &c)) vec_push(w->x->a, &w->watches, c);
  else refuse_line(w, "`%s` is nothing to watch: norm, max, min, mean, zeros or odd of g (what arrives) or y", rest);
}

/* The way from the number to here, by the largest part of what arrives. */
static void show_way(const Walk *w) {
  Inspect *x = w->x;
  VEC(NodeId) way = {0};
  NodeId id = w->now < w->n ? w->op[w->now] : x->y;
  for (;;) {
    vec_push(x->a, &way, id);
    const Passed *best = NULL;
    double most = -1;
    for (uint32_t k = 0; k < x->n_passed; k++) {
      const Passed *p = &x->passed[k];
      const Tensor *t = graph_at(x->g, p->user)->in[p->operand] == id ? inspect_value(x, p->dx) : NULL;
      if (t && !(tensor_norm(t) <= most)) best = p, most = tensor_norm(t);
    }
    if (!best) break;
    id = best->user;
  }
  for (uint32_t k = way.n; k-- > 0;) {
    const Tensor *g = inspect_adjoint(x, way.at[k]);
    out_printf(w->r->c, "%s op %u  %-24s line %-4u |g| %s\n", k ? " " : ">", number_of(w, way.at[k]),
               formula_forward(x, way.at[k]), line_of(w, way.at[k]), g ? number_text(x->a, tensor_norm(g)) : "?");
  }
}

/* `at 3, 0`; `at` alone goes back to the largest. False: no tensor of this operation has it. */
static bool look_at(Walk *w, const char *rest) {
  const Inspect *x = w->x;
  if (!*rest || w->now == w->n) {
    w->at = *rest ? arena_text(x->a, rest, strlen(rest)) : NULL;
    return true;
  }
  const Node *n = graph_at(x->g, w->op[w->now]);
  bool fits = n->type->rank && element_of(n->type, rest) >= 0;
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Type *t = graph_at(x->g, n->in[k])->type;
    fits |= t->rank && element_of(t, rest) >= 0;
  }
  if (fits) w->at = arena_text(x->a, rest, strlen(rest));
  else refuse_line(w, "no tensor of this operation has an element `%s`", rest);
  return fits;
}

typedef enum {
  DO_STEP, DO_NEXT, DO_BACK, DO_CONTINUE, DO_BREAK, DO_WATCH, DO_WHERE, DO_AT, DO_LINE, DO_HELP, DO_QUIT
} Do;
static const char *const commands_of_back[] = {
    "step", "next", "back", "continue", "break", "watch", "where", "at", "line", "help", "quit", NULL};
static const char help_of_back[] =
    "step        the next operation on the way back\n"
    "next        the first of the next expression of your own\n"
    "back        the operation before\n"
    "continue    up to a break, or to the end\n"
    "break X     stop at a line, an operation, a name, or where `norm(g) > 10` holds; alone: the list\n"
    "watch X     show norm, max, min, mean, zeros or odd of g or y with each; a condition also on the way\n"
    "where       the way from the number to here\n"
    "at 3, 0     the element that is shown; alone: the largest\n"
    "line N      to the first operation of a line\n"
    "quit        leave\n";

/* A command by its word or its first letter; -1: none. */
static int command_of(const char *word, size_t n) {
  for (int k = 0; commands_of_back[k]; k++)
    if ((n == 1 && k < DO_WHERE && *word == *commands_of_back[k] && k != DO_BREAK) ||
        (n == 1 && *word == 'q' && k == DO_QUIT) ||
        (strlen(commands_of_back[k]) == n && !strncmp(commands_of_back[k], word, n)))
      return k;
  return -1;
}

static void unknown(const Walk *w, const char *line, size_t n) {
  char word[32] = "";
  memcpy(word, line, n < sizeof word ? n : sizeof word - 1);
  const char *near = did_you_mean(word, commands_of_back);
  if (*word == ':')
    refuse_line(w, "%s", "this is the step debugger: `quit` leaves it, then commands have a colon again");
  else if (near) refuse_line(w, arena_printf(w->x->a, "`%s' is no command here; did you mean `%%s'?", word), near);
  else refuse_line(w, "`%s' is no command here: `help` lists them, `quit` leaves", word);
}

/* False: leave. */
static bool obey(Walk *w, const char *line) {
  line += strspn(line, " \t");
  size_t n = strcspn(line, " \t\r");
  if (!n) return true;
  int which = command_of(line, n);            /* of Do, or -1 */
  const char *rest = line + n + strspn(line + n, " \t\r");
  char *words = arena_text(w->x->a, rest, strlen(rest));
  for (size_t end = strlen(words); end && strchr(" \t\r", words[end - 1]); end--) words[end - 1] = 0;
  uint32_t was = w->now;
  switch (which) {
  case DO_STEP: w->now += w->now < w->n; break;
  case DO_NEXT: next_place(w); break;
  case DO_BACK:
    if (w->now) w->now--;
    else refuse_line(w, "%s", "this is the first: nothing is before it");
    break;
  case DO_CONTINUE: go_on(w); break;
  case DO_BREAK: add_stop(w, words); return true;
  case DO_WATCH: add_watch(w, words); return true;
  case DO_WHERE: show_way(w); return true;
  case DO_AT:
    if (look_at(w, words)) show_now(w);
    return true;
  case DO_LINE:
    if (to_line(w, words)) show_now(w);
    return true;
  case DO_HELP: out_text(w->r->c, help_of_back); return true;
  case DO_QUIT: return false;
  default: unknown(w, line, n); return true;
  }
  if (w->now != was) show_now(w);
  else if (which != DO_BACK) refuse_line(w, "%s", "this is the end: `back` goes back, `quit` leaves");
  return true;
}

/* The operations that an adjoint passes through, each once. */
static void find_ops(Walk *w) {
  Inspect *x = w->x;
  w->op = NEW_N(x->a, NodeId, x->n_passed + 1u);
  for (uint32_t k = 0; k < x->n_passed; k++)
    if (!w->n || w->op[w->n - 1] != x->passed[k].user) w->op[w->n++] = x->passed[k].user;
}

static void walk(Repl *r, Inspect *x, void *to) {
  (void)to;
  Walk w = {.r = r, .x = x};
  if (!repl_scalar(r, "back", x)) return;
  find_ops(&w);
  show_now(&w);
  for (;;) {
    const char *line;
    size_t n;
    if (!out_flush(r->c)) return;
    LineResult got = lines_read(r->lines, "back> ", &line, &n);
    if (got == LINE_INTERRUPTED) cli_resume(r->s);
    if (got != LINE_READ) return;
    if (*line) lines_remember(r->lines, line);
    if (!obey(&w, line)) return;
  }
}

/* ---- shares ---- */

static double weight_of(const Inspect *x, const Passed *p) {
  const Tensor *t = inspect_value(x, p->dx);
  double sum = 0;
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++) sum += fabs(tensor_get(t, k));
  return sum;
}

typedef struct Shares { Walk *w; bool *shown; } Shares;

static void share_tree(const Shares *s, NodeId id, int depth, double share) {
  enum { DEEPEST = 60 };
  Inspect *x = s->w->x;
  Cli *c = s->w->r->c;
  const char *name = inspect_name(x, id);
  bool op = number_of(s->w, id) > 0;
  out_printf(c, "%*s%.1f %%  %s", 2 * depth, "", share * 100, op ? formula_forward(x, id) : name ? name : "constant");
  if (op && name && strcmp(name, formula_forward(x, id))) out_printf(c, "  = %s", name);
  const Tensor *g = inspect_adjoint(x, id);
  if (g) out_printf(c, "  |g| %s", number_text(x->a, tensor_norm(g)));
  if (s->shown[id] && op) out_text(c, "  (above)");
  out_text(c, "\n");
  if (s->shown[id] || depth > DEEPEST) return;
  s->shown[id] = true;
  double all = 0;
  for (uint32_t k = 0; k < x->n_passed; k++)
    if (x->passed[k].user == id) all += weight_of(x, &x->passed[k]);
  for (uint32_t k = 0; k < x->n_passed; k++) {
    const Passed *p = &x->passed[k];
    if (p->user == id)
      share_tree(s, graph_at(x->g, id)->in[p->operand], depth + 1, all > 0 ? weight_of(x, p) / all : 0);
  }
}

static void shares(Repl *r, Inspect *x, void *to) {
  (void)to;
  Walk w = {.r = r, .x = x};
  if (!repl_scalar(r, "back", x)) return;
  find_ops(&w);
  Shares s = {&w, NEW_N(x->a, bool, x->g->n + 1u)};
  out_text(r->c, "what share of the adjoint that arrives each operand carries\n");
  share_tree(&s, x->y, 0, 1);
}

bool step_back(Repl *r, const char *rest) {
  static const char flag[] = "--shares";
  bool tree = !strncmp(rest, flag, sizeof flag - 1) && (rest[sizeof flag - 1] == ' ' || !rest[sizeof flag - 1]);
  if (tree) rest += sizeof flag - 1, rest += strspn(rest, " ");
  repl_inspect(r, "back", rest, INSPECT_THEN, tree ? shares : walk, NULL);
  return true;
}
