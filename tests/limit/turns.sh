# Known turns are counted, whatever their body does.
cat <<'END'
fn f() {
  var s = 0
  while true { s += 1 }
  s
}
fn g() {
  var s = 0
  for i in 1..2000000 { s += i }
  s
}
print g()
print f()
END
