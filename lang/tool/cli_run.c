/* cli_run: runs and checks scripts. In: a Cli. Out: the script's output, its diagnostics, a status.
 *
 * Ctrl-C, SIGTERM and SIGHUP only set the session's flag: the machine stops between two steps, keeps the run where the
 * script keeps its checkpoints, and this part says where. Who asks three times does not want to wait for the step. What
 * nohup ignores stays ignored; Ctrl-C does not, because shells ignore it for what runs in the background, and who sends
 * it there means it.
 */
#define _POSIX_C_SOURCE 200809L
#include "tool/cli.h"
#include "tool/record.h"
#include "steps/machine.h"
#include "runtime/base/digest.h"
#include "runtime/graph/kernels.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A handler has no argument: the session that it stops, and how often it was asked. The program's, not the
 * library's. */
static _Atomic(Session *) running;
static volatile sig_atomic_t asked, number_asked;
static const struct { int number; const char *said; } ends[] = {
    {SIGINT, "interrupted"}, {SIGTERM, "terminated"}, {SIGHUP, "hung up"}};
enum { N_ENDS = sizeof ends / sizeof *ends, EXIT_SIGNAL = 128 };

static void interrupt(int number) {
  number_asked = number;
  if (++asked >= 3) _exit(EXIT_SIGNAL + number);
  Session *s = atomic_load(&running);
  if (s) atomic_store(&s->cancel, true);
}

bool cli_interrupted(void) { return asked > 0; }
bool cli_ending(void) { return asked > 0 && number_asked != SIGINT; }
int cli_ended(void) { return EXIT_SIGNAL + number_asked; }

static const char *ended_by(void) {
  int k = N_ENDS - 1;
  while (k > 0 && ends[k].number != number_asked) k--;
  return ends[k].said;
}

void cli_say_ended(Cli *c, const char *when) { err_printf(c, "glia: %s%s\n", ended_by(), when); }

void cli_resume(Session *s) {
  if (cli_ending()) return;
  asked = 0;
  atomic_store(&s->cancel, false);
}

static void listen(void) {
  struct sigaction action = {.sa_handler = interrupt}, was;
  sigemptyset(&action.sa_mask);
  for (int k = 0; k < N_ENDS; k++)
    if (sigaction(ends[k].number, NULL, &was) == 0 && (was.sa_handler != SIG_IGN || ends[k].number == SIGINT))
      sigaction(ends[k].number, &action, NULL);
}

/* What the machine has, 0 if it does not say: more than that is an error before the run, never a kill in it. */
static size_t machine_memory(void) {
  long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  size_t all;
  return pages > 0 && bytes > 0 && size_mul((size_t)pages, (size_t)bytes, &all) ? all : 0;
}

Session *cli_open(Cli *c) {
  Session *s = NULL;
  SessionConfig config = c->config;
  if (!config.max_memory) config.max_memory = machine_memory();
  Status status = session_open(&config, &s);
  if (status != STATUS_OK) {
    err_text(c, "glia: out of memory\n");
    return NULL;
  }
  atomic_store(&running, s);
  listen();
  return s;
}

void cli_close(Cli *c, Session *s) {
  (void)c;
  atomic_store(&running, NULL);
  session_close(s);
}

void cli_diagnostics(Cli *c, Session *s) {
  const char *text = session_diagnostics(s, c->color, 0);
  if (text && *text) err_text(c, text);
}

/* Warnings come before the first step, not after an hour of it. */
static void warn_first(void *to, Session *s) {
  cli_diagnostics(to, s);
  s->diags->shown = s->diags->diag.n;
}

/* How to go on from there. */
static void say_how(Cli *c, Session *s) {
  if (!s->run.kept) return;
  err_printf(c, "glia: the run is kept in %s; go on with:  glia", s->run.checkpoint);
  for (int k = 0; k < c->config.n_defines; k++) err_printf(c, " -D %s", c->config.defines[k]);
  err_printf(c, " %s", c->operand[0]);
  for (int k = 0; k < c->config.n_args; k++) err_printf(c, " %s", c->config.args[k]);
  err_printf(c, " --resume %s\n", s->run.checkpoint);
}

/* The place of the user's text that a Loc stands in; NULL: it has none. */
static const Place *own_place(Session *s, Loc loc) {
  const Place *place = loc ? loc_place(s->sources, loc) : NULL;
  while (place && place->source->library) place = loc_place(s->sources, place->caller);
  return place;
}

