/* graph: emission, flags, refusals word for word, slices, the dump, known values, what verify catches, and the
 * derivative as graph: untaken branches, nested gradients, nodes not looked behind; every allocation failing once.
 */
#include <math.h>
#include <string.h>
#include "alloc_fail.h"
#include "runtime/graph/grad.h"
#include "runtime/exec/run.h"
#include "unit.h"

typedef struct Frame {
  Host h;
  Guard guard;
  Arena *a;
  Graph *g;
} Frame;

/* Only its caller may set the guard: setjmp's frame must live. */
#define BEGIN(f)                              \
  Frame f;                                    \
  host_init(&f.h, NULL, NULL);                \
  CU_ASSERT_FATAL(HOST_GUARD(&f.h, &f.guard)); \
  f.a = arena_new(&f.h);                      \
  f.g = graph_new(f.a);
#define END(f)                       \
  CU_ASSERT_PTR_NULL(graph_verify(f.g, f.a)); \
  arena_free(f.a);                   \
  CU_ASSERT_EQUAL(f.h.in_use, 0);    \
  host_leave(&f.h, &f.guard);

static NodeId input(Graph *g, DType d, int rank, int64_t a, int64_t b) {
  Type t = type_make(d, rank, (int64_t[]){a, b});
  return graph_input(g, g->n, &t, 0);
}

static NodeId lit(Graph *g, double v) { return graph_const_like(g, F64, v, 0); }

static void emits(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 2, 2, 3), y = input(f.g, F32, 2, 2, 3);
  NodeId s = graph_emit(f.g, &op_add, (NodeId[]){x, y}, 2, NULL, 7, NULL);
  CU_ASSERT_PTR_EQUAL(f.g->node[s].type, f.g->node[x].type);       /* interned */
  CU_ASSERT_EQUAL(f.g->node[s].loc, 7);
  f.g->loc = 9;
  CU_ASSERT_EQUAL(f.g->node[g_op2(f.g, &op_add, x, y)].loc, 9);
  CU_ASSERT_NOT_EQUAL(g_op2(f.g, &op_add, x, y), s);               /* as written: nothing is shared */
  Type t = *f.g->node[x].type;
  for (int64_t k = 1; k < 500; k++) {
    t.dim[0] = k;
    const Type *p = graph_type(f.g, &t);
    CU_ASSERT_PTR_EQUAL(graph_type(f.g, &t), p);
    CU_ASSERT(type_eq(p, &t));
  }
  END(f)
}

static void flags(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 1, 4, 0), a = lit(f.g, 2), b = lit(f.g, 3);
  f.g->node[a].flags |= NODE_FLEX;
  f.g->node[b].flags |= NODE_FLEX;
  NodeId c = g_op2(f.g, &op_mul, a, b);
  CU_ASSERT_EQUAL(f.g->node[c].flags, NODE_FLEX | NODE_KNOWN);
  CU_ASSERT_EQUAL(f.g->node[g_cast(f.g, c, F32)].flags, NODE_KNOWN);
  CU_ASSERT_EQUAL(f.g->node[g_op2(f.g, &op_lt, a, b)].flags, NODE_KNOWN);
  CU_ASSERT_EQUAL(f.g->node[x].flags, 0);
  f.g->node[x].flags |= NODE_LAZY;
  NodeId y = g_op(f.g, &op_neg, x);
  CU_ASSERT_EQUAL(f.g->node[y].flags, NODE_LAZY);
  Type scalar = type_scalar(F32);
  CU_ASSERT_EQUAL(f.g->node[g_sum_to(f.g, y, &scalar)].flags, 0);
  NodeId bad = input(f.g, F32, 1, 7, 0);
  f.g->node[bad].flags |= NODE_BAD;
  TypeError e = {.kind = BAD_NONE};
  NodeId follows = graph_emit(f.g, &op_add, (NodeId[]){x, bad}, 2, NULL, 0, &e);   /* shapes differ: no new message */
  CU_ASSERT_FATAL(follows != NO_NODE);
  CU_ASSERT(f.g->node[follows].flags & NODE_BAD);
  NodeId dx;
  bool connected;
  grad_reverse(f.g, follows, NO_NODE, &x, 1, &dx, &connected);
  CU_ASSERT(f.g->node[dx].flags & NODE_BAD);
  END(f)
}

