/* data: what the library divides and mixes data sets with. In: a data set, a record or tuple of tensors with one first
 * size. Out: one like it of other rows.
 */
#include "elab/args.h"
#include "elab/call.h"
#include "elab/elab.h"
#include "elab/native.h"
#include "elab/rows.h"
#include "elab/want.h"

static Value n_map_rows(Elab *e, const Arg *a, const Ast *at) {
  const Rows *r = a[1].rows;
  NodeId *out = NEW_N(e->a, NodeId, r->node.n + 1);
  for (uint32_t k = 0; k < r->node.n; k++) {
    out[k] = want_node(e, call1(e, a[0].value, v_node(r->node.at[k]), at), a[0].at, "a tensor");
    if (out[k] == NO_NODE) return v_bad();
  }
  uint32_t next = 0;
  return unflat(e, r->value, out, &next);
}

const Native native_datasets[] = {
    {"map_rows", "f:fn, d:rows", n_map_rows, "A data set like d, f of each of its tensors.",
     "map_rows(fn (x) = x[1:], {x = [1, 2], y = [[3], [4]]})   # => {x = [2], y = [[4]]}"},
    {0}};
