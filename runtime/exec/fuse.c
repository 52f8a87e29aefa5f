/* fuse: see planner.h. Grouping is by stages, so that it needs no search for cycles; a group too large for a thread's
 * arena is cut in the order of its nodes. The program of a group is a list of tile kernels over registers, of which a
 * register is a place in the thread's arena (reused when its value is dead), or memory itself: a load that runs in step
 * with the block, or a store.
 *
 * Invariant: what a program needs (`layout`) follows from the graph and the unit's members alone, not from the places
 * that values get later. So one computation says both whether a group fits and, when places are known, what is run.
 */
#include "exec/planner.h"
#include <assert.h>
#include <string.h>

enum { GROUP_MOST = 64 };

static int64_t count_of(const Planner *w, NodeId id) { return type_count(w->g->node[id].type); }

/* How a node takes the pointwise node r as its input k. meets: whole, with as many elements: if it is pointwise, too,
 * both may stand in one unit. same: the two may stand in one stage; else r stands in an earlier one. */
typedef struct Edge { bool meets, same; } Edge;
static Edge edge_of(const Planner *w, NodeId user, uint32_t k, NodeId r) {
  bool flat = plan_flat(w, user, k);
  if (flat && w->g->node[r].type == w->g->node[user].type) return (Edge){true, w->kind[user] == KIND_POINT};
  int64_t n = count_of(w, r), all = count_of(w, user);
  bool meets = flat && n == all;
  return (Edge){meets, w->kind[user] == KIND_POINT && (meets || (!flat && n < all))};
}

/* A pointwise node whose first reader stands in a later stage and could be fused with it moves there: `b * m` of an
 * optimizer waits for the gradient, and is never stored. */
static void move_to_readers(Planner *w, uint32_t *stage) {
  const Graph *g = w->g;
  uint32_t *latest = NEW_N(w->tmp, uint32_t, g->n + 1);    /* as its readers allow */
  bool *joins = NEW_N(w->tmp, bool, g->n + 1);             /* in that stage it meets one of them */
  for (NodeId id = 0; id < g->n; id++) latest[id] = UINT32_MAX;
  for (NodeId id = g->n; id-- > 0;) {
    if (w->kind[id] == KIND_POINT && joins[id]) stage[id] = latest[id];
    if (w->kind[id] != KIND_POINT && w->kind[id] != KIND_SINGLE) continue;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) {
      NodeId r = plan_read(w, id, k);
      if (w->kind[r] != KIND_POINT) continue;
      Edge edge = edge_of(w, id, k, r);
      uint32_t most = edge.same ? stage[id] : stage[id] - 1;
      joins[r] = most < latest[r] ? edge.meets : joins[r] || (most == latest[r] && edge.meets);
      if (most < latest[r]) latest[r] = most;
    }
  }
}

static uint32_t *stages(Planner *w) {
  const Graph *g = w->g;
  bool staged = false;
  uint32_t *stage = NEW_N(w->tmp, uint32_t, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) {
    if (w->kind[id] == KIND_PICK) stage[id] = stage[g->node[id].in[0]];
    if (w->kind[id] != KIND_POINT && w->kind[id] != KIND_SINGLE) continue;
    uint32_t s = 0;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) {
      NodeId r = plan_read(w, id, k);
      uint32_t at = stage[r];
      if (w->kind[r] == KIND_POINT && !edge_of(w, id, k, r).same) at++;
      if (at > s) s = at;
    }
    stage[id] = s;
    staged |= s > 0;
  }
  if (staged) move_to_readers(w, stage);
  return stage;
}

static NodeId find(NodeId *up, NodeId a) {
  while (up[a] != a) a = up[a] = up[up[a]];
  return a;
}

static bool fits(Planner *w, NodeId *node, uint32_t n);

static void add_unit(Planner *w, NodeId *node, uint32_t n, bool tiles) {
  for (uint32_t k = 0; k < n; k++) w->unit[node[k]] = w->units.n;
  vec_push(w->tmp, &w->units, (Unit){.node = node, .n = n, .tiles = tiles});
}

