/* series: tables that a run fills, `s.add(loss = l)`, and their columns as tensors, `s.loss`. In: adds, and the blocks
 * that they stand in. Out: steps; a column is a cell that a step fills from the table, with as many rows as it has
 * there.
 *
 * A shape is known while checking, so the rows must be: adds are counted through loops of known turns. Behind a loop
 * that a `break` or a condition ends only the run knows them: then the statements of the script from the first that
 * reads such a column on wait (wait.c). Where neither will do it is an error.
 */
#include "elab/series.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/literal.h"
#include "elab/names.h"
#include "elab/native.h"
#include "elab/stmt.h"
#include "elab/wait.h"
#include "elab/want.h"
#include "steps/effects.h"
#include <string.h>

static Value call_series(Elab *e, const Arg *a, const Ast *at) {
  (void)a;
  Series *s = NEW(e->a, Series);
  s->table = table_new(e->s);
  s->made = elab_loc(e, at);
  s->home = e->here.region;
  vec_push(e->a, &e->made.series, s);
  /* each turn its own */
  if (e->here.frame->steps && e->here.region->outer) step_effect(e, effect_clear(e->s, s->table, s->made));
  return (Value){.kind = V_SERIES, .series = s};
}

/* ---- how many rows ---- */
static SeriesRows *rows_in(Region *r, const Series *s) {
  for (uint32_t k = 0; k < r->rows.n; k++)
    if (r->rows.at[k].series == s) return &r->rows.at[k];
  return NULL;
}

static void rows_more(Elab *e, Region *r, Series *s, int64_t n, bool of_run) {
  if (r == s->home || !r->outer) {
    if (of_run) s->rows = ROWS_OF_RUN;
    else if (s->rows != ROWS_OF_RUN) s->rows += n;
    return;
  }
  SeriesRows *c = rows_in(r, s);
  if (!c) {
    vec_push(e->a, &r->rows, (SeriesRows){.series = s});
    c = &r->rows.at[r->rows.n - 1];
  }
  c->n += n;
  c->of_run |= of_run;
}

void series_leave(Elab *e, const Region *r) {
  for (uint32_t k = 0; r->outer && r->kind != REGION_TEST && k < r->rows.n; k++) {
    const SeriesRows *c = &r->rows.at[k];
    int64_t total = 0;
    bool of_run = c->of_run || r->kind == REGION_BRANCH || r->leaves || r->count < 0 ||
                  __builtin_mul_overflow(c->n, r->count, &total);
    if (c->n == 0 && !c->of_run) continue;
    rows_more(e, r->outer, c->series, total, of_run);
  }
}

void series_begin(Elab *e) {
  e->lost.n = 0;
  for (uint32_t k = 0; k < e->made.series.n; k++) {
    Series *s = e->made.series.at[k];
    s->rows = table_rows(s->table);
    s->home = NULL;
  }
}

bool series_of_run(const Elab *e) {
  for (uint32_t k = 0; k < e->made.series.n; k++)
    if (e->made.series.at[k]->rows == ROWS_OF_RUN) return true;
  return false;
}

/* The rows that s has here, or what stands for them; false: reported. */
static bool rows_here(Elab *e, Series *s, const Ast *at, int64_t *rows) {
  int64_t n = s->rows;
  bool of_run = n == ROWS_OF_RUN;
  for (Region *r = e->here.region; r && r != s->home && r->outer; r = r->outer) {
    const SeriesRows *c = rows_in(r, s);
    if (r->kind == REGION_LOOP) {
      if (c) {
        Diag *g = elab_error(e, at, E_SERIES_TURN);
        diag_hint(e->d, g, "read it behind the loop; inside keep what you need in a `var`");
        return false;
      }
      vec_push(e->a, &r->read, ((SeriesRead){s, elab_loc(e, at)}));
    }
    if (c) n += c->n, of_run |= c->of_run;
  }
  if (of_run && !wait_begin(e, s, at)) return false;
  *rows = of_run ? STAND_IN : n;
  return true;
}

