/* names: scopes and what is bound in them. In: an interned name. Out: its binding, which never moves.
 */
#ifndef LANG_NAMES_H
#define LANG_NAMES_H
#include "elab/value.h"

/* A piece of text, and the call that it is read in; of an argument, of which parameter of which function. */
typedef struct Spot { const Ast *ast; Loc caller; const char *param, *fn; } Spot;
typedef struct Bound {
  Sym name;
  Value value;
  bool of_var;                /* made by a `var` of steps: its leaves are cells */
  bool mutable_;              /* a local `var` of a formula: assignment gives it a new value */
  void *frame;                /* the call that made it */
  const Ast *ast;             /* its definition */
  const Ast *type;            /* the type declared for it, or NULL */
  const Ast *value_of;        /* what stands behind the `=` of its `let` or `var`, or NULL */
  uint32_t branches;          /* how many branches of the run had been opened when it was made */
  uint32_t seen, number;      /* branch.c: met in this walk, as this one */
  Spot given;                 /* an argument of a library function: where it is written */
} Bound;
struct Scope {
  Scope *outer;
  VEC(Bound *) bound;
  void *index;                /* hash of large scopes (the globals) */
  uint32_t tidy;              /* how many names there were when scope_tidy saw them last */
};
Scope *scope_new(Elab *e, Scope *outer);
/* a new binding; the last one with a name wins */
Bound *scope_put(Elab *e, Scope *s, Sym name, Value v, const Ast *ast);
void scope_change(Elab *e, Scope *s);              /* arena_change of it, before names are added */
Bound *scope_find(Elab *e, Scope *s, Sym name);    /* outwards, then natives, ops, the standard library; NULL */
Bound *scope_here(Scope *s, Sym name);
/* Takes bindings from number `from` on back; what they replaced stands again. */
void scope_forget(Elab *e, Scope *s, uint32_t from, bool (*goes)(Elab *e, const Bound *b));
/* Of a name that was made again only the newest stays, once the others are most. */
void scope_tidy(Scope *s);
void scope_names(Elab *e, Scope *s, void (*f)(void *to, const char *name), void *to);

typedef struct Assigned { Bound *bound; Value before; } Assigned;
typedef struct Missing { const Ast *use, *made; } Missing;       /* see Outside */
void unknown_name(Elab *e, const Ast *use);                      /* reports it, unless that is done */
/* In the place of x, of a call that is ours: what the scope holds under this name, which no script has, whatever the
 * text at x is. So a message shows the call as people think of it.
 */
Ast *name_meaning(Elab *e, const Ast *x, const char *name);
Outside scope_outside(Elab *e);                                  /* what resolve() asks */
Outside scope_outside_module(Elab *e);                           /* for an imported file: only the library */
#endif
