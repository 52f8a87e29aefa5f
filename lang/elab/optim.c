/* optim: optimizers. A rule tied to a tree has a state cell a leaf, and counts its steps. `opt.step(loss)` is
 * `opt.apply(grad(loss, TREE))`: nothing but the tree moves.
 */
#include "elab/optim.h"
#include "elab/args.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/derive.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/layer.h"
#include "elab/leaves.h"
#include "elab/lint.h"
#include "elab/mark.h"
#include "elab/mismatch.h"
#include "elab/names.h"
#include "elab/show.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include "text/foreign.h"
#include <string.h>

static const Ast *rule_body(const Optimizer *o) { return o->rule->ast->kid[1]; }

/* where: the tree as it was written. */
static Value tie(Elab *e, Optimizer *o, Value tree, const Ast *where, const Ast *at) {
  if (e->here.make > MAKE_IN_BRANCH) {      /* among steps a branch may train: what it keeps is no parameter */
    Diag *g = elab_error(e, at, E_LAYER_IN_CALL, o->rule->name, make_place(e->here.make));
    diag_hint(e->d, g, "tie it with `let` at the top or in a `proc`, and step with it there");
    return v_bad();
  }
  Leaves l = {0};
  tree_leaves(e, tree, LEAF_PARAM, &l);
  o->leaf = NEW_N(e->a, Cell *, l.n + 1);
  o->leaf_path = NEW_N(e->a, const char *, l.n + 1);
  for (uint32_t k = 0; k < l.n; k++) {
    if (l.at[k].value.kind != V_CELL) {
      Diag *g = elab_error(e, where, E_OPTIMIZER_TREE,
                           l.at[k].path[0] ? arena_printf(e->a, "`%s`", l.at[k].path) : "this");
      diag_hint(e->d, g, "tie it to what has parameters: an instance of a layer, or `param`s and `var`s");
      return v_bad();
    }
    o->leaf[k] = l.at[k].value.cell;
    cell_change(e, o->leaf[k])->tied = o;
    o->leaf_path[k] = l.at[k].path;
  }
  if (l.n == 0) {
    Diag *g = elab_error(e, where, E_NOTHING_TO_MOVE, value_kind_text(e, &tree));
    diag_hint(e->d, g, "tie it to what has parameters: an instance of a layer, or a tuple of `param`s");
    return v_bad();
  }
  const Ast *body = rule_body(o);
  o->tied = o;
  o->tree = tree;
  o->n_leaf = l.n;
  o->made = elab_loc(e, at);
  for (uint32_t k = 0; k < body->n; k++) o->n_state += body->kid[k]->kind == A_STATE;
  o->state_name = NEW_N(e->a, Sym, o->n_state + 1);
  o->state = NEW_N(e->a, Value, o->n_state * o->n_leaf + 1);
  Type count = type_scalar(I32);
  Cell *steps = cell_new(e, CELL_STATE, &count, NULL, o->made);
  o->t = (Value){.kind = V_CELL, .cell = steps};
  cell_assign(e, steps, g_fill(e->g, &count, 0), o->made);
  for (uint32_t j = 0; j < o->n_leaf; j++) {
    Cell *p = o->leaf[j];
    Scope *s = scope_new(e, o->args);
    scope_put(e, s, sym(e->s->sources, "p", 1), v_node(cell_read(e, p, o->made)), NULL);
    uint32_t k_state = 0;
    for (uint32_t k = 0; k < body->n; k++) {
      const Ast *stmt = body->kid[k];
      if (stmt->kind != A_STATE) continue;
      Value v = expr_in(e, s, stmt->kid[1]);
      NodeId n = v.kind == V_BAD ? NO_NODE
                                 : want_typed(e, v, (DType)p->type.dtype, stmt->kid[1], "a state's first value");
      if (n == NO_NODE) return v_bad();
      if (!type_same_shape(node_type(e, n), &p->type)) {
        if (node_type(e, n)->rank) {
          elab_error(e, stmt->kid[1], E_DECLARED_SHAPE, shape_show(e->a, &p->type), shape_show(e->a, node_type(e, n)));
          return v_bad();
        }
        n = g_broadcast(e->g, n, &p->type);
      }
      o->state_name[k_state] = stmt->name;
      Cell *c = cell_new(e, CELL_STATE, &p->type, NULL, o->made);
      cell_assign(e, c, n, o->made);
      o->state[j * o->n_state + k_state++] = (Value){.kind = V_CELL, .cell = c};
    }
  }
  return (Value){.kind = V_OPTIMIZER, .optimizer = o};
}

