/* why: see why.h. One walk over the formula, in the order in which adjoints pass: where an adjoint arrives and none
 * leaves towards the parameter, it ended; where none came at all, the formula says what cut it.
 *
 * What is judged is what an operation passes on beside what it got, never a number alone: a gradient that is small
 * because the loss is good is healthy.
 */
#include "inspect/why.h"
#include <math.h>
#include <string.h>
#include "inspect/formula.h"
#include "steps/blame.h"

typedef struct Why {
  const Inspect *x;
  const char *name;
  bool *on;                  /* by node of the formula: it depends on the parameter */
  bool *trained;             /* on any parameter */
  Finding *out;
} Why;

static const char AT_RANDOM[] =
    "draw it: `~ glorot_uniform()` behind its shape; only biases may begin at 0";

static bool say(const Why *w, const char *kind, NodeId at, const char *what, const char *way) {
  *w->out = (Finding){kind, at, what, way};
  return true;
}

/* ---- numbers ---- */

static double size_of(const Tensor *t) {           /* the sum of absolute values */
  double sum = 0;
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++) sum += fabs(tensor_get(t, k));
  return sum;
}

static bool all_zero(const Tensor *t) { return t && size_of(t) == 0; }

static double most_of(const Tensor *t) {
  double most = 0;
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++) most = fmax(most, fabs(tensor_get(t, k)));
  return most;
}

static bool finite(const Tensor *t) {
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++)
    if (!isfinite(tensor_get(t, k))) return false;
  return true;
}

static bool all_equal(const Tensor *t) {
  for (int64_t k = 1, n = type_count(&t->type); k < n; k++)
    if (tensor_get(t, k) != tensor_get(t, 0)) return false;
  return true;
}

static const Node *node_at(const Why *w, NodeId id) { return graph_at(w->x->g, id); }

/* ---- what the parameter reaches ---- */

bool path_below(const char *path, const char *name) {
  size_t n = strlen(name);
  return !strncmp(path, name, n) && (!path[n] || path[n] == '.');
}

static uint32_t reach(Why *w) {
  const Inspect *x = w->x;
  uint32_t leaves = 0;
  w->on = NEW_N(x->a, bool, x->g->n + 1u);
  w->trained = NEW_N(x->a, bool, x->g->n + 1u);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    w->trained[x->leaf.at[k].node] = true;
    if (!path_below(x->leaf.at[k].path, w->name)) continue;
    w->on[x->leaf.at[k].node] = true;
    leaves++;
  }
  for (uint32_t k = 0; k < x->n; k++) {
    const Node *n = graph_at(x->g, x->node[k]);
    for (uint32_t j = 0; j < n->n_in; j++) {
      w->on[x->node[k]] |= w->on[n->in[j]];
      w->trained[x->node[k]] |= w->trained[n->in[j]];
    }
  }
  return leaves;
}

static bool has_passed(const Inspect *x, NodeId user, uint32_t operand) {
  for (uint32_t k = 0; k < x->n_passed; k++)
    if (x->passed[k].user == user && x->passed[k].operand == operand) return true;
  return false;
}

/* The adjoints of all leaves asked for, together; *any: one arrives. */
static double gradient_size(const Why *w, bool *any, bool *odd) {
  const Inspect *x = w->x;
  double sum = 0;
  *any = *odd = false;
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    if (!w->on[x->leaf.at[k].node]) continue;
    const Tensor *t = inspect_adjoint(x, x->leaf.at[k].node);
    *any |= t != NULL;
    *odd |= t && !finite(t);
    sum += size_of(t);
  }
  return sum;
}

/* ---- nothing arrives ---- */

/* The operation below id through which nothing passes. */
static NodeId who_cuts(const Why *w, NodeId id) {
  for (;;) {
    const Node *n = node_at(w, id);
    if (n->op == &op_stop_gradient || n->op->flags & OP_EFFECTLESS_ZERO || !n->op->grad) return id;
    if (!dtype_is_float((DType)n->type->dtype) && !n->attr->body) return id;
    uint32_t k = 0;
    while (k < n->n_in && !w->on[n->in[k]]) k++;
    if (k == n->n_in) return id;
    id = n->in[k];
  }
}

