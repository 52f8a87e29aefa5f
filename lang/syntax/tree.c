/* tree: nodes of the syntax tree, and the mistakes that a grammar cannot see: what is no target of an assignment, an
 * argument given twice, a hole where none may be. See tree.h.
 */
#include "syntax/tree.h"
#include "syntax/parse.h"
#include <string.h>

AstList *list_new(Tree *t) { return NEW(t->arena, AstList); }

AstList *list_add(Tree *t, AstList *l, Ast *ast) {
  AstCell *c = NEW(t->arena, AstCell);
  c->ast = ast;
  if (l->last) {
    c->next = l->last->next;
    l->last->next = c;
  } else {
    c->next = c;
  }
  l->last = c;
  l->n++;
  return l;
}

AstList *list_of(Tree *t, Ast *first) { return list_add(t, list_new(t), first); }

AstList *list_front(Tree *t, Ast *first, AstList *l) {
  AstCell *last = l->last;
  list_add(t, l, first);
  if (last) l->last = last;
  return l;
}

Span span_join(Span a, Span b) { return (Span){a.first, b.end}; }

Span tree_span(const Span *rhs, int n) {
  if (n == 0) return (Span){rhs[0].end, rhs[0].end};
  int k = 1;
  while (k < n && rhs[k].first == rhs[k].end) k++;
  return (Span){rhs[k].first, rhs[n].end};
}

static Ast *make(Tree *t, AstKind kind, Span span, Span at, uint32_t n) {
  Ast *x = arena_alloc(t->arena, sizeof(Ast) + n * sizeof(Ast *));
  x->kind = (uint8_t)kind;
  x->n = n;
  x->span = span;
  x->at = at;
  x->source = t->r->source;
  x->id = t->r->diags->sources->n_ast++;
  x->depth = 1;
  return x;
}

static void adopt(Tree *t, Ast *x, uint32_t k, Ast *kid) {
  x->kid[k] = kid;
  if (!kid || kid->depth < x->depth) return;
  x->depth = kid->depth + 1;
  if (x->depth <= t->deepest || t->too_deep) return;
  t->too_deep = true;
  diag_in(t->r->diags, t->r->source, x->at, t->deepest < MOST_DEPTH ? E_TOO_DEEP : E_DEPTH);
}

static Ast *make_kids(Tree *t, AstKind kind, Span span, Span at, int n, va_list ap) {
  Ast *x = make(t, kind, span, at, (uint32_t)n);
  for (int k = 0; k < n; k++) adopt(t, x, (uint32_t)k, va_arg(ap, Ast *));
  return x;
}

Ast *tree_node(Tree *t, AstKind kind, Span span, Span at, int n, ...) {
  va_list ap;
  va_start(ap, n);
  Ast *x = make_kids(t, kind, span, at, n, ap);
  va_end(ap);
  return x;
}

Ast *tree_list(Tree *t, AstKind kind, Span span, AstList *l) {
  Ast *x = make(t, kind, span, span, l ? l->n : 0);
  AstCell *c = l && l->last ? l->last->next : NULL;
  for (uint32_t k = 0; k < x->n; k++, c = c->next) adopt(t, x, k, c->ast);
  return x;
}

Ast *tree_name(Tree *t, Span span, Sym name) {
  Ast *x = make(t, A_NAME, span, span, 0);
  x->name = name;
  return x;
}

Ast *tree_named(Tree *t, AstKind kind, Span span, Ast *name, int n, ...) {
  va_list ap;
  va_start(ap, n);
  Ast *x = make_kids(t, kind, span, name->span, n, ap);
  va_end(ap);
  x->name = name->name;
  return x;
}

Ast *tree_let(Tree *t, AstKind kind, Span span, Ast *pattern, Ast *type, AstList *init) {
  Ast *x = tree_node(t, kind, span, pattern->span, 3, pattern, type, init->last->ast);
  x->op = (uint16_t)init->op;
  return x;
}

Ast *tree_cell(Tree *t, AstKind kind, Span span, Ast *name, Ast *type, AstList *init) {
  Ast *x = tree_named(t, kind, span, name, 2, type, init->last->ast);
  x->op = (uint16_t)init->op;
  return x;
}

