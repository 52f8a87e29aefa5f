/* inspect: see inspect.h. In: a node of the session's graph. Out: its slice in a graph of its own, in stable form, with
 * the adjoints that reverse accumulation made and the values of all of it.
 */
#define _POSIX_C_SOURCE 200809L
#include "inspect/inspect.h"
#include <string.h>
#include <time.h>
#include "elab/cell.h"
#include "elab/version.h"
#include "runtime/exec/run.h"
#include "runtime/graph/opt.h"
#include "steps/prepare.h"

/* ---- slices, with marks of our own: the session's graph stays as it is ---- */

uint32_t inspect_below(const Graph *g, const NodeId *root, uint32_t n_root, Arena *a, NodeId **out) {
  uint8_t *mark = NEW_N(a, uint8_t, g->n + 1u);
  uint32_t n = 0;
  for (uint32_t k = 0; k < n_root; k++)
    if (root[k] != NO_NODE) mark[root[k]] = 1;
  for (NodeId id = g->n; id-- > 0;) {
    if (!mark[id]) continue;
    n++;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) mark[g->node[id].in[k]] = 1;
  }
  NodeId *ids = *out = NEW_N(a, NodeId, n + 1u);
  for (NodeId id = 0; id < g->n; id++)
    if (mark[id]) *ids++ = id;
  return n;
}

/* ---- the formula ---- */

/* What an input of the session's graph held when it was read; NO_SLOT: that was not kept. */
static SlotId input_slot(const Session *s, NodeId id, InspectWhen when) {
  SlotId slot = (SlotId)graph_at(s->graph, id)->attr->i[0];
  if (when == INSPECT_NOW || when == INSPECT_MOMENT || s->program->slot.at[slot].kind != SLOT_CELL) return slot;
  return program_kept(s->program, id);
}

static const char *slot_name(const Session *s, NodeId input) {
  const char *path = s->program->slot.at[graph_at(s->graph, input)->attr->i[0]].path;
  return path ? path : "a cell";
}

/* Whether a cell read by this input holds other numbers now; the seed is nobody's. */
static bool has_moved(const Session *s, NodeId id) {
  const Cell *c = graph_at(s->graph, id)->op == &op_input ? cell_of_node(s->elab, id) : NULL;
  if (!c || c->role == CELL_HIDDEN) return false;
  SlotId then = program_kept(s->program, id), now = (SlotId)graph_at(s->graph, id)->attr->i[0];
  const Tensor *a = then == NO_SLOT ? NULL : s->program->slot.at[then].value, *b = s->program->slot.at[now].value;
  return a && b && !tensor_same_bits(a, b);
}

static void add_path(Arena *a, Inspect *x, const char *path) {
  for (uint32_t k = 0; k < x->moved.n; k++)
    if (!strcmp(x->moved.at[k], path)) return;
  vec_push(a, &x->moved, path);
}

/* held: what slots held at the moment that is looked at. */
typedef struct Copy {
  const NodeId *ids;
  uint32_t n;
  NodeId *map;
  const Replaced *replaced;
  const Tensor *const *held;
  uint32_t n_held;
} Copy;

static NodeId other_value(Inspect *x, const Node *n, const Tensor *value) {
  Tensor *t = tensor_new(&x->s->host, n->type);
  bool one = type_count(&value->type) == 1;
  for (int64_t k = 0, count = type_count(n->type); k < count; k++) tensor_set(t, k, tensor_get(value, one ? 0 : k));
  NodeId id = graph_const(x->g, t, n->loc);
  tensor_unref(t);
  return id;
}

/* Copies the slice; *why: a cell's value is gone. */
static bool copy(Inspect *x, const Copy *c, InspectWhen when, const char **why) {
  Session *s = x->s;
  x->g = graph_beside(s->graph, x->a);
  x->g->limit = s->graph->limit;
  for (uint32_t k = 0; k < c->n; k++) {
    const Node *n = graph_at(s->graph, c->ids[k]);
    NodeId *in = NEW_N(x->a, NodeId, n->n_in + 1u);
    for (uint32_t j = 0; j < n->n_in; j++) in[j] = c->map[n->in[j]];
    if (c->replaced && c->replaced->id == c->ids[k]) {
      c->map[c->ids[k]] = other_value(x, n, c->replaced->value);
      continue;
    }
    c->map[c->ids[k]] = graph_copy(x->g, n, in, false);
    if (n->op != &op_input || when == INSPECT_SHAPES) continue;
    if (input_slot(s, c->ids[k], when) == NO_SLOT) {
      *why = arena_printf(s->diags->arena, "what `%s` held then was not kept", slot_name(s, c->ids[k]));
      return false;
    }
    if (has_moved(s, c->ids[k])) add_path(x->a, x, slot_name(s, c->ids[k]));
  }
  return true;
}

