#!/bin/sh
# sparse.sh [NAME...]: what a sparse Jacobian or Hessian costs beside the whole matrix: the time of a turn, processor time
# of one thread, that of checking, in which the pattern is found and coloured, and the bytes that the plan computes in. In:
# the formulas below. Out: a line each. GLIA: the program.
set -u
glia=${GLIA:-./glia}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

formula() {   # NAME: `f`, the start `x`, and `whole` and `sparse`, the numbers of each way
  case $1 in
    ba) many=200; cat <<'END'
let (n, m, p) = (16, 120, 600)
let obs = stack((range(p) % n, range(p) * 7 % m), axis = 1)
let feats = f64(normal([p, 2]))
fn turned(a, x) {
  let angle = sqrt(sum(a^2, axis = 1, keep = true))
  let u = a / angle
  let cross = fn (u, x) = u[:, [1, 2, 0]] * x[:, [2, 0, 1]] - u[:, [2, 0, 1]] * x[:, [1, 2, 0]]
  x * cos(angle) + cross(u, x) * sin(angle) + u * sum(u * x, axis = 1, keep = true) * (1 - cos(angle))
}
fn f(t) {
  let cam = t.cams[obs[:, 0]]
  let y = turned(cam[:, :3], t.points[obs[:, 1]] - cam[:, 3:6])
  let q = y[:, :2] / y[:, 2:]
  let r = sum(q^2, axis = 1, keep = true)
  let seen = q * cam[:, 6:7] * (1 + cam[:, 9:10] * r + cam[:, 10:] * r^2) + cam[:, 7:9]
  {errors = t.weights[:, None] * (seen - feats), weights = 1 - t.weights^2}
}
let x = {cams = f64(uniform([n, 11], 0.1, 0.9)), points = f64(uniform([m, 3], 2.0, 3.0)), weights = f64(normal([p]))}
fn total(d) = sum(d.cams) + sum(d.points) + sum(d.weights)
fn whole(x) {
  let j = jacobian(f)(x)
  total(j.errors) + total(j.weights)
}
fn entries(d) = sum(d.cams.values) + sum(d.points.values) + sum(d.weights.values)
fn sparse(x) {
  let j = jacobian(f, sparse = true)(x)
  entries(j.errors) + entries(j.weights)
}
END
    ;;
    kmeans) many=200; cat <<'END'
let points = f64(normal([1000, 16]))
fn f(c) {
  let d = sum(points^2, axis = 1)[:, None] - 2 * points @ c' + sum(c^2, axis = 1)
  sum(min(d, axis = 1))
}
let x = f64(normal([64, 16]))
fn whole(x) = sum(hessian(f)(x))
fn sparse(x) = sum(hessian(f, sparse = true)(x).values)
END
    ;;
    *) echo "sparse.sh: no formula $1: ba kmeans" >&2; exit 2 ;;
  esac
}
script() {    # script whole|sparse TURNS
  cat "$dir/formula"
  echo 'var s = f64(0)'
  echo "for k in 1..$2 { s += $1(x * (1 + s * 1e-12)) }"
  echo 'print s'
}
children() { awk 'NR == 2 { split($1, u, /[ms]/); split($2, s, /[ms]/); print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' "$1"; }
seconds() {   # seconds COMMAND...
  times >"$dir/before"
  "$@" >"$dir/out" || exit 1
  times >"$dir/after"
  echo "$(children "$dir/before") $(children "$dir/after")" | awk '{ print $2 - $1 }'
}

for name in ${*:-ba kmeans}; do
  many=1
  formula "$name" >"$dir/formula"
  for way in whole sparse; do
    script $way 1 >"$dir/one.nn"
    script $way $((many + 1)) >"$dir/many.nn"
    check=$(seconds "$glia" --quiet check "$dir/one.nn")
    one=$(seconds "$glia" --quiet --threads 1 "$dir/one.nn")
    all=$(seconds "$glia" --quiet --threads 1 "$dir/many.nn")
    "$glia" --quiet plan "$dir/one.nn" | awk '/ to compute in$/ { print $(NF - 4), $(NF - 3) }' >"$dir/bytes"
    echo "$name $way $check $one $all $many $(head -1 "$dir/bytes") $(tail -1 "$dir/out")" | awk '{
      printf "%-7s %-7s checked in %5.2f s   a turn %9.3f ms %9s %s   the sum %s\n", $1, $2, $3, 1000 * ($5 - $4) / $6, $7, $8, $9 }'
  done
done
