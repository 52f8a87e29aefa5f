/* repl_grad: `:grad e [w...]`. In: an expression and perhaps what to differentiate by. Out: for each leaf of the
 * gradients its path, shape, norm, min, mean, max, share of zeros and a small histogram.
 *
 * The gradients are computed by the language itself: `grad(it, w)` of the value that e has just got, so that what is
 * shown is what a script would get. Without w, it is by every cell that the graph below e reads, or, where it reads
 * none, by every name whose value is a leaf of it.
 */
#define _POSIX_C_SOURCE 200809L
#include "inspect/formula.h"
#include "inspect/why.h"
#include "tool/repl_commands.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* `net[0].w` as paths are written: `net.0.w`. */
const char *repl_dotted(Repl *r, const char *text) {
  Text t = {.arena = r->a};
  text_add(&t, "");
  for (const char *p = text; *p; p++) {
    size_t digits = *p == '[' ? strspn(p + 1, "0123456789") : 0;
    if (!digits || p[digits + 1] != ']') text_add_n(&t, p, 1);
    else {
      text_printf(&t, ".%.*s", (int)digits, p + 1);
      p += digits + 1;
    }
  }
  return t.at;
}

static bool is_path(const char *p, size_t n) {
  if (n == 0 || !begins_name(*p)) return false;
  for (size_t k = 0; k < n; k++)
    if (!in_name(p[k]) && p[k] != '.') return false;
  static const char *const words[] = {"and", "or", "not", "in", "if", "else", "for", NULL};
  for (int k = 0; words[k]; k++)
    if (strlen(words[k]) == n && !strncmp(words[k], p, n)) return false;
  return true;
}

static bool ends_operand(const char *p, size_t n) {
  char c = n ? p[n - 1] : 0;
  if (begins_name(c) && !(c & 0x80)) {
    size_t from = n;
    while (from > 0 && in_name(p[from - 1]) && !(p[from - 1] & 0x80)) from--;
    return is_path(p + from, n - from) || is_digit(p[from]);
  }
  return is_digit(c) || (c && strchr(")]}'\"", c)) || (unsigned char)c >= 0x80;
}

/* Cuts "sum(x * w) w b" into the expression and the names behind it: words outside brackets, each after an operand. */
static char *cut_names(Repl *r, const char *text, Names *names) {
  char *expr = arena_text(r->a, text, strlen(text));
  for (;;) {
    size_t n = strlen(expr), from = n;
    while (from > 0 && expr[from - 1] != ' ') from--;
    size_t end = from;
    while (end > 0 && expr[end - 1] == ' ') end--;
    int depth = 0;
    for (size_t k = 0; k < end; k++) depth += strchr("([{", expr[k]) ? 1 : strchr(")]}", expr[k]) ? -1 : 0;
    const char *name = repl_dotted(r, expr + from);
    if (end == 0 || depth || !is_path(name, strlen(name)) || !ends_operand(expr, end)) break;
    vec_push(r->a, names, arena_text(r->a, expr + from, n - from));
    expr[end] = 0;
  }
  for (uint32_t k = 0; k < names->n / 2; k++) {
    const char *other = names->at[k];
    names->at[k] = names->at[names->n - 1 - k];
    names->at[names->n - 1 - k] = other;
  }
  return expr;
}

static void add_name(Repl *r, Names *names, const char *path) {
  size_t n = strcspn(path, ".");
  for (uint32_t k = 0; k < names->n; k++)
    if (strlen(names->at[k]) == n && !strncmp(names->at[k], path, n)) return;
  vec_push(r->a, names, arena_text(r->a, path, n));
}

static void find_leaves(Repl *r, NodeId root, Names *names) {
  Graph *g = r->s->graph;
  const Program *p = r->s->program;
  NodeId *ids;
  uint32_t n = graph_slice(g, &root, 1, NULL, NULL, &ids);
  for (uint32_t k = 0; k < n; k++) {
    const Node *node = graph_at(g, ids[k]);
    if (node->op != &op_input || !dtype_is_float((DType)node->type->dtype)) continue;
    const Slot *slot = &p->slot.at[node->attr->i[0]];
    if (slot->kind == SLOT_CELL && slot->path) add_name(r, names, slot->path);
  }
  const Scope *top = r->s->elab->globals;
  for (uint32_t b = 0; names->n == 0 && b < top->bound.n; b++) {
    const Value v = top->bound.at[b]->value;
    if (v.kind != V_NODE || v.node == root || graph_at(g, v.node)->n_in) continue;
    for (uint32_t k = 0; k < n; k++)
      if (ids[k] == v.node) {
        vec_push(r->a, names, top->bound.at[b]->name);
        break;
      }
  }
}

/* ---- what is shown ---- */

