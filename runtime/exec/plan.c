/* plan: see plan.h. The order of work: classify nodes (aliases, broadcasts that are only read through, pointwise, steps
 * of their own); group into units (fuse.c); decide what each result needs; order the units; give each value a place;
 * write the steps.
 *
 * Order: as the graph was written, but a unit that writes a cell waits for what can fail and for the readers of the
 * cell's old value, where it may. What still may not write its cell in place is made in the slab and copied at the very
 * end.
 */
#include "exec/straight.h"
#include <assert.h>
#include <string.h>

#define BODY_OUT 0x40000000u               /* slots of a body's outputs, which are numbered by order */
enum { PART_NS = 20000 };

/* ---- bindings ---- */

static uint32_t bind_find(const Plan *p, uint32_t slot) {
  uint32_t a = 0, b = p->n_bind;
  while (a < b) {
    uint32_t c = (a + b) / 2;
    if (p->bind[c].slot < slot) a = c + 1;
    else b = c;
  }
  return a < p->n_bind && p->bind[a].slot == slot ? a : NO_BIND;
}

static void bind_sort(Binding *b, uint32_t n) {
  for (uint32_t gap = n / 2; gap > 0; gap /= 2)
    for (uint32_t i = gap; i < n; i++) {
      Binding x = b[i];
      uint32_t j = i;
      for (; j >= gap && b[j - gap].slot > x.slot; j -= gap) b[j] = b[j - gap];
      b[j] = x;
    }
}

static uint32_t out_slot(const Planner *w, uint32_t k) { return w->body ? BODY_OUT + k : w->g->out.at[k].slot; }

static void bindings(Planner *w) {
  const Graph *g = w->g;
  VEC(Binding) all = {0};
  for (NodeId id = 0; id < g->n; id++)
    if (w->kind[id] == KIND_INPUT)
      vec_push(w->tmp, &all,
               (Binding){.slot = (uint32_t)g->node[id].attr->i[0], .mode = BIND_READ, .type = *g->node[id].type});
  for (uint32_t k = 0; k < g->out.n; k++)
    vec_push(w->tmp, &all,
             (Binding){.slot = out_slot(w, k), .mode = BIND_WRITE, .type = *g->node[g->out.at[k].node].type});
  bind_sort(all.at, all.n);
  Plan *p = w->p;
  p->bind = NEW_N(p->arena, Binding, all.n + 1);
  for (uint32_t k = 0; k < all.n; k++) {
    Binding *last = p->n_bind > 0 ? &p->bind[p->n_bind - 1] : NULL;
    if (last && last->slot == all.at[k].slot) {
      assert(type_eq(&last->type, &all.at[k].type));
      last->mode |= all.at[k].mode;
    } else p->bind[p->n_bind++] = all.at[k];
  }
  w->bind_of = NEW_N(w->tmp, uint32_t, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) {
    w->bind_of[id] = NO_BIND;
    if (w->kind[id] != KIND_INPUT) continue;
    w->bind_of[id] = bind_find(p, (uint32_t)g->node[id].attr->i[0]);
    w->place[id] = (Place){0, BASE_BIND + w->bind_of[id]};
    vec_push(w->tmp, &w->inputs, id);
  }
}

static void constants(Planner *w) {
  const Graph *g = w->g;
  size_t total = 0;
  for (NodeId id = 0; id < g->n; id++)
    if (w->kind[id] == KIND_CONST) {
      w->place[id] = (Place){total, BASE_CONST};
      total += plan_round(bytes_of(w, id));
    }
  char *raw = arena_alloc(w->p->arena, total + PLAN_ALIGN);
  char *base = raw + (plan_round((uintptr_t)raw) - (uintptr_t)raw);
  for (NodeId id = 0; id < g->n; id++)
    if (w->kind[id] == KIND_CONST) memcpy(base + w->place[id].offset, g->node[id].attr->value->data, bytes_of(w, id));
  w->p->constants = base;
  w->p->constant_bytes = total;
}

/* ---- loops ---- */

static Plan *make(Host *h, Arena *keep, const Graph *g, const NodeId *origin, const PlanOptions *o, bool body);

