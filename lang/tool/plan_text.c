/* plan_text: see plan_text.h. */
#include "tool/plan_text.h"
#include <string.h>

const char *bytes_text(Arena *a, double n) {
  static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
  int k = 0;
  for (; n >= 10000 && k < 4; k++) n /= 1000;
  return arena_printf(a, "%.4g %s", n, unit[k]);
}

const char *plan_step_lines(Session *s, const Plan *p, uint32_t step, Arena *a) {
  const NodeId *ids;
  uint32_t n = plan_origin(p, step, &ids), low = UINT32_MAX, high = 0;
  for (uint32_t k = 0; k < n; k++) {
    if (ids[k] == NO_NODE) continue;
    const Place *place = loc_place(s->sources, own_loc(s->diags, graph_at(s->graph, ids[k])->loc));
    if (!place || !place->source || place->source->library) continue;
    uint32_t line, column;
    source_position(place->source, place->span.first, &line, &column);
    if (line < low) low = line;
    if (line > high) high = line;
  }
  if (!high) return "";
  return low == high ? arena_printf(a, "line %u", low) : arena_printf(a, "lines %u-%u", low, high);
}

static void plan_lines(Session *s, const Plan *p, int depth, Text *to, PlanTotals *totals) {
  Arena *a = to->arena;
  for (uint32_t k = 0; k < plan_steps(p); k++) {
    const PlanStepInfo step = plan_step_info(p, k, a);
    const NodeId *ids;
    text_printf(to, "%*s%-34s %-12s %10s  %.3g flop", 2 * depth, "", step.what, plan_step_lines(s, p, k, a),
                bytes_text(a, step.cost.bytes), step.cost.flops);
    if (step.turns >= 0) text_printf(to, ", %lld turns of %u steps", (long long)step.turns, step.inner);
    text_add(to, "\n");
    totals->nodes += plan_origin(p, k, &ids);
  }
  totals->segments++;
  totals->steps += plan_steps(p);
  totals->moved += (size_t)plan_cost(p).bytes;
  totals->flops += plan_cost(p).flops;
  if (plan_slab(p) > totals->slab) totals->slab = plan_slab(p);
}

static void block_lines(Session *s, const Steps *block, int depth, Text *to, PlanTotals *totals) {
  host_deeper(&s->host);
  for (uint32_t k = 0; k < block->n; k++) {
    const Step *step = block->at[k];
    const Segment *g = s->program->segment.at[step->segment];
    if (step->kind == STEP_SEGMENT && g->plan) plan_lines(s, g->plan, depth, to, totals);
    if (step->kind == STEP_EFFECT) text_printf(to, "%*s%s\n", 2 * depth, "", step->effect->name);
    for (uint32_t j = 0; j < step->piece.n; j++) {
      int64_t count = step->piece.at[j].count;
      if (count < 0) text_printf(to, "%*sloop, turns of the run:\n", 2 * depth, "");
      else text_printf(to, "%*sloop, %lld turns:\n", 2 * depth, "", (long long)count);
      block_lines(s, &step->piece.at[j].body, depth + 1, to, totals);
    }
    if (step->kind != STEP_WHILE && step->kind != STEP_IF) continue;
    text_printf(to, "%*s%s:\n", 2 * depth, "", step->kind == STEP_IF ? "if" : "while");
    block_lines(s, &step->head, depth + 1, to, totals);
    block_lines(s, &step->body, depth + 1, to, totals);
    if (step->other.n) text_printf(to, "%*selse:\n", 2 * depth, "");
    block_lines(s, &step->other, depth + 1, to, totals);
  }
}

void plan_text(Session *s, const Steps *block, Text *to, PlanTotals *totals) {
  block_lines(s, block, 0, to, totals);
}
