/* names: scopes and what is bound in them. In: an interned name. Out: its binding: outwards through the blocks, then
 * what the language brings along: constants, natives, ops, and the standard library, whose files are read when one of
 * their names is first met.
 *
 * Invariant: a binding never moves, so that it may be kept. Large scopes (a script's top level) are hashed.
 */
#include "elab/names.h"
#include "elab/call.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "elab/stmt.h"
#include "text/stdlib.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_FROM = 12 };

typedef struct Index {
  uint32_t cap;               /* a power of two */
  Bound **at;
} Index;

static uint32_t hash_sym(Sym s) { return (uint32_t)(((uintptr_t)s >> 4) * 2654435761u); }

Scope *scope_new(Elab *e, Scope *outer) {
  Scope *s = NEW(e->a, Scope);
  s->outer = outer;
  return s;
}

void scope_change(Elab *e, Scope *s) {
  arena_change(e->a, s, sizeof *s);
  if (s->index) arena_change(e->a, s->index, sizeof(Index));
}

static Bound **index_slot(const Index *x, Sym name) {
  uint32_t k = hash_sym(name) & (x->cap - 1);
  while (x->at[k] && x->at[k]->name != name) k = (k + 1) & (x->cap - 1);
  return &x->at[k];
}

static void index_grow(Elab *e, Scope *s) {
  Index more = {.cap = s->index ? ((Index *)s->index)->cap * 4 : 64};
  more.at = NEW_N(e->a, Bound *, more.cap);
  Index *x = s->index ? s->index : NEW(e->a, Index);
  for (uint32_t k = 0; k < s->bound.n; k++) *index_slot(&more, s->bound.at[k]->name) = s->bound.at[k];
  *x = more;
  s->index = x;
}

Bound *scope_put(Elab *e, Scope *s, Sym name, Value v, const Ast *ast) {
  Bound *b = NEW(e->a, Bound);
  *b = (Bound){.name = name, .value = v, .frame = e->here.frame, .ast = ast, .branches = e->branches};
  vec_push(e->a, &s->bound, b);
  Index *x = s->index;
  if (s->bound.n >= HASH_FROM && (!x || s->bound.n * 2 > x->cap)) {
    index_grow(e, s);
  } else if (x) {
    Bound **slot = index_slot(x, name);
    arena_change(e->a, slot, sizeof *slot);
    *slot = b;
  }
  return b;
}

void scope_forget(Elab *e, Scope *s, uint32_t from, bool (*goes)(Elab *e, const Bound *b)) {
  uint32_t n = from;
  for (uint32_t k = from; k < s->bound.n; k++)
    if (!goes(e, s->bound.at[k])) s->bound.at[n++] = s->bound.at[k];
  if (n == s->bound.n) return;
  s->bound.n = n;
  Index *x = s->index;
  if (!x) return;
  memset(x->at, 0, x->cap * sizeof *x->at);
  for (uint32_t k = 0; k < n; k++) *index_slot(x, s->bound.at[k]->name) = s->bound.at[k];
}

void scope_tidy(Scope *s) {
  const Index *x = s->index;
  if (!x || s->bound.n < 2 * s->tidy) return;
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->bound.n; k++)
    if (*index_slot(x, s->bound.at[k]->name) == s->bound.at[k]) s->bound.at[n++] = s->bound.at[k];
  s->bound.n = s->tidy = n;
}

static Bound *here(Scope *s, Sym name) {
  Index *x = s->index;
  if (x) return *index_slot(x, name);
  for (uint32_t k = s->bound.n; k-- > 0;)
    if (s->bound.at[k]->name == name) return s->bound.at[k];
  return NULL;
}

static Source *library_source(Elab *e, int file) {
  if (e->stdlib[file]) return e->stdlib[file];
  const StdFile *f = &stdlib_files[file];
  Source *source = source_add(e->s->sources, arena_printf(e->a, "<stdlib/%s>", f->name), f->text, f->n);
  source->library = true;
  arena_change(e->a, &e->stdlib[file], sizeof e->stdlib[file]);
  return e->stdlib[file] = source;
}

/* A definition of the standard library goes into the library's scope, made outside every call. */
static void read_library(Elab *e, const StdName *x) {
  Parsed *p = parse_part(e->a, library_source(e, x->file), (Span){x->first, x->end}, e->d, false);
  CallFrame top = {.steps = true};
  Where outside = frame_enter(e, &top, e->library);
  top.outer = NULL;
  e->here.caller = 0;
  e->here.training = false;
  e->here.make = MAKE_IN_BODY;
  elab_definitions(e, p->program);
  for (uint32_t k = 0; k < p->program->n; k++) {
    const Ast *stmt = p->program->kid[k];
    Value last = v_unit();
    if (stmt->kind == A_LET) elab_stmt(e, stmt, &last);
  }
  e->here = outside;
}

