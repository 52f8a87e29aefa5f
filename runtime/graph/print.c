/* print: a graph as text, the form that golden tests compare. In: a graph. Out: one line a node,
 * `%3 f32[4, 8] = matmul %1 %2`, the body of a loop indented below it, outputs last.
 * Invariant: the text depends on the graph alone: no address, no hash order.
 */
#include "graph/op.h"
#include <math.h>
#include <string.h>

enum { SHOWN = 8 };   /* elements of a constant */

typedef struct Printer {
  Text text;
  const char *(*show_loc)(void *, Loc);
  void *ctx;
} Printer;

static void print_number(Text *t, DType d, double v) {
  if (d == BOOL)
    text_add(t, v != 0 ? "true" : "false");
  else
    text_printf(t, d == F64 ? "%.17g" : "%.9g", v);
}

static void print_constant(Text *t, const Tensor *v) {
  int64_t n = type_count(&v->type);
  if (v->type.rank == 0) {
    text_add(t, " ");
    print_number(t, (DType)v->type.dtype, tensor_get(v, 0));
    return;
  }
  text_add(t, " [");
  for (int64_t k = 0; k < n && k < SHOWN; k++) {
    if (k) text_add(t, ", ");
    print_number(t, (DType)v->type.dtype, tensor_get(v, k));
  }
  text_add(t, n > SHOWN ? ", ...]" : "]");
}

static void print_ints(Text *t, const int64_t *i, int64_t n) {
  text_add(t, "[");
  for (int64_t k = 0; k < n; k++) text_printf(t, "%s%lld", k ? ", " : "", (long long)i[k]);
  text_add(t, "]");
}

/* `name:kind` words of op->args take attr->i in order: axes as a count and that many, sizes, perm and boxes as all
 * that is left, the rest as one number. False, and nothing printed, if the numbers are laid out otherwise. */
static bool print_named(Text *t, const Op *op, const Attr *attr, bool dry) {
  uint32_t at = 0;
  for (const char *p = op->args ? op->args : ""; *p;) {
    size_t len = strcspn(p, " ");
    const char *colon = memchr(p, ':', len);
    if (colon && strncmp(colon, ":index", 6) != 0) {   /* that is an input */
      if (at >= attr->n && strncmp(colon, ":sizes", 6) != 0) return false;   /* to [] there are no sizes */
      bool counted = strncmp(colon, ":axes", 5) == 0;
      bool many = counted || strncmp(colon, ":sizes", 6) == 0 || strncmp(colon, ":perm", 5) == 0 ||
                  strncmp(colon, ":boxes", 6) == 0;
      int64_t n = counted ? attr->i[at] : many ? attr->n - at : 1;
      if (counted) at++;
      if (n < 0 || n > attr->n - at) return false;
      if (!dry) {
        text_printf(t, " %.*s=", (int)(colon - p), p);
        if (many)
          print_ints(t, attr->i + at, n);
        else
          text_printf(t, "%lld", (long long)attr->i[at]);
      }
      at += (uint32_t)n;
    }
    p += len;
    while (*p == ' ') p++;
  }
  return at == attr->n;
}

static void print_attr(Text *t, const Node *node) {
  const Attr *attr = node->attr;
  if (node->op == &op_input)
    text_printf(t, " slot %lld", (long long)attr->i[0]);
  else if (node->op == &op_constant)
    print_constant(t, attr->value);
  else if (attr->body)
    text_printf(t, " turns=%lld carries=%lld sequences=%lld%s%s", (long long)attr->i[0], (long long)attr->i[1],
                (long long)attr->i[2], attr->n > 3 && attr->i[3] ? " reverse" : "",
                loop_ends(attr) == ENDS_UNTIL     ? " until"
                : loop_ends(attr) == ENDS_COUNTED ? " counted"
                                                  : "");
  else if (attr->n && node->op != &op_cast) {
    if (print_named(t, node->op, attr, true))
      print_named(t, node->op, attr, false);
    else {
      text_add(t, " ");
      print_ints(t, attr->i, attr->n);
    }
  }
  if (attr->f[0] != 0 || attr->f[1] != 0) text_printf(t, " (%.9g, %.9g)", attr->f[0], attr->f[1]);
}

/* Bodies nest as deep as the loops that were written: the language bounds that. */
static void print_graph(Printer *p, const Graph *g, int indent) {
  host_deeper(arena_host(p->text.arena));
  Text *t = &p->text;
  for (NodeId id = 0; id < g->n; id++) {
    const Node *node = &g->node[id];
    text_printf(t, "%*s%%%u %s = %s", indent, "", (unsigned)id, type_show(t->arena, node->type), node->op->name);
    for (uint32_t k = 0; k < node->n_in; k++) text_printf(t, " %%%u", (unsigned)node->in[k]);
    print_attr(t, node);
    if (node->flags & NODE_BAD) text_add(t, " bad");
    if (p->show_loc && node->loc) {
      text_printf(t, "  # %s", p->show_loc(p->ctx, node->loc & ~LOC_ADJOINT));
      if (node->loc & LOC_ADJOINT) text_add(t, " adjoint");
    }
    text_add(t, "\n");
    if (node->attr->body) print_graph(p, node->attr->body, indent + 2);
  }
  for (uint32_t k = 0; k < g->out.n; k++)
    text_printf(t, "%*soutput %u = %%%u\n", indent, "", (unsigned)g->out.at[k].slot, (unsigned)g->out.at[k].node);
}

char *graph_dump(const Graph *g, Arena *a, const char *(*show_loc)(void *, Loc), void *ctx) {
  Printer p = {.text = {.arena = a}, .show_loc = show_loc, .ctx = ctx};
  text_add(&p.text, "");
  print_graph(&p, g, 0);
  return p.text.at;
}
