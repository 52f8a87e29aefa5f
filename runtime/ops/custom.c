/* custom: a value whose gradient somebody else knows: `gradient f(...)` of the language, a host's C function. in: the value,
 * then the arguments it was made of; out: the value. The gradient is built by the CustomGrad in attr->foreign.
 */
#include "../grad.h"
#include "pointwise.h"

#ifndef KERNELS
static bool custom_type(TypeRule *r) {
  r->y = *r->x[0];
  return true;
}

static NodeId custom_simplify(Simplify *s) { return s->node.in[0]; }

static void custom_grad(Grad *d) {
  const CustomGrad *c = d->attr->foreign;
  c->build(c, d);
}

const Op op_custom = {
    .name = "custom", .id = OP_custom, .n_in = -1, .flags = OP_HIDDEN, .type = custom_type, .grad = custom_grad,
    .simplify = custom_simplify,
    .doc = "A value whose gradient is given beside it; any shape.",
    .example = "gradient twice(x) -> y, dy = 2 * dy",
};
#else
#include <string.h>
static bool custom_run(KernelCall *c) {
  memcpy(c->out, c->in[0], (size_t)type_bytes(c->out_type));
  return true;
}
const OpKernels KERNELS_OF(custom) = {.run = custom_run};
#endif
