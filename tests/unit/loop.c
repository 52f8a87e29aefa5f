/* loop: values against the same turns written out, gradients of both orders, reverse loops, nested loops, no turns,
 * loops that end before their turns are over. */
#include "calc.h"

typedef struct Body { Graph *g; NodeId h, x, w, t; } Body;

/* h' = tanh(h w + x + sin(t/3)); stacks h' * x. Slots: h, x, w, t. */
static Graph *cell(Calc *c, int64_t n, bool unused) {
  Graph *b = graph_new(c->arena);
  Type v = type_make(F64, 1, &n), s = type_scalar(I32), m = type_make(F64, 2, (int64_t[]){n, n});
  NodeId h = graph_input(b, 0, &v, 0), x = graph_input(b, 1, &v, 0), w = graph_input(b, 2, &m, 0);
  NodeId t = graph_input(b, 3, &s, 0);
  NodeId turn = g_broadcast(b, g_op(b, &op_sin, g_cast(b, t, F64)), &v);
  NodeId z = g_op2(b, &op_add, g_op2(b, &op_matmul, h, w), g_op2(b, &op_mul, x, turn));
  NodeId next = g_op(b, &op_tanh, z);
  graph_output(b, next, 0);
  graph_output(b, unused ? x : g_op2(b, &op_mul, next, x), 1);
  return b;
}

static NodeId loop_of(Calc *c, Graph *body, const NodeId *in, uint32_t n, int64_t turns, int64_t carries, int64_t seqs,
                      bool reverse) {
  TypeError e;
  int64_t i[4] = {turns, carries, seqs, reverse};
  NodeId id = graph_emit(c->g, &op_loop, in, n, &(Attr){.body = body, .i = i, .n = 4}, 0, &e);
  if (id == NO_NODE) {
    printf("  %s\n", e.text);
    CU_FAIL_FATAL("refused");
  }
  return id;
}

static NodeId picked(Calc *c, NodeId loop, int64_t k) { return make(c, &op_pick, &loop, 1, &k, 1); }

enum { N = 3, TURNS = 4 };

/* The same turns written out. ys[t] is turn t's stacked value. */
static NodeId unrolled(Calc *c, NodeId h, NodeId xs, NodeId w, bool reverse, NodeId *ys) {
  Graph *g = c->g;
  Type v = type_make(F64, 1, (int64_t[]){N});
  for (int k = 0; k < TURNS; k++) {
    int t = reverse ? TURNS - 1 - k : k;
    NodeId x = make(c, &op_slice, &xs, 1, INTS(t, 1, 1, 0, N, 1));
    x = g_reshape(g, x, &v);
    NodeId turn = g_broadcast(g, g_op(g, &op_sin, g_cast(g, given(c, I32, 0, NULL, (double[]){t}), F64)), &v);
    NodeId z = g_op2(g, &op_add, g_op2(g, &op_matmul, h, w), g_op2(g, &op_mul, x, turn));
    h = g_op(g, &op_tanh, z);
    ys[t] = g_op2(g, &op_mul, h, x);
  }
  return h;
}

static bool near(const double *a, const double *b, int n) {
  for (int k = 0; k < n; k++)
    if (!(fabs(a[k] - b[k]) <= 1e-12 * (1 + fabs(b[k])))) {
      printf("  element %d: %.15g is not %.15g\n", k, a[k], b[k]);
      return false;
    }
  return true;
}

static void as_unrolled(void) {
  for (volatile int reverse = 0; reverse < 2; reverse++) {
    CALC(c);
    NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(TURNS, N)), w = numbers(&c, F64, DIMS(N, N));
    NodeId l = loop_of(&c, cell(&c, N, false), (NodeId[]){h, xs, w}, 3, TURNS, 1, 1, reverse);
    NodeId last = picked(&c, l, 0), stacked = picked(&c, l, 1), ys[TURNS];
    NodeId want = unrolled(&c, h, xs, w, reverse, ys);
    CU_ASSERT(near(values_of(&c, last), values_of(&c, want), N));
    for (int t = 0; t < TURNS; t++) CU_ASSERT(near(values_of(&c, stacked) + t * N, values_of(&c, ys[t]), N));
    /* the derivative of all results at once */
    uint32_t seed = c.seed;
    NodeId sum = g_op2(c.g, &op_add, weighed(&c, last), weighed(&c, stacked));
    c.seed = seed;
    NodeId all = make(&c, &op_concat, ys, TURNS, INTS(0));
    Type tn = type_make(F64, 2, (int64_t[]){TURNS, N});
    NodeId plain = g_op2(c.g, &op_add, weighed(&c, want), weighed(&c, g_reshape(c.g, all, &tn)));
    NodeId wrt[3] = {h, xs, w}, a[3], b[3];
    int count[3] = {N, TURNS * N, N * N};
    grad_reverse(c.g, sum, NO_NODE, wrt, 3, a, NULL);
    grad_reverse(c.g, plain, NO_NODE, wrt, 3, b, NULL);
    CU_ASSERT_PTR_NULL(graph_verify(c.g, c.arena));
    for (int k = 0; k < 3; k++) CU_ASSERT(near(values_of(&c, a[k]), values_of(&c, b[k]), count[k]));
    /* and the second */
    for (int k = 0; k < 3; k++) {
      seed = c.seed;
      NodeId p = weighed(&c, a[k]), q, r[3], s[3];
      c.seed = seed;
      q = weighed(&c, b[k]);
      grad_reverse(c.g, p, NO_NODE, wrt, 3, r, NULL);
      grad_reverse(c.g, q, NO_NODE, wrt, 3, s, NULL);
      for (int j = 0; j < 3; j++) CU_ASSERT(near(values_of(&c, r[j]), values_of(&c, s[j]), count[j]));
    }
    CU_ASSERT_PTR_NULL(graph_verify(c.g, c.arena));
    CALC_END(c);
  }
}

