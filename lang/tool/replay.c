/* replay: see replay.h. The run is stopped where the machine asks its host whether it may go on. */
#include "tool/replay.h"
#include <stdlib.h>
#include <string.h>
#include "steps/machine.h"

typedef struct Counter {
  Repl *r;
  Session *s;
  int64_t until, seen;
  const Steps *block;        /* where the last step began: the block, the place in it, the turns around it */
  uint32_t at;
  uint64_t turns;
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

static bool moves_parameters(const Session *s, const Segment *g) {
  for (uint32_t k = 0; k < g->write.n; k++)
    if (s->program->slot.at[g->write.at[k].cell].trained) return true;
  return false;
}

/* Several segments of one turn may move parameters: the first of them begins the step. */
static bool begins_step(Counter *c) {
  const Position *p = machine_position(c->s);
  if (p->frame.n < 2) return false;
  const Frame *f = &p->frame.at[p->frame.n - 1];
  if (f->at >= f->block->n || f->block->at[f->at]->kind != STEP_SEGMENT) return false;
  if (!moves_parameters(c->s, c->s->program->segment.at[f->block->at[f->at]->segment])) return false;
  uint64_t turns = 0;
  for (uint32_t k = 0; k + 1 < p->frame.n; k++) turns = turns * 1000003u + (uint64_t)p->frame.at[k].turn + 1;
  bool same = c->block == f->block && f->at > c->at && turns == c->turns;
  c->block = f->block;
  c->at = f->at;
  c->turns = turns;
  return !same;
}

static bool goes_on(void *to) {
  Counter *c = to;
  if (cli_interrupted()) return false;
  if (!c->s || !c->s->run.position.frame.n || !begins_step(c)) return true;
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
