/* custom: values whose derivative is made elsewhere than from what computed them: a `gradient` statement, recompute(f).
 * In: the value that a call gave and its arguments. Out: the same value as a node `custom` over the value and what it
 * was made of.
 *
 * The gradient is elaborated when a derivative asks for it (so it may call its own function), over the operands of the
 * node that stands in front: in the session's graph directly, in a loop's body or a widened or batched copy by way of a
 * graph of its own. A value of several tensors goes through the node as one vector, so that its parts have one adjoint.
 */
#include "elab/custom.h"
#include "elab/body.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/leaves.h"
#include "elab/literal.h"
#include "elab/names.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include "runtime/graph/batch.h"
#include <string.h>

/* ---- trees of tensors as one vector ---- */
typedef struct Pack {
  uint32_t n;
  Type *type;
  DType wide;
} Pack;

static NodeId pack(Elab *e, const NodeId *x, Pack *p, uint32_t n) {
  *p = (Pack){.n = n, .type = NEW_N(e->a, Type, n + 1), .wide = F32};
  for (uint32_t k = 0; k < n; k++) {
    p->type[k] = *node_type(e, x[k]);
    if (p->type[k].dtype == F64) p->wide = F64;
  }
  if (n == 1) return x[0];
  NodeId *flat = NEW_N(e->a, NodeId, n);
  for (uint32_t k = 0; k < n; k++) {
    Type t = type_make(p->wide, 1, (int64_t[]){type_count(&p->type[k])});
    flat[k] = g_reshape(e->g, g_cast(e->g, x[k], p->wide), &t);
  }
  return g_attr(e->g, &op_concat, flat, n, (int64_t[]){0}, 1);
}

static void unpack(Graph *g, NodeId whole, const Pack *p, NodeId *out) {
  int64_t from = 0;
  for (uint32_t k = 0; k < p->n; k++) {
    int64_t count = type_count(&p->type[k]);
    out[k] = whole;
    if (p->n == 1) continue;
    NodeId part = g_attr(g, &op_slice, &whole, 1, (int64_t[]){from, count, 1}, 3);
    out[k] = g_cast(g, g_reshape(g, part, &p->type[k]), (DType)p->type[k].dtype);
    from += count;
  }
}

/* The tensors of a value, in order; those that `take` wants replaced by others. Known whole numbers stay as they
 * are. */
typedef struct Swap {
  bool (*take)(Elab *e, NodeId n);
  VEC(NodeId) old;
  const NodeId *by;
  uint32_t next;
} Swap;

static Value swap_leaf(Elab *e, void *ctx, Value leaf) {
  Swap *s = ctx;
  leaf = value_decay(e, leaf);
  if (!s->take(e, leaf.node)) return leaf;
  if (!s->by) {
    vec_push(e->a, &s->old, leaf.node);
    return leaf;
  }
  return v_node(s->by[s->next++]);
}
static Value swap(Elab *e, Value v, Swap *s) {
  if (v.kind == V_CELL || v.kind == V_NODE) return swap_leaf(e, s, v);
  return tree_map(e, v, LEAF_PARAM, swap_leaf, s);
}

static bool is_float(Elab *e, NodeId n) { return dtype_is_float((DType)node_type(e, n)->dtype); }
/* What a copy must be given: floats, and what only the run knows. */
static bool is_operand(Elab *e, NodeId n) { return is_float(e, n) || !(graph_at(e->g, n)->flags & NODE_KNOWN); }

/* ---- a body of its own, put into another graph ---- */

/* A graph that was made from f32 where the other one is widened. */
static Graph *fitting(Graph *body, const Graph *g, NodeId in_body, NodeId in_g) {
  bool wide = in_body != NO_NODE && body->node[in_body].type->dtype == F32 && g->node[in_g].type->dtype == F64;
  return wide ? graph_widen(body, g->arena) : body;
}

static NodeId input_of_slot(const Graph *g, uint32_t slot) {
  for (NodeId k = 0; k < g->n; k++)
    if (g->node[k].op == &op_input && (uint32_t)g->node[k].attr->i[0] == slot &&
        dtype_is_float((DType)g->node[k].type->dtype))
      return k;
  return NO_NODE;
}