static bool cut(const Why *w) {
  const Inspect *x = w->x;
  NodeId at = who_cuts(w, x->y);
  for (uint32_t k = x->n; k-- > 0;) {
    NodeId id = x->node[k];
    const Node *n = graph_at(x->g, id);
    if (!w->on[id] || (x->adjoint[id] == NO_NODE && id != x->y)) continue;
    uint32_t j = 0;
    while (j < n->n_in && (!w->on[n->in[j]] || has_passed(x, id, j))) j++;
    if (j == n->n_in) continue;
    bool here = n->op->flags & OP_EFFECTLESS_ZERO || n->op == &op_stop_gradient;
    at = here ? id : who_cuts(w, n->in[j]);
    break;
  }
  const Node *n = node_at(w, at);
  const char *text = arena_printf(x->a, "`%s` passes nothing back", formula_forward(x, at));
  if (n->op == &op_stop_gradient)
    return say(w, "detached path", at, "what is behind `stop_gradient` counts as a constant", "take it away if the "
               "gradient should pass");
  if (n->op->flags & OP_EFFECTLESS_ZERO || !dtype_is_float((DType)n->type->dtype))
    return say(w, "a step or a rounding in the way", at,
               arena_printf(x->a, "%s: it is flat, its slope is 0 wherever it has one", text),
               "use what it approximates: the score itself, `sigmoid` for a step, `softmax` for `argmax`");
  return say(w, "detached path", at, text, NULL);
}

/* ---- zeros ---- */

static bool dead_relu(const Why *w, NodeId id) {
  const Tensor *y = inspect_value(w->x, id);
  return say(w, "dead ReLU", id,
             arena_printf(w->x->a, "`%s` is 0 for all of its %lld numbers: nothing passes below 0",
                          formula_forward(w->x, id), (long long)type_count(&y->type)),
             "smaller steps, start values such as `kaiming_normal`, a bias that is not far below 0, or `leaky_relu`");
}

/* Why a factor is 0 everywhere. */
static bool zero_factor(const Why *w, NodeId user, NodeId id) {
  const Inspect *x = w->x;
  NodeId factor = id;
  for (;;) {
    const Node *n = node_at(w, id);
    if (n->op == &op_relu && !all_zero(inspect_value(x, n->in[0]))) return dead_relu(w, id);
    for (uint32_t k = 0; k < x->leaf.n; k++)
      if (x->leaf.at[k].node == id && x->leaf.at[k].cell)
        return say(w, "zero initialisation", user,
                   arena_printf(x->a, "`%s` is all 0: nothing passes through a product with it", x->leaf.at[k].path),
                   AT_RANDOM);
    if (!w->trained[id]) break;
    NodeId below = NO_NODE;
    for (uint32_t k = 0; k < n->n_in && below == NO_NODE; k++)
      if (all_zero(inspect_value(x, n->in[k]))) below = n->in[k];
    if (below == NO_NODE) break;
    id = below;
  }
  const char *name = inspect_name(x, id) ? inspect_name(x, id) : inspect_name(x, factor);
  if (node_at(w, user)->op == &op_matmul)
    return say(w, "an input of zeros", user,
               arena_printf(x->a, "%s is all 0: what it is multiplied with gets no gradient",
                            name ? arena_printf(x->a, "`%s`", name) : "one side of the product"),
               "look at the data");
  return say(w, "masked loss", user,
             arena_printf(x->a, "%s is 0 everywhere: all that it is multiplied with counts for nothing",
                          name ? arena_printf(x->a, "`%s`", name) : "the factor"),
             "look at the mask: which rows should count?");
}

static bool unchosen(const Why *w, NodeId user, uint32_t operand) {
  const Inspect *x = w->x;
  const Node *n = node_at(w, user);
  if (n->op != &op_where)
    return say(w, "never chosen", user, arena_printf(x->a, "`%s` never takes this operand", formula_forward(x, user)),
               "widen the bound that it is held in");
  NodeId condition = n->in[0];
  while (node_at(w, condition)->n_in == 1 && node_at(w, condition)->op->flags & OP_MOVES)
    condition = node_at(w, condition)->in[0];
  if (w->trained[condition] || type_count(node_at(w, condition)->type) == 1)
    return say(w, "a branch never taken", user,
               arena_printf(x->a, "the condition is %s everywhere, so the other branch is computed", operand == 1 ?
                            "false" : "true"), "look at the condition, and at how its two sides are scaled");
  return say(w, "masked loss", user, "the mask leaves out every element", "look at the mask: which rows should count?");
}

