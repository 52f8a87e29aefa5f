/* program: what crosses between segments and what is recomputed, entries one after another, limits, dumps. */
#include "steps.h"
#include "lang/steps/program_dump.h"
#include "unit.h"

static void cut(Bench *b) { bench_effect(b, effect_assert(&b->s, bench_number(b, BOOL, 1), NULL, 0)); }

static uint32_t count_op(const Graph *g, const Op *op) {
  uint32_t n = 0;
  for (NodeId k = 0; g && k < g->n; k++) n += graph_at(g, k)->op == op;
  return n;
}

/* y = x + x; cut; x = 9; cut; z = y + x(old): y and the old x cross, x is read as it was. */
BENCH(values_cross) {
  SlotId x = bench_scalar(b, F32, "x", 2), z = bench_scalar(b, F32, "z", 0);
  Segment *first = bench_segment(b);
  NodeId old = bench_read(b, x), y = bench_add(b, old, old);
  cut(b);
  bench_write(b, x, bench_number(b, F32, 9));
  cut(b);
  bench_write(b, z, bench_add(b, y, old));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, z), 6);
  CU_ASSERT_EQUAL(bench_value(b, x), 9);
  CU_ASSERT_EQUAL(first->save.n, 2 + 1);           /* y, the old x, the assertion's condition */
}

/* A small known value is recomputed where it is used; a large one is saved once. */
BENCH(known_values) {
  Graph *g = b->s.graph;
  SlotId z = bench_scalar(b, F32, "z", 0);
  Segment *first = bench_segment(b);
  int64_t n = 1000, large = 100000;
  NodeId small = g_cast(g, g_attr(g, &op_iota, NULL, 0, &n, 1), F32);
  NodeId big = g_cast(g, g_attr(g, &op_iota, NULL, 0, &large, 1), F32);
  cut(b);
  Step *loop = bench_loop(b, 2);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  NodeId sum = bench_add(b, bench_sum(b, small), bench_sum(b, g_op(g, &op_neg, big)));
  bench_write(b, z, bench_add(b, bench_read(b, z), sum));
  bench_end(b, in);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(first->save.n, 1 + 1);
  CU_ASSERT(bench_value(b, z) < -9e9);
}

/* A formula over a file is computed where it is used; its file is read when it is first needed, once. */
static int reads;
static Tensor *file_read_test(DataFile *f, Host *h, FileError *e) {
  reads++;
  if (f->how) {
    snprintf(e->text, sizeof e->text, "the file is gone");
    return NULL;
  }
  Type t = type_make(U8, 1, (int64_t[]){8});
  Tensor *x = tensor_new(h, &t);
  for (int64_t k = 0; k < 8; k++) tensor_set(x, k, (double)k);
  return x;
}

static SlotId data_slot(Bench *b, DataFile *file) {
  Type t = type_make(U8, 1, (int64_t[]){8});
  SlotId slot = slot_new(b->s.program, SLOT_DATA, &t, NULL, 0);
  b->s.program->slot.at[slot].file = file;
  return slot;
}

BENCH(files_are_read_when_needed) {
  static DataFile file = {.path = "numbers", .read = file_read_test};
  Graph *g = b->s.graph;
  reads = 0;
  SlotId z = bench_scalar(b, F32, "z", 0), data = data_slot(b, &file);
  Segment *first = bench_segment(b);
  NodeId raw = graph_input(g, data, &b->s.program->slot.at[data].type, 0);
  g->node[raw].flags |= NODE_LAZY;
  NodeId x = g_cast(g, raw, F32);
  cut(b);
  Step *loop = bench_loop(b, 3);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  bench_write(b, z, bench_add(b, bench_read(b, z), bench_sum(b, x)));
  bench_end(b, in);
  CU_ASSERT(bench_prepare(b));
  CU_ASSERT_EQUAL(reads, 0);
  CU_ASSERT(machine_run(&b->s, &b->top));
  CU_ASSERT_EQUAL(reads, 1);
  CU_ASSERT_EQUAL(bench_value(b, z), 84);
  CU_ASSERT_EQUAL(first->save.n, 1);               /* the assertion's condition alone */
}

