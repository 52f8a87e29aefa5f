/* reduce and cumulate: against sums in f64 over every set of axes, long ones for accuracy, ties, zeros, NaN,
 * nothing. */
#include "calc.h"

enum { R = 5 };
static const int64_t dims[R] = {3, 2, 130, 1, 5};

static void every_set_of_axes(void) {
  static const Op *const ops[] = {&op_sum, &op_prod, &op_reduce_max, &op_reduce_min, &op_argmax, &op_argmin};
  static const DType dtypes[] = {F32, F64, I32, U8};
  for (volatile int v_rank = 0; v_rank <= R; v_rank++)
    for (volatile int v_set = 0; v_set < 1 << v_rank; v_set++) {
      CALC(c);
      const int rank = v_rank, set = v_set;
      const int64_t *dim = dims + (R - rank);
      for (int d = 0; d < 4; d++) {
        NodeId x = numbers(&c, dtypes[d], rank, dim);
        const double *vx = values_of(&c, x);
        int64_t i[R + 2], n = 0, count = 1, stride[R], total = 1;
        for (int k = 0; k < rank; k++)
          if (set >> k & 1) i[++n] = k;
        i[0] = n;
        for (int k = rank; k-- > 0;) {
          stride[k] = total;
          total *= dim[k];
          if (set >> k & 1) count *= dim[k];
        }
        for (int o = 0; o < 6; o++) {
          i[n + 1] = o & 1;
          NodeId y = make(&c, ops[o], &x, 1, i, (uint32_t)n + 2);
          CU_ASSERT(same_in_parts(&c, y));
          CU_ASSERT_EQUAL(c.g->node[y].type->rank, o & 1 ? rank : rank - n);
          const double *vy = values_of(&c, y);
          for (int64_t e = 0; e < total / count; e++) {
            double want = o == 0 ? 0 : o == 1 ? 1 : NAN;
            int64_t place = 0;
            for (int64_t r = 0; r < count; r++) {
              int64_t at = 0, kept = e, red = r;
              for (int k = rank; k-- > 0;) {
                int64_t *from = set >> k & 1 ? &red : &kept;
                at += *from % dim[k] * stride[k];
                *from /= dim[k];
              }
              double v = vx[at];
              bool better = want != want || (o & 1 ? v < want : v > want);
              if (o == 0) want += v;
              if (o == 1) want *= v;
              if (o > 1 && better) {
                want = v;
                place = r;
              }
            }
            if (o == 1 && dtypes[d] >= I32) continue;   /* wraps */
            double tol = dtypes[d] == F32 ? 1e-5 : 1e-12;
            if (o > 3) want = (double)place;
            if (!(fabs(vy[e] - want) <= tol * (1 + fabs(want)))) CU_FAIL(ops[o]->name);
          }
        }
      }
      CALC_END(c);
    }
}

static void long_sums(void) {
  CALC(c);
  enum { N = 3000000 };
  Type t = type_make(F32, 1, (int64_t[]){N});
  Tensor *v = tensor_new(&c.host, &t);
  for (int64_t k = 0; k < N; k++) ((float *)v->data)[k] = 0.1f;
  NodeId x = graph_const(c.g, v, 0);
  tensor_unref(v);
  double want = (double)0.1f * N;
  CU_ASSERT_DOUBLE_EQUAL(values_of(&c, make(&c, &op_sum, &x, 1, INTS(1, 0, 0)))[0], want, 1e-6 * want);
  NodeId tall = make(&c, &op_reshape, &x, 1, INTS(N / 3, 3));
  NodeId column = make(&c, &op_sum, &tall, 1, INTS(1, 0, 0));
  for (int k = 0; k < 3; k++) CU_ASSERT_DOUBLE_EQUAL(values_of(&c, column)[k], want / 3, 1e-6 * want);
  CU_ASSERT(same_in_parts(&c, column));
  NodeId run = make(&c, &op_cumsum, &x, 1, INTS(0, 0));
  CU_ASSERT_DOUBLE_EQUAL(values_of(&c, run)[N - 1], want, 1e-6 * want);
  CALC_END(c);
}

static void special_values(void) {
  CALC(c);
  double nan = (double)NAN, none[] = {-0.0, -0.0};
  NodeId x = given(&c, F32, DIMS(4), (double[]){1, nan, 3, nan}), z = given(&c, F32, DIMS(2), none);
  NodeId e = numbers(&c, F32, DIMS(0, 3)), b = given(&c, BOOL, DIMS(2, 2), (double[]){1, 0, 1, 1});
  CU_ASSERT(isnan(values_of(&c, make(&c, &op_reduce_max, &x, 1, INTS(1, 0, 0)))[0]));
  CU_ASSERT(isnan(values_of(&c, make(&c, &op_reduce_min, &x, 1, INTS(1, 0, 0)))[0]));
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_argmax, &x, 1, INTS(1, 0, 0)))[0], 1);
  CU_ASSERT(signbit(values_of(&c, make(&c, &op_sum, &z, 1, INTS(1, 0, 0)))[0]));
  const double *nothing = values_of(&c, make(&c, &op_sum, &e, 1, INTS(1, 0, 0)));
  CU_ASSERT(nothing[0] == 0 && !signbit(nothing[0]));
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_prod, &e, 1, INTS(1, 0, 0)))[2], 1);
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_sum, &b, 1, INTS(2, 0, 1, 0)))[0], 3);
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_all, &b, 1, INTS(1, 0, 0)))[1], 0);
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_any, &b, 1, INTS(1, 0, 0)))[1], 1);
  NodeId empty_max = make(&c, &op_reduce_max, &e, 1, INTS(1, 1, 0));   /* no results, so nothing is missing */
  CU_ASSERT_EQUAL(c.g->node[empty_max].type->dim[0], 0);
  CALC_END(c);
}

