/* record: see record.h. */
#define _POSIX_C_SOURCE 200809L
#include "tool/record.h"
#include "elab/elab.h"
#include "elab/series.h"
#include "runtime/graph/kernels.h"
#include "steps/table.h"
#include "tool/json.h"
#include "runtime/files/files.h"
#include "tool/profile.h"
#include "tool/report.h"
#include "tool/run_log.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

struct Record {
  Host host;                 /* its memory is not the script's */
  Arena *a;
  double begun;
  RunLog log;
  Profile profile;
  RunTrace trace;
  Report report;
  Facts facts;
  bool failed;               /* a file could not be written: said */
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double record_seconds(const Record *r) { return now() - r->begun; }

const char *series_name(const Session *s, const struct Table *t) {
  const Scope *top = s->elab->globals;
  for (uint32_t k = top->bound.n; k-- > 0;) {
    const Bound *b = top->bound.at[k];
    if (b->value.kind == V_SERIES && b->value.series->table == t) return b->name;
  }
  return NULL;
}

/* ---- facts ---- */

static void add_fact(Arena *a, Facts *f, const char *name, const char *json) { vec_push(a, f, (Fact){name, json}); }

static const char *quoted(Arena *a, const char *s) {
  Text t = {.arena = a};
  json_text(&t, s);
  return t.at;
}

static const char *list_of(Arena *a, const char *const *words, int n) {
  Text t = {.arena = a};
  text_add(&t, "[");
  for (int k = 0; k < n; k++) {
    if (k) text_add(&t, ", ");
    json_text(&t, words[k]);
  }
  text_add(&t, "]");
  return t.at;
}

static const char *clock_text(Arena *a) {
  char text[32];
  struct tm tm;
  time_t t = time(NULL);
  if (!gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm)) return "null";
  return quoted(a, text);
}

static Facts facts_of(Arena *a, const Cli *c, const Session *s) {
  Facts f = {0};
  struct utsname u;
  char folder[4096];
  add_fact(a, &f, "time", clock_text(a));
  add_fact(a, &f, "glia", quoted(a, PACKAGE_VERSION));
  add_fact(a, &f, "script", quoted(a, c->operand[0]));
  add_fact(a, &f, "folder", quoted(a, getcwd(folder, sizeof folder)));
  add_fact(a, &f, "args", list_of(a, c->config.args, c->config.n_args));
  add_fact(a, &f, "defines", list_of(a, c->config.defines, c->config.n_defines));
  add_fact(a, &f, "seed", arena_printf(a, "%llu", (unsigned long long)c->config.seed));
  if (c->config.resume) add_fact(a, &f, "resume", quoted(a, c->config.resume));
  add_fact(a, &f, "threads", arena_printf(a, "%d", c->config.threads > 0 ? c->config.threads : pool_default_threads()));
  add_fact(a, &f, "fused", c->config.no_fuse ? "false" : "true");
  add_fact(a, &f, "kernels", quoted(a, s->kernels->level));
  add_fact(a, &f, "bits", quoted(a, kernels_class(s->kernels)));
  if (uname(&u) == 0)
    add_fact(a, &f, "machine", quoted(a, arena_printf(a, "%s, %s %s %s", u.nodename, u.sysname, u.release, u.machine)));
  return f;
}

/* The first error, as "FILE:L:C: message". */
static const char *error_text(Arena *a, const Session *s) {
  for (uint32_t k = 0; k < s->diags->diag.n; k++) {
    const Diag *d = s->diags->diag.at[k];
    uint32_t line, column;
    if (d->warning) continue;
    if (!d->source) return d->text;
    source_position(d->source, d->at.first, &line, &column);
    return arena_printf(a, "%s:%u:%u: %s", d->source->name, line, column, d->text);
  }
  return NULL;
}

static Facts outcome_of(Arena *a, const Session *s, int status) {
  Facts f = {0};
  const char *error = status == EXIT_SCRIPT ? error_text(a, s) : NULL;
  add_fact(a, &f, "time", clock_text(a));
  add_fact(a, &f, "status", arena_printf(a, "%d", status));
  add_fact(a, &f, "outcome", quoted(a, status == EXIT_DONE ? "done" : status > 128 ? "interrupted" : "failed"));
  if (error) add_fact(a, &f, "error", quoted(a, error));
  return f;
}

/* ---- files ---- */

static void cannot_write(Cli *c, const char *flag, const char *path, int error) {
  if (!c->record->failed) err_printf(c, "glia: %s: cannot write \"%s\": %s\n", flag, path, strerror(error));
  c->record->failed = true;
}

/* What would be lost: the script itself. */
static bool is_script(const Cli *c, const char *path) {
  struct stat a, b;
  return stat(path, &a) == 0 && S_ISREG(a.st_mode) && stat(c->operand[0], &b) == 0 && a.st_ino == b.st_ino &&
         a.st_dev == b.st_dev;
}

static bool open_file(Cli *c, const char *flag, const char *path, FILE **out) {
  if (!path) return true;
  if (is_script(c, path)) {
    err_printf(c, "glia: %s: \"%s\" is the script: name another file\n", flag, path);
    return false;
  }
  *out = fopen(path, "w");
  if (!*out) cannot_write(c, flag, path, errno);
  return *out != NULL;
}

