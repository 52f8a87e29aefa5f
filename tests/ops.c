/* ops: the op table is the list of tests. For each op: doc, example and names; its kernels at every level of this
 * CPU against v1, f32 against f64, elements independent of their place; first and second derivatives, backward and
 * forward, against differences in f64, in f32 against f64; the same with axes of size 1 and of none; folded, fused and
 * on several threads the same bits; a batch of it, and a batch of batches, with their gradients, against one element
 * after another; the pattern of its Jacobian against the elements that move when one is moved. Operands are those of
 * runtime/graph/sample.h. (The examples run in `glia test --library`.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/graph/batch.h"
#include "runtime/graph/kernels.h"
#include "runtime/graph/opt.h"
#include "runtime/graph/sample.h"
#include "runtime/graph/sparse.h"
#include "runtime/exec/plan.h"
#include "runtime/exec/run.h"
#include "tests/unit/unit.h"

enum { LONG = 100 };

static Host host;
static const Op *op_now;
static Arena *arena_of_test;
static int64_t compared;     /* numbers, by this op's test */

/* ---- values ---- */

static uint32_t seed;
static double draw(double lo, double hi) {
  seed = seed * 1664525u + 1013904223u;
  return lo + (hi - lo) * (double)(seed >> 8) / 16777216.0;
}

static Tensor *operand(const Op *op, const Type *like, double raised, DType floats) {
  Type t = *like;
  if (t.dtype == F32) t.dtype = (uint8_t)floats;
  Tensor *v = tensor_new(&host, &t);
  bool own = op->lo != 0 || op->hi != 0;
  for (int64_t k = 0; k < type_count(&t); k++) {
    if (dtype_is_float((DType)t.dtype))
      tensor_set(v, k, (double)(float)draw(own ? op->lo : -2, own ? op->hi : 2));
    else
      tensor_set(v, k, floor(draw(0, 1.999)) + (t.dtype == I32 && (op->flags & OP_POINTWISE)));
  }
  int64_t n = raised != 0 ? t.dim[t.rank - 1] : 1;
  for (int64_t k = 0; raised != 0 && k < type_count(&t); k++)
    if (k % n == k / n % n) tensor_set(v, k, tensor_get(v, k) + raised);
  return v;
}

typedef struct Run {
  Graph *g;
  NodeId y;
  Tensor *x[MOST_IN];
  NodeId in[MOST_IN];
  uint32_t n;
} Run;

static Run sample_run(Arena *a, const Op *op, const Sample *s, DType floats) {
  Run r = {.g = graph_new(a), .n = s->n};
  for (uint32_t k = 0; k < s->n; k++) {
    r.x[k] = operand(op, &s->x[k], s->raised[k], floats);
    r.in[k] = graph_input(r.g, k, &r.x[k]->type, 0);
  }
  TypeError e = {.kind = BAD_NONE};
  r.y = graph_emit(r.g, op, r.in, s->n, &s->attr, 0, &e);
  return r;
}

static Tensor *value_of(const Run *r, NodeId id, const Kernels *kernels, FaultCode *fault) {
  Tensor **v = calloc(r->g->n, sizeof *v);
  for (uint32_t k = 0; k < r->n; k++) v[r->in[k]] = tensor_ref(r->x[k]);
  Fault f = run_graph(&host, r->g, kernels, v);
  if (fault) *fault = f.code;
  Tensor *y = f.code == FAULT_NONE ? tensor_ref(v[id]) : NULL;
  for (NodeId k = 0; k < r->g->n; k++) tensor_unref(v[k]);
  free(v);
  return y;
}

static void run_end(Run *r) {
  for (uint32_t k = 0; k < r->n; k++) tensor_unref(r->x[k]);
}

static bool near(double a, double b, double tol) {
  compared++;
  return (a != a && b != b) || a == b || fabs(a - b) <= tol * (1 + fabs(b));
}

static void complain(const char *what, const Sample *s, double got, double want) {
  Arena *a = arena_new(&host);
  Text t = {.arena = a};
  text_printf(&t, "%s of `%s`: %.17g, not %.17g, for", what, op_now->name, got, want);
  for (uint32_t k = 0; s && k < s->n; k++) text_printf(&t, " %s", type_show(a, &s->x[k]));
  for (uint32_t k = 0; s && k < s->attr.n; k++) text_printf(&t, " %lld", (long long)s->attr.i[k]);
  CU_assertImplementation(CU_FALSE, 0, t.at, __FILE__, "", CU_FALSE);
  arena_free(a);
}

static bool same_values(const char *what, const Sample *s, const Tensor *a, const Tensor *b, double tol) {
  for (int64_t k = 0; k < type_count(&a->type); k++)
    if (!near(tensor_get(a, k), tensor_get(b, k), tol)) {
      complain(what, s, tensor_get(a, k), tensor_get(b, k));
      return false;
    }
  return true;
}

/* ---- the checks ---- */

static const char *const levels[] = {"v1", "v3", "v4"};
enum { LEVELS = 3 };

