/* ast: what was written, byte for byte placed: no types, no resolved names. One shape of node for all kinds; the table
 * below says what kid[], name and value hold for each. A missing optional kid is NULL.
 */
#ifndef LANG_AST_H
#define LANG_AST_H
#include "text/diag.h"

/* AST(kind, "dump name")                    name        kids
 * expressions */
#define AST_KINDS(AST) \
  AST(NAME, "name")            /* x           -                                                          */ \
  AST(INT, "int")              /* .i          -                                                          */ \
  AST(FLOAT, "float")          /* .f          -                                                          */ \
  AST(CONST, "const")          /* .i 0 false, 1 true                                                     */ \
  AST(STRING, "string")        /* parts: CHARS, HOLE ...                                                 */ \
  AST(CHARS, "chars")          /* .text .n_text  (escapes resolved)                                      */ \
  AST(HOLE, "hole")            /* .text: the format without `:` or NULL; [expr]                          */ \
  AST(TUPLE, "tuple")          /* elements; none: ()                                                     */ \
  AST(BRACKET, "bracket")      /* elements                                                               */ \
  AST(COMPREHENSION, "comprehension") /* [expr, pattern, sequence]                                       */ \
  AST(RECORD, "record")        /* FIELD ...                                                              */ \
  AST(FIELD, "field")          /* name        [expr or NULL]  ({y} is {y = y})                           */ \
  AST(CALL, "call")            /* [callee, ARG or expr ...]; .at is the callee's end                     */ \
  AST(ARG, "arg")              /* name        [expr]                                                     */ \
  AST(INDEX, "index")          /* [base, item ...]; items: expr, SLICE, NONE, REST                       */ \
  AST(SLICE, "slice")          /* [from?, to?, by?]                                                      */ \
  AST(NONE, "none")            /* None                                                                   */ \
  AST(REST, "rest")            /* name or NULL   ..   ..S                                                */ \
  AST(MEMBER, "member")        /* name        [base]                                                     */ \
  AST(TRANSPOSE, "transpose")  /* [base]                                                                 */ \
  AST(LAMBDA, "lambda")        /* [PARAMS, type?, body]   body: expr or BLOCK                            */ \
  AST(IF, "if")                /* [cond, BLOCK, BLOCK or IF or NULL]                                     */ \
  AST(TRAINING, "training")    /* [BLOCK]                                                                */ \
  AST(BINARY, "binary")        /* .op; [left, right]; .at is the operator                                */ \
  AST(UNARY, "unary")          /* .op: '-' or K_NOT; [operand]                                           */ \
  /* statements */ \
  AST(BLOCK, "block")          /* statements                                                             */ \
  AST(LET, "let")              /* [pattern, type?, expr]; .op '=' or '~'                                 */ \
  AST(VAR, "var")              /* the same                                                               */ \
  AST(PARAM, "param")          /* name        [type?, expr]; .op '=' or '~'                              */ \
  AST(STATE, "state")          /* the same                                                               */ \
  AST(ASSIGN, "assign")        /* .op '=' '+' '-' '*' '/'; [target, expr]                                */ \
  AST(FN, "fn")                /* name        [PARAMS, type?, body]                                      */ \
  AST(PROC, "proc")            /* name        [PARAMS, BLOCK]                                            */ \
  AST(LAYER, "layer")          /* name        [PARAMS?, BLOCK]                                           */ \
  AST(OPTIMIZER, "optimizer")  /* name        [PARAMS?, BLOCK]                                           */ \
  AST(GRADIENT, "gradient")    /* name        [PARAMS (names), NAME out, NAME dout, body]                */ \
  AST(EXTERN, "extern")        /* name        [STRING, PARAMS, type?]                                    */ \
  AST(IMPORT, "import")        /* name (the alias)  [STRING]                                             */ \
  AST(FOR, "for")              /* [pattern, sequence, BLOCK]                                             */ \
  AST(WHILE, "while")          /* [cond, BLOCK]                                                          */ \
  AST(BREAK, "break") AST(CONTINUE, "continue") \
  AST(PRINT, "print")          /* expressions                                                            */ \
  AST(ASSERT, "assert")        /* expressions                                                            */ \
  AST(TEST, "test")            /* [STRING, BLOCK]                                                        */ \
  AST(EXPR, "expr")            /* [expr]                                                                 */ \
  AST(ERROR, "error")          /* what could not be parsed (already reported)                            */ \
  /* patterns: NAME, PTUPLE, PRECORD */ \
  AST(PTUPLE, "ptuple")        /* patterns                                                               */ \
  AST(PRECORD, "precord")      /* PFIELD ...                                                             */ \
  AST(PFIELD, "pfield")        /* name        [pattern or NULL]                                          */ \
  /* signatures and types: NAME (int, f64, fn ...), TTENSOR, TTUPLE */ \
  AST(PARAMS, "params")        /* PARM ...                                                               */ \
  AST(PARM, "parm")            /* [pattern, type?, default?]                                             */ \
  AST(TTENSOR, "ttensor")      /* name: element type or NULL; dims: expr, REST                           */ \
  AST(TTUPLE, "ttuple")        /* types                                                                  */

