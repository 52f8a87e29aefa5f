/* vectors: 64, 32 or 16 bytes of floats, whatever the CPU level that is being compiled has, and the few things that a
 * product does with them. TILE_ROWS: rows of a register tile that leave the level registers for its operands.
 */
#ifndef RUNTIME_VECTORS_H
#define RUNTIME_VECTORS_H
#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 8
#elif defined(__AVX2__) && defined(__FMA__)
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#else
#define VECTOR_BYTES 16
#define TILE_ROWS 4
#endif
/* A loop over registers, which are no array only when it is unrolled. */
#ifdef __clang__
#define REGISTERS _Pragma("clang loop unroll(full)")
#else
#define REGISTERS _Pragma("GCC unroll 16")
#endif
typedef float VecF __attribute__((vector_size(VECTOR_BYTES)));
typedef double VecD __attribute__((vector_size(VECTOR_BYTES)));
typedef float VecFu __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef double VecDu __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

/* One number in every place. Not `{0} + s`: that is an addition, since -0 + 0 is not -0. */
#if defined(__AVX512F__)
#define SPLAT_F(s) ((VecF)_mm512_set1_ps(s))
#define SPLAT_D(s) ((VecD)_mm512_set1_pd(s))
#define FMA_F(a, b, c) ((VecF)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define FMA_D(a, b, c) ((VecD)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
#elif defined(__AVX2__) && defined(__FMA__)
#define SPLAT_F(s) ((VecF)_mm256_set1_ps(s))
#define SPLAT_D(s) ((VecD)_mm256_set1_pd(s))
#define FMA_F(a, b, c) ((VecF)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define FMA_D(a, b, c) ((VecD)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#else
#define SPLAT_F(s) ((VecF){(s), (s), (s), (s)})
#define SPLAT_D(s) ((VecD){(s), (s)})
#define FMA_F(a, b, c) ((a) * (b) + (c))
#define FMA_D(a, b, c) ((a) * (b) + (c))
#endif

/* Shorter ones, for what does not fill a vector: half of 64 bytes, and 16. SHORT_ and QUARTER_ as above. */
#define SHORT_BYTES (VECTOR_BYTES > 32 ? 32 : VECTOR_BYTES)
typedef float ShortF __attribute__((vector_size(SHORT_BYTES)));
typedef double ShortD __attribute__((vector_size(SHORT_BYTES)));
typedef float ShortFu __attribute__((vector_size(SHORT_BYTES), aligned(4), may_alias));
typedef double ShortDu __attribute__((vector_size(SHORT_BYTES), aligned(8), may_alias));
typedef float QuarterF __attribute__((vector_size(16)));
typedef double QuarterD __attribute__((vector_size(16)));
typedef float QuarterFu __attribute__((vector_size(16), aligned(4), may_alias));
typedef double QuarterDu __attribute__((vector_size(16), aligned(8), may_alias));
#define QUARTER_SPLAT_F(s) ((QuarterF){(s), (s), (s), (s)})
#define QUARTER_SPLAT_D(s) ((QuarterD){(s), (s)})
#if defined(__AVX2__) && defined(__FMA__)
#define SHORT_SPLAT_F(s) ((ShortF)_mm256_set1_ps(s))
#define SHORT_SPLAT_D(s) ((ShortD)_mm256_set1_pd(s))
#define SHORT_FMA_F(a, b, c) ((ShortF)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define SHORT_FMA_D(a, b, c) ((ShortD)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define QUARTER_FMA_F(a, b, c) ((QuarterF)_mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c)))
#define QUARTER_FMA_D(a, b, c) ((QuarterD)_mm_fmadd_pd((__m128d)(a), (__m128d)(b), (__m128d)(c)))
#else
#define SHORT_SPLAT_F QUARTER_SPLAT_F
#define SHORT_SPLAT_D QUARTER_SPLAT_D
#define SHORT_FMA_F FMA_F
#define SHORT_FMA_D FMA_D
#define QUARTER_FMA_F FMA_F
#define QUARTER_FMA_D FMA_D
#endif

/* The same step for one number. */
#if defined(__AVX2__) && defined(__FMA__)
#define FMA1_F __builtin_fmaf
#define FMA1_D __builtin_fma
#else
#define FMA1_F FMA_F
#define FMA1_D FMA_D
#endif

#if defined(__AVX512F__)
/* 16 rows of 16 floats, turned: round s swaps the off-diagonal s-blocks of each 2s-block. */
static inline __attribute__((always_inline)) void turn_f(VecF *r) {
  static const struct { int lo[16], hi[16]; } pick[4] = {
      {{0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30},
       {1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31}},
      {{0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29},
       {2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31}},
      {{0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27},
       {4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31}},
      {{0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23},
       {8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31}},
  };
  REGISTERS for (int round = 0; round < 4; round++) {
    __m512i lo = _mm512_loadu_si512(pick[round].lo), hi = _mm512_loadu_si512(pick[round].hi);
    int s = 1 << round;
    REGISTERS for (int k = 0; k < 16; k++)
      if (!(k & s)) {
        __m512 p = (__m512)r[k], q = (__m512)r[k + s];
        r[k] = (VecF)_mm512_permutex2var_ps(p, lo, q);
        r[k + s] = (VecF)_mm512_permutex2var_ps(p, hi, q);
      }
  }
}
#elif defined(__AVX2__) && defined(__FMA__)
/* 8 rows of 8 floats, turned: pairs, fours, halves. */
static inline __attribute__((always_inline)) void turn_f(VecF *r) {
  __m256 p[8], q[8];
  REGISTERS for (int k = 0; k < 8; k += 2) {
    p[k] = _mm256_unpacklo_ps((__m256)r[k], (__m256)r[k + 1]);
    p[k + 1] = _mm256_unpackhi_ps((__m256)r[k], (__m256)r[k + 1]);
  }
  REGISTERS for (int k = 0; k < 8; k += 4)
    REGISTERS for (int j = 0; j < 2; j++) {
      q[k + 2 * j] = _mm256_shuffle_ps(p[k + j], p[k + 2 + j], 0x44);
      q[k + 2 * j + 1] = _mm256_shuffle_ps(p[k + j], p[k + 2 + j], 0xee);
    }
  REGISTERS for (int k = 0; k < 4; k++) {
    r[k] = (VecF)_mm256_permute2f128_ps(q[k], q[k + 4], 0x20);
    r[k + 4] = (VecF)_mm256_permute2f128_ps(q[k], q[k + 4], 0x31);
  }
}

/* 4 rows of 4 doubles. */
static inline __attribute__((always_inline)) void turn_d(VecD *r) {
  __m256d p[4];
  REGISTERS for (int k = 0; k < 4; k += 2) {
    p[k] = _mm256_unpacklo_pd((__m256d)r[k], (__m256d)r[k + 1]);
    p[k + 1] = _mm256_unpackhi_pd((__m256d)r[k], (__m256d)r[k + 1]);
  }
  REGISTERS for (int k = 0; k < 2; k++) {
    r[k] = (VecD)_mm256_permute2f128_pd(p[k], p[k + 2], 0x20);
    r[k + 2] = (VecD)_mm256_permute2f128_pd(p[k], p[k + 2], 0x31);
  }
}
#endif
#endif
