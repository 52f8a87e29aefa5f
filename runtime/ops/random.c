/* random: draws as pure functions of a key: fold_in, random_uniform, random_normal, random_int, permutation. In: a key,
 * i32[2], the low word first. Out: elements that depend on the key and on their own number alone, so any thread can
 * make any part, and making them again gives the same bits. The same bits at every CPU level too: own polynomials,
 * nothing contracted.
 * Leading axes of a key are a batch: each key makes what it would make alone.
 * Sixty-four Philox blocks are made at once; element e of a group of 64 W takes word e / 64 of block e % 64.
 */
#include <math.h>
#include <string.h>
#include "graph/op.h"
#include "value/rng.h"
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { BLOCKS = 64 };        /* Philox blocks of a unit */

/* One 32-bit word an element makes four elements a block; otherwise two words, two elements. */
static inline int64_t group(const KernelCall *c, bool wide) {
  return wide || c->out_type->dtype == F64 ? 2 * BLOCKS : 4 * BLOCKS;
}

#ifndef KERNELS
static bool key_given(TypeRule *r) {
  const Type *k = r->x[0];
  if (k->dtype == I32 && k->rank >= 1 && k->dim[k->rank - 1] == 2) return true;
  return refuse(r, BAD_DTYPE, 0, -1, NULL, "a key is i32[.., 2], but this is %s", type_show(r->g->arena, k));
}

static bool shape_from(TypeRule *r, DType d, uint32_t first) {
  if (r->attr->n < first || r->attr->n > first + MAX_RANK)
    return refuse(r, BAD_LIMIT, -1, -1, NULL, "a draw has at most %d axes", MAX_RANK);
  const Type *key = r->x[0];
  int lead = key->rank - 1;
  if (lead + (int)(r->attr->n - first) > MAX_RANK)
    return refuse(r, BAD_LIMIT, -1, -1, NULL, "a draw has at most %d axes", MAX_RANK);
  r->y = type_make(d, lead, key->dim);
  for (uint32_t k = first; k < r->attr->n; k++) r->y.dim[r->y.rank++] = r->attr->i[k];
  for (int k = 0; k < r->y.rank; k++)
    if (r->y.dim[k] < 0)
      return refuse(r, BAD_SIZE, -1, -1, NULL, "a size cannot be negative, but axis %d is to have %lld", k,
                    (long long)r->y.dim[k]);
  return true;
}

static bool float_draw_type(TypeRule *r) {
  if (!key_given(r)) return false;
  int64_t type = r->attr->n > 0 ? r->attr->i[0] : -1;
  if (type < 0 || type >= N_DTYPES || !dtype_is_float((DType)type))
    return refuse(r, BAD_DTYPE, -1, -1, NULL, "a draw of this kind is f32 or f64");
  return shape_from(r, (DType)type, 1);
}

static Cost draw_cost(const KernelCall *c) {
  return (Cost){.flops = 30 * (double)type_count(c->out_type), .bytes = (double)type_bytes(c->out_type)};
}

/* Groups of n elements a key. */
static int64_t key_units(const KernelCall *c, int64_t n) {
  int64_t keys = type_count(c->in_type[0]) / 2;
  return keys ? keys * ((type_count(c->out_type) / keys + n - 1) / n) : 0;
}
static int64_t float_units(const KernelCall *c) { return key_units(c, group(c, false)); }
static int64_t int_units(const KernelCall *c) { return key_units(c, group(c, true)); }
static int64_t keys_units(const KernelCall *c) { return type_count(c->in_type[0]) / 2; }

/* Keys that differ by the element make draws that do. */
static NodeId draw_batch(Batch *b) { return batch_emit(b, b->x, b->node->attr->i, b->node->attr->n); }
#else
static uint64_t key_of(const KernelCall *c, int64_t k) {
  uint32_t w[2];
  memcpy(w, (const char *)c->in[0] + k * (int64_t)sizeof w, sizeof w);
  return (uint64_t)w[1] << 32 | w[0];
}

/* Blocks first..first + 63 below key: philox() of rng.c, side by side. */
static void blocks(uint64_t key, uint64_t first, uint32_t w[4][BLOCKS]) {
  uint32_t *restrict c0 = w[0], *restrict c1 = w[1], *restrict c2 = w[2], *restrict c3 = w[3];
  for (int l = 0; l < BLOCKS; l++) {
    c0[l] = (uint32_t)(first + (uint64_t)l);
    c1[l] = (uint32_t)((first + (uint64_t)l) >> 32);
    c2[l] = c3[l] = 0;
  }
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    for (int l = 0; l < BLOCKS; l++) {
      uint64_t p = (uint64_t)PHILOX_M0 * c0[l], q = (uint64_t)PHILOX_M1 * c2[l];
      uint32_t n0 = (uint32_t)(q >> 32) ^ c1[l] ^ k0, n2 = (uint32_t)(p >> 32) ^ c3[l] ^ k1;
      c0[l] = n0;
      c1[l] = (uint32_t)q;
      c2[l] = n2;
      c3[l] = (uint32_t)p;
    }
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
}

