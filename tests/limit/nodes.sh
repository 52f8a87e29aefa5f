# Each turn adds three nodes to the formula.
cat <<'END'
fn f(x) {
  var s = x
  for i in 1..900000 { s = s * x + 1 }
  s
}
print f([1.0])
END
