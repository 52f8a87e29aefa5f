/* session: everything one user of the language has: texts, names, one graph, cells, a pool. Used by one thread at a
 * time; two sessions never meet. The pipeline stands in session.c: read that first.
 */
#ifndef LANG_SESSION_H
#define LANG_SESSION_H
#include "steps/state.h"

typedef enum { STATUS_OK, STATUS_SCRIPT, STATUS_CANCELLED, STATUS_MEMORY, STATUS_CLOSED } Status;

/* These set a guard: a failed allocation comes back as STATUS_MEMORY and leaves the session usable. */
Status session_open(const SessionConfig *c, Session **out);
void session_close(Session *s);
Status session_reset(Session *s);               /* forgets all texts, names and tensors */

typedef struct Entry {                          /* a text that was taken in */
  Source *source;
  struct Parsed *parsed;
  Steps steps;
  uint32_t names;                               /* how many global names there were before it */
  struct Value *it;                             /* REPL: the value of a last expression statement, or NULL */
  bool incomplete;                              /* REPL: the text wants more lines; nothing was done */
} Entry;

typedef enum { LOAD_CHECK, LOAD_LINT, LOAD_PLAN, LOAD_RUN, LOAD_REPL, LOAD_TEST, LOAD_KEEP, LOAD_LOOK } LoadMode;
/* Parses, resolves, elaborates (LOAD_CHECK ends here, and LOAD_LINT, which is asked for its messages alone), prepares
 * (LOAD_PLAN ends here), runs. Diagnostics are in s->diags (of this call only). What was refused, or is incomplete, is
 * taken back when the next call begins: its Entry is gone then, too. LOAD_REPL: a later definition replaces a name, an
 * expression is evaluated into it.
 * LOAD_TEST: runs the steps (session_tests runs the tests). LOAD_KEEP: runs, and keeps what later questions about its
 * names need (a host). LOAD_LOOK: as LOAD_REPL, but nothing runs, and it is taken back when the next call begins. */
Status session_load(Session *s, const char *name, const char *text, size_t n, LoadMode mode, Entry **out);
Status session_load_file(Session *s, const char *path, LoadMode mode, Entry **out);

/* Runs an entry of LOAD_LOOK, with its effects off; cells and series are as before. took: milliseconds. */
Status session_rehearse(Session *s, Entry *entry, double *took);

/* LOAD_TEST tells each `test` block's outcome here (may be NULL). */
typedef struct TestReport {
  void (*done)(void *to, const char *name, bool passed, const char *why);
  void *to;
} TestReport;
void session_tests(Session *s, const TestReport *r);

/* Computes nodes of the session's graph now; their slots are filled in. false: a diagnostic was made. */
bool session_evaluate(Session *s, Need *need, uint32_t n);
void session_seed(Session *s, uint64_t seed);   /* inside a guard */
/* makes the threads, if they are wanted and not there; inside a guard */
void session_want_pool(Session *s);
/* What says that the limit of memory is reached may go beyond it. The limit as it was, to be put back behind it. */
size_t session_tell_anyway(Session *s);
Status session_failed(Session *s);              /* after a guard was left by failure: a crossed limit
                                                 * becomes a diagnostic */

/* "f32[2, 3]", "fn (x: [.., n_in]) -> ..." of an expression's value; the text of a value. In the session's arena. */
char *session_type_text(Session *s, const struct Value *v);
char *session_value_text(Session *s, const struct Value *v);
/* `it` names v from here on. false: no memory. */
bool session_name_it(Session *s, const struct Value *v);
/* What `it` is besides its name is put aside, and back, when the name is v again. */
struct Held *session_it_aside(Session *s);
void session_it_back(Session *s, struct Held *shown, const struct Value *v);
/* "ast" "graph" "grad" "opt" "plan"; NULL: no such stage */
const char *session_dump(Session *s, const Entry *e, const char *stage);
const char *session_diagnostics(Session *s, bool color, int width);
#endif
