/* assign: `x = e`, `x[...] = e`. In: what stands to the left, and the value. Out: a new version of a cell, leaf by leaf
 * of a tree; a new value of a formula's variable. A cell keeps its shape and element type.
 *
 * A part is assigned as a new whole: by `update` where its place is known, by `update_slice` along each axis whose
 * start only the run knows.
 */
#include "elab/assign.h"
#include "elab/arith.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/index.h"
#include "elab/layer.h"
#include "elab/leaves.h"
#include "elab/lower.h"
#include "elab/mismatch.h"
#include "elab/names.h"
#include "elab/order.h"
#include "elab/seq.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include <string.h>

/* ---- parts ---- */
/* An index of the run counted from the start: negative ones mean from the end. */
static NodeId from_start(Elab *e, NodeId i, int64_t n, const Ast *at) {
  NodeId zero = lower_number(e, I32, 0, at);
  Value below = elab_binary(e, '<', v_node(i), v_node(zero), at);
  Value up = elab_binary(e, '+', v_node(i), v_node(lower_number(e, I32, (double)n, at)), at);
  if (below.kind != V_NODE || up.kind != V_NODE) return NO_NODE;
  return emit(e, &op_where, (NodeId[]){below.node, up.node, i}, 3, NULL, at);
}

/* The part goes back through the cuts that lead to it: the known box, then the axes whose start the run knows. */
static NodeId put(Elab *e, NodeId base, NodeId part, const Item *const *item, const Ast *at) {
  Type t = *node_type(e, base);
  NodeId x[MAX_RANK + 1], start[MAX_RANK];
  int axis[MAX_RANK], n = 0;
  int64_t box[3 * MAX_RANK], inner[3 * MAX_RANK];
  Cut cut[MAX_RANK];
  bool stepped = false;
  for (int k = 0; k < t.rank; k++) {
    const Item *m = item[k];
    bool dynamic = m->kind == ITEM_TURN || m->kind == ITEM_SPAN;
    cut[k] = dynamic ? (Cut){0, t.dim[k], 1} : m->cut;
    memcpy(box + 3 * k, (int64_t[]){cut[k].from, cut[k].count, cut[k].by}, 3 * sizeof *box);
    Cut in = {dynamic ? m->cut.from : 0, m->cut.count, dynamic ? m->cut.by : 1};
    memcpy(inner + 3 * k, (int64_t[]){in.from, in.count, in.by}, 3 * sizeof *inner);
    if (dynamic && m->cut.by != 1) stepped = true;
    if (dynamic) axis[n++] = k;
  }
  if ((x[0] = lower_slice(e, base, cut, at)) == NO_NODE) return NO_NODE;
  for (int k = 0; k < n; k++) {
    const Item *m = item[axis[k]];
    bool turn = m->kind == ITEM_TURN;
    start[k] = turn ? from_start(e, m->node, t.dim[axis[k]], m->ast) : m->node;
    if (start[k] == NO_NODE) return NO_NODE;
    x[k + 1] = k + 1 < n || stepped ? lower_slice_dyn(e, x[k], axis[k], start[k], turn ? 1 : m->length, m->ast) : part;
    if (x[k + 1] == NO_NODE) return NO_NODE;
  }
  NodeId y = part;
  if (stepped) y = emit_i(e, &op_update, (NodeId[]){x[n], y}, 2, inner, 3u * t.rank, at);
  for (int k = n - 1; k >= 0 && y != NO_NODE; k--)
    y = emit_i(e, &op_update_slice, (NodeId[]){x[k], y, start[k]}, 3, (int64_t[]){axis[k]}, 1, item[axis[k]]->ast);
  if (y == NO_NODE || x[0] == base) return y;
  return emit_i(e, &op_update, (NodeId[]){base, y}, 2, box, 3u * t.rank, at);
}

