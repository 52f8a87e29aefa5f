/* resolve: the names of a whole text before elaboration, in bodies that are called and in those that are not. In: the
 * syntax, and what exists outside of it. Out: diagnostics (unknown, used before it stands, defined twice, not used,
 * hidden by mistake), and for the elaborator the uses that were reported, so that one mistake is one report.
 *
 * One walk, one table: a name's entry holds its innermost binding, which holds the one that it hides; a block takes its
 * bindings back when it ends. So it costs what the text is long. The body of a function reads names when it is called:
 * what is unknown in it waits, and a `let` that stands further down in a block around the function answers it. At the
 * end, what still waits is unknown.
 */
#include "syntax/ast.h"
#include "text/foreign.h"
#include <string.h>

typedef enum { BOUND_LET, BOUND_VAR, BOUND_CELL, BOUND_DEFINITION, BOUND_PARAMETER, BOUND_PATTERN, BOUND_TURN,
  BOUND_IMPORT, BOUND_DIM } BoundKind;

enum { MOST_ASKED = 100 };

typedef struct Block Block;
typedef struct Name Name;
typedef struct Binding {
  Name *name;
  struct Binding *hides, *next;   /* next: in the same block */
  struct Binding *peer;           /* of one pattern, in a ring: one that is used speaks for all */
  struct Binding *gives;          /* of a size: the argument whose type binds it */
  const struct Binding *renews;   /* a `let` of an outer block that its value was made of */
  const Ast *ast;
  Block *block;
  uint8_t kind;
  bool used, assigned;
  bool quiet;                     /* nobody need use it */
} Binding;

struct Block {
  Block *outer;
  Binding *binding;
  uint32_t opened;                /* the clock */
  uint32_t body;                  /* when the innermost body of a function around it was opened; 0: none */
  uint32_t end;                   /* the byte behind it */
  bool layer;                     /* its names are fields */
  bool loop;                      /* the body of a `for` or `while` */
};

typedef struct Waiting {          /* a use that nothing answers yet */
  struct Waiting *next;
  const Ast *use;
  uint32_t time, body;
  const char *near;
  bool size;                      /* in the type of a parameter of a function */
} Waiting;

struct Name {
  Sym sym;
  Binding *top;
  Binding *ended;                 /* the last one whose block has ended */
  uint32_t ended_at;
  Waiting *waiting;
  const Ast *outer_use;           /* the last use, in the body of a function, of what stands outside that body */
  uint32_t outer_time, outer_body;
  uint32_t reads;
  uint8_t outside;                /* 0: not asked, 1: it exists, 2: it does not */
  bool broken;                    /* stands in a statement that did not parse */
  bool member;                    /* `.name` stands somewhere */
  bool told;                      /* reported as unknown */
};

typedef struct Field { const Name *name; const Binding *binding; } Field;

typedef struct Resolver {
  Arena *a;
  Diags *d;
  const Outside *o;
  const Source *source;
  Name **table;
  uint32_t cap, n;
  Block *block;
  uint32_t clock, body;
  bool signature;                 /* in the type of a parameter of a function */
  uint32_t expected;              /* inside an `assert_error`: its mistakes are the elaborator's */
  uint32_t asked;                 /* how often a name like another was looked for */
  bool warns;
  const Ast *value;               /* of the `let` whose names are declared: it reads the outer ones */
  VEC(Field) field;               /* of layers, that no method reads */
  VEC(Binding *) unused;          /* so far */
  VEC(const char *) outer_names;  /* of outside, once they were asked for */
} Resolver;

/* ---- the table ---- */
static Name **slot(Resolver *r, Sym s) {
  uint32_t k = (uint32_t)(((uintptr_t)s >> 4) * 2654435761u) & (r->cap - 1);
  while (r->table[k] && r->table[k]->sym != s) k = (k + 1) & (r->cap - 1);
  return &r->table[k];
}

static Name *name_of(Resolver *r, Sym s) {
  Name **at = slot(r, s);
  if (*at) return *at;
  if (2 * (r->n + 1) > r->cap) {
    Name **old = r->table;
    uint32_t cap = r->cap;
    r->cap *= 4;
    r->table = NEW_N(r->a, Name *, r->cap);
    for (uint32_t k = 0; k < cap; k++)
      if (old[k]) *slot(r, old[k]->sym) = old[k];
    at = slot(r, s);
  }
  *at = NEW(r->a, Name);
  (*at)->sym = s;
  r->n++;
  return *at;
}

static bool outside(Resolver *r, Name *n) {
  if (!n->outside) n->outside = r->o->known(r->o->ctx, n->sym) ? 1 : 2;
  return n->outside == 1;
}