static void refuses(Graph *g, const Op *op, NodeId a, NodeId b, Bad kind, const char *text, const char *hint) {
  TypeError e = {.kind = BAD_NONE};
  uint32_t n = g->n;
  CU_ASSERT_EQUAL(graph_emit(g, op, (NodeId[]){a, b}, b == NO_NODE ? 1 : 2, NULL, 0, &e), NO_NODE);
  CU_ASSERT_EQUAL(g->n, n);
  CU_ASSERT_EQUAL(e.kind, kind);
  CU_ASSERT_STRING_EQUAL(e.text, text);
  CU_ASSERT_STRING_EQUAL(e.hint, hint);
}

/* Of an element type that is only stored (here u8 as if it were): a refusal, or NULL. */
static const char *stored(Graph *g, const Op *op, DType x, DType y) {
  Type t = type_make(x, 1, (int64_t[]){4});
  const Type *in[4] = {&t, &t, &t, &t};
  TypeRule r = {.g = g, .op = op, .x = in, .n = op->n_in < 0 ? 2 : (uint32_t)op->n_in, .y = type_scalar(y)};
  return storage_kept(&r, 1u << U8) ? NULL : r.e.text;
}

static void only_stored(void) {
  BEGIN(f)
  static const Op *const moves[] = {&op_reshape, &op_slice, &op_gather, &op_concat, &op_where, &op_cast, &op_matmul,
                                    &op_update, &op_loop, &op_pick, &op_stop_gradient, &op_input, &op_constant};
  static const Op *const computes[] = {&op_sum, &op_reduce_max, &op_argmax, &op_sort, &op_cumsum, &op_prod, &op_all,
                                       &op_recur, &op_search_sorted, &op_neg, &op_max2, &op_eq, &op_scatter_add};
  for (size_t k = 0; k < sizeof moves / sizeof *moves; k++) CU_ASSERT_PTR_NULL(stored(f.g, moves[k], U8, U8));
  for (size_t k = 0; k < sizeof computes / sizeof *computes; k++) {
    CU_ASSERT_PTR_NOT_NULL(stored(f.g, computes[k], U8, F32));
    CU_ASSERT_PTR_NULL(stored(f.g, computes[k], F32, F32));
  }
  CU_ASSERT_STRING_EQUAL(stored(f.g, &op_sum, U8, F32),
                         "`sum` does not compute with u8, which is only stored, moved and multiplied");
  CU_ASSERT_STRING_EQUAL(stored(f.g, &op_random_uniform, I32, U8),
                         "`random_uniform` does not compute with u8, which is only stored, moved and multiplied");
  END(f)
}

