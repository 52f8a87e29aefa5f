/* glia_graph.h: Glia's runtime without its language. A program builds a graph of tensor operations, differentiates it,
 * compiles it to a plan and runs the plan on its own buffers. (glia.h, which includes this file, is the language.)
 *
 *     glia_graph *g;
 *     glia_graph_open(NULL, &g);
 *     glia_node x = glia_input(g, GLIA_F32, 2, (int64_t[]){4, 2});
 *     glia_node w = glia_input(g, GLIA_F32, 2, (int64_t[]){2, 1});
 *     glia_node loss = glia_sum_all(g, glia_op1(g, "square", glia_op2(g, "matmul", x, w)));
 *     glia_node dw;
 *     glia_grad(g, loss, &w, 1, &dw);
 *     glia_plan *p;
 *     if (glia_compile(g, (glia_node[]){x, w}, 2, (glia_node[]){loss, dw}, 2, NULL, 0, &p) != GLIA_OK)
 *       fputs(glia_graph_error(g), stderr);
 *     glia_run(p, inputs, 2, outputs, 2);
 *     glia_graph_close(g);
 *
 * Shapes    are numbers, known when a node is made, row-major; the rank is at most GLIA_MAX_RANK. A node that cannot be
 *           typed is not made: the builder returns GLIA_NO_NODE and glia_graph_error says why. A builder that is given
 *           GLIA_NO_NODE returns GLIA_NO_NODE and leaves the first message alone, so that a chain of calls needs one
 *           check, at its end.
 * Ownership A glia_graph owns its nodes and plans; they end with it. Buffers are the caller's: a run reads and writes
 *           them in place and keeps no pointer to them afterwards. Numbers given to glia_constant are copied.
 * Errors    Every call that can fail returns a status (or GLIA_NO_NODE). Nothing that is passed to this library ends
 *           the process, and neither does an allocation that fails: the call returns GLIA_MEMORY and the graph stays
 *           usable. Pointers must be valid; a closed graph must not be used.
 * Threads   A graph and its plans are used by one thread at a time; two graphs never meet and may be used at the same
 *           time. The bits of a result do not depend on the number of threads. glia_graph_cancel may be called from any
 *           thread or signal handler. After a fork between two calls the child has what the parent had, but for its
 *           threads: its runs compute on their own one, with the same bits, and what it closes waits for nobody.
 */
#ifndef GLIA_GRAPH_H
#define GLIA_GRAPH_H
#include <stddef.h>
#include <stdint.h>

#if defined __GNUC__
#define GLIA_API __attribute__((visibility("default")))
#else
#define GLIA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum glia_status {
  GLIA_OK = 0,
  GLIA_SCRIPT = 1,        /* the script is wrong or failed: glia_diagnostics has the list */
  GLIA_MISUSE = 2,        /* the call is wrong: a null pointer, another type or shape than wanted, a closed function */
  GLIA_NOT_FOUND = 3,     /* nothing has that name */
  GLIA_MEMORY = 4,        /* an allocation failed; everything is as it was before the call */
  GLIA_LIMIT = 5,         /* a limit is reached: memory allowed, number of nodes */
  GLIA_FAULT = 6,         /* an operation failed while running: an index out of range, an integer divided by zero */
  GLIA_CANCELLED = 7,     /* glia_cancel or glia_graph_cancel was called, or the print callback refused */
  GLIA_BUSY = 8           /* a call of this session is going on: from a callback of it, or on another thread */
} glia_status;

typedef enum glia_dtype { GLIA_F32 = 0, GLIA_F64 = 1, GLIA_I32 = 2, GLIA_U8 = 3, GLIA_BOOL = 4 } glia_dtype;

#define GLIA_MAX_RANK 16

/* A tensor in somebody's memory: contiguous, row-major. A scalar has rank 0. Elements are float, double, int32_t, and
 * uint8_t for u8 and bool (0 or 1). As a result, an array with data == NULL asks for a view: data then points to memory
 * of the library, valid until the next call of the same plan or function; its other members are filled in. */