/* Rows chosen by a tensor of indices: of equal indices the last one stands. */
static NodeId set_rows(Elab *e, NodeId x, NodeId part, const Item *m) {
  int64_t n = type_count(node_type(e, m->node));
  NodeId i = lower_reshape(e, m->node, 1, &n, m->ast);
  return emit_i(e, &op_scatter, (NodeId[]){x, i, part}, 3, (int64_t[]){m->axis}, 1, m->ast);
}

/* What the items leave of base, with all its axes. */
static NodeId cut_out(Elab *e, NodeId base, const Item *const *item, const Ast *at) {
  Type t = *node_type(e, base);
  Cut cut[MAX_RANK] = {0};
  for (int k = 0; k < t.rank; k++)
    cut[k] = item[k]->kind == ITEM_TURN || item[k]->kind == ITEM_SPAN ? (Cut){0, t.dim[k], 1} : item[k]->cut;
  NodeId x = lower_slice(e, base, cut, at);
  for (int k = 0; k < t.rank && x != NO_NODE; k++) {
    const Item *m = item[k];
    if (m->kind != ITEM_TURN && m->kind != ITEM_SPAN) continue;
    bool turn = m->kind == ITEM_TURN;
    NodeId start = turn ? from_start(e, m->node, t.dim[k], m->ast) : m->node;
    x = start == NO_NODE ? start : lower_slice_dyn(e, x, k, start, turn ? 1 : m->length, m->ast);
    if (x != NO_NODE && !turn && m->cut.by != 1) x = lower_rows(e, x, k, m->cut.from, m->cut.count, m->cut.by, m->ast);
  }
  return x;
}

static bool assign_items(Elab *e, const Ast *target, Value base, Value v, Value *out) {
  Cut cut;
  if (!index_one(e, target, base.items->n, base.kind == V_LIST ? "a list" : "a tuple", true, &cut)) return false;
  *out = v_items(e->a, (ValueKind)base.kind, base.items->at, base.items->n);
  if (cut.count < 0) {
    out->items->at[cut.from] = v;
    return true;
  }
  Value parts = v.kind == V_NODE && node_type(e, v.node)->rank > 0 ? seq_of(e, v, target) : v;
  bool items = parts.kind == V_LIST || parts.kind == V_TUPLE;
  int64_t n = items ? parts.items->n : parts.kind == V_SEQ ? parts.seq->count : -1;
  if (n != cut.count) {
    Diag *g = elab_error(e, target, E_LIST_PART, (long long)cut.count, value_kind_text(e, &v));
    if (g) diag_hint(e->d, g, "a list grows by `append`; an assignment replaces as many elements as it names");
    return false;
  }
  for (int64_t k = 0; k < n; k++) {
    const Seq *q = parts.kind == V_SEQ ? parts.seq : NULL;
    Value x = q ? q->element(e, q, seq_piece(q, k), NO_NODE, k, target) : parts.items->at[k];
    if (x.kind == V_BAD) return false;
    out->items->at[cut.from + k * cut.by] = x;
  }
  return true;
}

