/* elab: elaboration is partial evaluation. It computes with sizes, strings, functions, layers and lists, emits a node for each
 * tensor operation, and a step for each statement that acts. It runs no step: a script is elaborated, and so checked, before its
 * first step (but for what waits for a file that the run itself writes).
 *
 *   elab.c      entries of a text          expr.c      expressions                arith.c     operators, element types
 *   stmt.c      blocks, let, var, assert   assign.c    assignment                 branch.c    `if`
 *   loop.c      for, while, break          call.c      calls, arguments           signature.c types, patterns
 *   scope.c     names                      order.c     operands, left to right    cell.c      cells, versions, regions
 *   index.c     indexing, slices           seq.c       sequences                  lower.c     structural ops
 *   layer.c     layers, trees              optim.c     optimizers                 series.c    tables that a run fills
 *   derive.c    grad and its kin           custom.c    `gradient`, recompute      draw.c      places and draws
 *   import.c    modules                    extern.c    foreign functions          wait.c      what waits for the run
 *   show.c      values as text             mismatch.c  shapes that do not fit     foreign.c   other tools' names
 *   origin.c    scores or probabilities    lint.c      warnings of training       uncalled.c  functions nobody calls
 *   native.c    functions of the host language (../natives/, a table a file)
 *
 * Every function takes an Elab first. A mistake is reported once (elab_error) and becomes V_BAD, which everything passes on in
 * silence.
 */
#ifndef LANG_ELAB_H
#define LANG_ELAB_H
#include "steps/state.h"
#include "elab/value.h"

/* ---- names ---- */
typedef struct Spot { const Ast *ast; Loc caller; } Spot;   /* a piece of text, and the call that it is read in */
typedef struct Bound {
  Sym name;
  Value value;
  bool of_var;                /* made by a `var` of steps: its leaves are cells */
  bool mutable_;              /* a local `var` of a formula: assignment gives it a new value */
  void *frame;                /* the call that made it */
  const Ast *ast;             /* its definition */
  const Ast *type;            /* the type declared for it, or NULL */
  Spot given;                 /* an argument of a library function: where it is written */
} Bound;
struct Scope {
  Scope *outer;
  VEC(Bound *) bound;
  void *index;                /* hash of large scopes (the globals) */
};
Scope *scope_new(Elab *e, Scope *outer);
Bound *scope_put(Elab *e, Scope *s, Sym name, Value v, const Ast *ast);   /* a new binding; the last one with a name wins */
Bound *scope_find(Elab *e, Scope *s, Sym name);                           /* outwards, then natives, ops, the standard library; NULL */

Bound *scope_here(Scope *s, Sym name);
/* Takes bindings from number `from` on back; what they replaced stands again. */
void scope_forget(Elab *e, Scope *s, uint32_t from, bool (*goes)(Elab *e, const Bound *b));
void scope_names(Elab *e, Scope *s, void (*f)(void *to, const char *name), void *to);
typedef struct Missing { const Ast *use, *made; } Missing;                  /* see Outside */
void unknown_name(Elab *e, const Ast *use);                               /* reports it, unless that is done */
Outside scope_outside(Elab *e);                                           /* what resolve() asks */
Outside scope_outside_module(Elab *e);                                    /* for an imported file: only the library */

/* ---- where steps go ---- */
/* Rows that a block adds to a series from outside, in one turn; a column that it reads. */
typedef struct SeriesRows { Series *series; int64_t n; bool of_run; } SeriesRows;
typedef struct SeriesRead { const Series *series; Loc loc; } SeriesRead;
/* A derivative in a loop of a formula made outside, that read this cell there. */
typedef struct Stale { Cell *cell; const char *formula; Loc loc, made; } Stale;
/* A derivative in a loop of a formula that read what the turn before left in this cell. by: cells, or nodes from outside. */
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
  VEC(Stale) stale;             /* formulas from outside that were differentiated inside a loop: wrong if it assigns the cell */
  VEC(Carried) carried;
  const Ast *ast;
};

/* What leaves a turn of an unrolled loop: nothing, or where a condition of the run holds. [0]: `break`, [1]: `continue`. */
typedef struct Leave { bool may; NodeId when; } Leave;

