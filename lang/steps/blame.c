/* blame: see blame.h. In: a segment, and the values that it began with. Out: one diagnostic at the place of the
 * culprit.
 *
 * How a plan runs never changes the bits, so the graph run node by node meets the same bad number. From a bad element
 * one walks back to an operand that is bad too, until there is none: that node made it. An untaken branch of a `where`
 * is not followed, so a formula that computes log(0) and does not choose it is not blamed.
 */
#include "steps/blame.h"
#include <math.h>
#include <string.h>
#include "runtime/exec/run.h"
#include "steps/state.h"

typedef struct Walk {
  Session *s;
  const Graph *g;
  Tensor **value;             /* by node; NULL: not computed */
  Arena *tmp;
  NodeId origin;              /* where a walk that blames nobody ended, and at which element */
  int64_t origin_at;
} Walk;

static bool is_bad(double v) { return !isfinite(v); }
static bool bad_at(const Tensor *t, int64_t i) {
  return t && dtype_is_float((DType)t->type.dtype) && is_bad(tensor_get(t, i));
}

static int64_t first_bad(const Tensor *t) {
  if (!t || !dtype_is_float((DType)t->type.dtype)) return -1;
  int64_t n = type_count(&t->type);
  for (int64_t k = 0; k < n; k++)
    if (is_bad(tensor_get(t, k))) return k;
  return -1;
}

/* The element of a broadcast's operand that becomes element i of its result. */
static int64_t stretched(const Type *x, const Type *y, int64_t i) {
  int64_t at = 0, stride = 1;
  for (int k = 0; k < y->rank; k++) {
    int axis = y->rank - 1 - k, own = x->rank - 1 - k;
    int64_t here = i % y->dim[axis];
    i /= y->dim[axis];
    if (own < 0) continue;
    if (x->dim[own] != 1) at += here * stride;
    stride *= x->dim[own];
  }
  return at;
}

/* A bad operand of node id's bad element i: which, and its element; false: there is none. */
static bool bad_operand(const Walk *w, NodeId id, int64_t i, uint32_t *which, int64_t *element) {
  const Node *n = graph_at(w->g, id);
  bool point = n->op->flags & OP_POINTWISE;
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *x = w->value[n->in[k]];
    if (!x) continue;
    if (n->op->id == OP_where && k > 0 && w->value[n->in[0]]) {
      bool then = tensor_get(w->value[n->in[0]], i) != 0;
      if ((k == 1) != then) continue;
    }
    int64_t at;
    if (point || n->op->id == OP_reshape) at = bad_at(x, i) ? i : -1;
    else if (n->op->id == OP_broadcast) {
      at = stretched(&x->type, n->type, i);
      if (!bad_at(x, at)) at = -1;
    } else at = first_bad(x);
    if (at < 0) continue;
    *which = k;
    *element = at;
    return true;
  }
  return false;
}

/* ---- the report ---- */
static void add_number(Text *t, double v) { text_printf(t, "%.6g", v == 0 ? 0.0 : v); }

static void add_element(Text *t, const Type *type, int64_t i) {
  int64_t count = type_count(type);
  text_add(t, "[");
  for (int k = 0; k < type->rank; k++) {
    count /= type->dim[k];
    text_printf(t, "%s%lld", k ? ", " : "", (long long)(i / count));
    i %= count;
  }
  text_add(t, "]");
}

static double largest(const Tensor *x) {
  double most = 0;
  for (int64_t k = 0, n = type_count(&x->type); k < n; k++) {
    double v = fabs(tensor_get(x, k));
    if (v > most) most = v;
  }
  return most;
}

enum { VAST = 1 << 30 };

static double operand_largest(const Walk *w, const Node *n) {
  double most = 0;
  for (uint32_t k = 0; k < n->n_in; k++)
    if (w->value[n->in[k]]) most = fmax(most, largest(w->value[n->in[k]]));
  return most;
}

