/* cli_watch: `glia FILE --watch`: the script runs again when it is edited, from the first statement that the edit
 * touches. In: a Cli. Out: what the script writes, again and again, until Ctrl-C; an error leaves the watch alive.
 *
 * The script is cut into pieces of top-level statements. A process runs them in one session; before each piece it
 * forks, and who stays behind is the run as it stood there: it waits to be told that the rest is another. So what
 * stands before an edit keeps its results, whatever they are. A definition may be read before it is written, so nothing
 * is cut before the last of them. The watching process itself computes nothing: it checks each text as a whole, and so
 * no mistake reaches a run. What it reads is shared with the others; all of them end with it.
 */
#define _DEFAULT_SOURCE
#include "tool/cli.h"
#include "syntax/ast.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/inotify.h>
#endif

enum { MOST_PIECES = 24, MOST_FILES = 16, MOST_TEXT = 1 << 20, LOOK_MS = 200, SETTLE_MS = 40 };

typedef struct Pieces { uint32_t n, first[MOST_PIECES + 1], line[MOST_PIECES]; } Pieces;   /* bytes; lines from 1 */
typedef struct Shared { Pieces pieces; size_t n; uint32_t run; char text[MOST_TEXT]; } Shared;
typedef enum { AT_PIECE, STANDS, DONE } News;
typedef struct Message { News what; uint32_t run, piece; pid_t pid; int status; } Message;
typedef struct File { char path[512]; struct timespec when; off_t size; ino_t id; } File;

typedef struct Watcher {
  Cli *c;
  Shared *now;
  int news[2], go[MOST_PIECES][2], notify;
  pid_t stands[MOST_PIECES], runner;      /* who stands before a piece; who runs. 0: nobody */
  File file[MOST_FILES];                  /* the script, then what it imports */
  uint32_t n_file;
  bool import_edited;                     /* since the last run began */
} Watcher;

/* ---- the processes that run ---- */

static void tell(const Watcher *w, News what, uint32_t run, uint32_t piece, int status) {
  Message m = {what, run, piece, getpid(), status};
  if (write(w->news[1], &m, sizeof m) != sizeof m) _exit(EXIT_SCRIPT);
}

/* A piece as a text in which its lines have their numbers. */
static char *piece_text(const Shared *now, uint32_t piece, size_t *n) {
  uint32_t first = now->pieces.first[piece], end = now->pieces.first[piece + 1], above = now->pieces.line[piece] - 1;
  char *text = malloc(above + (end - first) + 1);
  *n = above + (end - first);
  if (!text) return NULL;
  memset(text, '\n', above);
  memcpy(text + above, now->text + first, end - first);
  text[*n] = 0;
  return text;
}

static bool has_ended(const Session *s) {
  for (uint32_t k = 0; k < s->diags->diag.n; k++)
    if (s->diags->diag.at[k]->id == E_NOT_FINITE) return true;
  return false;
}

static int run_piece(Watcher *w, Session *s, uint32_t piece) {
  Cli *c = w->c;
  size_t n;
  Entry *entry;
  char *text = piece_text(w->now, piece, &n);
  if (!text) {
    err_text(c, "glia: out of memory\n");
    return EXIT_SCRIPT;
  }
  Status status = session_load(s, c->operand[0], text, n, LOAD_KEEP, &entry);
  free(text);
  if (status == STATUS_OK) {
    if (!c->quiet && has_ended(s)) cli_diagnostics(c, s);
    return EXIT_DONE;
  }
  return cli_status(c, s, status);
}

/* Stands before a piece, or behind the last one, and sends a process on its way from there: at once, if goes, and
 * whenever it is told to. Returns in that process. */
static void stand(Watcher *w, Session *s, uint32_t piece, bool goes, uint32_t *run) {
  for (bool first = true;; first = false) {
    char byte;
    if (first) tell(w, STANDS, *run, piece, 0);
    if (first && !goes) tell(w, DONE, *run, piece, EXIT_DONE);
    ssize_t got = first && goes ? 1 : read(w->go[piece][0], &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) _exit(EXIT_DONE);                       /* the watch has ended */
    if (!first || !goes) *run = w->now->run;
    pid_t pid = fork();
    if (pid == 0) {
      s->pool = NULL;                                     /* its threads stayed with the process that made them */
      return;
    }
    if (pid < 0) tell(w, DONE, *run, piece, EXIT_SCRIPT);
  }
}

