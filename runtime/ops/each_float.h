/* each_float: EACH_FLOAT, a header of kernels, for f32 and then for f64, each time after the register tiles of that
 * type. The header finds T (elements), M_(name) (names), and what tile_kernel.h defines.
 */
#include "ops/vectors.h"

#define T float
#define V VecF
#define VW (VECTOR_BYTES / 4)
#define MR TILE_ROWS
#define FMA FMA_F
#define FMA1 FMA1_F
#define SPLAT SPLAT_F
#define LOAD(p) ((VecF)(*(const VecFu *)(p)))
#define STORE(p, v) (*(VecFu *)(p) = (VecFu)(v))
#if defined(__AVX2__) && defined(__FMA__)
#define TURN turn_f
#endif
#define SHORT ShortF
#define SHORT_U ShortFu
#define SHORT_SPLAT SHORT_SPLAT_F
#define SHORT_FMA SHORT_FMA_F
#define QUARTER QuarterF
#define QUARTER_U QuarterFu
#define QUARTER_SPLAT QUARTER_SPLAT_F
#define QUARTER_FMA QUARTER_FMA_F
#define M_(name) f32_##name
#include "ops/tile_kernel.h"
#include EACH_FLOAT
#include "ops/tile_end.h"

#define T double
#define V VecD
#define VW (VECTOR_BYTES / 8)
#define MR TILE_ROWS
#define FMA FMA_D
#define FMA1 FMA1_D
#define SPLAT SPLAT_D
#define LOAD(p) ((VecD)(*(const VecDu *)(p)))
#define STORE(p, v) (*(VecDu *)(p) = (VecDu)(v))
#if defined(__AVX2__) && defined(__FMA__) && !defined(__AVX512F__)
#define TURN turn_d
#endif
#define SHORT ShortD
#define SHORT_U ShortDu
#define SHORT_SPLAT SHORT_SPLAT_D
#define SHORT_FMA SHORT_FMA_D
#define QUARTER QuarterD
#define QUARTER_U QuarterDu
#define QUARTER_SPLAT QUARTER_SPLAT_D
#define QUARTER_FMA QUARTER_FMA_D
#define M_(name) f64_##name
#include "ops/tile_kernel.h"
#include EACH_FLOAT
#include "ops/tile_end.h"
#undef EACH_FLOAT
