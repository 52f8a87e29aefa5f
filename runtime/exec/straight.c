/* straight: see straight.h. The area: instructions, a pointer for each place, then for each base what it was bound to:
 * slot by slot, the buffers, the area itself.
 */
#include "exec/straight.h"
#include "exec/parts.h"
#include "ops/pairs.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

/* ---- instructions of the runner's own ---- */

static void instr_tile(const Instr *i) {
  const TileOp *o = i->more;
  o->fn(i->out, i->in, i->n, o->attr);
}

/* A step as it is: in[0] has its places. */
static void instr_step(const Instr *i) {
  Fault fault = {.code = FAULT_NONE};
  part_work(i->more, (void *const *)(uintptr_t)i->in[0], 0, &fault);
  assert(fault.code == FAULT_NONE);
}

/* One row after another, all the same. */
static void instr_rows(const Instr *i) {
  const TileLoad *l = i->more;
  size_t bytes = (size_t)l->period * l->size;
  char *to = i->out, *end = to + i->n * l->size;
  for (; to < end; to += bytes) memcpy(to, i->in[0], bytes);
}

static void instr_spread(const Instr *i) { part_spread(i->out, i->in[0], i->more, 0, i->n); }
static void instr_copy(const Instr *i) { memcpy(i->out, i->in[0], (size_t)i->n); }

#define OF_SIZE(bytes, T)                                                  \
  static void instr_copy_##bytes(const Instr *i) {                         \
    memcpy(i->out, i->in[0], bytes);                                       \
  }                                                                        \
  static void instr_fill_##bytes(const Instr *i) {                         \
    T v, *to = i->out;                                                     \
    memcpy(&v, i->in[0], sizeof v);                                        \
    for (int64_t k = 0; k < i->n; k++) to[k] = v;                          \
  }
OF_SIZE(4, uint32_t)
OF_SIZE(8, uint64_t)
#undef OF_SIZE

/* ---- the image ---- */

/* Bytes that the plan has itself, or a place. */
typedef struct Where { const void *own; Place place; } Where;
typedef struct Fix { uint32_t base; Fixup fixup; } Fix;

typedef struct Maker {
  Planner *w;
  Plan *p;
  uint32_t n_base;           /* the last two: buffers, area */
  VEC(Instr) instr;
  VEC(Fix) fix;
  VEC(Stretch) stretch;
  bool *placed;              /* of a place: somebody looks it up */
} Maker;

enum { WORD = sizeof(void *), INSTR_WORDS = sizeof(Instr) / WORD };

static uint32_t base_of(const Maker *m, Place q) { return q.base == BASE_SLAB ? m->n_base - 2 : q.base - BASE_BIND; }

static Where where(const Maker *m, Place q) {
  if (q.base == BASE_CONST) return (Where){.own = (const char *)m->p->constants + q.offset};
  return (Where){.place = q};
}

static Where operand(const Maker *m, const PlanStep *s, uint32_t k) {
  return where(m, m->w->places.at[s->operand + k]);
}

static void *pointer(Maker *m, size_t word, Where at) {
  if (at.own) return (void *)(uintptr_t)at.own;
  vec_push(m->w->tmp, &m->fix, (Fix){base_of(m, at.place), {(uint32_t)word, at.place.offset}});
  return NULL;
}

static void emit(Maker *m, Instr i, Where out, const Where *in, uint32_t n_in) {
  size_t word = (size_t)m->instr.n * INSTR_WORDS;
  i.out = pointer(m, word + offsetof(Instr, out) / WORD, out);
  for (uint32_t k = 0; k < n_in; k++) i.in[k] = pointer(m, word + offsetof(Instr, in) / WORD + k, in[k]);
  vec_push(m->w->tmp, &m->instr, i);
}

static void emit_copy(Maker *m, Where out, Where in, int64_t bytes) {
  InstrKernel run = bytes == 4 ? instr_copy_4 : bytes == 8 ? instr_copy_8 : instr_copy;
  emit(m, (Instr){.run = run, .n = bytes}, out, &in, 1);
}

/* ---- a step ---- */

/* What a load of n elements leaves to its readers; a constant is spread now. */
static Where load_of(Maker *m, const PlanStep *s, const TileLoad *l, Where temp) {
  Where in = operand(m, s, l->operand);
  if (l->mode == LOAD_BLOCK) return (Where){.own = l->block};
  if (l->mode == LOAD_FLAT || s->units == 1) return in;
  if (in.own) {
    void *spread = arena_alloc(m->p->arena, (size_t)s->units * l->size);
    part_spread(spread, in.own, l, 0, s->units);
    return (Where){.own = spread};
  }
  bool fill = l->rank == 1 && l->stride[0] == 0, rows = l->rank == 2 && l->stride[0] == 0;
  InstrKernel run = fill && l->size == 4 ? instr_fill_4 : fill && l->size == 8 ? instr_fill_8
                  : rows ? instr_rows : instr_spread;
  emit(m, (Instr){.run = run, .n = s->units, .more = l}, temp, &in, 1);
  return temp;
}

