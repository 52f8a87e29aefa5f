/* pieces: see pieces.h. In: two nodes, each an unslice along one axis or a concat with zeros among its operands, which
 * is what such a sum has become before. Zeros stand between the pieces until another one fills them.
 */
#include "ops/pieces.h"
#include "ops/pointwise.h"
#include <math.h>

enum { MOST = 256 };     /* of one node: the graph holds them anew for each sum */

/* node NO_NODE: zeros; placed: nothing was added to it yet. */
typedef struct Piece { NodeId node; int64_t size; bool placed; } Piece;
typedef struct Pieces { Piece at[MOST]; uint32_t n, next; int axis; } Pieces;

static bool add_piece(Pieces *p, NodeId node, int64_t size, bool placed) {
  if (size == 0) return true;
  if (node == NO_NODE && p->n && p->at[p->n - 1].node == NO_NODE) {
    p->at[p->n - 1].size += size;
    return true;
  }
  if (p->n == MOST) return false;
  p->at[p->n++] = (Piece){node, size, placed};
  return true;
}

/* Placed whole but for one axis. */
static bool of_unslice(const Graph *g, const Node *n, Pieces *p) {
  const Type *x = g->node[n->in[0]].type;
  p->axis = -1;
  for (int k = 0; k < x->rank; k++) {
    if (x->dim[k] == n->type->dim[k] && n->attr->i[3 * k + 2] == 1) continue;
    if (p->axis >= 0 || (n->attr->i[3 * k + 2] != 1 && x->dim[k] > 1)) return false;
    p->axis = k;
  }
  if (p->axis < 0) return false;
  int64_t start = n->attr->i[3 * p->axis], size = x->dim[p->axis];
  return add_piece(p, NO_NODE, start, false) && add_piece(p, n->in[0], size, true) &&
         add_piece(p, NO_NODE, n->type->dim[p->axis] - start - size, false);
}

static bool of_concat(const Graph *g, const Node *n, Pieces *p) {
  bool gaps = false;
  p->axis = (int)n->attr->i[0];
  if (n->n_in > MOST) return false;
  for (uint32_t k = 0; k < n->n_in; k++) {
    double v;
    bool zeros = same_number(g, n->in[k], &v) && v == 0 && !signbit(v);
    gaps |= zeros;
    if (!add_piece(p, zeros ? NO_NODE : n->in[k], g->node[n->in[k]].type->dim[p->axis], false)) return false;
  }
  return gaps;
}

static bool pieces_of(const Graph *g, NodeId id, Pieces *p) {
  const Node *n = &g->node[id];
  p->n = p->next = 0;
  return n->op == &op_unslice ? of_unslice(g, n, p) : n->op == &op_concat && of_concat(g, n, p);
}

/* The next piece of both, of which one is zeros. */
static bool merge_one(Pieces *a, Pieces *b, Pieces *out) {
  Piece *x = &a->at[a->next], *y = &b->at[b->next];
  if (x->node != NO_NODE && y->node != NO_NODE) return false;
  int64_t size = x->node != NO_NODE ? x->size : y->node != NO_NODE ? y->size : x->size < y->size ? x->size : y->size;
  if (x->size < size || y->size < size) return false;
  Piece take = x->node != NO_NODE ? *x : *y;
  if (!add_piece(out, take.node, size, take.placed)) return false;
  a->next += (x->size -= size) == 0;
  b->next += (y->size -= size) == 0;
  return true;
}

NodeId sum_of_pieces(Graph *g, NodeId x, NodeId y) {
  Pieces a, b, out;
  out.n = 0;
  if (!pieces_of(g, x, &a) || !pieces_of(g, y, &b) || a.axis != b.axis) return NO_NODE;
  while (a.next < a.n && b.next < b.n)
    if (!merge_one(&a, &b, &out)) return NO_NODE;
  NodeId in[MOST];
  Type t = *g->node[x].type;
  for (uint32_t k = 0; k < out.n; k++) {
    t.dim[a.axis] = out.at[k].size;
    NodeId piece = out.at[k].node;
    /* -0 + 0 is 0 */
    if (out.at[k].placed && dtype_is_float((DType)t.dtype)) piece = g_op2(g, &op_add, piece, g_fill(g, &t, 0));
    in[k] = piece == NO_NODE ? g_fill(g, &t, 0) : piece;
  }
  return g_attr(g, &op_concat, in, out.n, (int64_t[]){a.axis}, 1);
}
