# Foreign functions: a small library, built here, called from a script; the values against formulas of the language.
${CC:-cc} -shared -fPIC -O1 -x c -o libforeign.so - <<'C'
#include <stdint.h>
#include <stdatomic.h>
#include <unistd.h>
static atomic_int inside, calls, most;
double half(double x) { return x / 2; }
float mixed(float x, int32_t k, uint8_t u, uint8_t b) { return b ? x * (float)k : (float)u; }
int32_t round_up(double x) { return (int32_t)x + (x > (double)(int32_t)x); }
uint8_t low_byte(int32_t x) { return (uint8_t)x; }
uint8_t is_even(int32_t x) { return x % 2 == 0 ? 7 : 0; }
void swish(const float *x, float *y, int64_t n) {
  for (int64_t k = 0; k < n; k++) y[k] = x[k] * x[k];
}
void swish_grad(const float *x, const float *dy, float *dx, int64_t n) {
  for (int64_t k = 0; k < n; k++) dx[k] = 2 * x[k] * dy[k];
}
void cube(const double *x, double *y, int64_t n) {
  for (int64_t k = 0; k < n; k++) y[k] = x[k] * x[k] * x[k];
}
void cube_grad(const double *x, const double *dy, double *dx, int64_t n) {
  for (int64_t k = 0; k < n; k++) dx[k] = 3 * x[k] * x[k] * dy[k];
}
/* a: [N, K], b: [K, M]; the dimensions in the order of first appearance: N, K, M */
void product(const float *a, const float *b, float *y, int64_t n, int64_t k, int64_t m) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) {
      float s = 0;
      for (int64_t l = 0; l < k; l++) s += a[i * k + l] * b[l * m + j];
      y[i * m + j] = s;
    }
}
void rows(const float *x, int32_t *y, int64_t s, int64_t n) {
  for (int64_t k = 0; k < s; k++) y[k] = (int32_t)(n * 100 + k);
  (void)x;
}
void bytes(const uint8_t *x, const uint8_t *keep, uint8_t *y, int64_t n) {
  for (int64_t k = 0; k < n; k++) y[k] = keep[k] ? x[k] : 0;
}
/* How many calls there were, and the most at one time. */
void busy(const float *x, float *y, int64_t n) {
  int now = atomic_fetch_add(&inside, 1) + 1;
  if (now > atomic_load(&most)) atomic_store(&most, now);
  for (volatile int k = 0; k < 100000; k++) {}
  for (int64_t k = 0; k < n; k++) y[k] = x[k] + 1;
  atomic_fetch_add(&calls, 1);
  atomic_fetch_sub(&inside, 1);
}
double shout(double x) { return write(1, "called\n", 7) == 7 ? x : -x; }
double called(double x) { (void)x; return atomic_load(&calls); }
double at_once(double x) { (void)x; return atomic_load(&most); }
C
cat > foreign.nn <<'N'
extern "./libforeign.so" fn half(x: f64) -> f64
extern "./libforeign.so" fn mixed(x: f32, k: i32, u: u8, b: bool) -> f32
extern "./libforeign.so" fn round_up(x: f64) -> i32
extern "./libforeign.so" fn low_byte(x: i32) -> u8
extern "./libforeign.so" fn is_even(x: i32) -> bool
extern "./libforeign.so" fn swish(x: [..S]) -> [..S]
extern "./libforeign.so" fn swish_grad(x: [..S], dy: [..S]) -> [..S]
gradient swish(x) -> y, dy = swish_grad(x, dy)
extern "./libforeign.so" fn cube(x: f64[..S]) -> f64[..S]
extern "./libforeign.so" fn cube_grad(x: f64[..S], dy: f64[..S]) -> f64[..S]
gradient cube(x) -> y, dy = cube_grad(x, dy)
gradient cube_grad(x, dy) -> y, d = (6 * x * dy * d, 3 * x^2 * d)
extern "./libforeign.so" fn product(a: [N, K], b: [K, M]) -> [N, M]
gradient product(a, b) -> y, dy = (dy @ b', a' @ dy)
extern "./libforeign.so" fn rows(x: [..S, N]) -> i32[..S]
extern "./libforeign.so" fn bytes(x: u8[N], keep: bool[N]) -> u8[N]
extern "./libforeign.so" fn busy(x: [N]) -> [N]
extern "./libforeign.so" fn called(x: f64) -> f64
extern "./libforeign.so" fn at_once(x: f64) -> f64

print half(3.0), half([1.0, 2.0]), half(f64(zeros([2, 2])))
print mixed([1.0, 2.0], [3, 4], u8(9), [true, false])
print round_up([1.5, 2.0, -0.5]), low_byte([257, 3]), is_even([1, 2])
let m: [2, 3] = [[1, 2, 3], [4, 5, 6]]
let w: [3, 2] = [[1, 0], [2, 1], [0, 3]]
print swish(m), swish(2.0)
print product(m, w), close(product(m, w), m @ w)
print rows(zeros([2, 2, 5])), rows(zeros([4]))
print bytes(u8([1, 2, 3]), [true, false, true])
print grad(fn (x) = sum(swish(x)))(m)
print grad(fn (a, b) = sum(product(a, b)^2), wrt = ("a", "b"))(m, w)
let x: f64[2] = [1, 2]
print grad(fn (x) = sum(cube(x)))(x), hessian(fn (x) = sum(cube(x)))(x)
print vmap(cube)(f64(m)), vmap(half)(x), vmap(fn (a) = product(a, w))([m, 2 * m])[1]
print grad(fn (x) = sum(vmap(fn (r) = sum(cube(r)))(x)))(f64(m))
print fold(fn (s, e) = s + half(e), f64(0), x), grad(fn (x) = fold(fn (s, e) = s * cube(e), f64(1), x))(x)
print jvp(cube, x, f64([1, 10])), recompute(cube)(x), grad(fn (x) = sum(recompute(cube)(x)))(x)
print gradcheck(fn (x) = sum(cube(x)), x).ok, gradcheck(fn (x) = sum(swish(x)), [1.0, 2.0]).ok
let a = busy(ones([3]))
let b = busy(2 * ones([3]))
let c = busy(3 * ones([3]))
print a + b + c
print called(0.0), at_once(0.0)
N
"$GLIA" --threads 3 foreign.nn 2>&1
echo 'extern "./libforeign.so" fn shout(x: f64) -> f64
print shout(1.0), shout(2.0) > 0
assert shout(f64(zeros([2])))[0] == 0' > shout.nn
echo "check: not called"
"$GLIA" check shout.nn
echo "run"
"$GLIA" shout.nn
"$GLIA" <<'N'
extern "./libforeign.so" fn product(a: [N, K], b: [K, M]) -> [N, M]
extern "./libforeign.so" fn mixed(x: f32, k: i32, u: u8, b: bool) -> f32
extern "./libforeign.so" fn swish(x: [..S]) -> [..S]
:type product
:type mixed
:type swish
product([[1, 2]], [[3], [4]])
N