bool assign_index(Elab *e, const Ast *target, Value base, Value v, Value *out) {
  base = value_decay(e, base);
  if (base.kind == V_BAD || v.kind == V_BAD) return false;
  if (base.kind == V_LIST || base.kind == V_TUPLE) return assign_items(e, target, base, v, out);
  if (base.kind != V_NODE) {
    elab_error(e, target, E_INDEX_WHAT, value_kind_text(e, &base));
    return false;
  }
  NodeId whole = base.node;
  if (node_flex(e, whole)) {
    v = value_decay(e, v);
    bool typed = v.kind == V_NODE && !node_flex(e, v.node) && dtype_is_float((DType)node_type(e, v.node)->dtype);
    whole = want_typed(e, base, typed ? (DType)node_type(e, v.node)->dtype : F32, target, "what is assigned to");
    if (whole == NO_NODE) return false;
  }
  Type t = *node_type(e, whole);
  ItemList list;
  if (!index_read(e, target, &t, &list)) return false;
  const Item *item[MAX_RANK];
  int64_t kept[MAX_RANK], dim[MAX_RANK];       /* the part as the user sees it, and with all axes of the base */
  int rank = 0;
  Item gather = {.kind = ITEM_NEW}, all;
  for (uint32_t k = 0; k < list.n; k++) {
    const Item *m = &list.at[k];
    if (m->kind == ITEM_NEW) {
      if (rank < MAX_RANK) kept[rank++] = 1;
      continue;
    }
    item[m->axis] = m;
    dim[m->axis] = m->kind == ITEM_TURN ? 1 : m->cut.count;
    if (m->kind == ITEM_GATHER) {
      const Type *chosen = node_type(e, m->node);
      gather = *m;
      dim[m->axis] = type_count(chosen);
      for (int j = 0; j < chosen->rank && rank < MAX_RANK; j++) kept[rank++] = chosen->dim[j];
    }
    if (rank == MAX_RANK) {
      elab_error(e, m->ast, E_RANK_LIMIT, MAX_RANK + 1, MAX_RANK);
      return false;
    }
    if (m->kind == ITEM_SLICE || m->kind == ITEM_SPAN) kept[rank++] = m->cut.count;
  }
  NodeId part = want_typed(e, v, (DType)t.dtype, target, "what is assigned");
  if (part == NO_NODE) return false;
  Type want = type_make((DType)t.dtype, rank, kept);
  const Type *is = node_type(e, part);
  if (is->rank != 0 && !type_same_shape(is, &want)) {
    Diag *g = elab_error(e, target, E_PART_SHAPE, shape_show(e->a, is), shape_show(e->a, &want));
    if (g) diag_hint(e->d, g, "an assignment takes equal shapes or a scalar");
    return false;
  }
  part = is->rank == 0 ? lower_broadcast(e, part, t.rank, dim, target) : lower_reshape(e, part, t.rank, dim, target);
  if (part == NO_NODE) return false;
  if (gather.kind == ITEM_GATHER) {
    all = gather;
    all.kind = ITEM_SLICE;
    all.cut = (Cut){0, t.dim[gather.axis], 1};
    item[gather.axis] = &all;
    NodeId x = cut_out(e, whole, item, target);
    if (x == NO_NODE || (part = set_rows(e, x, part, &gather)) == NO_NODE) return false;
  }
  NodeId n = put(e, whole, part, item, target);
  if (n == NO_NODE) return false;
  *out = v_node(n);
  return true;
}

/* ---- cells and variables ---- */
static bool may_assign_cell(Elab *e, Cell *c, const Ast *target) {
  if (e->here.frame->steps) return true;
  if (c->role == CELL_STATE || c->role == CELL_HIDDEN) {
    const Instance *self = e->here.frame->self;
    for (uint32_t k = 0; self && k < self->n; k++)
      if (self->field[k].value.kind == V_CELL && self->field[k].value.cell == c) {
        if (e->here.make > MAKE_IN_GRAD) {
          Diag *g = elab_error(e, target, E_STATE_IN_IF, c->path ? c->path : "state", make_place(e->here.make));
          diag_hint(e->d, g,
                    "a state changes once, where the call stands: call the layer outside and use its value here");
          return false;
        }
        return true;
      }
  }
  Diag *g = elab_error(e, target, E_ASSIGN_IN_FORMULA, c->path ? c->path : target->name ? target->name : "a cell");
  diag_hint(e->d, g, "a `fn` computes a value; what changes cells is a `proc`");
  return false;
}

/* `var total = 0` and then a float: the cell was open, and is a float from its first value on. What read it as an int
 * before is elaborated once more; until then the value that was assigned says nothing. */
