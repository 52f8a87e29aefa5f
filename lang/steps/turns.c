/* turns: see turns.h. */
#include "steps/turns.h"
#include "steps/machine.h"

bool segment_moves_parameters(const Session *s, const Segment *g) {
  for (uint32_t k = 0; k < g->write.n; k++)
    if (s->program->slot.at[g->write.at[k].cell].trained) return true;
  return false;
}

/* Several segments of one turn may move parameters: the first of them begins the step. */
bool step_begins(StepTurns *last, const Session *s) {
  const Position *p = machine_position(s);
  if (p->frame.n < 2) return false;
  const Frame *f = &p->frame.at[p->frame.n - 1];
  if (f->at >= f->block->n || f->block->at[f->at]->kind != STEP_SEGMENT) return false;
  if (!segment_moves_parameters(s, s->program->segment.at[f->block->at[f->at]->segment])) return false;
  uint64_t turns = 0;
  for (uint32_t k = 0; k + 1 < p->frame.n; k++) turns = turns * 1000003u + (uint64_t)p->frame.at[k].turn + 1;
  bool same = last->block == f->block && f->at > last->at && turns == last->turns;
  *last = (StepTurns){f->block, f->at, turns};
  return !same;
}