static bool is_dim(Sym s) { return s[0] >= 'A' && s[0] <= 'Z'; }
static bool is_hole(Sym s) { return s[0] == '_' && s[1] == 0; }

/* ---- blocks ---- */
static Block *block_open(Resolver *r, const Ast *ast, bool body) {
  Block *b = NEW(r->a, Block);
  b->outer = r->block;
  b->opened = ++r->clock;
  b->end = ast->span.end;
  if (body) r->body = b->opened;
  b->body = r->body;
  r->block = b;
  return b;
}

static Diag *tell(Resolver *r, const Ast *at, DiagId id, const char *text) {
  return diag_in(r->d, r->source, at->at, id, text);
}

static void tell_renewed(Resolver *r, const Binding *b, const char *hint);

static void unused(Resolver *r, const Binding *b) {
  if (!r->warns || b->quiet || b->used || b->name->sym[0] == '_' || b->name->broken) return;
  const char *name = b->name->sym;
  if (b->renews) {
    tell_renewed(r, b, arena_printf(r->a, "make that one with `var`, and leave the `let` out here: `%s = ...`", name));
    return;
  }
  if (b->peer && b->peer != b) {
    uint32_t first = b->ast->span.first;
    for (Binding *p = b->peer; p != b; p = p->peer) {
      if (p->used || p->quiet || p->assigned) return;
      if (p->ast->span.first < first) return;          /* the first in the text speaks for all */
    }
    Diag *g = tell(r, b->ast, E_UNUSED, "no name of this pattern is used");
    diag_hint(r->d, g, "write `_` in its place, or leave it out");
    return;
  }
  if (b->kind == BOUND_VAR && b->assigned) {
    Diag *g = tell(r, b->ast, E_UNUSED, arena_printf(r->a, "`%s` is assigned, but never read", name));
    diag_hint(r->d, g, "print it, or leave it out");
    return;
  }
  static const char *const hints[] = {
      [BOUND_LET] = "leave it out, or use it",
      [BOUND_VAR] = "leave it out, or use it",
      [BOUND_CELL] = "leave it out, or use it",
      [BOUND_DEFINITION] = "leave it out, call it, or document it with `##` if others are to",
      [BOUND_PARAMETER] = "write `_` in its place, or use it",
      [BOUND_PATTERN] = "write `_` in its place, or leave it out",
      [BOUND_TURN] = "",
      [BOUND_IMPORT] = "leave the import out",
      [BOUND_DIM] = ""};
  const char *what = b->kind == BOUND_PARAMETER ? "the argument " : b->kind == BOUND_IMPORT ? "the import " : "";
  Diag *g = tell(r, b->ast, E_UNUSED, arena_printf(r->a, "%s`%s` is not used", what, name));
  diag_hint(r->d, g, "%s", hints[b->kind]);
}

static void block_close(Resolver *r) {
  Block *b = r->block;
  for (Binding *x = b->binding; x; x = x->next) {
    Name *n = x->name;
    n->top = x->hides;
    n->ended = x;
    n->ended_at = b->end;
    if (b->layer && (x->kind == BOUND_CELL || x->kind == BOUND_LET)) {
      if (!x->used) vec_push(r->a, &r->field, (Field){n, x});
    } else if (!x->used) vec_push(r->a, &r->unused, x);
  }
  r->block = b->outer;
  r->body = r->block ? r->block->body : 0;
}

/* ---- unknown names ---- */
static void take_name(void *to, const char *name) {
  Resolver *r = to;
  vec_push(r->a, &r->outer_names, name);
}

/* The nearest of all names that can be seen here; inner names first, so that they win. */
static const char *near_name(Resolver *r, const char *name) {
  if (r->asked++ >= MOST_ASKED) return NULL;
  if (!r->outer_names.n) r->o->each(r->o->ctx, take_name, r);
  VEC(const char *) names = {0};
  for (uint32_t k = 0; k < r->cap; k++)
    if (r->table[k] && r->table[k]->top) vec_push(r->a, &names, r->table[k]->sym);
  const char *near = nearest_of_all(name, names.at, names.n);
  if (near) (*slot(r, near))->top->used = true;         /* misspelt, it is not unused as well */
  return near ? near : nearest_of_all(name, r->outer_names.at, r->outer_names.n);
}

static uint32_t line_of(const Resolver *r, uint32_t byte) {
  uint32_t line, column;
  source_position(r->source, byte, &line, &column);
  return line;
}

