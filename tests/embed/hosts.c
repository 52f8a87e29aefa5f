/* hosts: what programs do to a session that no script can: cancel what does not run, call from a callback or from two
 * threads, close where they must not, fork, pass text that is more than a name, give results the memory of arguments,
 * arrays without elements, and all of it ten thousand times.
 */
#define _POSIX_C_SOURCE 200809L
#include <glia.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "embed.h"

static const int64_t three[] = {3}, none_two[] = {0, 2}, none[] = {0};
static float numbers[] = {1, 2, -3};

static glia_session *opened(const glia_config *c, const char *text) {
  glia_session *s;
  CHECK(glia_open(c, &s) == GLIA_OK);
  CHECK(glia_load(s, "host.nn", text, GLIA_TEXT_END) == GLIA_OK);
  if (*glia_error(s)) puts(glia_error(s));
  return s;
}

static glia_function *function(glia_session *s, const char *name) {
  glia_function *f = NULL;
  CHECK(glia_get_function(s, name, &f) == GLIA_OK);
  return f;
}

static void cancels_nothing(void) {
  glia_session *s = opened(&(glia_config){.threads = 1},
                           "fn f(x: [N]) = x + 1\nproc p(x: [N]) { var t = x; t += 1; t }\n");
  glia_array x = glia_f32(numbers, 1, three), y = {0};
  static const char *const name[] = {"f", "p"};
  for (int k = 0; k < 2; k++) {
    glia_function *f = function(s, name[k]);
    glia_cancel(s);
    y.data = NULL;
    CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && ((float *)y.data)[2] == -2);
  }
  glia_cancel(s);
  CHECK(glia_load(s, "a", "print 1\nprint 2\n", GLIA_TEXT_END) == GLIA_OK);
  glia_cancel(s);
  CHECK(glia_check(s, "a", "print 1\n", GLIA_TEXT_END) == GLIA_OK);
  glia_close(s);
}

/* ---- long checks ---- */
static const char endless[] =
    "fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nfn f(x: [N]) = x + fib(24) * fib(24)\n"
    "print fib(25), fib(24), fib(23), fib(60)\n";

static int polls;
static int third_poll(void *to) {
  (void)to;
  return ++polls != 3;
}

