/* meaning: what the language says of data, draws and results, as a host meets it: the n-th call draws what the n-th
 * call draws, whatever shape it has; data sets, files of the run and training through calls; errors at the host's own
 * text.
 */
#include <glia.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include "embed.h"

static const char script[] =
    "fn e() { let x: [] ~ uniform(0, 1); x }\n"
    "fn noisy(x: [N]) -> [N] = 0 * x + e()\n"
    "fn twice(x: [N]) = (e() + 0 * sum(x), e() + 0 * sum(x))\n"
    "fn scaled(x: [N]) = sum(x * e())\n"
    "fn turns(x: [N]) = scan(fn (s, v) = 0 * v + e(), 0.0, x)\n"
    "fn each(x: [N]) = vmap(fn (v) = 0 * v + e())(x)\n"
    "fn mixed(x: [N]) = shuffle(x)\n"
    "let d = {x = [[0, 0], [0, 1], [1, 0], [1, 1]], y = [0, 1, 1, 0]}\n"
    "let net = dense(2, 2)\n"
    "proc epoch(k: i32) {\n"
    "  let opt = sgd(net, lr = 0.1)\n"
    "  var total = 0.0\n"
    "  for {x, y} in batches(d, 3, shuffle = true) {\n"
    "    let loss = cross_entropy(net(x), y)\n"
    "    opt.step(loss)\n"
    "    total += loss\n"
    "  }\n"
    "  save(\"meaning-{k}.st\", net)\n"
    "  total\n"
    "}\n";

