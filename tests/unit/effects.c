/* effects: messages of assert, seeds, files of trees, series, progress, an output that is gone. */
#include "steps.h"
#include "alloc_fail.h"
#include "unit.h"

#define FILE_NAME "unit_effects.safetensors"
#define TEXT(words) text_literal(b->s.arena, words)
#define FILE_VALUE TEXT(FILE_NAME)

static const Diag *only_error(Bench *b) {
  CU_ASSERT_EQUAL_FATAL(b->s.diags->diag.n, 1);
  return b->s.diags->diag.at[0];
}

BENCH(print_writes_text) {
  SlotId x = bench_scalar(b, F32, "x", 2.5);
  bench_segment(b);
  TextValue *t = NEW(b->s.arena, TextValue);
  t->text = NEW(b->s.arena, Template);
  vec_push(b->s.arena, &t->text->part, (Part){.text = "x is "});
  vec_push(b->s.arena, &t->text->part, (Part){.need = 0, .format = {.kind = 'f', .digits = 2}});
  vec_push(b->s.arena, &t->need, (Need){bench_read(b, x), NO_SLOT});
  bench_effect(b, effect_print(&b->s, t, 0));
  bench_effect(b, effect_print(&b->s, TEXT("plain"), 0));
  bench_effect(b, effect_trace(&b->s, "z", bench_read(b, x), 0));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_STRING_EQUAL(b->out, "x is 2.50\nplain\nz: 2.5\n");
}

static bool gone(void *to, const char *text, size_t n, Loc loc) {
  (void)text; (void)n; (void)loc;
  ((Bench *)to)->prints++;
  return false;
}

BENCH(an_output_that_is_gone_ends_the_run) {
  b->s.config.print = gone;
  bench_segment(b);
  bench_print_node(b, bench_number(b, F32, 1));
  bench_print_node(b, bench_number(b, F32, 2));
  CU_ASSERT_FALSE(bench_run(b));
  CU_ASSERT(b->s.closed);
  CU_ASSERT_EQUAL(b->prints, 1);
  CU_ASSERT_EQUAL(b->s.diags->diag.n, 0);
}

/* assert [1, 1.25] < 1.1, "why"; x = 9 */
BENCH(assert_stops_before_later_cells_change) {
  Type t = type_make(F32, 1, (int64_t[]){2});
  SlotId v = bench_cell(b, &t, "v", 1), x = bench_scalar(b, F32, "x", 3);
  bench_segment(b);
  NodeId left = bench_read(b, v), right = g_broadcast(b->s.graph, bench_number(b, F32, 1.1), &t);
  Step *step = effect_assert(&b->s, g_op2(b->s.graph, &op_lt, left, right), TEXT("why"), 0);
  effect_assert_sides(&b->s, step, left, right);
  bench_effect(b, step);
  bench_write(b, x, bench_number(b, F32, 9));
  CU_ASSERT_FALSE(bench_run(b));
  const Diag *d = only_error(b);
  CU_ASSERT_EQUAL(d->id, E_ASSERT);
  CU_ASSERT_STRING_EQUAL(d->text, "the assertion does not hold: why");
  CU_ASSERT_EQUAL_FATAL(d->note.n, 2);
  CU_ASSERT_STRING_EQUAL(d->note.at[0].text, "left: [1, 1.25]");
  CU_ASSERT_STRING_EQUAL(d->note.at[1].text, "right: [1.1, 1.1]");
  CU_ASSERT_EQUAL(bench_value(b, x), 3);
}

BENCH(seed_writes_the_cell) {
  Type key = type_make(I32, 1, (int64_t[]){2});
  SlotId seed = bench_cell(b, &key, "seed", 0), n = bench_scalar(b, I32, "n", -2), low = bench_scalar(b, I32, "low", 0);
  bench_segment(b);
  bench_effect(b, effect_seed(&b->s, seed, 0x500000007, 0));
  bench_write(b, low, bench_sum(b, bench_read(b, seed)));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, low), 12);
  uint32_t from = b->s.program->segment.n;
  Steps two = {0};
  b->steps = &two;
  bench_segment(b);
  bench_effect(b, effect_seed_of(&b->s, seed, bench_read(b, n), 0));
  CU_ASSERT(program_prepare(b->s.program, from, &two, true, NULL, 0) && machine_run(&b->s, &two));
  CU_ASSERT_EQUAL(tensor_get(b->s.program->slot.at[seed].value, 0), -2);
  CU_ASSERT_EQUAL(tensor_get(b->s.program->slot.at[seed].value, 1), -1);
}