static void *cancel_later(void *to) {
  nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
  glia_cancel(to);
  return NULL;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void checking_is_cancelled(void) {
  glia_session *s;
  for (int way = 0; way < 2; way++) {
    CHECK(glia_open(&(glia_config){.threads = 1, .poll = way ? NULL : third_poll}, &s) == GLIA_OK);
    for (int check = 0; check < 2; check++) {
      pthread_t t;
      polls = 0;
      double began = seconds();
      if (way) CHECK(pthread_create(&t, NULL, cancel_later, s) == 0);
      CHECK((check ? glia_check : glia_load)(s, "endless.nn", endless, GLIA_TEXT_END) == GLIA_CANCELLED);
      CHECK(seconds() - began < 1 && (way || polls == 3));       /* 0.1 s on a machine that does nothing else */
      if (way) pthread_join(t, NULL);
      polls = 10;
      CHECK(glia_load(s, "after.nn", "print 1 + 1\nlet net = dense(2, 3)\n", GLIA_TEXT_END) == GLIA_OK);
    }
    glia_close(s);
  }
}

/* The host is asked within 100 ms of work, also where tables of a million entries grow. */
static double asked, longest;
static int poll_gap(void *to) {
  (void)to;
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
  if (now - asked > longest) longest = now - asked;
  asked = now;
  return 1;
}

static void checking_asks_often(void) {
  glia_session *s;
  CHECK(glia_open(&(glia_config){.threads = 1, .poll = poll_gap}, &s) == GLIA_OK);
  poll_gap(NULL);
  longest = 0;
  CHECK(glia_check(s, "fib.nn", "fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nprint fib(60)\n",
                   GLIA_TEXT_END) == GLIA_SCRIPT);
  poll_gap(NULL);
  CHECK(longest < 1);                      /* of 20 seconds and more; 0.07 was measured, a sanitizer takes its time */
  glia_close(s);
}

/* A limit that is met while checking has a place, and the session lives on. */
static void limits_while_checking(void) {
  static const char *const text[] = {
      "fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }\nprint fib(60)\n",
      "fn more(s, n) = if n == 0 { s } else { more(\"{s}{s}\", n - 1) }\nprint more(\"ab\", 40)\n",
      "fn twice(g, n) = if n == 0 { g } else { twice(g >> g, n - 1) }\nprint twice(relu, 60)(1.0)\n"};
  glia_session *s;
  CHECK(glia_open(&(glia_config){.threads = 1, .max_memory = 48 << 20}, &s) == GLIA_OK);
  for (size_t k = 0; k < sizeof text / sizeof *text; k++) {
    const glia_diagnostic *d;
    size_t n;
    CHECK(glia_load(s, "limit.nn", text[k], GLIA_TEXT_END) == GLIA_SCRIPT);
    CHECK(glia_diagnostics(s, &d, &n) == GLIA_OK && n == 1 && d[0].file && !strcmp(d[0].file, "limit.nn") && d[0].line);
    CHECK(strstr(glia_error(s), "limit.nn:1:"));
    CHECK(glia_load(s, "after.nn", "let net = dense(2, 3)\nprint net(ones([1, 2]))\n", GLIA_TEXT_END) == GLIA_OK);
  }
  glia_close(s);
}

static void whole_numbers(void) {
  static const char text[] =
      "fn big() = 16777217\nfn n(x: [N]) = N\nfn minus(x: [N]) = -N\nfn pair(x: [N]) = (N, x[0])\nfn yes() = true\n"
      "proc p(x: [N]) { N }\nfn huge() = 3000000000\n";
  static const struct { const char *name; int n_x; int32_t is; } ints[] = {
      {"big", 0, 16777217}, {"n", 1, 3}, {"minus", 1, -3}, {"p", 1, 3}};
  glia_session *s = opened(NULL, text);
  glia_array x = glia_f32(numbers, 1, three), y = {0}, two[2] = {{0}};
  for (size_t k = 0; k < sizeof ints / sizeof *ints; k++) {
    y.data = NULL;
    CHECK(glia_call(function(s, ints[k].name), &x, ints[k].n_x, &y, 1) == GLIA_OK);
    CHECK(y.dtype == GLIA_I32 && y.data && *(int32_t *)y.data == ints[k].is);
  }
  CHECK(glia_call(function(s, "pair"), &x, 1, two, 2) == GLIA_OK);
  CHECK(two[0].dtype == GLIA_I32 && two[1].dtype == GLIA_F32);
  y.data = NULL;
  CHECK(glia_call(function(s, "yes"), NULL, 0, &y, 1) == GLIA_OK && y.dtype == GLIA_BOOL && *(uint8_t *)y.data == 1);
  y.data = NULL;
  CHECK(glia_call(function(s, "huge"), NULL, 0, &y, 1) == GLIA_SCRIPT && strstr(glia_error(s), "3000000000"));
  glia_close(s);
}

/* A result on an argument is right; on another result it is refused. */
static void shared_memory(void) {
  glia_session *s = opened(NULL, "fn t(x: [N, N]) = x'\nfn two(x: [N]) = (x + 1, 2 * x)\nproc p(x: [N, N]) { x' }\n");
  static const char *const name[] = {"t", "p"};
  for (int k = 0; k < 2; k++) {
    float m[40];
    for (int i = 0; i < 40; i++) m[i] = (float)i;
    glia_array x = glia_f32(m, 2, (int64_t[]){6, 6}), y = x;
    CHECK(glia_call(function(s, name[k]), &x, 1, &y, 1) == GLIA_OK && m[1] == 6 && m[6] == 1 && m[35] == 35);
    for (int i = 0; i < 40; i++) m[i] = (float)i;
    y = glia_f32(m + 3, 2, (int64_t[]){6, 6});             /* beside its beginning */
    CHECK(glia_call(function(s, name[k]), &x, 1, &y, 1) == GLIA_OK && m[2] == 2 && m[4] == 6 && m[9] == 1);
  }
  float v[6] = {1, 2, 3};
  glia_array x = glia_f32(v, 1, three), on[2] = {glia_f32(v, 1, three), glia_f32(v + 3, 1, three)};
  CHECK(glia_call(function(s, "two"), &x, 1, on, 2) == GLIA_OK && v[0] == 2 && v[2] == 4 && v[3] == 2 && v[5] == 6);
  on[1].data = v + 1;
  CHECK(glia_call(function(s, "two"), &x, 1, on, 2) == GLIA_MISUSE && strstr(glia_error(s), "overlap"));
  glia_frozen *z;
  float m[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  glia_array sq = glia_f32(m, 2, (int64_t[]){3, 3}), out = sq;
  CHECK(glia_freeze(function(s, "t"), NULL, &sq, 1, &z) == GLIA_OK);
  CHECK(glia_frozen_call(z, &sq, 1, &out, 1, NULL) == GLIA_OK && m[1] == 4 && m[3] == 2);
  glia_frozen_close(z);
  glia_close(s);
}

static void without_elements(void) {
  static const char text[] =
      "fn inc(x: [N, 2]) = x + 1\nfn same(x: [N, 2]) = x\nfn total(x: [N]) = sum(x)\nlet net = dense(2, 3)\n"
      "fn p(x: [N, 2]) = net(x)\nproc st(x: [N, 2]) { sum(x) }\n";
  glia_session *s = opened(&(glia_config){.threads = 1}, text);
  static const char *const name[] = {"inc", "same", "p", "st"};
  for (int k = 0; k < 4; k++)
    for (int null = 0; null < 2; null++) {
      float some;
      glia_array x = glia_f32(null ? NULL : &some, 2, none_two), y = {0};
      CHECK(glia_call(function(s, name[k]), &x, 1, &y, 1) == GLIA_OK && y.data && !*glia_error(s));
      CHECK(k == 3 ? *(float *)y.data == 0 : y.dim[0] == 0);
    }
  glia_array x = glia_f32(NULL, 1, none), y = {0};
  CHECK(glia_call(function(s, "total"), &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 0);
  glia_frozen *z;
  x = glia_f32(NULL, 2, none_two);
  y.data = NULL;
  CHECK(glia_freeze(function(s, "inc"), NULL, &x, 1, &z) == GLIA_OK);
  CHECK(glia_frozen_call(z, &x, 1, &y, 1, NULL) == GLIA_OK && y.dim[0] == 0);
  glia_frozen_close(z);
  glia_close(s);
}

/* ---- calls inside of calls ---- */
static struct { glia_session *s; glia_function *f; int busy, tried; } inside;

static void try_inside(void) {
  float one = 1;
  glia_array x = glia_f32(&one, 0, NULL), y = {0};
  glia_function *f;
  glia_tree *g;
  glia_frozen *z;
  const glia_diagnostic *d;
  size_t n;
  const glia_status status[] = {
      glia_load(inside.s, "x", "print 1", GLIA_TEXT_END), glia_check(inside.s, "x", "print 1", GLIA_TEXT_END),
      glia_load_file(inside.s, "x"), glia_get_function(inside.s, "f", &f), glia_parameter_get(inside.s, "w", &y),
      glia_parameter_set(inside.s, "w", &x), glia_save(inside.s, "x", "w"), glia_load_tree(inside.s, "x", "w"),
      glia_diagnostics(inside.s, &d, &n), glia_call(inside.f, &x, 1, &y, 1),
      glia_value_and_grad(inside.f, "x", &x, 1, &y, &g), glia_freeze(inside.f, NULL, &x, 1, &z),
      glia_register(inside.s, "h(x: f64) -> f64", (glia_foreign)try_inside, NULL)};
  for (size_t k = 0; k < sizeof status / sizeof *status; k++, inside.tried++) inside.busy += status[k] == GLIA_BUSY;
  inside.busy += glia_parameter_count(inside.s) == 0;
  inside.tried++;
  glia_function_close(inside.f);
  glia_close(inside.s);                                    /* does nothing */
}

static int print_inside(void *to, const char *text, size_t n) {
  (void)to, (void)text, (void)n;
  try_inside();
  return 1;
}
static int poll_inside(void *to) {
  (void)to;
  try_inside();
  return 1;
}
static double called_inside(double x) {
  try_inside();
  return x;
}

static void inside_of_callbacks(void) {
  glia_config c = {.threads = 1, .print = print_inside, .poll = poll_inside};
  CHECK(glia_open(&c, &inside.s) == GLIA_OK);
  inside.f = NULL;
  CHECK(glia_load(inside.s, "m", "param w: [] = 1\nfn f(x: []) = w * x\n", GLIA_TEXT_END) == GLIA_OK);
  inside.f = function(inside.s, "f");
  CHECK(glia_register(inside.s, "back(x: f64) -> f64", (glia_foreign)called_inside, NULL) == GLIA_OK);
  inside.busy = inside.tried = 0;
  CHECK(glia_load(inside.s, "n", "print 1\nfor i in 1..3 { print back(f64(i)) }\n", GLIA_TEXT_END) == GLIA_OK);
  CHECK(inside.tried >= 6 * 14 && inside.busy == inside.tried);
  float one = 2;
  glia_array x = glia_f32(&one, 0, NULL), y = {0};
  CHECK(glia_call(inside.f, &x, 1, &y, 1) == GLIA_OK && *(float *)y.data == 2);
  glia_close(inside.s);
}

static void *call_at_once(void *to) {
  int *count = to;
  float v[3] = {1, 2, 3};
  for (int k = 0; k < 3000; k++) {
    glia_array x = glia_f32(v, 1, three);
    float r[3];
    glia_array y = glia_f32(r, 1, three);
    glia_status status = glia_call(inside.f, &x, 1, &y, 1);
    if (status == GLIA_OK && r[1] == 3) count[0]++;
    else if (status == GLIA_BUSY) count[1]++;
    else count[2]++;
  }
  return NULL;
}

static void two_threads_in_one(void) {
  glia_session *s = opened(&(glia_config){.threads = 1}, "fn f(x: [N]) = x + 1\n");
  inside.f = function(s, "f");
  int count[4][3] = {{0}};
  pthread_t t[4];
  for (int k = 0; k < 4; k++) CHECK(pthread_create(&t[k], NULL, call_at_once, count[k]) == 0);
  for (int k = 0; k < 4; k++) {
    pthread_join(t[k], NULL);
    CHECK(count[k][0] + count[k][1] == 3000 && count[k][2] == 0);
  }
  glia_close(s);
}

/* ---- a child ---- */
static void forks(void) {
  glia_session *s = opened(&(glia_config){.threads = 4}, "fn f(x: [N, N]) = x @ x\n");
  glia_pool *p;
  glia_graph *g;
  CHECK(glia_pool_open(3, NULL, NULL, &p) == GLIA_OK);
  CHECK(glia_graph_open(&(glia_graph_config){.threads = 3}, &g) == GLIA_OK);
  static float m[200 * 200], before[200 * 200];
  for (int k = 0; k < 200 * 200; k++) m[k] = (float)(k % 5);
  glia_array x = glia_f32(m, 2, (int64_t[]){200, 200}), y = {0};
  glia_function *f = function(s, "f");
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK);
  memcpy(before, y.data, sizeof before);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(20);
    y.data = NULL;
    if (glia_call(f, &x, 1, &y, 1) != GLIA_OK || memcmp(before, y.data, sizeof before)) _exit(1);
    if (glia_load(s, "c", "print sum(ones([300, 300]) @ ones([300, 300]))\n", GLIA_TEXT_END) != GLIA_OK) _exit(2);
    glia_close(s);
    glia_graph_close(g);
    glia_pool_close(p);
    _exit(0);
  }
  int status = -1;
  CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
  y.data = NULL;
  CHECK(glia_call(f, &x, 1, &y, 1) == GLIA_OK && !memcmp(before, y.data, sizeof before));
  glia_close(s);
  glia_graph_close(g);
  glia_pool_close(p);
}

/* ---- text that is more than it should be ---- */
static int printed;
static int count_print(void *to, const char *text, size_t n) {
  (void)to, (void)text, (void)n;
  return ++printed;
}
static double twice(double x) { return 2 * x; }

static void no_text_runs(void) {
  static const char *const names[] = {"net)\nprint(1", "net\nprint 1", "w); print(1", "{ print 1; w }", "f(1)", "w + 1",
                                      "",
                                      "\"", "w\")\nprint 1\n#", "(w, p())", "w #", "grad(w, w)", "[w, w]", "net.", "1"};
  static const char *const signatures[] = {"h(x: f64) -> f64\nprint 1", "h(x: f64) -> f64; print 1",
                                           "h(x: f64) -> f64\nlet net = 1\n",
                                           "h(x: f64) -> f64\nextern \"c\" fn k() -> f64"};
  glia_session *s = opened(&(glia_config){.threads = 1, .print = count_print},
                           "param w: [2] = 1\nlet net = dense(2, 3)\nproc p() { print 2; 1 }\nfn f(x) = sum(w * x)\n");
  glia_function *f = function(s, "f");
  glia_array x = glia_f32(numbers, 1, (int64_t[]){2}), y = {0};
  glia_tree *g;
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    const char *name = names[k];
    CHECK(glia_save(s, "no.st", name) == GLIA_SCRIPT || !strcmp(name, "w #"));
    CHECK(glia_load_tree(s, "no.st", name) == GLIA_SCRIPT || !strcmp(name, "w #"));
    CHECK(glia_value_and_grad(f, name, &x, 1, &y, &g) == GLIA_SCRIPT || !strcmp(name, "w #"));
    CHECK(glia_save(s, name, "w") == GLIA_OK || !*name || !strcmp(name, "net."));
  }
  for (size_t k = 0; k < sizeof signatures / sizeof *signatures; k++)
    CHECK(glia_register(s, signatures[k], (glia_foreign)twice, NULL) == GLIA_SCRIPT);
  CHECK(glia_register(s, "h(x: f64) -> f64", (glia_foreign)twice, "h(x) -> y, dy = 2 * dy\nprint 1") == GLIA_SCRIPT);
  CHECK(glia_register(s, "h(x: f64) -> f64\ngradient h(x) -> y, dy = 2 * dy", (glia_foreign)twice, NULL) ==
        GLIA_SCRIPT);
  CHECK(printed == 0);
  static const char *const odd[] = {"a{w}.st", "b\"c.st", "c\\d.st", "e}.st", "print 1\n.st"};
  for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
    CHECK(glia_save(s, odd[k], "w") == GLIA_OK && access(odd[k], R_OK) == 0);
    CHECK(glia_load_tree(s, odd[k], "w") == GLIA_OK);
  }
  CHECK(glia_save(s, "net.st", "net") == GLIA_OK && glia_load_tree(s, "net.st", "net") == GLIA_OK);
  CHECK(glia_save(s, "net.st", "net.w") == GLIA_OK && glia_save(s, "two.st", "(w, net)") == GLIA_OK);
  CHECK(glia_save(s, "net.st", "{w, net}") == GLIA_OK && glia_load_tree(s, "net.st", "{w, net}") == GLIA_OK);
  CHECK(glia_value_and_grad(f, "w", &x, 1, &y, &g) == GLIA_OK && printed == 0);
  glia_close(s);
}