typedef struct glia_array {
  glia_dtype dtype;
  int rank;
  int64_t dim[GLIA_MAX_RANK];
  void *data;
} glia_array;

static inline glia_array glia_array_of(glia_dtype dtype, const void *data, int rank, const int64_t *dim) {
  glia_array a;
  int k;
  a.dtype = dtype;
  a.rank = rank;
  for (k = 0; k < GLIA_MAX_RANK; k++) a.dim[k] = k < rank && dim ? dim[k] : 0;
  a.data = (void *)(uintptr_t)data;
  return a;
}
static inline glia_array glia_f32(const float *data, int rank, const int64_t *dim) {
  return glia_array_of(GLIA_F32, data, rank, dim);
}
static inline glia_array glia_f64(const double *data, int rank, const int64_t *dim) {
  return glia_array_of(GLIA_F64, data, rank, dim);
}
static inline glia_array glia_i32(const int32_t *data, int rank, const int64_t *dim) {
  return glia_array_of(GLIA_I32, data, rank, dim);
}
static inline glia_array glia_u8(const uint8_t *data, int rank, const int64_t *dim) {
  return glia_array_of(GLIA_U8, data, rank, dim);
}
static inline glia_array glia_bool(const uint8_t *data, int rank, const int64_t *dim) {
  return glia_array_of(GLIA_BOOL, data, rank, dim);
}

GLIA_API int64_t glia_count(const glia_array *a);      /* elements; -1: the array is no valid one */
GLIA_API const char *glia_version(void);               /* "0.1.0" */

/* The host's allocator. realloc's meaning: p NULL allocates, size 0 frees and returns NULL; NULL on failure, and p
 * stands. Blocks are aligned for any C type. If several graphs or sessions share it and run on several threads, it must
 * be thread-safe. */
typedef void *(*glia_realloc)(void *user, void *p, size_t size);

/* ---- threads ---- */
/* Threads that graphs and sessions share (config.pool): for a host that has many of them and does not want threads for
 * each. The pool computes for one at a time; who comes while it is taken computes on its own thread meanwhile, with the
 * same bits. It is closed after all that use it. threads: 0 is the CPUs allowed, 1 none but the caller's. */
typedef struct glia_pool glia_pool;
GLIA_API glia_status glia_pool_open(int threads, glia_realloc alloc, void *user, glia_pool **out);
GLIA_API void glia_pool_close(glia_pool *p);               /* NULL is fine */
GLIA_API int glia_pool_threads(const glia_pool *p);

/* ---- a graph ---- */
typedef struct glia_graph glia_graph;
typedef struct glia_plan glia_plan;
typedef uint32_t glia_node;
#define GLIA_NO_NODE UINT32_MAX

typedef struct glia_graph_config {       /* all zero is a good one */
  glia_realloc alloc;                    /* NULL: the C library's */
  void *user;                            /* for alloc */
  int threads;                           /* 0: the CPUs allowed; 1: none but the caller's */
  glia_pool *pool;                       /* not NULL: these threads, whatever `threads` says */
  int no_fuse;                           /* not 0: one operation after another, the reference */
  size_t max_memory;                     /* bytes the graph may have in use; 0: no limit */
} glia_graph_config;

GLIA_API glia_status glia_graph_open(const glia_graph_config *config, glia_graph **out);   /* config may be NULL */
GLIA_API void glia_graph_close(glia_graph *g);                                             /* NULL is fine */
GLIA_API const char *glia_graph_error(const glia_graph *g);   /* why the last call failed, or ""; until the next call */
GLIA_API void glia_graph_cancel(glia_graph *g);               /* stops the run that is going on, or the next one */

/* ---- nodes ---- */
/* A tensor that each run is given. dim: rank sizes, none negative; NULL for a scalar. Every size of a node's shape is
 * fixed. */
