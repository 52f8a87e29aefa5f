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
#include "elab/version.h"

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


static Version *version_new(Elab *e, Cell *c, NodeId node) {
  Version *v = NEW(e->a, Version);
  *v = (Version){.node = node, .region = e->here.region, .before = c->now, .last = NO_NODE};
  if (!c->now || c->now->region != e->here.region) vec_push(e->a, &e->here.region->touched, c);
  cell_change(e, c)->now = v;
  return v;
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
    if (r->kind == REGION_LOOP) version_loop_end(e, r, c, last);
  }
  if (r->outer) segment_open(e);
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

void cell_go_on(Elab *e, Cell *c) {
  Version *before = c->now;
  version_new(e, c, before->node)->alias = before;
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
  Segment *s = e->p->segment.at[e->g->segment];
  bool again = false;
  for (const Version *w = c->now; w && w->node != NO_NODE && w->node >= s->first && !again; w = w->before)
    again = w->assigned;
  version_new(e, c, node)->assigned = true;
  for (uint32_t k = 0; again && k < s->write.n; k++)
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

void cell_changed_outside(Elab *e, Cell *c) {
  bool known = c->now && !c->now->region;
  Version *v = known ? c->now : NEW(e->a, Version);
  if (!known) *v = (Version){.node = NO_NODE, .before = c->now, .last = NO_NODE, .assigned = true};
  cell_change(e, c)->writes++;
  c->now = v;
}

Value value_decay(Elab *e, Value v) {
  if (v.kind == V_CELL) return v_node(cell_read(e, v.cell, e->g->loc));
  return v;
}
