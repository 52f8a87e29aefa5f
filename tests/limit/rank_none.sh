# a rank of 17 by new axes
cat <<'X'
let x = zeros([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
print shape(x)
let y = x[None]
X
