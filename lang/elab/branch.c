/* branch: `if`. In: a condition and two blocks. Out: what a known condition chooses; else, in a formula, both values
 * and a `where` between them, leaf by leaf; among steps a branch that runs one of them.
 *
 * A formula computes both branches, so what one of them assigns is taken back before the other is read, and afterwards
 * each variable is chosen between what the two left in it.
 */
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/literal.h"
#include "elab/loop.h"
#include "elab/names.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include <string.h>

NodeId condition(Elab *e, const Ast *at, Value v) {
  NodeId n = want_node(e, v, at, "a condition");
  if (n == NO_NODE) return n;
  const Type *t = node_type(e, n);
  if (t->dtype != BOOL) {
    Diag *g = elab_error(e, at, E_CONDITION, value_kind_text(e, &v));
    diag_hint(e->d, g, "compare: `x != 0`");
    return NO_NODE;
  }
  if (t->rank) {
    Diag *g = elab_error(e, at, E_CONDITION, value_kind_text(e, &v));
    diag_hint(e->d, g, "`all(...)` or `any(...)` makes one of many; `where(c, a, b)` chooses element by element");
    return NO_NODE;
  }
  return n;
}

static Value branch(Elab *e, const Ast *b) {
  if (!b) return v_unit();
  return b->kind == A_IF ? elab_if(e, b, true) : elab_block(e, b, true);
}

static bool is_number(const Value *v) { return v->kind == V_NODE || v->kind == V_INT || v->kind == V_BOOL; }
static bool is_open(Elab *e, NodeId n) { return node_flex(e, n) && node_type(e, n)->dtype == F64; }

/* One shape and one element type, which a literal takes from the other: whole ones also f32. N_DTYPES: they differ. */
static DType one_type(Elab *e, NodeId a, NodeId b) {
  const Type *x = node_type(e, a), *y = node_type(e, b);
  if (!type_same_shape(x, y)) return N_DTYPES;
  bool ints[2] = {graph_at(e->g, a)->flags & NODE_INTS, graph_at(e->g, b)->flags & NODE_INTS};
  if (is_open(e, a) && is_open(e, b)) return ints[0] && ints[1] ? I32 : F32;
  if (!is_open(e, a) && !is_open(e, b)) return x->dtype == y->dtype ? (DType)x->dtype : N_DTYPES;
  bool whole = is_open(e, a) ? ints[0] : ints[1];
  DType d = (DType)(is_open(e, a) ? y : x)->dtype;
  return d != BOOL && (whole || dtype_is_float(d)) ? d : N_DTYPES;
}

static void mark_branch(Elab *e, Diag *g, const Ast *branch, const Value *v) {
  if (branch && branch->kind == A_BLOCK && branch->n)
    diag_mark(e->d, g, elab_loc(e, branch->kid[branch->n - 1]), "%s", value_kind_text(e, v));
}

/* How two numbers of different types become alike. */
static const char *as_the_other(Elab *e, Value a, Value b, const Ast *at) {
  NodeId x = want_node(e, a, at, ""), y = want_node(e, b, at, "");
  const Type *t = node_type(e, x), *u = node_type(e, y);
  if (!type_same_shape(t, u)) {
    if (t->rank && u->rank) return NULL;
    return arena_printf(e->a, "a number becomes as large as the other by `expand(..., %s)`",
                        shape_show(e->a, t->rank ? t : u));
  }
  if (t->dtype == BOOL || u->dtype == BOOL) return "`f32(...)` makes 1 and 0 of true and false";
  DType d = is_open(e, x) || is_open(e, y) ? F32 : dtype_is_float((DType)t->dtype) ? (DType)t->dtype : (DType)u->dtype;
  return arena_printf(e->a, "`%s(...)` converts the other", dtype_name[d]);
}

