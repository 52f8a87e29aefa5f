/* arith: operators: element types, broadcasting, known ints, trees. In: two values. Out: a value, or one message.
 *
 * A literal has no element type until one is wanted: it is an f64 node marked NODE_FLEX, cast where an operand of the
 * run wants its own type. Of two operands that are no scalars only one may be stretched; axes made by `None` in the
 * very operand do not count.
 */
#include "elab/arith.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/leaves.h"
#include "elab/lint.h"
#include "elab/literal.h"
#include "elab/lower.h"
#include "elab/mismatch.h"
#include "elab/show.h"
#include "elab/want.h"
#include <math.h>
#include <string.h>

/* ---- element types ---- */
static bool join_dtypes(Elab *e, NodeId *in, uint32_t n, const Ast *at, const Ast *const *operand, const char *op) {
  int f32 = -1, f64 = -1, whole = -1, bools = -1, flex = -1;
  bool fraction = false;
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = graph_at(e->g, in[k]);
    if (x->flags & NODE_FLEX && x->type->dtype == F64) {
      flex = (int)k;
      if (!(x->flags & NODE_INTS)) fraction = true;
      continue;
    }
    switch (x->type->dtype) {
    case F32: f32 = (int)k; break;
    case F64: f64 = (int)k; break;
    case BOOL: bools = (int)k; break;
    default: whole = (int)k;
    }
  }
  /* what the run chose of literals meets f64 as they would */
  for (uint32_t k = 0; f32 >= 0 && f64 >= 0 && k < n; k++) {
    if (node_type(e, in[k])->dtype != F32) continue;
    NodeId again = literal_as(e, in[k], F64);
    if (again == NO_NODE) break;
    in[k] = again;
    f32 = -1;
    for (uint32_t j = k + 1; j < n; j++)
      if (node_type(e, in[j])->dtype == F32) f32 = (int)j;
  }
  int number = f32 >= 0 ? f32 : f64 >= 0 ? f64 : whole >= 0 ? whole : flex;
  int one = f32 >= 0 && f64 >= 0 ? f32 : bools >= 0 && number >= 0 ? bools : -1;
  if (one >= 0) {
    TypeError t = type_mixed(e->a, op, (DType)node_type(e, in[one])->dtype, one == f32 ? F64 : F32);
    t.a = one;
    t.b = one == f32 ? f64 : number;
    elab_type_error(e, at, &t, in, operand, n);
    return false;
  }
  DType d;
  if (bools >= 0) d = BOOL;
  else if (f64 >= 0) d = F64;
  else if (f32 >= 0) d = F32;
  else if (whole >= 0) d = fraction ? F32 : I32;
  else return true;                       /* literals all: they stay open */
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = graph_at(e->g, in[k]);
    if (x->type->dtype != d || x->flags & NODE_FLEX) {
      if (d == BOOL) continue;
      if (!ints_fit(e, in[k], d, operand && operand[k] ? operand[k] : at)) return false;
      in[k] = emit_i(e, &op_cast, &in[k], 1, (int64_t[]){d}, 1, operand ? operand[k] : at);
      if (in[k] == NO_NODE) return false;
    }
  }
  return true;
}

/* ---- shapes ---- */
static void say_shapes(Elab *e, Diag *g, const NodeId *in, uint32_t n, const Ast *const *operand) {
  if (!operand) return;
  for (uint32_t k = 0; k < n && k < 3; k++)
    mark_shape(e, g, operand[k], node_type(e, in[k]));
}

/* An axis of 1 or missing in x that is larger in y, and was not made by `None`. */
static bool is_stretched(const Type *x, uint16_t made, const Type *y) {
  if (x->rank == 0) return false;
  int shift = y->rank - x->rank;
  for (int k = 0; k < y->rank; k++) {
    if (k < shift) {
      if (y->dim[k] != 1) return true;
    } else if (x->dim[k - shift] == 1 && y->dim[k] != 1 && !(made >> (k - shift) & 1)) return true;
  }
  return false;
}

static bool clash_free(const Type *a, const Type *b) {
  for (int k = 1; k <= a->rank && k <= b->rank; k++) {
    int64_t x = a->dim[a->rank - k], y = b->dim[b->rank - k];
    if (x != y && x != 1 && y != 1) return false;
  }
  return true;
}

