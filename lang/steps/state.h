/* state: a session as the steps that it runs see it: the pool and the slab that they run on, the tensors, where the run
 * stands, what the host wants to hear. Opened, loaded and closed by session.h.
 */
#ifndef LANG_STATE_H
#define LANG_STATE_H
#include "steps/program.h"

struct Event;

typedef struct SessionConfig {
  HostRealloc realloc; void *user;             /* the allocator; NULL: the C library's */
  int threads;                                  /* 0: the CPUs allowed */
  /* shared: pool is the host's (NULL: no threads), whatever threads says */
  bool shared; Pool *pool;
  bool no_fuse, strict, no_extern, check_numbers;
  bool rehearses;                               /* runs are those of another time: no file is written */
  WarningRules rules;                           /* which warnings are off: warnings_allow */
  uint64_t seed; bool seed_given;
  size_t max_memory;                            /* 0: no limit of ours */
  size_t stack;                                 /* bytes of C stack that a call may use; 0: all of its thread */
  const char *search;                           /* folders in which `import` looks, separated by `:`; NULL: none */
  const char *level;                            /* CPU feature level for tests: "v1"; NULL: the best */
  const char *const *args; int n_args;          /* the list `args` */
  const char *resume;                           /* a checkpoint: the script that is run goes on from it */
  const char *const *defines; int n_defines;    /* -D name=value */
  /* Output of the script: a whole print statement, with its newline. false: the other side is gone (the run ends). */
  bool (*print)(void *to, const char *text, size_t n, Loc loc);
  /* what was printed must be out now: a checkpoint follows. May be NULL */
  bool (*flush)(void *to);
  /* Progress: a line that replaces the last one (a bar, on a terminal), or a line for the log when final. NULL:
   * none. */
  void (*progress)(void *to, const char *text, bool final);
  /* how wide a line of progress may be. NULL, or 0: as wide as it wants */
  int (*columns)(void *to);
  /* Called between two steps of a run; false: it stops there, cancelled. NULL: never. */
  bool (*poll)(void *to);
  /* What a text is warned of, when it was checked and before its first step; the warnings stay in diags. NULL: none. */
  void (*warned)(void *to, Session *s);
  /* What happens in a run, and what each step of a plan took: event.h, run.h. NULL: nobody keeps a log. */
  void (*heard)(void *to, Session *s, const struct Event *e);
  const RunTrace *trace;
  void *to;
} SessionConfig;

/* What is known of the parameters' numbers in the run that goes on: watch.h. */
typedef struct Watch {
  bool moved;                                   /* a step of this run moved some */
  bool told;                                    /* one that is not finite has been told, and is there still */
  int held;                                     /* so many steps yet are run so that they can be computed again */
  double large;                                 /* what a parameter has not exceeded; 0: as at the start */
  uint32_t limit[2];                            /* the upper half of it as f32 and as f64 */
} Watch;

/* its first statement; the rows of each series before it */
typedef struct RunPart { uint32_t from, n; int64_t *rows; } RunPart;

/* A run of steps, and of a script what a checkpoint holds besides its tensors: checkpoint.h. */
typedef struct Run {
  Position position;
  uint64_t script;                              /* digest of its texts */
  VEC(RunPart) part;                            /* the parts of the script that were begun; the last one runs */
  const Steps *steps;                           /* of the script */
  bool waiting;                                 /* more parts will follow */
  const char *began;                            /* where the run that goes on began: its folder; NULL: here */
  const char *checkpoint;                       /* where the script keeps its run, or NULL */
  bool kept;                                    /* a run that was cancelled has been kept there */
} Run;

struct Session {
  Host host;
  SessionConfig config;
  Arena *arena;                                 /* until close or reset */
  Sources *sources;
  Diags *diags;                                 /* of the last entry */
  Graph *graph;
  Program *program;
  ProgramMark from, to;                         /* what the last load made: the next one drops its plans */
  struct Held *shown;                           /* `it`, of an entry that is taken back; NULL: it is a name */
  size_t sweep_at;                              /* bytes in use when reach_sweep looks again */
  bool reads_it;                                /* a text that was kept has the word `it` */
  struct Elab *elab;                            /* names, scopes, caches: elab/elab.h */
  struct Savepoint *savepoint;                  /* the session before the present call: elab/savepoint.h */
  Pool *pool;
  const Kernels *kernels;
  void *slab; size_t slab_bytes;                /* the program's, 64-byte aligned */
  atomic_bool cancel;                           /* set from outside (a signal handler may): stops between two steps */
  bool cancelled;
  Loc stopped;                                  /* the operation at which a cancelled run stopped; 0: between steps */
  int64_t asked_ms;                             /* when config.poll was asked last while checking */
  bool only_checks;                             /* this load runs nothing */
  /* the function of the `extern` of this load: the host's own; NULL: from its library */
  void (*offered)(void);
  bool closed;                                  /* print said that the other side is gone: the run ended */
  Run run;
  Watch watch;
  uint32_t slices;                              /* made so far: prepare.c */
};
#endif
