/* glia_graph.h as a user meets it: results, misuse, and every allocation failing once. */
#include <glia_graph.h>
#include <math.h>
#include <string.h>
#include "embed.h"

static const int64_t two_three[] = {2, 3}, three[] = {3}, two[] = {2};

static void computes(void) {
  glia_graph *g;
  CHECK(glia_graph_open(NULL, &g) == GLIA_OK);
  glia_node x = glia_input(g, GLIA_F64, 1, three);
  glia_node y = glia_sum_all(g, glia_mul(g, x, glia_op1(g, "square", x)));      /* sum of x^3 */
  glia_node dx, ddx;
  CHECK(glia_grad(g, y, &x, 1, &dx) == GLIA_OK);
  CHECK(glia_grad(g, glia_sum_all(g, dx), &x, 1, &ddx) == GLIA_OK);
  glia_plan *p;
  glia_node outputs[] = {y, dx, ddx, y};
  CHECK(glia_compile(g, &x, 1, outputs, 4, NULL, 0, &p) == GLIA_OK);
  double at[] = {1, 2, -3}, own[3] = {0};
  glia_array in = glia_f64(at, 1, three), out[4] = {{0}};
  out[1] = glia_f64(own, 1, three);
  CHECK(glia_run(p, &in, 1, out, 4) == GLIA_OK);
  CHECK(out[0].rank == 0 && *(double *)out[0].data == -18 && *(double *)out[3].data == -18);
  CHECK(own[0] == 3 && own[1] == 12 && own[2] == 27);
  double *second = out[2].data;
  CHECK(second[0] == 6 && second[1] == 12 && second[2] == -18);
  at[0] = 2;
  CHECK(glia_run(p, &in, 1, out, 4) == GLIA_OK);
  CHECK(own[0] == 12);
  glia_plan_close(p);
  glia_graph_close(g);
}

/* An output that is an input, a constant, or the same as another; an input that nothing reads. */
static void odd_outputs(void) {
  glia_graph *g;
  CHECK(glia_graph_open(NULL, &g) == GLIA_OK);
  float numbers[] = {1, 2, 3}, more[] = {4, 5, 6}, copy[3] = {0}, fixed[3] = {0};
  glia_array c = glia_f32(numbers, 1, three);
  glia_node x = glia_input(g, GLIA_F32, 1, three), unused = glia_input(g, GLIA_F32, 1, three), k = glia_constant(g, &c);
  glia_node inputs[] = {x, unused}, outputs[] = {x, k, x};
  glia_plan *p = NULL;
  CHECK(glia_compile(g, inputs, 2, outputs, 3, NULL, 0, &p) == GLIA_OK);
  glia_array in[] = {glia_f32(more, 1, three), glia_f32(numbers, 1, three)};
  glia_array out[] = {glia_f32(copy, 1, three), glia_f32(fixed, 1, three), {0}};
  CHECK(glia_run(p, in, 2, out, 3) == GLIA_OK);
  CHECK(!memcmp(copy, more, sizeof copy) && !memcmp(fixed, numbers, sizeof fixed));
  CHECK(out[2].data && !memcmp(out[2].data, more, sizeof more));
  glia_graph_close(g);
}

