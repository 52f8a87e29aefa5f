/* op: the one place an operation is defined. One line in ops/list.h, one block in ops/FAMILY.c. The enum, the table,
 * the name in the language, the reference page and the op's tests are derived from it.
 *
 * A family file is compiled once for the graph and once for each CPU feature level with -DKERNELS=v1|v3|v4, where only
 * kernels remain and fill that level's table.
 */
#ifndef RUNTIME_OP_H
#define RUNTIME_OP_H
#include "graph/graph.h"

typedef enum {
#define OP(name) OP_##name,
#include "ops/list.h"
#undef OP
  N_OPS                      /* the id of an op that is not in list.h: it has a kernel of its own, Op.run */
} OpId;

/* ---- the type rule ---- */
typedef struct TypeRule {
  Graph *g;
  const Op *op;
  const Type *const *x;      /* input types */
  const NodeId *in;          /* the inputs themselves: only `pick` looks, at its loop's body */
  uint32_t n;
  const Attr *attr;
  Type y;                    /* the result, filled by the rule */
  TypeError e;               /* or the refusal */
} TypeRule;
bool refuse(TypeRule *r, Bad kind, int a, int b, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));   /* always false: `return refuse(...)` */
bool refuse_coded(TypeRule *r, const char *code, Bad kind, int a, int b, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));   /* the same, with a code of its own */
/* No operand and no result is of `stored`, a set of element types, unless the op moves, casts or multiplies. */
bool storage_kept(TypeRule *r, unsigned stored);
bool one_dtype(TypeRule *r, int i, int j);   /* operands i and j have; no: refused */

/* ---- the gradient: builds graph from x, y, dy; nothing else is saved between forward and backward ---- */

/* selected: a zero in it says that the element was not chosen (grad.c). NO_NODE: none came. */
typedef struct Adjoint { NodeId node; bool selected; } Adjoint;

typedef struct Grad {
  Graph *g;
  NodeId y, dy;              /* of a loop: dy is NO_NODE, see dys */
  bool selected;             /* dy is */
  const Adjoint *dys;        /* a loop's adjoints, one for each output of its body */
  const NodeId *x;
  uint32_t n;
  const Attr *attr;
  const bool *wanted;        /* whether dx[k] is needed */
  NodeId *dx;                /* NO_NODE: zero */
  bool *dx_selected;         /* as dy is, and by op->selects; a rule that knows better changes it */
} Grad;
/* An adjoint (dy, or what was made of it) times a slope: exactly zero where a selected one is, whatever the slope. */
NodeId g_times(const Grad *d, NodeId adjoint, NodeId slope);

/* ---- vmap: a node over a batch (batch.c) ----
 * x[k] has one axis more than the element's operand, in front, where has[k]. */
typedef struct Batch {
  Graph *g;
  const Node *node;          /* that of an element */
  const NodeId *x;
  const bool *has;           /* at least one */
  int64_t size;
} Batch;
Type batch_type(const Type *element, int64_t size);
NodeId batch_full(const Batch *b, uint32_t k);               /* operand k with the axis */
/* the op, with another attr->i */
NodeId batch_emit(const Batch *b, const NodeId *x, const int64_t *i, uint32_t n_i);
/* attr->i[first..] are sizes: the batch before them */
NodeId batch_sizes(const Batch *b, const NodeId *x, uint32_t first);
NodeId batch_front(Graph *g, NodeId x, int from, int to);    /* axis `from` becomes axis `to` */
/* Rules: all operands with the axis, and attr->i as it is; with attr->i[0], or [1], an axis. Pointwise ops have the
 * first. */
NodeId batch_same(Batch *b);
NodeId batch_axis(Batch *b);
NodeId batch_second_axis(Batch *b);

/* ---- sparsity: which elements of its operands the derivative of an element of the result is by (sparse.c) ----
 * An element may be said to depend on more than it does, never on less. A rule says it operand by operand; of operands
 * on which nothing depends (whole numbers, constants) it may say anything. */
typedef struct Depends {
  Graph *g;
  const Node *node;
  struct Sets *sets;
  const uint32_t *const *x;  /* by operand: of each element the set of columns that it depends on; NULL: on none */
  uint32_t *y;               /* of each element of the result, filled by the rule */
  Arena *scratch;
} Depends;
/* Along the axes of operand k: to[axis] is the axis of the result that it is, element by element; -1: all are mixed. */
void depends_axes(Depends *d, uint32_t k, const int *to);
/* Element j of operand k belongs to group[j] of n, to none if it is negative; one set for each group. y[i] depends on
 * the set of[i], on none if it is negative. NULL: i, j themselves. */
