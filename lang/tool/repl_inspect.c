/* repl_inspect: see repl_inspect.h. */
#include "tool/repl_inspect.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void repl_inspect_node(Repl *r, NodeId y, InspectWhen when, Shown show, void *to) {
  Guard g;
  const char *why;
  Inspect *x = inspect_open(r->s, y, when, &why);
  if (!x) {
    err_printf(r->c, "entry %d: %s\n", r->entry, why);
    cli_resume(r->s);
    return;
  }
  if (HOST_GUARD(&r->s->host, &g)) {
    show(r, x, to);
    host_leave(&r->s->host, &g);
  } else err_printf(r->c, "entry %d: %s\n", r->entry, r->s->host.message);
  inspect_close(x);
}

bool repl_formula(Repl *r, const char *command, const char *e, NodeId *out) {
  const Value *v;
  if (!*e) {
    err_printf(r->c, "entry %d: :%s wants an expression\n", r->entry, command);
    return false;
  }
  if (!repl_value(r, e, &v)) return false;
  *out = v->kind == V_NODE ? v->node : NO_NODE;
  if (v->kind == V_NODE) return true;
  err_printf(r->c, "entry %d: :%s wants a formula of tensors, and this is %s\n", r->entry, command,
             v->kind == V_CELL ? "a variable, which nothing computes: read it in a formula, as `sum(...)`"
                               : session_type_text(r->s, v));
  return false;
}

void repl_inspect(Repl *r, const char *command, const char *e, InspectWhen when, Shown show, void *to) {
  NodeId y;
  if (repl_formula(r, command, e, &y)) repl_inspect_node(r, y, when, show, to);
}

bool repl_scalar(Repl *r, const char *command, const Inspect *x) {
  const Type *t = graph_at(x->g, x->y)->type;
  if (!x->scalar)
    err_printf(r->c, "entry %d: :%s wants one number, and this is %s: take `sum(...)` or `mean(...)` of it\n", r->entry,
               command, type_show(x->a, t));
  else if (!x->leaf.n)
    err_printf(r->c, "entry %d: this depends on nothing that has a name: it has no gradient to show\n", r->entry);
  return x->scalar && x->leaf.n;
}

/* ---- tensors in a line ---- */

double tensor_norm(const Tensor *t) {
  double squares = 0;
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++) squares += tensor_get(t, k) * tensor_get(t, k);
  return sqrt(squares);
}

int64_t tensor_largest(const Tensor *t) {
  int64_t at = 0, n = type_count(&t->type);
  for (int64_t k = 0; k < n; k++) {
    double v = fabs(tensor_get(t, k));
    if (isnan(v)) return k;
    if (v > fabs(tensor_get(t, at))) at = k;
  }
  return at;
}

const char *element_text(Arena *a, const Type *t, int64_t element) {
  Text text = {.arena = a};
  int64_t count = type_count(t);
  text_add(&text, "[");
  for (int k = 0; k < t->rank; k++) {
    count /= t->dim[k];
    text_printf(&text, "%s%lld", k ? ", " : "", (long long)(element / count));
    element %= count;
  }
  text_add(&text, "]");
  return text.at;
}

int64_t element_of(const Type *t, const char *text) {
  int64_t at = 0;
  text += strspn(text, " [");
  for (int k = 0; k < t->rank; k++) {
    char *end;
    if (!is_digit(*text)) return -1;
    long long i = strtoll(text, &end, 10);
    if (i >= t->dim[k]) return -1;
    at = at * t->dim[k] + i;
    text = end + strspn(end, " ");
    if (k + 1 < t->rank && *text++ != ',') return -1;
    text += strspn(text, " ");
  }
  text += strspn(text, " ]");
  return *text ? -1 : at;
}

/* The tensor in order, a few elements a sign, by the mean of their absolute values. */
static void add_strip(Text *to, const Tensor *t) {
  enum { SIGNS = 12 };
  static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  int64_t n = type_count(&t->type), signs = n < SIGNS ? n : SIGNS;
  double height[SIGNS] = {0}, most = 0;
  for (int64_t k = 0; k < signs; k++) {
    int64_t from = k * n / signs, end = (k + 1) * n / signs;
    for (int64_t j = from; j < end; j++) height[k] += fabs(tensor_get(t, j)) / (double)(end - from);
    if (isfinite(height[k]) && height[k] > most) most = height[k];
  }
  text_add(to, "  |");
  for (int64_t k = 0; k < signs; k++) {
    if (!isfinite(height[k])) text_add(to, "!");
    else text_add(to, bars[height[k] == 0 ? 0 : most == 0 ? 0 : (int)ceil(height[k] / most * 8 - 1e-3)]);
  }
  text_add(to, "|");
}

const char *tensor_brief(Arena *a, const Tensor *t) {
  Text text = {.arena = a};
  if (!t) return "not computed";
  if (!t->type.rank) return number_text(a, tensor_get(t, 0));
  text_printf(&text, "%s", shape_show(a, &t->type));
  if (!type_count(&t->type)) return text.at;
  text_printf(&text, "  norm %.4g", tensor_norm(t));
  add_strip(&text, t);
  return text.at;
}

void show_place(Repl *r, const Inspect *x, NodeId id) {
  const Diags *d = x->s->diags;
  Loc own = inspect_loc(x, id), there = graph_at(x->g, id)->loc & ~LOC_ADJOINT;
  if (own) out_text(r->c, diag_excerpt(d, own, x->a, &(RenderOptions){.color = r->c->color}));
  const Place *p = there == own ? NULL : loc_place(d->sources, there);
  if (!p || !p->source || p->source->text[p->span.first] == '\n') return;
  uint32_t line, column, n = p->span.end - p->span.first;
  source_position(p->source, p->span.first, &line, &column);
  const char *at = p->source->text + p->span.first, *end = memchr(at, '\n', n);
  if (end) n = (uint32_t)(end - at);
  out_printf(r->c, "        within it: %.*s%s  (%s:%u)\n", (int)n, at, end ? " .." : "", p->source->name, line);
}
