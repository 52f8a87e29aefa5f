# a layer that holds itself
cat <<'X'
layer endless(n: int) {
  let inner = endless(n + 1)
  fn (x) = inner(x)
}
let net = endless(0)
X
