/* Sources: nodes that need no other node. An input is bound when the graph runs, a constant carries its value, iota
 * counts. None has a derivative of its own: reverse accumulation ends at them.
 */
#include "graph/op.h"

/* ---- input: attr->i = {slot, dtype, dims...} ---- */
#ifndef KERNELS
static bool input_type(TypeRule *r) {
  if (r->attr->n < 2 || r->attr->n > 2 + MAX_RANK || r->attr->i[1] < 0 || r->attr->i[1] >= N_DTYPES)
    return refuse(r, BAD_VALUE, -1, -1, NULL, "an input needs a slot, an element type and at most %d sizes", MAX_RANK);
  r->y = type_make((DType)r->attr->i[1], (int)r->attr->n - 2, r->attr->i + 2);
  return true;
}
const Op op_input = {
    .name = "input", .id = OP_input, .flags = OP_HIDDEN | OP_STORES, .n_in = 0, .type = input_type,
    .doc = "A value that is bound to a slot when the graph runs.", .example = "let f = fn (x) = x",
    .no_grad = "nothing is below it",
};
#else
const OpKernels KERNELS_OF(input) = {.run = NULL};
#endif

/* ---- constant: attr->value ---- */
#ifndef KERNELS
static bool constant_type(TypeRule *r) {
  if (!r->attr->value) return refuse(r, BAD_VALUE, -1, -1, NULL, "a constant needs a value");
  r->y = r->attr->value->type;
  return true;
}
const Op op_constant = {
    .name = "constant", .id = OP_constant, .flags = OP_HIDDEN | OP_STORES, .n_in = 0, .type = constant_type,
    .doc = "A value that the graph carries with it.", .example = "[1, 2]   # => [1, 2]",
    .no_grad = "nothing is below it",
};
#else
const OpKernels KERNELS_OF(constant) = {.run = NULL};
#endif

/* ---- iota: attr->i = {n} ---- */
#ifndef KERNELS
static bool iota_type(TypeRule *r) {
  if (r->attr->n != 1) return refuse(r, BAD_VALUE, -1, -1, NULL, "`iota` needs a size");
  int64_t n = r->attr->i[0];
  if (n < 0)
    return refuse(r, BAD_SIZE, -1, -1, NULL, "`iota` needs a size of at least 0, but found %lld", (long long)n);
  if (n > INT32_MAX)
    return refuse(r, BAD_LIMIT, -1, -1, NULL, "`iota` counts in i32, up to %d, but found %lld", INT32_MAX,
                  (long long)n);
  r->y = type_make(I32, 1, &n);
  return true;
}
static int64_t iota_units(const KernelCall *c) { return c->out_type->dim[0]; }
const Op op_iota = {
    .name = "iota", .id = OP_iota, .n_in = 0, .args = "n:int", .type = iota_type, .units = iota_units,
    .doc = "The i32 numbers 0, 1, ..., n - 1, of shape [n].", .example = "iota(4)   # => [0, 1, 2, 3]",
    .no_grad = "integers carry no derivative",
};
#else
static bool iota_run(KernelCall *c) {
  int32_t *y = c->out;
  for (int64_t k = c->begin; k < c->end; k++) y[k] = (int32_t)k;
  return true;
}
const OpKernels KERNELS_OF(iota) = {.run = iota_run};
#endif
