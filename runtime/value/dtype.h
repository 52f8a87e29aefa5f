/* dtype: the element types, a line each; every table over them is made from this list or names its entries, so that a
 * type more touches the list and the kernels that want it.
 *   DO(x, id, name, C type, bytes, class, sum, number)
 * class: FLOAT computes and has derivatives; INT and BOOL have none; STORAGE is for types that are cast, moved and
 * multiplied by `@`, nothing else (there is none yet). sum: the type in which elements are summed, and the sum is
 * given; a type that sums in itself has arithmetic. number: how an element is made of a number (below).
 */
#ifndef RUNTIME_DTYPE_H
#define RUNTIME_DTYPE_H
#include <stdbool.h>
#include <stdint.h>

#define DTYPES(DO, x)                                \
  DO(x, F32, f32, float, 4, FLOAT, F32, ROUNDED)     \
  DO(x, F64, f64, double, 8, FLOAT, F64, ROUNDED)    \
  DO(x, I32, i32, int32_t, 4, INT, I32, ROUNDED)     \
  DO(x, U8, u8, uint8_t, 1, INT, I32, ROUNDED)       \
  DO(x, BOOL, bool, uint8_t, 1, BOOL, I32, TRUTH)

/* Element i of p as a double, and made of one: DTYPE_number_OF(C type, p, i), DTYPE_TO_number(C type, v). */
#define DTYPE_ROUNDED_OF(C, p, i) ((double)((const C *)(p))[i])
#define DTYPE_TO_ROUNDED(C, v) ((C)(v))
#define DTYPE_TRUTH_OF(C, p, i) ((double)((const C *)(p))[i])
#define DTYPE_TO_TRUTH(C, v) ((C)((v) != 0))

#define DTYPE_ID(x, id, ...) id,
typedef enum { DTYPES(DTYPE_ID, ) N_DTYPES } DType;
typedef enum { DTYPE_FLOAT, DTYPE_INT, DTYPE_BOOL, DTYPE_STORAGE } DTypeClass;
#undef DTYPE_ID

/* A set of types: those of a class; those that have arithmetic; all but the ones that are only stored. */
#define DTYPE_BIT_CLASS(want, id, name, C, bytes, class, ...) | (DTYPE_##class == (want) ? 1u << id : 0u)
#define DTYPE_BIT_SUMS(x, id, name, C, bytes, class, sum, ...) | (id == sum ? 1u << id : 0u)
#define DTYPES_OF(class) (0u DTYPES(DTYPE_BIT_CLASS, class))
#define DTYPES_NUMBERS (0u DTYPES(DTYPE_BIT_SUMS, ))
#define DTYPES_ALL ((1u << N_DTYPES) - 1)

extern const char *const dtype_name[N_DTYPES];    /* "f32" ... */
extern const uint8_t dtype_size[N_DTYPES];
extern const uint8_t dtype_class[N_DTYPES];
extern const uint8_t dtype_sum[N_DTYPES];
static inline bool dtype_is_float(DType d) { return dtype_class[d] == DTYPE_FLOAT; }
#endif