static bool is_number(Elab *e, const Value *v) {
  return v->kind == V_INT || v->kind == V_BOOL || (v->kind == V_NODE && node_type(e, v->node)->rank == 0) ||
         (v->kind == V_CELL && v->cell->type.rank == 0);
}

/* What is a number by default may be given as a number, a cell with one or a schedule. */
static bool arguments_fit(Elab *e, const Fn *rule, const Args *a) {
  const Ast *params = rule->ast->kid[0];
  for (uint32_t k = 0; k < a->n; k++)
    for (uint32_t j = 0; params && j < params->n; j++) {
      const Ast *p = params->kid[j], *value = p->kid[2];
      if (p->kid[0]->kind != A_NAME || p->kid[0]->name != a->name[k] || !value) continue;
      bool by_number = value->kind == A_INT || value->kind == A_FLOAT || value->kind == A_CONST;
      if (!by_number || is_number(e, &a->at[k]) || a->at[k].kind == V_FN || a->at[k].kind == V_BAD) continue;
      elab_error(e, a->ast[k], E_RULE_ARGUMENT, a->name[k], rule->name, value_kind_text(e, &a->at[k]));
      return false;
    }
  return true;
}

Value make_optimizer(Elab *e, const Fn *rule, Args *a, const Ast *at) {
  Value tree = {.kind = V_ABSENT};
  const Ast *where = at;
  Args named = {.at = NEW_N(e->a, Value, a->n + 1), .name = NEW_N(e->a, Sym, a->n + 1),
                .ast = NEW_N(e->a, const Ast *, a->n + 1)};
  for (uint32_t k = 0; k < a->n; k++) {
    if (!a->name[k]) {
      if (tree.kind != V_ABSENT) {
        Diag *g = elab_error(e, a->ast[k], E_OPTIMIZER_POSITIONAL, rule->name);
        diag_hint(e->d, g, "only what it moves is positional; write `lr = ...`");
        return v_bad();
      }
      tree = a->at[k];
      where = a->ast[k] ? a->ast[k] : at;
      continue;
    }
    /* a `var` is read at each step, however it is reached; the state of a layer is its value now */
    bool follows = a->at[k].kind == V_CELL && a->at[k].cell->role != CELL_STATE;
    named.at[named.n] = follows ? a->at[k] : value_decay(e, a->at[k]);
    named.name[named.n] = a->name[k];
    named.ast[named.n++] = a->ast[k];
  }
  if (tree.kind == V_INT || (tree.kind == V_NODE && node_flex(e, tree.node) && !node_type(e, tree.node)->rank)) {
    Diag *g = elab_error(e, at, E_OPTIMIZER_POSITIONAL, rule->name);
    diag_hint(e->d, g, "name the argument: `%s(lr = ...)`", rule->name);
    return v_bad();
  }
  Optimizer *o = NEW(e->a, Optimizer);
  o->rule = rule;
  o->args = scope_new(e, rule->scope);
  o->made = elab_loc(e, at);
  DType unmarked = N_DTYPES;
  if (!bind_params(e, rule, rule->ast->kid[0], &named, o->args, false, &unmarked, at)) return v_bad();
  if (!arguments_fit(e, rule, &named)) return v_bad();
  if (tree.kind == V_ABSENT) return (Value){.kind = V_OPTIMIZER, .optimizer = o};
  return tie(e, o, tree, where, at);
}

