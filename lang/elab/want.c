/* want: what is wanted of a value: a tensor, a number, a size, axes. In: a value as it was computed, the syntax that it
 * stands at, what it is for. Out: it as that, or a message that says what was found instead, and what it depends on.
 */
#include "elab/want.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/origin.h"
#include "elab/version.h"
#include "elab/seq.h"
#include "elab/show.h"
#include <string.h>

/* ---- what is wanted ---- */
void refuse_value(Elab *e, const Value *v, const Ast *at, const char *what) {
  if (v->kind == V_BAD) return;
  Diag *g = elab_error(e, at, E_WANTED, what, value_kind_text(e, v));
  if (v->kind == V_SEQ && v->seq->is_range) diag_hint(e->d, g, "its numbers as a tensor: `[i for i in 1..n]`");
  if (v->kind == V_FN) diag_hint(e->d, g, "call it: `%s(...)`", v->fn->name ? v->fn->name : "f");
  if (v->kind == V_INSTANCE) diag_hint(e->d, g, "call it with its input: `net(x)`");
  if (v->kind == V_LIST) diag_hint(e->d, g, "a bracket of tensors of one shape makes a tensor; these are not");
}

NodeId want_node(Elab *e, Value v, const Ast *at, const char *what) {
  v = value_decay(e, v);
  switch (v.kind) {
  case V_NODE: return v.node;
  case V_INT: return int_literal(e, v.i, at);
  case V_BOOL: return graph_const_like(e->g, BOOL, v.b, elab_loc(e, at));
  case V_LIST:
    if (v.items->n == 0) {   /* an empty bracket where a tensor is wanted */
      Type t = type_make(F64, 1, (int64_t[]){0});
      Tensor *x = tensor_new(&e->s->host, &t);
      NodeId n = graph_const(e->g, x, elab_loc(e, at));
      tensor_unref(x);
      e->g->node[n].flags |= NODE_FLEX | NODE_INTS;
      return n;
    }
    v = bracket_of(e, v.items->at, v.items->n, at);   /* a list of numbers, as `shape` gives one */
    if (v.kind == V_NODE) return v.node;
    /* fall through */
  default: refuse_value(e, &v, at, what); return NO_NODE;
  }
}

/* An argument goes by its bare name, other things by a phrase. */
const char *quoted_name(Elab *e, const char *what) {
  bool name = !strchr(what, ' ') && !strchr(what, '`') && strcmp(what, "this");
  return name ? arena_printf(e->a, "`%s`", what) : what;
}

static NodeId cast(Elab *e, NodeId n, DType d, const Ast *at) {
  if (node_type(e, n)->dtype == d && !node_flex(e, n)) return n;
  return emit_i(e, &op_cast, &n, 1, (int64_t[]){d}, 1, at);
}

NodeId want_float(Elab *e, Value v, const Ast *at, const char *what) {
  NodeId n = want_node(e, v, at, what);
  if (n == NO_NODE || node_flex(e, n)) return n;
  switch (node_type(e, n)->dtype) {
  case F32: case F64: return n;
  case BOOL: {
    Diag *g = elab_error(e, at, E_BOOL_ARITHMETIC, quoted_name(e, what));
    diag_hint(e->d, g, "write `f32(...)` to count true as 1");
    return NO_NODE;
  }
  default: return cast(e, n, F32, at);
  }
}

