/* machine: control, turns, effects in order, positions, faults, cancelling, sharing of tensors, and every allocation
 * failing. */
#include "alloc_fail.h"
#include "steps.h"
#include "unit.h"

/* for 10: total += 1; print total */
BENCH(a_loop_counts) {
  SlotId total = bench_scalar(b, F32, "total", 0);
  bench_segment(b);
  Step *loop = bench_loop(b, 10);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  bench_write(b, total, bench_add(b, bench_read(b, total), bench_number(b, F32, 1)));
  bench_end(b, in);
  bench_print_node(b, bench_read(b, total));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, total), 10);
  CU_ASSERT_STRING_EQUAL(b->out, "10\n");
  CU_ASSERT_EQUAL(machine_position(&b->s)->frame.n, 0);
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_STRING_EQUAL(b->out, "10\n20\n");
}

/* Two pieces: 3 turns add the turn, 2 add 100; inside, an inner loop of 4 adds 1000. */
BENCH(pieces_and_nested_loops) {
  SlotId total = bench_scalar(b, I32, "total", 0);
  bench_segment(b);
  Step *loop = bench_loop(b, 3);
  vec_push(b->s.arena, &loop->piece, (Piece){.count = 2});
  Inner in = bench_into(b, &loop->piece.at[0].body);
  bench_write(b, total, bench_add(b, bench_read(b, total), bench_turn_read(b, loop)));
  Step *inner = bench_loop(b, 4);
  Inner in2 = bench_into(b, &inner->piece.at[0].body);
  bench_write(b, total, bench_add(b, bench_read(b, total), bench_number(b, I32, 1000)));
  bench_end(b, in2);
  bench_end(b, in);
  b->steps = &loop->piece.at[1].body;
  bench_segment(b);
  NodeId turn = bench_turn_read(b, loop);
  bench_print_node(b, turn);
  bench_write(b, total, bench_add(b, bench_read(b, total), bench_number(b, I32, 100)));
  b->steps = &b->top;
  bench_segment(b);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, total), 0 + 1 + 2 + 3 * 4 * 1000 + 200);
  CU_ASSERT_STRING_EQUAL(b->out, "3\n4\n");
}

/* n = 0; while n < 100 { n += 1; if n == 3 { continue }; if n == 6 { break }; print n } */
static Step *while_loop(Bench *b, SlotId n) {
  Step *loop = bench_step(b, STEP_WHILE);
  bench_turn(b, loop);
  Inner in = bench_into(b, &loop->head);
  NodeId c = g_op2(b->s.graph, &op_lt, bench_read(b, n), bench_number(b, I32, 100));
  vec_push(b->s.arena, &loop->need, (Need){c, NO_SLOT});
  b->steps = &loop->body;
  bench_segment(b);
  NodeId now = bench_write(b, n, bench_add(b, bench_read(b, n), bench_number(b, I32, 1)));
  for (int k = 0; k < 2; k++) {
    Step *branch = bench_step(b, STEP_IF);
    NodeId is = g_op2(b->s.graph, &op_eq, now, bench_number(b, I32, k ? 6 : 3));
    vec_push(b->s.arena, &branch->need, (Need){is, NO_SLOT});
    Inner in2 = bench_into(b, &branch->body);
    bench_step(b, k ? STEP_BREAK : STEP_CONTINUE);
    bench_end(b, in2);
  }
  bench_print_node(b, now);
  bench_end(b, in);
  return loop;
}

BENCH(while_break_continue) {
  SlotId n = bench_scalar(b, I32, "n", 0);
  bench_segment(b);
  while_loop(b, n);
  bench_print_node(b, bench_read(b, n));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_STRING_EQUAL(b->out, "1\n2\n4\n5\n6\n");
}

BENCH(a_count_of_the_run) {
  SlotId n = bench_scalar(b, I32, "n", 4), hits = bench_scalar(b, I32, "hits", 0);
  bench_segment(b);
  NodeId count = bench_add(b, bench_read(b, n), bench_number(b, I32, 1));
  Step *loop = bench_loop(b, -1);
  vec_push(b->s.arena, &loop->need, (Need){count, NO_SLOT});
  Inner in = bench_into(b, &loop->piece.at[0].body);
  bench_write(b, hits, bench_add(b, bench_read(b, hits), bench_number(b, I32, 1)));
  bench_write(b, n, bench_number(b, I32, -7));
  bench_end(b, in);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, hits), 5);
  CU_ASSERT(machine_run(&b->s, &b->top));   /* -6 turns are none */
  CU_ASSERT_EQUAL(bench_value(b, hits), 5);
}

