/* savepoint: see savepoint.h. In: a session. Out: the session at that moment. The few objects that everything hangs on
 * are copied into the arena's journal at once; what hangs on them says itself when it changes.
 */
#include "elab/savepoint.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/names.h"
#include "elab/series.h"
#include "steps/table.h"
#include <string.h>

/* The part of a session that a call changes and that lies in its arena. */
typedef struct Loaded {
  Diags *diags;
  bool only_checks;
  Run run;
} Loaded;

typedef struct Savepoint {
  bool set, later, ran;
  Loaded loaded;
  ProgramMark program;
  TableMark *table;
  Tensor **cell;              /* of each cell; NULL: not held */
  uint32_t n_cell;
} Savepoint;

static Loaded loaded(const Session *s) {
  return (Loaded){s->diags, s->only_checks, s->run};
}

static void load_back(Session *s, const Loaded *l) {
  s->diags = l->diags;
  s->only_checks = l->only_checks;
  s->run = l->run;
}

Savepoint *savepoint_new(Session *s) { return NEW(s->arena, Savepoint); }

void savepoint_set(Session *s) {
  Savepoint *v = s->savepoint;
  Elab *e = s->elab;
  arena_mark(s->arena);
  *v = (Savepoint){.set = true, .loaded = loaded(s), .program = program_mark(s->program),
                   .n_cell = e->made.cells.n};
  sources_change(s->sources);
  graph_change(s->graph);
  if (s->diags) arena_change(s->arena, s->diags, sizeof *s->diags);
  arena_change(s->arena, s->program, sizeof *s->program);
  arena_change(s->arena, e, sizeof *e);
  arena_change(s->arena, e->outermost, sizeof *e->outermost);
  scope_change(e, e->library);
  scope_change(e, e->globals);
  place_change(e);
  for (uint32_t k = 0; k < e->made.series.n; k++)
    arena_change(s->arena, e->made.series.at[k], sizeof(Series));
  v->table = NEW_N(s->arena, TableMark, s->program->table.n + 1);
  for (uint32_t k = 0; k < s->program->table.n; k++) v->table[k] = table_mark(s->program->table.at[k]);
}

void savepoint_hold(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->set || v->cell) return;
  v->cell = NEW_N(s->arena, Tensor *, v->n_cell + 1);
  for (uint32_t k = 0; k < v->n_cell; k++) {
    Tensor *t = s->program->slot.at[s->elab->made.cells.at[k]->slot].value;
    if (t) v->cell[k] = tensor_ref(t);
  }
}

static void release(Savepoint *v) {
  for (uint32_t k = 0; v->cell && k < v->n_cell; k++) tensor_unref(v->cell[k]);
  v->cell = NULL;
}

bool savepoint_keep(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->set || v->later) return false;
  release(v);
  arena_unmark(s->arena);
  v->set = false;
  return true;
}

void savepoint_later(Session *s, bool ran) {
  Savepoint *v = s->savepoint;
  if (!v->set) return;
  v->later = true;
  v->ran = ran;
  if (ran) release(v);
}

static void cells_back(Session *s, Savepoint *v) {
  for (uint32_t k = 0; v->cell && k < v->n_cell; k++)
    if (v->cell[k]) slot_put(s->program, s->elab->made.cells.at[k]->slot, v->cell[k]);
}

void savepoint_settle(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->later) return;
  cells_back(s, v);
  release(v);
  for (uint32_t k = 0; k < v->program.table; k++) table_back(s->program->table.at[k], &v->table[k], !v->ran);
  uint32_t epoch = s->graph->epoch;
  ProgramKept kept = program_cut(s->program, &v->program);
  Loaded l = v->loaded;
  arena_back(s->arena);
  program_put(s->program, &kept);
  if (s->graph->epoch < epoch) s->graph->epoch = epoch;      /* marks that were made since are none */
  load_back(s, &l);
  *v = (Savepoint){.set = false};
}