/* What a turn finds further on than the last but one did. */
static void moves(Arena *a, Loop *l) {
  const Plan *p = l->body;
  uint32_t n = 0;
  Move *move = NEW_N(a, Move, p->first_fixup[p->n_bind] + 1);
  for (uint32_t k = 0; k < p->n_bind; k++) {
    const TurnBind *b = &l->bind[k];
    if (b->kind != TURN_ROW && !(b->kind == TURN_STACK && l->read[b->index])) continue;
    int64_t step = 2 * (int64_t)b->bytes * (l->reverse ? -1 : 1);
    for (uint32_t j = p->first_fixup[k]; j < p->first_fixup[k + 1]; j++) move[n++] = (Move){p->fixup[j].word, step};
  }
  l->move = move;
  l->n_move = n;
}

static Loop *loop_of(Planner *w, NodeId id) {
  const Node *n = node_of(w, id);
  Arena *a = w->p->arena;
  Loop *l = NEW(a, Loop);
  PlanOptions o = {.no_fuse = !w->fuse, .kernels = w->kernels};
  l->body = make(w->host, a, n->attr->body, NULL, &o, true);
  if (w->p->depth <= l->body->depth) w->p->depth = l->body->depth + 1;
  l->turns = n->attr->i[0];
  const Graph *g = n->attr->body;
  uint32_t c = (uint32_t)n->attr->i[1], s = (uint32_t)n->attr->i[2], stacks = loop_stacks(n->attr);
  l->n_carry = c;
  l->n_out = g->out.n;
  l->reverse = n->attr->n > 3 && n->attr->i[3] != 0;
  l->ends = (uint8_t)loop_ends(n->attr);
  l->attr = plan_attr(w, n->attr);
  if (c < stacks) l->flag = *g->node[g->out.at[c].node].type;
  if (c > 0) l->state = *node_of(w, n->in[0])->type;
  TurnBind *bind = NEW_N(a, TurnBind, l->body->n_bind + 1);
  size_t *bytes = NEW_N(a, size_t, g->out.n + 1);
  for (uint32_t k = 0; k < g->out.n; k++) bytes[k] = (size_t)type_bytes(g->node[g->out.at[k].node].type);
  if (c < stacks) bytes[c] = sizeof(int32_t);
  for (uint32_t k = 0; k < l->body->n_bind; k++) {
    const Binding *b = &l->body->bind[k];
    size_t size = (size_t)type_bytes(&b->type);
    if (b->slot >= BODY_OUT) {
      uint32_t j = b->slot - BODY_OUT;
      bind[k] = (TurnBind){j < c ? TURN_NEXT : j < stacks ? TURN_FLAG : TURN_STACK, j, size};
    } else if (b->slot < n->n_in) {
      bind[k] = (TurnBind){b->slot < c ? TURN_CARRY : b->slot < c + s ? TURN_ROW : TURN_IN, b->slot, size};
    } else bind[k] = (TurnBind){TURN_NUMBER, 0, size};
  }
  bool *read = NEW_N(a, bool, g->out.n + 1);
  for (NodeId k = id + 1; k < w->g->n; k++)
    if (w->kind[k] == KIND_PICK && w->g->node[k].in[0] == id) read[w->g->node[k].attr->i[0]] = true;
  l->read = read;
  l->bind = bind;
  moves(a, l);
  l->bytes = bytes;
  return l;
}

static bool loop_may_fail(const Loop *l) {
  return l->body->fails || (l->ends == ENDS_UNTIL && l->attr->i[LOOP_LIMIT] > 0);
}

/* ---- results, first look: what cannot be a unit's own doing ---- */

static void results(Planner *w) {
  const Graph *g = w->g;
  w->out = NEW_N(w->tmp, Out, g->out.n + 1);
  w->n_out = g->out.n;
  for (uint32_t k = 0; k < g->out.n; k++) {
    Out *o = &w->out[k];
    o->node = g->out.at[k].node;
    o->root = w->root[o->node];
    o->bind = bind_find(w->p, out_slot(w, k));
    o->cell = w->p->bind[o->bind].mode == (BIND_READ | BIND_WRITE);
    bool whole = w->shift[o->node] == 0 && bytes_of(w, o->root) == bytes_of(w, o->node);
    uint8_t kind = w->kind[o->root];
    if (kind == KIND_INPUT || kind == KIND_CONST) {
      uint32_t from = w->bind_of[o->root];
      if (kind == KIND_INPUT && from == o->bind && whole) o->act = OUT_NONE;
      else if (!o->cell) o->act = OUT_START;
      else {
        o->act = OUT_COMMIT;
        o->staged = kind == KIND_INPUT && w->p->bind[from].mode == (BIND_READ | BIND_WRITE);
      }
    } else {
      o->act = o->cell ? OUT_COMMIT : OUT_AFTER;   /* until a place is found for it: place_results */
    }
  }
  w->writer = NEW_N(w->tmp, NodeId, w->p->n_bind + 1);
  for (uint32_t k = 0; k < w->p->n_bind; k++) w->writer[k] = NO_NODE;
  for (uint32_t k = 0; k < w->n_out; k++)
    if (plan_may_write(w, &w->out[k])) w->writer[w->out[k].bind] = w->out[k].root;
}