bool unify_shapes(Elab *e, const Value *v, NodeId *in, uint32_t n, const Ast *at, const Ast *const *operand,
                  const char *op) {
  Type y = {0};
  for (uint32_t k = 0; k < n; k++) {
    const Type *x = node_type(e, in[k]);
    if (x->rank > y.rank) {
      int shift = x->rank - y.rank;
      memmove(y.dim + shift, y.dim, (size_t)y.rank * sizeof *y.dim);
      for (int j = 0; j < shift; j++) y.dim[j] = 1;
      y.rank = x->rank;
    }
    int shift = y.rank - x->rank;
    for (int j = 0; j < x->rank; j++) {
      int64_t *d = &y.dim[j + shift];
      if (*d == x->dim[j] || x->dim[j] == 1) continue;
      if (*d == 1) {
        *d = x->dim[j];
        continue;
      }
      uint32_t first = 0;                   /* of more than two, the first that does not go with this one */
      while (first + 1 < k && clash_free(node_type(e, in[first]), x)) first++;
      const Type *a = node_type(e, in[first]);
      Diag *g = elab_error(e, at, E_SHAPES_DIFFER, op, shape_show(e->a, a), shape_show(e->a, x));
      say_shapes(e, g, in, n, operand);
      say_differ(e, g, a, x, operand ? operand[first] : NULL, operand ? operand[k] : NULL);
      return false;
    }
  }
  int stretched = 0, first = -1, second = -1;
  for (uint32_t k = 0; k < n; k++)
    if (is_stretched(node_type(e, in[k]), v[k].stretch, &y)) {
      if (stretched++) second = (int)k;
      else first = (int)k;
    }
  if (stretched > 1) {
    const Type *a = node_type(e, in[first]), *b = node_type(e, in[second]);
    Diag *g = elab_error(e, at, E_BOTH_STRETCHED, op, shape_show(e->a, a), shape_show(e->a, b));
    say_shapes(e, g, in, n, operand);
    say_stretched(e, g, op, a, b, operand ? operand[first] : NULL, operand ? operand[second] : NULL);
    return false;
  }
  for (uint32_t k = 0; k < n; k++) {
    if (type_same_shape(node_type(e, in[k]), &y)) continue;
    uint16_t flags = graph_at(e->g, in[k])->flags;
    Type t = y;
    t.dtype = node_type(e, in[k])->dtype;
    if (!type_fits(&t)) {
      elab_error(e, at, E_TOO_LARGE, shape_show(e->a, &t));
      return false;
    }
    WITH_LOC(e, operand && operand[k] ? operand[k] : at);
    in[k] = g_broadcast(e->g, in[k], &t);
    e->g->node[in[k]].flags |= flags & (NODE_FLEX | NODE_INTS);
  }
  return true;
}

bool unify(Elab *e, Value *v, NodeId *out, uint32_t n, const Ast *at, const Ast *const *operand, const char *op) {
  for (uint32_t k = 0; k < n; k++) {
    out[k] = want_node(e, v[k], operand && operand[k] ? operand[k] : at, "a tensor");
    if (out[k] == NO_NODE) return false;
  }
  return join_dtypes(e, out, n, at, operand, op) && unify_shapes(e, v, out, n, at, operand, op);
}

/* ---- known ints ---- */
static Value int_binary(Elab *e, int op, int64_t a, int64_t b, const Ast *at) {
  int64_t r = 0;
  bool overflow = false;
  switch (op) {
  case '+': overflow = __builtin_add_overflow(a, b, &r); break;
  case '-': overflow = __builtin_sub_overflow(a, b, &r); break;
  case '*': overflow = __builtin_mul_overflow(a, b, &r); break;
  case K_FLOORDIV: case '%':
    if (b == 0) {
      elab_error(e, at, E_ZERO_DIVISION, op == '%' ? "%" : "//");
      return v_bad();
    }
    if (b == -1) {
      overflow = op == K_FLOORDIV && a == INT64_MIN;
      r = op == '%' ? 0 : overflow ? 0 : -a;
      break;
    }
    r = op == '%' ? a % b : a / b;
    if (a % b != 0 && (a < 0) != (b < 0)) r += op == '%' ? b : -1;
    break;
  case '^': {
    if (b < 0) return elab_binary(e, '^', v_node(literal(e, (double)a, at)), v_int(b), at);
    r = 1;
    for (int64_t base = a, k = b; k && !overflow; k >>= 1) {
      if (k & 1) overflow = __builtin_mul_overflow(r, base, &r);
      if (k > 1 && !overflow) overflow = __builtin_mul_overflow(base, base, &base);
    }
    break;
  }
  case '/': return v_node(literal(e, (double)a / (double)b, at));
  case K_EQ: return v_bool(a == b);
  case K_NE: return v_bool(a != b);
  case '<': return v_bool(a < b);
  case '>': return v_bool(a > b);
  case K_LE: return v_bool(a <= b);
  case K_GE: return v_bool(a >= b);
  }
  if (overflow) {
    elab_error(e, at, E_INT_OVERFLOW, (long long)a, ast_op_text(op), (long long)b);
    return v_bad();
  }
  return v_int(r);
}

