/* report: see report.h. Here is what is kept of a run; the page is written in report_page.c. */
#include "tool/report.h"
#include "steps/machine.h"
#include "steps/table.h"
#include <math.h>
#include <string.h>

enum { MOST_POINTS = 1024, MOST_CURVES = 64, MOST_PRINTED = 1 << 16 };
static const char of_steps[1], of_epochs[1];

/* ---- curves ---- */

static Curve *curve_for(Report *r, const void *of, const char *group, const char *name, const char *x_label) {
  for (uint32_t k = 0; k < r->curve.n; k++)
    if (r->curve.at[k].of == of && !strcmp(r->curve.at[k].name, name)) return &r->curve.at[k];
  if (r->curve.n == MOST_CURVES) return NULL;
  vec_push(r->a, &r->curve, (Curve){.of = of, .group = group ? arena_text(r->a, group, strlen(group)) : "series",
                                    .name = arena_text(r->a, name, strlen(name)), .x_label = x_label, .stride = 1,
                                    .x = NEW_N(r->a, double, MOST_POINTS), .y = NEW_N(r->a, double, MOST_POINTS)});
  return &r->curve.at[r->curve.n - 1];
}

/* Of too many points every second goes. */
static void add_point(Curve *c, double x, double y) {
  if (!c || c->seen++ % c->stride) return;
  if (c->n == MOST_POINTS) {
    c->n /= 2;
    c->stride *= 2;
    for (uint32_t k = 0; k < c->n; k++) c->x[k] = c->x[2 * k], c->y[k] = c->y[2 * k];
    if ((c->seen - 1) % c->stride) return;
  }
  c->x[c->n] = x;
  c->y[c->n++] = y;
}

static void add_values(Report *r, const void *of, const char *group, const char *x_label, double x, const Event *e) {
  for (uint32_t k = 0; k < e->n; k++) {
    if (e->value[k]->type.rank) continue;
    add_point(curve_for(r, of, group, e->label[k], x_label), x, tensor_get(e->value[k], 0));
  }
}

/* A column that only counts is the axis of the others. */
static void add_row(Report *r, const Session *s, const Event *e) {
  double x = (double)table_rows(e->table);
  const char *label = "row";
  Event rest = *e;
  if (e->n > 1 && !e->value[0]->type.rank && (!strcmp(e->label[0], "epoch") || !strcmp(e->label[0], "step"))) {
    x = tensor_get(e->value[0], 0);
    label = strcmp(e->label[0], "epoch") ? "step" : "epoch";
    rest.label++, rest.value++, rest.n--;
  }
  r->any_rows = true;
  add_values(r, e->table, series_name(s, e->table), label, x, &rest);
}

/* ---- histograms ---- */

static void fill(Histogram *h, const Tensor *t) {
  double low = INFINITY, high = -INFINITY, squares = 0;
  int64_t n = type_count(&t->type);
  *h = (Histogram){.filled = true};
  for (int64_t k = 0; k < n; k++) {
    double v = tensor_get(t, k);
    if (!isfinite(v)) {
      h->odd++;
      continue;
    }
    low = fmin(low, v);
    high = fmax(high, v);
    squares += v * v;
  }
  if (h->odd == n) low = high = 0;
  h->low = low;
  h->high = high;
  h->norm = sqrt(squares);
  double width = (high - low) / BINS;
  for (int64_t k = 0; k < n; k++) {
    double v = tensor_get(t, k);
    if (isfinite(v)) h->bin[width > 0 && v < high ? (int)fmin((v - low) / width, BINS - 1) : v < high ? 0 : BINS - 1]++;
  }
}

/* Of too many shots every second goes. */
static Shot *next_shot(Report *r) {
  if (r->n_shot == MOST_SHOTS) {
    for (uint32_t k = 0; k < MOST_SHOTS / 2; k++) {
      Shot gone = r->shot[k];
      r->shot[k] = r->shot[2 * k + 1];
      r->shot[2 * k + 1] = gone;
    }
    r->n_shot = MOST_SHOTS / 2;
    r->every *= 2;
  }
  Shot *shot = &r->shot[r->n_shot++];
  if (!shot->weight) {
    shot->weight = NEW_N(r->a, Histogram, MOST_PARAMETERS);
    shot->gradient = NEW_N(r->a, Histogram, MOST_PARAMETERS);
  }
  memset(shot->gradient, 0, MOST_PARAMETERS * sizeof *shot->gradient);
  return shot;
}

static int parameter_of(const Report *r, SlotId slot) {
  for (uint32_t k = 0; k < r->n_parameter; k++)
    if (r->parameter[k] == slot) return (int)k;
  return -1;
}

static void take_gradients(Report *r, Session *s, Trained *t, Shot *shot) {
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) return;
  if (!t->gradients) t->gradients = again_gradients(s, t->loss, t->slot, t->n);
  if (again_run(t->gradients))
    for (uint32_t k = 0; k < t->n; k++) {
      int at = parameter_of(r, t->slot[k]);
      if (at >= 0) fill(&shot->gradient[at], again_value(t->gradients, k));
    }
  host_leave(&s->host, &g);
}

