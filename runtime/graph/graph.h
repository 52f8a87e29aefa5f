/* graph: what a script means for these argument types. Nodes in one array that is its own topological order: an
 * input's id is smaller than its user's. Every node is well typed (its op's type rule ran when it was made) and has a
 * Loc. Passes are loops over ids; nothing recurses over a graph.
 *
 * The graph is as written: emission neither folds nor shares; opt does, on a copy.
 * Invariant: graph_verify holds after every pass.
 */
#ifndef RUNTIME_GRAPH_H
#define RUNTIME_GRAPH_H
#include "value/tensor.h"

typedef uint32_t NodeId;
#define NO_NODE UINT32_MAX

/* A place in the user's text: an index into the language's table of (source, first, end, Loc of the call it stands
 * in). The runtime only carries it. 0 is nowhere. The top bit marks an adjoint of the node that has the Loc. */
typedef uint32_t Loc;
#define LOC_ADJOINT 0x80000000u

typedef struct Op Op;
typedef struct Graph Graph;

/* What an op needs besides its inputs. Its meaning is the op's own: axes, a shape, a slot, ... */
typedef struct Attr {
  Tensor *value;             /* const: the value (the graph's arena holds a reference) */
  Graph *body;               /* loop: its body, whose inputs are op `input` with slot k */
  const void *foreign;       /* a foreign op's call */
  double f[2];
  uint32_t n;
  const int64_t *i;
} Attr;
extern const Attr attr_none;     /* that of every node which has none */

enum {
  NODE_FLEX = 1,    /* a literal, or computed from literals alone: f64 here, cast where an element type is wanted */
  NODE_KNOWN = 2,   /* computable while checking: no input below it (set by graph_emit) */
  NODE_LAZY = 4,    /* a formula over file data: recomputed where used, never saved whole */
  NODE_INTS = 16,   /* a literal of whole numbers, or + - * // % of such: it may be a size, an index, an i32 */
  NODE_SETTLED = 32,/* a literal that is f32 because nothing wanted another type: the language's */
  NODE_BAD = 8,     /* follows from a reported error: no new message */
};

typedef struct Node {
  const Op *op;
  const Type *type;          /* interned in the graph */
  const NodeId *in;
  const Attr *attr;          /* never NULL */
  Loc loc;
  uint32_t segment;          /* the language's: which stretch of steps it was made in */
  uint16_t n_in;
  uint16_t flags;
} Node;

/* A result of the graph: node's value goes to slot. */
typedef struct Output { NodeId node; uint32_t slot; } Output;

struct Graph {
  Arena *arena;
  Node *node;                /* moves as it grows: copy a node before you call what emits */
  uint32_t n, cap;
  uint32_t limit;            /* most nodes; crossing it leaves by the guard with FAIL_LIMIT */
  Loc loc;                   /* given to nodes emitted without a Loc of their own */
  uint32_t segment;          /* given to nodes emitted now */
  VEC(Output) out;           /* results, in order */
  void *types;               /* interning table; of all graphs that stand beside each other */
  uint32_t *mark, mark_cap, epoch;   /* scratch for walks: mark[id] == epoch */
  Tensor **known;            /* graph_known's cache, by id */
  uint32_t known_cap;
  const struct Kernels *kernels;     /* what graph_known computes with; NULL: the best */
  const Op *no_gradient;     /* a foreign function without a gradient that an adjoint met, and where; NULL: none */
  Loc no_gradient_at;
};

Graph *graph_new(Arena *a);
/* a new one that shares the types of g, whose arena outlives it */
Graph *graph_beside(const Graph *g, Arena *a);
void graph_change(Graph *g);       /* arena_change of it, before nodes are added */
const Type *graph_type(Graph *g, const Type *t);            /* interned */

/* Why a type rule refused. The language decorates it by its kind: places, the shapes there, what would fit. */
typedef enum {
  BAD_NONE, BAD_DTYPE, BAD_MIXED, BAD_RANK, BAD_SHAPE, BAD_INNER, BAD_BATCH, BAD_AXIS, BAD_SIZE, BAD_RANGE, BAD_EMPTY,
  BAD_VALUE, BAD_LIMIT, N_BADS
} Bad;

typedef struct TypeError {
  Bad kind;
  int a, b;                  /* the operands that disagree, or -1 */
  /* in the graph's arena: what was found and expected, with shapes; no place, no full stop */
  const char *text;
  const char *hint;          /* a way out, or NULL */
  const char *code;          /* of the diagnostic in the language, "E1109"; NULL: that of the kind */
} TypeError;
/* Of two element types that do not meet: `name` says what they are operands of. */
TypeError type_mixed(Arena *a, const char *name, DType x, DType y);

/* Makes a node. in, attr are copied. Returns NO_NODE and fills *e when the type rule refuses (e may be NULL only if
 * the caller knows the types: then a refusal is a bug and asserts). */
NodeId graph_emit(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const Attr *attr, Loc loc, TypeError *e);

/* n, of a graph that g stands beside, with these inputs of g, whose types are those of n's own. `in` may be n->in: the
 * same ids are not copied again. lasts: what n points to lives at least as long as g (else it is copied). Its type rule
 * does not run again. */
NodeId graph_copy(Graph *g, const Node *n, const NodeId *in, bool lasts);
/* A graph with the same nodes, which g must outlive. */
Graph *graph_clone(const Graph *g, Arena *a);
/* for so many more nodes, which then need not move */
void graph_room(Graph *g, uint32_t more);

NodeId graph_input(Graph *g, uint32_t slot, const Type *t, Loc loc);       /* op input; attr->i[0] is the slot */
/* the arena refs t; the caller keeps its own */
NodeId graph_const(Graph *g, Tensor *t, Loc loc);
NodeId graph_const_like(Graph *g, DType d, double v, Loc loc);             /* a scalar literal */
void graph_output(Graph *g, NodeId node, uint32_t slot);
static inline const Node *graph_at(const Graph *g, NodeId id) { return &g->node[id]; }

/* The ids that the roots depend on (roots included), ascending, in the graph's arena. stop(ctx, id) true: id is taken
 * but not looked behind. Iterative. */
uint32_t graph_slice(Graph *g, const NodeId *root, uint32_t n_root, bool (*stop)(void *, NodeId), void *ctx,
                     NodeId **out);

void graph_sort(NodeId *at, uint32_t n);     /* ids, ascending */

static inline void graph_no_gradient(Graph *g, const Op *op, Loc at) {
  if (!op) return;
  g->no_gradient = op;
  g->no_gradient_at = at;
}

/* Copies what the outputs of `from` need into g, in[slot] in the place of its inputs. out[k]: its output k. */
void graph_inline(Graph *g, Graph *from, const NodeId *in, NodeId *out);

/* The value of a NODE_KNOWN node, computed now with the ops' kernels, cached by the graph; NULL if a kernel faults or
 * it is larger than the limit for known values. The graph keeps the reference. */
Tensor *graph_known(Graph *g, NodeId id);

/* Executable definition of a valid graph: NULL, or what is wrong (in a). */
const char *graph_verify(const Graph *g, Arena *a);
/* One line a node: `%3 f32[4, 8] = matmul %1 %2`, outputs last; the form that golden tests compare. show_loc may be
 * NULL, else it writes a node's place. */
char *graph_dump(const Graph *g, Arena *a, const char *(*show_loc)(void *, Loc), void *ctx);
#endif
