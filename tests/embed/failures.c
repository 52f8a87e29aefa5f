/* failures: a session is as it was before a call that failed. A long list of calls, in which the k-th allocation fails,
 * or all from the k-th on until the call comes back; that call is made once more, and all that the host sees must be,
 * byte for byte, what it sees where nothing fails. The same with calls that meet the limit of memory.
 *
 * Each k is a process of its own: a crash is counted. `failures` tries some, `failures all` every k.
 */
#define _POSIX_C_SOURCE 200809L
#include <glia.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "embed.h"

static const char model[] =
    "import \"units.nn\" as u\n"
    "let data = {x = [[0.5, 1.0, 2.0], [1.0, 0.0, -1.0], [0.25, 2.0, 1.0], [3.0, 1.0, 0.5]], y = [0, 1, 1, 0]}\n"
    "let net = dense(3, 4, tanh) >> dense(4, 2)\n"
    "let opt = adam(net, lr = 0.1)\n"
    "var seen = 0.0\n"
    "fn predict(x: [N, 3]) -> [N, 2] = net(x)\n"
    "fn loss(x: [N, 3], y: [N, 2]) = mean((net(x) - y)^2)\n"
    "fn noise(x: [N]) { let z: [N] ~ normal(0, 1); x + z }\n"
    "fn inches(x: [N]) -> [N] = u.to_cm(x)\n"
    "fn pick(x: [N], i: i32[]) = x[i]\n"
    "proc step(x: [N, 3], y: [N, 2]) {\n"
    "  let l = loss(x, y)\n"
    "  opt.step(l)\n"
    "  seen += l\n"
    "  if l > 0.5 { print \"large {l}\" } else { print \"small {l}\" }\n"
    "  l\n"
    "}\n"
    "proc epoch(k: i32) {\n"
    "  var total = 0.0\n"
    "  for {x, y} in batches(data, 3, shuffle = true) {\n"
    "    let l = cross_entropy(net(x), y)\n"
    "    opt.step(l)\n"
    "    total += l\n"
    "  }\n"
    "  total + k\n"
    "}\n"
    "let h = series()\n"
    "for i in 1..3 { h.add(at = i, square = i^2) }\n"
    "print h.square, sum(net[0].w), args\n";

static float points[] = {0.1f, -0.2f, 0.3f, 0.5f, 0.4f, -0.6f}, targets[] = {1, 0, 0, 1};
static const int64_t two_three[] = {2, 3}, two_two[] = {2, 2}, three[] = {3}, one_three[] = {1, 3};

/* ---- what a host sees ---- */
typedef struct Seen { char text[40000]; size_t n; } Seen;
typedef struct Host {
  Failing memory;
  int all, failed, in_call;            /* all: every request from fail_at on until the call returns */
  glia_session *s;
  glia_function *predict, *loss, *step, *epoch, *noise, *inches, *pick;
  glia_frozen *frozen;
  Seen seen;
  size_t before;                       /* seen.n when the call began */
  char file[64];
} Host;

static void tell(Host *h, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(h->seen.text + h->seen.n, sizeof h->seen.text - h->seen.n, fmt, ap);
  va_end(ap);
  if (n > 0 && h->seen.n + (size_t)n < sizeof h->seen.text) h->seen.n += (size_t)n;
}

static int print(void *to, const char *text, size_t n) {
  tell(to, "printed %.*s", (int)n, text);
  return 1;
}

static void *allocate(void *user, void *p, size_t size) {
  Host *h = user;
  Failing *f = &h->memory;
  if (size == 0) return failing(f, p, 0);
  if (h->all && f->fail_at && f->count + 1 >= f->fail_at && h->in_call) {
    h->failed = 1;
    return NULL;
  }
  void *q = failing(f, p, size);
  if (!q) h->failed = 1;
  return q;
}

