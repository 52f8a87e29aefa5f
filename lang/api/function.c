/* function: see function.h. In: a name, argument types, buffers. Out: results.
 *
 * The call is written as a text of the language, `f(x, y)`, and read by the language's own parser and elaborator
 * in a scope where the parameters' names stand for the arguments: so an error has a place, and `grad(f(x, y), net)`
 * means what it means in a script, whether `net` is an argument or a tree at the top level. These texts are made of
 * words of ours and of names that a parser has read; what the host passes is bound to a name, or parsed by itself and
 * looked at: the name of a tree is a path and nothing else.
 */
#include "api/function.h"
#include "elab/cell.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/mark.h"
#include "elab/names.h"
#include "elab/savepoint.h"
#include "elab/want.h"
#include "steps/machine.h"
#include "steps/prepare.h"
#include <string.h>

const Bound *function_find(const Session *s, const char *name) {
  const Scope *globals = s->elab->globals;
  for (uint32_t k = globals->bound.n; k-- > 0;)
    if (!strcmp(globals->bound.at[k]->name, name)) return globals->bound.at[k];
  return NULL;
}

bool function_callable(const Bound *b) { return b->value.kind == V_FN || b->value.kind == V_INSTANCE; }

bool function_is(const Function *f, const Bound *b) {
  if (f->bound != b || f->value->kind != b->value.kind) return false;
  return b->value.kind == V_FN ? f->value->fn == b->value.fn : f->value->instance == b->value.instance;
}

Function *function_new(Session *s, const Bound *b) {
  Function *f = NEW(s->arena, Function);
  *f = (Function){.session = s, .name = b->name, .bound = b,
                  .value = arena_copy(s->arena, &b->value, sizeof b->value)};
  return f;
}

/* ---- elaboration ---- */

typedef struct Building {
  Function *f;
  Compiled *c;
  const Ast *call;            /* read once: what is learnt of cells is told by their places */
  Needs keep;
  VEC(Result) result;
} Building;

/* The parameters' names, where they have one. */
static const char *parameter_name(const Function *f, uint32_t k) {
  const Ast *at = NULL, *params = NULL;
  if (f->value->kind == V_INSTANCE) at = f->value->instance->call;
  else if (f->value->fn->kind == FN_CLOSURE || f->value->fn->kind == FN_PROC) at = f->value->fn->ast;
  if (at && at->n > 0) params = at->kid[0];
  if (!params || params->kind != A_PARAMS || k >= params->n) return NULL;
  const Ast *pattern = params->kid[k]->kid[0];
  return pattern && pattern->kind == A_NAME ? pattern->name : NULL;
}

/* A known int is one for the host, too. */
static NodeId int_result(Elab *e, int64_t i, const Ast *at) {
  if (i < INT32_MIN || i > INT32_MAX) {
    elab_error(e, at, E_INT_FITS, (double)i, "i32", (double)INT32_MIN, (double)INT32_MAX);
    return NO_NODE;
  }
  return graph_const_like(e->g, I32, (double)i, elab_loc(e, at));
}

static void add_result(Elab *e, Building *b, Value v, const char *path, const Ast *at) {
  v = value_decay(e, v);
  NodeId n = v.kind == V_INT ? int_result(e, v.i, at) : want_node(e, v, at, "a result");
  if (n == NO_NODE) return;
  n = settle(e, n);
  vec_push(e->a, &b->keep, (Need){.node = n, .slot = NO_SLOT});
  vec_push(e->a, &b->result, (Result){.path = path, .type = *node_type(e, n), .slot = NO_SLOT});
}

static const char *below(Elab *e, const char *path, const char *name) {
  return *path ? arena_printf(e->a, "%s.%s", path, name) : name;
}

