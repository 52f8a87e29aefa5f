/* vector_math: functions of one float as plain arithmetic, with no call and no branch, so that the loop around them
 * is vectorised at every feature level and a scalar tail computes the same bits. In: any float, infinities, NaN and
 * subnormals too. Out: within about 2 ulp (tests/unit/vector_math.c measures it against libm in double).
 */
#ifndef RUNTIME_OPS_VECTOR_MATH_H
#define RUNTIME_OPS_VECTOR_MATH_H
#include <math.h>
#include <stdint.h>
#include <string.h>

/* NaN is always the same NaN, by selection: otherwise its sign is what the compiler makes of the loop. */
static inline float vm_of_bits(uint32_t u) {
  float f;
  memcpy(&f, &u, sizeof f);
  return f;
}

static inline uint32_t vm_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, sizeof u);
  return u;
}

/* The polynomials are minimax fits of relative error (Chebyshev nodes, Lawson's iteration), each below 0.1 ulp; what
 * remains is rounding. ln 2 = VM_LN2_HI + VM_LN2_LO, the first with so few bits that n * VM_LN2_HI is exact. */
#define VM_LN2_HI 0.693359375f
#define VM_LN2_LO -2.12194440e-4f

/* exp(x) = 2^n exp(r), r = x - n ln 2, |r| <= ln 2 / 2, exp(r) = 1 + r + r^2 P(r). 2^n in two factors, so that results
 * below the normal numbers round once. */
static inline float vm_expf(float x) {
  float c = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x == x ? x : 0.0f;
  float shifted = c * 1.44269504f + 12582912.0f;   /* 1.5 * 2^23: the integer lands in the low bits */
  float n = shifted - 12582912.0f;
  float r = (c - n * VM_LN2_HI) - n * VM_LN2_LO;
  float p = 1.97900350e-4f;
  p = p * r + 1.39449750e-3f;
  p = p * r + 8.33349898e-3f;
  p = p * r + 4.16662908e-2f;
  p = p * r + 1.66666659e-1f;
  p = p * r + 5.00000007e-1f;
  float m = 1.0f + (r + r * r * p);
  int32_t e = (int32_t)(vm_bits(shifted) - 0x4b400000u);
  int32_t half = e >> 1;
  float y = m * vm_of_bits((uint32_t)(half + 127) << 23) * vm_of_bits((uint32_t)(e - half + 127) << 23);
  return x == x ? y : NAN;
}

/* log(x) = n ln 2 + log(1 + r), 1 + r in [sqrt(1/2), sqrt(2)), log(1 + r) = r - r^2 / 2 + r^3 P(r). */
static inline float vm_logf(float x) {
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  float bias = x < 1.17549435e-38f ? 23.0f : 0.0f;
  uint32_t u = vm_bits(scaled) - 0x3f3504f3u;      /* the bits of sqrt(1/2) */
  float n = (float)((int32_t)u >> 23) - bias;
  float r = vm_of_bits((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float z = r * r;
  float p = 6.74660109e-2f;
  p = p * r - 1.16756411e-1f;
  p = p * r + 1.18881746e-1f;
  p = p * r - 1.24055915e-1f;
  p = p * r + 1.42195509e-1f;
  p = p * r - 1.66679957e-1f;
  p = p * r + 2.00021187e-1f;
  p = p * r - 2.50000096e-1f;
  p = p * r + 3.33333126e-1f;
  float y = (r * z * p + n * VM_LN2_LO) - 0.5f * z;
  y = (r + y) + n * VM_LN2_HI;
  y = x == INFINITY ? x : y;
  y = x == 0 ? -INFINITY : y;
  return x >= 0 ? y : NAN;
}

/* From exp(-|x|), which cannot overflow: 1 / (1 + e) above 0, e / (1 + e) below. */
static inline float vm_sigmoidf(float x) {
  float e = vm_expf(-fabsf(x));
  float y = (x < 0 ? e : 1.0f) / (1.0f + e);
  return x == x ? y : NAN;
}

static inline double vm_sigmoid(double x) {
  double e = exp(-fabs(x));
  double y = (x < 0 ? e : 1.0) / (1.0 + e);
  return x == x ? y : (double)NAN;
}

/* |x| < 0.64: x + x^3 P(x^2); above 1 - 2 / (exp(2|x|) + 1). */
static inline float vm_tanhf(float x) {
  float a = fabsf(x), z = x * x;
  float p = -5.59100734e-3f;
  p = p * z + 2.05388110e-2f;
  p = p * z - 5.37096543e-2f;
  p = p * z + 1.33310922e-1f;
  p = p * z - 3.33332695e-1f;
  float low = x + x * (z * p);
  float high = 1.0f - 2.0f / (vm_expf(a + a) + 1.0f);
  return a < 0.64f ? low : x == x ? copysignf(high, x) : NAN;
}

/* |x| < 1: x P(x^2); above 1 - exp(-|x| Q(|x|)), which is 1 from 4 on. */
static inline float vm_erff(float x) {
  float a = fabsf(x), z = x * x;
  float p = -9.64151503e-6f;
  p = p * z + 1.12569476e-4f;
  p = p * z - 8.48282880e-4f;
  p = p * z + 5.22094543e-3f;
  p = p * z - 2.68654000e-2f;
  p = p * z + 1.12837820e-1f;
  p = p * z - 3.76126384e-1f;
  p = p * z + 1.28379167e-1f;                      /* 2 / sqrt(pi) - 1: adding x apart rounds once less */
  float c = a < 4.0f ? a : 4.0f;
  float q = 3.90134875e-6f;
  q = q * c - 3.26611874e-5f;
  q = q * c - 1.16982992e-4f;
  q = q * c + 3.12099887e-3f;
  q = q * c - 2.29910742e-2f;
  q = q * c + 1.05571557e-1f;
  q = q * c + 6.35461637e-1f;
  q = q * c + 1.12858813f;
  float high = 1.0f - vm_expf(-c * q);
  return a < 1.0f ? x + x * p : x == x ? copysignf(high, x) : NAN;
}
#endif
