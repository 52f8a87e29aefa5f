/* pairs: see pairs.h. Arithmetic alone: what else there is costs more than a call. Two roundings, as the two
 * operations have: kernels are compiled without contraction.
 */
#include "ops/pairs.h"
#ifdef KERNELS
#include "ops/pointwise.h"

#if LEVEL_OF(KERNELS) == 1
#define NUMBER(k) (*(const T *)i->in[k])
#define PAIR(first, then, expr)                       \
  static void M_(first##_##then)(const Instr *i) {    \
    expr;                                             \
  }
/* t: what the first one made, of inputs 0 and 1; the second one's other operand is input `other`. */
#define PAIRS_AFTER(first, expr, other)                                                                   \
  PAIR(first, add, const T t = (expr); *(T *)i->out = t + NUMBER(other))                                  \
  PAIR(first, less, const T t = (expr); *(T *)i->out = t - NUMBER(other))                                 \
  PAIR(first, from, const T t = (expr); *(T *)i->out = NUMBER(other) - t)                                 \
  PAIR(first, mul, const T t = (expr); *(T *)i->out = t * NUMBER(other))                                  \
  PAIR(first, neg, const T t = (expr); *(T *)i->out = -t)
#define PAIRS                                             \
  PAIRS_AFTER(add, NUMBER(0) + NUMBER(1), 2)              \
  PAIRS_AFTER(sub, NUMBER(0) - NUMBER(1), 2)              \
  PAIRS_AFTER(mul, NUMBER(0) * NUMBER(1), 2)              \
  PAIRS_AFTER(neg, -NUMBER(0), 1)
#define ROW(first) {M_(first##_add), M_(first##_less), M_(first##_from), M_(first##_mul), M_(first##_neg)}

#define T float
#define M_(name) f32_##name
PAIRS
static const InstrKernel f32_pair[4][5] = {ROW(add), ROW(sub), ROW(mul), ROW(neg)};
#undef T
#undef M_
#define T double
#define M_(name) f64_##name
PAIRS
static const InstrKernel f64_pair[4][5] = {ROW(add), ROW(sub), ROW(mul), ROW(neg)};

InstrKernel pair_kernel(const Op *first, const Op *second, bool right, DType d) {
  int a = first->id == OP_add ? 0 : first->id == OP_sub ? 1 : first->id == OP_mul ? 2 : first->id == OP_neg ? 3 : -1;
  int b = second->id == OP_add ? 0 : second->id == OP_sub ? (right ? 2 : 1) : second->id == OP_mul ? 3
        : second->id == OP_neg ? 4 : -1;
  if (a < 0 || b < 0 || (d != F32 && d != F64)) return NULL;
  return d == F32 ? f32_pair[a][b] : f64_pair[a][b];
}
#endif
#endif
