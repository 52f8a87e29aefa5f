/* run: see run.h. A run binds the plan (straight.h), which costs little where it is bound so already, and walks its
 * stretches: instructions, or steps. A step of several parts goes to the pool; of the parts' faults the lowest
 * part's is reported, which is the first by element.
 */
#define _POSIX_C_SOURCE 200809L
#include "exec/run.h"
#include "exec/parts.h"
#include "exec/straight.h"
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

static bool stopped(const Part *p, uint32_t part) {
  if (!p->cancel || !atomic_load_explicit(p->cancel, memory_order_relaxed)) return false;
  p->fault[part] = (Fault){.code = FAULT_CANCELLED};
  return true;
}

static void prepare_part(void *ctx, uint32_t part, int worker) {
  Part *p = ctx;
  if (stopped(p, part)) return;
  if (worker != 0) kernels_begin(p->kernels);
  part_prepare(p->s, p->at, part, &p->fault[part]);
}

static void run_part(void *ctx, uint32_t k, int worker) {
  Part *p = ctx;
  if (stopped(p, k)) return;
  if (worker != 0) kernels_begin(p->kernels);
  switch (p->s->kind) {
  case PLAN_KERNEL: part_work(p->s, p->at, k, &p->fault[k]); break;
  case PLAN_TILES: part_tiles(p->s, p->at, k); break;
  default: part_copy(p->s, p->at, k); break;
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

static __attribute__((noinline)) void straight_traced(const Plan *p, const Instr *instr, const Stretch *r,
                                                      const RunTrace *trace) {
  for (uint32_t k = r->step; k < r->step + r->n_step; k++) {
    Taken taken = {.begin = now_ns()};
    straight_run(instr + p->first_instr[k], p->first_instr[k + 1] - p->first_instr[k]);
    taken.end = now_ns();
    trace->done(trace->to, p, k, &taken, 1);
  }
}

static Fault run_bound(const Plan *p, void *area, Pool *pool, const atomic_bool *cancel);
static Fault run_bound_traced(const Plan *p, void *area, Pool *pool, const atomic_bool *cancel, const RunTrace *trace);

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

static inline void move_rows(const Loop *l, char *area) {
  char **word = (char **)(void *)area;
  for (const Move *m = l->move, *end = m + l->n_move; m < end; m++) word[m->word] += m->step;
}

/* The body is bound twice, since a turn writes the carries where the next one reads them: from the turn after the next
 * on, what differs between two turns of one binding is how far the rows are. */
static void bind_body(const PlanStep *s, void *const *at, char *area, int64_t made, int64_t row, bool to_out) {
  const Loop *l = s->loop;
  void *const *out = at + s->n_in, *const *spare = out + s->n_out;
  if (made < 3) {
    char *buffers = (char *)spare[l->n_carry + 2] + 2 * l->body->bound;
    bind_turn(l, at, out, spare[l->n_carry + 1], row, made == 0, to_out);
    straight_bind(l->body, area, spare[l->n_carry + 1], buffers, made < 2);
    return;
  }
  move_rows(l, area);
}

static bool all_straight(const Plan *p) { return p->n_stretch == 1 && p->stretch->straight; }

/* The turns from `made` on of a body of instructions, both areas bound. Out: how many were made: all, or it was
 * cancelled. */
static int64_t straight_turns(const Loop *l, char *areas, int32_t *number, int64_t made, int64_t turns,
                              const atomic_bool *cancel) {
  char *area[2] = {areas, areas + l->body->bound};
  int32_t row = (int32_t)(l->reverse ? turns - 1 - made : made), by = l->reverse ? -1 : 1;
  for (; made < turns; made++, row += by) {
    if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) break;
    move_rows(l, area[made & 1]);
    *number = row;
    straight_run(straight_instr(area[made & 1]), l->body->n_instr);
  }
  return made;
}

/* A turn of a body that is bound. False: its fault. */
static ALWAYS_INLINE bool run_body(const Plan *body, void *area, Pool *pool, const atomic_bool *cancel, Fault *fault,
                                   const RunTrace *trace) {
  if (!trace && all_straight(body)) {
    straight_run(area, body->n_instr);
    return true;
  }
  *fault = trace ? run_bound_traced(body, area, pool, cancel, trace) : run_bound(body, area, pool, cancel);
  if (fault->code == FAULT_NONE) return true;
  if (!fault->op) fault->op = body->step[fault->step].op;
  if (!fault->loc) fault->loc = body->step[fault->step].loc;
  return false;
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
  char *areas = spare[l->n_carry + 2];
  bool rest_straight = !trace && !flag && all_straight(l->body);
  while (made < turns && !last) {
    if (cancel && atomic_load_explicit(cancel, memory_order_relaxed)) return (Fault){.code = FAULT_CANCELLED};
    int64_t row = l->reverse ? turns - 1 - made : made;
    char *area = areas + (made % 2 ? l->body->bound : 0);
    Fault fault;
    to_out = (turns - 1 - made) % 2 == 0;
    if (made == 3 && rest_straight) {
      if (straight_turns(l, areas, spare[l->n_carry], made, turns, cancel) < turns)
        return (Fault){.code = FAULT_CANCELLED};
      made = turns;
      to_out = true;
      break;
    }
    bind_body(s, at, area, made, row, to_out);
    *(int32_t *)spare[l->n_carry] = (int32_t)row;
    if (!run_body(l->body, area, pool, cancel, &fault, trace)) return fault;
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

/* Step k as it is. Out: its fault, or NULL. */
static ALWAYS_INLINE const Fault *run_step(const Plan *p, uint32_t k, Part *part, Pool *pool, const RunTrace *trace) {
  const PlanStep *s = part->s;
  if (s->kind == PLAN_LOOP) {
    part->fault[0] = trace ? run_loop_traced(s, part->at, pool, part->cancel, p, k, trace)
                           : run_loop(s, part->at, pool, part->cancel);
    return part->fault[0].code == FAULT_NONE ? NULL : part->fault;
  }
  if (trace) return run_parts_traced(p, k, part, pool, trace);
  const Fault *f = s->prepare_parts > 0 ? run_parts(part, s->prepare_parts, prepare_part, pool) : NULL;
  return f ? f : run_parts(part, s->parts, run_part, pool);
}

static ALWAYS_INLINE Fault bound_of(const Plan *p, void *area, Pool *pool, const atomic_bool *cancel,
                                    const RunTrace *trace) {
  void **at = straight_at(p, area);
  Fault fault[PART_MOST];
  for (const Stretch *r = p->stretch, *end = r + p->n_stretch; r < end; r++) {
    uint32_t k = r->step;
    if (cancel && k <= p->first_write && atomic_load_explicit(cancel, memory_order_relaxed))
      return (Fault){.code = FAULT_CANCELLED, .step = k};
    if (r->straight) {
      if (trace) straight_traced(p, straight_instr(area), r, trace);
      else straight_run(straight_instr(area) + r->instr, r->n_instr);
      continue;
    }
    Part part = {p->kernels, &p->step[k], at + p->step[k].operand, fault, k < p->first_write ? cancel : NULL};
    const Fault *f = run_step(p, k, &part, pool, trace);
    if (!f) continue;
    Fault first = *f;
    first.step = k;
    return first;
  }
  return (Fault){.code = FAULT_NONE};
}

static Fault run_bound(const Plan *p, void *area, Pool *pool, const atomic_bool *cancel) {
  return bound_of(p, area, pool, cancel, NULL);
}

static Fault run_bound_traced(const Plan *p, void *area, Pool *pool, const atomic_bool *cancel, const RunTrace *trace) {
  return bound_of(p, area, pool, cancel, trace);
}

Fault run_plan(const Plan *p, void *const *data, void *area, void *slab, Pool *pool, const atomic_bool *cancel) {
  kernels_begin(p->kernels);
  straight_bind(p, area, data, slab, straight_unbound(p, area));
  return run_bound(p, area, pool, cancel);
}

Fault run_plan_traced(const Plan *p, void *const *data, void *area, void *slab, Pool *pool, const atomic_bool *cancel,
                      const RunTrace *trace) {
  kernels_begin(p->kernels);
  straight_bind(p, area, data, slab, straight_unbound(p, area));
  return run_bound_traced(p, area, pool, cancel, trace);
}
