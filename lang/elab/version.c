/* version: which version of a cell a formula read. Cells, slots and nodes are asked here which of them belong together,
 * and three questions of a derivative are answered: which versions of a parameter the formula read, and whether they
 * are fresh where it stands; whether it would have to pass out of a loop or branch of steps; and, at a loop's end,
 * whether what was differentiated inside is stale or goes round.
 *
 * Invariant: a derivative of steps is right or an error, never a silent zero.
 */
#include "elab/version.h"
#include "elab/elab.h"
#include "elab/leaves.h"

/* ---- of which cell ---- */
Cell *cell_of_slot(const Elab *e, SlotId slot) {
  uint32_t low = 0, high = e->made.cells.n;                    /* cells take their slots in order */
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (e->made.cells.at[mid]->slot == slot) return e->made.cells.at[mid];
    if (e->made.cells.at[mid]->slot < slot) low = mid + 1;
    else high = mid;
  }
  return NULL;
}

Cell *cell_of_node(const Elab *e, NodeId n) {
  const Node *x = graph_at(e->g, n);
  if (x->op == &op_input) return cell_of_slot(e, (SlotId)x->attr->i[0]);
  if (x->op != &op_alias) return NULL;
  uint32_t low = 0, high = e->made.versions.n;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (e->made.versions.at[mid].node == n) return e->made.versions.at[mid].cell;
    if (e->made.versions.at[mid].node < n) low = mid + 1;
    else high = mid;
  }
  return NULL;
}

static bool stops(void *ctx, NodeId id) { return graph_at(ctx, id)->op == &op_stop_gradient; }
uint32_t slice_derivable(Elab *e, NodeId y, NodeId **out) { return graph_slice(e->g, &y, 1, stops, e->g, out); }

/* ---- what a formula read ---- */
/* Where id stands in a slice; s->n: it does not. */
static uint32_t place_of(const Slice *s, NodeId id) {
  uint32_t low = 0, high = s->n;
  while (low < high) {
    uint32_t mid = low + (high - low) / 2;
    if (s->at[mid] == id) return mid;
    if (s->at[mid] < id) low = mid + 1;
    else high = mid;
  }
  return s->n;
}

bool reaches(const Slice *s, NodeId id) { return place_of(s, id) < s->n; }

static void add_wrt(Elab *e, Wrt *w, NodeId node, uint32_t leaf) {
  for (uint32_t k = 0; k < w->node.n; k++)
    if (w->node.at[k] == node && w->leaf.at[k] == leaf) return;
  vec_push(e->a, &w->node, node);
  vec_push(e->a, &w->leaf, leaf);
}

static bool is_turned(Elab *e, const Region *r, const Cell *c) {
  for (uint32_t k = 0; k < e->turned.n; k++) {
    const Turned *t = &e->turned.at[k];
    if (t->loop == r->ast && t->caller == r->caller && t->cell == c->number) return true;
  }
  return false;
}

static void stale_later(Elab *e, Region *r, Cell *c, const char *what, Loc loc, Loc made) {
  vec_push(e->a, &r->stale, (Stale){c, what, loc, made});
}

static bool turned_between(Elab *e, const Region *inner, const Region *outer, Cell *c, bool assigns, Loc loc) {
  for (Region *r = (Region *)(uintptr_t)inner; r && r != outer; r = r->outer) {
    if (r->kind != REGION_LOOP) continue;
    if (assigns || is_turned(e, r, c)) return true;
    stale_later(e, r, c, NULL, loc, 0);
  }
  return false;
}

static void carried_later(Elab *e, Cell *c, NodeId read, const Leaf *by, uint32_t n, Loc loc) {
  for (Region *r = e->here.region; r; r = r->outer)
    if (r->kind == REGION_LOOP && read >= r->first) {
      vec_push(e->a, &r->carried, (Carried){c, by, n, loc});
      return;
    }
}

/* The outermost loop that begins behind `outer`. */
static const Region *loop_after(const Region *inner, const Region *outer) {
  const Region *loop = inner;
  for (const Region *r = inner; r && r != outer; r = r->outer)
    if (r->kind == REGION_LOOP) loop = r;
  return loop;
}

void version_terms(Elab *e, const Slice *s, const KeptRead *kept, Arena *a, Term **out, uint32_t *n) {
  bool *passes = NEW_N(a, bool, s->n + 1);
  Term *at = NEW_N(a, Term, s->n + 1);
  uint32_t count = 0;
  for (uint32_t k = 0; k < s->n; k++) {
    const Node *x = graph_at(e->g, s->at[k]);
    for (uint32_t j = 0; j < x->n_in && x->op != &op_stop_gradient; j++) {
      uint32_t below = place_of(s, x->in[j]);
      bool of_it = x->in[j] == kept->node || (below < s->n && passes[below]);
      if (s->at[k] < kept->first) passes[k] |= of_it;
      else if (of_it && x->in[j] != kept->node && count < s->n) at[count++] = (Term){x->in[j], s->at[k]};
    }
  }
  *out = at;
  *n = count;
}

