/* savepoint: see savepoint.h. In: a session. Out: the session at that moment. The few objects that everything hangs on
 * are copied into the arena's journal at once; what hangs on them says itself when it changes.
 *
 * What an entry that passes has changed for good stands in Traces, outside of the session's arena: it is put back as
 * the next savepoint is set.
 */
#include "elab/savepoint.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/trace.h"
#include "steps/table.h"

/* The part of a session that a call changes and that lies in its arena. */
typedef struct Loaded {
  Diags *diags;
  bool only_checks;
  Run run;
} Loaded;

typedef struct Savepoint {
  bool set, open, later, ran; /* open: the call goes on that it was set for */
  bool passing;
  Traces *next, *traces;      /* of the entry that is read; of the one that passed */
  Sizes sizes;
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

/* ---- what stays of an entry that passes ---- */
static void drop(Traces **t) {
  traces_free(*t);
  *t = NULL;
}

void savepoint_end(Session *s) {
  drop(&s->savepoint->next);
  drop(&s->savepoint->traces);
}

void savepoint_note(Session *s) {
  Savepoint *v = s->savepoint;
  drop(&v->next);
  if (!trace_leaves_nothing(s, &v->sizes)) return;
  v->next = traces_new(s, &v->sizes);
  traces_keep(v->next);
}

static void put_traces(Session *s) {
  if (s->savepoint->traces) traces_back(s, s->savepoint->traces);
  drop(&s->savepoint->traces);
}

/* ---- a call ---- */
static void mark_tables(Session *s, Savepoint *v) {
  for (uint32_t k = 0; k < v->program.table; k++) v->table[k] = table_mark(s->program->table.at[k]);
}

void savepoint_set(Session *s) {
  Savepoint *v = s->savepoint;
  Elab *e = s->elab;
  if (v->passing) return;
  put_traces(s);
  arena_mark(s->arena);
  *v = (Savepoint){.set = true, .open = true, .sizes = trace_sizes(s), .loaded = loaded(s),
                   .program = program_mark(s->program), .n_cell = e->made.cells.n};
  trace_change(s);
  v->table = NEW_N(s->arena, TableMark, s->program->table.n + 1);
  mark_tables(s, v);
}

void savepoint_hold(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->open || v->cell) return;
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
  if (!v->open || v->later) return false;
  release(v);
  arena_unmark(s->arena);
  savepoint_end(s);
  v->set = v->open = v->passing = false;
  return true;
}

void savepoint_later(Session *s, bool ran) {
  Savepoint *v = s->savepoint;
  if (!v->open) return;
  v->open = false;
  v->later = true;
  v->ran = ran;
  if (ran) release(v);
}

bool savepoint_pass(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->open || v->later || !v->next) return false;
  release(v);
  drop(&v->traces);
  v->traces = v->next;
  v->next = NULL;
  v->passing = true;
  v->open = false;
  return true;
}

bool savepoint_passing(const Session *s) { return s->savepoint->passing && !s->savepoint->later; }

void savepoint_stay(Session *s) {
  s->savepoint->open = true;
  savepoint_keep(s);
}

void savepoint_goes_on(Session *s) {
  Savepoint *v = s->savepoint;
  v->open = true;
  mark_tables(s, v);
}

void savepoint_ask(Session *s) {
  if (s->savepoint->later) savepoint_settle(s);
}

uint32_t savepoint_nodes(const Session *s) { return s->savepoint->sizes.nodes; }

static void cells_back(Session *s, Savepoint *v) {
  for (uint32_t k = 0; v->cell && k < v->n_cell; k++)
    if (v->cell[k]) slot_put(s->program, s->elab->made.cells.at[k]->slot, v->cell[k]);
}

void savepoint_settle(Session *s) {
  Savepoint *v = s->savepoint;
  if (!v->later && !v->passing) return;
  bool ran = v->later ? v->ran : true;
  cells_back(s, v);
  release(v);
  /* no table: there was no memory for it */
  for (uint32_t k = 0; v->table && k < v->program.table; k++) table_back(s->program->table.at[k], &v->table[k], !ran);
  uint32_t epoch = s->graph->epoch;
  ProgramKept kept = program_cut(s->program, &v->program);
  Loaded l = v->loaded;
  Traces *traces = v->traces;
  drop(&v->next);
  arena_back(s->arena);
  program_put(s->program, &kept);
  if (s->graph->epoch < epoch) s->graph->epoch = epoch;      /* marks that were made since are none */
  load_back(s, &l);
  *v = (Savepoint){.traces = traces};
}