/* One call of a function, proc, layer ... : what is checked and restored around its body. */
typedef struct Frame_ {
  struct Frame_ *outer;
  const Fn *fn;
  const Instance *self;       /* whose state its body may assign */
  bool steps;                 /* steps may stand here: a proc, the top level */
  uint8_t loop;               /* the innermost loop around: LOOP_... */
  bool looked;                /* its body read `is_training`, which was false */
  uint8_t flow;               /* a known `break` or `continue` is on its way: FLOW_... */
  bool in_value;              /* in an `if` of the run that is an expression among steps: nothing leaves it */
  Leave leave[2];             /* of the present turn */
  struct Region *turn;        /* of the present turn, when each is a piece of a loop of steps */
} CallFrame;
enum { MOST_CALLS = 1000 };   /* nested */
enum { LOOP_NONE, LOOP_RUN, LOOP_UNROLLED };
enum { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

/* Where we are, the stricter the later: parameters are made up to MAKE_IN_BODY, state is assigned up to MAKE_IN_GRAD (the derivative takes it
 * as constant), in what is chosen or runs for many elements neither. */
typedef enum { MAKE_OK, MAKE_IN_BODY, MAKE_IN_CALL, MAKE_IN_GRAD, MAKE_IN_IF, MAKE_IN_MAP } MakeRule;

typedef struct Looked { NodeId first, end; Loc loc; const char *name; } Looked;   /* what a call that looks at the mode made */
typedef struct CellNode { NodeId node; Cell *cell; } CellNode;
typedef struct Assigned { Bound *bound; Value before; } Assigned;
typedef struct Widened { Loc made; const char *path; DType dtype; } Widened;
typedef struct TestBlock { const Ast *ast; Steps *steps; uint32_t from; } TestBlock;   /* from: its first segment */

struct Elab {
  Session *s;
  Arena *a;
  Graph *g;
  Program *p;
  Diags *d;
  Scope *library;             /* natives, ops and the standard library, as they are met: the outermost scope */
  Scope *globals, *scope;     /* scope: the present one */
  Region *region;             /* NULL never: the top one at least */
  CallFrame *frame;
  CallFrame *outermost;         /* of no call: taken up anew by each entry, since a failure jumps out of any */
  Loc caller;                 /* Loc of the call we are in, 0 at the top */
  const Source *source;
  uint32_t depth;             /* nested calls */
  char *stack;                /* an address in the outermost C frame */
  bool training, repl;
  MakeRule make;
  struct PlaceFrame *place;
  Cell *seed;                 /* i32[2] */
  VEC(NodeId) turns;          /* of the loops around, outermost first (steps and loop bodies) */
  VEC(Cell *) cells;          /* all of the session */
  VEC(Looked) looked;
  bool trains;                /* an optimizer of the script steps, outside of its tests */
  const Ast *asserting;       /* the `assert` that is being read */
  VEC(CellNode) versions;     /* what assignments made, by node */
  struct ProgressClock *clock; /* of the training that began last */
  bool *stdlib;               /* which of its files are in */
  VEC(Assigned) assigned;       /* formula variables, in order: a branch of the run takes them back */
  VEC(TestBlock) tests;
  VEC(Missing) missing;         /* uses of names that are nowhere, or not yet */
  VEC(Series *) series;        /* all of the session */
  uint32_t unknown;            /* names met that stand for nothing, reported by resolve or here */
  VEC(Sym) lost;               /* columns that statements with mistakes would have added */
  struct TraceGroup *traces;    /* of the body of fold or scan that is being made, or NULL */
  struct Wait *wait;
  bool *called; uint32_t called_cap;   /* by the id of a function's syntax */
  VEC(Widened) widened;         /* cells of this text that a later assignment makes float */
  bool again;                   /* one of them was read as an int before: the text is elaborated once more */
  VEC(Module *) modules;       /* imported files, each once */
  Module *module;              /* the one that is being read, NULL: the script */
  const Source *script;        /* of this entry */
};

/* ---- messages ---- */
Loc elab_loc(Elab *e, const Ast *at);                             /* the whole of it, in the present call */
Loc elab_loc_at(Elab *e, const Ast *at);                          /* its `.at`: the operator, the name */
Diag *elab_error(Elab *e, const Ast *at, DiagId id, ...);         /* at `.at` of spot_of() */
Diag *elab_said(Elab *e, const Ast *at, DiagId id, const char *text);   /* the whole message */
/* Where a mistake stands: what the library finds wrong with an argument is wrong where the argument is written. */
Spot spot_of(Elab *e, const Ast *at);
const Ast *argument_in(Elab *e, const Ast *ast);                  /* the first such argument that an expression reads; NULL: none */
Value elab_type_error(Elab *e, const Ast *at, const TypeError *t, const Ast *const *operand);   /* a type rule refused: V_BAD */
const char *value_kind_text(Elab *e, const Value *v);             /* "a list", "a tensor f32[2, 3]", "a function" */
char *ast_text(Elab *e, const Ast *at);                        /* as it is written */

/* ---- shapes that do not fit: marks, notes and hints (ta, tb: where the operands are written, or NULL) ---- */
void mark_shape(Elab *e, Diag *g, const Ast *operand, const Type *t);
void say_differ(Elab *e, Diag *g, const Type *a, const Type *b, const Ast *ta, const Ast *tb);
void say_stretched(Elab *e, Diag *g, const char *op, const Type *a, const Type *b, const Ast *ta, const Ast *tb);
void say_inner(Elab *e, Diag *g, const Type *a, const Type *b, const Ast *ta, const Ast *tb);
void say_argument(Elab *e, Diag *g, const Ast *type, const Type *t, Scope *dims, const Ast *at, const char *what);

/* ---- expressions ---- */
Value elab_expr(Elab *e, const Ast *ast);
Value bracket_of(Elab *e, const Value *v, uint32_t n, const Ast *at);   /* a tensor of numbers and tensors of one shape; else a list */
Value elab_block(Elab *e, const Ast *block, bool new_scope);      /* formulas; its value is its last expression */
bool elab_stack_ok(Elab *e, const Ast *at);                       /* deep recursion: reports and says no */

/* What is wanted of a value; on a mistake they report at `at` and return NO_NODE / false. what: "a size", "an axis" ... */
Value keep_values(Elab *e, Value v);                              /* all cells in it become their values now; instances stay handles */
Value value_decay(Elab *e, Value v);                              /* V_CELL -> V_NODE; others as they are */

/* Operands from left to right, see order.c: for each, order_before, its value, order_met; behind the last, order_end. */
typedef struct Order { VEC(Value *) met; VEC(Value) kept; VEC(uint64_t) writes; } Order;
void order_before(Elab *e, Order *o, const Ast *next);
void order_met(Elab *e, Order *o, Value *v);
void order_end(Elab *e, Order *o);
NodeId want_node(Elab *e, Value v, const Ast *at, const char *what);           /* a tensor of any type; ints become FLEX literals */
NodeId want_float(Elab *e, Value v, const Ast *at, const char *what);          /* f32, f64 or FLEX; ints, u8 are cast */
bool ints_fit(Elab *e, NodeId n, DType d, const Ast *at);          /* a literal's ints do; no: reported */
void unknown_type(Elab *e, const Ast *type);
void wrong_dimension(Elab *e, const Ast *dim, const Value *is);    /* a dimension's name that is bound to something else */
const char *quoted_name(Elab *e, const char *what);
void say_depends(Elab *e, Diag *g, NodeId n);                      /* a note: what makes it of the run, where */
NodeId want_typed(Elab *e, Value v, DType d, const Ast *at, const char *what); /* of that element type, by the rules of literals */
NodeId settle(Elab *e, NodeId n);                                 /* a literal that nothing wants: f32; others as they are */
bool want_int(Elab *e, Value v, const Ast *at, const char *what, int64_t *out);   /* known */
bool want_bool(Elab *e, Value v, const Ast *at, const char *what, bool *out);     /* known */
const char *want_string(Elab *e, Value v, const Ast *at, const char *what);       /* known; NULL */
bool want_dims(Elab *e, Value v, const Ast *at, const char *what, Type *out);     /* [2, 3], a tuple or an int as a shape; dtype untouched */
bool want_axes(Elab *e, Value v, uint8_t rank, const Ast *at, int64_t *axes, uint32_t *n);   /* (), an int, a tuple; V_ABSENT: all; normalised, ascending */
bool want_axis(Elab *e, Value v, uint8_t rank, const Ast *at, int64_t *axis);
/* A kind: V_TYPE, or a shape (then f32). */
bool want_kind(Elab *e, Value v, const Ast *at, Type *out);
bool known_bool(Elab *e, Value v, bool *out);                     /* true if v is a known scalar bool */
bool known_int(Elab *e, Value v, int64_t *out);
static inline const Type *node_type(Elab *e, NodeId n) { return graph_at(e->g, n)->type; }
static inline bool node_flex(Elab *e, NodeId n) { return (graph_at(e->g, n)->flags & NODE_FLEX) != 0; }

/* ---- emission ---- */
NodeId emit(Elab *e, const Op *op, const NodeId *in, uint32_t n, const Attr *attr, const Ast *at);  /* NO_NODE: reported */
NodeId emit1(Elab *e, const Op *op, NodeId x, const Ast *at);
NodeId emit2(Elab *e, const Op *op, NodeId x, NodeId y, const Ast *at);
NodeId emit_i(Elab *e, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i, const Ast *at);
NodeId literal(Elab *e, double v, const Ast *at);                 /* FLEX scalar */
/* Brings operands to one element type and, by the stretch rule, to one shape; false: reported. */
bool unify(Elab *e, Value *v, NodeId *out, uint32_t n, const Ast *at, const Ast *const *operand, const char *op);
bool unify_shapes(Elab *e, const Value *v, NodeId *in, uint32_t n, const Ast *at, const Ast *const *operand, const char *op);
Value elab_binary(Elab *e, int op, Value a, Value b, const Ast *at);   /* `at` is the BINARY (or any) node */
Value elab_unary(Elab *e, int op, Value a, const Ast *at);
Value op_apply(Elab *e, const Op *op, Args *a, const Ast *at);    /* a call by the op's `args` face */

/* ---- calls ---- */
Value elab_call(Elab *e, const Ast *call, const Value *first);    /* a CALL; first: one argument more, in front */
Value call_value(Elab *e, Value callee, Args *a, const Ast *at);
Value call1(Elab *e, Value callee, Value x, const Ast *at);
Value call_fn(Elab *e, const Fn *f, Args *a, const Ast *at);
bool bind_params(Elab *e, const Fn *f, const Ast *params, Args *a, Scope *s, bool by_value, DType *unmarked, const Ast *at);
bool match_type(Elab *e, const Ast *type, Value *v, Scope *dims, DType *unmarked, const Ast *at, const char *what);
bool elab_type(Elab *e, const Ast *type, Type *out);              /* a type of known sizes: `let`, `param` */
bool bind_pattern(Elab *e, Scope *s, const Ast *pattern, Value v, bool mutable_);
/* place: the value, where it is an argument: there the mistake is; the pattern is what is wanted. NULL: the pattern's own. */
bool bind_pattern_at(Elab *e, Scope *s, const Ast *pattern, Value v, bool mutable_, const Ast *place);
Fn *fn_new(Elab *e, FnKind kind, const char *name);
Value native_value(Elab *e, const Native *n, const Value *captured, uint32_t n_captured);

/* ---- cells ---- */
Cell *cell_new(Elab *e, int role, const Type *t, const char *path, Loc loc);
NodeId cell_read(Elab *e, Cell *c, Loc loc);
void cell_assign(Elab *e, Cell *c, NodeId n, Loc loc);
uint32_t slice_derivable(Elab *e, NodeId y, NodeId **out);         /* the nodes that a derivative of y passes through */
void cell_constant(Elab *e, Cell *c);                             /* a derivative takes what stands in it now as constant */
void cell_changed(Elab *e, Cell *c);                              /* by an effect: it is read anew from here on */
Region *region_enter(Elab *e, int kind, Steps *steps, const Ast *ast);    /* a fresh segment in it */
void region_leave(Elab *e, Region *r);                                    /* and a fresh segment after it */
void stale_later(Elab *e, Cell *c, NodeId read, const char *formula, Loc loc, Loc made);   /* a derivative here of a formula that read c there */
Step *step_add(Elab *e, StepKind kind, Loc loc);
void step_effect(Elab *e, Step *effect);                                  /* adds it; cuts if it must */

/* ---- trees ---- */
enum { LEAF_PARAM = 1, LEAF_STATE = 2, LEAF_NUMBER = 4 };   /* LEAF_NUMBER: known ints count as leaves, too */
typedef struct Leaf { Value value; const char *path; FieldRole role; } Leaf;   /* V_CELL or V_NODE */
typedef VEC(Leaf) Leaves;
void carried_later(Elab *e, Cell *c, NodeId read, const Leaves *by, Loc loc);      /* a derivative here that read c at the start of a turn */
bool is_tree(const Value *v);                                     /* an instance, or a tuple, list, record, chain with leaves */
void tree_leaves(Elab *e, Value v, int which, Leaves *out);       /* a cell reached twice is one leaf */
Value tree_map(Elab *e, Value v, int which, Value (*f)(Elab *, void *, Value leaf), void *ctx);
Value tree_map2(Elab *e, Value a, Value b, int which, Value (*f)(Elab *, void *, Value, Value), void *ctx, const Ast *at);
void tree_paths(Elab *e, Value v, const char *path);               /* gives paths to cells that have none */
Value copy_values(Elab *e, Value v);                              /* a tree with the values of its cells now */
Value cells_of_instance(Elab *e, Value v, const char *path, const Ast *at);   /* the same layers with cells of their own */
Value cells_from(Elab *e, Value v, int role, const char *path, const Ast *at);
bool tree_has_cells(Value v);
MakeRule make_within(Elab *e, MakeRule rule);                     /* from here on no less strict; what it was before */
const char *make_place(MakeRule rule);                            /* "inside a derivative", ... */
Value make_instance(Elab *e, const Fn *layer, Args *a, const Ast *at);
Value call_instance(Elab *e, Instance *i, Args *a, const Ast *at);
Value series_member(Elab *e, Series *s, Sym name, const Ast *at);
Value series_length(Elab *e, Series *s, const Ast *at);
void series_lost(Elab *e, const Ast *stmt, int depth);            /* it went wrong: what it adds may be missing */
void series_begin(Elab *e);                                       /* the rows are those of the tables */
void series_leave(Elab *e, const Region *r);                      /* a block is left: what it adds counts outside */
bool series_of_run(const Elab *e);                                /* only the run knows how many rows one has */
bool step_here(Elab *e, const Ast *at, const char *what);         /* steps may stand here; no: reported */
Value member(Elab *e, Value base, Sym name, const Ast *at);
bool assign_tree(Elab *e, Value target, Value v, const Ast *at);  /* leaf by leaf */

/* ---- the rest ---- */
Value elab_index(Elab *e, const Ast *ast, Value base);
bool assign_index(Elab *e, const Ast *target, Value base, Value v, Value *out);   /* base with the part replaced */
void elab_import(Elab *e, const Ast *ast);
Value module_member(Elab *e, const Module *m, Sym name, const Ast *at);
void elab_definitions(Elab *e, const Ast *block);                  /* all of a block, then their `gradient`s */
void elab_define(Elab *e, const Ast *stmt);                        /* fn, proc, layer, ...: visible in its whole block; others: nothing */
bool elab_stmt(Elab *e, const Ast *stmt, Value *last);            /* any statement; *last: an expression's value */
void elab_stmts(Elab *e, const Ast *block, Value *last);
void elab_assign(Elab *e, const Ast *ast);
Value select_value(Elab *e, NodeId cond, Value a, Value b, const Ast *at);        /* leaf by leaf, by `where` */
Value elab_if(Elab *e, const Ast *ast, bool as_steps);
Value elab_for(Elab *e, const Ast *ast);
Value elab_while(Elab *e, const Ast *ast);
void unused_value(Elab *e, const Ast *stmt, const Value *v);        /* reports a statement whose value nobody takes */
void elab_flow(Elab *e, const Ast *ast);                           /* break, continue */
typedef struct BranchFlow { uint8_t flow; Leave leave[2]; } BranchFlow;
void branch_flow_take(Elab *e, BranchFlow *f);                     /* what leaves the turn now; then nothing does */
bool branch_flow_join(Elab *e, NodeId cond, const BranchFlow *then, const BranchFlow *other, const Ast *at);   /* false: nothing */
bool leave_pending(const Elab *e);
typedef struct Mask { NodeId skip; uint32_t mark; MakeRule make; Leave leave[2]; } Mask;
void mask_enter(Elab *e, Mask *m, const Ast *at);                  /* what follows counts only where no turn was left */
void mask_leave(Elab *e, const Mask *m, const Ast *at);
enum { DERIVE_GRAD, DERIVE_STEP, DERIVE_QUIET };   /* `grad`; a step of an optimizer; of many seeds, where zeros are common: no warning */
Value derive(Elab *e, Value y, Value wrt, const Ast *at, int why);   /* the tree of gradients */
Value grad_argument(Elab *e, Value v, const Ast *at);              /* the same tree with nodes of its own, to differentiate by */
/* f's value, with what is differentiated by (wrt: its names; V_ABSENT: the first argument) as nodes of their own in *by. */
Value call_by(Elab *e, Value f, Value wrt, const Args *a, MakeRule rule, Value *by, const Ast *at);
struct PlaceFrame *place_root(Elab *e);                            /* of one entry */
Value elab_draw(Elab *e, const Type *t, const Ast *call);         /* `~ call` for a declared type */
NodeId draw_key(Elab *e, const Ast *at);                          /* i32[2]: seed, place, turns */
typedef struct PlaceMark { struct PlaceFrame *frame; } PlaceMark;
PlaceMark place_enter(Elab *e, const char *name);                 /* a name or call on the way; what is alike is counted */
PlaceMark place_again(Elab *e, uint64_t hash);                    /* the same place once more: the other piece of a loop */
uint64_t place_hash(const Elab *e);
void place_leave(Elab *e, PlaceMark m);
void *place_keep(Elab *e);                                        /* what has been counted at the present place */
void place_back(Elab *e, const void *kept);
Value seq_range(Elab *e, Value from, Value to, bool less, const Ast *at);
Value seq_cut(Elab *e, Value v, int64_t from, int64_t count, int64_t by);   /* a slice of a sequence of known length */
Value seq_of(Elab *e, Value v, const Ast *at);                    /* anything `for` runs over, as a V_SEQ or V_LIST */
bool extern_open(Elab *e, Fn *f, const Ast *ast);                 /* library and symbol; false: reported */
Value extern_call(Elab *e, const Fn *f, Scope *s, Args *a, const Ast *at);   /* binds the parameters in s */
Value with_gradient(Elab *e, const Fn *f, Scope *s, Value y, const Ast *at);         /* y, differentiated by f's `gradient` */
Value tie_optimizer(Elab *e, const Optimizer *o, Args *a, const Ast *at);
NodeId condition(Elab *e, const Ast *at, Value v);                /* a scalar bool */
Value make_optimizer(Elab *e, const Fn *rule, Args *a, const Ast *at);
Value optimizer_method(Elab *e, Optimizer *o, Sym name, const Ast *at);
Value text_of(Elab *e, const Value *v, uint32_t n, const Format *f, const char *between);   /* V_STRING or V_TEXT, as print writes them */
const TextValue *text_value(Elab *e, const Value *text);            /* of a V_STRING or V_TEXT, for an effect */
const char *text_shown(Elab *e, const Value *v);                  /* a V_STRING, or a V_TEXT with `..` for what is of the run; else NULL */
char *type_text(Elab *e, const Value *v);

extern const Native *const native_tables[];                       /* NULL-ended; each table ends with a NULL name */
const Native *native_find(const char *name);

/* Functions with a full signature that nobody called: elaborated once, for what they would say. After the statements. */
void called_mark(Elab *e, const Ast *fn);
void elab_uncalled(Elab *e, const Ast *program);

Elab *elab_new(Session *s);
/* One text from statement `from` on: its definitions (from 0), then its steps, into steps. *it: the value of a last expression in the REPL.
 * The number of the first statement that waits for what runs before it (wait.h); it and the rest were only checked. */
uint32_t elab_program(Elab *e, const Ast *program, uint32_t from, Steps *steps, Value *it);
#endif
