/* graph_api: glia_graph.h over the runtime. In: a host's calls. Out: nodes, plans, statuses; never a crash, whatever is
 * passed.
 *
 * Each public function sets a guard, so that a failed allocation comes back as a status. A plan is an arena of its own:
 * closing it frees all that was made for it. Messages are written into a buffer of the graph, so that telling of a
 * failure needs no memory.
 */
#include "glia_graph.h"
#include "graph/grad.h"
#include "graph/opt.h"
#include "exec/fault.h"
#include "exec/plan.h"
#include "pool_api.h"
#include "exec/run.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_SLOT = 1 << 24 };           /* slots from here on are outputs, below are inputs */

struct glia_graph {
  Host host;
  Arena *arena;
  Graph *graph;
  Pool *pool;
  bool shared;                            /* pool is a glia_pool's */
  const Kernels *kernels;
  glia_plan *plans;
  uint32_t n_input;
  int threads;
  bool no_fuse;
  atomic_bool cancel;
  char error[512];
};

struct glia_plan {
  glia_graph *owner;
  glia_plan *prev, *next;
  Arena *arena;
  Plan *plan;
  void *slab;                             /* 64-byte aligned within the arena's block */
  int n_in, n_out;
  Type *in, *out;
  void **out_data;                        /* the plan's own buffers, for views; NULL until one is asked for */
  int *same;                              /* out[k] is another output's node: which, or -1 */
  int *binding_in, *binding_out;          /* of each binding: the input or output whose buffer it is, or -1 */
  void **data;
};

_Static_assert(GLIA_MAX_RANK == MAX_RANK && (int)GLIA_BOOL == (int)BOOL && (int)GLIA_U8 == (int)U8, "one numbering");

const char *glia_version(void) { return PACKAGE_VERSION; }

