/* repl: the state of an interactive session, shared by the loop and its commands. In: a Repl and the rest of a command's line.
 * Out: false when the session ends.
 */
#ifndef LANG_REPL_H
#define LANG_REPL_H
#include "tool/cli.h"
#include "elab/elab.h"
#include "tool/line.h"

typedef struct Repl {
  Cli *c;
  Session *s;
  Arena *a;
  Lines *lines;
  int entry;               /* number of the present entry, from 1 */
  Text kept;               /* the entries that went well, as :save writes them */
  int n_kept;
  const char *ahead;       /* a line of a paste that was looked at before its turn; NULL: none */
  size_t n_ahead;
} Repl;

typedef struct Command {
  const char *name, *usage, *help;
  bool (*run)(Repl *r, const char *rest);     /* NULL: not yet */
} Command;
extern const Command commands[];              /* ends with a NULL name */
const Command *command_find(const char *name);

Status repl_evaluate(Repl *r, const char *text, size_t n, Entry **out);
bool repl_report(Repl *r, Status status);
bool repl_value(Repl *r, const char *text, const Value **out);   /* false: reported */

/* Runs an entry and shows its value; false: it wants more lines, and nothing was done. */
bool repl_run(Repl *r, const char *text, size_t n);
void repl_keep(Repl *r, const char *text, size_t n);
bool repl_command(Repl *r, const char *text);                     /* what stands behind the colon; false: the session ends */
void repl_name_it(Repl *r, Value v);
void repl_complete(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to);
void repl_complete_path(void *ctx, const char *prefix, void (*add)(void *to, const char *word), void *to);

bool show_gradients(Repl *r, const char *rest);
#endif
