/* casts: f32 f64 i32 u8 bool. In: a number, text, tensor, or a tree of them, nets too. Out: it in that element type,
 * known where it was known.
 */
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include "elab/want.h"
#include "runtime/base/locale.h"
#include <math.h>
#include <stdlib.h>

typedef struct Cast { DType d; const Ast *at; } Cast;

static double truncated(double v, double low, double high) {
  if (v != v) return 0;
  v = trunc(v);
  return v < low ? low : v > high ? high : v;
}

static Value cast_value(Elab *e, Value v, DType d, const Ast *at);
static Value cast_leaf(Elab *e, void *ctx, Value leaf) {
  Cast *c = ctx;
  return cast_value(e, leaf, c->d, c->at);
}

/* `f64(net)`: the same layers with cells of that element type; a tree of values (`net - 0.1 * g`) stays one. */
static Value cast_cell(Elab *e, void *ctx, Value leaf) {
  Cast *c = ctx;
  if (leaf.kind != V_CELL || e->here.make > MAKE_IN_BODY) {
    leaf = value_decay(e, leaf);
    bool floats = leaf.kind == V_NODE && dtype_is_float((DType)node_type(e, leaf.node)->dtype);
    return floats ? cast_value(e, leaf, c->d, c->at) : leaf;
  }
  bool floats = dtype_is_float((DType)leaf.cell->type.dtype);
  Loc loc = elab_loc(e, c->at);
  NodeId n = cell_read(e, leaf.cell, loc);
  if (floats) n = lower_cast(e, n, c->d, c->at);
  if (n == NO_NODE) return v_bad();
  Cell *made = cell_new(e, (int)leaf.cell->role, node_type(e, n), NULL, loc);
  cell_assign(e, made, n, loc);
  return (Value){.kind = V_CELL, .cell = made};
}

static Value cast_known(Elab *e, double v, DType d, const Ast *at) {
  switch (d) {
  case I32: return v_int((int64_t)truncated(v, INT32_MIN, INT32_MAX));
  case U8: return v_node(lower_number(e, U8, truncated(v, 0, 255), at));
  case BOOL: return v_bool(v != 0);
  default: return v_node(lower_number(e, d, v, at));
  }
}

static Value cast_value(Elab *e, Value v, DType d, const Ast *at) {
  v = value_decay(e, v);
  switch (v.kind) {
  case V_BAD: return v;
  case V_INT: return cast_known(e, (double)v.i, d, at);
  case V_BOOL: return d == BOOL ? v : cast_known(e, v.b, d, at);
  case V_STRING: {
    char *end;
    double x = c_strtod(v.str->at, &end);
    if (v.str->n == 0 || end != v.str->at + v.str->n || d == BOOL) {
      elab_error(e, at, E_CAST_TEXT, v.str->at, dtype_name[d]);
      return v_bad();
    }
    return cast_known(e, x, d, at);
  }
  case V_NODE: {
    const Node *n = graph_at(e->g, v.node);
    bool scalar = n->type->rank == 0 && (n->flags & NODE_KNOWN);
    if (scalar && (d == I32 || d == BOOL)) {
      Tensor *t = graph_known(e->g, v.node);
      if (t) return cast_known(e, tensor_get(t, 0), d, at);
    }
    Value out = or_bad(lower_cast(e, v.node, d, at));
    out.stretch = v.stretch;
    return out;
  }
  case V_TUPLE: case V_LIST: case V_RECORD: {
    Cast c = {d, at};
    if (v.kind == V_LIST && v.items->n == 0) return or_bad(lower_cast(e, want_node(e, v, at, "a tensor"), d, at));
    if (is_tree(e, &v)) return tree_map(e, v, LEAF_PARAM | LEAF_STATE, cast_leaf, &c);
    break;
  }
  case V_INSTANCE: case V_FN: {
    Cast c = {d, at};
    if (!is_tree(e, &v) || !dtype_is_float(d)) break;
    return tree_map(e, v, LEAF_PARAM | LEAF_STATE, cast_cell, &c);
  }
  default: break;
  }
  elab_error(e, at, E_CAST, value_kind_text(e, &v), dtype_name[d]);
  return v_bad();
}

static Value n_f32(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return cast_value(e, a[0].value, F32, a[0].at);
}

static Value n_f64(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return cast_value(e, a[0].value, F64, a[0].at);
}

static Value n_i32(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return cast_value(e, a[0].value, I32, a[0].at);
}

static Value n_u8(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return cast_value(e, a[0].value, U8, a[0].at);
}

static Value n_bool(Elab *e, const Arg *a, const Ast *at) {
  (void)at;
  return cast_value(e, a[0].value, BOOL, a[0].at);
}

const Native native_casts[N_DTYPES + 1] = {
    [F32] = {"f32", "x:any", n_f32, "x as 32-bit floats.", "f32([true, false])   # => [1, 0]"},
    [F64] = {"f64", "x:any", n_f64, "x as 64-bit floats.", "f64(0.5)   # => 0.5"},
    [I32] = {"i32", "x:any", n_i32, "x as 32-bit integers: truncates, saturates, NaN is 0.",
             "i32([1.9, -1.9])   # => [1, -1]"},
    [U8] = {"u8", "x:any", n_u8, "x as bytes: truncates, saturates to 0..255, NaN is 0.",
            "u8([3.7, 300])   # => [3, 255]"},
    [BOOL] = {"bool", "x:any", n_bool, "Whether each element is not zero.", "bool([0, 2])   # => [false, true]"}};
