/* machine: runs a prepared block of steps. In: steps, slots, plans. Out: cells changed, effects done, or a diagnostic
 * with the place of the expression at fault and its chain of calls.
 *
 * The position is data: a stack of frames in the session, so that it can be shown, saved and taken up again, and depth
 * costs no C stack. Between two steps the run may be cancelled.
 * Invariant: a segment changes cells only when all of it went well. Cells that its plan updates in place are the plan's
 * matter; a cell that is written unread is computed beside and exchanged afterwards; a cell whose tensor somebody else
 * holds too is copied before it is written.
 */
#include <assert.h>
#include <string.h>
#include "runtime/exec/fault.h"
#include "steps/blame.h"
#include "steps/event.h"
#include "steps/machine.h"
#include "steps/prepare.h"
#include "steps/state.h"
#include "steps/turns.h"
#include "steps/watch.h"

/* ---- the position ---- */

const Position *machine_position(const Session *s) { return &s->run.position; }

char *position_text(const Position *p, Arena *a) {
  Text t = {.arena = a};
  text_add(&t, "");
  for (uint32_t k = 0; k < p->frame.n; k++) {
    const Frame *f = &p->frame.at[k];
    text_printf(&t, "%s%u", k ? " " : "", f->at);
    if (f->step && (f->step->kind == STEP_LOOP || f->step->kind == STEP_WHILE))
      text_printf(&t, ":%u.%u.%lld", f->piece, f->phase, (long long)f->turn);
  }
  return t.at;
}

static void enter(Session *s, Steps *block) {
  vec_push(s->arena, &s->run.position.frame, (Frame){.block = block});
}

static Frame *innermost(Session *s) { return &s->run.position.frame.at[s->run.position.frame.n - 1]; }

static void step_done(Frame *f) {
  f->at++;
  f->step = NULL;
}

/* ---- slots ---- */

/* Whether a file is whole is known when all of it was read: gzip's checksum stands at its end. */
bool machine_files(Session *s, const Steps *block) {
  const Program *p = s->program;
  Arena *a = arena_new(&s->host);
  uint8_t *read = NEW_N(a, uint8_t, p->slot.n + 1);
  program_reads(p, block, 0, a, read);
  bool good = true;
  for (SlotId k = 0; good && k < p->slot.n; k++)
    if (read[k] && p->slot.at[k].kind == SLOT_DATA) good = slot_tensor(s, k, 0) != NULL;
  arena_free(a);
  return good;
}

/* The slot's tensor, to be written; keep: what it held is needed. */
static Tensor *slot_own(Session *s, SlotId id, bool keep) {
  Slot *slot = &s->program->slot.at[id];
  if (slot->value && slot->value->refs == 1) return slot->value;
  Tensor *t =
      keep && slot->value ? tensor_from(&s->host, &slot->type, slot->value->data) : tensor_new(&s->host, &slot->type);
  slot_put(s->program, id, t);
  tensor_unref(t);
  return t;
}

static bool turn_set(Session *s, const Step *step, int64_t turn) {
  if (step->turn == NO_SLOT) return true;
  if (turn > INT32_MAX) {
    diag_at(s->diags, step->loc, E_TURNS);
    return false;
  }
  *(int32_t *)slot_own(s, step->turn, false)->data = (int32_t)turn;
  return true;
}

/* ---- segments ---- */

static bool share(Session *s, const Segment *g, bool after) {
  for (uint32_t k = 0; k < g->share.n; k++) {
    const Share *c = &g->share.at[k];
    if (c->after != after) continue;
    Tensor *from = slot_tensor(s, c->from, 0);
    if (!from) return false;
    if (from->bytes > SHARE_COPIED) slot_put(s->program, c->to, from);
    else memcpy(slot_own(s, c->to, false)->data, from->data, from->bytes);
  }
  return true;
}

/* Pointers for a plan's bindings; spare may be NULL if it writes no cell. */
static bool bind(Session *s, const Plan *plan, void **data, Tensor **spare) {
  const Binding *b;
  uint32_t n = plan_bindings(plan, &b);
  for (uint32_t k = 0; k < n; k++) {
    Slot *slot = &s->program->slot.at[b[k].slot];
    Tensor *t;
    if (b[k].mode == BIND_READ) {
      t = slot->value ? slot->value : slot_tensor(s, b[k].slot, 0);
      if (!t) return false;
    } else if (b[k].mode == BIND_WRITE && slot->kind == SLOT_CELL) {
      if (!spare[k]) spare[k] = tensor_keep(tensor_new(&s->host, &b[k].type));
      t = spare[k];
    } else {
      t = slot_own(s, b[k].slot, (b[k].mode & BIND_READ) != 0);
    }
    data[k] = t->data;
  }
  return true;
}