/* ---- often ---- */
typedef struct Used { size_t now; } Used;
static void *counted(void *user, void *p, size_t size) {
  Used *u = user;
  size_t *head = p ? (size_t *)p - 2 : NULL;
  if (size == 0) {
    if (head) u->now -= *head;
    free(head);
    return NULL;
  }
  size_t old = head ? *head : 0;
  if (!(head = realloc(head, size + 2 * sizeof *head))) return NULL;
  *head = size;
  u->now += size - old;
  return head + 2;
}

static glia_session *often_in;
static glia_array often_x, often_wrong;
static void often_save(void) { CHECK(glia_save(often_in, "often.st", "net") == GLIA_OK); }
static void often_load_tree(void) { CHECK(glia_load_tree(often_in, "often.st", "net") == GLIA_OK); }
static void often_refused(void) {
  glia_array y = {0};
  CHECK(glia_call(inside.f, &often_wrong, 1, &y, 1) == GLIA_SCRIPT && *glia_error(often_in));
}
static void often_got(void) {
  glia_array y = {0};
  glia_function *f = function(often_in, "p");
  CHECK(glia_call(f, &often_x, 1, &y, 1) == GLIA_OK);
  glia_function_close(f);
}
static void often_fault(void) {
  int32_t at = 7;
  const glia_diagnostic *d;
  size_t n;
  glia_array y = {0}, x[] = {glia_f32(numbers, 1, three), glia_i32(&at, 0, NULL)};
  CHECK(glia_call(function(often_in, "pick"), x, 2, &y, 1) == GLIA_SCRIPT && *glia_error(often_in));
  CHECK(glia_diagnostics(often_in, &d, &n) == GLIA_OK && n == 1);
}
static void often_step(void) {
  glia_array y = {0};
  CHECK(glia_call(function(often_in, "step"), &often_x, 1, &y, 1) == GLIA_OK);
}
static void often_check(void) { CHECK(glia_check(often_in, "c", "let n = dense(2, 2)\n", GLIA_TEXT_END) == GLIA_OK); }
static void often_mistakes(void) {
  const glia_diagnostic *d;
  size_t n;
  CHECK(glia_load(often_in, "bad", "let a = dens(2, 2)\nlet b = relu(\"a\")\n", GLIA_TEXT_END) == GLIA_SCRIPT);
  CHECK(glia_diagnostics(often_in, &d, &n) == GLIA_OK && n == 2);
}
static void often_set(void) {
  float w[2] = {1, 2};
  glia_array a = glia_f32(w, 2, (int64_t[]){2, 1});
  CHECK(glia_parameter_set(often_in, "net.w", &a) == GLIA_OK && glia_parameter_count(often_in) == 2);
  a.rank = 1;
  CHECK(glia_parameter_set(often_in, "net.w", &a) == GLIA_MISUSE);
}
static void often_nothing(void) {
  glia_function *f;
  CHECK(glia_get_function(often_in, "nothing", &f) == GLIA_NOT_FOUND);
  CHECK(glia_get_function(often_in, "x", &f) == GLIA_MISUSE);
  CHECK(glia_load_tree(often_in, "no such file", "net") == GLIA_SCRIPT);
}
static void often_frozen(void) {
  glia_frozen *z;
  glia_array y = {0};
  CHECK(glia_freeze(function(often_in, "p"), NULL, &often_x, 1, &z) == GLIA_OK);
  CHECK(glia_frozen_call(z, &often_x, 1, &y, 1, NULL) == GLIA_OK);
  glia_frozen_close(z);
}
static void often_gradient(void) {
  glia_tree *g;
  CHECK(glia_value_and_grad(function(often_in, "loss"), "net", &often_x, 1, NULL, &g) == GLIA_OK);
  CHECK(glia_value_and_grad(function(often_in, "loss"), "nothing", &often_x, 1, NULL, &g) == GLIA_SCRIPT);
}

