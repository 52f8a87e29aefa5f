/* prepare: makes a block of steps ready to run. In: one graph whose nodes carry the
 * number of their segment, and what steps need of it. Out: for each segment a slice in a graph of its own, optimised
 * and planned, and the slots in which values cross.
 *
 * Segments are looked at from the last to the first: what a slice meets of an earlier segment is then asked of that one
 * before its turn comes. A node of another segment is recomputed where that is cheap or owed (small known values,
 * formulas over file data, entries that ran before), else it crosses. A cell's value of another moment always crosses:
 * its slot may have been written since.
 * Invariant: prepare changes nothing that a run sees until everything is made: it publishes in one loop that cannot
 * fail.
 */
#include "steps/prepare.h"
#include <assert.h>
#include <string.h>
#include "runtime/graph/opt.h"
#include "steps/state.h"

enum { KNOWN_SMALL = 1 << 16, SLAB_ALIGN = 64 };
enum { CHEAP = 1, MADE = 2 };      /* it is known, and nothing below it is large; some operation wants it made */

/* In which slice a slot has an input, and which: slices are numbered through the session. */
typedef struct SlotInput { uint32_t slice; NodeId node; } SlotInput;

/* What is kept from one block to the next, so that each costs its own size and not the session's. */
typedef struct ProgramScratch {
  uint8_t *cheap;
  uint32_t n_cheap, cap;     /* cheap and map: by node */
  NodeId *map;
  SlotInput *slot_node;
  uint32_t cap_slot;
  uint32_t turned;           /* slots below it have been asked whether they count turns */
} ProgramScratch;

typedef struct Prep {
  Program *p;
  Session *s;
  Graph *g;
  Arena *a, *tmp;            /* results; scratch */
  VEC(Segment *) set;        /* what is prepared now, ascending */
  const uint8_t *in_set;     /* by segment, from this one on: those before it are not */
  uint32_t from;
  const uint8_t *cheap;      /* by node: CHEAP, MADE */
  NodeId *map;               /* by node of g: its copy, while a slice is made */
  SlotInput *slot_node;      /* by slot: its input in the slice */
  uint32_t n_slot;
  Segment *now;
  bool lost;                 /* a value that was not kept is wanted: reported */
} Prep;

typedef enum {
  OWN,                       /* made here */
  PULL,                      /* recomputed here */
  SLOT,                      /* in a slot already */
  CELL,                      /* a cell, as this segment finds it */
  CROSS,                     /* to be saved by its own segment */
  LOST
} Route;

/* ---- where a node of the big graph is found from a segment ---- */
static SlotId slot_of(const Program *p, NodeId id) { return id < p->slot_of_cap ? p->slot_of[id] : NO_SLOT; }

SlotId program_kept(const Program *p, NodeId id) {
  SlotId slot = slot_of(p, id);
  if (slot == NO_SLOT || !p->slot.at[slot].value) return NO_SLOT;
  return p->segment.at[p->slot.at[slot].segment]->ran ? slot : NO_SLOT;
}

static Route route(const Prep *w, NodeId id, SlotId *slot) {
  const Node *n = graph_at(w->g, id);
  bool before = n->segment < w->from || !w->in_set[n->segment - w->from];
  *slot = NO_SLOT;
  if (n->op->id == OP_input) {
    *slot = (SlotId)n->attr->i[0];
    if (w->p->slot.at[*slot].kind != SLOT_CELL) return SLOT;
    if (n->segment == w->now->id) return CELL;
    *slot = NO_SLOT;
    if (!before) return CROSS;
    *slot = program_kept(w->p, id);
    return *slot == NO_SLOT ? LOST : SLOT;
  }
  if (n->segment == w->now->id) return OWN;
  if (n->op->id == OP_constant || w->cheap[id] & CHEAP || (n->flags & NODE_LAZY)) return PULL;
  if (n->op->id == OP_broadcast && !(w->cheap[id] & MADE)) return PULL;
  if (before) {
    *slot = program_kept(w->p, id);
    return *slot == NO_SLOT ? PULL : SLOT;
  }
  return CROSS;
}

static bool stop_at(void *ctx, NodeId id) {
  SlotId slot;
  Route r = route(ctx, id, &slot);
  return r != OWN && r != PULL;
}

