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
#include "runtime/graph/kernels.h"
#include "steps/state.h"

typedef struct Walk {
  Session *s;
  const Graph *g;
  Tensor **value;             /* by node; NULL: not computed */
  Arena *tmp;
  bool warns, finds;          /* finds: the culprit is not reported */
  int64_t turn;               /* of the loop whose body g is; -1: it is none */
  NodeId origin;              /* where a walk that blames nobody ended, and at which element */
  int64_t origin_at;
  NodeId culprit;             /* or who is blamed, in this graph */
  int64_t culprit_at;
} Walk;

static bool is_bad(double v) { return !isfinite(v); }
static bool bad_at(const Tensor *t, int64_t i) {
  return t && dtype_is_float((DType)t->type.dtype) && is_bad(tensor_get(t, i));
}

/* The first element that is bad, or of these the first that is NaN. */
static int64_t first_of(const Tensor *t, bool nan) {
  if (!t || !dtype_is_float((DType)t->type.dtype)) return -1;
  int64_t n = type_count(&t->type);
  for (int64_t k = 0; k < n; k++)
    if (nan ? isnan(tensor_get(t, k)) : is_bad(tensor_get(t, k))) return k;
  return -1;
}

static int64_t first_bad(const Tensor *t) { return first_of(t, false); }

enum { MOST_NUMBERED = 1 << 24 };

/* The bad element that an op that moves or chooses took for its element i: the op is run on the numbers of its
 * operands' elements. False: it cannot be said, as of one that looks at values. */
static bool taken(const Walk *w, const Node *n, int64_t i, uint32_t *which, int64_t *element) {
  Host *h = &w->s->host;
  Type to = *n->type;
  const void **in = NEW_N(w->tmp, const void *, n->n_in + 1u);
  const Type **type = NEW_N(w->tmp, const Type *, n->n_in + 1u);
  int64_t *first = NEW_N(w->tmp, int64_t, n->n_in + 1u), next = 1;     /* 0 is what no operand holds */
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *x = w->value[n->in[k]];
    if (!x) return false;
    first[k] = next;
    if (x->type.dtype == to.dtype) next += type_count(&x->type);
  }
  if (next > MOST_NUMBERED || type_count(&to) > MOST_NUMBERED) return false;
  to.dtype = F64;                                                      /* whole numbers are exact in it */
  Tensor *y = tensor_new(h, &to), **number = NEW_N(w->tmp, Tensor *, n->n_in + 1u);
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *x = w->value[n->in[k]];
    Type t = x->type;
    if (t.dtype == n->type->dtype) {
      t.dtype = F64;
      number[k] = tensor_new(h, &t);
      for (int64_t j = 0; j < type_count(&t); j++) tensor_set(number[k], j, (double)(first[k] + j));
      x = number[k];
    }
    in[k] = x->data;
    type[k] = &x->type;
  }
  KernelCall c = {.in = in, .out = y->data, .in_type = type, .out_type = &to, .attr = n->attr, .n_in = n->n_in};
  int64_t at = kernel_call(w->s->kernels, n->op, &c, w->tmp) ? (int64_t)tensor_get(y, i) : 0;
  bool found = false;
  for (uint32_t k = 0; k < n->n_in; k++) {
    const Tensor *x = w->value[n->in[k]];
    if (number[k] && at >= first[k] && at - first[k] < type_count(&x->type) && bad_at(x, at - first[k])) {
      *which = k;
      *element = at - first[k];
      found = true;
    }
    tensor_unref(number[k]);
  }
  tensor_unref(y);
  return found;
}

