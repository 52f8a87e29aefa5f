/* main: the program `glia`. In: a command line. Out: an exit status: 0 done, 1 the script is wrong or failed, 2 the
 * command line is wrong, 130 interrupted (143 by SIGTERM, 129 by SIGHUP), 141 nobody reads standard output any more.
 *
 * Nothing happens at start-up that the command does not need: no locale, no thread, no line editor.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/cli.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int dispatch(Cli *c) {
  static const struct { const char *name; int (*run)(Cli *); } table[] = {
      {"run", cli_run}, {"check", cli_check}, {"test", cli_test}, {"doc", cli_doc}, {"repl", cli_repl},
      {"fmt", cli_fmt}, {"graph", cli_graph}, {"plan", cli_plan}, {"grad", cli_grad},
  };
  for (size_t k = 0; k < sizeof table / sizeof *table; k++)
    if (!strcmp(c->command, table[k].name)) return table[k].run(c);
  return EXIT_USAGE;
}

int main(int argc, char **argv) {
  Cli c = {0};
  size_t words = (size_t)(argc > 0 ? argc : 1);
  enum { BLOCK = 1 << 16 };
  c.words = calloc(words, sizeof *c.words);
  c.defines = calloc(words, sizeof *c.defines);
  c.out.at = malloc(BLOCK);
  int status = EXIT_SCRIPT;
  signal(SIGPIPE, SIG_IGN);          /* a closed pipe and a file that may not grow are errors of the write */
  signal(SIGXFSZ, SIG_IGN);
  if (!c.words || !c.defines || !c.out.at) fputs("glia: out of memory\n", stderr);
  else if ((status = cli_parse(&c, argc, argv)) < 0) {
    c.out.terminal = isatty(STDOUT_FILENO) == 1;
    c.config.to = &c;
    c.config.print = cli_print;
    c.config.flush = cli_flush;
    c.config.progress = cli_progress;
    c.config.columns = cli_columns;
    status = dispatch(&c);
  }
  status = out_finish(&c, status);
  free(c.out.at);
  free(c.defines);
  free(c.words);
  return status;
}
