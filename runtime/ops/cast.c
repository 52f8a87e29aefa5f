/* cast: between element types. To i32 a float truncates, saturates, and NaN is 0, so that the result does not depend
 * on the machine; u8 likewise saturates to 0..255; bool is "not zero" (NaN is true).
 */
#include "ops/pointwise.h"

/* ---- cast: attr->i = {dtype} ---- */
#ifndef KERNELS
static bool cast_type(TypeRule *r) {
  if (r->attr->n != 1 || r->attr->i[0] < 0 || r->attr->i[0] >= N_DTYPES)
    return refuse(r, BAD_VALUE, -1, -1, NULL, "`cast` needs an element type");
  r->y = *r->x[0];
  r->y.dtype = (uint8_t)r->attr->i[0];
  return true;
}
static void cast_grad(Grad *d) {
  DType from = (DType)d->g->node[d->x[0]].type->dtype;
  if (dtype_is_float(from)) d->dx[0] = g_cast(d->g, d->dy, from);
}
static NodeId cast_simplify(Simplify *s) {
  /* The way through a wider type and back is exact. */
  DType to = (DType)s->node.type->dtype, from = (DType)s->g->node[s->node.in[0]].type->dtype;
  if (from == to) return s->node.in[0];
  NodeId x = through(s, &op_cast);
  if (x == NO_NODE || s->g->node[x].type->dtype != to) return NO_NODE;
  bool wider = from == F64 || (from == F32 && to != I32 && to != F64) || (from == I32 && (to == U8 || to == BOOL));
  return wider ? x : NO_NODE;
}
const Op op_cast = {
    POINTWISE(cast, 1, cast_type), .form = "x", .simplify = cast_simplify,
    .flags = OP_POINTWISE | OP_HIDDEN | OP_PASSES | OP_STORES, .grad = cast_grad, .args = "x, type:int",
    .doc = "The elements of x in another element type; the shape stays. Floats truncate and saturate towards integers, "
           "NaN becomes 0; `bool` is true where x is not 0.",
    .example = "i32([1.9, -1.9])   # => [1, -1]",
    .js = "t == 'bool' ? x != 0 : t == 'u8' ? min(max(trunc(x), 0), 255) : t == 'i32' ? trunc(x) : x",
};
#else
#define TO_I32(x) ((x) >= 2147483648.0 ? INT32_MAX : (x) > -2147483648.0 ? (int32_t)(x) : (x) == (x) ? INT32_MIN : 0)
#define TO_U8(x) ((x) >= 255 ? 255 : (x) > 0 ? (uint8_t)(x) : 0)
#define TO_BOOL(x) ((x) != 0)
TILE1(cast_f32, f64, float, double, x)
TILE1(cast_f32, i32, float, int32_t, TO_I32(x))
TILE1(cast_f32, u8, float, uint8_t, TO_U8(x))
TILE1(cast_f32, bool_, float, uint8_t, TO_BOOL(x))
TILE1(cast_f64, f32, double, float, x)
TILE1(cast_f64, i32, double, int32_t, TO_I32(x))
TILE1(cast_f64, u8, double, uint8_t, TO_U8(x))
TILE1(cast_f64, bool_, double, uint8_t, TO_BOOL(x))
TILE1(cast_i32, f32, int32_t, float, x)
TILE1(cast_i32, f64, int32_t, double, x)
TILE1(cast_i32, u8, int32_t, uint8_t, TO_U8(x))
TILE1(cast_i32, bool_, int32_t, uint8_t, TO_BOOL(x))
TILE1(cast_u8, f32, uint8_t, float, x)
TILE1(cast_u8, f64, uint8_t, double, x)
TILE1(cast_u8, i32, uint8_t, int32_t, x)
TILE1(cast_u8, bool_, uint8_t, uint8_t, TO_BOOL(x))
COPIES_(cast_same)

static const TileKernel cast_tile[N_DTYPES][N_DTYPES] = {
    [F32] = {[F32] = cast_same_4, [F64] = cast_f32_f64, [I32] = cast_f32_i32, [U8] = cast_f32_u8,
             [BOOL] = cast_f32_bool_},
    [F64] = {[F32] = cast_f64_f32, [F64] = cast_same_8, [I32] = cast_f64_i32, [U8] = cast_f64_u8,
             [BOOL] = cast_f64_bool_},
    [I32] = {[F32] = cast_i32_f32, [F64] = cast_i32_f64, [I32] = cast_same_4, [U8] = cast_i32_u8,
             [BOOL] = cast_i32_bool_},
    [U8] = {[F32] = cast_u8_f32, [F64] = cast_u8_f64, [I32] = cast_u8_i32, [U8] = cast_same_1, [BOOL] = cast_u8_bool_},
    [BOOL] = {[F32] = cast_u8_f32, [F64] = cast_u8_f64, [I32] = cast_u8_i32, [U8] = cast_same_1, [BOOL] = cast_same_1},
};
#define FROM(x, id, name, ...)                                                             \
  static void from_##id(void *out, const void *const *in, int64_t n, const Attr *attr) {   \
    cast_tile[id][attr->i[0]](out, in, n, attr);                                           \
  }
DTYPES(FROM, )
#define FROM_OF(x, id, ...) [id] = from_##id,
const OpKernels KERNELS_OF(cast) = {.tile = {DTYPES(FROM_OF, )}};
#endif