/* A bad operand of node id's bad element i: which, and its element; false: there is none. */
static bool bad_operand(const Walk *w, NodeId id, int64_t i, uint32_t *which, int64_t *element) {
  const Node *n = graph_at(w->g, id);
  bool point = n->op->flags & OP_POINTWISE;
  if (!point && n->op->flags & (OP_MOVES | OP_CHOOSES) && taken(w, n, i, which, element)) return true;
  /* what made a NaN of infinities is behind the NaN, not behind the infinities beside it */
  for (int nan = isnan(tensor_get(w->value[id], i)); nan >= 0; nan--)
    for (uint32_t k = 0; k < n->n_in; k++) {
      const Tensor *x = w->value[n->in[k]];
      if (!x) continue;
      if (n->op == &op_where && k > 0 && w->value[n->in[0]]) {
        bool then = tensor_get(w->value[n->in[0]], i) != 0;
        if ((k == 1) != then) continue;
      }
      int64_t at = point ? i : first_of(x, nan);
      if (at < 0 || !bad_at(x, at) || (nan && !isnan(tensor_get(x, at)))) continue;
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

/* The operand that did it: one number where there is one, else the largest of all. */
static void add_operand(const Walk *w, Text *t, const Tensor *x, bool point, int64_t i) {
  if (point || !x->type.rank) {
    add_number(t, tensor_get(x, point ? i : 0));
    return;
  }
  int64_t at = 0;
  for (int64_t k = 1, n = type_count(&x->type); k < n; k++)
    if (!(fabs(tensor_get(x, k)) <= fabs(tensor_get(x, at)))) at = k;
  text_printf(t, "%s", type_show(w->tmp, &x->type));
  if (!type_count(&x->type)) return;
  text_add(t, ", whose largest number is ");
  add_number(t, tensor_get(x, at));
  text_add(t, " at element ");
  add_element(t, &x->type, at);
}

/* What the script wrote, if this node is of a gradient: the operation of that place, which has the operands. */
static NodeId written(const Walk *w, NodeId id) {
  const Node *n = graph_at(w->g, id);
  if (!(n->loc & LOC_ADJOINT)) return id;
  NodeId found = id;
  for (NodeId k = 0; k < w->g->n; k++) {
    const Node *x = graph_at(w->g, k);
    bool here = x->loc == (n->loc & ~LOC_ADJOINT) && x->op->flags & OP_POINTWISE && x->n_in > 0;
    if (!here || x->op->flags & (OP_MOVES | OP_CHOOSES) || !type_same_shape(x->type, n->type)) continue;
    bool all = true;
    for (uint32_t j = 0; j < x->n_in; j++) all &= w->value[x->in[j]] != NULL;
    if (all) found = k;
  }
  return found;
}

static Loc report(Walk *w, NodeId id, int64_t i) {
  const Node *n = graph_at(w->g, id), *as = graph_at(w->g, written(w, id));
  w->culprit = id;
  w->culprit_at = i;
  if (w->finds) return n->loc;
  double v = tensor_get(w->value[id], i);
  bool adjoint = n->loc & LOC_ADJOINT, point = as->op->flags & OP_POINTWISE;
  DiagId which = w->warns ? E_NOT_FINITE : E_RUN_CHECK;
  Diag *d = diag_at(w->s->diags, n->loc, which, adjoint ? "the gradient of this" : "this",
                    isnan(v) ? "NaN" : v < 0 ? "-inf" : "inf");
  Text t = {.arena = w->tmp};
  const char *name = as->op->sign ? as->op->sign : as->op->flags & OP_HIDDEN || as->loc & LOC_ADJOINT ? NULL
                                                                                                 : as->op->name;
  if (name && !(as->loc & LOC_ADJOINT)) text_printf(&t, "`%s` of ", name);
  else text_add(&t, "from ");
  for (uint32_t k = 0; k < as->n_in; k++) {
    if (k) text_add(&t, k + 1 == as->n_in ? " and " : ", ");
    add_operand(w, &t, w->value[as->in[k]], point, i);
  }
  if (as->op == &op_cast) text_printf(&t, ", more than %s holds", dtype_name[as->type->dtype]);
  if (n->type->rank) {
    text_add(&t, ", first at element ");
    add_element(&t, n->type, i);
    text_printf(&t, " of %s", type_show(w->tmp, n->type));
  }
  if (w->turn >= 0) text_printf(&t, ", in turn %lld", (long long)w->turn);
  diag_note(w->s->diags, d, 0, "%s", t.at);
  const char *way = n->op->wants;
  if (!way && isinf(v) && operand_largest(w, n) > VAST)
    way = "numbers that grow without bound: try a smaller rate, `clip_norm` on the gradients, or `standardize` on the "
          "data";
  if (way && !adjoint) diag_hint(w->s->diags, d, "%s", way);
  return n->loc;
}

static Loc follow(Walk *w, NodeId id, int64_t i);

static void drop(Walk *w) {
  for (NodeId id = 0; id < w->g->n; id++) tensor_unref(w->value[id]);
  arena_free(w->tmp);
}

/* The value of the body's input `slot` in a turn of a loop; state: what goes round. */
static Tensor *turn_input(const Walk *w, const Node *loop, Tensor *const *state, const Node *input, int64_t turn) {
  Host *h = &w->s->host;
  int64_t slot = input->attr->i[0], c = loop->attr->i[1], sequences = loop->attr->i[2];
  if (slot < c) return tensor_borrow(h, input->type, state[slot]->data, NULL, NULL);
  if (slot == loop->n_in) return tensor_from(h, input->type, &(int32_t){(int32_t)turn});
  char *data = w->value[loop->in[slot]]->data;
  if (slot < c + sequences) data += (size_t)turn * (size_t)type_bytes(input->type);
  return tensor_borrow(h, input->type, data, NULL, NULL);
}

/* Most turns that a loop made. */
static int64_t turns_of(const Walk *w, const Node *loop) {
  int64_t ends = loop_ends(loop->attr), turns = loop->attr->i[LOOP_TURNS];
  const Tensor *last = ends == ENDS_AFTER_ALL ? NULL : w->value[loop->in[loop->n_in - 1]];
  if (!last) return turns;
  double v = tensor_get(last, 0);
  return ends == ENDS_COUNTED ? (v < (double)turns ? (int64_t)v : turns) : v != 0 ? 0 : turns;
}

/* Whether this turn, whose values are there, was the last. */
static bool ends_here(const Walk *turn, const Node *loop) {
  const Graph *body = loop->attr->body;
  if (loop_ends(loop->attr) != ENDS_UNTIL) return false;
  const Tensor *flag = turn->value[body->out.at[loop->attr->i[LOOP_CARRIES]].node];
  for (int64_t k = 0; flag && k < type_count(&flag->type); k++)
    if (tensor_get(flag, k) == 0) return false;
  return true;
}

/* A loop made a bad number: who did so in its body, in the first turn that gave one. 0: nobody there. */
static Loc follow_turns(Walk *w, const Node *loop) {
  Host *h = &w->s->host;
  const Graph *body = loop->attr->body;
  int64_t turns = turns_of(w, loop);
  bool last = false;
  uint32_t c = (uint32_t)loop->attr->i[1];
  bool back = loop->attr->n > 3 && loop->attr->i[3];
  Tensor **state = NEW_N(w->tmp, Tensor *, c + 1u);
  for (uint32_t k = 0; k < c; k++) {
    const Tensor *x = w->value[loop->in[k]];
    state[k] = tensor_from(h, &x->type, x->data);
  }
  Loc found = 0;
  for (int64_t t = 0; t < turns && !found && !last; t++) {
    Walk in = {.s = w->s, .g = body, .tmp = arena_new(h), .warns = w->warns, .finds = w->finds};
    in.turn = back ? turns - 1 - t : t;
    in.value = NEW_N(in.tmp, Tensor *, body->n + 1u);
    for (NodeId k = 0; k < body->n; k++)
      if (body->node[k].op == &op_input) in.value[k] = turn_input(w, loop, state, &body->node[k], in.turn);
    (void)run_graph(h, body, w->s->kernels, in.value);
    for (uint32_t k = 0; k < body->out.n && !found; k++) {
      int64_t i = first_bad(in.value[body->out.at[k].node]);
      if (i >= 0) found = follow(&in, body->out.at[k].node, i);
    }
    last = ends_here(&in, loop);
    for (uint32_t k = 0; k < c; k++) {
      const Tensor *x = in.value[body->out.at[k].node];
      Tensor *next = x ? tensor_from(h, &x->type, x->data) : NULL;
      tensor_unref(state[k]);
      if (!(state[k] = next)) found = found ? found : loop->loc;      /* the turn failed: nothing goes on from it */
    }
    drop(&in);
  }
  for (uint32_t k = 0; k < c; k++) tensor_unref(state[k]);
  return found;
}

/* The loop that a node is, or of which it picks a result. */
static const Node *loop_of(const Walk *w, const Node *n) {
  const Node *x = n->op == &op_pick ? graph_at(w->g, n->in[0]) : n;
  return x->op == &op_loop ? x : NULL;
}

/* From bad element i of id back to where it was made. An infinite literal that became NaN on the way is blamed where it
 * did. */
static Loc follow(Walk *w, NodeId id, int64_t i) {
  NodeId turned = NO_NODE;
  int64_t turned_at = 0;
  for (;;) {
    const Node *n = graph_at(w->g, id), *loop = loop_of(w, n);
    uint32_t k;
    int64_t at;
    w->origin = id;
    w->origin_at = i;
    if (n->op == &op_input || n->op == &op_constant) break;
    Loc inside = loop ? follow_turns(w, loop) : 0;
    if (inside) {
      w->culprit = id;
      w->culprit_at = i;
      return inside;
    }
    if (n->op == &op_pick) n = loop;
    if (!bad_operand(w, loop ? (NodeId)(loop - w->g->node) : id, i, &k, &at)) return report(w, id, i);
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
  Walk w = {.s = s, .g = graph, .tmp = arena_new(&s->host), .turn = -1};
  w.value = NEW_N(w.tmp, Tensor *, w.g->n + 1);
  const Binding *b = NULL;
  uint32_t n = plan_bindings(g->plan, &b);
  for (NodeId id = 0; id < w.g->n; id++) {
    const Node *node = graph_at(w.g, id);
    if (node->op != &op_input) continue;
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
  const Slot *slot = n->op == &op_input ? &w->s->program->slot.at[n->attr->i[0]] : NULL;
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

/* A sum is finite only if all that went into it is: one addition for some numbers at once, and only where it is not, a
 * look at each. */
#define SUM_FINITE(T)                                                                                   \
  static bool sum_finite_##T(const T *x, int64_t n) {                                                   \
    enum { LANES = 16 / sizeof(T), AT_ONCE = 4 * LANES };                                               \
    typedef T Lanes __attribute__((vector_size(16)));                                                   \
    Lanes a = {0}, b = a, c = a, d = a, v[4];                                                           \
    T all = 0;                                                                                          \
    for (; n >= AT_ONCE; n -= AT_ONCE, x += AT_ONCE) {                                                  \
      memcpy(v, x, sizeof v);                                                                           \
      a += v[0], b += v[1], c += v[2], d += v[3];                                                       \
    }                                                                                                   \
    a += b, c += d, a += c;                                                                             \
    for (int k = 0; k < LANES; k++) all += a[k];                                                        \
    for (; n > 0; n--) all += *x++;                                                                     \
    return isfinite(all);                                                                               \
  }
SUM_FINITE(float)
SUM_FINITE(double)
#undef SUM_FINITE

bool numbers_bad(const Type *t, const void *data) {
  int64_t n = type_count(t);
  if (t->dtype == F32 && !sum_finite_float(data, n))
    for (const float *x = data, *end = x + n; x < end; x++)
      if (is_bad(*x)) return true;
  if (t->dtype == F64 && !sum_finite_double(data, n))
    for (const double *x = data, *end = x + n; x < end; x++)
      if (is_bad(*x)) return true;
  return false;
}

static Loc blame_output(Walk *w, uint32_t k) {
  NodeId id = w->g->out.at[k].node;
  int64_t i = first_bad(w->value[id]);
  return i >= 0 ? follow(w, id, i) : 0;
}

/* What was computed while planning is a constant of the optimised graph: then the graph as written, with the same
 * results, says who made it. */
static Loc blame(Session *s, const Segment *g, Tensor *const *before, bool warns) {
  Walk w = compute(s, g, g->graph, before), as_written = {0};
  Loc found = 0;
  w.warns = warns;
  for (uint32_t k = 0; !found && k < w.g->out.n; k++) {
    if (first_bad(w.value[w.g->out.at[k].node]) < 0 || (found = blame_output(&w, k))) continue;
    if (!as_written.g) as_written = compute(s, g, g->source, before);
    as_written.warns = warns;
    found = blame_output(&as_written, k);
  }
  if (as_written.g) drop(&as_written);
  drop(&w);
  return found;
}

bool blame_find(Session *s, const Graph *g, Tensor **value, NodeId id, bool tells, NodeId *culprit, int64_t *at) {
  Walk w = {.s = s, .g = g, .value = value, .tmp = arena_new(&s->host), .finds = !tells, .turn = -1};
  int64_t i = first_bad(value[id]);
  bool made = i >= 0 && follow(&w, id, i);
  *culprit = made ? w.culprit : w.origin;
  *at = made ? w.culprit_at : w.origin_at;
  arena_free(w.tmp);
  return made;
}

Loc blame_results(Session *s, const Segment *g, void *const *at, Tensor *const *before) {
  const Binding *b;
  bool any = false;
  for (uint32_t k = plan_bindings(g->plan, &b); k-- > 0;)
    any |= (b[k].mode & BIND_WRITE) && numbers_bad(&b[k].type, at[k]);
  return any ? blame(s, g, before, false) : 0;
}

Loc blame_warning(Session *s, const Segment *g, Tensor *const *before) { return blame(s, g, before, true); }

Loc blame_refusal(Session *s, const Segment *g, Loc refused) {
  const Graph *graphs[] = {g->graph, g->source};
  Loc found = 0;
  for (int pass = 0; pass < 2 && !found; pass++) {
    Walk w = compute(s, g, graphs[pass], NULL);
    for (NodeId id = 0; !found && id < w.g->n; id++) {
      const Node *n = graph_at(w.g, id);
      if (n->op != &op_require_finite) continue;
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
