/* lists: functions over known things: lists, functions, and what can be known.
 * In: values. Out: values; a tensor among them stays a node.
 */
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/seq.h"
#include "elab/series.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/exec/run.h"
#include <string.h>

static Value n_len(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = value_decay(e, a[0].value);
  switch (v.kind) {
  case V_UNIT: return v_int(0);
  case V_LIST: case V_TUPLE: return v_int(v.items->n);
  case V_RECORD: return v_int(v.fields->n);
  case V_SERIES: return series_length(e, v.series, a[0].at);
  case V_STRING: {
    int64_t n = 0;
    for (uint32_t k = 0; k < v.str->n; k++) n += ((unsigned char)v.str->at[k] & 0xc0) != 0x80;
    return v_int(n);
  }
  case V_NODE:
    if (node_type(e, v.node)->rank > 0) return v_int(node_type(e, v.node)->dim[0]);
    break;
  case V_SEQ:
    return v.seq->count >= 0 ? v_int(v.seq->count) : v_node(v.seq->count_node);
  case V_FN:
    if (v.fn->kind == FN_CHAIN) return v_int(v.fn->captured->n);
    break;
  default: break;
  }
  elab_error(e, a[0].at, E_NO_LENGTH, value_kind_text(e, &v));
  return v_bad();
}

static Value n_append(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  Value v = value_decay(e, a[0].value), x = a[1].value;
  if (v.kind == V_NODE) {       /* a bracket of numbers is a tensor: one element more, as a bracket would have it */
    Diag *g = elab_error(e, a[0].at, E_APPEND, value_kind_text(e, &v));
    if (g) diag_hint(e->d, g, "join tensors by `concat((x, y))`; a list begins as `[]`");
    return v_bad();
  }
  if (v.kind != V_LIST && v.kind != V_UNIT) {
    elab_error(e, a[0].at, E_APPEND, value_kind_text(e, &v));
    return v_bad();
  }
  uint32_t n = v.kind == V_UNIT ? 0 : v.items->n;
  Items *out = NEW(e->a, Items);
  if (n > 0 && v.items->room && v.items->room->used == n && n < v.items->room->cap) {
    *out = *v.items;             /* nobody has written behind it yet */
  } else {
    out->room = NEW(e->a, Room);
    out->room->cap = n < 4 ? 8 : 2 * n;
    out->at = NEW_N(e->a, Value, out->room->cap);
    for (uint32_t k = 0; k < n; k++) out->at[k] = v.items->at[k];
  }
  out->at[n] = x;
  out->n = out->room->used = n + 1;
  return (Value){.kind = V_LIST, .items = out};
}

/* ---- map, filter, compose ---- */
typedef struct Mapped { Value f; const Ast *at; } Mapped;
static Value map_leaf(Elab *e, void *ctx, Value leaf) {
  Mapped *m = ctx;
  return call1(e, m->f, value_decay(e, leaf), m->at);
}

/* Lists go element by element; what holds parameters or tensors inside goes leaf by leaf. */
static Value map_value(Elab *e, Mapped *m, Value v, bool outer) {
  host_deeper(&e->s->host);
  if (v.kind == V_TUPLE || (v.kind == V_LIST && outer)) {
    Value out = v_items(e->a, (ValueKind)v.kind, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++) {
      Value x = v.items->at[k];
      bool tree = v.kind == V_TUPLE && (x.kind == V_TUPLE || x.kind == V_RECORD || x.kind == V_INSTANCE);
      out.items->at[k] = tree ? map_value(e, m, x, false) : call1(e, m->f, x, m->at);
      if (out.items->at[k].kind == V_BAD) return v_bad();
    }
    return out;
  }
  return tree_map(e, v, LEAF_PARAM | LEAF_STATE, map_leaf, m);
}

