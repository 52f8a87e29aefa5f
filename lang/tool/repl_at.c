/* repl_at: time travel. `:at N`: the variables of the run as they stood at step N; `:fork k = v`: another run, with
 * another argument, beside this one; `:diff`: where the two part.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "elab/savepoint.h"
#include "elab/series.h"
#include "runtime/base/digest.h"
#include "steps/table.h"
#include "tool/repl_inspect.h"
#include "tool/replay.h"

/* ---- at ---- */

static bool take_cells(Session *now, const Session *then) {
  Guard g;
  savepoint_settle(now);
  if (!HOST_GUARD(&now->host, &g)) return false;
  for (uint32_t k = 0; k < then->program->slot.n; k++) {
    const Slot *a = &then->program->slot.at[k];
    if (a->kind != SLOT_CELL || !a->value) continue;
    Tensor *t = tensor_from(&now->host, &a->type, a->value->data);
    slot_put(now->program, k, t);
    tensor_unref(t);
  }
  host_leave(&now->host, &g);
  return true;
}

bool go_to_step(Repl *r, const char *rest) {
  int64_t n = -1;
  Replay p;
  bool end = !strcmp(rest, "end");
  if (!end && !parse_count(rest, 0, INT64_MAX - 1, &n)) {
    err_printf(r->c, "entry %d: :at wants a step, from 0, or `end`\n", r->entry);
    return true;
  }
  if (!replay_run(r, &(ReplayAsk){.until = end ? INT64_MAX : n}, &p)) return true;
  if (!end && !p.stopped && p.steps != n)
    err_printf(r->c, "entry %d: the run has %lld step%s\n", r->entry, (long long)p.steps, p.steps == 1 ? "" : "s");
  else if (!replay_same_script(r->s, p.s))
    err_printf(r->c, "entry %d: %s is not what was run: it has changed since\n", r->entry, r->c->operand[0]);
  else if (!take_cells(r->s, p.s)) err_text(r->c, "glia: out of memory\n");
  else
    out_printf(r->c, "the run as it stood %s %lld%s: `:now e` computes with it, `:at end` goes back\n",
               p.stopped ? "at step" : "at its end, after step", (long long)p.steps,
               p.from ? arena_printf(r->a, ", from the checkpoint of step %lld", (long long)p.from) : "");
  replay_close(&p);
  return true;
}

/* ---- two runs ---- */

/* What the parameters were before each step, as a number. */
typedef struct Trail { uint64_t *at; size_t n, cap; bool full; } Trail;

static void note_step(void *to, Session *s, int64_t step) {
  Trail *t = to;
  uint64_t h = 0;
  (void)step;
  for (uint32_t k = 0; k < s->program->slot.n; k++) {
    const Slot *slot = &s->program->slot.at[k];
    if (slot->trained && slot->value) h = digest(h, slot->value->data, slot->value->bytes);
  }
  if (t->n == t->cap) {
    size_t cap = t->cap ? 2 * t->cap : 256;
    uint64_t *more = realloc(t->at, cap * sizeof *more);
    t->full |= !more;
    if (!more) return;
    t->at = more;
    t->cap = cap;
  }
  t->at[t->n++] = h;
}

/* The first series of the script, with a column that can be drawn: `loss` if there is one. */
static const Table *first_series(const Session *s, const char **name, const char **column) {
  const Scope *top = s->elab->globals;
  for (uint32_t k = 0; k < top->bound.n; k++) {
    const Bound *b = top->bound.at[k];
    if (b->value.kind != V_SERIES) continue;
    const Table *t = b->value.series->table;
    *name = b->name;
    *column = NULL;
    for (uint32_t j = 0; j < table_columns(t); j++) {
      const Type *type = table_type(t, table_name(t, j));
      if (type->rank || !dtype_is_float((DType)type->dtype)) continue;
      if (!*column || !strcmp(table_name(t, j), "loss")) *column = table_name(t, j);
    }
    if (*column) return t;
  }
  return NULL;
}

enum { MOST_POINTS = 120 };

static int64_t point_at(int64_t k, int64_t shown, int64_t n) { return shown == n ? k : k * (n - 1) / (shown - 1); }

/* At most so many points of a column, as a list in the language. */
static const char *points(Repl *r, Session *s, const Table *t, const char *column, double *last) {
  Guard g;
  Text text = {.arena = r->a};
  text_add(&text, "[");
  if (!HOST_GUARD(&s->host, &g)) return "[0]";
  Tensor *rows = table_tensor(s, t, column);
  int64_t n = rows ? type_count(&rows->type) : 0, shown = n < MOST_POINTS ? n : MOST_POINTS;
  *last = n ? tensor_get(rows, n - 1) : NAN;
  for (int64_t k = 0; k < shown; k++)
    text_printf(&text, "%s%.9g", k ? ", " : "", tensor_get(rows, point_at(k, shown, n)));
  tensor_unref(rows);
  host_leave(&s->host, &g);
  text_add(&text, "]");
  return n ? text.at : "[0]";
}

