/* elab: where elaboration begins, and what every part of it uses: messages and emission of nodes.
 *
 * In: the syntax of one text. Out: nodes in the session's graph and steps. A mistake is reported once and becomes
 * V_BAD.
 */
#include "elab/elab.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/mismatch.h"
#include "elab/names.h"
#include "text/stdlib.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- messages ---- */
Loc elab_loc(Elab *e, const Ast *at) { return loc_make(e->s->sources, at->source, at->span, e->here.caller); }
Loc elab_loc_at(Elab *e, const Ast *at) { return loc_make(e->s->sources, at->source, at->at, e->here.caller); }

static const Bound *argument(Elab *e, const Ast *at) {
  if (!at->source->library || at->kind != A_NAME) return NULL;
  for (Scope *s = e->here.scope; s; s = s->outer) {
    const Bound *b = scope_here(s, at->name);
    if (b) return b->given.ast ? b : NULL;
  }
  return NULL;
}

Spot spot_of(Elab *e, const Ast *at) {
  const Bound *b = argument(e, at->kind == A_ARG ? at->kid[0] : at);
  return b ? b->given : (Spot){.ast = at, .caller = e->here.caller};
}

const Ast *argument_in(Elab *e, const Ast *ast) {
  if (!ast) return NULL;
  if (argument(e, ast)) return ast;
  const Ast *found = NULL;
  for (uint32_t k = 0; k < ast->n && !found; k++) found = argument_in(e, ast->kid[k]);
  return found;
}

static Loc loc_of_spot(Elab *e, const Ast *at) {
  Spot w = spot_of(e, at);
  return loc_make(e->s->sources, w.ast->source, w.ast->at, w.caller);
}

Diag *elab_error(Elab *e, const Ast *at, DiagId id, ...) {
  va_list ap;
  va_start(ap, id);
  Diag *g = diag_va(e->d, loc_of_spot(e, at), id, ap);
  va_end(ap);
  return g;
}

Diag *elab_said(Elab *e, const Ast *at, DiagId id, const char *text) {
  return diag_said(e->d, loc_of_spot(e, at), id, text);
}

/* What a type rule refuses, by its kind, if the op gives it no code of its own. */
static const DiagId bad_code[N_BADS] = {
    [BAD_NONE] = E_LIMIT, [BAD_DTYPE] = E_BAD_DTYPE, [BAD_MIXED] = E_MIXED_FLOATS, [BAD_RANK] = E_BAD_RANK,
    [BAD_SHAPE] = E_BAD_SHAPE, [BAD_INNER] = E_MATMUL_INNER, [BAD_BATCH] = E_MATMUL_BATCH, [BAD_AXIS] = E_AXIS_RANGE,
    [BAD_SIZE] = E_NEGATIVE_SIZE, [BAD_RANGE] = E_SLICE_RANGE, [BAD_EMPTY] = E_BAD_EMPTY, [BAD_VALUE] = E_LIMIT,
    [BAD_LIMIT] = E_LIMIT};

static DiagId code_of(const TypeError *t) {
  return t->code ? diag_of_code(t->code, strlen(t->code)) : bad_code[t->kind];
}

Value elab_type_error(Elab *e, const Ast *at, const TypeError *t, const NodeId *in, const Ast *const *operand,
                      uint32_t n) {
  TypeError own = *t;
  if (!operand || own.a >= (int)n) own.a = -1;
  if (!operand || own.b >= (int)n) own.b = -1;
  const Ast *wrong = own.a >= 0 && own.b < 0 ? operand[own.a] : NULL;
  bool there = wrong && argument(e, wrong);
  Diag *g = elab_said(e, there ? wrong : at, code_of(t), t->text);
  if (there) own.a = own.b = -1;
  say_refused(e, g, &own, in, operand);
  return v_bad();
}

bool elab_stack_ok(Elab *e, const Ast *at) {
  if (host_stack_left(&e->s->host) >= STACK_DEEPER + at->depth * (size_t)STACK_LEVEL) return true;
  elab_error(e, at, E_TOO_DEEP);
  return false;
}

