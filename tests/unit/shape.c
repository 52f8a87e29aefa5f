/* shape and slice: moves against index arithmetic, for ranks 0 to 5, permuted and empty, whole and in parts;
 * refusals. */
#include "calc.h"
#include "runtime/exec/fault.h"
#define KERNELS test      /* walk.h is looked at from the kernels' side */
#include "runtime/ops/walk.h"

static void strides_of(const Type *t, int64_t *s) {
  int64_t n = 1;
  for (int k = t->rank; k-- > 0;) {
    s[k] = n;
    n *= t->dim[k];
  }
}

/* y[index] is x[sum of (start + index * step) * stride]; axis k of y walks axis of[k] of x; -1: repeats. */
static bool walks(Calc *c, NodeId y, NodeId x, const int *of, const int64_t *start, const int64_t *step) {
  Type ty = *c->g->node[y].type, tx = *c->g->node[x].type;
  int64_t s[MAX_RANK], n = type_count(&ty), begin = 0;
  strides_of(&tx, s);
  for (int k = 0; k < tx.rank; k++) begin += start ? start[k] * s[k] : 0;
  const double *vx = values_of(c, x), *vy = values_of(c, y);
  for (int64_t e = 0; e < n; e++) {
    int64_t rest = e, at = begin;
    for (int k = ty.rank; k-- > 0;) {
      if (of[k] >= 0) at += rest % ty.dim[k] * s[of[k]] * (step ? step[of[k]] : 1);
      rest /= ty.dim[k];
    }
    if (vy[e] != vx[at]) return false;
  }
  return same_in_parts(c, y);
}

