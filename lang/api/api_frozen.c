/* api_frozen: glia_freeze and what follows from it. In: a function of a session. Out: a handle that another thread may
 * call.
 *
 * What a call needs is made when it is frozen, its messages included: a call takes no lock and no memory.
 */
#include "api/api.h"
#include "api/frozen.h"
#include "runtime/exec/fault.h"
#include <stdio.h>
#include <string.h>

struct glia_frozen {
  atomic_flag busy;                    /* a call is going on */
  Frozen *frozen;
  glia_tree tree;
  const void *arg[MAX_ARGS];
  void **result;
  const Op **op;                       /* of each step of the plan: the one it is blamed for */
  char error[256];
};

static glia_frozen *build(Session *s, Function *f, Compiled *c) {
  Frozen *z = frozen_make(f, c);
  if (!z) return NULL;
  glia_frozen *out = NEW(z->arena, glia_frozen);
  uint32_t n = c->n_result + c->n_grad, steps = z->plan ? plan_steps(z->plan) : 0;
  out->frozen = z;
  atomic_flag_clear(&out->busy);
  out->result = NEW_N(z->arena, void *, n + 1);
  out->tree = (glia_tree){.n = c->n_grad, .cap = c->n_grad, .leaf = NEW_N(z->arena, TreeLeaf, c->n_grad + 1)};
  out->op = NEW_N(z->arena, const Op *, steps + 1);
  for (uint32_t k = 0; k < steps; k++) {
    NodeId node = fault_node(s->graph, z->plan, k);
    out->op[k] = node == NO_NODE ? NULL : graph_at(s->graph, node)->op;
  }
  arena_keep(z->arena);
  return out;
}

glia_status glia_freeze(glia_function *f, const char *wrt, const glia_array *x, int n_x, glia_frozen **out) {
  if (!f) return GLIA_MISUSE;
  glia_session *s = f->owner;
  API_CALL(s);
  if (!out) return api_say(s, GLIA_MISUSE, "glia_freeze: a null pointer");
  *out = NULL;
  if (!f->users) return api_say(s, GLIA_MISUSE, "glia_freeze: the function is closed");
  if (n_x < 0 || n_x > MAX_ARGS || (n_x && !x)) return api_say(s, GLIA_MISUSE, "glia_freeze: the arguments are wrong");
  Type type[MAX_ARGS];
  for (int k = 0; k < n_x; k++)
    if (!api_type_of(&x[k], &type[k]))
      return api_say(s, GLIA_MISUSE, "argument %d is no tensor: element type, rank or a size is wrong", k);
  Compiled *c;
  Status status = function_compile(f->function, type, (uint32_t)n_x, wrt, &c);
  if (status != STATUS_OK) return api_told(s, status);
  if (!c->segment) return api_say(s, GLIA_MISUSE, "`%s` has steps: only a formula can be frozen", f->function->name);
  Guard guard;
  if (HOST_GUARD(&s->s->host, &guard)) {
    *out = build(s->s, f->function, c);
    host_leave(&s->s->host, &guard);
    return *out ? GLIA_OK : api_told(s, STATUS_SCRIPT);
  }
  return api_failed(s);
}

void glia_frozen_close(glia_frozen *f) {
  if (f && !atomic_flag_test_and_set(&f->busy)) frozen_free(f->frozen);
}

static void frozen_end(glia_frozen **f) { atomic_flag_clear_explicit(&(*f)->busy, memory_order_release); }

const char *glia_frozen_error(const glia_frozen *f) { return f ? f->error : "no function is given"; }

static glia_status wrong(glia_frozen *f, const char *what, int k) {
  snprintf(f->error, sizeof f->error, "%s %d of `%s` is not of the type that it was frozen for", what, k,
           f->frozen->name);
  return GLIA_MISUSE;
}

static glia_status tell_fault(glia_frozen *f, const Fault *fault) {
  const Op *op = fault->op ? fault->op : f->op[fault->step];
  char text[FAULT_TEXT];
  fault_text(op, fault, text);
  snprintf(f->error, sizeof f->error, "`%s`: %s: %s", f->frozen->name, op ? op->name : "an operation", text);
  return GLIA_FAULT;
}

glia_status glia_frozen_call(glia_frozen *f, const glia_array *x, int n_x, glia_array *y, int n_y, glia_tree **grads) {
  if (grads) *grads = NULL;
  if (!f) return GLIA_MISUSE;
  if (atomic_flag_test_and_set_explicit(&f->busy, memory_order_acquire)) return GLIA_BUSY;
  __attribute__((cleanup(frozen_end), unused)) glia_frozen *end = f;
  const Compiled *c = f->frozen->compiled;
  f->error[0] = 0;
  if (n_x < 0 || n_y < 0 || (n_x && !x) || (n_y && !y) || (uint32_t)n_x != c->n_arg ||
      (n_y && (uint32_t)n_y != c->n_result)) {
    snprintf(f->error, sizeof f->error, "`%s` was frozen with %u arguments and has %u results", f->frozen->name,
             c->n_arg, c->n_result);
    return GLIA_MISUSE;
  }
  if (f->frozen->plan && STACK_HERE - stack_end(&f->frozen->stack) < plan_stack(f->frozen->plan)) {
    snprintf(f->error, sizeof f->error, "`%s`: the stack of this thread is too small", f->frozen->name);
    return GLIA_LIMIT;
  }
  for (int k = 0; k < n_x; k++) {
    if (!api_matches(&x[k], &c->arg[k]) || (!x[k].data && type_count(&c->arg[k]))) return wrong(f, "argument", k);
    f->arg[k] = x[k].data ? x[k].data : api_nothing;
  }
  for (uint32_t k = 0; k < c->n_result + c->n_grad; k++) {
    f->result[k] = k < (uint32_t)n_y ? y[k].data : NULL;
    if (f->result[k] && !api_matches(&y[k], &c->result[k].type)) return wrong(f, "result", (int)k);
  }
  if (function_results_overlap(c, f->result)) {
    snprintf(f->error, sizeof f->error, "the buffers of two results of `%s` overlap", f->frozen->name);
    return GLIA_MISUSE;
  }
  Fault fault = frozen_run(f->frozen, f->arg, f->result);
  if (fault.code != FAULT_NONE) return tell_fault(f, &fault);
  for (int k = 0; k < n_y; k++)
    if (!y[k].data) api_fill(&y[k], &c->result[k].type, f->result[k]);
  for (uint32_t k = 0; k < c->n_grad; k++) {
    const Result *r = &c->result[c->n_result + k];
    f->tree.leaf[k].path = r->path;
    api_fill(&f->tree.leaf[k].view, &r->type, f->result[c->n_result + k]);
  }
  if (grads) *grads = &f->tree;
  return GLIA_OK;
}
