/* report_classes: whether a run was a classification, and how well it does at its end. In: the losses that move its
 * parameters. Out: the confusion matrix over the rows that its last epoch trained on, with the parameters of the end,
 * and some rows.
 *
 * A loss of the library is recognised by the places of its nodes: what goes into it is what the model gave, which
 * depends on parameters, and what it should have given, which does not. Batch after batch is computed again by setting
 * the turn of the loop.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/report.h"
#include "inspect/inspect.h"
#include <math.h>
#include <string.h>
#include <time.h>

enum { MOST_ROWS = 10000, MOST_CLASSES = 200, MOST_SHOWN = 3 * 64 * 64, NAME = 48 };
static const double MOST_SECONDS = 5;

typedef struct Found { NodeId z, y, x; char loss[NAME]; } Found;      /* x: NO_NODE: none */

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- what the loss was given ---- */

/* The function of the library of losses that a place stands in, the outermost of them; false: it stands in none. */
static bool in_losses(const Session *s, Loc loc, char name[NAME]) {
  bool found = false;
  for (const Place *p = loc ? loc_place(s->sources, loc & ~LOC_ADJOINT) : NULL; p && p->source;
       p = p->caller ? loc_place(s->sources, p->caller) : NULL) {
    if (!p->source->library || !strstr(p->source->name, "losses.nn")) continue;
    const char *at = p->source->text + p->span.first;
    while (at > p->source->text && !(at[-1] == '\n' && !strncmp(at, "fn ", 3))) at--;
    size_t n = strcspn(at + 3, "(");
    if (n >= NAME) continue;
    memcpy(name, at + 3, n);
    name[n] = 0;
    found = true;
  }
  return found;
}

static bool larger(const Graph *g, NodeId a, NodeId b) {
  return b == NO_NODE || type_count(graph_at(g, a)->type) > type_count(graph_at(g, b)->type);
}

/* By node: whether it depends on a parameter. */
static bool *depends(const Session *s, const NodeId *ids, uint32_t n, Arena *a) {
  bool *on = NEW_N(a, bool, s->graph->n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(s->graph, ids[k]);
    if (node->op == &op_input) on[ids[k]] = s->program->slot.at[node->attr->i[0]].trained;
    for (uint32_t j = 0; j < node->n_in; j++) on[ids[k]] |= on[node->in[j]];
  }
  return on;
}

static bool find(const Session *s, NodeId loss, Arena *a, Found *f) {
  const Graph *g = s->graph;
  NodeId *ids;
  uint32_t n = inspect_below(g, &loss, 1, a, &ids);
  bool *on = depends(s, ids, n, a), *within = NEW_N(a, bool, g->n + 1u);
  *f = (Found){.z = NO_NODE, .y = NO_NODE, .x = NO_NODE};
  for (uint32_t k = 0; k < n; k++) within[ids[k]] = in_losses(s, graph_at(g, ids[k])->loc, f->loss);
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(g, ids[k]);
    for (uint32_t j = 0; within[ids[k]] && j < node->n_in; j++) {
      NodeId in = node->in[j];
      if (within[in] || !graph_at(g, in)->type->rank) continue;
      if (on[in] && larger(g, in, f->z)) f->z = in;
      if (!on[in] && larger(g, in, f->y)) f->y = in;
    }
  }
  if (f->z == NO_NODE || f->y == NO_NODE) return false;
  int64_t rows = graph_at(g, f->z)->type->dim[0];
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(g, ids[k]);
    for (uint32_t j = 0; on[ids[k]] && !within[ids[k]] && j < node->n_in; j++) {
      const Type *t = graph_at(g, node->in[j])->type;
      if (!on[node->in[j]] && t->rank > 0 && t->dim[0] == rows && larger(g, node->in[j], f->x)) f->x = node->in[j];
    }
  }
  return true;
}

/* ---- rows ---- */

typedef enum { NO_CLASSES, NUMBERS, ROWS_OF_CLASSES, ONE_OF_TWO } Kind;

static bool each_is(const Tensor *t, bool (*good)(double v)) {
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++)
    if (!good(tensor_get(t, k))) return false;
  return true;
}
static bool is_class(double v) { return v >= -1 && v < MOST_CLASSES && v == floor(v); }
static bool is_bit(double v) { return v == 0 || v == 1; }
static bool is_share(double v) { return v >= 0 && v <= 1; }

static bool sums_to_one(const Tensor *t, int64_t classes) {
  for (int64_t k = 0, n = type_count(&t->type); k < n; k += classes) {
    double sum = 0;
    for (int64_t j = 0; j < classes; j++) sum += tensor_get(t, k + j);
    if (fabs(sum - 1) > 1e-3) return false;
  }
  return true;
}

static Kind kind_of(const Tensor *z, const Tensor *y) {
  int64_t nz = type_count(&z->type), ny = type_count(&y->type), last = z->type.dim[z->type.rank - 1];
  if (!nz || !ny || last > MOST_CLASSES) return NO_CLASSES;
  if (nz == ny && last > 1 && z->type.rank > 1)
    return each_is(y, is_share) && sums_to_one(y, last) ? ROWS_OF_CLASSES : NO_CLASSES;
  if (nz == ny) return each_is(y, is_bit) ? ONE_OF_TWO : NO_CLASSES;
  return last > 1 && ny * last == nz && each_is(y, is_class) ? NUMBERS : NO_CLASSES;
}

static int64_t largest(const Tensor *t, int64_t from, int64_t n) {
  int64_t at = 0;
  for (int64_t k = 1; k < n; k++)
    if (tensor_get(t, from + k) > tensor_get(t, from + at)) at = k;
  return at;
}