static void differences(void) {
  CALC(c);
  NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(TURNS, N)), w = numbers(&c, F64, DIMS(N, N));
  NodeId l = loop_of(&c, cell(&c, N, false), (NodeId[]){h, xs, w}, 3, TURNS, 1, 1, false);
  NodeId last = picked(&c, l, 0), stacked = picked(&c, l, 1);
  CU_ASSERT(slopes_right(&c, last, h));
  CU_ASSERT(slopes_right(&c, stacked, w));
  CU_ASSERT(slopes_right(&c, stacked, xs));
  CALC_END(c);
}

/* The products of a turn are kept for its gradient: they are inputs of the loop backwards. */
static void kept_products(void) {
  CALC(c);
  NodeId h = numbers(&c, F64, DIMS(2, N)), xs = numbers(&c, F64, DIMS(TURNS, 2, N)), w = numbers(&c, F64, DIMS(N, N));
  Graph *b = graph_new(c.arena);
  NodeId in = graph_input(b, 0, graph_at(c.g, h)->type, 0);
  Type row = type_make(F64, 2, (int64_t[]){2, N});
  NodeId x = graph_input(b, 1, &row, 0), m = graph_input(b, 2, graph_at(c.g, w)->type, 0);
  graph_output(b, g_op(b, &op_tanh, g_op2(b, &op_add, g_op2(b, &op_matmul, in, m), x)), 0);
  NodeId l = loop_of(&c, b, (NodeId[]){h, xs, w}, 3, TURNS, 1, 1, false), wrt[3] = {h, xs, w}, a[3];
  NodeId sum = weighed(&c, picked(&c, l, 0));
  grad_reverse(c.g, sum, NO_NODE, wrt, 3, a, NULL);
  CU_ASSERT_PTR_NULL(graph_verify(c.g, c.arena));
  for (int k = 0; k < 3; k++) CU_ASSERT(slopes_right(&c, picked(&c, l, 0), wrt[k]));
  CALC_END(c);
}

/* Only what was stacked has an adjoint, and it does not depend on the carry. */
static void partly_used(void) {
  CALC(c);
  NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(TURNS, N)), w = numbers(&c, F64, DIMS(N, N));
  NodeId l = loop_of(&c, cell(&c, N, true), (NodeId[]){h, xs, w}, 3, TURNS, 1, 1, false), stacked = picked(&c, l, 1);
  CU_ASSERT(slopes_right(&c, stacked, xs));
  const double *zero = values_of(&c, slope_of(&c, weighed(&c, stacked), w));
  for (int k = 0; k < N * N; k++) CU_ASSERT_EQUAL(zero[k], 0);
  CALC_END(c);
}

static void no_turns(void) {
  CALC(c);
  NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(0, N)), w = numbers(&c, F64, DIMS(N, N));
  NodeId l = loop_of(&c, cell(&c, N, false), (NodeId[]){h, xs, w}, 3, 0, 1, 1, false);
  NodeId last = picked(&c, l, 0), stacked = picked(&c, l, 1);
  CU_ASSERT(near(values_of(&c, last), values_of(&c, h), N));
  CU_ASSERT_EQUAL(c.g->node[stacked].type->dim[0], 0);
  CU_ASSERT(slopes_right(&c, last, h));
  CU_ASSERT(slopes_right(&c, last, w));
  CALC_END(c);
}

