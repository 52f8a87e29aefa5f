/* plan: how a plan runs never changes the bits; cells keep their values when a step fails; buffers never overlap while
 * they live; a run allocates nothing.
 */
#include "runtime/exec/plan.h"
#include <stdlib.h>
#include <string.h>
#include "runtime/exec/run.h"
#include "runtime/exec/slab.h"
#include "runtime/exec/step.h"
#include "unit.h"
#include "alloc_fail.h"

static uint64_t seed;
static uint32_t draw(uint32_t n) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(seed >> 33) % n;
}

static NodeId emit(Graph *g, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i) {
  return graph_emit(g, op, in, n, &(Attr){.i = i, .n = n_i}, 0, NULL);
}

/* ---- a graph, its inputs' values, and its results by run_graph ---- */
enum { SLOTS = 40 };
typedef struct Case {
  Host *h;
  Arena *a;
  Graph *g;
  Tensor *in[SLOTS];         /* by slot */
  Tensor *want[SLOTS];       /* by slot: the results of the reference */
} Case;

static Tensor *filled(Host *h, const Type *t) {
  Tensor *x = tensor_new(h, t);
  int64_t n = type_count(t);
  for (int64_t k = 0; k < n; k++)
    tensor_set(x, k, dtype_is_float((DType)t->dtype) ? (double)draw(2001) / 1000 - 1 : draw(3));
  return x;
}

static NodeId input(Case *c, uint32_t slot, DType d, int rank, const int64_t *dim) {
  Type t = type_make(d, rank, dim);
  c->in[slot] = filled(c->h, &t);
  return graph_input(c->g, slot, &t, 0);
}

static Fault reference(Case *c) {
  Tensor **v = calloc(c->g->n + 1u, sizeof *v);
  for (NodeId id = 0; id < c->g->n; id++)
    if (c->g->node[id].op->id == OP_input) v[id] = tensor_ref(c->in[c->g->node[id].attr->i[0]]);
  Fault f = run_graph(c->h, c->g, kernels_best(), v);
  if (f.code == FAULT_NONE)
    for (uint32_t k = 0; k < c->g->out.n; k++) {
      Output o = c->g->out.at[k];
      c->want[o.slot] = tensor_from(c->h, &v[o.node]->type, v[o.node]->data);
    }
  for (NodeId id = 0; id < c->g->n; id++) tensor_unref(v[id]);
  free(v);
  return f;
}

/* The plan's run on copies of the inputs; the slab is full of rubbish. Results in got, by slot. */
static Fault planned(const Case *c, const Plan *p, Pool *pool, Tensor **got, const atomic_bool *cancel) {
  const Binding *b;
  uint32_t n = plan_bindings(p, &b);
  void *data[SLOTS];
  for (uint32_t k = 0; k < n; k++) {
    Tensor *t = c->in[b[k].slot];
    got[b[k].slot] =
        t && (b[k].mode & BIND_READ) ? tensor_from(c->h, &b[k].type, t->data) : tensor_new(c->h, &b[k].type);
    data[k] = got[b[k].slot]->data;
  }
  size_t bytes = plan_slab(p);
  char *slab = aligned_alloc(64, (bytes + 127) / 64 * 64);
  memset(slab, 0xa5, bytes);
  Fault f = run_plan(p, data, plan_area(p), slab, pool, cancel);
  free(slab);
  return f;
}

static void forget(Case *c, Tensor **t) {
  (void)c;
  for (int k = 0; k < SLOTS; k++) {
    tensor_unref(t[k]);
    t[k] = NULL;
  }
}

/* Every byte of the slab that a step reads was written last by the step that makes its node, or what it is a view
 * of. */
static bool lifetimes_hold(const Graph *g, const Plan *p) {
  NodeId *owner = malloc((p->slab + 1) * sizeof *owner);
  for (size_t k = 0; k <= p->slab; k++) owner[k] = NO_NODE;
  bool ok = true;
  for (uint32_t k = 0; k < p->n_step && ok; k++) {
    const PlanStep *s = &p->step[k];
    for (uint32_t j = 0; j < s->n_in + s->n_out; j++) {
      Place q = p->place[s->operand + j];
      NodeId id = p->node[s->operand + j];
      if (q.base != BASE_SLAB) continue;
      size_t bytes = (size_t)type_bytes(g->node[id].type);
      ok &= q.offset + bytes <= p->buffers;
      for (size_t at = q.offset; ok && at < q.offset + bytes; at++) {
        if (j >= s->n_in) {
          owner[at] = id;
          continue;
        }
        NodeId from = id;
        while (owner[at] != from && g->node[from].n_in > 0) from = g->node[from].in[0];
        ok = owner[at] == from;
      }
    }
  }
  free(owner);
  return ok;
}

