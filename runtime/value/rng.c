/* rng: counter-based random bits. In: a 64-bit key and a counter. Out: 128 bits that are a pure function of both, so
 * any element of any draw can be made by any thread, again, at any time. Philox4x32-10 (Salmon, Moraes, Dror, Shaw
 * 2011): ten rounds of two 32-bit multiplications, no state.
 */
#include "value/rng.h"

void philox(uint64_t key, uint64_t counter_hi, uint64_t counter_lo, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter_lo, c1 = (uint32_t)(counter_lo >> 32);
  uint32_t c2 = (uint32_t)counter_hi, c3 = (uint32_t)(counter_hi >> 32);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    uint64_t p = (uint64_t)PHILOX_M0 * c0, q = (uint64_t)PHILOX_M1 * c2;
    c0 = (uint32_t)(q >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)q;
    c2 = (uint32_t)(p >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* Branches are counted in the upper half with a mark, draws (random.c) in the lower: no key is a number of a draw below
 * the same key. */
uint64_t rng_fold(uint64_t key, uint64_t n) {
  uint32_t w[4];
  philox(key, RNG_BRANCH, n, w);
  return (uint64_t)w[1] << 32 | w[0];
}

float rng_f32(uint32_t bits) { return (float)(bits >> 8) * 0x1p-24f; }
double rng_f64(uint32_t hi, uint32_t lo) { return (double)(((uint64_t)hi << 32 | lo) >> 11) * 0x1p-53; }