/* Of each pointwise node the last reader in its group, or NO_NODE if it is a result or read elsewhere. */
static NodeId *last_readers(Planner *w, NodeId *up) {
  const Graph *g = w->g;
  NodeId *last = NEW_N(w->tmp, NodeId, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) {
    if (w->kind[id] != KIND_POINT && w->kind[id] != KIND_SINGLE) continue;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) {
      NodeId r = plan_read(w, id, k);
      if (w->kind[r] != KIND_POINT || last[r] == NO_NODE) continue;
      last[r] = w->kind[id] == KIND_POINT && find(up, id) == find(up, r) ? id : NO_NODE;
    }
  }
  for (uint32_t k = 0; k < w->n_out; k++) last[w->out[k].root] = NO_NODE;
  return last;
}

/* Units of a group: as many of its nodes, in order, as fit. */
static void cut_group(Planner *w, NodeId *node, uint32_t n, const NodeId *last) {
  for (uint32_t from = 0; from < n;) {
    uint32_t take = n - from < GROUP_MOST ? n - from : GROUP_MOST;
    for (;; take = (take + 1) / 2) {
      for (uint32_t k = from; k < from + take; k++) w->needed[node[k]] = last[node[k]] > node[from + take - 1];
      if (take == 1 || fits(w, node + from, take)) break;
    }
    add_unit(w, node + from, take, true);
    from += take;
  }
}

void fuse_units(Planner *w) {
  const Graph *g = w->g;
  uint32_t *stage = stages(w);
  NodeId *up = NEW_N(w->tmp, NodeId, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) up[id] = id;
  for (NodeId id = 0; id < g->n; id++) {
    if (w->kind[id] != KIND_POINT) continue;
    for (uint32_t k = 0; k < g->node[id].n_in; k++) {
      NodeId r = plan_read(w, id, k);
      if (w->kind[r] != KIND_POINT || stage[r] != stage[id] || !edge_of(w, id, k, r).meets) continue;
      NodeId a = find(up, id), b = find(up, r);
      if (a != b) up[a < b ? b : a] = a < b ? a : b;
    }
  }
  const NodeId *reader = last_readers(w, up);
  /* Members of each group as a chain in ascending order, from its smallest node. */
  NodeId *next = NEW_N(w->tmp, NodeId, g->n + 1), *last = NEW_N(w->tmp, NodeId, g->n + 1);
  for (NodeId id = 0; id < g->n; id++) {
    next[id] = NO_NODE;
    last[id] = id;
    if (w->kind[id] != KIND_POINT) continue;
    NodeId top = find(up, id);
    if (top == id) continue;
    next[last[top]] = id;
    last[top] = id;
  }
  for (NodeId id = 0; id < g->n; id++) {
    w->unit[id] = NO_UNIT;
    if (w->kind[id] == KIND_SINGLE) add_unit(w, arena_copy(w->tmp, &id, sizeof id), 1, false);
  }
  for (NodeId id = 0; id < g->n; id++) {
    if (w->kind[id] != KIND_POINT || find(up, id) != id) continue;
    uint32_t n = 0;
    for (NodeId k = id; k != NO_NODE; k = next[k]) n++;
    NodeId *node = NEW_N(w->tmp, NodeId, n);
    n = 0;
    for (NodeId k = id; k != NO_NODE; k = next[k]) node[n++] = k;
    cut_group(w, node, n, reader);
  }
}

/* ---- the program ---- */

enum { LOAD_MOST = 64 };

