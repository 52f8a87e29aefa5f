# time travel: the run of a script as it stood at a step, another run beside it, and where the two part. There is no
# log: the script is run again, and writes nothing.
cat >run.nn <<'S'
let lr = 0.05
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 3, tanh) >> dense(3, 1)
let opt = adam(net, lr = lr)
let curve = series()
for epoch in 1..10 {
  for step in 1..4 {
    let loss = mse(net(x), y)
    opt.step(loss)
    curve.add(loss = loss)
  }
}
print "done"
save("net.safetensors", net)
let after = mse(net(x), y)
S
cat >in <<'S'
:at 0
:now after
after
:at 20
:now after
opt.t
:at end
:now after
:fork lr = 0.01
:diff
:diff lr = 0.05
:at 1000
:at
:at -1
:at x
:fork
:fork lr
:fork nothing = 3
:fork lr = hello
S
"$GLIA" repl run.nn <in 2>&1
# by hand, without an optimizer
cat >hand.nn <<'S'
param w = 1.0
for k in 1..5 { w -= 0.5 * grad(w^2, w) * 0.5 }
S
printf 'w\n:at 1\nw\n:at 2\nw\n:at end\nw\n' | "$GLIA" repl hand.nn
# what a step was is found for every N
for n in 0 1 2 3 4 5; do printf ':at %d\nw\n' $n; done | "$GLIA" repl hand.nn | grep -v stood
rm net.safetensors
(
  until [ -e net.safetensors ]; do sleep 0.05; done
  rm net.safetensors
  echo ':at 10'
  echo ':at end'
) | "$GLIA" repl run.nn
[ -e net.safetensors ] || echo "nothing is written again"
# wrong input: one line each, the session as it was
cat >changed.nn <<'S'
param w = 1.0
for k in 1..3 { w -= 0.1 }
save("now.npy", w)
S
(
  until [ -e now.npy ]; do sleep 0.05; done
  printf 'param w: [2] = 1.0\nfor k in 1..3 { w -= 0.1 }\n' >changed.nn
  printf ':at 1\nw\n'
) | "$GLIA" repl changed.nn 2>&1
printf ':at 1\n:fork a = 2\n:diff\n' | "$GLIA" repl 2>&1
cat >fails.nn <<'S'
param w = 1.0
for k in 1..5 {
  w -= 0.1
  assert w > 0.65, "too small"
}
S
printf ':at 2\nw\n:at 9\nw\n' | "$GLIA" repl fails.nn 2>&1
# from the nearest checkpoint that the run left: the same bits as from the start; a file that another run has written since,
# or that is gone, is not begun at
cat >kept.nn <<'S'
let x: [20, 3] ~ normal()
let net = dense(3, 1)
let opt = adam(net, lr = 0.01)
for epoch in 1..6 {
  for (a,) in batches((x,), 4, shuffle = true) { opt.step(mse(net(a), ones([count(a), 1]))) }
  if epoch < 4 { checkpoint("kept-{epoch % 2}.run") }
}
S
sed 's/checkpoint(.*)/seed(0)/' kept.nn >free.nn
sed 's/  if epoch.*//' kept.nn >free.nn
for n in 3 10 12 15 22 30; do printf ':at %d\nnet.w\n' $n; done >in
"$GLIA" repl kept.nn <in >from_kept; "$GLIA" repl free.nn <in | grep -v stood >from_start
grep stood from_kept
grep -v stood from_kept | cmp - from_start
(echo ':at 16'; until [ -e seen ]; do sleep 0.05; done; echo ':at 16'; echo 'net.w'; rm kept-1.run; echo ':at 12') |
  "$GLIA" repl kept.nn 2>&1 | while read -r line; do
    echo "$line"
    [ -e seen ] || { "$GLIA" kept.nn; touch seen; }
  done