static Pool *pools[4];
static const int threads[4] = {1, 2, 3, 7};

/* Fused and not, on all pools: the reference's bytes. */
static bool agrees(Case *c) {
  Fault want = reference(c);
  bool ok = true;
  for (int no_fuse = 0; no_fuse < 2; no_fuse++) {
    Plan *p = plan_make(c->h, c->g, NULL, &(PlanOptions){.no_fuse = no_fuse, .kernels = kernels_best()});
    ok &= lifetimes_hold(c->g, p);
    for (int t = 0; t < 4; t++) {
      Tensor *got[SLOTS] = {NULL};
      Fault f = planned(c, p, pools[t], got, NULL);
      if (f.code != want.code || (f.code != FAULT_NONE && (f.element != want.element || f.a != want.a))) ok = false;
      for (uint32_t k = 0; k < SLOTS; k++) {
        if (want.code == FAULT_NONE && c->want[k] && !tensor_same_bits(c->want[k], got[k])) ok = false;
        if (want.code != FAULT_NONE && c->in[k] && got[k] && !tensor_same_bits(c->in[k], got[k])) ok = false;
      }
      forget(c, got);
    }
    if (!ok) {
      printf("%s\n%s\n", graph_dump(c->g, c->a, NULL, NULL), plan_dump(p, c->a));
      plan_free(p);
      return false;
    }
    plan_free(p);
  }
  return ok;
}

typedef void (*Build)(Case *c);

static void with_case(Build build, int rounds) {
  Host h;
  Guard guard;
  host_init(&h, NULL, NULL);
  if (!HOST_GUARD(&h, &guard)) {
    printf("  %s\n", h.message);
    CU_FAIL("left by the guard");
    return;
  }
  for (int t = 0; t < 4; t++) pools[t] = pool_new(&h, threads[t]);
  for (int k = 0; k < rounds; k++) {
    seed = (uint64_t)k * 977 + 5;
    Case c = {.h = &h, .a = arena_new(&h)};
    c.g = graph_new(c.a);
    build(&c);
    CU_ASSERT_PTR_NULL(graph_verify(c.g, c.a));
    bool ok = agrees(&c);
    CU_ASSERT(ok);
    if (!ok) printf("  round %d\n", k);
    forget(&c, c.in);
    forget(&c, c.want);
    arena_free(c.a);
    if (!ok) break;
  }
  for (int t = 0; t < 4; t++) pool_free(pools[t]);
  host_leave(&h, &guard);
  CU_ASSERT_EQUAL(h.in_use, 0);
}

/* ---- random graphs ---- */

static NodeId any_of(Case *c, DType d) {
  for (int tries = 0; tries < 50; tries++) {
    NodeId id = draw(c->g->n);
    if (c->g->node[id].type->dtype == d && !c->g->node[id].attr->body) return id;
  }
  return 0;
}

/* x in the shape of `like` by broadcasting, or `like` itself. */
static NodeId fitted(Case *c, NodeId x, NodeId like) {
  const Type *a = c->g->node[x].type, *b = c->g->node[like].type;
  if (a->dtype != b->dtype) return like;
  int lead = b->rank - a->rank;
  for (int k = 0; k < a->rank; k++)
    if (lead < 0 || (a->dim[k] != 1 && a->dim[k] != b->dim[lead + k])) return like;
  return g_broadcast(c->g, x, b);
}

