/* repl_page: `:graph e FILE.html`. In: a formula of the session. Out: a page of it at the steps of the run of the
 * script, and of the last `:fork`, if there are any and the variables stand as the run left them; else as they stand.
 */
#include "tool/moments.h"
#include "tool/repl_inspect.h"

/* Nobody has moved a parameter since the run. */
static bool as_left(const Session *s, const Moment *end) {
  for (uint32_t k = 0; k < end->n; k++) {
    const Slot *slot = &s->program->slot.at[k];
    if (slot->kind == SLOT_CELL && slot->trained && slot->value && end->held[k] &&
        !tensor_same_bits(slot->value, end->held[k]))
      return false;
  }
  return true;
}

static bool take_run(Repl *r, const char *define, Moments *m, Replay *run) {
  ReplayAsk ask = {.until = INT64_MAX, .define = define, .each = moments_step, .to = m};
  return moments_open(m) && replay_run(r, &ask, run);
}

/* How many runs `of` has. */
static uint32_t take_runs(Repl *r, const char *e, Moments *m, Replay *run, PageOf *of) {
  if (!r->c->n_operand || !inspect_reads(r->s, of[0].y, NULL, r->a)) return 1;
  if (!take_run(r, NULL, &m[0], &run[0])) return 0;
  uint32_t last = m[0].moment.n;
  if (!last || !replay_same_script(r->s, run[0].s) || !as_left(r->s, &m[0].moment.at[last - 1])) return 1;
  of[0].run = &m[0];
  of[0].cells = true;
  if (!r->fork) return 1;
  if (!take_run(r, r->fork, &m[1], &run[1])) return 0;
  of[1] = (PageOf){.name = r->fork, .s = run[1].s, .run = &m[1]};
  if (graph_formula(run[1].s, r->a, e, &of[1].y) == STATUS_OK && of[1].y != NO_NODE) return 2;
  err_printf(r->c, "entry %d: `%s` reads what the run with %s has not: this run alone is in the page\n", r->entry, e,
             r->fork);
  return 1;
}

void repl_page(Repl *r, const char *e, const char *path) {
  Moments m[2] = {{.a = NULL}};
  Replay run[2] = {{0}};
  PageOf of[2] = {{.name = "this run", .s = r->s}};
  if (!repl_formula(r, "graph", e, &of[0].y)) return;
  PageSaid said = {0};
  uint32_t n = take_runs(r, e, m, run, of);
  const char *why = n ? moments_page(r->c, e, of, n, path, r->a, &said) : NULL;
  if (why && said.unlike) {
    err_printf(r->c, "entry %d: with %s, %s: this run alone is in the page\n", r->entry, r->fork, why);
    why = moments_page(r->c, e, of, 1, path, r->a, &said);
  }
  if (why) err_printf(r->c, "entry %d: %s\n", r->entry, why);
  else if (n) out_printf(r->c, "the graph of %u operations is in %s\n", said.operations, path);
  for (uint32_t k = 0; k < 2; k++) {
    if (run[k].s) replay_close(&run[k]);
    moments_close(&m[k]);
  }
}
