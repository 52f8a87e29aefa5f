/* doc_all: the reference, `glia doc --all`, which is docs/reference.md. In: the operations' blocks, the tables of the
 * natives, the files of the library. Out: a page of Markdown; each name with how it is called, its text, its example,
 * and of an operation the shapes and element types that its type rule takes and the derivative that its rule builds.
 *
 * Nothing stands here that stands in no definition: shapes and types are asked of the type rule, with the samples that
 * the tests compute with; a derivative is the graph of its rule, written by formula.c.
 */
#include "elab/native.h"
#include "runtime/graph/face.h"
#include "runtime/graph/opt.h"
#include "runtime/graph/sample.h"
#include "text/stdlib.h"
#include "tool/cli.h"
#include "tool/expect.h"
#include "tool/formula.h"
#include <string.h>

enum { SHOWN_SAMPLES = 3 };

/* The file of each operation. */
typedef struct Family { int first; const char *name; } Family;
enum {
#define FAMILY(name) PLACE_##name,
#define OP(name)
#include "runtime/ops/list.h"
#undef OP
  N_FAMILIES
};
#define OP(name) AT_##name,
#define FAMILY(name) FIRST_##name, BEFORE_##name = FIRST_##name - 1,
enum {
#include "runtime/ops/list.h"
};
#undef OP
static const Family families[] = {
#define OP(name)
#define FAMILY(name) {FIRST_##name, #name},
#include "runtime/ops/list.h"
#undef OP
};

/* ---- texts ---- */

static void add_code(Text *t, const char *text) {
  size_t n = strlen(text);
  text_printf(t, "\n```\n%s%s```\n\n", text, n && text[n - 1] == '\n' ? "" : "\n");
}

/* A ## text: what is an example, with what follows of its result, is code. */
static void add_text(Text *t, const char *text) {
  bool code = false;
  for (const char *p = text ? text : ""; *p;) {
    size_t n = strcspn(p, "\n");
    const char *line = arena_text(t->arena, p, n);
    bool is_code = strstr(line, "# =>") || (code && *line == '#');
    if (is_code != code) text_add(t, code ? "```\n\n" : "\n```\n");
    code = is_code;
    text_printf(t, "%s\n", line);
    p += n + (p[n] != 0);
  }
  if (code) text_add(t, "```\n");
}

static void add_head(Text *t, const char *name, const char *face) {
  text_printf(t, "\n### %s\n`%s(", name, name);
  face_show(t, face);
  text_add(t, ")`\n\n");
}

/* ---- an operation ---- */

typedef struct Shown {
  Arena *a;
  const Op *op;
  const Sample *s;
  const char **name;           /* of its operands */
  NodeId y;                    /* the result, in the graph that has origin */
  const NodeId *origin;
} Shown;

/* A name for operand k: what its face says. */
static const char *operand_name(Arena *a, const Op *op, uint32_t k) {
  if (op->n_in < 0) return arena_printf(a, "x%u", k);
  return face_name(a, op_face(op), k);
}

/* The sample with another float, in g. NO_NODE: refused. */
static NodeId sample_node(Graph *g, const Shown *w, DType floats, NodeId *in) {
  for (uint32_t k = 0; k < w->s->n; k++) {
    Type t = w->s->x[k];
    if (t.dtype == F32) t.dtype = (uint8_t)floats;
    in[k] = graph_input(g, k, &t, 0);
  }
  TypeError e;
  return graph_emit(g, w->op, in, w->s->n, &w->s->attr, 0, &e);
}

static void add_shapes(Text *t, const Shown *w) {
  Graph *g = graph_new(t->arena);
  NodeId in[MOST_IN], y = sample_node(g, w, F32, in);
  const char *type[MOST_IN];
  for (uint32_t k = 0; k < w->s->n; k++) type[k] = type_show(t->arena, g->node[in[k]].type);
  text_printf(t, "- `%s` is `%s`\n", formula_call(t->arena, g, y, type), type_show(t->arena, g->node[y].type));
}

