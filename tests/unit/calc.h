/* calc: small graphs computed for tests. In: shapes and numbers. Out: values as doubles, refusals as texts,
 * gradients compared with differences, and kernels run with their units shared out in several ways, which must not
 * change a bit.
 */
#ifndef TESTS_CALC_H
#define TESTS_CALC_H
#include <math.h>
#include <string.h>
#include "runtime/graph/grad.h"
#include "runtime/graph/kernels.h"
#include "runtime/exec/run.h"
#include "unit.h"

typedef struct Calc {
  Host host;
  Guard guard;
  Arena *arena;
  Graph *g;
  uint32_t seed;
} Calc;

/* The body of a test is between the two: a failure inside leaves by the guard. */
#define CALC(c) \
  Calc c = {.seed = 1}; \
  host_init(&c.host, NULL, NULL); \
  if (!HOST_GUARD(&c.host, &c.guard)) { \
    CU_FAIL(c.host.message); \
    return; \
  } \
  c.arena = arena_new(&c.host); \
  c.g = graph_new(c.arena)
#define CALC_END(c) \
  arena_free(c.arena); \
  CU_ASSERT_EQUAL(c.host.in_use, 0); \
  host_leave(&c.host, &c.guard)

#define DIMS(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__}
#define INTS(...) (int64_t[]){__VA_ARGS__}, (uint32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static inline double noise(Calc *c) {
  c->seed = c->seed * 1664525u + 1013904223u;
  return ((c->seed >> 9) % 2001) / 1000.0 - 1;
}

/* A constant with numbers of [-1, 1], or whole ones of 0..6, or bools. */
static inline NodeId numbers(Calc *c, DType d, int rank, const int64_t *dim) {
  Type t = type_make(d, rank, dim);
  Tensor *v = tensor_new(&c->host, &t);
  for (int64_t k = 0; k < type_count(&t); k++) {
    double x = noise(c);
    tensor_set(v, k, dtype_is_float(d) ? x : d == BOOL ? x > 0 : floor((x + 1) * 3));
  }
  NodeId id = graph_const(c->g, v, 0);
  tensor_unref(v);
  return id;
}

static inline NodeId given(Calc *c, DType d, int rank, const int64_t *dim, const double *x) {
  Type t = type_make(d, rank, dim);
  Tensor *v = tensor_new(&c->host, &t);
  for (int64_t k = 0; k < type_count(&t); k++) tensor_set(v, k, x[k]);
  NodeId id = graph_const(c->g, v, 0);
  tensor_unref(v);
  return id;
}

static inline NodeId make(Calc *c, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i) {
  TypeError e = {.text = NULL};
  NodeId id = graph_emit(c->g, op, in, n, &(Attr){.i = i, .n = n_i}, 0, &e);
  if (id == NO_NODE) {
    printf("  %s: %s\n", op->name, e.text);
    CU_FAIL_FATAL("refused");
  }
  return id;
}

/* The text of a refusal; "" if there was none. */
static inline const char *refusal(Calc *c, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i) {
  TypeError e = {.text = ""};
  return graph_emit(c->g, op, in, n, &(Attr){.i = i, .n = n_i}, 0, &e) == NO_NODE ? e.text : "";
}

static inline const Kernels *level(int k) {
  static const char *const name[] = {"v1", "v3", "v4"};
  return kernels_level(name[k]);
}

/* The whole graph computed: every node's value; those of inputs are given. Unref'd by calc_drop. */
static inline Fault calc_all(Calc *c, const Kernels *k, Tensor **values) {
  return run_graph(&c->host, c->g, k, values);
}
static inline void calc_drop(Calc *c, Tensor **values, const Tensor *not_this) {
  for (NodeId id = 0; id < c->g->n; id++)
    if (values[id] != not_this) tensor_unref(values[id]);
}

static inline const double *values_of(Calc *c, NodeId id) {
  Tensor **v = NEW_N(c->arena, Tensor *, c->g->n);
  Fault f = calc_all(c, kernels_best(), v);
  CU_ASSERT_EQUAL_FATAL(f.code, FAULT_NONE);
  int64_t n = type_count(&v[id]->type);
  double *out = NEW_N(c->arena, double, n + 1);
  for (int64_t k = 0; k < n; k++) out[k] = tensor_get(v[id], k);
  calc_drop(c, v, NULL);
  return out;
}

