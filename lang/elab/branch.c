/* branch: `if`. In: a condition and two blocks. Out: what a known condition chooses; else, in a formula, both values
 * and a `where` between them, leaf by leaf; among steps a branch that runs one of them.
 *
 * A formula computes both branches, so what one of them assigns is taken back before the other is read, and afterwards
 * each variable is chosen between what the two left in it.
 */
#include "elab/branch.h"
#include "elab/arith.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/expr.h"
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
  if (b->kind == A_IF) return elab_if(e, b, false);
  return elab_block(e, b, true);
}

/* Equal shapes or a scalar; floats of one precision; bools with bools. */
static bool one_type(Elab *e, NodeId a, NodeId b) {
  const Type *x = node_type(e, a), *y = node_type(e, b);
  if (x->rank && y->rank && !type_same_shape(x, y)) return false;
  if (node_flex(e, a) || node_flex(e, b) || x->dtype == y->dtype) return true;
  return x->dtype != BOOL && y->dtype != BOOL && !(dtype_is_float((DType)x->dtype) && dtype_is_float((DType)y->dtype));
}

static void mark_branch(Elab *e, Diag *g, const Ast *branch, const Value *v) {
  if (branch && branch->kind == A_BLOCK && branch->n)
    diag_mark(e->d, g, elab_loc(e, branch->kid[branch->n - 1]), "%s", value_kind_text(e, v));
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
  if ((a.kind == V_NODE || a.kind == V_INT || a.kind == V_BOOL) &&
      (b.kind == V_NODE || b.kind == V_INT || b.kind == V_BOOL)) {
    Value v[2] = {a, b};
    NodeId in[2];
    if (a.kind == V_NODE && b.kind == V_NODE && !one_type(e, a.node, b.node)) goto differ;
    if (!unify(e, v, in, 2, at, NULL, "if")) return v_bad();
    bool ints = graph_at(e->g, in[0])->flags & graph_at(e->g, in[1])->flags & NODE_INTS;
    for (int k = 0; k < 2; k++) {
      if (ints) in[k] = emit_i(e, &op_cast, &in[k], 1, (int64_t[]){I32}, 1, at);
      else in[k] = settle(e, in[k]);
    }
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
  if (at->kind == A_IF && !at->kid[2]) diag_hint(e->d, g, "a value has an `else` too");
  else if (texts)
    diag_hint(e->d, g, "a string is known, or has holes: choose in steps, `if c { print a } else { print b }`");
  return v_bad();
}
}