static void kernels_agree(Arena *a, const Op *op, const Sample *s) {
  Run r = sample_run(a, op, s, F32);
  CU_ASSERT_FATAL(r.y != NO_NODE);
  const char *why = graph_verify(r.g, a);
  CU_ASSERT_PTR_NULL(why);
  FaultCode fault;
  Tensor *v1 = value_of(&r, r.y, kernels_level("v1"), &fault);
  CU_ASSERT(v1 || (op->flags & OP_FAILS));
  for (int k = 1; v1 && k < LEVELS; k++) {
    const Kernels *level = kernels_level(levels[k]);
    Tensor *v = level ? value_of(&r, r.y, level, NULL) : NULL;
    if (v) same_values(levels[k], s, v, v1, dtype_is_float((DType)v1->type.dtype) ? 4e-6 : 0);
    tensor_unref(v);
  }
  bool floats = v1 && v1->type.dtype == F32 && !(op->flags & OP_RANDOM);
  if (floats) {
    Run w = r;
    w.g = graph_new(a);
    for (uint32_t k = 0; k < r.n; k++) {
      Type t = r.x[k]->type;
      if (t.dtype == F32) t.dtype = F64;
      w.x[k] = tensor_new(&host, &t);
      for (int64_t j = 0; j < type_count(&t); j++) tensor_set(w.x[k], j, tensor_get(r.x[k], j));
      w.in[k] = graph_input(w.g, k, &t, 0);
    }
    TypeError e;
    w.y = graph_emit(w.g, op, w.in, w.n, &s->attr, 0, &e);
    Tensor *wide = w.y == NO_NODE ? NULL : value_of(&w, w.y, kernels_level("v1"), NULL);
    if (wide) same_values("f32 against f64", s, v1, wide, 1e-5);
    tensor_unref(wide);
    run_end(&w);
  }
  tensor_unref(v1);
  run_end(&r);
}

static bool same_bits(const Tensor *a, const Tensor *b) {
  if (!type_eq(&a->type, &b->type)) return false;
  if (!dtype_is_float((DType)a->type.dtype)) return tensor_same_bits(a, b);
  for (int64_t k = 0; k < type_count(&a->type); k++) {
    double x = tensor_get(a, k), y = tensor_get(b, k);
    if (!(x == y && signbit(x) == signbit(y)) && !(x != x && y != y)) return false;
  }
  return true;
}

static bool same_number(double a, double b) { return a == b || (a != a && b != b); }

static NodeId filled(Graph *g, const Type *t, double v) {
  NodeId c = graph_const_like(g, (DType)t->dtype, v, 0);
  return g_broadcast(g, c, t);
}

/* Each operand in turn a number that a rule may look for, or made by neg, not, relu or a cast: what `simplify` gives
 * has the bits of the node itself, on numbers that are awkward. */
static void simplified_is_plain(Arena *a, const Op *op, const Sample *s, DType floats) {
  static const double numbers[] = {0, -0.0, 1, -1, 2, 0.25, INFINITY, NAN};
  static const double awkward[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e-30, -3, 7};
  for (int way = 0; way < 8 * MOST_IN + 2 + N_DTYPES; way++) {
    Run r = sample_run(a, op, s, floats);
    for (uint32_t k = 0; k < r.n; k++)
      for (int j = 0; j < 8 && j < type_count(&r.x[k]->type); j++)
        if (dtype_is_float((DType)r.x[k]->type.dtype)) tensor_set(r.x[k], j, awkward[(j * 3 + (int)k) % 8]);
    NodeId in[MOST_IN];
    memcpy(in, r.in, sizeof in);
    Type first = r.x[0]->type;
    if (way < 8 * MOST_IN) {
      uint32_t k = (uint32_t)way / 8;
      if (k >= s->n) {
        run_end(&r);
        continue;
      }
      in[k] = filled(r.g, &r.x[k]->type, dtype_is_float((DType)r.x[k]->type.dtype) ? numbers[way % 8] : way % 2);
    } else if (way == 8 * MOST_IN) {
      for (uint32_t k = 1; k < s->n; k++) in[k] = in[k - 1];
    } else if (way == 8 * MOST_IN + 1) {
      in[0] = g_op(r.g, first.dtype == BOOL ? &op_not : op == &op_relu ? &op_relu : &op_neg, in[0]);
    } else {
      in[0] = g_cast(r.g, g_cast(r.g, in[0], (DType)(way - 8 * MOST_IN - 2)), (DType)first.dtype);
    }
    TypeError e;
    NodeId y = graph_emit(r.g, op, in, s->n, &s->attr, 0, &e);
    NodeId z = y == NO_NODE ? NO_NODE : op->simplify(&(Simplify){.g = r.g, .id = y, .node = r.g->node[y]});
    if (z != NO_NODE) {
      FaultCode fault;
      Tensor *plain = value_of(&r, y, kernels_best(), &fault), *simple = value_of(&r, z, kernels_best(), &fault);
      if (plain && simple && !same_bits(plain, simple)) complain("simplified", s, way, 0);
      tensor_unref(plain);
      tensor_unref(simple);
    }
    run_end(&r);
  }
}

/* A scalar that all elements of y move: sum(y w) with w fixed. */
static NodeId weigh(Graph *g, NodeId y) {
  Type t = *g->node[y].type;
  Tensor *w = tensor_new(&host, &t);
  for (int64_t k = 0; k < type_count(&t); k++) tensor_set(w, k, draw(0.5, 1.5));
  NodeId id = graph_const(g, w, 0);
  tensor_unref(w);
  Type scalar = type_scalar((DType)t.dtype);
  return g_sum_to(g, g_op2(g, &op_mul, y, id), &scalar);
}

