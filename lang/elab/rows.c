/* rows: data sets by rows: records or tuples of tensors with one first size. In: a data set. Out: pieces of it; every
 * piece is a formula (a slice or a gather of the first axis), so nothing is copied until it is used.
 */
#include "elab/rows.h"
#include "elab/cell.h"
#include "elab/elab.h"
#include "elab/lower.h"
#include "elab/native.h"
#include "elab/show.h"
#include <string.h>

/* A text field of a table is {codes, classes}: classes are strings and no rows. */
static bool rows_in(Elab *e, Value v, const Ast *at, const char *what, Rows *r, const char *path) {
  host_deeper(&e->s->host);
  v = value_decay(e, v);
  Diag *g;
  switch (v.kind) {
  case V_BAD: return false;
  case V_RECORD:
    for (uint32_t k = 0; k < v.fields->n; k++)
      if (!rows_in(e, v.fields->at[k], at, what, r, arena_printf(e->a, "%s.%s", path, v.fields->name[k]))) return false;
    return true;
  case V_TUPLE:
    for (uint32_t k = 0; k < v.items->n; k++)
      if (!rows_in(e, v.items->at[k], at, what, r, arena_printf(e->a, "%s[%u]", path, k))) return false;
    return true;
  case V_NODE: {
    const Type *t = node_type(e, v.node);
    if (t->rank == 0) break;
    if (r->node.n > 0 && t->dim[0] != r->n) {
      const Type *first = node_type(e, r->node.at[0]);
      if ((g = elab_error(e, at, E_ROWS_DIFFER, what, type_show(e->a, first), path, type_show(e->a, t))))
        diag_hint(e->d, g, "the tensors of a data set have one first size: a row an example");
      return false;
    }
    r->n = t->dim[0];
    vec_push(e->a, &r->node, v.node);
    return true;
  }
  default: break;
  }
  if ((g = elab_error(e, at, E_NOT_ROWS, what, value_kind_text(e, &v),
                      path[0] ? arena_printf(e->a, " at `%s`", path) : "")))
    diag_hint(e->d, g, "a data set is a tensor, or a record or tuple of tensors with one first size, e.g. `{x, y}`");
  return false;
}

bool want_rows(Elab *e, Value v, const Ast *at, const char *what, Rows *out) {
  *out = (Rows){.value = value_decay(e, v)};
  if (!rows_in(e, v, at, what, out, "")) return false;
  if (out->node.n > 0) return true;
  elab_error(e, at, E_NOT_ROWS, what, value_kind_text(e, &v), "");
  return false;
}

static Value rebuild(Elab *e, const Rows *r, const Nodes *n) {
  uint32_t k = 0;
  return unflat(e, r->value, n->at, &k);
}

Value rows_gather(Elab *e, const Rows *r, NodeId index, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_gather(e, r->node.at[k], index, 0, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}

Value rows_slice(Elab *e, const Rows *r, int64_t from, int64_t count, int64_t by, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_rows(e, r->node.at[k], 0, from, count, by, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}

Value rows_slice_dyn(Elab *e, const Rows *r, NodeId start, int64_t count, const Ast *at) {
  Nodes out = {0};
  for (uint32_t k = 0; k < r->node.n; k++) {
    NodeId n = lower_slice_dyn(e, r->node.at[k], 0, start, count, at);
    if (n == NO_NODE) return v_bad();
    vec_push(e->a, &out, n);
  }
  return rebuild(e, r, &out);
}