/* The tensors of a value in order, each with its path. */
static void add_leaves(Elab *e, Building *b, Value v, const char *path, const Ast *at) {
  host_deeper(&e->s->host);
  switch (v.kind) {
  case V_BAD: case V_UNIT: break;
  case V_TUPLE: case V_LIST:
    for (uint32_t k = 0; k < v.items->n; k++)
      add_leaves(e, b, v.items->at[k], below(e, path, arena_printf(e->a, "%u", k)), at);
    break;
  case V_RECORD:
    for (uint32_t k = 0; k < v.fields->n; k++)
      add_leaves(e, b, v.fields->at[k], below(e, path, v.fields->name[k]), at);
    break;
  case V_INSTANCE:
    for (uint32_t k = 0; k < v.instance->n; k++) {
      const Field *field = &v.instance->field[k];
      bool tree = field->role == FIELD_LET && is_tree(e, &field->value);
      if (field->role == FIELD_PARAM || tree) add_leaves(e, b, field->value, below(e, path, field->name), at);
    }
    break;
  case V_FN:
    if (v.fn->kind == FN_CHAIN) {
      for (uint32_t k = 0; k < v.fn->captured->n; k++)
        if (is_tree(e, &v.fn->captured->at[k]))
          add_leaves(e, b, v.fn->captured->at[k], below(e, path, arena_printf(e->a, "%u", k)), at);
      break;
    }
    add_result(e, b, v, path, at);
    break;
  default: add_result(e, b, v, path, at);
  }
}

static Ast *parse_alone(Elab *e, const char *name, const char *text) {
  Parsed *p = parse(e->a, source_add(e->s->sources, name, text, strlen(text)), e->d, false);
  if (e->d->n_errors || p->program->n != 1 || p->program->kid[0]->kind != A_EXPR) return NULL;
  return p->program->kid[0]->kid[0];
}

/* net, net.hidden, net[0], and tuples and records of such. */
static bool is_path(Elab *e, const Ast *x) {
  host_deeper(&e->s->host);
  if (x->kind == A_NAME) return true;
  if (x->kind == A_INDEX && x->n == 2) return x->kid[1]->kind == A_INT && is_path(e, x->kid[0]);
  if (x->kind == A_FIELD && !x->kid[0]) return true;
  if (x->kind != A_MEMBER && x->kind != A_TUPLE && x->kind != A_RECORD && x->kind != A_FIELD) return false;
  for (uint32_t k = 0; k < x->n; k++)
    if (!is_path(e, x->kid[k])) return false;
  return x->n > 0;
}

/* The name of a tree, as a host gives it. NULL: reported. */
static Ast *parse_path(Elab *e, const char *text) {
  Ast *x = parse_alone(e, "name of a tree", text);
  if (x && is_path(e, x)) return x;
  if (e->d->n_errors) return NULL;
  const Source *whole = e->s->sources->source.at[e->s->sources->source.n - 1];
  Diag *g = diag_in(e->d, whole, (Span){0, whole->n}, E_WANTED, "the name of a tree", "something else");
  diag_hint(e->d, g, "a name is `net`, `net.hidden`, `net.0.w`, `net[0]`, or some of them as `(a, b)`");
  return NULL;
}

static void elaborate(Elab *e, Building *b) {
  Compiled *c = b->c;
  Scope *scope = scope_new(e, e->globals);
  Text text = {.arena = e->a};
  scope_put(e, scope, sym(e->s->sources, "glia_f", 6), *b->f->value, NULL);
  text_printf(&text, "%s(", b->f->name);
  for (uint32_t k = 0; k < c->n_arg; k++) {
    const char *name = parameter_name(b->f, k);
    if (!name) name = arena_printf(e->a, "glia_x%u", k);
    c->arg_slot[k] = slot_new(e->p, SLOT_ARG, &c->arg[k], name, 0);
    Value v = v_node(graph_input(e->g, c->arg_slot[k], &c->arg[k], 0));
    scope_put(e, scope, sym(e->s->sources, name, strlen(name)), v, NULL);
    text_printf(&text, "%s%s", k ? ", " : "", name);
  }
  text_add(&text, ")");
  Type turn = type_scalar(I32);
  c->turn = slot_new(e->p, SLOT_TURN, &turn, NULL, 0);
  vec_push(e->a, &e->here.turns, graph_input(e->g, c->turn, &turn, 0));
  e->made.known = 0;
  e->made.too_much = false;
  e->here.scope = scope;
  if (!b->call) {
    Ast *written = parse_alone(e, arena_printf(e->a, "call of %s", b->f->name), text.at);
    if (!written) return;
    written->kid[0] = name_meaning(e, written->kid[0], "glia_f");
    b->call = written;
  }
  const Ast *call = b->call;
  e->here.source = call->source;
  Value y = elab_expr(e, call);
  if (y.kind == V_BAD) return;
  add_leaves(e, b, y, "", call);
  c->n_result = b->result.n;
  if (!c->wrt) return;
  scope_put(e, scope, sym(e->s->sources, "glia_y", 6), y, NULL);
  Ast *grad = parse_alone(e, arena_printf(e->a, "gradient of %s", b->f->name),
                          arena_printf(e->a, "grad(%s, tree)", text.at));
  Ast *wrt = grad ? parse_path(e, c->wrt) : NULL;
  if (!wrt) return;
  grad->kid[1] = name_meaning(e, grad->kid[1], "glia_y");
  grad->kid[2] = wrt;
  e->here.source = grad->source;
  add_leaves(e, b, elab_expr(e, grad), "", grad);
  c->n_grad = b->result.n - c->n_result;
}

