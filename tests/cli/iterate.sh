# A loop that ends on a condition costs the turns that it makes, not its limit; its gradient keeps few states; Ctrl-C ends
# it; its checkpoint resumes.
cat >long.nn <<'E'
let a = f64([0.9, 1.0, 1.1, 1.2])
fn turned(a, n) = iterate(fn ((x, k)) = (sin(a * x), k + 1), (a, 0), until = fn ((x, k)) = k == n, limit = 2000000000)[0]
print grad(fn (a) = sum(turned(a, 3)))(a)
print grad(fn (a) = sum(fold(fn (x, k) = sin(a * x), a, 1..3)))(a)
E
"$GLIA" --max-memory 32M long.nn
cat >deep.nn <<'E'
let a = ones([1000])
print sum(grad(fn (a) = sum(iterate(fn ((x, k)) = (a * x, k + 1), (a, 0), until = fn ((x, k)) = k == 10000, limit = 10000)[0]))(a))
E
sed 's/iterate(fn ((x, k)) = (a \* x, k + 1), (a, 0), until.*10000)\[0\]/fold(fn (x, k) = a * x, a, 1..10000)/' deep.nn >fold.nn
"$GLIA" --max-memory 8M deep.nn
"$GLIA" --max-memory 8M fold.nn 2>&1 | grep -c E0850
cat >never.nn <<'E'
for k in 1..2 { print "turn {k}" }
print iterate(fn (x) = x + 1, 0, until = fn (x) = x < 0, limit = 2000000000)
E
cat >run.sh <<'S2'
set -m
"$GLIA" never.nn >out 2>err &
pid=$!
n=0
until [ -s out ] || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
kill -INT $pid
wait $pid
echo $?
S2
sh run.sh 2>/dev/null
cat out err
cat >kept.nn <<'E'
var s = 0.0
for k in 1..4 {
  let (x, turns) = iterate(fn (x) = x / 2 + uniform([]), s + 100.0, until = fn (x) = x < 10 * k, count = true)
  s += x * turns
  if k == 2 { checkpoint("kept.run") }
}
print "s is {s:.9}"
E
"$GLIA" kept.nn
"$GLIA" kept.nn --resume kept.run
