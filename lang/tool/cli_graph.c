/* cli_graph: `glia graph FILE [-e EXPR]` and `glia plan FILE`. In: a script, checked, and for `plan` prepared; no step
 * of it runs, but for a page, which shows values: then it runs with its effects off. Out: the graph of what its
 * optimizers step on, of an expression, or of the last tensor that has a name; the steps that will run.
 */
#include "tool/graph_file.h"
#include "tool/plan_text.h"
#include "tool/moments.h"
#include <string.h>

typedef VEC(NodeId) Roots;

static void losses(Session *s, Arena *a, Roots *out) {
  const Program *p = s->program;
  for (uint32_t k = 0; k < p->segment.n; k++)
    for (uint32_t j = 0; j < p->segment.at[k]->loss.n; j++) vec_push(a, out, p->segment.at[k]->loss.at[j]);
}

/* The last tensor that has a name. */
static bool last_named(Session *s, NodeId *out) {
  const Scope *top = s->elab->globals;
  for (uint32_t k = top->bound.n; k-- > 0;) {
    if (top->bound.at[k]->value.kind != V_NODE) continue;
    *out = top->bound.at[k]->value.node;
    return true;
  }
  return false;
}

/* What is to be drawn; false: said already. */
static bool find_roots(Cli *c, Session *s, Arena *a, Roots *roots) {
  NodeId id;
  if (!c->expression) {
    losses(s, a, roots);
    if (!roots->n && last_named(s, &id)) vec_push(a, roots, id);
    if (!roots->n)
      err_text(c, "glia: no optimizer steps in this script and no tensor has a name: -e EXPR says what to draw\n");
    return roots->n > 0;
  }
  Status status = graph_formula(s, a, c->expression, &id);
  if (status != STATUS_OK) {
    cli_status(c, s, status);
    return false;
  }
  if (id != NO_NODE) vec_push(a, roots, id);
  else err_printf(c, "glia: -e wants a formula of tensors: %s is none\n", c->expression);
  return roots->n > 0;
}

/* One of the runs that a page shows: false: said already. */
static bool run_for_page(Cli *c, Arena *a, const char *define, Moments *record, Replay *run, PageOf *of) {
  Repl r = {.c = c, .a = a};
  ReplayAsk ask = {.until = INT64_MAX, .define = define, .each = moments_step, .to = record};
  Roots roots = {0};
  if (!moments_open(record)) return false;
  if (!replay_run(&r, &ask, run)) return false;
  if (!find_roots(c, run->s, a, &roots)) return false;
  if (roots.n > 1 && !define)
    err_printf(c, "glia: the page shows the first of %u losses; -e EXPR chooses another\n", roots.n);
  *of = (PageOf){.name = define ? define : "this run", .s = run->s, .y = roots.at[0], .run = record};
  return true;
}

static int draw_page(Cli *c, Arena *a) {
  PageOf of[2];
  Replay run[2] = {{0}};
  Moments record[2] = {{.a = NULL}};
  uint32_t n = c->fork ? 2 : 1, good = 0;
  while (good < n && run_for_page(c, a, good ? c->fork : NULL, &record[good], &run[good], &of[good])) good++;
  const char *title = c->expression ? c->expression : c->operand[0], *why = NULL;
  PageSaid said;
  if (good == n) why = moments_page(c, title, of, n, NULL, a, &said);
  if (why) err_printf(c, "glia: %s\n", why);
  for (uint32_t k = 0; k < n; k++) {
    replay_close(&run[k]);
    moments_close(&record[k]);
  }
  return good == n && !why ? EXIT_DONE : EXIT_SCRIPT;
}

static int draw(Cli *c, Session *s, Arena *a) {
  GraphForm form = c->format ? graph_form(c->format, strlen(c->format)) : GRAPH_TEXT;
  Roots roots = {0};
  if (!find_roots(c, s, a, &roots)) return EXIT_SCRIPT;
  int status = EXIT_DONE;
  for (uint32_t k = 0; k < roots.n && status == EXIT_DONE; k++) {
    Guard g;
    const char *why = NULL;
    Inspect *x = inspect_open(s, roots.at[k], INSPECT_SHAPES, &why);
    if (x && HOST_GUARD(&s->host, &g)) {
      if (k) out_text(c, "\n");
      why = graph_write(c, x, form, NULL);
      if (why) why = arena_text(a, why, strlen(why));
      host_leave(&s->host, &g);
    }
    inspect_close(x);
    if (!why) continue;
    err_printf(c, "glia: %s\n", why);
    status = EXIT_SCRIPT;
  }
  return status;
}

static int on_script(Cli *c, LoadMode mode, int (*show)(Cli *c, Session *s, Arena *a, const Entry *entry)) {
  Session *s = cli_open(c);
  Entry *entry;
  Host host;
  Guard g;
  if (!s) return EXIT_SCRIPT;
  Status loaded = session_load_file(s, c->operand[0], mode, &entry);
  int status = cli_status(c, s, loaded);
  host_init(&host, NULL, NULL);
  if (loaded == STATUS_OK && HOST_GUARD(&host, &g)) {
    Arena *a = arena_new(&host);
    status = show(c, s, a, entry);
    arena_free(a);
    host_leave(&host, &g);
  }
  cli_close(c, s);
  return status;
}

static int show_graph(Cli *c, Session *s, Arena *a, const Entry *entry) {
  (void)entry;
  return draw(c, s, a);
}

int cli_graph(Cli *c) {
  Host host;
  Guard g;
  if (!c->format || strcmp(c->format, "html") != 0) return on_script(c, LOAD_CHECK, show_graph);
  host_init(&host, NULL, NULL);
  if (!HOST_GUARD(&host, &g)) return EXIT_SCRIPT;
  Arena *a = arena_new(&host);
  int status = draw_page(c, a);
  arena_free(a);
  host_leave(&host, &g);
  return status;
}

static int show_plan(Cli *c, Session *s, Arena *a, const Entry *entry) {
  Text t = {.arena = a};
  PlanTotals totals = {0};
  Guard g;
  text_add(&t, "");
  if (!HOST_GUARD(&s->host, &g)) return EXIT_SCRIPT;
  plan_text(s, &entry->steps, &t, &totals);
  host_leave(&s->host, &g);
  size_t values = 0;
  for (uint32_t k = 0; k < s->program->slot.n; k++) values += (size_t)type_bytes(&s->program->slot.at[k].type);
  out_text(c, t.at);
  out_printf(c, "%u step%s of %u operations; at most %s: %s of values and files, %s to compute in\n", totals.steps,
             totals.steps == 1 ? "" : "s", totals.nodes, bytes_text(a, (double)(values + totals.slab)),
             bytes_text(a, (double)values), bytes_text(a, (double)totals.slab));
  out_printf(c, "each of them once: moves %s, %.3g flop\n", bytes_text(a, (double)totals.moved), totals.flops);
  return EXIT_DONE;
}

int cli_plan(Cli *c) { return on_script(c, LOAD_PLAN, show_plan); }