static void results_by_unit(Planner *w) {
  w->first_out = NEW_N(w->tmp, uint32_t, w->units.n + 1);
  w->next_out = NEW_N(w->tmp, uint32_t, w->n_out + 1);
  for (uint32_t u = 0; u < w->units.n; u++) w->first_out[u] = NO_OUT;
  for (uint32_t k = w->n_out; k-- > 0;) {
    uint32_t u = w->unit[w->out[k].root];
    if (u == NO_UNIT) continue;
    w->next_out[k] = w->first_out[u];
    w->first_out[u] = k;
  }
}

/* ---- lifetimes and places ---- */

typedef struct Reads { Planner *w; uint32_t at; NodeId root, by; bool loose; } Reads;

static void mark_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Reads *r = ctx;
  Planner *w = r->w;
  (void)user, (void)k;
  if (r->at > w->last[root]) w->last[root] = r->at;
}

/* Whether a unit reads `root` otherwise than element by element, in step with what it writes, or after its member
 * `by`. */
static void loose_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Reads *r = ctx;
  const Planner *w = r->w;
  if (root != r->root) return;
  const Type *x = w->g->node[w->g->node[user].in[k]].type;
  bool in_step = plan_pointwise(&w->g->node[user]) &&
                 (w->kind[user] == KIND_POINT || !w->units.at[w->unit[user]].fails) && plan_flat(w, user, k) &&
                 w->shift[w->g->node[user].in[k]] == 0 && type_count(x) == type_count(w->g->node[root].type) &&
                 type_count(x) == type_count(w->g->node[user].type);
  if (!in_step || user > r->by) r->loose = true;
}

static bool reads_loosely(Planner *w, uint32_t u, NodeId root, NodeId by) {
  Reads r = {.w = w, .root = root, .by = by};
  plan_each_read(w, u, loose_read, &r);
  return r.loose;
}

static bool cell_in_place(Planner *w, const Out *o, uint32_t last_fail) {
  if (!plan_may_write(w, o)) return false;
  uint32_t u = w->unit[o->root], at = w->at[u];
  if (at <= last_fail) return false;
  for (uint32_t k = 0; k < w->inputs.n; k++) {
    NodeId id = w->inputs.at[k];
    if (w->bind_of[id] != o->bind) continue;
    if (w->last[id] > at || (w->last[id] == at && reads_loosely(w, u, id, NO_NODE))) return false;
  }
  return true;
}

/* Results that are made where they belong; the others are copied. */
static void place_results(Planner *w) {
  uint32_t last_fail = 0;
  for (uint32_t u = 0; u < w->units.n; u++)
    if (w->units.at[u].fails && w->at[u] > last_fail) last_fail = w->at[u];
  uint32_t end = w->units.n + 1;
  for (uint32_t k = 0; k < w->n_out; k++) {
    Out *o = &w->out[k];
    bool whole = w->shift[o->node] == 0 && bytes_of(w, o->root) == bytes_of(w, o->node);
    bool free_place = w->place[o->root].base == BASE_NONE;
    if (o->act == OUT_AFTER && whole && free_place) o->act = OUT_PLACED;
    else if (o->act == OUT_COMMIT && free_place && cell_in_place(w, o, last_fail)) o->act = OUT_PLACED;
    if (o->act == OUT_PLACED) w->place[o->root] = (Place){0, BASE_BIND + o->bind};
    if (o->act == OUT_COMMIT) w->last[o->root] = end;
  }
}

