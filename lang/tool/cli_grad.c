/* cli_grad: `glia grad FILE -f NAME [--at "x: [3]"] [--wrt ARG]`. In: a file with a formula. Out: its gradient as a
 * function of the language, on standard output: with the same arguments, of given types, it computes the bits of
 * `grad(NAME)`; what it reads beside them, parameters of the file and what it draws, are more arguments.
 *
 * The gradient is made by the language itself, of `grad(NAME, wrt = ...)(...)` where the arguments are inputs; the
 * optimiser makes it simple (opt.h), formula.c writes it. Names are those of the file: arguments, and the `let` whose
 * value a node is.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/mark.h"
#include "elab/native.h"
#include "elab/want.h"
#include "runtime/graph/opt.h"
#include "text/stdlib.h"
#include "tool/cli.h"
#include "tool/formula.h"
#include <string.h>

enum { FIRST_SIZE = 2, RESULT = 1 << 30 };

typedef struct Parameter { const char *name, *shown; Type type; SlotId slot; } Parameter;
typedef struct Dim { const char *name; int64_t size; } Dim;
typedef struct Line { const Source *source; Span span; const char *name; } Line;

typedef struct Written {
  Cli *c;
  Session *s;
  Elab *e;
  Arena *a;
  const char *file, *name;
  const Ast *params, *at;              /* its own, and those of --at */
  VEC(Parameter) parameter;
  VEC(Dim) dim;
  VEC(Line) line;                      /* the `let`s of the file */
  const Graph *small;                  /* what is written */
  const Graph *g;                      /* from which origin tells where a node came from */
  const NodeId *origin;
  VEC(NodeId) result;
} Written;

static bool wrong(Written *w, const char *fmt, const char *what) {
  err_printf(w->c, "glia: ");
  err_printf(w->c, fmt, w->name, what);
  err_printf(w->c, "\n");
  return false;
}

/* ---- which function ---- */

static const Bound *find(const Written *w) {
  const Scope *top = w->e->globals;
  for (uint32_t k = top->bound.n; k-- > 0;)
    if (!strcmp(top->bound.at[k]->name, w->name)) return top->bound.at[k];
  return NULL;
}

static bool no_such(Written *w) {
  const Scope *top = w->e->globals;
  const char **names = NEW_N(w->a, const char *, top->bound.n + 1u);
  uint32_t n = 0;
  for (uint32_t k = 0; k < top->bound.n; k++)
    if (top->bound.at[k]->value.kind == V_FN) names[n++] = top->bound.at[k]->name;
  const char *near = nearest(w->name, names, n);
  err_printf(w->c, "glia: %s defines no function `%s'%s%s%s\n", w->file, w->name, near ? "; did you mean `" : "",
             near ? near : "", near ? "'?" : "");
  return false;
}

static bool is_formula(Written *w, const Bound *b) {
  const Fn *f = b->value.kind == V_FN ? b->value.fn : NULL;
  if (b->value.kind == V_INSTANCE)
    return wrong(w, "`%s' is a layer that was made: write a function, %s", "such as `fn f(x) = sum(net(x))'");
  if (!f) return wrong(w, "`%s' is a value, %s", "and a gradient is of a function");
  static const char *const what[] = {
      [FN_PROC] = "a proc: it acts, and a gradient is of a formula, a `fn'",
      [FN_LAYER] = "a layer, which makes instances: write a function of what one computes",
      [FN_OPTIMIZER] = "an optimizer, and a gradient is of a function",
      [FN_EXTERN] = "a foreign function, whose text is not there",
      [FN_NATIVE] = "a function of the library or made of one: give it a name as `fn f(x) = ...'",
      [FN_OP] = "an operation: glia doc has its derivative",
      [FN_CHAIN] = "a chain: write a `fn' of a number that is made of what the chain gives"};
  if (f->kind != FN_CLOSURE) return wrong(w, "`%s' is %s", what[f->kind]);
  w->params = f->ast->kid[0];
  return true;
}

/* ---- its arguments ---- */

static const Ast *given_type(const Written *w, const char *name) {
  for (uint32_t k = 0; w->at && k < w->at->n; k++)
    if (!strcmp(w->at->kid[k]->kid[0]->name, name)) return w->at->kid[k]->kid[1];
  return NULL;
}