/* ---- what the plan's bindings are ---- */

#define FROM(kind, k) ((uint32_t)(kind) << 30 | (uint32_t)(k))

static SlotId shared_from(const Segment *g, SlotId to) {
  for (uint32_t k = 0; k < g->share.n; k++)
    if (g->share.at[k].to == to) return g->share.at[k].from;
  return to;
}

static void bind(Session *s, Compiled *c) {
  Segment *g = c->segment;
  const Binding *binding;
  uint32_t n = g->plan ? plan_bindings(g->plan, &binding) : 0, n_result = c->n_result + c->n_grad;
  c->data = NEW_N(s->arena, void *, n + 1);
  c->from = NEW_N(s->arena, uint32_t, n + 1);
  c->copy = NEW_N(s->arena, SlotId, n_result + 1);
  for (uint32_t k = 0; k < n_result; k++) c->copy[k] = shared_from(g, c->result[k].slot);
  for (uint32_t k = 0; k < n; k++) {
    c->from[k] = FROM(FROM_SLOT, binding[k].slot);
    for (uint32_t j = 0; j < c->n_arg; j++)
      if (c->arg_slot[j] == binding[k].slot) c->from[k] = FROM(FROM_ARG, j);
    for (uint32_t j = n_result; j-- > 0;)
      if (c->result[j].slot == binding[k].slot && (binding[k].mode & BIND_WRITE)) c->from[k] = FROM(FROM_RESULT, j);
    if (function_from(c->from[k]) == FROM_RESULT) c->copy[c->from[k] & FROM_NUMBER] = NO_SLOT;
  }
}

/* ---- compiling ---- */

/* As an entry begins. A proc may make layers and optimizers, anew at each call; a formula may not. */
static void begin(Elab *e, Session *s, const Value *f) {
  s->diags = diags_new(s->arena, s->sources);
  e->d = s->diags;
  elab_top(e, NULL);
  e->here.make = f->kind == V_FN && f->fn->kind == FN_PROC ? MAKE_OK : MAKE_IN_CALL;
}

/* What only its end tells (a cell that became a float, one that a loop assigns) is known in the next reading, as of a
 * text (wait.c). */
static void elaborate_known(Elab *e, Building *b, Where outside) {
  Session *s = b->f->session;
  ElabMark *mark = mark_set(e);
  e->widened.n = e->turned.n = 0;
  for (uint32_t known = 0;; known = e->widened.n + e->turned.n) {
    e->again = false;
    Region *top = region_enter(e, REGION_TOP, &b->c->steps, NULL);
    place_again(e, b->f->place);
    elaborate(e, b);
    region_leave(e, top);
    e->here = outside;
    if (!e->again || e->widened.n + e->turned.n <= known) break;
    mark_back(e, mark);
    s->diags = e->d = diags_new(s->arena, s->sources);
    b->c->steps.n = b->keep.n = b->result.n = 0;
    b->c->n_result = b->c->n_grad = 0;
  }
  mark_drop(e, mark);
}

