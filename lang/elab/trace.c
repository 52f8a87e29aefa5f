/* trace: see trace.h. In: the lists that an entry makes longer, the cells that stood before it. Out: their lengths, and
 * Traces in an arena of their own.
 */
#include "elab/trace.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/names.h"
#include "elab/mark.h"
#include "elab/series.h"
#include "elab/uncalled.h"
#include "steps/table.h"
#include <string.h>

/* A cell as an entry left it. */
typedef struct CellTrace { uint32_t writes; bool frozen, reached, in_loss; } CellTrace;

struct Traces {
  Arena *arena;
  CellTrace *cell;
  uint32_t n_cell;
  int64_t *rows;              /* of each series, as far as they are known */
  uint32_t n_series;
  bool *called;
  uint32_t n_called;
  Counted places;
  bool trains;
  VEC(ToldWarning) told;
};

Sizes trace_sizes(const Session *s) {
  const Elab *e = s->elab;
  Sizes z = {.globals = e->globals->bound.n, .library = e->library->bound.n, .cells = e->made.cells.n,
             .series = e->made.series.n, .modules = e->made.modules.n, .told = s->sources->told.n,
             .sources = s->sources->source.n, .nodes = s->graph->n, .checkpoint = s->run.checkpoint};
  for (uint32_t k = 0; k < e->made.series.n; k++) z.columns += table_columns(e->made.series.at[k]->table);
  return z;
}

bool trace_leaves_nothing(const Session *s, const Sizes *then) {
  Sizes now = trace_sizes(s);
  const Scope *g = s->elab->globals;
  for (uint32_t k = then->globals; k < g->bound.n; k++)
    if (strcmp(g->bound.at[k]->name, "it") != 0) return false;
  return now.library == then->library && now.cells == then->cells && now.series == then->series &&
         now.modules == then->modules && now.columns == then->columns && now.checkpoint == then->checkpoint;
}

void trace_change(Session *s) {
  Elab *e = s->elab;
  sources_change(s->sources);
  graph_change(s->graph);
  if (s->diags) arena_change(s->arena, s->diags, sizeof *s->diags);
  arena_change(s->arena, s->program, sizeof *s->program);
  arena_change(s->arena, e, sizeof *e);
  arena_change(s->arena, e->outermost, sizeof *e->outermost);
  scope_change(e, e->library);
  scope_change(e, e->globals);
  place_change(e);
  for (uint32_t k = 0; k < e->made.series.n; k++) arena_change(s->arena, e->made.series.at[k], sizeof(Series));
}

Traces *traces_new(Session *s, const Sizes *then) {
  Elab *e = s->elab;
  Arena *a = arena_new(&s->host);
  Traces *t = NEW(a, Traces);
  t->arena = a;
  t->n_cell = e->made.cells.n;
  t->cell = NEW_N(a, CellTrace, t->n_cell + 1);
  for (uint32_t k = 0; k < t->n_cell; k++) {
    const Cell *c = e->made.cells.at[k];
    t->cell[k] = (CellTrace){c->writes, c->frozen, c->reached, c->in_loss};
  }
  t->n_series = e->made.series.n;
  t->rows = NEW_N(a, int64_t, t->n_series + 1);
  for (uint32_t k = 0; k < t->n_series; k++) t->rows[k] = e->made.series.at[k]->rows;
  t->n_called = e->called_cap;
  t->called = arena_copy(a, e->called_cap ? e->called : &e->repl, e->called_cap * sizeof *e->called);
  t->places = place_counted(e, a);
  t->trains = e->made.trains;
  for (uint32_t k = then->told; k < s->sources->told.n; k++)
    if (s->sources->told.at[k].source->id < then->sources) vec_push(a, &t->told, s->sources->told.at[k]);
  return t;
}

void traces_keep(Traces *t) { arena_keep(t->arena); }

void traces_back(Session *s, const Traces *t) {
  Elab *e = s->elab;
  for (uint32_t k = 0; k < t->n_cell; k++) {
    Cell *c = e->made.cells.at[k];
    const CellTrace *was = &t->cell[k];
    if (was->writes != c->writes) cell_changed_outside(e, c);
    if (was->writes == c->writes && was->frozen == c->frozen && was->reached == c->reached &&
        was->in_loss == c->in_loss)
      continue;
    cell_change(e, c);
    c->writes = was->writes;
    c->frozen = was->frozen;
    c->reached = was->reached;
    c->in_loss = was->in_loss;
  }
  for (uint32_t k = 0; k < t->n_series; k++) e->made.series.at[k]->rows = t->rows[k];
  called_again(e, t->called, t->n_called);
  place_count(e, &t->places);
  e->made.trains = t->trains;
  for (uint32_t k = 0; k < t->told.n; k++) vec_push(s->arena, &s->sources->told, t->told.at[k]);
}

void traces_free(Traces *t) {
  if (t) arena_free(t->arena);
}