/* `np.exp`, `nn.Linear`: what is asked of a module that is none here. */
static const char *module_hint(Resolver *r, const Ast *use) {
  const char *p = r->source->text + use->span.end;
  size_t n = 0;
  if (!foreign_module(use->name) || *p != '.') return NULL;
  for (p++; in_name(p[n]);) n++;
  if (!n) return NULL;
  const char *name = arena_text(r->a, p, n), *ours = foreign_name(name);
  if (ours) return ours;
  if (!r->o->known(r->o->ctx, sym(r->d->sources, name, n))) return NULL;
  return arena_printf(r->a, "functions have no module in front: write `%s(...)`", name);
}

static bool is_target(const Resolver *r, const Ast *use) {
  const char *p = r->source->text + use->span.end;
  while (*p == ' ' || *p == '\t') p++;
  if (*p && strchr("+-*/", *p)) p++;
  return *p == '=' && p[1] != '=';
}

static void tell_unknown(Resolver *r, Name *n, const Waiting *first, uint32_t more) {
  Diag *g = tell(r, first->use, E_UNKNOWN_NAME, n->sym);
  const char *module = module_hint(r, first->use);
  bool leaves = r->o->replaces && !strcmp(n->sym, "exit");      /* in the REPL that is a command */
  const char *foreign = module ? module : leaves ? NULL : foreign_name(n->sym);
  if (n->ended && first->use->span.first >= n->ended_at) {
    diag_mark_in(r->d, g, r->source, first->use->at, "%s", "");
    diag_mark_in(r->d, g, r->source, n->ended->ast->at, "this one ended with its block in line %u",
                 line_of(r, n->ended_at ? n->ended_at - 1 : 0));
    if (n->ended->kind == BOUND_LET || n->ended->kind == BOUND_VAR || n->ended->kind == BOUND_TURN ||
        n->ended->kind == BOUND_PATTERN)
      diag_hint(r->d, g, "make it with `var` before the block, and assign it there");
  } else if (foreign) diag_hint(r->d, g, "%s", foreign);
  else if (first->size && n->sym[0] >= 'a' && n->sym[0] <= 'z')
    diag_hint(r->d, g, "a size that the argument brings has a capital: `%c%s`", n->sym[0] - 'a' + 'A', n->sym + 1);
  else if (is_dim(n->sym) && !first->near)
    diag_hint(
        r->d, g,
        "a name with a capital is bound as a size by the arguments of the `fn` around it; else make it with `let`");
  else if (first->near)
    diag_hint(r->d, g,
              is_target(r, first->use) ? "did you mean `%s`? A new name is made by `let` or `var`"
                                       : "did you mean `%s`?",
              first->near);
  else if (is_target(r, first->use))
    diag_hint(r->d, g, "`let %s = ...` makes a name for a value, `var %s = ...` one that can be assigned", n->sym,
              n->sym);
  if (more) diag_note(r->d, g, 0, "it is used in %u more place%s", more, more == 1 ? "" : "s");
}

/* What no block has answered. */
static void finish_unknown(Resolver *r) {
  for (uint32_t k = 0; k < r->cap; k++) {
    Name *n = r->table[k];
    if (!n || !n->waiting) continue;
    const Waiting *first = n->waiting;
    uint32_t more = 0;
    for (const Waiting *w = n->waiting; w; w = w->next) {
      r->o->missing(r->o->ctx, w->use, NULL);
      if (w != n->waiting) more++;
      if (w->use->span.first < first->use->span.first) first = w;
    }
    if (!n->broken && !n->told) tell_unknown(r, n, first, more);
  }
}

/* ---- uses ---- */
static void use_name(Resolver *r, Sym s, const Ast *at, bool reads) {
  if (is_hole(s)) return;
  Name *n = name_of(r, s);
  n->reads++;
  Binding *b = n->top;
  if (r->body && (!b || b->block->opened < r->body)) {
    n->outer_use = at;
    n->outer_time = r->clock;
    n->outer_body = r->body;
  }
  if (b) {
    if (reads) b->used = true;
    else b->assigned = true;
    if (b->gives) b->gives->used = true;
    return;
  }
  if (outside(r, n) || r->expected) return;
  if (n->ended) n->ended->used = true;                  /* it was meant */
  Waiting *w = NEW(r->a, Waiting);
  *w = (Waiting){n->waiting, at, r->clock, r->body, n->waiting ? n->waiting->near : near_name(r, s), r->signature};
  n->waiting = w;
}

