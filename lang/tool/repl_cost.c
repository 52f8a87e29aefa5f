/* repl_cost: what things cost: `:plan e`, `:profile e`, `:summary net [x]`. In: an expression. Out: its steps; where
 * its time goes, by place of the user's text; the layers of a network.
 */
#include "elab/leaves.h"
#include "tool/plan_text.h"
#include "tool/repl_inspect.h"
#include <stdlib.h>
#include <string.h>

bool show_plan(Repl *r, const char *rest) {
  Entry *entry;
  Text t = {.arena = r->a};
  PlanTotals totals = {0};
  Guard g;
  if (!repl_look(r, "plan", rest, &entry)) return true;
  text_add(&t, "");
  if (!HOST_GUARD(&r->s->host, &g)) return true;
  plan_text(r->s, &entry->steps, &t, &totals);
  host_leave(&r->s->host, &g);
  out_text(r->c, t.at);
  out_printf(r->c, "%u step%s of %u operations, room %s, moves %s, %.3g flop\n", totals.steps,
             totals.steps == 1 ? "" : "s", totals.nodes, bytes_text(r->a, (double)totals.slab),
             bytes_text(r->a, (double)totals.moved), totals.flops);
  return true;
}

/* ---- profile ---- */

typedef struct Spent { Loc loc; double ns, bytes; uint32_t n; } Spent;

static int by_time(const void *a, const void *b) {
  const Spent *x = a, *y = b;
  return (x->ns < y->ns) - (x->ns > y->ns);
}

static void profile(Repl *r, Inspect *x, void *to) {
  enum { MOST = 12, WIDE = 40 };
  VEC(Spent) spent = {0};
  double all = 0;
  (void)to;
  for (uint32_t k = 0; k < x->n; k++) {
    NodeId id = x->node[k];
    const Node *n = graph_at(x->g, id);
    if (!n->n_in) continue;
    Loc loc = inspect_loc(x, id);
    uint32_t at = 0;
    while (at < spent.n && spent.at[at].loc != loc) at++;
    if (at == spent.n) vec_push(x->a, &spent, (Spent){.loc = loc});
    spent.at[at].ns += x->took[id];
    spent.at[at].bytes += (double)type_bytes(n->type);
    spent.at[at].n++;
    all += x->took[id];
  }
  if (spent.n) qsort(spent.at, spent.n, sizeof *spent.at, by_time);
  out_printf(r->c, "%.3g ms, nothing fused, on one thread\n", all * 1e-6);
  for (uint32_t k = 0; k < spent.n && k < MOST; k++) {
    const Place *p = loc_place(x->s->diags->sources, spent.at[k].loc);
    const char *text = "the library";
    uint32_t n = (uint32_t)strlen(text), line = 0, column;
    if (p && p->source) {
      text = p->source->text + p->span.first;
      n = p->span.end - p->span.first;
      source_position(p->source, p->span.first, &line, &column);
    }
    const char *end = memchr(text, '\n', n);
    if (end) n = (uint32_t)(end - text);
    out_printf(r->c, "%5.1f %%  %9.3g ms  %10s  %3u operation%s  line %-4u %.*s%s\n",
               all > 0 ? 100 * spent.at[k].ns / all : 0, spent.at[k].ns * 1e-6, bytes_text(x->a, spent.at[k].bytes),
               spent.at[k].n, spent.at[k].n == 1 ? " " : "s", line, n > WIDE ? WIDE : (int)n, text,
               n > WIDE ? " .." : "");
  }
  if (spent.n > MOST) out_printf(r->c, "and %u more places\n", spent.n - MOST);
}

bool show_profile(Repl *r, const char *rest) {
  repl_inspect(r, "profile", rest, INSPECT_TIMED, profile, NULL);
  return true;
}

/* ---- summary ---- */

static int64_t count_of(Repl *r, Value v) {
  Leaves l = {0};
  int64_t n = 0;
  tree_cells(r->s->elab, v, &l);
  for (uint32_t k = 0; k < l.n; k++) {
    const Value *leaf = &l.at[k].value;
    if (leaf->kind == V_CELL && leaf->cell->role == CELL_PARAM) n += type_count(&leaf->cell->type);
  }
  return n;
}

static const char *layer_text(const Value *v) {
  if (v->kind == V_INSTANCE && v->instance->layer->name) return v->instance->layer->name;
  if (v->kind == V_FN && v->fn->name) return v->fn->name;
  return v->kind == V_FN && v->fn->kind == FN_CHAIN ? "chain" : "function";
}

typedef struct Row {
  const char *path, *layer, *shape;
  int64_t count;
  bool ran;
  double flops, bytes;       /* of all operations up to here; bytes of their values */
} Row;

static double turns_of(const Node *n) { return n->attr->body ? (double)n->attr->i[0] : 1; }

static void add_cost(const Graph *g, NodeId id, double times, Row *row) {
  const Node *n = graph_at(g, id);
  if (!n->n_in) return;
  if (n->attr->body) {
    for (NodeId k = 0; k < n->attr->body->n; k++) add_cost(n->attr->body, k, times * turns_of(n), row);
    return;
  }
  const Type *in[POINT_IN + 4] = {NULL};
  for (uint32_t k = 0; k < n->n_in && k < POINT_IN + 4; k++) in[k] = graph_at(g, n->in[k])->type;
  KernelCall call = {.in_type = in, .out_type = n->type, .attr = n->attr, .n_in = n->n_in};
  double flops = n->op->flags & (OP_MOVES | OP_PASSES) ? 0 : (double)type_count(n->type);
  if (n->op->cost && n->n_in <= POINT_IN + 4) flops = n->op->cost(&call).flops;
  row->flops += times * flops;
  row->bytes += times * (double)type_bytes(n->type);
}

