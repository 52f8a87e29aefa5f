/* stretch: see stretch.h. In: an inner mark of the session's arena, and how much there was of all that lies outside of
 * it. Out: the same again. What was said (a diagnostic, a variable that must be read anew as a float) has places and
 * texts in the stretch, which then is taken back as a trial is (mark.h): its memory stays.
 */
#include "elab/stretch.h"
#include "elab/elab.h"
#include "elab/mark.h"
#include "elab/trace.h"
#include "steps/table.h"

struct Stretch {
  Arena *arena;               /* it lives there */
  ArenaInner *inner;
  ElabMark *mark;
  Sizes sizes;
  ProgramMark program;
  TableMark *table;
  Run run;
  uint32_t said, tests;
};

/* Whatever was said makes it larger. */
static uint32_t said(const Session *s) {
  const Elab *e = s->elab;
  return s->diags->n_errors + s->diags->n_warnings + e->widened.n + e->turned.n + e->again;
}

Stretch *stretch_begin(Session *s) {
  Arena *a = arena_new(&s->host);
  Stretch *t = NEW(a, Stretch);
  t->arena = a;
  t->sizes = trace_sizes(s);
  t->program = program_mark(s->program);
  t->run = s->run;
  t->said = said(s);
  t->tests = s->elab->made.tests.n;
  t->table = NEW_N(a, TableMark, t->program.table + 1);
  for (uint32_t k = 0; k < t->program.table; k++) t->table[k] = table_mark(s->program->table.at[k]);
  t->inner = arena_mark_inner(s->arena);
  trace_change(s);
  t->mark = mark_set(s->elab);
  return t;
}

void stretch_stay(Session *s, Stretch *t) {
  arena_unmark_inner(s->arena, t->inner);
  mark_drop(s->elab, t->mark);
  arena_free(t->arena);
}

/* All of it but what it has put into cells, tables and slots that stood before. */
static void take_back(Session *s, Stretch *t) {
  Program *p = s->program;
  for (uint32_t k = 0; k < t->program.table; k++) table_back(p->table.at[k], &t->table[k], false);
  uint32_t epoch = s->graph->epoch;
  ProgramKept kept = program_cut(p, &t->program);
  arena_back_inner(s->arena, t->inner);
  program_put(p, &kept);
  if (s->graph->epoch < epoch) s->graph->epoch = epoch;
  s->run = t->run;
}

void stretch_end(Session *s, Stretch *t, bool passes) {
  if (!passes || said(s) != t->said || s->elab->made.tests.n != t->tests || !trace_leaves_nothing(s, &t->sizes)) {
    stretch_stay(s, t);
    return;
  }
  Traces *traces = traces_new(s, &t->sizes);
  take_back(s, t);
  traces_back(s, traces);
  traces_free(traces);
  arena_free(t->arena);
}

void stretch_back(Session *s, Stretch *t) {
  if (said(s) != t->said) {
    mark_back(s->elab, t->mark);
    stretch_stay(s, t);
    return;
  }
  take_back(s, t);
  arena_free(t->arena);
}
