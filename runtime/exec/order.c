/* order: the order in which units run: as the graph was written, but a unit that writes a cell waits for what can fail
 * and for the readers of the cell's old value, where it may; so it can write in place. Where cells are written, what
 * can fail comes first, with all that it needs and with the values that others see; and a unit that may write its cell
 * does so at once: what it reads (a gradient) is still in the cache, and its bytes are free for the next.
 */
#include "exec/planner.h"
#include <assert.h>
#include <string.h>

typedef struct Edges { uint32_t *from, *to; } Edges;       /* successors of u: to[from[u] .. from[u + 1]] */

typedef struct Sort {
  Planner *w;
  uint32_t u;                              /* the unit being looked at */
  uint32_t *degree, *next, *readers, *own; /* readers: of each binding's old value, still to come */
  Edges e;
  uint32_t *heap, n_heap, *held, n_held;
  uint32_t *held_at;                       /* of each unit: its place in held, from 1; 0: it is not there */
  uint32_t *writes;                        /* of each unit: whether it may write a cell */
  uint8_t *rank;                           /* of each unit: lower ones first */
  VEC(uint32_t) next_look;                 /* held units whose cell has lost a reader */
  uint32_t failing;                        /* units that can fail, still to come */
} Sort;

static void count_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Sort *s = ctx;
  (void)user, (void)k;
  uint32_t bind = s->w->bind_of[root], from = s->w->unit[root];
  if (bind != NO_BIND) s->readers[bind]++;
  if (from == NO_UNIT || from == s->u) return;
  s->e.from[from + 1]++;
  s->degree[s->u]++;
}

static void add_edge(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Sort *s = ctx;
  (void)user, (void)k;
  uint32_t from = s->w->unit[root];
  if (from != NO_UNIT && from != s->u) s->e.to[s->next[from]++] = s->u;
}

static void own_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Sort *s = ctx;
  (void)user, (void)k;
  if (s->w->bind_of[root] != NO_BIND) s->own[s->w->bind_of[root]]++;
}

static void own_clear(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Sort *s = ctx;
  (void)user, (void)k;
  if (s->w->bind_of[root] != NO_BIND) s->own[s->w->bind_of[root]] = 0;
}

static void done_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Sort *s = ctx;
  (void)user, (void)k;
  uint32_t bind = s->w->bind_of[root];
  if (bind == NO_BIND) return;
  s->readers[bind]--;
  NodeId writer = s->w->writer[bind];
  if (writer != NO_NODE && s->held_at[s->w->unit[writer]]) vec_push(s->w->tmp, &s->next_look, s->w->unit[writer]);
}

/* ---- what comes first ---- */

enum { RANK_FIRST, RANK_WRITES, RANK_REST };

typedef struct Urgent { Planner *w; uint8_t *rank; uint32_t *todo, n; } Urgent;

static void urge(Urgent *r, uint32_t u) {
  if (u == NO_UNIT || r->rank[u] == RANK_FIRST) return;
  r->rank[u] = RANK_FIRST;
  r->todo[r->n++] = u;
}

static void urge_read(void *ctx, NodeId user, uint32_t k, NodeId root) {
  Urgent *r = ctx;
  (void)user, (void)k;
  urge(r, r->w->unit[root]);
}

static void ranks(Sort *s) {
  Planner *w = s->w;
  uint32_t n = w->units.n, writers = 0;
  for (uint32_t u = 0; u < n; u++) {
    s->rank[u] = s->writes[u] ? RANK_WRITES : RANK_REST;
    writers += s->writes[u];
  }
  if (writers == 0) return;
  Urgent r = {.w = w, .rank = s->rank, .todo = NEW_N(w->tmp, uint32_t, n + 1)};
  for (uint32_t u = 0; u < n; u++)
    if (w->units.at[u].fails) urge(&r, u);
  for (uint32_t k = 0; k < w->n_out; k++)
    if (!w->out[k].cell) urge(&r, w->unit[w->out[k].root]);
  while (r.n > 0) plan_each_read(w, r.todo[--r.n], urge_read, &r);
}

static uint64_t key(const Sort *s, uint32_t u) {
  const Unit *unit = &s->w->units.at[u];
  return (uint64_t)s->rank[u] << 32 | unit->node[unit->n - 1];
}

static void heap_push(Sort *s, uint32_t u) {
  uint32_t k = s->n_heap++;
  for (; k > 0 && key(s, s->heap[(k - 1) / 2]) > key(s, u); k = (k - 1) / 2) s->heap[k] = s->heap[(k - 1) / 2];
  s->heap[k] = u;
}