/* save {w, y = w + w}; w = 0; load w */
BENCH(trees_are_saved_and_loaded) {
  Type t = type_make(F32, 1, (int64_t[]){3});
  SlotId w = bench_cell(b, &t, "w", 1), y = bench_cell(b, &t, "y", 7);
  bench_segment(b);
  NodeId old = bench_read(b, w);
  TreeEntry out[2] = {{"w", NULL, w, NO_NODE}, {"y", NULL, NO_SLOT, bench_add(b, old, old)}};
  bench_effect(b, effect_save(&b->s, FILE_VALUE, out, 2, 0));
  bench_write(b, w, g_broadcast(b->s.graph, bench_number(b, F32, 0), &t));
  TreeEntry in[2] = {{"y", NULL, y, NO_NODE}, {"w", NULL, w, NO_NODE}};
  bench_effect(b, effect_load(&b->s, FILE_VALUE, in, 2, "w", NULL, 0));
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(bench_value(b, w), 1);
  CU_ASSERT_EQUAL(bench_value(b, y), 2);
  remove(FILE_NAME);
}

BENCH(load_names_what_does_not_fit) {
  Type three = type_make(F32, 1, (int64_t[]){3}), four = type_make(F32, 1, (int64_t[]){4});
  SlotId a = bench_cell(b, &three, "a", 1), c = bench_cell(b, &four, "c", 5), good = bench_cell(b, &three, "good", 8);
  SlotId other = bench_cell(b, &three, "other", 50);
  bench_segment(b);
  TreeEntry out[3] = {{"c", NULL, a, NO_NODE}, {"extra", NULL, a, NO_NODE}, {"good", NULL, other, NO_NODE}};
  bench_effect(b, effect_save(&b->s, FILE_VALUE, out, 3, 0));
  TreeEntry in[3] = {{"good", NULL, good, NO_NODE}, {"a", NULL, a, NO_NODE}, {"c", NULL, c, NO_NODE}};
  bench_effect(b, effect_load(&b->s, FILE_VALUE, in, 3, "w", NULL, 0));
  CU_ASSERT_FALSE(bench_run(b));
  const Diag *d = only_error(b);
  CU_ASSERT_EQUAL(d->id, E_LOAD_ENTRIES);
  CU_ASSERT_EQUAL_FATAL(d->note.n, 3);
  CU_ASSERT_STRING_EQUAL(d->note.at[0].text, "`a` is missing: f32[3]");
  CU_ASSERT_STRING_EQUAL(d->note.at[1].text, "`c` is f32[3] there, f32[4] here");
  CU_ASSERT_STRING_EQUAL(d->note.at[2].text, "`extra` is in the file, but not in what is loaded: f32[3]");
  CU_ASSERT_EQUAL(bench_value(b, good), 8);
  remove(FILE_NAME);
}

BENCH(files_that_cannot_be) {
  SlotId a = bench_scalar(b, F32, "a", 1);
  TreeEntry e = {"a", NULL, a, NO_NODE};
  bench_segment(b);
  bench_effect(b, effect_load(&b->s, TEXT("no/such/file"), &e, 1, "w", NULL, 0));
  CU_ASSERT_FALSE(bench_run(b));
  CU_ASSERT_EQUAL(only_error(b)->id, E_LOAD_FAILED);
  uint32_t from = b->s.program->segment.n;
  Steps two = {0};
  b->steps = &two;
  bench_segment(b);
  bench_effect(b, effect_save(&b->s, TEXT("no/such/folder/file"), &e, 1, 0));
  CU_ASSERT(program_prepare(b->s.program, from, &two, true, NULL, 0));
  CU_ASSERT_FALSE(machine_run(&b->s, &two));
  CU_ASSERT_EQUAL(b->s.diags->diag.n, 2);
}

BENCH(a_series_grows) {
  SlotId x = bench_scalar(b, F32, "x", 0);
  Table *table = table_new(&b->s);
  bench_segment(b);
  Step *loop = bench_loop(b, 100);
  Inner in = bench_into(b, &loop->piece.at[0].body);
  NodeId now = bench_write(b, x, bench_add(b, bench_read(b, x), bench_number(b, F32, 0.5)));
  const char *names[] = {"epoch", "loss"};
  bench_effect(b, effect_add(&b->s, table, names, (NodeId[]){bench_turn_read(b, loop), now}, 2, 0));
  bench_end(b, in);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(table_rows(table), 100);
  CU_ASSERT_PTR_NULL(table_tensor(&b->s, table, "nothing"));
  Tensor *loss = table_tensor(&b->s, table, "loss"), *epoch = table_tensor(&b->s, table, "epoch");
  CU_ASSERT_EQUAL(loss->type.dim[0], 100);
  CU_ASSERT_EQUAL(tensor_get(loss, 99), 50);
  CU_ASSERT_EQUAL(epoch->type.dtype, I32);
  CU_ASSERT_EQUAL(tensor_get(epoch, 99), 99);
  tensor_unref(loss);
  tensor_unref(epoch);
  Type i32 = type_scalar(I32);
  CU_ASSERT_FALSE(table_column(&b->s, table, "loss", &i32));
}

