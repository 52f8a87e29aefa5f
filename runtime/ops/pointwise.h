/* pointwise: what a pointwise op's block is written with, so that it is a screen or less. Graph side: type rules,
 * gradient shorthands, POINTWISE(...). Kernel side: TILE1..3, which make one loop over n elements for one element
 * type.
 * Rule for gradients: every product with dy is made by g_times, so that a branch that `where` did not take contributes
 * nothing even where its slope is infinite, and an infinite slope is hidden nowhere else.
 * Rule for kernels: an element's result depends on its operands alone, never on its place, so an expression is
 * either plain arithmetic (the same in the vector loop and its scalar tail) or one call of libm.
 */
#ifndef RUNTIME_OPS_POINTWISE_H
#define RUNTIME_OPS_POINTWISE_H
#include "graph/op.h"

#ifndef KERNELS

#define POINTWISE(op, inputs, rule) .name = #op, .id = OP_##op, .n_in = (inputs), .type = (rule)

/* One shape, one element type for all operands; the result has them too, or is bool. */
bool pointwise_float(TypeRule *r);      /* f32 f64 */
bool pointwise_number(TypeRule *r);     /* f32 f64 i32 */
bool pointwise_logic(TypeRule *r);      /* bool */
bool pointwise_test(TypeRule *r);       /* f32 f64 -> bool */
bool pointwise_order(TypeRule *r);      /* f32 f64 i32 -> bool */
bool pointwise_equal(TypeRule *r);      /* any -> bool */
bool pointwise_any(TypeRule *r);        /* any */
/* Appends the reason to r: operands i and j (their names: op->args, or x y z) must have one type. */
bool pointwise_agree(TypeRule *r, int i, int j);

/* dx[k] = dy times `by` */
void slope(Grad *d, int k, NodeId by);
static inline NodeId neg_(Graph *g, NodeId a) { return g_op(g, &op_neg, a); }
static inline NodeId add_(Graph *g, NodeId a, NodeId b) { return g_op2(g, &op_add, a, b); }
static inline NodeId sub_(Graph *g, NodeId a, NodeId b) { return g_op2(g, &op_sub, a, b); }
static inline NodeId mul_(Graph *g, NodeId a, NodeId b) { return g_op2(g, &op_mul, a, b); }
static inline NodeId div_(Graph *g, NodeId a, NodeId b) { return g_op2(g, &op_div, a, b); }
static inline NodeId smul_(Graph *g, NodeId a, NodeId b) { return g_op2(g, &op_smul, a, b); }
NodeId number_(Graph *g, NodeId like, double v);        /* v in the shape and type of a node */
static inline NodeId scale_(Graph *g, NodeId a, double v) { return mul_(g, a, number_(g, a, v)); }
static inline NodeId plus_(Graph *g, NodeId a, double v) { return add_(g, a, number_(g, a, v)); }
/* Whether every element is the same number, known without computing: a constant, through broadcasts and reshapes. */
bool same_number(const Graph *g, NodeId id, double *v);
/* Operand k of the node is v everywhere, its sign bit too. */
bool operand_is(const Simplify *s, uint32_t k, double v);
/* The node's operand of operand 0, if that is made by op; else NO_NODE. */
NodeId through(const Simplify *s, const Op *op);
/* Derivative zero everywhere: nothing to add. */
void zero_grad(Grad *d);
#define ZERO_EVERYWHERE(more) .flags = OP_POINTWISE | OP_EFFECTLESS_ZERO | (more), .grad = zero_grad

#else /* KERNELS */
#include <math.h>
#include "ops/vector_math.h"

/* out may be in[k]: each element is read before it is written, so nothing is carried from one turn to the next. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"   /* a loop around a call of libm stays one */
#define EACH _Pragma("clang loop vectorize(assume_safety)")
#else
#define EACH _Pragma("GCC ivdep")
#endif

/* Level v1 has each kernel for one element, too: an instruction of a straight-line program. */
#define LEVEL_v1 1
#define LEVEL_OF_(level) LEVEL_##level
#define LEVEL_OF(level) LEVEL_OF_(level)
#if LEVEL_OF(KERNELS) == 1
#define ONE(kernel) kernel##_one
#define ONE_(kernel, R, expr, ...)                                               \
  __attribute__((unused)) static void ONE(kernel)(const Instr *i) {              \
    const Attr *attr = i->more;                                                  \
    (void)attr;                                                                  \
    __VA_ARGS__;                                                                 \
    *(R *)i->out = (R)(expr);                                                    \
  }
#define ONE1(kernel, T, R, expr) ONE_(kernel, R, expr, const T x = *(const T *)i->in[0])
#define ONE2(kernel, T, R, expr) \
  ONE_(kernel, R, expr, const T x = *(const T *)i->in[0], y = *(const T *)i->in[1])
#define ONE3(kernel, TX, T, R, expr)                             \
  ONE_(kernel, R, expr, const TX x = *(const TX *)i->in[0];      \
       const T y = *(const T *)i->in[1], z = *(const T *)i->in[2])
#else
#define ONE(kernel) NULL
#define ONE1(kernel, T, R, expr)
#define ONE2(kernel, T, R, expr)
#define ONE3(kernel, TX, T, R, expr)
#endif

#define TILE1(op, tag, T, R, expr)                                                        \
  ONE1(op##_##tag, T, R, expr)                                                            \
  static void op##_##tag(void *out, const void *const *in, int64_t n, const Attr *attr) { \
    (void)attr;                                                                           \
    R *to = out;                                                                          \
    const T *px = in[0];                                                                  \
    EACH for (int64_t k = 0; k < n; k++) {                                                \
      const T x = px[k];                                                                  \
      to[k] = (R)(expr);                                                                  \
    }                                                                                     \
  }
