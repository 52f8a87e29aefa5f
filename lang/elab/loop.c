/* loop: `for`, `while`, `break`, `continue`, and what is left of a turn behind a `break` that only the run knows.
 *
 * Over known things a loop is repeated while elaborating. In a formula a `break` under a condition of the run leaves
 * nothing out: what stands behind it is computed, and each `var` assigned there keeps its value where the loop was left
 * (a mask: `where(left, before, after)`). In steps the turns of such a loop are the pieces of one STEP_LOOP, each of
 * one turn, so that the machine leaves them as it leaves any loop. Every other loop of steps runs: its body is made
 * once a piece of its sequence.
 */
#include "elab/loop.h"
#include "elab/branch.h"
#include "elab/call.h"
#include "elab/cell.h"
#include "elab/depends.h"
#include "elab/draw.h"
#include "elab/elab.h"
#include "elab/expr.h"
#include "elab/names.h"
#include "elab/seq.h"
#include "elab/show.h"
#include "elab/signature.h"
#include "elab/stmt.h"
#include "elab/want.h"
#include <string.h>

enum { BREAKS, CONTINUES };

/* ---- conditions that may be never, always or a node ---- */
static NodeId both(Elab *e, NodeId a, NodeId b, const Ast *at) { return emit2(e, &op_and, a, b, at); }
static NodeId either(Elab *e, NodeId a, NodeId b, const Ast *at) { return emit2(e, &op_or, a, b, at); }
static NodeId negated(Elab *e, NodeId a, const Ast *at) { return emit1(e, &op_not, a, at); }

static Leave or_leave(Elab *e, Leave a, Leave b, const Ast *at) {
  if (!a.may) return b;
  if (!b.may) return a;
  return (Leave){true, either(e, a.when, b.when, at)};
}

/* b, where c holds. */
static Leave and_leave(Elab *e, NodeId c, bool always, Leave b, const Ast *at) {
  if (always) return (Leave){true, c};
  return b.may ? (Leave){true, both(e, c, b.when, at)} : b;
}

bool leave_pending(const Elab *e) { return e->here.frame->leave[BREAKS].may || e->here.frame->leave[CONTINUES].may; }

void branch_flow_take(Elab *e, BranchFlow *f) {
  f->flow = e->here.frame->flow;
  memcpy(f->leave, e->here.frame->leave, sizeof f->leave);
  e->here.frame->flow = FLOW_ON;
  memset(e->here.frame->leave, 0, sizeof e->here.frame->leave);
}

bool branch_flow_join(Elab *e, NodeId cond, const BranchFlow *then, const BranchFlow *other, const Ast *at) {
  bool any = then->flow != FLOW_ON || other->flow != FLOW_ON;
  for (int w = BREAKS; w <= CONTINUES; w++) any |= then->leave[w].may || other->leave[w].may;
  if (!any) return false;
  if (then->flow == other->flow && then->flow == FLOW_BREAK) {
    e->here.frame->flow = FLOW_BREAK;
    return true;
  }
  NodeId no = negated(e, cond, at);
  for (int w = BREAKS; w <= CONTINUES; w++) {
    uint8_t known = w == BREAKS ? FLOW_BREAK : FLOW_CONTINUE;
    Leave a = and_leave(e, cond, then->flow == known, then->leave[w], at);
    Leave b = and_leave(e, no, other->flow == known, other->leave[w], at);
    e->here.frame->leave[w] = or_leave(e, e->here.frame->leave[w], or_leave(e, a, b, at), at);
  }
  bool ends = then->flow != FLOW_ON && other->flow != FLOW_ON;      /* this turn does, either way */
  if (ends) e->here.frame->flow = FLOW_CONTINUE;
  return true;
}

/* ---- masks ---- */
void mask_enter(Elab *e, Mask *m, const Ast *at) {
  memcpy(m->leave, e->here.frame->leave, sizeof m->leave);
  Leave skip = or_leave(e, m->leave[BREAKS], m->leave[CONTINUES], at);
  m->skip = skip.when;
  m->branch = branch_open(e);
  m->outside = make_within(e, MAKE_IN_IF);
  memset(e->here.frame->leave, 0, sizeof e->here.frame->leave);
}

