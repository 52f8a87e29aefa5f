/* wait: see wait.h. In: a script's statements. Out: the steps of those before the first that must wait, and which that
 * is.
 *
 * What the look ahead did is taken back (mark.h).
 */
#include "elab/wait.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/lint.h"
#include "elab/mark.h"
#include "elab/series.h"
#include "elab/stmt.h"
#include "elab/uncalled.h"
#include <string.h>

typedef struct Wait {
  ElabMark *mark;             /* before the statement that is being read; NULL: it waits for nothing */
  uint32_t diags;             /* how many there were then */
  uint32_t statement;
  bool ahead;                 /* we are past the first that waits */
  Loc loc;                    /* what it waits for */
} Wait;

bool wait_begin(Elab *e, const Series *s, const Ast *at) {
  Wait *w = e->wait;
  if (w && w->ahead) return true;
  if (!w || !w->mark || !mark_had_rows(w->mark, s)) {
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
  for (uint32_t k = w->diags; k < e->d->diag.n; k++) {
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
  uint32_t cells = e->made.cells.n;
  NodeId nodes = e->g->n;
  Region *top = region_enter(e, REGION_TOP, steps, program);
  *it = v_unit();
  if (from == 0) elab_definitions(e, program);
  e->wait = &w;
  for (uint32_t k = from; k < program->n; k++) {
    if (!w.ahead) {
      w.statement = k;
      if (w.mark) mark_drop(e, w.mark);
      w.mark = series_of_run(e) ? mark_set(e) : NULL;
      w.diags = e->d->diag.n;
    }
    *it = v_unit();
    if (e->made.too_much) e->made.known = 0;
    e->made.too_much = false;
    e->doing = elab_loc(e, program->kid[k]);
    elab_stmt(e, program->kid[k], it);
    if (e->here.frame->flow != FLOW_ON) break;
  }
  if (from == 0 && !e->repl) lint_text(e, program->source, cells, nodes);
  e->wait = &(Wait){.ahead = true};        /* for what nobody calls any number of rows will do */
  if (from == 0) elab_uncalled(e, program);
  e->wait = NULL;
  if (w.ahead) {
    explain(e, &w);
    mark_back(e, w.mark);
  }
  if (w.mark) mark_drop(e, w.mark);
  region_leave(e, top);
  return w.ahead ? w.statement : program->n;
}

/* `var n = 0` that is added a float to below was a float from the start, and what was read before a loop that changes
 * it is a constant in it: known when all of the text was seen. Then it is elaborated once more; what was made until
 * then is left lying in the graph, where no step leads to it. */
uint32_t elab_program(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it) {
  e->d = e->s->diags;
  if (from == 0) e->widened.n = e->turned.n = e->made.known = 0;
  if (!e->here.place) e->here.place = place_root(e);
  ElabMark *mark = mark_set(e);
  Diags diags = *e->d;
  uint32_t rest = once(e, program, from, steps, it);
  for (uint32_t known = 0; e->again && e->widened.n + e->turned.n > known;) {
    known = e->widened.n + e->turned.n;
    mark_back(e, mark);
    e->d->diag.n = diags.diag.n;
    e->d->n_errors = diags.n_errors;
    e->d->n_warnings = diags.n_warnings;
    steps->n = 0;
    rest = once(e, program, from, steps, it);
  }
  mark_drop(e, mark);
  return rest;
}