/* Where the run stood: at an operation, or at the innermost step with a place. */
static void say_where(Cli *c, Session *s) {
  const Position *at = machine_position(s);
  const Place *place = own_place(s, s->stopped);
  for (uint32_t k = at->frame.n; k-- > 0 && !place;)
    if (at->frame.at[k].step) place = own_place(s, at->frame.at[k].step->loc);
  if (!place) {
    cli_say_ended(c, at->frame.n ? "" : " before the first step");
    return;
  }
  uint32_t line, column;
  source_position(place->source, place->span.first, &line, &column);
  err_printf(c, "glia: %s at %s:%u:%u\n", ended_by(), place->source->name, line, column);
}

int cli_status(Cli *c, Session *s, Status status) {
  if (c->out.gone) return EXIT_DONE;
  if (c->out.error) return EXIT_SCRIPT;
  switch (status) {
  case STATUS_OK:
    if (!c->quiet) cli_diagnostics(c, s);
    return EXIT_DONE;
  case STATUS_SCRIPT:
    cli_diagnostics(c, s);
    return EXIT_SCRIPT;
  case STATUS_CANCELLED:
    cli_diagnostics(c, s);
    say_where(c, s);
    say_how(c, s);
    return cli_ended();
  case STATUS_MEMORY:
    err_printf(c, "glia: %s\n", *s->host.message ? s->host.message : "out of memory");
    return EXIT_SCRIPT;
  case STATUS_CLOSED: return EXIT_DONE;
  }
  return EXIT_SCRIPT;
}

char *cli_read_input(Cli *c, size_t *n) {
  size_t cap = 1 << 14;
  char *text = malloc(cap);
  *n = 0;
  while (text) {
    ssize_t got = cli_interrupted() ? -1 : read(STDIN_FILENO, text + *n, cap - *n);
    if (got == 0) return text;
    if (got < 0) {
      if (errno == EINTR && !cli_interrupted()) continue;
      if (cli_interrupted()) cli_say_ended(c, " while standard input was read");
      else err_printf(c, "glia: cannot read standard input: %s\n", strerror(errno));
      free(text);
      return NULL;
    }
    *n += (size_t)got;
    if (*n < cap) continue;
    char *more = cap > SIZE_MAX / 2 ? NULL : realloc(text, cap *= 2);
    if (!more) free(text);
    text = more;
  }
  err_text(c, "glia: out of memory\n");
  return NULL;
}

static int load(Cli *c, Session *s, const char *path, LoadMode mode, Entry **entry) {
  if (strcmp(path, "-")) return cli_status(c, s, session_load_file(s, path, mode, entry));
  size_t n;
  char *text = cli_read_input(c, &n);
  if (!text) return cli_interrupted() ? cli_ended() : EXIT_SCRIPT;
  int status = cli_status(c, s, session_load(s, "<stdin>", text, n, mode, entry));
  free(text);
  return status;
}

/* The bits of what the script left in its cells: a line each, and one for all. */
static void say_digests(Cli *c, const Session *s) {
  uint64_t all = 0;
  for (uint32_t k = 0; k < s->program->slot.n; k++) {
    const Slot *slot = &s->program->slot.at[k];
    if (slot->kind != SLOT_CELL || !slot->value || !slot->path) continue;
    uint64_t one = digest(0, slot->value->data, slot->value->bytes);
    all = digest(all, &one, sizeof one);
    out_printf(c, "%016" PRIx64 " %s\n", one, slot->path);
  }
  out_printf(c, "%016" PRIx64 " in all, bits of class %s\n", all, kernels_class(s->kernels));
}

static int run_one(Cli *c, const char *path, LoadMode mode) {
  c->config.warned = warn_first;
  if (!record_open(c)) return EXIT_SCRIPT;
  Session *s = cli_open(c);
  if (!s) return record_end(c, NULL, EXIT_SCRIPT);
  Entry *entry = NULL;
  record_begin(c, s);
  int status = load(c, s, path, c->dump ? LOAD_PLAN : mode, &entry);
  if (c->dump && status == EXIT_DONE) {
    const char *text = entry ? session_dump(s, entry, c->dump) : NULL;
    if (text) out_text(c, text);
    else {
      err_printf(c, "glia: not yet: --dump=%s\n", c->dump);
      status = EXIT_USAGE;
    }
  }
  if (c->digest && !c->dump && status == EXIT_DONE) say_digests(c, s);
  status = record_end(c, s, status);
  cli_close(c, s);
  return status;
}

int cli_run(Cli *c) { return c->watch ? cli_watch(c) : run_one(c, c->operand[0], LOAD_RUN); }

int cli_check(Cli *c) {
  int worst = EXIT_DONE;
  for (int k = 0; k < c->n_operand; k++) {
    /* who names a limit wants plans compared with it */
    int status = run_one(c, c->operand[k], c->config.max_memory ? LOAD_PLAN : LOAD_LINT);
    if (status > worst) worst = status;
    if (cli_interrupted()) break;
  }
  return worst;
}
