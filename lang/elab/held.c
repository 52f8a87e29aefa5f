/* held: see held.h. In: values. Out: their numbers and texts in an arena of their own, and values made of them again.
 */
#include "elab/held.h"
#include "elab/leaves.h"
#include <string.h>

typedef struct HeldPart {
  Value v;                    /* as it is, where it is older than the savepoint; else its kind */
  bool own;                   /* its contents are here */
  Tensor *tensor;
  uint16_t flags;             /* of its node */
  const char *text;
  Fn *fn;                     /* a chain */
  Instance *instance;         /* its layer: fields that are functions, and where they stand */
  uint32_t n;
  struct HeldPart *at;
  const char **name;
} HeldPart;

struct Held {
  Arena *arena;
  HeldPart part;
};

static bool hold_tensor(Session *s, Arena *a, NodeId id, HeldPart *p) {
  const Node *n = graph_at(s->graph, id);
  const Program *program = s->program;
  Tensor *t = NULL;
  p->flags = n->flags;
  if (n->flags & NODE_LAZY) return false;
  if (n->flags & NODE_KNOWN) t = graph_known(s->graph, id);
  else if (id < program->slot_of_cap && program->slot_of[id] != NO_SLOT)
    t = program->slot.at[program->slot_of[id]].value;
  if (!t) return false;
  tensor_hold(a, t);
  p->tensor = t;
  return true;
}

static bool hold(Session *s, Arena *a, const Value *v, uint32_t nodes, HeldPart *p);

static bool hold_all(Session *s, Arena *a, const Value *at, uint32_t n, uint32_t nodes, HeldPart *p) {
  p->n = n;
  p->at = NEW_N(a, HeldPart, n + 1);
  for (uint32_t k = 0; k < n; k++)
    if (!hold(s, a, &at[k], nodes, &p->at[k])) return false;
  return true;
}

static Fn *hold_fn(const Session *s, Arena *a, const Fn *f) {
  const Arena *of = s->arena;
  if (arena_behind(of, f->ast) || arena_behind(of, f->name) || arena_behind(of, f->captured)) return NULL;
  return arena_copy(a, f, sizeof *f);
}

static bool hold_chain(Session *s, Arena *a, const Fn *f, uint32_t nodes, HeldPart *p) {
  Fn links = *f;
  links.captured = NULL;
  p->fn = hold_fn(s, a, &links);
  return p->fn && !arena_behind(s->arena, f->scope) && hold_all(s, a, f->captured->at, f->captured->n, nodes, p);
}

/* What was made of an older instance: gradients, averages, a copy of its numbers. */
static bool hold_instance(Session *s, Arena *a, const Instance *i, uint32_t nodes, HeldPart *p) {
  if (arena_behind(s->arena, i->layer) || arena_behind(s->arena, i->call)) return false;
  Instance *own = p->instance = arena_copy(a, i, sizeof *i);
  own->field = arena_copy(a, i->field, i->n * sizeof *i->field);
  while (own->scope && arena_behind(s->arena, own->scope)) own->scope = own->scope->outer;
  p->n = i->n;
  p->at = NEW_N(a, HeldPart, i->n + 1);
  for (uint32_t k = 0; k < i->n; k++) {
    Field *f = &own->field[k];
    if (arena_behind(s->arena, f->name)) return false;
    if (f->role != FIELD_FN) {
      if (!hold(s, a, &f->value, nodes, &p->at[k])) return false;
      f->value = v_unit();
      continue;
    }
    if (!(f->value.fn = hold_fn(s, a, f->value.fn))) return false;
    f->value.fn->scope = NULL;
    f->value.fn->self = NULL;
  }
  return own->scope != NULL;
}