/* Those that wait for a name which now stands in the present block. */
static void answer(Resolver *r, Name *n, Binding *b) {
  uint32_t opened = b->block->opened;
  Waiting **at = &n->waiting;
  const Waiting *before = NULL;
  while (*at) {
    Waiting *w = *at;
    if (w->time < opened) {
      at = &w->next;
      continue;
    }
    *at = w->next;
    b->used = true;
    r->o->missing(r->o->ctx, w->use, w->body > opened ? b->ast : NULL);
    if (w->body <= opened) before = w;               /* the list is newest first: this ends as the first in the text */
  }
  if (!before || n->broken) return;
  Diag *g = tell(r, before->use, E_BEFORE, n->sym);
  diag_mark_in(r->d, g, r->source, before->use->at, "%s", "");
  diag_mark_in(r->d, g, r->source, b->ast->at, "it stands from here on");
  if (b->kind == BOUND_DIM)
    diag_hint(r->d, g, "arguments match from left to right: one before it must have `%s` as a size alone", n->sym);
  else
    diag_hint(r->d, g, "only `fn`, `proc`, `layer` and `optimizer` are seen in their whole block; move this line up");
}

/* ---- definitions ---- */
static void tell_twice(Resolver *r, const Binding *old, const Binding *now) {
  const Ast *first = old->ast, *second = now->ast;
  if (second->span.first < first->span.first) first = now->ast, second = old->ast;
  Diag *g = tell(r, second, E_TWICE, now->name->sym);
  diag_mark_in(r->d, g, r->source, second->at, "%s", "");
  diag_mark_in(r->d, g, r->source, first->at, "first here");
  if (now->kind == BOUND_LET && old->kind == BOUND_VAR)
    diag_hint(r->d, g, "`%s = ...` without `let` assigns it", now->name->sym);
  else if (now->kind == BOUND_LET && old->kind == BOUND_LET)
    diag_hint(r->d, g, "choose another name, or make the first one with `var` and assign it");
  else diag_hint(r->d, g, "choose another name");
}

static void tell_hidden(Resolver *r, const Ast *at, const Ast *mark, const char *label, const char *hint,
                        const char *text) {
  if (!r->warns) return;
  Diag *g = tell(r, at, E_HIDDEN, text);
  if (mark) {
    diag_mark_in(r->d, g, r->source, at->at, "%s", "");
    diag_mark_in(r->d, g, r->source, mark->at, "%s", label);
  }
  diag_hint(r->d, g, "%s", hint);
}

/* `let total = total + x` in an inner block: the outer one stays as it is. */
static void tell_renewed(Resolver *r, const Binding *b, const char *hint) {
  const Binding *hid = b->kind == BOUND_LET && b->renews ? b->renews : b->hides;
  tell_hidden(r, b->ast, hid->ast, "this one keeps its value", hint,
              arena_printf(r->a, "this `%s` is a new name, which ends with its block", b->name->sym));
}

static bool loop_between(const Block *inner, const Block *outer) {
  for (; inner != outer; inner = inner->outer)
    if (inner->loop) return true;
  return false;
}

static void check_hiding(Resolver *r, Name *n, Binding *b, uint32_t reads_before) {
  const Binding *hid = b->hides;
  if (b->kind != BOUND_LET && b->kind != BOUND_VAR && b->kind != BOUND_CELL) return;
  if (!strcmp(n->sym, "is_training") && !hid) {
    tell_hidden(r, b->ast, NULL, "", "`training { ... }` computes its block in training mode",
                "this hides the `is_training` of the language, at which layers look");
    return;
  }
  if (hid && hid->block->body == b->block->body && n->reads > reads_before) {
    if (hid->kind == BOUND_VAR) {
      tell_renewed(r, b, arena_printf(r->a, "`%s = ...` assigns it", n->sym));
      b->quiet = true;
      return;
    }
    if (hid->kind == BOUND_LET && loop_between(b->block, hid->block)) b->renews = hid;
  }
  bool own = n->outer_use && r->value && n->outer_use->span.first >= r->value->span.first &&
             n->outer_use->span.end <= r->value->span.end;
  if (own || !n->outer_use || n->outer_time < b->block->opened || n->outer_body <= b->block->opened) return;
  if (hid || outside(r, n))
    tell_hidden(r, b->ast, n->outer_use, "this reads it when it is called", "choose another name",
                arena_printf(r->a, hid ? "this hides the outer `%s`" : "this hides the `%s` of the library", n->sym));
}