static void random_graph(Case *c) {
  static const Op *const one[] = {&op_neg, &op_exp, &op_tanh, &op_sigmoid, &op_square, &op_relu, &op_sin};
  static const Op *const two[] = {&op_add, &op_sub, &op_mul, &op_max2, &op_smul};
  bool big = draw(20) == 0;
  int64_t n = 1 + draw(big ? 700 : draw(2) ? 70 : 9), m = 1 + draw(big ? 500 : draw(4) ? 40 : 300);
  Graph *g = c->g;
  input(c, 0, F32, 2, (int64_t[]){n, m});
  input(c, 1, F32, 1, (int64_t[]){m});
  input(c, 2, F32, 2, (int64_t[]){n, 1});
  input(c, 3, F32, 0, NULL);
  input(c, 4, F32, 2, (int64_t[]){m, n});
  input(c, 5, U8, 2, (int64_t[]){n, m});
  graph_const_like(g, F32, 0.5, 0);
  uint32_t want = 10 + draw(draw(5) ? 40 : 180);
  while (g->n < want) {
    NodeId x = any_of(c, F32), y = any_of(c, F32);
    const Type t = *g->node[x].type;
    switch (draw(16)) {
    case 0: case 1: case 2: g_op(g, one[draw(7)], x); break;
    case 3: case 4: case 5: case 6: case 7: g_op2(g, two[draw(5)], x, fitted(c, y, x)); break;
    case 8: {
      int64_t i[4] = {1, 0, draw(2)};
      if (t.rank == 2) {
        i[1] = draw(2);
        emit(g, &op_sum, &x, 1, i, 3);
      }
      break;
    }
    case 9:
      if (t.rank == 2) emit(g, &op_permute, &x, 1, (int64_t[]){1, 0}, 2);
      break;
    case 10:
      if (t.rank == 2) emit(g, &op_reshape, &x, 1, (int64_t[]){t.dim[0] * t.dim[1]}, 1);
      else if (t.rank == 1) emit(g, &op_reshape, &x, 1, (int64_t[]){t.dim[0], 1}, 2);
      break;
    case 11:
      if (t.rank == 2) {
        int64_t from = draw((uint32_t)t.dim[0]), count = 1 + draw((uint32_t)(t.dim[0] - from));
        emit(g, &op_slice, &x, 1, (int64_t[]){from, count, 1, 0, t.dim[1], 1}, 6);
      }
      break;
    case 12: {
      const Type *b = g->node[y].type;
      if (t.rank == 2 && b->rank == 2 && t.dim[1] == b->dim[0]) g_op2(g, &op_matmul, x, y);
      break;
    }
    case 13: g_cast(g, any_of(c, U8), F32); break;
    case 14: g_cast(g, g_cast(g, x, F64), F32); break;
    default: g_cast(g, fitted(c, y, x), U8); break;
    }
  }
  /* Results: values, the same node twice, inputs and constants; and cells. */
  graph_output(g, g->n - 1, 20);
  graph_output(g, any_of(c, F32), 21);
  NodeId v = any_of(c, F32);
  graph_output(g, v, 22);
  graph_output(g, v, 23);
  graph_output(g, draw(7), 24);
  for (uint32_t s = 0; s < 5; s++) {
    if (draw(2)) continue;
    NodeId id = g->n - 1 - draw(g->n / 2);
    for (NodeId k = id; k-- > 0;)   /* the last node of that cell's type */
      if (g->node[k].type == g->node[s].type) {
        graph_output(g, k, s);
        break;
      }
  }
}

static void random_graphs(void) { with_case(random_graph, 400); }

/* Blocks of 2 kB, most values results or read elsewhere, cells whose old values are read late: no thread's arena holds
 * them all, and groups must be cut. */
static void crowded_graph(Case *c) {
  static const Op *const one[] = {&op_neg, &op_tanh, &op_sigmoid, &op_square, &op_sin};
  static const Op *const two[] = {&op_add, &op_sub, &op_mul, &op_max2};
  Graph *g = c->g;
  uint32_t cells = 1 + draw(12);
  for (uint32_t s = 0; s < cells; s++) input(c, s, F64, 2, (int64_t[]){20, 30});
  input(c, cells, F64, 1, (int64_t[]){30});
  for (uint32_t s = 0; s < cells; s++) {           /* dying values of steps of their own, to be taken over */
    NodeId t = emit(g, &op_permute, &s, 1, (int64_t[]){1, 0}, 2);
    emit(g, &op_permute, &t, 1, (int64_t[]){1, 0}, 2);
  }
  uint32_t base = g->n, want = base + 40 + draw(120);
  while (g->n < want) {
    NodeId x = draw(g->n), y = draw(2) ? draw(g->n) : g->n - 1;
    if (g->node[x].type != g->node[0].type) continue;
    if (draw(3) == 0) g_op(g, one[draw(5)], x);
    else g_op2(g, two[draw(4)], x, g->node[y].type == g->node[x].type ? y : fitted(c, y, x));
  }
  for (uint32_t s = 20; s < SLOTS; s++) graph_output(g, base + draw(g->n - base), s);
  for (uint32_t s = 0; s < cells; s++) {
    NodeId next = base + draw(g->n - base);
    if (g->node[next].type == g->node[s].type && draw(4)) graph_output(g, next, s);
  }
}

