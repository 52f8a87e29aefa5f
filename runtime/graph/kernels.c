/* kernels: which machine code runs an op, and the one place where it is called. In: the tables that the family files
 * fill once for each CPU feature level (-DKERNELS=v1|v3|v4). Out: the table of a level, the best that this CPU has; see
 * kernels.h.
 * Chosen by feature bits, never by the CPU's name, which virtual machines get wrong.
 */
#include "graph/kernels.h"
#include <assert.h>
#include <pthread.h>
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
static const Kernels table_v3 = {.level = "v3", .below = &table_v1, .op = {
#define OP(name) [OP_##name] = &name##_kernels_v3,
#include "ops/list.h"
#undef OP
}};

static const Kernels table_v4 = {.level = "v4", .below = &table_v3, .op = {
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

/* As vectors.h has it: from v3 on FMA_F is one instruction. */
const char *kernels_class(const Kernels *k) { return k == &table_v1 ? "plain" : "fma"; }

/* ---- calls ---- */

const OpKernels *kernels_of(const Kernels *k, const Op *op, DType last) {
  for (; k; k = k->below) {
    const OpKernels *own = k->op[op->id];
    if (own && (op->flags & OP_POINTWISE ? own->tile[last] != NULL : own->run != NULL)) return own;
  }
  return NULL;
}

InstrKernel kernels_one(const Kernels *k, const Op *op, DType last) {
  for (; k; k = k->below)
    if (k->op[op->id] && k->op[op->id]->one[last]) return k->op[op->id]->one[last];
  return NULL;
}

static DType last_type(const KernelCall *c) { return c->n_in > 0 ? (DType)c->in_type[c->n_in - 1]->dtype : F32; }

InstrKernel kernels_line(const Kernels *k, const Op *op, const KernelCall *c, int64_t *shape) {
  const OpKernels *own = op->run || c->n_in > POINT_IN ? NULL : kernels_of(k, op, last_type(c));
  return own && own->line ? own->line(c, shape) : NULL;
}

static void begin_levels(const Kernels *k) {
  if (k->below) begin_levels(k->below);
  if (k->begin_thread) k->begin_thread();
}

/* What a level asks of a thread is a state of that thread (permissions, the shape of tile registers): so is the note
 * that it has been done. */
static _Thread_local const Kernels *begun;

void kernels_begin(const Kernels *k) {
  if (begun == k) return;
  begun = k;
  begin_levels(k);
}

static size_t whole(size_t bytes) { return (bytes + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN; }

Dispatch kernel_dispatch(const Kernels *k, const Op *op, const KernelCall *c) {
  if (op->run) return (Dispatch){.run = op->run, .units = 1};
  DType last = last_type(c);
  const OpKernels *own = kernels_of(k, op, last);
  assert(own && c->n_in <= (op->flags & OP_POINTWISE ? POINT_IN : UINT32_MAX));
  if (op->flags & OP_POINTWISE)
    return (Dispatch){.tile = own->tile[last], .check = own->check[last], .units = type_count(c->out_type)};
  Dispatch d = {.run = own->run, .prepare = own->prepare, .exclusive = own->exclusive};
  d.units = op->units ? op->units(c) : 1;
  d.scratch = whole(op->scratch ? op->scratch(c) : 0);
  if (d.prepare) {
    d.prepares = own->prepares(c);
    d.shared = d.prepares > 0 ? whole(own->shared(c)) : 0;
  }
  return d;
}

/* Of the process, as what it guards is. */
static pthread_mutex_t one_caller = PTHREAD_MUTEX_INITIALIZER;

static bool guarded(const Dispatch *d, Kernel f, KernelCall *c) {
  if (d->exclusive) pthread_mutex_lock(&one_caller);
  bool ok = f(c);
  if (d->exclusive) pthread_mutex_unlock(&one_caller);
  assert(ok || c->fault.code != FAULT_NONE);
  return ok;
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

bool kernel_prepare(const Dispatch *d, KernelCall *c) { return c->begin >= c->end || guarded(d, d->prepare, c); }

bool kernel_part_guarded(const Dispatch *d, KernelCall *c) {
  return d->tile ? point_part(d, c) : guarded(d, d->run, c);
}

static void *room(Arena *a, size_t bytes) {
  if (bytes == 0) return NULL;
  char *raw = arena_alloc(a, bytes + KERNEL_ALIGN);
  return raw + (KERNEL_ALIGN - (uintptr_t)raw % KERNEL_ALIGN) % KERNEL_ALIGN;
}

bool kernel_call(const Kernels *k, const Op *op, KernelCall *c, Arena *a) {
  kernels_begin(k);
  Dispatch d = kernel_dispatch(k, op, c);
  c->scratch = room(a, d.scratch);
  c->shared = room(a, d.shared);
  c->begin = 0;
  c->end = d.prepares;
  if (!kernel_prepare(&d, c)) return false;
  c->end = d.units;
  return kernel_part(&d, c);
}

const char *op_js(const Op *op) {
  return op->js || op->id >= N_OPS ? op->js : table_v1.op[op->id]->js;
}