static void tell_array(Host *h, const char *what, const glia_array *a) {
  tell(h, "%s type %d rank %d:", what, (int)a->dtype, a->rank);
  int64_t n = glia_count(a);
  for (int64_t k = 0; k < n; k++) {
    if (a->dtype == GLIA_F32) tell(h, " %a", (double)((const float *)a->data)[k]);
    if (a->dtype == GLIA_I32) tell(h, " %d", (int)((const int32_t *)a->data)[k]);
  }
  tell(h, "\n");
}

static void tell_status(Host *h, const char *what, glia_status status) {
  const glia_diagnostic *d;
  size_t n;
  tell(h, "%s: %d %s\n", what, (int)status, glia_error(h->s));
  glia_status listed = glia_diagnostics(h->s, &d, &n);
  for (size_t k = 0; listed == GLIA_OK && k < n; k++)
    tell(h, "  %s %s:%d:%d %s, %d notes\n", d[k].code, d[k].file ? d[k].file : "nowhere", d[k].line, d[k].column,
         d[k].text, d[k].n_note);
}

/* ---- the calls ---- */
typedef glia_status (*Call)(Host *h);

static glia_status load_text(Host *h, const char *name, const char *text) {
  glia_status status = glia_load(h->s, name, text, GLIA_TEXT_END);
  if (status != GLIA_MEMORY) tell_status(h, name, status);
  return status;
}

static double half(double x) { return x / 2; }
static double half_grad(double x, double dy) { return 0 * x + dy / 2; }

static glia_status register_gradient(Host *h) {
  return glia_register(h->s, "half_grad(x: f64, dy: f64) -> f64", (glia_foreign)half_grad, NULL);
}
static glia_status register_half(Host *h) {
  return glia_register(h->s, "half(x: f64) -> f64", (glia_foreign)half, "half(x) -> y, dy = half_grad(x, dy)");
}
static glia_status register_bad(Host *h) {
  glia_status status = glia_register(h->s, "half(x: nothing) -> f64", (glia_foreign)half, NULL);
  if (status != GLIA_MEMORY) tell_status(h, "register", status);
  return status;
}
static glia_status load_model(Host *h) { return load_text(h, "model.nn", model); }
static glia_status load_mistakes(Host *h) {
  return load_text(h, "mistakes.nn", "let fresh = dense(3, 3)\nlet a = dens(2, 3)\nlet b = [1, 2] @ [1, 2, 3]\n");
}
static glia_status load_syntax(Host *h) { return load_text(h, "syntax.nn", "let let = {\nfn (\n"); }
static glia_status load_warned(Host *h) { return load_text(h, "warned.nn", "fn f(x) { let unused = 3; x }\n"); }
static glia_status load_fault(Host *h) {
  return load_text(h, "fault.nn", "var i = 7\nlet early = 2\nprint i > 2\nprint [1, 2][i]\n");
}
static glia_status load_draws(Host *h) {
  return load_text(h, "draws.nn", "let z: [3] ~ normal(0, 1)\nlet d = dropout(0.5)\nprint z, half(3.0)\n"
                                  "print grad(fn (x) = half(x) * x)(2.0)\nprint mlp([2, 3, 1])[0].w\n");
}
static glia_status load_rest(Host *h) {
  return load_text(h, "rest.nn", "let k = series()\nvar n = 0\nwhile n < 3 { n += 1; k.add(v = n) }\nprint sum(k.v)\n");
}
static glia_status load_nothing(Host *h) {
  glia_status status = glia_load_file(h->s, "no-such-file.nn");
  if (status != GLIA_MEMORY) tell_status(h, "no file", status);
  return status;
}
static glia_status check_good(Host *h) {
  return glia_check(h->s, "check.nn", "let net = dense(2, 3)\nprint net(zeros([1, 2]))\n", GLIA_TEXT_END);
}
static glia_status check_bad(Host *h) {
  glia_status status = glia_check(h->s, "check.nn", "print predict(1)\n", GLIA_TEXT_END);
  if (status != GLIA_MEMORY) tell_status(h, "check", status);
  return status;
}

