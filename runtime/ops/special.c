/* special: the gamma function's family, which needs more than a line of libm. polygamma(k) is the k-th derivative of
 * digamma, so that lgamma differentiates to any order.
 */
#include "ops/pointwise.h"

/* ---- lgamma ---- */
#ifndef KERNELS
static NodeId polygamma(Graph *g, NodeId x, int64_t order) { return g_attr(g, &op_polygamma, &x, 1, &order, 1); }
static void lgamma_grad(Grad *d) { slope(d, 0, polygamma(d->g, d->x[0], 0)); }
const Op op_lgamma = {
    POINTWISE(lgamma, 1, pointwise_float), .flags = OP_POINTWISE, .grad = lgamma_grad,
    .lo = 0.3f, .hi = 5.0f,
    .doc = "Logarithm of the absolute value of the gamma function of each element.",
    .example = "lgamma([1, 5])   # => [0, 3.17805]",
};
#else
/* C's lgamma writes a global; this one does not, but ISO mode hides it. */
double lgamma_r(double x, int *sign);
static inline double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}
FLOATS1(lgamma, (float)log_gamma((double)x), log_gamma(x))
#endif

/* ---- polygamma: attr->i = {order} ---- */
#ifndef KERNELS
static void polygamma_grad(Grad *d) { slope(d, 0, polygamma(d->g, d->x[0], d->attr->i[0] + 1)); }
static bool polygamma_type(TypeRule *r) {
  if (r->attr->n != 1 || r->attr->i[0] < 0 || r->attr->i[0] > 20)
    return refuse(r, BAD_LIMIT, -1, -1, NULL, "`lgamma` has no derivative beyond the 21st");
  return pointwise_float(r);
}
const Op op_polygamma = {
    POINTWISE(polygamma, 1, polygamma_type), .flags = OP_POINTWISE, .grad = polygamma_grad,
    .args = "x, order:int",
    .lo = 3.0f, .hi = 6.0f,
    .doc = "The derivative of order k + 1 of lgamma. For k above 1 it is not computed below -1000.",
    .example = "grad(lgamma)(1.0)   # => -0.577216",
};
#else
/* B(2j) */
static const double bernoulli[] = {1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30,
                                   5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510};
enum { N_BERNOULLI = sizeof bernoulli / sizeof *bernoulli };

/* For x >= 20 + k: the asymptotic series of Abramowitz and Stegun 6.3.18 and 6.4.11. */
static double polygamma_far(int k, double x) {
  if (k == 0) {
    double y = log(x) - 0.5 / x, p = 1;
    for (int j = 1; j <= N_BERNOULLI; j++) y -= bernoulli[j - 1] / (2 * j) * (p /= x * x);
    return y;
  }
  double lead = 1;                                  /* (k - 1)! / x^k */
  for (int j = 1; j < k; j++) lead *= j / x;
  lead /= x;
  double y = lead + lead * k / (2 * x), term = lead; /* term: (2j + k - 1)! / ((2j)! x^(2j + k)) */
  for (int j = 1; j <= N_BERNOULLI; j++) {
    term *= (2.0 * j + k - 2) * (2.0 * j + k - 1) / ((2.0 * j - 1) * (2.0 * j) * x * x);
    y += bernoulli[j - 1] * term;
  }
  return k % 2 ? y : -y;
}
/* Upwards by psi_k(x) = psi_k(x + 1) - (-1)^k k! / x^(k + 1), after a reflection where there is a simple one. */
static double polygamma_at(int k, double x) {
  if (x != x || x == INFINITY) return x == x && k ? 0 : x;
  if (x == 0) return k % 2 ? INFINITY : k ? -INFINITY : -copysign(INFINITY, x);
  if (x < 0 && x == floor(x)) return k % 2 ? INFINITY : NAN;
  if (x < 0 && k < 2) {
    double turn = x - floor(x), s = sin(3.14159265358979323846 * turn), c = cos(3.14159265358979323846 * turn);
    return k == 0 ? polygamma_at(0, 1 - x) - 3.14159265358979323846 * c / s
                  : 9.86960440108935861883 / (s * s) - polygamma_at(1, 1 - x);
  }
  if (x < -1000) return NAN;
  double sum = 0;
  for (; x < 20 + k; x += 1) {
    double t = 1 / x;
    for (int j = 1; j <= k; j++) t *= j / x;
    sum += t;
  }
  return polygamma_far(k, x) + (k % 2 ? sum : -sum);
}
TILE1(polygamma, f32, float, float, polygamma_at((int)attr->i[0], (double)x))
TILE1(polygamma, f64, double, double, polygamma_at((int)attr->i[0], x))
const OpKernels KERNELS_OF(polygamma) = {FLOATS_OF(polygamma)};
#endif
