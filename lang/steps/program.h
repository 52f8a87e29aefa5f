/* program: what a script does: a tree of steps over one graph.
 *
 * All formulas of a session stand in one Graph. A stretch of steps that can be computed at once is a Segment: its nodes
 * carry its number. A segment ends only where a branch, a loop or an effect must see a value or may change a cell. What
 * a later segment needs of an earlier one crosses in a Slot. prepare() finds out what crosses, copies each segment's
 * slice into a graph of its own, optimises and plans it; machine_run() executes the tree.
 *
 * The position of a run is data (a stack of frames: block, step, turn), never the C stack.
 */
#ifndef LANG_PROGRAM_H
#define LANG_PROGRAM_H
#include "runtime/exec/run.h"
#include "runtime/files/files.h"
#include "text/diag.h"

typedef struct Session Session;
typedef uint32_t SlotId;
#define NO_SLOT UINT32_MAX

typedef enum {
  SLOT_CELL,      /* a var, param, state, optimizer state or the seed: read, and written by assignment */
  SLOT_VALUE,     /* crosses from one segment to later ones, or to an effect */
  SLOT_TURN,      /* i32[]: how often the loop has turned, from 0 */
  SLOT_DATA,      /* contents of a file: read before the first step that may need it */
  SLOT_ARG,       /* an argument of a function that the host or the REPL calls */
  SLOT_SHOWN,     /* what an entry showed that is gone: held.h */
  SLOT_TOLD       /* a loss that crosses for whoever listens alone: none where nobody does */
} SlotKind;

typedef struct Slot {
  SlotKind kind;
  Type type;
  Tensor *value;             /* NULL: not there yet (the slot holds a reference) */
  const char *path;          /* the name people know: "net.hidden.w", "total"; or NULL */
  Loc loc;
  uint32_t segment;          /* SLOT_VALUE: who saves it */
  struct DataFile *file;     /* SLOT_DATA */
  bool trained;              /* a param */
} Slot;

/* A file of numbers whose header was read while checking. read() makes the tensor, or NULL and text. */
typedef struct DataFile {
  const char *path;
  Tensor *(*read)(struct DataFile *, Host *, FileError *);
  void *how;
  uint64_t digest; bool digested;   /* of its bytes, when they were read */
} DataFile;

typedef struct Need { NodeId node; SlotId slot; } Need;      /* slot is filled by prepare */
typedef VEC(Need) Needs;
typedef VEC(struct Step *) Steps;

typedef struct CellWrite { SlotId cell; NodeId node; } CellWrite;

/* A slot that takes another's tensor without a plan: of a cell that is read and crosses, before the plan runs; of a
 * version that the segment makes, after it. */
typedef struct Share { SlotId from, to; bool after; } Share;
enum { SHARE_COPIED = 4096 };  /* up to so many bytes are copied: the cell may then be updated in place */

/* A binding of a plan that writes a parameter which has elements, or the loss. wide: f64; high: the byte of a number
 * where its upper half, with the exponent, begins. */
typedef struct Watched { uint32_t binding; uint8_t high; bool wide, loss; } Watched;

typedef struct Segment {
  uint32_t id;
  uint32_t first, end;        /* nodes made while it was open (inner segments' among them) */
  VEC(CellWrite) write;       /* the last version of each cell assigned in it */
  VEC(NodeId) loss;           /* what optimizers step on in it */
  VEC(NodeId) target;         /* what `grad` is taken of in it, by a tree of cells */
  /* prepare: */
  Needs save;                 /* what crosses out of it */
  bool prepared, ran;
  Graph *source, *graph;      /* its slice as written; optimised. They may be NULL */
  Plan *plan;                 /* NULL: nothing to compute */
  void **data;                /* a run's pointers, beside the plan's bindings */
  Tensor **spare;             /* the same, for a cell that is written but not read: it is changed when all went well */
  VEC(Share) share;
  Watched *watch; uint32_t n_watch;      /* the parameters that it moves, and the losses that cross: watch.h */
} Segment;