static const char *way_out(const Op *op) {
  static const struct { uint16_t op; const char *hint; } ways[] = {
      {OP_log,
       "the logarithm wants numbers above 0: `log(max(x, 1e-12))` bounds them, `log_softmax` and `bce_logits` need no "
       "bound"},
      {OP_div, "something is divided by 0: add a small number to what may become 0, or choose with `where`"},
      {OP_recip, "something is divided by 0: add a small number to what may become 0, or choose with `where`"},
      {OP_sqrt, "the root wants numbers of at least 0: `sqrt(max(x, 0))`"},
      {OP_rsqrt, "the root wants numbers above 0: `rsqrt(x + 1e-12)`"},
      {OP_exp,
       "exp of more than 88 does not fit into f32: subtract the largest first, as `softmax` and `logsumexp` do"},
  };
  for (size_t k = 0; k < sizeof ways / sizeof *ways; k++)
    if (ways[k].op == op->id) return ways[k].hint;
  return NULL;
}

static Loc report(const Walk *w, NodeId id, int64_t i) {
  const Node *n = graph_at(w->g, id);
  double v = tensor_get(w->value[id], i);
  bool adjoint = n->loc & LOC_ADJOINT;
  Diag *d = diag_at(w->s->diags, n->loc, E_RUN_CHECK, adjoint ? "the gradient of this" : "this",
                    isnan(v) ? "NaN" : v < 0 ? "-inf" : "inf");
  Text t = {.arena = w->tmp};
  bool point = n->op->flags & OP_POINTWISE;
  text_printf(&t, "`%s` of ", n->op->name);
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *x = w->value[n->in[k]];
    if (k) text_add(&t, k + 1 == n->n_in ? " and " : ", ");
    if (point) add_number(&t, tensor_get(x, i));
    else {
      text_printf(&t, "%s with numbers up to ", type_show(w->tmp, &x->type));
      add_number(&t, largest(x));
    }
  }
  if (n->type->rank) {
    text_add(&t, ", first at element ");
    add_element(&t, n->type, i);
    text_printf(&t, " of %s", type_show(w->tmp, n->type));
  }
  diag_note(w->s->diags, d, 0, "%s", t.at);
  const char *way = way_out(n->op);
  if (!way && isinf(v) && operand_largest(w, n) > VAST)
    way = "numbers that grow without bound: try a smaller rate, `clip_norm` on the gradients, or `standardize` on the "
          "data";
  if (way && !adjoint) diag_hint(w->s->diags, d, "%s", way);
  return n->loc;
}

/* From bad element i of id back to where it was made. An infinite literal that became NaN on the way is blamed where it
 * did. */
static Loc follow(Walk *w, NodeId id, int64_t i) {
  NodeId turned = NO_NODE;
  int64_t turned_at = 0;
  for (;;) {
    const Node *n = graph_at(w->g, id);
    uint32_t k;
    int64_t at;
    w->origin = id;
    w->origin_at = i;
    if (n->op->id == OP_input || n->op->id == OP_constant) break;
    if (!bad_operand(w, id, i, &k, &at)) {
      return report(w, id, i);
    }
    const Tensor *x = w->value[n->in[k]];
    if (isnan(tensor_get(w->value[id], i)) && !isnan(tensor_get(x, at))) turned = id, turned_at = i;
    id = n->in[k];
    i = at;
  }
  return turned == NO_NODE ? 0 : report(w, turned, turned_at);
}

/* ---- the values ---- */
/* before[k], or what the slot holds, for each input; then all nodes up to a fault. */
static Walk compute(Session *s, const Segment *g, const Graph *graph, Tensor *const *before) {
  Walk w = {.s = s, .g = graph, .tmp = arena_new(&s->host)};
  w.value = NEW_N(w.tmp, Tensor *, w.g->n + 1);
  const Binding *b = NULL;
  uint32_t n = plan_bindings(g->plan, &b);
  for (NodeId id = 0; id < w.g->n; id++) {
    const Node *node = graph_at(w.g, id);
    if (node->op->id != OP_input) continue;
    SlotId slot = (SlotId)node->attr->i[0];
    Tensor *t = NULL;
    for (uint32_t k = 0; before && k < n; k++)
      if (b[k].slot == slot) t = before[k];
    if (!t) t = slot_tensor(s, slot, node->loc);
    if (t) w.value[id] = tensor_borrow(&s->host, node->type, t->data, NULL, NULL);
  }
  (void)run_graph(&s->host, w.g, s->kernels, w.value);
  return w;
}