static Compiled *compile(Function *f, const Type *arg, uint32_t n_arg, const char *wrt) {
  Session *s = f->session;
  Elab *e = s->elab;
  Compiled *c = NEW(s->arena, Compiled);
  Building b = {.f = f, .c = c};
  uint32_t from = s->program->segment.n;
  c->n_arg = n_arg;
  c->arg = arena_copy(s->arena, arg, n_arg * sizeof *arg);
  c->arg_slot = NEW_N(s->arena, SlotId, n_arg + 1);
  if (wrt) c->wrt = arena_text(s->arena, wrt, strlen(wrt));
  begin(e, s, f->value);
  Where outside = e->here;
  if (!f->placed) {           /* one place, whatever shapes it is compiled for */
    place_enter(e, arena_printf(s->arena, "call of %s", f->name));
    f->place = place_hash(e);
    f->placed = true;
    e->here = outside;
  }
  elaborate_known(e, &b, outside);
  bool ok = !s->diags->n_errors && program_prepare(s->program, from, &c->steps, true, b.keep.at, b.keep.n);
  if (!ok) return NULL;
  c->result = b.result.at;
  c->into = NEW_N(s->arena, void *, b.result.n + 1);
  c->over = NEW_N(s->arena, void *, b.result.n + 1);
  for (uint32_t k = 0; k < b.keep.n; k++) c->result[k].slot = b.keep.at[k].slot;
  if (c->steps.n == 1 && c->steps.at[0]->kind == STEP_SEGMENT) {
    Segment *g = s->program->segment.at[c->steps.at[0]->segment];
    if (g->write.n == 0) c->segment = g;
  }
  if (c->segment) bind(s, c);
  return c;
}

static bool same_types(const Compiled *c, const Type *arg, uint32_t n) {
  if (c->n_arg != n) return false;
  for (uint32_t k = 0; k < n; k++)
    if (!type_eq(&c->arg[k], &arg[k])) return false;
  return true;
}

Status function_compile(Function *f, const Type *arg, uint32_t n_arg, const char *wrt, Compiled **out) {
  Session *s = f->session;
  *out = NULL;
  for (Compiled *c = f->compiled; c; c = c->next)
    if (same_types(c, arg, n_arg) && (wrt && c->wrt ? !strcmp(wrt, c->wrt) : wrt == c->wrt)) {
      *out = c;
      return STATUS_OK;
    }
  Guard guard;
  savepoint_settle(s);
  if (HOST_GUARD(&s->host, &guard)) {
    savepoint_set(s);
    arena_change(s->arena, f, sizeof *f);
    s->host.cancel = &s->cancel;
    Compiled *c = compile(f, arg, n_arg, wrt);
    s->host.cancel = NULL;
    if (!c) savepoint_later(s, false);
    savepoint_keep(s);
    host_leave(&s->host, &guard);
    if (!c) return STATUS_SCRIPT;
    c->next = f->compiled;
    f->compiled = c;
    *out = c;
    return STATUS_OK;
  }
  s->host.cancel = NULL;
  savepoint_later(s, false);
  return session_failed(s);
}

/* ---- running ---- */

static void forget(Diags *d) { d->diag.n = d->n_errors = d->n_warnings = 0; }

static void *room_for(Session *s, Result *r) {
  if (!r->own) {
    Tensor *t = tensor_new(&s->host, &r->type);
    arena_own(s->arena, &t->owned);          /* keeps it, and not before it has room to */
    r->own = t;
  }
  return r->own->data;
}

/* Where the value of a slot stands now; NULL: its file could not be read. */
static const void *slot_data(Function *f, Compiled *c, SlotId slot, const void *const *arg) {
  for (uint32_t k = 0; k < c->n_arg; k++)
    if (c->arg_slot[k] == slot) return arg[k];
  if (slot == c->turn) return &f->calls;
  Tensor *t = slot_tensor(f->session, slot, 0);
  return t ? t->data : NULL;
}

uint32_t function_twin(const Compiled *c, uint32_t k) {
  for (uint32_t j = 0; j < k; j++)
    if (c->copy[j] == NO_SLOT && c->result[j].slot == c->result[k].slot) return j;
  return k;
}

static bool overlap(const void *a, const Type *of_a, const void *b, const Type *of_b) {
  uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return x && y && x < y + (uintptr_t)type_bytes(of_b) && y < x + (uintptr_t)type_bytes(of_a);
}

bool function_results_overlap(const Compiled *c, void *const *result) {
  for (uint32_t k = 1; k < c->n_result; k++)
    for (uint32_t j = 0; j < k; j++)
      if (overlap(result[k], &c->result[k].type, result[j], &c->result[j].type)) return true;
  return false;
}

bool function_over_argument(const Compiled *c, const void *const *arg, const void *result, uint32_t k) {
  for (uint32_t j = 0; j < c->n_arg; j++)
    if (overlap(result, &c->result[k].type, arg[j], &c->arg[j])) return true;
  return false;
}