/* A name that is free gets a size of ours, another than those before it. */
static bool size_of(Written *w, const Ast *dim, int64_t *size) {
  if (dim->kind == A_NAME && dim->name[0] >= 'A' && dim->name[0] <= 'Z') {
    for (uint32_t k = 0; k < w->dim.n; k++)
      if (!strcmp(w->dim.at[k].name, dim->name)) {
        *size = w->dim.at[k].size;
        return true;
      }
    *size = FIRST_SIZE + (int64_t)w->dim.n;
    vec_push(w->a, &w->dim, (Dim){dim->name, *size});
    return true;
  }
  Scope *scope = scope_new(w->e, w->e->globals);
  for (uint32_t k = 0; k < w->dim.n; k++)
    scope_put(w->e, scope, sym(w->s->sources, w->dim.at[k].name, strlen(w->dim.at[k].name)), v_int(w->dim.at[k].size),
              NULL);
  w->e->here.scope = scope;
  return want_int(w->e, elab_expr(w->e, dim), dim, "a size in a type", size);
}

static bool type_of(Written *w, const char *name, const Ast *at, Type *out) {
  DType d = F32;
  *out = type_scalar(F32);
  if (!at) return true;
  bool known = !at->name || dtype_from_name(at->name, &d);
  if (at->kind != A_TTENSOR && at->kind != A_NAME) known = false;
  if (!known)
    return wrong(w, "an argument of `%s' is no tensor, and has no place in the text of a gradient: `%s'", name);
  *out = type_scalar(d);
  for (uint32_t k = 0; at->kind == A_TTENSOR && k < at->n; k++) {
    if (at->kid[k]->kind == A_REST) continue;          /* no axes of those */
    int64_t size;
    if (out->rank == MAX_RANK || !size_of(w, at->kid[k], &size)) return false;
    out->dim[out->rank++] = size;
  }
  return true;
}

static const char *own_name(Written *w, const char *name) {
  bool called = op_find(name, strlen(name)) || native_find(name) || stdlib_find(name) >= 0;
  return called ? arena_printf(w->a, "%s_", name) : name;
}

static bool read_parameters(Written *w) {
  for (uint32_t k = 0; k < w->params->n; k++) {
    const Ast *p = w->params->kid[k], *name = p->kid[0];
    if (name->kind != A_NAME) return wrong(w, "an argument of `%s' is taken apart by a pattern%s", ": give it a name");
    const Ast *type = given_type(w, name->name);
    if (!type && p->kid[2]) continue;                  /* it keeps what it is if it is not given */
    Parameter q = {.name = name->name, .shown = own_name(w, name->name)};
    if (!type_of(w, name->name, type ? type : p->kid[1], &q.type)) return false;
    q.slot = slot_new(w->e->p, SLOT_ARG, &q.type, q.name, 0);
    vec_push(w->a, &w->parameter, q);
  }
  for (uint32_t k = 0; w->at && k < w->at->n; k++) {
    bool found = false;
    for (uint32_t j = 0; j < w->params->n; j++)
      found |= w->params->kid[j]->kid[0]->name && !strcmp(w->params->kid[j]->kid[0]->name, w->at->kid[k]->kid[0]->name);
    if (!found) return wrong(w, "--at: `%s' has no argument `%s'", w->at->kid[k]->kid[0]->name);
  }
  return true;
}

static Ast *parse_text(Written *w, const char *name, const char *text) {
  Parsed *p = parse(w->e->a, source_add(w->s->sources, name, text, strlen(text)), w->e->d, false);
  return w->e->d->n_errors || p->program->n != 1 ? NULL : p->program->kid[0];
}

static bool read_at(Written *w, const char *at) {
  if (!at) return true;
  Ast *f = parse_text(w, "--at", arena_printf(w->a, "fn at(%s) = 0", at));
  if (!f || f->kind != A_FN) return false;
  w->at = f->kid[0];
  return true;
}

/* ---- the graph ---- */

static bool add_result(Written *w, Value v) {
  v = value_decay(w->e, v);
  if (v.kind == V_NODE) {
    vec_push(w->a, &w->result, v.node);
    return true;
  }
  if (v.kind != V_TUPLE) return wrong(w, "the gradient of `%s' is a tree, %s", "and the text of one is of tensors");
  for (uint32_t k = 0; k < v.items->n; k++)
    if (!add_result(w, v.items->at[k])) return false;
  return true;
}

