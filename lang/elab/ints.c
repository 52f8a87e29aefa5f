/* ints: known whole numbers. See ints.h. */
#include "elab/ints.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/show.h"
#include "elab/want.h"

static bool is_number(Elab *e, const Value *v) {
  return v->kind == V_NODE && node_type(e, v->node)->rank == 0 && node_type(e, v->node)->dtype != BOOL;
}

bool read_int(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out) {
  if (known_int(r->e, v, out)) return true;
  if (is_number(r->e, &v)) return want_int(r->e, v, at, subject(r, q), out);
  return refuse_as(r, q, &v, at);
}

bool read_size(const Reader *r, const FaceParam *q, Value v, const Ast *at, int64_t *out) {
  if (!read_int(r, q, v, at, out)) return false;
  if (*out >= 0 && *out <= INT32_MAX) return true;
  Type t = type_make(I32, 1, out);
  if (*out < 0) elab_error(r->e, at, E_NEGATIVE_SIZE, subject(r, q), *out);
  else elab_error(r->e, at, E_TOO_LARGE, shape_show(r->e->a, &t));
  return false;
}

bool in_rank(const Reader *r, int64_t *axis, const Ast *at) {
  int rank = r->rank < 0 ? 0 : r->rank;
  if (*axis < -rank || *axis >= rank) {
    Diag *g = elab_error(r->e, at, E_AXIS_RANGE, *axis, rank);
    if (rank) diag_hint(r->e->d, g, "axes count from 0 to %d, or from -%d to -1", rank - 1, rank);
    else diag_hint(r->e->d, g, "a scalar has no axis to go along; of several numbers it is `%s([1, 2])`", r->fn);
    return false;
  }
  if (*axis < 0) *axis += rank;
  return true;
}

const int64_t *known_ints(Elab *e, NodeId n, uint32_t *count) {
  const Node *x = graph_at(e->g, n);
  bool whole = x->flags & NODE_INTS || x->type->dtype == I32 || x->type->dtype == U8;
  const Tensor *t = whole && x->flags & NODE_KNOWN ? graph_known(e->g, n) : NULL;
  if (!t) return NULL;
  *count = (uint32_t)type_count(&t->type);
  int64_t *out = NEW_N(e->a, int64_t, *count + 1);
  for (uint32_t k = 0; k < *count; k++) {  /* what a double does not count is too large in any case */
    double d = tensor_get(t, k);
    out[k] = d < 9e15 && d > -9e15 ? (int64_t)d : d < 0 ? -INT64_MAX : INT64_MAX;
  }
  return out;
}

/* Of a bracket; NULL: reported. */
static const int64_t *bracket_ints(const Reader *r, const FaceParam *q, Value v, const Ast *at, uint32_t *n) {
  Elab *e = r->e;
  const int64_t *known = known_ints(e, v.node, n);
  if (known) return known;
  const char *what = subject(r, q);
  if (!(graph_at(e->g, v.node)->flags & NODE_KNOWN)) {
    say_depends(e, elab_error(e, at, E_NOT_KNOWN, what), v.node);
    return NULL;
  }
  if (what[0] == '`') what = arena_printf(e->a, "each number in %s", what);
  Diag *g = elab_error(e, at, E_WANTED_INT, what, value_kind_text(e, &v));
  diag_hint(e->d, g, "divide with `//`, or cut what follows the point with `i32(...)`");
  return NULL;
}

typedef VEC(int64_t) Ints;

/* Of tuples and lists in one another. */
static bool nested_ints(const Reader *r, const FaceParam *q, Value v, const Ast *at, Ints *out) {
  Elab *e = r->e;
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  bool items = v.kind == V_LIST || v.kind == V_TUPLE;
  for (uint32_t k = 0; items && k < v.items->n; k++)
    if (!nested_ints(r, q, v.items->at[k], at, out)) return false;
  if (items || v.kind == V_UNIT) return true;
  uint32_t n = 1;
  int64_t one;
  const int64_t *i = &one;
  if (v.kind == V_NODE && node_type(e, v.node)->rank) i = bracket_ints(r, q, v, at, &n);
  else if (!read_int(r, q, v, at, &one)) return false;
  for (uint32_t k = 0; i && k < n; k++) vec_push(e->a, out, i[k]);
  return i != NULL;
}

bool read_nested(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *arg) {
  Ints i = {0};
  if (!nested_ints(r, q, v, at, &i)) return false;
  arg->n = i.n;
  arg->ints = i.at;
  return true;
}

