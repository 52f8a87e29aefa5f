/* wait: see wait.h. In: a script's statements. Out: the steps of those before the first that must wait, and which that
 * is.
 *
 * What the look ahead did is taken back: names, versions of cells, writes, places, tests, imports. Its nodes stay in
 * the graph and belong to segments that nobody prepares.
 */
#include "elab/wait.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/lint.h"
#include "elab/names.h"
#include "elab/series.h"
#include "elab/stmt.h"
#include "elab/uncalled.h"
#include <string.h>

typedef struct Before {
  uint32_t steps, bound, tests, modules, series, assigned, cells, segment, diags;
  Version **now;              /* by cell */
  int64_t *rows;              /* by series */
  CellWrite *write;           /* of the open segment */
  uint32_t n_write;
  void *places;
  struct ProgressClock *clock;
} Before;

typedef struct Wait {
  Before mark;                  /* before the statement that is being read */
  uint32_t statement;
  bool may;                   /* it is a statement of the script, and the mark is set */
  bool ahead;                 /* we are past the first that waits */
  Loc loc;                    /* what it waits for */
} Wait;

static void mark_set(Elab *e, const Steps *steps, Before *m) {
  const Segment *s = e->p->segment.at[e->g->segment];
  *m = (Before){steps->n, e->globals->bound.n, e->tests.n, e->modules.n, e->series.n, e->assigned.n, e->cells.n,
              e->g->segment, e->d->diag.n, NULL, NULL, NULL, s->write.n, NULL, e->clock};
  m->now = NEW_N(e->a, Version *, e->cells.n + 1);
  for (uint32_t k = 0; k < e->cells.n; k++) m->now[k] = e->cells.at[k]->now;
  m->rows = NEW_N(e->a, int64_t, e->series.n + 1);
  for (uint32_t k = 0; k < e->series.n; k++) m->rows[k] = e->series.at[k]->rows;
  m->write = NEW_N(e->a, CellWrite, s->write.n + 1);
  for (uint32_t k = 0; k < s->write.n; k++) m->write[k] = s->write.at[k];
  m->places = place_keep(e);
}

static bool every(Elab *e, const Bound *b) {
  (void)e, (void)b;
  return true;
}

static void mark_back(Elab *e, Steps *steps, const Before *m) {
  steps->n = m->steps;
  scope_forget(e, e->globals, m->bound, every);
  e->tests.n = m->tests;
  e->modules.n = m->modules;
  e->series.n = e->p->table.n = m->series;
  e->assigned.n = m->assigned;
  e->clock = m->clock;
  for (uint32_t k = 0; k < m->cells; k++) e->cells.at[k]->now = m->now[k];
  for (uint32_t k = m->cells; k < e->cells.n; k++) e->cells.at[k]->now = NULL;
  for (uint32_t k = 0; k < m->series; k++) e->series.at[k]->rows = m->rows[k];
  Segment *s = e->p->segment.at[m->segment];
  s->write.n = m->n_write;
  for (uint32_t k = 0; k < m->n_write; k++) s->write.at[k] = m->write[k];
  e->g->segment = m->segment;
  place_back(e, m->places);
}

bool wait_begin(Elab *e, const Series *s, const Ast *at) {
  Wait *w = e->wait;
  if (w && w->ahead) return true;
  bool before = false;          /* the statement */
  for (uint32_t k = 0; w && w->may && k < w->mark.series && !before; k++)
    before = e->series.at[k] == s && w->mark.rows[k] == ROWS_OF_RUN;
  if (!before) {
    Diag *g = elab_error(e, at, E_SERIES_ROWS);
    diag_note(e->d, g, s->made, "the series was made here; a loop that `break` or a condition ends fills it");
    diag_hint(e->d, g, "read it in a statement of the script behind the one that fills it");
    return false;
  }
  w->ahead = true;
  w->loc = elab_loc(e, at);
  return true;
}

/* What was found ahead may be about the number that stands for the rows: say so. */
static void explain(Elab *e, const Wait *w) {
  const char *number = arena_printf(e->a, "%d", STAND_IN);
  for (uint32_t k = w->mark.diags; k < e->d->diag.n; k++) {
    Diag *g = e->d->diag.at[k];
    bool shown = strstr(g->text, number) != NULL;
    for (uint32_t j = 0; j < g->mark.n; j++) shown |= g->mark.at[j].label && strstr(g->mark.at[j].label, number);
    if (shown) diag_note(e->d, g, w->loc, "the run decides how many rows this has; %s stands for it", number);
  }
}

static uint32_t once(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it) {
  Wait w = {0};
  e->again = false;
  elab_top(e, program->source);
  e->script = program->source;
  series_begin(e);
  uint32_t cells = e->cells.n;
  NodeId nodes = e->g->n;
  Region *top = region_enter(e, REGION_TOP, steps, program);
  *it = v_unit();
  if (from == 0) elab_definitions(e, program);
  e->wait = &w;
  for (uint32_t k = from; k < program->n; k++) {
    if (!w.ahead) {
      w.statement = k;
      w.may = series_of_run(e);
      if (w.may) mark_set(e, steps, &w.mark);
    }
    *it = v_unit();
    elab_stmt(e, program->kid[k], it);
    if (e->here.frame->flow != FLOW_ON) break;
  }
  if (from == 0 && !e->repl) lint_text(e, program->source, cells, nodes);
  e->wait = &(Wait){.ahead = true};        /* for what nobody calls any number of rows will do */
  if (from == 0) elab_uncalled(e, program);
  e->wait = NULL;
  if (w.ahead) {
    explain(e, &w);
    mark_back(e, steps, &w.mark);
  }
  region_leave(e, top);
  return w.ahead ? w.statement : program->n;
}

/* `var n = 0` that is added a float to below was a float from the start: known when all of the text was seen. Then it
 * is elaborated once more; what was made until then is left lying in the graph, where no step leads to it. */
uint32_t elab_program(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it) {
  char here;
  e->stack = &here;
  e->d = e->s->diags;
  if (from == 0) e->widened.n = 0;
  if (!e->here.place) e->here.place = place_root(e);
  void *places = place_keep(e);
  uint32_t names = e->globals->bound.n, cells = e->cells.n, tests = e->tests.n, modules = e->modules.n;
  uint32_t series = e->series.n;
  Diags diags = *e->d;
  struct ProgressClock *clock = e->clock;
  Version **now = NEW_N(e->a, Version *, cells + 1);
  for (uint32_t k = 0; k < cells; k++) now[k] = e->cells.at[k]->now;
  uint32_t rest = once(e, program, from, steps, it);
  for (uint32_t widened = 0; e->again && e->widened.n > widened;) {
    widened = e->widened.n;
    scope_forget(e, e->globals, names, every);
    for (uint32_t k = 0; k < cells; k++) e->cells.at[k]->now = now[k];
    for (uint32_t k = cells; k < e->cells.n; k++) e->cells.at[k]->now = NULL;
    e->tests.n = tests;
    e->modules.n = modules;
    e->series.n = e->p->table.n = series;
    e->assigned.n = 0;
    e->clock = clock;
    e->d->diag.n = diags.diag.n;
    e->d->n_errors = diags.n_errors;
    e->d->n_warnings = diags.n_warnings;
    place_back(e, places);
    steps->n = 0;
    rest = once(e, program, from, steps, it);
  }
  return rest;
}