/* Where a bad number that nobody made came from. */
static void note_origin(Walk *w, Diag *d) {
  const Node *n = graph_at(w->g, w->origin);
  const Slot *slot = n->op->id == OP_input ? &w->s->program->slot.at[n->attr->i[0]] : NULL;
  Text at = {.arena = w->tmp};
  text_add(&at, "");
  if (n->type->rank) {
    text_add(&at, ", first at element ");
    add_element(&at, n->type, w->origin_at);
  }
  if (slot && slot->kind == SLOT_DATA)
    diag_note(w->s->diags, d, 0, "it stands in the file \"%s\"%s", slot->file->path, at.at);
  else if (slot && slot->kind == SLOT_CELL && slot->trained) {
    diag_note(w->s->diags, d, 0, "the parameter `%s` holds it already%s", slot->path ? slot->path : "?", at.at);
    diag_hint(w->s->diags, d, "an earlier step put it there; `--check-numbers` stops at the expression that made it");
  } else if (slot && slot->kind == SLOT_CELL && slot->path)
    diag_note(w->s->diags, d, 0, "`%s` holds it already%s", slot->path, at.at);
  else diag_note(w->s->diags, d, n->loc, "it was so in what the run began with: a literal, a file or a cell%s", at.at);
}

static void drop(Walk *w) {
  for (NodeId id = 0; id < w->g->n; id++) tensor_unref(w->value[id]);
  arena_free(w->tmp);
}

static bool bytes_bad(const Type *t, const void *data) {
  int64_t n = type_count(t);
  if (t->dtype == F32)
    for (const float *x = data, *end = x + n; x < end; x++)
      if (is_bad(*x)) return true;
  if (t->dtype == F64)
    for (const double *x = data, *end = x + n; x < end; x++)
      if (is_bad(*x)) return true;
  return false;
}

Loc blame_results(Session *s, const Segment *g, void *const *at, Tensor *const *before) {
  const Binding *b;
  bool any = false;
  for (uint32_t k = plan_bindings(g->plan, &b); k-- > 0;)
    any |= (b[k].mode & BIND_WRITE) && bytes_bad(&b[k].type, at[k]);
  if (!any) return 0;
  /* what was computed while planning is a constant of the optimised graph: then the graph as written says who made
   * it */
  const Graph *graphs[] = {g->graph, g->source};
  Loc found = 0;
  for (int pass = 0; pass < 2 && !found; pass++) {
    Walk w = compute(s, g, graphs[pass], before);
    for (uint32_t k = 0; !found && k < w.g->out.n; k++) {
      NodeId id = w.g->out.at[k].node;
      int64_t i = first_bad(w.value[id]);
      if (i >= 0) found = follow(&w, id, i);
    }
    drop(&w);
  }
  return found;
}

Loc blame_refusal(Session *s, const Segment *g, Loc refused) {
  const Graph *graphs[] = {g->graph, g->source};
  Loc found = 0;
  for (int pass = 0; pass < 2 && !found; pass++) {
    Walk w = compute(s, g, graphs[pass], NULL);
    for (NodeId id = 0; !found && id < w.g->n; id++) {
      const Node *n = graph_at(w.g, id);
      if (n->op->id != OP_require_finite) continue;
      const Tensor *x = w.value[n->in[0]];
      int64_t i = first_bad(x);
      if (i < 0) continue;
      found = follow(&w, n->in[0], i);
      if (found || pass == 0) continue;
      Diag *d = diag_at(s->diags, refused, E_RUN_NOT_FINITE, isnan(tensor_get(x, i)) ? "NaN" : "infinite");
      note_origin(&w, d);
      found = refused;
    }
    drop(&w);
  }
  if (!found) diag_at(s->diags, refused, E_RUN_NOT_FINITE, "not finite");
  return found ? found : refused;
}