bool version_read(Elab *e, Cell *c, const Slice *s, uint32_t leaf, Wrt *w, bool moves, Loc loc, bool *current) {
  *current = true;
  for (const Version *v = c->now; v; v = v->before) {
    const Version *found = NULL;
    for (const Version *a = v; a; a = a->alias) {
      if (a->node == NO_NODE || !reaches(s, a->node)) continue;
      if (found && turned_between(e, found->region, a->region, c, moves, loc)) {
        vec_push(e->a, &w->kept, ((KeptRead){a->node, loop_after(found->region, a->region)->first}));
        break;
      }
      add_wrt(e, w, a->node, leaf);
      found = a;
    }
    if (found) return true;
    if (v->assigned) *current = false;
  }
  return false;
}

bool version_read_node(Elab *e, NodeId n, const Slice *s, uint32_t leaf, Wrt *w) {
  uint32_t before = w->node.n;
  if (reaches(s, n)) add_wrt(e, w, n, leaf);
  const Cell *c = cell_of_node(e, n);
  for (const Version *v = c ? c->now : NULL; v; v = v->before) {
    const Version *same = v;
    while (same && same->node != n) same = same->alias;
    if (!same) continue;
    for (const Version *a = v; a != same; a = a->alias)        /* in a loop it may be that of a later turn */
      if (a->node != NO_NODE && a->region->kind != REGION_LOOP && reaches(s, a->node)) add_wrt(e, w, a->node, leaf);
    break;
  }
  return w->node.n > before;
}

/* The part of a formula, made before the loop r, that a derivative by w in it passes through: it is that of the first
 * turn, so it is wrong if the loop assigns a cell that it read. (What it does not pass through is a constant.) */
void version_fresh(Elab *e, Region *r, const Slice *s, const Wrt *w, NodeId y, const Ast *at) {
  bool *passes = NEW_N(e->a, bool, s->n + 1);
  NodeId *root = NEW_N(e->a, NodeId, s->n + 1), *read;
  uint32_t n = 0;
  for (uint32_t k = 0; k < s->n && s->at[k] < r->first; k++) {
    const Node *x = graph_at(e->g, s->at[k]);
    for (uint32_t j = 0; j < w->node.n; j++) passes[k] |= w->node.at[j] == s->at[k];
    for (uint32_t j = 0; j < x->n_in && !passes[k] && x->op != &op_stop_gradient; j++)
      passes[k] = passes[place_of(s, x->in[j])];
    if (passes[k]) root[n++] = s->at[k];
  }
  if (!n) return;
  Slice from = {.n = graph_slice(e->g, root, n, NULL, NULL, &read)};
  from.at = read;
  const Ast *formula = at->kind == A_CALL && at->n > 1 ? at->kid[1] : at;
  const char *what = y >= r->first                ? "a part of this formula"
                     : formula->kind == A_NAME ? arena_printf(e->a, "`%s`", formula->name)
                                               : "this formula";
  Loc made = own_loc(e->d, graph_at(e->g, y < r->first ? y : root[n - 1])->loc & ~LOC_ADJOINT);
  for (uint32_t k = 0; k < e->made.cells.n; k++) {
    Cell *c = e->made.cells.at[k];
    for (const Version *v = c == e->seed ? NULL : c->now; v; v = v->before)
      if (v->node != NO_NODE && reaches(&from, v->node)) {
        stale_later(e, r, c, what, elab_loc(e, at), made);
        break;
      }
  }
}

/* ---- derivatives that do not pass out of steps ---- */
/* When a version came to be: its node, or the last one that a loop or branch gave it. */
static NodeId made_at(const Version *v) { return v->through ? v->last : v->node; }

/* The version of c that stood when node `then` was made. */
static const Version *version_at(const Cell *c, NodeId then) {
  for (const Version *v = c->now; v; v = v->before)
    if (v->assigned && made_at(v) != NO_NODE && made_at(v) < then) return v;
  return NULL;
}

/* What is differentiated by: nodes, and versions of cells. */
typedef struct Target { const Leaves *l; const Version **version; bool *seen; } Target;