/* ---- add ---- */
/* What a row is made of: the fields of a record that stands first, then the named arguments. */
static bool row_of(Elab *e, const Arg *a, Args *row) {
  bool record = a[0].value.kind == V_RECORD;
  if (a[0].given && !record) {
    Diag *g = elab_error(e, a[0].at, E_SERIES_NAME);
    diag_hint(e->d, g, "`s.add(loss = l)`");
    return false;
  }
  uint32_t fields = record ? a[0].value.fields->n : 0, n = a[1].n + fields;
  *row = (Args){n, NEW_N(e->a, Value, n + 1), NEW_N(e->a, Sym, n + 1), NEW_N(e->a, const Ast *, n + 1)};
  for (uint32_t k = 0; k < n; k++) {
    const Arg *x = k < fields ? &a[0] : &a[1].rest[k - fields];
    row->at[k] = k < fields ? x->value.fields->at[k] : x->value;
    row->name[k] = k < fields ? x->value.fields->name[k] : x->name;
    row->ast[k] = x->at;
  }
  return true;
}

static const char *columns_text(Elab *e, const Sym *name, uint32_t n) {
  Text t = {.arena = e->a};
  text_add(&t, "");
  for (uint32_t k = 0; k < n; k++) text_printf(&t, "%s`%s`", k ? ", " : "", name[k]);
  return n ? t.at : "nothing";
}

/* Every row has the columns of the first one; no: reported. */
static bool same_columns(Elab *e, const Series *s, const Args *row, const Ast *at) {
  uint32_t n = table_columns(s->table), found = 0;
  if (!n) return true;
  for (uint32_t k = 0; k < row->n; k++) found += table_type(s->table, row->name[k]) != NULL;
  if (found == n && row->n == n) return true;
  Sym *name = NEW_N(e->a, Sym, n + 1);
  for (uint32_t k = 0; k < n; k++) name[k] = table_name(s->table, k);
  Diag *g = elab_error(e, at, E_SERIES_OTHER_ROW, columns_text(e, name, n), columns_text(e, row->name, row->n));
  diag_hint(e->d, g, "where there is nothing to say, say `nan`; rows of another kind are a series of their own");
  return false;
}

static Value call_add(Elab *e, const Fn *self, const Arg *given, const Ast *at) {
  Series *s = self->captured->at[0].series;
  Args row, *a = &row;
  if (!step_here(e, at, "`add`") || !row_of(e, given, a) || !same_columns(e, s, a, at)) return v_bad();
  const char **name = NEW_N(e->a, const char *, a->n + 1);
  NodeId *node = NEW_N(e->a, NodeId, a->n + 1);
  uint32_t n = 0;
  for (uint32_t k = 0; k < a->n; k++) {
    NodeId x = want_node(e, a->at[k], a->ast[k], "a value of a series");
    if (x == NO_NODE) return v_bad();
    const Type *has = table_type(s->table, a->name[k]);
    DType d = (DType)node_type(e, x)->dtype;
    bool int_meets_float = has && dtype_is_float((DType)has->dtype) && !dtype_is_float(d) && d != BOOL;
    if (has && (node_flex(e, x) || int_meets_float))
      x = want_typed(e, v_node(x), (DType)has->dtype, a->ast[k], "a value of this column");
    else x = a->at[k].kind == V_INT ? want_typed(e, v_node(x), I32, at, "a value") : settle(e, x);
    if (x == NO_NODE) return v_bad();
    if (has && !type_eq(has, node_type(e, x))) {
      Diag *g = elab_error(e, a->ast[k], E_SERIES_COLUMN, a->name[k], type_show(e->a, node_type(e, x)));
      diag_note(e->d, g, 0, "the rows before hold %s", type_show(e->a, has));
      return v_bad();
    }
    table_column(e->s, s->table, a->name[k], node_type(e, x));
    name[n] = a->name[k];
    node[n++] = x;
  }
  for (const Region *r = e->here.region; r && r != s->home; r = r->outer)
    for (uint32_t k = 0; k < r->read.n; k++)
      if (r->read.at[k].series == s) {
        Diag *g = elab_error(e, at, E_SERIES_TURN);
        diag_note(e->d, g, r->read.at[k].loc, "a column was read here, in the same loop");
        diag_hint(e->d, g, "read it behind the loop; inside keep what you need in a `var`");
        return v_bad();
      }
  step_effect(e, effect_add(e->s, s->table, name, node, n, elab_loc(e, at)));
  rows_more(e, e->here.region, s, 1, false);
  return v_unit();
}

