/* draw: randomness is a function of the seed, the place and the turn. The place is the chain of names and calls that
 * leads to a draw, made a number while elaborating; seed and turns are inputs, so a turn never makes a new plan.
 *
 * What has no name (a loop), and the second call of a name, counts among its like in its block; but only what draws
 * counts: a place is made when the first draw in it asks. So a comment, an unrelated definition, or a loop without
 * draws changes no draw.
 */
#include "elab/draw.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/show.h"
#include <string.h>

enum { INDEX_FROM = 16 };

typedef struct Like { uint64_t name; uint32_t count; } Like;
typedef struct PlaceFrame {
  struct PlaceFrame *outer;
  struct PlaceFrame *same;   /* the place that this one is once more, or NULL */
  uint64_t name, hash;
  uint32_t turn;             /* of an unrolled loop, from 1: it is no count of what draws; 0: a name */
  bool made;                 /* it has its hash: a draw in it has asked */
  VEC(Like) like;
  uint32_t *index, cap;      /* of many: by hash, counted from 1 */
} PlaceFrame;

static uint64_t mix(uint64_t h, uint64_t x) {
  h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
  h *= 0xff51afd7ed558ccdu;
  h ^= h >> 33;
  return h;
}

static uint64_t hash_text(const char *s) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *s; s++) h = (h ^ (unsigned char)*s) * 0x100000001b3u;
  return h;
}

static uint32_t *slot_of(const PlaceFrame *f, uint64_t h) {
  uint32_t k = (uint32_t)(h >> 20) & (f->cap - 1);
  while (f->index[k] && f->like.at[f->index[k] - 1].name != h) k = (k + 1) & (f->cap - 1);
  return &f->index[k];
}

static void index_likes(Elab *e, PlaceFrame *f) {
  uint32_t cap = f->cap ? f->cap * 4 : 64;
  f->index = NEW_N(e->a, uint32_t, cap);
  f->cap = cap;
  for (uint32_t k = 0; k < f->like.n; k++) *slot_of(f, f->like.at[k].name) = k + 1;
}

static Like *find_like(const PlaceFrame *f, uint64_t h) {
  if (f->index) {
    uint32_t k = *slot_of(f, h);
    return k ? &f->like.at[k - 1] : NULL;
  }
  for (uint32_t k = 0; k < f->like.n; k++)
    if (f->like.at[k].name == h) return &f->like.at[k];
  return NULL;
}

static uint64_t next_like(Elab *e, PlaceFrame *f, uint64_t name) {
  Like *like = find_like(f, name);
  if (like) {
    arena_change(e->a, like, sizeof *like);
    return mix(mix(f->hash, name), like->count++);
  }
  arena_change(e->a, f, sizeof *f);
  vec_push(e->a, &f->like, (Like){name, 1});
  if (f->like.n >= INDEX_FROM && f->like.n * 2 > f->cap) {
    index_likes(e, f);
  } else if (f->index) {
    arena_change(e->a, slot_of(f, name), sizeof *f->index);
    *slot_of(f, name) = f->like.n;
  }
  return mix(mix(f->hash, name), 0);
}

/* The outermost that has no hash yet first: a call may stand in a thousand others. */
static uint64_t made(Elab *e, PlaceFrame *f) {
  while (!f->made) {
    PlaceFrame *g = f, *on;
    while (!(on = g->same ? g->same : g->outer)->made) g = on;
    arena_change(e->a, g, sizeof *g);
    if (g->same) g->hash = on->hash;
    else g->hash = g->turn ? mix(mix(on->hash, g->name), g->turn - 1) : next_like(e, on, g->name);
    g->made = true;
  }
  return f->hash;
}

PlaceFrame *place_root(Elab *e) {
  PlaceFrame *f = NEW(e->a, PlaceFrame);
  f->made = true;
  return f;
}

uint64_t place_hash(Elab *e) { return made(e, e->here.place); }

static PlaceFrame *frame_within(Elab *e) {
  PlaceFrame *f = NEW(e->a, PlaceFrame);
  f->outer = e->here.place;
  return e->here.place = f;
}

Where place_again(Elab *e, uint64_t hash) {
  Where outside = e->here;
  PlaceFrame *f = frame_within(e);
  f->hash = hash;
  f->made = true;
  return outside;
}

