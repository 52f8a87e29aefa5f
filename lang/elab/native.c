/* native: how the functions of the host language read their arguments.
 * In: arguments matched to the parameters that a table names. Out: values, or messages that say what was found.
 */
#include "elab/native.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/show.h"
#include "elab/want.h"
#include <string.h>

/* ---- arguments ---- */
NodeId arg_node(Elab *e, const Args *a, uint32_t k, const Ast *at, const char *what) {
  return want_node(e, a->at[k], arg_ast(a, k, at), what);
}

bool arg_int(Elab *e, const Args *a, uint32_t k, int64_t otherwise, const Ast *at, const char *what, int64_t *out) {
  *out = otherwise;
  return !given(a, k) || want_int(e, a->at[k], arg_ast(a, k, at), what, out);
}

bool arg_bool(Elab *e, const Args *a, uint32_t k, bool otherwise, const Ast *at, const char *what, bool *out) {
  *out = otherwise;
  return !given(a, k) || want_bool(e, a->at[k], arg_ast(a, k, at), what, out);
}

const char *depends_text(Elab *e, NodeId n, bool files_are_known) {
  NodeId *id;
  uint32_t count = graph_slice(e->g, &n, 1, NULL, NULL, &id);
  for (uint32_t k = 0; k < count; k++) {
    const Node *x = graph_at(e->g, id[k]);
    if (x->op == &op_alias && !(x->flags & NODE_KNOWN))
      for (uint32_t j = 0; j < e->made.cells.n; j++) {       /* what an assignment made of a cell */
        const Cell *c = e->made.cells.at[j];
        const Version *v = c->now;
        while (v && v->node != id[k]) v = v->before;
        if (v && c->path) return arena_printf(e->a, c->role == CELL_PARAM ? "the parameter `%s`" : "`%s`", c->path);
      }
    if (x->op != &op_input) continue;
    int64_t slot = x->attr->i[0];
    const Slot *s = &e->p->slot.at[slot];
    if (s->kind == SLOT_DATA) {
      if (files_are_known) continue;
      return arena_printf(e->a, "the contents of \"%s\"", s->file ? s->file->path : s->path ? s->path : "a file");
    }
    if (e->seed && e->seed->slot == slot) return "a draw";
    if (s->kind == SLOT_TURN) return "the turn of a loop";
    if (s->kind == SLOT_ARG) return s->path ? arena_printf(e->a, "the argument `%s`", s->path) : "an argument";
    if (s->kind == SLOT_CELL)
      return s->path ? arena_printf(e->a, s->trained ? "the parameter `%s`" : "`%s`", s->path) : "a cell";
    return s->path ? arena_printf(e->a, "`%s`", s->path) : "a value of the run";
  }
  return NULL;
}

const char *node_text(Elab *e, NodeId n) {
  Value v = v_node(n);
  return type_text(e, &v);
}

/* value_kind_text, and what it depends on if it is of the run. */
static const char *found_text(Elab *e, const Value *v) {
  const char *kind = value_kind_text(e, v);
  const char *why = v->kind == V_NODE ? depends_text(e, v->node, false) : NULL;
  return why ? arena_printf(e->a, "%s that depends on %s", kind, why) : kind;
}

const TextValue *want_path(Elab *e, const Args *a, uint32_t k, const Ast *at) {
  const Value *v = &a->at[k];
  return v->kind == V_TEXT || want_string(e, *v, arg_ast(a, k, at), "the path of a file") ? text_value(e, v) : NULL;
}

bool want_number(Elab *e, Value v, const Ast *at, const char *what, double *out) {
  v = value_decay(e, v);
  if (v.kind == V_BAD) return false;
  if (v.kind == V_INT) { *out = (double)v.i; return true; }
  if (v.kind == V_NODE && (graph_at(e->g, v.node)->flags & NODE_KNOWN) && type_count(node_type(e, v.node)) == 1) {
    Tensor *t = graph_known(e->g, v.node);
    if (t) { *out = tensor_get(t, 0); return true; }
  }
  elab_error(e, at, E_WANT_NUMBER, what, found_text(e, &v));
  return false;
}

bool want_ints(Elab *e, Value v, const Ast *at, const char *what, int64_t *out, uint32_t max, uint32_t *n) {
  v = value_decay(e, v);
  *n = 0;
  if (v.kind == V_BAD) return false;
  if (v.kind == V_UNIT) return true;
  if (v.kind == V_LIST || v.kind == V_TUPLE) {
    if (v.items->n > max) goto many;
    for (uint32_t k = 0; k < v.items->n; k++)
      if (!want_int(e, v.items->at[k], at, what, &out[k])) return false;
    *n = v.items->n;
    return true;
  }
  if (v.kind == V_NODE && node_type(e, v.node)->rank == 1) {
    const Type *t = node_type(e, v.node);
    Tensor *x = graph_at(e->g, v.node)->flags & NODE_KNOWN ? graph_known(e->g, v.node) : NULL;
    if (!x) {
      elab_error(e, at, E_WANT_INTS, what, found_text(e, &v));
      return false;
    }
    if (t->dim[0] > max) goto many;
    for (int64_t k = 0; k < t->dim[0]; k++) {
      double d = tensor_get(x, k);
      if (!(d > -9007199254740992.0 && d < 9007199254740992.0) || d != (double)(int64_t)d ||
          (dtype_is_float((DType)t->dtype) && !(graph_at(e->g, v.node)->flags & NODE_INTS))) {
        Diag *g = elab_error(e, at, E_WANT_INTS, what, value_kind_text(e, &v));
        if (g) diag_hint(e->d, g, "`a // b` divides to a whole number, `i32(x)` truncates");
        return false;
      }
      out[k] = (int64_t)d;
    }
    *n = (uint32_t)t->dim[0];
    return true;
  }
  if (!want_int(e, v, at, what, out)) return false;
  *n = 1;
  return true;
many:
  elab_error(e, at, E_INTS_MANY, what, max);
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