/* A broadcast is cheap whatever its size: a plan reads through it. One of the run is made anew in each segment, too,
 * and its operand crosses, unless some operation wants it made: each turn of a loop would make it again. What was found
 * of older nodes holds. */
static void cheap_nodes(const Graph *g, ProgramScratch *k) {
  for (NodeId id = k->n_cheap; id < g->n; id++) {
    const Node *n = graph_at(g, id);
    bool ok = (n->flags & NODE_KNOWN) && (n->op->id == OP_broadcast || type_count(n->type) <= KNOWN_SMALL);
    for (uint32_t j = 0; ok && j < n->n_in; j++)
      ok = k->cheap[n->in[j]] & CHEAP || graph_at(g, n->in[j])->op->id == OP_constant;
    k->cheap[id] = ok ? CHEAP : 0;
    for (uint32_t j = 0; j < n->n_in && !(n->op->flags & OP_POINTWISE); j++) k->cheap[n->in[j]] |= MADE;
  }
  k->n_cheap = g->n;
}

static uint32_t grown(uint32_t cap, uint32_t n) {
  if (!cap) cap = 256;
  while (cap < n) cap = cap > UINT32_MAX / 2 ? n : cap * 2;
  return cap;
}

static void scratch_room(Program *p) {
  Arena *a = p->session->arena;
  if (!p->scratch) p->scratch = NEW(a, ProgramScratch);
  arena_change(a, p->scratch, sizeof *p->scratch);
  ProgramScratch k = *p->scratch;
  uint32_t n = p->session->graph->n;
  if (n > k.cap) {
    k.cap = grown(k.cap, n);
    uint8_t *cheap = NEW_N(a, uint8_t, k.cap);
    if (k.n_cheap) memcpy(cheap, k.cheap, k.n_cheap);
    k.cheap = cheap;
    k.map = NEW_N(a, NodeId, k.cap);
  }
  *p->scratch = k;
}

static void slot_of_room(Program *p) {
  uint32_t n = p->session->graph->n;
  if (n <= p->slot_of_cap) return;
  uint32_t cap = p->slot_of_cap ? p->slot_of_cap : 256;
  while (cap < n) cap = cap > UINT32_MAX / 2 ? n : cap * 2;
  SlotId *at = NEW_N(p->session->arena, SlotId, cap);
  for (uint32_t k = 0; k < cap; k++) at[k] = k < p->slot_of_cap ? p->slot_of[k] : NO_SLOT;
  p->slot_of = at;
  p->slot_of_cap = cap;
}

static SlotId save_in(Prep *w, Segment *s, NodeId id) {
  const Node *n = graph_at(w->g, id);
  SlotId slot = slot_new(w->p, SLOT_VALUE, n->type, NULL, n->loc);
  w->p->slot.at[slot].segment = s->id;
  vec_push(w->s->arena, &s->save, (Need){id, slot});
  return slot;
}

static SlotId crosses(Program *p, NodeId id, SlotId slot) {
  arena_change(p->session->arena, &p->slot_of[id], sizeof *p->slot_of);
  return p->slot_of[id] = slot;
}

/* id's own segment saves it. */
static SlotId demand(Prep *w, NodeId id) {
  SlotId slot = slot_of(w->p, id);
  if (slot != NO_SLOT) return slot;
  return crosses(w->p, id, save_in(w, w->p->segment.at[graph_at(w->g, id)->segment], id));
}

static void lost(Prep *w, NodeId id) {
  if (w->lost) return;
  w->lost = true;
  const Node *n = graph_at(w->g, id);
  const char *path = w->p->slot.at[n->attr->i[0]].path;
  diag_at(w->s->diags, n->loc, E_VALUE_GONE, path ? path : "a cell");
}

/* The slot in which a step of segment s finds a node's value. */
static SlotId resolve(Prep *w, Segment *s, NodeId id) {
  SlotId slot;
  w->now = s;
  switch (route(w, id, &slot)) {
  case SLOT: return slot;
  case OWN: case CELL: case CROSS: return demand(w, id);
  case PULL:
    for (uint32_t k = 0; k < s->save.n; k++)
      if (s->save.at[k].node == id) return s->save.at[k].slot;
    return save_in(w, s, id);
  case LOST: break;
  }
  lost(w, id);
  return NO_SLOT;
}