void mask_leave(Elab *e, const Mask *m, const Ast *at) {
  e->here = m->outside;
  uint32_t n;
  Assigned *assigned = branch_assigned(e, &m->branch, &n);
  for (uint32_t k = 0; k < n; k++) {
    Assigned a = assigned[k];
    vec_push(e->a, &e->made.assigned, a);
    a.bound->value = select_value(e, m->skip, a.before, a.bound->value, at);
  }
  Leave *now = e->here.frame->leave;
  bool ends = e->here.frame->flow == FLOW_BREAK;
  if (ends || now[BREAKS].may || now[CONTINUES].may) {
    NodeId on = negated(e, m->skip, at);
    for (int w = BREAKS; w <= CONTINUES; w++)
      now[w] = or_leave(e, m->leave[w], and_leave(e, on, ends && w == BREAKS, now[w], at), at);
  } else memcpy(now, m->leave, sizeof m->leave);
  if (ends) e->here.frame->flow = FLOW_CONTINUE;
}

/* ---- one turn of a loop over known things ---- */
typedef struct Outside_ { uint8_t loop; Leave leave[2]; Region *turn; } LoopMark;

static LoopMark loop_enter(Elab *e, uint8_t kind) {
  CallFrame *f = e->here.frame;
  LoopMark m = {.loop = f->loop, .leave = {f->leave[0], f->leave[1]}, .turn = f->turn};
  f->loop = kind;
  f->turn = NULL;
  memset(f->leave, 0, sizeof f->leave);
  return m;
}

static void loop_leave(Elab *e, const LoopMark *m) {
  e->here.frame->loop = m->loop;
  e->here.frame->turn = m->turn;
  memcpy(e->here.frame->leave, m->leave, sizeof m->leave);
}

/* The body in a scope of its own, with x bound. false: it is the last turn. */
static bool turn(Elab *e, const Ast *pattern, const Value *x, const Ast *body, const Ast *at) {
  bool masked = e->here.frame->leave[BREAKS].may, ok = true;
  Mask mask;
  if (masked) mask_enter(e, &mask, at);
  Where outside = e->here;
  e->here.scope = scope_new(e, e->here.scope);
  uint32_t errors = e->d->n_errors;
  Value last;
  if (x) ok = x->kind != V_BAD && bind_pattern(e, e->here.scope, pattern, *x, false);
  e->here.use = USE_NONE;
  if (ok) elab_stmts(e, body, &last);
  e->here = outside;
  /* one mistake is not made in every turn */
  ok = ok && e->here.frame->flow != FLOW_BREAK && e->d->n_errors == errors;
  if (masked) mask_leave(e, &mask, at);
  e->here.frame->flow = FLOW_ON;
  e->here.frame->leave[CONTINUES] = (Leave){0};
  return ok;
}

static void unrolled(Elab *e, const Ast *ast, const Value *item, int64_t n, const Seq *q) {
  LoopMark mark = loop_enter(e, LOOP_UNROLLED);
  bool more = true;
  for (int64_t k = 0; k < n && more; k++) {
    if (!known_work(e, 1, ast)) break;
    Where outside = place_turn(e, k);
    Value v = q ? q->element(e, q, seq_piece(q, k), NO_NODE, k, ast->kid[1]) : item[k];
    more = turn(e, ast->kid[0], &v, ast->kid[2], ast);
    e->here = outside;
  }
  loop_leave(e, &mark);
}

/* Whether a `break` or `continue` of the loop around stands in an `if`. */
static bool leaves_in_if(const Ast *at, bool in_if) {
  switch (at->kind) {
  case A_BREAK: case A_CONTINUE: return in_if;
  case A_FOR: case A_WHILE: case A_LAMBDA: case A_FN: case A_PROC: return false;
  case A_LAYER: case A_OPTIMIZER: case A_TEST: return false;
  case A_IF: in_if = true; break;
  default: break;
  }
  for (uint32_t k = 0; k < at->n; k++)
    if (at->kid[k] && leaves_in_if(at->kid[k], in_if)) return true;
  return false;
}