typedef enum {
#define AST(kind, text) A_##kind,
  AST_KINDS(AST)
#undef AST
  N_ASTS
} AstKind;

/* .op of BINARY and UNARY: the character of one-character operators, else one of these. */
enum { K_PIPE = 256, K_COMPOSE, K_OR, K_AND, K_NOT, K_EQ, K_NE, K_LE, K_GE, K_RANGE, K_RANGE_LESS, K_FLOORDIV };
const char *ast_op_text(int op);           /* "|>" ... */

typedef struct Ast Ast;
struct Ast {
  uint8_t kind;
  uint8_t parens;                          /* how many ( ) were written around it (span is what is inside them) */
  uint16_t op;
  uint32_t n;                              /* kids */
  Span span;                               /* all of it */
  Span at;                                 /* the place an error about it names: the operator, the name, else span */
  const Source *source;
  Sym name;
  union { int64_t i; double f; struct { const char *text; uint32_t n_text; }; };
  const char *doc;                         /* the ## text just before a definition, lines joined by \n, or NULL */
  uint32_t id;                             /* unique in a session; small; for side tables */
  uint32_t depth;                          /* levels of nodes, itself included: at most MOST_DEPTH (layout.h) */
  Ast *kid[];
};

typedef struct Parsed {
  Source *source;
  Ast *program;                            /* BLOCK; statements that did not parse are ERROR nodes */
  VEC(Comment) comment;
  bool incomplete;                         /* the text ends inside an open bracket, block or string: a REPL reads on */
} Parsed;

/* Mistakes go to d. Never fails otherwise. repl: continuation by |> >> . else on the next line does not hold. */
Parsed *parse(Arena *a, Source *source, Diags *d, bool repl);
/* Of these bytes alone, which are whole statements. */
Parsed *parse_part(Arena *a, Source *source, Span part, Diags *d, bool repl);
char *ast_dump(const Ast *ast, Arena *a);  /* indented, one node a line, with byte spans: `binary @ 12..20` */

/* resolve: names of a whole file before elaboration, whether called or not: unknown (with did-you-mean), defined twice
 * in a block, used before it stands, unused (a warning), hidden where that is a mistake (a warning). known(ctx, name)
 * says whether a name exists outside the file (standard library, ops, earlier entries); each calls f for all of these
 * (suggestions). missing(ctx, use, made): this use was reported (made is NULL), or is of a name that stands further
 * down, at made: elaboration need not, or can, say so. */
typedef struct Outside {
  bool (*known)(void *ctx, Sym name);
  void (*each)(void *ctx, void (*f)(void *to, const char *name), void *to);
  void (*missing)(void *ctx, const Ast *use, const Ast *made);
  void *ctx;
  bool keep_unused;                        /* top-level names may be used later (REPL, import, library, host) */
  bool replaces;                           /* a later definition at the top replaces a name (REPL) */
} Outside;
void resolve(Arena *a, const Ast *program, Diags *d, const Outside *o);

/* Those who walk a tree by recursion and ask nobody before (base/host.h) take up to so much of the C stack a level. */
#ifdef GLIA_ASAN
enum { STACK_LEVEL = 1536 };
#else
enum { STACK_LEVEL = 256 };
#endif
#endif
