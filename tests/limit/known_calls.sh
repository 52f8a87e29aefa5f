# Calls that are known count as turns do, however they double: each of these would take hours and all of the memory.
cat <<'END'
fn fib(n) = if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
print fib(60)
fn twice(g, n) = if n == 0 { g } else { twice(g >> g, n - 1) }
print twice(relu, 60)(1.0)
fn again(f, n, x) = if n == 0 { f(x) } else { again(fn (y) = f(f(y)), n - 1, x) }
print again(fn (x) = x + 1, 60, 1.0)
print fib(20)
layer Two(n) { let a = if n == 0 { 1 } else { (Two(n - 1), Two(n - 1)) }; fn (x) = x }
print Two(60)(1)
fn both() {
  var n = 0
  for i in 1..600000 { n += 1 }
  for i in 1..600000 { n += 1 }
  n
}
print both()
END
