/* reach: see reach.h. In: the names, and all that their values lead to: functions and what they captured, layers,
 * optimizers, modules, the value that was shown last. Out: marks on nodes, and emptied slots.
 *
 * A slot that is emptied wrongly would be computed again, or be told as a value that is gone; it never holds another.
 */
#include "elab/reach.h"
#include "elab/call.h"
#include "elab/elab.h"
#include "elab/held.h"
#include "elab/import.h"
#include "elab/seq.h"

enum { AT_LEAST = 16 << 20 };      /* bytes of a session below which nobody looks */

typedef struct Reach {
  Elab *e;
  Arena *a;
  VEC(NodeId) node;
  VEC(Value) todo;
  const void **seen;         /* a hash of the objects that were met */
  uint32_t n_seen, cap;
} Reach;

static bool put(Reach *r, const void *p) {
  uint32_t k = (uint32_t)(((uintptr_t)p >> 4) * 2654435761u) & (r->cap - 1);
  while (r->seen[k] && r->seen[k] != p) k = (k + 1) & (r->cap - 1);
  if (r->seen[k]) return false;
  r->seen[k] = p;
  return true;
}

/* An object that is met for the first time. */
static bool first(Reach *r, const void *p) {
  if (!p) return false;
  if (2 * (r->n_seen + 1) > r->cap) {
    const void **old = r->seen;
    uint32_t cap = r->cap;
    r->cap = cap ? 4 * cap : 256;
    r->seen = NEW_N(r->a, const void *, r->cap);
    for (uint32_t k = 0; k < cap; k++)
      if (old[k]) put(r, old[k]);
  }
  bool is_new = put(r, p);
  r->n_seen += is_new;
  return is_new;
}

static void values(Reach *r, const Value *at, uint32_t n) {
  for (uint32_t k = 0; k < n; k++)
    if (at[k].kind > V_STRING) vec_push(r->a, &r->todo, at[k]);
}

/* The names of a block and of those around it; of the globals only those that can be found. */
static void scope(Reach *r, Scope *s) {
  for (; s && s != r->e->library && first(r, s); s = s->outer)
    for (uint32_t k = 0; k < s->bound.n; k++) {
      const Bound *b = s->bound.at[k];
      if (s != r->e->globals || scope_here(s, b->name) == b) values(r, &b->value, 1);
    }
}

static void function(Reach *r, const Fn *f) {
  for (; f && first(r, f); f = f->base) {
    scope(r, f->scope);
    scope(r, f->gradient_scope);
    if (f->captured) values(r, f->captured->at, f->captured->n);
    if (f->partial) values(r, f->partial->at, f->partial->n);
    if (f->self) values(r, &(Value){.kind = V_INSTANCE, .instance = f->self}, 1);
  }
}

static void optimizer(Reach *r, const Optimizer *o) {
  if (!first(r, o)) return;
  function(r, o->rule);
  scope(r, o->args);
  values(r, &o->tree, 1);
  values(r, o->state, o->n_state * o->n_leaf);
  values(r, &o->t, 1);
}

static void sequence(Reach *r, const Seq *q) {
  if (!first(r, q)) return;
  if (q->count < 0) vec_push(r->a, &r->node, q->count_node);
  if (q->captured) values(r, q->captured->at, q->captured->n);
}

static void value(Reach *r, const Value *v) {
  switch (v->kind) {
  case V_NODE: vec_push(r->a, &r->node, v->node); break;
  case V_TEXT:
    for (uint32_t k = 0; k < v->text->need.n; k++) vec_push(r->a, &r->node, v->text->need.at[k].node);
    break;
  case V_TUPLE: case V_LIST:
    if (first(r, v->items)) values(r, v->items->at, v->items->n);
    break;
  case V_RECORD:
    if (first(r, v->fields)) values(r, v->fields->at, v->fields->n);
    break;
  case V_FN: function(r, v->fn); break;
  case V_INSTANCE:
    if (!first(r, v->instance)) break;
    function(r, v->instance->layer);
    scope(r, v->instance->scope);
    for (uint32_t k = 0; k < v->instance->n; k++) values(r, &v->instance->field[k].value, 1);
    break;
  case V_OPTIMIZER: optimizer(r, v->optimizer); break;
  case V_SEQ: sequence(r, v->seq); break;
  case V_MODULE:
    if (first(r, v->module)) scope(r, v->module->scope);
    break;
  default: break;
  }
}

static void older(void *to, const Value *v) { values(to, v, 1); }

/* What is below a value is what its derivative is made of. */
static const bool *live_nodes(Reach *r) {
  const Graph *g = r->e->g;
  bool *live = NEW_N(r->a, bool, g->n + 1);
  for (uint32_t k = 0; k < r->node.n; k++) live[r->node.at[k]] = true;
  for (NodeId id = g->n; id-- > 0;) {
    const Node *n = graph_at(g, id);
    for (uint32_t k = 0; live[id] && k < n->n_in; k++) live[n->in[k]] = true;
  }
  return live;
}

static void sweep(Session *s, const bool *live) {
  for (uint32_t k = 0; k < s->program->segment.n; k++) {
    const Segment *g = s->program->segment.at[k];
    for (uint32_t j = 0; j < g->save.n; j++) {
      Slot *slot = g->save.at[j].slot == NO_SLOT ? NULL : &s->program->slot.at[g->save.at[j].slot];
      if (!slot || !slot->value || live[g->save.at[j].node]) continue;
      tensor_unref(slot->value);
      slot->value = NULL;
    }
  }
}

void reach_sweep(Session *s) {
  if (s->host.in_use < s->sweep_at || s->host.in_use < AT_LEAST) return;
  Reach r = {.e = s->elab, .a = arena_new(&s->host)};
  scope(&r, r.e->globals);
  for (uint32_t k = 0; k < r.e->made.modules.n; k++) scope(&r, r.e->made.modules.at[k]->scope);
  if (s->shown) held_older(s->shown, older, &r);
  for (uint32_t k = 0; k < r.todo.n; k++) {
    const Value v = r.todo.at[k];
    value(&r, &v);
  }
  sweep(s, live_nodes(&r));
  arena_free(r.a);
  s->sweep_at = 2 * s->host.in_use;
}