static double scalar_value(const Run *r, NodeId id) {
  Tensor *v = value_of(r, id, kernels_best(), NULL);
  double y = v ? tensor_get(v, 0) : NAN;
  tensor_unref(v);
  return y;
}

/* f's derivatives dx by each operand against (f(x + h) - f(x - h)) / 2h. */
static bool check_slope(const char *what, const Sample *s, Run *r, NodeId f, const NodeId *dx, double tol) {
  const double h = 1e-5;
  for (uint32_t k = 0; k < r->n; k++) {
    if (r->x[k]->type.dtype != F64) continue;
    Tensor *d = value_of(r, dx[k], kernels_best(), NULL);
    if (!d) {
      complain(what, s, NAN, 0);
      return false;
    }
    for (int64_t j = 0; j < type_count(&d->type); j++) {
      double x = tensor_get(r->x[k], j);
      tensor_set(r->x[k], j, x + h);
      double up = scalar_value(r, f);
      tensor_set(r->x[k], j, x - h);
      double down = scalar_value(r, f);
      tensor_set(r->x[k], j, x);
      double want = (up - down) / (2 * h), got = tensor_get(d, j);
      compared++;
      if (!(fabs(got - want) <= tol * (1 + fabs(want)))) {
        complain(what, s, got, want);
        tensor_unref(d);
        return false;
      }
    }
    tensor_unref(d);
  }
  return true;
}

static void slopes_agree(Arena *a, const Op *op, const Sample *s) {
  Run r = sample_run(a, op, s, F64);
  Tensor *y = r.y == NO_NODE ? NULL : value_of(&r, r.y, kernels_best(), NULL);
  if (!y || y->type.dtype != F64) {   /* a fault, or what rounds to f32 */
    tensor_unref(y);
    run_end(&r);
    return;
  }
  tensor_unref(y);
  bool any = false;
  for (uint32_t k = 0; k < r.n; k++) any |= r.x[k]->type.dtype == F64;
  if (any) {
    static const char *const what[] = {"derivative", "second derivative", "third derivative"};
    NodeId f = weigh(r.g, r.y);
    for (int order = 0; order < (op->flags & OP_POINTWISE ? 3 : 2); order++) {
      NodeId dx[MOST_IN];
      grad_reverse(r.g, f, NO_NODE, r.in, r.n, dx, NULL);
      CU_ASSERT_PTR_NULL(graph_verify(r.g, a));
      if (!check_slope(what[order], s, &r, f, dx, 2e-6)) break;
      f = NO_NODE;
      for (uint32_t k = 0; k < r.n; k++)
        if (r.x[k]->type.dtype == F64) {
          NodeId part = weigh(r.g, dx[k]);
          f = f == NO_NODE ? part : g_op2(r.g, &op_add, f, part);
        }
    }
  }
  run_end(&r);
}

/* ---- forward ---- */

/* sum(a b), a number. */
static NodeId inner(Graph *g, NodeId a, NodeId b) {
  Type scalar = type_scalar((DType)g->node[a].type->dtype);
  return g_sum_to(g, g_op2(g, &op_mul, a, b), &scalar);
}

/* The product of y's derivative with v, as the language makes it: of u -> (derivative of sum(y u)) . v, by u. */
static NodeId forward_of(Graph *g, const Run *r, NodeId y, const NodeId *v) {
  NodeId u = g_op(g, &op_alias, g_fill(g, g->node[y].type, 0)), dx[MOST_IN], along = NO_NODE, t;
  grad_reverse(g, inner(g, y, u), NO_NODE, r->in, r->n, dx, NULL);
  for (uint32_t k = 0; k < r->n; k++) {
    if (v[k] == NO_NODE) continue;
    NodeId part = inner(g, dx[k], v[k]);
    along = along == NO_NODE ? part : g_op2(g, &op_add, along, part);
  }
  grad_reverse(g, along, NO_NODE, &u, 1, &t, NULL);
  return t;
}

static void move(const Run *r, Tensor *const *v, double h) {
  for (uint32_t k = 0; k < r->n; k++)
    for (int64_t j = 0; v[k] && j < type_count(&v[k]->type); j++)
      tensor_set(r->x[k], j, tensor_get(r->x[k], j) + h * tensor_get(v[k], j));
}

/* Forward along v against differences, and its sum against what reverse says along v; then the same of the gradient,
 * whose forward product is the second derivative's. */