struct Builder {
  Planner *w;
  const Unit *u;
  bool full;
  int64_t count;
  uint32_t n_reg, arena, n_spare;
  uint16_t n_load, n_op, n_store;
  TileLoad load[LOAD_MOST];
  NodeId source[LOAD_MOST];     /* what it loads, and how stretched */
  const Type *shape[LOAD_MOST];
  TileOp op[2 * GROUP_MOST];
  TileStore store[GROUP_MOST];
  uint16_t reg[GROUP_MOST];     /* of each member */
  uint16_t in[GROUP_MOST][TILE_IN];
  uint32_t at[TILE_REGS];       /* of each register: its place in the arena, or UINT32_MAX */
  uint16_t last[TILE_REGS];     /* the last member that reads it, or TO_END */
  uint8_t size[TILE_REGS];
  bool temp[TILE_REGS];         /* owns its place: a result in the arena, not yet given back */
  uint32_t spare[TILE_REGS];    /* places given back */
  uint8_t spare_size[TILE_REGS];
};
typedef struct Builder Builder;
enum { TO_END = UINT16_MAX };

static uint32_t take_slot(Builder *b, uint8_t size) {
  for (uint32_t k = 0; k < b->n_spare; k++) {
    if (b->spare_size[k] != size) continue;
    uint32_t at = b->spare[k];
    b->n_spare--;
    b->spare[k] = b->spare[b->n_spare];
    b->spare_size[k] = b->spare_size[b->n_spare];
    return at;
  }
  int64_t n = b->count < TILE ? b->count : TILE;
  uint32_t at = b->arena, bytes = ((uint32_t)n * size + 63) / 64 * 64;
  if (at + bytes > TILE_ARENA) {
    b->full = true;
    return 0;
  }
  b->arena += bytes;
  return at;
}

static uint16_t new_reg(Builder *b, uint8_t size, uint32_t at) {
  if (b->n_reg == TILE_REGS) {
    b->full = true;
    return 0;
  }
  b->at[b->n_reg] = at;
  b->size[b->n_reg] = size;
  b->last[b->n_reg] = 0;
  b->temp[b->n_reg] = false;
  return (uint16_t)b->n_reg++;
}

/* The broadcast of `from` to `to` as runs: adjacent axes that move alike are one. Returns the rank. */
static uint8_t collapse(const Type *from, const Type *to, int64_t *dim, int64_t *stride) {
  int64_t step = 1, s[MAX_RANK];
  for (int k = to->rank - 1, f = from->rank - 1; k >= 0; k--, f--) {
    bool there = f >= 0 && from->dim[f] != 1;
    s[k] = there ? step : 0;
    if (f >= 0) step *= from->dim[f];
  }
  uint8_t n = 0;
  for (int k = 0; k < to->rank; k++) {
    if (to->dim[k] == 1) continue;
    bool joins = n > 0 && (stride[n - 1] == 0 ? s[k] == 0 : s[k] != 0 && stride[n - 1] == s[k] * to->dim[k]);
    if (joins) {
      dim[n - 1] *= to->dim[k];
      stride[n - 1] = s[k];
    } else {
      dim[n] = to->dim[k];
      stride[n++] = s[k];
    }
  }
  return n;
}

/* The register of a load of input `in` of a member, made if it is new. */
static uint16_t load_reg(Builder *b, NodeId user, uint32_t k) {
  Planner *w = b->w;
  NodeId in = w->g->node[user].in[k], source = plan_source(w, user, k);
  bool flat = in == source;
  const Type *from = w->g->node[source].type, *to = w->g->node[in].type;
  bool one = type_count(from) == 1;
  for (uint32_t j = 0; j < b->n_load; j++)
    if (b->source[j] == source && (one || (b->shape[j] == to && (b->load[j].mode == LOAD_FLAT) == flat)))
      return b->load[j].reg;
  if (b->n_load == LOAD_MOST) {
    b->full = true;
    return 0;
  }
  TileLoad l = {.size = dtype_size[from->dtype]};
  int64_t dim[MAX_RANK], stride[MAX_RANK];
  if (!flat && b->count > 0) {
    l.rank = collapse(from, to, dim, stride);
    l.period = type_count(from);
    bool rows = l.rank == 2 && stride[0] == 0;
    bool once = one || b->count <= TILE || (rows && TILE % l.period == 0);
    l.mode = once ? LOAD_FILL : rows ? LOAD_ROWS : LOAD_ANY;
  }
  l.reg = new_reg(b, l.size, l.mode == LOAD_FLAT ? UINT32_MAX : take_slot(b, l.size));
  if (b->full) return 0;
  l.operand = b->n_load;
  b->source[b->n_load] = source;
  b->shape[b->n_load] = to;
  b->load[b->n_load++] = l;
  return l.reg;
}

