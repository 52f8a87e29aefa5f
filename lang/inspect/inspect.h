/* inspect: a value of the session computed once more, node by node and with nothing fused: what it was computed from,
 * and its derivative. In: a node of the session's graph. Out: for each node below it its value, its adjoint, and what
 * passed that on. At any order: the derivative in a formula is more of its nodes.
 *
 * Cells are as the formula found them, or as they are now. Formulas alone are computed, so no effect happens, and an
 * ordinary run knows nothing of it.
 * Invariant: the session stays as it is. All of this is valid until the session's next call.
 */
#ifndef LANG_INSPECT_H
#define LANG_INSPECT_H
#include "runtime/graph/grad.h"
#include "elab/elab.h"
#include "session.h"

/* What the formula reads and can be differentiated by: a parameter or variable, or else a name. */
typedef struct InspectLeaf { NodeId node; const char *path; const Cell *cell; } InspectLeaf;

typedef struct Inspect {
  Session *s;
  Arena *a;
  Graph *g;                  /* the formula, in the form that is differentiated, and its derivative */
  NodeId y;
  uint32_t n;                /* the formula's nodes, ascending: y is the last */
  NodeId *node;
  Tensor **value;            /* by node; NULL: it was not computed */
  bool scalar;               /* y is one float: then there are adjoints */
  NodeId *adjoint;           /* by node of the formula: a node, or NO_NODE */
  Passed *passed;            /* in the order of the walk back: the user falls */
  uint32_t n_passed;
  VEC(InspectLeaf) leaf;
  const char **name;         /* by node of the formula as it was written: what the session calls it, or NULL */
  uint32_t n_name;
  double *took;              /* INSPECT_TIMED: nanoseconds, by node; of a loop with what is picked of it */
  VEC(const char *) moved;   /* the cells that have another value now than the formula found */
} Inspect;

/* Cells as the formula found them; values alone, with cells as they are now; values alone, and what each took;
 * no values; at a moment of a run (inspect_moment). */
typedef enum { INSPECT_THEN, INSPECT_NOW, INSPECT_TIMED, INSPECT_SHAPES, INSPECT_MOMENT } InspectWhen;
/* NULL: *why says why, in words that live until the session's next call. */
/* A node of the session's graph that has another value instead: of its shape, or one number for all. */
typedef struct Replaced { NodeId id; const Tensor *value; } Replaced;
Inspect *inspect_replaced(Session *s, NodeId y, InspectWhen when, const Replaced *r, const char **why);
Inspect *inspect_open(Session *s, NodeId y, InspectWhen when, const char **why);
/* As it was when the slots held that; NULL: as now. */
Inspect *inspect_moment(Session *s, NodeId y, const Tensor *const *held, uint32_t n, const char **why);
void inspect_close(Inspect *x);
/* The nodes that these need, themselves among them, ascending, in a; the graph stays as it is. */
uint32_t inspect_below(const Graph *g, const NodeId *root, uint32_t n_root, Arena *a, NodeId **out);

/* y has a node, a value and an adjoint as a tensor; NULL: none */
const Tensor *inspect_value(const Inspect *x, NodeId id);
const Tensor *inspect_adjoint(const Inspect *x, NodeId id);
/* The place in the user's own text; 0: none. */
Loc inspect_loc(const Inspect *x, NodeId id);
/* As the language writes it: "tanh", "@". */
const char *inspect_op(const Inspect *x, NodeId id);
/* A name where the formula has one, else the text of its place if that is short, else NULL. */
const char *inspect_name(const Inspect *x, NodeId id);
/* The formula of a node as it was written, a line an operation; NULL: no memory. */
const char *inspect_dump(Session *s, NodeId y, Arena *a);
/* The newest node below y that op makes ("relu", "@"; NULL: y itself); NO_NODE: none. Of a cell: the node that read
 * what is called path. */
NodeId inspect_find_op(const Session *s, NodeId y, const char *op, Arena *a);
NodeId inspect_find_cell(const Session *s, NodeId y, const char *path, Arena *a);
bool inspect_contains(const Session *s, NodeId y, NodeId id, Arena *a);
/* Whether y depends on a cell that is called name or stands below it (NULL: on any parameter). Scratch in a. */
bool inspect_reads(const Session *s, NodeId y, const char *name, Arena *a);
/* Which cells below a node have moved since it was computed: their names, with commas; NULL: none. */
const char *inspect_moved(Session *s, NodeId y, Arena *a);
#endif
