/* vector_math: functions of one float as plain arithmetic, with no call and no branch, so that the loop around them is
 * vectorised at every feature level and a scalar tail computes the same bits. In: any float, infinities, NaN and
 * subnormals too. Out: within about 2 ulp (tests/unit/vector_math.c measures it against libm in double).
 */
#ifndef RUNTIME_OPS_VECTOR_MATH_H
#define RUNTIME_OPS_VECTOR_MATH_H
#include <math.h>
#include <stdint.h>
#include <string.h>

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

/* exp(x) = 2^n * exp(r), r = x - n ln 2 in two parts, |r| <= ln 2 / 2; the polynomial is exp's series, its last terms
 * adjusted to the interval. 2^n in two factors, so that subnormal results round once. */
static inline float vm_expf(float x) {
  float c = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;   /* NaN: the comparisons are false, c is NaN */
  float shifted = c * 1.44269504f + 12582912.0f;
  float n = shifted - 12582912.0f;
  float r = c - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t e = (int32_t)(vm_bits(shifted) - 0x4b400000u);
  int32_t half = e >> 1;
  float y = p * vm_of_bits((uint32_t)(half + 127) << 23) * vm_of_bits((uint32_t)(e - half + 127) << 23);
  return x == x ? y : x;
}

/* log(x) = n ln 2 + log(m), m in [sqrt(1/2), sqrt(2)). */
static inline float vm_logf(float x) {
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  float bias = x < 1.17549435e-38f ? 23.0f : 0.0f;
  uint32_t u = vm_bits(scaled) - 0x3f3504f3u;
  float n = (float)((int32_t)u >> 23) - bias;
  float r = vm_of_bits((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  float z = r * r;
  float p = 7.0376836292e-2f;
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  float y = r * z * p + n * -2.12194440e-4f - 0.5f * z;
  y = r + y + n * 0.693359375f;
  y = x == INFINITY ? x : y;
  y = x == 0 ? -INFINITY : y;
  return x >= 0 ? y : NAN;
}
#endif
