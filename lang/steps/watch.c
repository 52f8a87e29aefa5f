/* watch: see watch.h. */
#include "steps/watch.h"
#include "steps/blame.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* Below it nothing is about to end; from there on a few steps are held each time the largest grows tenfold. */
enum { LARGE = 10000, HELD_STEPS = 4 };

static double first_number(const Watched *w, const void *data) {
  return w->wide ? *(const double *)data : (double)*(const float *)data;
}

/* The innermost loops first: which turn each is in, counted from 1. */
static void note_turns(Session *s, Diag *g) {
  const Position *p = &s->run.position;
  for (uint32_t k = p->frame.n; k-- > 0;) {
    const Frame *f = &p->frame.at[k];
    if (!f->step || (f->step->kind != STEP_LOOP && f->step->kind != STEP_WHILE)) continue;
    if (own_loc(s->diags, f->step->loc) != f->step->loc) continue;      /* a loop of the library */
    diag_note(s->diags, g, f->step->loc, "in turn %lld of this loop", (long long)f->turn + 1);
  }
}

static bool tell(Session *s, Diag *g) {
  s->watch.told = true;
  if (s->diags->n_errors) return false;
  if (s->config.warned && s->diags->diag.n && s->diags->diag.at[s->diags->diag.n - 1] == g)
    s->config.warned(s->config.to, s);
  return true;
}

static const char *name_of(const Slot *slot) { return slot->path ? slot->path : "a parameter"; }

static Loc moved_at(const Session *s, const Segment *g, SlotId slot) {
  for (uint32_t k = 0; k < g->save.n; k++)
    if (g->save.at[k].slot == slot) return graph_at(s->graph, g->save.at[k].node)->loc;
  for (uint32_t k = g->write.n; k-- > 0;)
    if (g->write.at[k].cell == slot) return graph_at(s->graph, g->write.at[k].node)->loc;
  return s->program->slot.at[slot].loc;
}

/* This step made parameter w what is no number. */
static bool ended(Session *s, const Segment *g, const Watched *w, Tensor *const *before) {
  const Binding *b;
  plan_bindings(g->plan, &b);
  SlotId id = b[w->binding].slot;
  const Slot *slot = &s->program->slot.at[id];
  const char *what = w->loss ? "the loss of this step" : arena_printf(s->diags->arena, "this step of `%s`",
                                                                      name_of(slot));
  uint32_t n = s->diags->diag.n;
  Loc found = before ? blame_warning(s, g, before) : 0;
  Diag *d = found && s->diags->diag.n > n ? s->diags->diag.at[n] : NULL;
  if (!d) {
    bool nan = isnan(first_number(w, g->data[w->binding]));
    d = diag_at(s->diags, moved_at(s, g, id), E_NOT_FINITE, what, nan ? "NaN" : "infinite");
    diag_hint(s->diags, d, "`--check-numbers` stops at the expression that made it");
  }
  note_turns(s, d);
  if (!w->loss) diag_note(s->diags, d, 0, "`%s` is no number from then on", name_of(slot));
  return tell(s, d);
}

static void set_limits(Watch *w, double large) {
  float narrow = (float)(large < FLT_MAX ? large : FLT_MAX);
  uint64_t wide;
  w->large = large < DBL_MAX ? large : DBL_MAX;
  memcpy(&w->limit[0], &narrow, sizeof narrow);
  memcpy(&wide, &w->large, sizeof wide);
  w->limit[1] = (uint32_t)(wide >> 32);
}

/* A parameter has grown, or is no number, or the step was held. */
bool watch_look(Session *s, const Segment *g, Tensor *const *before) {
  const Binding *b;
  double most = LARGE;
  if (!g->n_watch) return true;
  plan_bindings(g->plan, &b);
  for (uint32_t k = 0; k < g->n_watch; k++) {
    const Watched *w = &g->watch[k];
    const void *data = g->data[w->binding];
    double v = fabs(first_number(w, data));
    if (before ? numbers_bad(&b[w->binding].type, data) : !isfinite(v)) return ended(s, g, w, before);
    if (v > most) most = v;
  }
  if (s->watch.held > 0) s->watch.held--;
  if (most > s->watch.large) {
    if (s->watch.large > 0) s->watch.held = HELD_STEPS;
    set_limits(&s->watch, most > LARGE ? 10 * most : LARGE);
  }
  return true;
}

bool watch_end(Session *s) {
  if (!s->watch.moved) return true;
  s->watch.moved = false;
  for (uint32_t k = 0; k < s->program->slot.n; k++) {
    const Slot *slot = &s->program->slot.at[k];
    if (!slot->trained || !slot->value || !numbers_bad(&slot->type, slot->value->data)) continue;
    if (s->watch.told) return true;
    Diag *d = diag_at(s->diags, slot->loc, E_NOT_FINITE, arena_printf(s->diags->arena, "a step of `%s`", name_of(slot)),
                      "NaN or infinite");
    diag_hint(s->diags, d, "`--check-numbers` stops at the expression that made it");
    return tell(s, d);
  }
  s->watch.told = false;
  return true;
}