static void take_shot(Report *r, Session *s) {
  if (!r->n_parameter) return;
  double at = r->by_epoch ? (double)r->epoch : (double)r->steps;      /* an epoch that was interrupted is none */
  if (r->n_shot && r->shot[r->n_shot - 1].at == at) return;
  Shot *shot = next_shot(r);
  shot->at = at;
  shot->when = r->by_epoch ? "epoch" : "step";
  for (uint32_t k = 0; k < r->n_parameter; k++) {
    const Slot *slot = &s->program->slot.at[r->parameter[k]];
    if (slot->value) fill(&shot->weight[k], slot->value);
  }
  for (uint32_t k = 0; k < r->trained.n; k++)
    if (r->trained.at[k].step == r->steps) take_gradients(r, s, &r->trained.at[k], shot);
  r->since = 0;
}

/* ---- what is trained ---- */

static void add_parameters(Report *r, const Session *s, Trained *t) {
  t->slot = NEW_N(r->a, SlotId, t->segment->write.n + 1u);
  for (uint32_t k = 0; k < t->segment->write.n; k++) {
    SlotId id = t->segment->write.at[k].cell;
    const Slot *slot = &s->program->slot.at[id];
    if (!slot->trained || !dtype_is_float((DType)slot->type.dtype) || !type_count(&slot->type)) continue;
    t->slot[t->n++] = id;
    if (parameter_of(r, id) >= 0) continue;
    if (r->n_parameter == MOST_PARAMETERS) r->more_parameters++;
    else r->parameter[r->n_parameter++] = id;
  }
}

/* The innermost loop around the segment, and which of its turns have this body. */
static void note_loop(Trained *t, const Session *s) {
  const Position *p = machine_position(s);
  t->turn = NO_SLOT;
  for (uint32_t k = p->frame.n; k-- > 0 && t->turn == NO_SLOT;) {
    const Frame *f = &p->frame.at[k];
    if (!f->step || f->step->kind != STEP_LOOP) continue;
    t->turn = f->step->turn;
    t->first = f->turn - f->turn_in_piece;
    t->count = f->step->piece.at[f->piece].count;
    if (t->count < 0) t->count = f->count;
  }
}

static void note_trained(Report *r, const Session *s, const Event *e) {
  enum { MOST = 8 };
  const Segment *g = e->segment;
  for (uint32_t k = 0; k < r->trained.n; k++)
    if (r->trained.at[k].segment == g) {
      r->trained.at[k].step = r->steps;
      return;
    }
  if (r->trained.n >= MOST || (!g->loss.n && !g->target.n)) return;
  Trained t = {.segment = g, .step = r->steps};
  t.loss = g->loss.n ? g->loss.at[g->loss.n - 1] : g->target.at[g->target.n - 1];
  const Type *type = graph_at(s->graph, t.loss)->type;
  if (type->rank || !dtype_is_float((DType)type->dtype)) return;
  add_parameters(r, s, &t);
  note_loop(&t, s);
  vec_push(r->a, &r->trained, t);
}

static void take_step(Report *r, Session *s, const Event *e) {
  bool begins = step_begins(&r->last, s);
  r->steps += begins;
  note_trained(r, s, e);
  if (!begins) return;
  for (uint32_t k = 0; k < e->n; k++)
    if (!e->value[k]->type.rank)
      add_point(curve_for(r, of_steps, "steps", k ? "second loss" : "loss", "step"), (double)r->steps,
                tensor_get(e->value[k], 0));
  if (!r->by_epoch && ++r->since >= r->every) take_shot(r, s);
}

static void take_print(Report *r, const Event *e) {
  if (r->printed.n + e->length + 1 > MOST_PRINTED) {
    r->cut = true;
    return;
  }
  text_add_n(&r->printed, e->text, e->length);
  text_add(&r->printed, "\n");
}

void report_end(Report *r, Session *s) {
  if (r->steps) take_shot(r, s);
}

void report_close(Report *r) {
  for (uint32_t k = 0; k < r->trained.n; k++) again_close(r->trained.at[k].gradients);
}

void report_event(Report *r, Session *s, const Event *e) {
  if (!r->every) r->every = 1;
  switch (e->kind) {
  case EVENT_STEP: take_step(r, s, e); break;
  case EVENT_ROW: add_row(r, s, e); break;
  case EVENT_BEGIN:
    r->by_epoch = true;
    break;
  case EVENT_EPOCH:
    r->epoch++;
    add_values(r, of_epochs, "epochs", "epoch", (double)r->epoch, e);
    if (r->by_epoch && ++r->since >= r->every) take_shot(r, s);
    break;
  case EVENT_PRINT: take_print(r, e); break;
  case EVENT_BATCH: case EVENT_CHECKPOINT: break;
  }
}
