/* kernels: which machine code runs an op. In: the tables that the family files fill once for each CPU feature level
 * (-DKERNELS=v1|v3|v4). Out: the table of a level, the best that this CPU has.
 * Chosen by feature bits, never by the CPU's name, which virtual machines get wrong.
 */
#include "graph/op.h"
#include <string.h>

#define OP(name) extern const OpKernels name##_kernels_v1, name##_kernels_v3, name##_kernels_v4;
#include "ops/list.h"
#undef OP

static const Kernels table_v1 = {.level = "v1", .op = {
#define OP(name) [OP_##name] = &name##_kernels_v1,
#include "ops/list.h"
#undef OP
}};

#if defined(__x86_64__) && !defined(KERNELS_ONLY_V1)
static const Kernels table_v3 = {.level = "v3", .op = {
#define OP(name) [OP_##name] = &name##_kernels_v3,
#include "ops/list.h"
#undef OP
}};

static const Kernels table_v4 = {.level = "v4", .op = {
#define OP(name) [OP_##name] = &name##_kernels_v4,
#include "ops/list.h"
#undef OP
}};

static bool has_v3(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

static bool has_v4(void) {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const Kernels *kernels_level(const char *level) {
  if (strcmp(level, "v1") == 0) return &table_v1;
#if defined(__x86_64__) && !defined(KERNELS_ONLY_V1)
  if (strcmp(level, "v3") == 0 && has_v3()) return &table_v3;
  if (strcmp(level, "v4") == 0 && has_v4()) return &table_v4;
#endif
  return NULL;
}

const Kernels *kernels_best(void) {
  static const char *const level[] = {"v4", "v3"};
  for (int k = 0; k < 2; k++) {
    const Kernels *best = kernels_level(level[k]);
    if (best) return best;
  }
  return &table_v1;
}