/* The node's kernel at every level with its units in 1, 2, 3 and 7 parts: the same bits. */
static inline bool same_in_parts(Calc *c, NodeId id) {
  Node node = c->g->node[id];
  bool ok = true;
  for (int l = 0; l < 3; l++) {
    const Kernels *kernels = level(l);
    if (!kernels) continue;
    Tensor **v = NEW_N(c->arena, Tensor *, c->g->n);
    Fault f = calc_all(c, kernels, v);
    CU_ASSERT_EQUAL_FATAL(f.code, FAULT_NONE);
    const void **in = NEW_N(c->arena, const void *, node.n_in + 1u);
    const Type **type = NEW_N(c->arena, const Type *, node.n_in + 1u);
    for (uint32_t k = 0; k < node.n_in; k++) {
      in[k] = v[node.in[k]]->data;
      type[k] = c->g->node[node.in[k]].type;
    }
    for (int parts = 2; parts <= 7; parts += parts == 3 ? 4 : 1) {
      Tensor *y = tensor_new(&c->host, node.type);
      memset(y->data, 0xa5, y->bytes);
      KernelCall call = {.in = in, .out = y->data, .in_type = type, .out_type = node.type, .attr = node.attr,
                         .n_in = node.n_in};
      Dispatch d = kernel_dispatch(kernels, node.op, &call);
      char *room = arena_alloc(c->arena, d.shared + d.scratch + KERNEL_ALIGN);
      room += (KERNEL_ALIGN - (uintptr_t)room % KERNEL_ALIGN) % KERNEL_ALIGN;
      call.shared = d.shared ? room : NULL;
      call.scratch = room + d.shared;
      for (int p = parts; p-- > 0;) {   /* the last part first: none may rely on another */
        call.begin = d.prepares * p / parts;
        call.end = d.prepares * (p + 1) / parts;
        if (!kernel_prepare(&d, &call)) CU_FAIL("fault");
      }
      for (int p = parts; p-- > 0;) {
        call.begin = d.units * p / parts;
        call.end = d.units * (p + 1) / parts;
        if (!kernel_part(&d, &call)) CU_FAIL("fault");
      }
      if (!tensor_same_bits(y, v[id])) {
        printf("  %s in %d parts differs (%s)\n", node.op->name, parts, kernels->level);
        ok = false;
      }
      tensor_unref(y);
    }
    calc_drop(c, v, NULL);
  }
  return ok;
}

/* ---- gradients ---- */

static inline NodeId total_of(Calc *c, NodeId y) {
  int rank = c->g->node[y].type->rank;
  int64_t i[MAX_RANK + 2] = {rank};
  for (int k = 0; k < rank; k++) i[k + 1] = k;
  return make(c, &op_sum, &y, 1, i, (uint32_t)rank + 2);
}

/* sum(y * w) with fixed numbers w: every element counts differently. */
static inline NodeId weighed(Calc *c, NodeId y) {
  Type t = *c->g->node[y].type;
  NodeId w = numbers(c, (DType)t.dtype, t.rank, t.dim);
  return total_of(c, make(c, &op_mul, (NodeId[]){y, w}, 2, NULL, 0));
}

static inline NodeId slope_of(Calc *c, NodeId y, NodeId x) {
  NodeId out;
  grad_reverse(c->g, y, NO_NODE, &x, 1, &out, NULL);
  return out;
}

/* Scalar f64 y by differences in the constant x against its gradient. */
static inline bool slope_right(Calc *c, NodeId y, NodeId x) {
  NodeId dx = slope_of(c, y, x);
  const double *got = values_of(c, dx);
  Tensor *t = c->g->node[x].attr->value;
  double *at = t->data, step = 1e-5;
  bool ok = true;
  for (int64_t k = 0; k < type_count(&t->type); k++) {
    double was = at[k];
    at[k] = was + step;
    double up = values_of(c, y)[0];
    at[k] = was - step;
    double down = values_of(c, y)[0];
    at[k] = was;
    double want = (up - down) / (2 * step);
    if (!(fabs(want - got[k]) <= 1e-6 * (1 + fabs(want)))) {
      printf("  element %lld: slope %.9g, differences %.9g\n", (long long)k, got[k], want);
      ok = false;
    }
  }
  return ok;
}

/* The first and the second derivative of sum(y * w) in x. */
static inline bool slopes_right(Calc *c, NodeId y, NodeId x) {
  NodeId l = weighed(c, y);
  if (!slope_right(c, l, x)) return false;
  NodeId dx = slope_of(c, l, x);
  if (slope_right(c, weighed(c, dx), x)) return true;
  printf("  (the second derivative)\n");
  return false;
}
#endif