/* Each turn is a piece: a condition of the run may leave it. */
static void turns_as_pieces(Elab *e, const Ast *ast, const Value *item, uint32_t n) {
  if (n == 0) return;
  Step *loop = step_add(e, STEP_LOOP, elab_loc_at(e, ast));
  Type t = type_scalar(I32);
  loop->turn = slot_new(e->p, SLOT_TURN, &t, NULL, loop->loc);
  LoopMark mark = loop_enter(e, LOOP_UNROLLED);
  bool more = true;
  for (uint32_t k = 0; k < n && more && known_work(e, 1, ast); k++) {
    Where outside = place_turn(e, k);
    Steps *body = NEW(e->a, Steps);
    Region *r = region_enter(e, REGION_BRANCH, body, ast);
    e->here.frame->turn = r;
    more = turn(e, ast->kid[0], &item[k], ast->kid[2], ast);
    region_leave(e, r);
    e->here = outside;
    vec_push(e->a, &loop->piece, (Piece){1, *body});
  }
  loop_leave(e, &mark);
}

/* ---- loops that run ---- */
static void run_loop(Elab *e, const Ast *ast, const Seq *q) {
  Step *loop = step_add(e, STEP_LOOP, elab_loc_at(e, ast));
  Type t = type_scalar(I32);
  loop->turn = slot_new(e->p, SLOT_TURN, &t, NULL, loop->loc);
  if (q->count < 0) vec_push(e->a, &loop->need, (Need){q->count_node, NO_SLOT});
  Where outside = place_enter(e, "for");
  LoopMark mark = loop_enter(e, LOOP_RUN);
  for (uint32_t k = 0; k < q->n_piece; k++) {
    if (q->count >= 0 && q->piece[k].count == 0 && k > 0) continue;
    Where around = place_repeat(e);
    Steps *body = NEW(e->a, Steps);
    Region *r = region_enter(e, REGION_LOOP, body, ast);
    r->turn = graph_input(e->g, loop->turn, &t, loop->loc);
    r->count = q->count < 0 ? -1 : q->piece[k].count;
    vec_push(e->a, &e->here.turns, r->turn);
    Value v = q->element(e, q, k, r->turn, -1, ast->kid[1]);
    uint32_t before = e->d->diag.n;
    bool more = turn(e, ast->kid[0], &v, ast->kid[2], ast);
    for (uint32_t j = before; k > 0 && j < e->d->diag.n; j++)
      diag_note(e->d, e->d->diag.at[j], loop->loc, "in the last turn, whose element has the rest of the rows: %s",
                type_text(e, &v));
    region_leave(e, r);
    e->here = around;
    vec_push(e->a, &loop->piece, (Piece){q->count < 0 ? -1 : q->piece[k].count, *body});
    if (!more) break;
  }
  loop_leave(e, &mark);
  e->here = outside;
}

Value elab_for(Elab *e, const Ast *ast) {
  Value over = elab_expr(e, ast->kid[1]);
  if (over.kind == V_BAD) return over;
  Value v = seq_of(e, value_decay(e, over), ast->kid[1]);
  if (v.kind == V_BAD) return v;
  if (v.kind == V_SEQ && e->here.frame->steps) {
    run_loop(e, ast, v.seq);
    return v_unit();
  }
  if (v.kind == V_SEQ && v.seq->count < 0) {
    Diag *g = elab_error(e, ast->kid[1], E_NOT_KNOWN, "how often a loop in a formula turns");
    say_depends(e, g, v.seq->count_node);
    diag_hint(e->d, g, "`fold` and `scan` run along a tensor; a loop of the run is a step and stands in a `proc`");
    return v_bad();
  }
  Where outside = place_enter(e, "for");
  if (v.kind == V_SEQ) unrolled(e, ast, NULL, v.seq->count, v.seq);
  else if (e->here.frame->steps && leaves_in_if(ast->kid[2], false)) turns_as_pieces(e, ast, v.items->at, v.items->n);
  else unrolled(e, ast, v.items->at, v.items->n, NULL);
  e->here = outside;
  return v_unit();
}

