/* frozen: see frozen.h. In: a compiled function of one segment. Out: the same results, whatever the session does
 * meanwhile. */
#include "api/frozen.h"
#include <string.h>

/* The tensor of a slot, held for as long as the arena stands. */
static const void *hold(Session *s, Arena *a, SlotId slot) {
  Tensor *t = slot_tensor(s, slot, 0);
  if (!t) return NULL;
  tensor_hold(a, t);
  return t->data;
}

static bool is_arg(const Compiled *c, SlotId slot, uint32_t *k) {
  for (*k = 0; *k < c->n_arg; (*k)++)
    if (c->arg_slot[*k] == slot) return true;
  return false;
}

static void *aligned(Arena *a, size_t bytes) {
  char *raw = arena_alloc(a, bytes + 64);
  return raw + (64 - (uintptr_t)raw % 64) % 64;
}

Frozen *frozen_make(Function *f, Compiled *c) {
  Session *s = f->session;
  if (!c->segment) return NULL;
  Arena *a = arena_new(&s->host);
  Frozen *z = NEW(a, Frozen);
  const Binding *b = NULL;
  uint32_t n = c->segment->plan ? plan_bindings(c->segment->plan, &b) : 0, n_result = c->n_result + c->n_grad, k;
  const void **fixed = NEW_N(a, const void *, n + 1), **copied = NEW_N(a, const void *, n_result + 1);
  *z = (Frozen){.arena = a, .name = f->name, .compiled = c, .plan = c->segment->plan, .data = NEW_N(a, void *, n + 1),
                .own = NEW_N(a, void *, n_result + 1), .over = NEW_N(a, void *, n_result + 1),
                .fixed = fixed, .copied = copied};
  for (uint32_t j = 0; j < n; j++) {
    if (function_from(c->from[j]) != FROM_SLOT || b[j].slot == c->turn || is_arg(c, b[j].slot, &k)) continue;
    if (!(fixed[j] = hold(s, a, b[j].slot))) goto fail;
  }
  for (uint32_t j = 0; j < n_result; j++) {
    z->own[j] = arena_alloc(a, (size_t)type_bytes(&c->result[j].type) + 1);
    if (c->copy[j] == NO_SLOT || c->copy[j] == c->turn || is_arg(c, c->copy[j], &k) || function_twin(c, j) < j)
      continue;
    if (!(copied[j] = hold(s, a, c->copy[j]))) goto fail;
  }
  if (z->plan) {
    z->slab = aligned(a, plan_slab(z->plan));
    z->area = aligned(a, plan_bound(z->plan));
  }
  return z;
fail:
  arena_free(a);
  return NULL;
}

void frozen_free(Frozen *f) {
  if (f) arena_free(f->arena);
}

Fault frozen_run(Frozen *f, const void *const *arg, void **result) {
  const Compiled *c = f->compiled;
  const Binding *b = NULL;
  uint32_t n = f->plan ? plan_bindings(f->plan, &b) : 0, n_result = c->n_result + c->n_grad, k;
  for (uint32_t j = 0; j < n_result; j++) {
    f->over[j] = result[j] && function_over_argument(c, arg, result[j], j) ? result[j] : NULL;
    if (!result[j] || f->over[j]) result[j] = f->own[j];
  }
  for (uint32_t j = 0; j < n; j++) {
    uint32_t at = c->from[j] & FROM_NUMBER;
    switch (function_from(c->from[j])) {
    case FROM_ARG: f->data[j] = (void *)(uintptr_t)arg[at]; break;
    case FROM_RESULT: f->data[j] = result[at]; break;
    default:
      f->data[j] = (void *)(uintptr_t)(b[j].slot == c->turn       ? &f->calls
                                       : is_arg(c, b[j].slot, &k) ? arg[k]
                                                                  : f->fixed[j]);
    }
  }
  Fault fault = {.code = FAULT_NONE};
  if (f->plan) fault = run_plan(f->plan, f->data, f->area, f->slab, NULL, NULL);
  f->calls++;
  if (fault.code != FAULT_NONE) return fault;
  for (uint32_t j = 0; j < n_result; j++) {
    if (c->copy[j] == NO_SLOT) continue;
    uint32_t twin = function_twin(c, j);
    const void *from = twin < j ? result[twin] : f->copied[j];
    if (!from) from = is_arg(c, c->copy[j], &k) ? arg[k] : (const void *)&f->calls;
    memcpy(result[j], from, (size_t)type_bytes(&c->result[j].type));
  }
  for (uint32_t j = 0; j < n_result; j++)
    if (f->over[j]) memcpy(f->over[j], result[j], (size_t)type_bytes(&c->result[j].type));
  return fault;
}