static void cost_all(Repl *r, Inspect *x, void *to) {
  Row *row = to;
  for (uint32_t k = 0; k < x->n; k++) add_cost(x->g, x->node[k], 1, row);
  row->shape = type_show(r->a, graph_at(x->g, x->y)->type);
  row->ran = true;
}

/* e, as a row: what it costs, and the shape that it has. false: reported. */
static bool cost_row(Repl *r, const char *e, Row *row) {
  const Value *v;
  if (!repl_value(r, e, &v)) return false;
  if (v->kind == V_NODE) repl_inspect_node(r, v->node, INSPECT_SHAPES, cost_all, row);
  else row->shape = arena_printf(r->a, "%s", session_type_text(r->s, v));
  return true;
}

static void show_row(Repl *r, const Row *row) {
  out_printf(r->c, "%-12s %-20s %-18s %10lld", row->path, row->layer, row->shape, (long long)row->count);
  if (row->ran) out_printf(r->c, "  %10.4g flop  %10s", row->flops, bytes_text(r->a, row->bytes));
  out_text(r->c, "\n");
}

/* The links of a chain, one after the other, each behind those before it. */
static void chain_rows(Repl *r, const char *net, const char *x, uint32_t n, Row *rows) {
  Row all = {.path = "", .layer = "in all", .shape = ""};
  const char *e = x;
  bool good = *x;
  for (uint32_t k = 0; k < n; k++) {
    e = arena_printf(r->a, "%s[%u](%s)", net, k, e);
    if (good) good = cost_row(r, e, &rows[k]);
    Row shown = rows[k];
    shown.flops -= all.flops;
    shown.bytes -= all.bytes;
    all.count += shown.count;
    if (*x && !good) shown.shape = "fails here";
    show_row(r, &shown);
    if (*x && !good) break;
    if (shown.ran) all.flops += shown.flops, all.bytes += shown.bytes, all.shape = shown.shape, all.ran = true;
  }
  show_row(r, &all);
}

/* Where the first word ends that no bracket holds together. */
static size_t first_word(const char *text) {
  int depth = 0;
  size_t k = 0;
  for (; text[k] && (depth > 0 || text[k] != ' '); k++)
    depth += strchr("([{", text[k]) ? 1 : strchr(")]}", text[k]) ? -1 : 0;
  return k;
}

static uint32_t parts_of(Repl *r, const Value *v, Row **rows) {
  bool chain = v->kind == V_FN && v->fn->kind == FN_CHAIN;
  uint32_t n = chain ? v->fn->captured->n : v->kind == V_INSTANCE ? v->instance->n : 0, kept = 0;
  *rows = NEW_N(r->a, Row, n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    const Field *f = chain ? NULL : &v->instance->field[k];
    if (f && f->role == FIELD_ARG) continue;
    const Value *part = chain ? &v->fn->captured->at[k] : &f->value;
    int64_t count = count_of(r, *part);
    if (!chain && !count) continue;
    const char *layer = f && f->role == FIELD_PARAM ? "param" : layer_text(part);
    (*rows)[kept++] = (Row){.path = f ? arena_printf(r->a, ".%s", f->name) : arena_printf(r->a, "[%u]", k),
                            .layer = arena_printf(r->a, "%s", layer), .shape = "", .count = count};
    if (f && part->kind == V_CELL) (*rows)[kept - 1].shape = type_show(r->a, &part->cell->type);
  }
  return kept;
}

bool show_summary(Repl *r, const char *rest) {
  const Value *v;
  Row *rows, all = {.path = "", .layer = "in all", .shape = ""};
  size_t n = first_word(rest);
  const char *net = arena_text(r->a, rest, n), *x = rest + n + strspn(rest + n, " ");
  if (!n) err_printf(r->c, "entry %d: :summary wants a network, and perhaps an input: `:summary net x`\n", r->entry);
  if (!n || !repl_value(r, net, &v)) return true;
  if (v->kind != V_INSTANCE && v->kind != V_FN) {
    err_printf(r->c, "entry %d: :summary wants a network, and this is %s\n", r->entry, session_type_text(r->s, v));
    return true;
  }
  bool chain = v->kind == V_FN && v->fn->kind == FN_CHAIN;
  all.count = count_of(r, *v);
  uint32_t parts = parts_of(r, v, &rows);
  out_printf(r->c, "%-12s %-20s %-18s %10s%s\n", "", "layer", *x ? "result" : "", "parameters",
             *x ? "                         values" : "");
  if (chain) {
    chain_rows(r, net, x, parts, rows);
    return true;
  }
  for (uint32_t k = 0; k < parts; k++) show_row(r, &rows[k]);
  if (*x && !cost_row(r, arena_printf(r->a, "%s(%s)", net, x), &all)) all.shape = "fails here";
  show_row(r, &all);
  return true;
}