static void keeps_its_size(int rounds) {
  static const struct { const char *what; void (*call)(void); int part; } each[] = {
      {"save", often_save, 10}, {"load_tree", often_load_tree, 10}, {"a refused call", often_refused, 4},
      {"get, call, close", often_got, 1}, {"a call that fails", often_fault, 1}, {"a proc", often_step, 1},
      {"check", often_check, 20}, {"mistakes", often_mistakes, 10}, {"set", often_set, 1},
      {"nothing", often_nothing, 4},
      {"freeze", often_frozen, 1}, {"gradient", often_gradient, 4}};
  static const char text[] =
      "let net = dense(2, 1)\nlet opt = adam(net)\nfn p(x: [N, 2]) = net(x)\nfn loss(x: [N, 2]) = mean(net(x)^2)\n"
      "let x = 3\nfn pick(x: [N], i: i32[]) = x[i]\n"
      "proc step(x: [N, 2]) { let l = loss(x); opt.step(l); print l; for i in 1..2 { opt.step(loss(x)) }; l }\n";
  static float points[6] = {1, 2, 3, 4, 5, 6};
  Used used = {0};
  often_in = opened(&(glia_config){.threads = 1, .alloc = counted, .user = &used}, text);
  often_x = glia_f32(points, 2, (int64_t[]){3, 2});
  often_wrong = glia_f32(points, 2, (int64_t[]){2, 3});
  inside.f = function(often_in, "p");
  for (size_t k = 0; k < sizeof each / sizeof *each; k++) {
    for (int i = 0; i < 10; i++) each[k].call();
    CHECK(glia_get_function(often_in, "p", &inside.f) == GLIA_OK);     /* what the last call left goes */
    size_t before = used.now;
    for (int i = 0; i < rounds / each[k].part; i++) each[k].call();
    CHECK(glia_get_function(often_in, "p", &inside.f) == GLIA_OK);
    printf("%-20s %6d rounds: %lld bytes\n", each[k].what, rounds / each[k].part,
           (long long)used.now - (long long)before);
    CHECK(used.now <= before);
  }
  glia_close(often_in);
  CHECK(used.now == 0);
}

/* A host that was compiled before glia_config had `stack`. */
static void older_hosts(void) {
  union { glia_config c; unsigned char bytes[sizeof(glia_config)]; } c;
  memset(&c, 0xff, sizeof c);
  glia_config plain = {.threads = 1};
  memcpy(&c, &plain, offsetof(glia_config, stack));
  glia_session *s;
  CHECK((glia_open)(&c.c, &s) == GLIA_OK);
  CHECK(glia_load(s, "a", "let a = [1, 2]\n", GLIA_TEXT_END) == GLIA_OK);
  glia_close(s);
  CHECK(glia_open_sized(sizeof(int), &c.c, &s) == GLIA_OK);
  glia_close(s);
}

int main(int argc, char **argv) {
  cancels_nothing();
  checking_is_cancelled();
  checking_asks_often();
  limits_while_checking();
  whole_numbers();
  shared_memory();
  without_elements();
  inside_of_callbacks();
  two_threads_in_one();
  forks();
  no_text_runs();
  older_hosts();
  keeps_its_size(argc > 1 ? atoi(argv[1]) : 2000);
  return wrong != 0;
}