BENCH(a_file_that_is_gone) {
  static DataFile file = {.path = "numbers", .read = file_read_test, .how = &reads};
  SlotId z = bench_scalar(b, F32, "z", 5), data = data_slot(b, &file);
  bench_segment(b);
  NodeId raw = graph_input(b->s.graph, data, &b->s.program->slot.at[data].type, 0);
  bench_write(b, z, bench_sum(b, g_cast(b->s.graph, raw, F32)));
  CU_ASSERT_FALSE(bench_run(b));
  CU_ASSERT_EQUAL(b->s.diags->n_errors, 1);
  CU_ASSERT_EQUAL(b->s.diags->diag.at[0]->id, E_DATA_READ);
  CU_ASSERT_EQUAL(bench_value(b, z), 5);
}

/* Entry 1: y = w * 3 (nobody keeps it). Entry 2: w = 100. Entry 3: z = y + 1, from the w that entry 1 read. */
static Steps *entry(Bench *b) {
  Steps *steps = NEW(b->s.arena, Steps);
  b->steps = steps;
  bench_segment(b);
  return steps;
}

static void entries(Bench *b, bool large) {
  Program *p = b->s.program;
  Type t = type_make(F32, 1, (int64_t[]){large ? 2000 : 1});
  SlotId w = bench_cell(b, &t, "w", 2), z = bench_scalar(b, F32, "z", 0);
  p->keep_leaves = true;
  Steps *one = entry(b);
  NodeId old = bench_read(b, w), y = bench_add(b, old, bench_add(b, old, old));
  CU_ASSERT(program_prepare(p, 0, one, true, NULL, 0) && machine_run(&b->s, one));

  uint32_t from = p->segment.n;
  Steps *two = entry(b);
  NodeId now = bench_read(b, w);
  bench_write(b, w, bench_add(b, now, now));
  CU_ASSERT(program_prepare(p, from, two, true, NULL, 0) && machine_run(&b->s, two) && machine_run(&b->s, two));
  CU_ASSERT_EQUAL(bench_value(b, w), 8);

  from = p->segment.n;
  Steps *three = entry(b);
  bench_write(b, z, g_op2(b->s.graph, &op_div, bench_sum(b, y), bench_sum(b, g_op2(b->s.graph, &op_div, old, old))));
  Need keep = {y, NO_SLOT};
  CU_ASSERT(program_prepare(p, from, three, true, &keep, 1) && machine_run(&b->s, three));
  CU_ASSERT_EQUAL(tensor_get(p->slot.at[keep.slot].value, 0), 6);
  if (!large) CU_ASSERT_EQUAL(bench_value(b, z), 6);

  from = p->segment.n;                             /* what was kept is read, not recomputed */
  Steps *four = entry(b);
  Segment *last = p->segment.at[p->segment.n - 1];
  bench_write(b, z, bench_sum(b, y));
  CU_ASSERT(program_prepare(p, from, four, true, NULL, 0) && machine_run(&b->s, four));
  CU_ASSERT_EQUAL(count_op(last->source, &op_add), 0);
}
BENCH(entries_recompute_from_leaves) { entries(b, false); }
BENCH(entries_share_large_leaves) { entries(b, true); }

/* Two blocks elaborated before either is prepared, as tests are. */
BENCH(blocks_of_one_text) {
  Type t = type_make(F32, 1, (int64_t[]){2000});
  SlotId w = bench_cell(b, &t, "w", 2), z = bench_scalar(b, F32, "z", 0), v = bench_scalar(b, F32, "v", 0);
  Program *p = b->s.program;
  p->keep_leaves = true;
  Steps *main = entry(b);
  NodeId old = bench_read(b, w), y = bench_add(b, old, old);
  bench_write(b, w, y);
  uint32_t from[2];
  Steps *test[2];
  for (int k = 0; k < 2; k++) {
    from[k] = p->segment.n;
    test[k] = entry(b);
    bench_write(b, k ? v : z, bench_sum(b, k ? y : old));
    cut(b);
  }
  CU_ASSERT(program_prepare(p, 0, main, true, NULL, 0) && machine_run(&b->s, main));
  for (int k = 0; k < 2; k++)
    CU_ASSERT(program_prepare(p, from[k], test[k], true, NULL, 0) && machine_run(&b->s, test[k]));
  CU_ASSERT(bench_value(b, z) > 4e5);
  CU_ASSERT_EQUAL(bench_value(b, v), 2 * bench_value(b, z));
}

