/* body: the body of the op `loop`. In: nodes of the main graph, made over fresh inputs for state, element and turn.
 * Out: what depends on them, lifted into a graph of its own; everything else that it uses, cells among it, stays
 * outside and is captured, so that what does not change is computed once, and a derivative finds its way to it.
 */
#include "elab/body.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "runtime/graph/opt.h"
#include <string.h>

/* ---- lifting ---- */
typedef struct Lift {
  Elab *e;
  Graph *body;
  NodeId *to;                 /* by node of the main graph: node of the body, or NO_NODE */
  uint32_t n_to;
  Nodes capture;              /* of the main graph */
} Lift;

static bool is_small_constant(const Node *x) { return x->op == &op_constant && type_count(x->type) == 1; }

static NodeId outer(Lift *l, NodeId n, uint32_t first_slot) {
  if (l->to[n] != NO_NODE) return l->to[n];
  const Node *x = graph_at(l->e->g, n);
  if (is_small_constant(x)) return l->to[n] = graph_const(l->body, x->attr->value, x->loc);
  NodeId in = graph_input(l->body, first_slot + l->capture.n, x->type, x->loc);
  vec_push(l->e->a, &l->capture, n);
  return l->to[n] = in;
}

Graph *lift_body(Elab *e, const NodeId *input, uint32_t n_input, NodeId turn, const NodeId *root, uint32_t n_root,
                 Nodes *capture) {
  Graph *g = e->g;
  Lift l = {.e = e, .body = graph_new(g->arena), .n_to = g->n};
  l.body->kernels = g->kernels;
  l.to = NEW_N(e->a, NodeId, g->n);
  bool *inside = NEW_N(e->a, bool, g->n);
  for (uint32_t k = 0; k < g->n; k++) l.to[k] = NO_NODE;
  NodeId *id;
  uint32_t n = graph_slice(g, root, n_root, NULL, NULL, &id);
  for (uint32_t k = 0; k < n_input; k++) {
    const Node *x = graph_at(g, input[k]);
    l.to[input[k]] = graph_input(l.body, k, x->type, x->loc);
    inside[input[k]] = true;
  }
  if (turn != NO_NODE) inside[turn] = true;
  for (uint32_t k = 0; k < n; k++) {
    const Node *x = graph_at(g, id[k]);
    for (uint32_t j = 0; j < x->n_in && !inside[id[k]]; j++) inside[id[k]] = inside[x->in[j]];
  }
  /* Captures first: the turn's slot is the one after them. */
  for (uint32_t k = 0; k < n; k++) {
    const Node x = *graph_at(g, id[k]);
    if (!inside[id[k]]) continue;
    for (uint32_t j = 0; j < x.n_in; j++)
      if (!inside[x.in[j]]) outer(&l, x.in[j], n_input);
  }
  for (uint32_t k = 0; k < n_root; k++)
    if (!inside[root[k]]) outer(&l, root[k], n_input);
  if (turn != NO_NODE) {
    const Node t = *graph_at(g, turn);
    l.to[turn] = graph_input(l.body, n_input + l.capture.n, t.type, t.loc);
  }
  for (uint32_t k = 0; k < n; k++) {
    NodeId at = id[k];
    if (!inside[at] || l.to[at] != NO_NODE) continue;
    const Node x = *graph_at(g, at);
    NodeId *in = NEW_N(e->a, NodeId, x.n_in + 1);
    for (uint32_t j = 0; j < x.n_in; j++) in[j] = l.to[x.in[j]];
    l.body->segment = x.segment;
    l.to[at] = graph_emit(l.body, x.op, in, x.n_in, x.attr, x.loc, NULL);
  }
  NodeId *out = NEW_N(e->a, NodeId, n_root + 1);
  for (uint32_t k = 0; k < n_root; k++) out[k] = l.to[root[k]];
  graph_stable(l.body, out, n_root, NULL, 0, out, NULL);   /* a derivative of the body follows its stable form */
  for (uint32_t k = 0; k < n_root; k++) graph_output(l.body, out[k], k);
  *capture = l.capture;
  return l.body;
}

/* A slot that nothing fills: inputs of a body never run in the graph of the session, but messages may ask what they
 * are. */
NodeId body_input(Elab *e, const Type *t, const Ast *at) {
  Loc loc = elab_loc(e, at);
  return graph_input(e->g, slot_new(e->p, SLOT_VALUE, t, NULL, loc), t, loc);
}
