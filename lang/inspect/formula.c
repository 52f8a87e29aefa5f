/* formula: see formula.h. Of a pointwise operation its rule is applied to one element, in a graph of scalars, with an
 * adjoint of 1: what comes out is the local derivative, and each of its parts has a number. Of others the nodes that
 * the rule made are written down, between the adjoint g and the operands.
 */
#include "inspect/formula.h"
#include <math.h>
#include <string.h>
#include "runtime/exec/run.h"

/* How tight a text binds: what stands inside of a tighter one is put in brackets. */
typedef enum { LOOSE, SUM, PRODUCT, SIGN, POWER, ATOM } Tight;
typedef struct Term { const char *text; Tight tight; } Term;

typedef struct Writer {
  Arena *a;
  const Graph *g;
  Tensor *const *value;      /* numbers are written: by node */
  const NodeId *named;       /* these are written as they are called */
  const Term *name;
  uint32_t n_named;
  NodeId one;                /* the adjoint of 1: left out of products */
  uint32_t left;             /* how many more nodes are written out */
} Writer;

const char *number_text(Arena *a, double v) { return arena_printf(a, "%.4g", v == 0 ? 0.0 : v); }

static Term number_term(Arena *a, double v) {
  return (Term){number_text(a, v), v < 0 ? SIGN : ATOM};
}

static bool in_word(char c) { return in_name(c) || c == '.'; }

/* The loosest sign of a text outside of brackets. */
static Tight tight_of(const char *t) {
  Tight least = ATOM;
  int depth = 0;
  for (const char *p = t; *p; p++) {
    if (strchr("([{", *p)) depth++;
    else if (strchr(")]}", *p)) depth--;
    else if (depth == 0) {
      Tight here = ATOM;
      if (*p == '^') here = POWER;
      else if (*p == '-' && p == t) here = SIGN;
      else if (*p == ' ' && p[1] && p[2] == ' ')
        here = strchr("+-", p[1]) ? SUM : strchr("*/@%", p[1]) ? PRODUCT : LOOSE;
      else if (*p == ' ' && p[1] && p[2] && p[3] == ' ') here = LOOSE;
      if (here < least) least = here;
    }
  }
  return least;
}

/* What must bind at least so tight where the operand stands at p. */
static Tight wanted(const char *form, const char *p) {
  const char *before = p, *after = p + 1;
  while (*after == '\'' || is_digit(*after)) after++;
  while (before > form && before[-1] == ' ') before--;
  while (*after == ' ') after++;
  char l = before > form ? before[-1] : '(', r = *after ? *after : ')';
  Tight want = LOOSE;
  if (r == '+' || r == '-' || l == '+') want = SUM;
  if (l == '-') want = before - 1 == form ? POWER : PRODUCT;
  if (r && strchr("*/@%", r)) want = PRODUCT;
  if (strchr("*/@%", l)) want = POWER;                 /* 2 * (-3) */
  if (r == '^' || l == '^') want = ATOM;
  if (strchr("<>=", l) || strchr("<>=", r)) want = SUM;
  return want;
}

/* A text with holes has "{0}" where operand 0 goes, and "{!0}" where it goes in brackets if it is negative. */
static bool is_hole(const char *t) { return *t == '{' && !strchr(t, '}')[1]; }

static void add_term(Text *t, Term term, Tight want, bool transposed) {
  if (is_hole(term.text) && !transposed) text_printf(t, term.tight < want ? "{!%s" : "{%s", term.text + 1);
  else if (transposed) text_printf(t, "transpose(%s)", term.text);
  else text_printf(t, term.tight < want ? "(%s)" : "%s", term.text);
}

/* form with the operands in the place of x, y and z. */
static Term fill(Arena *a, const char *form, const Term *operand, uint32_t n, const Attr *attr) {
  Text t = {.arena = a};
  text_add(&t, "");
  for (const char *p = form; *p; p++) {
    bool letter = *p >= 'x' && *p <= 'z' && (uint32_t)(*p - 'x') < n && (p == form || !in_word(p[-1])) &&
                  !in_word(p[1]);
    if (!letter) {
      text_add_n(&t, p, 1);
      continue;
    }
    Tight want = wanted(form, p);
    const Term *x = &operand[*p - 'x'];
    bool transposed = false;
    if (p[1] == '\'') {
      uint32_t k = (uint32_t)(p[2] - '0');
      transposed = k < attr->n && attr->i[k];
      p += 2;
    }
    add_term(&t, *x, want, transposed);
  }
  return (Term){t.at, !strcmp(form, "x") ? operand[0].tight : tight_of(t.at)};
}