/* ---- steps of a block and of all blocks in it, without recursion ---- */
typedef VEC(const Steps *) Blocks;

static void blocks_of(const Step *step, Arena *a, Blocks *out) {
  for (uint32_t k = 0; k < step->piece.n; k++) vec_push(a, out, &step->piece.at[k].body);
  vec_push(a, out, &step->head);
  vec_push(a, out, &step->body);
  vec_push(a, out, &step->other);
}

static Segment *last_segment(const Program *p, const Steps *block) {
  for (uint32_t k = block->n; k-- > 0;)
    if (block->at[k]->kind == STEP_SEGMENT) return p->segment.at[block->at[k]->segment];
  return NULL;
}

/* The segments of the block that are not prepared yet. Others may have been made since from: those of tests. */
static void collect(Prep *w, uint32_t from, const Steps *top) {
  Blocks todo = {0};
  Program *p = w->p;
  uint8_t *in_set = NEW_N(w->tmp, uint8_t, p->segment.n - from + 1);
  vec_push(w->tmp, &todo, top);
  for (uint32_t at = 0; at < todo.n; at++)
    for (uint32_t k = 0; k < todo.at[at]->n; k++) {
      const Step *step = todo.at[at]->at[k];
      const Segment *s = p->segment.at[step->segment];
      if (step->kind == STEP_SEGMENT && s->id >= from && !s->prepared) in_set[s->id - from] = 1;
      blocks_of(step, w->tmp, &todo);
    }
  for (uint32_t k = from; k < p->segment.n; k++)
    if (in_set[k - from]) vec_push(w->tmp, &w->set, p->segment.at[k]);
  w->in_set = in_set;
  w->from = from;
}

static void resolve_steps(Prep *w, const Steps *top) {
  Blocks todo = {0};
  Program *p = w->p;
  uint32_t most = 0;
  vec_push(w->tmp, &todo, top);
  for (uint32_t at = 0; at < todo.n; at++) {
    const Steps *block = todo.at[at];
    for (uint32_t k = 0; k < block->n; k++) {
      Step *step = block->at[k];
      Segment *s = p->segment.at[step->segment];
      if (step->kind == STEP_WHILE && last_segment(p, &step->head)) s = last_segment(p, &step->head);
      for (uint32_t j = 0; j < step->need.n; j++)
        if (step->need.at[j].slot == NO_SLOT) step->need.at[j].slot = resolve(w, s, step->need.at[j].node);
      if (step->need.n > most) most = step->need.n;
      blocks_of(step, w->tmp, &todo);
    }
  }
  if (most > p->value_cap) {
    p->value = NEW_N(w->s->arena, Tensor *, most);
    p->value_cap = most;
  }
}

/* Whoever listens is told what each step was for: the losses that are made in segment k of the set, and cross for no
 * other reason. When all that crosses out of it is known, so that slots are numbered alike where nobody listens. */
static void tell_losses(Prep *w, uint32_t k) {
  Segment *s = w->set.at[k];
  for (uint32_t j = k; j < w->set.n; j++) {
    const Segment *of = w->set.at[j];
    const NodeId *ids = of->loss.n ? of->loss.at : of->target.at;
    for (uint32_t i = 0, n = of->loss.n ? of->loss.n : of->target.n; i < n; i++) {
      const Node *node = graph_at(w->g, ids[i]);
      if (node->segment != s->id || node->op->id == OP_constant || (node->flags & NODE_LAZY)) continue;
      bool saved = false;
      for (uint32_t m = 0; m < s->save.n; m++) saved |= s->save.at[m].node == ids[i];
      if (saved) continue;
      SlotId slot = save_in(w, s, ids[i]);
      w->p->slot.at[slot].kind = SLOT_TOLD;
    }
  }
}

/* What later entries recompute values from: the cells that this block read. */
static void keep_leaves(Prep *w, const Steps *top) {
  uint32_t first = w->g->n, low = w->p->segment.n;
  for (uint32_t k = 0; k < top->n; k++)
    if (top->at[k]->kind == STEP_SEGMENT) {
      const Segment *s = w->p->segment.at[top->at[k]->segment];
      if (s->first < first) first = s->first;
      if (s->id < low) low = s->id;
    }
  uint8_t *here = NEW_N(w->tmp, uint8_t, w->p->segment.n - low + 1);
  for (uint32_t k = 0; k < top->n; k++)
    if (top->at[k]->kind == STEP_SEGMENT) here[top->at[k]->segment - low] = 1;
  for (NodeId id = first; id < w->g->n; id++) {
    const Node *n = graph_at(w->g, id);
    if (n->segment < low || !here[n->segment - low]) continue;
    if (n->op->id == OP_input && w->p->slot.at[n->attr->i[0]].kind == SLOT_CELL) demand(w, id);
  }
}

