/* index: x[...]. In: the items as written. Out: slices, gathers and one reshape. (assign.c takes the same items to
 * replace a part.)
 *
 * Nothing clamps. What is known is checked here; what only the run knows is checked by slice_dyn and gather, which
 * fault. A slice whose bounds the run knows needs a known length: `to - from` is brought to a sum of terms over nodes,
 * and what is left must be a number. Ops are pure, so equal formulas over the same leaves are equal values, and i32
 * wraps alike on both sides: with the start within the axis, to = from + length holds exactly.
 */
#include "elab/index.h"
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/seq.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

/* ---- is to - from a number? ---- */
enum { MAX_TERMS = 16, MAX_LOOK = 64 };
typedef struct Term { NodeId node; int64_t times; } Term;
typedef struct Linear { Term term[MAX_TERMS]; uint32_t n; int64_t constant; bool lost; } Linear;

static bool same_formula(Elab *e, NodeId a, NodeId b, int depth) {
  if (a == b) return true;
  const Node *x = graph_at(e->g, a), *y = graph_at(e->g, b);
  if (depth == 0 || x->op != y->op || x->op == &op_input || x->type != y->type || x->n_in != y->n_in) return false;
  const Attr *p = x->attr, *q = y->attr;
  if (p->body || q->body || p->foreign || q->foreign || p->n != q->n || p->f[0] != q->f[0] || p->f[1] != q->f[1])
    return false;
  if (p->n && memcmp(p->i, q->i, p->n * sizeof *p->i) != 0) return false;
  if (p->value != q->value && (!p->value || !q->value || !tensor_same_bits(p->value, q->value))) return false;
  for (uint32_t k = 0; k < x->n_in; k++)
    if (!same_formula(e, x->in[k], y->in[k], depth - 1)) return false;
  return true;
}

static bool whole_number(Elab *e, NodeId n, int64_t *out) {
  const Node *x = graph_at(e->g, n);
  if (!(x->flags & NODE_KNOWN) || type_count(x->type) != 1) return false;
  Tensor *t = graph_known(e->g, n);
  if (!t) return false;
  double v = tensor_get(t, 0);
  if (!(v > -2147483649.0 && v < 2147483648.0) || v != (double)(int64_t)v) return false;
  *out = (int64_t)v;
  return true;
}

static void linear_add(Elab *e, Linear *s, NodeId n, int64_t times, int depth) {
  int64_t c;
  if (s->lost) return;
  if (times > INT32_MAX || times < INT32_MIN) { s->lost = true; return; }
  if (whole_number(e, n, &c)) { s->constant += c * times; return; }
  Node x = *graph_at(e->g, n);
  if (depth > 0 && (x.type->dtype == I32 || x.flags & NODE_INTS)) {
    const Node *of = x.n_in ? graph_at(e->g, x.in[0]) : NULL;
    bool whole = of && (of->type->dtype == I32 || of->flags & NODE_INTS);
    if (x.op == &op_cast && whole) { linear_add(e, s, x.in[0], times, depth - 1); return; }
    if (x.op == &op_add || x.op == &op_sub) {
      linear_add(e, s, x.in[0], times, depth - 1);
      linear_add(e, s, x.in[1], x.op == &op_add ? times : -times, depth - 1);
      return;
    }
    if (x.op == &op_neg) { linear_add(e, s, x.in[0], -times, depth - 1); return; }
    if (x.op == &op_mul)
      for (int k = 0; k < 2; k++)
        if (whole_number(e, x.in[k], &c)) { linear_add(e, s, x.in[1 - k], times * c, depth - 1); return; }
  }
  for (uint32_t k = 0; k < s->n; k++)
    if (same_formula(e, s->term[k].node, n, MAX_LOOK)) { s->term[k].times += times; return; }
  if (s->n == MAX_TERMS) { s->lost = true; return; }
  s->term[s->n++] = (Term){n, times};
}

