/* cell: cells, their versions, and where steps go. In: reads and assignments, in order. Out: nodes, steps and segments.
 * Invariant: a cell's `now` is its version in the innermost region that met it.
 */
#ifndef LANG_CELL_H
#define LANG_CELL_H
#include "elab/value.h"

typedef struct Version {
  NodeId node;                /* NO_NODE: not read yet since the region `through` changed the cell */
  Region *region;             /* where it was made */
  struct Version *before;     /* the one that it replaced */
  struct Version *alias;      /* the version outside that this one is, read at the entry of a region */
  bool assigned;              /* made by an assignment (or by what happened in `through`) */
  Region *through;            /* a loop or branch that changed it, and the last value that it got there */
  NodeId last;
} Version;
struct Cell {
  SlotId slot;
  Type type;
  enum CellRole { CELL_VAR, CELL_PARAM, CELL_STATE, CELL_HIDDEN } role;
  const char *path;           /* NULL until a `let` names it */
  bool frozen;                /* no optimizer moves it, from where `freeze` stands */
  Loc loc;
  Version *now;
  bool flex;                  /* element type still open: made from literals */
  const void *tied;           /* the optimizer that has it, or NULL */
  bool reached;               /* one stepped on a formula that depends on it */
  bool in_test;               /* made in a `test` */
  bool in_loss;               /* an optimizer stepped on what reads it */
  uint32_t number;            /* in the order in which cells were made */
  uint32_t writes;            /* assignments, its first value among them */
  uint32_t kept;              /* the number of the last mark that can put it back */
};

/* Rows that a block adds to a series from outside, in one turn; a column that it reads. */
typedef struct SeriesRows { Series *series; int64_t n; bool of_run; } SeriesRows;
typedef struct SeriesRead { const Series *series; Loc loc; } SeriesRead;
/* A derivative in a loop of a formula made outside, that read this cell there. what NULL: it read it inside too, and
 * took what was read outside for the same. */
typedef struct Stale { Cell *cell; const char *what; Loc loc, made; } Stale;
/* A derivative in a loop of a formula that read what the turn before left in this cell. by: cells, or nodes from
 * outside. */
typedef struct Carried { Cell *cell; const struct Leaf *by; uint32_t n; Loc loc; } Carried;
struct Region {
  Region *outer;
  enum RegionKind { REGION_TOP, REGION_LOOP, REGION_BRANCH, REGION_TEST } kind;
  Steps *steps;               /* steps of this block */
  VEC(Cell *) touched;
  NodeId first;               /* graph->n at its start */
  NodeId turn;                /* loops: the turn (i32[] input) */
  int64_t count;              /* loops: how many turns, -1: of the run */
  bool leaves;                /* loops: a `break` or `continue` may end a turn early */
  VEC(SeriesRows) rows;
  VEC(SeriesRead) read;
  /* formulas from outside that were differentiated inside a loop: wrong if it assigns the cell */
  VEC(Stale) stale;
  VEC(Carried) carried;
  const Ast *ast;
  Loc caller;
};
Region *region_enter(Elab *e, int kind, Steps *steps, const Ast *ast);    /* a fresh segment in it */
void region_leave(Elab *e, Region *r);                                    /* and a fresh segment after it */
Step *step_add(Elab *e, StepKind kind, Loc loc);
void step_effect(Elab *e, Step *effect);                          /* adds it; cuts if it must */

typedef struct CellNode { NodeId node; Cell *cell; } CellNode;    /* what an assignment made */
/* A loop assigns a cell that a derivative in it read outside too: there it was a constant. cell: its number. */
typedef struct Turned { const Ast *loop; Loc caller; uint32_t cell; } Turned;
typedef struct Widened { Loc made; const char *path; DType dtype; } Widened;    /* a later assignment makes it float */
Cell *cell_new(Elab *e, int role, const Type *t, const char *path, Loc loc);
NodeId cell_read(Elab *e, Cell *c, Loc loc);
void cell_assign(Elab *e, Cell *c, NodeId n, Loc loc);
void cell_go_on(Elab *e, Cell *c);                   /* what was assigned before is read as it is, not from the slot */
void cell_constant(Elab *e, Cell *c);                  /* a derivative takes what stands in it now as constant */
void cell_changed_outside(Elab *e, Cell *c);           /* the same by an entry of which nothing is left */
void cell_changed(Elab *e, Cell *c);                   /* by an effect: it is read anew from here on */
Value value_decay(Elab *e, Value v);                   /* V_CELL -> V_NODE; others as they are */
#endif