static size_t take(Planner *w, size_t bytes) {
  w->slab.now = w->steps.n;
  return slab_take(&w->slab, bytes);
}

static void give(Planner *w, size_t offset) {
  w->slab.now = w->steps.n;
  slab_give(&w->slab, offset);
}

/* A dying input of u whose bytes the value v may take over: nothing reads them once v is being written. */
typedef struct Heir { Planner *w; NodeId v, from; uint32_t at; } Heir;

static void find_heir(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Heir *h = ctx;
  Planner *w = h->w;
  (void)user, (void)k;
  if (h->from != NO_NODE || w->place[root].base != BASE_SLAB || w->last[root] != h->at) return;
  const Type *x = node_of(w, root)->type, *y = node_of(w, h->v)->type;
  if (w->unit[root] == w->unit[h->v] || w->kind[root] == KIND_CONST) return;
  if (type_count(x) != type_count(y) || dtype_size[x->dtype] != dtype_size[y->dtype]) return;
  if (!reads_loosely(w, w->unit[h->v], root, h->v)) h->from = root;
}

/* Walks the units in order; a value's bytes are free after its last reader's step. Scratch is laid out by
 * write_step. */
static void place_unit(Planner *w, uint32_t u) {
  Unit *unit = &w->units.at[u];
  uint32_t at = w->at[u];
  for (uint32_t k = 0; k < unit->made.n; k++) {
    NodeId v = unit->made.at[k];
    if (w->place[v].base != BASE_NONE) continue;
    bool pointwise = plan_pointwise(node_of(w, v)) && !unit->fails;
    if (pointwise) {
      Heir h = {.w = w, .v = v, .from = NO_NODE, .at = at};
      plan_each_read(w, u, find_heir, &h);
      if (h.from != NO_NODE) {
        w->place[v] = w->place[h.from];
        w->last[h.from] = GONE;
        continue;
      }
    }
    w->place[v] = (Place){take(w, bytes_of(w, v)), BASE_SLAB};
  }
}

/* ---- steps ---- */

static void add_place(Planner *w, Place p, NodeId node) {
  vec_push(w->tmp, &w->places, p);
  vec_push(w->tmp, &w->place_node, node);
}

static uint16_t parts_for(double ns, int64_t units) {
  double n = ns / PART_NS;
  if (n > PART_MOST) n = PART_MOST;
  if (n > (double)units) n = (double)units;
  return n < 2 ? 1 : (uint16_t)n;
}

static PlanStep *add_step(Planner *w, PlanStepKind kind) {
  vec_push(w->tmp, &w->steps,
           (PlanStep){.kind = (uint8_t)kind, .parts = 1, .operand = w->places.n, .origin = w->origins.n});
  return &w->steps.at[w->steps.n - 1];
}

static void add_origin(Planner *w, PlanStep *s, NodeId id) {
  if (s->n_origin == 0) s->loc = node_of(w, id)->loc;
  vec_push(w->tmp, &w->origins, w->origin ? w->origin[id] : id);
  s->n_origin++;
}

static void add_copy(Planner *w, Place to, Place from, NodeId node, bool cell) {
  size_t bytes = bytes_of(w, node);
  if (bytes == 0) return;
  PlanStep *s = add_step(w, PLAN_COPY);
  s->n_in = s->n_out = 1;
  s->units = (int64_t)bytes;
  s->writes_cell = cell;
  s->parts = parts_for((double)bytes * 0.1, s->units / 4096 + 1);
  s->cost = (Cost){.bytes = 2 * (double)bytes};
  add_origin(w, s, node);
  add_place(w, from, node);
  add_place(w, to, node);
}

static void write_tiles(Planner *w, const Unit *unit) {
  PlanStep *s = add_step(w, PLAN_TILES);
  Operands loads = {0}, stores = {0};
  double ns;
  s->tiles = fuse_build(w, unit, &loads, &stores, &ns);
  s->n_in = loads.n;
  s->n_out = stores.n;
  s->units = type_count(node_of(w, unit->node[0])->type);
  s->parts = parts_for(ns, s->units / TILE + 1);
  s->cost = (Cost){.flops = (double)s->units * unit->n};
  for (uint32_t k = 0; k < loads.n; k++) {
    add_place(w, loads.at[k].place, loads.at[k].node);
    s->cost.bytes += (double)bytes_of(w, loads.at[k].node);
  }
  for (uint32_t k = 0; k < stores.n; k++) {
    add_place(w, stores.at[k].place, stores.at[k].node);
    s->cost.bytes += (double)bytes_of(w, stores.at[k].node);
  }
  for (uint32_t k = 0; k < unit->n; k++) add_origin(w, s, unit->node[k]);
}

