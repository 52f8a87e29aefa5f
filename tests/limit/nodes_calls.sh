# Each call doubles the formula, which stays far from its limit; nothing here is slow.
cat <<'END'
fn f(n, x) = if n == 0 { x } else { f(n - 1, x) + f(n - 1, x) }
print f(12, [1.0])
END