static bool known_difference(Elab *e, NodeId from, NodeId to, int64_t *out) {
  Linear s = {0};
  linear_add(e, &s, to, 1, MAX_TERMS);
  linear_add(e, &s, from, -1, MAX_TERMS);
  for (uint32_t k = 0; k < s.n; k++)
    if (s.term[k].times != 0) return false;
  *out = s.constant;
  return !s.lost && s.constant <= INT32_MAX && s.constant >= INT32_MIN;
}

/* ---- reading the items ---- */
static const char *axis_text(Elab *e, int axis, const Type *t) {
  return t->rank == 1 ? "" : arena_printf(e->a, " of axis %d", axis);
}

/* An index: known (true, *known), or an i32 node (*node). false: reported. */
static bool read_index(Elab *e, Value v, const Ast *at, const char *what, bool tensors, bool *is_known, int64_t *known,
                       NodeId *node) {
  v = value_decay(e, v);
  *node = NO_NODE;
  *is_known = false;
  if (v.kind == V_BAD) return false;
  if (v.kind == V_INT) { *is_known = true; *known = v.i; return true; }
  if (v.kind == V_LIST && v.items->n == 0 && tensors) {
    *node = lower_ints(e, known, 0, at);
    return true;
  }
  Diag *g;
  if (v.kind == V_BOOL || (v.kind == V_NODE && node_type(e, v.node)->dtype == BOOL)) {
    if ((g = elab_error(e, at, E_BOOL_INDEX, what, value_kind_text(e, &v))))
      diag_hint(e->d, g, "to choose element by element write `where(condition, x, 0)`; shapes cannot depend on values");
    return false;
  }
  if (v.kind != V_NODE) {
    elab_error(e, at, E_INDEX_KIND, what, value_kind_text(e, &v));
    return false;
  }
  const Type *t = node_type(e, v.node);
  if (t->rank > 0 && !tensors) {
    elab_error(e, at, E_INDEX_SCALAR, what, value_kind_text(e, &v));
    return false;
  }
  bool whole = !dtype_is_float((DType)t->dtype);
  if (graph_at(e->g, v.node)->flags & NODE_INTS) whole = true;        /* literals: a label wants ints */
  NodeId chosen = whole ? NO_NODE : literal_as(e, v.node, I32);
  if (chosen != NO_NODE) {
    *node = chosen;
    return true;
  }
  if (!whole) {
    if ((g = elab_error(e, at, E_FLOAT_INDEX, what, value_kind_text(e, &v))))
      diag_hint(e->d, g, "`a // b` divides to a whole number, `i32(x)` truncates");
    return false;
  }
  if (t->rank == 0 && known_int(e, v, known)) { *is_known = true; return true; }
  *node = lower_cast(e, v.node, I32, at);
  return *node != NO_NODE;
}

static bool check_index(Elab *e, int64_t *i, int64_t n, const Ast *at, const char *of) {
  if (*i >= n || *i < -n) {
    Diag *g = elab_error(e, at, E_INDEX_RANGE, (long long)*i, (long long)n, of);
    if (g && n > 0)
      diag_hint(e->d, g, "indices run from 0 to %lld, or from -%lld to -1", (long long)(n - 1), (long long)n);
    return false;
  }
  if (*i < 0) *i += n;
  return true;
}

bool index_cut(Elab *e, const Ast *ast, bool has_from, int64_t from, bool has_to, int64_t to, int64_t by, int64_t n,
               const char *of, Cut *out) {
  int64_t first = from, last = to;
  if (by > 0) {
    if (!has_from) from = 0; else if (from < 0) from += n;
    if (!has_to) to = n; else if (to < 0) to += n;
    if (from < 0 || from > n || to < 0 || to > n) goto range;
    *out = (Cut){from, to > from ? (to - from - 1) / by + 1 : 0, by};
  } else {
    if (!has_from) from = n - 1; else if (from < 0) from += n;
    if (!has_to) to = -1; else if (to < 0) to += n;
    if (from < (n == 0 ? -1 : 0) || from > n - 1 || to < -1 || to > n - 1) goto range;
    *out = (Cut){from, from > to ? 1 - (from - to - 1) / by : 0, by};
  }
  if (out->count == 0) *out = (Cut){0, 0, 1};
  if (out->count == 1) out->by = 1;
  return true;
range:;
  Diag *g = elab_error(e, ast, E_SLICE_RANGE, (long long)(has_from ? first : from), (long long)(has_to ? last : to),
                       (long long)n, of);
  if (g) diag_hint(e->d, g, "slices do not clamp; leave an end out (`x[a:]`) to mean the last");
  return false;
}

