/* derive: grad and its kin. In: a scalar formula and what to differentiate by. Out: a tree of nodes, made by
 * runtime/grad.
 *
 * A derivative follows the formula, with the values it was computed from: a parameter stands for the version that the
 * formula read. It passes through assignments of its block, not out of a loop or branch of steps: there it is an error,
 * never a silent zero.
 */
#include "elab/derive.h"
#include "elab/args.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lint.h"
#include "elab/literal.h"
#include "elab/mark.h"
#include "elab/mismatch.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/version.h"
#include "elab/want.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/opt.h"
#include <stdlib.h>
#include <string.h>

/* ---- the tree of gradients ---- */
typedef struct Build { const Leaves *l; const NodeId *out; } Build;
static Value gradient_leaf(Elab *e, void *ctx, Value leaf) {
  Build *b = ctx;
  (void)e;
  for (uint32_t k = 0; k < b->l->n; k++) {
    const Value *v = &b->l->at[k].value;
    if (v->kind == leaf.kind && (v->kind == V_CELL ? v->cell == leaf.cell : v->node == leaf.node))
      return v_node(b->out[k]);
  }
  return leaf;
}

static NodeId scalar_formula(Elab *e, Value y, const Ast *at) {
  y = value_decay(e, y);
  if (y.kind == V_INT) y = v_node(literal(e, (double)y.i, at));   /* as `0` of `if x > 0 { x } else { 0 }` */
  NodeId n = want_node(e, y, at, "a scalar to differentiate");
  if (n == NO_NODE) return n;
  const Type *t = node_type(e, n);
  if (!dtype_is_float((DType)t->dtype)) {
    elab_error(e, at, E_GRAD_OF, type_show(e->a, t));
    return NO_NODE;
  }
  if (t->rank) {
    Diag *g = elab_error(e, at, E_GRAD_OF, node_text(e, n));
    diag_hint(e->d, g, "a gradient is of one number: take `sum(...)` or `mean(...)`; `jacobian(f)` is of each");
    return NO_NODE;
  }
  return n;
}

/* leaf: UINT32_MAX for all. */
static void say_zero(Elab *e, NodeId y, const Wrt *w, uint32_t leaf, const char *by, const Ast *at) {
  NodeId *from = NEW_N(e->a, NodeId, w->node.n + 1);
  uint32_t n = 0;
  for (uint32_t k = 0; k < w->node.n; k++)
    if (leaf == UINT32_MAX || w->leaf.at[k] == leaf) from[n++] = w->node.at[k];
  lint_zero(e, y, from, n, by, at);
}

/* One derivative: of y by the leaves l. */
typedef struct Derivation {
  NodeId y;
  Leaves l;
  const Ast *at;
  int why;
  Slice s;                    /* what it passes through */
  Wrt w;                      /* the leaves as the formula read them; */
  NodeId *d;                  /* for each its adjoint, */
  bool *connected;            /* and whether y depends on it */
} Derivation;

/* What a leaf is as the formula read it; false: reported. */
static bool read_leaf(Elab *e, Derivation *x, uint32_t k, bool *reached) {
  const Value *v = &x->l.at[k].value;
  const Type *t = v->kind == V_CELL ? &v->cell->type : node_type(e, v->node);
  if (!dtype_is_float((DType)t->dtype)) {
    Diag *g = elab_error(e, x->at, E_GRAD_BY, type_show(e->a, t));
    diag_hint(e->d, g, "whole numbers and bools have no derivative");
    return false;
  }
  if (v->kind == V_NODE) {
    *reached = version_read_node(e, v->node, &x->s, k, &x->w);
    if (*reached) return true;
    vec_push(e->a, &x->w.node, v->node);
    vec_push(e->a, &x->w.leaf, k);
    return true;
  }
  bool current;
  *reached = version_read(e, v->cell, &x->s, k, &x->w, x->why == DERIVE_STEP, elab_loc(e, x->at), &current);
  if (!*reached || x->why == DERIVE_GRAD || current) return true;
  Diag *g = elab_error(e, x->at, E_STALE_STEP, v->cell->path ? v->cell->path : "a parameter");
  diag_note(e->d, g, graph_at(e->g, x->y)->loc, "the loss was computed here, from the value before");
  diag_hint(e->d, g, "compute the loss again from the present values");
  return false;
}

