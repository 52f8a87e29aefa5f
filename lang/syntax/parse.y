/* parse: the grammar, and the tree it makes. In: the tokens of layout. Out: Ast nodes with byte-exact spans; each
 * mistake is reported once, its statement becomes an ERROR node, and reading goes on with the next one.
 *
 * Invariant: no conflict, so nothing here depends on an order of rules. The stacks begin small in the C frame and go on
 * in the arena, up to MOST_STACK. LAC's own grows by rules of nothing alone, a few one after another: it stays within
 * what it begins with. What a message says about a wrong token stands in mistake.c, what a node looks like in tree.c.
 */
%code requires {
#include "syntax/layout.h"
typedef struct Tree Tree;
}
%code {
#include "syntax/tree.h"
#include <string.h>
#define YYINITDEPTH 64
#define YYMAXDEPTH MOST_STACK
#define YYMALLOC(size) NULL            /* of LAC's alone */
#define YYFREE(p) ((void)(p))
#define yyoverflow(message, states, n_states, values, n_values, places, n_places, size) \
  ((void)(message), \
   larger(r, (void **)(states), n_states, (void **)(values), n_values, (void **)(places), n_places, size))
#define YYLLOC_DEFAULT(here, rhs, n) ((here) = tree_span(&YYRHSLOC(rhs, 0), n))
#if defined __GNUC__
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
static int glia_syntax_lex(TokenValue *value, Span *at, Reader *r);
static void glia_syntax_error(const Span *at, Tree *t, Reader *r, const char *message);
static void larger(Reader *r, void **states, ptrdiff_t n_states, void **values, ptrdiff_t n_values, void **places,
                   ptrdiff_t n_places, ptrdiff_t *size);
}
%define api.prefix {glia_syntax_}
%define api.token.prefix {T_}
%define api.pure full
%define api.value.type {TokenValue}
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%define lr.default-reduction accepting
%locations
%expect 0
%parse-param {Tree *t}
%param {Reader *r}

%token END 0 "the end of the text"
%token <name> ID "a name"
%token <i> INT "a number"
%token <f> FLOAT "a number with a point"
%token <i> CONST "`true` or `false`"
%token SCHARS "text" FORMAT "a format"
%token <op> OPSET "`+=`"
%token LET "`let`" VAR "`var`" FN "`fn`" PROC "`proc`" IF "`if`" ELSE "`else`" FOR "`for`" IN "`in`" WHILE "`while`"
%token BREAK "`break`" CONTINUE "`continue`" PRINT "`print`" ASSERT "`assert`" IMPORT "`import`" TRAINING "`training`"
%token AND "`and`" OR "`or`" NOT "`not`" NONE "`None`"
%token PARAM "`param`" STATE "`state`" LAYER "`layer`" OPTIMIZER "`optimizer`" GRADIENT "`gradient`" TEST "`test`"
%token EXTERN "`extern`"
%token PIPE "`|>`" COMPOSE "`>>`" ARROW "`->`" DOTLT "`..<`" DOTDOT "`..`" EQ "`==`" NE "`!=`" LE "`<=`" GE "`>=`"
%token FLOORDIV "`//`"
%token SBEGIN "a string" SEND "the end of the string" IOPEN "a hole" ICLOSE "the end of the hole"
%token SEP "the end of the line" ERR "a mistake"
%token '<' "`<`" '>' "`>`" '+' "`+`" '-' "`-`" '*' "`*`" '/' "`/`" '%' "`%`" '@' "`@`" '^' "`^`" '{' "`{`" '}' "`}`"
%token '=' "`=`" '(' "`(`" ')' "`)`" ',' "`,`" ':' "`:`" '~' "`~`" '[' "`[`" ']' "`]`" '.' "`.`" '\'' "`'`"
%precedence LAMBDA
%left PIPE
%left COMPOSE
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE '<' '>' LE GE
%nonassoc DOTDOT DOTLT
%left '+' '-'
%left '*' '/' FLOORDIV '%' '@'
%precedence UMINUS
%right '^'

