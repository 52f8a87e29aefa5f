/* planner: see planner.h. What the parts of the planner ask, and nothing that they do: copies into the plan, what a
 * node is, what a unit reads, where a value lies. In: the graph, and the Planner as far as it is filled. It calls none
 * of the parts.
 */
#include "exec/planner.h"
#include <assert.h>

/* ---- copies into the plan ---- */

const Type *plan_type(Planner *w, const Type *t) {
  if (w->n_types * 2 >= w->cap_types) {
    uint32_t cap = w->cap_types ? w->cap_types * 2 : 64;
    const Type **types = NEW_N(w->tmp, const Type *, cap), **copies = NEW_N(w->tmp, const Type *, cap);
    for (uint32_t k = 0; k < w->cap_types; k++) {
      if (!w->types[k]) continue;
      uint32_t j = (uint32_t)((uintptr_t)w->types[k] >> 4) & (cap - 1);
      while (types[j]) j = (j + 1) & (cap - 1);
      types[j] = w->types[k];
      copies[j] = w->copies[k];
    }
    w->types = types;
    w->copies = copies;
    w->cap_types = cap;
  }
  uint32_t j = (uint32_t)((uintptr_t)t >> 4) & (w->cap_types - 1);
  while (w->types[j] && w->types[j] != t) j = (j + 1) & (w->cap_types - 1);
  if (!w->types[j]) {
    w->types[j] = t;
    w->copies[j] = arena_copy(w->p->arena, t, sizeof *t);
    w->n_types++;
  }
  return w->copies[j];
}

const Attr *plan_attr(Planner *w, const Attr *a) {
  assert(!a->value);
  if (a == &attr_none) return a;
  Attr *own = arena_copy(w->p->arena, a, sizeof *a);
  own->body = NULL;
  if (a->n > 0) own->i = arena_copy(w->p->arena, a->i, a->n * sizeof *a->i);
  return own;
}

/* ---- what a node is ---- */

bool plan_pointwise(const Node *n) {
  return (n->op->flags & OP_POINTWISE) != 0 && n->n_in >= 1 && n->n_in <= TILE_IN;
}

static const OpKernels *point_kernels(const Planner *w, const Node *n) {
  return kernels_of(w->kernels, n->op, (DType)w->g->node[n->in[n->n_in - 1]].type->dtype);
}

bool plan_may_fail(const Planner *w, const Node *n) {
  if (!(n->op->flags & OP_FAILS)) return false;
  return !plan_pointwise(n) ||
         point_kernels(w, n)->check[w->g->node[n->in[n->n_in - 1]].type->dtype] != NULL;
}

TileKernel plan_tile(const Planner *w, NodeId id) {
  const Node *n = &w->g->node[id];
  return point_kernels(w, n)->tile[w->g->node[n->in[n->n_in - 1]].type->dtype];
}

InstrKernel plan_one(const Planner *w, NodeId id) {
  const Node *n = &w->g->node[id];
  return kernels_one(w->kernels, n->op, (DType)w->g->node[n->in[n->n_in - 1]].type->dtype);
}

/* ---- what a unit reads, what a result needs ---- */

bool plan_flat(const Planner *w, NodeId user, uint32_t k) {
  NodeId i = plan_source(w, user, k);
  return i == w->g->node[user].in[k];
}

void plan_each_read(const Planner *w, uint32_t u, void (*f)(void *, NodeId user, uint32_t k, NodeId root), void *ctx) {
  const Unit *unit = &w->units.at[u];
  for (uint32_t j = 0; j < unit->n; j++)
    for (uint32_t k = 0; k < node_of(w, unit->node[j])->n_in; k++)
      f(ctx, unit->node[j], k, plan_read(w, unit->node[j], k));
}

bool plan_may_write(const Planner *w, const Out *o) {
  uint8_t kind = w->kind[o->root];
  return o->cell && o->act == OUT_COMMIT && (kind == KIND_POINT || kind == KIND_SINGLE) &&
         w->shift[o->node] == 0 && bytes_of(w, o->root) == bytes_of(w, o->node);
}