Value select_value(Elab *e, NodeId cond, Value a, Value b, const Ast *at) {
  host_deeper(&e->s->host);
  a = value_decay(e, a);
  b = value_decay(e, b);
  if (a.kind == V_BAD || b.kind == V_BAD) return v_bad();
  if (a.kind == V_UNIT && b.kind == V_UNIT) return a;
  if (a.kind == V_INT && b.kind == V_INT && a.i == b.i) return a;
  if ((a.kind == V_TUPLE || a.kind == V_LIST) && a.kind == b.kind && a.items->n == b.items->n) {
    Value y = v_items(e->a, a.kind, a.items->at, a.items->n);
    for (uint32_t k = 0; k < a.items->n; k++)
      y.items->at[k] = select_value(e, cond, a.items->at[k], b.items->at[k], at);
    return y;
  }
  if (a.kind == V_RECORD && b.kind == V_RECORD && a.fields->n == b.fields->n) {
    Fields *f = NEW(e->a, Fields);
    *f = *a.fields;
    f->at = NEW_N(e->a, Value, f->n ? f->n : 1);
    for (uint32_t k = 0; k < f->n; k++) {
      if (a.fields->name[k] != b.fields->name[k]) goto differ;
      f->at[k] = select_value(e, cond, a.fields->at[k], b.fields->at[k], at);
    }
    return (Value){.kind = V_RECORD, .fields = f};
  }
  if (is_number(&a) && is_number(&b)) {
    NodeId in[2] = {want_node(e, a, at, "a value to choose"), want_node(e, b, at, "a value to choose")};
    DType d = in[0] == NO_NODE || in[1] == NO_NODE ? N_DTYPES : one_type(e, in[0], in[1]);
    if (d == N_DTYPES) goto differ;
    for (int k = 0; k < 2; k++)
      if ((in[k] = want_typed(e, v_node(in[k]), d, at, "a branch")) == NO_NODE) return v_bad();
    Type t = *node_type(e, in[0]);
    t.dtype = BOOL;
    NodeId c = g_broadcast(e->g, cond, &t);
    NodeId y = emit(e, &op_where, (NodeId[]){c, in[0], in[1]}, 3, NULL, at);
    return y == NO_NODE ? v_bad() : v_node(y);
  }
differ: {
  Diag *g = elab_error(e, at, E_BRANCHES_DIFFER, value_kind_text(e, &a), value_kind_text(e, &b));
  if (at->kind == A_IF) {
    mark_branch(e, g, at->kid[1], &a);
    mark_branch(e, g, at->kid[2], &b);
  }
  diag_note(e->d, g, 0, "the condition is of the run, so one of the two is chosen only then");
  bool texts = (a.kind == V_STRING || a.kind == V_TEXT) && (b.kind == V_STRING || b.kind == V_TEXT);
  const char *way = is_number(&a) && is_number(&b) ? as_the_other(e, a, b, at) : NULL;
  if (at->kind == A_IF && !at->kid[2]) diag_hint(e->d, g, "a value has an `else` too");
  else if (way) diag_hint(e->d, g, "%s", way);
  else if (texts)
    diag_hint(e->d, g, "a string is known, or has holes: choose in steps, `if c { print a } else { print b }`");
  return v_bad();
}
}

/* ---- what branches assign ---- */
Branch branch_open(Elab *e) { return (Branch){e->made.assigned.n, ++e->branches}; }

Assigned *branch_assigned(Elab *e, const Branch *b, uint32_t *n) {
  uint32_t stamp = ++e->stamp, all = e->made.assigned.n - b->mark;
  Assigned *out = NEW_N(e->a, Assigned, all + 1);
  *n = 0;
  for (uint32_t k = 0; k < all; k++) {
    Assigned a = e->made.assigned.at[b->mark + k];
    if (a.bound->branches >= b->number || a.bound->seen == stamp) continue;      /* its own, or met already */
    a.bound->seen = stamp;
    a.bound->number = *n;
    out[(*n)++] = a;
  }
  e->made.assigned.n = b->mark;
  return out;
}

/* One branch of two: what it left in variables from outside is kept, and they are as before. */
typedef struct Left { Assigned *at; uint32_t n; Value *after, value; BranchFlow flow; } Left;