%type <list> stmts names params plist pats fpats types dims binds exprs args fields index sparts init
%type <ast> line block body stmt head otype ret parm pat fpat type dim expr ifx primary arg field item oe string name
%%
program : stmts                               { t->program = tree_list(t, A_BLOCK, @$, $1); } ;
stmts   : line                                { $$ = list_new(t); if ($1) list_add(t, $$, $1); }
        | stmts SEP line                      { $$ = $1; if ($3) list_add(t, $$, $3); } ;
line    : %empty                              { $$ = NULL; }
        | stmt                                { $$ = tree_documented(t, $1); } ;
block   : '{' mark stmts '}'                  { $$ = tree_list(t, A_BLOCK, @$, $3); } ;
mark    : %empty                              { layout_block(r, @0.first); } ;
body    : '=' expr                            { $$ = $2; }
        | block ;

stmt    : LET pat otype init                  { $$ = tree_let(t, A_LET, @$, $2, $3, $4); }
        | VAR pat otype init                  { $$ = tree_let(t, A_VAR, @$, $2, $3, $4); }
        | PARAM name otype init               { $$ = tree_cell(t, A_PARAM, @$, $2, $3, $4); }
        | STATE name otype init               { $$ = tree_cell(t, A_STATE, @$, $2, $3, $4); }
        | expr '=' expr                       { $$ = tree_assign(t, @$, @2, '=', $1, $3); }
        | expr OPSET expr                     { $$ = tree_assign(t, @$, @2, $2, $1, $3); }
        | FN name params ret body
                        { $$ = tree_named(t, A_FN, @$, $2, 3, tree_list(t, A_PARAMS, @3, $3), $4, $5); }
        | PROC name params block
                        { $$ = tree_named(t, A_PROC, @$, $2, 2, tree_list(t, A_PARAMS, @3, $3), $4); }
        | LAYER name head block               { $$ = tree_named(t, A_LAYER, @$, $2, 2, $3, $4); }
        | OPTIMIZER name head block           { $$ = tree_named(t, A_OPTIMIZER, @$, $2, 2, $3, $4); }
        | GRADIENT name '(' names ')' ARROW name ',' name body
                        { Ast *params = tree_list(t, A_PARAMS, span_join(@3, @5), $4);
                          $$ = tree_named(t, A_GRADIENT, @$, $2, 4, params, $7, $9, $10); }
        | EXTERN string FN name params ret    { tree_plain_string(t, $2, "extern");
                                                Ast *params = tree_list(t, A_PARAMS, @5, $5);
                                                $$ = tree_named(t, A_EXTERN, @$, $4, 3, $2, params, $6); }
        | IMPORT string name name             { tree_plain_string(t, $2, "import");
                                                tree_as(t, $3);
                                                $$ = tree_named(t, A_IMPORT, @$, $4, 1, $2); }
        | FOR pat IN expr block               { $$ = tree_node(t, A_FOR, @$, @1, 3, $2, $4, $5); }
        | WHILE expr block                    { $$ = tree_node(t, A_WHILE, @$, @1, 2, $2, $3); }
        | BREAK                               { $$ = tree_node(t, A_BREAK, @$, @1, 0); }
        | CONTINUE                            { $$ = tree_node(t, A_CONTINUE, @$, @1, 0); }
        | PRINT exprs                         { $$ = tree_list(t, A_PRINT, @$, $2); $$->at = @1; }
        | ASSERT exprs                        { $$ = tree_list(t, A_ASSERT, @$, $2); $$->at = @1; }
        | TEST string block                   { tree_plain_string(t, $2, "test");
                                                $$ = tree_node(t, A_TEST, @$, @1, 2, $2, $3); }
        | expr                                { $$ = tree_node(t, A_EXPR, @$, $1->at, 1, $1); }
        | error                               { $$ = tree_node(t, A_ERROR, @$, @$, 0); yyerrok; } ;
name    : ID                                  { $$ = tree_name(t, @1, $1); } ;
head    : %empty                              { $$ = NULL; }
        | params                              { $$ = tree_list(t, A_PARAMS, @1, $1); } ;
otype   : %empty                              { $$ = NULL; }
        | ':' type                            { $$ = $2; } ;
init    : '=' expr                            { $$ = list_new(t); $$->op = '='; list_add(t, $$, $2); }
        | '~' expr                            { $$ = list_new(t); $$->op = '~'; list_add(t, $$, $2); } ;
