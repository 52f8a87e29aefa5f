/* repl_commands: what begins with a colon. */
#ifndef LANG_REPL_COMMANDS_H
#define LANG_REPL_COMMANDS_H
#include "tool/repl_eval.h"

typedef VEC(const char *) Names;

typedef struct Command {
  const char *name, *usage, *help;
  bool (*run)(Repl *r, const char *rest);
} Command;
extern const Command commands[];              /* ends with a NULL name */
const Command *command_find(const char *name);

/* what stands behind the colon; false: the session ends */
bool repl_command(Repl *r, const char *text);

bool step_back(Repl *r, const char *rest);                        /* repl_back.c */
bool show_value_now(Repl *r, const char *rest);                   /* repl_look.c */
bool show_graph_of(Repl *r, const char *rest);
bool show_plot(Repl *r, const char *rest);
bool show_image(Repl *r, const char *rest);
bool show_hist(Repl *r, const char *rest);
bool show_memory(Repl *r, const char *rest);
/* Of the names that an entry reads: which were computed from what has moved since. */
void say_what_moved(Repl *r, const Entry *entry);
bool show_check(Repl *r, const char *rest);                       /* repl_check.c */
bool show_blame(Repl *r, const char *rest);
bool blame_spike(Repl *r, const char *rest);                      /* repl_spike.c */
bool show_plan(Repl *r, const char *rest);                        /* repl_cost.c */
bool show_profile(Repl *r, const char *rest);
bool show_summary(Repl *r, const char *rest);
bool do_instead(Repl *r, const char *rest);                       /* repl_do.c */
bool go_to_step(Repl *r, const char *rest);                       /* repl_at.c */
bool fork_run(Repl *r, const char *rest);
bool diff_runs(Repl *r, const char *rest);
bool show_why(Repl *r, const char *rest);                         /* repl_why.c */
const char *repl_dotted(Repl *r, const char *text);               /* `net[0].w` as paths are: `net.0.w` */
bool show_gradients(Repl *r, const char *rest);                   /* repl_grad.c */
/* repl_complete.c */
void repl_complete(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to);
void repl_complete_path(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to);
#endif
