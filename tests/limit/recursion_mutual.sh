cat <<'X'
fn even(n: int) = odd(n - 1)
fn odd(n: int) = even(n - 1)
print even(10)
X