const uint32_t *depends_group(Depends *d, uint32_t k, const int64_t *group, int64_t n);
void depends_on(Depends *d, const uint32_t *set, const int64_t *of);
void depends_same(Depends *d, uint32_t k);                  /* y[i] on element i of operand k */
/* Operand k is spread over the result as the transpose of op `by` says, which takes y and the operands behind it:
 * adds up where several meet. false: the run alone knows where. */
bool depends_placed(Depends *d, uint32_t k, const Op *by, const NodeId *behind, uint32_t n, const int64_t *i,
                    uint32_t n_i);
/* Rules: each element of the result is one element of an operand, or 0; along attr->i[0] all are mixed; of matrices,
 * leading axes are a batch. */
bool depends_where_moved(Depends *d);                       /* false: the run alone knows which */
void depends_moved(Depends *d);
void depends_lines(Depends *d);
void depends_matrices(Depends *d);
void depends_none(Depends *d);

/* ---- exact simplification: another node equal to it under IEEE-754, or NO_NODE ---- */
typedef struct Simplify { Graph *g; NodeId id; Node node; } Simplify;

/* ---- kernels ---- */
typedef enum { FAULT_NONE, FAULT_OP, FAULT_CANCELLED } FaultCode;
typedef struct Fault {
  FaultCode code;
  uint32_t which;            /* of op->faults */
  int64_t element;           /* flat index of the first element at fault; -1: of none alone */
  int64_t a, b;              /* what the op's text names, e.g. the index and the size */
  double v;
  uint32_t step;             /* of the plan; filled by run */
  const Op *op;              /* that failed in a loop's body, and where it stands; NULL: the step's own */
  Loc loc;
} Fault;

/* How an op says that it has no result for what the run gave it. */
typedef struct OpFault {
  const char *code;          /* of the diagnostic in the language, "E0701"; NULL: that of all ops */
  const char *text;          /* what was found, what was expected; {a} {b} {v} are the numbers of the Fault */
  const char *hint;          /* a way out, with the same holes, or NULL */
} OpFault;
extern const OpFault fault_index;            /* of all that index: number a, size b */

typedef struct KernelCall {
  const void *const *in;
  void *out;
  const Type *const *in_type;
  const Type *out_type;
  const Attr *attr;
  uint32_t n_in;
  int64_t begin, end;        /* this call's part of the units of work */
  void *scratch;             /* op->scratch(call) bytes, this part's own, also while it prepares */
  void *shared;              /* what `prepare` made for all parts; NULL: nothing was prepared */
  Fault fault;               /* filled by a kernel that returns false */
} KernelCall;
typedef bool (*Kernel)(KernelCall *c);

/* A pointwise kernel: n elements, unit stride. out may be in[k] where the element sizes are equal. It never traps, not
 * even on what its check refuses. */
typedef void (*TileKernel)(void *out, const void *const *in, int64_t n, const Attr *attr);
enum { POINT_IN = 4 };       /* most inputs of a pointwise op */

/* One instruction of a straight-line program (exec/straight.h): a kernel and all that it needs to know, places too, so
 * that to run it is one call and nothing is looked up. more: of a pointwise kernel the op's attr, else what its `line`
 * left in `shape`. */
typedef struct Instr Instr;
typedef void (*InstrKernel)(const Instr *i);
struct Instr {
  InstrKernel run;
  int64_t n;
  const void *more;
  void *out;
  const void *in[POINT_IN];
};
enum { LINE_SHAPE = 8 };

/* How a pointwise op with OP_FAILS fails: a scan over the same inputs, made before the tile kernel may write over them.
 * False: f->code, a and b are those of the first element at fault, f->element its place from the start of this tile
 * (the caller adds where the tile begins). */
typedef bool (*TileCheck)(const void *const *in, int64_t n, const Attr *attr, Fault *f);

typedef struct Cost { double flops, bytes; } Cost;

enum {
  OP_POINTWISE = 1,          /* all inputs and the output have one shape; has tile kernels (cast, too) */
  OP_FAILS = 2,              /* the kernel may return a fault */
  /* its derivative is zero everywhere (step, floor, comparisons): a warning when differentiated */
  OP_EFFECTLESS_ZERO = 4,
  OP_HIDDEN = 8,             /* not a name of the language (input, const, loop, smul, ...) */
  OP_COMMUTES = 16,
  /* a formula over file data stays one: slice, reshape (pointwise ops and casts do anyway) */
  OP_KEEPS_LAZY = 32,
  OP_KEEPS_LAZY_AXIS_0 = 64, /* the same if attr->i[0] is 0: gather */
  OP_RANDOM = 128,           /* draws from a key, its input 0 */
  OP_MOVES = 256,            /* each element of the result is one of operand 0; which, their values do not say */
  OP_PASSES = 512,           /* what operand 0 means, in another order or element type, or with another derivative */
  OP_CHOOSES = 1024,         /* each element is one of an operand of the result's type, its negation, or 0 */
  OP_KEEPS_INTS = 2048,      /* whole numbers in, whole numbers out: a literal of such stays one */
  OP_COMPARES = 4096,        /* its bool is about how operands 0 and 1 stand to each other */
  OP_STORES = 16384,         /* as OP_MOVES: takes and makes elements that are only stored: casts, products */
  OP_OPAQUE = 8192,          /* nobody looks into it: its value is of the run, its element types are its own: foreign */
};