typedef VEC(Place) Places;

/* Scratch of the step that was added last: taken for its turn only. */
static Place take_scratch(Planner *w, Places *taken, size_t bytes) {
  w->slab.now = w->steps.n - 1;
  Place p = {slab_take(&w->slab, bytes), BASE_SLAB};
  vec_push(w->tmp, taken, p);
  return p;
}

static void write_loop_step(Planner *w, const Unit *unit, Places *taken) {
  NodeId id = unit->node[0];
  const Node *n = node_of(w, id);
  const Loop *l = unit->loop;
  PlanStep *s = add_step(w, PLAN_LOOP);
  s->op = n->op;
  s->loop = l;
  s->fails = unit->fails;
  s->n_in = n->n_in;
  s->n_out = n->attr->body->out.n;
  s->cost = (Cost){l->body->cost.flops * (double)l->turns, l->body->cost.bytes * (double)l->turns};
  add_origin(w, s, id);
  for (uint32_t k = 0; k < n->n_in; k++) add_place(w, plan_place(w, n->in[k]), n->in[k]);
  for (uint32_t k = 0; k < s->n_out; k++) {
    Place p = {0, BASE_NONE};
    NodeId node = NO_NODE;
    for (uint32_t j = 0; j < unit->made.n; j++)
      if (node_of(w, unit->made.at[j])->attr->i[0] == (int64_t)k) p = w->place[node = unit->made.at[j]];
    if (node == NO_NODE)     /* nobody reads it: a carry still needs two places, a stacked value one row */
      p = take_scratch(w, taken, l->bytes[k]);
    add_place(w, p, node);
  }
  for (uint32_t k = 0; k < l->n_carry; k++) add_place(w, take_scratch(w, taken, l->bytes[k]), NO_NODE);
  add_place(w, take_scratch(w, taken, sizeof(int32_t)), NO_NODE);
  add_place(w, take_scratch(w, taken, (l->body->n_bind + 1) * sizeof(void *)), NO_NODE);
  add_place(w, take_scratch(w, taken, 2 * l->body->bound + l->body->slab), NO_NODE);
  if (l->ends == ENDS_UNTIL) add_place(w, take_scratch(w, taken, (size_t)type_bytes(&l->flag)), NO_NODE);
}

static void write_single(Planner *w, const Unit *unit, Places *taken) {
  NodeId id = unit->node[0];
  const Node *n = node_of(w, id);
  PlanStep *s = add_step(w, PLAN_KERNEL);
  s->op = n->op;
  s->fails = unit->fails;
  s->n_in = n->n_in;
  s->n_out = 1;
  const Type **in_type = NEW_N(w->p->arena, const Type *, n->n_in + 1u);
  KernelCall call = {.in_type = in_type, .n_in = n->n_in};
  double bytes = (double)bytes_of(w, id);
  for (uint32_t k = 0; k < n->n_in; k++) {
    in_type[k] = plan_type(w, node_of(w, n->in[k])->type);
    bytes += (double)type_bytes(in_type[k]);
  }
  s->in_type = in_type;
  s->out_type = call.out_type = plan_type(w, n->type);
  s->attr = call.attr = plan_attr(w, n->attr);
  s->cost = n->op->cost ? n->op->cost(&call) : (Cost){(double)type_count(n->type), bytes};
  s->kernel = kernel_dispatch(w->kernels, n->op, &call);
  double ns = s->cost.flops * 0.01 + s->cost.bytes * 0.1;
  s->parts = s->kernel.exclusive ? 1 : parts_for(ns, s->kernel.units);
  if (s->kernel.prepares > 0) s->prepare_parts = s->kernel.exclusive ? 1 : parts_for(ns, s->kernel.prepares);
  add_origin(w, s, id);
  for (uint32_t k = 0; k < n->n_in; k++) add_place(w, plan_place(w, n->in[k]), n->in[k]);
  add_place(w, w->place[id], id);
  uint32_t at_once = s->parts > s->prepare_parts ? s->parts : s->prepare_parts;
  size_t memory = s->kernel.shared + s->kernel.scratch * at_once;
  if (memory > 0) add_place(w, take_scratch(w, taken, memory), NO_NODE);
}

