/* rng: counter-based random bits. Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): a draw is a pure function of a
 * 64-bit key and a counter, so any element can be made by any thread. Keys are made by folding numbers into keys.
 */
#ifndef RUNTIME_RNG_H
#define RUNTIME_RNG_H
#include <stdint.h>

#define PHILOX_ROUNDS 10
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define RNG_BRANCH ((uint64_t)1 << 63)             /* the upper counter of rng_fold; a draw's is zero */

void philox(uint64_t key, uint64_t counter_hi, uint64_t counter_lo, uint32_t out[4]);
uint64_t rng_fold(uint64_t key, uint64_t n);       /* the key of branch n below key */
float rng_f32(uint32_t bits);                      /* [0, 1), 24 bits */
double rng_f64(uint32_t hi, uint32_t lo);          /* [0, 1), 53 bits */
#endif
