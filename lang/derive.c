/* derive: grad and its kin. In: a scalar formula and what to differentiate by. Out: a tree of nodes, made by runtime/grad.
 *
 * A derivative follows the formula, with the values it was computed from: a parameter stands for the version that the formula read. It
 * passes through assignments of its block, not out of a loop or branch of steps: there it is an error, never a silent zero.
 */
#include "../runtime/grad.h"
#include "elab.h"
#include <stdlib.h>
#include <string.h>

/* ---- what a formula read ---- */
typedef struct Slice { NodeId *at; uint32_t n; } Slice;

static Slice slice_of(Elab *e, NodeId y) {
  Slice s;
  s.n = graph_slice(e->g, &y, 1, NULL, NULL, &s.at);
  return s;
}

static bool reaches(const Slice *s, NodeId id) {
  uint32_t low = 0, high = s->n;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (s->at[mid] == id) return true;
    if (s->at[mid] < id) low = mid + 1;
    else high = mid;
  }
  return false;
}

static Cell *cell_of_slot(Elab *e, SlotId slot) {
  for (uint32_t k = e->cells.n; k-- > 0;)
    if (e->cells.at[k]->slot == slot) return e->cells.at[k];
  return NULL;
}

typedef struct Wrt { VEC(NodeId) node; VEC(uint32_t) leaf; } Wrt;

/* The newest version of c that the formula read, with its aliases. *current: it is the present one. */
static bool version_read(Elab *e, const Cell *c, const Slice *s, uint32_t leaf, Wrt *w, bool *current) {
  *current = true;
  for (const Version *v = c->now; v; v = v->before) {
    bool found = false;
    for (const Version *a = v; a; a = a->alias)
      if (a->node != NO_NODE && reaches(s, a->node)) {
        bool twice = false;
        for (uint32_t k = 0; k < w->node.n; k++) twice |= w->node.at[k] == a->node && w->leaf.at[k] == leaf;
        if (!twice) {
          vec_push(e->a, &w->node, a->node);
          vec_push(e->a, &w->leaf, leaf);
        }
        found = true;
      }
    if (found) return true;
    if (v->assigned) *current = false;
  }
  return false;
}

/* Cells that the formula read behind a loop or branch which computed them from what is differentiated by. */
static bool passes_out(Elab *e, const Slice *s, const Wrt *w, const Leaves *l, const bool *reached, const Ast *at) {
  for (uint32_t k = 0; k < s->n; k++) {
    const Node *x = graph_at(e->g, s->at[k]);
    if (x->op != &op_input) continue;
    Cell *c = cell_of_slot(e, (SlotId)x->attr->i[0]);
    if (!c || !dtype_is_float((DType)c->type.dtype)) continue;
    bool is_wrt = false;
    for (uint32_t j = 0; j < w->node.n; j++) is_wrt |= w->node.at[j] == s->at[k];
    if (is_wrt) continue;
    for (const Version *v = c->now; v; v = v->before) {
      const Version *through = v->through ? v : v->alias && v->alias->through ? v->alias : NULL;
      if ((v->node != s->at[k]) || !through || through->last == NO_NODE) continue;
      Slice inside = slice_of(e, through->last);
      bool hit = false;
      for (uint32_t j = 0; j < w->node.n; j++) hit |= reaches(&inside, w->node.at[j]);
      for (uint32_t j = 0; j < l->n && !hit; j++) {
        if (reached[j]) continue;
        bool current;
        Wrt any = {0};
        if (l->at[j].value.kind == V_CELL) hit = version_read(e, l->at[j].value.cell, &inside, j, &any, &current);
        else hit = reaches(&inside, l->at[j].value.node);
      }
      if (!hit) break;
      const char *what = through->through->kind == REGION_LOOP ? "loop" : "`if`";
      Diag *g = elab_error(e, at, E_GRAD_THROUGH_STEPS, c->path ? c->path : "a cell", what);
      diag_note(e->d, g, elab_loc_at(e, through->through->ast), "the %s is here", what);
      diag_hint(e->d, g, "compute it in an `fn`: loops and branches of a formula have derivatives");
      return true;
    }
  }
  return false;
}

/* ---- the tree of gradients ---- */
typedef struct Build { const Leaves *l; const NodeId *out; } Build;
static Value gradient_leaf(Elab *e, void *ctx, Value leaf) {
  Build *b = ctx;
  (void)e;
  for (uint32_t k = 0; k < b->l->n; k++) {
    const Value *v = &b->l->at[k].value;
    if (v->kind == leaf.kind && (v->kind == V_CELL ? v->cell == leaf.cell : v->node == leaf.node)) return v_node(b->out[k]);
  }
  return leaf;
}