/* print x; x += 1; print x: one segment, each print has its own moment. */
BENCH(what_only_reads_cuts_nothing) {
  SlotId x = bench_scalar(b, F32, "x", 5);
  Segment *g = bench_segment(b);
  NodeId old = bench_read(b, x);
  bench_print_node(b, old);
  NodeId now = bench_write(b, x, bench_add(b, old, bench_number(b, F32, 1)));
  bench_print_node(b, now);
  bench_print_node(b, bench_number(b, F32, 7));
  bench_print_node(b, old);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(b->s.program->segment.n, 1);
  CU_ASSERT(g->prepared && g->ran);
  CU_ASSERT_STRING_EQUAL(b->out, "5\n6\n7\n5\n");
}

/* A large cell's tensor is shared while somebody else reads its old value, and copied when it is written. */
BENCH(large_values_cross_without_a_copy) {
  Type t = type_make(F32, 1, (int64_t[]){5000});
  SlotId w = bench_cell(b, &t, "w", 1);
  Segment *first = bench_segment(b);
  NodeId old = bench_read(b, w);
  NodeId now = bench_write(b, w, bench_add(b, old, old));
  bench_effect(b, effect_assert(&b->s, bench_number(b, BOOL, 1), NULL, 0));      /* cuts */
  SlotId c = bench_scalar(b, F32, "c", 0), d = bench_scalar(b, F32, "d", 0);
  bench_write(b, c, bench_sum(b, old));
  bench_write(b, d, bench_sum(b, now));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(first->share.n, 2);
  CU_ASSERT(bench_value(b, c) > 3e6);
  CU_ASSERT_EQUAL(bench_value(b, d), 2 * bench_value(b, c));
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_EQUAL(bench_value(b, w), 4);
}

BENCH(cells_swap) {
  SlotId x = bench_scalar(b, F32, "x", 1), y = bench_scalar(b, F32, "y", 2);
  bench_segment(b);
  NodeId old_x = bench_read(b, x), old_y = bench_read(b, y);
  bench_write(b, x, old_y);
  bench_write(b, y, old_x);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, x), 2);
  CU_ASSERT_EQUAL(bench_value(b, y), 1);
}

/* print 1; x = 3; y += 1; z = 1 // k (k is 0); print 2: the first print happens, no cell changes. */
BENCH(a_fault_leaves_the_cells) {
  SlotId x = bench_scalar(b, F32, "x", 1), y = bench_scalar(b, F32, "y", 1), k = bench_scalar(b, I32, "k", 0);
  SlotId z = bench_scalar(b, I32, "z", 9);
  bench_segment(b);
  NodeId y1 = bench_write(b, y, bench_add(b, bench_read(b, y), bench_number(b, F32, 1)));
  bench_print_node(b, y1);
  bench_write(b, x, bench_number(b, F32, 3));
  NodeId q = g_op2(b->s.graph, &op_floordiv, bench_number(b, I32, 1), bench_read(b, k));
  bench_write(b, z, q);
  bench_print_node(b, y1);
  CU_ASSERT_FALSE(bench_run(b));
  CU_ASSERT_EQUAL(b->s.diags->n_errors, 1);
  if (b->s.diags->n_errors) CU_ASSERT_EQUAL(b->s.diags->diag.at[0]->id, E_RUN_ZERO_DIVISION);
  CU_ASSERT_STRING_EQUAL(b->out, "2\n");
  CU_ASSERT_EQUAL(bench_value(b, x), 1);
  CU_ASSERT_EQUAL(bench_value(b, y), 1);
  CU_ASSERT_EQUAL(bench_value(b, z), 9);
  Type t = type_scalar(I32);                  /* and the session goes on */
  Tensor *two = tensor_new(&b->s.host, &t);
  tensor_set(two, 0, 1);
  slot_put(b->s.program, k, two);
  tensor_unref(two);
  b->n_out = 0;
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_STRING_EQUAL(b->out, "2\n2\n");
  CU_ASSERT_EQUAL(bench_value(b, z), 1);
}