Where place_repeat(Elab *e) {
  Where outside = e->here;
  PlaceFrame *of = e->here.place;
  frame_within(e)->same = of;
  return outside;
}

Where place_enter(Elab *e, const char *name) {
  Where outside = e->here;
  frame_within(e)->name = hash_text(name);
  return outside;
}

Where place_turn(Elab *e, int64_t k) {
  Where outside = place_enter(e, "turn");
  e->here.place->turn = (uint32_t)k + 1;
  return outside;
}

void place_change(Elab *e) {
  if (e->here.place) arena_change(e->a, e->here.place, sizeof *e->here.place);
}

Counted place_counted(Elab *e, Arena *a) {
  const PlaceFrame *f = e->here.place;
  if (!f || !f->like.n) return (Counted){0};
  return (Counted){f->like.n, arena_copy(a, f->like.at, f->like.n * sizeof(Like))};
}

void place_count(Elab *e, const Counted *c) {
  if (!e->here.place) e->here.place = place_root(e);
  PlaceFrame *f = e->here.place;
  for (uint32_t k = 0; k < c->n; k++) {
    if (!find_like(f, c->at[k].name)) next_like(e, f, c->at[k].name);
    Like *like = find_like(f, c->at[k].name);
    arena_change(e->a, like, sizeof *like);
    like->count = c->at[k].count;
  }
}

void *place_keep(Elab *e) {
  PlaceFrame *kept = NEW(e->a, PlaceFrame);
  made(e, e->here.place);
  *kept = *e->here.place;
  kept->like.at = arena_copy(e->a, e->here.place->like.at ? e->here.place->like.at : (Like *)kept,
                             e->here.place->like.n * sizeof(Like));
  return kept;
}

void place_back(Elab *e, const void *from) {
  const PlaceFrame *kept = from;
  PlaceFrame *f = e->here.place;
  if (kept->like.n) memcpy(f->like.at, kept->like.at, kept->like.n * sizeof(Like));
  f->like.n = kept->like.n;
  if (!f->index) return;
  memset(f->index, 0, f->cap * sizeof *f->index);
  for (uint32_t k = 0; k < f->like.n; k++) *slot_of(f, f->like.at[k].name) = k + 1;
}

static NodeId i32_literal(Elab *e, uint32_t v) {
  Type t = type_scalar(I32);
  Tensor *x = tensor_new(&e->s->host, &t);
  memcpy(x->data, &v, sizeof v);
  NodeId n = graph_const(e->g, x, e->g->loc);
  tensor_unref(x);
  return n;
}

NodeId draw_key(Elab *e, const Ast *at) {
  made(e, e->here.place);
  uint64_t place = next_like(e, e->here.place, hash_text("~"));
  NodeId key = cell_read(e, e->seed, elab_loc(e, at));
  key = emit2(e, &op_fold_in, key, i32_literal(e, (uint32_t)place), at);
  key = emit2(e, &op_fold_in, key, i32_literal(e, (uint32_t)(place >> 32)), at);
  for (uint32_t k = 0; k < e->here.turns.n; k++) key = emit2(e, &op_fold_in, key, e->here.turns.at[k], at);
  return key;
}

Value elab_draw(Elab *e, const Type *t, const Ast *call) {
  if (call->kind != A_CALL) {
    Value f = elab_expr(e, call);
    Args none;
    if (f.kind == V_BAD) return f;
    if (f.kind != V_FN) {
      Diag *g = elab_error(e, call, E_WANTED, "a distribution behind `~`", value_kind_text(e, &f));
      diag_hint(e->d, g, "for example `~ normal(0, 1)`");
      return v_bad();
    }
    Type *kind = NEW(e->a, Type);
    *kind = *t;
    Value first = {.kind = V_TYPE, .type = kind};
    none = (Args){.n = 1, .at = &first, .name = (Sym[]){NULL}, .ast = (const Ast *[]){call}};
    return call_value(e, f, &none, call);
  }
  Type *kind = NEW(e->a, Type);
  *kind = *t;
  return elab_call(e, call, &(Value){.kind = V_TYPE, .type = kind});
}