static Binding *declare(Resolver *r, Sym s, const Ast *at, BoundKind kind, uint32_t reads_before) {
  if (is_hole(s)) return NULL;
  Name *n = name_of(r, s);
  Binding *b = NEW(r->a, Binding), *old = n->top;
  *b = (Binding){.name = n, .hides = old, .next = r->block->binding, .ast = at, .block = r->block,
                 .kind = (uint8_t)kind};
  b->quiet = kind == BOUND_TURN || kind == BOUND_DIM;
  r->block->binding = b;
  n->top = b;
  if (old && old->block == r->block) {
    if (r->block->outer || !r->o->replaces) {
      tell_twice(r, old, b);
      old->used = b->used = true;
    }
    old->quiet = true;
    return b;
  }
  if (n->waiting) answer(r, n, b);
  check_hiding(r, n, b, reads_before);
  return b;
}

static uint32_t reads_of(Resolver *r, const Ast *pattern) {
  return pattern->kind == A_NAME && !is_hole(pattern->name) ? name_of(r, pattern->name)->reads : 0;
}

static void parts(Resolver *r, const Ast *p, bool quiet, Binding **ring) {
  Binding *b = NULL;
  if (p->kind == A_NAME || (p->kind == A_PFIELD && (!p->n || !p->kid[0])))
    b = declare(r, p->name, p, BOUND_PATTERN, UINT32_MAX);
  else
    for (uint32_t k = 0; k < p->n; k++) parts(r, p->kid[k], quiet, ring);
  if (!b) return;
  b->quiet |= quiet;
  b->peer = *ring ? (*ring)->peer : b;
  if (*ring) (*ring)->peer = b;
  *ring = b;
}

static void pattern(Resolver *r, const Ast *p, BoundKind kind, uint32_t reads_before, bool quiet) {
  Binding *ring = NULL, *b = NULL;
  if (p->kind == A_NAME) b = declare(r, p->name, p, kind, reads_before);
  else parts(r, p, quiet, &ring);
  if (b) b->quiet |= quiet;
}

/* ---- the walk ---- */
static void expr(Resolver *r, const Ast *x);
static void block(Resolver *r, const Ast *b);
static void statements(Resolver *r, const Ast *b);

/* Of a signature: a name with a capital is bound where it is first met. */
static void signature_type(Resolver *r, const Ast *t) {
  if (!t || t->kind == A_NAME) return;
  for (uint32_t k = 0; k < t->n; k++) {
    const Ast *d = t->kid[k];
    if (t->kind == A_TTUPLE) {
      signature_type(r, d);
      continue;
    }
    bool name = d->kind == A_REST ? d->name != NULL : d->kind == A_NAME && is_dim(d->name);
    if (!name) {
      r->signature = true;
      if (d->kind != A_REST) expr(r, d);
      r->signature = false;
      continue;
    }
    Name *n = name_of(r, d->name);
    if (n->top && n->top->block == r->block) n->top->used = true;
    else declare(r, d->name, d, BOUND_DIM, UINT32_MAX);
  }
}

static void value_type(Resolver *r, const Ast *t) {
  if (!t || t->kind == A_NAME) return;
  for (uint32_t k = 0; k < t->n; k++) {
    const Ast *d = t->kid[k];
    if (t->kind == A_TTUPLE) value_type(r, d);
    else if (d->kind != A_REST) expr(r, d);
    else if (d->name) use_name(r, d->name, d, true);
  }
}

static void parameters(Resolver *r, const Ast *params, bool quiet) {
  for (uint32_t k = 0; params && k < params->n; k++) {
    const Ast *p = params->kid[k];
    if (p->kind != A_PARM) {
      if (p->kind == A_NAME) pattern(r, p, BOUND_PARAMETER, UINT32_MAX, quiet);
      continue;
    }
    if (p->kid[2]) expr(r, p->kid[2]);
    Binding *before = r->block->binding;
    signature_type(r, p->kid[1]);
    Binding *sizes = r->block->binding;
    pattern(r, p->kid[0], BOUND_PARAMETER, UINT32_MAX, quiet);
    if (p->kid[0]->kind == A_NAME && r->block->binding != sizes)
      for (Binding *b = sizes; b != before; b = b->next) b->gives = r->block->binding;
  }
}

static const Ast *var_of(const Ast *block, Sym name) {
  for (uint32_t k = 0; k < block->n; k++)
    if (block->kid[k]->kind == A_VAR && block->kid[k]->kid[0]->kind == A_NAME && block->kid[k]->kid[0]->name == name)
      return block->kid[k];
  return NULL;
}

/* The `var` of this block that a statement assigns, alone or in its loops. */
static const Ast *assigns_var(const Ast *block, const Ast *x) {
  if (x->kind == A_FOR || x->kind == A_WHILE) {
    const Ast *body = x->kid[x->n - 1], *found = NULL;
    for (uint32_t k = 0; k < body->n && !found; k++) found = assigns_var(block, body->kid[k]);
    return found;
  }
  if (x->kind != A_ASSIGN) return NULL;
  const Ast *target = x->kid[0]->kind == A_INDEX ? x->kid[0]->kid[0] : x->kid[0];
  return target->kind == A_NAME ? var_of(block, target->name) : NULL;
}

