/* depends: what makes a value one of the run. See depends.h. */
#include "elab/depends.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/version.h"

const char *depends_text(Elab *e, NodeId n, bool files_are_known) {
  NodeId *id;
  uint32_t count = graph_slice(e->g, &n, 1, NULL, NULL, &id);
  for (uint32_t k = 0; k < count; k++) {
    const Node *x = graph_at(e->g, id[k]);
    const Cell *c = x->op == &op_alias && !(x->flags & NODE_KNOWN) ? cell_of_node(e, id[k]) : NULL;
    if (c && c->path) return arena_printf(e->a, c->role == CELL_PARAM ? "the parameter `%s`" : "`%s`", c->path);
    if (x->op != &op_input) continue;
    int64_t slot = x->attr->i[0];
    const Slot *s = &e->p->slot.at[slot];
    if (s->kind == SLOT_DATA) {
      if (files_are_known) continue;
      return arena_printf(e->a, "the contents of \"%s\"", s->file ? s->file->path : s->path ? s->path : "a file");
    }
    if (e->seed && e->seed->slot == slot) return "a draw";
    if (s->kind == SLOT_TURN) return "the turn of a loop";
    if (s->kind == SLOT_ARG) return s->path ? arena_printf(e->a, "the argument `%s`", s->path) : "an argument";
    if (s->kind == SLOT_CELL)
      return s->path ? arena_printf(e->a, s->trained ? "the parameter `%s`" : "`%s`", s->path) : "a cell";
    return s->path ? arena_printf(e->a, "`%s`", s->path) : "a value of the run";
  }
  return NULL;
}

/* What a value of the run depends on: the last thing below it that only the run makes. */
void say_depends(Elab *e, Diag *g, NodeId n) {
  NodeId *slice;
  uint32_t count = graph_slice(e->g, &n, 1, NULL, NULL, &slice);
  for (uint32_t k = count; k-- > 0;) {
    const Node *x = graph_at(e->g, slice[k]);
    const Cell *c = x->op == &op_alias ? cell_of_node(e, slice[k]) : NULL;
    if (c) {
      const char *name = c->path ? arena_printf(e->a, "`%s`", c->path) : "what stands here";
      diag_note(e->d, g, c->loc, "it depends on %s, a cell, which changes while the script runs", name);
      return;
    }
    if (x->op->flags & OP_OPAQUE) {
      diag_note(e->d, g, own_loc(e->d, x->loc), "it depends on the result of a foreign function");
      return;
    }
    if (x->op == &op_fold_in) {       /* a key: the draw stands where it is made */
      diag_note(e->d, g, own_loc(e->d, x->loc), "it depends on a draw");
      return;
    }
    if (x->op != &op_input) continue;
    const Slot *s = &e->p->slot.at[x->attr->i[0]];
    static const char *const what[] = {
        [SLOT_CELL] = "a cell, which changes while the script runs", [SLOT_VALUE] = "a value of the run",
        [SLOT_TURN] = "the turn of a loop", [SLOT_DATA] = "the contents of a file",
        [SLOT_ARG] = "an argument of the call", [SLOT_SHOWN] = "what an earlier entry showed",
        [SLOT_TOLD] = "a value of the run"};
    Loc loc = own_loc(e->d, x->loc);
    c = cell_of_node(e, slice[k]);
    if (s->path) diag_note(e->d, g, c ? c->loc : loc, "it depends on `%s`, %s", s->path, what[s->kind]);
    else diag_note(e->d, g, loc, "it depends on %s", what[s->kind]);
    if (s->kind == SLOT_DATA) diag_hint(e->d, g, "`known(...)` computes it from the file while checking");
    return;
  }
}

bool reads_shown(Elab *e, NodeId y) {
  NodeId *id;
  uint32_t count = graph_slice(e->g, &y, 1, NULL, NULL, &id);
  for (uint32_t k = 0; k < count; k++) {
    const Node *x = graph_at(e->g, id[k]);
    if (x->op == &op_input && e->p->slot.at[x->attr->i[0]].kind == SLOT_SHOWN) return true;
  }
  return false;
}