#define SELECTS(operand) (1u << (operand))

struct Op {
  const char *name, *doc, *example;
  const char *sign;          /* how the language writes it, if not by its name: "==" */
  /* how a formula writes it, if not by sign or name: "x^2", of operands x and y; x'0: transposed if attr->i[0] */
  const char *form;
  const char *wants;         /* the hint for a result that is not finite: what it wants, and a way to give it that */
  const char *args;          /* how it is called, and what goes into attr->i: graph/face.h. Unset: tensors x, y, z */
  uint16_t id, flags;
  int8_t n_in;               /* -1: any number */
  uint8_t selects;           /* SELECTS(k): operand k's adjoint is zero where the result did not take its element */
  float lo, hi;              /* where tests draw float operands from; both 0: [-2, 2] */
  const char *samples;       /* what tests give it, see below. Unset: whatever fits of small tensors and attributes */
  bool (*type)(TypeRule *r);
  NodeId (*simplify)(Simplify *s);
  void (*grad)(Grad *d);
  const char *no_grad;       /* the reason why it has none */
  int64_t (*units)(const KernelCall *c);     /* how many independent units of work; NULL: 1, or elements if pointwise */
  size_t (*scratch)(const KernelCall *c);
  Kernel run;                  /* its own kernel, the same at every level: of an op that is not in list.h */
  const OpFault *faults;     /* with OP_FAILS: by Fault.which */
  Cost (*cost)(const KernelCall *c);
  NodeId (*batch)(Batch *b);   /* the result has the axis; NULL: pointwise, or an element a turn */
  void (*depends)(Depends *d); /* NULL: pointwise, or each element of the result on all of each operand */
  const char *js;              /* what a page computes it with: op_js; NULL: the expression of its kernel, or none */
};

/* samples: the operands' types, then `;` and attr->i if there is one; samples are separated by `|`. f32 stands for "a
 * float". "f32[3,4] i32[2]; 0 | f32[2,3,4] i32[2]; 1". f32[3,3]+4 has 4 added to its diagonal, far from singular. */

/* The operation in JavaScript, or NULL. Pointwise: an expression over numbers x, y and z. Else statements that fill o,
 * zeroes so far, from the arrays xs (x, y and z are its first); Xs, X, Y, Z and R are the shapes of the operands and of
 * o. In both a is attr->i and t the result's element type. lang/tool/page/graph.js has the functions that may be
 * called. */
const char *op_js(const Op *op);

extern const Op *const op_table[N_OPS];
const Op *op_find(const char *name, size_t len);             /* by its name in the language, hidden ones too; NULL */

/* What one feature level knows of one op: `const OpKernels KERNELS_OF(sin) = { ... }` beside the op, under #ifdef
 * KERNELS. Every op in list.h has one (an empty one if it never runs: input, const). A kernel that it lacks is that of
 * the level below, with all that belongs to it: the check of a tile kernel, what a run kernel prepares. */
typedef struct OpKernels {
  Kernel run;                                /* NULL for pointwise ops */
  /* pointwise: by the dtype of the last input (`where` begins with a bool) */
  TileKernel tile[N_DTYPES];
  /* the same of one element, at the lowest level only: the bits are those of any level; NULL: by the tile kernel */
  InstrKernel one[N_DTYPES];
  /* pointwise with OP_FAILS: the same index; NULL: cannot fail on this dtype */
  TileCheck check[N_DTYPES];
  /* A kernel for a small call of these types, with the bits of `run`; it finds shape[LINE_SHAPE] in Instr.more. NULL:
   * there is none for such a call. */
  InstrKernel (*line)(const KernelCall *c, int64_t *shape);
  /* What all parts of a call share (a packed operand, a factorisation): `prepare` fills c->shared, `shared` bytes, in
   * `prepares` units of its own, all of them before the first of `run`. 0 units: of this shape nothing is prepared. */
  Kernel prepare;
  int64_t (*prepares)(const KernelCall *c);
  size_t (*shared)(const KernelCall *c);
  bool exclusive;                            /* one caller at a time in the process: a library that is not safe */
  const char *js;                            /* pointwise: the expression of the f64 kernel, see op_js */
} OpKernels;
#define KERNELS_NAME_(op, level) op##_kernels_##level
#define KERNELS_NAME(op, level) KERNELS_NAME_(op, level)
#define KERNELS_OF(op) KERNELS_NAME(op, KERNELS)   /* sin_kernels_v3 when compiled with -DKERNELS=v3 */