/* ---- equality of known things that are no tensors ---- */
static bool same_value(Elab *e, const Value *a, const Value *b, bool *known) {
  host_deeper(&e->s->host);
  if (a->kind == V_UNIT || b->kind == V_UNIT) return a->kind == b->kind;
  if (a->kind == V_STRING && b->kind == V_STRING)
    return a->str->n == b->str->n && !memcmp(a->str->at, b->str->at, a->str->n);
  if (a->kind == V_BOOL && b->kind == V_BOOL) return a->b == b->b;
  if (a->kind == V_INT && b->kind == V_INT) return a->i == b->i;
  if ((a->kind == V_TUPLE || a->kind == V_LIST) && a->kind == b->kind) {
    if (a->items->n != b->items->n) return false;
    for (uint32_t k = 0; k < a->items->n; k++)
      if (!same_value(e, &a->items->at[k], &b->items->at[k], known) || !*known) return false;
    return true;
  }
  *known = false;
  return false;
}

/* ---- trees ---- */
typedef struct TreeOp { int op; const Ast *at; Value other; bool left; } TreeOp;
static Value tree_one(Elab *e, void *ctx, Value leaf) {
  TreeOp *t = ctx;
  return t->left ? elab_binary(e, t->op, leaf, t->other, t->at) : elab_binary(e, t->op, t->other, leaf, t->at);
}
static Value tree_two(Elab *e, void *ctx, Value a, Value b) {
  TreeOp *t = ctx;
  return elab_binary(e, t->op, a, b, t->at);
}

static Value tree_binary(Elab *e, int op, Value a, Value b, const Ast *at) {
  if (!strchr("+-*/", op < 128 ? op : '?')) {
    Diag *g = elab_error(e, at, E_TREE_OPERATOR, ast_op_text(op));
    diag_hint(e->d, g, "trees know `+ - * /`; use `map` for anything else");
    return v_bad();
  }
  TreeOp t = {.op = op, .at = at};
  if (is_tree(e, &a) && is_tree(e, &b)) return tree_map2(e, a, b, LEAF_PARAM, tree_two, &t, at);
  t.left = is_tree(e, &a);
  t.other = t.left ? b : a;
  if (t.other.kind != V_INT && (t.other.kind != V_NODE || node_type(e, t.other.node)->rank)) {
    Diag *g = elab_error(e, at, E_TREE_OPERAND, value_kind_text(e, &t.other));
    if (t.other.kind == V_NODE)
      diag_hint(e->d, g, "a number or a tree of the same form; `map(fn (p) = ..., tree)` does the rest leaf by leaf");
    return v_bad();
  }
  return tree_map(e, t.left ? a : b, LEAF_PARAM, tree_one, &t);
}

/* ---- operators ---- */
static const Op *op_of(int op) {
  switch (op) {
  case '+': return &op_add;
  case '-': return &op_sub;
  case '*': return &op_mul;
  case '/': return &op_div;
  case K_FLOORDIV: return &op_floordiv;
  case '%': return &op_mod;
  case '^': return &op_pow;
  case K_EQ: return &op_eq;
  case K_NE: return &op_ne;
  case '<': return &op_lt;
  case '>': return &op_gt;
  case K_LE: return &op_le;
  case K_GE: return &op_ge;
  case K_AND: return &op_and;
  case K_OR: return &op_or;
  default: return NULL;
  }
}

/* Where both sides have leading axes, those of size 1 and those that one side lacks are stretched; what cannot be is
 * left for the op to refuse. */
