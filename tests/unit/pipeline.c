/* Whole scripts through session_load: every allocation failing once, a cancelled run, and the table of diagnostics. */
#include "unit.h"
#include <stdlib.h>
#include <string.h>
#include "lang/elab/elab.h"
#include "lang/session.h"
#include "lang/steps/machine.h"
#include "lang/steps/prepare.h"
#include "alloc_fail.h"

/* ---- the table ---- */
static void a_code_stands_once(void) {
  for (int k = 0; k < N_DIAGS; k++) {
    const DiagInfo *d = &diag_info[k];
    CU_ASSERT(strlen(d->code) == 5 && (d->code[0] == 'E' || d->code[0] == 'W'));
    CU_ASSERT_EQUAL(d->warning, d->code[0] == 'W');
    CU_ASSERT(d->text[0] != 0 && d->text[strlen(d->text) - 1] != '.');
    for (int j = 0; j < k; j++) {
      CU_ASSERT_STRING_NOT_EQUAL(d->code, diag_info[j].code);
      CU_ASSERT_STRING_NOT_EQUAL(d->name, diag_info[j].name);
    }
  }
}

/* ---- allocations ---- */
static const char *const scripts[] = {
    "print 1 + 2\n",
    "param w: [2] = 1\nlet x = [1, 2]\nfor i in 1..3 { let l = sum((w * x)^2)  w -= 0.1 * grad(l, w) }\nprint \"w "
    "{w:.3}\"\n",
    "let net = dense(2, 3, tanh) >> dense(3, 1)\nlet opt = adam(net)\nopt.step(mse(net([[1, 2]]), [[1]]))\nprint net\n",
    "fn rnn(w, xs) = fold(fn (h, x) = tanh(h * w + x), 0.5, xs)\nprint grad(rnn)(0.3, [1.0, 2.0])\n",
    "let x = undefined + 1\nlet y = [1, 2] @ [[3]]\nlet (a, b) = (1, {c = \"s\"})\nprint a.d\n",
    "var v = 0\nwhile v < 3 { v += 1 }\nif v == 3 { print \"three\" } else { print \"not\" }\nassert v == 4, "
    "\"four\"\n",
    "proc p(a, k = 2) { let xs = [a, k]  print xs }\np(1)\ntest \"t\" { assert true }\nlet z: [3] ~ normal(0, "
    "1)\nprint shape(z)\n",
};

typedef struct Failing { long count, fail_at, out; } Failing;
static void *failing(void *user, void *p, size_t size) {
  Failing *f = user;
  if (size == 0) {
    f->out -= p != NULL;
    free(p);
    return NULL;
  }
  if (++f->count == f->fail_at) return NULL;
  void *q = realloc(p, size);
  if (q && !p) f->out++;
  return q;
}

static bool quiet(void *to, const char *text, size_t n, Loc loc) {
  (void)to;
  (void)text;
  (void)n;
  (void)loc;
  return true;
}

static Status whole(const char *text, Failing *f) {
  SessionConfig c = {.realloc = failing, .user = f, .threads = 1, .print = quiet};
  Session *s;
  Status status = session_open(&c, &s);
  if (status != STATUS_OK) {
    CU_ASSERT_PTR_NULL(s);
    return status;
  }
  status = session_load(s, "unit.nn", text, strlen(text), LOAD_RUN, NULL);
  if (status == STATUS_SCRIPT) CU_ASSERT_PTR_NOT_NULL(session_diagnostics(s, false, 0));
  session_close(s);
  return status;
}

static void every_allocation_fails_once(void) {
  (void)alloc_fail_each;      /* sessions have hosts of their own */
  for (size_t k = 0; k < sizeof scripts / sizeof *scripts; k++) {
    Failing none = {0};
    Status good = whole(scripts[k], &none);
    CU_ASSERT(good == STATUS_OK || good == STATUS_SCRIPT);
    CU_ASSERT_EQUAL(none.out, 0);
    CU_ASSERT(none.count > 10);
    for (long at = 1; at <= none.count; at = alloc_fail_next(at)) {
      Failing f = {.fail_at = at};
      Status s = whole(scripts[k], &f);
      if (s != STATUS_MEMORY && s != good) {
        printf("  script %zu, allocation %ld: status %d\n", k, at, (int)s);
        CU_FAIL("neither out of memory nor as without a failure");
      }
      CU_ASSERT_EQUAL(f.out, 0);
    }
  }
}

/* ---- the session stands ---- */
static void it_goes_on_after_a_failure(void) {
  Failing f = {0};
  SessionConfig c = {.realloc = failing, .user = &f, .threads = 1, .print = quiet};
  Session *s;
  CU_ASSERT_EQUAL_FATAL(session_open(&c, &s), STATUS_OK);
  static const char define[] = "param w: [2] = 3\n", use[] = "fn f(x) = sum(x * w)\nprint grad(f)([1.0, 2.0])\n";
  CU_ASSERT_EQUAL(session_load(s, "a.nn", define, strlen(define), LOAD_REPL, NULL), STATUS_OK);
  for (long at = 1; at < 200; at++) {
    f.fail_at = f.count + at;
    Status status = session_load(s, "b.nn", use, strlen(use), LOAD_REPL, NULL);
    CU_ASSERT(status == STATUS_OK || status == STATUS_MEMORY);
    f.fail_at = 0;
    CU_ASSERT_EQUAL(session_load(s, "b.nn", use, strlen(use), LOAD_REPL, NULL), STATUS_OK);
    /* not in the call that the failure jumped out of */
    CU_ASSERT_PTR_EQUAL(s->elab->here.frame, s->elab->outermost);
  }
  session_close(s);
  CU_ASSERT_EQUAL(f.out, 0);
}

/* ---- cancel: between two steps, cells as they were, the position is data ---- */
typedef struct Cancelling { Session *s; int prints; char position[64]; } Cancelling;
static bool cancels(void *to, const char *text, size_t n, Loc loc) {
  Cancelling *w = to;
  (void)loc;
  if (n > 0 && text[0] == 'l' && ++w->prints == 3) atomic_store(&w->s->cancel, true);
  return true;
}

static void cancel_stops_between_steps(void) {
  Cancelling w = {0};
  SessionConfig c = {.threads = 1, .print = cancels, .to = &w};
  CU_ASSERT_EQUAL_FATAL(session_open(&c, &w.s), STATUS_OK);
  static const char text[] = "var n = 0\nfor i in 1..1000 {\n  n += 1\n  print \"loop\"\n}\n",
                    after[] = "assert n == 3\nprint n\n";
  CU_ASSERT_EQUAL(session_load(w.s, "c.nn", text, strlen(text), LOAD_KEEP, NULL), STATUS_CANCELLED);
  Guard g;
  if (HOST_GUARD(&w.s->host, &g)) {
    const char *at = position_text(machine_position(w.s), w.s->arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    CU_ASSERT(strstr(at, ".2") != NULL);       /* the third turn, from 0 */
    host_leave(&w.s->host, &g);
  }
  CU_ASSERT_EQUAL(w.prints, 3);
  atomic_store(&w.s->cancel, false);           /* who set it takes it back */
  CU_ASSERT_EQUAL(session_load(w.s, "d.nn", after, strlen(after), LOAD_KEEP, NULL), STATUS_OK);
  session_close(w.s);
}

UNIT(TEST(a_code_stands_once), TEST(every_allocation_fails_once), TEST(it_goes_on_after_a_failure),
     TEST(cancel_stops_between_steps))
