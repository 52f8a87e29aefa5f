/* lint: see lint.h. In: nodes as they were written, cells. Out: warnings, each with the places that it is about.
 *
 * Nothing is warned of that a person may mean without saying so: exact comparison with a whole number or in an
 * `assert`, a bottleneck of two products, parameters in a script that trains nothing.
 */
#include "elab/lint.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/mark.h"
#include "elab/origin.h"
#include "elab/version.h"
#include <math.h>
#include <string.h>

static Loc own(Elab *e, Loc loc) { return own_loc(e->d, loc & ~LOC_ADJOINT); }

static bool is_own(Elab *e, Loc loc) {
  const Place *p = loc_place(e->s->sources, loc);
  return p && p->source && !p->source->library && !p->source->imported;
}

bool in_test(const Elab *e) {
  for (const Region *r = e->here.region; r; r = r->outer)
    if (r->kind == REGION_TEST) return true;
  return false;
}

/* ---- the training mode ---- */
/* What dropout gives back outside of training is its argument: a node of its own tells its uses apart. */
Value lint_looked(Elab *e, const Fn *f, NodeId first, Value v, const Ast *at) {
  Loc loc = elab_loc(e, at);
  if (v.kind == V_NODE && v.node < first && !(graph_at(e->g, v.node)->flags & (NODE_KNOWN | NODE_FLEX)))
    v.node = graph_emit(e->g, &op_alias, &v.node, 1, NULL, loc, NULL);
  const char *name = f->name ? f->name : "this function";
  if (e->g->n > first) vec_push(e->a, &e->made.looked, (Looked){first, e->g->n, loc, name});
  return v;
}

/* What made an earlier value of a cell is no part of the loss. */
static bool at_cell(void *ctx, NodeId n) { return cell_of_node(ctx, n) != NULL; }

void lint_stepped(Elab *e, const NodeId *root, uint32_t n, const Ast *at) {
  NodeId *id;
  uint32_t count = graph_slice(e->g, root, n, at_cell, e, &id);
  for (uint32_t k = 0; k < count; k++) {
    const Cell *c = cell_of_node(e, id[k]);
    if (c) cell_change(e, e->made.cells.at[c->number])->in_loss = true;
  }
  for (uint32_t k = 0; k < e->made.looked.n; k++) {
    const Looked *l = &e->made.looked.at[k];
    uint32_t low = 0, high = count;
    while (low < high) {
      uint32_t mid = low + (high - low) / 2;
      if (id[mid] < l->first) low = mid + 1;
      else high = mid;
    }
    if (low == count || id[low] >= l->end) continue;
    Loc here = own(e, elab_loc(e, at)), there = own(e, l->loc);
    Diag *g = diag_at(e->d, here, E_TRAINING_MODE, l->name);
    if (there != here) {
      diag_mark(e->d, g, here, "this moves parameters");
      diag_mark(e->d, g, there, "`%s` looks at `is_training` here, where it is false", l->name);
    }
    diag_hint(e->d, g, "compute the loss in training mode: `let loss = training { ... }`");
    return;
  }
}

/* ---- gradients that are zero ---- */
static bool is_flat(const Node *x) {
  return x->op->flags & OP_EFFECTLESS_ZERO || x->op == &op_stop_gradient || !dtype_is_float((DType)x->type->dtype) ||
         (!x->op->grad && x->op != &op_pick);
}

/* The first node that lets no derivative through on the way from the leaf. */
static NodeId first_flat(Elab *e, NodeId y, const NodeId *from, uint32_t n) {
  NodeId *id, found = NO_NODE;
  uint32_t count = graph_slice(e->g, &y, 1, NULL, NULL, &id);
  bool *live = NEW_N(e->a, bool, count + 1);
  for (uint32_t k = 0; k < count; k++) {
    for (uint32_t j = 0; j < n; j++) live[k] |= from[j] == id[k];
    if (live[k]) continue;
    const Node *x = graph_at(e->g, id[k]);
    bool below = false;
    for (uint32_t j = 0; j < x->n_in && !below; j++) {
      uint32_t low = 0, high = k;
      while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (id[mid] < x->in[j]) low = mid + 1;
        else high = mid;
      }
      below = low < k && live[low];
    }
    if (!below) continue;
    if (!is_flat(x)) live[k] = true;
    else if (found == NO_NODE) found = id[k];
  }
  return found;
}

static const char *op_text(const Op *op) {
  return op == &op_cast ? "a whole number" : op->sign ? op->sign : op->name;
}

