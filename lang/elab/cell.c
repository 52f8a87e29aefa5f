/* cell: cells, their versions, and where steps go. An assignment makes a version, a read names one, so a stretch of
 * steps is one graph.
 *
 * A Region is a block that runs as a whole or turn by turn: the top, a loop's body, a branch. A cell that is first read
 * in a region is read from its slot there (the version outside is remembered as its alias); what a region assigned is
 * read anew behind it. Segments are stretches of a region between steps that must see a value or may change a cell.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lint.h"
#include "elab/mark.h"
#include "elab/series.h"

Step *step_add(Elab *e, StepKind kind, Loc loc) {
  Step *s = NEW(e->a, Step);
  s->kind = kind;
  s->loc = loc;
  s->segment = e->g->segment;
  s->mark = e->g->n;
  s->turn = NO_SLOT;
  vec_push(e->a, e->here.region->steps, s);
  return s;
}

static void segment_open(Elab *e) {
  Segment *s = segment_new(e->p);
  s->first = e->g->n;
  step_add(e, STEP_SEGMENT, e->g->loc);
}

static void segment_close(Elab *e) { e->p->segment.at[e->g->segment]->end = e->g->n; }

/* What follows must not run before what stands. */
static void segment_cut(Elab *e) {
  segment_close(e);
  segment_open(e);
}

void step_effect(Elab *e, Step *effect) {
  effect->segment = e->g->segment;
  effect->mark = e->g->n;
  vec_push(e->a, e->here.region->steps, effect);
  if (effect->effect->cuts) segment_cut(e);
}

Region *region_enter(Elab *e, int kind, Steps *steps, const Ast *ast) {
  Region *r = NEW(e->a, Region);
  r->outer = e->here.region;
  r->kind = (enum RegionKind)kind;
  r->steps = steps;
  r->first = e->g->n;
  r->turn = NO_NODE;
  r->count = -1;
  r->ast = ast;
  r->caller = e->here.caller;
  if (e->here.region) segment_close(e);
  e->here.region = r;
  segment_open(e);
  return r;
}

static void touch(Elab *e, Region *r, Cell *c) {
  for (uint32_t k = r->touched.n; k-- > 0;)
    if (r->touched.at[k] == c) return;
  vec_push(e->a, &r->touched, c);
}

static Version *version_new(Elab *e, Cell *c, NodeId node) {
  Version *v = NEW(e->a, Version);
  *v = (Version){.node = node, .region = e->here.region, .before = c->now, .last = NO_NODE};
  cell_change(e, c)->now = v;
  touch(e, e->here.region, c);
  return v;
}

static bool assigned_in(const Region *r, const Cell *c) {
  for (const Version *v = c->now; v && v->region == r; v = v->before)
    if (v->assigned) return true;
  return c->now && c->now->through == r;
}

static bool stops(void *ctx, NodeId id) { return graph_at(ctx, id)->op == &op_stop_gradient; }
uint32_t slice_derivable(Elab *e, NodeId y, NodeId **out) { return graph_slice(e->g, &y, 1, stops, e->g, out); }

/* c goes round the loop r and ends a turn as `last`. A derivative that read it at the start of a turn would leave out
 * the turns before, where they computed it from what it is by. (From what changes in the loop itself it is of this
 * turn.) */
static void carried_over(Elab *e, const Region *r, const Cell *c, NodeId last) {
  for (uint32_t k = 0; k < r->carried.n; k++) {
    const Carried *d = &r->carried.at[k];
    if (d->cell != c || last == NO_NODE) continue;
    NodeId *id;
    uint32_t n = slice_derivable(e, last, &id);
    for (uint32_t j = 0; j < d->n; j++) {
      const Value *by = &d->by[j].value;
      if (by->kind == V_CELL && assigned_in(r, by->cell)) continue;
      for (uint32_t i = 0; i < n; i++) {
        const Node *x = graph_at(e->g, id[i]);
        bool same = by->kind == V_CELL ? x->op == &op_input && x->attr->i[0] == by->cell->slot
                                       : id[i] == by->node && by->node < r->first;
        if (!same) continue;
        Diag *g = diag_at(e->d, d->loc, E_GRAD_THROUGH_STEPS, c->path ? c->path : "a cell", "a loop");
        diag_note(e->d, g, elab_loc_at(e, r->ast), "it goes round the loop here: the turns before would be left out");
        diag_hint(e->d, g, "compute it in an `fn`: loops and branches of a formula have derivatives");
        return;
      }
    }
  }
}

static bool is_turned(Elab *e, const Region *r, const Cell *c) {
  for (uint32_t k = 0; k < e->turned.n; k++) {
    const Turned *t = &e->turned.at[k];
    if (t->loop == r->ast && t->caller == r->caller && t->cell == c->number) return true;
  }
  return false;
}