#define GET(name) \
  static glia_status get_##name(Host *h) { return glia_get_function(h->s, #name, &h->name); }
GET(predict) GET(loss) GET(step) GET(epoch) GET(noise) GET(inches) GET(pick)

static glia_status call(Host *h, const char *what, glia_function *f, const glia_array *x, int n) {
  glia_array y = {0};
  glia_status status = glia_call(f, x, n, &y, 1);
  if (status == GLIA_OK) tell_array(h, what, &y);
  else if (status != GLIA_MEMORY) tell_status(h, what, status);
  return status;
}

static glia_array xs(void) { return glia_f32(points, 2, two_three); }
static glia_status call_predict(Host *h) { return call(h, "predict", h->predict, (glia_array[]){xs()}, 1); }
static glia_status call_row(Host *h) {
  return call(h, "row", h->predict, (glia_array[]){glia_f32(points, 2, one_three)}, 1);
}
static glia_status call_refused(Host *h) {
  return call(h, "refused", h->predict, (glia_array[]){glia_f32(points, 1, three)}, 1);
}
static glia_status call_step(Host *h) {
  return call(h, "step", h->step, (glia_array[]){xs(), glia_f32(targets, 2, two_two)}, 2);
}
static glia_status call_epoch(Host *h) {
  int32_t k = 5;
  return call(h, "epoch", h->epoch, (glia_array[]){glia_i32(&k, 0, NULL)}, 1);
}
static glia_status call_noise(Host *h) {
  return call(h, "noise", h->noise, (glia_array[]){glia_f32(points, 1, three)}, 1);
}
static glia_status call_inches(Host *h) {
  return call(h, "inches", h->inches, (glia_array[]){glia_f32(points, 1, three)}, 1);
}
static glia_status call_fault(Host *h) {
  int32_t at = 7;
  return call(h, "pick", h->pick, (glia_array[]){glia_f32(points, 1, three), glia_i32(&at, 0, NULL)}, 2);
}

static void tell_tree(Host *h, const glia_tree *g) {
  for (size_t k = 0; k < glia_tree_count(g); k++) {
    const char *path;
    glia_array a;
    if (glia_tree_at(g, k, &path, &a) == GLIA_OK) tell_array(h, path, &a);
  }
}