static const int64_t shapes[][6] = {   /* rank, sizes */
    {0}, {1, 5}, {2, 3, 4}, {2, 40, 35}, {3, 2, 3, 4}, {3, 17, 1, 20}, {4, 2, 3, 1, 5}, {5, 2, 3, 2, 2, 3},
    {2, 0, 3}, {1, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void permutes(void) {
  static const int64_t orders[][5] = {{4, 3, 2, 1, 0}, {1, 0, 2, 3, 4}, {0, 2, 1, 4, 3}, {2, 0, 1, 3, 4},
                                      {1, 2, 3, 4, 0}};
  static const DType dtypes[] = {F32, F64, I32, U8, BOOL};
  for (int d = 0; d < 5; d++) {
    CALC(c);
    for (int k = 0; k < SHAPES; k++)
      for (int o = 0; o < 5; o++) {
        int rank = (int)shapes[k][0], of[5], n = 0;
        int64_t perm[5];
        for (int j = 0; j < 5; j++)   /* the order's axes that there are */
          if (orders[o][j] < rank) {
            of[n] = (int)orders[o][j];
            perm[n++] = orders[o][j];
          }
        NodeId x = numbers(&c, dtypes[d], rank, shapes[k] + 1);
        NodeId y = make(&c, &op_permute, &x, 1, perm, (uint32_t)rank);
        CU_ASSERT(walks(&c, y, x, of, NULL, NULL));
      }
    CALC_END(c);
  }
}

static void broadcasts(void) {
  CALC(c);
  static const struct { int rx; int64_t x[4]; int ry; int64_t y[4]; int of[4]; } t[] = {
      {0, {0}, 3, {2, 3, 4}, {-1, -1, -1}}, {1, {4}, 2, {3, 4}, {-1, 0}}, {2, {3, 1}, 2, {3, 4}, {0, -1}},
      {3, {2, 1, 4}, 4, {5, 2, 3, 4}, {-1, 0, -1, 2}}, {2, {1, 1}, 2, {7, 300}, {-1, -1}},
      {1, {1}, 2, {0, 3}, {-1, -1}},
      {2, {3, 4}, 2, {3, 4}, {0, 1}}, {0, {0}, 0, {0}, {0}},
  };
  for (size_t k = 0; k < sizeof t / sizeof *t; k++)
    for (int d = 0; d < N_DTYPES; d++) {
      NodeId x = numbers(&c, (DType)d, t[k].rx, t[k].x);
      CU_ASSERT(walks(&c, make(&c, &op_broadcast, &x, 1, t[k].y, (uint32_t)t[k].ry), x, t[k].of, NULL, NULL));
    }
  CALC_END(c);
}

static void slices(void) {
  CALC(c);
  static const int of[] = {0, 1, 2};
  static const int64_t boxes[][9] = {   /* of [4, 5, 6] */
      {0, 4, 1, 0, 5, 1, 0, 6, 1}, {1, 2, 1, 2, 3, 1, 3, 3, 1}, {3, 4, -1, 4, 5, -1, 5, 6, -1},
      {0, 2, 2, 1, 2, 3, 5, 3, -2},
      {2, 1, 7, 0, 5, 1, 1, 2, 4},  {0, 0, 1, 0, 5, 1, 0, 6, 1}, {9, 0, 1, 0, 5, 1, 5, 1, 1},
  };
  for (size_t k = 0; k < sizeof boxes / sizeof *boxes; k++) {
    const int64_t *b = boxes[k];
    NodeId x = numbers(&c, F64, DIMS(4, 5, 6)), y = make(&c, &op_slice, &x, 1, b, 9);
    CU_ASSERT(walks(&c, y, x, of, (int64_t[]){b[0], b[3], b[6]}, (int64_t[]){b[2], b[5], b[8]}));
    /* unslice(y) is x where the box is, zero elsewhere; update(z, y) z elsewhere: so both hold x where y was cut */
    NodeId back = make(&c, &op_unslice, &y, 1, INTS(b[0], 4, b[2], b[3], 5, b[5], b[6], 6, b[8]));
    NodeId z = numbers(&c, F64, DIMS(4, 5, 6)), put = make(&c, &op_update, (NodeId[]){z, y}, 2, b, 9);
    CU_ASSERT(same_in_parts(&c, back) && same_in_parts(&c, put));
    const double *vx = values_of(&c, x), *vb = values_of(&c, back), *vp = values_of(&c, put), *vz = values_of(&c, z);
    int64_t inside = 0;
    for (int64_t e = 0; e < 120; e++) {
      int64_t at[3] = {e / 30, e / 6 % 5, e % 6};
      bool in = true;
      for (int d = 0; d < 3; d++) {
        int64_t j = (at[d] - b[3 * d]) / b[3 * d + 2];
        in &= j >= 0 && j < b[3 * d + 1] && b[3 * d] + j * b[3 * d + 2] == at[d];
      }
      inside += in;
      CU_ASSERT_EQUAL(vb[e], in ? vx[e] : 0);
      CU_ASSERT_EQUAL(vp[e], in ? vx[e] : vz[e]);
    }
    CU_ASSERT_EQUAL(inside, b[1] * b[4] * b[7]);
    CU_ASSERT(slopes_right(&c, make(&c, &op_slice, &x, 1, b, 9), x));
    CU_ASSERT(slopes_right(&c, put, z));
  }
  NodeId v = numbers(&c, U8, DIMS(9)), one = make(&c, &op_slice, &v, 1, INTS(8, 3, -4));
  CU_ASSERT(walks(&c, one, v, of, (int64_t[]){8}, (int64_t[]){-4}));
  CALC_END(c);
}

static void dynamic(void) {
  CALC(c);
  static const int of[] = {0, 1, 2};
  for (int axis = 0; axis < 3; axis++)
    for (int start = 0; start <= 2; start++) {
      NodeId x = numbers(&c, F64, DIMS(4, 5, 6)), s = given(&c, I32, 0, NULL, (double[]){start});
      int64_t from[3] = {0}, box[9];
      from[axis] = start;
      for (int d = 0; d < 3; d++) {
        box[3 * d] = from[d];
        box[3 * d + 1] = d == axis ? 2 : 4 + d;
        box[3 * d + 2] = 1;
      }
      NodeId y = make(&c, &op_slice_dyn, (NodeId[]){x, s}, 2, INTS(axis, 2));
      CU_ASSERT(walks(&c, y, x, of, from, NULL));
      NodeId z = numbers(&c, F64, DIMS(4, 5, 6)), v = numbers(&c, F64, 3, c.g->node[y].type->dim);
      NodeId put = make(&c, &op_update_slice, (NodeId[]){z, v, s}, 3, INTS(axis));
      NodeId want = make(&c, &op_update, (NodeId[]){z, v}, 2, box, 9);
      CU_ASSERT(same_in_parts(&c, put));
      CU_ASSERT_EQUAL(memcmp(values_of(&c, put), values_of(&c, want), 120 * sizeof(double)), 0);
      CU_ASSERT(slopes_right(&c, y, x));
      CU_ASSERT(slopes_right(&c, put, v) && slopes_right(&c, put, z));
    }
  CALC_END(c);
}

/* What a fault names is the index that is not there. */
static void faults(void) {
  static const struct { int start; int64_t index; } t[] = {{-1, -1}, {4, 5}, {5, 5}, {2000000000, 2000000000}};
  for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
    CALC(c);
    NodeId x = numbers(&c, F32, DIMS(5, 3)), s = given(&c, I32, 0, NULL, (double[]){t[k].start});
    make(&c, &op_slice_dyn, (NodeId[]){x, s}, 2, INTS(0, 2));
    Tensor **v = NEW_N(c.arena, Tensor *, c.g->n);
    Fault f = calc_all(&c, kernels_best(), v);
    CU_ASSERT_EQUAL(f.code, FAULT_OP);
    CU_ASSERT_EQUAL(f.a, t[k].index);
    CU_ASSERT_EQUAL(f.b, 5);
    char text[FAULT_TEXT], want[FAULT_TEXT];
    fault_text(&op_slice_dyn, &f, text);
    snprintf(want, sizeof want, "index %lld is out of range for size 5", (long long)t[k].index);
    CU_ASSERT_STRING_EQUAL(text, want);
    calc_drop(&c, v, NULL);
    CALC_END(c);
  }
}

/* The numbers of a fault in the words of its op, cut where the room ends. */
static void fault_words(void) {
  static const OpFault say[] = {
      {.text = "{a} {x} {b}{v}"},
      {.text = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
               "0123456789012345678901234567890123456789012345678901234567{a}"}};
  const Op op = {.faults = say};
  char text[FAULT_TEXT];
  fault_text(&op, &(Fault){.code = FAULT_OP, .a = -3, .b = 1LL << 40, .v = -0.25}, text);
  CU_ASSERT_STRING_EQUAL(text, "-3 {x} 1099511627776-0.25");
  fault_text(&op, &(Fault){.code = FAULT_OP, .which = 1, .a = 76543}, text);
  CU_ASSERT_EQUAL(strlen(text), FAULT_TEXT - 1);
  CU_ASSERT_EQUAL(text[FAULT_TEXT - 2], '7');
  fault_text(NULL, &(Fault){.code = FAULT_OP}, text);
  CU_ASSERT_STRING_EQUAL(text, "there is no result for these values");
}

static void joins(void) {
  CALC(c);
  for (int axis = 0; axis < 3; axis++) {
    int64_t a[3] = {2, 3, 4}, b[3] = {2, 3, 4}, z[3] = {2, 3, 4};
    b[axis] = 5;
    z[axis] = 0;
    NodeId x = numbers(&c, F64, 3, a), y = numbers(&c, F64, 3, b), e = numbers(&c, F64, 3, z);
    NodeId j = make(&c, &op_concat, (NodeId[]){x, e, y, x}, 4, INTS(axis));
    CU_ASSERT(same_in_parts(&c, j));
    int64_t from = 0;
    NodeId part[] = {x, e, y, x};
    for (int k = 0; k < 4; k++) {
      int64_t box[9], count = c.g->node[part[k]].type->dim[axis];
      for (int d = 0; d < 3; d++) {
        box[3 * d] = d == axis ? from : 0;
        box[3 * d + 1] = c.g->node[part[k]].type->dim[d];
        box[3 * d + 2] = 1;
      }
      from += count;
      const double *got = values_of(&c, make(&c, &op_slice, &j, 1, box, 9)), *want = values_of(&c, part[k]);
      CU_ASSERT_EQUAL(memcmp(got, want, (size_t)type_count(c.g->node[part[k]].type) * sizeof *got), 0);
    }
    CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, j), x));
  }
  CALC_END(c);
}