Value tie_optimizer(Elab *e, const Optimizer *rule, Args *a, const Ast *at) {
  if (rule->tied) {
    Diag *g = elab_error(e, at, E_OPTIMIZER_TIED, rule->rule->name);
    diag_hint(e->d, g, "call `opt.step(loss)` or `opt.apply(gradients)`");
    return v_bad();
  }
  if (a->n != 1 || a->name[0]) {
    elab_error(e, at, E_TOO_MANY_ARGUMENTS, rule->rule->name, 1, "", (int)a->n);
    return v_bad();
  }
  Optimizer *o = NEW(e->a, Optimizer);
  *o = *rule;
  return tie(e, o, a->at[0], a->ast[0] ? a->ast[0] : at, at);
}

/* One leaf's rule: its new value. */
static NodeId new_value(Elab *e, const Optimizer *o, uint32_t j, NodeId g, NodeId count, const Ast *at) {
  Cell *p = o->leaf[j];
  NodeId t = emit_i(e, &op_cast, &count, 1, (int64_t[]){p->type.dtype}, 1, at);
  Scope *s = scope_new(e, o->args);
  for (uint32_t k = 0; k < o->args->bound.n; k++) {
    const Bound *b = o->args->bound.at[k];
    Value v = b->value;
    bool schedule = v.kind == V_FN;
    if (schedule) v = call1(e, v, v_node(t), at);
    v = value_decay(e, v);
    if (v.kind == V_BAD) return NO_NODE;
    if (schedule && !is_number(e, &v)) {
      Diag *d = elab_error(e, at, E_SCHEDULE, b->name, value_kind_text(e, &v));
      diag_note(e->d, d, o->made, "the optimizer was made here");
      return NO_NODE;
    }
    if (v.kind == V_NODE && !node_flex(e, v.node) && dtype_is_float((DType)node_type(e, v.node)->dtype) &&
        node_type(e, v.node)->dtype != p->type.dtype)
      v = v_node(emit_i(e, &op_cast, &v.node, 1, (int64_t[]){p->type.dtype}, 1, at));
    scope_put(e, s, b->name, v, b->ast);
  }
  Instance *self = NEW(e->a, Instance);     /* its states are what the rule may assign */
  self->layer = o->rule;
  self->n = o->n_state;
  self->field = NEW_N(e->a, Field, o->n_state + 1);
  for (uint32_t k = 0; k < o->n_state; k++) {
    Value v = o->state[j * o->n_state + k];
    self->field[k] = (Field){o->state_name[k], FIELD_STATE, v};
    scope_put(e, s, o->state_name[k], v, NULL);
  }
  const Ast *body = rule_body(o), *rule = NULL;
  CallFrame frame = {.fn = o->rule, .self = self};
  Where outside = frame_enter(e, &frame, s);
  elab_definitions(e, body);
  for (uint32_t k = 0; k < body->n; k++) {
    const Ast *stmt = body->kid[k];
    Value last;
    if (stmt->kind == A_EXPR && stmt->kid[0]->kind == A_LAMBDA) rule = stmt->kid[0];
    else if (stmt->kind == A_LET || stmt->kind == A_ASSERT) elab_stmt(e, stmt, &last);
  }
  e->here = outside;
  if (!rule) {
    for (uint32_t k = 0; k < body->n; k++)
      /* told where it is defined: what stands for the rule is none */
      if (body->kid[k]->kind == A_EXPR) return NO_NODE;
    elab_error(e, at, E_OPTIMIZER_RULE, o->rule->name);
    return NO_NODE;
  }
  Fn *f = fn_new(e, FN_CLOSURE, o->rule->name);
  f->ast = rule;
  f->scope = s;
  f->self = self;
  Args a = {.n = 3,
            .at = (Value[]){v_node(cell_read(e, p, elab_loc(e, at))), v_node(g), v_node(t)},
            .name = (Sym[]){NULL, NULL, NULL},
            .ast = (const Ast *[]){at, at, at}};
  make_within(e, MAKE_IN_CALL);
  Value v = call_fn(e, f, &a, at);
  e->here = outside;
  if (v.kind == V_BAD) return NO_NODE;
  NodeId n = want_typed(e, v, (DType)p->type.dtype, at, "the new value of a parameter");
  if (n != NO_NODE && !type_same_shape(node_type(e, n), &p->type)) {
    elab_error(e, at, E_RULE_SHAPE, o->rule->name, shape_show(e->a, &p->type), shape_show(e->a, node_type(e, n)));
    return NO_NODE;
  }
  return n;
}

