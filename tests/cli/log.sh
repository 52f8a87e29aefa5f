# --log: a line of JSON an event: the run and its seed, each step with its losses, epochs, rows of a series, prints, the end.
plain() { sed 's/"seconds": [0-9.]*/"seconds": T/; s/"time": "[^"]*"/"time": T/'; }
facts() { sed 's/"folder": .*"args"/"args"/; s/"threads": [0-9]*/"threads": N/; s/"kernels": .*}/..}/; s/"glia": "[^"]*"/"glia": V/'; }
cat >train.nn <<'S'
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 8, tanh) >> dense(8, 1, sigmoid)
let curve = train(net, (x, y), mse, batch = 2, epochs = 2, metrics = [accuracy])
print "<done> \"{len(curve.loss)}\""
S
"$GLIA" --quiet --seed 3 train.nn --log run.jsonl "a b" && plain <run.jsonl | facts
# a loop of one's own: the loss by which w is moved; a turn that moves two parameters is one step
cat >hand.nn <<'S'
param w = 1.0
param v = 0.0
let rows = series()
for i in 1..2 {
  let l = (w - 2)^2
  w -= 0.1 * grad(l, w)
  print "between"
  let m = (v - w)^2
  v -= 0.1 * grad(m, v)
  rows.add(i = i, l = l, pair = [l, m], none = 0.0 / 0.0)
}
S
"$GLIA" hand.nn --log run.jsonl >out; plain <run.jsonl | sed '/start/d'
# the same output and the same bits with it as without
"$GLIA" --digest train.nn >a 2>/dev/null; "$GLIA" --digest --log x.jsonl --profile x.json train.nn 2>/dev/null | cmp - a
# a run that fails, and one that is stopped, say so in their last line
cat >bad.nn <<'S'
print "before"
assert args[0] == "good", "it is {args[0]}"
S
"$GLIA" bad.nn --log run.jsonl bad >out 2>err
echo "status $?"
plain <run.jsonl | sed '/start/d'
cat >forever.nn <<'S'
var x = 0.0
print "begun"
while x >= 0 { x += 1 }
S
cat >stop.sh <<'S'
set -m
"$GLIA" forever.nn --log run.jsonl >out 2>err &
pid=$!
n=0
until grep -q begun run.jsonl 2>/dev/null || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
kill -INT $pid
wait $pid
echo "status $?"
S
sh stop.sh 2>/dev/null
tail -n 1 run.jsonl | plain
# what cannot be
"$GLIA" train.nn --log nowhere/run.jsonl 2>&1; echo "status $?"
"$GLIA" train.nn --log 2>&1; echo "status $?"
"$GLIA" check train.nn --log run.jsonl 2>&1; echo "status $?"
cp train.nn kept
"$GLIA" train.nn --log ./train.nn 2>&1; echo "status $?"
cmp train.nn kept
if [ -w /dev/full ]; then "$GLIA" --quiet train.nn --log /dev/full; echo "status $?"
else echo '<done> "2"'; echo 'glia: --log: cannot write "/dev/full": No space left on device'; echo "status 1"; fi 2>&1
# a checkpoint is the same file whether a log is kept or not, and goes on either way
cat >kept.nn <<'S'
let net = dense(2, 1)
let opt = adam(net)
for epoch in 1..4 {
  for k in 1..3 { opt.step(mse(net([[f32(k), 1]]), [[1]])) }
  print "{epoch} {net.w}"
  if epoch == 2 { checkpoint("kept.run") }
}
S
"$GLIA" kept.nn >whole && mv kept.run plain.run
"$GLIA" kept.nn --log run.jsonl | cmp - whole
cmp kept.run plain.run
tail -n 2 whole >rest
"$GLIA" kept.nn --resume plain.run --log run.jsonl | cmp - rest
"$GLIA" kept.nn --resume kept.run | cmp - rest
sed '/start/d' run.jsonl | plain | head -n 2
