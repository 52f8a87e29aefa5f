cat <<'END'
print zeros([1000000, 1000000])
let x = zeros([9223372036854775807, 2])
let y: [4611686018427387904, 4] = 0
fn f(a: [N], b: [M]) = a[:, None] * b[None, :]
print f(zeros([2000000]), zeros([1000000]))
END
