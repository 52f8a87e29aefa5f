/* run_log: see run_log.h. A step and the batch that `progress` tells of behind it are one line. */
#include "tool/run_log.h"
#include "steps/table.h"
#include "tool/json.h"
#include <string.h>

static const double FLUSH_EVERY = 0.2;

static void empty(Text *t) {
  t->n = 0;
  text_add(t, "");
}

static void begin_line(RunLog *l, const char *event) {
  empty(&l->line);
  text_add(&l->line, "{");
  json_key(&l->line, "event");
  json_text(&l->line, event);
}

static void add_int(Text *t, const char *key, int64_t v) {
  json_key(t, key);
  text_printf(t, "%lld", (long long)v);
}

/* Milliseconds say enough. */
static void add_seconds(Text *t, double seconds) {
  json_key(t, "seconds");
  text_printf(t, "%.3f", seconds);
}

static void end_line(RunLog *l) {
  text_add(&l->line, "}\n");
  fwrite(l->line.at, 1, l->line.n, l->file);
}

static void add_facts(Text *t, const Facts *facts) {
  for (uint32_t k = 0; k < facts->n; k++) {
    json_key(t, facts->at[k].name);
    text_add(t, facts->at[k].json);
  }
}

/* `"loss": 0.3, "accuracy": 0.9` */
static bool add_values(Text *t, const Event *e) {
  bool loss = false;
  for (uint32_t k = 0; k < e->n; k++) {
    if (k) text_add(t, ", ");
    json_text(t, e->label[k]);
    text_add(t, ": ");
    json_tensor(t, e->value[k]);
    loss |= !strcmp(e->label[k], "loss");
  }
  return loss;
}

static void write_step(RunLog *l) {
  if (!l->open) return;
  l->open = false;
  begin_line(l, "step");
  add_int(&l->line, "step", l->steps);
  if (l->epoch) add_int(&l->line, "epoch", l->epoch);
  if (l->batch) add_int(&l->line, "batch", l->batch);
  add_seconds(&l->line, l->seconds);
  text_printf(&l->line, ", \"values\": {%s", l->values.at);
  if (l->n_losses) {
    if (l->values.n) text_add(&l->line, ", ");
    text_printf(&l->line, l->n_losses > 1 ? "\"loss\": [%s]" : "\"loss\": %s", l->losses.at);
  }
  text_add(&l->line, "}");
  end_line(l);
}

/* Several segments of one turn may have losses of their own. */
static void take_step(RunLog *l, Session *s, const Event *e, double seconds) {
  if (step_begins(&l->last, s)) {
    write_step(l);
    l->open = true;
    l->steps++;
    l->epoch = l->batch = 0;
    l->n_losses = 0;
    l->seconds = seconds;
    empty(&l->losses);
    empty(&l->values);
  }
  for (uint32_t k = 0; l->open && k < e->n; k++) {
    if (l->n_losses++) text_add(&l->losses, ", ");
    json_tensor(&l->losses, e->value[k]);
  }
}

static void take_batch(RunLog *l, const Event *e) {
  l->epoch = e->epoch;
  l->batch = e->batch;
  if (add_values(&l->values, e)) l->n_losses = 0;
}

static void write_event(RunLog *l, const Session *s, const Event *e, double seconds) {
  static const char *const names[] = {[EVENT_ROW] = "row", [EVENT_BATCH] = "batch", [EVENT_EPOCH] = "epoch",
                                      [EVENT_PRINT] = "print", [EVENT_CHECKPOINT] = "checkpoint"};
  Text *t = &l->line;
  begin_line(l, names[e->kind]);
  if (e->kind == EVENT_ROW) {
    json_key(t, "series");
    json_text(t, series_name(s, e->table));
    add_int(t, "row", table_rows(e->table));
  }
  if (e->epoch) add_int(t, "epoch", e->epoch);
  if (e->batch) add_int(t, "batch", e->batch);
  if (l->steps) add_int(t, "step", l->steps);
  add_seconds(t, seconds);
  if (e->text) {
    json_key(t, e->kind == EVENT_PRINT ? "text" : "path");
    json_string(t, e->text, e->length);
  } else {
    text_add(t, ", \"values\": {");
    add_values(t, e);
    text_add(t, "}");
  }
  end_line(l);
}

void run_log_begin(RunLog *l, Arena *a, const Facts *facts) {
  l->line = l->losses = l->values = (Text){.arena = a};
  begin_line(l, "start");
  add_facts(&l->line, facts);
  end_line(l);
  fflush(l->file);
}

void run_log_event(RunLog *l, Session *s, const Event *e, double seconds) {
  if (e->kind == EVENT_BEGIN) return;
  if (e->kind == EVENT_STEP) take_step(l, s, e, seconds);
  else if (e->kind == EVENT_BATCH && l->open && !l->batch) take_batch(l, e);
  else {
    write_step(l);
    write_event(l, s, e, seconds);
  }
  if (seconds - l->flushed < FLUSH_EVERY) return;
  l->flushed = seconds;
  fflush(l->file);
}

void run_log_end(RunLog *l, const Facts *facts) {
  write_step(l);
  begin_line(l, "end");
  add_facts(&l->line, facts);
  if (l->steps) add_int(&l->line, "steps", l->steps);
  end_line(l);
}