void lint_zero(Elab *e, NodeId y, const NodeId *from, uint32_t n, const char *by, const Ast *at) {
  NodeId flat = n ? first_flat(e, y, from, n) : NO_NODE;
  Loc here = own(e, elab_loc_at(e, at));
  if (flat == NO_NODE) {
    Diag *g = diag_at(e->d, elab_loc_at(e, at), E_GRAD_ZERO, by);
    if (reads_shown(e, y))
      diag_hint(e->d, g, "`it` of an earlier entry is a value alone: to differentiate it, give it a name with `let`");
    return;
  }
  const Node *x = graph_at(e->g, flat);
  Loc there = own(e, x->loc);
  bool whole = !dtype_is_float((DType)x->type->dtype), stops = x->op == &op_stop_gradient;
  Diag *g = diag_at(e->d, elab_loc_at(e, at), E_GRAD_FLAT, by, op_text(x->op));
  if (there && there != here) {
    diag_mark(e->d, g, here, "%s", "");
    diag_mark(e->d, g, there,
              stops   ? "`%s` ends it"
              : whole ? "`%s` gives no float"
                      : "`%s` is flat between its jumps",
              op_text(x->op));
  }
  if (!stops)
    diag_hint(e->d, g,
              whole ? "a derivative passes through floats only: compare or count outside of what is differentiated"
                    : "a smooth function in its place has a derivative: `sigmoid` for a step");
}

/* ---- == between computed floats ---- */
/* The draw that n is, element by element made of it and of numbers: scaled, shifted, compared. */
static NodeId draw_of(Elab *e, NodeId n, bool stretched) {
  for (int looks = 0; looks < 32; looks++) {
    const Node *x = graph_at(e->g, n);
    if (x->op->flags & OP_RANDOM) return n;
    uint32_t k = 0;
    if (x->op->flags & OP_POINTWISE) {
      uint32_t of_run = 0;
      for (uint32_t j = 0; j < x->n_in; j++)
        if (!(graph_at(e->g, x->in[j])->flags & NODE_KNOWN)) {
          of_run++;
          k = j;
        }
      if (of_run != 1) return NO_NODE;
    } else if (x->op != &op_reshape && !(stretched && x->op == &op_broadcast)) return NO_NODE;
    n = x->in[k];
  }
  return NO_NODE;
}

/* Whether rounding made it: the node that did, below what only moves or chooses; NO_NODE: it stands as it was read,
 * drawn or written. */
static NodeId computed(Elab *e, NodeId n) {
  for (int looks = 0; looks < 64 && !cell_of_node(e, n); looks++) {
    const Node *x = graph_at(e->g, n);
    if (!dtype_is_float((DType)x->type->dtype) || x->op->flags & OP_EFFECTLESS_ZERO || draw_of(e, n, true) != NO_NODE)
      return NO_NODE;
    if (x->n_in == 0 || x->op == &op_relu || x->op == &op_where) return NO_NODE;   /* read, or a number written there */
    if (!(x->op->flags & (OP_MOVES | OP_PASSES | OP_CHOOSES))) return n;
    n = x->in[0];
  }
  return NO_NODE;
}

static bool whole_number(Elab *e, NodeId n) {
  n = origin_moved(e->g, n);
  const Node *x = graph_at(e->g, n);
  if (x->flags & NODE_INTS || !dtype_is_float((DType)x->type->dtype)) return true;
  if (x->op != &op_constant) return false;
  for (int64_t k = 0; k < type_count(x->type) && k < 64; k++) {
    double v = tensor_get(x->attr->value, k);
    if (v != floor(v)) return false;
  }
  return true;
}

static bool asserted(const Elab *e, const Ast *at) {
  const Ast *a = e->here.asserting;
  return a && a->source == at->source && a->span.first <= at->span.first && at->span.end <= a->span.end;
}

void lint_compared(Elab *e, NodeId a, NodeId b, const Ast *at) {
  if (at->source->library || at->source->imported || at->kind != A_BINARY || asserted(e, at)) return;
  if (!dtype_is_float((DType)graph_at(e->g, a)->type->dtype) || whole_number(e, a) || whole_number(e, b)) return;
  NodeId from[2] = {computed(e, a), computed(e, b)};
  if ((from[0] == NO_NODE && from[1] == NO_NODE) || from[0] == from[1]) return;
  if (origin_moved(e->g, a) == origin_moved(e->g, b)) return;
  Diag *g = diag_at(e->d, elab_loc_at(e, at), E_FLOAT_EQUALITY, ast_op_text(at->op));
  for (int k = 0; k < 2; k++)
    if (from[k] != NO_NODE) diag_mark(e->d, g, elab_loc(e, at->kid[k]), "computed");
  diag_hint(e->d, g, at->op == K_EQ ? "`close(a, b)` allows for rounding" : "`not close(a, b)` allows for rounding");
}

