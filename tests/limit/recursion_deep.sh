# 900 nested calls are allowed
cat <<'X'
fn down(n: int) = if n == 0 { 0 } else { 1 + down(n - 1) }
print down(900)
X