/* Whether one op alone reads the register, and no store does. */
static bool read_once(const Tiles *t, uint16_t reg) {
  uint32_t n = 0;
  for (const TileOp *o = t->op; o < t->op + t->n_op; o++)
    for (uint32_t k = 0; k < o->n_in; k++) n += o->in[k] == reg;
  for (uint32_t k = 0; k < t->n_store; k++) n += t->store[k].reg == reg;
  return n == 1;
}

/* One instruction for o, on one element, and the op behind it; NULL: they are two. */
static InstrKernel pair_of(const Maker *m, const Tiles *t, const TileOp *o, bool *right) {
  const TileOp *next = o + 1;
  if (next == t->op + t->n_op || !o->one || !next->one || !read_once(t, o->out)) return NULL;
  *right = next->n_in == 2 && next->in[1] == o->out;
  if (!*right && next->in[0] != o->out) return NULL;
  const Kernels *k = m->p->kernels;
  bool f32 = o->one == kernels_one(k, o->op, F32) && next->one == kernels_one(k, next->op, F32);
  bool f64 = o->one == kernels_one(k, o->op, F64) && next->one == kernels_one(k, next->op, F64);
  return f32 || f64 ? pair_kernel(o->op, next->op, *right, f32 ? F32 : F64) : NULL;
}

static void emit_op(Maker *m, const PlanStep *s, const TileOp *o, const Where *reg) {
  Where in[TILE_IN];
  for (uint32_t k = 0; k < o->n_in; k++) in[k] = reg[o->in[k]];
  if (!o->fn) emit_copy(m, reg[o->out], in[0], s->units * o->size);
  else if (s->units == 1 && o->one) emit(m, (Instr){.run = o->one, .more = o->attr}, reg[o->out], in, o->n_in);
  else emit(m, (Instr){.run = instr_tile, .n = s->units, .more = o}, reg[o->out], in, o->n_in);
}

static void emit_ops(Maker *m, const PlanStep *s, const Where *reg) {
  const Tiles *t = s->tiles;
  for (const TileOp *o = t->op; o < t->op + t->n_op; o++) {
    bool right;
    InstrKernel pair = s->units == 1 ? pair_of(m, t, o, &right) : NULL;
    if (!pair) {
      emit_op(m, s, o, reg);
      continue;
    }
    Where in[POINT_IN];
    uint32_t n = 0;
    for (uint32_t k = 0; k < o->n_in; k++) in[n++] = reg[o->in[k]];
    o++;
    if (o->n_in == 2) in[n++] = reg[o->in[!right]];
    emit(m, (Instr){.run = pair}, reg[o->out], in, n);
  }
}

static void tiles_lower(Maker *m, const PlanStep *s) {
  const Tiles *t = s->tiles;
  Where reg[TILE_REGS];
  if (s->units == 0) return;
  size_t temps = 0, room = (size_t)s->units * sizeof(double);
  for (uint32_t k = 0; k < t->n_reg; k++) {
    reg[k] = (Where){.own = NULL};
    if (t->at[k] == UINT32_MAX) continue;
    reg[k].place = (Place){m->p->buffers + t->at[k], BASE_SLAB};
    if (t->at[k] + room > temps) temps = t->at[k] + room;
  }
  if (temps > m->p->temps) m->p->temps = temps;
  for (uint32_t k = 0; k < t->n_load; k++) reg[t->load[k].reg] = load_of(m, s, &t->load[k], reg[t->load[k].reg]);
  for (uint32_t k = 0; k < t->n_store; k++) reg[t->store[k].reg] = operand(m, s, s->n_in + t->store[k].operand);
  emit_ops(m, s, reg);
}

static void kernel_lower(Maker *m, const PlanStep *s, uint32_t n_place) {
  KernelCall call = {.in_type = s->in_type, .out_type = s->out_type, .attr = s->attr, .n_in = s->n_in};
  int64_t shape[LINE_SHAPE];
  InstrKernel run = kernels_line(m->p->kernels, s->op, &call, shape);
  Where in[POINT_IN], out = operand(m, s, s->n_in);
  if (run) {
    for (uint32_t k = 0; k < s->n_in; k++) in[k] = operand(m, s, k);
    emit(m, (Instr){.run = run, .more = arena_copy(m->p->arena, shape, sizeof shape)}, out, in, s->n_in);
    return;
  }
  for (uint32_t k = 0; k < n_place; k++) m->placed[s->operand + k] = true;
  uint32_t word = m->instr.n * INSTR_WORDS + (uint32_t)(offsetof(Instr, in) / WORD);
  vec_push(m->w->tmp, &m->instr, (Instr){.run = instr_step, .more = s});
  /* where the places begin is known when all instructions are: image_words adds it */
  vec_push(m->w->tmp, &m->fix, (Fix){m->n_base - 1, {word, s->operand * (size_t)WORD}});
}

