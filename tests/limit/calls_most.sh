# As deep as calls may nest.
cat <<'END'
fn f(n) = if n == 0 { 0 } else { 1 + f(n - 1) }
print f(999)
fn g(n, x) = if n == 0 { x } else { g(n - 1, x + 1) }
print g(998, 0.5)
END
