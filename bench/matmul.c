/* matmul: GFLOP/s of the product's kernel on one thread, for the shapes that the engine is measured by; beside it the
 * peak of the machine (independent multiply-adds in registers), since such machines drift. Medians of interleaved
 * samples, in the processor's time, so that other processes count little.
 *   bench/matmul [v1|v3|v4]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "runtime/graph/kernels.h"

enum { SAMPLES = 15 };
typedef struct Case { const char *name; int64_t m, n, k; bool ta, tb; } Case;
static const Case cases[] = {
    {"64,128,784", 64, 128, 784, false, false},        {"64,10,128", 64, 10, 128, false, false},
    {"dW 784,128,64", 784, 128, 64, true, false},      {"dX 64,128,10", 64, 128, 10, false, true},
    {"128,512,784", 128, 512, 784, false, false},      {"128,512,512", 128, 512, 512, false, false},
    {"dX 128,512,512", 128, 512, 512, false, true},    {"256,2048,2048", 256, 2048, 2048, false, false},
    {"dW 2048,2048,256", 2048, 2048, 256, true, false}, {"1024,1024,1024", 1024, 1024, 1024, false, false},
    {"1,2048,2048", 1, 2048, 2048, false, false},       {"2048,1,2048", 2048, 1, 2048, false, false},
    {"1,512,512", 1, 512, 512, false, false},           {"dX 1,512,512", 1, 512, 512, false, true},
    {"4,512,512", 4, 512, 512, false, false},           {"dX 32,128,512", 32, 128, 512, false, true},
};
enum { CASES = sizeof cases / sizeof *cases };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

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

static double run(const Case *k, const Kernels *kernels, const float *a, const float *b, float *c, void *scratch) {
  Type x = type_make(F32, 2, k->ta ? (int64_t[]){k->k, k->m} : (int64_t[]){k->m, k->k});
  Type y = type_make(F32, 2, k->tb ? (int64_t[]){k->n, k->k} : (int64_t[]){k->k, k->n});
  Type z = type_make(F32, 2, (int64_t[]){k->m, k->n});
  Attr attr = {.n = 2, .i = (int64_t[]){k->ta, k->tb}};
  KernelCall call = {.in = (const void *[]){a, b}, .out = c, .in_type = (const Type *[]){&x, &y}, .out_type = &z,
                     .attr = &attr, .n_in = 2, .scratch = scratch};
  Dispatch d = kernel_dispatch(kernels, &op_matmul, &call);
  call.end = d.units;
  double flop = 2.0 * (double)k->m * (double)k->n * (double)k->k;
  int turns = 1 + (int)(2e8 / flop);
  double start = now();
  for (int t = 0; t < turns; t++) kernel_part(&d, &call);
  return flop * turns / (now() - start) * 1e-9;
}

int main(int argc, char **argv) {
  const Kernels *kernels = argc > 1 ? kernels_level(argv[1]) : kernels_best();
  if (!kernels) {
    fprintf(stderr, "matmul: this machine has no level `%s`\n", argv[1]);
    return 1;
  }
  size_t most = 2048 * 2048 * sizeof(float);
  float *a = malloc(most), *b = malloc(most), *c = malloc(most);
  void *scratch = malloc((size_t)1 << 22);
  if (!a || !b || !c || !scratch) return 1;
  for (size_t k = 0; k < most / sizeof *a; k++) a[k] = b[k] = (float)(k % 1000) * 1e-3f;
  static double speed[CASES + 1][SAMPLES];
  for (int s = 0; s < SAMPLES; s++) {
    for (int k = 0; k < CASES; k++) speed[k][s] = run(&cases[k], kernels, a, b, c, scratch);
    speed[CASES][s] = peak();
  }
  for (int k = 0; k <= CASES; k++) qsort(speed[k], SAMPLES, sizeof **speed, by_value);
  printf("level %s, peak %.0f GFLOP/s\n", kernels->level, speed[CASES][SAMPLES / 2]);
  for (int k = 0; k < CASES; k++)
    printf("%-18s %6.1f GFLOP/s  %3.0f %%\n", cases[k].name, speed[k][SAMPLES / 2],
           speed[CASES][SAMPLES / 2] > 0 ? 100 * speed[k][SAMPLES / 2] / speed[CASES][SAMPLES / 2] : 0);
  free(a);
  free(b);
  free(c);
  free(scratch);
  return 0;
}