static const Native add_native = {
    .name = "add", .params = "_:any?, values:any*",
    .doc = "s.add(loss = l, epoch = e): one more row of a series; a record stands for its fields."};

/* The columns that the calls of `add` below ast name, in procs that it calls too. */
void series_lost(Elab *e, const Ast *ast, int depth) {
  const Ast *f = ast->kind == A_CALL ? ast->kid[0] : NULL;
  for (uint32_t k = 1; f && f->kind == A_MEMBER && !strcmp(f->name, "add") && k < ast->n; k++)
    if (ast->kid[k]->kind == A_ARG) vec_push(e->a, &e->lost, ast->kid[k]->name);
  if (f && f->kind == A_NAME && depth < 4) {
    const Bound *b = scope_find(e, e->here.scope, f->name);
    if (b && b->value.kind == V_FN && b->value.fn->kind == FN_PROC) series_lost(e, b->value.fn->ast->kid[1], depth + 1);
  }
  for (uint32_t k = 0; k < ast->n; k++)
    if (ast->kid[k]) series_lost(e, ast->kid[k], depth);
}

/* ---- columns ---- */
Value series_length(Elab *e, Series *s, const Ast *at) {
  int64_t rows;
  return rows_here(e, s, at, &rows) ? v_int(rows) : v_bad();
}

Value series_member(Elab *e, Series *s, Sym name, const Ast *at) {
  Value self = {.kind = V_SERIES, .series = s};
  if (!strcmp(name, "add")) return bound_value(e, &add_native, call_add, &self, 1);
  const Type *row = table_type(s->table, name);
  if (!row) {
    uint32_t n = table_columns(s->table);
    const char **names = NEW_N(e->a, const char *, n + 2);
    for (uint32_t k = 0; k < n; k++) names[k] = table_name(s->table, k);
    names[n++] = "add";
    const char *near = nearest(name, names, n);
    for (uint32_t k = 0; k < e->lost.n; k++)
      if (e->lost.at[k] == name) return v_bad();
    Diag *g = elab_error(e, at, E_NO_MEMBER, "the series", name);
    if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
    else if (n == 1) diag_hint(e->d, g, "nothing has been added to it yet: `s.add(%s = ...)`", name);
    else diag_hint(e->d, g, "a column is made by `s.add(%s = ...)`", name);
    return v_bad();
  }
  Type t = *row;
  int64_t rows;
  if (t.rank == MAX_RANK) {
    elab_error(e, at, E_RANK_LIMIT, t.rank + 1, MAX_RANK);
    return v_bad();
  }
  if (!rows_here(e, s, at, &rows)) return v_bad();
  memmove(t.dim + 1, t.dim, t.rank * sizeof *t.dim);
  t.dim[0] = rows;
  t.rank++;
  Loc loc = elab_loc(e, at);
  Cell *c = cell_new(e, CELL_HIDDEN, &t, name, loc);
  step_effect(e, effect_column(e->s, s->table, name, c->slot, loc));
  cell_changed(e, c);
  return v_node(cell_read(e, c, loc));
}

const Native native_series[] = {
    {.name = "series", .params = "", .call = call_series,
     .doc = "A table that grows by a row at each `s.add(loss = l)`; `s.loss` is the column as a tensor."},
    {0}};