static uint16_t input_reg(Builder *b, NodeId user, uint32_t k) {
  NodeId r = plan_read(b->w, user, k);
  if (b->w->kind[r] == KIND_POINT && edge_of(b->w, user, k, r).meets)
    for (uint32_t j = 0; j < b->u->n; j++)
      if (b->u->node[j] == r) return b->reg[j];
  return load_reg(b, user, k);
}

/* Whether member j may be made in a cell whose old value is still read after it: then it is stored when the block is
 * done. (Of other places that a result can have, nothing is read after it: see find_heir in plan.c.) */
static bool old_value_read(const Builder *b, NodeId id, uint16_t j) {
  const Planner *w = b->w;
  for (uint32_t k = 0; k < b->n_load; k++) {
    uint32_t bind = w->bind_of[w->root[b->source[k]]];
    if (bind != NO_BIND && w->writer[bind] == id && b->last[b->load[k].reg] > j) return true;
  }
  return false;
}

/* The place of member j's result r in the arena: that of an input which ends here, else a free one. */
static void arena_place(Builder *b, uint16_t j, uint32_t n_in, uint16_t r) {
  for (uint32_t k = 0; k < n_in; k++) {
    uint16_t q = b->in[j][k];
    if (!b->temp[q] || b->last[q] != j || b->size[q] != b->size[r]) continue;
    b->temp[q] = false;
    b->temp[r] = true;
    b->at[r] = b->at[q];
    return;
  }
  b->at[r] = take_slot(b, b->size[r]);
  b->temp[r] = true;
}

static void give_back(Builder *b, uint16_t j, uint32_t n_in) {
  for (uint32_t k = 0; k < n_in; k++) {
    uint16_t q = b->in[j][k];
    if (!b->temp[q] || b->last[q] != j) continue;
    b->temp[q] = false;
    b->spare[b->n_spare] = b->at[q];
    b->spare_size[b->n_spare++] = b->size[q];
  }
}

/* Loads first, so that the last reader of each register is known. */
static void layout_loads(Builder *b) {
  for (uint16_t j = 0; j < b->u->n; j++) {
    const Node *node = node_of(b->w, b->u->node[j]);
    for (uint32_t k = 0; k < node->n_in; k++) {
      uint16_t r = input_reg(b, b->u->node[j], k);
      if (b->full) return;
      b->in[j][k] = r;
      b->last[r] = j;
    }
    b->reg[j] = new_reg(b, dtype_size[node->type->dtype], UINT32_MAX);
    if (b->full) return;
  }
}

/* The unit's program but for what only the plan has: where operands lie, kernels, attributes. Op j is member j's; the
 * late stores follow. */
static void layout(Builder *b) {
  const Unit *u = b->u;
  layout_loads(b);
  TileOp late[GROUP_MOST];
  uint16_t n_late = 0;
  for (uint16_t j = 0; j < u->n && !b->full; j++) {
    NodeId id = u->node[j];
    const Node *node = node_of(b->w, id);
    uint16_t r = b->reg[j], to = r;
    uint8_t size = b->size[r];
    bool needed = b->w->needed[id], direct = needed && !old_value_read(b, id, j);
    if (!direct) arena_place(b, j, node->n_in, r);
    if (needed && !direct) {
      b->last[r] = TO_END;
      to = new_reg(b, size, UINT32_MAX);
      late[n_late++] = (TileOp){.in = {r}, .out = to, .n_in = 1, .size = size};
    }
    if (needed) {
      b->store[b->n_store] = (TileStore){.reg = to, .operand = b->n_store, .size = size};
      b->n_store++;
    }
    TileOp *o = &b->op[b->n_op++];
    *o = (TileOp){.out = r, .n_in = (uint8_t)node->n_in, .size = size, .op = node->op};
    memcpy(o->in, b->in[j], node->n_in * sizeof *o->in);
    give_back(b, j, node->n_in);
  }
  for (uint16_t k = 0; k < n_late; k++) b->op[b->n_op++] = late[k];
}