static uint32_t heap_pop(Sort *s) {
  uint32_t top = s->heap[0], u = s->heap[--s->n_heap], k = 0;
  for (;;) {
    uint32_t c = 2 * k + 1;
    if (c >= s->n_heap) break;
    if (c + 1 < s->n_heap && key(s, s->heap[c + 1]) < key(s, s->heap[c])) c++;
    if (key(s, s->heap[c]) >= key(s, u)) break;
    s->heap[k] = s->heap[c];
    k = c;
  }
  s->heap[k] = u;
  return top;
}

/* Whether u's cells may be written now: nothing to come can fail or reads what it would overwrite. */
static bool ripe(Sort *s, uint32_t u) {
  const Planner *w = s->w;
  if (s->failing > 0) return false;
  s->u = u;
  bool ok = true;
  plan_each_read(w, u, own_read, s);
  for (uint32_t k = w->first_out[u]; k != NO_OUT && ok; k = w->next_out[k])
    if (plan_may_write(w, &w->out[k])) ok = s->readers[w->out[k].bind] == s->own[w->out[k].bind];
  plan_each_read(w, u, own_clear, s);
  return ok;
}

static void hold(Sort *s, uint32_t u) {
  s->held[s->n_held++] = u;
  s->held_at[u] = s->n_held;
}

static void let_go(Sort *s, uint32_t u) {
  uint32_t last = s->held[--s->n_held];
  s->held[s->held_at[u] - 1] = last;
  s->held_at[last] = s->held_at[u];
  s->held_at[u] = 0;
  heap_push(s, u);
}

static void ready(Sort *s, uint32_t u) {
  const Unit *unit = &s->w->units.at[u];
  if (s->writes[u] && !unit->fails && !ripe(s, u)) hold(s, u);
  else heap_push(s, u);
}

/* Nothing else is ready: the first of those that are held goes on, and is made apart from its cell. */
static void force(Sort *s) {
  uint32_t best = s->held[0];
  for (uint32_t k = 1; k < s->n_held; k++)
    if (key(s, s->held[k]) < key(s, best)) best = s->held[k];
  let_go(s, best);
}

static void release_all(Sort *s) {
  for (uint32_t k = s->n_held; k-- > 0;)
    if (ripe(s, s->held[k])) let_go(s, s->held[k]);
}

static void release_looked(Sort *s) {
  for (uint32_t k = 0; k < s->next_look.n; k++) {
    uint32_t u = s->next_look.at[k];
    if (s->held_at[u] && ripe(s, u)) let_go(s, u);
  }
  s->next_look.n = 0;
}

void order_units(Planner *w) {
  uint32_t n = w->units.n;
  Arena *a = w->tmp;
  Sort *s = &(Sort){.w = w};
  s->degree = NEW_N(a, uint32_t, n + 1);
  s->next = NEW_N(a, uint32_t, n + 1);
  s->heap = NEW_N(a, uint32_t, n + 1);
  s->held = NEW_N(a, uint32_t, n + 1);
  s->held_at = NEW_N(a, uint32_t, n + 1);
  s->rank = NEW_N(a, uint8_t, n + 1);
  s->writes = NEW_N(a, uint32_t, n + 1);
  s->readers = NEW_N(a, uint32_t, w->p->n_bind + 1);
  s->own = NEW_N(a, uint32_t, w->p->n_bind + 1);
  s->e.from = NEW_N(a, uint32_t, n + 2);
  for (s->u = 0; s->u < n; s->u++) {
    plan_each_read(w, s->u, count_read, s);
    s->failing += w->units.at[s->u].fails;
  }
  for (uint32_t u = 0; u < n; u++) {
    s->e.from[u + 1] += s->e.from[u];
    s->next[u] = s->e.from[u];
  }
  s->e.to = NEW_N(a, uint32_t, s->e.from[n] + 1);
  for (s->u = 0; s->u < n; s->u++) plan_each_read(w, s->u, add_edge, s);
  for (uint32_t k = 0; k < w->n_out; k++)
    if (plan_may_write(w, &w->out[k])) s->writes[w->unit[w->out[k].root]] = 1;
  ranks(s);
  w->order = NEW_N(a, uint32_t, n + 1);
  w->at = NEW_N(a, uint32_t, n + 1);
  for (uint32_t u = 0; u < n; u++)
    if (s->degree[u] == 0) ready(s, u);
  uint32_t done = 0;
  while (s->n_heap > 0 || s->n_held > 0) {
    if (s->n_heap == 0) force(s);
    uint32_t u = heap_pop(s);
    w->order[done++] = u;
    w->at[u] = done;
    s->u = u;
    bool last_to_fail = s->failing == 1 && w->units.at[u].fails;
    s->failing -= w->units.at[u].fails;
    plan_each_read(w, u, done_read, s);
    for (uint32_t k = s->e.from[u]; k < s->e.from[u + 1]; k++)
      if (--s->degree[s->e.to[k]] == 0) ready(s, s->e.to[k]);
    if (last_to_fail) release_all(s);
    else release_looked(s);
  }
  assert(done == n);
}

