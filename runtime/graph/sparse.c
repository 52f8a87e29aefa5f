/* sparse: the pattern of a Jacobian from the graph alone. In: a formula and what it is differentiated by, whose
 * elements are columns. Out: for each element of the formula the columns that it can depend on.
 *
 * Node by node, each element has a set of columns. Sets are numbered and never change; elements share them, and a union
 * that is one of its parts is that part. A family's rule (Op.depends) says which elements of the operands an element of
 * the result follows from. What only moves elements is asked by its own kernel, run over their numbers. A loop is gone
 * through turn by turn, with what is known in a turn; one that ends by itself, until no turn adds anything.
 * Invariant: a set may hold too much, never too little.
 */
#include "graph/sparse.h"
#include "graph/grad.h"
#include <assert.h>
#include <string.h>

typedef struct Set { int64_t first, n; } Set;
typedef struct Union { uint32_t a, b, both; } Union;
enum { UNIONS = 1 << 12 };

/* Set 0 is empty. */
typedef struct Sets {
  Arena *a;
  VEC(Set) set;
  int32_t *column;           /* of all sets, one after another */
  int64_t n, cap;
  uint32_t *mark, stamp;     /* by column */
  Union *last;               /* unions that were made, by a hash of their parts */
  bool full;
} Sets;

static Sets sets_new(Arena *a, int64_t columns) {
  Sets s = {.a = a};
  s.mark = NEW_N(a, uint32_t, columns + 1);
  s.last = NEW_N(a, Union, UNIONS);
  vec_push(a, &s.set, (Set){0, 0});
  return s;
}

static void sets_room(Sets *s, int64_t more) {
  if (s->n + more <= s->cap) return;
  int64_t cap = s->cap ? 2 * s->cap : 1024;
  while (cap < s->n + more) cap *= 2;
  int32_t *column = NEW_N(s->a, int32_t, cap);
  if (s->n) memcpy(column, s->column, (size_t)s->n * sizeof *column);
  s->column = column;
  s->cap = cap;
}

static uint32_t one_column(Sets *s, int64_t column) {
  sets_room(s, 1);
  vec_push(s->a, &s->set, (Set){s->n, 1});
  s->column[s->n++] = (int32_t)column;
  return s->set.n - 1;
}

/* The union of some sets. */
static uint32_t union_of(Sets *s, const uint32_t *id, uint32_t n) {
  uint32_t widest = 0, same = 0;
  while (same < n && id[same] == id[0]) same++;
  if (same == n) return n ? id[0] : 0;
  for (uint32_t k = 0; k < n; k++)
    if (s->set.at[id[k]].n > s->set.at[widest].n) widest = id[k];
  int64_t first = s->n, total = s->set.at[widest].n;
  s->stamp++;
  for (int64_t j = 0; j < total; j++) s->mark[s->column[s->set.at[widest].first + j]] = s->stamp;
  bool more = false;
  for (uint32_t k = 0; k < n && !s->full; k++) {
    Set t = s->set.at[id[k]];
    if (id[k] == widest || (k && id[k] == id[k - 1])) continue;
    sets_room(s, t.n);
    for (int64_t j = 0; j < t.n; j++) {
      int32_t c = s->column[t.first + j];
      if (s->mark[c] == s->stamp) continue;
      s->mark[c] = s->stamp;
      if (!more) {           /* it is none of the parts */
        sets_room(s, total + t.n);
        memcpy(s->column + first, s->column + s->set.at[widest].first, (size_t)total * sizeof *s->column);
        s->n += total;
        more = true;
      }
      s->column[s->n++] = c;
    }
    s->full = s->n > MOST_ENTRIES;
  }
  if (!more) return widest;
  vec_push(s->a, &s->set, (Set){first, s->n - first});
  return s->set.n - 1;
}

static uint32_t union2(Sets *s, uint32_t a, uint32_t b) {
  if (a == b || !b) return a;
  if (!a) return b;
  Union *u = &s->last[(a * 2654435761u ^ b * 40503u) % UNIONS];
  if (u->a != a || u->b != b) *u = (Union){a, b, union_of(s, (uint32_t[]){a, b}, 2)};
  return u->both;
}