static void forward_agrees(const Op *op, const Sample *s) {
  static const char *const what[] = {"forward", "forward over reverse"};
  Run r = sample_run(arena_of_test, op, s, F64);
  Tensor *v[MOST_IN] = {NULL};
  NodeId along[MOST_IN], y = r.y;
  bool any = false;
  for (uint32_t k = 0; k < r.n; k++) {
    along[k] = NO_NODE;
    if (r.x[k]->type.dtype != F64) continue;
    any = true;
    v[k] = tensor_new(&host, &r.x[k]->type);
    for (int64_t j = 0; j < type_count(&v[k]->type); j++) tensor_set(v[k], j, draw(-1, 1));
    along[k] = graph_const(r.g, v[k], 0);
  }
  Tensor *there = y == NO_NODE ? NULL : value_of(&r, y, kernels_best(), NULL);
  any &= there && there->type.dtype == F64;
  tensor_unref(there);
  for (int order = 0; any && order < 2; order++) {
    const double h = 1e-6;
    NodeId t = forward_of(r.g, &r, y, along);
    CU_ASSERT_PTR_NULL(graph_verify(r.g, arena_of_test));
    Tensor *forward = value_of(&r, t, kernels_best(), NULL);
    move(&r, v, h);
    Tensor *up = value_of(&r, y, kernels_best(), NULL);
    move(&r, v, -2 * h);
    Tensor *down = value_of(&r, y, kernels_best(), NULL);
    move(&r, v, h);
    for (int64_t j = 0; forward && up && down && j < type_count(&forward->type); j++) {
      double got = tensor_get(forward, j), want = (tensor_get(up, j) - tensor_get(down, j)) / (2 * h);
      if (near(got, want, 1e-5)) continue;
      complain(what[order], s, got, want);
      break;
    }
    if (!forward) complain(what[order], s, NAN, 0);
    NodeId weights = weigh(r.g, y), dx[MOST_IN], next = NO_NODE;
    grad_reverse(r.g, weights, NO_NODE, r.in, r.n, dx, NULL);
    for (uint32_t k = 0; k < r.n && next == NO_NODE; k++)
      if (r.x[k]->type.dtype == F64) next = dx[k];
    y = next;
    tensor_unref(forward);
    tensor_unref(up);
    tensor_unref(down);
  }
  for (uint32_t k = 0; k < r.n; k++) tensor_unref(v[k]);
  run_end(&r);
}

/* The gradient in f32 against that in f64 of the same numbers, to second order. */
static void slopes_in_f32(const Op *op, const Sample *s) {
  uint32_t first = seed;
  Run run[2];
  NodeId dx[2][MOST_IN];
  for (int w = 0; w < 2; w++) {
    seed = first;
    run[w] = sample_run(arena_of_test, op, s, w ? F64 : F32);
    if (run[w].y == NO_NODE || !dtype_is_float((DType)run[w].g->node[run[w].y].type->dtype)) {
      for (int k = 0; k <= w; k++) run_end(&run[k]);
      return;
    }
  }
  NodeId f[2] = {run[0].y, run[1].y};
  for (int order = 0; order < 2; order++) {
    uint32_t weights = seed;
    for (int w = 0; w < 2; w++) {
      seed = weights;
      NodeId sum = NO_NODE;
      if (order == 0) sum = weigh(run[w].g, f[w]);
      for (uint32_t k = 0; order && k < run[w].n; k++) {
        if (!dtype_is_float((DType)run[w].x[k]->type.dtype)) continue;
        NodeId part = weigh(run[w].g, dx[w][k]);
        sum = sum == NO_NODE ? part : g_op2(run[w].g, &op_add, sum, part);
      }
      if (sum != NO_NODE) grad_reverse(run[w].g, sum, NO_NODE, run[w].in, run[w].n, dx[w], NULL);
      f[w] = sum;
    }
    for (uint32_t k = 0; f[0] != NO_NODE && k < run[0].n; k++) {
      if (run[0].x[k]->type.dtype != F32) continue;
      CU_ASSERT(run[0].g->node[dx[0][k]].type->dtype == F32);
      Tensor *narrow = value_of(&run[0], dx[0][k], kernels_best(), NULL);
      Tensor *wide = value_of(&run[1], dx[1][k], kernels_best(), NULL);
      if (narrow && wide) same_values(order ? "second derivative in f32" : "derivative in f32", s, narrow, wide, 2e-3);
      tensor_unref(narrow);
      tensor_unref(wide);
    }
    if (f[0] == NO_NODE) break;
  }
  for (int w = 0; w < 2; w++) run_end(&run[w]);
}

/* ---- how it runs ---- */

static Pool *pools[3];
static const int threads[3] = {1, 2, 7};

static void plan_agrees(const Sample *s, const Run *r, const Graph *g, const char *how, Tensor *const *want,
                        FaultCode fault) {
  for (int no_fuse = 0; no_fuse < 2; no_fuse++) {
    Plan *p = plan_make(&host, g, NULL, &(PlanOptions){.no_fuse = no_fuse, .kernels = kernels_best()});
    const Binding *b;
    uint32_t n = plan_bindings(p, &b);
    size_t bytes = plan_slab(p);
    for (int t = 0; t < 3; t++) {
      void *slab = aligned_alloc(64, (bytes + 127) / 64 * 64);
      Tensor *out[2] = {NULL};
      void *data[MOST_IN + 2];
      for (uint32_t k = 0; k < n; k++) {
        if (b[k].slot >= MOST_IN) out[b[k].slot - MOST_IN] = tensor_new(&host, &b[k].type);
        data[k] = b[k].slot < MOST_IN ? r->x[b[k].slot]->data : out[b[k].slot - MOST_IN]->data;
      }
      Fault f = run_plan(p, data, plan_area(p), slab, pools[t], NULL);
      if (f.code != fault) complain(how, s, f.code, fault);
      for (int k = 0; k < 2; k++) {
        if (fault == FAULT_NONE && out[k] && !tensor_same_bits(out[k], want[k])) complain(how, s, threads[t], no_fuse);
        tensor_unref(out[k]);
      }
      free(slab);
    }
    plan_free(p);
  }
}