static glia_status say(glia_graph *g, glia_status status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static glia_status say(glia_graph *g, glia_status status, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(g->error, sizeof g->error, fmt, ap);
  va_end(ap);
  return status;
}

/* A guard was left by failure. */
static glia_status failed(glia_graph *g) {
  return say(g, g->host.failure == FAIL_LIMIT ? GLIA_LIMIT : GLIA_MEMORY, "%s", g->host.message);
}

static bool type_of(glia_dtype dtype, int rank, const int64_t *dim, Type *out) {
  if ((int)dtype < 0 || (int)dtype >= N_DTYPES || rank < 0 || rank > MAX_RANK || (rank > 0 && !dim)) return false;
  for (int k = 0; k < rank; k++)
    if (dim[k] < 0) return false;
  *out = type_make((DType)dtype, rank, dim);
  return type_fits(out);
}

int64_t glia_count(const glia_array *a) {
  Type t;
  return a && type_of(a->dtype, a->rank, a->dim, &t) ? type_count(&t) : -1;
}

/* ---- life ---- */

static glia_graph *block_new(const glia_graph_config *c) {
  glia_graph *g = c->alloc ? c->alloc(c->user, NULL, sizeof *g) : malloc(sizeof *g);
  if (!g) return NULL;
  memset(g, 0, sizeof *g);
  host_init(&g->host, c->alloc, c->user);
  g->host.limit = c->max_memory;
  g->threads = c->threads ? c->threads : pool_default_threads();
  g->shared = c->pool != NULL;
  g->pool = pool_behind(c->pool);
  g->no_fuse = c->no_fuse != 0;
  g->kernels = kernels_best();
  return g;
}

static void block_free(glia_graph *g) {
  HostRealloc release = g->host.realloc;
  release(g->host.user, g, 0);
}

glia_status glia_graph_open(const glia_graph_config *config, glia_graph **out) {
  static const glia_graph_config plain = {0};
  if (!out) return GLIA_MISUSE;
  *out = NULL;
  if (config && config->threads < 0) return GLIA_MISUSE;
  glia_graph *g = block_new(config ? config : &plain);
  Guard guard;
  if (!g) return GLIA_MEMORY;
  if (HOST_GUARD(&g->host, &guard)) {
    g->arena = arena_new(&g->host);
    g->graph = graph_new(g->arena);
    arena_keep(g->arena);
    host_leave(&g->host, &guard);
    *out = g;
    return GLIA_OK;
  }
  block_free(g);
  return GLIA_MEMORY;
}

static void plan_end(glia_plan *p) {
  plan_free(p->plan);
  arena_free(p->arena);
}

void glia_plan_close(glia_plan *p) {
  if (!p) return;
  if (p->prev) p->prev->next = p->next;
  else p->owner->plans = p->next;
  if (p->next) p->next->prev = p->prev;
  plan_end(p);
}

void glia_graph_close(glia_graph *g) {
  if (!g) return;
  while (g->plans) glia_plan_close(g->plans);
  if (!g->shared) pool_free(g->pool);
  arena_free(g->arena);
  block_free(g);
}

const char *glia_graph_error(const glia_graph *g) { return g ? g->error : "no graph is given"; }

void glia_graph_cancel(glia_graph *g) {
  if (g) atomic_store(&g->cancel, true);
}

/* ---- nodes ---- */

static bool node_ok(const glia_graph *g, glia_node node) { return node < g->graph->n; }

glia_node glia_input(glia_graph *g, glia_dtype dtype, int rank, const int64_t *dim) {
  if (!g) return GLIA_NO_NODE;
  Type t;
  Guard guard;
  if (!type_of(dtype, rank, dim, &t)) {
    say(g, GLIA_MISUSE, "glia_input: this is no type of a tensor: element type %d, rank %d", (int)dtype, rank);
    return GLIA_NO_NODE;
  }
  if (HOST_GUARD(&g->host, &guard)) {
    NodeId id = graph_input(g->graph, g->n_input, &t, 0);
    g->n_input++;
    host_leave(&g->host, &guard);
    return id;
  }
  failed(g);
  return GLIA_NO_NODE;
}

glia_node glia_constant(glia_graph *g, const glia_array *value) {
  if (!g) return GLIA_NO_NODE;
  Type t;
  Guard guard;
  if (!value || !type_of(value->dtype, value->rank, value->dim, &t) || (!value->data && type_count(&t))) {
    say(g, GLIA_MISUSE, "glia_constant: this is no array with numbers");
    return GLIA_NO_NODE;
  }
  if (HOST_GUARD(&g->host, &guard)) {
    Tensor *x = tensor_from(&g->host, &t, value->data);
    NodeId id = graph_const(g->graph, x, 0);
    tensor_unref(x);
    host_leave(&g->host, &guard);
    return id;
  }
  failed(g);
  return GLIA_NO_NODE;
}

glia_node glia_scalar(glia_graph *g, glia_dtype dtype, double value) {
  if (!g) return GLIA_NO_NODE;
  Guard guard;
  if ((int)dtype < 0 || (int)dtype >= N_DTYPES) {
    say(g, GLIA_MISUSE, "glia_scalar: %d is no element type", (int)dtype);
    return GLIA_NO_NODE;
  }
  if (HOST_GUARD(&g->host, &guard)) {
    Type t = type_scalar((DType)dtype);
    Tensor *x = tensor_new(&g->host, &t);
    tensor_set(x, 0, value);
    NodeId id = graph_const(g->graph, x, 0);
    tensor_unref(x);
    host_leave(&g->host, &guard);
    return id;
  }
  failed(g);
  return GLIA_NO_NODE;
}

/* NumPy's common shape; false: there is none. */
static bool common_shape(const Graph *g, const NodeId *in, uint32_t n, Type *out) {
  *out = *graph_at(g, in[0])->type;
  for (uint32_t k = 1; k < n; k++) {
    const Type *t = graph_at(g, in[k])->type;
    Type long_ = t->rank > out->rank ? *t : *out, short_ = t->rank > out->rank ? *out : *t;
    int lead = long_.rank - short_.rank;
    for (int d = 0; d < short_.rank; d++) {
      int64_t *a = &long_.dim[lead + d], b = short_.dim[d];
      if (*a == 1) *a = b;
      else if (b != 1 && b != *a) return false;
    }
    *out = long_;
  }
  return type_fits(out);
}

static NodeId emit(glia_graph *g, const Op *op, const NodeId *in, uint32_t n, const Attr *attr) {
  TypeError e = {0};
  NodeId id = graph_emit(g->graph, op, in, n, attr, 0, &e);
  if (id == NO_NODE)
    say(g, GLIA_MISUSE, "%s: %s%s%s", op->name, e.text ? e.text : "wrong operands", e.hint ? "; " : "",
        e.hint ? e.hint : "");
  return id;
}

glia_node glia_op(glia_graph *g, const char *name, const glia_node *in, int n, const int64_t *number, int n_number) {
  if (!g) return GLIA_NO_NODE;
  if (!name || n < 0 || (n > 0 && !in) || n_number < 0 || (n_number > 0 && !number)) {
    say(g, GLIA_MISUSE, "glia_op: a null pointer or a negative count");
    return GLIA_NO_NODE;
  }
  for (int k = 0; k < n; k++) {
    if (in[k] == GLIA_NO_NODE) return GLIA_NO_NODE;
    if (!node_ok(g, in[k])) {
      say(g, GLIA_MISUSE, "%s: operand %d is no node of this graph", name, k);
      return GLIA_NO_NODE;
    }
  }
  const Op *op = op_find(name, strlen(name));
  if (!op || op == &op_input || op == &op_constant) {
    say(g, GLIA_NOT_FOUND, "no operation is called `%s`", name);
    return GLIA_NO_NODE;
  }
  if (op->n_in >= 0 && op->n_in != n) {
    say(g, GLIA_MISUSE, "%s takes %d operands, and %d are given", name, op->n_in, n);
    return GLIA_NO_NODE;
  }
  Guard guard;
  if (HOST_GUARD(&g->host, &guard)) {
    NodeId *ids = NEW_N(g->arena, NodeId, n ? n : 1);
    if (n) memcpy(ids, in, (size_t)n * sizeof *ids);
    Type shape;
    if ((op->flags & OP_POINTWISE) && n > 1 && common_shape(g->graph, ids, (uint32_t)n, &shape))
      for (int k = 0; k < n; k++) {
        shape.dtype = graph_at(g->graph, ids[k])->type->dtype;
        ids[k] = g_broadcast(g->graph, ids[k], &shape);
      }
    NodeId id = emit(g, op, ids, (uint32_t)n, &(Attr){.i = number, .n = (uint32_t)n_number});
    host_leave(&g->host, &guard);
    return id;
  }
  failed(g);
  return GLIA_NO_NODE;
}

glia_node glia_broadcast(glia_graph *g, glia_node x, int rank, const int64_t *dim) {
  return glia_op(g, "broadcast", &x, 1, dim, rank);
}

glia_node glia_reshape(glia_graph *g, glia_node x, int rank, const int64_t *dim) {
  return glia_op(g, "reshape", &x, 1, dim, rank);
}

glia_node glia_cast(glia_graph *g, glia_node x, glia_dtype dtype) {
  return glia_op(g, "cast", &x, 1, (int64_t[]){dtype}, 1);
}

/* sum's numbers: how many axes, the axes ascending, keep. */
glia_node glia_sum(glia_graph *g, glia_node x, const int *axis, int n_axis, int keep) {
  if (!g || x == GLIA_NO_NODE) return GLIA_NO_NODE;
  int64_t number[MAX_RANK + 2];
  int n = 0;
  if (!node_ok(g, x) || n_axis < 0 || (n_axis > 0 && !axis)) {
    say(g, GLIA_MISUSE, "glia_sum: no node, or no axes");
    return GLIA_NO_NODE;
  }
  int rank = graph_at(g->graph, x)->type->rank;
  bool given[MAX_RANK] = {false};
  for (int k = 0; k < n_axis; k++) {
    int a = axis[k] < 0 ? axis[k] + rank : axis[k];
    if (a < 0 || a >= rank || given[a]) {
      say(g, GLIA_MISUSE, "glia_sum: axis %d, and the rank is %d; each axis may be given once", axis[k], rank);
      return GLIA_NO_NODE;
    }
    given[a] = true;
  }
  for (int a = 0; a < rank; a++)
    if (given[a]) number[++n] = a;
  number[0] = n;
  number[n + 1] = keep != 0;
  return glia_op(g, "sum", &x, 1, number, n + 2);
}

glia_node glia_sum_all(glia_graph *g, glia_node x) {
  static const int axes[MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return glia_sum(g, x, axes, g && x != GLIA_NO_NODE && node_ok(g, x) ? graph_at(g->graph, x)->type->rank : 0, 0);
}

static void fill(glia_array *out, const Type *t, void *data) {
  out->dtype = (glia_dtype)t->dtype;
  out->rank = t->rank;
  for (int k = 0; k < GLIA_MAX_RANK; k++) out->dim[k] = k < t->rank ? t->dim[k] : 0;
  out->data = data;
}

glia_status glia_node_type(const glia_graph *g, glia_node node, glia_array *out) {
  if (!g || !out || !node_ok(g, node)) return GLIA_MISUSE;
  fill(out, graph_at(g->graph, node)->type, NULL);
  return GLIA_OK;
}

glia_status glia_grad(glia_graph *g, glia_node y, const glia_node *wrt, int n, glia_node *out) {
  if (!g) return GLIA_MISUSE;
  if (n < 0 || (n > 0 && (!wrt || !out))) return say(g, GLIA_MISUSE, "glia_grad: a null pointer or a negative count");
  for (int k = 0; k < n; k++) out[k] = GLIA_NO_NODE;
  if (y == GLIA_NO_NODE) return GLIA_MISUSE;
  if (!node_ok(g, y) || graph_at(g->graph, y)->type->rank || !dtype_is_float((DType)graph_at(g->graph, y)->type->dtype))
    return say(g, GLIA_MISUSE, "glia_grad: what is differentiated must be a floating-point scalar of this graph");
  for (int k = 0; k < n; k++) {
    if (wrt[k] == GLIA_NO_NODE) return GLIA_MISUSE;
    if (!node_ok(g, wrt[k]) || !dtype_is_float((DType)graph_at(g->graph, wrt[k])->type->dtype))
      return say(g, GLIA_MISUSE, "glia_grad: wrt[%d] must be a floating-point node of this graph", k);
  }
  Guard guard;
  if (HOST_GUARD(&g->host, &guard)) {
    NodeId *ids = NEW_N(g->arena, NodeId, n ? n : 1);
    grad_reverse(g->graph, y, NO_NODE, wrt, (uint32_t)n, ids, NULL);
    if (n) memcpy(out, ids, (size_t)n * sizeof *ids);
    host_leave(&g->host, &guard);
    return GLIA_OK;
  }
  return failed(g);
}

/* ---- compiling ---- */

static bool is_input(const glia_graph *g, glia_node node) {
  return node_ok(g, node) && graph_at(g->graph, node)->op == &op_input;
}

static glia_status check_compile(glia_graph *g, const glia_node *input, int n_input, const glia_node *output,
                                 int n_output, const glia_update *update, int n_update) {
  if (n_input < 0 || n_output < 0 || n_update < 0 || (n_input && !input) || (n_output && !output) ||
      (n_update && !update))
    return say(g, GLIA_MISUSE, "glia_compile: a null pointer or a negative count");
  if (n_output >= OUTPUT_SLOT || n_output + n_update == 0)
    return say(g, GLIA_MISUSE, "glia_compile: nothing is to be computed");
  for (int k = 0; k < n_input; k++) {
    if (input[k] == GLIA_NO_NODE) return GLIA_MISUSE;
    if (!is_input(g, input[k])) return say(g, GLIA_MISUSE, "glia_compile: input[%d] was not made by glia_input", k);
    for (int j = 0; j < k; j++)
      if (input[j] == input[k]) return say(g, GLIA_MISUSE, "glia_compile: input[%d] and input[%d] are the same", j, k);
  }
  for (int k = 0; k < n_output; k++) {
    if (output[k] == GLIA_NO_NODE) return GLIA_MISUSE;
    if (!node_ok(g, output[k])) return say(g, GLIA_MISUSE, "glia_compile: output[%d] is no node of this graph", k);
  }
  for (int k = 0; k < n_update; k++) {
    if (update[k].input == GLIA_NO_NODE || update[k].value == GLIA_NO_NODE) return GLIA_MISUSE;
    bool listed = false;
    for (int j = 0; j < n_input; j++) listed = listed || input[j] == update[k].input;
    for (int j = 0; j < k; j++) listed = listed && update[j].input != update[k].input;
    if (!listed || !node_ok(g, update[k].value))
      return say(g, GLIA_MISUSE, "glia_compile: update[%d] must name one of the inputs, once, and a node of this graph",
                 k);
    if (!type_eq(graph_at(g->graph, update[k].input)->type, graph_at(g->graph, update[k].value)->type))
      return say(g, GLIA_MISUSE, "glia_compile: update[%d] has another type than its input", k);
  }
  return GLIA_OK;
}

/* The inputs that the graph reads but the caller does not give. */
static bool inputs_given(glia_graph *g, const glia_node *input, int n_input, const NodeId *root, uint32_t n_root) {
  NodeId *ids;
  uint32_t n = graph_slice(g->graph, root, n_root, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++) {
    if (graph_at(g->graph, ids[k])->op != &op_input) continue;
    bool given = false;
    for (int j = 0; j < n_input; j++) given = given || input[j] == ids[k];
    if (!given) return false;
  }
  return true;
}

static void *aligned_block(Arena *a, size_t n) {
  enum { ALIGN = 64 };
  uintptr_t p = (uintptr_t)arena_alloc(a, n + ALIGN);
  return (void *)((p + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
}

static int input_at_slot(const glia_graph *g, const glia_node *input, int n, uint32_t slot) {
  for (int k = 0; k < n; k++)
    if ((uint32_t)graph_at(g->graph, input[k])->attr->i[0] == slot) return k;
  return -1;
}

static glia_plan *make_plan(glia_graph *g, const glia_node *input, int n_input, const glia_node *output, int n_output,
                            const glia_update *update, int n_update) {
  Arena *a = arena_new(&g->host);
  glia_plan *p = NEW(a, glia_plan);
  *p = (glia_plan){.owner = g, .arena = a, .n_in = n_input, .n_out = n_output};
  p->in = NEW_N(a, Type, n_input + 1);
  p->out = NEW_N(a, Type, n_output + 1);
  p->out_data = NEW_N(a, void *, n_output + 1);
  p->same = NEW_N(a, int, n_output + 1);
  g->graph->out.n = 0;
  for (int k = 0; k < n_input; k++) p->in[k] = *graph_at(g->graph, input[k])->type;
  for (int k = 0; k < n_output; k++) {
    p->out[k] = *graph_at(g->graph, output[k])->type;
    p->same[k] = -1;
    for (int j = 0; j < k && p->same[k] < 0; j++)
      if (output[j] == output[k]) p->same[k] = j;
    if (p->same[k] < 0) graph_output(g->graph, output[k], OUTPUT_SLOT + (uint32_t)k);
  }
  for (int k = 0; k < n_update; k++)
    graph_output(g->graph, update[k].value, (uint32_t)graph_at(g->graph, update[k].input)->attr->i[0]);
  NodeId *origin;
  Graph *optimised = opt_run(g->graph, a, &(Opt){.kernels = g->kernels}, &origin);
  p->plan = plan_make(&g->host, optimised, origin, &(PlanOptions){.no_fuse = g->no_fuse, .kernels = g->kernels});
  const Binding *binding;
  uint32_t n = plan_bindings(p->plan, &binding);
  p->binding_in = NEW_N(a, int, n + 1);
  p->binding_out = NEW_N(a, int, n + 1);
  p->data = NEW_N(a, void *, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    bool is_out = binding[k].slot >= OUTPUT_SLOT;
    p->binding_out[k] = is_out ? (int)(binding[k].slot - OUTPUT_SLOT) : -1;
    p->binding_in[k] = is_out ? -1 : input_at_slot(g, input, n_input, binding[k].slot);
  }
  p->slab = aligned_block(a, plan_slab(p->plan));
  for (int k = 0; k < n_output; k++)
    if (p->same[k] < 0) p->out_data[k] = aligned_block(a, (size_t)type_bytes(&p->out[k]));
    else p->out_data[k] = p->out_data[p->same[k]];
  return p;
}

glia_status glia_compile(glia_graph *g, const glia_node *input, int n_input, const glia_node *output, int n_output,
                         const glia_update *update, int n_update, glia_plan **out) {
  if (!g) return GLIA_MISUSE;
  if (!out) return say(g, GLIA_MISUSE, "glia_compile: nowhere to put the plan");
  *out = NULL;
  glia_status status = check_compile(g, input, n_input, output, n_output, update, n_update);
  if (status != GLIA_OK) return status;
  Guard guard;
  if (HOST_GUARD(&g->host, &guard)) {
    NodeId *root = NEW_N(g->arena, NodeId, n_output + n_update);
    for (int k = 0; k < n_output; k++) root[k] = output[k];
    for (int k = 0; k < n_update; k++) root[n_output + k] = update[k].value;
    if (!inputs_given(g, input, n_input, root, (uint32_t)(n_output + n_update))) {
      host_leave(&g->host, &guard);
      return say(g, GLIA_MISUSE, "glia_compile: an output depends on an input that is not listed");
    }
    if (!g->pool && !g->shared && g->threads > 1) {
      g->pool = pool_new(&g->host, g->threads);
      pool_keep(g->pool);
    }
    glia_plan *p = make_plan(g, input, n_input, output, n_output, update, n_update);
    plan_keep(p->plan);
    arena_keep(p->arena);
    host_leave(&g->host, &guard);
    p->next = g->plans;
    if (g->plans) g->plans->prev = p;
    g->plans = p;
    *out = p;
    return GLIA_OK;
  }
  return failed(g);
}

/* ---- running ---- */

static bool matches(const glia_array *a, const Type *t) {
  if ((int)a->dtype != t->dtype || a->rank != t->rank) return false;
  for (int k = 0; k < t->rank; k++)
    if (a->dim[k] != t->dim[k]) return false;
  return true;
}

/* A run sets no guard: what it needs of the C stack is looked at before it. */
static bool stack_ok(glia_graph *g, const glia_plan *p) {
  return STACK_HERE - stack_end(&g->host.stack) >= plan_stack(p->plan);
}

static glia_status tell_fault(glia_graph *g, const glia_plan *p, const Fault *f) {
  if (f->code == FAULT_CANCELLED) return say(g, GLIA_CANCELLED, "cancelled");
  NodeId node = fault_node(g->graph, p->plan, f->step);
  const Op *op = f->op ? f->op : node == NO_NODE ? NULL : graph_at(g->graph, node)->op;
  char text[FAULT_TEXT];
  fault_text(op, f, text);
  if (f->element < 0) return say(g, GLIA_FAULT, "%s: %s", op ? op->name : "run", text);
  return say(g, GLIA_FAULT, "%s: %s (element %lld)", op ? op->name : "run", text, (long long)f->element);
}

static bool overlap(const void *a, const void *b, const Type *of_a, const Type *of_b) {
  uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
  return a && b && x < y + (uintptr_t)type_bytes(of_b) && y < x + (uintptr_t)type_bytes(of_a);
}

/* The first output whose buffer another one, or an input, lies on; -1: none does. */
static int overlapping(const glia_plan *p, const glia_array *in, const glia_array *out) {
  for (int k = 0; k < p->n_out; k++) {
    for (int j = 0; j < p->n_in; j++)
      if (overlap(out[k].data, in[j].data, &p->out[k], &p->in[j])) return k;
    for (int j = 0; j < k; j++)              /* a node that is asked for twice may go to one buffer */
      if (!(out[j].data == out[k].data && (p->same[k] == j || (p->same[k] >= 0 && p->same[k] == p->same[j]))) &&
          overlap(out[k].data, out[j].data, &p->out[k], &p->out[j])) return k;
  }
  return -1;
}

glia_status glia_run(glia_plan *p, const glia_array *in, int n_in, glia_array *out, int n_out) {
  if (!p) return GLIA_MISUSE;
  glia_graph *g = p->owner;
  g->error[0] = 0;
  if (n_in != p->n_in || n_out != p->n_out || (n_in && !in) || (n_out && !out))
    return say(g, GLIA_MISUSE, "glia_run: this plan takes %d inputs and has %d outputs", p->n_in, p->n_out);
  for (int k = 0; k < n_in; k++)
    if (!matches(&in[k], &p->in[k]) || (!in[k].data && type_count(&p->in[k])))
      return say(g, GLIA_MISUSE, "glia_run: in[%d] has no data, or another type or shape than the plan was made for",
                 k);
  for (int k = 0; k < n_out; k++)
    if (out[k].data && !matches(&out[k], &p->out[k]))
      return say(g, GLIA_MISUSE, "glia_run: out[%d] has another type or shape than the plan was made for", k);
  int on = overlapping(p, in, out);
  if (on >= 0)
    return say(g, GLIA_MISUSE, "glia_run: the buffer of out[%d] lies on one of an input or of another output", on);
  if (!stack_ok(g, p)) return say(g, GLIA_LIMIT, "glia_run: the stack of this thread is too small");
  const Binding *binding;
  uint32_t n = plan_bindings(p->plan, &binding);
  for (uint32_t k = 0; k < n; k++) {
    int to = p->binding_out[k], from = p->binding_in[k];
    void *given = to >= 0 ? out[to].data : in[from].data;
    p->data[k] = given ? given : to >= 0 ? p->out_data[to] : p->slab;       /* no elements: read by nobody */
  }
  Fault f = run_plan(p->plan, p->data, plan_area(p->plan), p->slab, g->pool, &g->cancel);
  atomic_store(&g->cancel, false);
  if (f.code != FAULT_NONE) return tell_fault(g, p, &f);
  for (int k = 0; k < n_out; k++) {
    const void *first = p->same[k] < 0 ? NULL : out[p->same[k]].data;
    if (!out[k].data) fill(&out[k], &p->out[k], first ? (void *)(uintptr_t)first : p->out_data[k]);
    else if (first && first != out[k].data) memcpy(out[k].data, first, (size_t)type_bytes(&p->out[k]));
  }
  return GLIA_OK;
}