/* ---- `gradient` ---- */
typedef struct Custom {
  CustomGrad base;
  Elab *e;
  const Fn *f;
  uint32_t n;             /* the function's arguments */
  Value *arg;             /* as they are */
  uint32_t n_input;       /* of the node, behind the value */
  Type *type;             /* theirs, then the value's */
  Value y;                /* the value as the function gave it */
  Pack pack;
  bool soft;              /* the value is a literal's */
  Loc caller;
} Custom;

/* A parameter's value from what the call bound: a pattern's is made again. */
static Value value_of_pattern(Elab *e, const Scope *s, const Ast *p) {
  if (p->kind == A_NAME) {
    Bound *b = scope_here((Scope *)(uintptr_t)s, p->name);
    return b ? b->value : v_bad();
  }
  if (p->kind != A_PTUPLE) return v_bad();
  Value *v = NEW_N(e->a, Value, p->n + 1);
  for (uint32_t k = 0; k < p->n; k++) v[k] = value_of_pattern(e, s, p->kid[k]);
  return v_items(e->a, V_TUPLE, v, p->n);
}

/* One argument's gradient, for each of its floats, into dx. */
static void place_gradient(Elab *e, const Custom *c, Value arg, Value v, const NodeId *x, NodeId *dx, uint32_t *next) {
  const Ast *ast = c->f->gradient;
  Swap all = {.take = is_operand}, given = {.take = is_float};
  swap(e, arg, &all);
  bool single = arg.kind == V_NODE;
  uint32_t want = 0, k = 0;
  for (uint32_t j = 0; j < all.old.n; j++) want += is_float(e, all.old.at[j]);
  if (single && (v.kind == V_TUPLE || v.kind == V_LIST)) {
    elab_error(e, ast, E_GRADIENT_VALUES, 1, (int)v.items->n);
    *next += all.old.n;
    return;
  }
  if (!single) {
    swap(e, v, &given);
    if (given.old.n != want) {
      elab_error(e, ast, E_GRADIENT_VALUES, (int)want, (int)given.old.n);
      *next += all.old.n;
      return;
    }
  }
  for (uint32_t j = 0; j < all.old.n; j++, ++*next) {
    if (!is_float(e, all.old.at[j])) continue;
    const Type *t = node_type(e, x[*next]);
    Value part = single ? v : v_node(given.old.at[k++]);
    bool soft = c->soft && part.kind == V_NODE && is_float(e, part.node);
    NodeId n = soft ? g_cast(e->g, part.node, (DType)t->dtype)
                    : want_typed(e, part, (DType)t->dtype, ast, "a gradient");
    if (n == NO_NODE) continue;
    if (!type_same_shape(node_type(e, n), t)) {
      if (node_type(e, n)->rank) {
        elab_error(e, ast, E_GRADIENT_SHAPE, c->f->name, shape_show(e->a, t), shape_show(e->a, node_type(e, n)));
        continue;
      }
      n = g_broadcast(e->g, n, t);
    }
    dx[*next] = n;
  }
}