static void rolls_and_triangles(void) {
  CALC(c);
  for (int shift = -7; shift <= 7; shift += 2)
    for (int axis = 0; axis < 2; axis++) {
      NodeId x = numbers(&c, F64, DIMS(3, 4)), y = make(&c, &op_roll_along, &x, 1, INTS(shift, axis));
      const double *vx = values_of(&c, x), *vy = values_of(&c, y);
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++) {
          int to_i = axis == 0 ? ((i + shift) % 3 + 3) % 3 : i, to_j = axis == 1 ? ((j + shift) % 4 + 4) % 4 : j;
          CU_ASSERT_EQUAL(vy[to_i * 4 + to_j], vx[i * 4 + j]);
        }
      CU_ASSERT(same_in_parts(&c, y) && slopes_right(&c, y, x));
    }
  for (int k = -5; k <= 5; k++)
    for (int upper = 0; upper < 2; upper++) {
      NodeId x = numbers(&c, F64, DIMS(2, 3, 4)), y = make(&c, upper ? &op_triu : &op_tril, &x, 1, INTS(k));
      const double *vx = values_of(&c, x), *vy = values_of(&c, y);
      for (int e = 0; e < 24; e++) {
        int i = e / 4 % 3, j = e % 4;
        CU_ASSERT_EQUAL(vy[e], (upper ? j - i >= k : j - i <= k) ? vx[e] : 0);
      }
      CU_ASSERT(same_in_parts(&c, y) && slopes_right(&c, y, x));
    }
  CALC_END(c);
}