static bool widen_cell(Elab *e, Cell *c, DType d, const Ast *at) {
  bool float_already = dtype_is_float((DType)c->type.dtype) && d != F64;
  if (!c->flex || !dtype_is_float(d) || c->type.dtype == d || float_already) return false;
  const Place *made = loc_place(e->s->sources, c->loc);
  if (!made || made->source != at->source) return false;
  for (uint32_t k = 0; k < e->widened.n; k++)
    if (e->widened.at[k].made == c->loc && !strcmp(e->widened.at[k].path, c->path ? c->path : "")) {
      if (e->widened.at[k].dtype == d || d == F32) return e->again;
      e->widened.at[k].dtype = d;
      return e->again = true;
    }
  vec_push(e->a, &e->widened, (Widened){c->loc, c->path ? c->path : "", d});
  return e->again = true;
}

static bool assign_cell(Elab *e, Cell *c, Value v, const Ast *target, const Ast *at) {
  if (!may_assign_cell(e, c, target)) return false;
  v = value_decay(e, v);
  if (v.kind == V_NODE) {
    const Node *x = graph_at(e->g, v.node);
    bool open = x->flags & NODE_FLEX && x->type->dtype == F64;
    DType d = open ? x->flags & NODE_INTS ? I32 : F32 : (DType)x->type->dtype;
    if (widen_cell(e, c, d, at)) return false;
  }
  const char *name = c->path ? c->path : "the cell";
  NodeId n = want_node(e, v, at, "a value to assign");
  if (n == NO_NODE) return false;
  const Node *x = graph_at(e->g, n);
  bool fits = x->type->dtype == c->type.dtype && !(x->flags & NODE_FLEX);
  if (!fits) {
    bool narrows = !dtype_is_float((DType)c->type.dtype) && !(x->flags & NODE_INTS) &&
                   (dtype_is_float((DType)x->type->dtype) || c->type.dtype == BOOL);
    bool mixed = x->type->dtype == F64 && c->type.dtype == F32 && !(x->flags & NODE_FLEX);
    if (narrows || mixed) {
      Diag *g = elab_error(e, at, E_ASSIGN_DTYPE, name, dtype_name[c->type.dtype],
                           x->flags & NODE_FLEX ? value_kind_text(e, &v) : type_show(e->a, x->type));
      diag_note(e->d, g, c->loc, "`%s` was made here", name);
      if (c->type.dtype != I32) diag_hint(e->d, g, "convert it: `%s(...)`", dtype_name[c->type.dtype]);
      else if (c->flex) diag_hint(e->d, g, "begin with a float: `var %s = 0.0`", name);
      else
        diag_hint(e->d, g,
                  "`//` divides to whole numbers and `i32(...)` cuts to them; or make the cell of floats: `f32(...)`");
      return false;
    }
    n = want_typed(e, v, (DType)c->type.dtype, at, arena_printf(e->a, "`%s`", name));
    if (n == NO_NODE) return false;
  }
  if (!type_same_shape(node_type(e, n), &c->type)) {
    if (node_type(e, n)->rank) {
      Diag *g = elab_error(e, at, E_ASSIGN_SHAPE, name, shape_show(e->a, &c->type), shape_show(e->a, node_type(e, n)));
      if (at->kind == A_ASSIGN) mark_shape(e, g, at->kid[1], node_type(e, n));
      diag_note(e->d, g, c->loc, "`%s` was made here; a cell keeps its shape", name);
      return false;
    }
    n = g_broadcast(e->g, n, &c->type);
  }
  cell_assign(e, c, n, elab_loc(e, at));
  return true;
}

typedef struct AssignCtx { const Ast *target, *at; } AssignCtx;
static Value assign_leaf(Elab *e, void *ctx, Value cell, Value v) {
  AssignCtx *x = ctx;
  if (cell.kind == V_CELL) assign_cell(e, cell.cell, v, x->target, x->at);
  return cell;
}

