/* check: see check.h. The formula and its derivative are widened to f64, so that differences have twelve digits: what
 * differs is the rule and not the rounding.
 */
#include "inspect/check.h"
#include <math.h>
#include <string.h>
#include "runtime/exec/run.h"

enum { MOST_MOVED = 40 };    /* numbers of a leaf, evenly spread */

typedef struct Wide {
  const Inspect *x;
  Arena *a;
  Graph *g;
  NodeId y;
  NodeId *leaf, *slope;      /* beside x->leaf; slope NO_NODE: y does not depend on it */
  Tensor **base;             /* the inputs' values, and the leaves' */
  NodeId *below_y;           /* what is computed of y alone */
  uint32_t n_below;
} Wide;

static Tensor *widened(const Wide *w, const Tensor *t, const Type *type) {
  Tensor *to = tensor_new(&w->x->s->host, type);
  for (int64_t k = 0, n = type_count(type); k < n; k++) tensor_set(to, k, tensor_get(t, k));
  tensor_hold(w->a, to);
  tensor_unref(to);
  return to;
}

/* Inputs stand in both graphs in the same order. */
static void take_inputs(Wide *w) {
  const Inspect *x = w->x;
  NodeId *root = NEW_N(w->a, NodeId, x->g->out.n + 1u), *ids;
  for (uint32_t k = 0; k < x->g->out.n; k++) root[k] = x->g->out.at[k].node;
  uint32_t n = graph_slice(x->g, root, x->g->out.n, NULL, NULL, &ids), at = 0;
  w->base = NEW_N(w->a, Tensor *, w->g->n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    if (graph_at(x->g, ids[k])->op != &op_input) continue;
    while (graph_at(w->g, at)->op != &op_input) at++;
    w->base[at] = widened(w, x->value[ids[k]], graph_at(w->g, at)->type);
    at++;
  }
}

static void widen(Wide *w) {
  const Inspect *x = w->x;
  x->g->out.n = 0;
  graph_output(x->g, x->y, 0);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    NodeId leaf = x->leaf.at[k].node, slope = x->adjoint[leaf];
    graph_output(x->g, leaf, 0);
    graph_output(x->g, slope == NO_NODE ? leaf : slope, 0);
  }
  w->g = graph_widen(x->g, w->a);
  w->y = w->g->out.at[0].node;
  w->leaf = NEW_N(w->a, NodeId, x->leaf.n + 1u);
  w->slope = NEW_N(w->a, NodeId, x->leaf.n + 1u);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    w->leaf[k] = w->g->out.at[1 + 2 * k].node;
    w->slope[k] = x->adjoint[x->leaf.at[k].node] == NO_NODE ? NO_NODE : w->g->out.at[2 + 2 * k].node;
  }
  take_inputs(w);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    const Tensor *t = inspect_value(x, x->leaf.at[k].node);
    if (!w->base[w->leaf[k]]) w->base[w->leaf[k]] = widened(w, t, graph_at(w->g, w->leaf[k])->type);
  }
}

/* Instead of y, the derivatives by all leaves, weighted and summed; and its derivative. */
static void derive_again(Wide *w) {
  Graph *g = w->g;
  uint32_t n = w->x->leaf.n;
  NodeId sum = NO_NODE;
  for (uint32_t k = 0; k < n; k++) {
    if (w->slope[k] == NO_NODE) continue;
    const Type t = *graph_at(g, w->slope[k])->type;
    Tensor *weight = tensor_new(&w->x->s->host, &t);
    for (int64_t j = 0; j < type_count(&t); j++) tensor_set(weight, j, cos(1.0 + (double)j + 3.0 * k));
    NodeId product = g_op2(g, &op_mul, w->slope[k], graph_const(g, weight, 0));
    tensor_unref(weight);
    Type scalar = type_scalar((DType)t.dtype);
    product = g_sum_to(g, product, &scalar);
    sum = sum == NO_NODE ? product : g_op2(g, &op_add, sum, product);
  }
  if (sum == NO_NODE) return;
  NodeId *slope = NEW_N(w->a, NodeId, n + 1u);
  bool *connected = NEW_N(w->a, bool, n + 1u);
  grad_reverse(g, sum, NO_NODE, w->leaf, n, slope, connected);
  for (uint32_t k = 0; k < n; k++) w->slope[k] = connected[k] ? slope[k] : NO_NODE;
  w->y = sum;
  Tensor **base = NEW_N(w->a, Tensor *, g->n + 1u);
  for (NodeId k = 0; k < g->n; k++) base[k] = NULL;
  for (uint32_t k = 0; k < n; k++) base[w->leaf[k]] = w->base[w->leaf[k]];
  for (NodeId k = 0; k < g->n; k++)
    if (graph_at(g, k)->op == &op_input) base[k] = w->base[k];
  w->base = base;
}