static bool read_slice(Elab *e, const Ast *ast, int64_t n, const char *of, Item *item) {
  bool has[2] = {false, false}, is_known[2] = {true, true};
  int64_t v[2] = {0, 0}, by = 1;
  NodeId node[2] = {NO_NODE, NO_NODE};
  for (int k = 0; k < 2; k++) {
    if (!ast->kid[k]) continue;
    has[k] = true;
    if (!read_index(e, elab_expr(e, ast->kid[k]), ast->kid[k], "an end of a slice", false, &is_known[k], &v[k],
                    &node[k]))
      return false;
  }
  if (ast->kid[2] && !want_int(e, elab_expr(e, ast->kid[2]), ast->kid[2], "the step of a slice", &by)) return false;
  if (by == 0) {
    elab_error(e, ast->kid[2], E_SLICE_STEP);
    return false;
  }
  if (is_known[0] && is_known[1]) {
    item->kind = ITEM_SLICE;
    return index_cut(e, ast, has[0], v[0], has[1], v[1], by, n, of, &item->cut);
  }
  int64_t length;
  Diag *g;
  if (!has[0] || !has[1] || is_known[0] != is_known[1] || !known_difference(e, node[0], node[1], &length)) {
    NodeId run = is_known[1] ? node[0] : node[1];
    const char *why = depends_text(e, run, false);
    if ((g = elab_error(e, ast, E_SLICE_LENGTH, why ? why : "the run")))
      diag_hint(e->d, g, "write both ends from one place, e.g. `x[i : i + 64]`");
    return false;
  }
  if (by < 0) length = -length;
  if (length < 0) length = 0;
  if (length > n) {
    elab_error(e, ast, E_SLICE_LONG, (long long)length, (long long)n, of);
    return false;
  }
  item->kind = ITEM_SPAN;
  item->node = node[0];
  item->length = length;
  item->cut = (Cut){0, length ? (length - 1) / (by < 0 ? -by : by) + 1 : 0, by};
  if (by < 0 && length) {     /* the window is read from its end: it begins behind `to` */
    Value first = elab_binary(e, '+', v_node(node[1]), v_node(lower_number(e, I32, 1, ast)), ast);
    if (first.kind != V_NODE) return false;
    item->node = first.node;
    item->cut.from = length - 1;
  }
  if (item->cut.count <= 1 && by > 0) item->cut.by = 1;
  return true;
}

