/* repl_why: `:why w [e]`. In: a parameter or a tree of them, and perhaps the number whose gradient is meant; without
 * one it is the loss that an optimizer stepped on last, or else the last number that depends on w. Out: the first
 * expression that is at fault, and what to do; of what is healthy, that nothing is wrong.
 */
#include "inspect/why.h"
#include "tool/repl_inspect.h"
#include <string.h>

static bool is_number(const Session *s, const Bound *b) {
  if (b->value.kind != V_NODE) return false;
  const Type *t = graph_at(s->graph, b->value.node)->type;
  return t->rank == 0 && dtype_is_float((DType)t->dtype);
}

static bool stepped_on(const Session *s, NodeId id) {
  const Program *p = s->program;
  for (uint32_t k = 0; k < p->segment.n; k++)
    for (uint32_t j = 0; j < p->segment.at[k]->loss.n; j++)
      if (p->segment.at[k]->loss.at[j] == id) return true;
  return false;
}

static const char *find_loss(Repl *r, const char *name, NodeId *out) {
  enum { STEPPED_ON, READS_IT, READS_ANY, WAYS };
  const Session *s = r->s;
  const Scope *top = s->elab->globals;
  for (int way = 0; way < WAYS; way++)
    for (uint32_t k = top->bound.n; k-- > 0;) {
      const Bound *b = top->bound.at[k];
      if (!is_number(s, b)) continue;
      NodeId id = b->value.node;
      if (way == STEPPED_ON ? !stepped_on(s, id) : !inspect_reads(s, id, way == READS_IT ? name : NULL, r->a)) continue;
      *out = id;
      return b->name;
    }
  return NULL;
}

/* Whether some parameter is called so; else what it could have been. */
static bool known(Repl *r, const char *name) {
  const Elab *e = r->s->elab;
  VEC(const char *) paths = {0};
  for (uint32_t k = 0; k < e->made.cells.n; k++) {
    const Cell *c = e->made.cells.at[k];
    if (!c->path || (c->role != CELL_PARAM && c->role != CELL_VAR)) continue;
    if (path_below(c->path, name)) return true;
    vec_push(r->a, &paths, c->path);
    vec_push(r->a, &paths, arena_text(r->a, c->path, strcspn(c->path, ".")));
  }
  const char *near = paths.n ? nearest(name, paths.at, paths.n) : NULL;
  err_printf(r->c, "entry %d: no parameter or variable is called `%s'%s%s%s\n", r->entry, name,
             near ? "; did you mean `" : "", near ? near : "", near ? "'?" : "");
  return false;
}

static void explain(Repl *r, Inspect *x, void *to) {
  const char *name = to;
  Finding f;
  bool any = false;
  if (!x->scalar) {
    repl_scalar(r, "why", x);
    return;
  }
  if (why_find(x, name, &f)) {
    out_printf(r->c, "`%s`: %s\n", name, f.kind);
    if (f.at != NO_NODE && f.at < x->g->n) show_place(r, x, f.at);
    out_printf(r->c, "  %s\n", f.what);
    if (f.way) out_printf(r->c, "  try: %s\n", f.way);
    return;
  }
  out_printf(r->c, "`%s`: nothing is wrong\n", name);
  for (uint32_t k = 0; k < x->leaf.n; k++) {
    const Tensor *t = path_below(x->leaf.at[k].path, name) ? inspect_adjoint(x, x->leaf.at[k].node) : NULL;
    if (t) out_printf(r->c, "  %-12s %s\n", x->leaf.at[k].path, tensor_brief(x->a, t));
    any |= t != NULL;
  }
  if (!any) out_text(r->c, "  it has no gradient here\n");
}

bool show_why(Repl *r, const char *rest) {
  size_t n = strcspn(rest, " ");
  const char *name = repl_dotted(r, arena_text(r->a, rest, n)), *e = rest + n + strspn(rest + n, " ");
  NodeId loss;
  if (!n) {
    err_printf(r->c, "entry %d: :why wants a parameter, and perhaps the number that it is for: `:why w loss`\n",
               r->entry);
    return true;
  }
  if (!known(r, name)) return true;
  if (*e) {
    repl_inspect(r, "why", e, INSPECT_THEN, explain, (void *)(uintptr_t)name);
    return true;
  }
  const char *loss_name = find_loss(r, name, &loss);
  if (!loss_name) {
    err_printf(r->c, "entry %d: no number that depends on parameters has a name here: `:why %s mean(...)`\n", r->entry,
               name);
    return true;
  }
  if (strcmp(loss_name, "it") != 0) out_printf(r->c, "of `%s`:\n", loss_name);
  repl_inspect_node(r, loss, INSPECT_THEN, explain, (void *)(uintptr_t)name);
  return true;
}