/* ---- draws that stand still ---- */
/* Noise that was drawn before the loop, added to what is new in each turn: it was meant to be new, too. */
void lint_loop(Elab *e, const Region *r) {
  Graph *g = e->g;
  if (r->turn == NO_NODE || g->n <= r->first) return;
  bool *turns = NEW_N(e->a, bool, g->n - r->first);
  for (NodeId n = r->first; n < g->n; n++) {
    const Node *x = graph_at(g, n);
    bool moves = n == r->turn;
    for (uint32_t k = 0; k < x->n_in && !moves; k++) moves = x->in[k] >= r->first && turns[x->in[k] - r->first];
    turns[n - r->first] = moves;
    bool meet = x->op->flags & OP_POINTWISE && x->n_in > 1;
    if (!moves || !meet || x->type->rank == 0 || x->loc & LOC_ADJOINT || !dtype_is_float((DType)x->type->dtype))
      continue;
    for (uint32_t k = 0; k < x->n_in; k++) {
      NodeId still = x->in[k], draw = graph_at(g, still)->flags & NODE_KNOWN ? NO_NODE : draw_of(e, still, false);
      if (draw == NO_NODE || draw >= r->first) continue;
      bool new_data = false;
      for (uint32_t j = 0; j < x->n_in; j++)
        if (j != k && x->in[j] >= r->first && turns[x->in[j] - r->first])
          new_data |= draw_of(e, x->in[j], true) == NO_NODE;
      Loc here = own(e, x->loc), there = own(e, graph_at(g, draw)->loc);
      if (!new_data || !is_own(e, here)) continue;
      Diag *d = diag_at(e->d, here, E_STALE_DRAW);
      diag_mark(e->d, d, here, "%s", "");
      diag_mark(e->d, d, there, "drawn once, before the loop");
      diag_hint(e->d, d, "move the draw into the loop");
    }
  }
}

/* ---- affine after affine ---- */
static const Cell *weights_of(Elab *e, NodeId n) {
  const Cell *c = NULL;
  for (int looks = 0; looks < 8 && !(c = cell_of_node(e, n)); looks++) {
    const Node *x = graph_at(e->g, n);
    if (x->op != &op_permute && x->op != &op_cast) return NULL;
    n = x->in[0];
  }
  return c && c->role == CELL_PARAM && c->type.rank == 2 ? c : NULL;
}

static bool is_bias(Elab *e, NodeId n) {
  while (graph_at(e->g, n)->op == &op_broadcast || graph_at(e->g, n)->op == &op_reshape ||
         graph_at(e->g, n)->op == &op_cast)
    n = graph_at(e->g, n)->in[0];
  const Cell *c = cell_of_node(e, n);
  return c && c->role == CELL_PARAM;
}

/* The product with parameters that n is, a bias added or not. */
static NodeId product_of(Elab *e, NodeId n, bool *biased) {
  const Node *x = graph_at(e->g, n);
  *biased = false;
  if (x->op == &op_add && (is_bias(e, x->in[0]) || is_bias(e, x->in[1]))) {
    *biased = true;
    n = x->in[is_bias(e, x->in[0]) ? 1 : 0];
    x = graph_at(e->g, n);
  }
  return x->op == &op_matmul && weights_of(e, x->in[1]) ? n : NO_NODE;
}

