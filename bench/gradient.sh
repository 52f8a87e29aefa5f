#!/bin/sh
# gradient.sh [NAME...]: what a gradient costs, as a multiple of the formula alone: processor time of one thread, and the
# bytes that the plan computes in. In: the networks below, each a formula `loss(w, x)`. Out: a line each.
# A time is the difference of two runs, of few turns and of many, so that starting counts nothing. GLIA: the program.
set -u
glia=${GLIA:-./glia}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

network() {   # NAME: the definitions; `many` turns are worth measuring
  case $1 in
    mlp) many=2000; cat <<'END'
let start = {a = normal([256, 256]) / 16, b = normal([256, 256]) / 16, c = normal([256, 10]) / 16}
let data = normal([128, 256])
fn loss(w, x) = mean((tanh(tanh(x @ w.a) @ w.b) @ w.c)^2)
END
    ;;
    cnn) many=300; cat <<'END'
let start = {a = normal([8, 1, 5, 5]) / 5, b = normal([16, 8, 5, 5]) / 14, c = normal([256, 10]) / 16}
let data = normal([32, 1, 28, 28])
fn loss(w, x) {
  let first = max_pool2d(relu(conv2d(x, w.a)), 2)
  let second = max_pool2d(relu(conv2d(first, w.b)), 2)
  mean((reshape(second, [32, 256]) @ w.c)^2)
}
END
    ;;
    lstm) many=60; cat <<'END'
let start = {x = normal([32, 128]) / 6, h = normal([32, 128]) / 6, b = zeros([128])}
let data = normal([1000, 8, 32])
fn loss(w, x) {
  let turn = fn (s, v) {
    let z = v @ w.x + s.h @ w.h + w.b
    let c = sigmoid(z[:, 32:64]) * s.c + sigmoid(z[:, :32]) * tanh(z[:, 64:96])
    {h = sigmoid(z[:, 96:]) * tanh(c), c = c}
  }
  mean(fold(turn, {h = zeros([8, 32]), c = zeros([8, 32])}, x).h^2)
}
END
    ;;
    transformer) many=200; cat <<'END'
let start = {q = normal([128, 384]) / 11, o = normal([128, 128]) / 11, a = normal([128, 512]) / 11, b = normal([512, 128]) / 22}
let data = normal([4, 64, 128])
fn heads(x) = permute(reshape(x, [4, 64, 4, 32]), [0, 2, 1, 3])
fn even(x) = (x - mean(x, axis = -1, keep = true)) / (std(x, axis = -1, keep = true) + 1e-5)
fn loss(w, x) {
  let all = even(x) @ w.q
  let (q, k, v) = (heads(all[:, :, :128]), heads(all[:, :, 128:256]), heads(all[:, :, 256:]))
  let seen = softmax(q @ permute(k, [0, 1, 3, 2]) / 5.65) @ v
  let y = x + reshape(permute(seen, [0, 2, 1, 3]), [4, 64, 128]) @ w.o
  mean((y + gelu(even(y) @ w.a) @ w.b)^2)
}
END
    ;;
    *) echo "gradient.sh: no network $1: mlp cnn lstm transformer" >&2; exit 2 ;;
  esac
}
script() {    # script forward|gradient TURNS
  cat "$dir/network"
  echo 'var w = start'
  echo 'var sum_of = 0.0'
  echo "for k in 1..$2 {"
  case $1 in
    forward) echo '  sum_of += loss(w, data * (1 + sum_of * 1e-9))' ;;
    gradient) echo '  let (l, g) = value_and_grad(loss)(w, data * (1 + sum_of * 1e-9))
  w = w - 1e-3 * g
  sum_of += l' ;;
  esac
  echo '}'
  echo 'print sum_of'
}
children() {  # seconds in what `times` wrote
  awk 'NR == 2 { split($1, u, /[ms]/); split($2, s, /[ms]/); print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' "$1"
}
turn() {      # turn forward|gradient TURNS: seconds
  script "$1" "$2" >"$dir/script.nn"
  times >"$dir/before"
  "$glia" --quiet --threads 1 "$dir/script.nn" >/dev/null || exit 1
  times >"$dir/after"
  echo "$(children "$dir/before") $(children "$dir/after")" | awk '{ print $2 - $1 }'
}
bytes() { script "$1" 2 >"$dir/script.nn"; "$glia" plan "$dir/script.nn" | awk '/ to compute in$/ { print $(NF - 4), $(NF - 3) }'; }

for name in ${*:-mlp cnn lstm transformer}; do
  many=1
  network "$name" >"$dir/network"
  for kind in forward gradient; do
    turn $kind 1 >"$dir/few"; turn $kind $((many + 1)) >"$dir/many"
    paste "$dir/few" "$dir/many" | awk -v n=$many '{ print 1000 * ($2 - $1) / n }' >"$dir/$kind"
  done
  paste "$dir/forward" "$dir/gradient" | awk -v name="$name" -v f="$(bytes forward)" -v g="$(bytes gradient)" '{
    printf "%-12s forward %8.3f ms %12s   with gradient %8.3f ms %12s   times %.2f\n", name, $1, f, $2, g, $2 / $1 }'
done
