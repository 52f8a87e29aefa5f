/* label: what `require_label` wants of a number, and how it refuses: the same while checking and when it runs. */
#ifndef RUNTIME_LABEL_H
#define RUNTIME_LABEL_H
#include "graph/op.h"

/* A class number below n, or `ignore`; a length from 1 to n, or `ignore`; a sign, -1 or 1; 0 or 1; a class number, a
 * row or what a bin counts, below n, and no other. */
typedef enum { LABEL_CLASS, LABEL_LENGTH, LABEL_SIGN, LABEL_BIT, LABEL_CLASS_ONLY, LABEL_ROW,
               LABEL_BIN } LabelKind;
/* Of op_require_label.faults. */
enum { NOT_CLASS, NOT_CLASS_BELOW, NOT_CLASS_NEXT, NOT_ONE_CLASS, TOO_SHORT, TOO_LONG, NOT_SIGN, NOT_SIGN_ZERO, NOT_BIT,
       NOT_BIT_SIGN, NOT_ROW, NOT_ROW_BELOW, NOT_ROW_NEXT, NOT_ONE_ROW, NOT_BIN };

static inline bool label_holds(double v, LabelKind what, int64_t n, int64_t ignore) {
  switch (what) {
  case LABEL_CLASS: return (v >= 0 && v < (double)n && v == (double)(int64_t)v) || v == (double)ignore;
  case LABEL_CLASS_ONLY: case LABEL_ROW: case LABEL_BIN: return v >= 0 && v < (double)n && v == (double)(int64_t)v;
  case LABEL_LENGTH: return (v >= 1 && v <= (double)n) || v == (double)ignore;
  case LABEL_SIGN: return v == 1 || v == -1;
  default: return v == 0 || v == 1;
  }
}

static inline uint32_t label_row(double v, int64_t n) {
  return n == 1 ? NOT_ONE_ROW : v < 0 ? NOT_ROW_BELOW : v == (double)n ? NOT_ROW_NEXT : NOT_ROW;
}

static inline Fault label_fault(double v, LabelKind what, int64_t n, int64_t element) {
  uint32_t which = what == LABEL_ROW      ? label_row(v, n)
                   : what == LABEL_BIN    ? NOT_BIN
                   : what == LABEL_LENGTH ? (v > (double)n ? TOO_LONG : TOO_SHORT)
                   : what == LABEL_SIGN ? (v == 0 ? NOT_SIGN_ZERO : NOT_SIGN)
                   : what == LABEL_BIT  ? (v == -1 ? NOT_BIT_SIGN : NOT_BIT)
                   : n == 1             ? NOT_ONE_CLASS
                   : v < 0              ? (what == LABEL_CLASS ? NOT_CLASS_BELOW : NOT_CLASS_NEXT)
                   : v == (double)n     ? NOT_CLASS_NEXT
                                        : NOT_CLASS;
  return (Fault){.code = FAULT_OP, .which = which, .element = element, .a = n, .b = n - 1, .v = v};
}
#endif