/* The body of a formula has the value of its last expression: one that ends in a name that is made has none. */
static void check_value(Resolver *r, const Ast *at, const Ast *body) {
  const Ast *last = body->n ? body->kid[body->n - 1] : NULL;
  if (!last || r->expected) return;
  bool makes = last->kind == A_LET || last->kind == A_VAR || last->kind == A_FN;
  const Ast *var = makes ? NULL : assigns_var(body, last);
  if (!makes && !var) return;
  const char *what = last->kind == A_LET      ? "a `let`"
                     : last->kind == A_VAR    ? "a `var`"
                     : last->kind == A_FN     ? "a `fn`"
                     : last->kind == A_ASSIGN ? "an assignment"
                                              : "a loop";
  Sym name = last->kind == A_FN ? last->name : var ? var->kid[0]->name
             : last->kid[0]->kind == A_NAME ? last->kid[0]->name : NULL;
  const char *whose = at->kind == A_FN ? arena_printf(r->a, "the body of `%s`", at->name) : "the body of this `fn`";
  Diag *g = diag_in(r->d, r->source, last->at, E_BODY_VALUE, whose, what);
  if (last->kind == A_LET && name)
    diag_hint(r->d, g, "leave the `let %s =` out, or write `%s` as the last line: that is the value", name, name);
  else if (name) diag_hint(r->d, g, "write `%s` as the last line: the last expression is the value", name);
  else diag_hint(r->d, g, "the value is the last expression of the block");
}

/* The names of the header and of the body's block are one block. */
static void function(Resolver *r, const Ast *at, const Ast *params, const Ast *type, const Ast *body, bool quiet) {
  block_open(r, at, true);
  parameters(r, params, quiet);
  signature_type(r, type);
  if (body && body->kind == A_BLOCK) {
    if (at->kind == A_FN || at->kind == A_LAMBDA) check_value(r, at, body);
    statements(r, body);
  } else if (body) expr(r, body);
  block_close(r);
}

/* `x == nan`, which holds for no x. */
static void check_nan(Resolver *r, const Ast *x) {
  bool compares = x->op == K_EQ || x->op == K_NE || x->op == K_LE || x->op == K_GE || x->op == '<' || x->op == '>';
  for (uint32_t k = 0; compares && r->warns && k < 2; k++) {
    const Ast *n = x->kid[k], *other = x->kid[1 - k];
    if (n->kind != A_NAME || strcmp(n->name, "nan") != 0 || name_of(r, n->name)->top) continue;
    Diag *g = diag_in(r->d, r->source, x->at, E_NAN_COMPARED, ast_op_text(x->op), x->op == K_NE ? "true" : "false");
    uint32_t many = other->span.end - other->span.first;
    bool fits = many <= 40;
    diag_hint(r->d, g, "`%sisnan(%.*s)` says whether it is one", x->op == K_NE ? "not " : "", fits ? (int)many : 1,
              fits ? r->source->text + other->span.first : "x");
    return;
  }
}

static void expr(Resolver *r, const Ast *x) {
  host_go_on(arena_host(r->a));
  switch (x->kind) {
  case A_NAME: use_name(r, x->name, x, true); return;
  case A_FIELD:
    if (x->n && x->kid[0]) expr(r, x->kid[0]);
    else use_name(r, x->name, x, true);
    return;
  case A_MEMBER:
    name_of(r, x->name)->member = true;
    expr(r, x->kid[0]);
    return;
  case A_LAMBDA: function(r, x, x->kid[0], x->kid[1], x->kid[2], true); return;
  case A_COMPREHENSION:
    expr(r, x->kid[2]);
    block_open(r, x, false);
    pattern(r, x->kid[1], BOUND_TURN, UINT32_MAX, false);
    expr(r, x->kid[0]);
    block_close(r);
    return;
  case A_CALL: {
    bool expects = x->kid[0]->kind == A_NAME && !strcmp(x->kid[0]->name, "assert_error") &&
                   !name_of(r, x->kid[0]->name)->top;
    expr(r, x->kid[0]);
    r->expected += expects;
    for (uint32_t k = 1; k < x->n; k++) expr(r, x->kid[k]);
    r->expected -= expects;
    return;
  }
  case A_BLOCK: block(r, x); return;
  case A_BINARY: check_nan(r, x); break;
  default: break;
  }
  for (uint32_t k = 0; k < x->n; k++)
    if (x->kid[k]) expr(r, x->kid[k]);
}