/* ---- a segment's slice ---- */
typedef struct Slice {
  Graph *source, *graph;
  NodeId *back;              /* by node of source: the node of the big graph */
  Plan *plan;
  VEC(Share) share;
} Slice;

static NodeId copy_node(Prep *w, Graph *out, NodeId id) {
  const Node n = *graph_at(w->g, id);
  SlotId slot;
  NodeId made;
  switch (route(w, id, &slot)) {
  case OWN: case PULL: {
    NodeId few[8], *in = n.n_in <= 8 ? few : NEW_N(w->tmp, NodeId, n.n_in);
    for (uint32_t k = 0; k < n.n_in; k++) in[k] = w->map[n.in[k]];
    made = graph_copy(out, &n, in, true);
    out->node[made].flags |= n.flags & NODE_LAZY;   /* what is known is so in the slice's own terms */
    return made;
  }
  case CROSS:
    assert(n.segment < w->now->id);
    slot = demand(w, id);
    break;
  case SLOT: case CELL: break;
  case LOST:
    lost(w, id);
    slot = (SlotId)n.attr->i[0];
    break;
  }
  if (slot < w->n_slot && w->slot_node[slot].slice == w->s->slices) return w->slot_node[slot].node;
  made = graph_input(out, slot, n.type, n.loc);
  out->node[made].flags |= n.flags & NODE_LAZY;
  if (slot < w->n_slot) w->slot_node[slot] = (SlotInput){w->s->slices, made};
  return made;
}

static const CellWrite *written(const Segment *s, NodeId id) {
  for (uint32_t k = 0; k < s->write.n; k++)
    if (s->write.at[k].node == id) return &s->write.at[k];
  return NULL;
}

static void slots_room(Prep *w) {
  ProgramScratch *k = w->p->scratch;
  w->n_slot = w->p->slot.n;
  if (w->n_slot > k->cap_slot) {
    uint32_t cap = grown(k->cap_slot, w->n_slot);
    k->slot_node = NEW_N(w->s->arena, SlotInput, cap);
    k->cap_slot = cap;
  }
  w->slot_node = k->slot_node;
  w->s->slices++;
}

/* Copies what save and write need into a graph of its own. */
static void slice(Prep *w, Segment *s, const Need *save, uint32_t n_save, bool writes, Slice *out) {
  VEC(NodeId) root = {0};
  SlotId slot;
  w->now = s;
  VEC(Need) value = {0};
  for (uint32_t k = 0; k < n_save; k++) {
    const Need *need = &save[k];
    const CellWrite *by = writes ? written(s, need->node) : NULL;
    if (route(w, need->node, &slot) == CELL) {
      vec_push(w->a, &out->share, (Share){slot, need->slot, false});
    } else if (by && type_bytes(graph_at(w->g, need->node)->type) > SHARE_COPIED) {
      vec_push(w->a, &out->share, (Share){by->cell, need->slot, true});
    } else {
      vec_push(w->tmp, &root, need->node);
      vec_push(w->tmp, &value, *need);
    }
  }
  for (uint32_t k = 0; writes && k < s->write.n; k++) vec_push(w->tmp, &root, s->write.at[k].node);
  if (root.n == 0) return;

  NodeId *ids;
  uint32_t n = graph_slice(w->g, root.at, root.n, stop_at, w, &ids);
  slots_room(w);
  Graph *g = out->source = graph_beside(w->g, w->a);
  graph_room(g, n);
  NodeId *back = NEW_N(w->a, NodeId, n);
  for (uint32_t k = 0; k < n; k++) {
    NodeId made = w->map[ids[k]] = copy_node(w, g, ids[k]);
    if (made == g->n - 1) back[made] = ids[k];
  }
  for (uint32_t k = 0; k < value.n; k++) graph_output(g, w->map[value.at[k].node], value.at[k].slot);
  for (uint32_t k = 0; writes && k < s->write.n; k++) {
    const CellWrite *c = &s->write.at[k];
    NodeId made = w->map[c->node];
    const Node *from = graph_at(g, made);
    if (from->op->id == OP_input && from->attr->i[0] == c->cell) continue;   /* it keeps its value */
    graph_output(g, made, c->cell);
  }
  if (g->out.n == 0) out->source = NULL;
  out->back = back;
}