static Term call(Arena *a, const Op *op, const Term *operand, uint32_t n) {
  Text t = {.arena = a};
  text_printf(&t, "%s(", op->sign ? op->sign : op->name);
  for (uint32_t k = 0; k < n; k++) text_printf(&t, "%s%s", k ? ", " : "", operand[k].text);
  text_add(&t, ")");
  return (Term){t.at, ATOM};
}

static Term written(Arena *a, const Node *n, const Term *operand) {
  if (n->op == &op_add && operand[1].text[0] == '-' && is_digit(operand[1].text[1])) {        /* 3 - 1, not 3 + -1 */
    Term pair[2] = {operand[0], {operand[1].text + 1, ATOM}};
    return fill(a, "x - y", pair, 2, n->attr);
  }
  if (n->op->form) return fill(a, n->op->form, operand, n->n_in, n->attr);
  if (n->op->sign && n->n_in == 2 && !begins_name(*n->op->sign))
    return fill(a, !strcmp(n->op->sign, "^") ? "x^y" : arena_printf(a, "x %s y", n->op->sign), operand, 2, n->attr);
  return call(a, n->op, operand, n->n_in);
}

static bool is_constant(const Graph *g, NodeId id) { return graph_at(g, id)->op == &op_constant; }

static bool is_product(const Node *n) { return n->op == &op_mul || n->op == &op_smul; }

static Term write_node(Writer *w, NodeId id) {
  enum { MOST_IN = 8 };
  for (uint32_t k = 0; k < w->n_named; k++)
    if (w->named[k] == id) return w->name[k];
  const Node *n = graph_at(w->g, id);
  if (n->op == &op_constant && type_count(n->type) == 1) return number_term(w->a, tensor_get(n->attr->value, 0));
  if (n->op == &op_broadcast && graph_at(w->g, n->in[0])->op == &op_constant) return write_node(w, n->in[0]);
  if (!w->left || n->n_in > MOST_IN || n->n_in == 0) return (Term){"..", ATOM};
  w->left--;
  for (uint32_t k = 0; k < 2 && is_product(n); k++)
    if (n->in[k] == w->one) return write_node(w, n->in[1 - k]);
  Term operand[MOST_IN];
  for (uint32_t k = 0; k < n->n_in; k++) operand[k] = write_node(w, n->in[k]);
  if (is_product(n) && is_constant(w->g, n->in[1]) && !is_constant(w->g, n->in[0])) {      /* 2 * z */
    Term number = operand[1];
    operand[1] = operand[0];
    operand[0] = number;
  }
  return written(w->a, n, operand);
}

/* ---- what operands are called ---- */

static bool is_word(const char *t) {
  for (const char *p = t; *p; p++)
    if (!in_word(*p)) return false;
  return *t && !is_digit(*t);
}

/* The number that a literal is, however it was spread and cast; NULL: it is none. */
static const char *literal(const Inspect *x, NodeId id) {
  const Node *n = graph_at(x->g, id);
  while (n->n_in == 1 && n->op->flags & (OP_MOVES | OP_PASSES)) n = graph_at(x->g, n->in[0]);
  if (n->op != &op_constant || type_count(n->type) != 1) return NULL;
  return number_text(x->a, tensor_get(n->attr->value, 0));
}