static bool differentiate(Written *w, const Bound *b, const char *wrt) {
  Elab *e = w->e;
  Scope *scope = scope_new(e, e->globals);
  Text call = {.arena = w->a};
  scope_put(e, scope, sym(w->s->sources, "glia_f", 6), b->value, NULL);
  text_printf(&call, "grad(%s", w->name);
  if (wrt && strchr(wrt, ',')) {
    text_add(&call, ", wrt = (\"");
    for (const char *p = wrt; *p; p++) text_add_n(&call, *p == ',' ? "\", \"" : p, *p == ',' ? 4 : *p != ' ');
    text_add(&call, "\")");
  } else if (wrt) text_printf(&call, ", wrt = \"%s\"", wrt);
  text_add(&call, ")(");
  for (uint32_t k = 0; k < w->parameter.n; k++) {
    const Parameter *p = &w->parameter.at[k];
    scope_put(e, scope, sym(w->s->sources, p->name, strlen(p->name)), v_node(graph_input(e->g, p->slot, &p->type, 0)),
              NULL);
    text_printf(&call, "%s%s = %s", k ? ", " : "", p->name, p->name);
  }
  text_add(&call, ")");
  Ast *ast = parse_text(w, arena_printf(w->a, "gradient of %s", w->name), call.at);
  if (!ast || ast->kind != A_EXPR) return false;
  Ast *grad = ast->kid[0]->kid[0];
  grad->kid[1] = name_meaning(e, grad->kid[1], "glia_f");
  e->here.scope = scope;
  e->here.source = ast->source;
  Value v = elab_expr(e, ast->kid[0]);
  return v.kind != V_BAD && e->d->n_errors == 0 && add_result(w, v);
}

/* A cell that the formula reads is one argument more. */
static void add_cell(Written *w, SlotId slot, const Type *t) {
  for (uint32_t k = 0; k < w->parameter.n; k++)
    if (w->parameter.at[k].slot == slot) return;
  const char *path = w->e->p->slot.at[slot].path;
  char *name = arena_text(w->a, path ? path : "cell", strlen(path ? path : "cell"));
  for (char *p = name; *p; p++)
    if (*p == '.') *p = '_';
  vec_push(w->a, &w->parameter, (Parameter){name, own_name(w, name), *t, slot});
}

/* What is drawn is an argument, too: a draw is of the place where it stands. */
static void add_draws(Written *w, Graph *g) {
  NodeId *ids;
  uint32_t n = graph_slice(g, w->result.at, w->result.n, NULL, NULL, &ids), drawn = 0;
  for (uint32_t k = 0; k < n; k++) {
    Node *x = &g->node[ids[k]];
    if (!(x->op->flags & OP_RANDOM)) continue;
    const char *name = drawn++ ? arena_printf(w->a, "draw%u", (unsigned)drawn) : "draw";
    for (uint32_t j = 0; j < w->parameter.n; j++)
      if (!strcmp(w->parameter.at[j].shown, name)) name = arena_printf(w->a, "%s_", name);
    int64_t slot = slot_new(w->e->p, SLOT_ARG, x->type, name, 0);
    vec_push(w->a, &w->parameter, (Parameter){name, name, *x->type, (SlotId)slot});
    Attr attr = {.i = arena_copy(w->a, &slot, sizeof slot), .n = 1};
    *x = (Node){.op = &op_input, .type = x->type, .loc = x->loc, .segment = x->segment,
                .attr = arena_copy(w->a, &attr, sizeof attr)};
  }
}

/* What the results need, alone, and simple: slot k of it is parameter k. */
static Graph *alone(Written *w) {
  Graph *to = graph_new(w->a), from = *w->e->g, *g = &from;
  NodeId *ids, *out = NEW_N(w->a, NodeId, w->result.n);
  from.node = arena_copy(w->a, from.node, from.n * sizeof *from.node);
  from.mark = NULL;          /* its own */
  from.mark_cap = 0;
  add_draws(w, g);
  uint32_t n = graph_slice(g, w->result.at, w->result.n, NULL, NULL, &ids);
  NodeId *in = NEW_N(w->a, NodeId, w->e->p->slot.n + 1u);
  for (uint32_t k = 0; k < n; k++)
    if (g->node[ids[k]].op == &op_input) add_cell(w, (SlotId)g->node[ids[k]].attr->i[0], g->node[ids[k]].type);
  for (uint32_t k = 0; k < w->parameter.n; k++)
    in[w->parameter.at[k].slot] = graph_input(to, k, &w->parameter.at[k].type, 0);
  from.out.n = w->result.n;
  from.out.at = NEW_N(w->a, Output, w->result.n);
  for (uint32_t k = 0; k < w->result.n; k++) from.out.at[k] = (Output){w->result.at[k], k};
  graph_inline(to, &from, in, out);
  for (uint32_t k = 0; k < w->result.n; k++) graph_output(to, out[k], RESULT + k);
  NodeId *origin;
  Graph *small = opt_run(to, w->a, &(Opt){.kernels = NULL}, &origin);
  w->g = to;
  w->origin = origin;
  w->small = small;
  return small;
}

/* ---- names ---- */