/* Eighteen values that die in one group, or eighteen cells: each has a new value that is wanted, and the old one is
 * read once more at the end of the group. */
static void old_and_new(Case *c, bool cells) {
  Graph *g = c->g;
  NodeId x[18], sum = NO_NODE;
  for (uint32_t k = 0; k < 18; k++) x[k] = input(c, k, F64, 2, (int64_t[]){40, 40});
  for (uint32_t k = 0; k < 18 && !cells; k++) x[k] = emit(g, &op_permute, &x[k], 1, (int64_t[]){1, 0}, 2);
  for (uint32_t k = 0; k < 18; k++) {
    NodeId y = g_op(g, &op_tanh, x[k]);
    if (cells) graph_output(g, y, k);
    else graph_output(g, emit(g, &op_sum, &y, 1, (int64_t[]){1, 0, 0}, 3), 21 + k);
    sum = k == 0 ? y : g_op2(g, &op_add, sum, y);
  }
  for (uint32_t k = 0; k < 18; k++) sum = g_op2(g, &op_add, sum, x[k]);
  graph_output(g, sum, 20);
}

static void old_and_new_values(Case *c) { old_and_new(c, false); }
static void old_and_new_cells(Case *c) { old_and_new(c, true); }

static void crowded_groups(void) {
  with_case(crowded_graph, 200);
  with_case(old_and_new_values, 1);
  with_case(old_and_new_cells, 1);
}

/* ---- cells ---- */

static void swap(Case *c) {
  NodeId a = input(c, 0, F32, 1, (int64_t[]){5}), b = input(c, 1, F32, 1, (int64_t[]){5});
  graph_output(c->g, a, 1);
  graph_output(c->g, b, 0);
}

static void self_and_old(Case *c) {      /* w = w + 1, and the old w is a result, and read after */
  Graph *g = c->g;
  NodeId w = input(c, 0, F32, 1, (int64_t[]){1000});
  NodeId one = g_fill(g, g->node[w].type, 1);
  NodeId next = g_op2(g, &op_add, w, one);
  graph_output(g, next, 0);
  graph_output(g, w, 20);
  graph_output(g, g_op2(g, &op_mul, next, w), 21);
  NodeId sum = emit(g, &op_sum, &w, 1, (int64_t[]){1, 0, 0}, 3);
  graph_output(g, sum, 22);
  graph_output(g, next, 23);
}

static void crossed(Case *c) {           /* a = a + b, b = b - a, with the old values */
  Graph *g = c->g;
  NodeId a = input(c, 0, F32, 1, (int64_t[]){700}), b = input(c, 1, F32, 1, (int64_t[]){700});
  graph_output(g, g_op(g, &op_exp, g_op2(g, &op_add, a, b)), 0);
  graph_output(g, g_op2(g, &op_sub, b, a), 1);
}

static void cells(void) {
  with_case(swap, 1);
  with_case(self_and_old, 1);
  with_case(crossed, 1);
}

/* An update, and after it an integer division by zero that does not depend on it: the cell must keep its value. */
static void fails_late(Case *c) {
  Graph *g = c->g;
  NodeId w = input(c, 0, F32, 1, (int64_t[]){300}), i = input(c, 1, I32, 1, (int64_t[]){300});
  NodeId next = g_op(g, &op_exp, w);
  graph_output(g, next, 0);
  memset(c->in[1]->data, 1, 1200);
  ((int32_t *)c->in[1]->data)[17 + draw(200)] = 0;
  graph_output(g, g_op2(g, &op_floordiv, i, i), 20);
  if (draw(2)) {                         /* one that depends on the new value */
    NodeId k = g_cast(g, next, I32);
    graph_output(g, g_op2(g, &op_mod, i, g_op2(g, &op_sub, k, k)), 21);
  }
}

static void faults_leave_cells(void) { with_case(fails_late, 20); }

static void cancel_leaves_cells(void) {
  Host h;
  Guard guard;
  host_init(&h, NULL, NULL);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &guard));
  Case c = {.h = &h, .a = arena_new(&h)};
  c.g = graph_new(c.a);
  self_and_old(&c);
  Plan *p = plan_make(&h, c.g, NULL, &(PlanOptions){.kernels = kernels_best()});
  Tensor *got[SLOTS] = {NULL};
  atomic_bool stop;
  atomic_init(&stop, true);
  CU_ASSERT_EQUAL(planned(&c, p, NULL, got, &stop).code, FAULT_CANCELLED);
  CU_ASSERT(tensor_same_bits(c.in[0], got[0]));
  forget(&c, got);
  atomic_store(&stop, false);
  CU_ASSERT_EQUAL(planned(&c, p, NULL, got, &stop).code, FAULT_NONE);
  CU_ASSERT(!tensor_same_bits(c.in[0], got[0]));
  forget(&c, got);
  plan_free(p);
  forget(&c, c.in);
  arena_free(c.a);
  host_leave(&h, &guard);
}

