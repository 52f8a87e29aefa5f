/* glia.h as a user meets it: scripts, functions, gradients, parameters, errors, misuse, two sessions at once, and every
 * allocation failing once.
 */
#define _POSIX_C_SOURCE 200809L
#include <glia.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "embed.h"

static const char model[] =
    "param w: [2, 1] = 0.5\n"
    "param b: [1] = 0.25\n"
    "fn predict(x: [N, 2]) -> [N, 1] = x @ w + b\n"
    "fn loss(x: [N, 2], y: [N, 1]) = sum((predict(x) - y)^2)\n"
    "fn both(x) = (x + 1, 2 * x)\n"
    "fn same(x) = x\n"
    "let number = 3\n"
    "print \"loaded\"\n";

static const int64_t one_two[] = {1, 2}, two_two[] = {2, 2}, two_one[] = {2, 1}, one_one[] = {1, 1};

typedef struct Log { char text[1000]; size_t n; } Log;
static int keep(void *to, const char *text, size_t n) {
  Log *l = to;
  if (l->n + n >= sizeof l->text) return 0;
  memcpy(l->text + l->n, text, n);
  l->n += n;
  return 1;
}

static glia_session *loaded(const glia_config *c) {
  glia_session *s;
  CHECK(glia_open(c, &s) == GLIA_OK);
  CHECK(glia_load(s, "model.nn", model, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  return s;
}

static void calls(void) {
  Log log = {{0}, 0};
  glia_session *s = loaded(&(glia_config){.threads = 1, .print = keep, .to = &log});
  CHECK(!strcmp(log.text, "loaded\n"));
  glia_function *f = NULL, *pair = NULL, *same = NULL;
  CHECK(glia_get_function(s, "predict", &f) == GLIA_OK);
  float points[] = {1, 2, 3, 4}, own[2] = {0};
  glia_array x = glia_f32(points, 2, two_two), y = {0}, mine = glia_f32(own, 2, two_one);
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK);
  CHECK(y.rank == 2 && y.dim[0] == 2 && y.dim[1] == 1 && ((float *)y.data)[0] == 1.75f &&
        ((float *)y.data)[1] == 3.75f);
  points[0] = 3;
  CHECK(glia_call(f, &x, 1, &mine, 1) == GLIA_OK && own[0] == 2.75f);
  x = glia_f32(points, 2, one_two);                       /* another shape: compiled anew */
  y.data = NULL;
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && y.dim[0] == 1 && *(float *)y.data == 2.75f);
  CHECK(glia_get_function(s, "both", &pair) == GLIA_OK);
  glia_array results[2] = {{0}};
  CHECK(glia_call(pair, &x, 1, results, 2) == GLIA_OK);
  CHECK(results[0].data && *(float *)results[0].data == 4 && *(float *)results[1].data == 6);
  CHECK(glia_get_function(s, "same", &same) == GLIA_OK);
  y.data = NULL;
  CHECK(glia_call(same, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 3);
  glia_close(s);
}

static void gradients(void) {
  glia_session *s = loaded(&(glia_config){.threads = 2});
  glia_function *f;
  glia_tree *g;
  CHECK(glia_get_function(s, "loss", &f) == GLIA_OK);
  float points[] = {1, 2}, target[] = {1};
  glia_array x[] = {glia_f32(points, 2, one_two), glia_f32(target, 2, one_one)}, y = {0}, dw;
  CHECK(glia_value_and_grad(f, "w", x, 2, &y, &g) == GLIA_OK);      /* (1.75 - 1)^2; d/dw = 2 * 0.75 * x */
  CHECK(y.data && *(float *)y.data == 0.5625f);
  CHECK(glia_tree_count(g) == 1 && glia_tree_get(g, "", &dw) == GLIA_OK);
  CHECK(((float *)dw.data)[0] == 1.5f && ((float *)dw.data)[1] == 3);
  CHECK(glia_tree_get(g, "nothing", &dw) == GLIA_NOT_FOUND && glia_tree_at(g, 7, NULL, &dw) == GLIA_MISUSE);
  CHECK(glia_value_and_grad(f, "x", x, 2, NULL, &g) == GLIA_OK && glia_tree_get(g, "", &dw) == GLIA_OK);
  CHECK(dw.dim[1] == 2 && ((float *)dw.data)[0] == 0.75f);
  CHECK(glia_value_and_grad(f, "no_such", x, 2, NULL, &g) == GLIA_SCRIPT && !g && strstr(glia_error(s), "no_such"));
  glia_close(s);
}

static void parameters(void) {
  glia_session *s = loaded(NULL);
  const char *path;
  glia_array p;
  float fresh[] = {1, -1};
  CHECK(glia_parameter_count(s) == 2);
  CHECK(glia_parameter_at(s, 0, &path, &p) == GLIA_OK && !strcmp(path, "w") && p.dim[0] == 2);
  CHECK(glia_parameter_at(s, 2, &path, &p) == GLIA_NOT_FOUND);
  glia_array set = glia_f32(fresh, 2, two_one);
  CHECK(glia_parameter_set(s, "w", &set) == GLIA_OK);
  p.data = NULL;
  CHECK(glia_parameter_get(s, "w", &p) == GLIA_OK && ((float *)p.data)[1] == -1);
  glia_function *f;
  CHECK(glia_get_function(s, "predict", &f) == GLIA_OK);
  float points[] = {5, 2};
  glia_array x = glia_f32(points, 2, one_two), y = {0};
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 3.25f);
  fresh[0] = 2;
  CHECK(glia_parameter_set(s, "w", &set) == GLIA_OK);
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 8.25f);
  char file[] = "/tmp/glia-embed-XXXXXX";
  int fd = mkstemp(file);
  CHECK(fd >= 0);
  close(fd);
  CHECK(glia_save(s, file, "w") == GLIA_OK);
  fresh[0] = 7;
  CHECK(glia_parameter_set(s, "w", &set) == GLIA_OK && glia_load_tree(s, file, "w") == GLIA_OK);
  p.data = NULL;
  CHECK(glia_parameter_get(s, "w", &p) == GLIA_OK && ((float *)p.data)[0] == 2);
  CHECK(glia_load_tree(s, "/no/such/file", "w") == GLIA_SCRIPT && *glia_error(s));
  unlink(file);
  CHECK(glia_parameter_get(s, "v", &p) == GLIA_NOT_FOUND);
  set.rank = 1;
  CHECK(glia_parameter_set(s, "w", &set) == GLIA_MISUSE && strstr(glia_error(s), "f32[2, 1]"));
  glia_close(s);
}

