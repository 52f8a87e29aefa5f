/* step: what a plan is made of, as plan.c, fuse.c and straight.c write it and run.c reads it. Everything is flat: a run
 * turns places into pointers where its data are others than before (straight.h) and then walks arrays. Nothing here is
 * written after plan_make.
 */
#ifndef RUNTIME_STEP_H
#define RUNTIME_STEP_H
#include "exec/plan.h"
#include "graph/kernels.h"

enum {
  TILE = 256,                    /* elements a block; also the unit in which a fused step is split */
  TILE_ARENA = 32 * 1024,        /* a thread's temporaries of one fused step, on its stack */
  TILE_REGS = 192, TILE_IN = POINT_IN,
  PART_MOST = 32,                /* most parts of a step; fixed by the shape, never by the threads */
};

/* Where bytes are: base 0 is the slab, 1 the plan's constants, 2 + k binding k. */
enum { BASE_SLAB, BASE_CONST, BASE_BIND };
#define BASE_NONE UINT32_MAX
typedef struct Place { size_t offset; uint32_t base; } Place;

/* ---- a fused step: loads, pointwise ops, stores, block by block ---- */
typedef enum {
  LOAD_FLAT,                     /* element e of the block's range: a pointer into memory */
  LOAD_FILL,                     /* one element, or a period that divides TILE: filled once a part */
  LOAD_ROWS,                     /* a period: a pointer while a block lies within it, else copied */
  LOAD_ANY,                      /* any broadcast: copied run by run */
  LOAD_BLOCK,                    /* one element of a constant: a block of it that the plan has */
} LoadMode;

typedef struct TileLoad {
  uint8_t mode, size, rank;
  uint16_t reg, operand;
  int64_t period;
  const void *block;
  const int64_t *dim, *stride;   /* collapsed; stride in elements of the source, 0 where it is stretched */
} TileLoad;

typedef struct TileOp {
  TileKernel fn;                 /* NULL: copy of the first input */
  InstrKernel one;               /* the same of one element; NULL: none */
  const Attr *attr;
  uint16_t in[TILE_IN], out;
  uint8_t n_in, size;            /* of the result's element */
  const Op *op;
} TileOp;

typedef struct TileStore { uint16_t reg, operand; uint8_t size; } TileStore;

typedef struct Tiles {
  uint16_t n_load, n_op, n_store, n_reg;
  bool moves;                    /* some load is not the same bytes, or the next ones, in each block */
  const TileLoad *load;
  const TileOp *op;
  const TileStore *store;        /* registers that are memory: set to the block's place before its ops run */
  const uint32_t *at;            /* of each register: its offset in the thread's arena, or UINT32_MAX */
} Tiles;

/* ---- a loop: its body is a plan of its own, run turn by turn ---- */
typedef enum {
  TURN_IN,                       /* input `index` of the loop as it is */
  TURN_ROW,                      /* this turn's row of input `index` */
  TURN_CARRY,                    /* carry `index` as the turn before left it */
  TURN_NEXT,                     /* carry `index` for the next turn */
  TURN_STACK,                    /* this turn's row of output `index` */
  TURN_FLAG,                     /* whether it was the last one */
  TURN_NUMBER,
} TurnKind;

/* A word of a bound body that is another in each turn of one parity, and how far it moves. */
typedef struct Move { uint32_t word; int64_t step; } Move;

typedef struct TurnBind { uint8_t kind; uint32_t index; size_t bytes; } TurnBind;

/* The step's places: the loop's inputs, its outputs (base BASE_NONE where nobody reads one), a spare of each carry, the
 * turn's number, the table of the body's bindings, the body's two bound areas and its slab, the flag of a loop that
 * ends by it. */
typedef struct Loop {
  Plan *body;
  int64_t turns;
  uint32_t n_carry, n_out;
  bool reverse;
  uint8_t ends;                  /* ENDS_... */
  const Attr *attr;
  Type flag, state;              /* ENDS_UNTIL: of the flag, and of the first carry */
  const TurnBind *bind;          /* beside body->bind */
  const size_t *bytes;           /* of each output: a carry, a count, a row */
  const bool *read;              /* of each output; a stacked value that nobody reads has one row only */
  uint32_t n_move;
  const Move *move;              /* of the places that a turn finds a row further, see run_loop */
} Loop;

typedef enum { PLAN_KERNEL, PLAN_TILES, PLAN_COPY, PLAN_LOOP } PlanStepKind;

typedef struct PlanStep {
  uint8_t kind;
  bool fails, writes_cell;
  uint16_t parts, prepare_parts; /* PLAN_KERNEL: all of the latter come before the former */
  uint32_t operand, n_in, n_out; /* plan->place[operand ..]: inputs, then outputs, then memory for a kernel or loop */
  int64_t units;                 /* PLAN_TILES: elements; PLAN_COPY: bytes */
  Dispatch kernel;
  const Type *const *in_type;
  const Type *out_type;
  const Attr *attr;
  const Op *op;                  /* NULL: fused, or a copy */
  const Tiles *tiles;
  const Loop *loop;
  uint32_t origin, n_origin;
  Loc loc;                       /* of its first node */
  Cost cost;
} PlanStep;

/* ---- what is bound ---- */

/* Steps that run one after another: as they are, or all of them as instructions. */
typedef struct Stretch { uint32_t step, n_step, instr, n_instr; bool straight; } Stretch;
/* The word of the bound area that holds base + offset. */
typedef struct Fixup { uint32_t word; size_t offset; } Fixup;

struct Plan {
  Arena *arena;                  /* the plan lives in it */
  const Kernels *kernels;
  uint32_t n_step, n_place, n_bind, n_origin;
  uint32_t first_write;          /* the first step that writes a cell: until then cancel is looked at */
  PlanStep *step;
  Place *place;
  Binding *bind;
  NodeId *origin;
  NodeId *node;                  /* beside place: the node of the planned graph there, for the dump; NO_NODE scratch */
  void *constants;
  size_t constant_bytes;
  size_t slab, buffers, temps;   /* of the slab: values; then what instructions need for one step */
  Stretch *stretch;
  uint32_t n_stretch, n_instr;
  uint32_t *first_instr;         /* of each step, and where the last one's end */
  size_t bound;                  /* bytes of the bound area: instructions, pointers of all places, bases */
  const void *image;             /* of it, before a base is known */
  void *area;                    /* plan_area; NULL in a body */
  const Fixup *fixup;
  const uint32_t *first_fixup;   /* by base: its fixups end where the next one's begin */
  Cost cost;
  uint32_t n_node;
  uint32_t depth;                /* loops inside one another */
  bool fails;                    /* some step can */
};

#endif