/* Whether a word stands in what the node's expression was written in, or is a name of the session. */
static bool taken(const Inspect *x, NodeId id, const char *word) {
  const Scope *top = x->s->elab->globals;
  for (uint32_t k = 0; k < top->bound.n; k++)
    if (!strcmp(top->bound.at[k]->name, word)) return true;
  const Place *p = loc_place(x->s->diags->sources, inspect_loc(x, id));
  if (!p || !p->source) return false;
  const char *text = p->source->text;
  size_t n = strlen(word);
  uint32_t from = p->span.first, end = p->span.end;
  while (from > 0 && text[from - 1] != '\n') from--;
  while (end < p->source->n && text[end] != '\n') end++;
  for (uint32_t k = from; k + n <= end; k++)
    if (!strncmp(text + k, word, n) && (k == 0 || !in_name(text[k - 1])) && !in_name(text[k + n])) return true;
  return false;
}

/* The k-th of these letters that the user's own text does not use for something else. */
static const char *free_letter(const Inspect *x, NodeId id, const char *const *letters, uint32_t k) {
  for (; letters[1]; letters++)
    if (!taken(x, id, *letters) && k-- == 0) break;
  return *letters;
}

const char *formula_operand(const Inspect *x, NodeId user, uint32_t operand) {
  static const char *const one[] = {"z", "u", "v", "s", "r", "q", "zz", NULL};
  static const char *const many[] = {"a", "b",  "c",  "d",  "u",  "v",  "p", "q",
                                     "r", "s", "aa", "bb", "cc", "dd", "ee", NULL};
  const Node *n = graph_at(x->g, user);
  const char *name = inspect_name(x, n->in[operand]), *number = literal(x, n->in[operand]);
  if (name && is_word(name)) return name;
  if (number) return number;
  return free_letter(x, user, n->n_in == 1 ? one : many, n->n_in == 1 ? 0 : operand);
}

const char *formula_adjoint(const Inspect *x, NodeId id) {
  static const char *const letters[] = {"g", "dy", "gy", NULL};
  return free_letter(x, id, letters, 0);
}

static Term operand_term(const Inspect *x, NodeId user, uint32_t k) {
  const char *name = formula_operand(x, user, k);
  return (Term){name, tight_of(name)};
}

static Term forward(const Inspect *x, NodeId id) {
  enum { MOST = 8 };
  Term operand[MOST];
  const Node *n = graph_at(x->g, id);
  if (n->n_in > MOST) return (Term){arena_printf(x->a, "%s(..)", inspect_op(x, id)), ATOM};
  for (uint32_t k = 0; k < n->n_in; k++) operand[k] = operand_term(x, id, k);
  return written(x->a, n, operand);
}

const char *formula_with(const Inspect *x, NodeId id, const char *const *name) {
  const Node *n = graph_at(x->g, id);
  Term *operand = NEW_N(x->a, Term, n->n_in + 1u);
  for (uint32_t k = 0; k < n->n_in; k++) operand[k] = (Term){name[k], tight_of(name[k])};
  return written(x->a, n, operand).text;
}

const char *formula_forward(const Inspect *x, NodeId id) { return forward(x, id).text; }

/* ---- element by element ---- */

typedef struct Scalars { Graph *g; Tensor **value; NodeId in[POINT_IN], y, one, slope; } Scalars;

/* The rule of a pointwise node, of scalars. False: it passes nothing there. */
static bool of_scalars(const Inspect *x, const Node *n, uint32_t operand, Arena *a, Scalars *m) {
  m->g = graph_beside(x->g, a);
  m->g->limit = x->g->limit;
  for (uint32_t k = 0; k < n->n_in; k++) {
    Type t = type_scalar((DType)graph_at(x->g, n->in[k])->type->dtype);
    m->in[k] = graph_input(m->g, k, &t, 0);
  }
  m->y = graph_emit(m->g, n->op, m->in, n->n_in, n->attr, 0, NULL);
  m->one = graph_const_like(m->g, (DType)n->type->dtype, 1, 0);
  NodeId dx[POINT_IN] = {NO_NODE, NO_NODE, NO_NODE, NO_NODE};
  bool wanted[POINT_IN] = {false}, selected[POINT_IN] = {false};
  wanted[operand] = true;
  Grad d = {.g = m->g, .y = m->y, .dy = m->one, .x = m->in, .n = n->n_in, .attr = n->attr, .wanted = wanted, .dx = dx,
            .dx_selected = selected};
  n->op->grad(&d);
  m->slope = dx[operand];
  return m->slope != NO_NODE;
}