static void refusals(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 2, 2, 3), y = input(f.g, F32, 2, 3, 2), z = input(f.g, F64, 2, 2, 3);
  NodeId row = input(f.g, F32, 1, 3, 0), i = input(f.g, I32, 1, 4, 0), b = input(f.g, BOOL, 1, 4, 0);
  refuses(f.g, &op_add, x, y, BAD_SHAPE, "`add` wants operands of one shape, but x is f32[2, 3] and y is f32[3, 2]",
          "make the shapes equal: reshape, slice or transpose one of them");
  refuses(f.g, &op_sub, x, row, BAD_SHAPE, "`sub` wants operands of one shape, but x is f32[2, 3] and y is f32[3]",
          "make the shapes equal: name the axes to stretch with `None`, or slice");
  refuses(f.g, &op_mul, x, z, BAD_MIXED,
          "`*` of f32 and f64",
          "convert one of them: `f64(...)` or `f32(...)`");
  refuses(f.g, &op_sin, i, NO_NODE, BAD_DTYPE, "`sin` wants f32 or f64, but x is i32[4]", "write `f32(x)`");
  refuses(f.g, &op_neg, b, NO_NODE, BAD_DTYPE, "`neg` wants f32, f64 or i32, but x is bool[4]", "write `f32(x)`");
  refuses(f.g, &op_and, i, i, BAD_DTYPE, "`and` wants bool, but x is i32[4]", "compare it: `x != 0`");
  TypeError e;
  CU_ASSERT_EQUAL(graph_emit(f.g, &op_where, (NodeId[]){x, x, x}, 3, NULL, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "`where` wants a bool to choose by, but c is f32[2, 3]");
  CU_ASSERT_EQUAL(graph_emit(f.g, &op_iota, NULL, 0, &(Attr){.i = (int64_t[]){-1}, .n = 1}, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "`iota` needs a size of at least 0, but found -1");
  int64_t huge[2] = {1 << 30, 1 << 30};
  NodeId one = graph_const_like(f.g, F32, 1, 0);
  CU_ASSERT_EQUAL(graph_emit(f.g, &op_broadcast, &one, 1, &(Attr){.i = huge, .n = 2}, 0, &e), NO_NODE);
  CU_ASSERT_EQUAL(e.kind, BAD_LIMIT);
  END(f)
}

static void node_limit(void) {
  Frame f;
  host_init(&f.h, NULL, NULL);
  if (HOST_GUARD(&f.h, &f.guard)) {
    Graph *g = graph_new(arena_new(&f.h));
    g->limit = 100;
    for (;;) lit(g, 1);
  }
  CU_ASSERT_EQUAL(f.h.failure, FAIL_LIMIT);
  CU_ASSERT_STRING_EQUAL(f.h.message, "the graph has more than 100 nodes");
  CU_ASSERT_EQUAL(f.h.in_use, 0);
}

static bool stop_at(void *ctx, NodeId id) { return id == *(NodeId *)ctx; }

static void slices(void) {
  BEGIN(f)
  NodeId x = lit(f.g, 1), other = lit(f.g, 5), y = g_op(f.g, &op_sin, x), z = g_op2(f.g, &op_add, y, x);
  NodeId *ids;
  CU_ASSERT_EQUAL(graph_slice(f.g, &z, 1, NULL, NULL, &ids), 3);
  CU_ASSERT(ids[0] == x && ids[1] == y && ids[2] == z);
  CU_ASSERT_EQUAL(graph_slice(f.g, &y, 1, stop_at, &y, &ids), 1);
  CU_ASSERT_EQUAL(graph_slice(f.g, (NodeId[]){other, z, other}, 3, NULL, NULL, &ids), 4);
  NodeId deep = x;
  for (int k = 0; k < 200000; k++) deep = g_op(f.g, &op_neg, deep);   /* nothing recurses */
  CU_ASSERT_EQUAL(graph_slice(f.g, &deep, 1, NULL, NULL, &ids), 200001);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, deep), 0), 1);
  END(f)
}

static const char *place(void *ctx, Loc l) {
  (void)ctx;
  return l == 3 ? "three" : "elsewhere";
}

static void dump(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 2, 4, 8);
  NodeId y = graph_emit(f.g, &op_tanh, &x, 1, NULL, 3, NULL);
  int64_t i[] = {1, 0, 0};
  NodeId s = g_attr(f.g, &op_sum, &y, 1, i, 3), c = g_cast(f.g, s, F64);
  NodeId k = graph_const_like(f.g, F64, 0.1, 0);
  NodeId b = g_broadcast(f.g, k, f.g->node[c].type);
  graph_output(f.g, g_op2(f.g, &op_mul, c, b), 2);
  CU_ASSERT_STRING_EQUAL(graph_dump(f.g, f.a, place, NULL),
                         "%0 f32[4, 8] = input slot 0\n"
                         "%1 f32[4, 8] = tanh %0  # three\n"
                         "%2 f32[8] = sum %1 axis=[0] keep=0\n"
                         "%3 f64[8] = cast %2\n"
                         "%4 f64[] = constant 0.10000000000000001\n"
                         "%5 f64[8] = broadcast %4 shape=[8]\n"
                         "%6 f64[8] = mul %3 %5\n"
                         "output 2 = %6\n");
  END(f)
}

/* A body of one carry and one stacked value: h' = h * w, stacked h' + x. */
static NodeId sample_loop(Graph *g, NodeId h, NodeId xs, NodeId w, int64_t turns) {
  Graph *body = graph_new(g->arena);
  Type t = type_scalar(F64);
  NodeId ch = graph_input(body, 0, &t, 0), cx = graph_input(body, 1, &t, 0), cw = graph_input(body, 2, &t, 0);
  NodeId next = g_op2(body, &op_mul, ch, cw);
  graph_output(body, next, 0);
  graph_output(body, g_op2(body, &op_add, next, cx), 1);
  return graph_emit(g, &op_loop, (NodeId[]){h, xs, w}, 3,
                    &(Attr){.body = body, .i = (int64_t[]){turns, 1, 1, 0}, .n = 4}, 0, NULL);
}