/* With pointwise neighbours on both sides: op by op, planned (fused or not, on 1, 2 and 7 threads) and folded. */
static void runs_alike(Arena *a, const Op *op, const Sample *s) {
  Run r = sample_run(a, op, s, F32);
  Graph *g = graph_new(a), *known = graph_new(a);
  NodeId in[MOST_IN], x[MOST_IN], k_in[MOST_IN], *origin;
  for (uint32_t k = 0; k < r.n; k++) {
    in[k] = graph_input(g, k, &r.x[k]->type, 0);
    bool turned = r.x[k]->type.dtype == F32 && op->lo == 0 && op->hi == 0;
    x[k] = turned ? g_op(g, &op_neg, in[k]) : in[k];
    k_in[k] = graph_const(known, r.x[k], 0);
    if (turned) k_in[k] = g_op(known, &op_neg, k_in[k]);
  }
  TypeError e;
  NodeId y = graph_emit(g, op, x, s->n, &s->attr, 0, &e), k_y = graph_emit(known, op, k_in, s->n, &s->attr, 0, &e);
  CU_ASSERT_FATAL(y != NO_NODE && k_y != NO_NODE);
  NodeId z = dtype_is_float((DType)g->node[y].type->dtype) ? g_op2(g, &op_mul, y, y) : y;
  graph_output(g, y, MOST_IN);
  graph_output(g, z, MOST_IN + 1);
  graph_output(known, k_y, MOST_IN);
  Run plain = r;
  plain.g = g;
  memcpy(plain.in, in, sizeof in);
  FaultCode fault;
  Tensor *want[2] = {value_of(&plain, y, kernels_best(), &fault), value_of(&plain, z, kernels_best(), NULL)};
  plan_agrees(s, &r, opt_run(g, a, &(Opt){.no_rewrite = true}, &origin), "planned", want, fault);
  plan_agrees(s, &r, opt_run(known, a, &(Opt){.no_rewrite = true}, &origin), "folded", want, fault);
  tensor_unref(want[0]);
  tensor_unref(want[1]);
  run_end(&r);
}

/* ---- vmap ---- */

enum { BATCH = 3 };

/* What `root` needs of g, alone: x[k] in the place of the inputs of slot k. */
static Tensor *value_alone(const Run *r, NodeId root, FaultCode *fault) {
  Arena *a = arena_new(&host);
  Run s = {.g = graph_new(a), .n = r->n};
  NodeId in[MOST_IN], y;
  for (uint32_t k = 0; k < r->n; k++) {
    in[k] = s.in[k] = graph_input(s.g, k, &r->x[k]->type, 0);
    s.x[k] = r->x[k];
  }
  Graph from = *r->g;
  from.out.at = &(Output){.node = root};
  from.out.n = 1;
  from.mark = NULL;          /* each graph's own */
  from.mark_cap = 0;
  graph_inline(s.g, &from, in, &y);
  Tensor *v = value_of(&s, y, kernels_best(), fault);
  arena_free(a);
  return v;
}

/* y of a batch whose operands in `which` have the axis, and whose first axis that is too where `which2` says, against y
 * of each element; and its gradients. */
static void batch_is_loop(Arena *a, const Op *op, const Sample *s, uint32_t which, uint32_t which2) {
  Run one = sample_run(a, op, s, F64), all = {.g = one.g, .n = one.n};
  Graph *g = one.g;
  NodeId inner[MOST_IN], outer[MOST_IN], mid[MOST_IN], root[MOST_IN + 1], out[MOST_IN + 1], twice[MOST_IN + 1];
  uint32_t n_in = 0, n_mid = 0, n_root = 0;
  NodeId from[MOST_IN], to[MOST_IN], from2[MOST_IN], to2[MOST_IN];
  root[n_root++] = one.y;
  bool slopes = op->grad && dtype_is_float((DType)g->node[one.y].type->dtype);
  if (slopes) {
    NodeId dx[MOST_IN], f = weigh(g, one.y);
    grad_reverse(g, f, NO_NODE, one.in, one.n, dx, NULL);
    for (uint32_t k = 0; k < one.n; k++)
      if (one.x[k]->type.dtype == F64) root[n_root++] = dx[k];
  }
  for (uint32_t k = 0; k < one.n; k++) {
    Type t = one.x[k]->type;
    inner[k] = mid[k] = outer[k] = one.in[k];
    if (which >> k & 1) {
      t = batch_type(&t, BATCH);
      mid[k] = graph_input(g, k, &t, 0);
      from[n_in] = inner[k];
      to[n_in++] = mid[k];
    }
    outer[k] = mid[k];
    if (which2 >> k & 1) {
      t = batch_type(&t, BATCH + 1);
      outer[k] = graph_input(g, k, &t, 0);
      from2[n_mid] = mid[k];
      to2[n_mid++] = outer[k];
    }
    all.in[k] = outer[k];
    all.x[k] = operand(op, &t, s->raised[k], F64);
  }
  BatchError e;
  CU_ASSERT_FATAL(graph_batch(g, from, to, n_in, BATCH, root, n_root, out, &e));
  CU_ASSERT_FATAL(graph_batch(g, from2, to2, n_mid, BATCH + 1, out, n_root, twice, &e));
  const char *why = graph_verify(g, a);
  if (why) printf("  %s\n", why);
  CU_ASSERT_PTR_NULL_FATAL(why);
  FaultCode fault;
  for (uint32_t j = 0; j < n_root; j++) {
    bool any_fault = false;
    Tensor *got = value_alone(&all, twice[j], &fault);
    for (int64_t e2 = 0; e2 < BATCH + 1; e2++)
      for (int64_t e1 = 0; e1 < BATCH; e1++) {
        for (uint32_t k = 0; k < one.n; k++) {
          int64_t n = type_count(&one.x[k]->type), at = 0;
          if (which2 >> k & 1) at += e2 * n * (which >> k & 1 ? BATCH : 1);
          if (which >> k & 1) at += e1 * n;
          for (int64_t i = 0; i < n; i++) tensor_set(one.x[k], i, tensor_get(all.x[k], at + i));
        }
        FaultCode of_one;
        Tensor *want = value_alone(&one, root[j], &of_one);
        any_fault |= of_one != FAULT_NONE;
        int64_t n = want ? type_count(&want->type) : 0;
        for (int64_t i = 0; got && want && i < n; i++) {
          double x = tensor_get(got, (e2 * BATCH + e1) * n + i), y = tensor_get(want, i);
          if (near(x, y, 1e-13)) continue;
          complain(j ? "gradient in a batch" : "batch", s, x, y);
          printf("  operands %x %x, element %d %d\n", which, which2, (int)e2, (int)e1);
          i = n;
          e1 = BATCH;
          e2 = BATCH + 1;
        }
        tensor_unref(want);
      }
    if (any_fault != (fault != FAULT_NONE)) complain("fault in a batch", s, fault, any_fault);
    tensor_unref(got);
  }
  run_end(&one);
  run_end(&all);
}