static glia_status gradient(Host *h) {
  glia_tree *g;
  glia_array y = {0};
  glia_status status = glia_value_and_grad(h->loss, "net", (glia_array[]){xs(), glia_f32(targets, 2, two_two)}, 2,
                                           &y, &g);
  if (status == GLIA_OK) tell_array(h, "loss", &y);
  if (status == GLIA_OK) tell_tree(h, g);
  return status;
}
static glia_status gradient_of_nothing(Host *h) {
  glia_tree *g;
  glia_status status = glia_value_and_grad(h->loss, "nothing", (glia_array[]){xs(), glia_f32(targets, 2, two_two)},
                                           2, NULL, &g);
  if (status != GLIA_MEMORY) tell_status(h, "gradient", status);
  return status;
}
static glia_status freeze(Host *h) {
  return glia_freeze(h->loss, "net", (glia_array[]){xs(), glia_f32(targets, 2, two_two)}, 2, &h->frozen);
}
static glia_status call_frozen(Host *h) {
  glia_tree *g;
  glia_array y = {0};
  glia_status status =
      glia_frozen_call(h->frozen, (glia_array[]){xs(), glia_f32(targets, 2, two_two)}, 2, &y, 1, &g);
  if (status == GLIA_OK) tell_array(h, "frozen", &y);
  if (status == GLIA_OK) tell_tree(h, g);
  glia_frozen_close(h->frozen);
  h->frozen = NULL;
  return status;
}
static glia_status save(Host *h) { return glia_save(h->s, h->file, "net"); }
static glia_status save_nothing(Host *h) {
  glia_status status = glia_save(h->s, h->file, "nothing");
  if (status != GLIA_MEMORY) tell(h, "save: %d\n", (int)status);
  return status;
}
static glia_status load_tree(Host *h) { return glia_load_tree(h->s, h->file, "net"); }
static glia_status load_no_tree(Host *h) {
  glia_status status = glia_load_tree(h->s, "/no/such/file", "net");
  if (status != GLIA_MEMORY) tell(h, "load_tree: %d\n", (int)status);
  return status;
}
static glia_status set(Host *h) {
  static float w[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  glia_array a = glia_f32(w, 2, (int64_t[]){3, 4});
  return glia_parameter_set(h->s, "net.0.w", &a);
}
static glia_status parameters(Host *h) {
  size_t n = glia_parameter_count(h->s);
  for (size_t k = 0; k < n; k++) {
    const char *path;
    glia_array a = {0};
    glia_status status = glia_parameter_at(h->s, k, &path, &a);
    if (status == GLIA_MEMORY) return status;
    if (status == GLIA_OK) tell_array(h, path, &a);
  }
  return n ? GLIA_OK : GLIA_MEMORY;
}
static glia_status close_functions(Host *h) {
  glia_function_close(h->predict);
  return glia_get_function(h->s, "predict", &h->predict);
}

static const struct { const char *name; Call call; } calls[] = {
#define C(name) {#name, name}
    C(register_gradient), C(register_bad), C(register_half), C(load_syntax), C(load_mistakes), C(load_model),
    C(load_mistakes), C(get_predict), C(call_predict), C(call_refused), C(load_warned), C(get_loss), C(gradient),
    C(gradient_of_nothing), C(call_row), C(get_step), C(call_step), C(call_step), C(get_epoch), C(call_epoch),
    C(call_epoch), C(get_noise), C(call_noise), C(load_fault), C(call_noise), C(get_inches), C(call_inches),
    C(get_pick), C(call_fault), C(freeze), C(call_step), C(call_frozen), C(save), C(save_nothing), C(set), C(gradient),
    C(load_tree), C(load_no_tree), C(check_good), C(check_bad), C(load_nothing), C(load_draws), C(load_rest),
    C(parameters), C(load_draws), C(close_functions), C(call_predict), C(call_step), C(call_epoch), C(parameters)};
enum { CALLS = sizeof calls / sizeof *calls };

/* The call once more if it failed for want of memory. -1: it failed without that. */
static int make(Host *h, int k) {
  for (int again = 0; again < 2; again++) {
    size_t before = h->seen.n;
    h->failed = 0;
    h->in_call = 1;
    glia_status status = calls[k].call(h);
    h->in_call = 0;
    if (!h->failed) {
      tell(h, "%s: %d\n", calls[k].name, (int)status);
      return status == GLIA_MEMORY ? -1 : 0;
    }
    h->memory.fail_at = 0;
    h->seen.n = before;                /* what was said of a failed allocation is not of the session */
  }
  return -1;
}

static int through(Host *h) {
  static const char *const args[] = {"a", "b"};
  glia_config c = {.alloc = allocate, .user = h, .threads = 1, .print = print, .to = h, .args = args, .n_args = 2,
                   .search = "/nowhere:" SOURCE "/tests/lang/modules/more"};
  h->in_call = 1;
  glia_status status = glia_open(&c, &h->s);
  if (status == GLIA_MEMORY && h->failed) {
    if (h->memory.out) return 3;
    h->memory.fail_at = 0;
    status = glia_open(&c, &h->s);
  }
  h->in_call = 0;
  if (status != GLIA_OK) return 4;
  for (int k = 0; k < CALLS; k++)
    if (make(h, k)) {
      fprintf(stderr, "%s: %s\n", calls[k].name, glia_error(h->s));
      return 5;
    }
  glia_frozen_close(h->frozen);
  glia_close(h->s);
  return h->memory.out ? 3 : 0;
}

/* ---- the limit of memory: what met it leaves nothing ---- */
static int after_a_limit(Host *h, size_t bytes) {
  glia_config c = {.alloc = allocate, .user = h, .threads = 1, .print = print, .to = h, .max_memory = bytes,
                   .search = "/nowhere:" SOURCE "/tests/lang/modules/more"};
  if (glia_open(&c, &h->s) != GLIA_OK) return h->memory.out ? 3 : 0;
  size_t all = h->seen.n;
  for (int k = 0; k < 2; k++) {
    glia_status status = glia_load(h->s, "model.nn", model, GLIA_TEXT_END);
    if (status == GLIA_OK) break;
    if (!*glia_error(h->s)) return 5;
    h->seen.n = all;
  }
  if (glia_load(h->s, "x.nn", "let z: [2] ~ normal(0, 1)\nprint z\n", GLIA_TEXT_END) != GLIA_OK) h->seen.n = all;
  glia_close(h->s);
  return h->memory.out ? 3 : 0;
}

/* ---- a process for each ---- */
typedef struct Table { long tried, crashes, leaks, differ; } Table;
static Seen expected;

static int child(long k, int all) {
  static Host h;
  h = (Host){.memory.fail_at = k, .all = all};
  snprintf(h.file, sizeof h.file, "failures-%d.st", all);
  int status = through(&h);
  if (status) return status;
  if (h.seen.n != expected.n || memcmp(h.seen.text, expected.text, h.seen.n)) {
    const char *a = h.seen.text, *b = expected.text;
    while (*a && *a == *b) a++, b++;
    while (a > h.seen.text && a[-1] != '\n') a--, b--;
    fprintf(stderr, "got      %.160s\nexpected %.160s\n", a, b);
    return 6;
  }
  return 0;
}

static void try_one(Table *t, long k, int all) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) _exit(child(k, all));
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) {
    CHECK(0 && "no process");
    return;
  }
  t->tried++;
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 1) t->crashes++;
  else if (WEXITSTATUS(status) == 3) t->leaks++;
  else if (WEXITSTATUS(status)) t->differ++;
  if (status && t->crashes + t->leaks + t->differ < 30)
    printf("allocation %ld%s: status %#x\n", k, all ? " and all behind it" : "", (unsigned)status);
}

