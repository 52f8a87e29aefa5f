/* straight: programs of small tensors against one kernel after another: the same bits at every level, for whatever is
 * bound to the plan from one run to the next.
 */
#include "calc.h"
#include "runtime/exec/plan.h"

enum { MOST_OUT = 8, OUT_SLOT = 100, RUNS = 4 };

static NodeId input(Calc *c, uint32_t slot, DType d, int rank, const int64_t *dim) {
  Type t = type_make(d, rank, dim);
  return graph_input(c->g, slot, &t, 0);
}

static Tensor *random_tensor(Calc *c, const Type *t) {
  Tensor *v = tensor_new(&c->host, t);
  for (int64_t k = 0; k < type_count(t); k++) tensor_set(v, k, noise(c));
  return v;
}

/* Runs the plan on tensors of its own; every other time those of the run before. */
static void run_on(Calc *c, const Plan *p, const Kernels *kernels, void *slab, Tensor **t) {
  const Binding *b;
  uint32_t n = plan_bindings(p, &b);
  void **data = NEW_N(c->arena, void *, n + 1);
  Tensor **v = NEW_N(c->arena, Tensor *, c->g->n);
  for (uint32_t k = 0; k < n; k++) data[k] = t[k]->data;
  for (NodeId id = 0; id < c->g->n; id++)
    for (uint32_t k = 0; k < n && c->g->node[id].op->id == OP_input; k++)
      if (b[k].slot == (uint32_t)c->g->node[id].attr->i[0]) v[id] = tensor_ref(t[k]);
  CU_ASSERT_EQUAL(run_graph(&c->host, c->g, kernels, v).code, FAULT_NONE);
  CU_ASSERT_EQUAL(run_plan(p, data, plan_area(p), slab, NULL, NULL).code, FAULT_NONE);
  for (uint32_t k = 0; k < n; k++)
    if (b[k].slot >= OUT_SLOT) CU_ASSERT(tensor_same_bits(t[k], v[c->g->out.at[b[k].slot - OUT_SLOT].node]));
  calc_drop(c, v, NULL);
}

static void same_bits(Calc *c, const NodeId *out, uint32_t n_out) {
  for (uint32_t k = 0; k < n_out; k++) graph_output(c->g, out[k], OUT_SLOT + k);
  for (int l = 0; l < 3; l++) {
    if (!level(l)) continue;
    Plan *p = plan_make(&c->host, c->g, NULL, &(PlanOptions){.kernels = level(l)});
    char *slab = arena_alloc(c->arena, plan_slab(p) + 64);
    const Binding *b;
    uint32_t n = plan_bindings(p, &b);
    Tensor **t = NEW_N(c->arena, Tensor *, n + 1);
    for (uint32_t run = 0; run < RUNS; run++) {
      for (uint32_t k = 0; k < n; k++) {
        if (run > 0 && (run + k) % 2) continue;       /* bound where it was */
        tensor_unref(t[k]);
        t[k] = random_tensor(c, &b[k].type);
      }
      run_on(c, p, level(l), slab + (64 - (uintptr_t)slab % 64) % 64, t);
    }
    for (uint32_t k = 0; k < n; k++) tensor_unref(t[k]);
    plan_free(p);
  }
}

/* A layer and folds of it, which read it from memory and through broadcasts. */
static void layer(DType d, int64_t m, int64_t n, int64_t k, bool ta, bool tb) {
  CALC(c);
  NodeId x = ta ? input(&c, 0, d, DIMS(k, m)) : input(&c, 0, d, DIMS(m, k));
  NodeId w = tb ? numbers(&c, d, DIMS(n, k)) : input(&c, 1, d, DIMS(k, n)), b = input(&c, 2, d, DIMS(n));
  NodeId z = make(&c, &op_matmul, (NodeId[]){x, w}, 2, INTS(ta, tb));
  NodeId h = g_op(c.g, &op_tanh, g_op2(c.g, &op_add, z, g_broadcast(c.g, b, c.g->node[z].type)));
  NodeId rows = make(&c, &op_sum, &h, 1, INTS(1, 1, 1)), columns = make(&c, &op_reduce_max, &h, 1, INTS(1, 0, 0));
  NodeId all = make(&c, &op_prod, &h, 1, INTS(2, 0, 1, 0));
  NodeId less = g_op2(c.g, &op_sub, h, g_broadcast(c.g, rows, c.g->node[h].type));
  NodeId more = g_op2(c.g, &op_mul, less, g_broadcast(c.g, all, c.g->node[h].type));
  same_bits(&c, (NodeId[]){more, columns, rows, all}, 4);
  CALC_END(c);
}