/* Cells that were written beside are exchanged with what they held, which is the next spare if nobody else has it. */
static void exchange(Session *s, const Segment *g) {
  const Binding *b;
  for (uint32_t k = plan_bindings(g->plan, &b); k-- > 0;) {
    Slot *slot = &s->program->slot.at[b[k].slot];
    if (b[k].mode != BIND_WRITE || slot->kind != SLOT_CELL) continue;
    Tensor *old = slot->value;
    slot->value = g->spare[k];
    g->spare[k] = old;
    if (old && old->refs > 1) {
      tensor_unref(old);
      g->spare[k] = NULL;
    }
  }
}

/* ---- faults ---- */

static void fault_report(Session *s, NodeId id, const Fault *f) {
  const Node *n = id == NO_NODE ? NULL : graph_at(s->graph, id);
  const Op *op = n ? n->op : NULL;
  const OpFault *kind = fault_of(op, f);
  DiagId which = kind->code ? diag_of_code(kind->code, strlen(kind->code)) : E_RUN_FAULT;
  char text[FAULT_TEXT];
  fault_text(op, f, text);
  Loc at = f->loc ? f->loc : n ? n->loc : 0;
  Diag *d = diag_said(s->diags, at, which, arena_text(s->diags->arena, text, strlen(text)));
  if (fault_hint(op, f, text)) diag_hint(s->diags, d, "%s", text);
  if (!n || f->op || n->type->rank == 0 || f->element < 0) return;
  Arena *tmp = arena_new(&s->host);
  Text where = {.arena = tmp};
  int64_t rest = f->element, count = type_count(n->type);
  if (rest < count) {
    for (int k = 0; k < n->type->rank; k++) {
      count /= n->type->dim[k];
      text_printf(&where, "%s%lld", k ? ", " : "", (long long)(rest / count));
      rest %= count;
    }
    diag_note(s->diags, d, 0, "first at element [%s] of %s", where.at, type_show(tmp, n->type));
  }
  arena_free(tmp);
}

void machine_fault(Session *s, const Plan *plan, const Fault *f) {
  fault_report(s, fault_node(s->graph, plan, f->step), f);
}

static bool effect_run(Session *s, Step *step) {
  Program *p = s->program;
  if (step->effect->writes && s->config.rehearses) return true;
  for (uint32_t k = 0; k < step->need.n; k++) {
    p->value[k] = slot_tensor(s, step->need.at[k].slot, step->loc);
    if (!p->value[k]) return false;
  }
  return step->effect->run(s, step, p->value);
}

/* Effects that stand before the fault and only read: what they need is computed without what failed. The first fault in
 * the order of the text is the one that counts. */
static bool before_fault(Session *s, Segment *g, const Steps *block, uint32_t at, NodeId failed) {
  Arena *a = arena_new(&s->host);
  Needs need = {0};
  uint32_t end = at + 1;
  for (; end < block->n && block->at[end]->kind == STEP_EFFECT && !block->at[end]->effect->cuts; end++) {
    const Step *step = block->at[end];
    if (step->mark > failed) break;
    for (uint32_t k = 0; k < step->need.n; k++) vec_push(a, &need, step->need.at[k]);
  }
  Plan *part = need.n ? segment_part(s->program, g, need.at, need.n, a) : NULL;
  bool ok = true;
  if (part) {
    const Binding *b;
    void **data = NEW_N(a, void *, plan_bindings(part, &b) + 1);
    char *room = arena_alloc(a, plan_slab(part) + 64);
    room += 64 - (uintptr_t)room % 64;
    ok = bind(s, part, data, NULL);
    if (ok) {
      host_stack_need(&s->host, plan_stack(part));
      Fault f = run_plan(part, data, plan_area(part), room, s->pool, NULL);
      if (f.code != FAULT_NONE) {
        machine_fault(s, part, &f);
        ok = false;
      }
    }
    plan_free(part);
  }
  arena_free(a);
  for (uint32_t k = at + 1; ok && k < end; k++) {
    innermost(s)->at = k;
    ok = effect_run(s, block->at[k]);
  }
  return ok;
}

/* The first node of a segment that has a place; the first of all if none has. */
static NodeId node_at(const Session *s, const Segment *g, Loc loc) {
  for (NodeId id = g->first; id < g->end; id++)
    if (graph_at(s->graph, id)->loc == loc) return id;
  return g->first;
}

/* What a plan will update, held so that writing it makes a copy. */
static Tensor **hold(Session *s, const Segment *g, Arena *a) {
  const Binding *b;
  uint32_t n = plan_bindings(g->plan, &b);
  Tensor **before = NEW_N(a, Tensor *, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    Tensor *t = b[k].mode & BIND_READ ? s->program->slot.at[b[k].slot].value : NULL;
    if (!t || !(b[k].mode & BIND_WRITE)) continue;
    tensor_hold(a, t);
    before[k] = t;
  }
  return before;
}