static bool run_segment(Function *f, Compiled *c, const void *const *arg, void **result) {
  Session *s = f->session;
  const Plan *plan = c->segment->plan;
  const Binding *binding;
  uint32_t n = plan ? plan_bindings(plan, &binding) : 0;
  for (uint32_t k = 0; k < n; k++) {
    uint32_t at = c->from[k] & FROM_NUMBER;
    switch (function_from(c->from[k])) {
    case FROM_ARG: c->data[k] = (void *)(uintptr_t)arg[at]; break;
    case FROM_RESULT: c->data[k] = result[at]; break;
    default: c->data[k] = (void *)(uintptr_t)slot_data(f, c, at, arg);
    }
    if (!c->data[k]) return false;
  }
  if (plan) {
    host_stack_need(&s->host, plan_stack(plan));
    Fault fault = run_plan(plan, c->data, plan_area(plan), s->slab, s->pool, &s->cancel);
    if (fault.code == FAULT_CANCELLED) {
      s->cancelled = true;
    } else if (fault.code != FAULT_NONE) {
      savepoint_set(s);                      /* what is said now lasts until the next call */
      savepoint_later(s, true);
      machine_fault(s, plan, &fault);
    }
    if (fault.code != FAULT_NONE) return false;
  }
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    if (c->copy[k] == NO_SLOT) continue;
    uint32_t twin = function_twin(c, k);
    const void *from = twin < k ? result[twin] : slot_data(f, c, c->copy[k], arg);
    if (!from) return false;
    memcpy(result[k], from, (size_t)type_bytes(&c->result[k].type));
  }
  return true;
}

/* What writes cells, branches or loops is the machine's; its values are copied. */
static bool run_steps(Function *f, Compiled *c, const void *const *arg, void **result) {
  Session *s = f->session;
  savepoint_set(s);
  savepoint_hold(s);
  for (uint32_t k = 0; k <= c->n_arg; k++) {
    Type turn = type_scalar(I32);
    Tensor *t = k < c->n_arg ? tensor_from(&s->host, &c->arg[k], arg[k]) : tensor_from(&s->host, &turn, &f->calls);
    slot_put(s->program, k < c->n_arg ? c->arg_slot[k] : c->turn, t);
    tensor_unref(t);
  }
  bool ran = machine_run(s, &c->steps);
  savepoint_later(s, true);                  /* the run's own memory */
  if (!ran) return false;
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    const Tensor *t = slot_tensor(s, c->result[k].slot, 0);
    if (!t) return false;
    memcpy(result[k], t->data, (size_t)type_bytes(&c->result[k].type));
  }
  return true;
}

/* A result that lies on an argument is computed beside it. */
static bool run(Function *f, Compiled *c, const void *const *arg, void **result) {
  Session *s = f->session;
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    c->over[k] = result[k] && function_over_argument(c, arg, result[k], k) ? result[k] : NULL;
    if (!result[k] || c->over[k]) result[k] = room_for(s, &c->result[k]);
  }
  session_want_pool(s);
  bool done = c->segment ? run_segment(f, c, arg, result) : run_steps(f, c, arg, result);
  for (uint32_t k = 0; done && k < c->n_result; k++)
    if (c->over[k]) memcpy(c->over[k], result[k], (size_t)type_bytes(&c->result[k].type));
  return done;
}

static Status outcome(const Session *s, bool done) {
  return done ? STATUS_OK : s->closed ? STATUS_CLOSED : s->cancelled ? STATUS_CANCELLED : STATUS_SCRIPT;
}

Status function_run(Function *f, Compiled *c, const void *const *arg, void **result) {
  Session *s = f->session;
  Guard guard;
  savepoint_settle(s);
  forget(s->diags);
  s->cancelled = false;
  if (HOST_GUARD(&s->host, &guard)) {
    bool done = run(f, c, arg, result);
    f->calls++;
    host_leave(&s->host, &guard);
    return outcome(s, done);
  }
  savepoint_later(s, false);
  return STATUS_MEMORY;
}

/* ---- files ---- */
typedef struct Cells { Arena *a; VEC(Cell *) changed; } Cells;