static Left one_branch(Elab *e, const Ast *ast) {
  Left l;
  Branch b = branch_open(e);
  l.value = branch(e, ast);
  branch_flow_take(e, &l.flow);
  l.at = branch_assigned(e, &b, &l.n);
  l.after = NEW_N(e->a, Value, l.n + 1);
  for (uint32_t k = 0; k < l.n; k++) {
    l.after[k] = l.at[k].bound->value;
    l.at[k].bound->value = l.at[k].before;
  }
  return l;
}

static void choose_variable(Elab *e, NodeId cond, Assigned a, Value then, Value other, const Ast *ast) {
  vec_push(e->a, &e->made.assigned, a);
  a.bound->value = select_value(e, cond, then, other, ast);
}

static OUT_OF_LINE Value if_of_run(Elab *e, const Ast *ast, NodeId cond) {
  Where outside = make_within(e, MAKE_IN_IF);
  bool steps = e->here.frame->steps, in_value = e->here.frame->in_value;
  e->here.frame->steps = false;     /* both branches are computed: they are formulas, wherever the `if` stands */
  e->here.frame->in_value |= steps;
  BranchFlow outer;
  branch_flow_take(e, &outer);
  uint32_t errors = e->d->n_errors;
  Left then = one_branch(e, ast->kid[1]), other = one_branch(e, ast->kid[2]);
  uint32_t stamp = e->stamp;        /* of what the second branch assigned */
  e->here = outside;
  e->here.frame->steps = steps;
  e->here.frame->in_value = in_value;
  memcpy(e->here.frame->leave, outer.leave, sizeof outer.leave);
  bool leaves = branch_flow_join(e, cond, &then.flow, &other.flow, ast);
  const Value **first = NEW_N(e->a, const Value *, other.n + 1);
  for (uint32_t k = 0; k < then.n; k++)
    if (then.at[k].bound->seen == stamp) first[then.at[k].bound->number] = &then.after[k];
  for (uint32_t k = 0; k < other.n; k++)
    choose_variable(e, cond, other.at[k], first[k] ? *first[k] : other.at[k].before, other.after[k], ast);
  for (uint32_t k = 0; k < then.n; k++)
    if (then.at[k].bound->seen != stamp) choose_variable(e, cond, then.at[k], then.after[k], then.at[k].before, ast);
  if (e->d->n_errors > errors) return v_bad();
  if (leaves || outside.use == USE_NONE) return v_unit();
  return select_value(e, cond, then.value, other.value, ast);
}

/* Whether select_value can choose between the two. */
static bool alike(Elab *e, Value a, Value b, const Ast *at) {
  host_deeper(&e->s->host);
  a = value_decay(e, a);
  b = value_decay(e, b);
  bool ta = is_tensor(&a), tb = is_tensor(&b);
  if (ta && tb) {
    NodeId x = want_node(e, a, at, ""), y = want_node(e, b, at, "");
    return one_type(e, x, y) != N_DTYPES;
  }
  bool items = (a.kind == V_TUPLE || a.kind == V_LIST) && a.kind == b.kind && a.items->n == b.items->n;
  for (uint32_t k = 0; items && k < a.items->n; k++) items = alike(e, a.items->at[k], b.items->at[k], at);
  return items;
}

/* The value of a branch of steps, kept in cells of its own. */
static Value branch_cells(Elab *e, Value v, const Ast *at) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  if (v.kind == V_TUPLE || v.kind == V_LIST) {
    Value y = v_items(e->a, (ValueKind)v.kind, v.items->at, v.items->n);
    for (uint32_t k = 0; k < v.items->n; k++) y.items->at[k] = branch_cells(e, v.items->at[k], at);
    return y;
  }
  if (v.kind != V_INT && v.kind != V_BOOL && v.kind != V_NODE) return v_unit();
  bool whole = v.kind == V_INT ||
               (v.kind == V_NODE && graph_at(e->g, v.node)->flags & NODE_INTS && node_flex(e, v.node));
  NodeId n = whole ? want_typed(e, v, I32, at, "the value of a branch")
                   : settle(e, want_node(e, v, at, "the value of a branch"));
  if (n == NO_NODE) return v_bad();
  Cell *c = cell_new(e, CELL_HIDDEN, node_type(e, n), "the value of an `if`", elab_loc(e, at));
  c->flex = whole;
  Tensor *zero = tensor_new(&e->s->host, &c->type);        /* of the branch that is not taken: never looked at */
  memset(zero->data, 0, zero->bytes);
  slot_put(e->p, c->slot, zero);
  tensor_unref(zero);
  cell_assign(e, c, n, elab_loc(e, at));
  return (Value){.kind = V_CELL, .cell = c};
}