/* The gradient of each leaf, found beside it: a parameter reached by two paths is one leaf. */
typedef struct Beside { const Optimizer *o; Value *gradient; bool *found; } Beside;
static Value beside(Elab *e, void *ctx, Value leaf, Value gradient) {
  Beside *b = ctx;
  (void)e;
  for (uint32_t k = 0; k < b->o->n_leaf; k++)
    if (leaf.kind == V_CELL && b->o->leaf[k] == leaf.cell && !b->found[k]) {
      b->gradient[k] = gradient;
      b->found[k] = true;
    }
  return leaf;
}

static bool gradients_of(Elab *e, const Optimizer *o, Value gradients, Value *out, const Ast *at) {
  Beside b = {o, out, NEW_N(e->a, bool, o->n_leaf + 1)};
  if (o->tree.kind == V_CELL) {
    beside(e, &b, o->tree, gradients);
    return gradients.kind != V_BAD;
  }
  return tree_map2(e, o->tree, gradients, LEAF_PARAM, beside, &b, at).kind != V_BAD;
}

static bool apply(Elab *e, const Optimizer *o, Value gradients, const Ast *at) {
  if (!e->here.frame->steps) {
    Diag *g = elab_error(e, at, E_STEP_IN_FORMULA, "a step of an optimizer");
    diag_hint(e->d, g, "it changes parameters: call it from a step or a `proc`");
    return false;
  }
  if (o->t.kind != V_CELL) {
    Diag *g = elab_error(e, at, E_OPTIMIZER_COPY, o->rule->name);
    diag_hint(e->d, g, "give the values back to the optimizer: `opt = kept`");
    return false;
  }
  uint32_t n = o->n_leaf;
  Value *given = NEW_N(e->a, Value, n + 1);
  if (!gradients_of(e, o, gradients, given, at)) return false;
  NodeId *d = NEW_N(e->a, NodeId, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    Cell *p = o->leaf[k];
    d[k] = want_typed(e, given[k], (DType)p->type.dtype, at, "a gradient");
    if (d[k] == NO_NODE) return false;
    if (!type_same_shape(node_type(e, d[k]), &p->type)) {
      elab_error(e, at, E_GRADIENT_SHAPE, p->path ? p->path : "a parameter", shape_show(e->a, &p->type),
                 shape_show(e->a, node_type(e, d[k])));
      return false;
    }
  }
  WITH_LOC(e, at);
  Loc loc = e->g->loc;
  Type one = type_scalar(I32);
  NodeId more = g_fill(e->g, &one, 1);
  NodeId count = emit2(e, &op_add, cell_read(e, o->t.cell, loc), more, at);
  NodeId *y = NEW_N(e->a, NodeId, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    y[k] = NO_NODE;
    if (o->leaf[k]->frozen) continue;
    y[k] = new_value(e, o, k, d[k], count, at);
    if (y[k] == NO_NODE) return false;
  }
  /* A step is no formula: later derivatives take where it led to as constant, as those of one net take the steps of its
   * rival in the same turn. */
  for (uint32_t k = 0; k < n; k++)
    if (y[k] != NO_NODE)
      cell_assign(e, o->leaf[k], graph_emit(e->g, &op_stop_gradient, &y[k], 1, NULL, loc, NULL), loc);
  cell_assign(e, o->t.cell, count, loc);
  e->made.trains |= !in_test(e);
  return true;
}

