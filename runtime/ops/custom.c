/* custom: a value whose gradient somebody else knows: `gradient f(...)` of the language, a host's C function. in: the
 * value, then the arguments it was made of; out: the value. The gradient is built by the CustomGrad in attr->foreign.
 */
#include "graph/grad.h"
#include "ops/pointwise.h"

#ifndef KERNELS
static bool barrier_type(TypeRule *r) {
  r->y = *r->x[0];
  return true;
}

static bool custom_type(TypeRule *r) {
  if (!r->n || !r->attr->foreign)
    return refuse(r, BAD_VALUE, -1, -1, NULL, "`custom` needs a value and who builds its gradient");
  return barrier_type(r);
}

static NodeId custom_simplify(Simplify *s) { return s->node.in[0]; }

static void custom_grad(Grad *d) {
  const CustomGrad *c = d->attr->foreign;
  c->build(c, d);
}

const Op op_custom = {
    .name = "custom", .id = OP_custom, .n_in = -1, .args = "xs..", .flags = OP_HIDDEN | OP_PASSES | OP_STORES,
    .type = custom_type,
    .grad = custom_grad, .simplify = custom_simplify,
    .doc = "A value whose gradient is given beside it; any shape.",
    .example = "grad(recompute(fn (x) = x^2))(3.0)   # => 6",
    .js = "o.set(x)",
};

/* ---- barrier: x, but not before `after` is there, and not the node that the same formula of x alone would be ---- */
static void barrier_grad(Grad *d) { d->dx[0] = d->dy; }
static void barrier_depends(Depends *d) { depends_same(d, 0); }

const Op op_barrier = {
    .name = "barrier", .id = OP_barrier, .n_in = 2, .flags = OP_HIDDEN | OP_STORES, .args = "x, after",
    .type = barrier_type,
    .grad = barrier_grad, .batch = batch_same, .depends = barrier_depends,
    .doc = "x, computed no earlier than another value: what `recompute` puts before what it computes again.",
    .example = "grad(recompute(fn (x) = x^2))(3.0)   # => 6",
    .js = "o.set(x)",
};
#else
#include <string.h>
static bool custom_run(KernelCall *c) {
  memcpy(c->out, c->in[0], (size_t)type_bytes(c->out_type));
  return true;
}
const OpKernels KERNELS_OF(custom) = {.run = custom_run};
const OpKernels KERNELS_OF(barrier) = {.run = custom_run};
#endif
