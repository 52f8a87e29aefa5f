/* draw: see draw.h. A literal stands in the formula that reads it and has no line of its own. */
#include "inspect/draw.h"
#include <math.h>
#include <string.h>
#include "inspect/formula.h"

bool draw_is_literal(const Inspect *x, NodeId id) {
  const Node *n = graph_at(x->g, id);
  bool spread = n->n_in == 1 && n->op->flags & (OP_MOVES | OP_PASSES) && n->flags & NODE_KNOWN;
  if (spread) return draw_is_literal(x, n->in[0]);
  return n->n_in == 0 && n->op != &op_input && type_count(n->type) == 1 && !(id < x->n_name && x->name[id]);
}

static const char *title(const Inspect *x, NodeId id) {
  const char *name = inspect_name(x, id);
  const Op *op = graph_at(x->g, id)->op;
  if (op->form && !strcmp(op->form, "x")) return name ? name : arena_printf(x->a, "%s(z)", op->name);
  if (graph_at(x->g, id)->n_in) return formula_forward(x, id);
  if (name) return name;
  return graph_at(x->g, id)->op == &op_input ? "input" : "constant";
}

static const char *size_text(const Inspect *x, const Tensor *t) {
  double squares = 0;
  if (!t->type.rank) return number_text(x->a, tensor_get(t, 0));
  for (int64_t k = 0, n = type_count(&t->type); k < n; k++) squares += tensor_get(t, k) * tensor_get(t, k);
  return arena_printf(x->a, "norm %s", number_text(x->a, sqrt(squares)));
}

/* ---- text ---- */

typedef struct Tree { const Inspect *x; Text *to; bool *shown; } Tree;

static void add_tree(const Tree *t, NodeId id, int depth) {
  enum { COLUMN = 40, DEEPEST = 200 };
  const Inspect *x = t->x;
  const Node *n = graph_at(x->g, id);
  const char *name = inspect_name(x, id), *what = title(x, id);
  host_deeper(arena_host(x->a));
  if (n->n_in && name && strcmp(name, what) != 0) what = arena_printf(x->a, "%s  = %s", what, name);
  int room = COLUMN - 2 * depth;
  text_printf(t->to, "%*s%-*s  %s", 2 * depth, "", room > 0 ? room : 0, what, type_show(x->a, n->type));
  if (inspect_value(x, id)) text_printf(t->to, "  %s", size_text(x, inspect_value(x, id)));
  if (inspect_adjoint(x, id)) text_printf(t->to, "  g %s", size_text(x, inspect_adjoint(x, id)));
  bool again = t->shown[id] && n->n_in;
  text_add(t->to, again ? "  (above)\n" : "\n");
  if (again || depth > DEEPEST) return;
  t->shown[id] = true;
  for (uint32_t k = 0; k < n->n_in; k++)
    if (!draw_is_literal(x, n->in[k])) add_tree(t, n->in[k], depth + 1);
}

void draw_text(const Inspect *x, Text *to) {
  Tree t = {x, to, NEW_N(x->a, bool, x->g->n + 1u)};
  add_tree(&t, x->y, 0);
}

/* ---- Graphviz ---- */

static void add_quoted(Text *to, const char *text) {
  for (const char *p = text; *p; p++) {
    if (*p == '"' || *p == '\\') text_add(to, "\\");
    text_add_n(to, *p == '\n' ? " " : p, 1);
  }
}

static void add_box(const Inspect *x, Text *to, NodeId id) {
  const Node *n = graph_at(x->g, id);
  const char *name = inspect_name(x, id);
  bool leaf = false;
  for (uint32_t k = 0; k < x->leaf.n; k++) leaf |= x->leaf.at[k].node == id;
  text_printf(to, "  n%u [label=\"", id);
  add_quoted(to, title(x, id));
  if (n->n_in && name && strcmp(name, title(x, id)) != 0) {
    text_add(to, "\\n");
    add_quoted(to, name);
  }
  text_printf(to, "\\n%s", type_show(x->a, n->type));
  if (inspect_value(x, id)) text_printf(to, "\\n%s", size_text(x, inspect_value(x, id)));
  if (inspect_adjoint(x, id)) text_printf(to, "\\ng %s", size_text(x, inspect_adjoint(x, id)));
  text_printf(to, "\"%s];\n", leaf ? ", shape=ellipse, style=filled, fillcolor=\"#dbe9ff\""
                                   : n->n_in ? "" : ", style=filled, fillcolor=\"#eeeeee\"");
}

static bool drawn(const Inspect *x, NodeId id) { return id == x->y || !draw_is_literal(x, id); }

/* What computes one call of the library, two operations at least, is a box. */
static uint32_t boxed(const Inspect *x, Loc loc) {
  uint32_t n = 0;
  for (uint32_t k = 0; k < x->n; k++) {
    NodeId id = x->node[k];
    n += drawn(x, id) && graph_at(x->g, id)->n_in && inspect_loc(x, id) == loc &&
         (graph_at(x->g, id)->loc & ~LOC_ADJOINT) != loc;
  }
  return n;
}

static void add_cluster(const Inspect *x, Text *to, Loc loc, bool *done) {
  const Place *p = loc_place(x->s->diags->sources, loc);
  uint32_t n = p->span.end - p->span.first;
  text_printf(to, "  subgraph cluster%u {\n  style=dotted; label=\"", loc);
  add_quoted(to, arena_text(x->a, p->source->text + p->span.first, n > 60 ? 60 : n));
  text_add(to, n > 60 ? " ..\";\n" : "\";\n");
  for (uint32_t k = 0; k < x->n; k++) {
    NodeId id = x->node[k];
    if (done[id] || !drawn(x, id) || !graph_at(x->g, id)->n_in || inspect_loc(x, id) != loc) continue;
    done[id] = true;
    add_box(x, to, id);
  }
  text_add(to, "  }\n");
}

void draw_dot(const Inspect *x, Text *to) {
  bool *done = NEW_N(x->a, bool, x->g->n + 1u);
  text_add(to, "digraph glia {\n  rankdir=TB;\n  node [shape=box, fontname=\"monospace\", fontsize=10];\n"
               "  graph [fontname=\"monospace\", fontsize=10];\n");
  for (uint32_t k = 0; k < x->n; k++) {
    NodeId id = x->node[k];
    Loc loc = inspect_loc(x, id);
    if (done[id] || !drawn(x, id)) continue;
    if (graph_at(x->g, id)->n_in && loc && boxed(x, loc) > 1) {
      add_cluster(x, to, loc, done);
      continue;
    }
    done[id] = true;
    add_box(x, to, id);
  }
  for (uint32_t k = 0; k < x->n; k++) {
    const Node *n = graph_at(x->g, x->node[k]);
    for (uint32_t j = 0; j < n->n_in; j++)
      if (drawn(x, n->in[j]) && drawn(x, x->node[k])) text_printf(to, "  n%u -> n%u;\n", n->in[j], x->node[k]);
  }
  text_add(to, "}\n");
}