static glia_session *loaded(const char *text) {
  glia_session *s;
  CHECK(glia_open(&(glia_config){.threads = 1}, &s) == GLIA_OK);
  CHECK(glia_load(s, "meaning.nn", text, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  return s;
}

static glia_function *function(glia_session *s, const char *name) {
  glia_function *f = NULL;
  CHECK(glia_get_function(s, name, &f) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  return f;
}

/* The k-th element of the result of f(x), x being n ones. */
static float called(glia_session *s, glia_function *f, int64_t n, int64_t k) {
  float x[8] = {1, 1, 1, 1, 1, 1, 1, 1};
  glia_array in = glia_f32(x, 1, &n), y = {0};
  CHECK(glia_call(f, &in, 1, &y, 1) == GLIA_OK && y.data);
  if (*glia_error(s)) puts(glia_error(s));
  return y.data ? ((float *)y.data)[k] : 0;
}

static void draws_by_call(void) {
  glia_session *a = loaded(script), *b = loaded(script);
  glia_function *fa = function(a, "noisy"), *fb = function(b, "noisy"), *other = function(b, "each");
  float one[5], two[5];
  const int64_t shape[5] = {2, 2, 3, 2, 5};
  for (int k = 0; k < 5; k++) one[k] = called(a, fa, shape[k], 0);
  for (int k = 0; k < 5; k++) {
    two[k] = called(b, fb, 4, k % 4);
    if (k == 2) called(b, other, 3, 0);          /* another function's call is not one of this one */
  }
  for (int k = 0; k < 5; k++) {
    CHECK(one[k] == two[k]);
    for (int j = 0; j < k; j++) CHECK(one[j] != one[k]);
  }
  CHECK(glia_load(a, "again.nn", "seed(0)\n", GLIA_TEXT_END) == GLIA_OK);   /* the seed it had: the calls go on */
  float next = called(a, fa, 2, 0);
  CHECK(next == called(b, fb, 2, 0));
  CHECK(glia_load(a, "seed.nn", "seed(7)\n", GLIA_TEXT_END) == GLIA_OK);
  CHECK(called(a, fa, 2, 0) != called(b, fb, 2, 0));
  glia_close(a);
  glia_close(b);
}

static void draws_in_a_call(void) {
  glia_session *s = loaded(script);
  float x[4] = {1, 1, 1, 1}, *v;
  int64_t n = 4;
  glia_array in = glia_f32(x, 1, &n), y[2] = {{0}};
  CHECK(glia_call(function(s, "twice"), &in, 1, y, 2) == GLIA_OK && *(float *)y[0].data != *(float *)y[1].data);
  const char *const kinds[] = {"turns", "each"};
  for (int k = 0; k < 2; k++) {                  /* each turn, each element draws anew */
    y[0] = (glia_array){0};
    CHECK(glia_call(function(s, kinds[k]), &in, 1, y, 1) == GLIA_OK);
    v = y[0].data;
    CHECK(v && v[0] != v[1] && v[1] != v[2] && v[2] != v[3] && v[0] != v[2]);
  }
  glia_tree *g;                                  /* a derivative repeats the draw */
  glia_array dx, l = {0};
  CHECK(glia_value_and_grad(function(s, "scaled"), "x", &in, 1, &l, &g) == GLIA_OK &&
        glia_tree_get(g, "", &dx) == GLIA_OK);
  CHECK(l.data && fabsf(*(float *)l.data - 4 * ((float *)dx.data)[0]) < 1e-5f && ((float *)dx.data)[0] > 0);
  for (int k = 0; k < 4; k++) x[k] = (float)k;
  y[0] = (glia_array){0};
  CHECK(glia_call(function(s, "mixed"), &in, 1, y, 1) == GLIA_OK);
  v = y[0].data;
  CHECK(v && v[0] + v[1] + v[2] + v[3] == 6 && v[0] * v[0] + v[1] * v[1] + v[2] * v[2] + v[3] * v[3] == 14);
  glia_close(s);
}

/* A step of training called by the host: labels of a data set are ints, each call has its own file. */
static void training_by_call(void) {
  glia_session *s = loaded(script);
  glia_function *f = function(s, "epoch");
  float loss[3] = {0};
  for (int32_t k = 0; k < 3; k++) {
    glia_array in = {.data = &k, .dtype = GLIA_I32, .rank = 0}, y = {0};
    CHECK(glia_call(f, &in, 1, &y, 1) == GLIA_OK && y.data);
    if (*glia_error(s)) puts(glia_error(s));
    if (y.data) loss[k] = *(float *)y.data;
  }
  CHECK(loss[0] > 0 && loss[0] != loss[1] && loss[1] != loss[2]);
  glia_array w = {0}, before = {0};
  float now[4], then[4];
  CHECK(glia_parameter_get(s, "net.w", &w) == GLIA_OK);
  memcpy(now, w.data, sizeof now);
  CHECK(glia_load_tree(s, "meaning-0.st", "net") == GLIA_OK && glia_parameter_get(s, "net.w", &before) == GLIA_OK);
  memcpy(then, before.data, sizeof then);
  CHECK(memcmp(now, then, sizeof now) != 0);
  before = (glia_array){0};          /* what it looked at is gone with the load: not to be copied to */
  CHECK(glia_load_tree(s, "meaning-2.st", "net") == GLIA_OK && glia_parameter_get(s, "net.w", &before) == GLIA_OK);
  CHECK(memcmp(now, before.data, sizeof now) == 0);
  CHECK(glia_load_tree(s, "meaning-3.st", "net") != GLIA_OK && strstr(glia_error(s), "meaning-3.st"));
  unlink("meaning-0.st"), unlink("meaning-1.st"), unlink("meaning-2.st");
  glia_close(s);
}

/* What only the end of a proc tells of its cells: one that becomes a float, one that a loop changes. */
static void cells_by_call(void) {
  glia_session *s = loaded("proc total(x: [N]) {\n  var t = 0\n  for k in 1..3 { t += x[0] / 4 }\n  [t]\n}\n"
                           "proc pulled(x: [N]) {\n  var v = x[0] / 2\n  let first = v\n"
                           "  for k in 0..<2 { v -= 0.1 * grad((v - first)^2 + v, v) }\n  [v]\n}\n");
  for (int k = 0; k < 2; k++) {
    CHECK(called(s, function(s, "total"), 2, 0) == 0.75f);
    CHECK(fabsf(called(s, function(s, "pulled"), 1 + k, 0) - 0.32f) < 1e-6f);
  }
  glia_close(s);
}

static size_t errors(const char *text, size_t n) {
  glia_session *s;
  size_t count = 0;
  const glia_diagnostic *list;
  CHECK(glia_open(NULL, &s) == GLIA_OK);
  glia_status status = glia_check(s, "host.nn", text, n);
  CHECK(glia_diagnostics(s, &list, &count) == GLIA_OK);
  CHECK((status == GLIA_OK) == (count == 0));
  for (size_t k = 0; k < count; k++) CHECK(list[k].line >= 1 && list[k].column >= 1);
  CHECK(glia_load(s, "after.nn", "print 1 + 1\n", GLIA_TEXT_END) == GLIA_OK);     /* the session can be used further */
  glia_close(s);
  return count;
}

static void texts(void) {
  CHECK(errors("print a\nprint b\nprint [1, 2] + [1, 2, 3]\n", GLIA_TEXT_END) == 3);
  CHECK(errors("let s = series()\nfor x in nothing { s.add(l = x) }\nprint s.l\n", GLIA_TEXT_END) == 1);
  CHECK(errors("print 1\r\nprint 2\r\n", GLIA_TEXT_END) == 0);
  CHECK(errors("\xef\xbb\xbfprint 1", GLIA_TEXT_END) == 0);
  CHECK(errors("print 1\0print 2", 15) == 1);
  CHECK(errors("print \"\xff\"", GLIA_TEXT_END) == 1);
  CHECK(errors("", 0) == 0);
  CHECK(errors("let x = 1 +", 8) == 1);          /* the host's length counts, not the text's end */
  CHECK(errors("print 1 + 1 garbage", 11) == 0);
}

int main(void) {
  draws_by_call();
  draws_in_a_call();
  cells_by_call();
  training_by_call();
  texts();
  return wrong != 0;
}