static void affine_twice(Elab *e, NodeId nodes, const Source *text) {
  Graph *g = e->g;
  uint32_t *uses = NULL, *products = NULL;
  for (NodeId n = nodes; n < g->n; n++) {
    const Node *x = graph_at(g, n);
    if (x->op != &op_matmul || x->loc & LOC_ADJOINT || x->in[0] < nodes) continue;
    const Cell *second = weights_of(e, x->in[1]);
    bool biased;
    NodeId before = second ? product_of(e, x->in[0], &biased) : NO_NODE;
    const Cell *first = before == NO_NODE ? NULL : weights_of(e, graph_at(g, before)->in[1]);
    /* two players of a game */
    if (!first || first == second || (first->tied && second->tied && first->tied != second->tied)) continue;
    const Type *in = graph_at(g, graph_at(g, before)->in[0])->type, *mid = graph_at(g, before)->type;
    if (!in->rank || !mid->rank || !x->type->rank) continue;
    int64_t n_in = in->dim[in->rank - 1], n_mid = mid->dim[mid->rank - 1], n_out = x->type->dim[x->type->rank - 1];
    if (!biased && n_mid < n_in && n_mid < n_out) continue;         /* a bottleneck: a product of low rank is meant */
    if (!uses) {
      uses = NEW_N(e->a, uint32_t, g->n - nodes);
      products = NEW_N(e->a, uint32_t, g->n - nodes);
      for (NodeId k = nodes; k < g->n; k++) {
        const Node *y = graph_at(g, k);
        if (y->loc & LOC_ADJOINT) continue;
        for (uint32_t j = 0; j < y->n_in; j++) {
          if (y->in[j] < nodes) continue;
          uses[y->in[j] - nodes]++;
          products[y->in[j] - nodes] += j == 0 && y->op == &op_matmul && weights_of(e, y->in[1]);
        }
      }
    }
    NodeId h = x->in[0];
    if (uses[h - nodes] != products[h - nodes] || (h != before && uses[before - nodes] != 1)) continue;
    Loc here = own(e, second->loc), there = own(e, first->loc);
    const Place *p = loc_place(e->s->sources, here);
    if (!p || p->source != text) continue;
    Diag *d = diag_at(e->d, here, E_AFFINE);
    if (here != there) {
      diag_mark(e->d, d, here, "this layer follows");
      diag_mark(e->d, d, there, "this one, with nothing between");
    }
    diag_hint(e->d, d, "together they are one affine layer: put a function such as `relu` or `tanh` between");
  }
}

/* ---- parameters that nobody trains ---- */
static bool told_unused(const Elab *e, const Place *p) {
  for (uint32_t k = 0; k < e->d->diag.n; k++) {
    const Diag *g = e->d->diag.at[k];
    if (g->id == E_UNUSED && g->source == p->source && g->at.first >= p->span.first && g->at.first <= p->span.end)
      return true;
  }
  return false;
}

static size_t head(const char *path) { return path ? strcspn(path, ".") : 0; }
static bool same_head(const Cell *a, const Cell *b) {
  return head(a->path) == head(b->path) && (!a->path || !memcmp(a->path, b->path, head(a->path)));
}

enum { FATE_FINE, FATE_UNTIED, FATE_UNREACHED };
static int fate(const Cell *c) {
  if (c->role != CELL_PARAM || c->in_test) return FATE_FINE;
  if (!c->tied) return c->in_loss && c->writes == 1 ? FATE_UNTIED : FATE_FINE;
  return c->reached ? FATE_FINE : FATE_UNREACHED;
}

/* One warning for a tree that has one fate; else one for each parameter. */
static void untrained(Elab *e, uint32_t cells, const Source *text) {
  bool *done = NEW_N(e->a, bool, e->made.cells.n + 1);
  for (uint32_t k = cells; k < e->made.cells.n; k++) {
    const Cell *c = e->made.cells.at[k];
    int f = fate(c);
    if (done[k] || f == FATE_FINE) continue;
    Loc here = own(e, c->loc);
    const Place *p = loc_place(e->s->sources, here);
    if (!p || p->source != text || told_unused(e, p)) continue;
    uint32_t same = 0, all = 0;
    for (uint32_t j = cells; j < e->made.cells.n; j++) {
      const Cell *o = e->made.cells.at[j];
      if (o->role != CELL_PARAM || !same_head(o, c) || (!c->path && own(e, o->loc) != here)) continue;
      all++;
      same += fate(o) == f;
    }
    bool whole = same == all && (all > 1 || !c->path);
    for (uint32_t j = k; j < e->made.cells.n && whole; j++) {
      const Cell *o = e->made.cells.at[j];
      if (o->role == CELL_PARAM && same_head(o, c) && (c->path || own(e, o->loc) == here)) done[j] = true;
    }
    const char *what = !c->path ? "the parameters made here"
                       : whole  ? arena_printf(e->a, "any parameter of `%.*s`", (int)head(c->path), c->path)
                                : arena_printf(e->a, "the parameter `%s`", c->path);
    Diag *g = diag_at(e->d, here, f == FATE_UNTIED ? E_UNTIED : E_UNREACHED, what);
    if (f == FATE_UNREACHED)
      diag_hint(e->d, g, "what is stepped on does not depend on it: use it on the way to a loss, or leave it out");
    else if (c->path)
      diag_hint(e->d, g,
                "tie an optimizer to it, too: `adam((a, b))` moves both trees. It keeps its first value until then");
  }
}

void lint_layers(Elab *e, const Source *text, NodeId nodes) {
  if (!e->d->n_errors) affine_twice(e, nodes, text);
}

void lint_text(Elab *e, const Source *text, uint32_t cells, NodeId nodes) {
  if (e->d->n_errors) return;
  affine_twice(e, nodes, text);
  if (e->made.trains) untrained(e, cells, text);
}
