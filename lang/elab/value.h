/* value: what an expression means while a script is elaborated. Known things (sizes, strings, functions, layers, lists)
 * are here in full; a tensor is a node of the graph; a cell is a place whose present version is a node.
 *
 * A Value is small and copied freely; what it points to lives in the session's arena and is not changed, but for a
 * `var` list in a formula, whose binding takes a new Value.
 */
#ifndef LANG_VALUE_H
#define LANG_VALUE_H
#include "syntax/ast.h"
#include "steps/effects.h"

typedef struct Value Value;
typedef struct Scope Scope;
typedef struct Cell Cell;
typedef struct Fn Fn;
typedef struct Instance Instance;
typedef struct Optimizer Optimizer;
typedef struct Series Series;
typedef struct Seq Seq;
typedef struct Module Module;
typedef struct Elab Elab;
typedef struct Region Region;
typedef struct CallFrame CallFrame;

typedef enum {
  V_BAD,        /* follows from a reported error: no new message */
  V_UNIT,       /* () */
  V_BOOL, V_INT,/* known scalars without a node */
  V_STRING,     /* known text */
  V_TEXT,       /* text with values of the run in its holes */
  V_NODE,       /* a tensor; a known float is one too (NODE_FLEX while it is a literal) */
  V_CELL,       /* a var, param or state: decays to the node of its present version where a tensor is wanted */
  V_TUPLE, V_LIST,
  V_RECORD,
  V_FN,         /* anything that can be called but an instance: closures, layers, ops, natives, chains, partials ... */
  V_INSTANCE,   /* of a layer */
  V_OPTIMIZER,  /* tied or untied */
  V_SERIES,
  V_SEQ,        /* a known or running count and a formula of the index: ranges, batches, enumerate, zip */
  V_MODULE,     /* of an `import` */
  V_TYPE,       /* what stands before `~`: the first argument of a distribution */
  V_ABSENT      /* an optional argument of a native that was not given; never seen by a script */
} ValueKind;

/* Tuple, list. What `append` makes shares its elements with the list that it lengthens: room says how many of `cap` are
 * taken by the longest of them, and how many of these `let` need not copy; NULL: none are free. */
typedef struct Room { uint32_t used, cap, kept; } Room;
typedef struct Items { uint32_t n; Value *at; Room *room; } Items;
typedef struct Fields { uint32_t n; Sym *name; Value *at; } Fields;    /* record */
typedef struct Str { uint32_t n; const char *at; } Str;

struct Value {
  uint8_t kind;
  uint16_t stretch;           /* V_NODE: axes made by `None` in this very operand, a bit each */
  union {
    bool b;
    int64_t i;
    NodeId node;
    const Str *str;
    TextValue *text;
    Cell *cell;
    Items *items;
    Fields *fields;
    Fn *fn;
    Instance *instance;
    Optimizer *optimizer;
    Series *series;
    Seq *seq;
    Module *module;
    const Type *type;
  };
};

/* ---- functions ---- */
typedef struct Arg Arg;
typedef struct Args {         /* of one call, evaluated, in order */
  uint32_t n;
  Value *at;
  Sym *name;                  /* NULL: positional */
  const Ast **ast;            /* where each stands */
} Args;

typedef enum { FN_CLOSURE, FN_PROC, FN_LAYER, FN_OPTIMIZER, FN_OP, FN_NATIVE, FN_CHAIN, FN_EXTERN } FnKind;

/* A function of the host language. params: its face (runtime/graph/face.h); a[k] is parameter k as that reads it
 * (args.h). */
typedef struct Native {
  const char *name, *params;
  Value (*call)(Elab *e, const Arg *a, const Ast *at);
  const char *doc, *example;
} Native;
typedef Value (*BoundCall)(Elab *e, const Fn *self, const Arg *a, const Ast *at);

struct Fn {
  FnKind kind;
  const char *name;           /* as the user knows it, or NULL */
  const Ast *ast;             /* closure (FN, LAMBDA), proc, layer, optimizer, extern */
  Scope *scope;               /* where it was made */
  const Op *op;               /* FN_OP, FN_EXTERN */
  const Native *native;
  BoundCall bound;            /* of a native that closes over values: in the place of native->call */
  Items *captured;            /* these values; of a chain: its links */
  Instance *self;             /* a method's instance */
  const Args *partial;        /* of f(_, 3): the call as written, V_ABSENT where a hole stands */
  const Fn *base;             /* a derived function: of which (`grad(f)`) */
  const Ast *gradient;        /* the `gradient` statement that stands beside its definition, or NULL */
  Scope *gradient_scope;
  void *frame;                /* the call it was made in: what it may assign */
};

/* ---- layers and optimizers ---- */
typedef enum { FIELD_PARAM, FIELD_STATE, FIELD_LET, FIELD_FN, FIELD_ARG } FieldRole;
typedef struct Field { Sym name; FieldRole role; Value value; } Field;
struct Instance {
  const Fn *layer;
  uint32_t n;
  Field *field;
  Scope *scope;               /* of its body: arguments and fields */
  const Ast *call;            /* the `fn (...)` of the body, or NULL */
  Loc made;
};

struct Optimizer {
  const Fn *rule;             /* the definition */
  Scope *args;                /* its arguments by name: a number, a cell, a function of t */
  bool tied;
  Value tree;
  uint32_t n_leaf;
  Cell **leaf;
  uint32_t n_state;
  Sym *state_name;
  const char **leaf_path;     /* in the tree: "0.w" */
  Value *state;               /* [leaf * n_state + k]: cells; in a copy their values */
  Value t;                    /* i32[], steps done */
  Loc made;
};

/* A number or a tensor, decayed: what a node can be made of. */
static inline bool is_tensor(const Value *v) { return v->kind == V_INT || v->kind == V_BOOL || v->kind == V_NODE; }

static inline Value v_bad(void) { return (Value){.kind = V_BAD}; }
static inline Value v_unit(void) { return (Value){.kind = V_UNIT}; }
static inline Value v_int(int64_t i) { return (Value){.kind = V_INT, .i = i}; }
static inline Value v_bool(bool b) { return (Value){.kind = V_BOOL, .b = b}; }
static inline Value v_node(NodeId n) { return (Value){.kind = V_NODE, .node = n}; }
static inline Value v_fn(Fn *f) { return (Value){.kind = V_FN, .fn = f}; }
Value v_string(Arena *a, const char *text, size_t n);
Value v_items(Arena *a, ValueKind kind, const Value *at, uint32_t n);       /* tuple or list; copies */
Value v_ints(Arena *a, const int64_t *i, uint32_t n);                       /* a list */
Fn *fn_new(Elab *e, FnKind kind, const char *name);                         /* made in the present call */
Value native_value(Elab *e, const Native *n);
Value bound_value(Elab *e, const Native *n, BoundCall call, const Value *captured, uint32_t n_captured);
#endif