/* ---- what a rule says ---- */

static int64_t count_of(const Graph *g, NodeId n) { return type_count(g->node[n].type); }

const uint32_t *depends_group(Depends *d, uint32_t k, const int64_t *group, int64_t n) {
  const uint32_t *x = d->x[k];
  if (!x || !group) return x;
  int64_t count = count_of(d->g, d->node->in[k]);
  int64_t *end = NEW_N(d->scratch, int64_t, n + 1);
  uint32_t *of = NEW_N(d->scratch, uint32_t, n + 1), *member = NEW_N(d->scratch, uint32_t, count + 1);
  for (int64_t j = 0; j < count; j++)
    if (group[j] >= 0) end[group[j] + 1]++;
  for (int64_t k2 = 0; k2 < n; k2++) end[k2 + 1] += end[k2];
  for (int64_t j = count; j-- > 0;)   /* now end[q + 1] falls to where group q begins */
    if (group[j] >= 0) member[--end[group[j] + 1]] = x[j];
  int64_t total = 0;
  for (int64_t j = 0; j < count; j++) total += group[j] >= 0;
  for (int64_t q = 0; q < n; q++) {
    int64_t from = end[q + 1], to = q + 1 < n ? end[q + 2] : total;
    of[q] = union_of(d->sets, member + from, (uint32_t)(to - from));
  }
  return of;
}

void depends_on(Depends *d, const uint32_t *set, const int64_t *of) {
  int64_t n = type_count(d->node->type);
  if (!set) return;
  for (int64_t i = 0; i < n; i++) {
    int64_t from = of ? of[i] : i;
    if (from >= 0) d->y[i] = union2(d->sets, d->y[i], set[from]);
  }
}

void depends_same(Depends *d, uint32_t k) { depends_on(d, d->x[k], NULL); }

/* By element of t its number along some axes alone: by axis their step, 0 of the others. */
static int64_t *numbers(Arena *a, const Type *t, const int64_t *step) {
  int64_t n = type_count(t), at[MAX_RANK] = {0}, now = 0, *out = NEW_N(a, int64_t, n + 1);
  for (int64_t i = 0; i < n; i++) {
    out[i] = now;
    for (int k = t->rank; k-- > 0;) {
      now += step[k];
      if (++at[k] < t->dim[k]) break;
      now -= step[k] * at[k];
      at[k] = 0;
    }
  }
  return out;
}

void depends_axes(Depends *d, uint32_t k, const int *to) {
  if (!d->x[k]) return;
  Type x = *d->g->node[d->node->in[k]].type, y = *d->node->type;
  int64_t of_x[MAX_RANK] = {0}, of_y[MAX_RANK] = {0}, n = 1;
  for (int j = 0; j < x.rank; j++)
    if (to[j] >= 0) {
      of_x[j] = of_y[to[j]] = n;
      n *= x.dim[j];
    }
  if (!n || !type_count(&y)) return;
  const uint32_t *set = depends_group(d, k, numbers(d->scratch, &x, of_x), n);
  depends_on(d, set, numbers(d->scratch, &y, of_y));
}

static void depends_all(Depends *d) {
  int mixed[MAX_RANK];
  for (int j = 0; j < MAX_RANK; j++) mixed[j] = -1;
  for (uint32_t k = 0; k < d->node->n_in; k++) depends_axes(d, k, mixed);
}

void depends_none(Depends *d) { (void)d; }

void depends_lines(Depends *d) {
  for (uint32_t k = 0; k < d->node->n_in; k++) {
    int to[MAX_RANK];
    for (int j = 0; j < MAX_RANK; j++) to[j] = j == d->node->attr->i[0] ? -1 : j;
    depends_axes(d, k, to);
  }
}

void depends_matrices(Depends *d) {
  for (uint32_t k = 0; k < d->node->n_in; k++) {
    int to[MAX_RANK], rank = d->g->node[d->node->in[k]].type->rank;
    for (int j = 0; j < rank; j++) to[j] = j < rank - 2 ? j : -1;
    if (k == 1) to[rank - 1] = rank - 1;   /* columns of a right side stay apart */
    depends_axes(d, k, to);
  }
}

