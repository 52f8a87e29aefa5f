# a list that grows without end in a formula
cat <<'X'
fn grow(n: int) {
  var xs = []
  for i in 0..<n { xs = append(xs, "a") }
  len(xs)
}
print grow(1000)
print grow(1_000_001)
X
