# a type of rank 17, and a size that is none
cat <<'X'
fn f(x: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) = x
let y: [99_999_999_999_999] = 0
let z: [-1] = 0
X
