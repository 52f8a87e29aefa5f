/* script_run: one text through the whole pipeline in a session of its own: parsed, resolved, elaborated, prepared and
 * run, with bounds on memory, time and output. What must hold of any text is checked here; what is wrong aborts with a
 * word about it. In: text. Out: its status and what it printed.
 */
#ifndef TESTS_SCRIPT_RUN_H
#define TESTS_SCRIPT_RUN_H
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include "lang/session.h"

enum { SCRIPT_MEMORY = 256 << 20, SCRIPT_OUTPUT = 1 << 16, TICK_MS = 50, TICKS_RUN = 10, TICKS_HANG = 600,
       HANGS = 99 };

typedef struct Outcome {
  Status status;
  size_t n;
  bool cut;                    /* by time or output: what it printed is then a matter of luck */
  char out[SCRIPT_OUTPUT];
} Outcome;

static struct Session *running;
static Outcome *running_out;
static int ticks;
static long outstanding;

static void *counted(void *user, void *p, size_t size) {
  (void)user;
  if (size == 0) {
    outstanding -= p != NULL;
    free(p);
    return NULL;
  }
  void *q = realloc(p, size);
  outstanding += q && !p;
  return q;
}

static bool printed(void *to, const char *text, size_t n, Loc loc) {
  Outcome *o = to;
  (void)loc;
  if (o->n + n > sizeof o->out) {
    o->cut = true;
    return false;
  }
  memcpy(o->out + o->n, text, n);
  o->n += n;
  return true;
}

/* A moment of this process's own time: other programs on the machine do not make a hang. Half a second is many turns of
 * any loop; what has not ended by then would only repeat itself. */
static void tick(int signal) {
  (void)signal;
  if (++ticks >= TICKS_HANG) {
    static const char word[] = "a hang: neither cancel nor a limit ends it\n";
    ssize_t n = write(2, word, sizeof word - 1);
    _exit(n < 0 ? HANGS + 1 : HANGS);
  }
  if (ticks >= TICKS_RUN && running) {
    running_out->cut = true;
    atomic_store(&running->cancel, true);
  }
}

static void wrong(const char *what, const char *text, size_t n) {
  fprintf(stderr, "%s\n%.*s\n", what, (int)n, text);
  abort();
}

/* A line at a time, as a REPL is fed: more lines while the entry wants them. */
static Status entries(Session *s, const char *text, size_t n) {
  Status last = STATUS_OK;
  for (size_t first = 0, end = 0; end < n;) {
    const char *eol = memchr(text + end, '\n', n - end);
    end = eol ? (size_t)(eol - text) + 1 : n;
    Entry *entry;
    last = session_load(s, "entry", text + first, end - first, LOAD_REPL, &entry);
    if (entry && entry->incomplete && end - first < 4000) continue;
    if (entry && entry->it) (void)session_value_text(s, entry->it);
    if (last == STATUS_CLOSED || last == STATUS_CANCELLED) return last;
    first = end;
  }
  return last;
}

static void script_run(const char *text, size_t n, LoadMode mode, bool no_fuse, Outcome *o) {
  SessionConfig config = {.realloc = counted, .threads = 1, .no_extern = true, .no_fuse = no_fuse, .print = printed,
                          .to = o,
                          .max_memory = SCRIPT_MEMORY, .stack = (size_t)1 << 20};
#ifdef GLIA_ASAN
  config.stack = (size_t)4 << 20;
#endif
  struct sigaction act = {.sa_handler = tick, .sa_flags = SA_RESTART};
  struct itimerval each = {{0, TICK_MS * 1000}, {0, TICK_MS * 1000}}, off = {{0, 0}, {0, 0}};
  memset(o, 0, offsetof(Outcome, out));
  ticks = 0;
  outstanding = 0;
  running_out = o;
  Session *s;
  if (session_open(&config, &s) != STATUS_OK) wrong("a session does not open", "", 0);
  running = s;
  sigaction(SIGPROF, &act, NULL);
  setitimer(ITIMER_PROF, &each, NULL);
  if (mode == LOAD_REPL) o->status = entries(s, text, n);
  else o->status = session_load(s, "fuzz.nn", text, n, mode, NULL);
  if (mode == LOAD_TEST && o->status == STATUS_OK) session_tests(s, NULL);
  setitimer(ITIMER_PROF, &off, NULL);
  running = NULL;
  if (s->host.failure == FAIL_BUG) wrong(s->host.message, text, n);
  const char *said = session_diagnostics(s, false, 0);
  if (o->status == STATUS_SCRIPT && (!s->diags->n_errors || !said || !strstr(said, "error")))
    wrong("a failure without an error", text, n);
  if (mode == LOAD_RUN && o->status == STATUS_OK && s->diags->n_errors)
    wrong("an error, but the status is OK", text, n);
  if (said && strstr(said, "(null)")) wrong(said, text, n);
  session_close(s);
  if (outstanding) wrong("memory is not given back", text, n);
}

/* Texts that could touch what is not theirs are left alone: the working directory is the fuzzer's own. */
static bool script_is_tame(const char *text, size_t n) {
  for (size_t k = 0; k + 1 < n; k++)
    if ((text[k] == '"' && text[k + 1] == '/') || (text[k] == '.' && text[k + 1] == '/')) return false;
  return true;
}

/* What a script writes goes to a folder that is emptied at the end. */
static char script_folder[] = "/tmp/glia-fuzz-XXXXXX";
static int script_home = -1;

static void script_sweep(void) {
  DIR *d = opendir(script_folder);
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) unlinkat(dirfd(d), e->d_name, 0);
  closedir(d);
  rmdir(script_folder);
}

static void script_enter(void) {
  if (script_home < 0) {
    script_home = open(".", O_RDONLY);
    if (script_home < 0 || !mkdtemp(script_folder)) abort();
    atexit(script_sweep);
  }
  if (chdir(script_folder) != 0) abort();
}

static void script_leave(void) {
  if (fchdir(script_home) != 0) abort();
}
#endif
