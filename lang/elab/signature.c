/* signature: types and patterns as they are written. In: a type or pattern of the syntax, and a value. Out: the value
 * as the type wants it, names bound to its parts, or one message.
 *
 * A dimension name is bound where it is first met, in the scope of the call, and must agree everywhere else.
 */
#include "elab/signature.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/layer.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/mismatch.h"
#include "elab/names.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

static bool is_upper(const char *name) { return name[0] >= 'A' && name[0] <= 'Z'; }

void unknown_type(Elab *e, const Ast *type) {
  Diag *g = elab_error(e, type, E_UNKNOWN_TYPE, type->name);
  if (type->kind == A_TTENSOR && !strcmp(type->name, "int")) diag_hint(e->d, g, "a tensor of ints is `i32[...]`");
  else if (type->kind == A_TTENSOR && !strcmp(type->name, "float"))
    diag_hint(e->d, g, "a tensor of floats is `f32[...]`");
  else
    diag_hint(e->d, g, "types are `int float bool string fn`, `f32 f64 i32 u8 bool`, `[N, 3]`, `i32[N]`, `(a, b)`");
}

static bool wrong_type(Elab *e, const Ast *type, const Value *v, const Ast *at, const char *what) {
  const char *wanted = ast_text(e, type);
  DType d;
  if (type->kind == A_NAME && dtype_from_name(type->name, &d)) wanted = arena_printf(e->a, "a scalar %s", wanted);
  Diag *g = elab_error(e, at, E_ARGUMENT_TYPE, quoted_name(e, what), wanted, value_kind_text(e, v));
  if (!type->source->library) diag_mark_at(e->d, g, type->source, type->span, "declared here");
  return false;
}

void wrong_dimension(Elab *e, const Ast *dim, const Value *is) {
  const char *what = is->kind == V_INT ? "one size" : is->kind == V_TUPLE ? "any dimensions" : value_kind_text(e, is);
  Diag *g = elab_error(e, dim, E_DIMENSION_KIND, dim->name, what, dim->kind == A_REST ? "any dimensions" : "one size");
  diag_hint(e->d, g, "give one of them another name: `%s%s2`", dim->kind == A_REST ? ".." : "", dim->name);
}

/* lost: a size that cannot be computed, because of a mistake that was reported. */
static bool match_dim(Elab *e, const Ast *dim, int64_t size, Scope *dims, bool *lost) {
  if (dim->kind == A_NAME && is_upper(dim->name)) {
    Bound *b = scope_here(dims, dim->name);
    if (b && b->value.kind == V_INT) return b->value.i == size;
    if (b) {
      if (b->value.kind != V_BAD) wrong_dimension(e, dim, &b->value);
      *lost = true;
      return false;
    }
    scope_put(e, dims, dim->name, v_int(size), dim);
    return true;
  }
  int64_t want;
  bool ok = want_int(e, expr_in(e, dims, dim), dim, "a size in a type", &want);
  if (!ok) *lost = true;
  return ok && want == size;
}

static bool match_tensor(Elab *e, const Ast *type, const Type *t, Scope *dims, bool *lost) {
  int rest = -1;
  for (uint32_t k = 0; k < type->n; k++)
    if (type->kid[k]->kind == A_REST) rest = (int)k;
  int fixed = (int)type->n - (rest >= 0);
  if (rest < 0 ? t->rank != fixed : t->rank < fixed) return false;
  int more = t->rank - fixed;
  for (int k = 0, axis = 0; k < (int)type->n; k++) {
    const Ast *dim = type->kid[k];
    if (dim->kind != A_REST) {
      if (!match_dim(e, dim, t->dim[axis++], dims, lost)) return false;
      continue;
    }
    if (dim->name) {
      Bound *b = scope_here(dims, dim->name);
      if (b && b->value.kind != V_TUPLE) {
        if (b->value.kind != V_BAD) wrong_dimension(e, dim, &b->value);
        *lost = true;
        return false;
      }
      if (b) {
        if ((int)b->value.items->n != more) return false;
        for (int j = 0; j < more; j++)
          if (b->value.items->at[j].i != t->dim[axis + j]) return false;
      } else {
        Value sizes[MAX_RANK];
        for (int j = 0; j < more; j++) sizes[j] = v_int(t->dim[axis + j]);
        scope_put(e, dims, dim->name, v_items(e->a, V_TUPLE, sizes, (uint32_t)more), dim);
      }
    }
    axis += more;
  }
  return true;
}

