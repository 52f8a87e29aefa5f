/* repl_spike: `:blame spike [N]`: the step whose loss jumped, or step N, and the rows of its batch by their share of
 * its loss and gradient. In: the script's run. Out: lines; the session stays as it is.
 */
#include "inspect/rows.h"
#include "steps/turns.h"
#include "tool/replay.h"
#include "tool/repl_inspect.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEFORE = 20, FEWEST = 3, MOST_ROWS_SHOWN = 5 };
static const double STANDS_OUT = 6;            /* times what losses differ by before it */

typedef struct Losses { Repl *r; StepTurns last; VEC(double) at; } Losses;

/* The first loss of each step. */
static void hear(void *to, Session *s, const Event *e) {
  Losses *l = to;
  if (e->kind != EVENT_STEP || !step_begins(&l->last, s)) return;
  vec_push(l->r->a, &l->at, e->n && !e->value[0]->type.rank ? tensor_get(e->value[0], 0) : 0);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, uint32_t n) {
  qsort(v, n, sizeof *v, by_value);
  return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* How far loss k stands out of those before it, in units of what they differ by. */
static double stands_out(const Losses *l, uint32_t k, double *usual) {
  double v[BEFORE];
  uint32_t n = 0;
  for (uint32_t j = k > BEFORE ? k - BEFORE : 0; j < k; j++) v[n++] = l->at.at[j];
  if (n < FEWEST) return 0;
  double m = *usual = median(v, n);
  for (uint32_t j = 0; j < n; j++) v[j] = fabs(v[j] - m);
  double scale = median(v, n) + 0.02 * fabs(m) + 1e-30;
  return isfinite(l->at.at[k]) ? (l->at.at[k] - m) / scale : INFINITY;
}

/* The step, from 1, whose loss stands out most; 0: none does. */
static int64_t find_spike(const Losses *l, double *usual) {
  int64_t best = 0;
  double most = STANDS_OUT, m = 0;
  for (uint32_t k = 0; k < l->at.n; k++) {
    double by = stands_out(l, k, &m);
    if (by <= most) continue;
    best = (int64_t)k + 1;
    most = by;
    *usual = m;
    if (isinf(by)) return best;
  }
  return best;
}

static const char *percent(Arena *a, double share) {
  return isnan(share) ? "" : arena_printf(a, "%.1f %%", fabs(share) < 0.0005 ? 0 : 100 * share);
}

static void show_rows(Repl *r, const Session *s, const Rows *rows) {
  out_text(r->c, diag_excerpt(s->diags, own_loc(s->diags, graph_at(s->graph, rows->each)->loc), r->a,
                              &(RenderOptions){.color = r->c->color}));
  out_printf(r->c, "  %8s  %10s  %10s  %11s\n", "row", rows->at[0].source < 0 ? "" : "of the data", "of the loss",
             "of gradient");
  for (int64_t k = 0; k < rows->n && k < MOST_ROWS_SHOWN; k++) {
    const RowShare *x = &rows->at[k];
    out_printf(r->c, "  %8lld  %10s  %10s  %11s\n", (long long)x->row,
               x->source < 0 ? "" : arena_printf(r->a, "%lld", (long long)x->source), percent(r->a, x->loss),
               percent(r->a, x->gradient));
  }
  if (rows->n > MOST_ROWS_SHOWN) out_printf(r->c, "  and %lld more rows\n", (long long)(rows->n - MOST_ROWS_SHOWN));
}

/* The loss of the step before which a session stands. */
static NodeId loss_of_step(const Session *s) {
  const Frame *f = &s->run.position.frame.at[s->run.position.frame.n - 1];
  const Segment *g = s->program->segment.at[f->block->at[f->at]->segment];
  return g->loss.n ? g->loss.at[0] : g->target.n ? g->target.at[0] : NO_NODE;
}

/* What is computed lies in the memory of the session that stands there. */
static void show_step(Repl *r, Session *s, int64_t step) {
  Rows rows;
  Guard g;
  const char *volatile why = "out of memory";
  volatile bool told = false;
  if (HOST_GUARD(&s->host, &g)) {
    Arena *a = arena_new(&s->host);
    if (rows_share(s, loss_of_step(s), a, &rows, (const char **)(uintptr_t)&why)) {
      out_printf(r->c, "step %lld, whose loss is %s: its rows\n", (long long)step, number_text(a, rows.loss));
      show_rows(r, s, &rows);
      out_printf(r->c, "`:at %lld` goes to the moment before it\n", (long long)step - 1);
      told = true;
    }
    arena_free(a);
    host_leave(&s->host, &g);
    if (told) return;
  }
  err_printf(r->c, "entry %d: the rows of step %lld cannot be told apart: %s\n", r->entry, (long long)step, why);
}

static void blame_step(Repl *r, int64_t step) {
  Replay p;
  if (!replay_run(r, &(ReplayAsk){.until = step - 1}, &p)) return;
  if (!p.stopped) {
    err_printf(r->c, "entry %d: the run has %lld step%s\n", r->entry, (long long)p.steps, p.steps == 1 ? "" : "s");
  } else if (loss_of_step(p.s) == NO_NODE) {
    err_printf(r->c, "entry %d: step %lld moves parameters by no gradient of one number\n", r->entry, (long long)step);
  } else {
    show_step(r, p.s, step);
  }
  replay_close(&p);
}

bool blame_spike(Repl *r, const char *rest) {
  Replay p;
  Losses l = {.r = r};
  int64_t step;
  double usual = 0;
  if (*rest) {
    if (parse_count(rest, 1, INT64_MAX - 1, &step)) blame_step(r, step);
    else err_printf(r->c, "entry %d: :blame spike wants a step, from 1, or nothing\n", r->entry);
    return true;
  }
  if (!replay_run(r, &(ReplayAsk){.until = INT64_MAX, .heard = hear, .to = &l}, &p)) return true;
  replay_close(&p);
  step = find_spike(&l, &usual);
  if (!step) {
    out_printf(r->c, "no loss of the %u steps stands out; `:blame spike N` looks at step N\n", l.at.n);
    return true;
  }
  out_printf(r->c, "the loss of step %lld stands out: %s, where it was %s before\n", (long long)step,
             number_text(r->a, l.at.at[step - 1]), number_text(r->a, usual));
  blame_step(r, step);
  return true;
}