/* All new values are computed before the first cell is written: they stand as nodes already. */
bool assign_tree(Elab *e, Value target, Value v, const Ast *at) {
  AssignCtx x = {at->kind == A_ASSIGN ? at->kid[0] : at, at};
  if (target.kind == V_CELL) return assign_cell(e, target.cell, v, x.target, at);
  Leaves l = {0};
  tree_leaves(e, target, LEAF_PARAM | LEAF_STATE, &l);
  for (uint32_t k = 0; k < l.n; k++)
    if (l.at[k].value.kind != V_CELL) {
      Diag *g = elab_error(e, x.target, E_ASSIGN_VALUE, l.at[k].path[0] ? l.at[k].path : "this");
      diag_hint(e->d, g,
                "a `let` of a tuple or record has the values of parameters, instances in it stay handles: assign `w = "
                "...` itself");
      return false;
    }
  Value all = v;
  bool tree = v.kind == V_TUPLE || v.kind == V_LIST || v.kind == V_RECORD;
  if ((tree && tree_has_cells(e, v)) || v.kind == V_INSTANCE || v.kind == V_OPTIMIZER ||
      (v.kind == V_FN && v.fn->kind == FN_CHAIN))
    all = copy_values(e, v);
  return tree_map2(e, target, all, LEAF_PARAM | LEAF_STATE, assign_leaf, &x, at).kind != V_BAD;
}

/* ---- variables of formulas ---- */
static bool is_number(const Value *v) { return v->kind == V_NODE || v->kind == V_INT || v->kind == V_BOOL; }
static bool is_function(const Value *v) { return v->kind == V_FN || v->kind == V_INSTANCE; }

static void say_made(Elab *e, Diag *g, const Bound *b) {
  if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "`%s` was made here; a `var` keeps its shape and type", b->name);
}

static Value other_type(Elab *e, const Bound *b, const Value *now, const Value *v, const Ast *at) {
  Diag *g = elab_error(e, at, E_ASSIGN_DTYPE, b->name, tree_form_text(e, now), tree_form_text(e, v));
  say_made(e, g, b);
  if (now->kind == V_UNIT) diag_hint(e->d, g, "begin with a value of its form: `var %s = ...`", b->name);
  bool node = now->kind == V_NODE;
  DType d = node ? (DType)node_type(e, now->node)->dtype : BOOL;
  if (is_number(v) && node && dtype_is_float(d) && !node_flex(e, now->node))
    diag_hint(e->d, g, "convert it: `%s(...)`", dtype_name[d]);
  else if (is_number(v) && d == I32)
    diag_hint(e->d, g, "`//` divides to whole numbers and `i32(...)` cuts to them; or begin with a float: `f32(...)`");
  return v_bad();
}

/* The element type: that of its first value, whole numbers joined with floats being floats; a literal has none yet. */
static NodeId same_element(Elab *e, const Bound *b, const Value *now, NodeId x, NodeId y, const Ast *at) {
  const Type *t = node_type(e, x), *u = node_type(e, y);
  bool x_open = node_flex(e, x) && t->dtype == F64, y_open = node_flex(e, y) && u->dtype == F64;
  bool x_whole = graph_at(e->g, x)->flags & NODE_INTS, y_whole = graph_at(e->g, y)->flags & NODE_INTS;
  DType d = (DType)t->dtype, has = (DType)u->dtype;
  Value v = v_node(y);
  if ((d == BOOL) != (has == BOOL)) return other_type(e, b, now, &v, at), NO_NODE;
  if (x_open && y_open && !x_whole && y_whole) {        /* `var y = 0.5` and then `y = 3`: 3.0 */
    y = graph_emit(e->g, &op_alias, &y, 1, NULL, loc_here(e, at), NULL);
    e->g->node[y].flags &= (uint16_t)~NODE_INTS;
    return y;
  }
  if (x_open) return x_whole || y_open || dtype_is_float(has) ? y : want_typed(e, v, F32, at, b->name);
  if (d == has) return y;
  bool narrows = !dtype_is_float(d) && (y_open ? !y_whole : dtype_is_float(has));
  if (narrows || (dtype_is_float(d) && dtype_is_float(has) && !y_open)) return other_type(e, b, now, &v, at), NO_NODE;
  return want_typed(e, v, d, at, b->name);
}

