/* repl_check: `:check e`, derivatives against finite differences, and `:blame e`, who made the first number that is NaN
 * or infinite.
 */
#include "inspect/check.h"
#include "steps/blame.h"
#include "tool/repl_inspect.h"
#include <math.h>
#include <string.h>

/* ---- check ---- */

static void say_order(Repl *r, const Inspect *x, int order) {
  const double good = 1e-5;
  Checked c;
  const char *name = order == 1 ? "first" : "second";
  if (!check_order(x, order, &c)) {
    out_printf(r->c, "%s order: an operation has no result near these values\n", name);
    return;
  }
  out_printf(r->c, "%s order: ", name);
  if (c.n < c.of) out_printf(r->c, "%u of %u numbers, ", c.n, c.of);
  else out_printf(r->c, "%u number%s, ", c.n, c.n == 1 ? "" : "s");
  if (c.kinks) out_printf(r->c, "%u at a kink, ", c.kinks);
  if (!c.path) {
    out_text(r->c, "nothing to compare\n");
    return;
  }
  out_text(r->c, c.error < good ? "good" : "WRONG");
  const Type *t = NULL;
  for (uint32_t k = 0; k < x->leaf.n; k++)
    if (x->leaf.at[k].path == c.path) t = graph_at(x->g, x->leaf.at[k].node)->type;
  out_printf(r->c, ": worst at %s%s, %.6g by the rules and %.6g by differences, relative error %s\n", c.path,
             t && t->rank ? element_text(x->a, t, c.element) : "", c.rule, c.difference,
             c.error > 0 ? arena_printf(x->a, "%.1g", c.error) : "below 1e-7");
}

static void check(Repl *r, Inspect *x, void *to) {
  (void)to;
  if (!repl_scalar(r, "check", x)) return;
  for (int order = 1; order <= 2; order++) say_order(r, x, order);
}

bool show_check(Repl *r, const char *rest) {
  repl_inspect(r, "check", rest, INSPECT_THEN, check, NULL);
  return true;
}

/* ---- blame ---- */

enum { MOST_SHOWN = 64, MOST_OPERANDS = 4 };

static const char *literal_text(const Inspect *x, const Tensor *t, int64_t element) {
  Text text = {.arena = x->a};
  if (!t->type.rank || element >= 0) return arena_printf(x->a, "%.9g", tensor_get(t, element < 0 ? 0 : element));
  text_add(&text, t->type.rank > 1 ? "reshape([" : "[");
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++)
    text_printf(&text, "%s%.9g", k ? ", " : "", tensor_get(t, k));
  text_printf(&text, t->type.rank > 1 ? "], %s)" : "]", shape_show(x->a, &t->type));
  return text.at;
}

/* The operation alone, with the operands that it had there: a script that does the same. */
static void reproducer(Repl *r, const Inspect *x, NodeId id, int64_t element) {
  static const char *const letters[] = {"a", "b", "c", "d"};
  const Node *n = graph_at(x->g, id);
  bool point = n->op->flags & OP_POINTWISE, few = n->n_in && n->n_in <= MOST_OPERANDS && !n->attr->body;
  const char *name[MOST_OPERANDS];
  for (uint32_t k = 0; few && k < n->n_in; k++) {
    const Tensor *t = inspect_value(x, n->in[k]);
    name[k] = letters[k];
    few = t && (point || type_count(&t->type) <= MOST_SHOWN);
  }
  if (!few) return;
  out_text(r->c, "  alone:\n");
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *t = inspect_value(x, n->in[k]);
    out_printf(r->c, "    let %s = %s(%s)\n", name[k], dtype_name[t->type.dtype],
               literal_text(x, t, point ? element : -1));
  }
  out_printf(r->c, "    print %s\n", formula_with(x, id, name));
}

