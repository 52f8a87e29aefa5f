/* repl_eval: the state of an interactive session, and its entries. In: a Repl and the rest of a command's line.
 * Out: false when the session ends.
 */
#ifndef LANG_REPL_EVAL_H
#define LANG_REPL_EVAL_H
#include "tool/cli.h"
#include "elab/elab.h"
#include "tool/line.h"

/* What the run of the script has left on the way: the newest of each path. */
enum { MOST_KEPT = 32 };
typedef struct KeptRun { char path[256]; int64_t step; uint64_t file; } KeptRun;      /* file: which one it was then */

typedef struct Repl {
  Cli *c;
  Session *s;
  Arena *a;
  Lines *lines;
  int entry;               /* number of the present entry, from 1 */
  Text kept;               /* the entries that went well, as :save writes them */
  int n_kept;
  KeptRun run[MOST_KEPT];
  uint32_t n_run;
  const char *fork;        /* the other argument of the last :fork; NULL: none */
  const char *ahead;       /* a line of a paste that was looked at before its turn; NULL: none */
  size_t n_ahead;
} Repl;

Status repl_evaluate(Repl *r, const char *text, size_t n, Entry **out);
/* The same, but nothing runs, and nothing of it stays: for the commands that only look. false: reported. */
bool repl_look(Repl *r, const char *command, const char *e, Entry **out);
bool repl_report(Repl *r, Status status);
bool repl_value(Repl *r, const char *text, const Value **out);   /* false: reported */

/* Runs an entry and shows its value; false: it wants more lines, and nothing was done. */
bool repl_run(Repl *r, const char *text, size_t n);
void repl_keep(Repl *r, const char *text, size_t n);
extern const char repl_entry_mark[];                              /* the line between entries in what :save writes */
bool repl_blank(const char *text);                                /* nothing but blanks and a comment */
/* it continues the line before: `|>`, `.`, `else` ... */
bool repl_goes_on(const char *line);
#endif
