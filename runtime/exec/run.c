/* run: see run.h. A run resolves the plan's places to pointers (kept at the head of the slab) and walks the steps. A
 * step of several parts goes to the pool; a part's range depends on the step alone, so who runs it changes nothing. Of
 * the parts' faults the lowest part's is reported, which is the first by element.
 */
#define _POSIX_C_SOURCE 200809L
#include "exec/run.h"
#include "exec/step.h"
#include <string.h>
#include <time.h>

/* One text for an ordinary run and for one that is told of: the ordinary one asks nothing. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

typedef void RunPart(void *ctx, uint32_t k, int worker);

typedef struct Part {
  const Kernels *kernels;
  const PlanStep *s;
  void *const *at;             /* the step's operands */
  Fault *fault;                /* of each part */
  const atomic_bool *cancel;   /* the parts that are not begun are left out; NULL: never */
} Part;

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

static void spread(void *out, const void *in, const TileLoad *l, int64_t begin, int64_t n) {
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
      spread(reg[l->reg], in, l, e, n);
    }
  }
}

static void tiles_part(const PlanStep *s, void *const *at, uint32_t part) {
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
    else if (l->mode == LOAD_FILL) spread(reg[l->reg], in, l, first, end - first < TILE ? end - first : TILE);
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

static void work_part(const PlanStep *s, void *const *at, uint32_t part, Fault *fault) {
  KernelCall c = call_of(s, at, part);
  range(s->parts, part, s->kernel.units, &c.begin, &c.end);
  if (!kernel_part(&s->kernel, &c)) *fault = c.fault;
}

static bool stopped(const Part *p, uint32_t part) {
  if (!p->cancel || !atomic_load_explicit(p->cancel, memory_order_relaxed)) return false;
  p->fault[part] = (Fault){.code = FAULT_CANCELLED};
  return true;
}

static void prepare_part(void *ctx, uint32_t part, int worker) {
  Part *p = ctx;
  if (stopped(p, part)) return;
  KernelCall c = call_of(p->s, p->at, part);
  if (worker != 0) kernels_begin(p->kernels);
  range(p->s->prepare_parts, part, p->s->kernel.prepares, &c.begin, &c.end);
  if (!kernel_prepare(&p->s->kernel, &c)) p->fault[part] = c.fault;
}

static void copy_part(const PlanStep *s, void *const *at, uint32_t part) {
  int64_t begin, end;
  range(s->parts, part, s->units, &begin, &end);
  if (begin < end) memcpy((char *)at[1] + begin, (const char *)at[0] + begin, (size_t)(end - begin));
}

static void run_part(void *ctx, uint32_t k, int worker) {
  Part *p = ctx;
  if (stopped(p, k)) return;
  if (worker != 0) kernels_begin(p->kernels);
  switch (p->s->kind) {
  case PLAN_KERNEL: work_part(p->s, p->at, k, &p->fault[k]); break;
  case PLAN_TILES: tiles_part(p->s, p->at, k); break;
  default: copy_part(p->s, p->at, k); break;
  }
}

/* All parts of a step: those that prepare, or those of the work. Out: the first fault by part, or NULL. */
static const Fault *run_parts(Part *p, uint32_t parts, RunPart *part, Pool *pool) {
  if (parts == 1) {
    p->fault->code = FAULT_NONE;
    part(p, 0, 0);
    return p->fault->code == FAULT_NONE ? NULL : p->fault;
  }
  for (uint32_t k = 0; k < parts; k++) p->fault[k].code = FAULT_NONE;
  pool_run(pool, parts, part, p);
  for (uint32_t k = 0; k < parts; k++)
    if (p->fault[k].code != FAULT_NONE) return &p->fault[k];
  return NULL;
}

/* ---- what each part took: each writes a place of its own ---- */

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef struct TracedPart { Part part; Taken span[PART_MOST]; } TracedPart;

static void traced_part(void *ctx, uint32_t k, int worker) {
  TracedPart *t = ctx;
  t->span[k].worker = worker;
  t->span[k].begin = now_ns();
  run_part(ctx, k, worker);
  t->span[k].end = now_ns();
}

static void traced_prepare(void *ctx, uint32_t k, int worker) {
  TracedPart *t = ctx;
  t->span[k].worker = worker;
  t->span[k].begin = now_ns();
  prepare_part(ctx, k, worker);
  t->span[k].end = now_ns();
}

/* Beside run_parts, so that an ordinary run holds no spans. */
static __attribute__((noinline)) const Fault *run_parts_traced(const Plan *plan, uint32_t step, const Part *p,
                                                               Pool *pool, const RunTrace *trace) {
  TracedPart t = {.part = *p};
  const Fault *f = NULL;
  if (p->s->prepare_parts > 0) {
    f = run_parts(&t.part, p->s->prepare_parts, traced_prepare, pool);
    trace->done(trace->to, plan, step, t.span, p->s->prepare_parts);
  }
  if (f) return f;
  f = run_parts(&t.part, p->s->parts, traced_part, pool);
  trace->done(trace->to, plan, step, t.span, p->s->parts);
  return f;
}

static Fault run_steps(const Plan *p, void *const *data, char *slab, Pool *pool, const atomic_bool *cancel);
static Fault run_steps_traced(const Plan *p, void *const *data, char *slab, Pool *pool, const atomic_bool *cancel,
                              const RunTrace *trace);

/* Where a turn of a loop finds and leaves things. to_out: it writes the next carries to the loop's own outputs. */
static void bind_turn(const Loop *l, void *const *at, void *const *out, void **data, int64_t row, bool first,
                      bool to_out) {
  void *const *spare = out + l->n_out;
  for (uint32_t k = 0; k < l->body->n_bind; k++) {
    const TurnBind *b = &l->bind[k];
    switch (b->kind) {
    case TURN_IN: data[k] = at[b->index]; break;
    case TURN_ROW: data[k] = (char *)at[b->index] + (size_t)row * b->bytes; break;
    case TURN_CARRY: data[k] = first ? at[b->index] : to_out ? spare[b->index] : out[b->index]; break;
    case TURN_NEXT: data[k] = to_out ? out[b->index] : spare[b->index]; break;
    case TURN_STACK: data[k] = (char *)out[b->index] + (l->read[b->index] ? (size_t)row * b->bytes : 0); break;
    case TURN_FLAG: data[k] = spare[l->n_carry + 3]; break;
    default: data[k] = spare[l->n_carry]; break;
    }
  }
}

/* Most turns that the loop is to make. */
static int64_t loop_turns(const Loop *l, const void *last_input) {
  if (l->ends == ENDS_AFTER_ALL) return l->turns;
  if (l->ends == ENDS_UNTIL) return *(const uint8_t *)last_input ? 0 : l->turns;
  int64_t n = *(const int32_t *)last_input;
  return n < 0 ? 0 : n < l->turns ? n : l->turns;
}

static bool all_true(const Type *t, const uint8_t *flag) {
  for (int64_t k = 0, n = type_count(t); k < n; k++)
    if (!flag[k]) return false;
  return true;
}

/* A turn reads its carries where the turn before left them and writes the next ones to the other place, so that the
 * last of all turns writes the loop's own outputs; a loop that ends before has them brought there. */
static ALWAYS_INLINE Fault loop_of(const PlanStep *s, void *const *at, Pool *pool, const atomic_bool *cancel,
                                   const RunTrace *trace) {
  const Loop *l = s->loop;
  void *const *out = at + s->n_in, *const *spare = out + s->n_out;
  const uint8_t *flag = l->ends == ENDS_UNTIL ? spare[l->n_carry + 3] : NULL;
  int64_t turns = loop_turns(l, s->n_in ? at[s->n_in - 1] : NULL), made = 0;
  bool last = flag && turns == 0, to_out = false;
  while (made < turns && !last) {
    if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return (Fault){.code = FAULT_CANCELLED};
    int64_t row = l->reverse ? turns - 1 - made : made;
    to_out = (turns - 1 - made) % 2 == 0;
    *(int32_t *)spare[l->n_carry] = (int32_t)row;
    bind_turn(l, at, out, spare[l->n_carry + 1], row, made == 0, to_out);
    void *const *data = spare[l->n_carry + 1];
    char *slab = spare[l->n_carry + 2];
    Fault f = trace ? run_steps_traced(l->body, data, slab, pool, cancel, trace)
                    : run_steps(l->body, data, slab, pool, cancel);
    if (f.code != FAULT_NONE) {
      if (!f.op) f.op = l->body->step[f.step].op;
      if (!f.loc) f.loc = l->body->step[f.step].loc;
      return f;
    }
    made++;
    last = flag && all_true(&l->flag, flag);
  }
  for (uint32_t k = 0; k < l->n_carry && !to_out; k++) memcpy(out[k], made ? spare[k] : at[k], l->bytes[k]);
  if (flag) *(int32_t *)out[l->n_carry] = (int32_t)made;
  for (uint32_t k = l->n_carry + (flag != NULL); k < s->n_out; k++)
    if (l->read[k] && made < l->turns)
      memset((char *)out[k] + (size_t)made * l->bytes[k], 0, (size_t)(l->turns - made) * l->bytes[k]);
  if (!flag || last || l->attr->i[LOOP_LIMIT] == 0) return (Fault){.code = FAULT_NONE};
  return loop_fault(l->attr, &l->flag, flag, &l->state, out[0]);
}

static Fault run_loop(const PlanStep *s, void *const *at, Pool *pool, const atomic_bool *cancel) {
  return loop_of(s, at, pool, cancel, NULL);
}

static Fault run_loop_traced(const PlanStep *s, void *const *at, Pool *pool, const atomic_bool *cancel,
                             const Plan *plan, uint32_t step, const RunTrace *trace) {
  Taken all = {.begin = now_ns()};
  Fault f = loop_of(s, at, pool, cancel, trace);
  all.end = now_ns();
  trace->done(trace->to, plan, step, &all, 1);
  return f;
}

static ALWAYS_INLINE Fault steps_of(const Plan *p, void *const *data, char *slab, Pool *pool,
                                    const atomic_bool *cancel, const RunTrace *trace) {
  void **at = (void **)(void *)slab;
  char *buffers = slab + p->table;
  for (uint32_t k = 0; k < p->n_place; k++) {
    Place q = p->place[k];
    char *base = q.base == BASE_SLAB ? buffers : q.base == BASE_CONST ? p->constants : data[q.base - BASE_BIND];
    at[k] = base + q.offset;
  }
  Fault fault[PART_MOST];
  for (uint32_t k = 0; k < p->n_step; k++) {
    const PlanStep *s = &p->step[k];
    bool may_stop = cancel != NULL && k <= p->first_write;
    if (may_stop && atomic_load_explicit(cancel, memory_order_relaxed))
      return (Fault){.code = FAULT_CANCELLED, .step = k};
    Part part = {p->kernels, s, at + s->operand, fault, k < p->first_write ? cancel : NULL};
    const Fault *f = NULL;
    if (s->kind == PLAN_LOOP) {
      fault[0] = trace ? run_loop_traced(s, part.at, pool, part.cancel, p, k, trace)
                       : run_loop(s, part.at, pool, part.cancel);
      if (fault[0].code != FAULT_NONE) f = &fault[0];
    } else if (trace) {
      f = run_parts_traced(p, k, &part, pool, trace);
    } else {
      if (s->prepare_parts > 0) f = run_parts(&part, s->prepare_parts, prepare_part, pool);
      if (!f) f = run_parts(&part, s->parts, run_part, pool);
    }
    if (!f) continue;
    Fault first = *f;
    first.step = k;
    return first;
  }
  return (Fault){.code = FAULT_NONE};
}

static Fault run_steps(const Plan *p, void *const *data, char *slab, Pool *pool, const atomic_bool *cancel) {
  return steps_of(p, data, slab, pool, cancel, NULL);
}

static Fault run_steps_traced(const Plan *p, void *const *data, char *slab, Pool *pool, const atomic_bool *cancel,
                              const RunTrace *trace) {
  return steps_of(p, data, slab, pool, cancel, trace);
}

Fault run_plan(const Plan *p, void *const *data, void *slab, Pool *pool, const atomic_bool *cancel) {
  kernels_begin(p->kernels);
  return run_steps(p, data, slab, pool, cancel);
}

Fault run_plan_traced(const Plan *p, void *const *data, void *slab, Pool *pool, const atomic_bool *cancel,
                      const RunTrace *trace) {
  kernels_begin(p->kernels);
  return run_steps_traced(p, data, slab, pool, cancel, trace);
}
