/* native: what the functions of the host language share: trees of tensors, known tensors as values, what a formula
 * depends on. In: values. Out: values, or messages that say what was found.
 */
#include "elab/native.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

const char *node_text(Elab *e, NodeId n) {
  Value v = v_node(n);
  return type_text(e, &v);
}

bool cast_type(const Value *v, DType *to) {
  const Native *n = v->kind == V_FN ? v->fn->native : NULL;
  for (int d = 0; n && d < N_DTYPES; d++)
    if (n == &native_casts[d]) {
      *to = (DType)d;
      return true;
    }
  return false;
}

Value value_of_tensor(Elab *e, Tensor *t, const Ast *at) {
  if (t->type.rank == 0 && t->type.dtype == BOOL) return v_bool(tensor_get(t, 0) != 0);
  if (t->type.rank == 0 && !dtype_is_float((DType)t->type.dtype)) return v_int((int64_t)tensor_get(t, 0));
  return v_node(graph_const(e->g, t, elab_loc(e, at)));
}

/* ---- trees of tensors ---- */
bool flat_nodes(Elab *e, Value v, Nodes *out, const Ast *at, const char *what) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  NodeId n;
  switch (v.kind) {
  case V_BAD: return false;
  case V_UNIT: return true;
  case V_TUPLE: case V_LIST:
    for (uint32_t k = 0; k < v.items->n; k++)
      if (!flat_nodes(e, v.items->at[k], out, at, what)) return false;
    return true;
  case V_RECORD:
    for (uint32_t k = 0; k < v.fields->n; k++)
      if (!flat_nodes(e, v.fields->at[k], out, at, what)) return false;
    return true;
  case V_INT: case V_BOOL: case V_NODE:
    if ((n = want_node(e, v, at, what)) == NO_NODE) return false;
    vec_push(e->a, out, n);
    return true;
  default:
    elab_error(e, at, E_NOT_TENSORS, what, value_kind_text(e, &v));
    return false;
  }
}

Value unflat(Elab *e, Value like, const NodeId *at, uint32_t *k) {
  host_deeper(&e->s->host);
  like = value_decay(e, like);
  if (like.kind == V_TUPLE || like.kind == V_LIST) {
    Value v = v_items(e->a, (ValueKind)like.kind, like.items->at, like.items->n);
    for (uint32_t j = 0; j < like.items->n; j++) v.items->at[j] = unflat(e, like.items->at[j], at, k);
    return v;
  }
  if (like.kind == V_RECORD) {
    Fields *f = NEW(e->a, Fields);
    *f = (Fields){.n = like.fields->n, .name = like.fields->name, .at = NEW_N(e->a, Value, like.fields->n + 1)};
    for (uint32_t j = 0; j < f->n; j++) f->at[j] = unflat(e, like.fields->at[j], at, k);
    return (Value){.kind = V_RECORD, .fields = f};
  }
  if (like.kind == V_UNIT) return like;
  return v_node(at[(*k)++]);
}