static Value same_number(Elab *e, const Bound *b, Value now, Value v, const Ast *at) {
  if (now.kind == v.kind && now.kind != V_NODE) return v;
  NodeId x = want_node(e, now, at, b->name), y = want_node(e, v, at, b->name);
  Type t = *node_type(e, x);
  y = same_element(e, b, &now, x, y, at);
  if (y == NO_NODE) return v_bad();
  if (type_same_shape(&t, node_type(e, y))) return v.kind == V_NODE && v.node == y ? v : v_node(y);
  if (node_type(e, y)->rank) {
    Diag *g = elab_error(e, at, E_ASSIGN_SHAPE, b->name, shape_show(e->a, &t), shape_show(e->a, node_type(e, y)));
    if (at->kind == A_ASSIGN) mark_shape(e, g, at->kid[1], node_type(e, y));
    say_made(e, g, b);
    if (t.rank)
      diag_hint(e->d, g, "`fold(fn (%s, f) = f(%s), x, fs)` along a list carries what changes its shape", b->name,
                b->name);
    else
      diag_hint(e->d, g, "begin with all of it: `var %s = zeros(%s)`, `zeros_like(...)`", b->name,
                shape_show(e->a, node_type(e, y)));
    return v_bad();
  }
  uint16_t flags = graph_at(e->g, y)->flags & (NODE_FLEX | NODE_INTS);
  t.dtype = node_type(e, y)->dtype;
  WITH_LOC(e, at);
  y = g_broadcast(e->g, y, &t);
  e->g->node[y].flags |= flags;
  return v_node(y);
}

/* v, as a variable takes it that holds `now`: of one form, shape and element type; a list may have any length. */
static Value same_form(Elab *e, const Bound *b, Value now, Value v, const Ast *at) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  if (now.kind == V_BAD || v.kind == V_BAD) return v;
  if (is_number(&now) && v.kind == V_LIST) {            /* of numbers, as `shape` gives one */
    Value whole = bracket_of(e, v.items->at, v.items->n, at);
    if (whole.kind == V_NODE) v = whole;
  }
  if (is_number(&now) && is_number(&v)) return same_number(e, b, now, v, at);
  bool bracket = v.kind == V_NODE && node_type(e, v.node)->rank;
  if (now.kind == V_LIST && (v.kind == V_LIST || bracket)) return v;
  if (now.kind == V_TUPLE && v.kind == V_TUPLE && now.items->n == v.items->n) {
    Value y = v_items(e->a, V_TUPLE, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++) {
      y.items->at[k] = same_form(e, b, now.items->at[k], v.items->at[k], at);
      if (y.items->at[k].kind == V_BAD) return v_bad();
    }
    return y;
  }
  if (now.kind == V_RECORD && v.kind == V_RECORD && now.fields->n == v.fields->n) {
    Fields *f = NEW(e->a, Fields);
    *f = *v.fields;
    f->at = NEW_N(e->a, Value, f->n + 1);
    for (uint32_t k = 0; k < f->n; k++) {
      if (now.fields->name[k] != f->name[k]) return other_type(e, b, &now, &v, at);
      f->at[k] = same_form(e, b, now.fields->at[k], v.fields->at[k], at);
      if (f->at[k].kind == V_BAD) return v_bad();
    }
    return (Value){.kind = V_RECORD, .fields = f};
  }
  bool text = (now.kind == V_STRING || now.kind == V_TEXT) && (v.kind == V_STRING || v.kind == V_TEXT);
  bool other = is_number(&now) || now.kind == V_TUPLE || now.kind == V_RECORD || now.kind == V_LIST;
  if (text || (is_function(&now) && is_function(&v)) || (!other && now.kind == v.kind)) return v;
  return other_type(e, b, &now, &v, at);
}

