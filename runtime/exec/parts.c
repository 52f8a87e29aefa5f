/* parts: see parts.h. A part's range depends on the step alone, so who runs it changes nothing.
 */
#include "exec/parts.h"
#include <string.h>

/* ---- loads of a fused step ---- */

/* One element, n times. */
#define REPEAT(bytes, T)                                                  \
  static void repeat_##bytes(void *to, const void *x, int64_t n) {        \
    T v;                                                                  \
    memcpy(&v, x, sizeof v);                                              \
    for (int64_t k = 0; k < n; k++) ((T *)to)[k] = v;                     \
  }
REPEAT(2, uint16_t)
REPEAT(4, uint32_t)
REPEAT(8, uint64_t)
#undef REPEAT

void part_spread(void *out, const void *in, const TileLoad *l, int64_t begin, int64_t n) {
  int64_t at[MAX_RANK], from = 0, size = l->size;
  char *to = out;
  int last = l->rank - 1;
  if (last < 0) {              /* one element of one */
    memcpy(to, in, (size_t)size);
    return;
  }
  for (int k = last; k >= 0; k--) {
    at[k] = begin % l->dim[k];
    begin /= l->dim[k];
    from += at[k] * l->stride[k];
  }
  while (n > 0) {
    int64_t run = l->dim[last] - at[last];
    if (run > n) run = n;
    const char *x = (const char *)in + from * size;
    if (l->stride[last] != 0) memcpy(to, x, (size_t)(run * size));
    else if (size == 4) repeat_4(to, x, run);
    else if (size == 8) repeat_8(to, x, run);
    else if (size == 2) repeat_2(to, x, run);
    else memset(to, *x, (size_t)run);
    to += run * size;
    n -= run;
    if (n == 0) return;
    from -= at[last] * l->stride[last];
    at[last] = 0;
    for (int k = last - 1; k >= 0; k--) {
      from += l->stride[k];
      if (++at[k] < l->dim[k]) break;
      from -= at[k] * l->stride[k];
      at[k] = 0;
    }
  }
}

/* ---- parts ---- */

static void range(uint32_t parts, uint32_t k, int64_t units, int64_t *begin, int64_t *end) {
  if (parts == 1) {            /* most are: two divisions less */
    *begin = 0;
    *end = units;
    return;
  }
  *begin = units * k / parts;
  *end = units * (k + 1) / parts;
}

static void tile_ops(const Tiles *t, char *const *reg, int64_t n) {
  const TileOp *end = t->op + t->n_op;
  for (const TileOp *o = t->op; o < end; o++) {
    const void *in[TILE_IN] = {reg[o->in[0]], reg[o->in[1]], reg[o->in[2]], reg[o->in[3]]};   /* 0: there is none */
    if (o->fn) o->fn(reg[o->out], in, n, o->attr);
    else memcpy(reg[o->out], in[0], (size_t)n * o->size);
  }
}

/* Loads that are other bytes, or lie elsewhere, in each block: that of the n elements from e on. */
static void tile_loads(const Tiles *t, void *const *at, char **reg, char *arena, int64_t e, int64_t n) {
  for (uint32_t k = 0; k < t->n_load; k++) {
    const TileLoad *l = &t->load[k];
    if (l->mode != LOAD_ROWS && l->mode != LOAD_ANY) continue;
    char *in = at[l->operand];
    int64_t phase = l->mode == LOAD_ROWS ? e % l->period : 0;
    if (l->mode == LOAD_ROWS && phase + n <= l->period) reg[l->reg] = in + phase * l->size;
    else {
      reg[l->reg] = arena + t->at[l->reg];
      part_spread(reg[l->reg], in, l, e, n);
    }
  }
}

void part_tiles(const PlanStep *s, void *const *at, uint32_t part) {
  _Alignas(64) char arena[TILE_ARENA];
  char *reg[TILE_REGS];
  const Tiles *t = s->tiles;
  int64_t first, end;
  range(s->parts, part, (s->units + TILE - 1) / TILE, &first, &end);
  first *= TILE;
  end *= TILE;
  if (end > s->units) end = s->units;
  if (first >= end) return;
  for (uint32_t k = 0; k < t->n_reg; k++) reg[k] = t->at[k] == UINT32_MAX ? NULL : arena + t->at[k];
  for (uint32_t k = 0; k < t->n_load; k++) {
    const TileLoad *l = &t->load[k];
    char *in = at[l->operand];
    if (l->mode == LOAD_BLOCK) reg[l->reg] = (char *)(uintptr_t)l->block;
    else if (l->mode == LOAD_FLAT) reg[l->reg] = in + first * l->size;
    else if (l->mode == LOAD_FILL) part_spread(reg[l->reg], in, l, first, end - first < TILE ? end - first : TILE);
  }
  for (uint32_t k = 0; k < t->n_store; k++) {
    const TileStore *o = &t->store[k];
    reg[o->reg] = (char *)at[s->n_in + o->operand] + first * o->size;
  }
  for (int64_t e = first;;) {
    int64_t n = end - e < TILE ? end - e : TILE;
    if (t->moves) tile_loads(t, at, reg, arena, e, n);
    tile_ops(t, reg, n);
    e += n;
    if (e >= end) return;
    for (uint32_t k = 0; k < t->n_load; k++)
      if (t->load[k].mode == LOAD_FLAT) reg[t->load[k].reg] += TILE * t->load[k].size;
    for (uint32_t k = 0; k < t->n_store; k++) reg[t->store[k].reg] += TILE * t->store[k].size;
  }
}

static KernelCall call_of(const PlanStep *s, void *const *at, uint32_t part) {
  KernelCall c;                          /* each field is set: to clear the whole costs as much as a small call */
  c.in = (const void *const *)at;
  c.out = at[s->n_in];
  c.in_type = s->in_type;
  c.out_type = s->out_type;
  c.attr = s->attr;
  c.n_in = s->n_in;
  c.begin = c.end = 0;
  c.scratch = c.shared = NULL;
  c.fault.code = FAULT_NONE;
  char *memory = s->kernel.shared + s->kernel.scratch > 0 ? at[s->n_in + 1] : NULL;
  if (s->kernel.shared) c.shared = memory;
  if (s->kernel.scratch) c.scratch = memory + s->kernel.shared + s->kernel.scratch * part;
  return c;
}

void part_work(const PlanStep *s, void *const *at, uint32_t part, Fault *fault) {
  KernelCall c = call_of(s, at, part);
  range(s->parts, part, s->kernel.units, &c.begin, &c.end);
  if (!kernel_part(&s->kernel, &c)) *fault = c.fault;
}

void part_prepare(const PlanStep *s, void *const *at, uint32_t part, Fault *fault) {
  KernelCall c = call_of(s, at, part);
  range(s->prepare_parts, part, s->kernel.prepares, &c.begin, &c.end);
  if (!kernel_prepare(&s->kernel, &c)) *fault = c.fault;
}

void part_copy(const PlanStep *s, void *const *at, uint32_t part) {
  int64_t begin, end;
  range(s->parts, part, s->units, &begin, &end);
  if (begin < end) memcpy((char *)at[1] + begin, (const char *)at[0] + begin, (size_t)(end - begin));
}