static int lines;
static char line[300];
static void progress(void *to, const char *text, bool final) {
  (void)to;
  if (!final) return;
  lines++;
  snprintf(line, sizeof line, "%s", text);
}

BENCH(progress_says_each_epoch) {
  SlotId loss = bench_scalar(b, F32, "loss", 0.25);
  b->s.config.progress = progress;
  lines = 0;
  ProgressSpec spec = {.clock = progress_clock(&b->s), .epoch = NO_NODE, .batch = NO_NODE, .epochs = 2, .batches = 50,
                       .samples = 3200};
  bench_segment(b);
  bench_effect(b, effect_progress(&b->s, &spec, 0));
  Step *outer = bench_loop(b, 2);
  Inner in = bench_into(b, &outer->piece.at[0].body);
  NodeId epoch = bench_add(b, bench_turn_read(b, outer), bench_number(b, I32, 1));
  Step *inner = bench_loop(b, 50);
  Inner in2 = bench_into(b, &inner->piece.at[0].body);
  NodeId value = bench_read(b, loss);
  spec.when = PROGRESS_BATCH;
  spec.epoch = epoch;
  spec.batch = bench_turn_read(b, inner);
  spec.n = 1;
  spec.label = (const char *const[]){"loss"};
  spec.value = &value;
  bench_effect(b, effect_progress(&b->s, &spec, 0));
  bench_end(b, in2);
  spec.when = PROGRESS_EPOCH;
  spec.batch = NO_NODE;
  value = bench_read(b, loss);
  bench_effect(b, effect_progress(&b->s, &spec, 0));
  bench_end(b, in);
  CU_ASSERT(bench_run(b));
  CU_ASSERT_EQUAL(lines, 2);
  CU_ASSERT_EQUAL(strncmp(line, "epoch 2/2  loss 0.2500", 22), 0);
  const char *rate = strstr(line, " samples/s  ");     /* how long it took depends on who else is at work */
  int ended = 1;
  CU_ASSERT_FATAL(rate != NULL);
  CU_ASSERT(sscanf(rate, " samples/s  %*u.%*u %*[ms], in all %*u.%*u %*[ms]%n", &ended) == 0 && rate[ended] == '\0');
}

static void whole(Host *h, void *ctx) {
  (void)ctx;
  static Bench bench;
  Bench *b = &bench;
  Guard inner;
  volatile bool through = false;
  memset(b, 0, sizeof *b);
  host_init(&b->s.host, h->realloc, h->user);
  if (HOST_GUARD(&b->s.host, &inner)) {
    bench_open(b);
    Type t = type_make(F32, 1, (int64_t[]){3});
    SlotId w = bench_cell(b, &t, "w", 1);
    TreeEntry e = {"w", NULL, w, NO_NODE}, wrong[2] = {{"v", NULL, w, NO_NODE}, {"u", NULL, w, NO_NODE}};
    Table *table = table_new(&b->s);
    const char *name = "w";
    bench_segment(b);
    NodeId node = bench_read(b, w);
    bench_effect(b, effect_save(&b->s, FILE_VALUE, &e, 1, 0));
    bench_effect(b, effect_add(&b->s, table, &name, &node, 1, 0));
    bench_effect(b, effect_load(&b->s, FILE_VALUE, &e, 1, "w", NULL, 0));
    bench_effect(b, effect_load(&b->s, FILE_VALUE, wrong, 2, "w", NULL, 0));
    CU_ASSERT_FALSE(bench_run(b));
    bench_close(b);
    host_leave(&b->s.host, &inner);
    through = true;
  }
  CU_ASSERT_EQUAL(b->s.host.in_use, 0);
  remove(FILE_NAME);
  if (!through) host_fail(h, FAIL_MEMORY, "%s", b->s.host.message);
}
static void every_allocation_fails_once(void) { CU_ASSERT(alloc_fail_each(whole, NULL) > 30); }

UNIT(TEST(print_writes_text), TEST(an_output_that_is_gone_ends_the_run), TEST(assert_stops_before_later_cells_change),
     TEST(seed_writes_the_cell), TEST(trees_are_saved_and_loaded), TEST(load_names_what_does_not_fit),
     TEST(files_that_cannot_be), TEST(a_series_grows), TEST(progress_says_each_epoch),
     TEST(every_allocation_fails_once))