/* ---- moves: a kernel run over the numbers of elements ---- */

/* From `first` on, as a constant; of f64, which every op that moves takes and which holds any number of an element. */
static NodeId numbered(Graph *g, const Type *t, int64_t first) {
  Type u = *t;
  u.dtype = F64;
  Tensor *v = tensor_new(arena_host(g->arena), &u);
  for (int64_t k = 0; k < type_count(t); k++) ((double *)v->data)[k] = (double)(first + k);
  NodeId id = graph_const(g, v, 0);
  tensor_unref(v);
  return id;
}

static bool known_to(Graph *from, NodeId id, Graph *to, NodeId *out) {
  Tensor *v = from->node[id].flags & NODE_KNOWN ? graph_known(from, id) : NULL;
  if (v) *out = graph_const(to, v, 0);
  return v != NULL;
}

/* The numbers that it gives, less one; NULL: it failed, or is too large to be known. */
static int64_t *number_run(Depends *d, Graph *g, const Op *op, const NodeId *in, uint32_t n, const Attr *attr) {
  TypeError e;
  NodeId id = graph_emit(g, op, in, n, attr, 0, &e);
  Tensor *y = id == NO_NODE ? NULL : graph_known(g, id);
  if (!y) return NULL;
  int64_t count = type_count(&y->type), *out = NEW_N(d->scratch, int64_t, count + 1);
  for (int64_t k = 0; k < count; k++) out[k] = (int64_t)((const double *)y->data)[k] - 1;
  return out;
}

bool depends_where_moved(Depends *d) {
  const Node *node = d->node;
  Graph *g = graph_new(d->scratch);
  NodeId *in = NEW_N(d->scratch, NodeId, node->n_in + 1u);
  int64_t first = 1;
  for (uint32_t k = 0; k < node->n_in; k++) {
    const Type *t = d->g->node[node->in[k]].type;
    if (t->dtype == node->type->dtype) {
      in[k] = numbered(g, t, first);
      first += type_count(t);
    } else if (!known_to(d->g, node->in[k], g, &in[k])) return false;
  }
  int64_t *from = number_run(d, g, node->op, in, node->n_in, node->attr);
  if (!from) return false;
  uint32_t *set = NEW_N(d->scratch, uint32_t, first);
  int64_t at = 0;
  for (uint32_t k = 0; k < node->n_in; k++) {
    if (d->g->node[node->in[k]].type->dtype != node->type->dtype) continue;
    int64_t n = count_of(d->g, node->in[k]);
    if (d->x[k]) memcpy(set + at, d->x[k], (size_t)n * sizeof *set);
    at += n;
  }
  depends_on(d, set, from);
  return true;
}

void depends_moved(Depends *d) {
  if (!depends_where_moved(d)) depends_all(d);
}

bool depends_placed(Depends *d, uint32_t k, const Op *by, const NodeId *behind, uint32_t n, const int64_t *i,
                    uint32_t n_i) {
  if (!d->x[k]) return true;
  Graph *g = graph_new(d->scratch);
  NodeId *in = NEW_N(d->scratch, NodeId, n + 1u);
  in[0] = numbered(g, d->node->type, 1);
  for (uint32_t j = 0; j < n; j++)
    if (!known_to(d->g, behind[j], g, &in[j + 1])) return false;
  int64_t *to = number_run(d, g, by, in, n + 1, &(Attr){.i = i, .n = n_i});
  if (!to) return false;
  depends_on(d, depends_group(d, k, to, type_count(d->node->type)), NULL);
  return true;
}

/* ---- the walk over a graph ---- */

typedef struct Walk {
  Sets *sets;
  Graph *g;
  uint32_t **of;             /* by node: by element its set; NULL: on none */
  uint32_t ***outs;          /* of loops: by output */
  bool *seen;
  Arena *a;                  /* of what is filled */
} Walk;