static void batches(Arena *a, const Op *op, const Sample *s) {
  Sample f = *s;
  for (uint32_t which = 1; which < 1u << s->n; which++)
    for (uint32_t which2 = 1; which2 < 1u << s->n; which2++) batch_is_loop(a, op, &f, which, which2);
}

/* ---- sparsity ---- */

/* Element j of operand k moved: moved[i * columns + column] says whether element i of y does. false: there is no y. */
static bool note_moved(const Run *r, Tensor *x, int64_t j, bool *moved, int64_t columns, int64_t column) {
  static const double by[] = {0.1, 50, -50};
  FaultCode fault;
  Tensor *y = value_of(r, r->y, kernels_best(), &fault);
  double was = tensor_get(x, j);
  for (int h = 0; y && h < 3; h++) {
    tensor_set(x, j, was + by[h]);
    Tensor *z = value_of(r, r->y, kernels_best(), &fault);
    for (int64_t i = 0; z && i < type_count(&y->type); i++)
      if (!same_number(tensor_get(y, i), tensor_get(z, i))) moved[i * columns + column] = true;
    tensor_unref(z);
  }
  tensor_set(x, j, was);
  tensor_unref(y);
  return y != NULL;
}

/* The pattern has all that moves; of an op that moves elements, by indices that are known, nothing else. */
static void pattern_holds(Arena *a, const Op *op, const Sample *s, bool known) {
  Run r = sample_run(a, op, s, F64);
  const Type *t = r.y == NO_NODE ? NULL : r.g->node[r.y].type;
  if (!t || !dtype_is_float((DType)t->dtype)) {
    run_end(&r);
    return;
  }
  NodeId y = r.y, x[MOST_IN], in[MOST_IN];
  uint32_t n = 0, of[MOST_IN];
  int64_t columns = 0, column = 0, rows = type_count(t);
  for (uint32_t k = 0; k < r.n; k++) {
    bool is = r.x[k]->type.dtype == F64;
    in[k] = known && !is ? graph_const(r.g, r.x[k], 0) : r.in[k];
    if (!is) continue;
    of[n] = k;
    x[n++] = in[k];
    columns += type_count(&r.x[k]->type);
  }
  if (known) y = graph_emit(r.g, op, in, r.n, &s->attr, 0, NULL);
  bool *moved = NEW_N(a, bool, rows * columns + 1);
  for (uint32_t k = 0; k < n; k++)
    for (int64_t j = 0; j < type_count(&r.x[of[k]]->type); j++)
      known = note_moved(&r, r.x[of[k]], j, moved, columns, column++) && known;
  Sparsity pattern[MOST_IN];
  CU_ASSERT(graph_sparsity(r.g, y, x, n, pattern));
  bool exact = known && op->depends && op->flags & (OP_MOVES | OP_CHOOSES);
  column = 0;
  for (uint32_t k = 0; k < n; k++) {
    int64_t wide = pattern[k].columns;
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0, at = pattern[k].first[i]; j < wide; j++) {
        bool has = at < pattern[k].first[i + 1] && pattern[k].column[at] == j, want = moved[i * columns + column + j];
        at += has;
        compared++;
        if (has == want || (has && !exact)) continue;
        complain("the pattern", s, has, want);
        j = wide;
        i = rows;
      }
    column += wide;
  }
  run_end(&r);
}