static Bound *brought_along(Elab *e, Sym name) {
  static const struct { const char *name; double value; } constants[] = {
      {"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}, {"inf", INFINITY}, {"nan", NAN}};
  const Native *n = native_find(name);
  if (n) return scope_put(e, e->library, name, native_value(e, n), NULL);
  for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
    if (!strcmp(constants[k].name, name)) {
      NodeId id = graph_const_like(e->g, F64, constants[k].value, 0);
      e->g->node[id].flags |= NODE_FLEX;
      return scope_put(e, e->library, name, v_node(id), NULL);
    }
  const StdName *x = stdlib_entry(name);
  if (x) {
    read_library(e, x);
    Bound *b = here(e->library, name);
    if (b) return b;
  }
  const Op *op = op_find(name, strlen(name));
  if (op && !(op->flags & OP_HIDDEN)) {
    Fn *f = fn_new(e, FN_OP, op->name);
    f->op = op;
    return scope_put(e, e->library, name, v_fn(f), NULL);
  }
  return NULL;
}

Bound *scope_find(Elab *e, Scope *s, Sym name) {
  for (; s; s = s->outer) {
    Bound *b = here(s, name);
    if (b) return b;
  }
  return brought_along(e, name);
}

Bound *scope_here(Scope *s, Sym name) { return here(s, name); }

Ast *name_meaning(Elab *e, const Ast *x, const char *name) {
  Ast *to = NEW(e->a, Ast);
  *to = (Ast){.kind = A_NAME, .span = x->span, .at = x->at, .source = x->source, .id = x->id, .depth = 1};
  to->name = sym(e->s->sources, name, strlen(name));
  return to;
}

/* What a name alone means to elaboration. */
static const char *const words[] = {"is_training", "args", "pi", "e", "inf", "nan"};

void scope_names(Elab *e, Scope *s, void (*f)(void *to, const char *name), void *to) {
  for (; s; s = s->outer)
    for (uint32_t k = 0; k < s->bound.n; k++) f(to, s->bound.at[k]->name);
  for (size_t k = 0; k < sizeof words / sizeof *words; k++) f(to, words[k]);
  for (int t = 0; native_tables[t]; t++)
    for (const Native *n = native_tables[t]; n->name; n++) f(to, n->name);
  for (int k = 0; k < stdlib_n_names; k++) f(to, stdlib_names[k].name);
  for (int k = 0; k < N_OPS; k++)
    if (!(op_table[k]->flags & OP_HIDDEN)) f(to, op_table[k]->name);
  (void)e;
}

/* ---- what resolve() asks ---- */
typedef struct Names { Arena *a; const char **at; uint32_t n, cap; } Names;
static void take_name(void *to, const char *name) {
  Names *names = to;
  vec_push(names->a, names, name);
}

static bool outside_known(void *ctx, Sym name) {
  Elab *e = ctx;
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (!strcmp(words[k], name)) return true;
  if (here(e->globals, name) || here(e->library, name) || native_find(name) || stdlib_entry(name)) return true;
  const Op *op = op_find(name, strlen(name));
  return op && !(op->flags & OP_HIDDEN);
}

static void outside_each(void *ctx, void (*f)(void *to, const char *name), void *to) {
  Elab *e = ctx;
  scope_names(e, e->globals, f, to);
}

static void outside_missing(void *ctx, const Ast *use, const Ast *made) {
  Elab *e = ctx;
  vec_push(e->a, &e->missing, (Missing){use, made});
  e->missing_sorted = false;
}

static bool library_known(void *ctx, Sym name) {
  Elab *e = ctx, library = *e;
  library.globals = e->library;
  return outside_known(&library, name);
}

static void library_each(void *ctx, void (*f)(void *to, const char *name), void *to) {
  Elab *e = ctx;
  scope_names(e, e->library, f, to);
}

Outside scope_outside_module(Elab *e) {
  return (Outside){.known = library_known, .each = library_each, .missing = outside_missing, .ctx = e,
                   .keep_unused = true};
}

Outside scope_outside(Elab *e) {
  e->missing.n = 0;
  return (Outside){.known = outside_known, .each = outside_each, .missing = outside_missing, .ctx = e,
                   .keep_unused = e->repl, .replaces = e->repl};
}

static int by_use(const void *a, const void *b) {
  uintptr_t x = (uintptr_t)((const Missing *)a)->use, y = (uintptr_t)((const Missing *)b)->use;
  return (x > y) - (x < y);
}

/* What resolve() said of this use; NULL: nothing. */
static const Missing *missing_of(Elab *e, const Ast *use) {
  if (!e->missing.n) return NULL;
  if (!e->missing_sorted) qsort(e->missing.at, e->missing.n, sizeof *e->missing.at, by_use);
  e->missing_sorted = true;
  return bsearch(&(Missing){use, NULL}, e->missing.at, e->missing.n, sizeof *e->missing.at, by_use);
}

/* A name that is nowhere: resolve() has said so, but for what it leaves to elaboration: a function that is called above
 * the `let` that it reads, the body of an `assert_error`, a text that a host made. */
void unknown_name(Elab *e, const Ast *use) {
  e->unknown++;
  const Missing *m = missing_of(e, use);
  if (m && !m->made) return;
  if (m) {
    Diag *g = elab_error(e, use, E_NOT_HERE_YET, use->name);
    diag_note(e->d, g, elab_loc_at(e, m->made), "it is made here");
    diag_hint(e->d, g, "call what reads it below that line");
    return;
  }
  if (e->d->n_errors) return;         /* it follows from what went wrong before */
  Diag *g = elab_error(e, use, E_UNKNOWN_NAME, use->name);
  if (!strcmp(use->name, "_")) diag_hint(e->d, g, "`_` stands for what is not wanted: give it a name to use it");
  Names names = {.a = e->a};
  scope_names(e, e->here.scope, take_name, &names);
  const char *near = nearest_of_all(use->name, names.at, names.n);
  if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
}