static void walk(Walk *w, const NodeId *root, uint32_t n);

static Walk walk_new(Sets *s, Graph *g, Arena *a) {
  return (Walk){.sets = s, .g = g, .a = a, .of = NEW_N(a, uint32_t *, g->n + 1u),
                .outs = NEW_N(a, uint32_t **, g->n + 1u), .seen = NEW_N(a, bool, g->n + 1u)};
}

/* ---- loops ---- */

typedef struct Turns {
  Walk *w;
  const Node *loop;
  Graph *body;
  uint32_t c, s, n_out, stacks;
  int64_t turns;
  uint32_t **carry, **out;   /* by output: sets of a carry now, of what is stacked */
  Tensor **known;            /* by carry: its value, if it is known */
} Turns;

static bool any_set(const uint32_t *of, int64_t n) {
  for (int64_t k = 0; k < n; k++)
    if (of[k]) return true;
  return false;
}

static int64_t body_count(const Turns *l, uint32_t k) { return count_of(l->body, l->body->out.at[k].node); }

/* The input of slot k in turn t, in g: known, or with the sets that it has. t < 0: of any turn. */
static NodeId turn_input(const Turns *l, Graph *g, uint32_t k, int64_t t, const Type *type, uint32_t **set, Arena *a) {
  const Walk *w = l->w;
  Host *h = arena_host(g->arena);
  int64_t n = type_count(type);
  *set = NULL;
  if (k == l->loop->n_in) {
    int32_t number = (int32_t)t;
    Tensor *v = t < 0 ? NULL : tensor_from(h, type, &number);
    NodeId id = v ? graph_const(g, v, 0) : graph_input(g, k, type, 0);
    tensor_unref(v);
    return id;
  }
  NodeId x = l->loop->in[k];
  bool row = k >= l->c && k < l->c + l->s;
  if (k < l->c) {
    if (any_set(l->carry[k], n)) *set = l->carry[k];
    if (l->known[k]) return graph_const(g, l->known[k], 0);
  } else if (w->of[x] && !row) *set = w->of[x];
  else if (w->of[x] && t >= 0) *set = w->of[x] + t * n;
  else if (w->of[x]) {       /* of any turn: of all */
    uint32_t *all = NEW_N(a, uint32_t, n + 1), *member = NEW_N(a, uint32_t, l->turns + 1);
    for (int64_t j = 0; j < n; j++) {
      for (int64_t q = 0; q < l->turns; q++) member[q] = w->of[x][q * n + j];
      all[j] = union_of(w->sets, member, (uint32_t)l->turns);
    }
    *set = all;
  } else if (w->g->node[x].flags & NODE_KNOWN && (!row || t >= 0)) {
    Tensor *v = graph_known(w->g, x), *part = NULL;
    if (v && row) v = part = tensor_from(h, type, (char *)v->data + t * type_bytes(type));
    NodeId id = v ? graph_const(g, v, 0) : graph_input(g, k, type, 0);
    tensor_unref(part);
    return id;
  }
  return graph_input(g, k, type, 0);
}

