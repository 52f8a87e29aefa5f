/* require: values that must hold, or the run stops at their place before any cell is written. The value passes through,
 * so the derivative does.
 */
#include "ops/label.h"
#include "ops/pointwise.h"

/* ---- require_finite ---- */
#ifndef KERNELS
static void require_finite_grad(Grad *d) { d->dx[0] = d->dy; }
const Op op_require_finite = {
    POINTWISE(require_finite, 1, pointwise_float), .flags = OP_POINTWISE | OP_FAILS, .grad = require_finite_grad,
    .faults = &(const OpFault){.code = "E0717", .text = "this is not finite, and has to be finite"},
    .doc = "x itself. If an element is NaN or infinite, the run stops before any cell changes and names the\n"
           "expression that made the first such value.",
    .example = "require_finite([1, 2])   # => [1, 2]",
    .js = "x",
};
#else
TILE1(require_finite, f32, uint32_t, uint32_t, x)
TILE1(require_finite, f64, uint64_t, uint64_t, x)
#define FINITE(d, C)                                                                          \
  static bool require_finite_check_##d(const void *const *in, int64_t n, const Attr *attr, Fault *f) { \
    const C *x = in[0];                                                                       \
    (void)attr;                                                                               \
    for (int64_t k = 0; k < n; k++)                                                           \
      if (!(x[k] - x[k] == 0)) {                                                              \
        *f = (Fault){.code = FAULT_OP, .element = k};                                      \
        return false;                                                                         \
      }                                                                                       \
    return true;                                                                              \
  }
FINITE(f32, float)
FINITE(f64, double)
const OpKernels KERNELS_OF(require_finite) = {
    FLOATS_OF(require_finite),
    .check = {[F32] = require_finite_check_f32, [F64] = require_finite_check_f64},
};
#endif

/* ---- require_label: attr->i = {what (a LabelKind), n, ignore}; see label.h ---- */
#ifndef KERNELS
static bool require_label_type(TypeRule *r) {
  if (r->attr->n == 3 && r->attr->i[0] >= LABEL_CLASS && r->attr->i[0] <= LABEL_BIN) return pointwise_number(r);
  return refuse(r, BAD_VALUE, 0, -1, NULL, "`%s` needs to know what the numbers are", r->op->name);
}

#define CLASSES "class number {v}, but there are {a} classes, 0 to {b}"
#define ROWS "row {v}, but there are {a} rows, 0 to {b}"
static const OpFault not_a_label[] = {
    [NOT_CLASS] = {"E0720", CLASSES, NULL},
    [NOT_CLASS_BELOW] = {"E0720", CLASSES, "losses and metrics leave rows without a class out: `ignore = {v}`"},
    [NOT_CLASS_NEXT] = {"E0720", CLASSES, "classes are counted from 0"},
    [NOT_ONE_CLASS] = {"E0720", "class number {v}, but there is one class, 0", NULL},
    [TOO_SHORT] = {"E0720", "a length counts from 1, found {v}", NULL},
    [TOO_LONG] = {"E0720", "length {v}, but the longest is {a}", NULL},
    [NOT_SIGN] = {"E0720", "a sign is -1 or 1, found {v}", NULL},
    [NOT_SIGN_ZERO] = {"E0720", "a sign is -1 or 1, found 0", "the signs of classes 0 and 1 are `2 * y - 1`"},
    [NOT_BIT] = {"E0720", "0 or 1 is wanted, found {v}", NULL},
    [NOT_ROW] = {"E0720", ROWS, NULL},
    [NOT_ROW_BELOW] = {"E0720", ROWS, "rows are counted from 0: give what stands for padding one of its own"},
    [NOT_ROW_NEXT] = {"E0720", ROWS, "rows are counted from 0"},
    [NOT_ONE_ROW] = {"E0720", "row {v}, but there is one row, 0", NULL},
    [NOT_BIN] = {"E0720", "the bins are for 0 to {b}, and none is for {v}", NULL},
    [NOT_BIT_SIGN] = {"E0720", "0 or 1 is wanted, found -1", "0 and 1 of signs are `(y + 1) // 2`"},
};

const Op op_require_label = {
    POINTWISE(require_label, 1, require_label_type), .flags = OP_POINTWISE | OP_FAILS | OP_HIDDEN | OP_PASSES,
    .grad = require_finite_grad, .faults = not_a_label,
    .args = "x, what:int, n:int, ignore:int",
    .doc = "x itself. If an element is no class number below n (or no length, sign, bit), the run stops before\n"
           "any cell changes.",
    .example = "class_numbers([0, 2], 3)   # => [0, 2]",
    .js = "x",
};
#else
TILE1(require_label, f32, uint32_t, uint32_t, x)
TILE1(require_label, f64, uint64_t, uint64_t, x)
TILE1(require_label, i32, uint32_t, uint32_t, x)

#define LABELS(d, C)                                                                                  \
  static bool require_label_check_##d(const void *const *in, int64_t n, const Attr *attr, Fault *f) { \
    const C *x = in[0];                                                                               \
    for (int64_t k = 0; k < n; k++) {                                                                 \
      double v = (double)x[k];                                                                        \
      if (label_holds(v, (LabelKind)attr->i[0], attr->i[1], attr->i[2])) continue;                    \
      *f = label_fault(v, (LabelKind)attr->i[0], attr->i[1], k);                                      \
      return false;                                                                                   \
    }                                                                                                 \
    return true;                                                                                      \
  }
LABELS(f32, float)
LABELS(f64, double)
LABELS(i32, int32_t)
const OpKernels KERNELS_OF(require_label) = {
    NUMBERS_OF(require_label),
    .check = {[F32] = require_label_check_f32, [F64] = require_label_check_f64, [I32] = require_label_check_i32},
};
#endif
