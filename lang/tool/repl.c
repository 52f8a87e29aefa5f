/* repl: evaluates what is typed, an entry at a time, in one session. In: lines. Out: values with their types on
 * standard output, diagnostics as `entry 3:1:5: error: ...` on standard error.
 *
 * An error never ends it. A piped session gives the same output as a typed one, without prompts and colour. Commands
 * begin with a colon; each stands in one table, from which help and completion are derived.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/repl_commands.h"
#include "tool/replay.h"
#include "text/stdlib.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The input ended inside a bracket: an ordinary check says which. */
static void unfinished(Repl *r, const Text *text) {
  Entry *entry;
  char name[32];
  snprintf(name, sizeof name, "entry %d", r->entry);
  repl_report(r, session_load(r->s, name, text->at, text->n, LOAD_CHECK, &entry));
}

/* The next line; while more of a paste waits, it is looked at first. */
static LineResult next_line(Repl *r, const char *prompt, const char **line, size_t *n) {
  if (r->ahead) {
    *line = r->ahead;
    *n = r->n_ahead;
    r->ahead = NULL;
    return LINE_READ;
  }
  return lines_read(r->lines, prompt, line, n);
}

static void look_ahead(Repl *r) {
  const char *line;
  size_t n;
  if (!lines_waiting(r->lines) || lines_read(r->lines, "> ", &line, &n) != LINE_READ) return;
  r->ahead = arena_text(r->a, line, n);
  r->n_ahead = n;
  if (*line) lines_remember(r->lines, line);
}

static int read_eval(Repl *r) {
  Text pending = {.arena = r->a};
  for (;;) {
    const char *line;
    size_t n;
    if (!out_flush(r->c)) return EXIT_DONE;
    if (cli_ending()) return cli_ended();
    bool waited = r->ahead != NULL;
    LineResult got = next_line(r, pending.n ? "... " : "> ", &line, &n);
    if (got == LINE_INTERRUPTED) {
      cli_resume(r->s);
      pending = (Text){.arena = r->a};
      continue;
    }
    if (got == LINE_FAILED) {
      err_text(r->c, "glia: cannot read standard input\n");
      return EXIT_SCRIPT;
    }
    if (got == LINE_END) {
      if (pending.n) unfinished(r, &pending);
      return EXIT_DONE;
    }
    if (*line && !waited) lines_remember(r->lines, line);
    if (!pending.n) {
      if (strlen(line) == n && repl_blank(line)) continue;
      if (*line == ':') {
        if (!repl_command(r, line + 1)) return EXIT_DONE;
        if (cli_interrupted()) cli_resume(r->s);       /* it was asked to stop, and has */
        continue;
      }
    } else text_add(&pending, "\n");
    text_add_n(&pending, line, n);
    look_ahead(r);
    if (r->ahead && repl_goes_on(r->ahead)) continue;
    if (repl_run(r, pending.at, pending.n)) pending = (Text){.arena = r->a};
  }
}

int cli_repl(Cli *c) {
  bool interactive = isatty(STDIN_FILENO) == 1 && c->out.terminal;
  Repl r = {.c = c, .entry = 1};
  Host host;
  Guard g;
  host_init(&host, NULL, NULL);
  if (!interactive && !c->color_asked) c->color = false;
  r.s = cli_open(c);
  if (!r.s) return EXIT_SCRIPT;
  int status = EXIT_DONE;
  if (c->n_operand) {
    Entry *entry;
    repl_report(&r, replay_first(&r, c->operand[0], &entry));
  }
  r.lines = lines_open(interactive, repl_complete, repl_complete_path, &r);
  if (r.lines && HOST_GUARD(&host, &g)) {
    r.a = arena_new(&host);
    r.kept.arena = r.a;
    if (interactive) out_text(c, "Glia " PACKAGE_VERSION ". :help lists the commands, Ctrl-D leaves.\n");
    status = read_eval(&r);
    if (interactive && status == EXIT_DONE) out_text(c, "\n");
    arena_free(r.a);
    host_leave(&host, &g);
  } else {
    err_text(c, "glia: out of memory\n");
    status = EXIT_SCRIPT;
  }
  lines_close(r.lines);
  cli_close(c, r.s);
  return status;
}