static void slopes(void) {
  CALC(c);
  NodeId x = numbers(&c, F64, DIMS(2, 3, 2));
  for (int set = 0; set < 8; set++) {
    int64_t i[5], n = 0;
    for (int k = 0; k < 3; k++)
      if (set >> k & 1) i[++n] = k;
    i[0] = n;
    i[n + 1] = set & 1;
    uint32_t n_i = (uint32_t)n + 2;
    CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, make(&c, &op_sum, &x, 1, i, n_i)), x));
    CU_ASSERT(slopes_right(&c, make(&c, &op_prod, &x, 1, i, n_i), x));
    CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, make(&c, &op_reduce_max, &x, 1, i, n_i)), x));
    CU_ASSERT(slopes_right(&c, make(&c, &op_reduce_min, &x, 1, i, n_i), x));
  }
  NodeId zeros = given(&c, F64, DIMS(5), (double[]){2, 0, 3, 0, -1});
  NodeId one = given(&c, F64, DIMS(4), (double[]){2, 3, 0, 4});
  for (int reverse = 0; reverse < 2; reverse++) {
    CU_ASSERT(slopes_right(&c, make(&c, &op_cumprod, &zeros, 1, INTS(0, reverse)), zeros));
    CU_ASSERT(slopes_right(&c, make(&c, &op_cumprod, &x, 1, INTS(1, reverse)), x));
    CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, make(&c, &op_cumsum, &x, 1, INTS(2, reverse))), x));
    NodeId a = numbers(&c, F64, DIMS(2, 3, 2)), h = make(&c, &op_recur, (NodeId[]){a, x}, 2, INTS(1, reverse));
    CU_ASSERT(slopes_right(&c, h, a) && slopes_right(&c, h, x));
    CU_ASSERT(same_in_parts(&c, h));
  }
  CU_ASSERT(slopes_right(&c, make(&c, &op_prod, &one, 1, INTS(1, 0, 0)), one));
  CU_ASSERT(slopes_right(&c, make(&c, &op_prod, &zeros, 1, INTS(1, 0, 0)), zeros));
  NodeId ties = given(&c, F64, DIMS(4), (double[]){1, 3, 3, 2});
  const double *share = values_of(&c, slope_of(&c, make(&c, &op_reduce_max, &ties, 1, INTS(1, 0, 0)), ties));
  CU_ASSERT(share[0] == 0 && share[1] == 0.5 && share[2] == 0.5 && share[3] == 0);
  CALC_END(c);
}

static void running(void) {
  CALC(c);
  for (int axis = 0; axis < 3; axis++)
    for (int reverse = 0; reverse < 2; reverse++) {
      static const int64_t dim[3] = {3, 4, 70};
      NodeId x = numbers(&c, F64, 3, dim);
      NodeId s = make(&c, &op_cumsum, &x, 1, INTS(axis, reverse));
      NodeId p = make(&c, &op_cumprod, &x, 1, INTS(axis, reverse));
      CU_ASSERT(same_in_parts(&c, s) && same_in_parts(&c, p));
      const double *vx = values_of(&c, x), *vs = values_of(&c, s), *vp = values_of(&c, p);
      int64_t step = axis == 2 ? 1 : axis == 1 ? 70 : 280;
      for (int64_t e = 0; e < 840; e++) {
        int64_t at = e / step % dim[axis];
        bool first = reverse ? at == dim[axis] - 1 : at == 0;
        int64_t prior = reverse ? e + step : e - step;
        CU_ASSERT_DOUBLE_EQUAL(vs[e], first ? vx[e] : vs[prior] + vx[e], 1e-12);
        CU_ASSERT_EQUAL(vp[e], first ? vx[e] : vp[prior] * vx[e]);
      }
    }
  NodeId b = given(&c, BOOL, DIMS(3), (double[]){1, 0, 1});
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_cumsum, &b, 1, INTS(0, 0)))[2], 2);
  CALC_END(c);
}

static void refusals(void) {
  CALC(c);
  NodeId x = numbers(&c, F32, DIMS(2, 3)), e = numbers(&c, F32, DIMS(0)), b = numbers(&c, BOOL, DIMS(2));
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_sum, &x, 1, INTS(1, 2, 0)), "f32[2, 3] has no axis 2");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_sum, &x, 1, INTS(2, 1, 1, 0)), "axis 1 is given twice");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_sum, &x, 1, INTS(3, 0, 0)), "`sum` needs its axes and whether to keep them");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_reduce_max, &e, 1, INTS(1, 0, 0)),
                         "the max of nothing does not exist: this has shape [0]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_argmin, &e, 1, INTS(1, 0, 0)),
                         "the argmin of nothing does not exist: this has shape [0]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_reduce_min, &b, 1, INTS(1, 0, 0)),
                         "`min` needs numbers, but this is bool[2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_all, &x, 1, INTS(1, 0, 0)), "`all` needs bools, but this is f32[2, 3]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_cumsum, &x, 1, INTS(2, 0)), "f32[2, 3] has no axis 2");
  CALC_END(c);
}

UNIT(TEST(every_set_of_axes), TEST(long_sums), TEST(special_values), TEST(slopes), TEST(running), TEST(refusals))
