/* The C stack of the thread that calls: whatever its size, a call answers with a status. On 256 kB all that nests in
 * the ordinary way works; what nests deeper is an error of the script, and works on the stack of a main program.
 */
#define _POSIX_C_SOURCE 200809L
#include <glia.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include "embed.h"

#if defined GLIA_ASAN || defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { LARGER = 6 };                 /* what a frame of the sanitizers takes */
#else
enum { LARGER = 1 };
#endif

static float points[] = {1, 2, 3, 4, 5, 6, 7, 8};
static const int64_t four_two[] = {4, 2}, two[] = {2};

static const char net[] =
    "let net = dense(2, 4, tanh) >> dense(4, 1)\n"
    "let opt = adam(net)\n"
    "fn f(x: [N, 2]) = net(x)\n"
    "fn g(x: [N]) = fold(fn (s, v) = fold(fn (t, w) = t + w * v, s, x), 0.0, x)\n"
    "proc step(x: [N, 2]) { let l = mean(net(x)^2)\n opt.step(l)\n l }\n";

static glia_status text(glia_session *s, const char *t) { return glia_load(s, "a", t, GLIA_TEXT_END); }

static glia_status load_let(glia_session *s) { return text(s, "let a = 1\n"); }
static glia_status load_net(glia_session *s) { return text(s, net); }

static glia_status call(glia_session *s, const char *name, const glia_array *x) {
  glia_function *f = NULL;
  glia_array y = {0};
  glia_status status = text(s, net);
  if (status == GLIA_OK) status = glia_get_function(s, name, &f);
  return status == GLIA_OK ? glia_call(f, x, 1, &y, 1) : status;
}
static glia_status call_formula(glia_session *s) { return call(s, "f", &(glia_array){GLIA_F32, 2, {4, 2}, points}); }
static glia_status call_loops(glia_session *s) { return call(s, "g", &(glia_array){GLIA_F32, 1, {2}, points}); }
static glia_status call_step(glia_session *s) { return call(s, "step", &(glia_array){GLIA_F32, 2, {4, 2}, points}); }

static glia_status gradient(glia_session *s) {
  glia_function *f = NULL;
  glia_frozen *z = NULL;
  glia_tree *grads;
  glia_array x = glia_f32(points, 2, four_two), y = {0};
  glia_status status = text(s, "param w: [2] = 1\nfn f(x: [N, 2]) = mean((x @ w)^2)\n");
  if (status == GLIA_OK) status = glia_get_function(s, "f", &f);
  if (status == GLIA_OK) status = glia_value_and_grad(f, "w", &x, 1, &y, &grads);
  if (status == GLIA_OK) status = glia_freeze(f, "w", &x, 1, &z);
  y.data = NULL;
  if (status == GLIA_OK) status = glia_frozen_call(z, &x, 1, &y, 1, &grads);
  glia_frozen_close(z);
  return status;
}

static glia_status training(glia_session *s) {
  return text(s, "let data = moons(100)\n"
                 "let net = dense(2, 8, tanh) >> dense(8, 2)\n"
                 "let r = train(net, data, loss = cross_entropy, epochs = 2, metrics = [accuracy])\n");
}

static glia_status graph(glia_session *s) {
  (void)s;
  glia_graph *g;
  glia_plan *p;
  glia_node d = GLIA_NO_NODE;
  glia_array x = glia_f32(points, 2, four_two), y = {0};
  glia_status status = glia_graph_open(NULL, &g);
  if (status != GLIA_OK) return status;
  glia_node a = glia_input(g, GLIA_F32, 2, four_two), sum = glia_sum_all(g, glia_op1(g, "tanh", a));
  status = glia_grad(g, sum, &a, 1, &d);
  if (status == GLIA_OK) status = glia_compile(g, &a, 1, &d, 1, NULL, 0, &p);
  if (status == GLIA_OK) status = glia_run(p, &x, 1, &y, 1);
  glia_graph_close(g);
  return status;
}

/* `before`, then n times `part`, then `after`. */
static glia_status long_text(glia_session *s, const char *before, const char *part, int n, const char *after) {
  size_t size = strlen(before) + strlen(part) * (size_t)n + strlen(after) + 1;
  char *t = malloc(size), *at = t;
  if (!t) return GLIA_MEMORY;
  at = strcpy(at, before) + strlen(before);
  for (int k = 0; k < n; k++) at = strcpy(at, part) + strlen(part);
  strcpy(at, after);
  glia_status status = text(s, t);
  free(t);
  return status;
}
static glia_status terms(glia_session *s) { return long_text(s, "let c = 1", "+1", 3000, "\n"); }
static glia_status signs(glia_session *s) { return long_text(s, "let c = ", "-", 3000, "1\n"); }
static glia_status branches(glia_session *s) {
  return long_text(s, "fn f(n) = if n == 0 { 0 }", " else if n == 1 { 2 }", 1500, " else { 1 }\nlet y = f(7)\n");
}
static glia_status blocks(glia_session *s) { return long_text(s, "", "if true {\n", 900, "print 1\n"); }
static glia_status calls(glia_session *s) {
  return text(s, "fn f(n: int) = if n <= 1 { 1 } else { n + f(n - 1) }\nlet q = f(900)\n");
}
static glia_status tuples(glia_session *s) {
  return text(s, "fn deep(v) = fold(fn (x, _) = (x, 1), (v, v), [\"\" for _ in 1..3000])\n"
                 "let a = deep(1.0)\nprint a\n");
}
static glia_status loops(glia_session *s) {
  return text(s, "fn nest(n: int, x) =\n  if n == 0 { sin(x) } else { fold(fn (s, i) = nest(n - 1, s), x, 1..1) }\n"
                 "print nest(120, 1.0)\n");
}
static glia_status tuple_types(glia_session *s) { return long_text(s, "fn f(x: ", "(", 900, "[2]\n"); }

