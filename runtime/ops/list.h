/* Every operation, one line each; its block is in ops/FAMILY.c. The order is the order of the reference page. */
/* source.c */
OP(input)
OP(constant)
OP(iota)
/* unary.c */
OP(neg)
OP(abs)
OP(sign)
OP(recip)
OP(square)
OP(sqrt)
OP(exp)
OP(log)
OP(sin)
OP(cos)
/* binary.c */
OP(add)
OP(sub)
OP(mul)
OP(div)
OP(smul)
/* cast.c */
OP(cast)