static void refusals(void) {
  CALC(c);
  NodeId x = numbers(&c, F32, DIMS(2, 3)), v = numbers(&c, F32, DIMS(4)), i = numbers(&c, I32, DIMS(2, 3)),
      f = numbers(&c, F32, 0, NULL);
  NodeId y = numbers(&c, F32, DIMS(2, 4));
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_broadcast, &x, 1, INTS(3, 3)), "[2, 3] cannot be stretched to [3, 3]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_reshape, &x, 1, INTS(4, 2)),
                         "[2, 3] has 6 elements, but the shape [4, 2] needs 8");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_reshape, &x, 1, INTS(-1, 2)),
                         "a size cannot be negative, but axis 0 is to have -1");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_reshape, &x, 1, INTS(INT64_MAX, INT64_MAX)),
                         "the shape [9223372036854775807, 9223372036854775807] is more than 1 TiB");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_permute, &x, 1, INTS(0)),
                         "`permute` of f32[2, 3] needs 2 axes, but 1 are given");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_permute, &x, 1, INTS(0, 0)), "axis 0 is given twice");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_permute, &x, 1, INTS(0, 2)), "f32[2, 3] has no axis 2");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_slice, &x, 1, INTS(0, 3, 1, 0, 3, 1)),
                         "index 2 is outside axis 0 of [2, 3], which has 2 elements");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_slice, &x, 1, INTS(0, 2, 1, 1, 3, -1)),
                         "index -1 is outside axis 1 of [2, 3], which has 3 elements");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_slice, &x, 1, INTS(0, 2, 0, 0, 3, 1)), "a slice cannot step by 0");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_update, (NodeId[]){x, v}, 2, INTS(0, 1, 1, 0, 3, 1)),
                         "the part has shape [1, 3], but its new value [4]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_update, (NodeId[]){x, i}, 2, INTS(0, 2, 1, 0, 3, 1)),
                         "a part of f32[2, 3] cannot be replaced by i32[2, 3]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_slice_dyn, (NodeId[]){x, f}, 2, INTS(0, 1)),
                         "a slice's start must be an i32 scalar, but this is f32[]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_concat, (NodeId[]){x, y}, 2, INTS(0)),
                         "joined along axis 0 the other sizes must agree, found [2, 3] and [2, 4]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_concat, (NodeId[]){x, v}, 2, INTS(0)),
                         "joined along axis 0 the other sizes must agree, found [2, 3] and [4]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_concat, (NodeId[]){x, i}, 2, INTS(0)),
                         "`concat` of f32 and i32");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_concat, NULL, 0, INTS(0)), "`concat` of nothing has no shape");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_tril, &v, 1, INTS(0)), "`tril` needs a matrix, but this is f32[4]");
  CALC_END(c);
}

/* Elements of every size that a type may have, along walks of each kind: rows, backwards, repeated, strided, planes. */
static void sizes(void) {
  static const int64_t walk[][6] = {   /* two axes: size, target's stride, source's */
      {5, 33, 40, 33, 1, 1}, {5, 33, 40, 33, 1, -1}, {5, 33, 40, 33, 1, 0}, {5, 66, 40, 33, 2, 1},
      {37, 21, 1, 21, 1, 40},
  };
  static char from[8 * 2000], to[8 * 3000], want[8 * 3000];
  for (int k = 0; k < 8 * 2000; k++) from[k] = (char)(k * 31 + k / 251);
  for (int64_t size = 1; size <= 8; size *= 2)
    for (size_t k = 0; k < sizeof walk / sizeof *walk; k++) {
      const int64_t *a = walk[k];
      Walk w = {.rank = 0};
      walk_axis(&w, a[0], a[1], a[2]);
      walk_axis(&w, a[3], a[4], a[5]);
      walk_fold(&w);
      const char *zero = from + 100 * size;
      memset(to, 0, sizeof to);
      memset(want, 0, sizeof want);
      for (int64_t i = 0; i < a[0]; i++)
        for (int64_t j = 0; j < a[3]; j++)
          memcpy(want + (i * a[1] + j * a[4]) * size, zero + (i * a[2] + j * a[5]) * size, (size_t)size);
      int64_t units = walk_units(&w);
      walk_copy(&w, to, zero, (size_t)size, units / 2, units);
      walk_copy(&w, to, zero, (size_t)size, 0, units / 2);
      CU_ASSERT(memcmp(to, want, sizeof to) == 0);
    }
}

UNIT(TEST(sizes), TEST(permutes), TEST(broadcasts), TEST(slices), TEST(dynamic), TEST(faults), TEST(fault_words),
     TEST(joins), TEST(rolls_and_triangles), TEST(refusals))