ret     : %empty                              { $$ = NULL; }
        | ARROW type                          { $$ = $2; } ;
names   : name                                { $$ = list_of(t, tree_parm(t, @1, $1, NULL, NULL)); }
        | names ',' name                      { $$ = list_add(t, $1, tree_parm(t, @3, $3, NULL, NULL)); } ;

params  : '(' ')'                             { $$ = list_new(t); }
        | '(' plist oc ')'                    { $$ = $2; } ;
plist   : parm                                { $$ = list_of(t, $1); }
        | plist ',' parm                      { $$ = list_add(t, $1, $3); } ;
parm    : pat otype                           { $$ = tree_parm(t, @$, $1, $2, NULL); }
        | pat otype '=' expr                  { $$ = tree_parm(t, @$, $1, $2, $4); } ;
pat     : name
        | '(' pats oc ')'                     { bool one = $2->n == 1 && @3.end == @3.first;
                                                $$ = one ? $2->last->next->ast : tree_list(t, A_PTUPLE, @$, $2); }
        | '{' fpats oc '}'                    { $$ = tree_list(t, A_PRECORD, @$, $2); } ;
pats    : pat                                 { $$ = list_of(t, $1); }
        | pats ',' pat                        { $$ = list_add(t, $1, $3); } ;
fpats   : fpat                                { $$ = list_of(t, $1); }
        | fpats ',' fpat                      { $$ = list_add(t, $1, $3); } ;
fpat    : name                                { $$ = tree_named(t, A_PFIELD, @$, $1, 1, NULL); }
        | name '=' pat                        { $$ = tree_named(t, A_PFIELD, @$, $1, 1, $3); } ;
oc      : %empty
        | ',' ;

type    : '[' dims ']'                        { $$ = tree_list(t, A_TTENSOR, @$, $2); }
        | name
        | name '[' dims ']'
                        { $$ = tree_list(t, A_TTENSOR, @$, $3); $$->name = $1->name; $$->at = @1; }
        | FN                                  { $$ = tree_name(t, @1, sym(r->diags->sources, "fn", 2)); }
        | '(' types oc ')'                    { bool one = $2->n == 1 && @3.end == @3.first;
                                                $$ = one ? $2->last->next->ast : tree_list(t, A_TTUPLE, @$, $2); } ;
types   : type                                { $$ = list_of(t, $1); }
        | types ',' type                      { $$ = list_add(t, $1, $3); } ;
dims    : %empty                              { $$ = list_new(t); }
        | binds ;
binds   : dim                                 { $$ = list_of(t, $1); }
        | binds ',' dim                       { $$ = list_add(t, $1, $3); } ;
dim     : expr
        | DOTDOT                              { $$ = tree_node(t, A_REST, @$, @1, 0); }
        | DOTDOT name                         { $$ = tree_named(t, A_REST, @$, $2, 0); } ;