static void unrolled_while(Elab *e, const Ast *ast) {
  LoopMark mark = loop_enter(e, LOOP_UNROLLED);
  for (int64_t k = 0;; k++) {
    bool go;
    if (!known_work(e, 1, ast)) break;
    Value c = value_decay(e, elab_expr(e, ast->kid[0]));
    if (!known_bool(e, c, &go)) {
      if (c.kind == V_NODE && node_type(e, c.node)->dtype == BOOL && node_type(e, c.node)->rank == 0) {
        Diag *g = elab_error(e, ast->kid[0], E_NOT_KNOWN, "the condition of a loop in a formula");
        diag_hint(e->d, g, "a `while` in a `proc` runs; in a formula loop over known numbers and `break` by the run");
      } else (void)want_bool(e, c, ast->kid[0], "the condition of a loop", &go);
      break;
    }
    if (!go) break;
    Where outside = place_turn(e, k);
    bool more = turn(e, NULL, NULL, ast->kid[1], ast);
    e->here = outside;
    if (!more) break;
  }
  loop_leave(e, &mark);
}

Value elab_while(Elab *e, const Ast *ast) {
  Where outside = place_enter(e, "while");
  if (!e->here.frame->steps) {
    unrolled_while(e, ast);
    e->here = outside;
    return v_unit();
  }
  Step *loop = step_add(e, STEP_WHILE, elab_loc_at(e, ast));
  Type t = type_scalar(I32);
  loop->turn = slot_new(e->p, SLOT_TURN, &t, NULL, loop->loc);
  LoopMark mark = loop_enter(e, LOOP_RUN);
  Steps *head = NEW(e->a, Steps), *body = NEW(e->a, Steps);
  for (int part = 0; part < 2; part++) {
    Region *r = region_enter(e, REGION_LOOP, part ? body : head, ast);
    r->turn = graph_input(e->g, loop->turn, &t, loop->loc);
    Where around = e->here;
    vec_push(e->a, &e->here.turns, r->turn);
    if (part == 0) {
      NodeId c = condition(e, ast->kid[0], elab_expr(e, ast->kid[0]));
      vec_push(e->a, &loop->need, (Need){c, NO_SLOT});
    } else (void)turn(e, NULL, NULL, ast->kid[1], ast);
    e->here = around;
    region_leave(e, r);
  }
  loop->head = *head;
  loop->body = *body;
  loop_leave(e, &mark);
  e->here = outside;
  return v_unit();
}

/* ---- break, continue ---- */
void elab_flow(Elab *e, const Ast *ast) {
  bool brk = ast->kind == A_BREAK;
  CallFrame *f = e->here.frame;
  if (f->loop == LOOP_NONE) {
    Diag *g = elab_error(e, ast, E_NO_LOOP, brk ? "break" : "continue");
    diag_hint(e->d, g, "it belongs in a `for` or `while` of the same function");
  } else if (f->in_value) {
    Diag *g = elab_error(e, ast, E_FLOW_IN_VALUE, brk ? "break" : "continue");
    diag_hint(e->d, g, "write the `if` as a statement of its own");
  } else if (f->loop == LOOP_RUN || (f->turn && e->here.region != f->turn)) {
    Region *r = e->here.region;
    while (r->kind == REGION_BRANCH && r->outer) r = r->outer;
    r->leaves = true;
    step_add(e, brk ? STEP_BREAK : STEP_CONTINUE, elab_loc(e, ast));
    f->flow = brk ? FLOW_BREAK : FLOW_CONTINUE;      /* what stands behind it in this block never runs */
  } else f->flow = brk ? FLOW_BREAK : FLOW_CONTINUE;
}