static NodeId iota64(Graph *g, int64_t n) { return g_cast(g, g_attr(g, &op_iota, NULL, 0, &n, 1), F64); }

static void loops(void) {
  BEGIN(f)
  NodeId w = lit(f.g, 3), h = lit(f.g, 2), loop = sample_loop(f.g, h, iota64(f.g, 4), w, 4);
  NodeId last = g_attr(f.g, &op_pick, &loop, 1, (int64_t[]){0}, 1);
  NodeId all = g_attr(f.g, &op_pick, &loop, 1, (int64_t[]){1}, 1);
  CU_ASSERT(f.g->node[all].flags & NODE_KNOWN);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, last), 0), 162);
  Tensor *v = graph_known(f.g, all);
  static const double want[] = {6, 19, 56, 165};
  for (int k = 0; k < 4; k++) CU_ASSERT_EQUAL(tensor_get(v, k), want[k]);
  /* last = 2 w^4; sum(all) = 2 (w + w^2 + w^3 + w^4) + 6 */
  Type scalar = type_scalar(F64);
  NodeId y = g_op2(f.g, &op_add, last, g_sum_to(f.g, all, &scalar)), dw, d2w;
  grad_reverse(f.g, y, NO_NODE, &w, 1, &dw, NULL);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, dw), 0), 2 * 4 * 27 + 2 * (1 + 6 + 27 + 108));
  grad_reverse(f.g, dw, NO_NODE, &w, 1, &d2w, NULL);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, d2w), 0), 2 * 12 * 9 + 2 * (2 + 18 + 108));
  CU_ASSERT_PTR_NOT_NULL(strstr(graph_dump(f.g, f.a, NULL, NULL), "= loop %"));
  CU_ASSERT_PTR_NOT_NULL(strstr(graph_dump(f.g, f.a, NULL, NULL), "\n  %0 f64[] = input slot 0\n"));
  END(f)
}

static void known(void) {
  BEGIN(f)
  NodeId x = lit(f.g, 2), y = g_op2(f.g, &op_pow, x, lit(f.g, 10));
  Tensor *v = graph_known(f.g, y);
  CU_ASSERT_EQUAL(tensor_get(v, 0), 1024);
  CU_ASSERT_PTR_EQUAL(graph_known(f.g, y), v);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, g_op(f.g, &op_sqrt, y)), 0), 32);
  NodeId zero = graph_const_like(f.g, I32, 0, 0), seven = graph_const_like(f.g, I32, 7, 0);
  CU_ASSERT_PTR_NULL(graph_known(f.g, g_op2(f.g, &op_floordiv, seven, zero)));
  Type large = type_make(U8, 1, (int64_t[]){((int64_t)1 << 24) + 1});
  CU_ASSERT_PTR_NULL(graph_known(f.g, g_fill(f.g, &large, 1)));
  END(f)
}

static double slope_at(Graph *g, NodeId y, NodeId x) {
  NodeId dx;
  grad_reverse(g, y, NO_NODE, &x, 1, &dx, NULL);
  return tensor_get(graph_known(g, dx), 0);
}

/* where(x > 0, f(x), 0) at 0 for f with an infinite slope there, to the fourth order. */
static void untaken(void) {
  static const Op *const f_of[] = {&op_sqrt, &op_log, &op_recip, &op_rsqrt};
  for (int k = 0; k < 4; k++) {
    BEGIN(f)
    NodeId x = lit(f.g, 0), zero = lit(f.g, 0);
    NodeId y = g_op3(f.g, &op_where, g_op2(f.g, &op_gt, x, zero), g_op(f.g, f_of[k], x), zero);
    for (int order = 0; order < 4; order++) {
      NodeId dx;
      grad_reverse(f.g, y, NO_NODE, &x, 1, &dx, NULL);
      CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, dx), 0), 0);
      y = dx;
    }
    END(f)
  }
}