/* What doubles with each level ends here, and not when the memory does. */
bool known_work(Elab *e, uint32_t n, const Ast *at) {
  enum { MOST_KNOWN = 1000000 };
  host_go_on(&e->s->host);
  e->doing = elab_loc_at(e, at);
  if (e->made.too_much) return false;
  if (n <= MOST_KNOWN - e->made.known) {
    e->made.known += n;
    return true;
  }
  e->made.too_much = true;
  Diag *g = elab_error(e, at, E_TOO_MANY_TURNS, MOST_KNOWN);
  diag_hint(e->d, g,
            "what is known is computed while checking, turn by turn and call by call; `for` in steps, `fold` and "
            "`scan` over a tensor are not");
  return false;
}

/* ---- emission ---- */
Loc loc_here(Elab *e, const Ast *at) { return at ? elab_loc(e, at) : e->g->loc; }
LocMark loc_enter(Elab *e, const Ast *at) {
  LocMark m = {e->g, e->g->loc};
  e->g->loc = loc_here(e, at);
  return m;
}
void loc_back(LocMark *m) { m->g->loc = m->loc; }

NodeId emit_of(Elab *e, const Op *op, const NodeId *in, uint32_t n, const Attr *attr, const Ast *at,
               const Ast *const *operand) {
  TypeError t = {0};
  for (uint32_t k = 0; k < n; k++)
    if (in[k] == NO_NODE) return NO_NODE;
  Loc loc = loc_here(e, at);
  NodeId id = graph_emit(e->g, op, in, n, attr, loc, &t);
  if (id == NO_NODE) {
    if (at) elab_type_error(e, at, &t, in, operand, n);
    else diag_said(e->d, loc, code_of(&t), t.text);
  }
  return id;
}

NodeId emit(Elab *e, const Op *op, const NodeId *in, uint32_t n, const Attr *attr, const Ast *at) {
  bool written = at && at->kind == A_BINARY && n == 2;
  return emit_of(e, op, in, n, attr, at, written ? (const Ast *[]){at->kid[0], at->kid[1]} : NULL);
}

NodeId emit1(Elab *e, const Op *op, NodeId x, const Ast *at) { return emit(e, op, &x, 1, NULL, at); }
NodeId emit2(Elab *e, const Op *op, NodeId x, NodeId y, const Ast *at) {
  return emit(e, op, (NodeId[]){x, y}, 2, NULL, at);
}
NodeId emit_i(Elab *e, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i, const Ast *at) {
  return emit(e, op, in, n, &(Attr){.n = n_i, .i = i}, at);
}

/* ---- entries ---- */
Where elab_top(Elab *e, const Source *text) {
  Where outside = e->here;
  e->g->loc = 0;
  e->here = (Where){.scope = e->globals, .frame = e->outermost, .source = text, .place = outside.place,
                    .use = e->repl ? USE_OF_STEPS : USE_NONE};
  return outside;
}

Where make_within(Elab *e, MakeRule rule) {
  Where outside = e->here;
  if (outside.make < rule) e->here.make = rule;
  return outside;
}

Elab *elab_new(Session *s) {
  Elab *e = NEW(s->arena, Elab);
  e->s = s;
  e->a = s->arena;
  e->g = s->graph;
  e->p = s->program;
  e->d = s->diags;
  e->library = scope_new(e, NULL);
  e->globals = scope_new(e, e->library);
  e->stdlib = NEW_N(e->a, Source *, (size_t)(stdlib_n_files ? stdlib_n_files : 1));
  e->here.frame = e->outermost = NEW(e->a, CallFrame);
  e->here.frame->steps = true;
  Type key = type_make(I32, 1, (int64_t[]){2});
  e->seed = cell_new(e, CELL_HIDDEN, &key, "seed", 0);
  Tensor *t = tensor_new(&s->host, &key);
  ((int32_t *)t->data)[0] = (int32_t)(uint32_t)s->config.seed;
  ((int32_t *)t->data)[1] = (int32_t)(uint32_t)(s->config.seed >> 32);
  slot_put(e->p, e->seed->slot, t);
  tensor_unref(t);
  return e;
}