/* The same for each run of a segment: copies that stay, in the places of spares that a cell which is read has not. */
static Tensor **copies(Session *s, Segment *g, Arena *a) {
  const Binding *b;
  uint32_t n = plan_bindings(g->plan, &b);
  Tensor **before = NEW_N(a, Tensor *, n + 1);
  for (uint32_t k = 0; k < n; k++) {
    const Tensor *t = b[k].mode & BIND_READ ? s->program->slot.at[b[k].slot].value : NULL;
    if (!t || !(b[k].mode & BIND_WRITE)) continue;
    if (g->spare[k] && g->spare[k]->refs > 1) {           /* it was put back into its cell */
      tensor_unref(g->spare[k]);
      g->spare[k] = NULL;
    }
    if (!g->spare[k]) g->spare[k] = tensor_keep(tensor_new(&s->host, &b[k].type));
    before[k] = g->spare[k];
    memcpy(before[k]->data, t->data, t->bytes);
  }
  return before;
}

/* --check-numbers: false if the segment made a number that is not finite; cells are again as they were before. */
static bool numbers_hold(Session *s, Segment *g, Tensor *const *before, const Steps *block, uint32_t at) {
  Loc culprit = blame_results(s, g, g->data, before);
  if (!culprit) return true;
  const Binding *b;
  for (uint32_t k = plan_bindings(g->plan, &b); k-- > 0;)
    if (before[k]) slot_put(s->program, b[k].slot, before[k]);
  (void)before_fault(s, g, block, at, node_at(s, g, culprit));
  return false;
}

/* The segment's plan. before: what it will update, if that is held. */
static bool plan_run(Session *s, Segment *g, Tensor *const *before, const Steps *block, uint32_t at) {
  if (!bind(s, g->plan, g->data, g->spare)) return false;
  host_stack_need(&s->host, plan_stack(g->plan));
  const RunTrace *trace = s->config.trace;
  void *area = plan_area(g->plan);
  Fault f = trace ? run_plan_traced(g->plan, g->data, area, s->slab, s->pool, &s->cancel, trace)
                  : run_plan(g->plan, g->data, area, s->slab, s->pool, &s->cancel);
  if (f.code == FAULT_CANCELLED) {
    NodeId next = fault_node(s->graph, g->plan, f.step);
    s->cancelled = true;
    s->stopped = next == NO_NODE ? 0 : graph_at(s->graph, next)->loc;
    return false;
  }
  if (f.code != FAULT_NONE) {
    NodeId failed = fault_node(s->graph, g->plan, f.step);
    if (failed != NO_NODE && !before_fault(s, g, block, at, failed)) return false;
    const Node *n = failed == NO_NODE ? NULL : graph_at(s->graph, failed);
    if (n && n->op == &op_require_finite) (void)blame_refusal(s, g, n->loc);
    else fault_report(s, failed, &f);
    return false;
  }
  return s->config.check_numbers ? numbers_hold(s, g, before, block, at) : watch_step(s, g, before);
}

/* The losses that a segment was for, as far as they crossed out of it. */
static void tell_step(Session *s, const Segment *g) {
  if (!segment_moves_parameters(s, g)) return;
  enum { MOST = 8 };
  Tensor *value[MOST];
  Event e = {.kind = EVENT_STEP, .segment = g, .value = value};
  const NodeId *ids = g->loss.n ? g->loss.at : g->target.at;
  for (uint32_t k = 0, n = g->loss.n ? g->loss.n : g->target.n; k < n && e.n < MOST; k++) {
    SlotId slot = program_kept(s->program, ids[k]);
    const Segment *made = s->program->segment.at[graph_at(s->graph, ids[k])->segment];
    for (uint32_t j = 0; j < made->save.n; j++)
      if (made->save.at[j].node == ids[k]) slot = made->save.at[j].slot;
    if (slot == NO_SLOT || !s->program->slot.at[slot].value) continue;
    value[e.n++] = s->program->slot.at[slot].value;
    e.loc = graph_at(s->graph, ids[k])->loc;
  }
  s->config.heard(s->config.to, s, &e);
}

static bool segment_run(Session *s, Segment *g, const Steps *block, uint32_t at) {
  assert(g->prepared);
  if (!share(s, g, false)) return false;
  if (g->plan) {
    bool checks = s->config.check_numbers;
    Arena *held = checks || watch_holds(s, g) ? arena_new(&s->host) : NULL;
    bool ok = plan_run(s, g, !held ? NULL : checks ? copies(s, g, held) : hold(s, g, held), block, at);
    if (held) arena_free(held);
    if (!ok) return false;
    exchange(s, g);
  }
  if (!share(s, g, true)) return false;
  g->ran = true;
  if (s->config.heard) tell_step(s, g);
  return true;
}

