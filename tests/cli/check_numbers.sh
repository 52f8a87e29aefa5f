# --check-numbers stops at the first number that is not finite; cells are as they were before the step.
cat >exp.nn <<'S'
param w: [2, 3] = 0.5
let x = [[1, 2], [3, 4]]
fn f(x) = mean(exp(x @ w))
for i in 1..50 {
  print "step {i}: {w[0, 0]:.3}"
  let loss = f(x)
  w += 5.0 * grad(loss, w)
}
S
cat >masked.nn <<'S'
let x = [1.0, 0.0, 4.0]
print where(x > 0, log(x), 0)
let scores = where(tril(ones([2, 2])) > 0, 0, -inf)
print softmax(scores)
var best = inf
best = min(best, 3.0)
print best
S
cat >known.nn <<'S'
param w: [2] = 0
print "sum", sum(sqrt(w * w) / w)
S
for f in exp masked known; do
  "$GLIA" --check-numbers $f.nn >out 2>err
  echo "$f: $?"
  cat out err
done
# without the flag nothing stops
"$GLIA" known.nn
