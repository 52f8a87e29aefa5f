/* kernels: what a level lacks is the level's below; a thread begins a level once; an exclusive kernel has one caller at
 * a time; what is prepared is there before any part works. Levels made here stand on the best one of this machine.
 */
#include "runtime/graph/kernels.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "runtime/exec/run.h"
#include "runtime/exec/step.h"
#include "unit.h"

typedef struct Bench {
  Host h;
  Guard guard;
  Arena *a;
  Graph *g;
} Bench;

#define BENCH(b)                      \
  Bench b;                            \
  host_init(&b.h, NULL, NULL);        \
  if (!HOST_GUARD(&b.h, &b.guard)) {  \
    CU_FAIL("left by the guard");     \
    return;                           \
  }                                   \
  b.a = arena_new(&b.h);              \
  b.g = graph_new(b.a)
#define BENCH_END(b)                  \
  arena_free(b.a);                    \
  CU_ASSERT_EQUAL(b.h.in_use, 0);     \
  host_leave(&b.h, &b.guard)

static Kernels level_on_best(void) { return (Kernels){.level = "test", .below = kernels_best()}; }

static NodeId input(Bench *b, uint32_t slot, DType d, int rank, const int64_t *dim) {
  Type t = type_make(d, rank, dim);
  return graph_input(b->g, slot, &t, 0);
}

static NodeId product(Bench *b, NodeId x, NodeId y) {
  return graph_emit(b->g, &op_matmul, (NodeId[]){x, y}, 2, &(Attr){.n = 0}, 0, NULL);
}

/* Runs the graph's plan; data by binding. */
static Fault run(Bench *b, const Kernels *k, int threads, void *const *data, const PlanStep **step) {
  Plan *p = plan_make(&b->h, b->g, NULL, &(PlanOptions){.kernels = k});
  Pool *pool = pool_new(&b->h, threads);
  void *slab = aligned_alloc(64, (plan_slab(p) + 64) / 64 * 64);
  Fault f = run_plan(p, data, plan_area(p), slab, pool, NULL);
  if (step) *step = arena_copy(b->a, &p->step[0], sizeof p->step[0]);
  free(slab);
  pool_free(pool);
  plan_free(p);
  return f;
}

/* ---- inheritance ---- */

static void seven(void *out, const void *const *in, int64_t n, const Attr *attr) {
  (void)in, (void)attr;
  for (int64_t k = 0; k < n; k++) ((float *)out)[k] = 7;
}

static void a_level_below(void) {
  static const OpKernels own = {.tile = {[F32] = seven}};
  BENCH(b);
  Kernels top = level_on_best(), middle = level_on_best();
  middle.op[OP_exp] = &own;
  middle.op[OP_mod] = &(OpKernels){.tile = {[I32] = seven}};
  top.below = &middle;
  CU_ASSERT_PTR_EQUAL(kernels_of(&top, &op_exp, F32), &own);
  CU_ASSERT_PTR_EQUAL(kernels_of(&top, &op_exp, F64), kernels_of(kernels_best(), &op_exp, F64));
  CU_ASSERT_PTR_EQUAL(kernels_of(&top, &op_matmul, F32), kernels_of(kernels_best(), &op_matmul, F32));
  CU_ASSERT_PTR_NULL(kernels_of(&top, &op_exp, BOOL));
  float x[2] = {0, 1}, y[2];
  double z[2];
  NodeId in = input(&b, 0, F32, 1, (int64_t[]){2});
  graph_output(b.g, g_op(b.g, &op_exp, in), 1);
  graph_output(b.g, g_op(b.g, &op_exp, g_cast(b.g, in, F64)), 2);
  CU_ASSERT_EQUAL(run(&b, &top, 1, (void *[]){x, y, z}, NULL).code, FAULT_NONE);
  CU_ASSERT_EQUAL(y[0], 7);
  CU_ASSERT_EQUAL(z[0], 1);
  BENCH_END(b);
}

/* The check of a tile kernel is the one beside it: what cannot fail at a level does not fail. */
static void a_check_goes_with_its_kernel(void) {
  static const OpKernels own = {.tile = {[I32] = seven}};
  BENCH(b);
  Kernels top = level_on_best();
  int32_t x[1] = {5}, zero[1] = {0}, y[1];
  graph_output(b.g, g_op2(b.g, &op_mod, input(&b, 0, I32, 0, NULL), input(&b, 1, I32, 0, NULL)), 2);
  CU_ASSERT_EQUAL(run(&b, &top, 1, (void *[]){x, zero, y}, NULL).code, FAULT_OP);
  top.op[OP_mod] = &own;
  CU_ASSERT_EQUAL(run(&b, &top, 1, (void *[]){x, zero, y}, NULL).code, FAULT_NONE);
  BENCH_END(b);
}

/* ---- begin_thread ---- */

