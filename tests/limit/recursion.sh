# a function that calls itself without end
cat <<'X'
fn down(n: int) = down(n + 1)
print down(0)
X
