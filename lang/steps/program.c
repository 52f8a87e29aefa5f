/* program: slots and segments. In: what elaboration makes and assigns. Out: tensors in slots. Invariant: a slot holds a
 * reference of its own, and its tensor has its type; all of them, and the plans, go with the session's arena.
 */
#include "steps/program.h"
#include <assert.h>
#include <stddef.h>
#include "steps/state.h"

/* ---- birth and death ---- */

static void drop_plan(Segment *s) {
  if (!s->plan) return;
  const Binding *b;
  for (uint32_t j = plan_bindings(s->plan, &b); j-- > 0;) tensor_unref(s->spare[j]);
  plan_free(s->plan);
}

void program_finish(Program *p, const ProgramMark *m, const ProgramMark *end) {
  for (uint32_t k = m->segment; k < end->segment; k++) {
    Segment *s = p->segment.at[k];
    drop_plan(s);
    s->source = s->graph = NULL;
    s->plan = NULL;
    s->spare = NULL;
    s->data = NULL;
    s->share.at = NULL;
    s->share.n = s->share.cap = 0;
  }
  for (uint32_t k = m->arena; k < end->arena; k++) {
    arena_free(p->arena.at[k]);
    p->arena.at[k] = NULL;
  }
  while (p->arena.n && !p->arena.at[p->arena.n - 1]) p->arena.n--;
}

/* Drops what came behind so many slots, segments and arenas. */
static void cut(Program *p, uint32_t slots, uint32_t segments, uint32_t arenas) {
  for (uint32_t k = segments; k < p->segment.n; k++) drop_plan(p->segment.at[k]);
  for (uint32_t k = slots; k < p->slot.n; k++) tensor_unref(p->slot.at[k].value);
  for (uint32_t k = arenas; k < p->arena.n; k++) arena_free(p->arena.at[k]);
}

ProgramMark program_mark(const Program *p) {
  return (ProgramMark){p->slot.at, p->slot.n, p->segment.n, p->arena.n, p->table.n};
}

ProgramKept program_cut(Program *p, const ProgramMark *m) {
  cut(p, m->slot, m->segment, m->arena);
  for (uint32_t k = 0; k < m->slot && m->at != p->slot.at; k++) m->at[k].value = p->slot.at[k].value;
  return (ProgramKept){p->slab, p->slab_all};
}

void program_put(Program *p, const ProgramKept *kept) {
  p->slab = kept->slab;
  p->slab_all = kept->slab_all;
}

static void program_drop(Owned *o) {
  Program *p = (Program *)(void *)((char *)o - offsetof(Program, owned));
  Host *h = &p->session->host;
  cut(p, 0, 0, 0);
  host_free(h, p->slab, p->slab_all);
  if (!p->slab) return;
  p->session->slab = NULL;
  p->session->slab_bytes = 0;
}

Program *program_new(Session *s) {
  Program *p = NEW(s->arena, Program);
  p->session = s;
  owned_born(&s->host, &p->owned, program_drop);
  arena_own(s->arena, &p->owned);
  s->run.position = (Position){0};       /* it lay in the arena of another program */
  return p;
}

SlotId slot_new(Program *p, SlotKind kind, const Type *t, const char *path, Loc loc) {
  vec_push(p->session->arena, &p->slot, (Slot){.kind = kind, .type = *t, .path = path, .loc = loc});
  return p->slot.n - 1;
}

void slot_put(Program *p, SlotId slot, Tensor *t) {
  Slot *s = &p->slot.at[slot];
  assert(type_eq(&s->type, &t->type));
  Tensor *old = s->value;
  s->value = tensor_ref(t);
  tensor_unref(old);
}

Segment *segment_new(Program *p) {
  Session *s = p->session;
  Segment *g = NEW(s->arena, Segment);
  g->id = p->segment.n;
  g->first = g->end = s->graph->n;
  vec_push(s->arena, &p->segment, g);
  s->graph->segment = g->id;
  return g;
}

/* ---- what steps read ---- */
typedef struct Walk { const Program *p; Arena *a; uint8_t *read; VEC(const Steps *) todo; } Walk;

static void read_step(Walk *w, const Step *step) {
  for (uint32_t k = 0; k < step->need.n; k++)
    if (step->need.at[k].slot != NO_SLOT) w->read[step->need.at[k].slot] = 1;
  for (uint32_t k = 0; k < step->piece.n; k++) vec_push(w->a, &w->todo, &step->piece.at[k].body);
  vec_push(w->a, &w->todo, &step->head);
  vec_push(w->a, &w->todo, &step->body);
  vec_push(w->a, &w->todo, &step->other);
  if (step->kind != STEP_SEGMENT) return;
  const Segment *g = w->p->segment.at[step->segment];
  const Binding *b;
  uint32_t n = g->plan ? plan_bindings(g->plan, &b) : 0;
  for (uint32_t k = 0; k < n; k++)
    if (b[k].mode & BIND_READ) w->read[b[k].slot] = 1;
  for (uint32_t k = 0; k < g->share.n; k++) w->read[g->share.at[k].from] = 1;
}

void program_reads(const Program *p, const Steps *block, uint32_t from, Arena *a, uint8_t *read) {
  Walk w = {.p = p, .a = a, .read = read};
  for (uint32_t k = from; k < block->n; k++) read_step(&w, block->at[k]);
  for (uint32_t k = 0; k < w.todo.n; k++)
    for (uint32_t j = 0; j < w.todo.at[k]->n; j++) read_step(&w, w.todo.at[k]->at[j]);
}

/* ---- what a slot holds ---- */
/* An error is at the expression that names the file. */
static Tensor *data_read(Session *s, Slot *slot, Loc loc) {
  FileError e = {0};
  Tensor *t = slot->file->read(slot->file, &s->host, &e);
  if (!t) {
    diag_at(s->diags, slot->loc ? slot->loc : loc, E_DATA_READ, e.text);
    return NULL;
  }
  if (!type_eq(&t->type, &slot->type)) {
    Arena *a = arena_new(&s->host);
    diag_at(s->diags, slot->loc ? slot->loc : loc, E_DATA_CHANGED, slot->file->path, type_show(a, &t->type),
            type_show(a, &slot->type));
    arena_free(a);
    tensor_unref(t);
    return NULL;
  }
  if (!slot->file->digested) slot->file->digest = e.digest;
  slot->file->digested = true;
  return slot->value = tensor_keep(t);
}

Tensor *slot_tensor(Session *s, SlotId id, Loc loc) {
  Slot *slot = &s->program->slot.at[id];
  if (slot->value) return slot->value;
  if (slot->kind == SLOT_DATA) return data_read(s, slot, loc);
  diag_at(s->diags, loc ? loc : slot->loc, E_NO_VALUE, slot->path ? slot->path : "this value");
  return NULL;
}