Ast *tree_assign(Tree *t, Span span, Span at, int op, Ast *target, Ast *value) {
  bool name = target->kind == A_NAME && strcmp(target->name, "_") != 0;
  if (!name && target->kind != A_MEMBER && target->kind != A_INDEX) {
    const char *what =
        target->kind == A_NAME   ? "`_`"
        : target->kind == A_CALL ? "the result of a call"
        : target->kind == A_INT || target->kind == A_FLOAT || target->kind == A_CONST || target->kind == A_STRING
            ? "a literal"
        : target->kind == A_TUPLE  ? "a tuple"
        : target->kind == A_RECORD ? "a record"
                                   : "an expression";
    Diag *g = diag_in(t->r->diags, t->r->source, target->span, E_ASSIGN_TARGET, what);
    diag_hint(t->r->diags, g, "%s",
              target->kind == A_TUPLE || target->kind == A_RECORD ? "`let (a, b) = ...` takes a value apart"
              : op == '=' && target->kind == A_CALL
                  ? "a function is `fn f(x) = ...`; `==` compares"
              : op == '=' && target->kind != A_NAME
                  ? "what is assigned is a name, a member or an element; `==` compares"
                  : "what is assigned is a name, a member or an element");
    return tree_node(t, A_ERROR, span, at, 0);
  }
  Ast *x = tree_node(t, A_ASSIGN, span, at, 2, target, value);
  x->op = (uint16_t)op;
  return x;
}

Ast *tree_parm(Tree *t, Span span, Ast *pattern, Ast *type, Ast *value) {
  return tree_node(t, A_PARM, span, pattern->span, 3, pattern, type, value);
}

Ast *tree_binary(Tree *t, Span span, Span at, int op, Ast *left, Ast *right) {
  Ast *x = tree_node(t, A_BINARY, span, at, 2, left, right);
  x->op = (uint16_t)op;
  return x;
}

Ast *tree_unary(Tree *t, Span span, Span at, int op, Ast *x) {
  Ast *y = tree_node(t, A_UNARY, span, at, 1, x);
  y->op = (uint16_t)op;
  return y;
}

Ast *tree_paren(Tree *t, Span span, Ast *x) {
  (void)t, (void)span;
  if (x->parens < UINT8_MAX) x->parens++;
  return x;
}

/* Reports names that stand twice. Few are usual; many are compared through a table, so that a long record costs
 * little. */
static void twice(Tree *t, const Ast *x, AstKind kind, DiagId id) {
  uint32_t cap = 16;
  while (cap < 2 * x->n) cap *= 2;
  const Ast **seen = x->n > 1 ? NEW_N(t->arena, const Ast *, cap) : NULL;
  for (uint32_t k = 0; seen && k < x->n; k++) {
    const Ast *f = x->kid[k];
    if (f->kind != kind) continue;
    uint32_t j = (uint32_t)((uintptr_t)f->name >> 4) & (cap - 1);
    while (seen[j] && seen[j]->name != f->name) j = (j + 1) & (cap - 1);
    if (!seen[j]) {
      seen[j] = f;
      continue;
    }
    Diag *g = diag_in(t->r->diags, t->r->source, f->at, id, f->name);
    diag_mark_in(t->r->diags, g, t->r->source, f->at, "%s", "");
    diag_mark_in(t->r->diags, g, t->r->source, seen[j]->at, "first here");
  }
}

Ast *tree_record(Tree *t, Span span, AstList *fields) {
  Ast *x = tree_list(t, A_RECORD, span, fields);
  twice(t, x, A_FIELD, E_FIELD_TWICE);
  return x;
}

/* `[1, 2] [3, 4]`: an index stands close behind what it indexes, of a bracket at least. */
Ast *tree_index(Tree *t, Span span, Span at, Ast *base, AstList *items) {
  bool rows = base->kind == A_BRACKET && !base->parens && at.first > base->span.end;
  if (rows) {
    Diag *g = diag_in(t->r->diags, t->r->source, at, E_SYNTAX, "`,` or `]`", "`[`");
    diag_hint(t->r->diags, g, "a `,` stands between two rows: `[[0, 1], [1, 0]]`; an index has no blank before it");
    return tree_node(t, A_ERROR, span, at, 0);
  }
  Ast *x = tree_list(t, A_INDEX, span, list_front(t, base, items));
  x->at = at;
  return x;
}

