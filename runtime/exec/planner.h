/* planner: what plan_make knows while it works, and who does what. planner.c answers questions (what a node is, what a
 * unit reads, where a value lies) and calls nobody; fuse.c (units and their tile programs) and order.c (the order of
 * the units) ask it; plan.c (results, places, steps) calls all of them, and slab.c for offsets; straight.c makes
 * instructions of the steps.
 *
 * Invariant: the units form no cycle. A pointwise node of stage s needs only earlier stages, other nodes of its stage
 * that are not pointwise, and pointwise nodes of its stage with its element count (its own unit) or fewer (read through
 * a broadcast); everything else that reads a pointwise node stands a stage later.
 */
#ifndef RUNTIME_PLANNER_H
#define RUNTIME_PLANNER_H
#include "exec/slab.h"
#include "exec/step.h"

typedef enum {
  KIND_DEAD, KIND_INPUT, KIND_CONST,
  KIND_ALIAS,              /* its input's bytes, from `shift` on */
  KIND_STRETCH,            /* a broadcast that only fused steps read: read through, never made */
  KIND_POINT,              /* pointwise, to be fused */
  KIND_SINGLE,             /* a step of its own */
  KIND_PICK                /* an output of a loop: the loop's unit makes it */
} Kind;

#define NO_UNIT UINT32_MAX
typedef struct Unit {
  NodeId *node;            /* ascending */
  uint32_t n;
  bool tiles, fails;
  const Loop *loop;        /* of a loop */
  VEC(NodeId) made;        /* the roots whose bytes it makes: needed members, picks */
} Unit;

/* ---- what a result needs ---- */
typedef enum {
  OUT_NONE,                /* a cell that keeps its value */
  OUT_PLACED,              /* made where it belongs */
  OUT_START,               /* copied before anything else */
  OUT_AFTER,               /* copied after its unit */
  OUT_COMMIT               /* copied at the end */
} OutAct;

typedef struct Out {
  NodeId node, root;
  uint32_t bind;
  uint8_t act;
  bool cell, staged;       /* staged: copied to the slab at the start, from there at the end */
  Place stage;
} Out;

typedef struct Planner {
  Host *host;
  Arena *tmp;
  const Graph *g;
  const Kernels *kernels;
  bool fuse, once;
  Plan *p;
  uint8_t *kind;
  NodeId *root;            /* the node whose bytes it reads; itself unless an alias */
  size_t *shift;
  uint32_t *unit;          /* of POINT, SINGLE and PICK nodes */
  const void **block;      /* of a CONST node of one element: TILE of it, made when one is wanted */
  bool *needed;            /* of POINT nodes: read outside its unit, or a result */
  Place *place;            /* of a root */
  VEC(Unit) units;
  struct Builder *builder; /* fuse.c's */
  const Type **types;      /* copies made so far, by address; a power of two */
  const Type **copies;
  uint32_t n_types, cap_types;
  const NodeId *origin;
  bool body;               /* of a loop: outputs have slots by their order */
  Out *out;
  uint32_t n_out;
  uint32_t *first_out, *next_out;   /* results that a unit makes, as a chain: by unit, by result; NO_OUT ends it */
  VEC(NodeId) inputs;
  uint32_t *bind_of;       /* of an input node, else NO_BIND */
  NodeId *writer;          /* of a binding: the node that may be made in it in place of its old value, else NO_NODE */
  uint32_t *order, *at;    /* units in order; the place of each, from 1 */
  uint32_t *last;          /* of a root: the place of its last reader; GONE: its bytes are no longer its own */
  Slab slab;
  VEC(PlanStep) steps;
  VEC(Place) places;
  VEC(NodeId) place_node;
  VEC(NodeId) origins;
} Planner;
#define NO_BIND UINT32_MAX
#define NO_OUT UINT32_MAX
#define GONE UINT32_MAX

/* The node whose value user reads as its input k. */
static inline NodeId plan_source(const Planner *w, NodeId user, uint32_t k) {
  NodeId i = w->g->node[user].in[k];
  if (w->kind[user] == KIND_POINT && w->g->node[i].op->id == OP_broadcast && w->kind[i] != KIND_ALIAS)
    i = w->g->node[i].in[0];
  return i;
}
static inline NodeId plan_read(const Planner *w, NodeId user, uint32_t k) { return w->root[plan_source(w, user, k)]; }
static inline const Node *node_of(const Planner *w, NodeId id) { return &w->g->node[id]; }
static inline size_t bytes_of(const Planner *w, NodeId id) { return (size_t)type_bytes(w->g->node[id].type); }

/* ---- planner.c ---- */
#define PLAN_ALIGN 64u
static inline size_t plan_round(size_t n) { return (n + PLAN_ALIGN - 1) / PLAN_ALIGN * PLAN_ALIGN; }
const Type *plan_type(Planner *w, const Type *t);  /* copies in the plan */
const Attr *plan_attr(Planner *w, const Attr *a);
bool plan_pointwise(const Node *n);                /* has tile kernels */
bool plan_may_fail(const Planner *w, const Node *n);
TileKernel plan_tile(const Planner *w, NodeId id);
InstrKernel plan_one(const Planner *w, NodeId id);
/* Whether input k of user is read element by element, in step with it. */
bool plan_flat(const Planner *w, NodeId user, uint32_t k);
/* Calls f for each input of each node of unit u, with the root that it reads. */
void plan_each_read(const Planner *w, uint32_t u, void (*f)(void *, NodeId user, uint32_t k, NodeId root), void *ctx);
bool plan_may_write(const Planner *w, const Out *o);   /* a cell that its unit could write in place */
Place plan_place(const Planner *w, NodeId id);     /* where id's bytes are */
void plan_classify(Planner *w);                    /* fills kind, root and shift */

/* ---- order.c ---- */
void order_units(Planner *w);                      /* fills order and at */

/* ---- fuse.c ---- */
void fuse_units(Planner *w);                       /* fills unit, units and needed */
/* The program of u; the operands are appended to (place, node): loads, then stores. */
typedef struct Operand { Place place; NodeId node; } Operand;
typedef VEC(Operand) Operands;
const Tiles *fuse_build(Planner *w, const Unit *u, Operands *loads, Operands *stores, double *ns);
#endif