/* In the fifth turn of an inner loop in the second of an outer. */
BENCH(a_cancelled_run_has_a_position) {
  SlotId total = bench_scalar(b, F32, "total", 0);
  bench_segment(b);
  Step *outer = bench_loop(b, 3);
  Inner in = bench_into(b, &outer->piece.at[0].body);
  Step *inner = bench_loop(b, 10);
  Inner in2 = bench_into(b, &inner->piece.at[0].body);
  bench_print_node(b, bench_write(b, total, bench_add(b, bench_read(b, total), bench_number(b, F32, 1))));
  bench_end(b, in2);
  bench_end(b, in);
  b->cancel_at = 15;
  CU_ASSERT_FALSE(bench_run(b));
  CU_ASSERT(b->s.cancelled);
  CU_ASSERT_EQUAL(b->s.diags->n_errors, 0);
  CU_ASSERT_EQUAL(bench_value(b, total), 15);
  CU_ASSERT_STRING_EQUAL(position_text(machine_position(&b->s), b->s.arena), "1:0.0.1 1:0.0.4 2");
  const Position *p = machine_position(&b->s);
  CU_ASSERT_EQUAL(p->frame.n, 3);
  if (p->frame.n == 3) {
    CU_ASSERT_PTR_EQUAL(p->frame.at[0].step, outer);
    CU_ASSERT_PTR_EQUAL(p->frame.at[1].step, inner);
    CU_ASSERT_EQUAL(p->frame.at[1].turn, 4);
  }
  b->s.cancel = false;
  b->s.cancelled = false;
  b->cancel_at = 0;
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_EQUAL(bench_value(b, total), 45);
}

/* An endless loop of nothing stops, too. */
BENCH(an_empty_loop_is_cancelled) {
  bench_segment(b);
  Step *loop = bench_step(b, STEP_WHILE);
  vec_push(b->s.arena, &loop->need, (Need){bench_number(b, BOOL, 1), NO_SLOT});
  CU_ASSERT(bench_prepare(b));
  atomic_store(&b->s.cancel, true);
  CU_ASSERT_FALSE(machine_run(&b->s, &b->top));
  CU_ASSERT(b->s.cancelled);
}

BENCH(a_snapshot_is_not_written) {
  Type t = type_make(F32, 1, (int64_t[]){3});
  SlotId w = bench_cell(b, &t, "w", 1), v = bench_scalar(b, F32, "v", 4);
  bench_segment(b);
  NodeId old = bench_read(b, w);
  bench_write(b, w, bench_add(b, old, old));
  bench_write(b, v, bench_number(b, F32, 8));
  CU_ASSERT(bench_prepare(b));
  Snapshot *snap = snapshot_take(b->s.program, b->s.arena);
  for (int k = 0; k < 3; k++) {
    CU_ASSERT(machine_run(&b->s, &b->top));
    CU_ASSERT(machine_run(&b->s, &b->top));
    CU_ASSERT_EQUAL(bench_value(b, w), 4);
    CU_ASSERT_EQUAL(bench_value(b, v), 8);
    snapshot_restore(b->s.program, snap);
    CU_ASSERT_EQUAL(bench_value(b, w), 1);
    CU_ASSERT_EQUAL(bench_value(b, v), 4);
  }
}

/* A second turn of a prepared loop asks the host for nothing. */
BENCH(turns_allocate_nothing) {
  Type t = type_make(F32, 2, (int64_t[]){40, 50});
  SlotId w = bench_cell(b, &t, "w", 1), m = bench_scalar(b, F32, "m", 0);
  bench_segment(b);
  Step *loop = bench_loop(b, 3);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  NodeId old = bench_read(b, w);
  bench_write(b, w, bench_add(b, old, old));
  bench_write(b, m, bench_number(b, F32, 3));
  bench_end(b, in);
  CU_ASSERT(bench_run(b));
  AllocFail counter = {0};
  b->s.host.realloc = alloc_fail_realloc;
  b->s.host.user = &counter;
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_EQUAL(counter.count, 0);
  CU_ASSERT_EQUAL(bench_value(b, w), 64);
}

/* ---- the same bits on any number of threads, fused or not ---- */