static void layers(void) {
  static const int64_t size[] = {1, 2, 3, 4, 5, 8, 9, 15, 21, 64, 70};
  enum { SIZES = sizeof size / sizeof *size };
  for (int form = 0; form < 4; form++)
    for (int a = 0; a < SIZES; a++)
      for (int b = 0; b < SIZES; b++)
        layer((a + b) % 3 ? F32 : F64, size[a], size[b], size[(a * 3 + b * 5 + form) % SIZES], form & 1, form & 2);
}

/* h' = h a - x, a' = max(a + h, x) * 0.5 if that turn's number is even; stacks h' a. Slots: h, a, x, the turn. */
static Graph *scalars(Calc *c, DType d, int rank) {
  Graph *b = graph_new(c->arena);
  Type t = type_make(d, rank, (int64_t[]){3}), number = type_scalar(I32);
  NodeId h = graph_input(b, 0, &t, 0), a = graph_input(b, 1, &t, 0), x = graph_input(b, 2, &t, 0);
  NodeId turn = g_cast(b, graph_input(b, 3, &number, 0), d);
  NodeId next = g_op2(b, &op_sub, g_op2(b, &op_mul, h, a), x);
  NodeId half = g_op2(b, &op_mul, g_op2(b, &op_max2, g_op2(b, &op_add, a, h), x), g_fill(b, &t, 0.5));
  NodeId odd = g_op2(b, &op_mod, turn, g_fill(b, &(Type){.dtype = (uint8_t)d}, 2));
  NodeId is = g_op2(b, &op_lt, g_broadcast(b, odd, &t), g_fill(b, &t, 1));
  graph_output(b, next, 0);
  graph_output(b, g_op3(b, &op_where, is, half, a), 1);
  graph_output(b, g_op2(b, &op_mul, next, a), 2);
  return b;
}

static void loop_alike(DType d, int rank, int64_t turns, bool reverse) {
  CALC(c);
  const int64_t dim[] = {turns, 3};
  NodeId h = input(&c, 0, d, rank, dim + 1), a = numbers(&c, d, rank, dim + 1), xs = input(&c, 1, d, rank + 1, dim);
  int64_t i[4] = {turns, 2, 1, reverse};
  TypeError e;
  Attr attr = {.body = scalars(&c, d, rank), .i = i, .n = 4};
  NodeId l = graph_emit(c.g, &op_loop, (NodeId[]){h, a, xs}, 3, &attr, 0, &e);
  CU_ASSERT_FATAL(l != NO_NODE);
  NodeId out[3];
  for (int64_t k = 0; k < 3; k++) out[k] = make(&c, &op_pick, &l, 1, &k, 1);
  if (turns % 2) same_bits(&c, out, 3);
  else same_bits(&c, (NodeId[]){out[1], g_op(c.g, &op_neg, out[2])}, 2);     /* nobody reads the first carry */
  CALC_END(c);
}

static void loops(void) {
  for (int64_t turns = 0; turns < 9; turns++)
    for (int form = 0; form < 8; form++) loop_alike(form & 1 ? F32 : F64, form >> 1 & 1, turns, form & 4);
}

/* Every two of the arithmetic, on either side, the first one read once or twice, or a result itself. */
static void pair(const Op *first, const Op *second, int form) {
  CALC(c);
  DType d = form & 1 ? F32 : F64;
  NodeId x = input(&c, 0, d, 0, NULL), y = input(&c, 1, d, 0, NULL), z = input(&c, 2, d, 0, NULL);
  NodeId t = first->n_in == 1 ? g_op(c.g, first, x) : g_op2(c.g, first, x, y);
  NodeId u = second->n_in == 1 ? g_op(c.g, second, t)
             : form & 2        ? g_op2(c.g, second, z, t)
                               : g_op2(c.g, second, t, form & 4 ? t : z);
  NodeId v = g_op2(c.g, &op_mul, u, form & 4 ? t : x);
  same_bits(&c, (NodeId[]){v, form & 8 ? t : v}, 2);
  CALC_END(c);
}

static void pairs(void) {
  static const Op *const op[] = {&op_add, &op_sub, &op_mul, &op_neg, &op_div};
  enum { OPS = sizeof op / sizeof *op };
  for (int form = 0; form < 16; form++)
    for (int k = 0; k < OPS * OPS; k++) pair(op[k / OPS], op[k % OPS], form);
}

UNIT(TEST(layers), TEST(loops), TEST(pairs))