static void check_graph(const Prep *w, const Graph *g) {
#ifdef GLIA_VERIFY
  const char *wrong = graph_verify(g, w->tmp);
  if (wrong) host_fail(&w->s->host, FAIL_BUG, "%s", wrong);
#else
  (void)w;
  (void)g;
#endif
}

static void slice_plan(Prep *w, Slice *s, bool once) {
  if (!s->source) return;
  NodeId *origin;
  const Kernels *kernels = w->s->kernels ? w->s->kernels : kernels_best();
  check_graph(w, s->source);
  s->graph = opt_run(s->source, w->a, &(Opt){.kernels = kernels}, &origin);
  check_graph(w, s->graph);
  for (uint32_t k = 0; k < s->graph->n; k++)
    if (origin[k] != NO_NODE) origin[k] = s->back[origin[k]];
  s->plan = plan_make(&w->s->host, s->graph, origin, &(PlanOptions){w->s->config.no_fuse, kernels, once});
}

/* ---- memory ---- */
static size_t plus(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

static NodeId largest_node(const Graph *g) {
  NodeId best = NO_NODE;
  for (NodeId id = 0; id < g->n; id++)
    if (best == NO_NODE || type_bytes(graph_at(g, id)->type) > type_bytes(graph_at(g, best)->type)) best = id;
  return best;
}

static bool memory_allowed(Prep *w, const Slice *slices, uint32_t n, size_t values, size_t slab) {
  Session *s = w->s;
  if (!s->config.max_memory) return true;
  size_t files = 0;
  for (uint32_t k = 0; k < w->p->slot.n; k++) {
    const Slot *slot = &w->p->slot.at[k];
    if (slot->kind == SLOT_DATA && !slot->value) files = plus(files, (size_t)type_bytes(&slot->type));
  }
  size_t more_slab = slab > s->slab_bytes ? slab : 0;
  size_t wanted = plus(plus(s->host.in_use, plus(values, files)), more_slab);
  if (wanted <= s->config.max_memory) return true;
  const Node *large = NULL;
  for (uint32_t k = 0; k < n; k++) {
    NodeId id = slices[k].graph ? largest_node(slices[k].graph) : NO_NODE;
    if (id == NO_NODE) continue;
    const Node *node = graph_at(slices[k].graph, id);
    if (!large || type_bytes(node->type) > type_bytes(large->type)) large = node;
  }
  Diag *d = diag_at(s->diags, large ? large->loc : 0, E_MEMORY_PLAN, wanted, s->config.max_memory);
  diag_note(s->diags, d, 0, "%zu bytes for files, %zu for values that are kept, %zu for what is computed", files,
            values, slab);
  if (large) diag_note(s->diags, d, large->loc, "the largest value is %s", type_show(w->tmp, large->type));
  return false;
}

static void slab_room(Program *p, size_t bytes) {
  Session *s = p->session;
  if (bytes <= s->slab_bytes) return;
  size_t all = bytes + SLAB_ALIGN;
  host_free(&s->host, p->slab, p->slab_all);
  p->slab = s->slab = NULL;
  p->slab_all = s->slab_bytes = 0;
  p->slab = host_alloc(&s->host, all);
  p->slab_all = all;
  s->slab = (char *)p->slab + (SLAB_ALIGN - (uintptr_t)p->slab % SLAB_ALIGN);
  s->slab_bytes = bytes;
}

/* ---- prepare ---- */
static Prep prep_begin(Program *p, Arena *a, Arena *tmp) {
  Session *s = p->session;
  slot_of_room(p);
  Prep w = {.p = p, .s = s, .g = s->graph, .a = a, .tmp = tmp};
  scratch_room(p);
  cheap_nodes(s->graph, p->scratch);
  w.cheap = p->scratch->cheap;
  w.map = p->scratch->map;
  return w;
}

static bool shared(const Slice *c, SlotId slot) {
  for (uint32_t k = 0; k < c->share.n; k++)
    if (c->share.at[k].to == slot) return true;
  return false;
}

/* The tensors that a run fills, made now so that it allocates nothing: one for each value that is saved (but for large
 * ones that are only shared), a spare for each cell that is written unread. */
typedef struct Made { Tensor **saved, **spare; void **data; Watched *watch; uint32_t n_watch; } Made;

static size_t saved_bytes(const Prep *w, const Segment *s, const Slice *c) {
  size_t n = 0;
  for (uint32_t k = 0; k < s->save.n; k++) {
    size_t bytes = (size_t)type_bytes(&w->p->slot.at[s->save.at[k].slot].type);
    if (bytes <= SHARE_COPIED || !shared(c, s->save.at[k].slot)) n = plus(n, bytes);
  }
  const Binding *b;
  uint32_t n_bind = c->plan ? plan_bindings(c->plan, &b) : 0;
  for (uint32_t k = 0; k < n_bind; k++)
    if (b[k].mode == BIND_WRITE && w->p->slot.at[b[k].slot].kind == SLOT_CELL)
      n = plus(n, (size_t)type_bytes(&b[k].type));
  return n;
}

static bool saves_loss(const Segment *s, SlotId slot, SlotKind kind) {
  for (uint32_t k = 0; k < s->save.n; k++)
    for (uint32_t j = 0; s->save.at[k].slot == slot && j < s->loss.n; j++)
      if (s->loss.at[j] == s->save.at[k].node) return kind != SLOT_TOLD;
  return false;
}

static void make_watch(const Prep *w, const Segment *s, const Slice *c, Made *m) {
  const Binding *b;
  uint32_t n = c->plan ? plan_bindings(c->plan, &b) : 0;
  m->watch = NEW_N(w->s->arena, Watched, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    bool wide = b[k].type.dtype == F64, loss = saves_loss(s, b[k].slot, w->p->slot.at[b[k].slot].kind);
    if (!(b[k].mode & BIND_WRITE) || (b[k].type.dtype != F32 && !wide) || !type_count(&b[k].type)) continue;
    if (!loss && !w->p->slot.at[b[k].slot].trained) continue;
    m->watch[m->n_watch++] = (Watched){k, wide && *(const uint8_t *)&(uint16_t){1} ? 4 : 0, wide, loss};
  }
}

static void make_tensors(const Prep *w, const Segment *s, const Slice *c, Made *m) {
  Host *h = &w->s->host;
  m->saved = NEW_N(w->tmp, Tensor *, s->save.n + 1);
  for (uint32_t k = 0; k < s->save.n; k++) {
    const Type *t = &w->p->slot.at[s->save.at[k].slot].type;
    if ((size_t)type_bytes(t) <= SHARE_COPIED || !shared(c, s->save.at[k].slot)) m->saved[k] = tensor_new(h, t);
  }
  if (!c->plan) return;
  const Binding *b;
  uint32_t n = plan_bindings(c->plan, &b);
  make_watch(w, s, c, m);
  m->spare = NEW_N(w->s->arena, Tensor *, n + 1);
  m->data = NEW_N(w->s->arena, void *, n + 1);
  for (uint32_t k = 0; k < n; k++)
    if (b[k].mode == BIND_WRITE && w->p->slot.at[b[k].slot].kind == SLOT_CELL) m->spare[k] = tensor_new(h, &b[k].type);
}

static void publish(Program *p, Segment *s, const Slice *c, const Made *m) {
  for (uint32_t k = 0; k < s->save.n; k++)
    if (m->saved[k]) {
      Slot *slot = &p->slot.at[s->save.at[k].slot];
      assert(!slot->value);
      slot->value = tensor_keep(m->saved[k]);
    }
  if (c->plan) {
    const Binding *b;
    plan_keep(c->plan);
    for (uint32_t k = plan_bindings(c->plan, &b); k-- > 0;)
      if (m->spare[k]) tensor_keep(m->spare[k]);
  }
  s->source = c->source;
  s->graph = c->graph;
  s->plan = c->plan;
  s->spare = m->spare;
  s->data = m->data;
  s->watch = m->watch;
  s->n_watch = m->n_watch;
  s->share.at = c->share.at;
  s->share.n = s->share.cap = c->share.n;
  s->prepared = true;
}

static void turn_slots(Prep *w) {
  for (uint32_t k = w->p->scratch->turned; k < w->p->slot.n; k++) {
    if (w->p->slot.at[k].kind != SLOT_TURN || w->p->slot.at[k].value) continue;
    Tensor *t = tensor_new(&w->s->host, &w->p->slot.at[k].type);
    slot_put(w->p, k, t);
    tensor_unref(t);
  }
  w->p->scratch->turned = w->p->slot.n;
}

/* By number from `from` on: the segments that are steps of the block itself, and of no loop in it. */
static bool *steps_alone(const Program *p, uint32_t from, const Steps *block, Arena *tmp) {
  bool *alone = NEW_N(tmp, bool, p->segment.n - from + 1);
  for (uint32_t k = 0; k < block->n; k++)
    if (block->at[k]->kind == STEP_SEGMENT && block->at[k]->segment >= from) alone[block->at[k]->segment - from] = true;
  return alone;
}

bool program_prepare(Program *p, uint32_t from, Steps *block, bool often, Need *keep, uint32_t n_keep) {
  Session *s = p->session;
  Arena *a = arena_new(&s->host), *tmp = arena_new(&s->host);
  Prep w = prep_begin(p, a, tmp);
  collect(&w, from, block);
  uint32_t n = w.set.n;
  Segment **seg = w.set.at;

  resolve_steps(&w, block);
  Segment *last = last_segment(p, block);
  for (uint32_t k = 0; k < n_keep; k++) {
    assert(last);
    NodeId id = keep[k].node;
    keep[k].slot = resolve(&w, last, id);
    if (slot_of(p, id) == NO_SLOT && keep[k].slot != NO_SLOT && p->slot.at[keep[k].slot].kind == SLOT_VALUE)
      crosses(p, id, keep[k].slot);
  }
  if (p->keep_leaves) keep_leaves(&w, block);

  Slice *slices = NEW_N(tmp, Slice, n + 1);
  for (uint32_t k = n; k-- > 0;) {
    if (s->config.heard) tell_losses(&w, k);
    slice(&w, seg[k], seg[k]->save.at, seg[k]->save.n, true, &slices[k]);
  }
  size_t values = 0, slab = 0;
  bool ok = !w.lost, *alone = steps_alone(p, from, block, tmp);
  for (uint32_t k = 0; ok && k < n; k++) {
    slice_plan(&w, &slices[k], !often && seg[k]->id >= from && alone[seg[k]->id - from]);
    values = plus(values, saved_bytes(&w, seg[k], &slices[k]));
    if (slices[k].plan && plan_slab(slices[k].plan) > slab) slab = plan_slab(slices[k].plan);
  }
  ok = ok && memory_allowed(&w, slices, n, values, slab);
  if (!ok) {
    for (uint32_t k = 0; k < n; k++) plan_free(slices[k].plan);
    arena_free(tmp);
    arena_free(a);
    return false;
  }

  Made *made = NEW_N(tmp, Made, n + 1);
  for (uint32_t k = 0; k < n; k++) make_tensors(&w, seg[k], &slices[k], &made[k]);
  turn_slots(&w);
  slab_room(p, slab);
  vec_push(s->arena, &p->arena, a);
  arena_keep(a);
  for (uint32_t k = 0; k < n; k++) publish(p, seg[k], &slices[k], &made[k]);
  arena_free(tmp);
  return true;
}

Plan *segment_part(Program *p, Segment *s, const Need *need, uint32_t n, Arena *a) {
  Prep w = prep_begin(p, a, a);
  uint8_t *in_set = NEW_N(a, uint8_t, p->segment.n - s->id);
  in_set[0] = 1;
  w.in_set = in_set;
  w.from = s->id;
  Slice part = {0};
  VEC(Need) own = {0};
  for (uint32_t k = 0; k < n; k++) {
    const Slot *slot = &p->slot.at[need[k].slot];
    if (slot->kind == SLOT_VALUE && slot->segment == s->id) vec_push(a, &own, need[k]);
  }
  slice(&w, s, own.at, own.n, false, &part);
  slice_plan(&w, &part, false);
  return part.plan;
}