/* The names that the session has for values of the formula; a later one wins. */
static void find_names(Inspect *x, const Copy *c) {
  const Elab *e = x->s->elab;
  bool *here = NEW_N(x->a, bool, e->g->n + 1u);
  x->name = NEW_N(x->a, const char *, x->g->n + 1u);
  x->n_name = x->g->n;
  for (uint32_t k = 0; k < c->n; k++) here[c->ids[k]] = true;
  for (uint32_t b = 0; b < e->globals->bound.n; b++) {
    const Bound *bound = e->globals->bound.at[b];
    if (bound->value.kind == V_NODE && here[bound->value.node] && strcmp(bound->name, "it") != 0)
      x->name[c->map[bound->value.node]] = bound->name;
  }
}

static void add_leaf(Inspect *x, NodeId node, const char *path, const Cell *cell) {
  for (uint32_t k = 0; k < x->leaf.n; k++)
    if (x->leaf.at[k].node == node) return;
  vec_push(x->a, &x->leaf, (InspectLeaf){node, path, cell});
}

static bool is_float(const Graph *g, NodeId id) { return dtype_is_float((DType)graph_at(g, id)->type->dtype); }

/* Parameters and variables; where the formula reads none, the names whose value stands in it. */
static void find_leaves(Inspect *x, const Copy *c) {
  const Elab *e = x->s->elab;
  for (uint32_t k = 0; k < c->n; k++) {
    const Cell *cell = cell_of_node(e, c->ids[k]);
    if (graph_at(x->g, c->map[c->ids[k]])->op == &op_constant) continue;         /* it was replaced */
    if (!cell || !is_float(e->g, c->ids[k]) || (cell->role != CELL_PARAM && cell->role != CELL_VAR)) continue;
    add_leaf(x, c->map[c->ids[k]], cell->path ? cell->path : "a cell", cell);
  }
  bool any = x->leaf.n > 0;
  for (uint32_t k = 0; !any && k < c->n; k++) {
    NodeId id = c->map[c->ids[k]];
    bool leaf = !graph_at(e->g, c->ids[k])->n_in && is_float(e->g, c->ids[k]);
    if (leaf && x->name[id]) add_leaf(x, id, x->name[id], NULL);
  }
}

/* ---- derivative and values ---- */

static void differentiate(Inspect *x, InspectWhen when) {
  const Type *t = graph_at(x->g, x->y)->type;
  NodeId *wrt = NEW_N(x->a, NodeId, x->leaf.n + 1u), stable = x->y;
  for (uint32_t k = 0; k < x->leaf.n; k++) wrt[k] = x->leaf.at[k].node;
  graph_stable(x->g, &x->y, 1, wrt, x->leaf.n, &stable, NULL);
  x->y = stable;
  x->n = inspect_below(x->g, &x->y, 1, x->a, &x->node);
  bool wanted = when == INSPECT_THEN || when == INSPECT_SHAPES || when == INSPECT_MOMENT;
  x->scalar = wanted && t->rank == 0 && dtype_is_float((DType)t->dtype);
  GradTrace trace = {0};
  if (x->scalar) grad_traced(x->g, x->y, wrt, x->leaf.n, &trace);
  x->adjoint = NEW_N(x->a, NodeId, x->g->n + 1u);
  for (NodeId k = 0; k < x->g->n; k++) x->adjoint[k] = NO_NODE;
  for (uint32_t k = 0; x->scalar && k < x->n; k++) x->adjoint[x->node[k]] = trace.adjoint[x->node[k]];
  x->passed = trace.passed.at;
  x->n_passed = trace.passed.n;
}

static void hold(Inspect *x, NodeId id, Tensor *t) {
  x->value[id] = t;
  tensor_hold(x->a, t);
  tensor_unref(t);
}

static double nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One node after another, a loop with its picks. */
static Fault run_timed(Inspect *x, const NodeId *ids, uint32_t n, Tensor **value) {
  Fault f = {.code = FAULT_NONE};
  NodeId *some = NEW_N(x->a, NodeId, n + 1u);
  x->took = NEW_N(x->a, double, x->g->n + 1u);
  for (uint32_t k = 0; k < n && f.code == FAULT_NONE; k++) {
    if (value[ids[k]]) continue;
    uint32_t m = 0;
    some[m++] = ids[k];
    for (uint32_t j = k + 1; x->g->node[ids[k]].attr->body && j < n; j++) {
      const Node *pick = &x->g->node[ids[j]];
      if (pick->op == &op_pick && pick->in[0] == ids[k]) some[m++] = ids[j];
    }
    double from = nanoseconds();
    f = run_nodes(&x->s->host, x->g, x->s->kernels, some, m, value);
    x->took[ids[k]] = nanoseconds() - from;
  }
  return f;
}

