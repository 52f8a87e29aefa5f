# a loop in a formula that does not end
cat <<'X'
fn forever(x) {
  var n = 0
  while n >= 0 { n = n + 1 }
  x
}
print forever(1)
X
