/* steps: a session made by hand, for tests of programs: graph, slots, segments and steps as elaboration would make
 * them. What is printed is gathered in `out`.
 */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H
#include <string.h>
#include "lang/steps/effects.h"
#include "lang/steps/machine.h"
#include "lang/steps/prepare.h"
#include "lang/session.h"
#include "runtime/graph/op.h"

typedef struct Bench {
  Session s;
  Steps top, *steps;           /* where steps go now */
  char out[4096];
  size_t n_out;
  int prints, cancel_at;       /* the print that cancels the run, counted from 1 */
} Bench;

static inline bool bench_print(void *to, const char *text, size_t n, Loc loc) {
  Bench *b = to;
  (void)loc;
  if (b->n_out + n < sizeof b->out) {
    memcpy(b->out + b->n_out, text, n);
    b->n_out += n;
    b->out[b->n_out] = 0;
  }
  if (++b->prints == b->cancel_at) atomic_store(&b->s.cancel, true);
  return true;
}

/* In a guard; the host is made already. */
static inline void bench_open(Bench *b) {
  Session *s = &b->s;
  s->arena = arena_new(&s->host);
  s->sources = sources_new(s->arena);
  s->diags = diags_new(s->arena, s->sources);
  s->graph = graph_new(s->arena);
  s->config.print = bench_print;
  s->config.to = b;
  s->kernels = kernels_best();
  s->program = program_new(s);
  s->pool = NULL;
  b->steps = &b->top;
}

static inline void bench_close(Bench *b) {
  arena_free(b->s.arena);
  b->s.arena = NULL;
}

static inline Step *bench_step(Bench *b, StepKind kind) {
  Step *step = NEW(b->s.arena, Step);
  step->kind = kind;
  step->segment = b->s.graph->segment;
  step->mark = b->s.graph->n;
  step->turn = NO_SLOT;
  vec_push(b->s.arena, b->steps, step);
  return step;
}

static inline Segment *bench_segment(Bench *b) {
  Segment *g = segment_new(b->s.program);
  bench_step(b, STEP_SEGMENT);
  return g;
}

static inline void bench_effect(Bench *b, Step *step) {
  step->segment = b->s.graph->segment;
  step->mark = b->s.graph->n;
  vec_push(b->s.arena, b->steps, step);
  if (step->effect->cuts) bench_segment(b);
}

/* Steps go into block until bench_end. */
typedef struct Inner { Steps *outer; } Inner;
static inline Inner bench_into(Bench *b, Steps *block) {
  Inner i = {b->steps};
  b->steps = block;
  bench_segment(b);
  return i;
}
static inline void bench_end(Bench *b, Inner i) {
  b->steps = i.outer;
  bench_segment(b);
}
static inline void bench_turn(Bench *b, Step *loop) {
  Type t = type_scalar(I32);
  loop->turn = slot_new(b->s.program, SLOT_TURN, &t, NULL, 0);
}
static inline NodeId bench_turn_read(Bench *b, const Step *loop) {
  Type t = type_scalar(I32);
  return graph_input(b->s.graph, loop->turn, &t, 0);
}
static inline Step *bench_loop(Bench *b, int64_t count) {
  Step *step = bench_step(b, STEP_LOOP);
  vec_push(b->s.arena, &step->piece, (Piece){.count = count});
  bench_turn(b, step);
  return step;
}

static inline SlotId bench_cell(Bench *b, const Type *t, const char *path, double v) {
  SlotId slot = slot_new(b->s.program, SLOT_CELL, t, path, 0);
  Tensor *x = tensor_new(&b->s.host, t);
  for (int64_t k = 0; k < type_count(t); k++) tensor_set(x, k, v + (double)k * 0.25);
  slot_put(b->s.program, slot, x);
  tensor_unref(x);
  return slot;
}
static inline SlotId bench_scalar(Bench *b, DType d, const char *path, double v) {
  Type t = type_scalar(d);
  return bench_cell(b, &t, path, v);
}
static inline NodeId bench_read(Bench *b, SlotId cell) {
  return graph_input(b->s.graph, cell, &b->s.program->slot.at[cell].type, 0);
}
static inline NodeId bench_write(Bench *b, SlotId cell, NodeId node) {
  NodeId made = graph_emit(b->s.graph, &op_alias, &node, 1, NULL, 0, NULL);
  Segment *g = b->s.program->segment.at[b->s.graph->segment];
  for (uint32_t k = 0; k < g->write.n; k++)
    if (g->write.at[k].cell == cell) {
      g->write.at[k].node = made;
      return made;
    }
  vec_push(b->s.arena, &g->write, (CellWrite){cell, made});
  return made;
}
static inline NodeId bench_number(Bench *b, DType d, double v) { return graph_const_like(b->s.graph, d, v, 0); }
static inline NodeId bench_add(Bench *b, NodeId x, NodeId y) { return g_op2(b->s.graph, &op_add, x, y); }

/* The sum of all elements. */
static inline NodeId bench_sum(Bench *b, NodeId x) {
  int64_t i[MAX_RANK + 2] = {graph_at(b->s.graph, x)->type->rank};
  for (int64_t k = 0; k < i[0]; k++) i[1 + k] = k;
  return g_attr(b->s.graph, &op_sum, &x, 1, i, (uint32_t)i[0] + 2);
}

static inline void bench_print_node(Bench *b, NodeId node) { bench_effect(b, effect_trace(&b->s, NULL, node, 0)); }

static inline double bench_value(const Bench *b, SlotId slot) {
  return tensor_get(b->s.program->slot.at[slot].value, 0);
}

static inline bool bench_prepare(Bench *b) { return program_prepare(b->s.program, 0, &b->top, true, NULL, 0); }
static inline bool bench_run(Bench *b) { return bench_prepare(b) && machine_run(&b->s, &b->top); }

/* A test with a bench `b` of its own, which leaves nothing behind. */
#define BENCH(name)                                   \
  static void name##_body(Bench *b);                  \
  static void name(void) {                            \
    static Bench bench;                               \
    Guard g;                                          \
    memset(&bench, 0, sizeof bench);                  \
    host_init(&bench.s.host, NULL, NULL);             \
    if (HOST_GUARD(&bench.s.host, &g)) {              \
      bench_open(&bench);                             \
      name##_body(&bench);                            \
      pool_free(bench.s.pool);                        \
      bench_close(&bench);                            \
      host_leave(&bench.s.host, &g);                  \
    } else {                                          \
      CU_FAIL("the guard was left");                  \
      printf("  %s\n", bench.s.host.message);         \
    }                                                 \
    CU_ASSERT_EQUAL(bench.s.host.in_use, 0);          \
  }                                                   \
  static void name##_body(Bench *b)
#endif