static bool is_unary(const Node *n) { return n->n_in == 1 && n->op->flags & OP_POINTWISE && !n->op->selects; }

static bool saturated(const Why *w, NodeId id) {
  const Inspect *x = w->x;
  return say(w, "saturated", id,
             arena_printf(x->a, "`%s` is saturated: its operand is as large as %s, where its slope is almost 0",
                          formula_forward(x, id), number_text(x->a, most_of(inspect_value(x, node_at(w, id)->in[0])))),
             "smaller start values, `standardize` on the data, a layer norm before it, or a loss that takes scores "
             "(`bce_logits`, `cross_entropy`)");
}

/* ---- saturation ---- */

enum { MOSTLY = 90, HALF = 50 };                       /* percent */
static const double enough = 1e-3;                     /* what arrives, in all: below it the loss has no more to say */

/* So many percent of what arrives at this operation ends in it, because its operand is far out. */
static bool is_flat(const Inspect *x, const Passed *p, int percent) {
  const Node *n = graph_at(x->g, p->user);
  const Tensor *g = inspect_adjoint(x, p->user), *dx = inspect_value(x, p->dx), *z = inspect_value(x, n->in[0]);
  if (!is_unary(n) || !g || !dx || size_of(g) < enough || most_of(z) < 4) return false;
  int64_t arrived = 0, flat = 0;
  for (int64_t k = 0, count = type_count(&g->type); k < count; k++) {
    double from = fabs(tensor_get(g, k));
    arrived += from > 0;
    flat += from > 0 && fabs(tensor_get(dx, k)) < 1e-3 * from && fabs(tensor_get(z, k)) > 2;
  }
  return arrived && flat * 100 >= arrived * percent && (percent < MOSTLY || size_of(dx) < 0.02 * size_of(g));
}

static bool flat_place(const Why *w, int percent) {
  for (uint32_t k = 0; k < w->x->n_passed; k++) {
    const Passed *p = &w->x->passed[k];
    if (w->on[p->user] && is_flat(w->x, p, percent)) return saturated(w, p->user);
  }
  return false;
}

/* An adjoint arrives, and nothing leaves towards the parameter. */
static bool ended(const Why *w, const Passed *p) {
  const Inspect *x = w->x;
  const Node *n = node_at(w, p->user);
  const Tensor *in = inspect_value(x, n->in[p->operand]);
  if (n->op == &op_relu) return dead_relu(w, p->user);
  if (n->op->selects & SELECTS(p->operand)) return unchosen(w, p->user, p->operand);
  if (n->n_in == 2 && all_zero(inspect_value(x, n->in[1 - p->operand])))
    return zero_factor(w, p->user, n->in[1 - p->operand]);
  if (is_unary(n) && !all_zero(in)) return saturated(w, p->user);
  if (is_unary(n)) return false;                       /* a square at 0: the error is 0, and all is well */
  if (flat_place(w, HALF)) return true;                /* what is left of it falls on zeros of the other operand */
  return say(w, "the gradient ends here", p->user, arena_printf(x->a, "`%s` passes nothing on to it",
                                                                formula_forward(x, p->user)), NULL);
}

static bool first_end(const Why *w) {
  const Inspect *x = w->x;
  for (uint32_t k = 0; k < x->n_passed; k++) {
    const Passed *p = &x->passed[k];
    const Tensor *g = inspect_adjoint(x, p->user), *dx = inspect_value(x, p->dx);
    if (w->on[node_at(w, p->user)->in[p->operand]] && g && size_of(g) > 0 && all_zero(dx)) return ended(w, p);
  }
  return false;
}

/* ---- softmax ---- */