/* The gradient in the session's graph, over x (the node's operands behind the value), its value and adjoint. */
static void elaborate(const Custom *c, const NodeId *x, NodeId y, NodeId dy, NodeId *dx) {
  Elab *e = c->e;
  const Ast *ast = c->f->gradient, *names = ast->kid[0];
  Scope *s = scope_new(e, c->f->gradient_scope);
  Swap by = {.take = is_operand, .by = x};
  for (uint32_t k = 0; k < c->n && k < names->n; k++)
    bind_pattern(e, s, names->kid[k]->kind == A_PARM ? names->kid[k]->kid[0] : names->kid[k], swap(e, c->arg[k], &by),
                 false);
  NodeId *part = NEW_N(e->a, NodeId, c->pack.n + 1), *adjoint = NEW_N(e->a, NodeId, c->pack.n + 1);
  unpack(e->g, y, &c->pack, part);
  unpack(e->g, dy, &c->pack, adjoint);
  for (uint32_t k = 0; c->soft && k < c->pack.n; k++) {   /* literals: any element type, as the value has */
    adjoint[k] = g_op(e->g, &op_alias, adjoint[k]);
    part[k] = g_op(e->g, &op_alias, part[k]);
    e->g->node[adjoint[k]].flags |= NODE_FLEX;
    e->g->node[part[k]].flags |= NODE_FLEX;
  }
  Swap out = {.take = is_float, .by = part}, dout = {.take = is_float, .by = adjoint};
  scope_put(e, s, ast->kid[1]->name, swap(e, c->y, &out), ast->kid[1]);
  scope_put(e, s, ast->kid[2]->name, swap(e, c->y, &dout), ast->kid[2]);
  CallFrame frame = {.fn = c->f};
  WITH_LOC(e, NULL);
  Where outside = frame_enter(e, &frame, s);
  make_within(e, MAKE_IN_GRAD);
  e->here.caller = c->caller;
  e->here.use = USE_OF_FORMULA;
  const Ast *body = ast->kid[3];
  Value v = body->kind == A_BLOCK ? elab_block(e, body, false) : elab_expr(e, body);
  e->here = outside;
  if (v.kind == V_BAD) return;
  uint32_t want = 0;
  bool *has = NEW_N(e->a, bool, c->n + 1);
  for (uint32_t k = 0; k < c->n; k++) {
    Swap floats = {.take = is_float};
    swap(e, c->arg[k], &floats);
    has[k] = floats.old.n > 0;
    want += has[k];
  }
  bool tuple = v.kind == V_TUPLE && (want != 1 || v.items->n == 1);
  if (want != 1 && (!tuple || v.items->n != want)) {
    elab_error(e, ast, E_GRADIENT_VALUES, (int)want, v.kind == V_TUPLE ? (int)v.items->n : 1);
    return;
  }
  uint32_t next = 0, j = 0;
  for (uint32_t k = 0; k < c->n; k++) {
    Swap skip = {.take = is_operand};
    if (has[k]) place_gradient(e, c, c->arg[k], want == 1 && !tuple ? v : v.items->at[j++], x, dx, &next);
    else {
      swap(e, c->arg[k], &skip);
      next += skip.old.n;
    }
  }
}

/* In a graph that is not the session's: elaborated beside it, lifted, and put in. What it reads must be known. */
static void elaborate_apart(const Custom *c, Grad *d) {
  Elab *e = c->e;
  uint32_t n = c->n_input, n_root = 0;
  Type i32 = type_scalar(I32);
  NodeId *x = NEW_N(e->a, NodeId, n + 2), *dx = NEW_N(e->a, NodeId, n + 1), *root = NEW_N(e->a, NodeId, n + 1);
  uint32_t *of = NEW_N(e->a, uint32_t, n + 1);
  for (uint32_t k = 0; k < n + 2; k++) x[k] = body_input(e, &c->type[k < n ? k : n], c->f->gradient);
  for (uint32_t k = 0; k < n; k++) dx[k] = NO_NODE;
  elaborate(c, x, x[n], x[n + 1], dx);
  for (uint32_t k = 0; k < n; k++)
    if (dx[k] != NO_NODE && d->wanted[1 + k]) {
      of[n_root] = k;
      root[n_root++] = dx[k];
    }
  Nodes capture = {0};
  Graph *body = lift_body(e, x, n + 2, body_input(e, &i32, c->f->gradient), root, n_root, &capture);
  NodeId *in = NEW_N(d->g->arena, NodeId, n + capture.n + 3), *out = NEW_N(d->g->arena, NodeId, n_root + 1);
  for (uint32_t k = 0; k < n; k++) in[k] = d->x[1 + k];
  in[n] = d->y;
  in[n + 1] = d->dy;
  body = fitting(body, d->g, input_of_slot(body, n + 1), d->dy);
  for (uint32_t k = 0; k < capture.n; k++) {
    Tensor *v = graph_at(e->g, capture.at[k])->flags & NODE_KNOWN ? graph_known(e->g, capture.at[k]) : NULL;
    if (!v) {
      const char *why = depends_text(e, capture.at[k], false);
      Diag *g = elab_error(e, c->f->gradient, E_GRADIENT_READS, c->f->name, why ? why : "what only the run knows");
      diag_hint(e->d, g, "give it to the function as an argument");
      return;
    }
    in[n + 2 + k] = graph_const(d->g, v, d->g->loc);
    NodeId asks = input_of_slot(body, n + 2 + k);
    if (asks != NO_NODE) in[n + 2 + k] = g_cast(d->g, in[n + 2 + k], (DType)body->node[asks].type->dtype);
  }
  in[n + 2 + capture.n] = NO_NODE;
  graph_inline(d->g, body, in, out);
  for (uint32_t k = 0; k < n_root; k++) d->dx[1 + of[k]] = out[k];
}

