/* replay: see replay.h. The run is stopped where the machine asks its host whether it may go on. */
#include "tool/replay.h"
#include <stdlib.h>
#include <string.h>
#include "steps/turns.h"

typedef struct Counter {
  Repl *r;
  Session *s;
  int64_t until, seen;
  StepTurns last;
  bool stopped;
  void (*each)(void *to, Session *s, int64_t step);
  void *to;
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
  if (c->each) c->each(c->to, c->s, c->seen);
  c->stopped = c->seen == c->until;
  c->seen += !c->stopped;
  return !c->stopped;
}

bool replay_run(Repl *r, int64_t until, const char *define, void (*each)(void *to, Session *s, int64_t step), void *to,
                Replay *out) {
  Counter c = {.r = r, .until = until, .each = each, .to = to};
  SessionConfig config = r->c->config;
  const char **defines = NEW_N(r->a, const char *, (size_t)config.n_defines + 1u);
  *out = (Replay){0};
  for (int k = 0; k < config.n_defines; k++) defines[k] = config.defines[k];
  if (define) defines[config.n_defines++] = define;
  config.defines = defines;
  config.print = silent;
  config.flush = NULL;
  config.progress = NULL;
  config.heard = NULL;
  config.trace = NULL;
  config.warned = NULL;
  config.rehearses = true;
  config.resume = NULL;
  config.poll = goes_on;
  config.to = &c;
  if (!r->c->n_operand) {
    err_printf(r->c, "entry %d: there is no run to go back in: `glia repl FILE` runs a script first\n", r->entry);
    return false;
  }
  if (session_open(&config, &out->s) != STATUS_OK) {
    err_text(r->c, "glia: out of memory\n");
    return false;
  }
  c.s = out->s;
  Entry *entry;
  Status status = session_load_file(out->s, r->c->operand[0], LOAD_KEEP, &entry);
  out->steps = c.seen;
  out->stopped = c.stopped;
  out->s->config.poll = NULL;
  if (status == STATUS_OK && each) each(to, out->s, c.seen);
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