/* How probable the class is held: the scores as they are where they are probabilities, else their softmax. */
static double sureness(const Tensor *z, int64_t from, int64_t n, int64_t given) {
  double sum = 0, most = tensor_get(z, from + given), exps = 0;
  bool shares = true;
  for (int64_t k = 0; k < n; k++) {
    double v = tensor_get(z, from + k);
    sum += v;
    shares &= is_share(v);
    exps += exp(v - most);
  }
  return shares && fabs(sum - 1) < 1e-3 ? most : 1 / exps;
}

static void take_row(Sample *to, const Sample *from, const Tensor *x, Arena *a) {
  double *room = to->x;
  *to = *from;
  if (!x) return;
  const Type *t = &x->type;
  int64_t n = type_count(t) / t->dim[0], side = (int64_t)llround(sqrt((double)n));
  if (n > MOST_SHOWN) return;
  to->n = n;
  to->x = room ? room : NEW_N(a, double, n + 1);
  for (int64_t k = 0; k < n; k++) to->x[k] = tensor_get(x, from->row * n + k);
  if (t->rank == 2 && side * side == n && side >= 8) to->height = to->width = side;
  else if (t->rank >= 3 && n > 1 && t->dim[t->rank - 1] * t->dim[t->rank - 2] == n)
    to->height = t->dim[t->rank - 2], to->width = t->dim[t->rank - 1];
}

/* Of those that are wrong, the surest are kept; of the others the first. */
static void add_sample(Classes *c, const Sample *one, const Tensor *x, Arena *a) {
  if (one->truth == one->given) {
    if (c->n_good < MOST_SAMPLES) take_row(&c->good[c->n_good++], one, x, a);
    return;
  }
  if (c->n_bad < MOST_SAMPLES) {
    take_row(&c->bad[c->n_bad++], one, x, a);
    return;
  }
  uint32_t least = 0;
  for (uint32_t k = 1; k < c->n_bad; k++)
    if (c->bad[k].sure < c->bad[least].sure) least = k;
  if (one->sure > c->bad[least].sure) take_row(&c->bad[least], one, x, a);
}

/* One batch. false: it is no classification. */
static bool add_batch(Classes *c, const Found *f, const Tensor *z, const Tensor *y, const Tensor *x, Arena *a) {
  Kind kind = kind_of(z, y);
  int64_t n = kind == ONE_OF_TWO ? 2 : z->type.dim[z->type.rank - 1], per = kind == ONE_OF_TWO ? 1 : n;
  if (kind == NO_CLASSES || (c->n && c->n != n)) return false;
  int64_t rows = type_count(&z->type) / per;
  if (!c->n) {
    c->n = n;
    c->count = NEW_N(a, int64_t, n * n);
  }
  double half = strstr(f->loss, "logits") || strstr(f->loss, "focal") ? 0 : 0.5;
  for (int64_t k = 0; k < rows; k++) {
    Sample one = {.row = k};
    if (kind == ONE_OF_TWO) {
      double v = tensor_get(z, k), p = half == 0 ? 1 / (1 + exp(-v)) : v;
      one.truth = tensor_get(y, k) != 0;
      one.given = v > half;
      one.sure = one.given ? p : 1 - p;
    } else {
      one.truth = kind == NUMBERS ? (int64_t)tensor_get(y, k) : largest(y, k * n, n);
      one.given = largest(z, k * n, n);
      one.sure = sureness(z, k * n, n, one.given);
    }
    if (one.truth < 0 || one.truth >= n) continue;        /* a row that is left out */
    c->count[one.truth * n + one.given]++;
    c->rows++;
    c->right += one.truth == one.given;
    add_sample(c, &one, x && x->type.dim[0] == rows ? x : NULL, a);
  }
  return true;
}

static bool uses_slot(const Session *s, NodeId loss, SlotId slot, Arena *a) {
  NodeId *ids;
  for (uint32_t k = inspect_below(s->graph, &loss, 1, a, &ids); k-- > 0;) {
    const Node *n = graph_at(s->graph, ids[k]);
    if (n->op == &op_input && (SlotId)n->attr->i[0] == slot) return true;
  }
  return false;
}

static bool add_loss(Session *s, const Trained *t, Arena *a, double until, Classes *c) {
  Found f;
  if (!find(s, t->loss, a, &f)) return false;
  NodeId want[] = {f.z, f.y, f.x};
  bool has_x = f.x != NO_NODE, turns = t->turn != NO_SLOT && uses_slot(s, t->loss, t->turn, a), good = true;
  Again *x = again_values(s, want, has_x ? 3 : 2);
  Tensor *turn = turns ? s->program->slot.at[t->turn].value : NULL;
  Tensor *before = turn ? tensor_from(&s->host, &turn->type, turn->data) : NULL;
  int64_t n = turn && t->count > 0 ? t->count : 1;
  for (int64_t k = 0; k < n && good && c->rows < MOST_ROWS && seconds() < until; k++) {
    if (turn && t->count > 0) *(int32_t *)turn->data = (int32_t)(t->first + k);
    good = again_run(x) &&
           add_batch(c, &f, again_value(x, 0), again_value(x, 1), has_x ? again_value(x, 2) : NULL, a);
  }
  if (before) {
    memcpy(turn->data, before->data, before->bytes);
    tensor_unref(before);
  }
  again_close(x);
  return good;
}

bool report_classes(Session *s, const Trained *t, uint32_t n, Arena *a, Classes *out) {
  double until = seconds() + MOST_SECONDS;
  *out = (Classes){0};
  for (uint32_t k = 0; k < n; k++)
    if (!add_loss(s, &t[k], a, until, out) && !out->rows) return false;
  return out->rows > 0;
}