/* A level's constant table, derived from list.h (runtime/graph/kernels.c). No mutable global. */
typedef struct Kernels {
  const char *level;                         /* "v1" "v3" "v4" */
  const struct Kernels *below;               /* what this level lacks; NULL: it lacks nothing */
  void (*begin_thread)(void);                /* once by each thread that is to run the level's kernels; may be NULL */
  const OpKernels *op[N_OPS];                /* NULL: the level below's */
} Kernels;
const Kernels *kernels_best(void);
const Kernels *kernels_level(const char *level);             /* NULL if this CPU lacks it */

/* ---- loop: the one op with several outputs ----
 * in: c carries, then s sequences ([turns, ...]), then constants. attr->i = {turns, c, s, reverse}; attr->body.
 * The body's inputs by slot: 0..c-1 the carries as they are, c..c+s-1 this turn's element of each sequence, then the
 * constants, and in the slot after those the turn's number, i32[]. (A body need not have an input for each slot.)
 * The body's outputs in order: the c next carries, then values of which the loop stacks one a turn.
 * Output k of the loop, read by `pick(loop) attr->i = {k}`: the last carry (k < c), else [turns, ...]. reverse: the
 * turns run from the last to the first; elements are read, and values stacked, at the turn's own number. The loop
 * node's type is that of its output 0, or f32[] when it has none. grad: dys instead of dy.
 *
 * A loop may end before its turns are over; attr->i goes on {.., ends, limit, who}, and the last constant is not the
 * body's:
 * ENDS_UNTIL: that constant, a bool[], says that no turn is to be made. The body's output c, bools of any shape, says
 * of a turn that it was the last one when all are true; output c of the loop is how many were made, i32[]. A limit
 * that is not 0 is told as the fault `who` when all turns are over and none was the last.
 * ENDS_COUNTED: that constant, an i32[], is how many turns are made: those of the numbers below it.
 * What is stacked for a turn that was not made is 0. */
enum { LOOP_TURNS, LOOP_CARRIES, LOOP_SEQUENCES, LOOP_REVERSE, LOOP_ENDS, LOOP_LIMIT, LOOP_WHO, LOOP_ATTRS };
enum { ENDS_AFTER_ALL, ENDS_UNTIL, ENDS_COUNTED };
enum { WHO_ITERATE, WHO_ITERATE_ONE, WHO_FIXED_POINT, WHO_ROOT, N_WHO };           /* ONE: of one tensor */
static inline int64_t loop_ends(const Attr *a) { return a->n > LOOP_ENDS ? a->i[LOOP_ENDS] : ENDS_AFTER_ALL; }
/* The body's first output that is stacked. */
static inline uint32_t loop_stacks(const Attr *a) {
  return (uint32_t)a->i[LOOP_CARRIES] + (loop_ends(a) == ENDS_UNTIL);
}
/* The fault of a loop whose limit was reached. flag: of its last turn; state: its first carry, of which the fault tells
 * the number that stands beside the flag that is not true. */
Fault loop_fault(const Attr *a, const Type *flag_type, const void *flag, const Type *state_type, const void *state);

/* ---- graph builders for gradient rules and the like: types are known to fit ---- */
#define OP(name) extern const Op op_##name;
#include "ops/list.h"
#undef OP
NodeId g_op(Graph *g, const Op *op, NodeId a);
NodeId g_op2(Graph *g, const Op *op, NodeId a, NodeId b);
NodeId g_op3(Graph *g, const Op *op, NodeId a, NodeId b, NodeId c);
NodeId g_attr(Graph *g, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i);
NodeId g_cast(Graph *g, NodeId a, DType d);                  /* a itself if it has the type */
NodeId g_broadcast(Graph *g, NodeId a, const Type *shape_of);/* to that shape; a itself if it has it */
NodeId g_sum_to(Graph *g, NodeId a, const Type *shape_of);   /* the transpose of g_broadcast */
NodeId g_reshape(Graph *g, NodeId a, const Type *shape_of);
NodeId g_fill(Graph *g, const Type *t, double v);            /* a broadcast literal */
#endif
