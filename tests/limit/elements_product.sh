# small operands, a product that is too large
cat <<'X'
let x = zeros([1_000_000, 1])
let y = x @ x'
X