static bool match_tuple(Elab *e, const Ast *type, Value *v, Scope *dims, DType *unmarked, const Ast *at,
                        const char *what) {
  if ((v->kind != V_TUPLE && v->kind != V_LIST) || v->items->n != type->n) return wrong_type(e, type, v, at, what);
  Value copy = v_items(e->a, V_TUPLE, v->items->at, v->items->n);
  for (uint32_t k = 0; k < type->n; k++)
    if (!match_type(e, type->kid[k], &copy.items->at[k], dims, unmarked, at, what)) return false;
  *v = copy;
  return true;
}

static bool match_int(Elab *e, const Ast *type, Value *v, const Ast *at, const char *what) {
  Value x = value_decay(e, *v);
  int64_t i;
  if (known_int(e, x, &i)) {
    *v = v_int(i);
    return true;
  }
  if (x.kind != V_NODE) return wrong_type(e, type, v, at, what);
  return want_int(e, x, at, strncmp(what, "the ", 4) ? arena_printf(e->a, "the int `%s`", what) : what, &i);
}

static bool match_float(Elab *e, const Ast *type, Value *v, const Ast *at, const char *what) {
  Value x = value_decay(e, *v);
  if (x.kind == V_INT) x = v_node(want_node(e, x, at, what));
  if (x.kind != V_NODE || !(graph_at(e->g, x.node)->flags & NODE_KNOWN) || node_type(e, x.node)->rank ||
      !dtype_is_float((DType)node_type(e, x.node)->dtype))
    return wrong_type(e, type, v, at, what);
  *v = x;
  return true;
}

/* `fn`, `int`, `f32`: what has no axes. */
static bool match_name(Elab *e, const Ast *type, Value *v, const Ast *at, const char *what) {
  const char *name = type->name;
  DType d;
  bool b;
  if (!strcmp(name, "int")) return match_int(e, type, v, at, what);
  if (!strcmp(name, "float")) return match_float(e, type, v, at, what);
  if (!strcmp(name, "fn")) return v->kind == V_FN || v->kind == V_INSTANCE || wrong_type(e, type, v, at, what);
  if (!strcmp(name, "string")) return v->kind == V_STRING || v->kind == V_TEXT || wrong_type(e, type, v, at, what);
  if (!strcmp(name, "bool") && known_bool(e, *v, &b)) {
    *v = v_bool(b);
    return true;
  }
  if (!dtype_from_name(name, &d)) {
    unknown_type(e, type);
    return false;
  }
  NodeId n = want_typed(e, *v, d, at, what);
  if (n == NO_NODE) return false;
  if (node_type(e, n)->rank) return wrong_type(e, type, v, at, what);
  *v = v_node(n);
  return true;
}

/* An unmarked tensor is f32 or f64, as the others of its signature. */
static bool match_unmarked(Elab *e, const Ast *type, NodeId n, DType *unmarked, const Ast *at, const char *what) {
  DType has = (DType)node_type(e, n)->dtype;
  if ((node_flex(e, n) && has == F64) || of_literals(e, n, F64)) return true;
  if (!dtype_is_float(has)) {
    Diag *g = elab_error(e, at, E_UNMARKED_TYPE, quoted_name(e, what), ast_text(e, type),
                         type_show(e->a, node_type(e, n)));
    diag_hint(e->d, g, "an unmarked `[..]` is f32 or f64: convert with `f32(...)`");
    return false;
  }
  if (*unmarked == N_DTYPES) *unmarked = has;
  if (*unmarked == has) return true;
  Diag *g = elab_error(e, at, E_MIXED_SIGNATURE, quoted_name(e, what), dtype_name[has], dtype_name[*unmarked]);
  diag_hint(e->d, g, "all unmarked tensors of a signature have one element type: convert with `%s(...)`",
            dtype_name[*unmarked]);
  return false;
}

bool match_type(Elab *e, const Ast *type, Value *v, Scope *dims, DType *unmarked, const Ast *at, const char *what) {
  if (v->kind == V_BAD) return false;
  if (type->kind == A_TTUPLE) return match_tuple(e, type, v, dims, unmarked, at, what);
  if (type->kind == A_NAME) return match_name(e, type, v, at, what);
  Value x = value_decay(e, *v);
  bool tensor = is_tensor(&x) || (x.kind == V_LIST && x.items->n == 0);
  if (!tensor) return wrong_type(e, type, v, at, what);
  DType d = N_DTYPES;
  if (type->name && !dtype_from_name(type->name, &d)) {
    unknown_type(e, type);
    return false;
  }
  NodeId n = type->name ? want_typed(e, x, d, at, what) : want_node(e, x, at, what);
  if (n == NO_NODE || (!type->name && !match_unmarked(e, type, n, unmarked, at, what))) return false;
  bool lost = false;
  if (match_tensor(e, type, node_type(e, n), dims, &lost)) {
    *v = v_node(n);
    return true;
  }
  if (lost) return false;
  const char *has = shape_show(e->a, node_type(e, n));
  Diag *g = elab_error(e, at, E_ARGUMENT_SHAPE, quoted_name(e, what), ast_text(e, type), has);
  say_argument(e, g, type, node_type(e, n), dims, at, what);
  return false;
}