static void misuse(void) {
  glia_graph *g;
  glia_node d;
  glia_plan *p;
  CHECK(glia_graph_open(NULL, NULL) == GLIA_MISUSE);
  CHECK(glia_graph_open(&(glia_graph_config){.threads = -1}, &g) == GLIA_MISUSE && !g);
  CHECK(glia_graph_open(&(glia_graph_config){.threads = 2}, &g) == GLIA_OK);
  CHECK(glia_input(NULL, GLIA_F32, 0, NULL) == GLIA_NO_NODE);
  CHECK(glia_input(g, (glia_dtype)9, 0, NULL) == GLIA_NO_NODE && *glia_graph_error(g));
  CHECK(glia_input(g, GLIA_F32, 17, two_three) == GLIA_NO_NODE);
  CHECK(glia_input(g, GLIA_F32, -1, two_three) == GLIA_NO_NODE);
  CHECK(glia_input(g, GLIA_F32, 2, NULL) == GLIA_NO_NODE);
  CHECK(glia_input(g, GLIA_F32, 1, (int64_t[]){-5}) == GLIA_NO_NODE);
  CHECK(glia_input(g, GLIA_F32, 2, (int64_t[]){INT64_MAX, INT64_MAX}) == GLIA_NO_NODE);
  CHECK(glia_constant(g, NULL) == GLIA_NO_NODE);
  CHECK(glia_scalar(g, (glia_dtype)77, 1) == GLIA_NO_NODE);
  glia_node x = glia_input(g, GLIA_F32, 2, two_three), v = glia_input(g, GLIA_F32, 1, two),
            i = glia_input(g, GLIA_I32, 0, NULL);
  CHECK(glia_op1(g, "no_such_thing", x) == GLIA_NO_NODE && strstr(glia_graph_error(g), "no_such_thing"));
  CHECK(glia_op1(g, NULL, x) == GLIA_NO_NODE);
  CHECK(glia_op1(g, "add", x) == GLIA_NO_NODE);
  CHECK(glia_op1(g, "input", x) == GLIA_NO_NODE && glia_op(g, "constant", NULL, 0, NULL, 0) == GLIA_NO_NODE);
  CHECK(glia_op1(g, "sin", 12345) == GLIA_NO_NODE);
  CHECK(glia_add(g, x, v) == GLIA_NO_NODE && strstr(glia_graph_error(g), "[2, 3]"));
  CHECK(glia_op1(g, "sin", glia_add(g, x, v)) == GLIA_NO_NODE && strstr(glia_graph_error(g), "add"));
  CHECK(glia_add(g, x, i) == GLIA_NO_NODE);
  CHECK(glia_sum(g, x, (int[]){2}, 1, 0) == GLIA_NO_NODE);
  CHECK(glia_sum(g, x, (int[]){0, -2}, 2, 0) == GLIA_NO_NODE);
  CHECK(glia_reshape(g, x, 1, (int64_t[]){5}) == GLIA_NO_NODE);
  CHECK(glia_reshape(g, x, 1, NULL) == GLIA_NO_NODE);
  CHECK(glia_broadcast(g, x, 1, two) == GLIA_NO_NODE);
  CHECK(glia_cast(g, x, (glia_dtype)99) == GLIA_NO_NODE);
  CHECK(glia_grad(g, x, &x, 1, &d) == GLIA_MISUSE && d == GLIA_NO_NODE);
  glia_node y = glia_sum_all(g, x);
  CHECK(glia_grad(g, y, &i, 1, &d) == GLIA_MISUSE);
  CHECK(glia_grad(g, y, NULL, 1, &d) == GLIA_MISUSE);
  CHECK(glia_grad(NULL, y, &x, 1, &d) == GLIA_MISUSE);
  CHECK(glia_grad(g, GLIA_NO_NODE, &x, 1, &d) == GLIA_MISUSE);
  CHECK(glia_compile(g, NULL, 0, &y, 1, NULL, 0, &p) == GLIA_MISUSE && !p);
  CHECK(glia_compile(g, &y, 1, &y, 1, NULL, 0, &p) == GLIA_MISUSE);
  CHECK(glia_compile(g, &x, 1, NULL, 0, NULL, 0, &p) == GLIA_MISUSE);
  CHECK(glia_compile(g, &x, 1, &y, 1, &(glia_update){x, y}, 1, &p) == GLIA_MISUSE);
  CHECK(glia_compile(g, (glia_node[]){x, x}, 2, &y, 1, NULL, 0, &p) == GLIA_MISUSE);
  CHECK(glia_compile(g, &x, 1, &y, 1, NULL, 0, NULL) == GLIA_MISUSE);
  CHECK(glia_compile(g, &x, 1, &y, 1, NULL, 0, &p) == GLIA_OK);
  float data[6] = {1, 2, 3, 4, 5, 6}, sum = 0;
  glia_array in = glia_f32(data, 2, two_three), out = glia_f32(&sum, 0, NULL), bad = glia_f32(data, 1, two);
  CHECK(glia_run(NULL, &in, 1, &out, 1) == GLIA_MISUSE);
  CHECK(glia_run(p, &in, 2, &out, 1) == GLIA_MISUSE);
  CHECK(glia_run(p, NULL, 1, &out, 1) == GLIA_MISUSE);
  CHECK(glia_run(p, &bad, 1, &out, 1) == GLIA_MISUSE);
  CHECK(glia_run(p, &in, 1, &bad, 1) == GLIA_MISUSE);
  in.dtype = GLIA_I32;
  CHECK(glia_run(p, &in, 1, &out, 1) == GLIA_MISUSE);
  in.dtype = GLIA_F32;
  in.data = NULL;
  CHECK(glia_run(p, &in, 1, &out, 1) == GLIA_MISUSE && *glia_graph_error(g));
  in.data = data;
  out.data = data + 2;
  CHECK(glia_run(p, &in, 1, &out, 1) == GLIA_MISUSE && strstr(glia_graph_error(g), "lies on"));
  out.data = &sum;
  glia_graph_cancel(g);
  CHECK(glia_run(p, &in, 1, &out, 1) == GLIA_CANCELLED);
  CHECK(glia_run(p, &in, 1, &out, 1) == GLIA_OK && sum == 21);
  CHECK(glia_node_type(g, x, NULL) == GLIA_MISUSE && glia_node_type(g, 999999, &in) == GLIA_MISUSE);
  CHECK(glia_count(NULL) == -1 && glia_count(&out) == 1);
  glia_plan_close(NULL);
  glia_graph_close(g);
  glia_graph_close(NULL);
  glia_graph_cancel(NULL);
  CHECK(*glia_graph_error(NULL));
  CHECK(strchr(glia_version(), '.') != NULL);
}