static void assign_bound(Elab *e, Bound *b, Value v, const Ast *target, const Ast *ast) {
  Value now = b->value;
  if (b->of_var && now.kind != V_BAD && now.kind != V_CELL && !tree_has_cells(e, now)) {
    Diag *g = elab_error(e, target, E_VAR_EMPTY, b->name);
    if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "it was defined here");
    diag_hint(e->d, g,
              "numbers of a run are collected by `series()`, a list is built by `[e for x in xs]` or grows in a `fn`");
    return;
  }
  if (now.kind == V_CELL || (is_tree(e, &now) && !b->mutable_)) {
    if (now.kind != V_CELL && !tree_has_cells(e, now)) {
      Diag *g = elab_error(e, target, E_ASSIGN_LET, b->name);
      if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "it was defined here");
      diag_hint(e->d, g, "make it with `var`");
      return;
    }
    assign_tree(e, now, v, ast);
    return;
  }
  if (b->mutable_) {
    if (b->frame != e->here.frame) {
      elab_error(e, target, E_ASSIGN_IN_FORMULA, b->name);
      return;
    }
    vec_push(e->a, &e->made.assigned, (Assigned){b, now});
    b->value = keep_values(e, same_form(e, b, now, v, ast));
    return;
  }
  if (now.kind == V_BAD) return;
  Diag *g = elab_error(e, target, E_ASSIGN_LET, b->name);
  if (b->ast) diag_note(e->d, g, elab_loc(e, b->ast), "it was defined here");
  if (now.kind == V_FN && !b->ast)
    diag_hint(e->d, g, "it is a function of the library: call it, as in `%s(3)`, or make another name with `let`",
              b->name);
  else diag_hint(e->d, g, "make it with `var` to assign it");
}

/* The local `var` of a formula that a part belongs to: `t` of `t[0].x[1]`. */
static Bound *var_of_part(Elab *e, const Ast *part) {
  while (part->kind == A_INDEX || part->kind == A_MEMBER) part = part->kid[0];
  Bound *b = part->kind == A_NAME ? scope_find(e, e->here.scope, part->name) : NULL;
  return b && b->mutable_ ? b : NULL;
}

/* A part of a part gets a new value, so what it belongs to does. */
static void assign_part(Elab *e, Bound *b, const Ast *part, Value v, const Ast *ast) {
  for (; part->kind != A_NAME; part = part->kid[0]) {
    Value whole = value_decay(e, elab_expr(e, part->kid[0])), out;
    if (whole.kind == V_BAD) return;
    if (part->kind == A_INDEX && whole.kind != V_RECORD) {
      if (!assign_index(e, part, whole, v, &out)) return;
    } else if (part->kind == A_MEMBER && whole.kind == V_RECORD) {
      if (member(e, whole, part->name, part).kind == V_BAD) return;
      Fields *f = NEW(e->a, Fields);
      *f = *whole.fields;
      f->at = arena_copy(e->a, f->at, f->n * sizeof *f->at);
      for (uint32_t k = 0; k < f->n; k++)
        if (f->name[k] == part->name) f->at[k] = v;
      out = (Value){.kind = V_RECORD, .fields = f};
    } else {
      Diag *g = elab_error(e, part, E_ASSIGN_TARGET, arena_printf(e->a, "this part of %s", value_kind_text(e, &whole)));
      diag_hint(e->d, g, "elements `v[i]` and fields `r.x` of a `var` are assigned");
      return;
    }
    v = out;
  }
  assign_bound(e, b, v, part, ast);
}

static void no_target(Elab *e, const Ast *target, const Value *now) {
  Diag *g = elab_error(e, target, E_ASSIGN_TARGET, value_kind_text(e, now));
  const Ast *of = target->kind == A_MEMBER && target->kid[0]->kind == A_NAME ? target->kid[0] : NULL;
  const Bound *owner = of ? scope_find(e, e->here.scope, of->name) : NULL;
  if (owner && owner->value.kind == V_OPTIMIZER)
    diag_hint(e->d, g,
              "an argument that changes is the bare name of a `var`: `var %s = ...`, then `%s(..., %s = %s)`",
              target->name, owner->value.optimizer->rule->name, target->name, target->name);
  else diag_hint(e->d, g, "cells are assigned: parameters, states of layers, `var`s and trees of them");
}