static bool read_leaves(Elab *e, Derivation *x) {
  bool *reached = NEW_N(e->a, bool, x->l.n);
  x->s.n = slice_derivable(e, x->y, &x->s.at);
  for (uint32_t k = 0; k < x->l.n; k++)
    if (!read_leaf(e, x, k, &reached[k])) return false;
  Slice all = {0};
  for (uint32_t k = 0; k < x->l.n; k++) {   /* read behind a `stop_gradient` alone: zero, but the warning says why */
    bool current;
    if (reached[k] || x->l.at[k].value.kind != V_CELL) continue;
    if (!all.n) all.n = graph_slice(e->g, &x->y, 1, NULL, NULL, &all.at);
    version_read(e, x->l.at[k].value.cell, &all, k, &x->w, true, elab_loc(e, x->at), &current);
  }
  if (version_passes_out(e, &x->s, &x->w, &x->l, x->at)) return false;
  for (Region *r = e->here.region; r; r = r->outer)
    if (r->kind == REGION_LOOP) version_fresh(e, r, &x->s, &x->w, x->y, x->at);
  return true;
}

static bool adjoints(Elab *e, Derivation *x) {
  uint32_t n = x->w.node.n, errors = e->d->n_errors;
  x->d = NEW_N(e->a, NodeId, n + 1);
  x->connected = NEW_N(e->a, bool, n + 1);
  e->g->no_gradient = NULL;
  if (n) {                    /* of the stable form, or a saturated sigmoid trains nothing */
    NodeId stable = x->y;
    graph_stable(e->g, &x->y, 1, x->w.node.at, n, &stable, NULL);
    grad_reverse(e->g, stable, NO_NODE, x->w.node.at, n, x->d, x->connected);
  }
  if (e->g->no_gradient) {
    Diag *g = diag_at(e->d, elab_loc_at(e, x->at), E_GRAD_FOREIGN, e->g->no_gradient->name);
    diag_note(e->d, g, e->g->no_gradient_at & ~LOC_ADJOINT, "it is called here");
    diag_hint(e->d, g,
              "write `gradient %s(x) -> y, dy = ...` beside the `extern`, or `stop_gradient(...)` around the call",
              e->g->no_gradient->name);
  }
  return e->d->n_errors == errors;
}

/* The gradient by leaf k: the sum over what the formula read of it. */
static NodeId leaf_gradient(Elab *e, const Derivation *x, uint32_t k, bool *connects) {
  const Value *v = &x->l.at[k].value;
  NodeId sum = NO_NODE;
  bool any = false, flex = v->kind == V_NODE && node_flex(e, v->node);
  for (uint32_t j = 0; j < x->w.node.n; j++)
    if (x->w.leaf.at[j] == k) {
      sum = sum == NO_NODE ? x->d[j] : g_op2(e->g, &op_add, sum, x->d[j]);
      any |= x->connected[j];
    }
  if (sum == NO_NODE) sum = g_fill(e->g, v->kind == V_CELL ? &v->cell->type : node_type(e, v->node), 0);
  if (flex) e->g->node[sum].flags |= NODE_FLEX;
  *connects |= any;
  if (any && x->why == DERIVE_STEP && v->kind == V_CELL) cell_change(e, v->cell)->reached = true;
  if (!any && x->why == DERIVE_GRAD && !x->at->source->library)
    say_zero(e, x->y, &x->w, k,
             v->kind == V_CELL && v->cell->path ? arena_printf(e->a, "`%s`", v->cell->path) : "this argument", x->at);
  return sum;
}