/* exp(z) / sum(exp(z)) whose rows are all of one element, and which passes almost nothing of what arrives. */
static bool flat_softmax(const Why *w) {
  const Inspect *x = w->x;
  for (uint32_t k = x->n; k-- > 0;) {
    NodeId id = x->node[k];
    const Node *n = graph_at(x->g, id);
    const Tensor *y = inspect_value(x, id), *g = inspect_adjoint(x, id);
    if (!w->on[id] || n->op != &op_div || node_at(w, n->in[0])->op != &op_exp || !n->type->rank || !g) continue;
    int64_t width = n->type->dim[n->type->rank - 1], rows = width ? type_count(n->type) / width : 0, one = 0;
    for (int64_t r = 0; r < rows; r++) {
      double most = 0;
      for (int64_t j = 0; j < width; j++) most = fmax(most, tensor_get(y, r * width + j));
      one += most > 0.999;
    }
    const Tensor *left = inspect_adjoint(x, node_at(w, n->in[0])->in[0]);
    bool passes = left && size_of(left) > 0.02 * size_of(g);
    if (width < 2 || !rows || one * 100 < rows * MOSTLY || passes || size_of(g) < enough) continue;
    return say(w, "softmax saturated", id,
               arena_printf(x->a, "%lld of %lld rows of this softmax are one 1 and zeros: its slope there is almost 0",
                            (long long)one, (long long)rows),
               "smaller scores (attention divides by the sqrt of the size), or `cross_entropy` on the scores");
  }
  return false;
}

/* ---- depth ---- */

/* How what arrives changes on the way to the parameter, by the largest parts: below[k] of n operations. */
typedef struct Way {
  double total, slope;                                 /* slope: the largest of a pointwise operation, */
  NodeId steepest, shrinking, growing;                 /* and which; the first that shrinks, and grows */
  uint32_t shrinks, grows;
} Way;

static double norm_of(const Tensor *t) {
  double squares = 0;
  for (int64_t k = 0, n = t ? type_count(&t->type) : 0; k < n; k++) squares += tensor_get(t, k) * tensor_get(t, k);
  return sqrt(squares);
}

static Way way_to(const Why *w) {
  const Inspect *x = w->x;
  Way way = {.total = 1, .shrinking = NO_NODE, .growing = NO_NODE, .steepest = NO_NODE};
  NodeId id = x->y;
  for (;;) {
    const Passed *best = NULL;
    double most = -1;
    for (uint32_t k = 0; k < x->n_passed; k++) {
      const Passed *p = &x->passed[k];
      if (p->user != id || !w->on[graph_at(x->g, id)->in[p->operand]]) continue;
      double size = norm_of(inspect_value(x, p->dx));
      if (size > most) best = p, most = size;
    }
    if (!best) return way;
    const Node *n = graph_at(x->g, id);
    double from = norm_of(inspect_adjoint(x, id)), ratio = from > 0 && n->type->rank ? most / from : 1;
    way.total *= ratio;
    if (ratio < 0.7) {
      way.shrinks++;
      if (way.shrinking == NO_NODE) way.shrinking = id;
    }
    if (ratio > 1.5) {
      way.grows++;
      if (way.growing == NO_NODE) way.growing = id;
    }
    if (n->op->flags & OP_POINTWISE && ratio > way.slope) way.slope = ratio, way.steepest = id;
    id = n->in[best->operand];
  }
}

static bool deep(const Why *w, double size) {
  enum { LAYERS = 6 };
  const double faint = 1e-5, loud = 1e4;
  const Inspect *x = w->x;
  Way way = way_to(w);
  if (way.total < faint && way.shrinks >= LAYERS && size_of(inspect_value(x, x->y)) > 0)
    return say(w, "vanishing depth", way.shrinking,
               arena_printf(x->a, "each of %u operations on the way passes less than it gets, from here on: what "
                            "arrives is %s of what the loss sent", way.shrinks, number_text(x->a, way.total)),
               "`relu` in the place of `sigmoid` or `tanh`, start values scaled to the width, residual connections "
               "(`x + f(x)`), or a layer norm");
  if (way.total > loud && way.grows >= LAYERS)
    return say(w, "exploding depth", way.growing,
               arena_printf(x->a, "each of %u operations on the way passes more than it gets, from here on: what "
                            "arrives is %s times what the loss sent", way.grows, number_text(x->a, way.total)),
               "start values scaled to the width (`kaiming_normal`), a layer norm, or `clip_norm` on the gradients");
  if (way.slope > loud && size > loud)
    return say(w, "it blew up", way.steepest,
               arena_printf(x->a, "the slope of `%s` is %s here", formula_forward(x, way.steepest),
                            number_text(x->a, way.slope)),
               "keep what it is taken of away from where it is steep: `max(x, 1e-6)`, or a loss that takes scores");
  return false;
}

