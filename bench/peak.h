/* peak: the yardstick of the measurements: multiply-adds a second in registers, in the time that the
 * processor gives to the calling thread, so that other processes count little. Needs _POSIX_C_SOURCE 200809L.
 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H
#include "bench/clock.h"

/* What one thread can do here: twelve chains of multiply-adds, so that the latency hides. 0: not known. */
#if defined(__x86_64__) && defined(__GNUC__)
#define STEP(r) "vfmadd213ps %13, %12, %" #r "\n\t"
#define PEAK(name, features, bytes)                                                                            \
  __attribute__((target(features))) static double name(void) {                                                 \
    enum { TURNS = 1000000, CHAINS = 12 };                                                                     \
    typedef float V __attribute__((vector_size(bytes)));                                                       \
    V a = (V){0} + 0.999f, b = (V){0} + 1e-6f, s = b, t = b, u = b, v = b, w = b, x = b;                       \
    V i = b, j = b, k = b, l = b, m = b, n = b;                                                                \
    double start = now();                                                                                      \
    for (int turn = 0; turn < TURNS; turn++)                                                                   \
      __asm__ volatile(STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9)         \
                       STEP(10) STEP(11)                                                                       \
                       : "+x"(s), "+x"(t), "+x"(u), "+x"(v), "+x"(w), "+x"(x), "+x"(i), "+x"(j), "+x"(k),      \
                         "+x"(l), "+x"(m), "+x"(n)                                                             \
                       : "x"(a), "x"(b));                                                                      \
    return CHAINS * 2.0 * ((bytes) / 4) * TURNS / (now() - start) * 1e-9;                                      \
  }
PEAK(peak_512, "avx512f", 64)
PEAK(peak_256, "avx2,fma", 32)
static double peak(void) {
  if (__builtin_cpu_supports("avx512f")) return peak_512();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? peak_256() : 0;
}
#else
static double peak(void) { return 0; }
#endif
#endif