static void loop_body(Resolver *r, const Ast *b) {
  block_open(r, b, false)->loop = true;
  statements(r, b);
  block_close(r);
}

static void block(Resolver *r, const Ast *b) {
  block_open(r, b, false);
  statements(r, b);
  block_close(r);
}

/* What a statement that did not parse may have meant to define, and to use: nothing is said about these names. */
static void broken(Resolver *r, uint32_t k, uint32_t end) {
  const char *text = r->source->text;
  while (k < end) {
    uint32_t first = k;
    while (k < end && in_name(text[k])) k++;
    if (k == first) {
      k++;
      continue;
    }
    Name *n = name_of(r, sym(r->d->sources, text + first, k - first));
    n->broken = true;
    if (n->top) n->top->used = true;
  }
}

static void assignment(Resolver *r, const Ast *x) {
  const Ast *target = x->kid[0];
  expr(r, x->kid[1]);
  if (target->kind == A_NAME) use_name(r, target->name, target, false);
  else if (target->kind == A_INDEX && target->kid[0]->kind == A_NAME) {
    use_name(r, target->kid[0]->name, target->kid[0], false);
    for (uint32_t k = 1; k < target->n; k++) expr(r, target->kid[k]);
  } else expr(r, target);
}

/* What is written instead of a statement that cannot stand in the body of a layer or an optimizer. */
static const char *instead(const Ast *s, bool optimizer) {
  if (s->kind == A_VAR || s->kind == A_PARAM)
    return optimizer ? "what an optimizer keeps for each parameter is a `state`"
                     : "what a layer keeps beside its parameters is a `state`";
  if (s->kind == A_ASSIGN)
    return optimizer ? "a value is made by `let x = ...`; the rule `fn (p, g, t)` assigns a `state`"
                     : "a value is made by `let x = ...`, a parameter by `param w: [2] = 0`";
  if (s->kind != A_EXPR) return "steps belong to a `proc` or to the top of the script";
  if (s->kid[0]->kind == A_IF) return "what is chosen is the value: `let x = if ...`";
  return optimizer ? "the new value of a parameter is that of the rule `fn (p, g, t)`"
                   : "what a call computes is the body of its `fn (x)`";
}

/* What stands in the body of a layer or an optimizer: the same whatever it is made with, so it is told where it is
 * defined. */
static void body_statements(Resolver *r, const Ast *x, bool optimizer) {
  const Ast *body = x->kid[1], *call = NULL;
  for (uint32_t k = 0; k < body->n; k++) {
    const Ast *s = body->kid[k];
    if (s->kind == A_EXPR && s->kid[0]->kind == A_LAMBDA) {
      if (call) {
        Diag *g = tell(r, s->kid[0], E_TWO_CALLS, x->name);
        diag_mark_in(r->d, g, r->source, s->kid[0]->at, "%s", "");
        diag_mark_in(r->d, g, r->source, call->at, "the first");
        if (!optimizer) diag_hint(r->d, g, "give the other one a name: `fn name(x) = ...` is called as `net.name(x)`");
      }
      call = call ? call : s->kid[0];
      continue;
    }
    bool stands = s->kind == A_STATE || s->kind == A_LET || s->kind == A_ASSERT || s->kind == A_FN ||
                  s->kind == A_GRADIENT || s->kind == A_ERROR || (s->kind == A_PARAM && !optimizer);
    if (stands) continue;
    const Ast *at = s->kind == A_EXPR || s->kind == A_ASSIGN ? s->kid[0] : s;
    if (s->kind == A_ASSIGN && at->kind == A_NAME) name_of(r, at->name)->broken = true;
    Diag *g = diag_in(r->d, r->source, at->at, optimizer ? E_OPTIMIZER_BODY : E_LAYER_BODY);
    diag_hint(r->d, g, "%s", instead(s, optimizer));
  }
}

static void layer(Resolver *r, const Ast *x) {
  const Ast *body = x->kid[1];
  bool optimizer = x->kind == A_OPTIMIZER;
  body_statements(r, x, optimizer);
  if (optimizer) {
    block_open(r, x, true);
    declare(r, sym(r->d->sources, "p", 1), x, BOUND_DIM, UINT32_MAX);    /* the leaf, in the first values of states */
  }
  block_open(r, x, true)->layer = true;
  parameters(r, x->kid[0], false);
  statements(r, body);
  block_close(r);
  if (optimizer) block_close(r);
}