static void show_tensor(Repl *r, const char *path, const Tensor *t) {
  enum { BINS = 8 };
  static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  int64_t n = type_count(&t->type), zeros = 0, strange = 0, bin[BINS] = {0}, most = 1;
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
  for (int64_t k = 0; k < n; k++) {
    double v = tensor_get(t, k);
    if (!isfinite(v)) {
      strange++;
      continue;
    }
    if (v < low) low = v;
    if (v > high) high = v;
    zeros += v == 0;
    sum += v;
    squares += v * v;
  }
  out_printf(r->c, "%-16s %-12s", path, shape_show(r->a, &t->type));
  if (n > strange)
    out_printf(r->c, " norm %-9.4g min %-9.4g mean %-9.4g max %-9.4g zero %.3g %%", sqrt(squares), low,
               sum / (double)(n - strange), high, 100.0 * (double)zeros / (double)n);
  if (strange) out_printf(r->c, " NaN or infinite %lld", (long long)strange);
  for (int64_t k = 0; k < n && high > low; k++) {
    double v = tensor_get(t, k);
    if (!isfinite(v)) continue;
    int at = (int)((v - low) / (high - low) * BINS);
    if (at > BINS - 1) at = BINS - 1;
    if (++bin[at] > most) most = bin[at];
  }
  if (high > low) {
    out_text(r->c, "  |");
    for (int k = 0; k < BINS; k++) out_text(r->c, bars[bin[k] ? (bin[k] * 7 + most - 1) / most + 1 : 0]);
    out_text(r->c, "|");
  }
  out_text(r->c, "\n");
}

static void show_tree(Repl *r, const char *path, const Value *v) {
  switch (v->kind) {
  case V_NODE: {
    Need need = {.node = v->node, .slot = NO_SLOT};
    const Tensor *t = session_evaluate(r->s, &need, 1) ? slot_tensor(r->s, need.slot, 0) : NULL;
    if (t) show_tensor(r, path, t);
    break;
  }
  case V_CELL: {
    const Tensor *t = slot_tensor(r->s, v->cell->slot, 0);
    if (t) show_tensor(r, path, t);
    break;
  }
  case V_TUPLE: case V_LIST:
    for (uint32_t k = 0; k < v->items->n; k++)
      show_tree(r, arena_printf(r->a, "%s.%u", path, k), &v->items->at[k]);
    break;
  case V_RECORD:
    for (uint32_t k = 0; k < v->fields->n; k++)
      show_tree(r, arena_printf(r->a, "%s.%s", path, v->fields->name[k]), &v->fields->at[k]);
    break;
  case V_INSTANCE:
    for (uint32_t k = 0; k < v->instance->n; k++)
      if (v->instance->field[k].role == FIELD_PARAM || v->instance->field[k].role == FIELD_LET)
        show_tree(r, arena_printf(r->a, "%s.%s", path, v->instance->field[k].name), &v->instance->field[k].value);
    break;
  case V_FN:
    for (uint32_t k = 0; v->fn->kind == FN_CHAIN && k < v->fn->captured->n; k++)
      show_tree(r, arena_printf(r->a, "%s.%u", path, k), &v->fn->captured->at[k]);
    break;
  default: break;
  }
}

/* The units below y that pass nothing back for any row. */
static const char *idle_units(Repl *r, NodeId y) {
  Guard g;
  const char *why;
  Text t = {.arena = r->a};
  Inspect *x = inspect_open(r->s, y, INSPECT_THEN, &why);
  text_add(&t, "");
  if (x && HOST_GUARD(&r->s->host, &g)) {
    for (uint32_t k = 0; k < x->n; k++) {
      bool flat;
      const char *units = why_units(x, x->node[k], &flat), *name = inspect_name(x, x->node[k]);
      if (!units) continue;
      text_printf(&t, "units %s of `%s` are %s: no row passes anything back\n", units,
                  name ? name : formula_forward(x, x->node[k]), flat ? "saturated" : "dead");
    }
    host_leave(&r->s->host, &g);
  }
  inspect_close(x);
  return t.at;
}

bool show_gradients(Repl *r, const char *rest) {
  Names names = {0};
  const char *expr = cut_names(r, rest, &names);
  const Value *v;
  if (!repl_value(r, expr, &v)) return true;
  if (v->kind != V_NODE && v->kind != V_CELL) {
    err_printf(r->c, "entry %d: :grad wants a number made of tensors, and this is %s\n", r->entry,
               session_type_text(r->s, v));
    return true;
  }
  if (names.n == 0 && v->kind == V_NODE) find_leaves(r, v->node, &names);
  if (names.n == 0) {
    err_printf(r->c, "entry %d: this depends on nothing that has a name: it has no gradient to show\n", r->entry);
    return true;
  }
  const char *idle = v->kind == V_NODE ? idle_units(r, v->node) : "";
  const Scope *top = r->s->elab->globals;
  Value it = v_unit();
  for (uint32_t k = 0; k < top->bound.n; k++)
    if (!strcmp(top->bound.at[k]->name, "it")) it = top->bound.at[k]->value;
  struct Held *shown = session_it_aside(r->s);
  session_name_it(r->s, v);
  Text text = {.arena = r->a};
  text_add(&text, "(");
  for (uint32_t k = 0; k < names.n; k++) text_printf(&text, "grad(it, %s), ", names.at[k]);
  text_add(&text, ")");
  r->entry++;
  bool quiet = r->c->quiet;
  r->c->quiet = true;               /* a warning would stand at a line that nobody typed; zeros are shown */
  bool ok = repl_value(r, text.at, &v);
  r->c->quiet = quiet;
  if (ok && v->kind == V_TUPLE)
    for (uint32_t k = 0; k < v->items->n && k < names.n; k++)
      show_tree(r, repl_dotted(r, names.at[k]), &v->items->at[k]);
  if (ok) out_text(r->c, idle);
  session_it_back(r->s, shown, &it);
  return true;
}
