/* progress: what a training says while it runs. In: the steps of `progress` and their numbers. Out: lines for the host:
 * live ones, each in place of the one before, and lines that stay, one for an epoch.
 *
 * At most ten live lines a second, none wider than the host's terminal: what matters least is left out first. Of many
 * fast epochs about twenty lines stay, and of a training that a loop repeats the last one: a log is for people. A slow
 * epoch always has its line.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "steps/effects.h"
#include "steps/event.h"
#include "runtime/files/utf8.h"
#include "steps/state.h"

struct ProgressClock {
  /* seconds: of the training, of this epoch, of the last line, of the last that stays */
  double begun, epoch, said, kept;
  double from;                         /* epochs done when the clock began: not 0 in a run that goes on */
  int64_t lines;                       /* that stayed */
};
typedef struct Progress {
  ProgressSpec spec;
  const char **label;
  double *sum;                         /* of the values over the batches of this epoch so far, which are `batches` */
  int64_t batches;
} Progress;

enum { BAR = 20, STAYING = 20, FREE_LINES = 60, LEVELS = 6 };
static const double SAY_EVERY = 0.1, KEEP_EVERY = 1;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void write_time(Text *t, double seconds) {
  int64_t n = (int64_t)(seconds + 0.5);
  if (n >= 3600)
    text_printf(t, "%lld:%02lld:%02lld", (long long)(n / 3600), (long long)(n / 60 % 60), (long long)(n % 60));
  else text_printf(t, "%lld:%02lld", (long long)(n / 60), (long long)(n % 60));
}

static void write_seconds(Text *t, double seconds) {
  if (seconds < 0.0995) text_printf(t, "%.1f ms", seconds * 1000);
  else if (seconds < 60) text_printf(t, "%.1f s", seconds);
  else write_time(t, seconds);
}

static void write_rate(Text *t, double samples, double seconds) {
  if (!(seconds > 0) || !(samples > 0)) return;
  double r = samples / seconds;
  if (r >= 1e6) text_printf(t, "  %.1fM samples/s", r / 1e6);
  else if (r >= 1000) text_printf(t, "  %.0fk samples/s", r / 1000);
  else text_printf(t, "  %.0f samples/s", r);
}

static void write_bar(Text *t, double done, int width) {
  int full = (int)(done * width);
  text_add(t, "  [");
  for (int k = 0; k < width; k++) text_add(t, k < full ? "=" : k == full ? ">" : " ");
  text_add(t, "]");
}

static void write_value(Text *t, double v, DType d) {
  double size = fabs(v);
  bool plain = !isfinite(v) || v == 0 || (size >= 1e-3 && size < 1e5);
  format_number(t, v, d, &(Format){.kind = plain ? 'f' : 'e', .digits = plain ? 4 : 3});
}

/* What is shown, in numbers. */
typedef struct Moment {
  const Progress *p;
  Tensor *const *value;                /* of the labels */
  int64_t epoch, batch;                /* both from 1 */
  double done, spent, all;             /* of the epoch: its share, its seconds; the seconds of the training */
  double left;                         /* seconds to the end; NAN: not known */
  bool stopped, last;
} Moment;

/* level: how much is left out, from 0 to LEVELS - 1. */
static void write_line(Text *t, const Moment *m, int level) {
  const ProgressSpec *c = &m->p->spec;
  bool batch = c->when == PROGRESS_BATCH;
  char total[24] = "";
  if (c->epochs > 0) snprintf(total, sizeof total, "%lld", (long long)c->epochs);
  text_printf(t, "epoch %*lld%s%s", (int)strlen(total), (long long)m->epoch, c->epochs > 0 ? "/" : "", total);
  if (batch && c->batches > 0) {
    if (level < 3) write_bar(t, m->done, level < 1 ? BAR : BAR / 2);
    text_printf(t, "%s%lld/%lld", level < 3 ? " " : "  ", (long long)m->batch, (long long)c->batches);
  } else if (batch) text_printf(t, "  batch %lld", (long long)m->batch);
  uint32_t n = level < 4 || c->n == 0 ? c->n : 1;
  for (uint32_t k = 0; k < n; k++) {
    double v = tensor_get(m->value[k], 0);
    DType d = (DType)m->value[k]->type.dtype;
    text_printf(t, "  %s ", m->p->label[k]);
    if (batch) write_value(t, m->p->sum[k] / (double)m->p->batches, F64);
    else if (dtype_is_float(d)) write_value(t, v, d);
    else format_number(t, v, d, NULL);
  }
  if (level < 2) write_rate(t, (double)c->samples * m->done, m->spent);
  if (!batch) {
    text_add(t, "  ");
    write_seconds(t, m->spent);
    if (m->last && m->epoch > 1) {
      text_add(t, ", in all ");
      write_seconds(t, m->all);
    }
    if (m->stopped) text_add(t, "  stopped early");
  } else if (level < 5 && isfinite(m->left) && m->left < 1e7) {
    text_add(t, "  ETA ");
    write_time(t, m->left);
  }
}

static int columns_of(const Text *t) {
  int n = 0;
  for (size_t k = 0; k < t->n; k++) n += ((unsigned char)t->at[k] & 0xc0) != 0x80;
  return n;
}

static void say(Session *s, const Moment *m, bool final) {
  Arena *a = arena_new(&s->host);
  int most = !final && s->config.columns ? s->config.columns(s->config.to) : 0;
  Text t = {.arena = a};
  for (int level = 0; level < LEVELS; level++) {
    t = (Text){.arena = a};
    write_line(&t, m, level);
    if (most <= 0 || columns_of(&t) < most) break;
  }
  if (most > 0 && columns_of(&t) >= most) {          /* still too wide: as far as it goes */
    size_t at = 0;
    uint32_t point;
    for (int k = 0; k + 1 < most && at < t.n; k++) at += utf8_next(t.at + at, &point);
    t.at[at] = 0;
  }
  s->config.progress(s->config.to, t.at, final);
  arena_free(a);
}