static Builder *laid_out(Planner *w, const Unit *u) {
  if (!w->builder) w->builder = NEW(w->tmp, Builder);
  Builder *b = w->builder;
  b->w = w;
  b->u = u;
  b->full = false;
  b->count = count_of(w, u->node[0]);
  b->n_reg = b->arena = b->n_spare = 0;          /* of the arrays only what is below these counts means anything */
  b->n_load = b->n_op = b->n_store = 0;
  layout(b);
  return b;
}

static bool fits(Planner *w, NodeId *node, uint32_t n) {
  Unit u = {.node = node, .n = n, .tiles = true};
  return !laid_out(w, &u)->full;
}

/* TILE times the one element of a constant. */
static const void *block_of(Planner *w, NodeId root) {
  if (w->block[root]) return w->block[root];
  size_t size = bytes_of(w, root);
  char *block = arena_alloc(w->p->arena, TILE * size + PLAN_ALIGN);
  block += plan_round((uintptr_t)block) - (uintptr_t)block;
  for (size_t k = 0; k < TILE; k++) memcpy(block + k * size, (char *)w->p->constants + w->place[root].offset, size);
  return w->block[root] = block;
}

/* What the plan alone has: operands, shapes of loads, kernels, attributes. */
static void fill_in(Builder *b, Operands *loads, Operands *stores) {
  Planner *w = b->w;
  Arena *a = w->p->arena;
  for (uint16_t k = 0; k < b->n_load; k++) {
    TileLoad *l = &b->load[k];
    vec_push(w->tmp, loads, (Operand){plan_place(w, b->source[k]), b->source[k]});
    NodeId root = w->root[b->source[k]];
    if (l->mode == LOAD_FILL && w->kind[root] == KIND_CONST && type_count(node_of(w, root)->type) == 1) {
      l->mode = LOAD_BLOCK;
      l->block = block_of(w, root);
    }
    if (l->rank == 0) continue;
    int64_t dim[MAX_RANK], stride[MAX_RANK];
    collapse(node_of(w, b->source[k])->type, b->shape[k], dim, stride);
    l->dim = arena_copy(a, dim, l->rank * sizeof *dim);
    l->stride = arena_copy(a, stride, l->rank * sizeof *stride);
  }
  for (uint16_t j = 0; j < b->u->n; j++) {
    NodeId id = b->u->node[j];
    b->op[j].fn = plan_tile(w, id);
    b->op[j].one = plan_one(w, id);
    b->op[j].attr = plan_attr(w, node_of(w, id)->attr);
    if (w->needed[id]) vec_push(w->tmp, stores, (Operand){w->place[id], id});
  }
}

const Tiles *fuse_build(Planner *w, const Unit *u, Operands *loads, Operands *stores, double *ns) {
  Builder *b = laid_out(w, u);
  assert(!b->full);                              /* it is what `fits` saw; and one node alone always fits */
  fill_in(b, loads, stores);
  Arena *a = w->p->arena;
  Tiles *t = NEW(a, Tiles);
  t->n_load = b->n_load;
  t->n_op = b->n_op;
  t->n_store = b->n_store;
  t->n_reg = (uint16_t)b->n_reg;
  for (uint16_t k = 0; k < b->n_load; k++) t->moves |= b->load[k].mode == LOAD_ROWS || b->load[k].mode == LOAD_ANY;
  t->load = arena_copy(a, b->load, b->n_load * sizeof *b->load);
  t->op = arena_copy(a, b->op, b->n_op * sizeof *b->op);
  t->store = arena_copy(a, b->store, b->n_store * sizeof *b->store);
  t->at = arena_copy(a, b->at, b->n_reg * sizeof *b->at);
  *ns = (double)b->count * (0.2 * b->n_op + 0.1 * b->n_load + 0.1 * b->n_store);
  return t;
}