static bool straight(const Maker *m, const PlanStep *s) {
  if (!m->w->fuse || m->w->once || s->parts != 1 || s->fails) return false;
  switch (s->kind) {
  case PLAN_TILES: return s->units <= TILE;
  case PLAN_KERNEL: return s->prepare_parts == 0 && s->kernel.run && !s->kernel.exclusive && !s->op->run;
  case PLAN_COPY: return true;
  default: return false;
  }
}

static uint32_t places_of(const Maker *m, uint32_t k) {
  uint32_t end = k + 1 < m->p->n_step ? m->p->step[k + 1].operand : m->p->n_place;
  return end - m->p->step[k].operand;
}

static void lower(Maker *m, uint32_t k) {
  const PlanStep *s = &m->p->step[k];
  bool as_instr = straight(m, s);
  Stretch *last = m->stretch.n ? &m->stretch.at[m->stretch.n - 1] : NULL;
  if (!as_instr || !last || !last->straight)
    vec_push(m->w->tmp, &m->stretch, (Stretch){.step = k, .instr = m->instr.n, .straight = as_instr});
  last = &m->stretch.at[m->stretch.n - 1];
  last->n_step++;
  if (!as_instr)
    for (uint32_t j = 0; j < places_of(m, k); j++) m->placed[s->operand + j] = true;
  else if (s->kind == PLAN_TILES) tiles_lower(m, s);
  else if (s->kind == PLAN_COPY) emit_copy(m, operand(m, s, 1), operand(m, s, 0), s->units);
  else kernel_lower(m, s, places_of(m, k));
  last->n_instr = m->instr.n - last->instr;
}

/* ---- the whole ---- */

static void image_words(Maker *m) {
  Plan *p = m->p;
  uint32_t at = m->instr.n * INSTR_WORDS, words = at + p->n_place + m->n_base;
  p->n_instr = m->instr.n;
  p->bound = plan_round((size_t)words * WORD);
  char *image = arena_alloc(p->arena, p->bound);
  if (m->instr.n) memcpy(image, m->instr.at, m->instr.n * sizeof(Instr));
  for (uint32_t k = 0; k < m->fix.n; k++)
    if (m->fix.at[k].base == m->n_base - 1) m->fix.at[k].fixup.offset += (size_t)at * WORD;
  for (uint32_t k = 0; k < p->n_place; k++) {
    if (!m->placed[k] || p->place[k].base == BASE_NONE) continue;
    ((void **)(void *)image)[at + k] = pointer(m, at + k, where(m, p->place[k]));
  }
  p->image = image;
}

static void sort_fixups(Maker *m) {
  Plan *p = m->p;
  uint32_t *first = NEW_N(p->arena, uint32_t, m->n_base + 1);
  for (uint32_t k = 0; k < m->fix.n; k++) first[m->fix.at[k].base + 1]++;
  for (uint32_t k = 0; k < m->n_base; k++) first[k + 1] += first[k];
  Fixup *sorted = NEW_N(p->arena, Fixup, m->fix.n + 1);
  uint32_t *next = arena_copy(m->w->tmp, first, (m->n_base + 1) * sizeof *first);
  for (uint32_t k = 0; k < m->fix.n; k++) sorted[next[m->fix.at[k].base]++] = m->fix.at[k].fixup;
  p->fixup = sorted;
  p->first_fixup = first;
}

void straight_make(Planner *w) {
  Plan *p = w->p;
  Maker m = {.w = w, .p = p, .n_base = p->n_bind + 2, .placed = NEW_N(w->tmp, bool, p->n_place + 1)};
  p->first_instr = NEW_N(p->arena, uint32_t, p->n_step + 1);
  for (uint32_t k = 0; k < p->n_step; k++) {
    lower(&m, k);
    p->first_instr[k + 1] = m.instr.n;
  }
  p->stretch = arena_copy(p->arena, m.stretch.at, m.stretch.n * sizeof *m.stretch.at);
  p->n_stretch = m.stretch.n;
  image_words(&m);
  sort_fixups(&m);
}

/* ---- binding ---- */

static void **bases(const Plan *p, void *area) { return straight_at(p, area) + p->n_place; }

static void rebase(const Plan *p, void **word, uint32_t base, char *to) {
  for (uint32_t k = p->first_fixup[base]; k < p->first_fixup[base + 1]; k++)
    word[p->fixup[k].word] = to + p->fixup[k].offset;
}

bool straight_unbound(const Plan *p, const void *area) { return !bases(p, (void *)(uintptr_t)area)[p->n_bind + 1]; }

void straight_bind(const Plan *p, void *area, void *const *data, char *buffers, bool fresh) {
  void **word = area, **base = bases(p, area);
  if (fresh) {
    memcpy(area, p->image, p->bound);
    rebase(p, word, p->n_bind + 1, base[p->n_bind + 1] = area);
  }
  if (base[p->n_bind] != buffers) rebase(p, word, p->n_bind, base[p->n_bind] = buffers);
  for (uint32_t k = 0; k < p->n_bind; k++)
    if (base[k] != data[k]) rebase(p, word, k, base[k] = data[k]);
}
