/* matmul: GFLOP/s of the product's kernel on one thread, for the shapes that the engine is measured by; beside it the
 * peak of the machine (independent multiply-adds in registers), since such machines drift. Medians of interleaved
 * samples, in the processor's time, so that other processes count little.
 *   bench/matmul [v1|v3|v4]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench/peak.h"
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