static void network(Bench *b, SlotId *cells) {
  Graph *g = b->s.graph;
  Type tw = type_make(F32, 2, (int64_t[]){64, 32}), tx = type_make(F32, 2, (int64_t[]){128, 64});
  cells[0] = bench_cell(b, &tw, "w", -1);
  cells[1] = bench_scalar(b, F32, "total", 0);
  SlotId x = bench_cell(b, &tx, "x", -500);
  bench_segment(b);
  Step *loop = bench_loop(b, 3);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  NodeId w = bench_read(b, cells[0]), h = g_op2(g, &op_matmul, g_op(g, &op_tanh, bench_read(b, x)), w);
  NodeId y = g_op(g, &op_sigmoid, g_op(g, &op_sin, h));
  NodeId sum = bench_sum(b, y);
  bench_write(b, cells[1], bench_add(b, bench_read(b, cells[1]), sum));
  NodeId scale = g_op2(g, &op_mul, w, g_broadcast(g, g_op(g, &op_cos, sum), &tw));
  bench_write(b, cells[0], bench_add(b, w, scale));
  bench_end(b, in);
}

static void run_network(int threads, bool no_fuse, Tensor **out) {
  static Bench bench;
  Bench *b = &bench;
  Guard guard;
  memset(b, 0, sizeof *b);
  host_init(&b->s.host, NULL, NULL);
  if (HOST_GUARD(&b->s.host, &guard)) {
    bench_open(b);
    b->s.config.no_fuse = no_fuse;
    b->s.pool = pool_new(&b->s.host, threads);
    SlotId cells[2];
    network(b, cells);
    CU_ASSERT(bench_run(b));
    for (int k = 0; k < 2; k++) {
      Tensor *t = b->s.program->slot.at[cells[k]].value;
      if (!out[k]) {
        out[k] = malloc(sizeof *t);
        *out[k] = *t;
        out[k]->data = malloc(t->bytes);
        memcpy(out[k]->data, t->data, t->bytes);
      } else {
        CU_ASSERT(tensor_same_bits(out[k], t));
      }
    }
    pool_free(b->s.pool);
    bench_close(b);
    host_leave(&b->s.host, &guard);
  } else {
    CU_FAIL("the guard was left");
  }
}

static void the_same_bits(void) {
  Tensor *out[2] = {NULL, NULL};
  static const int threads[] = {1, 2, 3, 7};
  for (int k = 0; k < 8; k++) run_network(threads[k / 2], k % 2 != 0, out);
  for (int k = 0; k < 2 && out[k]; k++) {
    free(out[k]->data);
    free(out[k]);
  }
}

/* ---- every allocation fails once ---- */

static void whole(Host *h, void *ctx) {
  (void)ctx;
  static Bench bench;
  Bench *b = &bench;
  Guard inner;
  memset(b, 0, sizeof *b);
  host_init(&b->s.host, h->realloc, h->user);
  volatile bool through = false;
  if (HOST_GUARD(&b->s.host, &inner)) {            /* a session has a host of its own */
    bench_open(b);
    SlotId n = bench_scalar(b, I32, "n", 0);
    Type t = type_make(F32, 1, (int64_t[]){3000});
    SlotId w = bench_cell(b, &t, "w", 1);
    bench_segment(b);
    bench_print_node(b, bench_read(b, w));
    while_loop(b, n);
    NodeId old = bench_read(b, w);
    bench_write(b, w, bench_add(b, old, old));
    CU_ASSERT(bench_run(b));
    bench_close(b);
    host_leave(&b->s.host, &inner);
    through = true;
  }
  CU_ASSERT_EQUAL(b->s.host.in_use, 0);
  if (!through) host_fail(h, FAIL_MEMORY, "%s", b->s.host.message);
}
static void every_allocation_fails_once(void) { CU_ASSERT(alloc_fail_each(whole, NULL) > 50); }

UNIT(TEST(a_loop_counts), TEST(pieces_and_nested_loops), TEST(while_break_continue), TEST(a_count_of_the_run),
     TEST(what_only_reads_cuts_nothing), TEST(large_values_cross_without_a_copy), TEST(cells_swap),
     TEST(a_fault_leaves_the_cells), TEST(a_cancelled_run_has_a_position), TEST(an_empty_loop_is_cancelled),
     TEST(a_snapshot_is_not_written), TEST(turns_allocate_nothing), TEST(the_same_bits),
     TEST(every_allocation_fails_once))
