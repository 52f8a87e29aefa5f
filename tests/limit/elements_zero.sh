# no element at all, whatever the other sizes
cat <<'X'
let x = zeros([0, 1_000_000])
print shape(x), sum(x)
X
