/* plan_dump: a plan as text for people and golden tests: bindings, then a step a line with what it computes, from where
 * to where, and how it is split. Nodes are numbered as in the graph that was planned.
 */
#include "exec/step.h"

static void show_bytes(Text *t, double n) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
  int k = 0;
  while (n >= 10000 && k < 4) {
    n /= 1000;
    k++;
  }
  text_printf(t, "%.4g %s", n, unit[k]);
}

static void show_place(Text *t, const Plan *p, uint32_t k) {
  Place q = p->place[k];
  if (p->node[k] != NO_NODE) text_printf(t, "%%%u@", p->node[k]);
  if (q.base == BASE_SLAB) text_printf(t, "+%zu", q.offset);
  else if (q.base == BASE_CONST) text_add(t, "const");
  else text_printf(t, "slot%u", p->bind[q.base - BASE_BIND].slot);
}

static void show_plan(Text *t, const Plan *p, int depth);

static void show_step(Text *t, const Plan *p, uint32_t k, int depth) {
  const PlanStep *s = &p->step[k];
  text_printf(t, "%*s%3u  ", 2 * depth, "", k);
  for (uint32_t j = 0; j < s->n_out; j++) {
    if (p->place[s->operand + s->n_in + j].base == BASE_NONE) continue;
    if (j > 0) text_add(t, ", ");
    show_place(t, p, s->operand + s->n_in + j);
  }
  text_add(t, " = ");
  if (s->kind == PLAN_TILES) {
    for (uint32_t j = 0; j < s->tiles->n_op; j++)
      text_printf(t, "%s%s", j > 0 ? "+" : "", s->tiles->op[j].op ? s->tiles->op[j].op->name : "store");
  } else text_add(t, s->kind == PLAN_COPY ? "copy" : s->op->name);
  for (uint32_t j = 0; j < s->n_in; j++) {
    text_add(t, j > 0 ? ", " : "  ");
    show_place(t, p, s->operand + j);
  }
  if (s->parts > 1) text_printf(t, "  /%u", s->parts);
  if (s->writes_cell) text_add(t, "  writes a cell");
  if (s->fails) text_add(t, "  may fail");
  text_add(t, "\n");
  if (s->kind == PLAN_LOOP) {
    text_printf(t, "%*s     %lld turns%s:\n", 2 * depth, "", (long long)s->loop->turns,
                s->loop->reverse ? ", backwards" : "");
    show_plan(t, s->loop->body, depth + 2);
  }
}

static void show_plan(Text *t, const Plan *p, int depth) {
  host_deeper(arena_host(t->arena));
  for (uint32_t k = 0; k < p->n_bind; k++) {
    static const char *const mode[] = {"", "read", "write", "update"};
    text_printf(t, "%*sslot%u %s ", 2 * depth, "", p->bind[k].slot, mode[p->bind[k].mode]);
    text_add(t, type_show(t->arena, &p->bind[k].type));
    text_add(t, "\n");
  }
  for (uint32_t k = 0; k < p->n_step; k++) show_step(t, p, k, depth);
}

PlanStepInfo plan_step_info(const Plan *p, uint32_t step, Arena *a) {
  enum { MOST = 8 };
  const PlanStep *s = &p->step[step];
  PlanStepInfo out = {.what = s->kind == PLAN_COPY ? "copy" : s->op ? s->op->name : "", .cost = s->cost, .turns = -1,
                      .loc = s->loc};
  if (s->kind == PLAN_LOOP) {
    out.turns = s->loop->turns;
    out.inner = s->loop->body->n_step;
  }
  if (s->kind != PLAN_TILES) return out;
  Text t = {.arena = a};
  uint32_t n = s->tiles->n_op;
  for (uint32_t k = 0; k < n && k < MOST; k++)
    text_printf(&t, "%s%s", k ? "+" : "", s->tiles->op[k].op ? s->tiles->op[k].op->name : "store");
  if (n > MOST) text_printf(&t, "+.. (%u)", n);
  out.what = t.at;
  return out;
}

Cost plan_cost(const Plan *p) { return p->cost; }

char *plan_dump(const Plan *p, Arena *a) {
  Text t = {.arena = a};
  text_printf(&t, "plan: %u steps, slab ", p->n_step);
  show_bytes(&t, (double)p->buffers);
  text_printf(&t, ", moves ");
  show_bytes(&t, p->cost.bytes);
  text_printf(&t, ", %.4g flop\n", p->cost.flops);
  show_plan(&t, p, 0);
  return t.at;
}