static bool holds(Elab *e, const Slice *s, const Target *t) {
  for (uint32_t j = 0; j < t->l->n; j++) {
    const Value *v = &t->l->at[j].value;
    if (v->kind == V_NODE ? reaches(s, v->node)
                          : t->version[j] && t->version[j]->node != NO_NODE && reaches(s, t->version[j]->node))
      return true;
    for (uint32_t k = 0; v->kind == V_CELL && k < s->n; k++) {
      const Node *x = graph_at(e->g, s->at[k]);
      if (x->op == &op_input && x->attr->i[0] == v->cell->slot && version_at(v->cell, s->at[k]) == t->version[j])
        return true;
    }
  }
  return false;
}

/* Whether what stood in a cell, read by this input, was computed from a target. */
static bool computed_from(Elab *e, NodeId input, const Target *t) {
  host_deeper(&e->s->host);
  if (input >= e->g->n || t->seen[input]) return false;
  t->seen[input] = true;
  const Cell *c = cell_of_slot(e, (SlotId)graph_at(e->g, input)->attr->i[0]);
  const Version *v = c ? version_at(c, input) : NULL;
  if (!v || !dtype_is_float((DType)c->type.dtype)) return false;
  Slice s;
  s.n = slice_derivable(e, made_at(v), &s.at);
  if (holds(e, &s, t)) return true;
  for (uint32_t k = 0; k < s.n; k++)
    if (graph_at(e->g, s.at[k])->op == &op_input && computed_from(e, s.at[k], t)) return true;
  return false;
}

/* Cells that the formula read behind a loop or branch which computed them from what is differentiated by. */
static bool is_wrt(const Wrt *w, NodeId id) {
  for (uint32_t k = 0; k < w->node.n; k++)
    if (w->node.at[k] == id) return true;
  return false;
}

bool version_passes_out(Elab *e, const Slice *s, const Wrt *w, const Leaves *l, const Ast *at) {
  Target t = {.l = l, .version = NEW_N(e->a, const Version *, l->n + 1)};
  for (uint32_t j = 0; j < l->n; j++)
    if (l->at[j].value.kind == V_CELL) t.version[j] = version_at(l->at[j].value.cell, NO_NODE);
  for (uint32_t k = 0; k < w->node.n; k++) {
    const Value *v = &l->at[w->leaf.at[k]].value;
    if (v->kind == V_CELL) t.version[w->leaf.at[k]] = version_at(v->cell, w->node.at[k] + 1);
  }
  for (uint32_t k = 0; k < s->n; k++) {
    const Node *x = graph_at(e->g, s->at[k]);
    if (x->op != &op_input) continue;
    Cell *c = cell_of_slot(e, (SlotId)x->attr->i[0]);
    const Version *v = c ? version_at(c, s->at[k]) : NULL;
    if (!v || is_wrt(w, s->at[k])) continue;
    if (v->through && !t.seen) t.seen = NEW_N(e->a, bool, e->g->n + 1u);      /* as large as all that was made so far */
    if (!v->through || !computed_from(e, s->at[k], &t)) {
      carried_later(e, c, s->at[k], l->at, l->n, elab_loc_at(e, at));
      continue;
    }
    const char *what = v->through->kind == REGION_LOOP ? "a loop" : "an `if`";
    Diag *g = elab_error(e, at, E_GRAD_THROUGH_STEPS, c->path ? c->path : "a cell", what);
    diag_note(e->d, g, elab_loc_at(e, v->through->ast), "%s that changes it is here", what);
    diag_hint(e->d, g, "compute it in an `fn`: loops and branches of a formula have derivatives");
    return true;
  }
  return false;
}

/* ---- at the end of a loop ---- */
static bool assigned_in(const Region *r, const Cell *c) {
  for (const Version *v = c->now; v && v->region == r; v = v->before)
    if (v->assigned) return true;
  return c->now && c->now->through == r;
}

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

void version_loop_end(Elab *e, Region *r, Cell *c, NodeId last) {
  stale_turn(e, r, c);
  carried_over(e, r, c, last);
}

/* ---- from one part of a script to the next ---- */
static bool derivable(const Elab *e, const Cell *c, NodeId n) {
  if (n == NO_NODE || !dtype_is_float((DType)c->type.dtype) || c->role == CELL_HIDDEN || c->role == CELL_STATE)
    return false;
  while (graph_at(e->g, n)->op == &op_alias) n = graph_at(e->g, n)->in[0];
  const Node *x = graph_at(e->g, n);
  return x->op != &op_stop_gradient && !(x->flags & NODE_KNOWN);
}

bool version_closed(Elab *e, const Region *r) {
  for (uint32_t k = 0; k < r->touched.n; k++) {
    const Cell *c = r->touched.at[k];
    if (assigned_in(r, c) && derivable(e, c, made_at(c->now))) return false;
  }
  return true;
}

bool version_open(const Elab *e, const Cell *c) {
  return c->now && c->now->node != NO_NODE && graph_at(e->g, c->now->node)->op == &op_alias &&
         derivable(e, c, c->now->node);
}