/* A loop in a loop: s = s * q + sum over j of s^2 e_j, and an i32 counter beside it. */
static void nested(void) {
  CALC(c);
  enum { INNER = 2 };
  Type s = type_scalar(F64), v = type_make(F64, 1, (int64_t[]){INNER}), i = type_scalar(I32);
  Graph *in = graph_new(c.arena);
  NodeId acc = graph_input(in, 0, &s, 0), e = graph_input(in, 1, &s, 0), k = graph_input(in, 2, &s, 0);
  graph_output(in, g_op2(in, &op_add, acc, g_op2(in, &op_mul, g_op2(in, &op_mul, k, k), e)), 0);
  Graph *out = graph_new(c.arena);
  NodeId a = graph_input(out, 0, &s, 0), n = graph_input(out, 1, &i, 0), q = graph_input(out, 2, &s, 0);
  NodeId es = graph_input(out, 3, &v, 0);
  NodeId begin = g_op2(out, &op_mul, a, q);
  int64_t attr[4] = {INNER, 1, 1, 0}, first = 0;
  NodeId l = graph_emit(out, &op_loop, (NodeId[]){begin, es, a}, 3, &(Attr){.body = in, .i = attr, .n = 4}, 0, NULL);
  NodeId last = g_attr(out, &op_pick, &l, 1, &first, 1);
  graph_output(out, g_op2(out, &op_add, last, g_cast(out, n, F64)), 0);
  graph_output(out, g_op2(out, &op_add, n, graph_const_like(out, I32, 1, 0)), 1);
  NodeId a0 = numbers(&c, F64, 0, NULL), n0 = given(&c, I32, 0, NULL, (double[]){0});
  NodeId qs = numbers(&c, F64, DIMS(TURNS)), es0 = numbers(&c, F64, DIMS(INNER));
  NodeId top = loop_of(&c, out, (NodeId[]){a0, n0, qs, es0}, 4, TURNS, 2, 1, false);
  NodeId y = picked(&c, top, 0), count = picked(&c, top, 1);
  double want = values_of(&c, a0)[0];
  for (int t = 0; t < TURNS; t++)
    want = want * values_of(&c, qs)[t] + want * want * (values_of(&c, es0)[0] + values_of(&c, es0)[1]) + t;
  CU_ASSERT_DOUBLE_EQUAL(values_of(&c, y)[0], want, 1e-9 * fabs(want));
  CU_ASSERT_EQUAL(values_of(&c, count)[0], TURNS);
  NodeId small = g_op(c.g, &op_tanh, g_op2(c.g, &op_mul, y, graph_const_like(c.g, F64, 0.01, 0)));
  CU_ASSERT(slopes_right(&c, small, a0));
  CU_ASSERT(slopes_right(&c, small, qs));
  CU_ASSERT(slopes_right(&c, small, es0));
  CALC_END(c);
}

/* `cell`, whose turn number `last` is the last one: the flag stands before what is stacked. */
static Graph *ending_cell(Calc *c, int64_t last) {
  Graph *b = cell(c, N, false);
  Type i = type_scalar(I32), flag = type_make(BOOL, 1, (int64_t[]){2});
  NodeId end = graph_const_like(b, I32, (double)last, 0), t = NO_NODE;
  for (NodeId k = 0; k < b->n; k++)
    if (b->node[k].op == &op_input && type_eq(b->node[k].type, &i)) t = k;
  int64_t moved[3] = {4, I32};                 /* its slot is behind the operand that says how it ends */
  b->node[t].attr = arena_copy(c->arena, &(Attr){.i = arena_copy(c->arena, moved, sizeof moved), .n = 2}, sizeof(Attr));
  Output stacked = b->out.at[1];
  b->out.n = 1;
  graph_output(b, g_broadcast(b, g_op2(b, &op_ge, t, end), &flag), 1);
  graph_output(b, stacked.node, 2);
  return b;
}

static NodeId ending(Calc *c, const NodeId *in, int64_t last, bool not_one) {
  NodeId x[4] = {in[0], in[1], in[2], given(c, BOOL, 0, NULL, (double[]){not_one})};
  int64_t i[LOOP_ATTRS] = {TURNS, 1, 1, 0, ENDS_UNTIL};
  return graph_emit(c->g, &op_loop, x, 4, &(Attr){.body = ending_cell(c, last), .i = i, .n = LOOP_ATTRS}, 0, NULL);
}

