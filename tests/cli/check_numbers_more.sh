# --check-numbers names the source expression that made the first one, with the operands; what is not used does not count.
try() { printf '%s\n' "$2" >"$1.nn"; "$GLIA" --check-numbers "$1.nn" 2>&1; }
try log 'let x = [1.0, 0.0, -1.0]
let y = x * 2
let z = log(y)
print sum(z)'
try loop 'fn f(x) = sqrt(x) / x
var v = 4.0
for k in 1..10 { v = v - 1; print f(v) }'
try chosen 'print where([1.0, 0.0] > 0, log([1.0, 0.0]), 0)
let a = [inf, 1.0]
print a + 1
print a - a'
try stable 'let z = [[1000.0, 0.0]]
print log(exp(z) / sum(exp(z), axis = 1, keep = true)), 1 / (1 + exp(z))'
try grow 'var x = f32(1e20)
for k in 1..9 { x = x * x; print k }'
# through what moves elements, whatever it is, to the one that is used
try moved 'param p: [3] = 1
p = [1.0, 0, -1]
let y = log(p)
let m = reshape(concat((y, p)), [2, 3])
print gather(transpose(m)[2:1:-1], [0])[0][:1]'
true
# the operand that did it, as the script writes it: in the body of a loop, in a gradient, in sums and products
try fold 'let xs = [1.0, 0.0, 2.0]
print fold(fn (s, x) = s + log(x), 0.0, xs)'
try nested 'let x = [[1.0, 0.0], [1.0, 2.0]]
print fold(fn (s, r) = s + fold(fn (q, y) = q / y, 1.0, r), 0.0, x)'
try fold_grad 'param w: [2] = [1.0, 4.0]
w = w - [0, 4]
print grad(fold(fn (s, x) = s + sqrt(x), 0.0, w), w)'
try grad 'param w: [2] = [1.0, 4.0]
for k in 1..2 {
  print sum(sqrt(w))
  w -= [0, 4] * grad(sum(sqrt(w)), w)
  print w
  w = w * [1, 0]
}'
try sum 'let x = [3e38, 3e38, 1.0]
print sum(x)'
try product 'var x = f64([[1e308, 1.5], [1.0, 1.0]])
print x @ f64([1e200, 1.0])'
true