/* Whole literals of one branch are floats if they are in the other. */
static void join_whole(Elab *e, Value *a, Value *b, const Ast *at) {
  host_deeper(&e->s->host);
  bool items = (a->kind == V_TUPLE || a->kind == V_LIST) && a->kind == b->kind && a->items->n == b->items->n;
  for (uint32_t k = 0; items && k < a->items->n; k++) join_whole(e, &a->items->at[k], &b->items->at[k], at);
  if (a->kind != V_CELL || b->kind != V_CELL) return;
  DType c = (DType)a->cell->type.dtype, d = (DType)b->cell->type.dtype;
  NodeId x = a->cell->flex && dtype_is_float(d) ? want_typed(e, *a, d, at, "a branch") : NO_NODE;
  NodeId y = b->cell->flex && dtype_is_float(c) ? want_typed(e, *b, c, at, "a branch") : NO_NODE;
  if (x != NO_NODE) *a = v_node(x);
  if (y != NO_NODE) *b = v_node(y);
}

static OUT_OF_LINE Value if_of_steps(Elab *e, const Ast *ast, NodeId cond, bool want_value) {
  Step *s = step_add(e, STEP_IF, elab_loc_at(e, ast));
  vec_push(e->a, &s->need, (Need){cond, NO_SLOT});
  Value v[2] = {{.kind = V_UNIT}, {.kind = V_UNIT}};
  uint8_t flow[2] = {FLOW_ON, FLOW_ON};
  for (int k = 0; k < 2; k++) {
    const Ast *b = ast->kid[1 + k];
    if (!b) continue;
    Steps *steps = NEW(e->a, Steps);
    Region *r = region_enter(e, REGION_BRANCH, steps, ast);
    Where outside = make_within(e, MAKE_IN_BRANCH);
    v[k] = b->kind == A_IF ? elab_if(e, b, true) : elab_block(e, b, true);
    e->here = outside;
    if (want_value) v[k] = branch_cells(e, v[k], b);
    region_leave(e, r);
    flow[k] = e->here.frame->flow;
    e->here.frame->flow = FLOW_ON;
    if (k == 0) s->body = *steps;
    else s->other = *steps;
  }
  if (flow[0] != FLOW_ON && flow[1] != FLOW_ON) e->here.frame->flow = flow[0] == flow[1] ? flow[0] : FLOW_CONTINUE;
  if (want_value) join_whole(e, &v[0], &v[1], ast);
  return want_value && alike(e, v[0], v[1], ast) ? select_value(e, cond, v[0], v[1], ast) : v_unit();
}

static Value chosen(Elab *e, const Ast *ast, bool as_steps) {
  Value c = value_decay(e, elab_expr(e, ast->kid[0]));
  bool known;
  if (c.kind == V_BAD) return c;
  if (known_bool(e, c, &known)) {
    const Ast *b = ast->kid[known ? 1 : 2];
    if (!b) return v_unit();
    return b->kind == A_IF ? elab_if(e, b, as_steps) : elab_block(e, b, true);
  }
  NodeId n = condition(e, ast->kid[0], c);
  if (n == NO_NODE) return v_bad();
  if (!as_steps || !e->here.frame->steps) return if_of_run(e, ast, n);
  return if_of_steps(e, ast, n, e->here.use == USE_OF_STEPS && ast->kid[2]);
}

Value elab_if(Elab *e, const Ast *ast, bool as_steps) {
  if (!elab_stack_ok(e, ast)) return v_bad();
  Where outside = e->here;
  if (!as_steps) e->here.use = USE_OF_FORMULA;
  Value v = chosen(e, ast, as_steps);
  e->here = outside;
  return v;
}