/* What is made of more than operands and numbers is refused, and only that. */
static void made_of_more(void) {
  glia_graph *g;
  CHECK(glia_graph_open(NULL, &g) == GLIA_OK);
  glia_node x = glia_input(g, GLIA_F32, 1, two);
  static const char *const refused[] = {"custom", "loop", "pick", "input", "constant"};
  for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
    for (int n = 0; n < 2; n++) CHECK(glia_op(g, refused[k], &x, n, NULL, 0) == GLIA_NO_NODE);
  CHECK(glia_op1(g, "alias", x) != GLIA_NO_NODE && glia_add(g, x, x) != GLIA_NO_NODE);
  glia_graph_close(g);
}

/* A training step with the k-th allocation failing. true: it got through. */
static int step(Failing *f) {
  glia_graph *g;
  glia_graph_config config = {.alloc = failing, .user = f, .threads = 1};
  glia_status status = glia_graph_open(&config, &g);
  if (status != GLIA_OK) {
    CHECK(status == GLIA_MEMORY && !g && f->out == 0);
    return 0;
  }
  float w[] = {1, 2, 3}, before[] = {1, 2, 3};
  glia_plan *p = NULL;
  glia_node x = glia_input(g, GLIA_F32, 1, three), d = GLIA_NO_NODE;
  glia_node loss = glia_sum_all(g, glia_op1(g, "square", x));
  glia_array in = glia_f32(w, 1, three), out = {0};
  status = glia_grad(g, loss, &x, 1, &d);
  if (status == GLIA_OK) {
    glia_update update = {x, glia_sub(g, x, d)};
    status = glia_compile(g, &x, 1, &loss, 1, &update, 1, &p);
  }
  if (status == GLIA_OK) {
    long count = f->count;
    status = glia_run(p, &in, 1, &out, 1);
    CHECK(f->count == count);                    /* a run allocates nothing */
    CHECK(status == GLIA_OK && *(float *)out.data == 14 && w[0] == -1 && w[2] == -3);
  } else {
    CHECK(!memcmp(w, before, sizeof w) && *glia_graph_error(g));
    f->fail_at = 0;                              /* the graph is usable afterwards */
    x = glia_input(g, GLIA_F32, 1, three);
    loss = glia_sum_all(g, x);
    CHECK(glia_compile(g, &x, 1, &loss, 1, NULL, 0, &p) == GLIA_OK && glia_run(p, &in, 1, &out, 1) == GLIA_OK);
    CHECK(out.data && *(float *)out.data == 6);
  }
  glia_graph_close(g);
  CHECK(f->out == 0);
  return status == GLIA_OK;
}

static void every_allocation_fails(void) {
  for (long k = 1; k < 100000; k++) {
    Failing f = {.fail_at = k};
    if (step(&f)) {
      CHECK(k > 10);
      return;
    }
  }
  CHECK(0 && "it never got through");
}

int main(void) {
  computes();
  odd_outputs();
  misuse();
  made_of_more();
  every_allocation_fails();
  return wrong != 0;
}