static void find_lets(Written *w, const Ast *at) {
  host_deeper(&w->s->host);
  if (at->kind == A_LET && at->n && at->kid[0]->kind == A_NAME && at->kid[at->n - 1]) {
    const Ast *value = at->kid[at->n - 1];
    vec_push(w->a, &w->line, (Line){value->source, value->span, at->kid[0]->name});
  }
  for (uint32_t k = 0; k < at->n; k++)
    if (at->kid[k]) find_lets(w, at->kid[k]);
}

static const char *input_name(void *ctx, uint32_t slot) { return ((Written *)ctx)->parameter.at[slot].shown; }

static bool is_taken(void *ctx, const char *name) {
  (void)ctx;
  Text t = {.arena = ((Written *)ctx)->a};
  return op_find(name, strlen(name)) || native_find(name) || stdlib_find(name) >= 0 || doc_word(&t, name);
}

static const char *let_name(void *ctx, const Graph *g, NodeId id, bool *own) {
  const Written *w = ctx;
  NodeId from = g == w->small ? w->origin[id] : 0;
  Loc loc = g != w->small ? g->node[id].loc : from < w->g->n ? w->g->node[from].loc : 0;
  const Place *p = loc ? loc_place(w->s->sources, loc) : NULL;
  *own = false;
  if (loc & LOC_ADJOINT) return "g";
  for (uint32_t k = 0; p && k < w->line.n; k++) {
    const Line *l = &w->line.at[k];
    if (l->source != p->source || l->span.first != p->span.first || l->span.end != p->span.end) continue;
    *own = true;
    return l->name;
  }
  return NULL;
}

/* ---- the text ---- */

static bool write(Written *w, const Graph *g, const char *wrt) {
  Text body = {.arena = w->a}, t = {.arena = w->a};
  const char *why = NULL;
  FormulaNames names = {.input = input_name, .hint = let_name, .taken = is_taken, .ctx = w};
  text_add(&body, "");
  if (!formula_write(&body, g, &names, 2, &why))
    return wrong(w, "the gradient of `%s' cannot be written as a function: %s", why);
  text_printf(&t, "# The gradient of `%s` of %s%s%s.\n", w->name, w->file, wrt ? ", by " : "", wrt ? wrt : "");
  text_printf(&t, "fn grad_%s(", w->name);
  for (uint32_t k = 0; k < w->parameter.n; k++) {
    const Parameter *p = &w->parameter.at[k];
    text_printf(&t, "%s%s: %s", k ? ", " : "", p->shown, type_show(w->a, &p->type));
  }
  bool one = body.n + t.n - strcspn(t.at, "\n") < 118 && strcspn(body.at, "\n") + 1 == body.n;
  text_printf(&t, one ? ") = %s" : ") {\n%s}\n", one ? body.at + 2 : body.at);
  out_write(w->c, t.at, t.n);
  return true;
}

static bool write_gradient(Written *w, const char *at, const char *wrt) {
  Elab *e = w->e;
  const Bound *b = find(w);
  Steps steps = {0};
  if (!b) return no_such(w);
  if (!is_formula(w, b)) return false;
  w->s->diags = e->d = diags_new(w->s->arena, w->s->sources);
  elab_top(e, NULL);
  e->here.make = MAKE_IN_CALL;
  Region *top = region_enter(e, REGION_TOP, &steps, NULL);
  Type turn = type_scalar(I32);
  vec_push(e->a, &e->here.turns, graph_input(e->g, slot_new(e->p, SLOT_TURN, &turn, NULL, 0), &turn, 0));
  bool good = read_at(w, at) && read_parameters(w) && differentiate(w, b, wrt);
  region_leave(e, top);
  if (e->d->diag.n) cli_diagnostics(w->c, w->s);
  if (!good) return false;
  find_lets(w, b->value.fn->ast);
  return write(w, alone(w), wrt);
}

int cli_grad(Cli *c) {
  Session *s = cli_open(c);
  if (!s) return EXIT_SCRIPT;
  Entry *entry;
  Status status = session_load_file(s, c->operand[0], LOAD_CHECK, &entry);
  int found = cli_status(c, s, status);
  Guard guard;
  if (status == STATUS_OK && HOST_GUARD(&s->host, &guard)) {
    Written w = {.c = c, .s = s, .e = s->elab, .a = s->arena, .file = c->operand[0], .name = c->function};
    found = write_gradient(&w, c->at, c->wrt) ? EXIT_DONE : EXIT_SCRIPT;
    host_leave(&s->host, &guard);
  } else if (status == STATUS_OK) {
    err_printf(c, "glia: %s\n", s->host.message);
    found = EXIT_SCRIPT;
  }
  cli_close(c, s);
  return found;
}