static void show_curves(Repl *r, Session *here, Session *there, const char *fork) {
  const char *name, *column, *name2, *column2;
  const Table *a = first_series(here, &name, &column), *b = first_series(there, &name2, &column2);
  if (!a || !b || !table_rows(a) || !table_rows(b) || strcmp(column, column2) != 0) {
    out_text(r->c, "the script fills no series: there are no curves to draw\n");
    return;
  }
  double last[2];
  const char *first = points(r, here, a, column, &last[0]), *second = points(r, there, b, column, &last[1]);
  out_printf(r->c, "`%s` of `%s` ends at %s here, at %s with %s\n", column, name, number_text(r->a, last[0]),
             number_text(r->a, last[1]), fork);
  Entry *entry;
  int64_t n = table_rows(a), shown = n < MOST_POINTS ? n : MOST_POINTS;
  Text steps = {.arena = r->a};
  for (int64_t k = 0; k < shown; k++)
    text_printf(&steps, "%s%lld", k ? ", " : "", (long long)point_at(k, shown, n) + 1);
  bool as_long = table_rows(b) == n;
  const char *plot = as_long ? arena_printf(r->a, "plot({step = [%s], here = %s, fork = %s})", steps.at, first, second)
                             : arena_printf(r->a, "plot({here = %s, fork = %s})", first, second);
  repl_report(r, repl_evaluate(r, plot, strlen(plot), &entry));
}

/* "lr = 0.01" as `-D` takes it. */
static const char *define_of(Repl *r, const char *rest) {
  const char *sign = strchr(rest, '=');
  if (!sign || sign == rest || !sign[1 + strspn(sign + 1, " ")]) return NULL;
  size_t n = (size_t)(sign - rest);
  while (n && rest[n - 1] == ' ') n--;
  return arena_printf(r->a, "%.*s=%s", (int)n, rest, sign + 1 + strspn(sign + 1, " "));
}

bool fork_run(Repl *r, const char *rest) {
  Replay p, q;
  const char *define = define_of(r, rest);
  if (!define) {
    err_printf(r->c, "entry %d: :fork wants an argument and another value for it: `:fork lr = 0.01`\n", r->entry);
    return true;
  }
  if (!replay_run(r, &(ReplayAsk){.until = INT64_MAX, .define = define}, &q)) return true;
  r->fork = define;
  if (replay_run(r, &(ReplayAsk){.until = INT64_MAX}, &p)) {
    out_printf(r->c, "%lld steps here, %lld with %s\n", (long long)p.steps, (long long)q.steps, define);
    show_curves(r, p.s, q.s, define);
    replay_close(&p);
  }
  replay_close(&q);
  return true;
}

/* Where the user's text last assigns a cell. */
static Loc assigned_at(const Session *s, SlotId slot) {
  for (uint32_t k = s->program->segment.n; k-- > 0;) {
    const Segment *g = s->program->segment.at[k];
    for (uint32_t j = 0; j < g->write.n; j++)
      if (g->write.at[j].cell == slot) return own_loc(s->diags, graph_at(s->graph, g->write.at[j].node)->loc);
  }
  return 0;
}

/* The first parameter and element that are not the same. */
static void show_difference(Repl *r, const Session *a, const Session *b, int64_t step) {
  for (uint32_t k = 0; k < a->program->slot.n && k < b->program->slot.n; k++) {
    const Slot *x = &a->program->slot.at[k], *y = &b->program->slot.at[k];
    if (!x->trained || !x->value || !y->value) continue;
    if (!type_eq(&x->type, &y->type)) {
      out_printf(r->c, "`%s` is %s here and %s there\n", x->path ? x->path : "?", type_show(r->a, &x->type),
                 type_show(r->a, &y->type));
      return;
    }
    if (tensor_same_bits(x->value, y->value)) continue;
    int64_t at = 0;
    while (tensor_get(x->value, at) == tensor_get(y->value, at) && at + 1 < type_count(&x->type)) at++;
    out_printf(r->c, "they part in step %lld, first at `%s`%s: %.9g here, %.9g there\n", (long long)step,
               x->path ? x->path : "?", x->type.rank ? element_text(r->a, &x->type, at) : "",
               tensor_get(x->value, at), tensor_get(y->value, at));
    out_text(r->c, diag_excerpt(a->diags, assigned_at(a, k), r->a, &(RenderOptions){.color = r->c->color}));
    return;
  }
  out_text(r->c, "they part in what is no parameter\n");
}

bool diff_runs(Repl *r, const char *rest) {
  Replay p, q;
  Trail here = {0}, there = {0};
  const char *define = *rest ? define_of(r, rest) : r->fork;
  if (!define) {
    err_printf(r->c, "entry %d: :diff wants another run: `:fork lr = 0.01` first, or `:diff lr = 0.01`\n", r->entry);
    return true;
  }
  if (replay_run(r, &(ReplayAsk){.until = INT64_MAX, .each = note_step, .to = &here}, &p)) {
    replay_close(&p);
    if (replay_run(r, &(ReplayAsk){.until = INT64_MAX, .define = define, .each = note_step, .to = &there}, &q)) {
      replay_close(&q);
      size_t k = 0, n = here.n < there.n ? here.n : there.n;
      while (k < n && here.at[k] == there.at[k]) k++;
      if (here.full || there.full) err_text(r->c, "glia: out of memory\n");
      else if (k == n && here.n == there.n)
        out_printf(r->c, "the runs are the same, bit for bit, in all %zu steps\n", n - 1);
      else if (k == n) out_printf(r->c, "the same in %zu steps; then one of them ends\n", n - 1);
      else if (replay_run(r, &(ReplayAsk){.until = (int64_t)k}, &p)) {
        if (replay_run(r, &(ReplayAsk){.until = (int64_t)k, .define = define}, &q)) {
          show_difference(r, p.s, q.s, (int64_t)k);
          replay_close(&q);
        }
        replay_close(&p);
      }
    }
  }
  free(here.at);
  free(there.at);
  return true;
}
