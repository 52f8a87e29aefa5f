/* replay: see replay.h. The run is stopped where the machine asks its host whether it may go on. */
#define _POSIX_C_SOURCE 200809L
#include "tool/replay.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "runtime/base/digest.h"
#include "steps/turns.h"

typedef struct Counter {
  Session *s;
  const ReplayAsk *ask;
  int64_t seen;
  StepTurns last;
  bool stopped;
} Counter;

static bool silent(void *to, const char *text, size_t n, Loc loc) {
  (void)to;
  (void)text;
  (void)n;
  (void)loc;
  return true;
}

static bool goes_on(void *to) {
  Counter *c = to;
  if (cli_interrupted()) return false;
  if (!c->s || !c->s->run.position.frame.n || !step_begins(&c->last, c->s)) return true;
  if (c->ask->each) c->ask->each(c->ask->to, c->s, c->seen);
  c->stopped = c->seen == c->ask->until;
  c->seen += !c->stopped;
  return !c->stopped;
}

static void hears(void *to, Session *s, const Event *e) {
  Counter *c = to;
  c->ask->heard(c->ask->to, s, e);
}

/* ---- checkpoints of the first run ---- */

typedef struct First { Repl *r; SessionConfig config; StepTurns last; int64_t steps; } First;

/* Whether a parameter will still be moved in the block in which the run stands: then it stands within a step. */
static bool within_step(const Session *s) {
  const Position *p = &s->run.position;
  const Frame *f = &p->frame.at[p->frame.n - 1];
  for (uint32_t k = f->at + 1; k < f->block->n; k++)
    if (f->block->at[k]->kind == STEP_SEGMENT &&
        segment_moves_parameters(s, s->program->segment.at[f->block->at[k]->segment]))
      return true;
  return false;
}

/* Another file of that name is another run's, or of another step. 0: there is none. */
static uint64_t file_now(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) return 0;
  uint64_t h = digest(1, &st.st_dev, sizeof st.st_dev);
  h = digest(h, &st.st_ino, sizeof st.st_ino);
  h = digest(h, &st.st_size, sizeof st.st_size);
  h = digest(h, &st.st_mtim.tv_sec, sizeof st.st_mtim.tv_sec);
  return digest(h, &st.st_mtim.tv_nsec, sizeof st.st_mtim.tv_nsec);
}

/* Of too many every second is forgotten. */
static void note_kept(Repl *r, const Event *e, int64_t step) {
  uint32_t k = 0;
  if (e->length >= sizeof r->run[0].path) return;
  while (k < r->n_run && strcmp(r->run[k].path, e->text) != 0) k++;
  if (k == MOST_KEPT) {
    for (k = 0; k < MOST_KEPT / 2; k++) r->run[k] = r->run[2 * k];
    r->n_run = MOST_KEPT / 2;
  }
  if (k == r->n_run) r->n_run++;
  memcpy(r->run[k].path, e->text, e->length + 1);
  r->run[k].step = step;
  r->run[k].file = file_now(e->text);
}

static void first_heard(void *to, Session *s, const Event *e) {
  First *f = to;
  if (e->kind == EVENT_STEP) f->steps += step_begins(&f->last, s);
  if (e->kind == EVENT_CHECKPOINT && !within_step(s)) note_kept(f->r, e, f->steps);
}

static bool first_print(void *to, const char *text, size_t n, Loc loc) {
  First *f = to;
  return f->config.print(f->config.to, text, n, loc);
}
static bool first_flush(void *to) {
  First *f = to;
  return f->config.flush(f->config.to);
}
static void first_progress(void *to, const char *text, bool final) {
  First *f = to;
  f->config.progress(f->config.to, text, final);
}
static int first_columns(void *to) {
  First *f = to;
  return f->config.columns(f->config.to);
}

Status replay_first(Repl *r, const char *path, Entry **out) {
  SessionConfig *c = &r->s->config;
  First f = {.r = r, .config = *c};
  c->print = first_print;
  c->flush = first_flush;
  c->progress = first_progress;
  c->columns = first_columns;
  c->heard = first_heard;
  c->to = &f;
  Status status = session_load_file(r->s, path, LOAD_KEEP, out);
  *c = f.config;
  return status;
}