/* A term that was computed before the loop and that y only adds is a constant, and moves nothing: `let reg = sum(w^2)`.
 * Then the derivative by it is a known number. (Of an anchor, `sum((w - start)^2)`, it is not.) */
static void say_terms(Elab *e, const Derivation *x) {
  Arena *tmp = arena_new(&e->s->host);
  bool said = false;
  for (uint32_t k = 0; k < x->w.kept.n && !said; k++) {
    Term *term;
    uint32_t n;
    version_terms(e, &x->s, &x->w.kept.at[k], tmp, &term, &n);
    for (uint32_t j = 0; j < n && !said; j++) {
      NodeId d;
      bool connected;
      grad_reverse(e->g, x->y, NO_NODE, &term[j].node, 1, &d, &connected);
      if (!connected || !(graph_at(e->g, d)->flags & NODE_KNOWN)) continue;
      Loc read = graph_at(e->g, term[j].read)->loc, made = graph_at(e->g, term[j].node)->loc;
      Diag *g = diag_at(e->d, own_loc(e->d, read & ~LOC_ADJOINT), E_CONSTANT_TERM);
      diag_note(e->d, g, own_loc(e->d, made & ~LOC_ADJOINT), "it was computed here, before the loop");
      diag_hint(e->d, g, "compute it in the loop, or leave it out");
      said = true;
    }
  }
  arena_free(tmp);
}

Value derive(Elab *e, Value y, Value wrt, const Ast *at, int why) {
  if (y.kind == V_BAD || wrt.kind == V_BAD) return v_bad();
  Derivation x = {.y = scalar_formula(e, y, at), .at = at, .why = why};
  if (x.y == NO_NODE) return v_bad();
  tree_leaves(e, wrt, LEAF_PARAM, &x.l);
  if (x.l.n == 0 && wrt.kind == V_INT) {
    Diag *g = elab_error(e, at, E_GRAD_OF_INT, (long long)wrt.i);
    diag_hint(e->d, g, "write `%lld.0`", (long long)wrt.i);
  } else if (x.l.n == 0) elab_error(e, at, E_GRAD_BY, value_kind_text(e, &wrt));
  if (x.l.n == 0 || !read_leaves(e, &x)) return v_bad();
  WITH_LOC(e, at);
  if (!adjoints(e, &x)) return v_bad();
  if (!at->source->library) say_terms(e, &x);
  NodeId *out = NEW_N(e->a, NodeId, x.l.n);
  bool connects = false;
  for (uint32_t k = 0; k < x.l.n; k++) out[k] = leaf_gradient(e, &x, k, &connects);
  if (why == DERIVE_STEP) {
    lint_stepped(e, &x.y, 1, at);
    if (!connects) say_zero(e, x.y, &x.w, UINT32_MAX, "all that the optimizer moves", at);
    for (uint32_t k = 0; k < x.l.n && !connects; k++)
      if (x.l.at[k].value.kind == V_CELL) cell_change(e, x.l.at[k].value.cell)->reached = true;  /* it is said once */
  }
  Build b = {&x.l, out};
  if (wrt.kind == V_CELL || wrt.kind == V_NODE) return v_node(out[0]);
  return tree_map(e, wrt, LEAF_PARAM, gradient_leaf, &b);
}

/* ---- grad(e, w), grad(f), value_and_grad(f) ---- */
static Value own_leaf(Elab *e, void *ctx, Value leaf) {
  (void)ctx;
  leaf = value_decay(e, leaf);
  NodeId n = graph_emit(e->g, &op_alias, &leaf.node, 1, NULL, e->g->loc, NULL);
  e->g->node[n].flags &= (uint16_t)~NODE_INTS;
  return v_node(n);
}