/* ---- not finite ---- */

static bool odd(const Why *w) {
  const Inspect *x = w->x;
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    NodeId leaf = x->leaf.at[k].node, culprit;
    int64_t at;
    const Tensor *t = w->on[leaf] ? inspect_adjoint(x, leaf) : NULL;
    if (!t || finite(t)) continue;
    bool made = blame_find(x->s, x->g, x->value, x->adjoint[leaf], false, &culprit, &at);
    const Tensor *bad = inspect_value(x, culprit);
    const Node *n = graph_at(x->g, culprit);
    double v = bad ? tensor_get(bad, at) : NAN;
    const char *name = made ? formula_forward(x, culprit) : inspect_name(x, culprit);
    const char *way = n->op->wants ? n->op->wants
                                   : "smaller steps, `clip_norm` on the gradients, or `standardize` on the data";
    return say(w, isinf(v) ? "overflow" : "not a number", culprit,
               arena_printf(x->a, made ? "%s`%s` became %s here, and the gradient with it" : "%s`%s` is %s already",
                            n->loc & LOC_ADJOINT ? "in the gradient, " : "", name ? name : "what it reads",
                            isnan(v) ? "NaN" : "infinite"), way);
  }
  return false;
}

/* ---- symmetry, labels ---- */

/* All columns the same, of a matrix of two at least. */
static bool same_columns(const Tensor *t) {
  if (!t || t->type.rank != 2 || t->type.dim[1] < 2) return false;
  double scale = 1e-6 * most_of(t);
  for (int64_t r = 0; r < t->type.dim[0]; r++)
    for (int64_t c = 1; c < t->type.dim[1]; c++)
      if (fabs(tensor_get(t, r * t->type.dim[1] + c) - tensor_get(t, r * t->type.dim[1])) > scale) return false;
  return true;
}

static bool symmetric(const Why *w) {
  const Inspect *x = w->x;
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    NodeId leaf = x->leaf.at[k].node;
    if (w->on[leaf] && same_columns(inspect_value(x, leaf)) && same_columns(inspect_adjoint(x, leaf)))
      return say(w, "zero initialisation", NO_NODE,
                 arena_printf(x->a, "the %lld units of `%s` are equal and get equal gradients: they stay one unit",
                              (long long)graph_at(x->g, leaf)->type->dim[1], x->leaf.at[k].path),
                 AT_RANDOM);
  }
  return false;
}

/* The data that a node holds, through reshapes and casts: many numbers that stand there, not made of one. */
static NodeId data_of(const Why *w, NodeId id) {
  while (!w->trained[id]) {
    const Node *n = node_at(w, id);
    if (!n->n_in) return type_count(n->type) > 1 ? id : NO_NODE;
    if (!(n->op->flags & (OP_MOVES | OP_PASSES))) return NO_NODE;
    id = n->in[0];
  }
  return NO_NODE;
}

/* The labels: what predictions are compared with, or picked by. All the same, nothing but a constant is learnt. */
static bool one_label(const Why *w) {
  const Inspect *x = w->x;
  NodeId at = NO_NODE;
  double label = NAN;
  for (uint32_t k = x->n; k-- > 0;) {
    NodeId id = x->node[k];
    const Node *n = graph_at(x->g, id);
    if (!w->on[id] || n->n_in != 2 || (n->op != &op_sub && n->op != &op_take_along)) continue;
    for (uint32_t j = 0; j < 2; j++) {
      NodeId data = w->on[n->in[1 - j]] && !w->trained[n->in[j]] ? data_of(w, n->in[j]) : NO_NODE;
      const Tensor *t = data == NO_NODE ? NULL : inspect_value(x, data);
      if (!t || t->type.dim[0] < 2) continue;
      if (!all_equal(t) || (at != NO_NODE && tensor_get(t, 0) != label)) return false;
      at = id;
      label = tensor_get(t, 0);
    }
  }
  return at != NO_NODE && say(w, "a constant label", at,
                              arena_printf(x->a, "every label is %s: all that can be learnt is to answer that",
                                           number_text(x->a, label)), "look at the labels, and at how rows are drawn");
}

/* ---- optimizers ---- */

