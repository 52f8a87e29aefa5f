/* fault: see fault.h. */
#include "exec/fault.h"
#include "base/locale.h"
#include <stdio.h>
#include <string.h>

NodeId fault_node(const Graph *written, const Plan *p, uint32_t step) {
  const NodeId *origin;
  uint32_t n = plan_origin(p, step, &origin);
  NodeId any = NO_NODE;
  for (uint32_t k = 0; k < n; k++) {
    if (origin[k] == NO_NODE) continue;
    if (graph_at(written, origin[k])->op->flags & OP_FAILS) return origin[k];
    if (any == NO_NODE) any = origin[k];
  }
  return any;
}

const OpFault *fault_of(const Op *op, const Fault *f) {
  static const OpFault unknown = {.text = "there is no result for these values"};
  if (f->op) op = f->op;
  return op && op->faults ? &op->faults[f->which] : &unknown;
}

/* A text with the numbers of f in its holes. */
static void fill(const char *text, const Fault *f, char to[FAULT_TEXT]) {
  size_t n = 0;
  to[0] = 0;
  for (const char *p = text; *p && n + 1 < FAULT_TEXT;) {
    char number[32] = {*p};
    bool hole = p[0] == '{' && p[1] && strchr("abv", p[1]) && p[2] == '}';
    bool whole = hole && (p[1] != 'v' || (f->v > -1e15 && f->v < 1e15 && f->v == (double)(int64_t)f->v));
    int64_t i = !whole ? 0 : p[1] == 'a' ? f->a : p[1] == 'b' ? f->b : (int64_t)f->v;
    if (whole) c_snprintf(number, sizeof number, "%lld", (long long)i);
    else if (hole) c_snprintf(number, sizeof number, "%g", f->v);
    p += hole ? 3 : 1;
    n += (size_t)snprintf(to + n, FAULT_TEXT - n, "%s", number);
  }
}

void fault_text(const Op *op, const Fault *f, char to[FAULT_TEXT]) { fill(fault_of(op, f)->text, f, to); }

bool fault_hint(const Op *op, const Fault *f, char to[FAULT_TEXT]) {
  const char *hint = fault_of(op, f)->hint;
  if (hint) fill(hint, f, to);
  return hint != NULL;
}
