/* glia.h for hosts with threads and functions of their own: frozen handles, shared pools, registered functions with
 * gradients, training that is watched and stopped, and every allocation of all that failing once.
 */
#define _POSIX_C_SOURCE 200809L
#include <glia.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include "embed.h"

static const char model[] =
    "let net = dense(3, 4, tanh) >> dense(4, 2)\n"
    "fn predict(x: [N, 3]) -> [N, 2] = net(x)\n"
    "fn loss(x: [N, 3], y: [N, 2]) = mean((net(x) - y)^2)\n"
    "let opt = sgd(net, lr = 0.1)\n"
    "proc step(x: [N, 3], y: [N, 2]) { let l = loss(x, y); opt.step(l); l }\n"
    "fn pick(x: [N], i: i32[]) = x[i]\n"
    "fn pair(x) = (x, 2 * x, 2 * x)\n"
    "fn noise(x: [N]) { let z: [N] ~ normal(0, 1); x + z }\n"
    "fn fixed(x) = net[0].w\n";

static const int64_t two_three[] = {2, 3}, two_two[] = {2, 2}, three[] = {3}, two[] = {2};
static float points[] = {0.1f, -0.2f, 0.3f, 0.5f, 0.4f, -0.6f}, targets[] = {1, 0, 0, 1};