GLIA_API glia_node glia_input(glia_graph *g, glia_dtype dtype, int rank, const int64_t *dim);
/* A tensor whose numbers are copied now; value->data NULL is refused, unless it has no elements. */
GLIA_API glia_node glia_constant(glia_graph *g, const glia_array *value);
/* A constant of rank 0; value is converted to dtype. */
GLIA_API glia_node glia_scalar(glia_graph *g, glia_dtype dtype, double value);
/* The operation of that name (`glia doc NAME` describes it) on n inputs, with the whole numbers it is made with (axes,
 * sizes), if any. If the operation works element by element and the shapes differ, the inputs are broadcast as NumPy
 * does. */
GLIA_API glia_node glia_op(glia_graph *g, const char *name, const glia_node *in, int n, const int64_t *number,
                           int n_number);
/* x repeated to the shape dim: axes are matched from the last one on, and those of size 1, or missing, are repeated. */
GLIA_API glia_node glia_broadcast(glia_graph *g, glia_node x, int rank, const int64_t *dim);
/* The same elements in row-major order in another shape of as many elements. */
GLIA_API glia_node glia_reshape(glia_graph *g, glia_node x, int rank, const int64_t *dim);
/* Another element type: to an integer towards 0, to a bool whether it is not 0. */
GLIA_API glia_node glia_cast(glia_graph *g, glia_node x, glia_dtype dtype);
/* Over n_axis axes, each once, in any order, negative ones from the end; with none it is x. keep: not 0: they stay with
 * size 1. */
GLIA_API glia_node glia_sum(glia_graph *g, glia_node x, const int *axis, int n_axis, int keep);
/* Over all axes: a scalar. */
GLIA_API glia_node glia_sum_all(glia_graph *g, glia_node x);
/* Fills in dtype, rank and dim; data is NULL. */
GLIA_API glia_status glia_node_type(const glia_graph *g, glia_node node, glia_array *out);

static inline glia_node glia_op1(glia_graph *g, const char *name, glia_node x) {
  return glia_op(g, name, &x, 1, NULL, 0);
}
static inline glia_node glia_op2(glia_graph *g, const char *name, glia_node x, glia_node y) {
  glia_node in[2];
  in[0] = x;
  in[1] = y;
  return glia_op(g, name, in, 2, NULL, 0);
}
static inline glia_node glia_add(glia_graph *g, glia_node x, glia_node y) { return glia_op2(g, "add", x, y); }
static inline glia_node glia_sub(glia_graph *g, glia_node x, glia_node y) { return glia_op2(g, "sub", x, y); }
static inline glia_node glia_mul(glia_graph *g, glia_node x, glia_node y) { return glia_op2(g, "mul", x, y); }
static inline glia_node glia_div(glia_graph *g, glia_node x, glia_node y) { return glia_op2(g, "div", x, y); }
static inline glia_node glia_matmul(glia_graph *g, glia_node x, glia_node y) { return glia_op2(g, "matmul", x, y); }

/* d y / d wrt[k], each of wrt[k]'s type, as n new nodes: they can be differentiated again. y is a floating-point
 * scalar. What y does not depend on has zeros. */
GLIA_API glia_status glia_grad(glia_graph *g, glia_node y, const glia_node *wrt, int n, glia_node *out);

/* ---- running ---- */
/* `input` takes the value of `value`, of the same type, after each run: the caller's buffer of that input is written.
 * All values are those of before the run; when a run fails or is cancelled, no buffer of an updated input has been
 * written. */
typedef struct glia_update { glia_node input, value; } glia_update;

/* Makes the plan that computes `output` from `input` (nodes of glia_input; each that an output depends on must be
 * there). The plan is optimised for these shapes once; it belongs to g, and ends with glia_plan_close or with g. */
GLIA_API glia_status glia_compile(glia_graph *g, const glia_node *input, int n_input, const glia_node *output,
                                  int n_output, const glia_update *update, int n_update, glia_plan **out);
GLIA_API void glia_plan_close(glia_plan *p);                  /* NULL is fine */
/* in and out are as many, in the order and of the types given to glia_compile. Allocates nothing. No output
 * may overlap an input or another output: GLIA_MISUSE. */
GLIA_API glia_status glia_run(glia_plan *p, const glia_array *in, int n_in, glia_array *out, int n_out);

#ifdef __cplusplus
}
#endif
#endif
