/* pointwise: type rules and gradient shorthands shared by the pointwise families. In: a TypeRule or a Grad. Out: the
 * result type or a refusal, the nodes of an adjoint. Broadcasting and the mixing of element types are nodes of their
 * own, made by whoever builds the graph: here all operands have one shape and one element type.
 */
#include "ops/pointwise.h"
#include "graph/face.h"
#include <math.h>

static const char *operand_name(const TypeRule *r, int k) {
  return face_name(r->g->arena, op_face(r->op), (uint32_t)k);
}

static const char *named(const TypeRule *r, int k) {
  return arena_printf(r->g->arena, "%s is %s", operand_name(r, k), type_show(r->g->arena, r->x[k]));
}

/* NumPy's alignment: could the two shapes meet if broadcast? */
static bool could_stretch(const Type *a, const Type *b) {
  for (int k = 1; k <= a->rank && k <= b->rank; k++) {
    int64_t p = a->dim[a->rank - k], q = b->dim[b->rank - k];
    if (p != q && p != 1 && q != 1) return false;
  }
  return true;
}

bool pointwise_agree(TypeRule *r, int i, int j) {
  const Type *a = r->x[i], *b = r->x[j];
  if (!one_dtype(r, i, j)) return false;
  if (!type_same_shape(a, b))
    return refuse(r, BAD_SHAPE, i, j,
                  could_stretch(a, b) ? "make the shapes equal: name the axes to stretch with `None`, or slice"
                                      : "make the shapes equal: reshape, slice or transpose one of them",
                  "`%s` wants operands of one shape, but %s and %s", r->op->name, named(r, i), named(r, j));
  return true;
}

static const char *names_of(const TypeRule *r, unsigned mask) {
  Text t = {.arena = r->g->arena};
  unsigned left = mask;
  for (int d = 0; d < N_DTYPES; d++)
    if (mask & 1u << d) {
      left &= ~(1u << d);
      text_printf(&t, "%s%s", t.n == 0 ? "" : left ? ", " : " or ", dtype_name[d]);
    }
  return t.at;
}

/* The cast that makes an operand of type d acceptable. */
static const char *cast_hint(const TypeRule *r, int k, DType d, unsigned mask) {
  const char *to = mask == 1u << BOOL ? NULL : mask & 1u << F32 && d != U8 ? "f32" : mask & 1u << I32 ? "i32" : "f32";
  const char *x = operand_name(r, k);
  if (!to) return arena_printf(r->g->arena, "compare it: `%s != 0`", x);
  return arena_printf(r->g->arena, "write `%s(%s)`", to, x);
}

static bool all_of(TypeRule *r, unsigned mask, int result) {
  for (uint32_t k = 1; k < r->n; k++)
    if (!pointwise_agree(r, 0, (int)k)) return false;
  DType d = (DType)r->x[0]->dtype;
  if (!(mask & 1u << d))
    return refuse(r, BAD_DTYPE, 0, r->n > 1 ? 1 : -1, cast_hint(r, 0, d, mask), "`%s` wants %s, but %s", r->op->name,
                  names_of(r, mask), named(r, 0));
  r->y = *r->x[0];
  if (result >= 0) r->y.dtype = (uint8_t)result;
  return true;
}

enum {
  FLOATS = DTYPES_OF(DTYPE_FLOAT),
  LOGIC = DTYPES_OF(DTYPE_BOOL),
  NUMBERS = DTYPES_NUMBERS,
  ANY = DTYPES_ALL,
  COMPARED = DTYPES_ALL & ~DTYPES_OF(DTYPE_STORAGE),
};

bool pointwise_float(TypeRule *r) { return all_of(r, FLOATS, -1); }
bool pointwise_number(TypeRule *r) { return all_of(r, NUMBERS, -1); }
bool pointwise_logic(TypeRule *r) { return all_of(r, LOGIC, -1); }
bool pointwise_test(TypeRule *r) { return all_of(r, FLOATS, BOOL); }
bool pointwise_order(TypeRule *r) { return all_of(r, NUMBERS, BOOL); }
bool pointwise_equal(TypeRule *r) { return all_of(r, COMPARED, BOOL); }
bool pointwise_any(TypeRule *r) { return all_of(r, ANY, -1); }

void slope(Grad *d, int k, NodeId by) { d->dx[k] = g_times(d, d->dy, by); }

NodeId number_(Graph *g, NodeId like, double v) { return g_fill(g, g->node[like].type, v); }

void zero_grad(Grad *d) {
  for (uint32_t k = 0; k < d->n; k++) d->dx[k] = NO_NODE;
}

/* ---- simplification ---- */

bool same_number(const Graph *g, NodeId id, double *v) {
  while (g->node[id].op->id == OP_broadcast || g->node[id].op->id == OP_reshape) id = g->node[id].in[0];
  if (g->node[id].op->id != OP_constant) return false;
  const Tensor *t = g->node[id].attr->value;
  if (type_count(&t->type) != 1) return false;
  *v = tensor_get(t, 0);
  return true;
}

bool operand_is(const Simplify *s, uint32_t k, double v) {
  double x;
  return same_number(s->g, s->node.in[k], &x) && x == v && signbit(x) == signbit(v);
}

NodeId through(const Simplify *s, const Op *op) {
  const Node *below = &s->g->node[s->node.in[0]];
  return below->op == op ? below->in[0] : NO_NODE;
}
