# a known int beyond 64 bits
cat <<'X'
let n = 9223372036854775807
print n + 1
X