NodeId want_typed(Elab *e, Value v, DType d, const Ast *at, const char *what) {
  NodeId n = want_node(e, v, at, what);
  if (n == NO_NODE) return n;
  const Node *x = graph_at(e->g, n);
  DType has = x->type->dtype;
  if (x->flags & NODE_FLEX && has == F64) {
    if ((d == I32 || d == U8) && !(x->flags & NODE_INTS)) {
      Diag *g = elab_error(e, at, E_WANTED_DTYPE, quoted_name(e, what), dtype_name[d], "a number with a point");
      diag_hint(e->d, g, "write whole numbers, or `%s(...)` to cut what follows the point", dtype_name[d]);
      return NO_NODE;
    }
    if (d != BOOL || type_count(x->type) == 0) return ints_fit(e, n, d, at) ? cast(e, n, d, at) : NO_NODE;
  }
  if (has == d) return n;
  if (dtype_is_float(d) && (has == I32 || has == U8)) return cast(e, n, d, at);
  NodeId again = literal_as(e, n, d);
  if (again != NO_NODE) return again;
  Diag *g = elab_error(e, at, E_WANTED_DTYPE, quoted_name(e, what), dtype_name[d],
                       v.kind == V_INT ? value_kind_text(e, &v) : node_text(e, n));
  if (d == BOOL) diag_hint(e->d, g, "compare: `x != 0`");
  else diag_hint(e->d, g, "write `%s(...)` to convert it", dtype_name[d]);
  return NO_NODE;
}

static bool known_scalar(Elab *e, NodeId n, double *out) {
  const Node *x = graph_at(e->g, n);
  if (!(x->flags & NODE_KNOWN) || type_count(x->type) != 1) return false;
  const Tensor *t = graph_known(e->g, n);
  if (!t) return false;
  *out = tensor_get(t, 0);
  return true;
}

bool known_bool(Elab *e, Value v, bool *out) {
  if (v.kind == V_BOOL) {
    *out = v.b;
    return true;
  }
  double d;
  if (v.kind != V_NODE || node_type(e, v.node)->dtype != BOOL || node_type(e, v.node)->rank ||
      !known_scalar(e, v.node, &d))
    return false;
  *out = d != 0;
  return true;
}

bool known_int(Elab *e, Value v, int64_t *out) {
  if (v.kind == V_INT) {
    *out = v.i;
    return true;
  }
  if (v.kind != V_NODE) return false;
  const Node *x = graph_at(e->g, v.node);
  bool whole = x->type->dtype == I32 || x->type->dtype == U8 || x->flags & NODE_INTS;
  double d;
  if (!whole || x->type->rank || !known_scalar(e, v.node, &d)) return false;
  *out = (int64_t)d;
  return true;
}

bool want_int(Elab *e, Value v, const Ast *at, const char *what, int64_t *out) {
  v = value_decay(e, v);
  if (v.kind == V_BAD) return false;
  if (known_int(e, v, out)) return true;
  if (v.kind == V_NODE) {
    const Type *t = node_type(e, v.node);
    if (t->rank) {
      elab_error(e, at, E_WANTED, what, value_kind_text(e, &v));
    } else if (dtype_is_float((DType)t->dtype)) {
      Diag *g =
          elab_error(e, at, E_WANTED_INT, what, node_flex(e, v.node) ? "a number with a point" : type_show(e->a, t));
      diag_hint(e->d, g, "divide with `//`, or cut what follows the point with `i32(...)`");
    } else if (t->dtype == BOOL) {
      elab_error(e, at, E_WANTED, what, value_kind_text(e, &v));
    } else {
      say_depends(e, elab_error(e, at, E_NOT_KNOWN, what), v.node);
    }
    return false;
  }
  refuse_value(e, &v, at, what);
  return false;
}

bool want_bool(Elab *e, Value v, const Ast *at, const char *what, bool *out) {
  v = value_decay(e, v);
  if (v.kind == V_BAD) return false;
  if (known_bool(e, v, out)) return true;
  if (v.kind == V_NODE && node_type(e, v.node)->dtype == BOOL && !node_type(e, v.node)->rank)
    say_depends(e, elab_error(e, at, E_NOT_KNOWN, what), v.node);
  else refuse_value(e, &v, at, what);
  return false;
}

const char *want_string(Elab *e, Value v, const Ast *at, const char *what) {
  if (v.kind == V_STRING) return v.str->at;
  if (v.kind == V_TEXT) {
    Diag *g = elab_error(e, at, E_NOT_KNOWN, what);
    if (v.text->need.n) say_depends(e, g, v.text->need.at[0].node);
  } else refuse_value(e, &v, at, what);
  return NULL;
}