static void statement(Resolver *r, const Ast *x) {
  host_go_on(arena_host(r->a));
  switch (x->kind) {
  case A_LET: case A_VAR: {
    uint32_t reads = reads_of(r, x->kid[0]);
    value_type(r, x->kid[1]);
    expr(r, x->kid[2]);
    r->value = x->kid[2];
    pattern(r, x->kid[0], x->kind == A_VAR ? BOUND_VAR : BOUND_LET, reads, x->doc != NULL);
    r->value = NULL;
    return;
  }
  case A_PARAM: case A_STATE: {
    value_type(r, x->kid[0]);
    expr(r, x->kid[1]);
    Binding *b = declare(r, x->name, x, BOUND_CELL, UINT32_MAX);
    if (b && (x->doc || x->kind == A_STATE)) b->quiet = true;
    return;
  }
  case A_ASSIGN: assignment(r, x); return;
  case A_FN: function(r, x, x->kid[0], x->kid[1], x->kid[2], false); return;
  case A_PROC: function(r, x, x->kid[0], NULL, x->kid[1], false); return;
  case A_LAYER: case A_OPTIMIZER: layer(r, x); return;
  case A_GRADIENT:
    block_open(r, x, true);
    parameters(r, x->kid[0], true);
    for (int k = 1; k < 3; k++) pattern(r, x->kid[k], BOUND_PARAMETER, UINT32_MAX, true);
    if (x->kid[3]->kind == A_BLOCK) statements(r, x->kid[3]);
    else expr(r, x->kid[3]);
    block_close(r);
    return;
  case A_EXTERN:
    block_open(r, x, true);
    parameters(r, x->kid[1], true);
    signature_type(r, x->kid[2]);
    block_close(r);
    return;
  case A_IMPORT: case A_BREAK: case A_CONTINUE: return;
  case A_FOR:
    expr(r, x->kid[1]);
    block_open(r, x, false);
    pattern(r, x->kid[0], BOUND_TURN, UINT32_MAX, false);
    loop_body(r, x->kid[2]);
    block_close(r);
    return;
  case A_WHILE:
    expr(r, x->kid[0]);
    loop_body(r, x->kid[1]);
    return;
  case A_TEST: block(r, x->kid[1]); return;
  default: expr(r, x);
  }
}

static void statements(Resolver *r, const Ast *b) {
  for (uint32_t k = 0; k < b->n; k++) {
    const Ast *x = b->kid[k];
    switch (x->kind) {
    case A_FN: case A_PROC: case A_LAYER: case A_OPTIMIZER: case A_EXTERN: case A_IMPORT: {
      Binding *d = declare(r, x->name, x, x->kind == A_IMPORT ? BOUND_IMPORT : BOUND_DEFINITION, UINT32_MAX);
      bool kept = !r->block->outer && x->kind != A_FN && x->kind != A_IMPORT;   /* a file may collect layers */
      if (d && (x->doc || r->block->layer || kept)) d->quiet = true;
      break;
    }
    default: break;
    }
  }
  for (uint32_t k = 0; k < b->n; k++) {
    if (b->kid[k]->kind != A_ERROR) statement(r, b->kid[k]);
    else      /* what was dropped reaches from one statement that was read to the next */
      broken(r, k ? b->kid[k - 1]->span.end : b->span.first, k + 1 < b->n ? b->kid[k + 1]->span.first : b->span.end);
  }
}

/* A file of definitions alone is a module: others use its names. */
static bool acts(const Ast *program) {
  for (uint32_t k = 0; k < program->n; k++)
    switch (program->kid[k]->kind) {
    case A_ASSIGN: case A_FOR: case A_WHILE: case A_PRINT: case A_ASSERT: case A_EXPR: return true;
    default: break;
    }
  return false;
}

void resolve(Arena *a, const Ast *program, Diags *d, const Outside *o) {
  Resolver r = {.a = a, .d = d, .o = o, .source = program->source, .cap = 32,
                .warns = d->n_errors == 0 && !program->source->imported};
  r.table = NEW_N(a, Name *, r.cap);
  block_open(&r, program, false);
  statements(&r, program);
  finish_unknown(&r);
  bool module = o->keep_unused || !acts(program);
  if (module)
    for (Binding *b = r.block->binding; b; b = b->next) b->quiet = true;
  block_close(&r);
  r.warns &= d->n_errors == 0;
  for (uint32_t k = 0; k < r.unused.n; k++) unused(&r, r.unused.at[k]);
  for (uint32_t k = 0; k < r.field.n && !module; k++)
    if (!r.field.at[k].name->member) unused(&r, r.field.at[k].binding);
}
