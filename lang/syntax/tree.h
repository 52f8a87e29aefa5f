/* tree: the nodes of the syntax tree as the grammar's actions make them. In: spans, kids, lists. Out: Ast nodes.
 * Invariant: kids are made before their parent, so depth is known when a node is made, and a tree that is too deep for
 * those who walk it by recursion is refused here.
 */
#ifndef LANG_TREE_H
#define LANG_TREE_H
#include "syntax/layout.h"

typedef struct AstCell { Ast *ast; struct AstCell *next; } AstCell;
struct AstList { AstCell *last; uint32_t n; int op; };        /* a ring: last->next is the first */

typedef struct Tree Tree;
struct Tree {
  Arena *arena;
  Reader *r;
  Ast *program;
  uint32_t deepest;            /* levels of nodes: MOST_DEPTH, or what the C stack has room for */
  bool too_deep;
};

AstList *list_new(Tree *t);
AstList *list_of(Tree *t, Ast *first);
AstList *list_add(Tree *t, AstList *l, Ast *ast);
AstList *list_front(Tree *t, Ast *first, AstList *l);

Span span_join(Span a, Span b);
Span tree_span(const Span *rhs, int n);       /* of the right-hand side rhs[1..n]; rhs[0] stands before it */
Ast *tree_node(Tree *t, AstKind kind, Span span, Span at, int n, ...);
Ast *tree_list(Tree *t, AstKind kind, Span span, AstList *l);
Ast *tree_name(Tree *t, Span span, Sym name);
Ast *tree_named(Tree *t, AstKind kind, Span span, Ast *name, int n, ...);      /* at: the name */
Ast *tree_let(Tree *t, AstKind kind, Span span, Ast *pattern, Ast *type, AstList *init);
Ast *tree_cell(Tree *t, AstKind kind, Span span, Ast *name, Ast *type, AstList *init);
Ast *tree_assign(Tree *t, Span span, Span at, int op, Ast *target, Ast *value);
Ast *tree_parm(Tree *t, Span span, Ast *pattern, Ast *type, Ast *value);
Ast *tree_binary(Tree *t, Span span, Span at, int op, Ast *left, Ast *right);
Ast *tree_unary(Tree *t, Span span, Span at, int op, Ast *x);
Ast *tree_paren(Tree *t, Span span, Ast *x);
Ast *tree_record(Tree *t, Span span, AstList *fields);
Ast *tree_index(Tree *t, Span span, Span at, Ast *base, AstList *items);
Ast *tree_call(Tree *t, Span span, Ast *callee, AstList *args);
Ast *tree_chars(Tree *t, AstKind kind, Span span, const char *text, uint32_t n, Ast *kid);
Ast *tree_documented(Tree *t, Ast *statement);
void tree_plain_string(Tree *t, const Ast *string, const char *of);    /* a string without holes, or a mistake */
void tree_as(Tree *t, const Ast *name);                                /* `as`, or a mistake */

/* What could have come where something else was found (parse.y), and the message about it (mistake.c). */
typedef struct Expected {
  const char *text[96];        /* all of it */
  uint32_t n;
  bool expression, name, operator_, comparison, statement, end_of_line;   /* what these amount to */
  const char *found;
  Span at;
} Expected;
void mistake(Tree *t, const Expected *e);
#endif