static _Thread_local int ready;
static atomic_int begun, not_ready;

static void begin(void) {
  ready++;
  atomic_fetch_add(&begun, 1);
}

static bool needs_begin(KernelCall *c) {
  (void)c;
  if (ready != 1) atomic_fetch_add(&not_ready, 1);
  sched_yield();
  return true;
}

/* A plan of one large product, run at the level. */
static Fault large_product(Bench *b, const Kernels *k, int threads, const PlanStep **step) {
  enum { N = 512 };
  b->g = graph_new(b->a);
  float *x = calloc(3 * N * N, sizeof *x);
  NodeId a = input(b, 0, F32, 2, (int64_t[]){N, N});
  graph_output(b->g, product(b, a, input(b, 1, F32, 2, (int64_t[]){N, N})), 2);
  Fault f = run(b, k, threads, (void *[]){x, x + N * N, x + 2 * N * N}, step);
  free(x);
  return f;
}

static void a_thread_begins_once(void) {
  static const OpKernels own = {.run = needs_begin};
  BENCH(b);
  Kernels below = level_on_best(), top = level_on_best();
  below.begin_thread = begin;
  below.op[OP_matmul] = &own;
  top.below = &below;
  ready = 0;
  const PlanStep *step;
  for (int k = 0; k < 5; k++) CU_ASSERT_EQUAL(large_product(&b, &top, 4, &step).code, FAULT_NONE);
  CU_ASSERT(step->parts > 4);
  CU_ASSERT_EQUAL(not_ready, 0);
  CU_ASSERT_EQUAL(ready, 1);
  CU_ASSERT(begun >= 1 && begun <= 1 + 5 * 3);          /* this thread once, and three others each time */
  CU_ASSERT_EQUAL(large_product(&b, kernels_best(), 1, NULL).code, FAULT_NONE);
  CU_ASSERT_EQUAL(large_product(&b, &top, 1, NULL).code, FAULT_NONE);
  CU_ASSERT_EQUAL(ready, 2);                            /* another level ran here in between */
  BENCH_END(b);
}

/* ---- exclusive ---- */

static atomic_int inside, met, calls;

static bool alone(KernelCall *c) {
  (void)c;
  if (atomic_fetch_add(&inside, 1) > 0) atomic_fetch_add(&met, 1);
  for (int k = 0; k < 20; k++) sched_yield();
  atomic_fetch_sub(&inside, 1);
  atomic_fetch_add(&calls, 1);
  return true;
}

static void *caller(void *level) {
  Bench b;
  host_init(&b.h, NULL, NULL);
  if (!HOST_GUARD(&b.h, &b.guard)) return NULL;
  b.a = arena_new(&b.h);
  for (int k = 0; k < 20; k++) large_product(&b, level, 2, NULL);
  arena_free(b.a);
  host_leave(&b.h, &b.guard);
  return NULL;
}

static void one_caller_at_a_time(void) {
  static const OpKernels own = {.run = alone, .exclusive = true};
  Kernels top = level_on_best();
  top.op[OP_matmul] = &own;
  pthread_t t[3];
  for (int k = 0; k < 3; k++) CU_ASSERT_FATAL(pthread_create(&t[k], NULL, caller, &top) == 0);
  for (int k = 0; k < 3; k++) pthread_join(t[k], NULL);
  CU_ASSERT_EQUAL(met, 0);
  CU_ASSERT_EQUAL(calls, 60);                           /* each in one part: more would only wait for each other */
}

/* ---- prepare ---- */

enum { PREPARES = 300 };
static atomic_int prepared, early;

static int64_t prepares(const KernelCall *c) { return c->out_type->dim[0] > 1 ? PREPARES : 0; }
static size_t shared(const KernelCall *c) { return (size_t)type_bytes(c->in_type[1]); }

/* The right side, turned through the part's own scratch, row by row: unit k is a share of its rows. */
static bool turn(KernelCall *c) {
  const float *y = c->in[1];
  float *to = c->shared, *row = c->scratch;
  int64_t k = c->in_type[1]->dim[0], n = c->in_type[1]->dim[1];
  for (int64_t i = k * c->begin / PREPARES; i < k * c->end / PREPARES; i++) {
    for (int64_t j = 0; j < n; j++) row[j] = y[i * n + j];
    for (int64_t j = 0; j < n; j++) to[j * k + i] = row[j];
  }
  atomic_fetch_add(&prepared, (int)(c->end - c->begin));
  return true;
}

/* Units are those of op_matmul: the first of a part does its share of the rows. */
static bool multiply(KernelCall *c) {
  const float *x = c->in[0], *y = c->shared, *plain = c->in[1];
  if (prepared != PREPARES) atomic_fetch_add(&early, 1);
  if (!y != (c->out_type->dim[0] == 1)) return false;
  int64_t m = c->out_type->dim[0], n = c->out_type->dim[1], k = c->in_type[0]->dim[1];
  int64_t units = op_matmul.units(c);
  for (int64_t i = m * c->begin / units; i < m * c->end / units; i++)
    for (int64_t j = 0; j < n; j++) {
      float s = 0;
      for (int64_t p = 0; p < k; p++) s += x[i * k + p] * (y ? y[j * k + p] : plain[p * n + j]);
      ((float *)c->out)[i * n + j] = s;
    }
  return true;
}

