# 1,000 nested calls are allowed, one more is not.
cat <<'END'
fn f(n) = if n == 0 { 0 } else { 1 + f(n - 1) }
print f(999)
print f(1000)
END