static bool hold(Session *s, Arena *a, const Value *v, uint32_t nodes, HeldPart *p) {
  host_deeper(&s->host);
  p->v = *v;
  switch (v->kind) {
  case V_UNIT: case V_BOOL: case V_INT: return true;
  case V_NODE:
    p->own = v->node >= nodes;
    return !p->own || hold_tensor(s, a, v->node, p);
  default: break;
  }
  if (!arena_behind(s->arena, v->str)) return true;      /* whatever it is: a pointer */
  p->own = true;
  switch (v->kind) {
  case V_STRING:
    p->n = v->str->n;
    p->text = arena_text(a, v->str->at, v->str->n);
    return true;
  case V_TUPLE: case V_LIST: return hold_all(s, a, v->items->at, v->items->n, nodes, p);
  case V_RECORD:
    p->name = NEW_N(a, const char *, v->fields->n + 1);
    for (uint32_t k = 0; k < v->fields->n; k++)
      p->name[k] = arena_text(a, v->fields->name[k], strlen(v->fields->name[k]));
    return hold_all(s, a, v->fields->at, v->fields->n, nodes, p);
  case V_FN: return is_chain(v) && hold_chain(s, a, v->fn, nodes, p);
  case V_INSTANCE: return hold_instance(s, a, v->instance, nodes, p);
  default: return false;
  }
}

Held *held_new(Session *s, const Value *v, uint32_t nodes) {
  Arena *a = arena_new(&s->host);
  Held *h = NEW(a, Held);
  h->arena = a;
  if (!hold(s, a, v, nodes, &h->part)) {
    arena_free(a);
    return NULL;
  }
  arena_keep(a);
  return h;
}

static void each_older(const HeldPart *p, void (*f)(void *to, const Value *v), void *to) {
  if (!p->own) f(to, &p->v);
  if (p->fn) f(to, &(Value){.kind = V_FN, .fn = p->fn});
  if (p->instance) f(to, &(Value){.kind = V_INSTANCE, .instance = p->instance});
  for (uint32_t k = 0; k < p->n && p->at; k++) each_older(&p->at[k], f, to);
}

void held_older(const Held *h, void (*f)(void *to, const Value *v), void *to) { each_older(&h->part, f, to); }

void held_free(Held *h) {
  if (h) arena_free(h->arena);
}

static Value tensor_again(Elab *e, const HeldPart *p, Loc loc) {
  if (p->flags & NODE_KNOWN) {
    NodeId id = graph_const(e->g, p->tensor, loc);
    e->g->node[id].flags |= p->flags & NODE_FLEX;
    return v_node(id);
  }
  SlotId slot = slot_new(e->p, SLOT_SHOWN, &p->tensor->type, "it", loc);
  slot_put(e->p, slot, p->tensor);
  return v_node(graph_input(e->g, slot, &p->tensor->type, loc));
}

static Value again(Elab *e, const HeldPart *p, Loc loc) {
  if (!p->own) return p->v;
  if (p->v.kind == V_NODE) return tensor_again(e, p, loc);
  if (p->v.kind == V_STRING) return v_string(e->a, p->text, p->n);
  Value *at = NEW_N(e->a, Value, p->n + 1);
  for (uint32_t k = 0; k < p->n; k++) at[k] = again(e, &p->at[k], loc);
  if (p->v.kind == V_INSTANCE) return (Value){.kind = V_INSTANCE, .instance = instance_with(e, p->instance, at)};
  if (p->v.kind == V_FN) {
    Fn *f = arena_copy(e->a, p->fn, sizeof *f);
    f->captured = v_items(e->a, V_TUPLE, at, p->n).items;
    return v_fn(f);
  }
  if (p->v.kind != V_RECORD) return v_items(e->a, (ValueKind)p->v.kind, at, p->n);
  Fields *f = NEW(e->a, Fields);
  *f = (Fields){p->n, NEW_N(e->a, Sym, p->n + 1), at};
  for (uint32_t k = 0; k < p->n; k++) f->name[k] = sym(e->s->sources, p->name[k], strlen(p->name[k]));
  return (Value){.kind = V_RECORD, .fields = f};
}

Value held_value(Elab *e, const Held *h, Loc loc) { return again(e, &h->part, loc); }