static Value call_step(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  const Optimizer *o = self->captured->at[0].optimizer;
  if (!e->here.frame->steps) {
    apply(e, o, v_unit(), at);
    return v_bad();
  }
  Value g = derive(e, a[0].value, o->tree, a[0].at, DERIVE_STEP), loss = value_decay(e, a[0].value);
  if (g.kind != V_BAD && loss.kind == V_NODE)
    vec_push(e->s->arena, &e->p->segment.at[e->g->segment]->loss, loss.node);
  return g.kind == V_BAD || !apply(e, o, g, at) ? v_bad() : v_unit();
}

static Value call_apply(Elab *e, const Fn *self, const Arg *a, const Ast *at) {
  const Optimizer *o = self->captured->at[0].optimizer;
  if (!apply(e, o, a[0].value, at)) return v_bad();
  Leaves l = {0};
  tree_leaves(e, a[0].value, LEAF_PARAM, &l);
  NodeId *g = NEW_N(e->a, NodeId, l.n + 1);
  uint32_t n = 0;
  for (uint32_t k = 0; k < l.n; k++)
    if (l.at[k].value.kind == V_NODE) g[n++] = l.at[k].value.node;
  lint_stepped(e, g, n, a[0].at);
  for (uint32_t k = 0; k < o->n_leaf; k++) cell_change(e, o->leaf[k])->reached = true;
  return v_unit();
}

static const Native step_native = {.name = "step", .params = "loss:any",
                                   .doc = "Moves what the optimizer is tied to, by the gradient of the loss."};
static const Native apply_native = {
    .name = "apply", .params = "gradients:any",
    .doc = "Moves what the optimizer is tied to, by a tree of gradients that you made."};

/* One state of all leaves, in the shape of the tree: `opt.m`. */
typedef struct StateOf { const Optimizer *o; uint32_t state; } StateOf;
static Value state_leaf(Elab *e, void *ctx, Value leaf) {
  const StateOf *s = ctx;
  (void)e;
  for (uint32_t k = 0; k < s->o->n_leaf; k++)
    if (leaf.kind == V_CELL && s->o->leaf[k] == leaf.cell) return s->o->state[k * s->o->n_state + s->state];
  return leaf;
}

static Value state_tree(Elab *e, const Optimizer *o, uint32_t state) {
  StateOf s = {o, state};
  return o->tree.kind == V_CELL ? state_leaf(e, &s, o->tree) : tree_map(e, o->tree, LEAF_PARAM, state_leaf, &s);
}

Value optimizer_method(Elab *e, Optimizer *o, Sym name, const Ast *at) {
  bool step = !strcmp(name, "step");
  Value self = {.kind = V_OPTIMIZER, .optimizer = o};
  if (step || !strcmp(name, "apply")) {
    if (!o->tied) {
      Diag *g = elab_error(e, at, E_OPTIMIZER_UNTIED, o->rule->name);
      diag_hint(e->d, g, "tie it to what it moves: `%s(net, ...)`, or `rule(net)`", o->rule->name);
      return v_bad();
    }
    return step ? bound_value(e, &step_native, call_step, &self, 1)
                : bound_value(e, &apply_native, call_apply, &self, 1);
  }
  if (!strcmp(name, "t") && o->tied) return o->t;
  for (uint32_t k = 0; o->tied && k < o->n_state; k++)
    if (o->state_name[k] == name) return state_tree(e, o, k);
  Bound *b = scope_here(o->args, name);
  if (b) return b->value;
  static const char *const names[] = {"step", "apply", "t"};
  Diag *g = elab_error(e, at, E_NO_MEMBER, "an optimizer", name);
  const char *near = nearest(name, names, 3);
  const char *ours = foreign_member(e->a, at->kind == A_MEMBER ? ast_text(e, at->kid[0]) : "opt", name);
  if (ours) diag_hint(e->d, g, "%s", ours);
  else if (near) diag_hint(e->d, g, "did you mean `%s`?", near);
  else diag_hint(e->d, g, "it has `step`, `apply`, `t` and its arguments");
  return v_bad();
}
