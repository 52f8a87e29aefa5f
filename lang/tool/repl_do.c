/* repl_do: `:do h.relu = 0`: an inner value of a formula replaced, then its values and gradients. In: a name, perhaps
 * with an operation below it, or the path of a variable; a number or a tensor of its shape. Out: the last number whose
 * formula has it, the named values on the way, and the gradients, before and after. Nothing of the session changes.
 */
#include <string.h>
#include "tool/repl_inspect.h"

typedef struct Target { NodeId id, y; const char *number; } Target;

static bool is_number(const Session *s, const Bound *b) {
  if (b->value.kind != V_NODE || !strcmp(b->name, "it")) return false;
  const Type *t = graph_at(s->graph, b->value.node)->type;
  return t->rank == 0 && dtype_is_float((DType)t->dtype);
}

static const Bound *bound_of(const Session *s, const char *name) {
  const Scope *top = s->elab->globals;
  for (uint32_t k = top->bound.n; k-- > 0;)
    if (!strcmp(top->bound.at[k]->name, name)) return top->bound.at[k];
  return NULL;
}

/* `h`, `h.relu`, `net.0.w`: which node, and the last number that has it. */
static bool find_target(Repl *r, const char *what, Target *out) {
  const Session *s = r->s;
  const Scope *top = s->elab->globals;
  const char *dot = strchr(what, '.');
  const Bound *b = bound_of(s, arena_text(r->a, what, dot ? (size_t)(dot - what) : strlen(what)));
  out->id = b && b->value.kind == V_NODE ? inspect_find_op(s, b->value.node, dot ? dot + 1 : NULL, r->a) : NO_NODE;
  for (uint32_t k = top->bound.n; k-- > 0;) {
    const Bound *y = top->bound.at[k];
    if (!is_number(s, y)) continue;
    out->y = y->value.node;
    out->number = y->name;
    NodeId id = out->id == NO_NODE ? inspect_find_cell(s, out->y, what, r->a) : out->id;
    if (id == NO_NODE || id == out->y || !inspect_contains(s, out->y, id, r->a)) continue;
    out->id = id;
    return true;
  }
  if (b && b->value.kind == V_NODE && out->id == NO_NODE)
    err_printf(r->c, "entry %d: no `%s` stands in the formula of `%s`\n", r->entry, dot + 1, b->name);
  else
    err_printf(r->c, "entry %d: no number that has a name is computed from `%s`\n", r->entry, what);
  return false;
}

static const char *brief(Arena *a, const Tensor *t) {
  if (!t) return "none";
  return t->type.rank ? arena_printf(a, "norm %s", number_text(a, tensor_norm(t))) : number_text(a, tensor_get(t, 0));
}

static void show_change(Repl *r, const char *what, const char *name, const Tensor *was, const Tensor *is, Arena *a) {
  out_printf(r->c, "  %-8s %-14s %-16s -> %s\n", what, name, brief(a, was), brief(a, is));
}

/* Formulas before and after have the same names, the leaf that was replaced apart. */
static void compare(Repl *r, const Target *t, const char *what, Inspect *was, Inspect *is) {
  Arena *a = is->a;
  out_printf(r->c, "`%s` with another `%s`:\n", t->number, what);
  show_change(r, "value", t->number, inspect_value(was, was->y), inspect_value(is, is->y), a);
  for (uint32_t k = 0; k < is->n_name && k < was->n_name; k++) {
    const char *name = is->name[k];
    if (!name || !strcmp(name, t->number)) continue;
    const Tensor *before = NULL, *after = inspect_value(is, k);
    for (uint32_t j = 0; j < was->n_name; j++)
      if (was->name[j] && !strcmp(was->name[j], name)) before = inspect_value(was, j);
    if (before && after && !tensor_same_bits(before, after)) show_change(r, "value", name, before, after, a);
  }
  for (uint32_t k = 0; k < was->leaf.n; k++) {
    const Tensor *after = NULL;
    for (uint32_t j = 0; j < is->leaf.n; j++)
      if (!strcmp(is->leaf.at[j].path, was->leaf.at[k].path)) after = inspect_adjoint(is, is->leaf.at[j].node);
    show_change(r, "gradient", was->leaf.at[k].path, inspect_adjoint(was, was->leaf.at[k].node), after, a);
  }
}

static void with_value(Repl *r, const Target *t, const char *what, const Tensor *value) {
  Guard g;
  const char *why;
  const Type *type = graph_at(r->s->graph, t->id)->type;
  Replaced other = {t->id, value};
  if (type_count(&value->type) != 1 && !type_same_shape(&value->type, type)) {
    err_printf(r->c, "entry %d: `%s` is %s: it takes one number or a tensor of that shape, not %s\n", r->entry, what,
               type_show(r->a, type), type_show(r->a, &value->type));
    return;
  }
  Inspect *was = inspect_open(r->s, t->y, INSPECT_THEN, &why);
  Inspect *is = was ? inspect_replaced(r->s, t->y, INSPECT_THEN, &other, &why) : NULL;
  if (!is) err_printf(r->c, "entry %d: %s\n", r->entry, why);
  else if (HOST_GUARD(&r->s->host, &g)) {
    compare(r, t, what, was, is);
    host_leave(&r->s->host, &g);
  } else err_printf(r->c, "entry %d: %s\n", r->entry, r->s->host.message);
  inspect_close(is);
  inspect_close(was);
}

typedef struct Doing { const Target *t; const char *what; } Doing;

static void with_computed(Repl *r, Inspect *x, void *to) {
  const Doing *d = to;
  with_value(r, d->t, d->what, inspect_value(x, x->y));
}

bool do_instead(Repl *r, const char *rest) {
  const char *sign = strchr(rest, '=');
  const Value *v;
  Target t;
  if (!sign || sign == rest || sign[1] == '=' || !sign[1 + strspn(sign + 1, " ")]) {
    err_printf(r->c, "entry %d: :do wants a value and another one for it: `:do h = 0`, `:do h.relu = 0`\n", r->entry);
    return true;
  }
  size_t n = (size_t)(sign - rest);
  while (n && rest[n - 1] == ' ') n--;
  const char *what = repl_dotted(r, arena_text(r->a, rest, n)), *e = sign + 1 + strspn(sign + 1, " ");
  if (!find_target(r, what, &t) || !repl_value(r, e, &v)) return true;
  Doing d = {&t, what};
  if (v->kind == V_NODE) repl_inspect_node(r, v->node, INSPECT_NOW, with_computed, &d);
  else if (v->kind == V_INT) {
    double number = (double)v->i;
    with_value(r, &t, what, &(Tensor){.type = type_scalar(F64), .data = &number, .bytes = sizeof number});
  } else
    err_printf(r->c, "entry %d: :do wants a number or a tensor behind the `=`, and this is %s\n", r->entry,
               session_type_text(r->s, v));
  return true;
}