/* The same at one element, with its numbers. */
static bool at_element(const Inspect *x, const Node *n, uint32_t operand, int64_t element, Arena *a, Scalars *m) {
  Host *h = arena_host(a);
  if (!of_scalars(x, n, operand, a, m)) return false;
  m->value = NEW_N(a, Tensor *, m->g->n + 1u);
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *v = inspect_value(x, n->in[k]);
    if (!v) return false;
    Type t = type_scalar((DType)v->type.dtype);
    m->value[m->in[k]] = tensor_new(h, &t);
    tensor_set(m->value[m->in[k]], 0, tensor_get(v, element));
  }
  bool good = run_graph(h, m->g, x->s->kernels, m->value).code == FAULT_NONE;
  for (NodeId k = 0; k < m->g->n; k++)
    if (m->value[k]) {
      tensor_hold(a, m->value[k]);
      tensor_unref(m->value[k]);
    }
  return good;
}

static Formula slope(const Inspect *x, const Passed *p, int64_t element) {
  const Node *n = graph_at(x->g, p->user);
  Scalars m = {0};
  Term y = forward(x, p->user);
  const char *left = arena_printf(x->a, y.tight == ATOM ? "d %s/d%s" : "d (%s)/d%s", y.text,
                                  formula_operand(x, p->user, p->operand));
  if (!at_element(x, n, p->operand, element, x->a, &m)) return (Formula){left, "0", NULL, true, 0};
  NodeId named[POINT_IN + 1];
  Term name[POINT_IN + 1], number[POINT_IN + 1];
  for (uint32_t k = 0; k < n->n_in; k++) {
    named[k] = m.in[k];
    name[k] = operand_term(x, p->user, k);
    number[k] = number_term(x->a, tensor_get(m.value[m.in[k]], 0));
  }
  named[n->n_in] = m.y;
  name[n->n_in] = y;
  number[n->n_in] = number_term(x->a, tensor_get(m.value[m.y], 0));
  Writer w = {.a = x->a, .g = m.g, .named = named, .name = name, .n_named = n->n_in + 1u, .one = m.one, .left = 24};
  Formula f = {.left = left, .slope = true, .value = tensor_get(m.value[m.slope], 0)};
  f.text = write_node(&w, m.slope).text;
  w.name = number;
  w.left = 24;
  f.numbers = write_node(&w, m.slope).text;
  return f;
}

/* ---- all at once ---- */

/* The terms of one element of a product of matrices, if they are few. */
static const char *products(const Inspect *x, NodeId id, int64_t element) {
  enum { MOST = 5 };
  const Node *n = graph_at(x->g, id);
  if (n->op != &op_matmul) return NULL;
  const Tensor *a = inspect_value(x, n->in[0]), *b = inspect_value(x, n->in[1]);
  if (!a || !b || a->type.rank != 2 || b->type.rank != 2) return NULL;
  bool ta = n->attr->n > 1 && n->attr->i[0], tb = n->attr->n > 1 && n->attr->i[1];
  int64_t inner = a->type.dim[ta ? 0 : 1], cols = n->type->dim[1], i = element / cols, j = element % cols;
  if (inner > MOST) return NULL;
  Text t = {.arena = x->a};
  for (int64_t k = 0; k < inner; k++) {
    Term u = number_term(x->a, tensor_get(a, ta ? k * a->type.dim[1] + i : i * a->type.dim[1] + k));
    Term v = number_term(x->a, tensor_get(b, tb ? j * b->type.dim[1] + k : k * b->type.dim[1] + j));
    text_printf(&t, v.tight == ATOM ? "%s%s*%s" : "%s%s*(%s)", k ? " + " : "", u.text, v.text);
  }
  return t.at;
}