/* Units begin..end by groups of n elements: made whole, then as much of them kept as there is. */
static bool draw(KernelCall *c, int64_t n, void (*make)(const KernelCall *, uint32_t w[4][BLOCKS], void *out)) {
  int64_t keys = type_count(c->in_type[0]) / 2, size = dtype_size[c->out_type->dtype];
  int64_t count = keys ? type_count(c->out_type) / keys : 0, each = (count + n - 1) / n;
  uint32_t w[4][BLOCKS];
  double whole[4 * BLOCKS];
  for (int64_t unit = c->begin; unit < c->end; unit++) {
    int64_t k = unit / each, u = unit % each, left = count - u * n;
    blocks(key_of(c, k), (uint64_t)u * BLOCKS, w);
    char *to = (char *)c->out + (k * count + u * n) * size;
    if (left >= n) {
      make(c, w, to);
    } else {
      make(c, w, whole);
      memcpy(to, whole, (size_t)(left * size));
    }
  }
  return true;
}
#endif

/* ---- fold_in ---- */

#ifdef KERNELS
static bool fold_in_run(KernelCall *c) {
  const int32_t *n = c->in[1];
  for (int64_t k = c->begin; k < c->end; k++) {
    uint64_t key = rng_fold(key_of(c, k), (uint32_t)n[k]);
    uint32_t w[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    memcpy((char *)c->out + k * (int64_t)sizeof w, w, sizeof w);
  }
  return true;
}
const OpKernels KERNELS_OF(fold_in) = {.run = fold_in_run};
#else
static bool fold_in_type(TypeRule *r) {
  if (!key_given(r)) return false;
  r->y = *r->x[0];
  bool ok = r->x[1]->dtype == I32 && r->x[1]->rank == r->y.rank - 1;
  for (int k = 0; ok && k < r->x[1]->rank; k++) ok = r->x[1]->dim[k] == r->y.dim[k];
  if (ok) return true;
  return refuse(r, BAD_DTYPE, 1, -1, NULL, "a key is folded with an i32 scalar, but this is %s",
                type_show(r->g->arena, r->x[1]));
}

const Op op_fold_in = {
    .name = "fold_in", .id = OP_fold_in, .flags = OP_HIDDEN, .n_in = 2, .args = "key, n",
    .doc = "The key of branch n below a key.", .example = "uniform([2])",
    .type = fold_in_type, .no_grad = "a key has no slope", .batch = batch_same,
    .units = keys_units,
};
#endif

/* ---- random_uniform: attr->i = {element type, sizes...}; [0, 1) ---- */

#ifdef KERNELS
static void uniform_f32(const KernelCall *c, uint32_t w[4][BLOCKS], void *out) {
  float *restrict y = out;
  (void)c;
  for (int j = 0; j < 4; j++)
    for (int l = 0; l < BLOCKS; l++) y[j * BLOCKS + l] = (float)(int32_t)(w[j][l] >> 8) * 0x1p-24f;
}

static void uniform_f64(const KernelCall *c, uint32_t w[4][BLOCKS], void *out) {
  double *restrict y = out;
  (void)c;
  for (int j = 0; j < 2; j++)
    for (int l = 0; l < BLOCKS; l++)
      y[j * BLOCKS + l] = (double)(int64_t)(((uint64_t)w[2 * j][l] << 32 | w[2 * j + 1][l]) >> 11) * 0x1p-53;
}

static bool uniform_run(KernelCall *c) {
  return draw(c, group(c, false), c->out_type->dtype == F64 ? uniform_f64 : uniform_f32);
}
const OpKernels KERNELS_OF(random_uniform) = {.run = uniform_run};
#else
const Op op_random_uniform = {
    .name = "random_uniform", .id = OP_random_uniform, .flags = OP_HIDDEN | OP_RANDOM, .n_in = 1,
    .args = "key, dtype:dtype, shape:sizes",
    .doc = "Numbers of [0, 1), each as likely.", .example = "uniform([2])",
    .type = float_draw_type, .no_grad = "a draw depends on its key alone", .batch = draw_batch, .units = float_units,
    .cost = draw_cost,
};
#endif

/* ---- random_normal: Box and Muller's pairs; logarithm, sine and cosine by their series on a small interval ---- */

#ifdef KERNELS
#define LN_2 0.693147180559945309417
#define PI_ 3.14159265358979323846

/* -2 log u for u in (0, 1]: u = 2^e m, m about 1, log m = 2 atanh((m - 1) / (m + 1)). */
static inline float log_f32(float u) {
  uint32_t bits;
  memcpy(&bits, &u, sizeof bits);
  uint32_t t = bits - 0x3f3504f3u;   /* sqrt(1/2): m runs from there to sqrt(2) */
  int32_t e = (int32_t)t >> 23;
  uint32_t mbits = (t & 0x7fffffu) + 0x3f3504f3u;
  float m;
  memcpy(&m, &mbits, sizeof m);
  float s = (m - 1.0f) / (m + 1.0f), z = s * s;
  float p = 1.0f / 9;
  p = p * z + 1.0f / 7;
  p = p * z + 1.0f / 5;
  p = p * z + 1.0f / 3;
  p = p * z * s + s;
  return (float)e * (float)LN_2 + 2.0f * p;
}

static inline double log_f64(double u) {
  uint64_t bits;
  memcpy(&bits, &u, sizeof bits);
  uint64_t t = bits - 0x3fe6a09e667f3bcdu;
  int32_t e = (int32_t)((int64_t)t >> 52);
  uint64_t mbits = (t & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu;
  double m;
  memcpy(&m, &mbits, sizeof m);
  double s = (m - 1) / (m + 1), z = s * s, p = 1.0 / 21;
  p = p * z + 1.0 / 19;
  p = p * z + 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z * s + s;
  return e * LN_2 + 2 * p;
}

/* A turn of 2^32 steps: the quarter, and the angle from it within +-pi/4. */
static void normal_f32(const KernelCall *c, uint32_t w[4][BLOCKS], void *out) {
  (void)c;
  for (int j = 0; j < 2; j++) {
    float *restrict first = (float *)out + 2 * j * BLOCKS, *restrict second = first + BLOCKS;
    const uint32_t *restrict a = w[2 * j], *restrict b = w[2 * j + 1];
    for (int l = 0; l < BLOCKS; l++) {
      float u = (float)a[l] * 0x1p-32f + 0x1p-33f;
      float r = sqrtf(-2.0f * log_f32(u));
      uint32_t q = (b[l] + 0x20000000u) >> 30;
      float x = (float)(int32_t)(b[l] - (q << 30)) * (float)(2 * PI_ * 0x1p-32), z = x * x;
      float s = 1.0f / 362880, k = -1.0f / 3628800;
      s = s * z - 1.0f / 5040;
      s = s * z + 1.0f / 120;
      s = s * z - 1.0f / 6;
      s = s * z * x + x;
      k = k * z + 1.0f / 40320;
      k = k * z - 1.0f / 720;
      k = k * z + 1.0f / 24;
      k = k * z - 0.5f;
      k = k * z + 1.0f;
      float sine = q & 1 ? k : s, cosine = q & 1 ? s : k;
      first[l] = r * ((q + 1) & 2 ? -cosine : cosine);
      second[l] = r * (q & 2 ? -sine : sine);
    }
  }
}

static void normal_f64(const KernelCall *c, uint32_t w[4][BLOCKS], void *out) {
  (void)c;
  double *restrict first = out, *restrict second = first + BLOCKS;
  for (int l = 0; l < BLOCKS; l++) {
    uint64_t a = (uint64_t)w[0][l] << 32 | w[1][l], b = (uint64_t)w[2][l] << 32 | w[3][l];
    double u = (double)(int64_t)(a >> 12) * 0x1p-52 + 0x1p-53;
    double r = sqrt(-2 * log_f64(u));
    uint64_t q = (b + ((uint64_t)1 << 61)) >> 62;
    double x = (double)(int64_t)(b - (q << 62)) * (2 * PI_ * 0x1p-64), z = x * x;
    double s = 1.0 / 355687428096000.0, k = 1.0 / 20922789888000.0;   /* 1/17!, 1/16! */
    s = s * z - 1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800;
    s = s * z + 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    s = s * z * x + x;
    k = k * z - 1.0 / 87178291200.0;
    k = k * z + 1.0 / 479001600;
    k = k * z - 1.0 / 3628800;
    k = k * z + 1.0 / 40320;
    k = k * z - 1.0 / 720;
    k = k * z + 1.0 / 24;
    k = k * z - 0.5;
    k = k * z + 1;
    double sine = q & 1 ? k : s, cosine = q & 1 ? s : k;
    first[l] = r * ((q + 1) & 2 ? -cosine : cosine);
    second[l] = r * (q & 2 ? -sine : sine);
  }
}

static bool normal_run(KernelCall *c) {
  return draw(c, group(c, false), c->out_type->dtype == F64 ? normal_f64 : normal_f32);
}
const OpKernels KERNELS_OF(random_normal) = {.run = normal_run};
#else
const Op op_random_normal = {
    .name = "random_normal", .id = OP_random_normal, .flags = OP_HIDDEN | OP_RANDOM, .n_in = 1,
    .args = "key, dtype:dtype, shape:sizes",
    .doc = "Numbers of the normal distribution with mean 0 and standard deviation 1.", .example = "normal([2])",
    .type = float_draw_type, .no_grad = "a draw depends on its key alone", .batch = draw_batch, .units = float_units,
    .cost = draw_cost,
};
#endif

/* ---- random_int: attr->i = {low, high, sizes...}; low <= x < high ---- */

#ifdef KERNELS
/* The upper 64 bits of a 64-bit draw times a range of at most 2^32: no choice is favoured by more than 2^-32. */
static inline uint64_t scaled(uint32_t hi, uint32_t lo, uint64_t range) {
  return (hi * range + (lo * range >> 32)) >> 32;
}

static void int_make(const KernelCall *c, uint32_t w[4][BLOCKS], void *out) {
  int32_t *restrict y = out;
  uint64_t range = (uint64_t)(c->attr->i[1] - c->attr->i[0]);
  uint32_t low = (uint32_t)c->attr->i[0];
  for (int j = 0; j < 2; j++)
    for (int l = 0; l < BLOCKS; l++)
      y[j * BLOCKS + l] = (int32_t)(low + (uint32_t)scaled(w[2 * j][l], w[2 * j + 1][l], range));
}
static bool int_run(KernelCall *c) { return draw(c, group(c, true), int_make); }
const OpKernels KERNELS_OF(random_int) = {.run = int_run};
#else
static bool int_type(TypeRule *r) {
  if (!key_given(r)) return false;
  if (r->attr->n < 2) return refuse(r, BAD_VALUE, -1, -1, NULL, "a draw of ints needs its bounds");
  int64_t low = r->attr->i[0], high = r->attr->i[1];
  if (low >= high)
    return refuse(r, BAD_RANGE, -1, -1, "the upper bound is left out", "there is no int from %lld to below %lld",
                  (long long)low, (long long)high);
  if (low < INT32_MIN || high > (int64_t)INT32_MAX + 1)
    return refuse(r, BAD_RANGE, -1, -1, NULL, "ints from %lld to below %lld do not fit an i32", (long long)low,
                  (long long)high);
  return shape_from(r, I32, 2);
}

const Op op_random_int = {
    .name = "random_int", .id = OP_random_int, .flags = OP_HIDDEN | OP_RANDOM, .n_in = 1,
    .args = "key, low:int, high:int, shape:sizes",
    .doc = "Ints from low to below high, each as likely.", .example = "randint([2], 0, 10)",
    .samples = "i32[2]; 0 5 4 | i32[2]; -3 3 2 3 | i32[3,2]; 0 100 4 5",
    .type = int_type, .no_grad = "a draw depends on its key alone", .batch = draw_batch, .units = int_units,
    .cost = draw_cost,
};
#endif

/* ---- permutation: attr->i = {n}; 0..n-1 in an order, each as likely ---- */

#ifdef KERNELS
/* Each number takes a place among those before it, whose tenant moves to the end. */
static bool permutation_run(KernelCall *c) {
  int64_t n = c->attr->i[0];
  uint32_t w[4][BLOCKS];
  for (int64_t u = c->begin; u < c->end; u++) {
    int32_t *y = (int32_t *)c->out + u * n;
    for (int64_t k = 0; k < n; k++) {
      int64_t in = k % (2 * BLOCKS);
      if (in == 0) blocks(key_of(c, u), (uint64_t)(k / 2), w);
      int64_t l = in % BLOCKS, j = in / BLOCKS * 2;
      int64_t at = (int64_t)scaled(w[j][l], w[j + 1][l], (uint64_t)k + 1);
      y[k] = y[at];
      y[at] = (int32_t)k;
    }
  }
  return true;
}
const OpKernels KERNELS_OF(permutation) = {.run = permutation_run};
#else
static bool permutation_type(TypeRule *r) {
  if (!key_given(r)) return false;
  if (r->attr->n != 1 || r->attr->i[0] < 0 || r->attr->i[0] > INT32_MAX)
    return refuse(r, BAD_SIZE, -1, -1, NULL, "a permutation has from 0 to 2147483647 places");
  return shape_from(r, I32, 0);
}

const Op op_permutation = {
    .name = "permutation", .id = OP_permutation, .flags = OP_HIDDEN | OP_RANDOM, .n_in = 1, .args = "key, n:int",
    .doc = "The numbers from 0 to below n in a random order.", .example = "sort(permutation(3))   # => [0, 1, 2]",
    .type = permutation_type, .no_grad = "a draw depends on its key alone", .batch = draw_batch,
    .units = keys_units, .cost = draw_cost,
};
#endif