/* One turn, or any (t < 0). True: a carry depends on more than before. */
static bool turn(Turns *l, int64_t t) {
  Arena *a = arena_new(arena_host(l->w->a));
  Graph *g = graph_new(a);
  g->limit = l->body->limit;
  g->kernels = l->w->g->kernels;
  NodeId *in = NEW_N(a, NodeId, l->loop->n_in + 1u), *root = NEW_N(a, NodeId, l->n_out + 1u);
  uint32_t **set = NEW_N(a, uint32_t *, l->loop->n_in + 1u);
  for (NodeId id = 0; id < l->body->n; id++) {
    const Node *x = &l->body->node[id];
    if (x->op != &op_input) continue;
    uint32_t slot = (uint32_t)x->attr->i[0];
    in[slot] = turn_input(l, g, slot, t, x->type, &set[slot], a);
  }
  graph_inline(g, l->body, in, root);
  Walk w = walk_new(l->w->sets, g, a);
  for (uint32_t k = 0; k <= l->loop->n_in; k++)
    if (set[k]) w.of[in[k]] = set[k];
  walk(&w, root, l->n_out);
  bool more = false;
  for (uint32_t k = 0; k < l->n_out; k++) {
    const uint32_t *from = w.of[root[k]];
    int64_t n = body_count(l, k);
    if (k < l->c) {
      tensor_unref(l->known[k]);
      Tensor *v = t >= 0 && g->node[root[k]].flags & NODE_KNOWN ? graph_known(g, root[k]) : NULL;
      l->known[k] = v ? tensor_from(v->host, &v->type, v->data) : NULL;
      for (int64_t j = 0; j < n; j++) {
        uint32_t old = l->carry[k][j], new = from ? from[j] : 0;
        if (t < 0) new = union2(l->w->sets, old, new);   /* a turn that is not made leaves what was */
        more |= new != old;
        l->out[k][j] = new;
      }
    } else if (k >= l->stacks && from)
      for (int64_t q = t < 0 ? 0 : t; q < (t < 0 ? l->turns : t + 1); q++)
        memcpy(l->out[k] + q * n, from, (size_t)n * sizeof *from);
  }
  for (uint32_t k = 0; k < l->c; k++) memcpy(l->carry[k], l->out[k], (size_t)body_count(l, k) * sizeof *l->carry[k]);
  arena_free(a);
  return more;
}

static void walk_loop(Walk *w, NodeId id) {
  Node loop = w->g->node[id];
  const Attr *attr = loop.attr;
  Turns l = {.w = w, .loop = &loop, .body = attr->body, .c = (uint32_t)attr->i[LOOP_CARRIES],
             .s = (uint32_t)attr->i[LOOP_SEQUENCES], .n_out = attr->body->out.n, .stacks = loop_stacks(attr),
             .turns = attr->i[LOOP_TURNS]};
  bool all = loop_ends(attr) == ENDS_AFTER_ALL, reverse = attr->i[LOOP_REVERSE] != 0;
  l.carry = NEW_N(w->a, uint32_t *, l.n_out + 1u);
  l.out = NEW_N(w->a, uint32_t *, l.n_out + 1u);
  l.known = NEW_N(w->a, Tensor *, l.c + 1u);
  for (uint32_t k = 0; k < l.n_out; k++) {
    int64_t n = body_count(&l, k);
    if (k >= l.stacks && n && l.turns > MOST_ENTRIES / n) {
      w->sets->full = true;
      return;
    }
    l.out[k] = NEW_N(w->a, uint32_t, (k < l.c ? n : k < l.stacks ? 1 : n * l.turns) + 1);
    if (k >= l.c) continue;
    l.carry[k] = NEW_N(w->a, uint32_t, n + 1);
    if (w->of[loop.in[k]]) memcpy(l.carry[k], w->of[loop.in[k]], (size_t)n * sizeof *l.carry[k]);
    Tensor *v = all && w->g->node[loop.in[k]].flags & NODE_KNOWN ? graph_known(w->g, loop.in[k]) : NULL;
    l.known[k] = v ? tensor_from(v->host, &v->type, v->data) : NULL;
    memcpy(l.out[k], l.carry[k], (size_t)n * sizeof *l.carry[k]);
  }
  for (int64_t t = 0; all && t < l.turns && !w->sets->full; t++) turn(&l, reverse ? l.turns - 1 - t : t);
  while (!all && !w->sets->full && turn(&l, -1)) {}
  for (uint32_t k = 0; k < l.c; k++) tensor_unref(l.known[k]);
  w->outs[id] = l.out;
}

/* ---- gradients that are given: the value depends on what its adjoint's rule makes the arguments depend on ---- */