/* ---- control ---- */

/* The next turn of the loop that frame f stands at, or what follows the loop. */
static bool loop_turn(Session *s, Frame *f) {
  Step *step = f->step;
  for (;; f->piece++, f->turn_in_piece = 0) {
    if (f->piece == step->piece.n) {
      step_done(f);
      return true;
    }
    int64_t count = step->piece.at[f->piece].count;
    if (count < 0) count = f->count;
    if (f->turn_in_piece < count) break;
  }
  if (!turn_set(s, step, f->turn)) return false;
  enter(s, &step->piece.at[f->piece].body);
  return true;
}

static bool scalar(Session *s, const Step *step, double *out) {
  const Tensor *t = slot_tensor(s, step->need.at[0].slot, step->loc);
  if (!t) return false;
  *out = tensor_get(t, 0);
  return true;
}

static bool step_begin(Session *s, Frame *f) {
  Step *step = f->step = f->block->at[f->at];
  double v = 0;
  switch (step->kind) {
  case STEP_SEGMENT:
    if (!segment_run(s, s->program->segment.at[step->segment], f->block, f->at)) return false;
    step_done(f);
    return true;
  case STEP_EFFECT:
    if (!effect_run(s, step)) return false;
    step_done(f);
    return true;
  case STEP_LOOP:
    if (step->need.n && !scalar(s, step, &v)) return false;
    f->piece = 0;
    f->turn = f->turn_in_piece = 0;
    f->count = (int64_t)v;
    return loop_turn(s, f);
  case STEP_WHILE:
    f->piece = 0;
    f->turn = 0;
    f->phase = 0;
    if (!turn_set(s, step, 0)) return false;
    enter(s, &step->head);
    return true;
  case STEP_IF:
    if (!scalar(s, step, &v)) return false;
    enter(s, v != 0 ? &step->body : &step->other);
    return true;
  case STEP_BREAK: case STEP_CONTINUE: {
    uint32_t k = s->run.position.frame.n - 1;
    Frame *frame = s->run.position.frame.at;
    do assert(k > 0);
    while (frame[--k].step->kind != STEP_LOOP && frame[k].step->kind != STEP_WHILE);
    if (step->kind == STEP_BREAK) {
      s->run.position.frame.n = k + 1;
      step_done(&frame[k]);
    } else {
      s->run.position.frame.n = k + 2;
      frame[k + 1].at = frame[k + 1].block->n;
    }
    return true;
  }
  }
  return false;
}

/* The innermost block has come to its end. */
static bool block_end(Session *s) {
  if (--s->run.position.frame.n == 0) return true;
  Frame *f = innermost(s);
  double v = 0;
  switch (f->step->kind) {
  case STEP_LOOP:
    f->turn++;
    f->turn_in_piece++;
    return loop_turn(s, f);
  case STEP_WHILE:
    if (f->phase == 1) {
      f->phase = 0;
      if (!turn_set(s, f->step, ++f->turn)) return false;
      enter(s, &f->step->head);
      return true;
    }
    if (!scalar(s, f->step, &v)) return false;
    if (v == 0) {
      step_done(f);
      return true;
    }
    f->phase = 1;
    enter(s, &f->step->body);
    return true;
  default:
    step_done(f);
    return true;
  }
}

bool machine_run(Session *s, Steps *block) {
  s->run.position.frame.n = 0;
  enter(s, block);
  return machine_continue(s);
}

bool machine_continue(Session *s) {
  s->host.cancel = NULL;             /* from here on it stops between two steps */
  while (s->run.position.frame.n) {
    if (s->config.poll && !s->config.poll(s->config.to)) atomic_store(&s->cancel, true);
    if (atomic_load_explicit(&s->cancel, memory_order_relaxed)) {
      s->cancelled = true;
      return false;
    }
    Frame *f = innermost(s);
    if (!(f->at == f->block->n ? block_end(s) : step_begin(s, f))) return false;
  }
  return watch_end(s);
}

/* ---- snapshots ---- */

Snapshot *snapshot_take(Program *p, Arena *a) {
  Snapshot *s = NEW(a, Snapshot);
  s->n = p->slot.n;
  s->value = NEW_N(a, Tensor *, s->n + 1);
  for (uint32_t k = 0; k < s->n; k++) {
    const Slot *slot = &p->slot.at[k];
    if (slot->kind != SLOT_CELL || !slot->value) continue;
    s->value[k] = slot->value;
    tensor_hold(a, slot->value);
  }
  return s;
}

void snapshot_restore(Program *p, Snapshot *s) {
  for (uint32_t k = 0; k < s->n; k++)
    if (s->value[k]) slot_put(p, k, s->value[k]);
}