/* ---- no allocation while running; every failed allocation while planning ---- */

static void runs_without_allocating(void) {
  AllocFail count = {0};
  Host h;
  Guard guard;
  host_init(&h, alloc_fail_realloc, &count);
  CU_ASSERT_FATAL(HOST_GUARD(&h, &guard));
  Case c = {.h = &h, .a = arena_new(&h)};
  c.g = graph_new(c.a);
  seed = 99;
  random_graph(&c);
  Plan *p = plan_make(&h, c.g, NULL, &(PlanOptions){.kernels = kernels_best()});
  Pool *pool = pool_new(&h, 2);
  const Binding *b;
  uint32_t n = plan_bindings(p, &b);
  void *data[SLOTS];
  Tensor *t[SLOTS] = {NULL};
  for (uint32_t k = 0; k < n; k++) {
    t[k] = filled(&h, &b[k].type);
    data[k] = t[k]->data;
  }
  void *slab = aligned_alloc(64, plan_slab(p) / 64 * 64 + 64);
  long before = count.count;
  for (int k = 0; k < 10; k++) CU_ASSERT_EQUAL(run_plan(p, data, plan_area(p), slab, pool, NULL).code, FAULT_NONE);
  CU_ASSERT_EQUAL(count.count, before);
  free(slab);
  forget(&c, t);
  pool_free(pool);
  plan_free(p);
  forget(&c, c.in);
  arena_free(c.a);
  host_leave(&h, &guard);
}

/* Blocks of any size and lifetime, laid out again: the whole is smaller, and no two that live at once meet. */
static void packed(void) {
  Host h;
  host_init(&h, NULL, NULL);
  Arena *a = arena_new(&h);
  int smaller = 0;
  for (uint32_t round = 0; round < 50; round++) {
    Slab s = {.arena = a};
    uint32_t n = 0, at = round * 977 + 1;
    size_t in_use[100];
    for (s.now = 0; s.now < 100; s.now++) {
      at = at * 1664525u + 1013904223u;
      if (n < 100 && (at >> 9) % 3) in_use[n++] = slab_take(&s, (size_t)(at >> 12) % 5000);
      else if (n) {
        uint32_t k = (at >> 12) % n;
        slab_give(&s, in_use[k]);
        in_use[k] = in_use[--n];
      }
    }
    size_t before = s.size;
    CU_ASSERT(s.peak <= s.size);
    if (!slab_pack(&s)) continue;
    smaller++;
    CU_ASSERT(s.size < before && s.size >= s.peak);
    for (uint32_t k = 0; k < s.span.n; k++) {
      const SlabSpan *x = &s.span.at[k];
      CU_ASSERT(x->to + x->size <= s.size && x->to % 64 == 0);
      if (x->until > x->from) CU_ASSERT_EQUAL(slab_moved(&s, x->offset + 7, x->from), x->to + 7);
      for (uint32_t j = 0; j < k; j++) {
        const SlabSpan *y = &s.span.at[j];
        bool meet = x->from < y->until && y->from < x->until;
        CU_ASSERT(!meet || x->to + x->size <= y->to || y->to + y->size <= x->to);
      }
    }
  }
  CU_ASSERT(smaller > 10);
  arena_free(a);
}

static void make_plan(Host *h, void *ctx) {
  (void)ctx;
  Case c = {.h = h, .a = arena_new(h)};
  c.g = graph_new(c.a);
  seed = 7;
  random_graph(&c);
  Plan *p = plan_make(h, c.g, NULL, &(PlanOptions){.kernels = kernels_best()});
  plan_free(p);
  forget(&c, c.in);
  arena_free(c.a);
}

static void failed_allocations(void) { CU_ASSERT(alloc_fail_each(make_plan, NULL) > 5); }

UNIT(TEST(random_graphs), TEST(crowded_groups), TEST(cells), TEST(faults_leave_cells), TEST(cancel_leaves_cells),
     TEST(runs_without_allocating), TEST(packed), TEST(failed_allocations))