/* A loop that ends after `made` turns is one of so many turns, in its derivatives, too, which are counted loops. */
static void ends_by_itself(void) {
  for (volatile int made = 0; made <= TURNS; made++) {
    CALC(c);
    NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(TURNS, N)), w = numbers(&c, F64, DIMS(N, N));
    NodeId few = make(&c, &op_slice, &xs, 1, INTS(0, made, 1, 0, N, 1)), wrt[3] = {h, xs, w}, a[3], b[3];
    NodeId l = ending(&c, wrt, made - 1, made == 0);
    NodeId m = loop_of(&c, cell(&c, N, false), (NodeId[]){h, few, w}, 3, made, 1, 1, false);
    NodeId last = picked(&c, l, 0), count = picked(&c, l, 1), stacked = picked(&c, l, 2);
    NodeId wanted = picked(&c, m, 0), rows = picked(&c, m, 1);
    CU_ASSERT_EQUAL(values_of(&c, count)[0], made);
    CU_ASSERT(near(values_of(&c, last), values_of(&c, wanted), N));
    CU_ASSERT(near(values_of(&c, stacked), values_of(&c, rows), N * made));
    for (int k = N * made; k < N * TURNS; k++) CU_ASSERT_EQUAL(values_of(&c, stacked)[k], 0);
    NodeId zeros = given(&c, F64, DIMS(TURNS, N), (double[TURNS * N]){0});
    NodeId rest = make(&c, &op_slice, &zeros, 1, INTS(made, TURNS - made, 1, 0, N, 1));
    NodeId padded = make(&c, &op_concat, (NodeId[]){rows, rest}, 2, INTS(0));
    uint32_t seed = c.seed;
    NodeId p = g_op2(c.g, &op_add, weighed(&c, last), weighed(&c, stacked));
    c.seed = seed;
    NodeId q = g_op2(c.g, &op_add, weighed(&c, wanted), weighed(&c, padded));
    int n[3] = {N, TURNS * N, N * N};
    grad_reverse(c.g, p, NO_NODE, wrt, 3, a, NULL);
    grad_reverse(c.g, q, NO_NODE, wrt, 3, b, NULL);
    for (int k = 0; k < 3; k++) {
      CU_ASSERT(near(values_of(&c, a[k]), values_of(&c, b[k]), n[k]));
      seed = c.seed;
      NodeId r[3], s[3], u = weighed(&c, a[k]);
      c.seed = seed;
      NodeId v = weighed(&c, b[k]);
      grad_reverse(c.g, u, NO_NODE, wrt, 3, r, NULL);
      grad_reverse(c.g, v, NO_NODE, wrt, 3, s, NULL);
      for (int j = 0; j < 3; j++) CU_ASSERT(near(values_of(&c, r[j]), values_of(&c, s[j]), n[j]));
    }
    CU_ASSERT_PTR_NULL(graph_verify(c.g, c.arena));
    CALC_END(c);
  }
}

static void ends_refused(void) {
  CALC(c);
  NodeId h = numbers(&c, F64, DIMS(N)), xs = numbers(&c, F64, DIMS(TURNS, N)), w = numbers(&c, F64, DIMS(N, N));
  NodeId x[4] = {h, xs, w, given(&c, I32, 0, NULL, (double[]){1})};
  TypeError e;
  int64_t i[LOOP_ATTRS] = {TURNS, 1, 1, 0, ENDS_UNTIL};
  Attr attr = {.body = ending_cell(&c, 1), .i = i, .n = LOOP_ATTRS};
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, x, 4, &attr, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "a loop that ends before its turns are over needs to know when");
  i[LOOP_ENDS] = 7;
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, x, 4, &attr, 0, &e), NO_NODE);
  x[3] = given(&c, BOOL, 0, NULL, (double[]){0});
  i[LOOP_ENDS] = ENDS_UNTIL;
  attr.body = cell(&c, N, false);    /* its second output is no flag */
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, x, 4, &attr, 0, &e), NO_NODE);
  CALC_END(c);
}

static void refusals(void) {
  CALC(c);
  Graph *b = graph_new(c.arena);
  Type v = type_make(F32, 1, (int64_t[]){3}), s = type_scalar(F32);
  NodeId x = graph_input(b, 0, &v, 0);
  graph_output(b, total_of(&(Calc){.g = b}, x), 0);
  NodeId h = numbers(&c, F32, DIMS(3)), bad = numbers(&c, F32, DIMS(2, 3));
  TypeError e;
  int64_t i[4] = {4, 1, 0, 0}, j[4] = {4, 0, 1, 0};
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, &h, 1, &(Attr){.body = b, .i = i, .n = 4}, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "what goes round the loop begins as f32[3], but a turn makes it f32[]");
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, &bad, 1, &(Attr){.body = b, .i = j, .n = 4}, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "a loop of 4 turns cannot run along f32[2, 3]");
  NodeId wrong = numbers(&c, F32, DIMS(4, 2));
  CU_ASSERT_EQUAL(graph_emit(c.g, &op_loop, &wrong, 1, &(Attr){.body = b, .i = j, .n = 4}, 0, &e), NO_NODE);
  CU_ASSERT_STRING_EQUAL(e.text, "the loop's body takes f32[3] here, but it is given f32[2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_pick, &h, 1, INTS(0)), "`pick` reads an output of a loop");
  (void)s;
  CALC_END(c);
}

UNIT(TEST(as_unrolled), TEST(differences), TEST(kept_products), TEST(partly_used), TEST(no_turns), TEST(nested),
     TEST(ends_by_itself), TEST(ends_refused), TEST(refusals))