static NodeId scalar_formula(Elab *e, Value y, const Ast *at) {
  y = value_decay(e, y);
  if (y.kind == V_INT) {
    Diag *g = elab_error(e, at, E_GRAD_OF_INT, (long long)y.i);
    diag_hint(e->d, g, "write `%lld.0`", (long long)y.i);
    return NO_NODE;
  }
  NodeId n = want_node(e, y, at, "a scalar to differentiate");
  if (n == NO_NODE) return n;
  const Type *t = node_type(e, n);
  if (!dtype_is_float((DType)t->dtype)) {
    elab_error(e, at, E_GRAD_OF, type_show(e->a, t));
    return NO_NODE;
  }
  if (t->rank) {
    Diag *g = elab_error(e, at, E_GRAD_OF, type_show(e->a, t));
    diag_hint(e->d, g, "a gradient is of one number: take `sum(...)` or `mean(...)`");
    return NO_NODE;
  }
  return n;
}

Value derive(Elab *e, Value y, Value wrt, const Ast *at, bool for_step) {
  if (y.kind == V_BAD || wrt.kind == V_BAD) return v_bad();
  NodeId n = scalar_formula(e, y, at);
  if (n == NO_NODE) return v_bad();
  Leaves l = {0};
  tree_leaves(e, wrt, LEAF_PARAM, &l);
  if (l.n == 0) {
    if (wrt.kind == V_INT) {
      Diag *g = elab_error(e, at, E_GRAD_OF_INT, (long long)wrt.i);
      diag_hint(e->d, g, "write `%lld.0`", (long long)wrt.i);
    } else elab_error(e, at, E_GRAD_BY, value_kind_text(e, &wrt));
    return v_bad();
  }
  Slice s = slice_of(e, n);
  Wrt w = {0};
  bool *reached = NEW_N(e->a, bool, l.n);
  for (uint32_t k = 0; k < l.n; k++) {
    const Value *v = &l.at[k].value;
    const Type *t = v->kind == V_CELL ? &v->cell->type : node_type(e, v->node);
    if (!dtype_is_float((DType)t->dtype)) {
      Diag *g = elab_error(e, at, E_GRAD_BY, type_show(e->a, t));
      diag_hint(e->d, g, "whole numbers and bools have no derivative");
      return v_bad();
    }
    if (v->kind == V_NODE) {
      reached[k] = reaches(&s, v->node);
      vec_push(e->a, &w.node, v->node);
      vec_push(e->a, &w.leaf, k);
      continue;
    }
    bool current;
    reached[k] = version_read(e, v->cell, &s, k, &w, &current);
    if (reached[k] && for_step && !current) {
      Diag *g = elab_error(e, at, E_STALE_STEP, v->cell->path ? v->cell->path : "a parameter");
      diag_note(e->d, g, graph_at(e->g, n)->loc, "the loss was computed here, from the value before");
      diag_hint(e->d, g, "compute the loss again from the present values");
      return v_bad();
    }
    if (!reached[k] || w.node.at[w.node.n - 1] == NO_NODE) continue;
  }
  if (passes_out(e, &s, &w, &l, reached, at)) return v_bad();
  for (uint32_t k = 0; k < s.n; k++) {
    const Node *x = graph_at(e->g, s.at[k]);
    if (x->op != &op_input || e->p->slot.at[x->attr->i[0]].kind != SLOT_CELL) continue;
    Cell *c = cell_of_slot(e, (SlotId)x->attr->i[0]);
    if (c) stale_later(e, c, s.at[k], elab_loc(e, at), graph_at(e->g, n)->loc);
  }
  Loc saved = e->g->loc;
  e->g->loc = elab_loc(e, at);
  NodeId *d = NEW_N(e->a, NodeId, w.node.n + 1);
  bool *connected = NEW_N(e->a, bool, w.node.n + 1);
  if (w.node.n) grad_reverse(e->g, n, NO_NODE, w.node.at, w.node.n, d, connected);
  NodeId *out = NEW_N(e->a, NodeId, l.n);
  for (uint32_t k = 0; k < l.n; k++) {
    const Value *v = &l.at[k].value;
    NodeId sum = NO_NODE;
    bool any = false, flex = v->kind == V_NODE && node_flex(e, v->node);
    for (uint32_t j = 0; j < w.node.n; j++)
      if (w.leaf.at[j] == k) {
        sum = sum == NO_NODE ? d[j] : g_op2(e->g, &op_add, sum, d[j]);
        any |= connected[j];
      }
    if (sum == NO_NODE) sum = g_fill(e->g, v->kind == V_CELL ? &v->cell->type : node_type(e, v->node), 0);
    if (flex) e->g->node[sum].flags |= NODE_FLEX;
    out[k] = sum;
    if (!any && !for_step) {
      const char *name = v->kind == V_CELL ? v->cell->path : NULL;
      Diag *g = diag_at(e->d, elab_loc_at(e, at), E_GRAD_ZERO, name ? arena_printf(e->a, "`%s`", name) : "this");
      (void)g;
    }
  }
  e->g->loc = saved;
  Build b = {&l, out};
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

/* Which arguments of a call, by the names in `wrt`: to[] of *n. */
static bool wrt_arguments(Elab *e, const Fn *f, Value wrt, const Args *a, uint32_t *to, uint32_t *n, const Ast *at) {
  *n = 0;
  if (wrt.kind == V_ABSENT) {
    if (a->n == 0) {
      elab_error(e, at, E_MISSING_ARGUMENT, "the gradient", "of what to differentiate by");
      return false;
    }
    to[(*n)++] = 0;
    return true;
  }
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
      elab_error(e, at, E_WRT_NAME, name);
      return false;
    }
  }
  return true;
}

