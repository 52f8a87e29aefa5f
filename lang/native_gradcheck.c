/* native_gradcheck: a gradient against finite differences, all in f64. In: a function and a point. Out: {ok, error,
 * at}.
 *
 * f and its gradient are elaborated as they are, lifted out, and widened (f32 becomes f64, captured cells are cast on
 * the way in); a loop runs the widened f at 2n points. So what is checked is the graph that trains, only with more
 * digits.
 */
#include "native.h"
#include "../runtime/grad.h"
#include <string.h>

static const double step = 1e-6, allowed = 1e-5;
enum { MAX_POINT = 4096 };

/* The stacked output of a body over the rows of points, in f64. */
static NodeId run_wide(Elab *e, NodeId x, NodeId y, NodeId points, int64_t turns, const Ast *at) {
  Type i32 = type_scalar(I32);
  NodeId turn = body_input(e, &i32, at);
  Nodes capture = {0}, in = {0};
  Graph *body = lift_body(e, &x, 1, turn, &y, 1, &capture);
  Graph *wide = graph_widen(body, e->g->arena);
  vec_push(e->a, &in, points);
  for (uint32_t k = 0; k < capture.n; k++) {
    NodeId n = capture.at[k];
    if (node_type(e, n)->dtype == F32) n = lower_cast(e, n, F64, at);
    vec_push(e->a, &in, n);
  }
  NodeId loop = emit(e, &op_loop, in.at, in.n, &(Attr){.body = wide, .i = (int64_t[]){turns, 0, 1, 0}, .n = 4}, at);
  return loop == NO_NODE ? loop : emit_i(e, &op_pick, &loop, 1, (int64_t[]){0}, 1, at);
}

static Value bin(Elab *e, int op, Value a, Value b, const Ast *at) {
  return a.kind == V_BAD || b.kind == V_BAD ? v_bad() : elab_binary(e, op, a, b, at);
}
static Value wide_number(Elab *e, double v, const Ast *at) { return v_node(lower_number(e, F64, v, at)); }

static Value n_gradcheck(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  const Ast *where = arg_ast(a, 1, at);
  NodeId point = want_float(e, a->at[1], where, "the point of `gradcheck`");
  if (point == NO_NODE || a->at[0].kind == V_BAD) return v_bad();
  point = settle(e, point);
  Type t = *node_type(e, point);
  int64_t n = type_count(&t);
  if (n < 1 || n > MAX_POINT || t.rank == MAX_RANK) {
    elab_error(e, where, E_GRADCHECK_SIZE, MAX_POINT, type_show(e->a, &t));
    return v_bad();
  }
  NodeId x = body_input(e, &t, at);
  MakeRule make = make_within(e, MAKE_IN_MAP);
  Value y = value_decay(e, call1(e, a->at[0], v_node(x), at));
  e->make = make;
  NodeId out = want_float(e, y, arg_ast(a, 0, at), "the value that `gradcheck` differentiates");
  if (out == NO_NODE) return v_bad();
  out = settle(e, out);
  if (node_type(e, out)->rank != 0) {
    Diag *g = elab_error(e, arg_ast(a, 0, at), E_GRADCHECK_SCALAR, type_show(e->a, node_type(e, out)));
    if (g) diag_hint(e->d, g, "e.g. `gradcheck(fn (x) = sum(f(x)), x)`");
    return v_bad();
  }
  Value slope = derive(e, v_node(out), v_node(x), at, DERIVE_GRAD);
  if (slope.kind != V_NODE) return v_bad();

  NodeId wide = lower_cast(e, point, F64, at);
  int64_t flat[2] = {1, n}, rows[MAX_RANK + 1] = {1}, square[2] = {n, n};
  memcpy(rows + 1, t.dim, sizeof t.dim);
  NodeId at_point = wide == NO_NODE ? wide : lower_reshape(e, wide, t.rank + 1, rows, at);
  if (at_point == NO_NODE) return v_bad();
  NodeId g = run_wide(e, x, slope.node, at_point, 1, at);
  g = g == NO_NODE ? g : lower_reshape(e, g, 1, &n, at);
  /* x + h e_k and x - h e_k, a row each. */
  NodeId iota = lower_iota(e, n, at);
  if (g == NO_NODE || iota == NO_NODE) return v_bad();
  Value one = bin(e, K_EQ, or_bad(lower_mask_dims(e, iota, 2, square, 0, at)),
                  or_bad(lower_mask_dims(e, iota, 2, square, 1, at)), at);
  if (one.kind != V_NODE) return v_bad();
  Value bump = bin(e, '*', or_bad(lower_cast(e, one.node, F64, at)), wide_number(e, step, at), at);
  NodeId base = lower_reshape(e, wide, 2, flat, at);
  base = base == NO_NODE ? base : lower_broadcast(e, base, 2, square, at);
  if (base == NO_NODE) return v_bad();
  Value up = bin(e, '+', v_node(base), bump, at), down = bin(e, '-', v_node(base), bump, at);
  if (up.kind != V_NODE || down.kind != V_NODE) return v_bad();
  NodeId points = lower_concat(e, (NodeId[]){up.node, down.node}, 2, 0, at);
  rows[0] = 2 * n;
  points = points == NO_NODE ? points : lower_reshape(e, points, t.rank + 1, rows, at);
  NodeId f = points == NO_NODE ? points : run_wide(e, x, out, points, 2 * n, at);
  if (f == NO_NODE) return v_bad();
  Value rise = bin(e, '-', or_bad(lower_rows(e, f, 0, 0, n, 1, at)), or_bad(lower_rows(e, f, 0, n, n, 1, at)), at);
  Value slope2 = bin(e, '/', rise, wide_number(e, 2 * step, at), at);
  Value off = bin(e, '-', v_node(g), slope2, at);
  if (off.kind != V_NODE) return v_bad();
  Value size = bin(e, '+', wide_number(e, 1, at), or_bad(emit1(e, &op_abs, g, at)), at);
  Value error = bin(e, '/', or_bad(emit1(e, &op_abs, off.node, at)), size, at);
  if (error.kind != V_NODE) return v_bad();
  int64_t all[3] = {1, 0, 0};
  NodeId worst = emit_i(e, &op_reduce_max, &error.node, 1, all, 3, at);
  NodeId place = emit_i(e, &op_argmax, &error.node, 1, all, 3, at);
  if (worst == NO_NODE || place == NO_NODE) return v_bad();
  static const char *const name[3] = {"ok", "error", "at"};
  Fields *r = NEW(e->a, Fields);
  *r = (Fields){.n = 3, .name = NEW_N(e->a, Sym, 3), .at = NEW_N(e->a, Value, 3)};
  for (int k = 0; k < 3; k++) r->name[k] = sym(e->s->sources, name[k], strlen(name[k]));
  r->at[0] = bin(e, K_LE, v_node(worst), wide_number(e, allowed, at), at);
  r->at[1] = v_node(worst);
  r->at[2] = v_node(place);
  return r->at[0].kind == V_BAD ? v_bad() : (Value){.kind = V_RECORD, .fields = r};
}

const Native native_gradcheck[] = {{"gradcheck", "f x", n_gradcheck,
                                    "The gradient of f at x against finite differences, in f64: {ok, error, at}. error "
                                    "is the largest |g - d| / (1 + |g|), at the\n"
                                    "element (in flat order) where it stands.",
                                    "gradcheck(fn (x) = sum(x^3), [1, 2]).ok   # => true"},
                                   {0}};