static Value n_map(Elab *e, const Arg *a, const Ast *at) {
  Mapped m = {a[0].value, at};
  Value v = a[1].value;
  if (v.kind == V_UNIT) return v;
  if (v.kind == V_TUPLE || v.kind == V_LIST) return map_value(e, &m, v, true);
  if (is_tree(e, &v)) return map_value(e, &m, v, true);
  v = value_decay(e, v);
  Value xs = v;
  if (v.kind == V_NODE && node_type(e, v.node)->rank > 0) {
    xs = seq_of(e, v, a[1].at);
    if (xs.kind == V_SEQ) {
      Diag *g = elab_error(e, a[1].at, E_MAP_TENSOR, value_kind_text(e, &v));
      if (g) diag_hint(e->d, g, "functions already work on whole tensors; `vmap(f)(x)` maps along the first axis");
      return v_bad();
    }
  } else xs = seq_of(e, v, a[1].at);
  if (xs.kind == V_LIST) return map_value(e, &m, xs, true);
  if (xs.kind != V_SEQ) return v_bad();
  if (xs.seq->count < 0 || xs.seq->count > 1000000) {
    elab_error(e, a[1].at, E_MAP_COUNT);
    return v_bad();
  }
  Value *out = NEW_N(e->a, Value, xs.seq->count + 1);
  for (int64_t k = 0; k < xs.seq->count; k++) {
    out[k] = call1(e, m.f, xs.seq->element(e, xs.seq, seq_piece(xs.seq, k), NO_NODE, k, at), at);
    if (out[k].kind == V_BAD) return v_bad();
  }
  return v_items(e->a, V_LIST, out, (uint32_t)xs.seq->count);
}

static Value n_filter(Elab *e, const Arg *a, const Ast *at) {
  Value xs = seq_of(e, a[1].value, a[1].at);
  if (xs.kind == V_BAD) return v_bad();
  int64_t n = xs.kind == V_LIST ? (int64_t)xs.items->n : xs.seq->count;
  if (n < 0 || n > 1000000 || (xs.kind == V_SEQ && !xs.seq->is_range)) {
    Diag *g = elab_error(e, a[1].at, E_FILTER, value_kind_text(e, &a[1].value));
    if (g) diag_hint(e->d, g, "the length of a list is known; for a tensor write `where(condition, x, 0)`");
    return v_bad();
  }
  Value *out = NEW_N(e->a, Value, n + 1);
  uint32_t kept = 0;
  for (int64_t k = 0; k < n; k++) {
    Value x = xs.kind == V_LIST ? xs.items->at[k] : xs.seq->element(e, xs.seq, 0, NO_NODE, k, at);
    bool keep;
    if (!want_bool(e, call1(e, a[0].value, x, at), a[0].at, "the answer of `filter`'s function", &keep))
      return v_bad();
    if (keep) out[kept++] = x;
  }
  return v_items(e->a, V_LIST, out, kept);
}

static Value n_compose(Elab *e, const Arg *a, const Ast *at) {
  VEC(Value) link = {0};
  for (uint32_t k = 0; k < a[0].n; k++) {
    Value v = a[0].rest[k].value;
    if (v.kind == V_FN && v.fn->kind == FN_CHAIN)
      for (uint32_t j = 0; j < v.fn->captured->n; j++) vec_push(e->a, &link, v.fn->captured->at[j]);
    else vec_push(e->a, &link, v);
  }
  if (link.n == 0) {
    elab_error(e, at, E_COMPOSE_NOTHING);
    return v_bad();
  }
  if (link.n == 1) return link.at[0];
  Fn *f = fn_new(e, FN_CHAIN, NULL);
  f->captured = v_items(e->a, V_LIST, link.at, link.n).items;
  return v_fn(f);
}