static glia_session *loaded(const glia_config *c) {
  glia_session *s;
  CHECK(glia_open(c, &s) == GLIA_OK);
  CHECK(glia_load(s, "model.nn", model, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  return s;
}

static glia_function *function(glia_session *s, const char *name) {
  glia_function *f = NULL;
  CHECK(glia_get_function(s, name, &f) == GLIA_OK);
  if (!f) puts(glia_error(s));
  return f;
}

/* ---- frozen handles ---- */
typedef struct Job { glia_frozen *f; float first[4]; int good; } Job;

static void *call_often(void *to) {
  Job *j = to;
  glia_array x = glia_f32(points, 2, two_three);
  j->good = 1;
  for (int k = 0; k < 500; k++) {
    glia_array y = {0};
    if (glia_frozen_call(j->f, &x, 1, &y, 1, NULL) != GLIA_OK) j->good = 0;
    else if (k == 0) memcpy(j->first, y.data, sizeof j->first);
    else if (memcmp(j->first, y.data, sizeof j->first)) j->good = 0;
  }
  return NULL;
}

static void frozen(void) {
  glia_session *s = loaded(&(glia_config){.threads = 2});
  glia_function *predict = function(s, "predict"), *step = function(s, "step");
  glia_array x[] = {glia_f32(points, 2, two_three), glia_f32(targets, 2, two_two)}, y = {0}, l = {0};
  float before[4];
  CHECK(glia_call(predict, x, 1, &y, 1) == GLIA_OK);
  memcpy(before, y.data, sizeof before);
  Job job[3];
  pthread_t thread[3];
  for (int k = 0; k < 3; k++) {
    CHECK(glia_freeze(predict, NULL, x, 1, &job[k].f) == GLIA_OK);
    CHECK(pthread_create(&thread[k], NULL, call_often, &job[k]) == 0);
  }
  float first = 0;
  for (int k = 0; k < 200; k++) {                     /* the session trains meanwhile */
    l.data = NULL;
    CHECK(glia_call(step, x, 2, &l, 1) == GLIA_OK);
    if (k == 0) first = *(float *)l.data;
  }
  CHECK(*(float *)l.data < first / 2);
  for (int k = 0; k < 3; k++) {
    pthread_join(thread[k], NULL);
    CHECK(job[k].good && !memcmp(job[k].first, before, sizeof before));
    glia_frozen_close(job[k].f);
  }
  y.data = NULL;
  CHECK(glia_call(predict, x, 1, &y, 1) == GLIA_OK && memcmp(before, y.data, sizeof before));
  glia_close(s);
}

static void frozen_gradients_and_misuse(void) {
  glia_session *s = loaded(&(glia_config){.threads = 1});
  glia_function *loss = function(s, "loss");
  glia_array x[] = {glia_f32(points, 2, two_three), glia_f32(targets, 2, two_two)}, y = {0}, a, b;
  glia_tree *g, *h;
  glia_frozen *z = NULL;
  CHECK(glia_freeze(loss, "net", x, 2, &z) == GLIA_OK);
  CHECK(glia_value_and_grad(loss, "net", x, 2, &y, &g) == GLIA_OK);
  float value = *(float *)y.data;
  y.data = NULL;
  CHECK(glia_frozen_call(z, x, 2, &y, 1, &h) == GLIA_OK && *(float *)y.data == value && !*glia_frozen_error(z));
  CHECK(glia_tree_count(h) == 4 && glia_tree_get(g, "0.w", &a) == GLIA_OK && glia_tree_get(h, "0.w", &b) == GLIA_OK);
  CHECK(a.data != b.data && !memcmp(a.data, b.data, 12 * sizeof(float)));
  CHECK(glia_frozen_call(z, x, 1, &y, 1, NULL) == GLIA_MISUSE && *glia_frozen_error(z));
  glia_array other[] = {x[1], x[1]};
  CHECK(glia_frozen_call(z, other, 2, &y, 1, NULL) == GLIA_MISUSE && strstr(glia_frozen_error(z), "argument 0"));
  CHECK(glia_frozen_call(z, x, 2, &other[0], 1, NULL) == GLIA_MISUSE && strstr(glia_frozen_error(z), "result 0"));
  CHECK(glia_frozen_call(NULL, x, 2, &y, 1, &h) == GLIA_MISUSE && !h && *glia_frozen_error(NULL));
  glia_frozen_close(z);
  glia_frozen_close(NULL);
  CHECK(glia_freeze(function(s, "step"), NULL, x, 2, &z) == GLIA_MISUSE && !z && strstr(glia_error(s), "steps"));
  CHECK(glia_freeze(loss, "nothing", x, 2, &z) == GLIA_SCRIPT && !z);
  CHECK(glia_freeze(loss, NULL, x, 1, &z) == GLIA_SCRIPT && glia_freeze(loss, NULL, NULL, 1, &z) == GLIA_MISUSE);
  CHECK(glia_freeze(NULL, NULL, x, 1, &z) == GLIA_MISUSE && glia_freeze(loss, NULL, x, 2, NULL) == GLIA_MISUSE);
  /* results that are arguments, twins, cells; draws; a fault */
  glia_array three_results[3] = {{0}}, w = {0}, v = glia_f32(points, 1, three);
  CHECK(glia_freeze(function(s, "pair"), NULL, &v, 1, &z) == GLIA_OK &&
        glia_frozen_call(z, &v, 1, three_results, 3, NULL) == GLIA_OK);
  CHECK(((float *)three_results[0].data)[1] == -0.2f && ((float *)three_results[1].data)[1] == -0.4f &&
        ((float *)three_results[2].data)[1] == -0.4f);
  glia_frozen_close(z);
  CHECK(glia_freeze(function(s, "fixed"), NULL, &v, 1, &z) == GLIA_OK &&
        glia_frozen_call(z, &v, 1, &w, 1, NULL) == GLIA_OK);
  CHECK(glia_parameter_get(s, "net.0.w", &(glia_array){0}) == GLIA_OK && w.rank == 2 && w.dim[0] == 3);
  glia_frozen_close(z);
  float one[3], again[3];
  glia_array to = glia_f32(one, 1, three), to2 = glia_f32(again, 1, three);
  CHECK(glia_freeze(function(s, "noise"), NULL, &v, 1, &z) == GLIA_OK &&
        glia_frozen_call(z, &v, 1, &to, 1, NULL) == GLIA_OK);
  CHECK(glia_frozen_call(z, &v, 1, &to2, 1, NULL) == GLIA_OK && memcmp(one, again, sizeof one));
  glia_frozen_close(z);
  int32_t at = 7;
  glia_array px[] = {v, glia_i32(&at, 0, NULL)};
  y.data = NULL;
  CHECK(glia_freeze(function(s, "pick"), NULL, px, 2, &z) == GLIA_OK);
  CHECK(glia_frozen_call(z, px, 2, &y, 1, NULL) == GLIA_FAULT && strstr(glia_frozen_error(z), "index 7"));
  at = 2;
  CHECK(glia_frozen_call(z, px, 2, &y, 1, NULL) == GLIA_OK && *(float *)y.data == 0.3f);
  glia_frozen_close(z);
  glia_close(s);
}

/* ---- one pool for many ---- */
static void *compute(void *pool) {
  static const char text[] = "fn big(x: [N, N]) = sum(x @ x @ x)\n";
  glia_session *s;
  CHECK(glia_open(&(glia_config){.pool = pool}, &s) == GLIA_OK);
  CHECK(glia_load(s, "big.nn", text, GLIA_TEXT_END) == GLIA_OK);
  float *m = malloc(sizeof(float) * 200 * 200);
  for (int k = 0; m && k < 200 * 200; k++) m[k] = (float)(k % 7) - 3;
  glia_array x = glia_f32(m, 2, (int64_t[]){200, 200}), y = {0};
  float *first = malloc(sizeof *first);
  for (int k = 0; m && first && k < 20; k++) {
    y.data = NULL;
    CHECK(glia_call(function(s, "big"), &x, 1, &y, 1) == GLIA_OK);
    if (k == 0) *first = *(float *)y.data;
    CHECK(*first == *(float *)y.data);
  }
  free(m);
  glia_close(s);
  return first;
}

static void pools(void) {
  glia_pool *p;
  CHECK(glia_pool_open(-1, NULL, NULL, &p) == GLIA_MISUSE && !p && glia_pool_open(1, NULL, NULL, NULL) == GLIA_MISUSE);
  CHECK(glia_pool_open(3, NULL, NULL, &p) == GLIA_OK && glia_pool_threads(p) == 3);
  pthread_t thread[3];
  void *sum[3];
  for (int k = 0; k < 3; k++) CHECK(pthread_create(&thread[k], NULL, compute, p) == 0);
  for (int k = 0; k < 3; k++) pthread_join(thread[k], &sum[k]);
  for (int k = 1; k < 3; k++) CHECK(*(float *)sum[0] == *(float *)sum[k]);
  for (int k = 0; k < 3; k++) free(sum[k]);
  glia_graph *g;
  CHECK(glia_graph_open(&(glia_graph_config){.pool = p}, &g) == GLIA_OK);
  glia_node x = glia_input(g, GLIA_F32, 1, two), y = glia_sum_all(g, x);
  glia_plan *plan;
  float in[] = {1, 2}, out = 0;
  glia_array a = glia_f32(in, 1, two), b = glia_f32(&out, 0, NULL);
  CHECK(glia_compile(g, &x, 1, &y, 1, NULL, 0, &plan) == GLIA_OK && glia_run(plan, &a, 1, &b, 1) == GLIA_OK &&
        out == 3);
  glia_graph_close(g);
  glia_pool_close(p);
  glia_pool_close(NULL);
}

/* ---- functions of the host ---- */
static double half(double x) { return x / 2; }
static void swish(const float *x, float *y, int64_t n) {
  for (int64_t k = 0; k < n; k++) y[k] = x[k] / (1 + expf(-x[k]));
}
static void swish_grad(const float *x, const float *dy, float *dx, int64_t n) {
  for (int64_t k = 0; k < n; k++) {
    float s = 1 / (1 + expf(-x[k]));
    dx[k] = dy[k] * (s + x[k] * s * (1 - s));
  }
}

static void registered(void) {
  glia_session *s = loaded(NULL);                     /* no permission for `extern` is needed */
  CHECK(glia_register(s, "half(x: f64) -> f64", (glia_foreign)half, NULL) == GLIA_OK);
  CHECK(glia_register(s, "swish_grad(x: [..S], dy: [..S]) -> [..S]", (glia_foreign)swish_grad, NULL) == GLIA_OK);
  CHECK(glia_register(s, "swish(x: [..S]) -> [..S]", (glia_foreign)swish, "swish(x) -> y, dy = swish_grad(x, dy)") ==
        GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  CHECK(glia_load(s, "use.nn", "fn f(x: [N]) = sum(swish(x) * 3)\nfn g(x: f64[]) = half(x) + 1\n", GLIA_TEXT_END) ==
        GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  float v[] = {0, 1};
  glia_array x = glia_f32(v, 1, two), y = {0}, dx;
  glia_tree *g;
  CHECK(glia_value_and_grad(function(s, "f"), "x", &x, 1, &y, &g) == GLIA_OK && glia_tree_get(g, "", &dx) == GLIA_OK);
  CHECK(fabsf(*(float *)y.data - 3 * 0.7310586f) < 1e-5f);
  CHECK(fabsf(((float *)dx.data)[0] - 1.5f) < 1e-5f && fabsf(((float *)dx.data)[1] - 3 * 0.9276705f) < 1e-4f);
  double d = 3;
  glia_array e = glia_f64(&d, 0, NULL);
  y = (glia_array){0};
  CHECK(glia_call(function(s, "g"), &e, 1, &y, 1) == GLIA_OK && y.dtype == GLIA_F64 && *(double *)y.data == 2.5);
  CHECK(glia_register(s, "broken(x: [..S] -> [..S]", (glia_foreign)swish, NULL) == GLIA_SCRIPT && *glia_error(s));
  CHECK(glia_register(s, "untyped(x)", (glia_foreign)swish, NULL) == GLIA_SCRIPT);
  CHECK(glia_register(s, NULL, (glia_foreign)swish, NULL) == GLIA_MISUSE);
  CHECK(glia_register(s, "none(x: f64) -> f64", NULL, NULL) == GLIA_MISUSE);
  CHECK(glia_register(NULL, "half(x: f64) -> f64", (glia_foreign)half, NULL) == GLIA_MISUSE);
  /* a script's own library is another matter */
  static const char foreign[] = "extern \"libm.so.6\" fn j0(x: f64) -> f64\nprint j0(f64(1.0))\n";
  CHECK(glia_load(s, "foreign.nn", foreign, GLIA_TEXT_END) == GLIA_SCRIPT && strstr(glia_error(s), "permit"));
  CHECK(glia_check(s, "foreign.nn", foreign, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  glia_close(s);
}

/* ---- training, watched and stopped ---- */
typedef struct Watch { int lines, final, polls, most; char last[200]; } Watch;

static void progress(void *to, const char *text, int final) {
  Watch *w = to;
  w->lines++;
  w->final += final != 0;
  snprintf(w->last, sizeof w->last, "%s", text);
}

static int poll_until(void *to) {
  Watch *w = to;
  return ++w->polls < w->most;
}

static void watched(void) {
  static const char text[] =
      "let x: [64, 3] ~ normal(0, 1)\n"
      "let net = dense(3, 1)\n"
      "let t = sum(x, axis = 1, keep = true)\n"
      "proc fit(goal) {\n"
      "  let opt = sgd(net, lr = 0.1)\n"
      "  progress(epochs = 50, batches = 4, samples = 64)\n"
      "  for e in 1..50 {\n"
      "    var total = 0.0\n"
      "    for (k, (a, b)) in enumerate(batches((x, t), 16, shuffle = true)) {\n"
      "      let l = mse(net(a), b)\n"
      "      opt.step(l)\n"
      "      total += l / 4\n"
      "      progress(e, k + 1, show = {loss = l})\n"
      "    }\n"
      "    progress(e, show = {loss = total})\n"
      "  }\n"
      "  mse(net(x), t) - goal\n"
      "}\n"
      "fn error(k) = k * mse(net(x), t)\n";
  Watch w = {.most = 1000000};
  glia_session *s;
  CHECK(glia_open(&(glia_config){.threads = 1, .log = progress, .poll = poll_until, .to = &w}, &s) == GLIA_OK);
  CHECK(glia_load(s, "fit.nn", text, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  glia_function *fit = function(s, "fit"), *error = function(s, "error");
  float one = 1;
  glia_array x = glia_f32(&one, 0, NULL), y = {0};
  if (!fit || !error) return;
  CHECK(glia_call(fit, &x, 1, NULL, 0) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  CHECK(w.lines >= 50 && w.final == 50 && strstr(w.last, "loss") && w.polls > 200);
  CHECK(glia_call(error, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data < 0.01f);
  w.polls = 0;
  w.most = 20;
  CHECK(glia_call(fit, &x, 1, NULL, 0) == GLIA_CANCELLED && w.polls == 20);
  w.most = 1000000;
  y.data = NULL;
  CHECK(glia_call(error, &x, 1, &y, 1) == GLIA_OK);          /* the session goes on */
  glia_close(s);
}

/* ---- diagnostics, definitions that come again ---- */
static void told(void) {
  const glia_diagnostic *d;
  size_t n;
  glia_session *s = loaded(NULL);
  CHECK(glia_parameter_count(s) == 4);
  CHECK(glia_load(s, "model.nn", model, GLIA_TEXT_END) == GLIA_OK);
  CHECK(glia_parameter_count(s) == 4);                        /* not eight: a path is a parameter */
  static const char text[] = "fn f(a) = a @ a\nfn g(a) = f(a)\nprint g([[1, 2, 3]])\n";
  CHECK(glia_load(s, "deep.nn", text, GLIA_TEXT_END) == GLIA_SCRIPT);
  CHECK(glia_diagnostics(s, &d, &n) == GLIA_OK && n == 1);
  CHECK(n && d[0].n_note >= 1 && strstr(d[0].note[0], "deep.nn:"));
  CHECK(n && d[0].line == 1 && d[0].end_line == 1 && d[0].end_column > d[0].column);
  glia_close(s);
}

/* ---- the k-th allocation fails; true: none failed ---- */
static int all_of_it(Failing *f) {
  glia_pool *p;
  if (glia_pool_open(1, failing, f, &p) != GLIA_OK) {
    CHECK(!p && f->out == 0);
    return 0;
  }
  glia_session *s;
  glia_status status = glia_open(&(glia_config){.alloc = failing, .user = f, .pool = p}, &s);
  glia_array x[] = {glia_f32(points, 2, two_three), glia_f32(targets, 2, two_two)}, y = {0};
  glia_function *fn = NULL;
  glia_frozen *z = NULL;
  glia_tree *g;
  if (status == GLIA_OK) {
    status = glia_load(s, "model.nn", model, GLIA_TEXT_END);
    if (status == GLIA_OK) status = glia_register(s, "half(x: f64) -> f64", (glia_foreign)half, NULL);
    if (status == GLIA_OK) status = glia_get_function(s, "step", &fn);
    if (status == GLIA_OK) status = glia_call(fn, x, 2, &y, 1);
    if (status == GLIA_OK) status = glia_get_function(s, "loss", &fn);
    if (status == GLIA_OK) status = glia_freeze(fn, "net", x, 2, &z);
    if (status == GLIA_OK) {
      long count = f->count;
      CHECK(glia_frozen_call(z, x, 2, NULL, 0, &g) == GLIA_OK && f->count == count);
    }
    int through = status == GLIA_OK && f->count < f->fail_at;
    if (status != GLIA_OK && status != GLIA_MEMORY) puts(glia_error(s));
    CHECK(status == GLIA_OK || status == GLIA_MEMORY);
    f->fail_at = 0;
    CHECK(glia_load(s, "again.nn", "fn twice(x) = 2 * x\n", GLIA_TEXT_END) == GLIA_OK);
    y.data = NULL;
    CHECK(glia_get_function(s, "twice", &fn) == GLIA_OK && glia_call(fn, x, 1, &y, 1) == GLIA_OK);
    glia_frozen_close(z);
    glia_close(s);
    glia_pool_close(p);
    CHECK(f->out == 0);
    return through;
  }
  CHECK(status == GLIA_MEMORY && !s);
  glia_pool_close(p);
  CHECK(f->out == 0);
  return 0;
}

static void every_allocation_fails(void) {
  for (long k = 1; k < 1000000; k = failing_next(k, 300, 5)) {
    Failing f = {.fail_at = k};
    if (all_of_it(&f) || wrong > 20) return;
  }
  CHECK(0 && "it never got through");
}

int main(void) {
  frozen();
  frozen_gradients_and_misuse();
  pools();
  registered();
  watched();
  told();
  every_allocation_fails();
  return wrong != 0;
}
