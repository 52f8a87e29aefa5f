/* profile: see profile.h. */
#define _POSIX_C_SOURCE 200809L
#include "tool/profile.h"
#include "tool/json.h"
#include "tool/plan_text.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { MOST_PARTS = 500000, SHORT = 40 };

/* What the steps of a plan are called: made when one is first met. */
typedef struct Named { const Plan *plan; uint32_t n; const char **step; } Named;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void add_place(Text *t, const char *key, const Place *p) {
  uint32_t line, column;
  source_position(p->source, p->span.first, &line, &column);
  const char *where = arena_printf(t->arena, "%s:%u:%u", p->source->name, line, column);
  json_key(t, key);
  json_text(t, where);
}

/* The text of a place, of its first line; NULL: it has none. */
static const char *text_of(Arena *a, const Place *p) {
  if (!p || !p->source) return NULL;
  const char *at = p->source->text + p->span.first;
  size_t n = p->span.end - p->span.first, line = strcspn(at, "\n");
  if (line < n) n = line;
  bool cut = n > SHORT;
  for (n = cut ? SHORT : n; cut && n > 0 && ((unsigned char)at[n] & 0xc0) == 0x80;) n--;
  return n ? arena_printf(a, "%.*s%s", (int)n, at, cut ? " .." : "") : NULL;
}

/* The plan of a loop's body has numbers of its own for its nodes. */
static bool of_segment(const Session *s, const Plan *plan) {
  for (uint32_t k = 0; k < s->program->segment.n; k++)
    if (s->program->segment.at[k]->plan == plan) return true;
  return false;
}

/* The part of an event that is the same in each run of the step. */
static const char *step_text(Profile *p, const Plan *plan, uint32_t step) {
  Session *s = p->s;
  PlanStepInfo info = plan_step_info(plan, step, p->a);
  Loc own = own_loc(s->diags, info.loc), inner = info.loc & ~LOC_ADJOINT;
  const Place *at = info.loc ? loc_place(s->sources, own) : NULL;
  const Place *within = info.loc ? loc_place(s->sources, inner) : NULL;
  const char *source = text_of(p->a, at);
  Text t = {.arena = p->a};
  const char *what = info.turns >= 0 ? "loop" : info.what;
  text_add(&t, "\"name\": ");
  const char *of = info.loc & LOC_ADJOINT ? "gradient of " : "";
  json_text(&t, source ? arena_printf(p->a, "%s: %s%s", what, of, source) : what);
  text_add(&t, ", \"cat\": \"step\", \"args\": {");
  json_key(&t, "operations");
  json_text(&t, what);
  if (at && at->source) add_place(&t, "place", at);
  if (within && within->source && within != at) add_place(&t, "within", within);
  const char *lines = of_segment(s, plan) ? plan_step_lines(s, plan, step, p->a) : "";
  if (*lines) {
    json_key(&t, "lines");
    json_text(&t, lines);
  }
  json_key(&t, "flop");
  json_number(&t, info.cost.flops, F64);
  json_key(&t, "bytes");
  json_number(&t, info.cost.bytes, F64);
  text_add(&t, "}");
  return t.at;
}

static const char *name_of(Profile *p, const Plan *plan, uint32_t step) {
  Named *n = NULL;
  for (uint32_t k = p->named.n; k-- > 0 && !n;)
    if (p->named.at[k]->plan == plan) n = p->named.at[k];
  if (!n) {
    n = NEW(p->a, Named);
    *n = (Named){plan, plan_steps(plan), NEW_N(p->a, const char *, plan_steps(plan) + 1u)};
    vec_push(p->a, &p->named, n);
  }
  if (!n->step[step]) n->step[step] = step_text(p, plan, step);
  return n->step[step];
}

/* Microseconds, with three digits behind the point. */
static void event(Profile *p, const char *text, int worker, int64_t begin, int64_t end) {
  int64_t at = begin - p->begun, took = end - begin;
  fprintf(p->file, ",\n{\"ph\": \"X\", \"pid\": 1, \"tid\": %d, \"ts\": %" PRId64 ".%03d, \"dur\": %" PRId64
                   ".%03d, %s}", worker, at / 1000, (int)(at % 1000), took / 1000, (int)(took % 1000), text);
}

static void row_name(Profile *p, uint32_t row) {
  fprintf(p->file, ",\n{\"ph\": \"M\", \"pid\": 1, \"tid\": %u, \"name\": \"thread_name\", "
                   "\"args\": {\"name\": \"", row);
  if (row) fprintf(p->file, "worker %u\"}}", row);
  else fputs("main\"}}", p->file);
}

void profile_begin(Profile *p, Session *s) {
  p->s = s;
  p->begun = now_ns();
  fputs("[{\"ph\": \"M\", \"pid\": 1, \"name\": \"process_name\", \"args\": {\"name\": \"glia\"}}", p->file);
}

void profile_done(void *to, const Plan *plan, uint32_t step, const Taken *part, uint32_t n) {
  Profile *p = to;
  static const char before[] = "\"name\": \"read, check, derive, plan\", \"cat\": \"before\"";
  if (p->n == 0 && n) event(p, before, 0, p->begun, part->begin);
  for (uint32_t k = 0; k < n; k++) {
    if (p->n++ >= MOST_PARTS) continue;
    while (p->rows <= (uint32_t)part[k].worker) row_name(p, p->rows++);
    event(p, name_of(p, plan, step), part[k].worker, part[k].begin, part[k].end);
  }
}

uint64_t profile_left_out(const Profile *p) { return p->n > MOST_PARTS ? p->n - MOST_PARTS : 0; }

void profile_end(Profile *p) { fputs("]\n", p->file); }