/* 1, 2 or 5 times a power of ten: so many epochs that about STAYING lines stay. */
static int64_t stride_of(int64_t epochs) {
  int64_t by = 1;
  for (int k = 0; epochs / by > STAYING && by < INT64_MAX / 16; k++) by = k % 3 == 1 ? by / 2 * 5 : by * 2;
  return by;
}

/* Whether the line of an epoch stays. */
static bool stays(const ProgressSpec *c, const Moment *m, double time) {
  if (m->last || c->epochs <= 0 || time - c->clock->kept >= KEEP_EVERY) return true;
  return (m->epoch == 1 || m->epoch % stride_of(c->epochs) == 0) && c->clock->lines < FREE_LINES;
}

/* Sums the values of this batch to those of the epoch so far: what is shown is their mean, one batch says little. */
static void take_batch(Progress *p, int64_t batch, Tensor *const *value) {
  if (batch == 1) {
    p->batches = 0;
    memset(p->sum, 0, p->spec.n * sizeof *p->sum);
  }
  p->batches++;
  for (uint32_t k = 0; k < p->spec.n; k++) p->sum[k] += tensor_get(value[k], 0);
}

/* The same for a log: the batch's own values, not their mean so far. */
static void tell(Session *s, const Progress *p, Tensor *const *value, Loc loc) {
  const ProgressSpec *c = &p->spec;
  static const EventKind kinds[] = {
      [PROGRESS_BEGIN] = EVENT_BEGIN, [PROGRESS_BATCH] = EVENT_BATCH, [PROGRESS_EPOCH] = EVENT_EPOCH};
  Event e = {.kind = kinds[c->when], .loc = loc, .n = c->n, .label = p->label};
  uint32_t at = 0;
  if (c->epoch != NO_NODE) e.epoch = (int64_t)tensor_get(value[at++], 0);
  if (c->batch != NO_NODE) e.batch = (int64_t)tensor_get(value[at++], 0) + 1;
  if (c->last != NO_NODE) at++;
  e.value = value + at;
  s->config.heard(s->config.to, s, &e);
}

static bool progress_run(Session *s, Step *step, Tensor *const *value) {
  Progress *p = step->data;
  const ProgressSpec *c = &p->spec;
  ProgressClock *clock = c->clock;
  if (s->config.heard) tell(s, p, value, step->loc);
  if (!s->config.progress) return true;
  double time = now();
  if (c->when == PROGRESS_BEGIN) {
    *clock = (ProgressClock){.begun = time, .epoch = time, .said = time, .kept = time, .lines = clock->lines};
    return true;
  }
  uint32_t at = 0;
  Moment m = {.p = p, .epoch = 1, .done = 1, .left = NAN};
  if (c->epoch != NO_NODE) m.epoch = (int64_t)tensor_get(value[at++], 0);
  if (c->batch != NO_NODE) m.batch = (int64_t)tensor_get(value[at++], 0) + 1;
  if (c->last != NO_NODE) m.stopped = tensor_get(value[at++], 0) != 0 && m.epoch != c->epochs;
  m.value = value + at;
  m.last = m.stopped || m.epoch == c->epochs;
  bool batch = c->when == PROGRESS_BATCH;
  if (batch) {
    take_batch(p, m.batch, m.value);
    m.done = c->batches > 0 ? (double)m.batch / (double)c->batches : 0;
  }
  double passed = (double)(m.epoch - 1) + m.done;
  if (clock->begun == 0)               /* the run went on from a checkpoint */
    *clock = (ProgressClock){.begun = time, .epoch = time, .said = time, .kept = time, .from = passed};
  m.spent = time - clock->epoch;
  m.all = time - clock->begun;
  if (c->epochs > 0 && passed > clock->from) m.left = m.all / (passed - clock->from) * ((double)c->epochs - passed);
  bool final = !batch && stays(c, &m, time);
  if (!batch) clock->epoch = time;
  if (!final && time - clock->said < SAY_EVERY) return true;
  say(s, &m, final);
  clock->said = time;
  if (final) clock->kept = time, clock->lines++;
  return true;
}
static const Effect progress_effect = {.name = "progress", .run = progress_run};

ProgressClock *progress_clock(Session *s) { return NEW(s->arena, ProgressClock); }

Step *effect_progress(Session *s, const ProgressSpec *spec, Loc loc) {
  Progress *p = NEW(s->arena, Progress);
  *p = (Progress){.spec = *spec, .label = NEW_N(s->arena, const char *, spec->n + 1),
                  .sum = NEW_N(s->arena, double, spec->n + 1)};
  Step *step = NEW(s->arena, Step);
  *step = (Step){.kind = STEP_EFFECT, .loc = loc, .turn = NO_SLOT, .effect = &progress_effect, .data = p};
  const NodeId first[] = {spec->epoch, spec->batch, spec->last};
  for (size_t k = 0; k < sizeof first / sizeof *first; k++)
    if (first[k] != NO_NODE) vec_push(s->arena, &step->need, (Need){first[k], NO_SLOT});
  for (uint32_t k = 0; k < spec->n; k++) {
    p->label[k] = arena_text(s->arena, spec->label[k], strlen(spec->label[k]));
    vec_push(s->arena, &step->need, (Need){spec->value[k], NO_SLOT});
  }
  return step;
}
