/* function: a function of a session, called from outside the language. In: a name, argument types, buffers. Out:
 * results in the caller's buffers, and gradients.
 *
 * A call is elaborated once for each list of argument types (and once more for each thing it is differentiated by), as
 * an entry whose arguments are SLOT_ARG inputs. When that is one segment, as every formula is, a call binds the
 * caller's buffers to its plan and runs it: no copy, no allocation. A proc with loops runs on the machine, and its
 * results are copied.
 */
#ifndef LANG_FUNCTION_H
#define LANG_FUNCTION_H
#include "session.h"

typedef struct Function Function;
typedef struct Compiled Compiled;

typedef struct Result {
  const char *path;          /* of a gradient, within its tree: "hidden.w", or "" */
  Type type;
  SlotId slot;
  Tensor *own;               /* the memory of a view; made when one is first asked for */
} Result;

struct Compiled {
  Compiled *next;
  const char *wrt;           /* NULL: values only */
  uint32_t n_arg, n_result, n_grad;
  Type *arg;
  SlotId *arg_slot;
  Result *result;            /* n_result values, then n_grad gradients */
  void **into;               /* of each: where a call writes it */
  void **over;               /* ... or NULL; else the buffer, which lies on an argument and is written at the end */
  Steps steps;
  SlotId turn;               /* how often it was called: of its draws */
  Segment *segment;          /* the only one, and it writes no cell; else NULL, and the machine runs it */
  void **data;               /* for the segment's plan: what each binding points to, and ... */
  uint32_t *from;            /* ... whose it is: an argument's, a result's number, or a slot */
  SlotId *copy;              /* of each result: NO_SLOT if the plan writes it, else where its value stands */
};

/* Compiled.from: one of these and a number. */
enum { FROM_SLOT, FROM_ARG, FROM_RESULT, FROM_NUMBER = 0x3fffffff };
static inline uint32_t function_from(uint32_t from) { return from >> 30; }
/* A result before result k that is the same node, which the plan writes; k: there is none. */
uint32_t function_twin(const Compiled *c, uint32_t k);

struct Function {
  Session *session;
  const char *name;
  const struct Bound *bound; /* what it was found as */
  struct Value *value;
  Compiled *compiled;
  int32_t calls;             /* the turn of its draws */
  bool placed;
  uint64_t place;            /* of its draws, once it was compiled */
};

/* What a name names now; NULL: nothing has it. Whether it can be called, and whether f is of it. */
const struct Bound *function_find(const Session *s, const char *name);
bool function_callable(const struct Bound *b);
bool function_is(const Function *f, const struct Bound *b);
/* In the session's arena; leaves by the caller's guard if there is no memory. */
Function *function_new(Session *s, const struct Bound *b);
/* A mistake is in s->diags, with STATUS_SCRIPT. The same types and wrt again are the same Compiled. */
Status function_compile(Function *f, const Type *arg, uint32_t n_arg, const char *wrt, Compiled **out);
/* arg[k] and result[k] are buffers of the compiled types; a result[k] that is NULL is set to the Result's own
 * memory. */
Status function_run(Function *f, Compiled *c, const void *const *arg, void **result);
/* Whether buffers of two results overlap; whether result k lies on an argument. */
bool function_results_overlap(const Compiled *c, void *const *result);
bool function_over_argument(const Compiled *c, const void *const *arg, const void *result, uint32_t k);

/* `save` or `load` of the tree that name names. What the step took is given back. */
Status function_file(Session *s, const char *what, const char *path, const char *name);
/* An `extern` that is fn, and its `gradient` or NULL, as the language writes them behind these words. */
Status function_register(Session *s, const char *signature, void (*fn)(void), const char *gradient);
#endif
