/* data: what the library divides and mixes data sets with. In: a data set, a record or tuple of tensors with one first
 * size. Out: its number of rows, or a data set like it of other rows.
 */
#include "elab/call.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/want.h"

static Value n_rows_in(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  const char *what = want_string(e, a->at[1], arg_ast(a, 1, at), "what wants a data set");
  return what && want_rows(e, a->at[0], arg_ast(a, 0, at), what, &r) ? v_int(r.n) : v_bad();
}

static Value n_map_rows(Elab *e, const Fn *self, Args *a, const Ast *at) {
  (void)self;
  Rows r;
  if (a->at[0].kind == V_BAD || !want_rows(e, a->at[1], arg_ast(a, 1, at), "`map_rows`", &r)) return v_bad();
  NodeId *out = NEW_N(e->a, NodeId, r.node.n + 1);
  for (uint32_t k = 0; k < r.node.n; k++) {
    out[k] = want_node(e, call1(e, a->at[0], v_node(r.node.at[k]), at), arg_ast(a, 0, at), "a tensor");
    if (out[k] == NO_NODE) return v_bad();
  }
  uint32_t next = 0;
  return unflat(e, r.value, out, &next);
}

const Native native_datasets[] = {
    {"rows_in", "d:any, what:any", n_rows_in,
     "The number of rows of a data set; what is the name of the function that wants one, for its message.",
     "rows_in({x = [1, 2]}, \"`split`\")   # => 2"},
    {"map_rows", "f:any, d:any", n_map_rows, "A data set like d, f of each of its tensors.",
     "map_rows(fn (x) = x[1:], {x = [1, 2], y = [[3], [4]]})   # => {x = [2], y = [[4]]}"},
    {0}};