static void build_custom(const CustomGrad *base, Grad *d) {
  const Custom *c = (const Custom *)base;
  if (d->g == c->e->g) elaborate(c, d->x + 1, d->y, d->dy, d->dx + 1);
  else elaborate_apart(c, d);
  grad_given(d);
}

Value with_gradient(Elab *e, const Fn *f, Scope *s, Value y, const Ast *at) {
  const Ast *params = f->ast->kind == A_EXTERN ? f->ast->kid[1] : f->ast->kid[0];
  Swap result = {.take = is_float};
  y = value_decay(e, y);
  swap(e, y, &result);
  if (!result.old.n) return y;
  Custom *c = NEW(e->a, Custom);
  *c = (Custom){.base = {build_custom}, .e = e, .f = f, .n = params->n, .y = y, .caller = elab_loc(e, at)};
  c->arg = NEW_N(e->a, Value, c->n + 1);
  Swap in = {.take = is_operand};
  vec_push(e->a, &in.old, pack(e, result.old.at, &c->pack, result.old.n));
  for (uint32_t k = 0; k < c->n; k++) {
    c->arg[k] = value_decay(e, value_of_pattern(e, s, params->kid[k]->kid[0]));
    swap(e, c->arg[k], &in);
  }
  c->n_input = in.old.n - 1;
  c->soft = node_flex(e, in.old.at[0]);
  for (uint32_t k = 1; k < in.old.n; k++)   /* a literal takes the element type of the value */
    if (node_flex(e, in.old.at[k]))
      in.old.at[k] = g_cast(e->g, in.old.at[k], (DType)node_type(e, result.old.at[0])->dtype);
  c->type = NEW_N(e->a, Type, in.old.n + 1);
  for (uint32_t k = 0; k < in.old.n; k++) c->type[k ? k - 1 : c->n_input] = *node_type(e, in.old.at[k]);
  NodeId id = emit(e, &op_custom, in.old.at, in.old.n, &(Attr){.foreign = c}, at);
  if (id == NO_NODE) return v_bad();
  NodeId *part = NEW_N(e->a, NodeId, c->pack.n + 1);
  unpack(e->g, id, &c->pack, part);
  Swap out = {.take = is_float, .by = part};
  return swap(e, y, &out);
}

/* ---- recompute ---- */
typedef struct Again {
  CustomGrad base;
  Graph *body;            /* the value, packed, from the node's operands behind it; of `implicit` f(value) from all */
} Again;

/* The forward formula again, over operands that are not there before the adjoint is: nothing of it is kept till
 * then. */
static void build_again(const CustomGrad *base, Grad *d) {
  const Again *c = (const Again *)base;
  Graph *g = d->g;
  uint32_t n = d->n - 1, n_wrt = 0;
  NodeId *in = NEW_N(g->arena, NodeId, n + 2), *wrt = NEW_N(g->arena, NodeId, n + 1), y;
  Adjoint *dx = NEW_N(g->arena, Adjoint, n + 1);
  uint32_t *of = NEW_N(g->arena, uint32_t, n + 1);
  for (uint32_t k = 0; k < n; k++) in[k] = g_op2(g, &op_barrier, d->x[1 + k], d->dy);
  in[n] = NO_NODE;
  Graph *body = c->body;
  for (uint32_t k = 0; k < n; k++) {
    NodeId asks = input_of_slot(body, k);
    if (asks != NO_NODE) body = fitting(body, g, asks, in[k]);
    if (d->wanted[1 + k] && dtype_is_float((DType)g->node[in[k]].type->dtype)) {
      of[n_wrt] = k;
      wrt[n_wrt++] = in[k];
    }
  }
  graph_inline(g, body, in, &y);
  NodeId dy = g_op(g, &op_alias, d->dy);   /* an adjoint comes after the formula that it is of */
  grad_back(g, &(Seed){y, {dy, d->selected}}, 1, wrt, n_wrt, dx, NULL);
  for (uint32_t k = 0; k < n_wrt; k++) {
    d->dx[1 + of[k]] = dx[k].node;
    d->dx_selected[1 + of[k]] = dx[k].selected;
  }
}

