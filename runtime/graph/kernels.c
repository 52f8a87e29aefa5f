/* kernels: which machine code runs an op, and the one place where it is called. In: the tables that the family files
 * fill once for each CPU feature level (-DKERNELS=v1|v3|v4). Out: the table of a level, the best that this CPU has; see
 * kernels.h. Chosen by feature bits, never by the CPU's name, which virtual machines get wrong.
 */
#include "graph/kernels.h"
#include <assert.h>
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

/* ---- calls ---- */

TileKernel kernel_tile(const Kernels *k, const Op *op, DType last) { return k->op[op->id]->tile[last]; }
TileCheck kernel_check(const Kernels *k, const Op *op, DType last) { return k->op[op->id]->check[last]; }

Dispatch kernel_dispatch(const Kernels *k, const Op *op, const KernelCall *c) {
  Dispatch d = {.run = op->run};
  if (op->flags & OP_POINTWISE) {
    DType last = (DType)c->in_type[c->n_in - 1]->dtype;
    d.tile = kernel_tile(k, op, last);
    d.check = kernel_check(k, op, last);
    d.units = type_count(c->out_type);
    assert(d.tile && c->n_in <= POINT_IN);
    return d;
  }
  if (!d.run) d.run = k->op[op->id]->run;
  d.units = op->units ? op->units(c) : 1;
  size_t scratch = op->scratch ? op->scratch(c) : 0;
  d.scratch = (scratch + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN;
  assert(d.run);
  return d;
}

static bool point_part(const Dispatch *d, KernelCall *c) {
  const void *in[POINT_IN];
  for (uint32_t k = 0; k < c->n_in; k++) in[k] = (const char *)c->in[k] + c->begin * dtype_size[c->in_type[k]->dtype];
  if (d->check && !d->check(in, c->end - c->begin, c->attr, &c->fault)) {
    c->fault.element += c->begin;
    return false;
  }
  d->tile((char *)c->out + c->begin * dtype_size[c->out_type->dtype], in, c->end - c->begin, c->attr);
  return true;
}

bool kernel_part(const Dispatch *d, KernelCall *c) {
  if (c->begin >= c->end) return true;
  if (d->tile) return point_part(d, c);
  bool ok = d->run(c);
  assert(ok || c->fault.code != FAULT_NONE);
  return ok;
}

bool kernel_call(const Kernels *k, const Op *op, KernelCall *c, Arena *a) {
  Dispatch d = kernel_dispatch(k, op, c);
  c->begin = 0;
  c->end = d.units;
  if (d.scratch > 0) {
    char *room = arena_alloc(a, d.scratch + KERNEL_ALIGN);
    c->scratch = room + (KERNEL_ALIGN - (uintptr_t)room % KERNEL_ALIGN) % KERNEL_ALIGN;
  }
  return kernel_part(&d, c);
}