static Value call_derived(Elab *e, const Fn *self, Args *a, const Ast *at) {
  Value f = self->captured->at[0], wrt = self->captured->at[1];
  bool with_value = self->captured->at[2].b;
  uint32_t to[64], n;
  if (!wrt_arguments(e, f.kind == V_FN ? f.fn : NULL, wrt, a, to, &n, at)) return v_bad();
  Args b = *a;
  b.at = arena_copy(e->a, a->at, (a->n + 1) * sizeof *a->at);
  Value *by = NEW_N(e->a, Value, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    Value v = a->at[to[k]];
    if (v.kind == V_INT) {
      Diag *g = elab_error(e, a->ast[to[k]], E_GRAD_OF_INT, (long long)v.i);
      diag_hint(e->d, g, "write `%lld.0`", (long long)v.i);
      return v_bad();
    }
    Value own = v.kind == V_CELL || v.kind == V_NODE ? own_leaf(e, NULL, v) : tree_map(e, v, LEAF_PARAM, own_leaf, NULL);
    if (own.kind == V_BAD) return own;
    b.at[to[k]] = by[k] = own;
  }
  MakeRule saved = make_within(e, MAKE_IN_GRAD);
  Value y = call_value(e, f, &b, at);
  e->make = saved;
  if (y.kind == V_BAD) return y;
  Value target = wrt.kind == V_TUPLE || wrt.kind == V_LIST ? v_items(e->a, V_TUPLE, by, n) : by[0];
  Value g = derive(e, y, target, at, false);
  if (g.kind == V_BAD || !with_value) return g;
  return v_items(e->a, V_TUPLE, (Value[]){y, g}, 2);
}

static const Native grad_of = {.name = "grad", .params = "rest...", .call = call_derived,
                               .doc = "The gradient of a function: takes its arguments."};
static const Native value_and_grad_of = {.name = "value_and_grad", .params = "rest...", .call = call_derived,
                                         .doc = "The value of a function and its gradient: takes its arguments."};

/* A derived function passes its arguments on as they are written, names and all. */
static Value derived(Elab *e, Value f, Value wrt, bool with_value, const Native *n) {
  Value captured[3] = {f, wrt, v_bool(with_value)};
  Value v = native_value(e, n, captured, 3);
  v.fn->base = f.kind == V_FN ? f.fn : NULL;
  return v;
}

static bool is_function(const Value *v) { return v->kind == V_FN && v->fn->kind != FN_CHAIN; }

static Value call_grad(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value y = a->at[0], w = a->at[1], wrt = a->at[2];
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
  return derive(e, y, w, at, false);
}

static Value call_value_and_grad(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Value f = a->at[0];
  if (f.kind != V_FN && f.kind != V_INSTANCE) {
    elab_error(e, at, E_WANTED, "a function", value_kind_text(e, &f));
    return v_bad();
  }
  return derived(e, f, a->at[1], true, &value_and_grad_of);
}

const Native native_derivatives[] = {
    {.name = "grad", .params = "y w? wrt?", .call = call_grad,
     .doc = "grad(e, w): the derivative of a scalar formula by a parameter, a name or a tree of them; it has the type of w.\n"
            "grad(f): a function with the arguments of f: the derivative by the first, or by those named in wrt.",
     .example = "grad(fn (x) = x^3)(2.0)   # => 12"},
    {.name = "value_and_grad", .params = "f wrt?", .call = call_value_and_grad,
     .doc = "A function with the arguments of f: the pair of its value and its gradient.",
     .example = "value_and_grad(fn (x) = x^2)(3.0)   # => (9, 6)"},
    {0}};