Place plan_place(const Planner *w, NodeId id) {
  Place p = w->place[w->root[id]];
  p.offset += w->shift[id];
  return p;
}

/* ---- classes ---- */

/* Bytes from which on a slice is its input's bytes, or -1: every axis whole but for one, above which sizes are 1. */
static int64_t slice_shift(const Type *x, const Type *y, const int64_t *i) {
  int64_t stride = dtype_size[x->dtype], shift = 0;
  bool whole = true;                       /* all axes right of this one */
  for (int k = x->rank - 1; k >= 0; k--) {
    if (i[3 * k + 2] != 1 && i[3 * k + 1] > 1) return -1;
    if (!whole && i[3 * k + 1] > 1) return -1;
    if (i[3 * k + 1] != x->dim[k]) whole = false;
    shift += i[3 * k] * stride;
    stride *= x->dim[k];
  }
  return type_count(y) > 0 ? shift : -1;
}

void plan_classify(Planner *w) {
  const Graph *g = w->g;
  bool *live = NEW_N(w->tmp, bool, g->n + 1);
  for (uint32_t k = 0; k < g->out.n; k++) live[g->out.at[k].node] = true;
  for (NodeId id = g->n; id-- > 0;)
    if (live[id])
      for (uint32_t k = 0; k < g->node[id].n_in; k++) live[g->node[id].in[k]] = true;
  for (NodeId id = 0; id < g->n; id++) {
    const Node *n = &g->node[id];
    w->root[id] = id;
    if (n->op->id == OP_input) w->kind[id] = KIND_INPUT;
    else if (!live[id]) w->kind[id] = KIND_DEAD;
    else if (n->op->id == OP_constant) w->kind[id] = KIND_CONST;
    else if (n->op->id == OP_pick) w->kind[id] = KIND_PICK;
    else if (n->op->id == OP_broadcast && type_count(n->type) != type_count(g->node[n->in[0]].type))
      w->kind[id] = w->fuse ? KIND_STRETCH : KIND_SINGLE;
    else if (n->op->id == OP_broadcast || n->op->id == OP_reshape) w->kind[id] = KIND_ALIAS;
    else if (n->op->id == OP_slice) {
      int64_t shift = slice_shift(g->node[n->in[0]].type, n->type, n->attr->i);
      w->kind[id] = shift < 0 ? KIND_SINGLE : KIND_ALIAS;
      w->shift[id] = shift < 0 ? 0 : (size_t)shift;
    } else w->kind[id] = w->fuse && plan_pointwise(n) && !plan_may_fail(w, n) ? KIND_POINT : KIND_SINGLE;
  }
  /* A broadcast that anything but a fused step reads must be made. */
  for (NodeId id = 0; id < g->n; id++) {
    if (w->kind[id] == KIND_POINT || !live[id]) continue;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) {
      NodeId i = g->node[id].in[k];
      if (w->kind[i] == KIND_STRETCH) w->kind[i] = KIND_SINGLE;
    }
  }
  for (uint32_t k = 0; k < g->out.n; k++)
    if (w->kind[g->out.at[k].node] == KIND_STRETCH) w->kind[g->out.at[k].node] = KIND_SINGLE;
  for (NodeId id = 0; id < g->n; id++) {
    NodeId i = w->kind[id] == KIND_ALIAS || w->kind[id] == KIND_PICK ? g->node[id].in[0] : id;
    if (w->kind[id] == KIND_ALIAS) {
      w->root[id] = w->root[i];
      w->shift[id] += w->shift[i];
    } else if (w->kind[id] == KIND_PICK) {  /* a second pick of the same output is the first's alias */
      for (NodeId j = i + 1; j < id; j++)
        if (w->kind[j] == KIND_PICK && g->node[j].in[0] == i && g->node[j].attr->i[0] == g->node[id].attr->i[0]) {
          w->kind[id] = KIND_ALIAS;
          w->root[id] = j;
          break;
        }
    }
  }
}