static OUT_OF_LINE Value if_of_run(Elab *e, const Ast *ast, NodeId cond) {
  Where outside = make_within(e, MAKE_IN_IF);
  bool steps = e->here.frame->steps, in_value = e->here.frame->in_value;
  e->here.frame->steps = false;     /* both branches are computed: they are formulas, wherever the `if` stands */
  e->here.frame->in_value |= steps;
  BranchFlow outer, flow[2];
  branch_flow_take(e, &outer);
  uint32_t mark = e->made.assigned.n, errors = e->d->n_errors;
  Value v[2];
  Value *after = NULL;
  uint32_t n_then = 0;
  Assigned *taken = NULL;
  for (int k = 0; k < 2; k++) {
    v[k] = branch(e, ast->kid[1 + k]);
    branch_flow_take(e, &flow[k]);
    uint32_t n = e->made.assigned.n - mark;
    if (k == 0) {
      n_then = n;
      taken = arena_copy(e->a, e->made.assigned.at ? e->made.assigned.at + mark : (void *)"", n * sizeof *taken);
      after = NEW_N(e->a, Value, n + 1);
      for (uint32_t j = 0; j < n; j++) after[j] = taken[j].bound->value;
      for (uint32_t j = n; j-- > 0;) taken[j].bound->value = taken[j].before;
      e->made.assigned.n = mark;
    }
  }
  e->here = outside;
  e->here.frame->steps = steps;
  e->here.frame->in_value = in_value;
  memcpy(e->here.frame->leave, outer.leave, sizeof outer.leave);
  bool leaves = branch_flow_join(e, cond, &flow[0], &flow[1], ast);
  uint32_t end = e->made.assigned.n;
  /* what the second branch assigned: both values stand */
  for (uint32_t j = mark; j < end; j++) {
    Assigned a = e->made.assigned.at[j];
    bool seen = false;
    for (uint32_t i = mark; i < j; i++) seen |= e->made.assigned.at[i].bound == a.bound;
    if (seen) continue;
    Value then = a.before;
    for (uint32_t i = 0; i < n_then; i++)
      if (taken[i].bound == a.bound) then = after[i];
    a.bound->value = select_value(e, cond, then, a.bound->value, ast);
  }
  for (uint32_t i = 0; i < n_then; i++) {
    bool seen = false;
    for (uint32_t j = mark; j < end; j++) seen |= e->made.assigned.at[j].bound == taken[i].bound;
    for (uint32_t j = 0; j < i; j++) seen |= taken[j].bound == taken[i].bound;
    if (seen) continue;
    Value before = taken[i].bound->value;
    vec_push(e->a, &e->made.assigned, (Assigned){taken[i].bound, before});
    taken[i].bound->value = select_value(e, cond, after[i], before, ast);
  }
  if (e->d->n_errors > errors) return v_bad();
  return leaves ? v_unit() : select_value(e, cond, v[0], v[1], ast);
}

/* Whether select_value can choose between the two. */
static bool alike(Elab *e, Value a, Value b) {
  host_deeper(&e->s->host);
  a = value_decay(e, a);
  b = value_decay(e, b);
  bool ta = a.kind == V_INT || a.kind == V_BOOL || a.kind == V_NODE,
       tb = b.kind == V_INT || b.kind == V_BOOL || b.kind == V_NODE;
  if (ta && tb) {
    NodeId x = want_node(e, a, NULL, ""), y = want_node(e, b, NULL, "");
    return (node_type(e, x)->dtype == BOOL) == (node_type(e, y)->dtype == BOOL) && one_type(e, x, y) &&
           node_type(e, x)->rank == node_type(e, y)->rank;
  }
  bool items = (a.kind == V_TUPLE || a.kind == V_LIST) && a.kind == b.kind && a.items->n == b.items->n;
  for (uint32_t k = 0; items && k < a.items->n; k++) items = alike(e, a.items->at[k], b.items->at[k]);
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
  Tensor *zero = tensor_new(&e->s->host, &c->type);        /* of the branch that is not taken: never looked at */
  memset(zero->data, 0, zero->bytes);
  slot_put(e->p, c->slot, zero);
  tensor_unref(zero);
  cell_assign(e, c, n, elab_loc(e, at));
  return (Value){.kind = V_CELL, .cell = c};
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
    v[k] = b->kind == A_IF ? elab_if(e, b, true) : elab_block(e, b, true);
    if (want_value) v[k] = branch_cells(e, v[k], b);
    region_leave(e, r);
    flow[k] = e->here.frame->flow;
    e->here.frame->flow = FLOW_ON;
    if (k == 0) s->body = *steps;
    else s->other = *steps;
  }
  if (flow[0] != FLOW_ON && flow[1] != FLOW_ON) e->here.frame->flow = flow[0] == flow[1] ? flow[0] : FLOW_CONTINUE;
  return want_value && alike(e, v[0], v[1]) ? select_value(e, cond, v[0], v[1], ast) : v_unit();
}

Value elab_if(Elab *e, const Ast *ast, bool as_steps) {
  if (!elab_stack_ok(e, ast)) return v_bad();
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
  const CallFrame *f = e->here.frame;
  bool want_value = f->fn && f->loop == LOOP_NONE && ast->kid[2];   /* the last of a proc, perhaps */
  return if_of_steps(e, ast, n, want_value);
}