static void mistakes(void) {
  const glia_diagnostic *d;
  size_t n;
  glia_session *s = loaded(NULL);
  CHECK(glia_check(s, "bad.nn", "let a = [1, 2]\nlet b = a @ unknown_thing\nprint b\n", GLIA_TEXT_END) == GLIA_SCRIPT);
  CHECK(!strncmp(glia_error(s), "bad.nn:2:13: error: ", 20));
  CHECK(glia_diagnostics(s, &d, &n) == GLIA_OK && n >= 1);
  CHECK(n && !strcmp(d[0].file, "bad.nn") && d[0].line == 2 && d[0].column == 13 && d[0].code[0] == 'E' &&
        !d[0].warning);
  CHECK(glia_load(s, "syntax.nn", "let let", GLIA_TEXT_END) == GLIA_SCRIPT);
  CHECK(glia_load_file(s, "/no/such/file.nn") == GLIA_SCRIPT && *glia_error(s));
  CHECK(glia_load_file(s, "/") == GLIA_SCRIPT);
  CHECK(glia_load(s, "nul.nn", "let a\0b = 1", 11) == GLIA_SCRIPT);
  CHECK(glia_load(s, "ok.nn", "let after = 2\n", GLIA_TEXT_END) == GLIA_OK && !*glia_error(s));
  CHECK(glia_diagnostics(s, &d, &n) == GLIA_OK && n == 0);
  glia_close(s);
}

