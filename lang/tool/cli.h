/* cli: the program `glia`: what a command line asked for, and where its output goes. In: argv. Out: an exit status.
 *
 * One Cli a process. The library never prints: everything that is written passes through here, the script's text to
 * standard output, diagnostics and progress to standard error. Only this part knows file descriptors, terminals and
 * signals.
 */
#ifndef LANG_CLI_H
#define LANG_CLI_H
#include "session.h"

/* EXIT_CLOSED: nobody reads standard output any more; as a program ends that SIGPIPE kills */
enum { EXIT_DONE = 0, EXIT_SCRIPT = 1, EXIT_USAGE = 2, EXIT_CLOSED = 141 };

/* standard output, buffered: a line at once on a terminal, else by block and by time */
typedef struct Out {
  char *at;
  size_t n;
  bool terminal, gone;            /* gone: the other side closed the pipe */
  int error;                      /* errno of the first write that failed for another reason */
  int64_t written_at;             /* milliseconds */
} Out;

typedef struct Cli {
  const char *command;            /* "run" "check" "test" "repl" "fmt" "doc" "grad" */
  const char *const *operand;     /* files, or the name of `doc` */
  int n_operand;
  const char *dump;               /* --dump=STAGE */
  const char *expression, *format, *fork;/* of `graph`: -e EXPR, --format=txt|dot|svg|html, --fork NAME=VALUE */
  const char *function, *at, *wrt;   /* of `grad` */
  const char *log, *profile, *html;      /* --log, --profile, --html FILE: record.h */
  struct Record *record;          /* of the run that goes on; NULL: nobody keeps one */
  bool watch;                     /* --watch */
  bool quiet, color, color_asked, fmt_check, library, digest, all;
  SessionConfig config;
  Out out;
  bool err_terminal, bar;         /* err_terminal: one with a cursor; bar: a progress bar stands on its last line */
  const char **defines, **words;  /* allocated once, as long as argv */
} Cli;

/* Fills c from argv: -1: go on; otherwise the exit status (help, version and mistakes are written already). */
int cli_parse(Cli *c, int argc, char **argv);
/* A count as the flags take it; shared with `:set`. */
bool parse_count(const char *text, int64_t min, int64_t max, int64_t *out);
/* The nearest of the names of a list that ends with NULL, or NULL. */
const char *did_you_mean(const char *name, const char *const *names);

/* ---- output ---- */
bool out_write(Cli *c, const char *text, size_t n);     /* false: the other side is gone or the disk is full */
void out_text(Cli *c, const char *text);
bool out_flush(Cli *c);
void out_printf(Cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* flushes standard output first, so that the order is the script's */
void err_text(Cli *c, const char *text);
void err_printf(Cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int out_finish(Cli *c, int status);                     /* the last flush; a full disk makes the status 1, a closed pipe
                                                         * 141 */
bool cli_print(void *to, const char *text, size_t n, Loc loc);
bool cli_flush(void *to);
void cli_progress(void *to, const char *text, bool final);
int cli_columns(void *to);                              /* of the terminal of standard error; 0: it is none */
void cli_diagnostics(Cli *c, Session *s);               /* all of the last call, to standard error */

/* ---- sessions ---- */
/* NULL: said already. Ctrl-C, SIGTERM and SIGHUP cancel this session until cli_close */
Session *cli_open(Cli *c);
void cli_close(Cli *c, Session *s);
/* writes the diagnostics, says where it stopped; the exit status */
int cli_status(Cli *c, Session *s, Status status);
char *cli_read_input(Cli *c, size_t *n);                /* all of standard input, to be freed; NULL: said already */
bool cli_interrupted(void);                             /* one of these came since cli_resume */
bool cli_ending(void);                                  /* and not Ctrl-C: cli_resume does not go on after it */
int cli_ended(void);                                    /* the exit status then: 130 after Ctrl-C */
void cli_say_ended(Cli *c, const char *when);
void cli_resume(Session *s);

/* ---- commands ---- */
int cli_run(Cli *c);
int cli_watch(Cli *c);
int cli_check(Cli *c);
int cli_test(Cli *c);
int cli_doc(Cli *c);
int cli_repl(Cli *c);
int cli_fmt(Cli *c);
int cli_graph(Cli *c);
int cli_plan(Cli *c);
int cli_grad(Cli *c);
extern const char cli_usage[];
/* Words, types, constants and commands: false: it is none of them. */
bool doc_word(Text *t, const char *name);
void doc_word_names(void (*f)(void *to, const char *name), void *to);
/* The documentation of a name as text in a; NULL: there is none (*near: a name like it, or NULL). s may be NULL. */
char *doc_of(Arena *a, Session *s, const char *name, const char **near);
void doc_all(Text *t);                                  /* the page of all of it */
#endif