static Value own_operand(Elab *e, void *ctx, Value leaf) {
  leaf = value_decay(e, leaf);
  if (!is_operand(e, leaf.node)) return leaf;
  NodeId n = emit1(e, &op_alias, leaf.node, ctx);
  return v_node(n);
}

static Value call_recompute(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  Args b = args_rest(e, &a[0]);
  Swap in = {.take = is_operand}, result = {.take = is_float};
  for (uint32_t k = 0; k < b.n; k++) {
    Value v = b.at[k];
    b.at[k] = v.kind == V_CELL || v.kind == V_NODE ? own_operand(e, (void *)(uintptr_t)at, v)
                                                   : tree_map(e, v, LEAF_PARAM, own_operand, (void *)(uintptr_t)at);
    if (b.at[k].kind == V_BAD) return v_bad();
    swap(e, b.at[k], &in);
  }
  Where outside = make_within(e, MAKE_IN_CALL);
  Value y = value_decay(e, call_value(e, self->captured->at[0], &b, at));
  e->here = outside;
  if (y.kind == V_BAD) return y;
  swap(e, y, &result);
  if (!result.old.n) return y;
  Pack p;
  Type i32 = type_scalar(I32);
  NodeId whole = pack(e, result.old.at, &p, result.old.n);
  Nodes capture = {0}, operand = {0};
  Again *c = NEW(e->a, Again);
  *c = (Again){.base = {build_again}};
  c->body = lift_body(e, in.old.at, in.old.n, body_input(e, &i32, at), &whole, 1, &capture);
  vec_push(e->a, &operand, whole);
  for (uint32_t k = 0; k < in.old.n; k++) vec_push(e->a, &operand, in.old.at[k]);
  for (uint32_t k = 0; k < capture.n; k++) vec_push(e->a, &operand, capture.at[k]);
  NodeId id = emit(e, &op_custom, operand.at, operand.n, &(Attr){.foreign = c}, at);
  if (id == NO_NODE) return v_bad();
  NodeId *part = NEW_N(e->a, NodeId, p.n + 1);
  unpack(e->g, id, &p, part);
  Swap out = {.take = is_float, .by = part};
  return swap(e, y, &out);
}

/* ---- implicit ---- */
/* A vector x of which f(x) = 0. The theorem of implicit functions: dx = -J^-1 df, J the derivative of f by x at x. It
 * is said of x as the node gives it, so it differentiates again. */

static NodeId transposed_jacobian_solve(Graph *g, Graph *body, const NodeId *in, uint32_t n, NodeId dy) {
  Graph *one = graph_new(g->arena);
  Type t = *g->node[dy].type, square = type_make((DType)t.dtype, 2, (int64_t[]){t.dim[0], t.dim[0]});
  Type column = type_make((DType)t.dtype, 2, (int64_t[]){t.dim[0], 1});
  NodeId *x = NEW_N(g->arena, NodeId, n + 2), *to = NEW_N(g->arena, NodeId, n + 2), y, row;
  bool *has = NEW_N(g->arena, bool, n + 2), row_has;
  one->limit = g->limit;
  for (uint32_t k = 0; k <= n; k++) {
    x[k] = graph_input(one, k, k < n ? g->node[in[k]].type : &t, g->loc);
    to[k] = k < n ? in[k] : NO_NODE;
    has[k] = k == n;
  }
  NodeId i = g_attr(g, &op_iota, NULL, 0, t.dim, 1);
  Type ints = type_make(I32, 2, square.dim), down = type_make(I32, 2, column.dim);
  NodeId unit = g_op2(g, &op_eq, g_broadcast(g, i, &ints), g_broadcast(g, g_reshape(g, i, &down), &ints));
  to[n] = g_cast(g, unit, (DType)t.dtype);
  graph_inline(one, body, x, &y);
  Adjoint dx;                /* a unit vector chooses one element of f(x) */
  grad_back(one, &(Seed){y, {x[n], true}}, 1, x, 1, &dx, NULL);
  graph_no_gradient(g, one->no_gradient, one->no_gradient_at);
  BatchError why;
  if (!graph_batch_into(g, one, x, to, has, n + 1, t.dim[0], &dx.node, 1, &row, &row_has, &why)) return NO_NODE;
  if (!row_has) row = g_broadcast(g, row, &square);
  NodeId u = g_attr(g, &op_linear_solve, (NodeId[]){row, g_reshape(g, dy, &column)}, 2, (int64_t[]){1}, 1);
  return g_reshape(g, u, &t);
}