static void show(const char *what, const Table *t) {
  printf("%-28s tried %ld, crashes %ld, leaks %ld, differ %ld\n", what, t->tried, t->crashes, t->leaks, t->differ);
  CHECK(t->tried && !t->crashes && !t->leaks && !t->differ);
}

static void limits(long count, long step) {
  static Host h;
  Table t = {0};
  for (long k = 0; k < count; k += step) {
    h = (Host){.memory.fail_at = 0};
    int status = after_a_limit(&h, (size_t)(100000 + k * 3000));
    t.tried++;
    t.leaks += status == 3;
    t.differ += status && status != 3;
  }
  show("a limit of memory", &t);
}

int main(int argc, char **argv) {
  int every = argc > 1 && !strcmp(argv[1], "all");
  static Host h;
  snprintf(h.file, sizeof h.file, "failures-0.st");
  int status = through(&h);
  CHECK(status == 0);
  CHECK(h.seen.n > 1000 && h.seen.n < sizeof h.seen.text - 1000);
  if (argc > 1 && !strcmp(argv[1], "show")) puts(h.seen.text);
  expected = h.seen;
  long n = h.memory.count;
  printf("%ld allocations\n", n);
  if (argc > 2) {
    h = (Host){.memory.fail_at = 0};
    printf("status %d\n", child(atol(argv[1]), atoi(argv[2])));
    return 0;
  }
  Table once = {0}, on = {0};
  for (long k = 1; k <= n; k = every ? k + 1 : failing_next(k, 40, n / 150 + 1)) {
    try_one(&once, k, 0);
    if (every || k % 3 == 0) try_one(&on, k, 1);
  }
  show("an allocation fails", &once);
  show("all fail until it returns", &on);
  limits(400, every ? 1 : 40);
  return wrong != 0;
}