static void misuse(void) {
  glia_session *s = NULL;
  glia_function *f = NULL;
  glia_tree *g;
  CHECK(glia_open(NULL, NULL) == GLIA_MISUSE);
  CHECK(glia_open(&(glia_config){.threads = -1}, &s) == GLIA_MISUSE && !s);
  CHECK(glia_open(&(glia_config){.allow = "unused, hiden"}, &s) == GLIA_MISUSE && !s);
  CHECK(glia_open(&(glia_config){.n_args = 1}, &s) == GLIA_MISUSE);
  s = loaded(&(glia_config){.threads = 1});
  CHECK(glia_load(s, NULL, "", 0) == GLIA_MISUSE && glia_load(s, "x", NULL, 0) == GLIA_MISUSE);
  CHECK(glia_load_file(s, NULL) == GLIA_MISUSE && glia_load(NULL, "x", "", 0) == GLIA_MISUSE);
  CHECK(glia_get_function(s, "nothing", &f) == GLIA_NOT_FOUND && !f && strstr(glia_error(s), "nothing"));
  CHECK(glia_get_function(s, "number", &f) == GLIA_MISUSE && !f);
  CHECK(glia_get_function(s, NULL, &f) == GLIA_MISUSE && glia_get_function(s, "loss", NULL) == GLIA_MISUSE);
  CHECK(glia_get_function(s, "predict", &f) == GLIA_OK);
  float points[] = {1, 2};
  int32_t ints[] = {1, 2};
  glia_array x = glia_f32(points, 2, one_two), y = {0}, bad;
  CHECK(glia_call(NULL, &x, 1, &y, 1) == GLIA_MISUSE);
  CHECK(glia_call(f, NULL, 1, &y, 1) == GLIA_MISUSE);
  CHECK(glia_call(f, &x, -1, &y, 1) == GLIA_MISUSE && glia_call(f, &x, 1, &y, 1000) == GLIA_MISUSE);
  CHECK(glia_call(f, &x, 0, &y, 1) == GLIA_SCRIPT && *glia_error(s));
  CHECK(glia_call(f, (glia_array[]){x, x}, 2, &y, 1) == GLIA_SCRIPT);
  CHECK(glia_call(f, &x, 1, (glia_array[]){{0}, {0}}, 2) == GLIA_MISUSE);
  bad = glia_f32(points, 1, two_one);                       /* a vector: the signature wants [N, 2] */
  CHECK(glia_call(f, &bad, 1, &y, 1) == GLIA_SCRIPT);
  bad = glia_i32(ints, 2, one_two);
  CHECK(glia_call(f, &bad, 1, &y, 1) == GLIA_SCRIPT || !*glia_error(s));
  bad = x;
  bad.rank = 99;
  CHECK(glia_call(f, &bad, 1, &y, 1) == GLIA_MISUSE);
  bad = x;
  bad.dtype = (glia_dtype)42;
  CHECK(glia_call(f, &bad, 1, &y, 1) == GLIA_MISUSE);
  bad = x;
  bad.data = NULL;
  CHECK(glia_call(f, &bad, 1, &y, 1) == GLIA_MISUSE);
  bad = glia_f32(points, 2, one_two);
  CHECK(glia_call(f, &x, 1, &bad, 1) == GLIA_MISUSE && strstr(glia_error(s), "f32[1, 1]"));
  CHECK(glia_value_and_grad(f, NULL, &x, 1, &y, &g) == GLIA_MISUSE &&
        glia_value_and_grad(f, "w", &x, 1, &y, NULL) == GLIA_MISUSE);
  float two_rows[] = {1, 2, 3, 4};
  bad = glia_f32(two_rows, 2, two_two);
  CHECK(glia_value_and_grad(f, "w", &bad, 1, &y, &g) == GLIA_SCRIPT && !g);      /* no scalar */
  CHECK(glia_call(f, &x, 1, NULL, 0) == GLIA_OK);
  y = (glia_array){.data = NULL};
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && y.data && *(float *)y.data == 1.75f);
  glia_function_close(f);
  glia_function_close(f);
  glia_function_close(NULL);
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_MISUSE && strstr(glia_error(s), "closed"));
  CHECK(glia_parameter_get(s, NULL, &y) == GLIA_MISUSE && glia_parameter_set(s, "w", NULL) == GLIA_MISUSE);
  CHECK(glia_save(s, NULL, "w") == GLIA_MISUSE && glia_diagnostics(s, NULL, NULL) == GLIA_MISUSE);
  CHECK(glia_tree_count(NULL) == 0 && glia_tree_get(NULL, "", &y) == GLIA_MISUSE && glia_parameter_count(NULL) == 0);
  CHECK(*glia_error(NULL));
  glia_cancel(NULL);
  glia_close(NULL);
  glia_close(s);
}

static int refuse(void *to, const char *text, size_t n) {
  (void)text;
  (void)n;
  return ++*(int *)to < 3;
}

static glia_session *to_cancel;
static int cancel_soon(void *to, const char *text, size_t n) {
  (void)text;
  (void)n;
  if (++*(int *)to == 3) glia_cancel(to_cancel);
  return 1;
}

static void imports(void) {
  static const char text[] = "import \"units.nn\" as u\nfn cm(x: [N]) -> [N] = u.to_cm(x)\n";
  glia_session *s;
  glia_function *f = NULL;
  CHECK(glia_open(NULL, &s) == GLIA_OK);
  CHECK(glia_load(s, "host", text, GLIA_TEXT_END) == GLIA_SCRIPT && strstr(glia_error(s), "units.nn"));
  glia_close(s);
  CHECK(glia_open(&(glia_config){.search = "/nowhere:tests/lang/modules/more"}, &s) == GLIA_OK);
  CHECK(glia_load(s, "host", text, GLIA_TEXT_END) == GLIA_OK);
  CHECK(glia_get_function(s, "cm", &f) == GLIA_OK);
  float inches[] = {1, 2};
  glia_array x = glia_f32(inches, 1, (int64_t[]){2}), y = {0};
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && ((float *)y.data)[1] == 5.08f);
  glia_close(s);
}