Value grad_argument(Elab *e, Value v, const Ast *at) {
  if (v.kind == V_CELL || v.kind == V_NODE) return own_leaf(e, NULL, v);
  if (v.kind == V_INT) {
    Diag *g = elab_error(e, at, E_GRAD_OF_INT, (long long)v.i);
    diag_hint(e->d, g, "write `%lld.0`", (long long)v.i);
    return v_bad();
  }
  return tree_map(e, v, LEAF_PARAM, own_leaf, NULL);
}

/* The name of a function's first parameter; NULL: it is not known, or has none. */
static const char *first_parameter(Elab *e, const Value *f) {
  const Ast *params = NULL;
  if (f->kind == V_INSTANCE) params = f->instance->call ? f->instance->call->kid[0] : NULL;
  if (f->kind == V_FN && f->fn->kind == FN_CHAIN && f->fn->captured->n)
    return first_parameter(e, &f->fn->captured->at[0]);
  if (f->kind == V_FN && f->fn->kind == FN_OP) return face_of(e, op_face(f->fn->op))->param[0].name;
  if (f->kind == V_FN && f->fn->ast) params = f->fn->ast->kid[f->fn->ast->kind == A_EXTERN ? 1 : 0];
  else if (f->kind == V_FN && f->fn->base)
    return first_parameter(e, &(Value){.kind = V_FN, .fn = (Fn *)(uintptr_t)f->fn->base});
  else if (f->kind == V_FN && f->fn->kind == FN_NATIVE && !f->fn->partial)
    return face_of(e, f->fn->native->params)->param[0].name;
  return params && params->n && params->kid[0]->kid[0]->kind == A_NAME ? params->kid[0]->kid[0]->name : NULL;
}

/* The argument that is the first parameter, whatever stands before it. */
static bool first_argument(Elab *e, const Value *f, const Args *a, uint32_t *to, const Ast *at) {
  const char *name = first_parameter(e, f);
  for (uint32_t k = 0; k < a->n; k++)
    if (!a->name[k] || !name || !strcmp(a->name[k], name)) {
      *to = k;
      return true;
    }
  Diag *g = elab_error(e, at, E_GRAD_NO_ARGUMENT);
  if (a->n)
    diag_hint(e->d, g, "`%s`, by which it differentiates, is not given; `wrt = \"%s\"` names another one", name,
              a->name[0]);
  else diag_hint(e->d, g, "`grad(e, w)` differentiates a formula by a parameter or a name");
  return false;
}

/* Which arguments of a call, by the names in `wrt`: to[] of *n. */
static bool wrt_arguments(Elab *e, const Value *callee, Value wrt, const Args *a, uint32_t *to, uint32_t *n,
                          const Ast *at) {
  *n = wrt.kind == V_ABSENT;
  if (*n) return first_argument(e, callee, a, to, at);
  const Fn *f = callee->kind == V_FN ? callee->fn : NULL;
  while (f && !f->ast && f->base) f = f->base;
  const Value *names = &wrt;
  uint32_t count = 1;
  if (wrt.kind == V_TUPLE || wrt.kind == V_LIST) names = wrt.items->at, count = wrt.items->n;
  for (uint32_t k = 0; k < count && k < 64; k++) {
    const char *name = want_string(e, names[k], at, "the name of an argument in `wrt`");
    if (!name) return false;
    const Ast *params = f && f->ast && f->ast->kind != A_EXTERN ? f->ast->kid[0] : f && f->ast ? f->ast->kid[1] : NULL;
    bool found = false;
    for (uint32_t j = 0; j < a->n && !found; j++) {
      const char *arg = a->name[j];
      if (!arg && params && j < params->n && params->kid[j]->kid[0]->kind == A_NAME) arg = params->kid[j]->kid[0]->name;
      if (arg && !strcmp(arg, name)) {
        to[(*n)++] = j;
        found = true;
      }
    }
    if (!found) {
      Diag *g = elab_error(e, at, E_WRT_NAME, name);
      Text list = {.arena = e->a};
      const char *known[64] = {0};
      uint32_t n_known = 0;
      for (uint32_t j = 0; params && j < params->n && n_known < 64; j++)
        if (params->kid[j]->kid[0]->kind == A_NAME) {
          known[n_known] = params->kid[j]->kid[0]->name;
          text_printf(&list, "%s`%s`", n_known ? ", " : "", known[n_known]);
          n_known++;
        }
      const char *near = nearest(name, known, n_known);
      if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
      else if (n_known) diag_hint(e->d, g, "its arguments are %s", list.at);
      return false;
    }
  }
  return true;
}

