/* resume: a script whose rest waits for the rows of a series, keeps its run and goes on from it, in sessions whose k-th
 * allocation fails: each comes back as a status, leaves nothing allocated, and the file is whole or not there.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "alloc_fail.h"
#include "lang/session.h"
#include "unit.h"

static char path[] = "/tmp/glia-resume-XXXXXX";
static char script[2048];

typedef struct Counting { AllocFail fail; long live; } Counting;

static void *counting_realloc(void *user, void *p, size_t size) {
  Counting *c = user;
  void *q = alloc_fail_realloc(&c->fail, p, size);
  if (size == 0) c->live -= p != NULL;
  else if (q && !p) c->live++;
  return q;
}

typedef struct Out { char text[4096]; size_t n; } Out;
static bool keep(void *to, const char *text, size_t n, Loc loc) {
  Out *o = to;
  (void)loc;
  if (o->n + n < sizeof o->text) memcpy(o->text + o->n, text, n), o->n += n;
  o->text[o->n] = 0;
  return true;
}

static Status go(Counting *c, bool resume, Out *out) {
  Session *s;
  memset(out, 0, sizeof *out);
  const SessionConfig config = {.realloc = counting_realloc, .user = c, .threads = 1, .print = keep, .to = out,
                                .resume = resume ? path : NULL};
  Status status = session_open(&config, &s);
  if (status == STATUS_OK) {
    status = session_load(s, "run.nn", script, strlen(script), LOAD_RUN, NULL);
    session_close(s);
  }
  CU_ASSERT_EQUAL(c->live, 0);
  return status;
}

static void goes_on(void) {
  Out all, rest;
  CU_ASSERT_EQUAL(go(&(Counting){0}, false, &all), STATUS_OK);
  CU_ASSERT_EQUAL(go(&(Counting){0}, true, &rest), STATUS_OK);
  CU_ASSERT(rest.n > 0 && rest.n < all.n);
  CU_ASSERT_STRING_EQUAL(all.text + all.n - rest.n, rest.text);
}

static void every_allocation_fails(void) {
  Out all, whole, out;
  CU_ASSERT_EQUAL(go(&(Counting){0}, false, &all), STATUS_OK);
  CU_ASSERT_EQUAL(go(&(Counting){0}, true, &whole), STATUS_OK);
  for (int resume = 0; resume < 2; resume++) {
    long failed = 0;
    for (long k = 1;; k = k < 50 ? k + 1 : alloc_fail_next(k + 6)) {
      Counting c = {.fail = {.fail_at = k}};
      Status status = go(&c, resume, &out);
      if (status == STATUS_OK && c.fail.count < k) break;
      CU_ASSERT(status == STATUS_MEMORY || status == STATUS_OK);
      failed += status == STATUS_MEMORY;
      CU_ASSERT_EQUAL(memcmp(out.text, resume ? whole.text : all.text, out.n), 0);
    }
    CU_ASSERT(failed > 50);
  }
  CU_ASSERT_EQUAL(go(&(Counting){0}, true, &out), STATUS_OK);
  CU_ASSERT_STRING_EQUAL(out.text, whole.text);
}

int main(void) {
  (void)alloc_fail_each;      /* sessions have hosts of their own */
  int file = mkstemp(path);
  if (file < 0) return 1;
  close(file);
  unlink(path);
  snprintf(script, sizeof script,
           "let net = dense(2, 3, tanh) >> dense(3, 1)\nlet opt = adam(net)\nlet s = series()\n"
           "for k in 1..9 {\n  let z: [4, 2] ~ normal(0, 1)\n  let l = mse(net(z), z[:, :1])\n  opt.step(l)\n  "
           "s.add(loss = l)\n"
           "  if k == 3 { checkpoint(\"%s\") }\n  print k, l\n  if k == 5 { break }\n}\nprint mean(s.loss), len(s)\n"
           "let e: [2] ~ normal(0, 1)\nprint e, net.0.b\n", path);
  CU_TestInfo tests[] = {TEST(goes_on), TEST(every_allocation_fails), CU_TEST_INFO_NULL};
  int status = unit_run(__FILE__, tests);
  unlink(path);
  return status;
}
