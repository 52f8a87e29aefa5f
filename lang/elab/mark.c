/* mark: see mark.h. In: a moment. Out: that moment again. Lists that only grow are cut to the length that they had;
 * what is changed in place was kept before, newest last, and is put back in reverse.
 */
#include "elab/mark.h"
#include "elab/call.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/names.h"
#include "elab/series.h"
#include <string.h>

struct ElabMark {
  ElabMark *outer;
  uint32_t number;            /* higher than that of each mark before it */
  uint32_t kept;
  Made made;
  Where here;
  CallFrame frame;
  Region *region;             /* those that are open, innermost first */
  uint32_t globals, names;    /* of the globals and of the present scope */
  uint32_t steps, segment, tables;
  CellWrite *write;           /* of the open segment */
  uint32_t n_write;
  uint32_t *columns;          /* of each series */
  int64_t *rows;
  void *places;
};

ElabMark *mark_set(Elab *e) {
  ElabMark *m = NEW(e->a, ElabMark);
  m->made = e->made;
  m->here = e->here;
  m->frame = *e->here.frame;
  m->globals = e->globals->bound.n;
  m->names = e->here.scope->bound.n;
  m->tables = e->p->table.n;
  m->kept = e->kept.n;
  uint32_t n = 0;
  for (const Region *r = e->here.region; r; r = r->outer) n++;
  m->region = NEW_N(e->a, Region, n + 1);
  n = 0;
  for (const Region *r = e->here.region; r; r = r->outer) m->region[n++] = *r;
  if (e->here.region) {
    const Segment *s = e->p->segment.at[e->g->segment];
    m->steps = e->here.region->steps->n;
    m->segment = e->g->segment;
    m->n_write = s->write.n;
    m->write = arena_copy(e->a, s->write.n ? s->write.at : (CellWrite *)m, s->write.n * sizeof *m->write);
  }
  m->columns = NEW_N(e->a, uint32_t, e->made.series.n + 1);
  m->rows = NEW_N(e->a, int64_t, e->made.series.n + 1);
  for (uint32_t k = 0; k < e->made.series.n; k++) {
    m->columns[k] = table_columns(e->made.series.at[k]->table);
    m->rows[k] = e->made.series.at[k]->rows;
  }
  if (e->here.place) m->places = place_keep(e);
  m->number = ++e->marks;
  m->outer = e->mark;
  return e->mark = m;
}

static bool any(Elab *e, const Bound *b) {
  (void)e, (void)b;
  return true;
}

void mark_back(Elab *e, ElabMark *m) {
  for (; e->kept.n > m->kept; e->kept.n--) {
    const struct Kept *k = &e->kept.at[e->kept.n - 1];
    memcpy(k->at, k->was, k->n);
  }
  e->mark = m;
  e->here = m->here;
  *e->here.frame = m->frame;
  scope_forget(e, e->here.scope, m->names, any);
  scope_forget(e, e->globals, m->globals, any);
  e->made = m->made;
  e->p->table.n = m->tables;
  for (uint32_t k = 0; k < e->made.series.n; k++) {
    table_columns_cut(e->made.series.at[k]->table, m->columns[k]);
    e->made.series.at[k]->rows = m->rows[k];
  }
  uint32_t n = 0;
  for (Region *r = e->here.region; r; r = r->outer) *r = m->region[n++];
  if (e->here.region) {
    Segment *s = e->p->segment.at[m->segment];
    s->write.n = m->n_write;
    if (m->n_write) memcpy(s->write.at, m->write, m->n_write * sizeof *m->write);
    e->here.region->steps->n = m->steps;
    e->g->segment = m->segment;
  }
  if (m->places) place_back(e, m->places);
}

void mark_drop(Elab *e, ElabMark *m) {
  e->mark = m->outer;
  if (!e->mark) e->kept.n = 0;
}

bool mark_had_rows(const ElabMark *m, const Series *s) {
  for (uint32_t k = 0; k < m->made.series.n; k++)
    if (m->made.series.at[k] == s) return m->rows[k] == ROWS_OF_RUN;
  return false;
}

void mark_keep(Elab *e, void *at, size_t n) {
  arena_change(e->a, at, n);
  if (e->mark) vec_push(e->a, &e->kept, (struct Kept){at, arena_copy(e->a, at, n), n});
}

Cell *cell_change(Elab *e, Cell *c) {
  if (e->mark && c->kept >= e->mark->number) return c;
  mark_keep(e, c, sizeof *c);
  if (e->mark) c->kept = e->mark->number;
  return c;
}