static void say_culprit(Repl *r, const Inspect *x, NodeId id, int64_t element) {
  const Node *n = graph_at(x->g, id);
  const Tensor *t = inspect_value(x, id);
  double v = tensor_get(t, element);
  bool point = n->op->flags & OP_POINTWISE;
  out_printf(r->c, "%s`%s` made the first %s\n", n->loc & LOC_ADJOINT ? "in the gradient, " : "",
             formula_forward(x, id), isnan(v) ? "NaN" : v < 0 ? "-inf" : "inf");
  show_place(r, x, id);
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *in = inspect_value(x, n->in[k]);
    const char *name = formula_operand(x, id, k);
    if (!in || is_digit(*name)) continue;
    int64_t at = point ? element : type_count(&in->type) ? tensor_largest(in) : 0;
    out_printf(r->c, "  %s  %s", name, tensor_brief(x->a, in));
    if (in->type.rank && type_count(&in->type))
      out_printf(r->c, "  %s %s", element_text(x->a, &in->type, at), number_text(x->a, tensor_get(in, at)));
    out_text(r->c, "\n");
  }
  if (t->type.rank) {
    int64_t rows = t->type.dim[0];
    out_printf(r->c, "  first at element %s of %s", element_text(x->a, &t->type, element), type_show(x->a, &t->type));
    if (rows > 1) out_printf(r->c, ": row %lld", (long long)(element / (type_count(&t->type) / rows)));
    out_text(r->c, "\n");
  }
  if (n->op->wants) out_printf(r->c, "  try: %s\n", n->op->wants);
  reproducer(r, x, id, element);
}

static bool is_finite(const Tensor *t) {
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++)
    if (!isfinite(tensor_get(t, k))) return false;
  return true;
}

/* In a loop: which turn, and what in it, as a run says it. */
static void blame_turn(Repl *r, const Inspect *x, NodeId id) {
  Session *s = x->s;
  Diags *before = s->diags;
  NodeId culprit;
  int64_t element;
  s->diags = diags_new(x->a, s->sources);
  blame_find(s, x->g, x->value, id, true, &culprit, &element);
  out_text(r->c, diags_render(s->diags, x->a, &(RenderOptions){.color = r->c->color}));
  s->diags = before;
}

/* What is masked is not followed, and what is followed ends in a culprit, or in what held the number already. */
static void blame_node(Repl *r, const Inspect *x, NodeId id) {
  NodeId culprit;
  int64_t element;
  if (blame_find(x->s, x->g, x->value, id, false, &culprit, &element)) {
    const Node *n = graph_at(x->g, culprit);
    if (n->attr->body || n->op == &op_pick) blame_turn(r, x, id);
    else say_culprit(r, x, culprit, element);
    return;
  }
  const char *name = inspect_name(x, culprit);
  const Type *t = graph_at(x->g, culprit)->type;
  out_printf(r->c, "%s holds it already%s%s\n", name ? arena_printf(x->a, "`%s`", name) : "what it reads",
             t->rank ? ", first at element " : "", t->rank ? element_text(x->a, t, element) : "");
}

static void blame(Repl *r, Inspect *x, void *to) {
  (void)to;
  if (!is_finite(inspect_value(x, x->y))) {
    blame_node(r, x, x->y);
    return;
  }
  for (uint32_t k = 0; x->scalar && k < x->leaf.n; k++) {
    NodeId leaf = x->leaf.at[k].node;
    if (is_finite(inspect_adjoint(x, leaf))) continue;
    out_printf(r->c, "the value is finite, the gradient of `%s` is not\n", x->leaf.at[k].path);
    blame_node(r, x, x->adjoint[leaf]);
    return;
  }
  out_text(r->c, x->scalar && x->leaf.n ? "it is finite, and so are its gradients\n" : "it is finite\n");
}

bool show_blame(Repl *r, const char *rest) {
  bool spike = !strncmp(rest, "spike", 5) && (!rest[5] || rest[5] == ' ');
  if (spike) return blame_spike(r, rest + 5 + strspn(rest + 5, " "));
  repl_inspect(r, "blame", rest, INSPECT_THEN, blame, NULL);
  return true;
}
