/* op: the table of operations and the small builders that gradient rules are written with.
 * In: ops/list.h, where every operation has one line. Out: op_table in that order, op_find by name.
 * Builders emit nodes whose types are known to fit: a refusal there is a bug of the rule, not of the user.
 */
#include "graph/op.h"
#include <assert.h>
#include <string.h>

const Op *const op_table[N_OPS] = {
#define OP(name) [OP_##name] = &op_##name,
#include "ops/list.h"
#undef OP
};

const Op *op_find(const char *name, size_t len) {
  for (int k = 0; k < N_OPS; k++)
    if (strlen(op_table[k]->name) == len && memcmp(op_table[k]->name, name, len) == 0) return op_table[k];
  return NULL;
}

const OpFault fault_index = {.code = "E0701", .text = "index {a} is out of range for size {b}"};

bool refuse(TypeRule *r, Bad kind, int a, int b, const char *hint, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  char *text = arena_vprintf(r->g->arena, fmt, ap);
  va_end(ap);
  r->e = (TypeError){.kind = kind, .a = a, .b = b, .text = text, .hint = hint};
  return false;
}

bool refuse_coded(TypeRule *r, const char *code, Bad kind, int a, int b, const char *hint, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  char *text = arena_vprintf(r->g->arena, fmt, ap);
  va_end(ap);
  r->e = (TypeError){.kind = kind, .a = a, .b = b, .text = text, .hint = hint, .code = code};
  return false;
}

TypeError type_mixed(Arena *a, const char *name, DType x, DType y) {
  TypeError e = {.kind = BAD_MIXED, .a = -1, .b = -1};
  if (x == BOOL || y == BOOL) {
    e.code = "E1102";
    e.text = arena_printf(a, "`%s` of a bool and a number", name);
    e.hint = "write `f32(...)` to count true as 1, or `where(condition, a, b)` to choose";
    return e;
  }
  DType low = x < y ? x : y, high = x < y ? y : x;
  e.text = arena_printf(a, "`%s` of %s and %s", name, dtype_name[low], dtype_name[high]);
  e.hint = arena_printf(a, "convert one of them: `%s(...)` or `%s(...)`", dtype_name[high], dtype_name[low]);
  return e;
}

bool storage_kept(TypeRule *r, unsigned stored) {
  if (r->op->flags & (OP_MOVES | OP_STORES | OP_OPAQUE)) return true;
  for (uint32_t k = 0; k <= r->n; k++) {
    DType d = (DType)(k < r->n ? r->x[k] : &r->y)->dtype;
    if (stored & 1u << d)
      return refuse(r, BAD_DTYPE, k < r->n ? (int)k : -1, -1, "convert it: `f32(...)`",
                    "`%s` does not compute with %s, which is only stored, moved and multiplied",
                    r->op->sign ? r->op->sign : r->op->name, dtype_name[d]);
  }
  return true;
}

bool one_dtype(TypeRule *r, int i, int j) {
  DType x = (DType)r->x[i]->dtype, y = (DType)r->x[j]->dtype;
  if (x == y) return true;
  r->e = type_mixed(r->g->arena, r->op->sign ? r->op->sign : r->op->name, x, y);
  r->e.a = i;
  r->e.b = j;
  return false;
}

NodeId g_op(Graph *g, const Op *op, NodeId a) { return graph_emit(g, op, &a, 1, NULL, 0, NULL); }

NodeId g_op2(Graph *g, const Op *op, NodeId a, NodeId b) {
  return graph_emit(g, op, (NodeId[]){a, b}, 2, NULL, 0, NULL);
}

NodeId g_op3(Graph *g, const Op *op, NodeId a, NodeId b, NodeId c) {
  return graph_emit(g, op, (NodeId[]){a, b, c}, 3, NULL, 0, NULL);
}

NodeId g_attr(Graph *g, const Op *op, const NodeId *in, uint32_t n, const int64_t *i, uint32_t n_i) {
  return graph_emit(g, op, in, n, &(Attr){.i = i, .n = n_i}, 0, NULL);
}

NodeId g_cast(Graph *g, NodeId a, DType d) {
  if (g->node[a].type->dtype == d) return a;
  return g_attr(g, &op_cast, &a, 1, (int64_t[]){d}, 1);
}

NodeId g_fill(Graph *g, const Type *t, double v) {
  return g_broadcast(g, graph_const_like(g, (DType)t->dtype, v, 0), t);
}

NodeId g_times(const Grad *d, NodeId adjoint, NodeId slope) {
  return g_op2(d->g, d->selected ? &op_smul : &op_mul, adjoint, slope);
}

/* broadcast and reshape: attr->i is the shape of the result. */
NodeId g_broadcast(Graph *g, NodeId a, const Type *shape_of) {
  if (type_same_shape(g->node[a].type, shape_of)) return a;
  return g_attr(g, &op_broadcast, &a, 1, shape_of->dim, shape_of->rank);
}

NodeId g_reshape(Graph *g, NodeId a, const Type *shape_of) {
  if (type_same_shape(g->node[a].type, shape_of)) return a;
  return g_attr(g, &op_reshape, &a, 1, shape_of->dim, shape_of->rank);
}

/* sum: attr->i = {how many axes, the axes ascending, keep}. */
NodeId g_sum_to(Graph *g, NodeId a, const Type *shape_of) {
  Type from = *g->node[a].type;
  if (type_same_shape(&from, shape_of)) return a;
  assert(from.rank >= shape_of->rank);
  int lead = from.rank - shape_of->rank;
  int64_t i[MAX_RANK + 2];
  uint32_t n = 0;
  for (int k = 0; k < from.rank; k++)
    if (k < lead || (shape_of->dim[k - lead] == 1 && from.dim[k] != 1)) i[++n] = k;
  i[0] = n;
  i[n + 1] = 0;
  return g_reshape(g, n ? g_attr(g, &op_sum, &a, 1, i, n + 2) : a, shape_of);
}