enum { ENOUGH, DEEP, WRONG };        /* it works on 256 kB; on the stack of a main program; nowhere */
typedef struct Case { const char *name; glia_status (*run)(glia_session *s); int kind; } Case;
static const Case cases[] = {
    {"a let", load_let, ENOUGH},          {"a net", load_net, ENOUGH},         {"a call", call_formula, ENOUGH},
    {"loops in a call", call_loops, ENOUGH}, {"a step", call_step, ENOUGH},    {"a gradient", gradient, ENOUGH},
    {"a training", training, ENOUGH},     {"a graph", graph, ENOUGH},          {"3,000 terms", terms, DEEP},
    {"3,000 signs", signs, DEEP},         {"1,500 branches", branches, DEEP},  {"900 blocks", blocks, WRONG},
    {"900 calls", calls, DEEP},           {"3,000 tuples", tuples, DEEP},      {"120 loops", loops, DEEP},
    {"900 brackets of a type", tuple_types, WRONG},
};
enum { N_CASES = sizeof cases / sizeof *cases };

typedef struct Job { const Case *c; glia_status status; char why[400]; } Job;

static void *job(void *v) {
  Job *j = v;
  glia_session *s = NULL;
  glia_config c = {.threads = 1};
  j->status = glia_open(&c, &s);
  if (j->status == GLIA_OK) j->status = j->c->run(s);
  snprintf(j->why, sizeof j->why, "%s", s ? glia_error(s) : "");
  glia_close(s);
  return NULL;
}

static glia_status on_stack(const Case *c, size_t kb) {
  Job j = {.c = c};
  pthread_t t;
  pthread_attr_t a;
  pthread_attr_init(&a);
  CHECK(pthread_attr_setstacksize(&a, kb << 10) == 0);
  CHECK(pthread_create(&t, &a, job, &j) == 0);
  pthread_join(t, NULL);
  pthread_attr_destroy(&a);
  bool deep = j.status == GLIA_SCRIPT && strstr(j.why, "nested too deeply");
  bool fine = j.status == GLIA_OK || (c->kind == DEEP && deep) || (c->kind == WRONG && j.status == GLIA_SCRIPT) ||
              (kb < 256 * LARGER && (deep || j.status == GLIA_LIMIT));
  if (!fine) printf("%s on %zu kB: status %d, %s\n", c->name, kb, j.status, j.why);
  CHECK(fine);
  return j.status;
}

static void sizes(void) {
  for (int k = 0; k < N_CASES; k++) {
    for (size_t kb = 64; kb <= 1024; kb += kb < 256 ? 16 : 128) on_stack(&cases[k], kb * LARGER);
    glia_status large = on_stack(&cases[k], 8192 * LARGER);
    CHECK(large == (cases[k].kind == WRONG ? GLIA_SCRIPT : GLIA_OK));
  }
}

/* Called where only so much is left of a stack that has been found to be large. */
static glia_status lower(glia_function *f, glia_frozen *z, const glia_array *x, uintptr_t end, size_t *failed) {
  volatile char room[4096];
  room[0] = 1;
  glia_array y = {0};
  glia_status status = (uintptr_t)room > end ? lower(f, z, x, end, failed) : GLIA_OK;
  glia_status call_status = glia_call(f, x, 1, &y, 1);
  y.data = NULL;
  glia_status frozen = glia_frozen_call(z, x, 1, &y, 1, NULL);
  CHECK(call_status == GLIA_OK || call_status == GLIA_LIMIT);
  CHECK(frozen == GLIA_OK || frozen == GLIA_LIMIT);
  if (call_status != GLIA_OK) (*failed)++;
  return room[0] < 0 ? GLIA_MISUSE : status;
}

static void *down(void *kb) {
  glia_session *s;
  glia_function *f;
  glia_frozen *z = NULL;
  size_t failed = 0;
  glia_array x = glia_f32(points, 1, two);
  CHECK(glia_open(&(glia_config){.threads = 1}, &s) == GLIA_OK && text(s, "fn f(x: [N]) = sum(x)\n") == GLIA_OK);
  CHECK(glia_get_function(s, "f", &f) == GLIA_OK && glia_freeze(f, NULL, &x, 1, &z) == GLIA_OK);
  lower(f, z, &x, (uintptr_t)&failed - ((*(size_t *)kb - 40 * LARGER) << 10), &failed);
  CHECK(failed > 0);
  glia_array y = {0};
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 3);
  glia_frozen_close(z);
  glia_close(s);
  return NULL;
}

static void near_the_end(void) {
  size_t kb = 512 * LARGER;
  pthread_t t;
  pthread_attr_t a;
  pthread_attr_init(&a);
  CHECK(pthread_attr_setstacksize(&a, kb << 10) == 0);
  CHECK(pthread_create(&t, &a, down, &kb) == 0);
  pthread_join(t, NULL);
  pthread_attr_destroy(&a);
}

/* config.stack holds on a large stack, too. */
static void allowed(void) {
  glia_session *s;
  glia_config c = {.threads = 1, .stack = (size_t)256 * LARGER << 10};
  CHECK(glia_open(&c, &s) == GLIA_OK);
  CHECK(calls(s) == GLIA_SCRIPT && strstr(glia_error(s), "E0820"));
  CHECK(training(s) == GLIA_OK);
  glia_close(s);
}

int main(void) {
  sizes();
  near_the_end();
  allowed();
  return wrong != 0;
}
