# glia grad: the gradient of a function as text; what it cannot write, a line each.
cat >f.nn <<'END'
fn f(x: [N], w: [N, M]) {
  let h = tanh(x @ w)
  let size_of = sum(h^2)
  log(1 + size_of) + 0.5 * sum(w^2)
}
fn g(x) = x^5 + sin(x) * exp(x)
fn soft(z: [3], y: [3], k = 2) = -k * sum(y * log_softmax(z))
fn sum_of(max: [2], sum: f64[2]) = max[0] * sigmoid(max[1]) * f32(sum[0])
param w: [3] = 1
fn of_cell(x: [3]) = sum(x * w)^2
fn of_net(x: [2]) = sum(net(x))
let net = dense(2, 3, tanh)
fn zero(x) = floor(x) * 0
proc act(x) { print x }
layer made(n: int) { fn (x) = x * n }
fn vector(x: [3]) = x * 2
fn draws(x: [3]) = sum(x^2 * normal([3]) * uniform([3], 1, 2))
fn draws_in_turns(x: [9]) = fold(fn (s, e) = s * e * uniform([]), 1.0, x)
fn turns(x) = fold(fn (s, k) = s * x + k, 0.0, 1..3)
fn sequence(x: [9, 2], w: [2]) = sum(fold(fn ((s, k), e) = (tanh(s * w + e), k + s[0]), (zeros([2]), 0.0), x)[0]^2)
fn until(x) = iterate(fn (s) = s / 2 + x, x, until = fn (s) = s < 0.1)
fn pair((a, b)) = a * b
fn tree(p) = p.a * p.b
fn steps(n: int, x) = x^n
extern "libm.so.6" fn j0(x: f64) -> f64
fn bessel(x: f64) = j0(x)
fn large(x) = sum(sin(sin(range(10000)) * x))
let number = 3.0
let chain = dense(2, 2) >> tanh
END
try() { echo "--- $*"; "$GLIA" grad f.nn "$@"; echo "status $?"; }
exec 2>&1
for f in g f soft sum_of of_cell of_net zero turns sequence draws; do try -f $f; done
try -f f --wrt w --at "x: f64[3], w: f64[3, 2]"
try -f f --wrt x,w
for f in act made vector draws_in_turns until pair tree steps j0 bessel large number net chain nothing ff; do try -f $f; done
try -f f --wrt q
try -f f --at "q: [3]"
try -f f --at "x: [3"
try -f f --at "x: [3], w: [4, 2]"
try
echo "fn f(x) = x +" >broken.nn
"$GLIA" grad broken.nn -f f; echo "status $?"
"$GLIA" grad nothing.nn -f f; echo "status $?"
"$GLIA" check f.nn -f f; echo "status $?"