static void run_pieces(Watcher *w) {
  Cli *c = w->c;
  uint32_t run = w->now->run;
  for (int k = 0; k < MOST_PIECES; k++) close(w->go[k][1]);
  signal(SIGCHLD, SIG_IGN);                               /* nobody asks how they ended */
  Session *s = cli_open(c);
  int status = s ? EXIT_DONE : EXIT_SCRIPT;
  for (uint32_t k = 0; status == EXIT_DONE; k++) {
    out_flush(c);
    if (k) stand(w, s, k, k < w->now->pieces.n, &run);
    tell(w, AT_PIECE, run, k, 0);
    status = run_piece(w, s, k);
  }
  out_flush(c);
  tell(w, DONE, run, 0, status);
  _exit(status);
}

/* ---- what is watched ---- */

static bool look_at(File *f) {
  struct stat st;
  if (stat(f->path, &st) != 0) return false;              /* between two writes of an editor it may be gone */
  bool same = st.st_mtim.tv_sec == f->when.tv_sec && st.st_mtim.tv_nsec == f->when.tv_nsec && st.st_size == f->size &&
              st.st_ino == f->id;
  f->when = st.st_mtim;
  f->size = st.st_size;
  f->id = st.st_ino;
  return !same;
}

static void watch_file(Watcher *w, const char *path) {
  if (w->n_file == MOST_FILES || strlen(path) >= sizeof w->file[0].path) return;
  File *f = &w->file[w->n_file++];
  strcpy(f->path, path);
  look_at(f);
#ifdef __linux__
  char folder[sizeof f->path];
  strcpy(folder, path);
  char *slash = strrchr(folder, '/');
  if (slash) slash[slash == folder] = 0;
  if (w->notify >= 0)
    inotify_add_watch(w->notify, slash ? folder : ".", IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_MODIFY);
#endif
}

/* ---- a text ---- */

static bool defines_names(const Ast *x) {
  switch (x->kind) {
  case A_FN: case A_PROC: case A_LAYER: case A_OPTIMIZER: case A_GRADIENT: case A_EXTERN: case A_IMPORT: case A_TEST:
    return true;
  default: return false;
  }
}

static uint32_t line_of(const char *text, uint32_t at) {
  uint32_t line = 1;
  for (uint32_t k = 0; k < at; k++) line += text[k] == '\n';
  return line;
}

/* A piece begins at the line of its first statement. */
static void cut(const Source *source, const Ast *program, Pieces *out) {
  uint32_t last = 0, rest, k;
  *out = (Pieces){.n = 1, .line = {1}};
  for (k = 0; k < program->n; k++)
    if (defines_names(program->kid[k])) last = k + 1;
  rest = program->n - last;
  uint32_t each = rest / (MOST_PIECES - 2) + 1;
  for (k = last; k < program->n; k++) {
    uint32_t at = program->kid[k]->span.first;
    while (at > 0 && source->text[at - 1] != '\n') at--;
    if ((k - last) % each || at <= out->first[out->n - 1] || (k > 0 && program->kid[k - 1]->span.end > at)) continue;
    if (out->n == MOST_PIECES - 1) break;
    out->line[out->n] = line_of(source->text, at);
    out->first[out->n++] = at;
  }
  out->first[out->n] = source->n;
}

/* Reads and checks the script as a whole. false: there is a mistake, which is said. */
static bool read_script(Watcher *w) {
  Cli *c = w->c;
  Entry *entry = NULL;
  Session *s = cli_open(c);
  if (!s) return false;
  Status status = session_load_file(s, c->operand[0], LOAD_CHECK, &entry);
  bool ok = cli_status(c, s, status) == EXIT_DONE && entry;
  w->n_file = 0;
  watch_file(w, c->operand[0]);
  for (uint32_t k = 0; k < s->sources->source.n; k++) {
    const Source *x = s->sources->source.at[k];
    if (!x->library && (!entry || x != entry->source)) watch_file(w, x->name);
  }
  if (ok && entry->source->n >= MOST_TEXT) {
    err_printf(c, "glia: --watch: \"%s\" has more than %d bytes\n", c->operand[0], MOST_TEXT);
    ok = false;
  }
  if (ok) {
    cut(entry->source, entry->parsed->program, &w->now->pieces);
    w->now->n = entry->source->n;
    memcpy(w->now->text, entry->source->text, w->now->n);
  }
  cli_close(c, s);
  return ok;
}

