/* session: everything one user of the language has: texts, names, one graph, cells, a pool. Used by one thread at a time; two
 * sessions never meet. The pipeline stands in session.c: read that first.
 */
#ifndef LANG_SESSION_H
#define LANG_SESSION_H
#include "steps/program.h"

typedef struct SessionConfig {
  HostRealloc realloc; void *user;             /* the allocator; NULL: the C library's */
  int threads;                                  /* 0: the CPUs allowed */
  bool shared; Pool *pool;                      /* shared: pool is the host's (NULL: no threads), whatever threads says */
  bool no_fuse, strict, no_extern, check_numbers;
  WarningRules rules;                           /* which warnings are off: warnings_allow */
  uint64_t seed; bool seed_given;
  size_t max_memory;                            /* 0: no limit of ours */
  size_t stack;                                 /* bytes of C stack that elaboration may use; 0: 4 MiB */
  const char *search;                           /* folders in which `import` looks, separated by `:`; NULL: none */
  const char *level;                            /* CPU feature level for tests: "v1"; NULL: the best */
  const char *const *args; int n_args;          /* the list `args` */
  const char *resume;                           /* a checkpoint: the script that is run goes on from it */
  const char *const *defines; int n_defines;    /* -D name=value */
  /* Output of the script: a whole print statement, with its newline. false: the other side is gone (the run ends). */
  bool (*print)(void *to, const char *text, size_t n, Loc loc);
  bool (*flush)(void *to);                      /* what was printed must be out now: a checkpoint follows. May be NULL */
  /* Progress: a line that replaces the last one (a bar, on a terminal), or a line for the log when final. NULL: none. */
  void (*progress)(void *to, const char *text, bool final);
  int (*columns)(void *to);                     /* how wide a line of progress may be. NULL, or 0: as wide as it wants */
  /* Called between two steps of a run; false: it stops there, cancelled. NULL: never. */
  bool (*poll)(void *to);
  /* What a text is warned of, when it was checked and before its first step; the warnings stay in diags. NULL: none. */
  void (*warned)(void *to, Session *s);
  void *to;
} SessionConfig;

typedef struct RunPart { uint32_t from, n; int64_t *rows; } RunPart;   /* its first statement; the rows of each series before it */

struct Session {
  Host host;
  SessionConfig config;
  Arena *arena;                                 /* until close or reset */
  Sources *sources;
  Diags *diags;                                 /* of the last entry */
  Graph *graph;
  Program *program;
  struct Elab *elab;                            /* names, scopes, caches: elab.h */
  Pool *pool;
  const Kernels *kernels;
  void *slab; size_t slab_bytes;                /* the program's, 64-byte aligned */
  atomic_bool cancel;                           /* set from outside (a signal handler may): stops between two steps */
  bool cancelled;
  bool only_checks;                             /* this load runs nothing */
  void (*offered)(void);                        /* the function of the `extern` of this load: the host's own; NULL: from its library */
  bool closed;                                  /* print said that the other side is gone: the run ended */
  Position position;
  /* what a checkpoint holds besides: lang/checkpoint.h */
  uint64_t script;                              /* digest of its texts */
  VEC(RunPart) part;                               /* the parts of the script that were begun; the last one runs */
  const Steps *script_steps;                    /* its steps */
  bool waiting;                                 /* more parts will follow */
  const char *checkpoint;                       /* where the script keeps its run, or NULL */
  bool kept;                                    /* a run that was cancelled has been kept there */
  struct ProgramScratch *scratch;
};

typedef enum { STATUS_OK, STATUS_SCRIPT, STATUS_CANCELLED, STATUS_MEMORY, STATUS_CLOSED } Status;

/* These set a guard: a failed allocation comes back as STATUS_MEMORY and leaves the session usable. */
Status session_open(const SessionConfig *c, Session **out);
void session_close(Session *s);
Status session_reset(Session *s);               /* forgets all texts, names and tensors */

typedef struct Entry {                          /* a text that was taken in */
  Source *source;
  struct Parsed *parsed;
  Steps steps;
  struct Value *it;                             /* REPL: the value of a last expression statement, or NULL */
  bool incomplete;                              /* REPL: the text wants more lines; nothing was done */
} Entry;

typedef enum { LOAD_CHECK, LOAD_PLAN, LOAD_RUN, LOAD_REPL, LOAD_TEST, LOAD_KEEP } LoadMode;
/* Parses, resolves, elaborates (LOAD_CHECK ends here), prepares (LOAD_PLAN ends here), runs. Diagnostics are in s->diags (of this call only). LOAD_REPL: a
 * later definition replaces a name, an expression is evaluated into it. LOAD_TEST: runs the steps (session_tests runs the tests). LOAD_KEEP: runs, and
 * keeps what later questions about its names need (a host). */
Status session_load(Session *s, const char *name, const char *text, size_t n, LoadMode mode, Entry **out);
Status session_load_file(Session *s, const char *path, LoadMode mode, Entry **out);

/* An entry that ran, once more; whether doing so changes nothing. */
Status session_again(Session *s, Entry *entry);
bool session_is_pure(const Session *s, const Entry *entry);

/* LOAD_TEST tells each `test` block's outcome here (may be NULL). */
typedef struct TestReport { void (*done)(void *to, const char *name, bool passed, const char *why); void *to; } TestReport;
void session_tests(Session *s, const TestReport *r);

/* Computes nodes of the session's graph now; their slots are filled in. false: a diagnostic was made. */
bool session_evaluate(Session *s, Need *need, uint32_t n);
void session_seed(Session *s, uint64_t seed);   /* inside a guard */
void session_want_pool(Session *s);             /* makes the threads, if they are wanted and not there; inside a guard */
Status session_failed(Session *s);              /* after a guard was left by a crossed limit: a diagnostic */

/* "f32[2, 3]", "fn (x: [.., n_in]) -> ..." of an expression's value; the text of a value. In the session's arena. */
char *session_type_text(Session *s, const struct Value *v);
char *session_value_text(Session *s, const struct Value *v);
const char *session_dump(Session *s, const Entry *e, const char *stage);   /* "ast" "graph" "grad" "opt" "plan"; NULL: no such stage */
const char *session_diagnostics(Session *s, bool color, int width);
#endif
