# the smallest int divided by -1, and without its sign
cat <<'X'
let least = -9223372036854775807 - 1
print least // -1
print -least
print least % -1
X