/* The page comes at the end, whole or not at all: that it can is known before the run. */
static bool page_writable(Cli *c) {
  struct stat st;
  if (!c->html) return true;
  const char *slash = strrchr(c->html, '/');
  char *folder = strdup(slash == c->html ? "/" : slash ? c->html : ".");
  if (folder && slash && slash != c->html) folder[slash - c->html] = 0;
  bool is_folder = stat(c->html, &st) == 0 && S_ISDIR(st.st_mode), ok = folder && !is_folder && !access(folder, W_OK);
  int error = is_folder ? EISDIR : errno;
  free(folder);
  if (ok && is_script(c, c->html)) {
    err_printf(c, "glia: --html: \"%s\" is the script: name another file\n", c->html);
    return false;
  }
  if (!ok) cannot_write(c, "--html", c->html, error);
  return ok;
}

static void close_file(Cli *c, const char *flag, const char *path, FILE *f) {
  if (!f) return;
  errno = 0;
  bool bad = ferror(f) != 0;
  bad |= fclose(f) != 0;
  if (bad) cannot_write(c, flag, path, errno ? errno : EIO);
}

/* ---- a run ---- */

static void heard(void *to, Session *s, const Event *e) {
  Cli *c = to;
  Record *r = c->record;
  Guard g;
  if (!HOST_GUARD(&r->host, &g)) {
    cannot_write(c, c->log ? "--log" : "--html", c->log ? c->log : c->html, ENOMEM);
    return;
  }
  if (r->log.file && !r->failed) run_log_event(&r->log, s, e, record_seconds(r));
  if (c->html) report_event(&r->report, s, e);
  host_leave(&r->host, &g);
}

bool record_open(Cli *c) {
  if (!c->log && !c->profile && !c->html) return true;
  Record *r = c->record = calloc(1, sizeof *r);
  Guard g;
  if (!r) {
    err_text(c, "glia: out of memory\n");
    return false;
  }
  host_init(&r->host, NULL, NULL);
  r->begun = now();
  bool ok = page_writable(c) && open_file(c, "--log", c->log, &r->log.file) &&
            open_file(c, "--profile", c->profile, &r->profile.file);
  if (!ok || !HOST_GUARD(&r->host, &g)) {
    (void)record_end(c, NULL, EXIT_SCRIPT);
    return false;
  }
  r->a = arena_new(&r->host);
  arena_keep(r->a);
  host_leave(&r->host, &g);
  r->profile.a = r->report.a = r->report.printed.arena = r->a;
  r->trace = (RunTrace){.to = &r->profile, .done = profile_done};
  if (c->log || c->html) c->config.heard = heard;
  if (c->profile) c->config.trace = &r->trace;
  return true;
}

void record_begin(Cli *c, Session *s) {
  Record *r = c->record;
  Guard g;
  if (!r || !HOST_GUARD(&r->host, &g)) return;
  r->facts = facts_of(r->a, c, s);
  if (r->log.file) run_log_begin(&r->log, r->a, &r->facts);
  if (r->profile.file) profile_begin(&r->profile, s);
  host_leave(&r->host, &g);
}

/* What the page holds of the session is computed now, in its memory. */
static void write_page(Cli *c, Session *s, const Facts *outcome) {
  Record *r = c->record;
  Guard g;
  Text html = {.arena = r->a};
  FileError e;
  if (!HOST_GUARD(&s->host, &g)) {
    cannot_write(c, "--html", c->html, ENOMEM);
    return;
  }
  report_end(&r->report, s);
  report_page(&r->report, s, &r->facts, outcome, &html);
  host_leave(&s->host, &g);
  if (file_write_atomic(&r->host, c->html, html.at, html.n, &e)) return;
  err_printf(c, "glia: --html: %s\n", e.text);
  r->failed = true;
}

static void write_end(Cli *c, Session *s, int status) {
  Record *r = c->record;
  Guard g;
  if (!HOST_GUARD(&r->host, &g)) return;
  Facts f = outcome_of(r->a, s, status);
  add_fact(r->a, &f, "seconds", arena_printf(r->a, "%.3f", record_seconds(r)));
  if (r->log.file && !r->failed) run_log_end(&r->log, &f);
  if (r->profile.file) profile_end(&r->profile);
  if (c->html) write_page(c, s, &f);
  host_leave(&r->host, &g);
}

int record_end(Cli *c, Session *s, int status) {
  Record *r = c->record;
  if (!r) return status;
  if (s) write_end(c, s, status);
  report_close(&r->report);
  close_file(c, "--log", c->log, r->log.file);
  close_file(c, "--profile", c->profile, r->profile.file);
  if (s && profile_left_out(&r->profile))
    err_printf(c, "glia: --profile: \"%s\" holds the beginning of the run; %llu parts of steps are left out\n",
               c->profile, (unsigned long long)profile_left_out(&r->profile));
  if (r->failed && status == EXIT_DONE) status = EXIT_SCRIPT;
  if (r->a) arena_free(r->a);
  free(r);
  c->record = NULL;
  c->config.heard = NULL;
  c->config.trace = NULL;
  return status;
}