static void depends_custom(Depends *d) {
  const Node *node = d->node;
  const CustomGrad *c = node->attr->foreign;
  Graph *g = graph_new(d->scratch);
  g->limit = d->g->limit;
  g->loc = d->g->loc;
  uint32_t n = node->n_in, n_root = 0;
  NodeId *x = NEW_N(d->scratch, NodeId, n + 1u), *dx = NEW_N(d->scratch, NodeId, n + 1u);
  NodeId *root = NEW_N(d->scratch, NodeId, n + 1u);
  bool *wanted = NEW_N(d->scratch, bool, n + 1u), *selected = NEW_N(d->scratch, bool, n + 1u);
  for (uint32_t k = 0; k < n; k++) {
    if (!known_to(d->g, node->in[k], g, &x[k])) x[k] = graph_input(g, k, d->g->node[node->in[k]].type, 0);
    dx[k] = NO_NODE;
    wanted[k] = k && d->x[k];
  }
  NodeId y = graph_input(g, n, node->type, 0), dy = graph_input(g, n + 1, node->type, 0);
  Grad grad = {.g = g, .y = y, .dy = dy, .x = x, .n = n, .attr = node->attr, .wanted = wanted, .dx = dx,
               .dx_selected = selected};
  c->build(c, &grad);
  int64_t rows = type_count(node->type);
  Sets sets = sets_new(d->scratch, rows);
  Walk w = walk_new(&sets, g, d->scratch);
  w.of[dy] = NEW_N(d->scratch, uint32_t, rows + 1);
  for (int64_t i = 0; i < rows; i++) w.of[dy][i] = one_column(&sets, i);
  for (uint32_t k = 1; k < n; k++)
    if (wanted[k] && dx[k] != NO_NODE) root[n_root++] = dx[k];
  walk(&w, root, n_root);
  d->sets->full |= sets.full;
  for (uint32_t k = 1; k < n; k++) {
    if (!wanted[k] || dx[k] == NO_NODE || !w.of[dx[k]]) continue;
    for (int64_t j = 0; j < count_of(g, dx[k]); j++) {
      Set s = sets.set.at[w.of[dx[k]][j]];
      for (int64_t q = 0; q < s.n; q++) {
        uint32_t *to = &d->y[sets.column[s.first + q]];
        *to = union2(d->sets, *to, d->x[k][j]);
      }
    }
  }
}

/* ---- nodes ---- */

static void walk_node(Walk *w, NodeId id) {
  Node node = w->g->node[id];
  bool any = false;
  for (uint32_t k = 0; k < node.n_in; k++) any |= w->of[node.in[k]] || w->outs[node.in[k]];
  w->seen[id] = true;
  if (!any || w->sets->full) return;
  if (node.op == &op_loop) {
    walk_loop(w, id);
    return;
  }
  if (!dtype_is_float((DType)node.type->dtype)) return;
  if (node.op == &op_pick) {
    w->of[id] = w->outs[node.in[0]][node.attr->i[0]];
    return;
  }
  const uint32_t **x = NEW_N(w->a, const uint32_t *, node.n_in + 1u);
  for (uint32_t k = 0; k < node.n_in; k++) x[k] = w->of[node.in[k]];
  Depends d = {.g = w->g, .node = &node, .sets = w->sets, .x = x, .scratch = arena_new(arena_host(w->a)),
               .y = NEW_N(w->a, uint32_t, type_count(node.type) + 1)};
  if (node.op == &op_custom) depends_custom(&d);
  else if (node.op->depends) node.op->depends(&d);
  else if (node.op->flags & OP_EFFECTLESS_ZERO) depends_none(&d);
  else if (node.op->flags & OP_POINTWISE)
    for (uint32_t k = 0; k < node.n_in; k++) depends_same(&d, k);
  else depends_all(&d);
  arena_free(d.scratch);
  if (any_set(d.y, type_count(node.type))) w->of[id] = d.y;
}

static bool walk_stops(void *ctx, NodeId id) {
  const Walk *w = ctx;
  return w->seen[id] || w->of[id];
}

static void walk(Walk *w, const NodeId *root, uint32_t n) {
  host_deeper(arena_host(w->a));
  NodeId *ids;
  uint32_t count = graph_slice(w->g, root, n, walk_stops, w, &ids);
  for (uint32_t k = 0; k < count; k++)
    if (!w->seen[ids[k]] && !w->of[ids[k]]) walk_node(w, ids[k]);
}

/* ---- the pattern ---- */

