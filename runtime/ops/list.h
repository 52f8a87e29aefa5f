/* Every operation, one line each; its block is in ops/FAMILY.c. The order is the order of the reference page. */
/* source.c */
OP(input)
OP(constant)
OP(iota)