static void build_implicit(const CustomGrad *base, Grad *d) {
  const Again *c = (const Again *)base;
  Graph *g = d->g, *body = c->body;
  uint32_t n = d->n, n_wrt = 0;
  NodeId *in = NEW_N(g->arena, NodeId, n + 2), *wrt = NEW_N(g->arena, NodeId, n + 1), y;
  uint32_t *of = NEW_N(g->arena, uint32_t, n + 1);
  Adjoint *dx = NEW_N(g->arena, Adjoint, n + 1);
  in[0] = g_op(g, &op_alias, d->y);
  for (uint32_t k = 1; k < n; k++) {
    in[k] = g_op(g, &op_alias, d->x[k]);
    if (!d->wanted[k] || !dtype_is_float((DType)g->node[in[k]].type->dtype)) continue;
    of[n_wrt] = k;
    wrt[n_wrt++] = in[k];
  }
  for (uint32_t k = 0; k < n; k++) {
    NodeId asks = input_of_slot(body, k);
    if (asks != NO_NODE) body = fitting(body, g, asks, in[k]);
  }
  in[n] = NO_NODE;
  graph_inline(g, body, in, &y);
  NodeId u = transposed_jacobian_solve(g, body, in, n, g_op(g, &op_neg, d->dy));
  if (u == NO_NODE) return;
  grad_back(g, &(Seed){y, {u, false}}, 1, wrt, n_wrt, dx, NULL);
  for (uint32_t k = 0; k < n_wrt; k++) {
    d->dx[of[k]] = dx[k].node;
    d->dx_selected[of[k]] = dx[k].selected;
  }
}

static Value n_implicit(Elab *e, const Arg *a, const Ast *at) {
  NodeId x = want_float(e, a[1].value, a[1].at, "the solution");
  if (x == NO_NODE || (x = settle(e, x)) == NO_NODE) return v_bad();
  NodeId own = body_input(e, node_type(e, x), at), y;
  Where outside = make_within(e, MAKE_IN_MAP);
  Value value = call1(e, a[0].value, v_node(own), at);
  e->here = outside;
  if (value.kind == V_BAD) return value;
  y = want_typed(e, value, (DType)node_type(e, x)->dtype, a[0].at, "what is 0 at the solution");
  if (y == NO_NODE) return v_bad();
  if (!type_eq(node_type(e, x), node_type(e, y)) || node_type(e, x)->rank != 1) {
    elab_error(e, a[0].at, E_IMPLICIT, type_show(e->a, node_type(e, y)), type_show(e->a, node_type(e, x)));
    return v_bad();
  }
  Nodes capture = {0}, operand = {0};
  Again *c = NEW(e->a, Again);
  *c = (Again){.base = {build_implicit}};
  c->body = lift_body(e, &own, 1, NO_NODE, &y, 1, &capture);
  vec_push(e->a, &operand, x);
  for (uint32_t k = 0; k < capture.n; k++) vec_push(e->a, &operand, capture.at[k]);
  return or_bad(emit(e, &op_custom, operand.at, operand.n, &(Attr){.foreign = c}, at));
}

static const Native recompute_fn = {.name = "recompute", .params = "rest:any..*",
                                    .doc = "The function, whose inner values are computed again for its gradient."};

static Value n_recompute(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value f = a[0].value;
  Value v = bound_value(e, &recompute_fn, call_recompute, &f, 1);
  v.fn->base = f.kind == V_FN ? f.fn : NULL;
  return v;
}

const Native native_recompute[] = {
    {"recompute", "f:fn", n_recompute,
     "The same function, but its inner values are not kept for the gradient: they are computed again when it asks, to "
     "the\n"
     "same bits. Memory for time, as around each block of a deep network.",
     "grad(recompute(fn (x) = sin(x)^2))(0.5)   # => 0.841471"},
    {"implicit", "f:fn, x:any", n_implicit,
     "x, a vector of which f(x) is 0 (or nearly so): its derivative is that of the solution, by what f reads from "
     "outside,\n"
     "to any order. How x was found does not count.",
     "grad(fn (a) = implicit(fn (x) = x^2 - a, [3.0])[0])(9.0)   # => 0.166667"},
    {0}};
