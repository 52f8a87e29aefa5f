/* Entries of a session: what leaves nothing behind takes nothing with it, by the bytes that the session holds. */
#include "unit.h"
#include "lang/elab/elab.h"
#include "lang/session.h"

static bool quiet(void *to, const char *text, size_t n, Loc loc) {
  (void)to, (void)text, (void)n, (void)loc;
  return true;
}

static Session *opened(const char *script) {
  SessionConfig c = {.threads = 1, .print = quiet};
  Session *s;
  Entry *entry;
  CU_ASSERT_FATAL(session_open(&c, &s) == STATUS_OK);
  CU_ASSERT_EQUAL_FATAL(session_load(s, "entry", script, strlen(script), LOAD_REPL, &entry), STATUS_OK);
  return s;
}

/* As the REPL does: the value is named and written. */
static Status entry(Session *s, const char *text) {
  Entry *e;
  Status status = session_load(s, "entry", text, strlen(text), LOAD_REPL, &e);
  if (status == STATUS_OK && e->it) {
    CU_ASSERT(session_name_it(s, e->it));
    CU_ASSERT_PTR_NOT_NULL(session_value_text(s, e->it));
  }
  return status;
}

static size_t held_after(Session *s, const char *text, int n) {
  for (int k = 0; k < n; k++) entry(s, text);
  entry(s, "1");
  entry(s, "2");
  return s->host.in_use;
}

/* A hundred entries make room for such; then a hundred more leave as many bytes. */
static void assert_flat(const char *script, const char *text) {
  Session *s = opened(script);
  held_after(s, text, 20);
  size_t few = held_after(s, text, 100), more = held_after(s, text, 100);
  if (more != few) printf("  %s: %zu bytes an entry\n", text, (more - few) / 100);
  CU_ASSERT_EQUAL(more, few);
  session_close(s);
}

static const char net[] = "let net = dense(2, 8, tanh) >> dense(8, 1)\nlet opt = adam(net, lr = 0.01)\n"
                          "let x = [[0.0, 1], [1, 0]]\nlet y = [[1.0], [0]]\nlet K = 2.0\nvar v = 1.0\n"
                          "let s = series()\ns.add(loss = 1.0)\nfn f(x) = x + 1\n";

static void what_names_nothing_is_taken_back(void) {
  assert_flat(net, "opt.step(mse(net(x), y))");
  assert_flat(net, "1.5*K");
  assert_flat(net, "v += 1.0");
  assert_flat(net, "v");
  assert_flat(net, "net");
  assert_flat(net, "f(K)");
  assert_flat(net, "grad(sum(net(x)^2), net)");
  assert_flat(net, "print \"{v} {K}\"");
  assert_flat(net, "for k in 1..3 { v += 1.0 }");
  assert_flat(net, "{a = K, b = [v, 2.0], c = \"text\", d = (1, true)}");
  assert_flat(net, "print normal([3], 0, 1)");
  assert_flat(net, "softmax(x)");
  assert_flat(net, "freeze(net)");
  assert_flat(net, "seed(3)");
}

static void what_fails_is_taken_back(void) {
  assert_flat(net, "nothing + 1");
  assert_flat(net, "assert v < 0.0");
  assert_flat(net, "let (");
  assert_flat(net, "x @ x @ y @ y");
}

/* What reads `it` stays on top of what it reads, until an entry does not. */
static void a_chain_of_it_goes_when_it_ends(void) { assert_flat(net, "it * 1.0"); }

/* A text of a host, too. */
static void what_a_host_loads(void) {
  Session *s = opened(net);
  size_t before = 0;
  static const char step[] = "opt.step(mse(net(x), y))\nprint v\n";
  for (int k = 0; k < 100; k++) {
    CU_ASSERT_EQUAL(session_load(s, "host", step, strlen(step), LOAD_KEEP, NULL), STATUS_OK);
    if (k == 20) before = s->host.in_use;
  }
  CU_ASSERT_EQUAL(s->host.in_use, before);
  session_close(s);
}

/* What an entry changes for good is there when it is gone. */
static void its_traces_stay(void) {
  Session *s = opened(net);
  CU_ASSERT_EQUAL(entry(s, "let before = net[0].w * 1\nlet old = v^2"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "opt.step(mse(net(x), y))"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "v = 5.0"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert max(abs(net[0].w - before)) > 0.0"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert close(grad(old, v), 2.0)"), STATUS_OK);       /* at the v that it read */
  CU_ASSERT_EQUAL(entry(s, "assert close(grad(v^2, v), 10.0)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "s.add(loss = 3.0)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert shape(s.loss) == [2]"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "freeze(net)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "let frozen = net[0].w * 1"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "opt.step(mse(net(x), y))"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert max(abs(net[0].w - frozen)) == 0.0"), STATUS_OK);
  session_close(s);
}

/* The numbers of a name that was made again go; those that something with a name is made of stay. */
static void what_no_name_holds_goes(void) {
  Session *s = opened("fn keeps(x) { fn inner(y) = x + y\n inner }\nfn big() = 0.5 * ones([1000, 1000])\n"
                      "var v = 2.0\nlet a = v * big()\nlet b = sum(a^2)\nlet f = keeps(v * big())\n"
                      "let r = {x = [v * big()]}\nlet net = dense(2, 2)\n");
  for (int k = 0; k < 100; k++) CU_ASSERT_EQUAL(entry(s, "let a = v * big()"), STATUS_OK);
  CU_ASSERT(s->host.in_use < (size_t)100 << 20);
  CU_ASSERT_EQUAL(entry(s, "v = 7.0"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert close(b, 1000000.0)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert close(grad(b, v), 1000000.0)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert close(sum(f(1.0)), 2000000.0)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert close(sum(r.x[0]), 1000000.0)"), STATUS_OK);
  session_close(s);
}

/* Each entry draws anew, whether or not the one before is there. */
static void draws_go_on(void) {
  Session *s = opened("var a = 0.0\nvar b = 0.0\n");
  CU_ASSERT_EQUAL(entry(s, "a = normal([], 0, 1)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "b = normal([], 0, 1)"), STATUS_OK);
  CU_ASSERT_EQUAL(entry(s, "assert a != b"), STATUS_OK);
  session_close(s);
}

UNIT(TEST(what_names_nothing_is_taken_back), TEST(what_fails_is_taken_back), TEST(a_chain_of_it_goes_when_it_ends),
     TEST(what_a_host_loads), TEST(what_no_name_holds_goes), TEST(its_traces_stay), TEST(draws_go_on))