/* The loop r assigns c. */
static void stale_turn(Elab *e, Region *r, Cell *c) {
  for (uint32_t j = 0; j < r->stale.n; j++) {
    Stale s = r->stale.at[j];
    if (s.cell != c) continue;
    if (!s.what) {                        /* what was read outside is a constant: all is elaborated once more */
      if (is_turned(e, r, c)) continue;
      vec_push(e->a, &e->turned, (Turned){r->ast, r->caller, c->number});
      e->again = true;
      continue;
    }
    Diag *g = diag_at(e->d, s.loc, E_STALE_IN_LOOP, s.what, c->path ? c->path : "a cell");
    diag_note(e->d, g, s.made, "it was computed here, before the loop");
    diag_hint(e->d, g, "move it into the loop; what is to stay as it was is `copy(net)`, `stop_gradient(...)`");
    for (uint32_t i = 0; i < r->stale.n; i++)   /* one message for all cells that it read */
      if (r->stale.at[i].loc == s.loc) r->stale.at[i].cell = NULL;
    return;
  }
}

void region_leave(Elab *e, Region *r) {
  segment_close(e);
  if (r->kind == REGION_LOOP) lint_loop(e, r);
  e->here.region = r->outer;
  series_leave(e, r);
  for (uint32_t k = 0; k < r->touched.n; k++) {
    Cell *c = r->touched.at[k];
    Version *outside = c->now;
    bool assigned = false;
    NodeId last = c->now ? c->now->node : NO_NODE;
    for (; outside && outside->region == r; outside = outside->before) assigned |= outside->assigned;
    if (!r->outer) continue;               /* the top: what stands, stands */
    cell_change(e, c)->now = outside;
    if (!assigned || r->kind == REGION_TEST) continue;   /* a test has its own copy of the cells */
    Version *v = version_new(e, c, NO_NODE);
    v->assigned = true;
    v->through = r;
    v->last = last;
    if (r->kind == REGION_LOOP) stale_turn(e, r, c);
    if (r->kind == REGION_LOOP) carried_over(e, r, c, last);
  }
  if (r->outer) segment_open(e);
}

void stale_later(Elab *e, Region *r, Cell *c, const char *what, Loc loc, Loc made) {
  vec_push(e->a, &r->stale, (Stale){c, what, loc, made});
}

bool turned_between(Elab *e, const Region *inner, const Region *outer, Cell *c, bool assigns, Loc loc) {
  for (Region *r = (Region *)(uintptr_t)inner; r && r != outer; r = r->outer) {
    if (r->kind != REGION_LOOP) continue;
    if (assigns || is_turned(e, r, c)) return true;
    stale_later(e, r, c, NULL, loc, 0);
  }
  return false;
}

void carried_later(Elab *e, Cell *c, NodeId read, const Leaf *by, uint32_t n, Loc loc) {
  for (Region *r = e->here.region; r; r = r->outer)
    if (r->kind == REGION_LOOP && read >= r->first) {
      vec_push(e->a, &r->carried, (Carried){c, by, n, loc});
      return;
    }
}

Cell *cell_new(Elab *e, int role, const Type *t, const char *path, Loc loc) {
  Cell *c = NEW(e->a, Cell);
  c->slot = slot_new(e->p, SLOT_CELL, t, path, loc);
  c->type = *t;
  c->role = (enum CellRole)role;
  c->path = path;
  c->loc = loc;
  e->p->slot.at[c->slot].trained = role == CELL_PARAM;
  c->in_test = in_test(e);
  c->number = e->made.cells.n;
  c->kept = e->marks;
  vec_push(e->a, &e->made.cells, c);
  return c;
}

NodeId cell_read(Elab *e, Cell *c, Loc loc) {
  Version *v = c->now;
  if (v && v->region == e->here.region && v->node != NO_NODE) return v->node;
  NodeId n = graph_input(e->g, c->slot, &c->type, loc);
  if (v && v->region == e->here.region) {
    mark_keep(e, v, sizeof *v);
    v->node = n;
    return n;
  }
  Version *read = version_new(e, c, n);
  read->alias = v;
  return n;
}

void cell_constant(Elab *e, Cell *c) {
  const Version *v = c->now;
  if (!v || v->region != e->here.region || v->node == NO_NODE || !dtype_is_float((DType)c->type.dtype)) return;
  const Op *op = graph_at(e->g, v->node)->op;
  if (op == &op_input || op == &op_stop_gradient) return;
  NodeId n = v->node;
  version_new(e, c, graph_emit(e->g, &op_stop_gradient, &n, 1, NULL, e->g->loc, NULL));
}

void cell_assign(Elab *e, Cell *c, NodeId n, Loc loc) {
  NodeId node = graph_emit(e->g, &op_alias, &n, 1, NULL, loc, NULL);
  e->g->node[node].flags &= (uint16_t)~NODE_KNOWN;        /* cells are of the run, whatever stands in them now */
  vec_push(e->a, &e->made.versions, (CellNode){node, c});
  cell_change(e, c)->writes++;
  Version *v = version_new(e, c, node);
  v->assigned = true;
  Segment *s = e->p->segment.at[e->g->segment];
  for (uint32_t k = 0; k < s->write.n; k++)
    if (s->write.at[k].cell == c->slot) {
      s->write.at[k].node = node;
      return;
    }
  vec_push(e->a, &s->write, (CellWrite){c->slot, node});
}

void cell_changed(Elab *e, Cell *c) {
  Version *v = version_new(e, c, NO_NODE);
  v->assigned = true;
  cell_change(e, c)->writes++;
}

Value value_decay(Elab *e, Value v) {
  if (v.kind == V_CELL) return v_node(cell_read(e, v.cell, e->g->loc));
  return v;
}