/* What the input id held; NULL: nothing yet. */
static Tensor *input_value(Inspect *x, const Copy *c, NodeId id, InspectWhen when) {
  SlotId slot = input_slot(x->s, id, when);
  if (slot < c->n_held && c->held[slot]) {
    Tensor *t = tensor_from(&x->s->host, &c->held[slot]->type, c->held[slot]->data);
    hold(x, c->map[id], t);
    return t;
  }
  Tensor *t = slot_tensor(x->s, slot, 0);
  if (t) hold(x, c->map[id], tensor_ref(t));
  return t;
}

/* False: an operation has no result for these values, at the node *failed. */
static bool compute(Inspect *x, const Copy *c, InspectWhen when, const char **why) {
  Session *s = x->s;
  x->value = NEW_N(x->a, Tensor *, x->g->n + 1u);
  if (when == INSPECT_SHAPES) return true;
  for (uint32_t k = 0; k < c->n; k++) {
    if (graph_at(s->graph, c->ids[k])->op != &op_input) continue;
    if (c->replaced && c->replaced->id == c->ids[k]) continue;
    if (!input_value(x, c, c->ids[k], when)) {
      *why = arena_printf(s->diags->arena, "`%s` has no value yet", slot_name(s, c->ids[k]));
      return false;
    }
  }
  NodeId *root = NEW_N(x->a, NodeId, x->n_passed + x->n + 1u), *ids;
  uint32_t n = 0;
  root[n++] = x->y;
  for (uint32_t k = 0; k < x->n; k++) root[n++] = x->adjoint[x->node[k]];
  for (uint32_t k = 0; k < x->n_passed; k++) root[n++] = x->passed[k].dx;
  n = inspect_below(x->g, root, n, x->a, &ids);
  Tensor **value = NEW_N(x->a, Tensor *, x->g->n + 1u);
  memcpy(value, x->value, x->g->n * sizeof *value);
  Fault f = when == INSPECT_TIMED ? run_timed(x, ids, n, value)
                                  : run_nodes(&s->host, x->g, s->kernels, ids, n, value);
  for (uint32_t k = 0; k < n; k++)
    if (value[ids[k]] && !x->value[ids[k]]) hold(x, ids[k], value[ids[k]]);
  if (f.code == FAULT_NONE) return true;
  *why = "an operation has no result for these values";
  return false;
}

static Inspect *open_copy(Session *s, NodeId y, InspectWhen when, const Copy *from, const char **why) {
  Guard g;
  *why = "out of memory";
  if (!HOST_GUARD(&s->host, &g)) {
    s->host.cancel = NULL;
    if (s->host.failure == FAIL_CANCELLED) *why = "interrupted";
    return NULL;
  }
  s->host.cancel = &s->cancel;
  Arena *a = arena_new(&s->host);
  Inspect *x = NEW(a, Inspect);
  *x = (Inspect){.s = s, .a = a};
  NodeId *ids;
  Copy c = *from;
  c.n = inspect_below(s->graph, &y, 1, a, &ids);
  c.map = NEW_N(a, NodeId, s->graph->n + 1u);
  c.ids = ids;
  bool ok = copy(x, &c, when, why);
  if (ok) {
    find_names(x, &c);
    find_leaves(x, &c);
    x->y = c.map[y];
    differentiate(x, when);
    ok = compute(x, &c, when, why);
  }
  if (ok) arena_keep(a);
  else arena_free(a);
  s->host.cancel = NULL;
  host_leave(&s->host, &g);
  return ok ? x : NULL;
}

Inspect *inspect_open(Session *s, NodeId y, InspectWhen when, const char **why) {
  return inspect_replaced(s, y, when, NULL, why);
}

Inspect *inspect_replaced(Session *s, NodeId y, InspectWhen when, const Replaced *r, const char **why) {
  return open_copy(s, y, when, &(Copy){.replaced = r}, why);
}

Inspect *inspect_moment(Session *s, NodeId y, const Tensor *const *held, uint32_t n, const char **why) {
  return open_copy(s, y, INSPECT_MOMENT, &(Copy){.held = held, .n_held = n}, why);
}

void inspect_close(Inspect *x) {
  if (x) arena_free(x->a);
}

/* ---- what is asked of a node ---- */

const Tensor *inspect_value(const Inspect *x, NodeId id) { return id == NO_NODE ? NULL : x->value[id]; }

const Tensor *inspect_adjoint(const Inspect *x, NodeId id) { return inspect_value(x, x->adjoint[id]); }

Loc inspect_loc(const Inspect *x, NodeId id) {
  Loc loc = own_loc(x->s->diags, graph_at(x->g, id)->loc);
  const Place *p = loc_place(x->s->diags->sources, loc);
  return p && p->source ? loc : 0;
}