Value call_by(Elab *e, Value f, Value wrt, const Args *a, MakeRule rule, Value *by, const Ast *at) {
  uint32_t to[64], n;
  if (!wrt_arguments(e, &f, wrt, a, to, &n, at)) return v_bad();
  Args b = *a;
  b.at = arena_copy(e->a, a->at, a->n * sizeof *a->at);
  Value *own = NEW_N(e->a, Value, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    b.at[to[k]] = own[k] = grad_argument(e, a->at[to[k]], a->ast[to[k]]);
    if (own[k].kind == V_BAD) return own[k];
  }
  Where outside = make_within(e, rule);
  Value y = call_value(e, f, &b, at);
  e->here = outside;
  *by = wrt.kind == V_TUPLE || wrt.kind == V_LIST ? v_items(e->a, V_TUPLE, own, n) : own[0];
  return y;
}

static Value call_derived(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  Args args = args_rest(e, &a[0]);
  Value by, y = call_by(e, self->captured->at[0], self->captured->at[1], &args, MAKE_IN_GRAD, &by, at);
  if (y.kind == V_BAD) return y;
  Value g = derive(e, y, by, at, DERIVE_GRAD);
  if (g.kind == V_BAD || !self->captured->at[2].b) return g;
  return v_items(e->a, V_TUPLE, (Value[]){y, g}, 2);
}

static const Native grad_of = {.name = "grad", .params = "rest:any..*",
                               .doc = "The gradient of a function: takes its arguments."};
static const Native value_and_grad_of = {.name = "value_and_grad", .params = "rest:any..*",
                                         .doc = "The value of a function and its gradient: takes its arguments."};

/* A derived function passes its arguments on as they are written, names and all. */
static Value derived(Elab *e, Value f, Value wrt, bool with_value, const Native *n) {
  Value captured[3] = {f, wrt, v_bool(with_value)};
  Value v = bound_value(e, n, call_derived, captured, 3);
  v.fn->base = f.kind == V_FN ? f.fn : NULL;
  return v;
}

static bool is_function(const Value *v) { return v->kind == V_FN && v->fn->kind != FN_CHAIN; }

/* A tensor that is made where the derivative stands: nothing that was computed before can depend on it. false: said. */
static bool check_by(Elab *e, Value y, Value w, const Ast *by) {
  host_deeper(&e->s->host);
  if (by->kind == A_ARG) by = by->kid[0];
  if (by->kind == A_TUPLE && w.kind == V_TUPLE) {
    for (uint32_t k = 0; k < by->n; k++)
      if (!check_by(e, y, w.items->at[k], by->kid[k])) return false;
    return true;
  }
  for (uint32_t k = 0; by->kind == A_RECORD && w.kind == V_RECORD && k < by->n; k++)
    if (by->kid[k]->kid[0] && !check_by(e, y, w.fields->at[k], by->kid[k]->kid[0])) return false;
  if (w.kind != V_NODE || by->kind == A_NAME || by->kind == A_MEMBER || by->kind == A_FIELD) return true;
  NodeId n = want_node(e, y, by, "a scalar to differentiate");
  if (n == NO_NODE) return false;
  Slice s;
  s.n = slice_derivable(e, n, &s.at);
  if (reaches(&s, w.node)) return true;
  Diag *g = elab_error(e, by, E_GRAD_BY_NEW);
  if (by->kind == A_BRACKET) {
    Text names = {.arena = e->a};
    for (uint32_t k = 0; k < by->n; k++) text_printf(&names, "%s%s", k ? ", " : "", ast_text(e, by->kid[k]));
    diag_hint(e->d, g, "a tuple holds what stands in it: `(%s%s)`", names.at, by->n == 1 ? "," : "");
  } else if (by->kind == A_INDEX)
    diag_hint(e->d, g, "take a part of the gradient: `grad(..., %s)%s`", ast_text(e, by->kid[0]),
              ast_text(e, by) + strlen(ast_text(e, by->kid[0])));
  else
    diag_hint(e->d, g, "give it a name, and let the formula read that: `let u = %s`, then `grad(..., u)`",
              ast_text(e, by));
  return false;
}

