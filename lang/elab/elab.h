/* elab: elaboration is partial evaluation. It computes with sizes, strings, functions, layers and lists, emits a node
 * for each tensor operation, and a step for each statement that acts. It runs no step: a script is elaborated, and so
 * checked, before its first step (but for what waits for a file that the run itself writes).
 *
 *   elab.c      messages, emission         value.c     values                     want.c      what is wanted of a value
 *   expr.c      expressions                arith.c     operators, element types   index.c     indexing, slices
 *   stmt.c      blocks, let, var, assert   assign.c    assignment                 branch.c    `if`
 *   loop.c      for, while, break          call.c      calls, arguments           signature.c types, patterns
 *   names.c     names                      order.c     operands, left to right    cell.c      cells, versions, regions
 *   leaves.c    trees, leaf by leaf        layer.c     layers, members            optim.c     optimizers
 *   seq.c       sequences                  series.c    tables that a run fills    lower.c     structural ops
 *   derive.c    grad and its kin           custom.c    `gradient`, recompute      draw.c      places and draws
 *   import.c    modules                    extern.c    foreign functions          show.c      values as text
 *   wait.c      what waits for the run     uncalled.c  functions nobody calls     mismatch.c  shapes that do not fit
 *   origin.c    scores or probabilities    lint.c      warnings of training       body.c      bodies of loops
 *   rows.c      rows of data sets          mark.c      what was only tried is taken back
 *   args.c      arguments, by a face       ints.c      known whole numbers        literal.c   numbers of no type yet
 *   depends.c   what is of the run, why    version.c   which version was read
 *   native.c    functions of the host language (natives/, a table a file)
 *
 * Every function takes an Elab first. A mistake is reported once (elab_error) and becomes V_BAD, which everything
 * passes on in silence.
 */
#ifndef LANG_ELAB_H
#define LANG_ELAB_H
#include "steps/state.h"
#include "elab/cell.h"
#include "elab/lint.h"
#include "elab/names.h"

/* For what stands beside the way of nested calls: its frame does not lie under each of them on the C stack. */
#define OUT_OF_LINE __attribute__((noinline))

/* ---- state ---- */
struct Kept { void *at, *was; size_t n; };      /* see mark.h */

/* Where we are, the stricter the later: parameters are made up to MAKE_IN_BODY, state is assigned up to MAKE_IN_GRAD
 * (the derivative takes it as constant), in what is chosen or runs for many elements neither. */
typedef enum {
  MAKE_OK, MAKE_IN_BODY, MAKE_IN_BRANCH, MAKE_IN_CALL, MAKE_IN_GRAD, MAKE_IN_IF, MAKE_IN_MAP
} MakeRule;

/* Who takes the value of what is read: nobody; the end of a `proc` or an entry, where steps may stand; a formula. */
typedef enum { USE_NONE, USE_OF_STEPS, USE_OF_FORMULA } Use;

typedef struct TestBlock { const Ast *ast; Steps *steps; uint32_t from; } TestBlock;   /* from: its first segment */

/* Where we stand: kept and set by value, so that whatever a call, a block or a derivative sets for its inside is gone
 * behind it. */
typedef struct Where {
  Scope *scope;
  Region *region;             /* NULL never: the top one at least */
  CallFrame *frame;
  Loc caller;                 /* Loc of the call we are in, 0 at the top */
  uint32_t depth;             /* nested calls */
  MakeRule make;
  Use use;
  bool training;
  struct PlaceFrame *place;
  VEC(NodeId) turns;          /* of the loops around, outermost first (steps and loop bodies) */
  struct TraceGroup *traces;  /* of the body of fold or scan that is being made, or NULL */
  const Ast *asserting;       /* the `assert` that is being read */
  const Source *source;
  Module *module;             /* the one that is being read, NULL: the script */
} Where;

/* What texts have made, in the order in which it was made: a mark takes back what came behind it (mark.h). */
typedef struct Made {
  VEC(Cell *) cells;
  VEC(CellNode) versions;     /* what assignments made, by node */
  VEC(Series *) series;
  VEC(Module *) modules;      /* imported files, each once */
  VEC(TestBlock) tests;       /* of this text */
  VEC(Looked) looked;
  VEC(Assigned) assigned;     /* formula variables: a branch of the run takes them back */
  struct ProgressClock *clock; /* of the training that began last */
  bool trains;                /* an optimizer of the script steps, outside of its tests */
  uint32_t known;             /* turns and calls of this text that were computed while checking */
  bool too_much;              /* more than MOST_KNOWN in this statement: reported */
} Made;