static void stretch_batches(Elab *e, NodeId *in) {
  Type a = *node_type(e, in[0]), b = *node_type(e, in[1]);
  if (a.rank < 3 || b.rank < 3) return;
  Type lead = {.rank = a.rank > b.rank ? a.rank : b.rank};
  for (int k = 0; k < lead.rank - 2; k++) {
    int ka = k - (lead.rank - a.rank), kb = k - (lead.rank - b.rank);
    int64_t da = ka < 0 ? 1 : a.dim[ka], db = kb < 0 ? 1 : b.dim[kb];
    if (da != db && da != 1 && db != 1) return;
    lead.dim[k] = da == 1 ? db : da;
  }
  for (int k = 0; k < 2; k++) {
    const Type *x = k ? &b : &a;
    Type t = lead;
    t.dtype = x->dtype;
    memcpy(&t.dim[lead.rank - 2], &x->dim[x->rank - 2], 2 * sizeof *t.dim);
    in[k] = g_broadcast(e->g, in[k], &t);
  }
}

/* NumPy's matmul: vectors become a row or a column, leading axes are batches and broadcast. */
static OUT_OF_LINE Value matmul(Elab *e, Value va, Value vb, const Ast *at) {
  const Ast *operand[2] = {at, at};
  if (at->kind == A_BINARY) operand[0] = at->kid[0], operand[1] = at->kid[1];
  NodeId in[2] = {want_node(e, va, operand[0], "a tensor"), NO_NODE};
  if (in[0] == NO_NODE || (in[1] = want_node(e, vb, operand[1], "a tensor")) == NO_NODE) return v_bad();
  if (!join_dtypes(e, in, 2, at, operand, "@")) return v_bad();
  uint16_t flags = graph_at(e->g, in[0])->flags & graph_at(e->g, in[1])->flags & (NODE_FLEX | NODE_INTS);
  WITH_LOC(e, at);
  stretch_batches(e, in);
  NodeId y = emit_of(e, &op_matmul, in, 2, &(Attr){.i = (int64_t[]){0, 0}, .n = 2}, at, operand);
  if (y == NO_NODE) return v_bad();
  e->g->node[y].flags |= flags;
  return v_node(y);
}

static bool whole_result(int op) { return op == '+' || op == '-' || op == '*' || op == K_FLOORDIV || op == '%'; }