static bool rate_is_zero(const Why *w, const Optimizer *o) {
  static const char *const rates[] = {"lr", "rate", NULL};
  const Session *s = w->x->s;
  for (uint32_t k = 0; k < o->args->bound.n; k++) {
    const Bound *b = o->args->bound.at[k];
    bool rate = false;
    for (const char *const *r = rates; *r; r++) rate |= !strcmp(b->name, *r);
    if (!rate) continue;
    if (b->value.kind == V_INT) return b->value.i == 0;
    const Tensor *t = NULL;
    if (b->value.kind == V_CELL) t = s->program->slot.at[b->value.cell->slot].value;
    if (b->value.kind == V_NODE && graph_at(s->graph, b->value.node)->flags & NODE_KNOWN)
      t = graph_known(s->graph, b->value.node);
    return t && all_zero(t);
  }
  return false;
}

static bool unmoved(const Why *w) {
  const Elab *e = w->x->s->elab;
  bool any = false;
  for (uint32_t k = 0; k < e->made.cells.n; k++) any |= e->made.cells.at[k]->tied != NULL;
  for (uint32_t k = 0; k < e->made.cells.n; k++) {
    const Cell *c = e->made.cells.at[k];
    if (!c->path || c->role != CELL_PARAM || !path_below(c->path, w->name)) continue;
    if (c->frozen) return say(w, "frozen", NO_NODE, "`freeze` keeps every optimizer away from it", NULL);
    if (c->tied && rate_is_zero(w, c->tied))
      return say(w, "a rate of zero", NO_NODE, "the optimizer that moves it has the rate 0", "give it another `lr`");
    if (!c->tied && any && c->writes <= 1)
      return say(w, "tied to no optimizer", NO_NODE,
                 "no optimizer moves it, and nothing assigns it: its gradient is of no use",
                 "make an optimizer of all that is trained: `adam((net, other))`");
  }
  return false;
}

bool why_find(const Inspect *x, const char *name, Finding *out) {
  Why w = {.x = x, .name = name, .out = out};
  bool any, not_finite;
  if (!reach(&w))
    return say(&w, "no loss reaches it", NO_NODE, "this number does not depend on it", "use it in what is computed, or "
               "drop it");
  double size = gradient_size(&w, &any, &not_finite);
  if (!any) return cut(&w);
  if (not_finite) return odd(&w);
  if (flat_softmax(&w)) return true;
  if (size == 0 && first_end(&w)) return true;
  return deep(&w, size) || flat_place(&w, MOSTLY) || symmetric(&w) || one_label(&w) || unmoved(&w);
}

const char *why_units(const Inspect *x, NodeId id, bool *flat) {
  enum { MOST_NAMED = 8 };
  const Node *n = graph_at(x->g, id);
  const Tensor *y = inspect_value(x, id);
  if (!y || n->type->rank != 2 || !(n->op->flags & OP_POINTWISE) || n->n_in != 1) return NULL;
  const Tensor *z = inspect_value(x, n->in[0]), *g = inspect_adjoint(x, id), *dz = NULL;
  for (uint32_t k = 0; k < x->n_passed; k++)
    if (x->passed[k].user == id) dz = inspect_value(x, x->passed[k].dx);
  *flat = n->op != &op_relu;
  if (!z || !g || !dz || (*flat && n->op->selects)) return NULL;
  int64_t rows = n->type->dim[0], units = n->type->dim[1];
  uint32_t found = 0;
  Text t = {.arena = x->a};
  for (int64_t u = 0; u < units; u++) {
    bool none = rows > 0, arrives = false;
    for (int64_t r = 0; r < rows && none; r++) {
      int64_t k = r * units + u;
      arrives |= tensor_get(g, k) != 0;
      if (*flat) none = fabs(tensor_get(z, k)) > 4 && fabs(tensor_get(dz, k)) <= 1e-3 * fabs(tensor_get(g, k));
      else none = tensor_get(y, k) == 0;
    }
    if (!none || (*flat && !arrives)) continue;
    if (found++ < MOST_NAMED) text_printf(&t, "%s%lld", found > 1 ? ", " : "", (long long)u);
  }
  if (found > MOST_NAMED) text_add(&t, ", ..");
  if (found) text_printf(&t, " of %lld", (long long)units);
  return found ? t.at : NULL;
}