/* ---- `gradient` ---- */
typedef struct Custom {
  CustomGrad base;
  Elab *e;
  const Fn *f;
  uint32_t n;             /* the function's arguments */
  Value *arg;             /* as they are */
  int *input;             /* which input of the node argument k is, or -1 */
  const Ast *at;
  Loc caller;
} Custom;

static void build_custom(const CustomGrad *base, Grad *d) {
  const Custom *c = (const Custom *)base;
  Elab *e = c->e;
  const Ast *ast = c->f->gradient, *names = ast->kid[0];
  if (d->g != e->g) return;   /* a widened copy: gradcheck compares the body there */
  Scope *s = scope_new(e, c->f->gradient_scope), *saved_scope = e->scope;
  for (uint32_t k = 0; k < c->n && k < names->n; k++) {
    Value v = c->input[k] >= 0 ? v_node(d->x[1 + c->input[k]]) : c->arg[k];
    bind_pattern(e, s, names->kid[k]->kind == A_PARM ? names->kid[k]->kid[0] : names->kid[k], v, false);
  }
  scope_put(e, s, ast->kid[1]->name, v_node(d->y), ast->kid[1]);
  scope_put(e, s, ast->kid[2]->name, v_node(d->dy), ast->kid[2]);
  CallFrame frame = {.outer = e->frame, .fn = c->f}, *saved_frame = e->frame;
  Loc saved_caller = e->caller, saved_loc = e->g->loc;
  MakeRule saved_make = make_within(e, MAKE_IN_GRAD);
  e->scope = s;
  e->frame = &frame;
  e->caller = c->caller;
  const Ast *body = ast->kid[3];
  Value v = body->kind == A_BLOCK ? elab_block(e, body, false) : elab_expr(e, body);
  e->scope = saved_scope;
  e->frame = saved_frame;
  e->caller = saved_caller;
  e->make = saved_make;
  e->g->loc = saved_loc;
  if (v.kind == V_BAD) return;
  uint32_t want = 0;
  for (uint32_t k = 0; k < c->n; k++) want += c->input[k] >= 0;
  bool tuple = v.kind == V_TUPLE;
  if (tuple ? v.items->n != want : want != 1) {
    elab_error(e, ast, E_GRADIENT_VALUES, (int)want, tuple ? (int)v.items->n : 1);
    return;
  }
  for (uint32_t k = 0, j = 0; k < c->n; k++) {
    if (c->input[k] < 0) continue;
    uint32_t i = 1 + (uint32_t)c->input[k];
    const Type *t = graph_at(d->g, d->x[i])->type;
    NodeId n = want_typed(e, tuple ? v.items->at[j] : v, (DType)t->dtype, ast, "a gradient");
    j++;
    if (n == NO_NODE) continue;
    if (!type_same_shape(node_type(e, n), t)) {
      if (node_type(e, n)->rank) {
        elab_error(e, ast, E_GRADIENT_SHAPE, c->f->name, shape_show(e->a, t), shape_show(e->a, node_type(e, n)));
        continue;
      }
      n = g_broadcast(e->g, n, t);
    }
    d->dx[i] = n;
  }
}

Value with_gradient(Elab *e, const Fn *f, Scope *s, Value y, const Ast *at) {
  if (y.kind != V_NODE) {
    elab_error(e, at, E_NOT_YET, "a `gradient` for a function whose value is no tensor");
    return v_bad();
  }
  const Ast *params = f->ast->kind == A_EXTERN ? f->ast->kid[1] : f->ast->kid[0];
  Custom *c = NEW(e->a, Custom);
  *c = (Custom){.base = {build_custom}, .e = e, .f = f, .n = params->n, .at = at, .caller = elab_loc(e, at)};
  c->arg = NEW_N(e->a, Value, c->n + 1);
  c->input = NEW_N(e->a, int, c->n + 1);
  NodeId *in = NEW_N(e->a, NodeId, c->n + 1);
  uint32_t n = 1;
  in[0] = settle(e, y.node);
  for (uint32_t k = 0; k < c->n; k++) {
    const Ast *p = params->kid[k]->kid[0];
    Bound *b = p->kind == A_NAME ? scope_here(s, p->name) : NULL;
    c->arg[k] = b ? value_decay(e, b->value) : v_bad();
    c->input[k] = -1;
    if (c->arg[k].kind == V_NODE && dtype_is_float((DType)node_type(e, c->arg[k].node)->dtype)) {
      c->input[k] = (int)n - 1;
      in[n++] = c->arg[k].node;
    }
  }
  NodeId id = emit(e, &op_custom, in, n, &(Attr){.foreign = c}, at);
  return id == NO_NODE ? v_bad() : v_node(id);
}