/* Of columns begin..end of all, those of one x. */
static Sparsity part_of(const Sets *s, const uint32_t *of, int64_t rows, int64_t begin, int64_t end, Arena *a) {
  Sparsity back = {.rows = end - begin, .columns = rows, .first = NEW_N(s->a, int64_t, end - begin + 2)};
  for (int pass = 0; pass < 2; pass++) {   /* by columns: rows come out in order; then turned */
    for (int64_t r = 0; of && r < rows; r++) {
      Set t = s->set.at[of[r]];
      for (int64_t j = t.first; j < t.first + t.n; j++) {
        int64_t c = s->column[j] - begin;
        if (c < 0 || c >= back.rows) continue;
        if (pass) back.column[back.first[c + 1]++] = (int32_t)r;
        else back.first[c + 2]++;
      }
    }
    if (pass) break;
    int64_t total = 0;
    for (int64_t r = 0; of && r < rows; r++) total += s->set.at[of[r]].n;
    back.column = NEW_N(s->a, int32_t, total + 1);
    for (int64_t c = 0; c + 1 < back.rows; c++) back.first[c + 2] += back.first[c + 1];
  }
  return sparsity_transposed(&back, a);
}

Sparsity sparsity_transposed(const Sparsity *s, Arena *a) {
  int64_t n = sparsity_entries(s);
  Sparsity t = {.rows = s->columns, .columns = s->rows, .first = NEW_N(a, int64_t, s->columns + 2),
                .column = NEW_N(a, int32_t, n + 1)};
  for (int64_t k = 0; k < n; k++) t.first[s->column[k] + 2]++;
  for (int64_t r = 0; r + 1 < t.rows; r++) t.first[r + 2] += t.first[r + 1];
  for (int64_t r = 0; r < s->rows; r++)
    for (int64_t k = s->first[r]; k < s->first[r + 1]; k++) t.column[t.first[s->column[k] + 1]++] = (int32_t)r;
  return t;
}

Sparsity sparsity_common(const Sparsity *s, const Sparsity *t, Arena *a) {
  Sparsity c = {.rows = s->rows, .columns = s->columns, .first = NEW_N(a, int64_t, s->rows + 1),
                .column = NEW_N(a, int32_t, sparsity_entries(s) + 1)};
  int64_t n = 0;
  for (int64_t r = 0; r < s->rows; r++) {
    for (int64_t k = s->first[r], j = t->first[r]; k < s->first[r + 1]; k++) {
      while (j < t->first[r + 1] && t->column[j] < s->column[k]) j++;
      if (j < t->first[r + 1] && t->column[j] == s->column[k]) c.column[n++] = s->column[k];
    }
    c.first[r + 1] = n;
  }
  return c;
}

bool graph_sparsity(Graph *g, NodeId y, const NodeId *x, uint32_t n, Sparsity *out) {
  Arena *a = arena_new(arena_host(g->arena));
  int64_t columns = 0, at = 0, rows = count_of(g, y);
  for (uint32_t k = 0; k < n; k++) columns += count_of(g, x[k]);
  bool fits = columns <= INT32_MAX && rows <= INT32_MAX;
  Sets s = sets_new(a, fits ? columns : 0);
  Walk w = walk_new(&s, g, a);
  for (uint32_t k = 0; k < n && fits; k++) {
    int64_t count = count_of(g, x[k]);
    w.of[x[k]] = NEW_N(a, uint32_t, count + 1);
    for (int64_t j = 0; j < count; j++) w.of[x[k]][j] = one_column(&s, at++);
  }
  if (fits) walk(&w, &y, 1);
  int64_t total = 0;
  for (int64_t r = 0; r < rows && fits && w.of[y]; r++) total += s.set.at[w.of[y][r]].n;
  fits = fits && !s.full && total <= MOST_ENTRIES;
  at = 0;
  for (uint32_t k = 0; k < n && fits; k++) {
    int64_t count = count_of(g, x[k]);
    out[k] = part_of(&s, w.of[y], rows, at, at + count, g->arena);
    at += count;
  }
  arena_free(a);
  return fits;
}