/* Gives back what died in unit u's step. */
static void free_dead(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Reads *r = ctx;
  Planner *w = r->w;
  (void)user, (void)k;
  if (w->last[root] != r->at || w->place[root].base != BASE_SLAB) return;
  give(w, w->place[root].offset);
  w->last[root] = GONE;
}

static void write_steps(Planner *w) {
  for (uint32_t k = 0; k < w->n_out; k++) {
    Out *o = &w->out[k];
    Place to = {0, BASE_BIND + o->bind}, from = plan_place(w, o->node);
    if (o->act == OUT_START) add_copy(w, to, from, o->node, false);
    if (!o->staged) continue;
    o->stage = (Place){take(w, bytes_of(w, o->node)), BASE_SLAB};
    add_copy(w, o->stage, from, o->node, false);
  }
  for (uint32_t j = 0; j < w->units.n; j++) {
    uint32_t u = w->order[j];
    Unit *unit = &w->units.at[u];
    Places taken = {0};
    place_unit(w, u);
    if (unit->tiles) write_tiles(w, unit);
    else if (unit->loop) write_loop_step(w, unit, &taken);
    else write_single(w, unit, &taken);
    PlanStep *s = &w->steps.at[w->steps.n - 1];
    for (uint32_t k = w->first_out[u]; k != NO_OUT; k = w->next_out[k])
      if (w->out[k].act == OUT_PLACED && w->out[k].cell) s->writes_cell = true;
    for (uint32_t k = 0; k < taken.n; k++) give(w, taken.at[k].offset);
    for (uint32_t k = w->first_out[u]; k != NO_OUT; k = w->next_out[k])
      if (w->out[k].act == OUT_AFTER)
        add_copy(w, (Place){0, BASE_BIND + w->out[k].bind}, plan_place(w, w->out[k].node), w->out[k].node, false);
    Reads r = {.w = w, .at = w->at[u]};
    plan_each_read(w, u, free_dead, &r);
    for (uint32_t k = 0; k < unit->made.n; k++) {          /* made, and read by nobody later */
      NodeId v = unit->made.at[k];
      if (w->last[v] <= w->at[u] && w->place[v].base == BASE_SLAB) {
        give(w, w->place[v].offset);
        w->last[v] = GONE;
      }
    }
  }
  for (uint32_t k = 0; k < w->n_out; k++) {
    Out *o = &w->out[k];
    if (o->act == OUT_COMMIT)
      add_copy(w, (Place){0, BASE_BIND + o->bind}, o->staged ? o->stage : plan_place(w, o->node), o->node, true);
  }
}

/* ---- the whole ---- */

static void made_by_units(Planner *w) {
  const Graph *g = w->g;
  for (uint32_t u = 0; u < w->units.n; u++) {
    Reads r = {.w = w, .at = w->at[u]};
    plan_each_read(w, u, mark_read, &r);
  }
  for (NodeId id = 0; id < g->n; id++) {
    bool makes = (w->kind[id] == KIND_POINT && w->needed[id]) || w->kind[id] == KIND_PICK ||
                 (w->kind[id] == KIND_SINGLE && g->node[id].op->id != OP_loop);
    if (makes) vec_push(w->tmp, &w->units.at[w->unit[id]].made, id);
  }
}

static void move_places(Planner *w) {
  for (uint32_t s = 0; s < w->steps.n; s++) {
    uint32_t end = s + 1 < w->steps.n ? w->steps.at[s + 1].operand : w->places.n;
    for (uint32_t k = w->steps.at[s].operand; k < end; k++) {
      Place *p = &w->places.at[k];
      if (p->base == BASE_SLAB) p->offset = slab_moved(&w->slab, p->offset, s);
    }
  }
}