static Formula whole(const Inspect *x, const Passed *p, int64_t element) {
  enum { MOST = 8 };
  const Node *n = graph_at(x->g, p->user);
  NodeId named[MOST + 2];
  Term name[MOST + 2];
  uint32_t k = 0;
  for (; k < n->n_in && k < MOST; k++) {
    named[k] = n->in[k];
    name[k] = operand_term(x, p->user, k);
  }
  named[k] = p->user;
  name[k++] = forward(x, p->user);
  named[k] = x->adjoint[p->user];
  name[k++] = (Term){formula_adjoint(x, p->user), ATOM};
  Writer w = {.a = x->a, .g = x->g, .named = named, .name = name, .n_named = k, .one = NO_NODE, .left = 24};
  Formula f = {.left = arena_printf(x->a, "dL/d%s", formula_operand(x, p->user, p->operand))};
  f.text = write_node(&w, p->dx).text;
  const Tensor *dx = inspect_value(x, p->dx);
  f.value = dx && element < type_count(&dx->type) ? tensor_get(dx, element) : NAN;
  f.numbers = products(x, p->dx, element);
  return f;
}

Formula formula_passed(const Inspect *x, const Passed *p, int64_t element) {
  const Node *n = graph_at(x->g, p->user);
  bool point = (n->op->flags & OP_POINTWISE) && n->n_in <= POINT_IN && n->op->grad;
  return point ? slope(x, p, element) : whole(x, p, element);
}

/* ---- with holes ---- */

static Term hole(Arena *a, const char *name) { return (Term){arena_printf(a, "{%s}", name), SIGN}; }

static Term operand_hole(Arena *a, uint32_t k) { return hole(a, arena_printf(a, "%u", k)); }

static Term form_of(const Inspect *x, const Node *n) {
  Term *operand = NEW_N(x->a, Term, n->n_in + 1u);
  for (uint32_t k = 0; k < n->n_in; k++) operand[k] = operand_hole(x->a, k);
  if (n->op->form && !strcmp(n->op->form, "x")) return call(x->a, n->op, operand, n->n_in);
  return written(x->a, n, operand);
}

const char *formula_form(const Inspect *x, NodeId id) { return form_of(x, graph_at(x->g, id)).text; }

static FormulaRule slope_rule(const Inspect *x, const Node *n, uint32_t operand) {
  Scalars m = {0};
  NodeId named[POINT_IN + 1];
  Term name[POINT_IN + 1], y = form_of(x, n);
  FormulaRule r = {.slope = true, .text = "0", .numbers = "0", .out = NO_NODE};
  r.left = arena_printf(x->a, y.tight == ATOM ? "d %s/d{%u}" : "d (%s)/d{%u}", y.text, operand);
  if (!of_scalars(x, n, operand, x->a, &m)) return r;
  for (uint32_t k = 0; k < n->n_in; k++) {
    named[k] = m.in[k];
    name[k] = operand_hole(x->a, k);
  }
  named[n->n_in] = m.y;
  name[n->n_in] = y;
  Writer w = {.a = x->a, .g = m.g, .named = named, .name = name, .n_named = n->n_in + 1u, .one = m.one, .left = 24};
  r.text = write_node(&w, m.slope).text;
  name[n->n_in] = hole(x->a, "y");
  w.left = 24;
  r.numbers = write_node(&w, m.slope).text;
  r.g = m.g;
  r.out = m.slope;
  return r;
}

static FormulaRule whole_rule(const Inspect *x, const Passed *p) {
  enum { MOST = 8 };
  const Node *n = graph_at(x->g, p->user);
  NodeId named[MOST + 2];
  Term name[MOST + 2];
  uint32_t k = 0;
  for (; k < n->n_in && k < MOST; k++) {
    named[k] = n->in[k];
    name[k] = operand_hole(x->a, k);
  }
  named[k] = p->user;
  name[k++] = form_of(x, n);
  named[k] = x->adjoint[p->user];
  name[k++] = hole(x->a, "g");
  Writer w = {.a = x->a, .g = x->g, .named = named, .name = name, .n_named = k, .one = NO_NODE, .left = 24};
  return (FormulaRule){.left = arena_printf(x->a, "dL/d{%u}", p->operand), .text = write_node(&w, p->dx).text,
                       .out = NO_NODE};
}

FormulaRule formula_rule(const Inspect *x, const Passed *p) {
  const Node *n = graph_at(x->g, p->user);
  bool point = (n->op->flags & OP_POINTWISE) && n->n_in <= POINT_IN && n->op->grad;
  return point ? slope_rule(x, n, p->operand) : whole_rule(x, p);
}
