/* rows: see rows.h. */
#include "inspect/rows.h"
#include "inspect/inspect.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_GRADIENTS = 256 };     /* rows whose gradient is computed: those with the largest share of the loss */

/* By node below the loss: whether it depends on a parameter; on a tensor that is none. */
typedef struct Reads { bool *parameter, *data; } Reads;

static Reads reads(const Session *s, const NodeId *ids, uint32_t n, Arena *a) {
  Reads d = {NEW_N(a, bool, s->graph->n + 1u), NEW_N(a, bool, s->graph->n + 1u)};
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(s->graph, ids[k]);
    bool input = node->op == &op_input, trained = input && s->program->slot.at[node->attr->i[0]].trained;
    d.parameter[ids[k]] = trained;
    d.data[ids[k]] = !node->n_in && !trained && node->type->rank > 0;
    for (uint32_t j = 0; j < node->n_in; j++) {
      d.parameter[ids[k]] |= d.parameter[node->in[j]];
      d.data[ids[k]] |= d.data[node->in[j]];
    }
  }
  return d;
}

/* From the loss down through numbers: what is summed over rows. The newest that has data in it. */
static NodeId find_rows(const Session *s, const NodeId *ids, uint32_t n, const Reads *d, Arena *a) {
  bool *on_way = NEW_N(a, bool, s->graph->n + 1u);
  on_way[ids[n - 1]] = true;
  for (uint32_t k = n; k-- > 0;) {
    const Node *node = graph_at(s->graph, ids[k]);
    if (!on_way[ids[k]] || node->type->rank) continue;
    for (uint32_t j = 0; j < node->n_in; j++) {
      NodeId in = node->in[j];
      if (!d->parameter[in] || !d->data[in]) continue;
      const Type *t = graph_at(s->graph, in)->type;
      if (t->rank > 0 && t->dim[0] > 1) return in;
      on_way[in] = t->rank == 0;
    }
  }
  return NO_NODE;
}

/* The numbers of the rows in the data, where the batch was gathered from it. */
static NodeId find_numbers(const Session *s, const NodeId *ids, uint32_t n, const Reads *d, int64_t rows) {
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(s->graph, ids[k]);
    if (node->op != &op_gather || d->parameter[ids[k]] || node->attr->i[0] != 0) continue;
    const Type *t = graph_at(s->graph, node->in[1])->type;
    if (t->rank == 1 && t->dim[0] == rows) return node->in[1];
  }
  return NO_NODE;
}

static double dot(const Again *x, const Tensor *const *with, uint32_t n) {
  double sum = 0;
  for (uint32_t k = 0; k < n; k++)
    for (int64_t j = 0, m = type_count(&with[k]->type); j < m; j++)
      sum += tensor_get(again_value(x, k), j) * tensor_get(with[k], j);
  return sum;
}

static int by_loss(const void *a, const void *b) {
  double x = fabs(((const RowShare *)a)->loss), y = fabs(((const RowShare *)b)->loss);
  return isnan(x) ? -1 : isnan(y) ? 1 : (x < y) - (x > y);
}

/* The gradient of each row alone, beside that of all. */
static void share_gradients(Session *s, Rows *r, const Tensor *weight, const SlotId *slot, uint32_t n, Arena *a) {
  Tensor *by;
  Again *x = again_weighted(s, r->each, slot, n, &by);
  int64_t per = type_count(&weight->type) / r->n;
  const Tensor **all = NEW_N(a, const Tensor *, n + 1u);
  for (int64_t k = 0; k < per * r->n; k++) tensor_set(by, k, tensor_get(weight, k));
  bool ok = again_run(x);
  for (uint32_t k = 0; ok && k < n; k++) {
    Tensor *t = tensor_from(&s->host, &again_value(x, k)->type, again_value(x, k)->data);
    tensor_hold(a, t);
    tensor_unref(t);
    all[k] = t;
  }
  double whole = ok ? dot(x, all, n) : 0;
  for (int64_t i = 0; ok && whole > 0 && i < r->n && i < MOST_GRADIENTS; i++) {
    int64_t row = r->at[i].row;
    for (int64_t k = 0; k < per * r->n; k++) tensor_set(by, k, k / per == row ? tensor_get(weight, k) : 0);
    if (again_run(x)) r->at[i].gradient = dot(x, all, n) / whole;
  }
  again_close(x);
}

static uint32_t parameters(const Session *s, const NodeId *ids, uint32_t n, SlotId *out) {
  uint32_t count = 0;
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(s->graph, ids[k]);
    SlotId slot = node->op == &op_input ? (SlotId)node->attr->i[0] : NO_SLOT;
    bool there = slot == NO_SLOT || !s->program->slot.at[slot].trained;
    for (uint32_t j = 0; j < count && !there; j++) there = out[j] == slot;
    if (!there) out[count++] = slot;
  }
  return count;
}

bool rows_share(Session *s, NodeId loss, Arena *a, Rows *out, const char **why) {
  NodeId *ids;
  uint32_t n = inspect_below(s->graph, &loss, 1, a, &ids);
  Reads d = reads(s, ids, n, a);
  NodeId each = find_rows(s, ids, n, &d, a);
  *why = "its loss is no sum or mean over rows";
  if (each == NO_NODE) return false;
  *out = (Rows){.each = each, .n = graph_at(s->graph, each)->type->dim[0]};
  NodeId numbers = find_numbers(s, ids, n, &d, out->n), want[] = {loss, each, numbers};
  Again *x = again_values(s, want, numbers == NO_NODE ? 2 : 3), *g = again_by(s, loss, each);
  bool ok = again_run(x) && again_run(g);
  *why = "an operation has no result for these values";
  if (ok) {
    const Tensor *value = again_value(x, 1), *adjoint = again_value(g, 0);
    int64_t per = type_count(&value->type) / out->n;
    double all = 0;
    out->loss = tensor_get(again_value(x, 0), 0);
    out->at = NEW_N(a, RowShare, out->n + 1);
    for (int64_t k = 0; k < out->n; k++) {
      RowShare *r = &out->at[k];
      *r = (RowShare){.row = k, .source = -1, .gradient = NAN};
      if (numbers != NO_NODE) r->source = (int64_t)tensor_get(again_value(x, 2), k);
      for (int64_t j = 0; j < per; j++) r->loss += tensor_get(value, k * per + j) * tensor_get(adjoint, k * per + j);
      all += r->loss;
    }
    for (int64_t k = 0; k < out->n; k++) out->at[k].loss /= all;
    qsort(out->at, (size_t)out->n, sizeof *out->at, by_loss);
    SlotId *slot = NEW_N(a, SlotId, n + 1u);
    share_gradients(s, out, adjoint, slot, parameters(s, ids, n, slot), a);
  }
  again_close(x);
  again_close(g);
  return ok;
}