static void stops(void) {
  static const char endless[] = "var i = 0\nwhile true { i += 1; print i }\n";
  int count = 0;
  glia_session *s;
  CHECK(glia_open(&(glia_config){.print = refuse, .to = &count}, &s) == GLIA_OK);
  CHECK(glia_load(s, "endless.nn", endless, GLIA_TEXT_END) == GLIA_CANCELLED && count == 3);
  CHECK(glia_load(s, "after.nn", "let x = 1\n", GLIA_TEXT_END) == GLIA_OK);
  glia_close(s);
  count = 0;
  CHECK(glia_open(&(glia_config){.print = cancel_soon, .to = &count}, &to_cancel) == GLIA_OK);
  CHECK(glia_load(to_cancel, "endless.nn", endless, GLIA_TEXT_END) == GLIA_CANCELLED && count >= 3 && count < 100);
  glia_close(to_cancel);
}

static void *train(void *out) {
  static const char text[] =
      "param w: [3] ~ normal(0, 1)\n"
      "for i in 1..300 { let l = sum((w - [1.0, 2.0, 3.0])^2); w -= 0.1 * grad(l, w) }\n";
  glia_session *s;
  glia_array w = glia_f32(out, 1, (int64_t[]){3});
  CHECK(glia_open(&(glia_config){.threads = 2}, &s) == GLIA_OK);
  CHECK(glia_load(s, "train.nn", text, GLIA_TEXT_END) == GLIA_OK);
  CHECK(glia_parameter_get(s, "w", &w) == GLIA_OK);
  glia_close(s);
  return NULL;
}

static void two_at_once(void) {
  float a[3] = {0}, b[3] = {0};
  pthread_t other;
  CHECK(pthread_create(&other, NULL, train, a) == 0);
  train(b);
  pthread_join(other, NULL);
  CHECK(!memcmp(a, b, sizeof a) && fabsf(a[0] - 1) < 1e-4f && fabsf(a[2] - 3) < 1e-4f);
}

/* The k-th allocation fails; afterwards the session must work. true: none failed. */
static int session_with(Failing *f) {
  glia_session *s;
  glia_config c = {.alloc = failing, .user = f, .threads = 1};
  glia_status status = glia_open(&c, &s);
  if (status != GLIA_OK) {
    CHECK(status == GLIA_MEMORY && !s && f->out == 0);
    return 0;
  }
  glia_function *fn = NULL;
  float points[] = {1, 2};
  glia_array x = glia_f32(points, 2, one_two), y = {0}, p = {0}, target = {0};
  glia_tree *g;
  int through = 0;
  status = glia_load(s, "model.nn", model, GLIA_TEXT_END);
  if (status == GLIA_OK) status = glia_get_function(s, "predict", &fn);
  if (status == GLIA_OK) status = glia_call(fn, &x, 1, &y, 1);
  if (status == GLIA_OK) {
    long count = f->count;
    CHECK(glia_call(fn, &x, 1, &y, 1) == GLIA_OK && f->count == count);     /* compiled once, then no allocation */
    status = glia_get_function(s, "loss", &fn);
  }
  target = y;
  if (status == GLIA_OK) status = glia_value_and_grad(fn, "w", (glia_array[]){x, target}, 2, NULL, &g);
  if (status == GLIA_OK) status = glia_parameter_get(s, "w", &p);
  if (status == GLIA_OK) status = glia_parameter_set(s, "w", &p);
  if (status == GLIA_OK) through = f->count < f->fail_at;
  else CHECK(status == GLIA_MEMORY);
  if (status != GLIA_OK && status != GLIA_MEMORY) puts(glia_error(s));
  f->fail_at = 0;
  CHECK(glia_load(s, "again.nn", "fn twice(x) = 2 * x\n", GLIA_TEXT_END) == GLIA_OK);
  CHECK(glia_get_function(s, "twice", &fn) == GLIA_OK);
  y = (glia_array){.data = NULL};
  CHECK(glia_call(fn, &x, 1, &y, 1) == GLIA_OK && y.data && *(float *)y.data == 2);
  glia_close(s);
  CHECK(f->out == 0);
  return through;
}

static void every_allocation_fails(void) {
  for (long k = 1; k < 1000000; k = failing_next(k, 200, 7)) {
    Failing f = {.fail_at = k};
    if (session_with(&f) || wrong > 20) return;
  }
  CHECK(0 && "it never got through");
}

int main(void) {
  calls();
  gradients();
  parameters();
  mistakes();
  misuse();
  imports();
  stops();
  two_at_once();
  every_allocation_fails();
  return wrong != 0;
}