const char *inspect_op(const Inspect *x, NodeId id) {
  const Op *op = graph_at(x->g, id)->op;
  return op->sign ? op->sign : op->name;
}

const char *inspect_name(const Inspect *x, NodeId id) {
  enum { SHORT = 28 };
  const Node *n = graph_at(x->g, id);
  for (uint32_t k = 0; k < x->leaf.n; k++)
    if (x->leaf.at[k].node == id) return x->leaf.at[k].path;
  if (id < x->n_name && x->name[id]) return x->name[id];
  if (n->op == &op_input) {
    const Slot *slot = &x->s->program->slot.at[n->attr->i[0]];
    if (slot->path) return slot->path;
  }
  const Place *p = n->loc & LOC_ADJOINT ? NULL : loc_place(x->s->diags->sources, n->loc);
  if (!p || !p->source || p->source->library || p->source->imported) return NULL;
  uint32_t length = p->span.end - p->span.first;
  if (!length || length > SHORT || memchr(p->source->text + p->span.first, '\n', length)) return NULL;
  return arena_text(x->a, p->source->text + p->span.first, length);
}

NodeId inspect_find_op(const Session *s, NodeId y, const char *op, Arena *a) {
  NodeId *ids, found = op ? NO_NODE : y;
  Arena *tmp = arena_new(arena_host(a));
  for (uint32_t k = op ? inspect_below(s->graph, &y, 1, tmp, &ids) : 0; k-- > 0 && found == NO_NODE;) {
    const Op *o = graph_at(s->graph, ids[k])->op;
    if (!strcmp(o->name, op) || (o->sign && !strcmp(o->sign, op))) found = ids[k];
  }
  arena_free(tmp);
  return found;
}

NodeId inspect_find_cell(const Session *s, NodeId y, const char *path, Arena *a) {
  NodeId *ids, found = NO_NODE;
  Arena *tmp = arena_new(arena_host(a));
  for (uint32_t k = inspect_below(s->graph, &y, 1, tmp, &ids); k-- > 0 && found == NO_NODE;) {
    const Cell *c = cell_of_node(s->elab, ids[k]);
    if (c && c->path && !strcmp(c->path, path)) found = ids[k];
  }
  arena_free(tmp);
  return found;
}

bool inspect_contains(const Session *s, NodeId y, NodeId id, Arena *a) {
  NodeId *ids;
  bool found = false;
  Arena *tmp = arena_new(arena_host(a));
  for (uint32_t k = inspect_below(s->graph, &y, 1, tmp, &ids); k-- > 0;) found |= ids[k] == id;
  arena_free(tmp);
  return found;
}

const char *inspect_dump(Session *s, NodeId y, Arena *a) {
  Guard g;
  if (!HOST_GUARD(&s->host, &g)) return NULL;
  Arena *tmp = arena_new(&s->host);
  Inspect x = {.s = s, .a = tmp};
  NodeId *ids;
  const char *why;
  Copy c = {.n = inspect_below(s->graph, &y, 1, tmp, &ids), .map = NEW_N(tmp, NodeId, s->graph->n + 1u)};
  c.ids = ids;
  copy(&x, &c, INSPECT_SHAPES, &why);
  graph_output(x.g, c.map[y], 0);
  const char *text = graph_dump(x.g, tmp, NULL, NULL);
  text = arena_text(a, text, strlen(text));
  arena_free(tmp);
  host_leave(&s->host, &g);
  return text;
}

bool inspect_reads(const Session *s, NodeId y, const char *name, Arena *a) {
  NodeId *ids;
  Arena *tmp = arena_new(arena_host(a));
  bool found = false;
  for (uint32_t k = inspect_below(s->graph, &y, 1, tmp, &ids); k-- > 0;) {
    const Cell *c = cell_of_node(s->elab, ids[k]);
    if (!c) continue;
    size_t n = name ? strlen(name) : 0;
    found |= name ? c->path && !strncmp(c->path, name, n) && (!c->path[n] || c->path[n] == '.') : c->role == CELL_PARAM;
  }
  arena_free(tmp);
  return found;
}

const char *inspect_moved(Session *s, NodeId y, Arena *a) {
  NodeId *ids;
  Text t = {.arena = a};
  Arena *tmp = arena_new(arena_host(a));
  uint32_t n = inspect_below(s->graph, &y, 1, tmp, &ids), found = 0;
  Inspect seen = {0};
  for (uint32_t k = 0; k < n; k++)
    if (has_moved(s, ids[k])) add_path(tmp, &seen, slot_name(s, ids[k]));
  for (; found < seen.moved.n; found++) text_printf(&t, "%s`%s`", found ? ", " : "", seen.moved.at[found]);
  arena_free(tmp);
  return found ? t.at : NULL;
}