/* An element as an instruction has the bits that it has in the tile. */
static void instruction_alike(const Op *op, const Kernels *level, DType d, const void *const *all, const size_t *size,
                              const char *whole, size_t out, const Attr *attr) {
  InstrKernel one = kernels_one(level, op, d);
  for (size_t at = 0; one && at < LONG; at++) {
    char got[8];
    Instr i = {.more = attr, .out = got};
    for (int k = 0; k < op->n_in; k++) i.in[k] = (const char *)all[k] + at * size[k];
    one(&i);
    if (memcmp(got, whole + at * out, out)) complain("an element as an instruction", NULL, (double)at, (double)d);
  }
}

/* Any stretch of a tile, from any offset, alone or in place, has the bits of the whole. */
static void place_is_nothing(const Op *op, const Kernels *level, DType d) {
  static const double special[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e-40, -1e-40, 3e38, 1, -1, 88.5, -103.5, 0.5};
  const OpKernels *k = level->op[op->id];
  static const int64_t attr_values[] = {F64, 0};
  Attr attr = {.i = op->id == OP_cast ? attr_values : attr_values + 1, .n = 1};
  if (!k->tile[d]) return;
  size_t size = dtype_size[d];
  _Alignas(64) char in[3][LONG * 8], whole[LONG * 8], part[LONG * 8];
  const void *all[3] = {in[0], in[1], in[2]};
  Type t = type_make(d, 1, (int64_t[]){LONG});
  for (int j = 0; j < 3; j++) {
    Tensor *v = operand(op, &t, 0, d);
    for (int s = 0; dtype_is_float(d) && s < 13; s++) tensor_set(v, (s * (3 + j) + 5 * j) % LONG, special[s]);
    if (j == 0 && op->id == OP_where)
      for (int s = 0; s < LONG; s++) in[0][s] = (char)(s % 3 == 0);
    else
      memcpy(in[j], v->data, LONG * size);
    tensor_unref(v);
  }
  size_t first = op->id == OP_where ? 1 : size, out = size;
  Graph *g = NULL;
  Arena *a = arena_new(&host);
  g = graph_new(a);
  Type bool_t = type_make(BOOL, 1, t.dim);
  const Type *x[3] = {op->id == OP_where ? &bool_t : &t, &t, &t};
  TypeRule r = {.g = g, .op = op, .x = x, .n = (uint32_t)op->n_in, .attr = &attr};
  if (op->type(&r)) out = dtype_size[r.y.dtype];
  arena_free(a);
  k->tile[d](whole, all, LONG, &attr);
  instruction_alike(op, level, d, all, (size_t[]){first, size, size}, whole, out, &attr);
  for (int64_t n = 1; n <= 70; n++)
    for (int64_t from = 0; from + n <= LONG; from += n < 20 ? 1 : 7) {
      const void *at[3] = {in[0] + from * (int64_t)first, in[1] + from * (int64_t)size, in[2] + from * (int64_t)size};
      memset(part, 0x55, sizeof part);
      k->tile[d](part, at, n, &attr);
      if (memcmp(part, whole + from * (int64_t)out, (size_t)n * out)) {
        complain(level->level, NULL, (double)n, (double)from);
        return;
      }
      if (out != size) continue;
      int last = op->n_in - 1;
      memcpy(part, at[last], (size_t)n * size);
      at[last] = part;
      k->tile[d](part, at, n, &attr);
      if (memcmp(part, whole + from * (int64_t)out, (size_t)n * out)) {
        complain("in place", NULL, (double)n, (double)from);
        return;
      }
    }
}

/* Those that a type rule and numbers alone do not make: they have tests of their own, unit/graph.c and unit/loop.c; the
 * gradient of custom is that of a `gradient` statement, tested in the language. */
static bool needs_a_graph(const Op *op) {
  return op->id == OP_input || op->id == OP_constant || op->id == OP_loop || op->id == OP_pick || op->id == OP_custom;
}

/* The sample with every size `from` in it of size `to`; false: the op does not take that. */
static bool resized(Arena *a, const Op *op, const Sample *s, int64_t from, int64_t to, Sample *out) {
  const Type *x[MOST_IN];
  bool any = false;
  *out = *s;
  for (uint32_t k = 0; k < s->n; k++) {
    for (int j = 0; j < s->x[k].rank; j++)
      if (s->x[k].dim[j] == from) {
        out->x[k].dim[j] = to;
        any = true;
      }
    x[k] = &out->x[k];
  }
  TypeRule r = {.g = graph_new(a), .op = op, .x = x, .n = s->n, .attr = &s->attr};
  return any && op->type(&r) && type_fits(&r.y);
}

/* Axes of size 1 and of none. */
static void small_axes(Arena *a, const Op *op, const Sample *s) {
  for (int64_t from = 2; from < 6; from++)
    for (int64_t to = 0; to < 2; to++) {
      Sample small;
      if (!resized(a, op, s, from, to, &small)) continue;
      kernels_agree(a, op, &small);
      runs_alike(a, op, &small);
      if (!op->grad || op->id == OP_stop_gradient) continue;
      slopes_agree(a, op, &small);
      forward_agrees(op, &small);
    }
}

