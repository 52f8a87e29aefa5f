/* sample: operands and attributes that an operation takes: those that its block gives (op.h, `samples`), or, without
 * any, what is found by trial: types and attributes from small pools, the type rule says which fit. What the tests of
 * an op compute with, and what the reference shows. In: an op. Out: its samples.
 */
#ifndef RUNTIME_SAMPLE_H
#define RUNTIME_SAMPLE_H
#include "graph/op.h"

enum { MOST_IN = 4, SAMPLES = 16 };

/* F32 stands for "a float": whoever takes the sample chooses which. */
typedef struct Sample {
  uint32_t n;
  Type x[MOST_IN];
  double raised[MOST_IN];    /* what is added to the diagonals of its matrices */
  Attr attr;
} Sample;

/* At most SAMPLES, into out; 0: a type rule and numbers alone do not make one. */
uint32_t op_samples(Arena *a, const Op *op, Sample *out);
#endif