/* ---- known ---- */
/* Runs the formula now. Its leaves are literals and files; the copy of its slice dies with an arena of its own. */
static Tensor *compute(Elab *e, NodeId root, const Ast *at) {
  Arena *a = arena_new(arena_host(e->a));
  Graph *g = graph_new(a);
  g->kernels = e->s->kernels;
  NodeId *id;
  uint32_t n = graph_slice(e->g, &root, 1, NULL, NULL, &id);
  NodeId *to = NEW_N(a, NodeId, root + 1);
  Tensor **value = NEW_N(a, Tensor *, n);
  bool ok = true;
  for (uint32_t k = 0; k < n && ok; k++) {
    Node x = *graph_at(e->g, id[k]);
    if (x.op == &op_input) {
      SlotId slot = (SlotId)x.attr->i[0];
      Tensor *t = slot_tensor(e->s, slot, x.loc);
      if (!t) { ok = false; break; }
      to[id[k]] = graph_input(g, slot, x.type, x.loc);
      value[to[id[k]]] = t;
      continue;
    }
    NodeId in[64], *p = x.n_in <= 64 ? in : NEW_N(a, NodeId, x.n_in);
    for (uint32_t j = 0; j < x.n_in; j++) p[j] = to[x.in[j]];
    to[id[k]] = graph_emit(g, x.op, p, x.n_in, x.attr, x.loc, NULL);
  }
  Tensor *out = NULL;
  if (ok) {
    bool *ours = NEW_N(a, bool, n);
    for (uint32_t k = 0; k < n; k++) ours[k] = value[k] == NULL;
    Fault f = run_graph(arena_host(e->a), g, e->s->kernels, value);
    if (f.code == FAULT_NONE) out = tensor_ref(value[to[root]]);
    else elab_error(e, at, E_KNOWN_FAULT);
    for (uint32_t k = 0; k < n; k++)
      if (ours[k] && value[k]) tensor_unref(value[k]);
  }
  arena_free(a);
  return out;
}

static Value known_leaf(Elab *e, Value v, const Ast *at) {
  v = value_decay(e, v);
  if (v.kind != V_NODE) return v;
  const char *why = depends_text(e, v.node, true);
  if (why) {
    Diag *g = elab_error(e, at, E_KNOWN, why);
    if (g) say_depends(e, g, v.node);
    if (g) diag_hint(e->d, g, "what is known comes from literals, sizes and files");
    return v_bad();
  }
  if (graph_at(e->g, v.node)->flags & NODE_KNOWN && node_flex(e, v.node)) return v;
  Tensor *t = compute(e, v.node, at);
  if (!t) return v_bad();
  Value out = value_of_tensor(e, t, at);
  tensor_unref(t);
  return out;
}

static Value known_value(Elab *e, Value v, const Ast *at) {
  host_deeper(&e->s->host);
  if (v.kind == V_TUPLE || v.kind == V_LIST) {
    Value out = v_items(e->a, (ValueKind)v.kind, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++)
      if ((out.items->at[k] = known_value(e, v.items->at[k], at)).kind == V_BAD) return v_bad();
    return out;
  }
  return known_leaf(e, v, at);
}

static Value n_known(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return known_value(e, a[0].value, a[0].at);
}

const Native native_lists[] = {
    {"len", "x:any", n_len,
     "How many elements: of a list, tuple, record, string, chain or sequence; the first size of a tensor.",
     "len([1, 2, 3])   # => 3"},
    {"append", "xs:any, x:any", n_append,
     "The list with one element more at its end.", "len(append([], fn (x) = x))   # => 1"},
    {"map", "f:fn, xs:any", n_map, "f of each element of a list or tuple, or of each leaf of a tree.",
     "map(fn (a) = 2 * a, (1, 2))   # => (2, 4)"},
    {"filter", "f:fn, xs:any", n_filter, "The elements of a list for which f is true.",
     "len(filter(fn (a) = a > 1, 1..3))   # => 2"},
    {"compose", "fs:fn..", n_compose, "A chain of functions: `compose(f, g)` is `f >> g`.",
     "compose(exp, log)(2.0)   # => 2"},
    {"known", "x:any", n_known, "x computed while the script is checked, from literals and files only.",
     "known(max([3, 1, 2])) + 1   # => 4"},
    {0}};