const int64_t *read_ints(const Reader *r, const FaceParam *q, Value v, const Ast *at, uint32_t *n) {
  Elab *e = r->e;
  bool items = v.kind == V_LIST || v.kind == V_TUPLE;
  if (v.kind == V_NODE && node_type(e, v.node)->rank == 1) return bracket_ints(r, q, v, at, n);
  *n = items ? v.items->n : v.kind != V_UNIT;
  int64_t *out = NEW_N(e->a, int64_t, *n + 1);
  for (uint32_t k = 0; k < *n; k++)
    if (!read_int(r, q, items ? value_decay(e, v.items->at[k]) : v, at, &out[k])) return NULL;
  return out;
}

bool read_axes(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  uint32_t n, rank = r->rank < 0 ? 0 : (uint32_t)r->rank;
  if (rank > MAX_RANK) {
    elab_error(r->e, at, E_RANK_LIMIT, (int)rank, MAX_RANK);
    return false;
  }
  int64_t *axes = NEW_N(r->e->a, int64_t, rank + 1);
  bool taken[MAX_RANK] = {false}, all = v.kind == V_ABSENT || v.kind == V_UNIT;
  const int64_t *given_ = all ? NULL : read_ints(r, q, v, at, &n);
  if (!all && !given_) return false;
  for (uint32_t k = 0; !all && k < n; k++) {
    int64_t axis = given_[k];
    if (!in_rank(r, &axis, at)) return false;
    if (taken[axis]) {
      elab_error(r->e, at, E_AXIS_TWICE, axis);
      return false;
    }
    taken[axis] = true;
  }
  for (uint32_t k = 0; k < rank; k++)
    if (all || taken[k]) axes[out->n++] = k;
  out->ints = axes;
  return true;
}

bool read_perm(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  uint32_t n, rank = r->rank < 0 ? 0 : (uint32_t)r->rank;
  int64_t *order = NEW_N(r->e->a, int64_t, rank + 1);
  bool seen[MAX_RANK] = {false}, none = v.kind == V_ABSENT;
  const int64_t *given_ = none ? NULL : read_ints(r, q, v, at, &n);
  if (!none && !given_) return false;
  bool good = none || n == rank;
  for (uint32_t k = 0; good && k < rank; k++) {
    int64_t axis = none ? rank - 1 - k : given_[k] < 0 ? given_[k] + rank : given_[k];
    good = axis >= 0 && axis < rank && !seen[axis];
    if (good) seen[axis] = true;
    order[k] = axis;
  }
  if (!good) elab_error(r->e, at, E_PERMUTE, (int)rank, (int)rank - 1);
  out->n = rank;
  out->ints = order;
  return good;
}

bool read_pair(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  const int64_t *i = read_ints(r, q, v, at, &out->n);
  if (!i) return false;
  if (out->n < 1 || out->n > 2) return refuse_as(r, q, &v, at);
  int64_t *pair = NEW_N(r->e->a, int64_t, 2);
  pair[0] = i[0];
  pair[1] = i[out->n - 1];
  out->n = 2;
  out->ints = pair;
  return true;
}

bool read_dims(const Reader *r, const FaceParam *q, Value v, const Ast *at, Type *t) {
  uint32_t n;
  const int64_t *i = read_ints(r, q, v, at, &n);
  if (!i) return false;
  if (n > MAX_RANK) {
    elab_error(r->e, at, E_RANK_LIMIT, (int)n, MAX_RANK);
    return false;
  }
  *t = type_make(F32, (int)n, i);
  for (uint32_t k = 0; k < n; k++)
    if (i[k] < 0) {
      elab_error(r->e, at, E_NEGATIVE_SIZE, subject(r, q), i[k]);
      return false;
    }
  if (!type_fits(t)) elab_error(r->e, at, E_TOO_LARGE, shape_show(r->e->a, t));
  return type_fits(t);
}

bool read_sizes(const Reader *r, const FaceParam *q, Value v, const Ast *at, Arg *out) {
  Type *t = NEW(r->e->a, Type);
  if (!read_dims(r, q, v, at, t)) return false;
  out->n = t->rank;
  out->ints = t->dim;
  return true;
}

bool the_axis(const Reader *r, Arg *out) {
  if (r->rank <= 1) return in_rank(r, &out->i, out->at);
  const char *text = "`%s` of more than one axis wants to know which: `axis = 0`";
  Diag *g = elab_said(r->e, out->at, E_LIBRARY_WANTS, arena_printf(r->e->a, text, r->fn));
  diag_hint(r->e->d, g, "or all of them, one after another: `%s(flatten(x, start = 0))`", r->fn);
  return false;
}