/* The latest checkpoint at or before a step, or NULL. */
static const KeptRun *nearest_run(const Repl *r, const ReplayAsk *ask) {
  const KeptRun *best = NULL;
  if (ask->define || ask->each || ask->heard) return NULL;
  for (uint32_t k = 0; k < r->n_run; k++)
    if (r->run[k].step <= ask->until && (!best || r->run[k].step > best->step) &&
        r->run[k].file == file_now(r->run[k].path))
      best = &r->run[k];
  return best;
}

/* ---- a replay ---- */

static bool attempt(Repl *r, const ReplayAsk *ask, const KeptRun *from, Counter *c, Status *status, Replay *out) {
  SessionConfig config = r->c->config;
  const char **defines = NEW_N(r->a, const char *, (size_t)config.n_defines + 1u);
  *out = (Replay){.from = from ? from->step : 0};
  *c = (Counter){.ask = ask, .seen = out->from};
  for (int k = 0; k < config.n_defines; k++) defines[k] = config.defines[k];
  if (ask->define) defines[config.n_defines++] = ask->define;
  config.defines = defines;
  config.print = silent;
  config.flush = NULL;
  config.progress = NULL;
  config.heard = ask->heard ? hears : NULL;
  config.trace = NULL;
  config.warned = NULL;
  config.rehearses = true;
  config.resume = from ? from->path : NULL;
  config.poll = goes_on;
  config.to = c;
  if (session_open(&config, &out->s) != STATUS_OK) {
    err_text(r->c, "glia: out of memory\n");
    return false;
  }
  c->s = out->s;
  Entry *entry;
  *status = session_load_file(out->s, r->c->operand[0], LOAD_KEEP, &entry);
  out->steps = c->seen;
  out->stopped = c->stopped;
  out->s->config.poll = NULL;
  out->s->config.heard = NULL;
  out->s->host.ask = NULL;
  return true;
}

bool replay_run(Repl *r, const ReplayAsk *ask, Replay *out) {
  Counter c;
  Status status;
  if (!r->c->n_operand) {
    err_printf(r->c, "entry %d: there is no run to go back in: `glia repl FILE` runs a script first\n", r->entry);
    return false;
  }
  const KeptRun *from = nearest_run(r, ask);
  if (!attempt(r, ask, from, &c, &status, out)) return false;
  if (from && status == STATUS_SCRIPT && c.seen == from->step) {      /* it is another run's by now */
    replay_close(out);
    if (!attempt(r, ask, NULL, &c, &status, out)) return false;
  }
  if (status == STATUS_OK && ask->each) ask->each(ask->to, out->s, c.seen);
  if (status == STATUS_OK || c.stopped) return true;
  if (cli_interrupted()) {
    err_printf(r->c, "entry %d: interrupted at step %lld of the replay\n", r->entry, (long long)c.seen);
    cli_resume(r->s);
  } else {
    cli_diagnostics(r->c, out->s);
    if (c.seen) err_printf(r->c, "entry %d: the run ends in this, in step %lld\n", r->entry, (long long)c.seen);
  }
  replay_close(out);
  return false;
}

void replay_close(Replay *p) {
  session_close(p->s);
  p->s = NULL;
}

static bool same_path(const char *a, const char *b) { return a && b ? !strcmp(a, b) : a == b; }

bool replay_same_script(const Session *now, const Session *then) {
  for (uint32_t k = 0; k < then->program->slot.n; k++) {
    const Slot *a = &then->program->slot.at[k];
    if (a->kind != SLOT_CELL) continue;
    if (k >= now->program->slot.n) return false;
    const Slot *b = &now->program->slot.at[k];
    if (b->kind != SLOT_CELL || !type_eq(&a->type, &b->type) || !same_path(a->path, b->path)) return false;
  }
  return true;
}