/* Who steps by hand steps on this: what a run is asked for later. */
static void note_target(Elab *e, Value y, Value w) {
  Leaves l = {0};
  y = value_decay(e, y);
  if (y.kind != V_NODE || !e->here.frame->steps) return;
  tree_leaves(e, w, LEAF_PARAM, &l);
  for (uint32_t k = 0; k < l.n; k++)
    if (l.at[k].value.kind == V_CELL && l.at[k].value.cell->role == CELL_PARAM) {
      Segment *g = e->p->segment.at[e->g->segment];
      for (uint32_t j = 0; j < g->target.n; j++)
        if (g->target.at[j] == y.node) return;
      vec_push(e->s->arena, &g->target, y.node);
      return;
    }
}

static Value call_grad(Elab *e, const Arg *a, const Ast *at) {
  Value y = a[0].value, w = a[1].value, wrt = a[2].value;
  if (is_function(&y) || ((y.kind == V_INSTANCE || y.kind == V_FN) && w.kind == V_ABSENT)) {
    if (w.kind != V_ABSENT) {
      Diag *g = elab_error(e, at, E_GRAD_FN_BY);
      diag_hint(e->d, g, "`grad(f)(x)`, or `grad(f, wrt = \"b\")(x, b)` for another argument");
      return v_bad();
    }
    return derived(e, y, wrt, false, &grad_of);
  }
  if (w.kind == V_ABSENT) {
    Diag *g = elab_error(e, at, E_MISSING_ARGUMENT, "grad", "w");
    diag_hint(e->d, g, "`grad(loss, w)`: what to differentiate by is a parameter, a name, or a tree of them");
    return v_bad();
  }
  if (!check_by(e, y, w, a[1].at)) return v_bad();
  Value g = derive(e, y, w, at, DERIVE_GRAD);
  if (g.kind != V_BAD) note_target(e, y, w);
  return g;
}

static Value call_value_and_grad(Elab *e, const Arg *a, const Ast *at) {
  Value f = a[0].value;
  if (f.kind != V_FN && f.kind != V_INSTANCE) {
    elab_error(e, at, E_WANTED, "a function", value_kind_text(e, &f));
    return v_bad();
  }
  return derived(e, f, a[1].value, true, &value_and_grad_of);
}

const Native native_derivatives[] = {
    {.name = "grad", .params = "y:any, w:any?, wrt:any?", .call = call_grad,
     .doc = "grad(e, w): the derivative of a scalar formula by a parameter, a name or a tree of them; it has the type "
            "of w.\n"
            "grad(f): a function with the arguments of f: the derivative by the first, or by those named in wrt.",
     .example = "grad(fn (x) = x^3)(2.0)   # => 12"},
    {.name = "value_and_grad", .params = "f:any, wrt:any?", .call = call_value_and_grad,
     .doc = "A function with the arguments of f: the pair of its value and its gradient.",
     .example = "value_and_grad(fn (x) = x^2)(3.0)   # => (9, 6)"},
    {0}};