static void publish(Planner *w) {
  Plan *p = w->p;
  Arena *a = p->arena;
  if (slab_pack(&w->slab)) move_places(w);
  p->n_step = w->steps.n;
  p->step = arena_copy(a, w->steps.at, w->steps.n * sizeof *w->steps.at);
  p->n_place = w->places.n;
  p->place = arena_copy(a, w->places.at, w->places.n * sizeof *w->places.at);
  p->node = arena_copy(a, w->place_node.at, w->place_node.n * sizeof *w->place_node.at);
  p->n_origin = w->origins.n;
  p->origin = arena_copy(a, w->origins.at, w->origins.n * sizeof *w->origins.at);
  p->buffers = w->slab.size;
  p->n_node = w->g->n;
  p->first_write = p->n_step;
  for (uint32_t k = p->n_step; k-- > 0;) {
    if (p->step[k].writes_cell) p->first_write = k;
    if (p->step[k].fails) p->fails = true;
    p->cost.flops += p->step[k].cost.flops;
    p->cost.bytes += p->step[k].cost.bytes;
  }
  for (uint32_t k = p->first_write; k < p->n_step; k++) assert(!p->step[k].fails);   /* the invariant of plan.h */
  straight_make(w);
  p->slab = p->buffers + plan_round(p->temps);
  if (w->body) return;
  char *raw = arena_alloc(a, p->bound + PLAN_ALIGN);
  p->area = raw + (plan_round((uintptr_t)raw) - (uintptr_t)raw);
}

static Plan *make(Host *h, Arena *keep, const Graph *g, const NodeId *origin, const PlanOptions *o, bool body) {
  host_deeper(h);
  Arena *tmp = arena_new(h);
  Planner *w = NEW(tmp, Planner);
  w->host = h;
  w->tmp = w->slab.arena = tmp;
  w->g = g;
  w->origin = origin;
  w->body = body;
  w->fuse = !o->no_fuse;
  w->once = o->once;
  w->kernels = o->kernels ? o->kernels : kernels_best();
  w->p = NEW(keep, Plan);
  w->p->arena = keep;
  w->p->kernels = w->kernels;
  w->kind = NEW_N(tmp, uint8_t, g->n + 1);
  w->root = NEW_N(tmp, NodeId, g->n + 1);
  w->shift = NEW_N(tmp, size_t, g->n + 1);
  w->unit = NEW_N(tmp, uint32_t, g->n + 1);
  w->needed = NEW_N(tmp, bool, g->n + 1);
  w->block = NEW_N(tmp, const void *, g->n + 1);
  w->place = NEW_N(tmp, Place, g->n + 1);
  w->last = NEW_N(tmp, uint32_t, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) w->place[id].base = BASE_NONE;
  plan_classify(w);
  bindings(w);
  constants(w);
  results(w);
  fuse_units(w);
  for (uint32_t u = 0; u < w->units.n; u++) {
    Unit *unit = &w->units.at[u];
    if (unit->tiles) continue;
    NodeId id = unit->node[0];
    if (g->node[id].op->id == OP_loop) unit->loop = loop_of(w, id);
    unit->fails = unit->loop ? loop_may_fail(unit->loop) : plan_may_fail(w, &g->node[id]);
  }
  for (NodeId id = 0; id < g->n; id++)
    if (w->kind[id] == KIND_PICK) w->unit[id] = w->unit[g->node[id].in[0]];
  results_by_unit(w);
  order_units(w);
  made_by_units(w);
  place_results(w);
  write_steps(w);
  publish(w);
  Plan *p = w->p;
  arena_free(tmp);
  return p;
}

Plan *plan_make(Host *h, const Graph *g, const NodeId *origin, const PlanOptions *o) {
  return make(h, arena_new(h), g, origin, o, false);
}

void plan_keep(Plan *p) { arena_keep(p->arena); }

void plan_free(Plan *p) {
  if (p) arena_free(p->arena);
}

uint32_t plan_bindings(const Plan *p, const Binding **out) {
  *out = p->bind;
  return p->n_bind;
}

size_t plan_slab(const Plan *p) { return p->slab; }
void *plan_area(const Plan *p) { return p->area; }
size_t plan_bound(const Plan *p) { return p->bound; }
size_t plan_stack(const Plan *p) { return STACK_KERNEL + p->depth * (size_t)STACK_TURN; }
uint32_t plan_steps(const Plan *p) { return p->n_step; }

uint32_t plan_origin(const Plan *p, uint32_t step, const NodeId **out) {
  *out = p->origin + p->step[step].origin;
  return p->step[step].n_origin;
}