static void add_types(Text *t, const Shown *w) {
  Text list = {.arena = t->arena};
  bool any = false;
  text_add(&list, "");
  for (uint32_t k = 0; k < w->s->n; k++) any |= w->s->x[k].dtype == F32;
  for (int d = 0; any && d < N_DTYPES; d++) {
    Graph *g = graph_new(t->arena);
    NodeId in[MOST_IN], y = sample_node(g, w, (DType)d, in);
    if (y == NO_NODE) continue;
    DType to = (DType)g->node[y].type->dtype;
    text_printf(&list, "%s%s", list.n ? ", " : "", dtype_name[d]);
    if ((int)to != d) text_printf(&list, " (gives %s)", dtype_name[to]);
  }
  if (list.n) text_printf(t, "- element types: %s\n", list.at);
}

static const char *slot_name(void *ctx, uint32_t slot) {
  const Shown *w = ctx;
  return slot < w->s->n ? w->name[slot] : "dout";
}

static const char *result_name(void *ctx, NodeId id) {
  const Shown *w = ctx;
  return w->origin[id] == w->y ? "out" : NULL;
}

/* What the rule makes of an adjoint `dout` of the result `out`. */
static void add_rule(Text *t, Shown *w) {
  Graph *g = graph_new(t->arena);
  NodeId in[MOST_IN], dx[MOST_IN], *origin;
  bool wanted[MOST_IN], selected[MOST_IN] = {false};
  w->y = sample_node(g, w, F32, in);
  Type type = *g->node[w->y].type;
  for (uint32_t k = 0; k < w->s->n; k++) {
    dx[k] = NO_NODE;
    wanted[k] = dtype_is_float((DType)w->s->x[k].dtype);
  }
  Grad d = {.g = g, .x = in, .n = w->s->n, .attr = &w->s->attr, .wanted = wanted, .dx = dx, .dx_selected = selected};
  d.y = w->y;
  d.dy = graph_input(g, w->s->n, &type, 0);
  w->op->grad(&d);
  Text rule = {.arena = t->arena};
  text_add(&rule, "");
  for (uint32_t k = 0; k < w->s->n; k++) {
    if (!wanted[k] || dx[k] == NO_NODE) continue;
    const char *why;
    g->out.n = 0;
    graph_output(g, dx[k], MOST_IN + 2);
    Graph *small = opt_run(g, t->arena, &(Opt){.no_rewrite = true}, &origin);
    Text one = {.arena = t->arena};
    FormulaNames names = {.input = slot_name, .given = result_name, .ctx = w};
    w->origin = origin;
    if (!formula_write(&one, small, &names, 0, &why)) continue;
    size_t last = one.n - 1;
    while (last > 0 && one.at[last - 1] != '\n') last--;
    text_printf(&rule, "%.*sd%s = %s", (int)last, one.at, w->name[k], one.at + last);
  }
  if (!rule.n) return;
  text_printf(t, "- derivative%s:\n", w->op->flags & OP_POINTWISE ? "" : ", for the first of these shapes");
  add_code(t, rule.at);
}

static void add_derivative(Text *t, Shown *w) {
  const Op *op = w->op;
  if (op->no_grad) text_printf(t, "- no derivative: %s\n", op->no_grad);
  else if (op->flags & OP_EFFECTLESS_ZERO)
    text_add(t, "- derivative: 0 everywhere; a warning says so where it is all that is left\n");
  else if (w->s->n) add_rule(t, w);
}

/* Over no axes nothing is done: no example. */
static bool shows(Arena *a, const Op *op, const Sample *s) {
  const char *error;
  uint32_t place;
  const Face *f = face_parse(a, op_face(op), &error, &place);
  for (uint32_t k = 0; f && k < f->n; k++)
    if (f->param[k].kind != FACE_TENSOR) return f->param[k].kind != FACE_AXES || (s->attr.n && s->attr.i[0] > 0);
  return true;
}

/* The samples that are shown, in front. */
static uint32_t shown_samples(Arena *a, const Op *op, Sample *s) {
  bool whole = op->id != OP_input && op->id != OP_constant && op->id != OP_loop;
  uint32_t n = whole && op->id != OP_pick ? op_samples(a, op, s) : 0, kept = 0;
  for (uint32_t k = 0; k < n; k++)
    if (shows(a, op, &s[k])) s[kept++] = s[k];
  return kept < SHOWN_SAMPLES ? kept : SHOWN_SAMPLES;
}

