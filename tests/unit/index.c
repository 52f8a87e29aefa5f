/* index and sort: against loops, faults with their place, gradients, stability, NaN last, refusals. */
#include "calc.h"

static void gathers(void) {
  static const DType dtypes[] = {F32, F64, I32, U8};
  CALC(c);
  NodeId i = given(&c, I32, DIMS(2, 3), (double[]){1, -1, 0, 1, 2, -3});
  for (int axis = 0; axis < 3; axis++)
    for (int d = 0; d < 4; d++) {
      NodeId x = numbers(&c, dtypes[d], DIMS(3, 3, 3)), y = make(&c, &op_gather, (NodeId[]){x, i}, 2, INTS(axis));
      CU_ASSERT_EQUAL(c.g->node[y].type->rank, 4);
      const double *vx = values_of(&c, x), *vy = values_of(&c, y), *vi = values_of(&c, i);
      int64_t inner = axis == 2 ? 1 : axis == 1 ? 3 : 9, outer = 9 / inner;
      for (int64_t o = 0; o < outer; o++)
        for (int64_t k = 0; k < 6; k++)
          for (int64_t j = 0; j < inner; j++) {
            int64_t at = (int64_t)(vi[k] < 0 ? vi[k] + 3 : vi[k]);
            CU_ASSERT_EQUAL(vy[(o * 6 + k) * inner + j], vx[(o * 3 + at) * inner + j]);
          }
      CU_ASSERT(same_in_parts(&c, y));
      if (dtypes[d] == F64) CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, y), x));
    }
  NodeId scalar = given(&c, I32, 0, NULL, (double[]){2}), x = numbers(&c, F64, DIMS(3, 4));
  CU_ASSERT_EQUAL(c.g->node[make(&c, &op_gather, (NodeId[]){x, scalar}, 2, INTS(0))].type->rank, 1);
  CALC_END(c);
}

static void scatters(void) {
  CALC(c);
  NodeId i = given(&c, I32, DIMS(4), (double[]){1, -1, 1, 0});
  for (int axis = 0; axis < 3; axis++) {
    int64_t vd[3] = {3, 3, 3};
    vd[axis] = 4;
    NodeId x = numbers(&c, F64, DIMS(3, 3, 3)), v = numbers(&c, F64, 3, vd);
    NodeId y = make(&c, &op_scatter_add, (NodeId[]){x, i, v}, 3, INTS(axis));
    CU_ASSERT(same_in_parts(&c, y));
    double want[27];
    memcpy(want, values_of(&c, x), sizeof want);
    int64_t inner = axis == 2 ? 1 : axis == 1 ? 3 : 9, outer = 9 / inner;
    static const int64_t at[] = {1, 2, 1, 0};
    const double *vv = values_of(&c, v);
    for (int64_t o = 0; o < outer; o++)
      for (int64_t k = 0; k < 4; k++)
        for (int64_t j = 0; j < inner; j++) want[(o * 3 + at[k]) * inner + j] += vv[(o * 4 + k) * inner + j];
    const double *got = values_of(&c, y);
    for (int e = 0; e < 27; e++) CU_ASSERT_EQUAL(got[e], want[e]);
    NodeId bent = g_op(c.g, &op_sin, y);
    CU_ASSERT(slopes_right(&c, bent, x) && slopes_right(&c, bent, v));
  }
  NodeId wide = numbers(&c, F32, DIMS(3, 2500)), add = numbers(&c, F32, DIMS(4, 2500));   /* rows in several units */
  CU_ASSERT(same_in_parts(&c, make(&c, &op_scatter_add, (NodeId[]){wide, i, add}, 3, INTS(0))));
  CALC_END(c);
}

