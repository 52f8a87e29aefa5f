/* wait: see wait.h. In: a script's statements. Out: the steps of those before the first that must wait, or of as many
 * as make a part, and which the next one is.
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
#include "elab/stretch.h"
#include "elab/uncalled.h"
#include "elab/version.h"
#include <string.h>

enum { PART_NODES = 1 << 15, PART_LEAST = PART_NODES / 16 };

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

/* A text that is read from its first statement, and how much there was before it. */
typedef struct Checked { uint32_t cells; NodeId nodes; } Checked;

/* The end of a text that is checked: what nobody calls, and what all of it shows. */
static void check_end(Elab *e, const Ast *program, const Checked *all) {
  if (!e->repl) lint_text(e, program->source, all->cells, all->nodes);
  e->wait = &(Wait){.ahead = true};        /* for what nobody calls any number of rows will do */
  elab_uncalled(e, program);
}

/* Whether a statement leaves something that has a name. */
static bool leaves(const Ast *stmt) {
  return !(stmt->kind == A_EXPR || stmt->kind == A_ASSIGN || stmt->kind == A_PRINT || stmt->kind == A_ASSERT ||
           stmt->kind == A_FOR || stmt->kind == A_WHILE);
}

/* Whether a part of so many nodes may end before a statement: it is large, or (behind the first part) what comes next
 * stays and it goes, or the other way round. */
static bool part_ends(const Ast *next, uint32_t nodes, bool first, bool stays) {
  return nodes > PART_NODES || (nodes > PART_LEAST && !first && leaves(next) != stays);
}

/* From statement `from` to the end, to the first that waits for the run (*waits), or, if it may end there, to where it
 * is large. all: the text ends to be checked with it. */
static uint32_t part(Elab *e, const Ast *program, uint32_t from, Reading *how, const Checked *all, Steps *steps,
                     Value *it, bool *waits) {
  Wait w = {0};
  elab_top(e, program->source);
  Region *top = region_enter(e, REGION_TOP, steps, program);
  NodeId first = e->g->n;
  *it = v_unit();
  if (from == 0) elab_definitions(e, program);
  for (uint32_t j = 0; from > 0 && j < e->made.cells.n; j++)
    if (version_open(e, e->made.cells.at[j])) cell_go_on(e, e->made.cells.at[j]);
  e->wait = &w;
  bool stays = false, passes = true;
  uint32_t k = from;
  for (; k < program->n; k++) {
    const Ast *stmt = program->kid[k];
    if (how->parts && !w.ahead && k > from && part_ends(stmt, e->g->n - first, from == 0, stays)) break;
    stays |= leaves(stmt);
    passes &= stmt->kind != A_GRADIENT;      /* it changes a function that has a name */
    if (!w.ahead) {
      w.statement = k;
      if (w.mark) mark_drop(e, w.mark);
      w.mark = series_of_run(e) ? mark_set(e) : NULL;
      w.diags = e->d->diag.n;
    }
    *it = v_unit();
    if (e->made.too_much) e->made.known = 0;
    e->made.too_much = false;
    e->doing = elab_loc(e, stmt);
    elab_stmt(e, stmt, it);
    if (e->here.frame->flow != FLOW_ON) k = program->n - 1;
  }
  if (k == program->n && all) check_end(e, program, all);
  e->wait = NULL;
  if (w.ahead) {
    explain(e, &w);
    mark_back(e, w.mark);
    k = w.statement;
  }
  if (w.mark) mark_drop(e, w.mark);
  how->passes = passes && version_closed(e, top);
  region_leave(e, top);
  *waits = w.ahead;
  return k;
}

/* What follows a large part is checked before that runs, part by part: of one that leaves nothing, nothing stays. */
static void look_ahead(Elab *e, const Ast *program, uint32_t from, const Checked *all) {
  Stretch *whole = stretch_begin(e->s);
  Reading how = {.parts = true};
  bool waits = false;
  while (from < program->n && !waits) {
    Value it;
    Stretch *one = stretch_begin(e->s);
    NodeId nodes = e->g->n;
    from = part(e, program, from, &how, all, NEW(e->a, Steps), &it, &waits);
    if (all && from < program->n) lint_layers(e, program->source, nodes);
    stretch_end(e->s, one, how.passes);
  }
  stretch_back(e->s, whole);
}

static uint32_t once(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it, Reading *how) {
  Checked all = {e->made.cells.n, e->g->n};
  bool waits, checked = how->checked;
  e->again = false;
  e->script = program->source;
  series_begin(e);
  const Checked *ends = from == 0 ? &all : NULL;
  uint32_t rest = part(e, program, from, how, ends, steps, it, &waits);
  if (rest < program->n && !waits && !checked) look_ahead(e, program, rest, ends);
  how->checked = !waits;
  return rest;
}

/* `var n = 0` that is added a float to below was a float from the start, and what was read before a loop that changes
 * it is a constant in it: known when all of the text was seen. Then it is elaborated once more; what was made until
 * then is left lying in the graph, where no step leads to it. */
uint32_t elab_program(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it, Reading *how) {
  e->d = e->s->diags;
  if (from == 0) e->widened.n = e->turned.n = e->made.known = 0;
  if (!e->here.place) e->here.place = place_root(e);
  ElabMark *mark = mark_set(e);
  Diags diags = *e->d;
  const Reading wanted = *how;
  uint32_t rest = once(e, program, from, steps, it, how);
  for (uint32_t known = 0; e->again && e->widened.n + e->turned.n > known;) {
    known = e->widened.n + e->turned.n;
    mark_back(e, mark);
    e->d->diag.n = diags.diag.n;
    e->d->n_errors = diags.n_errors;
    e->d->n_warnings = diags.n_warnings;
    steps->n = 0;
    *how = wanted;
    rest = once(e, program, from, steps, it, how);
  }
  mark_drop(e, mark);
  return rest;
}