/* One step, as an entry of its own; it draws nothing, so its place is any. */
static bool file_step(Session *s, const char *what, const char *path, const char *name, Cells *cells) {
  Elab *e = s->elab;
  Steps *steps = NEW(s->arena, Steps);
  uint32_t from = s->program->segment.n;
  e->d = s->diags = diags_new(s->arena, s->sources);
  Where outside = elab_top(e, NULL);
  Region *top = region_enter(e, REGION_TOP, steps, NULL);
  place_again(e, 0);
  e->here.scope = scope_new(e, e->globals);
  scope_put(e, e->here.scope, sym(s->sources, "glia_path", 9), v_string(e->a, path, strlen(path)), NULL);
  Ast *tree = parse_path(e, name);
  Ast *call = tree ? parse_alone(e, what, arena_printf(e->a, "%s(path, tree)", what)) : NULL;
  if (call) {
    call->kid[1] = name_meaning(e, call->kid[1], "glia_path");
    call->kid[2] = tree;
    e->here.source = call->source;
    elab_expr(e, call);
  }
  region_leave(e, top);
  e->here = outside;
  if (s->diags->n_errors || !program_prepare(s->program, from, steps, false, NULL, 0)) return false;
  for (uint32_t k = 0; k < top->touched.n; k++)
    if (top->touched.at[k]->now->assigned) vec_push(cells->a, &cells->changed, top->touched.at[k]);
  session_want_pool(s);
  return machine_files(s, steps) && machine_run(s, steps);
}

Status function_file(Session *s, const char *what, const char *path, const char *name) {
  Guard guard;
  savepoint_settle(s);
  s->cancelled = false;
  if (HOST_GUARD(&s->host, &guard)) {
    Cells cells = {.a = arena_new(&s->host)};
    savepoint_set(s);
    bool done = file_step(s, what, path, name, &cells);
    savepoint_later(s, true);
    if (done) {                              /* nothing of it is needed any more, but that cells changed */
      savepoint_settle(s);
      forget(s->diags);
      for (uint32_t k = 0; k < cells.changed.n; k++) cell_changed_outside(s->elab, cells.changed.at[k]);
    }
    arena_free(cells.a);
    host_leave(&s->host, &guard);
    return outcome(s, done);
  }
  savepoint_later(s, false);
  return STATUS_MEMORY;
}

/* ---- functions of the host ---- */
/* A text that is one statement of this kind, or that a parser refuses, and so will the next one. */
static bool one_statement(Session *s, const char *text, AstKind kind) {
  Arena *a = arena_new(&s->host);
  Sources *sources = sources_new(a);
  Diags *quiet = diags_new(a, sources);
  Parsed *p = parse(a, source_add(sources, "", text, strlen(text)), quiet, false);
  bool one = quiet->n_errors || (p->program->n == 1 && p->program->kid[0]->kind == kind);
  arena_free(a);
  return one;
}

/* The text of both; NULL: more than that is in it. */
static const char *registered(Session *s, Arena *a, const char *signature, const char *gradient) {
  const char *fn = arena_printf(a, "extern \"host\" fn %s\n", signature);
  if (!one_statement(s, fn, A_EXTERN)) return NULL;
  if (!gradient) return fn;
  const char *by = arena_printf(a, "gradient %s\n", gradient);
  return one_statement(s, by, A_GRADIENT) ? arena_printf(a, "%s%s", fn, by) : NULL;
}

Status function_register(Session *s, const char *signature, void (*fn)(void), const char *gradient) {
  Guard guard;
  savepoint_settle(s);
  if (HOST_GUARD(&s->host, &guard)) {
    Arena *a = arena_new(&s->host);
    const char *text = registered(s, a, signature, gradient);
    Status status = STATUS_SCRIPT;
    s->offered = fn;
    if (text) status = session_load(s, "glia_register", text, strlen(text), LOAD_KEEP, NULL);
    s->offered = NULL;
    if (!text) {
      savepoint_set(s);
      savepoint_later(s, false);
      s->diags = diags_new(s->arena, s->sources);
      Diag *d = diag_at(s->diags, 0, E_WANTED, "the signature of one function, and its gradient", "more than that");
      diag_hint(s->diags, d, "what else a session shall know is loaded: glia_load");
    }
    arena_free(a);
    host_leave(&s->host, &guard);
    return status;
  }
  s->offered = NULL;
  savepoint_later(s, false);
  return STATUS_MEMORY;
}
