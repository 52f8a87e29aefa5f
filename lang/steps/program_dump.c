/* program_dump: a block of steps as text, with each segment's graph or plan. In: a prepared block. Out: the text of
 * --dump=graph, grad (the same with places: an adjoint has its forward node's), opt and plan, stable from run to run,
 * which golden tests compare: slots and segments are numbers, given in
 * the order of elaboration.
 */
#include <string.h>
#include "steps/program_dump.h"
#include "steps/state.h"

typedef struct Dump { Program *p; Arena *a; Text t; const char *stage; } Dump;
/* part: of a step that holds blocks, how many are written */
typedef struct Level { const Steps *block; uint32_t at, part; } Level;
typedef VEC(Level) Levels;

static void indent(Dump *d, uint32_t by) { text_printf(&d->t, "%*s", (int)(2 * by), ""); }

static void lines(Dump *d, uint32_t by, const char *text) {
  while (*text) {
    const char *end = strchr(text, '\n');
    size_t n = end ? (size_t)(end - text) : strlen(text);
    indent(d, by);
    text_add_n(&d->t, text, n);
    text_add(&d->t, "\n");
    text += n + (end != NULL);
  }
}

static void slot(Dump *d, SlotId id) {
  static const char *const kind[] = {"cell", "value", "turn", "data", "arg"};
  const Slot *s = id == NO_SLOT ? NULL : &d->p->slot.at[id];
  if (!s) text_add(&d->t, "nothing");
  else if (s->path) text_printf(&d->t, "%s %u `%s`", kind[s->kind], id, s->path);
  else text_printf(&d->t, "%s %u", kind[s->kind], id);
}

static void needs(Dump *d, const Step *step) {
  for (uint32_t k = 0; k < step->need.n; k++) {
    text_add(&d->t, k ? ", " : " ");
    slot(d, step->need.at[k].slot);
  }
}

/* Line and column in the user's own text. */
static const char *place(void *to, Loc loc) {
  Dump *d = to;
  const Sources *sources = d->p->session->sources;
  const Place *p = loc_place(sources, loc);
  while (p && p->source && p->source->library && p->caller) p = loc_place(sources, p->caller);
  if (!p || !p->source || p->source->library) return "the library";
  uint32_t line, column;
  source_position(p->source, p->span.first, &line, &column);
  return arena_printf(d->a, "%u:%u", line, column);
}

static void segment(Dump *d, const Segment *s, uint32_t by) {
  text_printf(&d->t, "segment %u\n", s->id);
  for (uint32_t k = 0; k < s->share.n; k++) {
    indent(d, by + 1);
    slot(d, s->share.at[k].to);
    text_add(&d->t, s->share.at[k].after ? " takes, afterwards, " : " takes ");
    slot(d, s->share.at[k].from);
    text_add(&d->t, "\n");
  }
  if (!s->plan) return;
  if (strcmp(d->stage, "grad") == 0) lines(d, by + 1, graph_dump(s->source, d->a, place, d));
  else if (strcmp(d->stage, "plan") == 0) lines(d, by + 1, plan_dump(s->plan, d->a));
  else lines(d, by + 1, graph_dump(strcmp(d->stage, "opt") == 0 ? s->graph : s->source, d->a, NULL, NULL));
}

/* The block that a step's part holds, with its heading; NULL: no further part. */
static const Steps *part(Dump *d, const Step *s, uint32_t k, uint32_t by) {
  switch (s->kind) {
  case STEP_LOOP:
    if (k >= s->piece.n) return NULL;
    indent(d, by);
    if (s->piece.at[k].count < 0) text_printf(&d->t, "piece %u:\n", k);
    else text_printf(&d->t, "piece %u, %lld turns:\n", k, (long long)s->piece.at[k].count);
    return &s->piece.at[k].body;
  case STEP_WHILE:
    if (k > 1) return NULL;
    indent(d, by);
    text_add(&d->t, k ? "body:\n" : "head:\n");
    return k ? &s->body : &s->head;
  case STEP_IF:
    if (k > 1 || (k == 1 && s->other.n == 0)) return NULL;
    indent(d, by);
    text_add(&d->t, k ? "else:\n" : "then:\n");
    return k ? &s->other : &s->body;
  default: return NULL;
  }
}

static void step(Dump *d, const Step *s, uint32_t by) {
  static const char *const name[] = {"segment", "loop", "while", "if", "break", "continue", "effect"};
  indent(d, by);
  if (s->kind == STEP_SEGMENT) {
    segment(d, d->p->segment.at[s->segment], by);
    return;
  }
  text_add(&d->t, s->kind == STEP_EFFECT ? s->effect->name : name[s->kind]);
  needs(d, s);
  if (s->turn != NO_SLOT && (s->kind == STEP_LOOP || s->kind == STEP_WHILE)) {
    text_add(&d->t, ", ");
    slot(d, s->turn);
  }
  text_add(&d->t, "\n");
}

char *program_dump(Program *p, const Steps *block, const char *stage, Arena *a) {
  static const char *const stages[] = {"graph", "grad", "opt", "plan"};
  size_t known = 0;
  while (known < 4 && strcmp(stage, stages[known]) != 0) known++;
  if (known == 4) return NULL;
  Dump d = {.p = p, .a = a, .t = {.arena = a}, .stage = stage};
  Levels levels = {0};
  text_add(&d.t, "");
  vec_push(a, &levels, (Level){block, 0, 0});
  while (levels.n) {
    Level *l = &levels.at[levels.n - 1];
    uint32_t by = 2 * (levels.n - 1);
    if (l->at == l->block->n) {
      levels.n--;
      continue;
    }
    const Step *s = l->block->at[l->at];
    if (l->part == 0) step(&d, s, by);
    const Steps *inner = part(&d, s, l->part++, by + 1);
    if (inner) {
      vec_push(a, &levels, (Level){inner, 0, 0});
    } else {
      l->at++;
      l->part = 0;
    }
  }
  return d.t.at;
}