static void kinks(void) {
  BEGIN(f)
  NodeId x = lit(f.g, 0), same = lit(f.g, 0);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op(f.g, &op_relu, x), x), 0);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op(f.g, &op_abs, x), x), 0);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op2(f.g, &op_max2, x, same), x), 0.5);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op2(f.g, &op_min2, x, same), x), 0.5);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op2(f.g, &op_hypot, x, same), x), 0);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, g_op(f.g, &op_step, x)), 0), 0);
  CU_ASSERT_EQUAL(slope_at(f.g, g_op2(f.g, &op_pow, x, lit(f.g, 0)), x), 0);
  NodeId cube = lit(f.g, 2), y = g_op2(f.g, &op_pow, cube, lit(f.g, 3)), d;
  grad_reverse(f.g, y, NO_NODE, &cube, 1, &d, NULL);
  CU_ASSERT_EQUAL(slope_at(f.g, d, cube), 12);
  END(f)
}

static void reverse_ends(void) {
  BEGIN(f)
  f.g->loc = 5;
  NodeId x = lit(f.g, 3), y = g_op(f.g, &op_square, x), z = g_op(f.g, &op_square, y), unmet = lit(f.g, 1);
  f.g->loc = 0;
  NodeId wrt[] = {y, x, unmet, z}, d[4];
  bool connected[4];
  grad_reverse(f.g, z, NO_NODE, wrt, 3, d, connected);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, d[0]), 0), 18);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, d[1]), 0), 0);          /* behind y, which is not looked behind */
  CU_ASSERT(connected[0] && !connected[1] && !connected[2]);
  CU_ASSERT_EQUAL(f.g->node[d[0]].loc, 5 | LOC_ADJOINT);
  grad_reverse(f.g, z, NO_NODE, wrt + 3, 1, d, connected);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, d[0]), 0), 1);
  NodeId n = g_op(f.g, &op_stop_gradient, x), both = g_op2(f.g, &op_mul, n, x);
  CU_ASSERT_EQUAL(slope_at(f.g, both, x), 3);
  NodeId whole = g_cast(f.g, g_cast(f.g, x, I32), F64);
  grad_reverse(f.g, whole, NO_NODE, &x, 1, d, connected);
  CU_ASSERT(!connected[0]);                                           /* an integer carries none */
  grad_reverse(f.g, g_op2(f.g, &op_mul, x, x), lit(f.g, 10), &x, 1, d, NULL);
  CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, d[0]), 0), 60);
  END(f)
}

static void widened(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 1, 3, 0), i = input(f.g, I32, 1, 3, 0);
  NodeId y = g_op2(f.g, &op_mul, g_op(f.g, &op_exp, x), g_cast(f.g, i, F32));
  graph_output(f.g, g_op2(f.g, &op_add, y, g_fill(f.g, f.g->node[y].type, 0.5)), 4);
  Graph *w = graph_widen(f.g, f.a);
  CU_ASSERT_PTR_NULL(graph_verify(w, f.a));
  CU_ASSERT_EQUAL(w->out.n, 1);
  CU_ASSERT_EQUAL(w->out.at[0].slot, 4);
  for (NodeId k = 0; k < w->n; k++) CU_ASSERT_NOT_EQUAL(w->node[k].type->dtype, F32);
  END(f)
}

static void verify_catches(void) {
  BEGIN(f)
  NodeId x = input(f.g, F32, 1, 3, 0), y = g_op(f.g, &op_sin, x);
  Node good = f.g->node[y], *node = &f.g->node[y];
  NodeId later = y;
  node->in = &later;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (sin): it reads %1, which does not come before it");
  *node = good;
  Type t = type_make(F32, 1, (int64_t[]){4});
  node->type = graph_type(f.g, &t);
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (sin): its type is f32[4], its rule says f32[3]");
  *node = good;
  node->op = &op_add;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (add): it has 1 operands, `add` takes 2");
  Op copy = op_sin;
  node->op = &copy;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (sin): its op is not the table's");
  *node = good;
  node->flags |= NODE_KNOWN;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (sin): it is marked known but is of the run");
  *node = good;
  f.g->node[x].flags |= NODE_BAD;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "%1 (sin): it is not bad but an operand is");
  f.g->node[x].flags = 0;
  graph_output(f.g, y, 0);
  f.g->out.at[0].node = 9;
  CU_ASSERT_STRING_EQUAL(graph_verify(f.g, f.a), "output 0 names %9 of 2 nodes");
  f.g->out.n = 0;
  END(f)
}