static void lines_by_their_own(void) {
  CALC(c);
  for (int axis = 0; axis < 3; axis++) {
    int64_t d[3] = {2, 3, 4};
    NodeId x = numbers(&c, F64, 3, d);
    int64_t n = d[axis];
    d[axis] = 2;
    Type t = type_make(I32, 3, d);
    int64_t count = type_count(&t);
    double place[24];
    for (int64_t e = 0; e < count; e++) place[e] = (double)(e * 7 % n) - (e % 3 == 0 ? (double)n : 0);
    NodeId i = given(&c, I32, 3, d, place), y = make(&c, &op_take_along, (NodeId[]){x, i}, 2, INTS(axis));
    const double *vx = values_of(&c, x), *vy = values_of(&c, y);
    int64_t inner = axis == 2 ? 1 : axis == 1 ? 4 : 12;
    for (int64_t e = 0; e < count; e++) {
      int64_t at = (int64_t)(place[e] < 0 ? place[e] + (double)n : place[e]);
      CU_ASSERT_EQUAL(vy[e], vx[e / inner / 2 * n * inner + at * inner + e % inner]);
    }
    CU_ASSERT(same_in_parts(&c, y));
    CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, y), x));
    NodeId v = numbers(&c, F64, 3, d), s = make(&c, &op_scatter_along, (NodeId[]){x, i, v}, 3, INTS(axis));
    CU_ASSERT(same_in_parts(&c, s));
    NodeId bent = g_op(c.g, &op_sin, s);
    CU_ASSERT(slopes_right(&c, bent, x) && slopes_right(&c, bent, v));
  }
  CALC_END(c);
}

static void faults(void) {
  static const Op *const ops[] = {&op_gather, &op_scatter_add, &op_take_along, &op_scatter_along};
  for (volatile int o = 0; o < 4; o++)
    for (volatile int low = 0; low < 2; low++) {
      CALC(c);
      NodeId x = numbers(&c, F32, DIMS(3)), i = given(&c, I32, DIMS(4), (double[]){1, 2, low ? -4 : 3, 9}),
          v = numbers(&c, F32, DIMS(4));
      make(&c, ops[o], (NodeId[]){x, i, v}, (uint32_t)ops[o]->n_in, INTS(0));
      Tensor **t = NEW_N(c.arena, Tensor *, c.g->n);
      Fault f = calc_all(&c, kernels_best(), t);
      CU_ASSERT_EQUAL(f.code, FAULT_OP);
      CU_ASSERT_EQUAL(f.element, 2);
      CU_ASSERT_EQUAL(f.a, low ? -4 : 3);
      CU_ASSERT_EQUAL(f.b, 3);
      calc_drop(&c, t, NULL);
      CALC_END(c);
    }
}

static void sorts(void) {
  CALC(c);
  static const DType dtypes[] = {F32, F64, I32, U8, BOOL};
  for (int d = 0; d < 5; d++)
    for (int axis = 0; axis < 2; axis++)
      for (int down = 0; down < 2; down++) {
        NodeId x = numbers(&c, dtypes[d], DIMS(150, 90));
        NodeId s = make(&c, &op_sort, &x, 1, INTS(axis, down)), p = make(&c, &op_argsort, &x, 1, INTS(axis, down));
        CU_ASSERT(same_in_parts(&c, s) && same_in_parts(&c, p));
        const double *vx = values_of(&c, x), *vs = values_of(&c, s), *vp = values_of(&c, p);
        int64_t n = axis ? 90 : 150, lines = axis ? 150 : 90, step = axis ? 1 : 90;
        bool ok = true;
        for (int64_t l = 0; l < lines; l++) {
          int64_t base = axis ? l * 90 : l;
          for (int64_t k = 0; k < n; k++) {
            int64_t at = base + k * step, prior = at - step;
            ok &= vs[at] == vx[base + (int64_t)vp[at] * step];
            if (k == 0) continue;
            ok &= down ? vs[prior] >= vs[at] : vs[prior] <= vs[at];
            ok &= vs[prior] != vs[at] || vp[prior] < vp[at];
          }
        }
        CU_ASSERT(ok);
      }
  NodeId nan = given(&c, F32, DIMS(5), (double[]){2, (double)NAN, 1, (double)NAN, 3});
  for (int down = 0; down < 2; down++) {
    const double *p = values_of(&c, make(&c, &op_argsort, &nan, 1, INTS(0, down)));
    const double up[] = {2, 0, 4, 1, 3}, fall[] = {1, 3, 4, 0, 2};      /* NaN is larger than all */
    CU_ASSERT_EQUAL(memcmp(p, down ? fall : up, sizeof up), 0);
  }
  NodeId y = numbers(&c, F64, DIMS(3, 4));
  CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, make(&c, &op_sort, &y, 1, INTS(0, 0))), y));
  CU_ASSERT(slopes_right(&c, g_op(c.g, &op_sin, make(&c, &op_sort, &y, 1, INTS(1, 1))), y));
  NodeId e = numbers(&c, F32, DIMS(0));
  CU_ASSERT_EQUAL(c.g->node[make(&c, &op_sort, &e, 1, INTS(0, 0))].type->dim[0], 0);
  values_of(&c, e);
  CALC_END(c);
}

