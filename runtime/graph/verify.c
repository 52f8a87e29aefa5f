/* verify: the executable definition of a valid graph, run between passes in debug builds and by every test.
 * In: a graph that nobody trusts. Out: NULL, or what is wrong and where.
 * A pass that breaks an invariant is found at the pass, not three passes later.
 */
#include "graph/op.h"

static const char *verify_types(const Graph *g, Arena *a, NodeId id) {
  const Node *node = &g->node[id];
  if (node->flags & NODE_BAD) return NULL;
  Graph scratch = *g;   /* the type rule writes its refusal into an arena: ours, not the graph's */
  scratch.arena = a;
  const Type **x = NEW_N(a, const Type *, node->n_in + 1u);
  for (uint32_t k = 0; k < node->n_in; k++) x[k] = g->node[node->in[k]].type;
  TypeRule r = {.g = &scratch, .op = node->op, .x = x, .in = node->in, .n = node->n_in, .attr = node->attr,
                .e = {.a = -1, .b = -1}};
  if (!node->op->type(&r) || !storage_kept(&r, DTYPES_OF(DTYPE_STORAGE)))
    return r.e.text ? r.e.text : "its type rule refuses it";
  if (!type_eq(&r.y, node->type))
    return arena_printf(a, "its type is %s, its rule says %s", type_show(a, node->type), type_show(a, &r.y));
  return NULL;
}

static const char *verify_node(const Graph *g, Arena *a, NodeId id) {
  const Node *node = &g->node[id];
  if (!node->op) return "it has no op";
  if (node->op->id < N_OPS ? op_table[node->op->id] != node->op : !node->op->run) return "its op is not the table's";
  if (!node->type || !node->attr) return "it has no type or no attributes";
  if (!type_fits(node->type)) return "its type is too large";
  if (node->op->n_in >= 0 && node->n_in != node->op->n_in)
    return arena_printf(a, "it has %d operands, `%s` takes %d", node->n_in, node->op->name, node->op->n_in);
  bool known = true;
  for (uint32_t k = 0; k < node->n_in; k++) {
    if (node->in[k] >= id)
      return arena_printf(a, "it reads %%%u, which does not come before it", (unsigned)node->in[k]);
    const Node *in = &g->node[node->in[k]];
    if ((in->flags & NODE_BAD) && !(node->flags & NODE_BAD)) return "it is not bad but an operand is";
    if (!(in->flags & NODE_KNOWN)) known = false;
  }
  if (node->op == &op_input || node->op->flags & OP_OPAQUE) known = false;
  if ((node->flags & NODE_KNOWN) && !known) return "it is marked known but is of the run";
  if (node->op == &op_constant && !node->attr->value) return "it has no value";
  return verify_types(g, a, id);
}

const char *graph_verify(const Graph *g, Arena *a) {
  host_deeper(arena_host(a));
  for (NodeId id = 0; id < g->n; id++) {
    const char *why = verify_node(g, a, id);
    if (why)
      return arena_printf(a, "%%%u (%s): %s", (unsigned)id, g->node[id].op ? g->node[id].op->name : "no op", why);
    if (g->node[id].attr->body) {
      why = graph_verify(g->node[id].attr->body, a);   /* as deep as loops nest */
      if (why) return arena_printf(a, "in the body of %%%u: %s", (unsigned)id, why);
    }
  }
  for (uint32_t k = 0; k < g->out.n; k++)
    if (g->out.at[k].node >= g->n)
      return arena_printf(a, "output %u names %%%u of %u nodes", (unsigned)k, (unsigned)g->out.at[k].node,
                          (unsigned)g->n);
  return NULL;
}