bool elab_type(Elab *e, const Ast *type, Type *out) {
  *out = (Type){.dtype = F32};
  DType d = F32;
  if (type->kind == A_NAME && !strcmp(type->name, "float")) return true;
  if (type->kind == A_NAME && !strcmp(type->name, "int")) {
    out->dtype = I32;
    return true;
  }
  if (type->name && !dtype_from_name(type->name, &d)) {
    unknown_type(e, type);
    return false;
  }
  if (type->kind == A_TTUPLE) {
    elab_error(e, type, E_TENSOR_TYPE, ast_text(e, type));
    return false;
  }
  out->dtype = (uint8_t)d;
  if (type->kind == A_NAME) return true;
  for (uint32_t k = 0; k < type->n; k++) {
    const Ast *dim = type->kid[k];
    if (dim->kind == A_REST) {
      Bound *b = dim->name ? scope_find(e, e->here.scope, dim->name) : NULL;
      if (!b || b->value.kind != V_TUPLE) {
        elab_error(e, dim, E_REST_HERE);
        return false;
      }
      uint32_t rank = out->rank + b->value.items->n;
      if (rank > MAX_RANK) {
        elab_error(e, type, E_RANK_LIMIT, (int)rank, MAX_RANK);
        return false;
      }
      for (uint32_t j = 0; j < b->value.items->n; j++) out->dim[out->rank++] = b->value.items->at[j].i;
      continue;
    }
    int64_t size;
    if (!want_int(e, elab_expr(e, dim), dim, "a size", &size)) return false;
    if (size < 0) {
      elab_error(e, dim, E_NEGATIVE_SIZE, "a size", size);
      return false;
    }
    if (out->rank == MAX_RANK) {
      elab_error(e, type, E_RANK_LIMIT, (int)type->n, MAX_RANK);
      return false;
    }
    out->dim[out->rank++] = size;
  }
  if (!type_fits(out)) {
    elab_error(e, type, E_TOO_LARGE, shape_show(e->a, out));
    return false;
  }
  return true;
}

/* ---- patterns ---- */
static Diag *pattern_error(Elab *e, const Ast *p, const Ast *place, DiagId id, int n, const Value *v) {
  Diag *g = id == E_PATTERN_TUPLE ? elab_error(e, place ? place : p, id, n, value_kind_text(e, v))
                                  : elab_error(e, place ? place : p, id, n, (int)v->items->n);
  if (place) diag_note(e->d, g, loc_make(e->s->sources, p->source, p->span, 0), "the pattern is here");
  if (v->kind == V_NODE && node_type(e, v->node)->rank)
    diag_hint(e->d, g, "the rows of a tensor are `x[0]`, `x[1]`; its columns `x[:, 0]`, `x[:, 1]`");
  return g;
}

bool bind_pattern_at(Elab *e, Scope *s, const Ast *p, Value v, bool mutable_, const Ast *place) {
  if (p->kind == A_NAME) {
    if (strcmp(p->name, "_") != 0) scope_put(e, s, p->name, v, p)->mutable_ = mutable_;
    return v.kind != V_BAD;
  }
  bool ok = v.kind != V_BAD;
  if (p->kind == A_PTUPLE) {
    if (v.kind == V_RECORD) v = v_items(e->a, V_TUPLE, v.fields->at, v.fields->n);   /* (x, y) of a data set */
    bool fits = v.kind == V_TUPLE || v.kind == V_LIST;
    if (ok && (!fits || v.items->n != p->n)) {
      pattern_error(e, p, place, fits ? E_PATTERN_COUNT : E_PATTERN_TUPLE, (int)p->n, &v);
      ok = false;
    }
    for (uint32_t k = 0; k < p->n; k++)
      ok &= bind_pattern_at(e, s, p->kid[k], ok ? v.items->at[k] : v_bad(), mutable_, place);
    return ok;
  }
  for (uint32_t k = 0; k < p->n; k++) {
    const Ast *f = p->kid[k];
    Value x = ok ? member(e, v, f->name, place ? place : f) : v_bad();
    if (f->n && f->kid[0]) ok &= bind_pattern_at(e, s, f->kid[0], x, mutable_, place);
    else {
      scope_put(e, s, f->name, x, f)->mutable_ = mutable_;
      ok &= x.kind != V_BAD;
    }
  }
  return ok;
}

bool bind_pattern(Elab *e, Scope *s, const Ast *p, Value v, bool mutable_) {
  return bind_pattern_at(e, s, p, v, mutable_, NULL);
}