static void searches(void) {
  CALC(c);
  NodeId s = given(&c, F64, DIMS(5), (double[]){1, 2, 2, 2, 5}), e = numbers(&c, F64, DIMS(0));
  NodeId v = given(&c, F64, DIMS(6), (double[]){0, 1, 2, 3, 5, 9});
  static const double left[] = {0, 0, 1, 4, 4, 5}, right[] = {0, 1, 4, 4, 5, 5};
  CU_ASSERT_EQUAL(memcmp(values_of(&c, make(&c, &op_search_sorted, (NodeId[]){s, v}, 2, INTS(0))), left, sizeof left),
                  0);
  CU_ASSERT_EQUAL(memcmp(values_of(&c, make(&c, &op_search_sorted, (NodeId[]){s, v}, 2, INTS(1))), right,
                         sizeof right), 0);
  CU_ASSERT_EQUAL(values_of(&c, make(&c, &op_search_sorted, (NodeId[]){e, v}, 2, INTS(0)))[5], 0);
  NodeId many = numbers(&c, F64, DIMS(7, 100));
  CU_ASSERT(same_in_parts(&c, make(&c, &op_search_sorted, (NodeId[]){s, many}, 2, INTS(0))));
  CALC_END(c);
}

static void refusals(void) {
  CALC(c);
  NodeId x = numbers(&c, F32, DIMS(3, 4)), f = numbers(&c, F32, DIMS(2)), i = numbers(&c, I32, DIMS(2)),
      s = numbers(&c, F32, 0, NULL);
  NodeId b = numbers(&c, BOOL, DIMS(3)), m = numbers(&c, I32, DIMS(2, 2)), u = numbers(&c, U8, DIMS(3, 4)),
      uv = numbers(&c, U8, DIMS(2, 4));
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_gather, (NodeId[]){x, f}, 2, INTS(0)),
                         "an index must be i32, but this is f32[2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_gather, (NodeId[]){x, i}, 2, INTS(2)), "f32[3, 4] has no axis 2");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_gather, (NodeId[]){s, i}, 2, INTS(0)), "a scalar cannot be indexed");
  TypeError e;
  graph_emit(c.g, &op_gather, (NodeId[]){x, b}, 2, &(Attr){.i = (int64_t[]){0}, .n = 1}, 0, &e);
  CU_ASSERT_STRING_EQUAL(e.hint, "choose with `where(mask, x, 0)`");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_scatter_add, (NodeId[]){x, i, f}, 3, INTS(0)),
                         "[3, 4] indexed by [2] along axis 0 takes values of shape [2, 4], but these are [2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_scatter_add, (NodeId[]){u, i, uv}, 3, INTS(0)),
                         "`scatter_add` does not add u8[3, 4]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_take_along, (NodeId[]){x, m}, 2, INTS(0)),
                         "`take_along` along axis 0 needs the other sizes equal, but they are [3, 4] and [2, 2]");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_sort, &s, 1, INTS(0, 0)), "`sort` needs an axis, but a scalar has none");
  CU_ASSERT_STRING_EQUAL(refusal(&c, &op_search_sorted, (NodeId[]){x, x}, 2, INTS(0)),
                         "`search_sorted` looks in a vector, but this is f32[3, 4]");
  CALC_END(c);
}

UNIT(TEST(gathers), TEST(scatters), TEST(lines_by_their_own), TEST(faults), TEST(sorts), TEST(searches), TEST(refusals))