/* y with the tensors in base; NAN: a kernel faulted. */
static double value_of(const Wide *w) {
  Host *h = &w->x->s->host;
  Arena *tmp = arena_new(h);
  Tensor **value = NEW_N(tmp, Tensor *, w->g->n + 1u);
  for (NodeId k = 0; k < w->g->n; k++)
    if (w->base[k]) value[k] = tensor_ref(w->base[k]);
  bool good = run_nodes(h, w->g, w->x->s->kernels, w->below_y, w->n_below, value).code == FAULT_NONE;
  double y = good ? tensor_get(value[w->y], 0) : NAN;
  for (NodeId k = 0; k < w->g->n; k++) tensor_unref(value[k]);
  arena_free(tmp);
  return y;
}

/* The derivatives by the rules, as tensors held by the arena; NULL: y does not depend on the leaf. */
static Tensor **slopes(const Wide *w) {
  Host *h = &w->x->s->host;
  Tensor **value = NEW_N(w->a, Tensor *, w->g->n + 1u), **out = NEW_N(w->a, Tensor *, w->x->leaf.n + 1u);
  NodeId *root = NEW_N(w->a, NodeId, w->x->leaf.n + 1u), *ids;
  uint32_t n = 0;
  root[n++] = w->y;
  for (uint32_t k = 0; k < w->x->leaf.n; k++)
    if (w->slope[k] != NO_NODE) root[n++] = w->slope[k];
  n = graph_slice(w->g, root, n, NULL, NULL, &ids);
  for (NodeId k = 0; k < w->g->n; k++)
    if (w->base[k]) value[k] = tensor_ref(w->base[k]);
  bool good = run_nodes(h, w->g, w->x->s->kernels, ids, n, value).code == FAULT_NONE;
  for (uint32_t k = 0; good && k < w->x->leaf.n; k++)
    if (w->slope[k] != NO_NODE) tensor_hold(w->a, out[k] = value[w->slope[k]]);
  for (NodeId k = 0; k < w->g->n; k++) tensor_unref(value[k]);
  return good ? out : NULL;
}

static void compare(const Wide *w, uint32_t leaf, int64_t element, double rule, double y, Checked *out) {
  Tensor *t = w->base[w->leaf[leaf]];
  double at = tensor_get(t, element), h = 1e-5 * fmax(1, fabs(at));
  tensor_set(t, element, at + h);
  double up = value_of(w);
  tensor_set(t, element, at - h);
  double down = value_of(w);
  tensor_set(t, element, at);
  double difference = (up - down) / (2 * h), left = (y - down) / h, right = (up - y) / h;
  double scale = fmax(fabs(rule) + fabs(difference), 1e-4), error = fabs(rule - difference) / scale;
  bool kink = fabs(left - right) > 1e-2 * fmax(fabs(left) + fabs(right), 1e-4);
  out->n++;
  if (error < CHECK_NOISE) error = 0;
  if (kink && error > 1e-4 && rule >= fmin(left, right) - 1e-3 && rule <= fmax(left, right) + 1e-3) {
    out->kinks++;
    return;
  }
  if (out->path && error <= out->error) return;
  out->path = w->x->leaf.at[leaf].path;
  out->element = element;
  out->rule = rule;
  out->difference = difference;
  out->error = isnan(error) ? INFINITY : error;
}

bool check_order(const Inspect *x, int order, Checked *out) {
  Wide w = {.x = x, .a = x->a};
  *out = (Checked){.error = -1};
  widen(&w);
  if (order == 2) derive_again(&w);
  w.n_below = graph_slice(w.g, &w.y, 1, NULL, NULL, &w.below_y);
  Tensor **slope = slopes(&w);
  if (!slope) return false;
  double y = value_of(&w);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    int64_t n = type_count(&w.base[w.leaf[k]]->type), moved = n < MOST_MOVED ? n : MOST_MOVED;
    out->of += (uint32_t)n;
    for (int64_t j = 0; j < moved; j++) {
      int64_t element = j * n / moved;
      compare(&w, k, element, slope[k] ? tensor_get(slope[k], element) : 0, y, out);
    }
  }
  return true;
}