void elab_assign(Elab *e, const Ast *ast) {
  const Ast *target = ast->kid[0];
  Bound *part_of = target->kind != A_NAME && target->kid[0]->kind != A_NAME ? var_of_part(e, target) : NULL;
  if (target->kind == A_MEMBER && !part_of) {
    part_of = var_of_part(e, target);
    if (part_of && part_of->value.kind != V_RECORD) part_of = NULL;
  }
  if (part_of) {
    Value part = ast->op == '=' ? v_unit() : elab_expr(e, target), v = elab_expr(e, ast->kid[1]);
    if (v.kind != V_BAD && ast->op != '=') v = elab_binary(e, ast->op, part, v, ast);
    if (v.kind != V_BAD) assign_part(e, part_of, target, v, ast);
    else part_of->value = v_bad();
    return;
  }
  const Ast *base = target->kind == A_INDEX ? target->kid[0] : target;
  Bound *b = NULL;
  Value now;
  if (base->kind == A_NAME) {
    b = scope_find(e, e->here.scope, base->name);
    if (!b) {
      if (elab_expr(e, base).kind == V_BAD) return;
      Diag *g = elab_error(e, target, E_ASSIGN_LET, base->name);      /* a word of the language: `args` */
      if (!strcmp(base->name, "is_training"))
        diag_hint(e->d, g, "what stands in `training { ... }` is computed in training mode, all else is not");
      return;
    }
    now = b->value;
  } else now = elab_expr(e, base);
  Order o = {0};
  Value was = now;                         /* `v += f()` adds to what v was before the call */
  if (ast->op != '=') {
    order_met(e, &o, &was);
    order_before(e, &o, ast->kid[1]);
  }
  Value v = elab_expr(e, ast->kid[1]);
  order_end(e, &o);
  if (v.kind == V_BAD || now.kind == V_BAD) {
    if (b && b->mutable_) b->value = v_bad();
    return;
  }
  bool parts = now.kind == V_TUPLE || now.kind == V_LIST || (now.kind == V_FN && now.fn->kind == FN_CHAIN);
  if (target->kind == A_INDEX && parts && !(b && b->mutable_) && tree_has_cells(e, now)) {
    now = elab_expr(e, target);            /* an element of a tree of cells: `net[1] = kept[1]` */
    if (now.kind == V_BAD) return;
    b = NULL;
    if (ast->op != '=') v = elab_binary(e, ast->op, now, v, ast);
    if (v.kind == V_BAD) return;
  } else if (target->kind == A_INDEX) {
    if (ast->op != '=') {
      Value part = elab_index(e, target, value_decay(e, was));
      v = elab_binary(e, ast->op, part, v, ast);
    }
    Value out;
    if (v.kind == V_BAD || !assign_index(e, target, value_decay(e, now), v, &out)) return;
    v = out;
  } else if (ast->op != '=') {
    if (now.kind == V_CELL) {     /* an open cell takes the element type of what it meets */
      Value r = value_decay(e, v);
      bool typed = r.kind == V_NODE && dtype_is_float((DType)node_type(e, r.node)->dtype) && !node_flex(e, r.node);
      if (typed && widen_cell(e, now.cell, (DType)node_type(e, r.node)->dtype, ast)) return;
    }
    v = elab_binary(e, ast->op, was, v, ast);
    if (v.kind == V_BAD) return;
  }
  if (b) assign_bound(e, b, v, base, ast);
  else if (now.kind == V_CELL || is_tree(e, &now)) assign_tree(e, now, v, ast);
  else no_target(e, target, &now);
}