/* The last piece before which somebody stands and both texts are the same; it may be new, behind all of the old. */
static uint32_t first_touched(const Watcher *w, const Pieces *before, const char *text) {
  const Pieces *now = &w->now->pieces;
  uint32_t k = 0;
  for (uint32_t j = 1; j < now->n && j <= before->n; j++) {
    if (now->first[j] != before->first[j] || memcmp(text, w->now->text, now->first[j]) != 0) break;
    if (w->stands[j]) k = j;
  }
  return k;
}

/* ---- the watch ---- */

static void end(pid_t *pid) {
  if (*pid > 0) kill(*pid, SIGKILL);
  *pid = 0;
}

/* From piece k on: who stood behind it is of another text. */
static void start(Watcher *w, uint32_t k) {
  end(&w->runner);
  for (uint32_t j = k + 1; j < MOST_PIECES; j++) end(&w->stands[j]);
  w->now->run++;
  if (k && write(w->go[k][1], "g", 1) == 1) return;
  pid_t pid = fork();
  if (pid == 0) run_pieces(w);
  w->runner = pid > 0 ? pid : 0;
}

static void hear(Watcher *w, const Message *m) {
  pid_t pid = m->pid;
  if (m->run != w->now->run) {
    if (m->what != DONE && (m->what != STANDS || w->stands[m->piece] != pid)) end(&pid);
    return;
  }
  if (m->what == STANDS) w->stands[m->piece] = pid;
  else if (m->what == AT_PIECE) w->runner = pid;
  else {
    w->runner = 0;
    if (!w->c->quiet) err_printf(w->c, "glia: %s; \"%s\" is watched\n", m->status == EXIT_DONE ? "done" : "it failed",
                                 w->c->operand[0]);
  }
}

static bool edited(Watcher *w) {
  bool any = false;
  for (uint32_t k = 0; k < w->n_file; k++) {
    bool one = look_at(&w->file[k]);
    any |= one;
    w->import_edited |= one && k > 0;
  }
  return any;
}

static void again(Watcher *w) {
  static char text[MOST_TEXT];
  Pieces before = w->now->pieces;
  size_t n = w->now->n;                                   /* 0: none was good yet */
  memcpy(text, w->now->text, n);
  usleep(SETTLE_MS * 1000);
  if (!read_script(w)) return;
  uint32_t k = w->import_edited || !n ? 0 : first_touched(w, &before, text);
  w->import_edited = false;
  if (!w->c->quiet) err_printf(w->c, "glia: \"%s\" again, from line %u\n", w->c->operand[0], w->now->pieces.line[k]);
  start(w, k);
}

static bool open_all(Watcher *w) {
  w->now = mmap(NULL, sizeof *w->now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (w->now == MAP_FAILED || pipe(w->news) != 0) return false;
  for (int k = 0; k < MOST_PIECES; k++)
    if (pipe(w->go[k]) != 0) return false;
  w->notify = -1;
#ifdef __linux__
  w->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
#endif
  return true;
}

int cli_watch(Cli *c) {
  static Watcher w;
  w.c = c;
  if (!open_all(&w)) {
    err_printf(c, "glia: --watch: %s\n", strerror(errno));
    return EXIT_SCRIPT;
  }
  signal(SIGCHLD, SIG_IGN);
  if (read_script(&w)) start(&w, 0);
  while (!cli_interrupted() && !c->out.gone) {
    struct pollfd on[] = {{.fd = w.news[0], .events = POLLIN}, {.fd = w.notify, .events = POLLIN}};
    Message m;
    char events[4096];
    if (poll(on, 2, LOOK_MS) < 0) continue;
    if (on[0].revents & POLLIN && read(w.news[0], &m, sizeof m) == sizeof m) hear(&w, &m);
    else if (on[1].revents & POLLIN) while (read(w.notify, events, sizeof events) > 0) {}
    if (edited(&w)) again(&w);
  }
  end(&w.runner);
  for (uint32_t k = 0; k < MOST_PIECES; k++) end(&w.stands[k]);
  return cli_interrupted() ? cli_ended() : EXIT_DONE;
}