expr    : primary
        | FN params ret '=' expr %prec LAMBDA
                        { $$ = tree_node(t, A_LAMBDA, @$, @1, 3, tree_list(t, A_PARAMS, @2, $2), $3, $5); }
        | FN params ret block
                        { $$ = tree_node(t, A_LAMBDA, @$, @1, 3, tree_list(t, A_PARAMS, @2, $2), $3, $4); }
        | ifx
        | TRAINING block                      { $$ = tree_node(t, A_TRAINING, @$, @1, 1, $2); }
        | expr PIPE expr                      { $$ = tree_binary(t, @$, @2, K_PIPE, $1, $3); }
        | expr COMPOSE expr                   { $$ = tree_binary(t, @$, @2, K_COMPOSE, $1, $3); }
        | expr OR expr                        { $$ = tree_binary(t, @$, @2, K_OR, $1, $3); }
        | expr AND expr                       { $$ = tree_binary(t, @$, @2, K_AND, $1, $3); }
        | NOT expr                            { $$ = tree_unary(t, @$, @1, K_NOT, $2); }
        | expr EQ expr                        { $$ = tree_binary(t, @$, @2, K_EQ, $1, $3); }
        | expr NE expr                        { $$ = tree_binary(t, @$, @2, K_NE, $1, $3); }
        | expr '<' expr                       { $$ = tree_binary(t, @$, @2, '<', $1, $3); }
        | expr '>' expr                       { $$ = tree_binary(t, @$, @2, '>', $1, $3); }
        | expr LE expr                        { $$ = tree_binary(t, @$, @2, K_LE, $1, $3); }
        | expr GE expr                        { $$ = tree_binary(t, @$, @2, K_GE, $1, $3); }
        | expr DOTDOT expr                    { $$ = tree_binary(t, @$, @2, K_RANGE, $1, $3); }
        | expr DOTLT expr                     { $$ = tree_binary(t, @$, @2, K_RANGE_LESS, $1, $3); }
        | expr '+' expr                       { $$ = tree_binary(t, @$, @2, '+', $1, $3); }
        | expr '-' expr                       { $$ = tree_binary(t, @$, @2, '-', $1, $3); }
        | expr '*' expr                       { $$ = tree_binary(t, @$, @2, '*', $1, $3); }
        | expr '/' expr                       { $$ = tree_binary(t, @$, @2, '/', $1, $3); }
        | expr FLOORDIV expr                  { $$ = tree_binary(t, @$, @2, K_FLOORDIV, $1, $3); }
        | expr '%' expr                       { $$ = tree_binary(t, @$, @2, '%', $1, $3); }
        | expr '@' expr                       { $$ = tree_binary(t, @$, @2, '@', $1, $3); }
        | expr '^' expr                       { $$ = tree_binary(t, @$, @2, '^', $1, $3); }
        | '-' expr %prec UMINUS               { $$ = tree_unary(t, @$, @1, '-', $2); } ;
ifx     : IF expr block                       { $$ = tree_node(t, A_IF, @$, @1, 3, $2, $3, NULL); }
        | IF expr block ELSE block            { $$ = tree_node(t, A_IF, @$, @1, 3, $2, $3, $5); }
        | IF expr block ELSE ifx              { $$ = tree_node(t, A_IF, @$, @1, 3, $2, $3, $5); } ;
primary : name
        | INT                                 { $$ = tree_node(t, A_INT, @$, @1, 0); $$->i = $1; }
        | FLOAT                               { $$ = tree_node(t, A_FLOAT, @$, @1, 0); $$->f = $1; }
        | CONST                               { $$ = tree_node(t, A_CONST, @$, @1, 0); $$->i = $1; }
        | string
        | '(' ')'                             { $$ = tree_list(t, A_TUPLE, @$, NULL); }
        | '(' expr ')'                        { $$ = tree_paren(t, @$, $2); }
        | '(' expr ',' ')'                    { $$ = tree_list(t, A_TUPLE, @$, list_of(t, $2)); }
        | '(' expr ',' exprs oc ')'           { $$ = tree_list(t, A_TUPLE, @$, list_front(t, $2, $4)); }
        | '[' ']'                             { $$ = tree_list(t, A_BRACKET, @$, NULL); }
        | '[' exprs oc ']'                    { $$ = tree_list(t, A_BRACKET, @$, $2); }
        | '[' expr FOR pat IN expr ']'        { $$ = tree_node(t, A_COMPREHENSION, @$, @3, 3, $2, $4, $6); }
        | '{' '}'                             { $$ = tree_list(t, A_RECORD, @$, NULL); }
        | '{' fields oc '}'                   { $$ = tree_record(t, @$, $2); }
        | primary '(' ')'                     { $$ = tree_call(t, @$, $1, NULL); }
        | primary '(' args oc ')'             { $$ = tree_call(t, @$, $1, $3); }
        | primary '[' index oc ']'            { $$ = tree_index(t, @$, @2, $1, $3); }
        | primary '.' name                    { $$ = tree_named(t, A_MEMBER, @$, $3, 1, $1); }
        | primary '\''                        { $$ = tree_node(t, A_TRANSPOSE, @$, @2, 1, $1); } ;
exprs   : expr                                { $$ = list_of(t, $1); }
        | exprs ',' expr                      { $$ = list_add(t, $1, $3); } ;
args    : arg                                 { $$ = list_of(t, $1); }
        | args ',' arg                        { $$ = list_add(t, $1, $3); } ;
arg     : expr
        | name '=' expr                       { $$ = tree_named(t, A_ARG, @$, $1, 1, $3); } ;