/* Types and numbers that a host may hand over: each is a result that fits, or a refusal in words. */
static void refuses_what_is_odd(Arena *a, const Op *op) {
  static const int64_t odd[] = {-1, 0, 1, 2, 3, 4, 5, 7, 17, -2, INT32_MAX, INT64_MIN, INT64_MAX, (int64_t)1 << 40};
  enum { ODD = sizeof odd / sizeof *odd, TRIES = 4000, NUMBERS = 14 };
  Graph *g = graph_new(a);
  for (int n = 0; n < TRIES; n++) {
    Type t[MOST_IN];
    const Type *x[MOST_IN];
    int64_t i[NUMBERS];
    uint32_t n_in = op->n_in < 0 ? (uint32_t)draw(1, MOST_IN + 0.999) : (uint32_t)op->n_in;
    if (n_in > MOST_IN) return;
    for (uint32_t k = 0; k < n_in; k++) {
      t[k] = (Type){.dtype = (uint8_t)draw(0, N_DTYPES - 0.001), .rank = (uint8_t)draw(0, 4.999)};
      for (int j = 0; j < t[k].rank; j++) t[k].dim[j] = (int64_t)draw(0, 4.999);
      x[k] = &t[k];
    }
    Attr attr = {.i = i, .n = (uint32_t)draw(0, NUMBERS + 0.999)};
    int small = draw(0, 1) < 0.7;
    for (uint32_t k = 0; k < attr.n; k++) i[k] = odd[(int)draw(0, small ? 4.999 : ODD - 0.001)];
    TypeRule r = {.g = g, .op = op, .x = x, .n = n_in, .attr = &attr};
    bool fits = op->type(&r);
    CU_ASSERT_FATAL(fits ? r.y.rank <= MAX_RANK && r.y.dtype < N_DTYPES : r.e.text && *r.e.text);
  }
}

static bool has_kernels(const Op *op, const Kernels *level) {
  if (needs_a_graph(op)) return true;
  const OpKernels *k = level->op[op->id];
  if (!(op->flags & OP_POINTWISE)) return k->run != NULL;
  for (int d = 0; d < N_DTYPES; d++)
    if (k->tile[d]) return true;
  return false;
}

static void op_is_whole(void) {
  const char *name = CU_get_current_test()->pName;
  const Op *op = op_now = op_find(name, strlen(name));
  CU_ASSERT(op->doc && strlen(op->doc) > 10 && op->doc[strlen(op->doc) - 1] == '.');
  CU_ASSERT(op->example && op->example[0]);
  CU_ASSERT((op->grad != NULL) != (op->no_grad != NULL));
  CU_ASSERT(((op->flags & OP_FAILS) != 0) == (op->faults != NULL && op->faults->text != NULL));
  CU_ASSERT_PTR_EQUAL(op_table[op->id], op);
  CU_ASSERT_PTR_EQUAL(op_find(op->name, strlen(op->name)), op);   /* the first of that name: names are unique */
  Guard guard;
  if (!HOST_GUARD(&host, &guard)) {
    CU_FAIL("left by the guard");
    printf("  %s: %s\n", op->name, host.message);
    return;
  }
  seed = 1;
  compared = 0;
  for (int k = 0; k < LEVELS; k++) {
    const Kernels *level = kernels_level(levels[k]);
    if (!level) continue;
    CU_ASSERT(has_kernels(op, level));
    if (op->flags & OP_POINTWISE)
      for (int d = 0; d < N_DTYPES; d++) place_is_nothing(op, level, (DType)d);
  }
  Arena *a = arena_of_test = arena_new(&host);
  for (int t = 0; t < 3; t++) pools[t] = pool_new(&host, threads[t]);
  if (!needs_a_graph(op)) {
    refuses_what_is_odd(a, op);
    seed = 1;
    Sample sample[SAMPLES];
    uint32_t n = op_samples(a, op, sample);
    CU_ASSERT(n > 0);
    for (uint32_t k = 0; k < n; k++) {
      if (op->n_in > 0) kernels_agree(a, op, &sample[k]);
      for (int d = F32; op->simplify && op->n_in > 0 && d <= F64; d++) simplified_is_plain(a, op, &sample[k], (DType)d);
      if (op->grad && op->id != OP_stop_gradient) {
        slopes_agree(a, op, &sample[k]);
        forward_agrees(op, &sample[k]);
        slopes_in_f32(op, &sample[k]);
      }
      bool moves = op->grad && op->id != OP_stop_gradient && !(op->flags & OP_EFFECTLESS_ZERO);
      for (int known = 0; known < 2 && moves; known++) pattern_holds(a, op, &sample[k], known);
      if (op->n_in > 0) small_axes(a, op, &sample[k]);
      if (op->n_in != 0) runs_alike(a, op, &sample[k]);
      if (op->n_in != 0) batches(a, op, &sample[k]);
    }
  }
  arena_free(a);
  printf("  %s: %lld numbers compared\n", op->name, (long long)compared);
  for (int t = 0; t < 3; t++) pool_free(pools[t]);
  CU_ASSERT_EQUAL(host.in_use, 0);
  host_leave(&host, &guard);
}

/* A test an op, so that each has its line. */
int main(void) {
  CU_TestInfo tests[N_OPS + 1] = {CU_TEST_INFO_NULL};
  for (int k = 0; k < N_OPS; k++) tests[k] = (CU_TestInfo){op_table[k]->name, op_is_whole};
  host_init(&host, NULL, NULL);
  return unit_run(__FILE__, tests);
}