static void check_prepared(int64_t m, int64_t n, int64_t k, const Kernels *top, int threads) {
  BENCH(b);
  float *x = malloc((size_t)(m * k) * sizeof *x), *y = malloc((size_t)(k * n) * sizeof *y);
  float *z = malloc((size_t)(m * n) * sizeof *z);
  for (int64_t i = 0; i < m * k; i++) x[i] = (float)(i % 5);
  for (int64_t i = 0; i < k * n; i++) y[i] = (float)(i % 7);
  NodeId left = input(&b, 0, F32, 2, (int64_t[]){m, k}), right = input(&b, 1, F32, 2, (int64_t[]){k, n});
  graph_output(b.g, product(&b, left, right), 2);
  prepared = 0;
  const PlanStep *step;
  CU_ASSERT_EQUAL(run(&b, top, threads, (void *[]){x, y, z}, &step).code, FAULT_NONE);
  CU_ASSERT_EQUAL(step->prepare_parts > 0, m > 1);
  bool right_sums = true;
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      float s = 0;
      for (int64_t p = 0; p < k; p++) s += x[i * k + p] * y[p * n + j];
      if (s != z[i * n + j]) right_sums = false;
    }
  CU_ASSERT(right_sums);
  free(x);
  free(y);
  free(z);
  BENCH_END(b);
}

static void prepared_before_the_work(void) {
  static const OpKernels own = {.run = multiply, .prepare = turn, .prepares = prepares, .shared = shared};
  Kernels top = level_on_best();
  top.op[OP_matmul] = &own;
  for (int threads = 1; threads <= 4; threads++) {
    check_prepared(200, 300, 250, &top, threads);       /* several parts of each */
    check_prepared(3, 4, 5, &top, threads);             /* one */
    CU_ASSERT_EQUAL(early, 0);
    check_prepared(1, 4, 5, &top, threads);             /* nothing is prepared */
    early = 0;
  }
  BENCH(b);                                             /* and where no plan is made */
  float two[4] = {1, 2, 3, 4}, out[4];
  Type t = type_make(F32, 2, (int64_t[]){2, 2});
  KernelCall c = {.in = (const void *[]){two, two}, .out = out, .in_type = (const Type *[]){&t, &t}, .out_type = &t,
                  .attr = &(Attr){.n = 0}, .n_in = 2};
  prepared = 0;
  CU_ASSERT(kernel_call(&top, &op_matmul, &c, b.a));
  CU_ASSERT(out[0] == 7 && out[1] == 10 && out[2] == 15 && out[3] == 22);
  BENCH_END(b);
}

static bool refuses(KernelCall *c) {
  c->fault = (Fault){.code = FAULT_OP, .element = c->begin};
  return c->begin == 0 && c->end < PREPARES;            /* all parts but the first, or the only one */
}

static bool never(KernelCall *c) {
  (void)c;
  atomic_fetch_add(&early, 1);
  return true;
}

static void a_fault_of_preparing(void) {
  static const OpKernels own = {.run = never, .prepare = refuses, .prepares = prepares, .shared = shared};
  BENCH(b);
  Kernels top = level_on_best();
  top.op[OP_gather] = &own;
  enum { N = 3000000 };
  float *x = calloc(N, sizeof *x), *y = malloc(N * sizeof *y);
  int32_t *index = calloc(N, sizeof *index);
  NodeId in[2] = {input(&b, 0, F32, 1, (int64_t[]){N}), input(&b, 1, I32, 1, (int64_t[]){N})};
  graph_output(b.g, graph_emit(b.g, &op_gather, in, 2, &(Attr){.n = 1, .i = (int64_t[]){0}}, 0, NULL), 2);
  early = 0;
  const PlanStep *step;
  Fault f = run(&b, &top, 3, (void *[]){x, index, y}, &step);
  CU_ASSERT(step->prepare_parts > 1);
  CU_ASSERT_EQUAL(f.code, FAULT_OP);
  CU_ASSERT_EQUAL(f.element, PREPARES / step->prepare_parts);   /* the lowest part that refuses */
  CU_ASSERT_EQUAL(early, 0);
  free(x);
  free(y);
  free(index);
  BENCH_END(b);
}

UNIT(TEST(a_level_below), TEST(a_check_goes_with_its_kernel), TEST(a_thread_begins_once), TEST(one_caller_at_a_time),
     TEST(prepared_before_the_work), TEST(a_fault_of_preparing))