typedef enum {
  STEP_SEGMENT,   /* run segment */
  STEP_LOOP,      /* each piece in order: `count` turns of `body`; turn counts through all pieces */
  STEP_WHILE,     /* head, then while need[0] is true: body, head */
  STEP_IF,        /* need[0] true: then, else: other */
  STEP_BREAK, STEP_CONTINUE,
  STEP_EFFECT     /* effect->run with the needed values */
} StepKind;

typedef struct Step Step;
typedef struct Effect {
  const char *name;
  bool cuts; /* it changes cells or must stop the run before later cells change; else it only reads, and happens in
                                 order after the segment's plan ran */
  bool writes; /* files: not in a run that only rehearses */
  /* false: the run stops; the diagnostic was made */
  bool (*run)(Session *s, Step *step, Tensor *const *value);
} Effect;

/* a sequence whose last element has another shape has two */
typedef struct Piece { int64_t count; Steps body; } Piece;

struct Step {
  StepKind kind;
  Loc loc;
  uint32_t segment;           /* STEP_SEGMENT: which; STEP_EFFECT: the one its needs are made in */
  uint32_t mark;              /* graph->n when it was made: an error in a node before it comes first */
  Needs need;
  SlotId turn;                /* STEP_LOOP, STEP_WHILE */
  VEC(Piece) piece;           /* STEP_LOOP; a count of the run: one piece, count -1, and need[0] */
  Steps head, body, other;    /* STEP_WHILE: head, body; STEP_IF: body, other */
  const Effect *effect;
  void *data;                 /* the effect's own, in the session's arena */
};

typedef struct Program {
  Owned owned;               /* lets slots and plans go with the session's arena */
  Session *session;
  /* set by the session for what a REPL loads: later entries may recompute any value of this one */
  bool keep_leaves;
  VEC(Arena *) arena;        /* of segment graphs */
  void *slab; size_t slab_all;
  Tensor **value;            /* an effect's values, as many as the most that one needs */
  uint32_t value_cap;
  VEC(Slot) slot;
  VEC(Segment *) segment;
  VEC(struct Table *) table;  /* of all series, in the order in which they were made */
  struct ProgramScratch *scratch; /* prepare's own */
  SlotId *slot_of;            /* by node: where its value crosses, or NO_SLOT; grows with the graph */
  uint32_t slot_of_cap;
} Program;

Program *program_new(Session *s);
/* What stands in a program at a moment; the rest is dropped by program_cut. The tensors in slots that stay are not
 * touched, and the slab is what it is: program_put says so to a program that was copied back in between. */
typedef struct ProgramMark { Slot *at; uint32_t slot, segment, arena, table; } ProgramMark;
typedef struct ProgramKept { void *slab; size_t slab_all; } ProgramKept;
/* What was made from m to end has run for the last time: its plans and graphs go. */
void program_finish(Program *p, const ProgramMark *m, const ProgramMark *end);
ProgramMark program_mark(const Program *p);
ProgramKept program_cut(Program *p, const ProgramMark *m);
void program_put(Program *p, const ProgramKept *kept);
SlotId slot_new(Program *p, SlotKind kind, const Type *t, const char *path, Loc loc);
Segment *segment_new(Program *p);      /* also makes it the graph's current one */

/* Marks in `read` (one a slot) what the steps of a block from its `from`-th on read, with those inside them. */
void program_reads(const Program *p, const Steps *block, uint32_t from, Arena *a, uint8_t *read);

/* The tensor in a slot; reads the file of a SLOT_DATA. NULL: a diagnostic was made. */
Tensor *slot_tensor(Session *s, SlotId slot, Loc loc);
/* A slot takes a reference of its own (the caller keeps the one it has) and releases what it held. Types must be
 * equal. */
void slot_put(Program *p, SlotId slot, Tensor *t);

/* The frames of the run that is going on, outermost first: where it stands in each block, and in a loop that stands
 * there. It is left as it was when a run ends early, and empty after a run that came to its end. */
typedef struct Frame {
  Steps *block;
  Step *step;                /* block->at[at], once it began */
  uint32_t at, piece;
  int64_t turn, turn_in_piece, count;
  uint8_t phase;             /* STEP_WHILE: 0 in head, 1 in body */
} Frame;
typedef struct Position { VEC(Frame) frame; } Position;
#endif