Ast *tree_call(Tree *t, Span span, Ast *callee, AstList *args) {
  Ast *x = tree_list(t, A_CALL, span, list_front(t, callee, args ? args : list_new(t)));
  x->at = callee->kind == A_MEMBER ? callee->at : callee->span;
  const Ast *named = NULL;
  for (uint32_t k = 1; k < x->n; k++) {
    if (x->kid[k]->kind == A_ARG) named = x->kid[k];
    else if (named) {
      Diag *g = diag_in(t->r->diags, t->r->source, x->kid[k]->span, E_ARGUMENT_ORDER);
      diag_mark_in(t->r->diags, g, t->r->source, x->kid[k]->span, "%s", "");
      diag_mark_in(t->r->diags, g, t->r->source, named->at, "has a name");
      break;
    }
  }
  twice(t, x, A_ARG, E_ARGUMENT_TWICE);
  return x;
}

Ast *tree_chars(Tree *t, AstKind kind, Span span, const char *text, uint32_t n, Ast *kid) {
  Ast *x = make(t, kind, span, span, kid ? 1 : 0);
  if (kid) adopt(t, x, 0, kid);
  x->text = text;
  x->n_text = n;
  return x;
}

Ast *tree_documented(Tree *t, Ast *statement) {
  statement->doc = layout_doc(t->r, statement->span.first);
  return statement;
}

void tree_plain_string(Tree *t, const Ast *string, const char *of) {
  for (uint32_t k = 0; k < string->n; k++)
    if (string->kid[k]->kind == A_HOLE) {
      Diag *g = diag_in(t->r->diags, t->r->source, string->kid[k]->span, E_STRING_HOLES, of);
      diag_hint(t->r->diags, g, "a brace is `{{`");
      return;
    }
}

void tree_as(Tree *t, const Ast *name) {
  if (strcmp(name->name, "as") != 0) {
    Diag *g = diag_in(t->r->diags, t->r->source, name->span, E_IMPORT_AS, arena_printf(t->arena, "`%s`", name->name));
    diag_hint(t->r->diags, g, "write `import \"path.nn\" as name`");
  }
}

static uint32_t deepest(Arena *a) {
  size_t left = host_stack_left(arena_host(a));
  size_t levels = left > STACK_DEEPER ? (left - STACK_DEEPER) / STACK_LEVEL : 0;
  return levels < MOST_DEPTH ? (uint32_t)levels : MOST_DEPTH;
}

/* What stands behind a bracket that is left open was read as if it stood inside: nothing is said about it. */
static void forget_open(Tree *t) {
  for (uint32_t k = 0; k < t->program->n; k++) {
    const Ast *x = t->program->kid[k];
    if (x->span.end <= t->r->open_at || x->span.first > t->r->open_at) continue;
    t->program->kid[k] = tree_node(t, A_ERROR, x->span, x->at, 0);
  }
}

Parsed *parse(Arena *a, Source *source, Diags *d, bool repl) {
  return parse_part(a, source, (Span){0, source->n}, d, repl);
}

Parsed *parse_part(Arena *a, Source *source, Span part, Diags *d, bool repl) {
  Reader *r = NEW(a, Reader);
  *r = (Reader){.arena = a, .source = source, .part = part, .diags = d, .repl = repl, .blank = true,
                .n_errors = d->n_errors};
  Tree *t = NEW(a, Tree);
  *t = (Tree){.arena = a, .r = r, .deepest = deepest(a)};
  if (lex_check(r)) {
    lex_open(r);
    glia_syntax_parse(t, r);
    lex_close(r);
  }
  if (!t->program || t->too_deep) {
    bool any = part.end > part.first;
    t->program = tree_list(t, A_BLOCK, part, any ? list_of(t, tree_node(t, A_ERROR, part, part, 0)) : NULL);
  }
  t->program->span = t->program->at = part;
  if (r->end_told) forget_open(t);
  Parsed *p = NEW(a, Parsed);
  p->source = source;
  p->program = t->program;
  p->comment.at = r->comment.at;
  p->comment.n = r->comment.n;
  p->comment.cap = r->comment.cap;
  p->incomplete = r->incomplete;
  return p;
}