static void add_operation(Text *t, const Op *op, const char *family) {
  Sample sample[SAMPLES];
  const Native *native = native_find(op->name);   /* which reads the arguments */
  if (op->flags & OP_HIDDEN) text_printf(t, "\n### %s\n", op->name);
  else add_head(t, op->name, native ? native->params : op_face(op));
  if (op->sign) text_printf(t, "Written `%s`. ", op->sign);
  text_printf(t, "%s\n", op->doc);
  add_code(t, op->example);
  uint32_t n = shown_samples(t->arena, op, sample);
  Shown w = {.a = t->arena, .op = op, .s = sample, .name = NEW_N(t->arena, const char *, MOST_IN)};
  for (uint32_t k = 0; n && k < sample[0].n; k++) w.name[k] = operand_name(t->arena, op, k);
  if (op->flags & OP_POINTWISE) text_add(t, "- shapes: element by element\n");
  bool called = op->sign || !(op->flags & OP_HIDDEN);
  for (uint32_t k = 0; k < n && called && !(op->flags & OP_POINTWISE); k++) {
    Shown one = w;
    one.s = &sample[k];
    add_shapes(t, &one);
  }
  if (n) add_types(t, &w);
  if (n) add_derivative(t, &w);
  text_printf(t, "- source: `runtime/ops/%s.c`\n", family);
}

static void add_operations(Text *t, bool hidden) {
  for (int k = 0; k < N_FAMILIES; k++) {
    int first = families[k].first, end = k + 1 < N_FAMILIES ? families[k + 1].first : N_OPS;
    for (int id = first; id < end; id++)
      if (((op_table[id]->flags & OP_HIDDEN) != 0) == hidden) add_operation(t, op_table[id], families[k].name);
  }
}

/* ---- the host language and the library ---- */

static void add_natives(Text *t) {
  for (const Native *const *table = native_tables; *table; table++)
    for (const Native *n = *table; n->name; n++) {
      const Op *op = op_find(n->name, strlen(n->name));
      if (op && !(op->flags & OP_HIDDEN)) continue;      /* stands above */
      add_head(t, n->name, n->params);
      add_text(t, n->doc);
      if (n->example) add_code(t, n->example);
    }
}

static void add_definition(Text *t, const StdFile *file, const Ast *at) {
  const char *text = file->text;
  uint32_t first = at->span.first, end = at->span.end;
  if (at->n && at->kid[at->n - 1]) end = at->kid[at->n - 1]->span.first;
  while (end > first && strchr(" \t\r\n={", text[end - 1])) end--;
  text_printf(t, "\n### %s\n`%.*s`\n\n", at->name ? at->name : at->kid[0]->name, (int)(end - first), text + first);
  add_text(t, at->doc);
  text_printf(t, "\n- source: `stdlib/%s`\n", file->name);
}

static void add_library(Text *t) {
  for (int k = 0; k < stdlib_n_files; k++) {
    Sources *sources = sources_new(t->arena);
    const StdFile *file = &stdlib_files[k];
    Source *source = source_add(sources, file->name, file->text, file->n);
    Parsed *p = parse(t->arena, source, diags_new(t->arena, sources), false);
    for (uint32_t j = 0; j < p->program->n; j++) {
      const Ast *at = p->program->kid[j];
      if (at && at->doc && stdlib_find(at->name ? at->name : at->kid[0]->name) == k) add_definition(t, file, at);
    }
  }
}

void doc_all(Text *t) {
  text_add(t, "# Reference\n"
           "What `glia doc --all` writes: every name that a script can use, from the place where it is defined. The\n"
           "examples are run by `glia test --library`. In a derivative `out` is the result, `dout` what comes to it\n"
           "from behind, `dx` what goes on to `x`; it is made of operations, so it has a derivative, and so on to any\n"
           "order. [derivatives.md](derivatives.md) says what holds for all.\n\n## Operations\n");
  add_operations(t, false);
  text_add(t, "\n## Operations that have a sign, or stand in derivatives alone\n"
           "These have no name in a script.\n");
  add_operations(t, true);
  text_add(t, "\n## Functions of the host language\n"
           "They compute with sizes, lists, functions and trees; `lang/natives/` has them. What they make is made of\n"
           "operations, and so are its derivatives.\n");
  add_natives(t);
  text_add(t, "\n## The library\n"
           "In the language itself; a derivative is that of the definition, or the `gradient` beside it.\n");
  add_library(t);
}