#define TILE2(op, tag, T, R, expr)                                                        \
  ONE2(op##_##tag, T, R, expr)                                                            \
  static void op##_##tag(void *out, const void *const *in, int64_t n, const Attr *attr) { \
    (void)attr;                                                                           \
    R *to = out;                                                                          \
    const T *px = in[0], *py = in[1];                                                     \
    EACH for (int64_t k = 0; k < n; k++) {                                                \
      const T x = px[k], y = py[k];                                                       \
      to[k] = (R)(expr);                                                                  \
    }                                                                                     \
  }
#define TILE3(op, tag, TX, T, R, expr)                                                    \
  ONE3(op##_##tag, TX, T, R, expr)                                                        \
  static void op##_##tag(void *out, const void *const *in, int64_t n, const Attr *attr) { \
    (void)attr;                                                                           \
    R *to = out;                                                                          \
    const TX *px = in[0];                                                                 \
    const T *py = in[1], *pz = in[2];                                                     \
    EACH for (int64_t k = 0; k < n; k++) {                                                \
      const TX x = px[k];                                                                 \
      const T y = py[k], z = pz[k];                                                       \
      to[k] = (R)(expr);                                                                  \
    }                                                                                     \
  }

/* What an op's OpKernels have, of kernels with these tags. */
#define FLOATS_OF(op) \
  .tile = {[F32] = op##_f32, [F64] = op##_f64}, .one = {[F32] = ONE(op##_f32), [F64] = ONE(op##_f64)}
#define NUMBERS_OF(op)                                                    \
  .tile = {[F32] = op##_f32, [F64] = op##_f64, [I32] = op##_i32},         \
  .one = {[F32] = ONE(op##_f32), [F64] = ONE(op##_f64), [I32] = ONE(op##_i32)}
#define LOGIC_OF(op) .tile = {[BOOL] = op##_bool_}, .one = {[BOOL] = ONE(op##_bool_)}

/* Kernels of one op on f32 and f64, from one expression each. */
#define FLOATS1(op, e32, e64)         \
  TILE1(op, f32, float, float, e32)   \
  TILE1(op, f64, double, double, e64) \
  const OpKernels KERNELS_OF(op) = {FLOATS_OF(op), .js = #e64};
#define FLOATS2(op, e32, e64)         \
  TILE2(op, f32, float, float, e32)   \
  TILE2(op, f64, double, double, e64) \
  const OpKernels KERNELS_OF(op) = {FLOATS_OF(op), .js = #e64};
/* ... and on i32, where it wraps: the expression is over uint32_t. */
#define NUMBERS1(op, e32, e64, wrap)      \
  TILE1(op, f32, float, float, e32)       \
  TILE1(op, f64, double, double, e64)     \
  TILE1(op, i32, uint32_t, uint32_t, wrap)  \
  const OpKernels KERNELS_OF(op) = {NUMBERS_OF(op), .js = #e64};
#define NUMBERS2(op, e32, e64, wrap)      \
  TILE2(op, f32, float, float, e32)       \
  TILE2(op, f64, double, double, e64)     \
  TILE2(op, i32, uint32_t, uint32_t, wrap)  \
  const OpKernels KERNELS_OF(op) = {NUMBERS_OF(op), .js = #e64};
/* Results that are bool. */
#define TESTS1(op, e)              \
  TILE1(op, f32, float, uint8_t, e)  \
  TILE1(op, f64, double, uint8_t, e) \
  const OpKernels KERNELS_OF(op) = {FLOATS_OF(op), .js = #e};
#define TESTS2(op, e)                \
  TILE2(op, f32, float, uint8_t, e)    \
  TILE2(op, f64, double, uint8_t, e)   \
  TILE2(op, i32, int32_t, uint8_t, e)  \
  TILE2(op, u8, uint8_t, uint8_t, e)   \
  const OpKernels KERNELS_OF(op) = {                                                                         \
      .tile = {[F32] = op##_f32, [F64] = op##_f64, [I32] = op##_i32, [U8] = op##_u8, [BOOL] = op##_u8},      \
      .one = {[F32] = ONE(op##_f32), [F64] = ONE(op##_f64), [I32] = ONE(op##_i32), [U8] = ONE(op##_u8),      \
              [BOOL] = ONE(op##_u8)}, .js = #e};
/* The bytes as they are, of any element type: chosen by its size. (There may be no type of a size.) */
#define COPY_(op, bytes, T)                                                                                \
  __attribute__((unused)) static void op##_##bytes(void *, const void *const *, int64_t, const Attr *);    \
  TILE1(op, bytes, T, T, x)
#define COPIES_(op) COPY_(op, 1, uint8_t) COPY_(op, 2, uint16_t) COPY_(op, 4, uint32_t) COPY_(op, 8, uint64_t)
#define COPY_OF_(op, id, name, C, bytes, ...) [id] = op##_##bytes,
#define COPY_ONE_OF_(op, id, name, C, bytes, ...) [id] = ONE(op##_##bytes),
#define COPIES(op) \
  COPIES_(op)      \
  const OpKernels KERNELS_OF(op) = {.tile = {DTYPES(COPY_OF_, op)}, .one = {DTYPES(COPY_ONE_OF_, op)}, .js = "x"};
#endif
#endif