fields  : field                               { $$ = list_of(t, $1); }
        | fields ',' field                    { $$ = list_add(t, $1, $3); } ;
field   : name                                { $$ = tree_named(t, A_FIELD, @$, $1, 1, NULL); }
        | name '=' expr                       { $$ = tree_named(t, A_FIELD, @$, $1, 1, $3); } ;
index   : item                                { $$ = list_of(t, $1); }
        | index ',' item                      { $$ = list_add(t, $1, $3); } ;
item    : expr
        | oe ':' oe                           { $$ = tree_node(t, A_SLICE, @$, @2, 3, $1, $3, NULL); }
        | oe ':' oe ':' expr                  { $$ = tree_node(t, A_SLICE, @$, @2, 3, $1, $3, $5); }
        | NONE                                { $$ = tree_node(t, A_NONE, @$, @1, 0); }
        | DOTDOT                              { $$ = tree_node(t, A_REST, @$, @1, 0); } ;
oe      : %empty                              { $$ = NULL; }
        | expr ;
string  : SBEGIN sparts SEND                  { $$ = tree_list(t, A_STRING, @$, $2); } ;
sparts  : %empty                              { $$ = list_new(t); }
        | sparts SCHARS
                        { $$ = list_add(t, $1, tree_chars(t, A_CHARS, @2, $<text>2, $<n_text>2, NULL)); }
        | sparts IOPEN expr ICLOSE
                        { $$ = list_add(t, $1, tree_chars(t, A_HOLE, span_join(@2, @4), NULL, 0, $3)); }
        | sparts IOPEN expr FORMAT ICLOSE
                        { Ast *hole = tree_chars(t, A_HOLE, span_join(@2, @5), $<text>4, $<n_text>4, $3);
                          $$ = list_add(t, $1, hole); } ;
%%
static int glia_syntax_lex(TokenValue *value, Span *at, Reader *r) {
  Token next;
  layout_next(r, &next);
  *value = next.value;
  *at = next.span;
  return next.kind;
}

static int yyreport_syntax_error(const yypcontext_t *ctx, Tree *t, Reader *r) {
  yysymbol_kind_t expected[YYNTOKENS];
  int n = yypcontext_expected_tokens(ctx, expected, YYNTOKENS);
  (void)r;
  Expected e = {.found = yysymbol_name(yypcontext_token(ctx)), .at = *yypcontext_location(ctx)};
  for (int k = 0; k < n; k++) {
    switch (expected[k]) {
      case YYSYMBOL_INT: e.expression = true; break;
      case YYSYMBOL_ID: e.name = true; break;
      case YYSYMBOL_AND: e.operator_ = true; break;
      case YYSYMBOL_EQ: e.comparison = true; break;
      case YYSYMBOL_LET: e.statement = true; break;
      case YYSYMBOL_SEP: e.end_of_line = true; break;
      default: break;
    }
    e.text[e.n++] = yysymbol_name(expected[k]);
  }
  mistake(t, &e);
  return 0;
}

static void glia_syntax_error(const Span *at, Tree *t, Reader *r, const char *message) {
  (void)message;                         /* the one left: the stack is full */
  (void)t;
  diag_in(r->diags, r->source, *at, E_DEPTH);
}

/* A full stack with room for `more` elements. */
static void *with_room(Reader *r, const void *full, ptrdiff_t used, ptrdiff_t size, ptrdiff_t more) {
  return memcpy(arena_alloc(r->arena, (size_t)(used / size * more)), full, (size_t)used);
}

/* The three stacks are full: larger ones in the arena. With a size that is as it was the parser gives up. */
static void larger(Reader *r, void **states, ptrdiff_t n_states, void **values, ptrdiff_t n_values, void **places,
                   ptrdiff_t n_places, ptrdiff_t *size) {
  ptrdiff_t more = *size < MOST_STACK / 2 ? *size * 2 : MOST_STACK;
  if (*size == MOST_STACK) {
    diag_in(r->diags, r->source, r->last.span, E_DEPTH);
    return;
  }
  *states = with_room(r, *states, n_states, *size, more);
  *values = with_room(r, *values, n_values, *size, more);
  *places = with_room(r, *places, n_places, *size, more);
  *size = more;
}