Value elab_binary(Elab *e, int op, Value a, Value b, const Ast *at) {
  if (a.kind == V_BAD || b.kind == V_BAD) return v_bad();
  a = value_decay(e, a);
  b = value_decay(e, b);
  bool is_known_int = a.kind == V_INT && b.kind == V_INT;
  if (is_known_int && op != K_AND && op != K_OR && op != '@') return int_binary(e, op, a.i, b.i, at);
  if (a.kind == V_BOOL && b.kind == V_BOOL) {
    if (op == K_AND) return v_bool(a.b && b.b);
    if (op == K_OR) return v_bool(a.b || b.b);
  }
  if (op == K_EQ || op == K_NE) {
    bool known = true, same = same_value(e, &a, &b, &known);
    if (known) return v_bool(same == (op == K_EQ));
    if ((a.kind == V_TEXT || b.kind == V_TEXT) && (a.kind == V_STRING || b.kind == V_STRING || a.kind == b.kind)) {
      Diag *g = elab_error(e, at, E_NOT_KNOWN, "a string that is compared");
      diag_hint(e->d, g, "compare the values that stand in its holes");
      return v_bad();
    }
  }
  if (is_tree(e, &a) || is_tree(e, &b)) return tree_binary(e, op, a, b, at);
  if (op == '@') return matmul(e, a, b, at);
  if (op == '+' && (a.kind == V_STRING || a.kind == V_TEXT || b.kind == V_STRING || b.kind == V_TEXT)) {
    Diag *g = elab_error(e, at, E_STRINGS_ADD);
    diag_hint(e->d, g, "put values into a string with holes: \"{a}{b}\"");
    return v_bad();
  }
  if ((a.kind == V_STRING || a.kind == V_TEXT) && op == '%') {
    Diag *g = elab_error(e, at, E_WANTED, "a number before `%`", value_kind_text(e, &a));
    diag_hint(e->d, g, "a hole takes a format: \"loss {loss:.3}\"");
    return v_bad();
  }
  if (a.kind == V_STRING && b.kind == V_STRING) {
    Diag *g = elab_error(e, at, E_WANTED, arena_printf(e->a, "numbers beside `%s`", ast_op_text(op)), "two strings");
    diag_hint(e->d, g, "strings are compared by `==` and `!=`");
    return v_bad();
  }
  const Ast *operand[2] = {at, at};
  if (at->kind == A_BINARY) operand[0] = at->kid[0], operand[1] = at->kid[1];
  else if (at->kind == A_ASSIGN) operand[0] = at->kid[0], operand[1] = at->kid[1];
  NodeId in[2];
  Value v[2] = {a, b};
  if (!unify(e, v, in, 2, at, operand, ast_op_text(op))) return v_bad();
  DType d = (DType)node_type(e, in[0])->dtype;
  bool logic = op == K_AND || op == K_OR, compares = op == K_EQ || op == K_NE;
  if (logic && d != BOOL) {
    Diag *g = elab_error(e, at, E_WANTED_BOOL, ast_op_text(op), value_kind_text(e, &a));
    diag_hint(e->d, g, "compare first: `x != 0`");
    return v_bad();
  }
  if (!logic && !compares && d == BOOL) {
    Diag *g = elab_error(e, at, E_BOOL_ARITHMETIC, quoted_name(e, ast_op_text(op)));
    diag_hint(e->d, g, "write `f32(...)` to count true as 1");
    return v_bad();
  }
  bool ints = graph_at(e->g, in[0])->flags & NODE_INTS && graph_at(e->g, in[1])->flags & NODE_INTS;
  if (op == '/' && d == I32)
    for (int k = 0; k < 2; k++) in[k] = emit_i(e, &op_cast, &in[k], 1, (int64_t[]){F32}, 1, operand[k]);
  if (compares) lint_compared(e, in[0], in[1], at);
  NodeId y;
  if (op == '^' && graph_at(e->g, in[1])->flags & NODE_KNOWN && b.kind == V_INT && b.i == 2)
    y = emit1(e, &op_square, in[0], at);
  else y = emit(e, op_of(op), in, 2, NULL, at);
  if (y == NO_NODE) return v_bad();
  if (ints && whole_result(op)) e->g->node[y].flags |= NODE_INTS;
  return v_node(y);
}

static Value negate_leaf(Elab *e, void *ctx, Value leaf) { return elab_unary(e, '-', leaf, ctx); }

Value elab_unary(Elab *e, int op, Value a, const Ast *at) {
  a = value_decay(e, a);
  if (a.kind == V_BAD) return a;
  if (op == '-' && a.kind == V_INT) {
    if (a.i == INT64_MIN) {
      elab_error(e, at, E_INT_OVERFLOW, 0LL, "-", (long long)a.i);
      return v_bad();
    }
    return v_int(-a.i);
  }
  if (op == K_NOT && a.kind == V_BOOL) return v_bool(!a.b);
  if (op == '-' && is_tree(e, &a)) {
    Ast *place = (Ast *)(uintptr_t)at;
    return tree_map(e, a, LEAF_PARAM, negate_leaf, place);
  }
  NodeId x = want_node(e, a, at->n ? at->kid[0] : at, "a tensor");
  if (x == NO_NODE) return v_bad();
  DType d = (DType)node_type(e, x)->dtype;
  if (op == K_NOT) {
    if (d != BOOL) {
      Diag *g = elab_error(e, at, E_WANTED_BOOL, "not", value_kind_text(e, &a));
      diag_hint(e->d, g, "compare first: `x == 0`");
      return v_bad();
    }
    NodeId y = emit1(e, &op_not, x, at);
    return y == NO_NODE ? v_bad() : v_node(y);
  }
  if (d == BOOL) {
    Diag *g = elab_error(e, at, E_BOOL_ARITHMETIC, "`-`");
    diag_hint(e->d, g, "the opposite of a bool is `not`");
    return v_bad();
  }
  if (d == U8) x = emit_i(e, &op_cast, &x, 1, (int64_t[]){I32}, 1, at);
  uint16_t ints = graph_at(e->g, x)->flags & NODE_INTS;
  NodeId y = emit1(e, &op_neg, x, at);
  if (y == NO_NODE) return v_bad();
  e->g->node[y].flags |= ints;
  return v_node(y);
}