bool index_read(Elab *e, const Ast *ast, const Type *t, ItemList *list) {
  uint32_t used = 0, rests = 0, gathers = 0;
  for (uint32_t k = 1; k < ast->n; k++) {
    if (ast->kid[k]->kind == A_NONE) continue;
    if (ast->kid[k]->kind == A_REST) rests++;
    else used++;
  }
  if (rests > 1) {
    elab_error(e, ast, E_INDEX_RESTS);
    return false;
  }
  if (used > t->rank) {
    Diag *g = elab_error(e, ast->kid[ast->n - 1], E_INDEX_MANY, used, shape_show(e->a, t), t->rank,
                         t->rank == 1 ? "axis" : "axes");
    if (g && t->rank == 0) diag_hint(e->d, g, "a scalar has no axes to index");
    return false;
  }
  if (ast->n - 1 - rests + t->rank > 2 * MAX_RANK) {
    elab_error(e, ast, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return false;
  }
  int axis = 0;
  list->n = 0;
  bool seen_rest = false;
  for (uint32_t k = 1; k <= ast->n; k++) {
    const Ast *at = k < ast->n ? ast->kid[k] : NULL;
    if (!at || at->kind == A_REST) {
      if (!at && seen_rest) break;
      for (uint32_t j = 0; j < t->rank - used; j++, axis++)
        list->at[list->n++] =
            (Item){.kind = ITEM_SLICE, .axis = axis, .cut = {0, t->dim[axis], 1}, .ast = at ? at : ast};
      seen_rest = true;
      continue;
    }
    Item *item = &list->at[list->n++];
    *item = (Item){.axis = axis, .ast = at, .node = NO_NODE};
    if (at->kind == A_NONE) { item->kind = ITEM_NEW; continue; }
    const char *of = axis_text(e, axis, t);
    int64_t n = t->dim[axis++];
    if (at->kind == A_SLICE) {
      if (!read_slice(e, at, n, of, item)) return false;
      continue;
    }
    bool is_known;
    int64_t i;
    if (!read_index(e, elab_expr(e, at), at, "an index", true, &is_known, &i, &item->node)) return false;
    if (is_known) {
      if (!check_index(e, &i, n, at, of)) return false;
      item->kind = ITEM_AT;
      item->cut = (Cut){i, 1, 1};
    } else if (node_type(e, item->node)->rank == 0) {
      item->kind = ITEM_TURN;
      item->cut = (Cut){0, 1, 1};
    } else {
      item->kind = ITEM_GATHER;
      if (++gathers > 1) {
        Diag *g = elab_error(e, at, E_INDEX_GATHERS);
        if (g)
          diag_hint(e->d, g, "each with each: `x[i][:, j]`; in pairs: `take_along`, or one flat index `i * n + j`");
        return false;
      }
      if (graph_at(e->g, item->node)->flags & NODE_KNOWN) {
        Tensor *x = graph_known(e->g, item->node);
        for (int64_t j = 0; x && j < type_count(&x->type); j++)
          if ((i = (int64_t)tensor_get(x, j)), !check_index(e, &i, n, at, of)) return false;
      }
    }
  }
  return true;
}

/* ---- reading ---- */
static Value index_tensor(Elab *e, const Ast *ast, NodeId base) {
  Type t = *node_type(e, base);
  ItemList list;
  if (!index_read(e, ast, &t, &list)) return v_bad();
  Cut cut[MAX_RANK] = {0};
  for (uint32_t k = 0; k < list.n; k++) {
    const Item *m = &list.at[k];
    if (m->kind == ITEM_NEW) continue;
    cut[m->axis] = m->kind == ITEM_AT || m->kind == ITEM_SLICE ? m->cut : (Cut){0, t.dim[m->axis], 1};
  }
  NodeId x = lower_slice(e, base, cut, ast);
  for (uint32_t k = 0; x != NO_NODE && k < list.n; k++) {
    const Item *m = &list.at[k];
    if (m->kind == ITEM_TURN) {
      int64_t one = 1;
      NodeId i = lower_reshape(e, m->node, 1, &one, m->ast);
      x = i == NO_NODE ? i : lower_gather(e, x, i, m->axis, m->ast);
    } else if (m->kind == ITEM_SPAN) {
      x = lower_slice_dyn(e, x, m->axis, m->node, m->length, m->ast);
      if (x != NO_NODE && m->cut.by != 1) x = lower_rows(e, x, m->axis, m->cut.from, m->cut.count, m->cut.by, m->ast);
    }
  }
  if (x == NO_NODE) return v_bad();
  /* The gather makes its axis several: last, as it moves those after it. */
  int shift = 0, gathered = -1;
  for (uint32_t k = 0; k < list.n; k++)
    if (list.at[k].kind == ITEM_GATHER) {
      const Item *m = &list.at[k];
      gathered = m->axis;
      shift = node_type(e, m->node)->rank - 1;
      if (t.rank + shift > MAX_RANK) {
        elab_error(e, m->ast, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
        return v_bad();
      }
      if ((x = lower_gather(e, x, m->node, m->axis, m->ast)) == NO_NODE) return v_bad();
    }
  const Type *now = node_type(e, x);
  int64_t dim[3 * MAX_RANK];
  int rank = 0;
  uint32_t stretch = 0;
  for (uint32_t k = 0; k < list.n; k++) {
    const Item *m = &list.at[k];
    if (rank > MAX_RANK) break;
    if (m->kind == ITEM_NEW) {
      stretch |= 1u << rank;
      dim[rank++] = 1;
    } else if (m->kind == ITEM_GATHER) {
      for (int j = 0; j <= shift; j++) dim[rank++] = now->dim[m->axis + j];
    } else if (m->kind != ITEM_AT && m->kind != ITEM_TURN) {
      dim[rank++] = now->dim[m->axis + (gathered >= 0 && m->axis > gathered ? shift : 0)];
    }
  }
  if (rank > MAX_RANK) {
    elab_error(e, ast, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  x = lower_reshape(e, x, rank, dim, ast);
  if (x == NO_NODE) return v_bad();
  Value v = v_node(x);
  v.stretch = (uint16_t)stretch;
  return v;
}

bool index_one(Elab *e, const Ast *ast, int64_t n, const char *what, bool tensors, Cut *cut) {
  if (ast->n != 2 || ast->kid[1]->kind == A_NONE || ast->kid[1]->kind == A_REST) {
    elab_error(e, ast, E_INDEX_ONE, what);
    return false;
  }
  const Ast *at = ast->kid[1];
  const char *of = arena_printf(e->a, " of %s", what);
  if (at->kind == A_SLICE) {
    bool has[2] = {false, false};
    int64_t v[2] = {0, 0}, by = 1;
    for (int k = 0; k < 2; k++)
      if ((has[k] = at->kid[k] != NULL) &&
          !want_int(e, elab_expr(e, at->kid[k]), at->kid[k], "an end of a slice", &v[k]))
        return false;
    if (at->kid[2] && !want_int(e, elab_expr(e, at->kid[2]), at->kid[2], "the step of a slice", &by)) return false;
    if (by == 0) {
      elab_error(e, at->kid[2], E_SLICE_STEP);
      return false;
    }
    return index_cut(e, at, has[0], v[0], has[1], v[1], by, n, of, cut);
  }
  Value v = value_decay(e, elab_expr(e, at));
  bool is_known;
  NodeId node;
  int64_t i;
  if (!read_index(e, v, at, "an index", false, &is_known, &i, &node)) return false;
  if (!is_known) {
    const char *why = depends_text(e, node, false);
    Diag *g = elab_error(e, at, E_INDEX_OF_RUN, what, why ? why : "the run");
    if (g) diag_hint(e->d, g, tensors ? "a tensor can be indexed by the run: `stack(xs)[i]`" :
                     "go through what it holds: `for x in xs`, or `for (i, x) in enumerate(xs)`");
    return false;
  }
  if (!check_index(e, &i, n, at, of)) return false;
  *cut = (Cut){i, -1, 1};
  return true;
}

static bool of_tensors(const Items *items) {
  for (uint32_t k = 0; k < items->n; k++) {
    ValueKind v = items->at[k].kind;
    if (v != V_NODE && v != V_CELL && v != V_INT && v != V_BOOL) return false;
  }
  return true;
}

static Value index_items(Elab *e, const Ast *ast, const Items *items, ValueKind kind) {
  Cut cut;
  if (!index_one(e, ast, items->n, kind == V_LIST ? "a list" : "a tuple", of_tensors(items), &cut)) return v_bad();
  if (cut.count < 0) return items->at[cut.from];
  Value *out = NEW_N(e->a, Value, cut.count + 1);
  for (int64_t k = 0; k < cut.count; k++) out[k] = items->at[cut.from + k * cut.by];
  return v_items(e->a, kind, out, (uint32_t)cut.count);
}

static Value index_chain(Elab *e, const Ast *ast, const Fn *chain) {
  Cut cut;
  const Items *links = chain->captured;
  if (!index_one(e, ast, links->n, "a chain", false, &cut)) return v_bad();
  if (cut.count < 0) return links->at[cut.from];
  if (cut.count == 0) {
    elab_error(e, ast, E_INDEX_NO_LINKS);
    return v_bad();
  }
  Fn *f = fn_new(e, FN_CHAIN, NULL);
  f->captured = NEW(e->a, Items);
  f->captured->n = (uint32_t)cut.count;
  f->captured->at = NEW_N(e->a, Value, cut.count);
  for (int64_t k = 0; k < cut.count; k++) f->captured->at[k] = links->at[cut.from + k * cut.by];
  return v_fn(f);
}

static Value index_record(Elab *e, const Ast *ast, const Fields *fields) {
  if (ast->n != 2 || ast->kid[1]->kind != A_STRING) {
    Diag *g = elab_error(e, ast, E_INDEX_RECORD);
    if (g) diag_hint(e->d, g, "write `r.name`, or `r[\"a name with spaces\"]`");
    return v_bad();
  }
  const char *name = want_string(e, elab_expr(e, ast->kid[1]), ast->kid[1], "a field's name");
  if (!name) return v_bad();
  for (uint32_t k = 0; k < fields->n; k++)
    if (strcmp(fields->name[k], name) == 0) return fields->at[k];
  Diag *g = elab_error(e, ast->kid[1], E_NO_MEMBER, "the record", name);
  const char *like = nearest(name, fields->name, fields->n);
  if (g && like) diag_hint(e->d, g, "did you mean \"%s\"?", like);
  return v_bad();
}

/* `f64[3]` where a value stands: a type, the first argument of what makes tensors. */
static Value index_type(Elab *e, const Ast *ast, DType d) {
  Type t = {.dtype = (uint8_t)d};
  if (ast->n - 1 > MAX_RANK) {
    elab_error(e, ast, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
    return v_bad();
  }
  for (uint32_t k = 1; k < ast->n; k++) {
    const Ast *at = ast->kid[k];
    if (at->kind == A_SLICE || at->kind == A_NONE || at->kind == A_REST) {
      elab_error(e, at, E_TYPE_SIZES, dtype_name[d]);
      return v_bad();
    }
    int64_t n;
    if (!want_int(e, elab_expr(e, at), at, "a size", &n)) return v_bad();
    if (n < 0) {
      elab_error(e, at, E_NEGATIVE_SIZE, "a size", (int64_t)n);
      return v_bad();
    }
    t.dim[t.rank++] = n;
  }
  if (!type_fits(&t)) {
    elab_error(e, ast, E_TOO_LARGE, shape_show(e->a, &t));
    return v_bad();
  }
  return (Value){.kind = V_TYPE, .type = graph_type(e->g, &t)};
}

Value elab_index(Elab *e, const Ast *ast, Value base) {
  DType d;
  base = value_decay(e, base);
  switch (base.kind) {
  case V_BAD: return base;
  case V_NODE: return index_tensor(e, ast, base.node);
  case V_LIST: case V_TUPLE: return index_items(e, ast, base.items, (ValueKind)base.kind);
  case V_RECORD: return index_record(e, ast, base.fields);
  case V_FN:
    if (base.fn->kind == FN_CHAIN) return index_chain(e, ast, base.fn);
    if (cast_type(&base, &d)) return index_type(e, ast, d);
    break;
  case V_SEQ: {
    Cut cut;
    if (base.seq->count < 0) break;
    if (!index_one(e, ast, base.seq->count, "a sequence", false, &cut)) return v_bad();
    if (cut.count >= 0) return seq_cut(e, base, cut.from, cut.count, cut.by);
    return base.seq->element(e, base.seq, seq_piece(base.seq, cut.from), NO_NODE, cut.from, ast);
  }
  default: break;
  }
  Diag *g = elab_error(e, ast, E_INDEX_WHAT, value_kind_text(e, &base));
  if (g && base.kind == V_FN) diag_hint(e->d, g, "to call it write `f(x)`; a chain `f >> g` has links `[0]`, `[1:]`");
  return v_bad();
}