/* A value of an entry that kept nothing cannot be recomputed after the run. */
BENCH(a_lost_value_is_an_error) {
  SlotId w = bench_scalar(b, F32, "w", 2), z = bench_scalar(b, F32, "z", 0);
  Steps *one = entry(b);
  NodeId old = bench_read(b, w);
  CU_ASSERT(program_prepare(b->s.program, 0, one, true, NULL, 0) && machine_run(&b->s, one));
  uint32_t from = b->s.program->segment.n;
  Steps *two = entry(b);
  bench_write(b, z, bench_add(b, old, old));
  CU_ASSERT_FALSE(program_prepare(b->s.program, from, two, true, NULL, 0));
  CU_ASSERT_EQUAL(b->s.diags->n_errors, 1);
}

/* A host's function: an argument, a kept result. */
BENCH(arguments_and_results) {
  Type t = type_make(F32, 1, (int64_t[]){4});
  Program *p = b->s.program;
  SlotId arg = slot_new(p, SLOT_ARG, &t, "x", 0);
  bench_segment(b);
  NodeId x = graph_input(b->s.graph, arg, &t, 0), y = bench_add(b, x, x);
  Need keep[2] = {{y, NO_SLOT}, {x, NO_SLOT}};
  CU_ASSERT(program_prepare(p, 0, &b->top, true, keep, 2));
  CU_ASSERT_EQUAL(keep[1].slot, arg);
  CU_ASSERT_FALSE(machine_run(&b->s, &b->top));    /* no argument yet */
  for (int k = 1; k < 3; k++) {
    Tensor *in = tensor_new(&b->s.host, &t);
    tensor_set(in, 0, k);
    slot_put(p, arg, in);
    tensor_unref(in);
    CU_ASSERT(machine_run(&b->s, &b->top));
    CU_ASSERT_EQUAL(bench_value(b, keep[0].slot), 2 * k);
  }
}

BENCH(nothing_wanted_nothing_computed) {
  SlotId x = bench_scalar(b, F32, "x", 2);
  Segment *g = bench_segment(b);
  bench_add(b, bench_read(b, x), bench_read(b, x));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_PTR_NULL(g->plan);
  CU_ASSERT(g->ran);
  Steps two = {0};
  b->steps = &two;
  Segment *h = bench_segment(b);
  bench_write(b, x, bench_read(b, x));             /* a cell that keeps its value is not written */
  CU_ASSERT(program_prepare(b->s.program, h->id, &two, true, NULL, 0) && machine_run(&b->s, &two));
  CU_ASSERT_EQUAL(bench_value(b, x), 2);
}

BENCH(memory_is_counted_before) {
  Type t = type_make(F32, 2, (int64_t[]){1000, 1000});
  SlotId w = bench_cell(b, &t, "w", 1), z = bench_scalar(b, F32, "z", 1);
  b->s.config.max_memory = b->s.host.in_use + 3000000;
  bench_segment(b);
  NodeId x = bench_read(b, w);
  NodeId y = g_op2(b->s.graph, &op_matmul, x, x);
  bench_write(b, z, bench_sum(b, g_op2(b->s.graph, &op_matmul, y, y)));
  CU_ASSERT_FALSE(bench_prepare(b));
  CU_ASSERT_EQUAL(b->s.diags->n_errors, 1);
  CU_ASSERT_EQUAL(b->s.diags->diag.at[0]->id, E_MEMORY_PLAN);
  CU_ASSERT_EQUAL(bench_value(b, z), 1);
}

BENCH(dumps) {
  SlotId x = bench_scalar(b, F32, "x", 2);
  bench_segment(b);
  Step *loop = bench_loop(b, 3);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  bench_print_node(b, bench_write(b, x, bench_add(b, bench_read(b, x), bench_number(b, F32, 1))));
  bench_end(b, in);
  CU_ASSERT(bench_prepare(b));
  CU_ASSERT_PTR_NULL(program_dump(b->s.program, &b->top, "soup", b->s.arena));
  CU_ASSERT_PTR_NOT_NULL(strstr(program_dump(b->s.program, &b->top, "plan", b->s.arena), "segment 1"));
  char *text = program_dump(b->s.program, &b->top, "graph", b->s.arena);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "segment 0\nloop, turn 1\n  piece 0, 3 turns:\n    segment 1\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "    trace value 2\nsegment 2\n"));
}

UNIT(TEST(values_cross), TEST(known_values), TEST(files_are_read_when_needed), TEST(a_file_that_is_gone),
     TEST(entries_recompute_from_leaves), TEST(entries_share_large_leaves), TEST(blocks_of_one_text),
     TEST(a_lost_value_is_an_error), TEST(arguments_and_results), TEST(nothing_wanted_nothing_computed),
     TEST(memory_is_counted_before), TEST(dumps))