/* Integers: floor semantics, wrapping, the element that a fault names. */
static void integers(void) {
  BEGIN(f)
  static const int32_t xs[] = {7, -7, 7, -7, INT32_MIN, INT32_MAX}, ys[] = {2, 2, -2, -2, -1, 1};
  static const int32_t quot[] = {3, -4, -4, 3, INT32_MIN, INT32_MAX}, rest[] = {1, 1, -1, -1, 0, 0};
  Type t = type_make(I32, 1, (int64_t[]){6});
  Tensor *a = tensor_from(&f.h, &t, xs), *b = tensor_from(&f.h, &t, ys);
  NodeId x = graph_const(f.g, a, 0), y = graph_const(f.g, b, 0);
  tensor_unref(a);
  tensor_unref(b);
  CU_ASSERT_EQUAL(memcmp(graph_known(f.g, g_op2(f.g, &op_floordiv, x, y))->data, quot, sizeof quot), 0);
  CU_ASSERT_EQUAL(memcmp(graph_known(f.g, g_op2(f.g, &op_mod, x, y))->data, rest, sizeof rest), 0);
  Tensor *sum = graph_known(f.g, g_op2(f.g, &op_add, x, y));
  CU_ASSERT_EQUAL(((int32_t *)sum->data)[4], INT32_MAX);
  CU_ASSERT_EQUAL(((int32_t *)sum->data)[5], INT32_MIN);
  NodeId zero = graph_input(f.g, 0, &t, 0);
  g_op2(f.g, &op_mod, x, zero);
  Tensor *v[16] = {NULL};
  CU_ASSERT_FATAL(f.g->n <= 16);
  v[zero] = tensor_from(&f.h, &t, (int32_t[]){1, 1, 1, 0, 1, 0});
  Fault fault = run_graph(&f.h, f.g, kernels_best(), v);
  CU_ASSERT_EQUAL(fault.code, FAULT_OP);
  CU_ASSERT_EQUAL(fault.element, 3);
  CU_ASSERT_EQUAL(fault.a, -7);
  for (int k = 0; k < 16; k++) tensor_unref(v[k]);
  END(f)
}

static void casts(void) {
  BEGIN(f)
  static const double from[] = {1.9, -1.9, 3e9, -3e9, NAN, 300, -5};
  static const double i32[] = {1, -1, INT32_MAX, INT32_MIN, 0, 300, -5}, u8[] = {1, 0, 255, 0, 0, 255, 0};
  Type t = type_make(F64, 1, (int64_t[]){7});
  Tensor *a = tensor_from(&f.h, &t, from);
  NodeId x = graph_const(f.g, a, 0), narrow = g_cast(f.g, x, F32);
  tensor_unref(a);
  NodeId to[] = {g_cast(f.g, x, I32), g_cast(f.g, narrow, I32), g_cast(f.g, x, U8), g_cast(f.g, narrow, U8)};
  for (int k = 0; k < 7; k++) {
    CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, to[0]), k), i32[k]);
    CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, to[1]), k), i32[k]);
    CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, to[2]), k), u8[k]);
    CU_ASSERT_EQUAL(tensor_get(graph_known(f.g, to[3]), k), u8[k]);
  }
  END(f)
}

static void build(Host *h, void *ctx) {
  (void)ctx;
  Arena *a = arena_new(h);
  Graph *g = graph_new(a);
  NodeId w = lit(g, 3), loop = sample_loop(g, lit(g, 2), iota64(g, 4), w, 4);
  NodeId last = g_attr(g, &op_pick, &loop, 1, (int64_t[]){0}, 1), dw;
  grad_reverse(g, last, NO_NODE, &w, 1, &dw, NULL);
  CU_ASSERT_EQUAL(tensor_get(graph_known(g, dw), 0), 216);
  graph_output(g, dw, 0);
  graph_widen(g, a);
  graph_dump(g, a, NULL, NULL);
  CU_ASSERT_PTR_NULL(graph_verify(g, a));
  arena_free(a);
}
static void survives(void) { CU_ASSERT(alloc_fail_each(build, NULL) > 50); }

UNIT(TEST(emits), TEST(flags), TEST(refusals), TEST(only_stored), TEST(node_limit), TEST(slices), TEST(dump),
     TEST(loops), TEST(known), TEST(untaken), TEST(kinks), TEST(reverse_ends), TEST(widened), TEST(verify_catches),
     TEST(integers), TEST(casts),
     TEST(survives))