struct Elab {
  /* of the session */
  Session *s;
  Arena *a;
  Graph *g;
  Program *p;
  Scope *library;             /* natives, ops and the standard library, as they are met: the outermost scope */
  Scope *globals;
  CallFrame *outermost;       /* of no call: taken up anew by each entry, since a failure jumps out of any */
  Cell *seed;                 /* i32[2] */
  Source **stdlib;            /* its files, once something of them is in */
  bool *called;
  uint32_t called_cap;        /* by the id of a function's syntax */
  struct Faces *faces;        /* met so far (args.c) */
  Made made;
  struct ElabMark *mark;      /* the innermost */
  uint32_t marks;             /* set so far */
  VEC(struct Kept) kept;
  Where here;
  /* of one text */
  const Source *script;
  Loc doing;                  /* the statement, turn or call that is being read: where a limit is met */
  bool repl;
  VEC(Missing) missing;       /* uses of names that are nowhere, or not yet */
  bool missing_sorted;        /* by use */
  VEC(Widened) widened;       /* cells that a later assignment makes float */
  VEC(Turned) turned;
  /* of one reading of it */
  Diags *d;
  struct Wait *wait;
  bool again;                 /* a cell that is widened was read as an int before: the text is elaborated once more */
  uint32_t branches;          /* of the run that formulas have opened */
  uint32_t stamp;             /* see Bound.seen */
  uint32_t unknown;           /* names met that stand for nothing, reported by resolve or here */
  VEC(Sym) lost;              /* columns that statements with mistakes would have added */
};

Elab *elab_new(Session *s);
/* These say where we were: `e->here = outside` goes back. */
Where elab_top(Elab *e, const Source *text);                      /* as an entry begins */
Where make_within(Elab *e, MakeRule rule);                        /* from here on no less strict */
static inline const Type *node_type(Elab *e, NodeId n) { return graph_at(e->g, n)->type; }
static inline bool node_flex(Elab *e, NodeId n) { return (graph_at(e->g, n)->flags & NODE_FLEX) != 0; }

/* ---- messages ---- */
Loc elab_loc(Elab *e, const Ast *at);                             /* the whole of it, in the present call */
Loc elab_loc_at(Elab *e, const Ast *at);                          /* its `.at`: the operator, the name */
Diag *elab_error(Elab *e, const Ast *at, DiagId id, ...);         /* at `.at` of spot_of() */
Diag *elab_said(Elab *e, const Ast *at, DiagId id, const char *text);   /* the whole message */
/* Where a mistake stands: what the library finds wrong with an argument is wrong where the argument is written. */
Spot spot_of(Elab *e, const Ast *at);
/* the first such argument that an expression reads; NULL: none */
const Ast *argument_in(Elab *e, const Ast *ast);
/* A type rule refused: V_BAD. The operands are n nodes and where each is written (NULL: not known). */
Value elab_type_error(Elab *e, const Ast *at, const TypeError *t, const NodeId *in, const Ast *const *operand,
                      uint32_t n);
bool elab_stack_ok(Elab *e, const Ast *at);                       /* deep recursion: reports and says no */

/* Until the block ends, what is emitted stands at `at`, by whatever builder; behind it, where it stood before, however
 * the block is left. The one way to set graph->loc. NULL: only what is set inside is taken back. */
#define WITH_LOC(e, at) __attribute__((cleanup(loc_back), unused)) LocMark loc_mark = loc_enter((e), (at))
typedef struct LocMark { Graph *g; Loc loc; } LocMark;
LocMark loc_enter(Elab *e, const Ast *at);
void loc_back(LocMark *m);
Loc loc_here(Elab *e, const Ast *at);                             /* of `at`; NULL: where we emit */

/* n known turns or calls more, at `at`: no: they are too many, which is reported once a statement. */
bool known_work(Elab *e, uint32_t n, const Ast *at);

/* ---- emission: at NULL: where `graph->loc` is; NO_NODE: reported ---- */
NodeId emit(Elab *e, const Op *op, const NodeId *in, uint32_t n, const Attr *attr, const Ast *at);
/* operand: where each input is written */
NodeId emit_of(Elab *e, const Op *op, const NodeId *in, uint32_t n, const Attr *attr, const Ast *at,
               const Ast *const *operand);
NodeId emit1(Elab *e, const Op *op, NodeId x, const Ast *at);
NodeId emit2(Elab *e, const Op *op, NodeId x, NodeId y, const Ast *at);
NodeId emit_i(Elab *e, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i, const Ast *at);
#endif
