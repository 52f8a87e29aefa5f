# Steps at the top of a script: parts of it run before the next are read, and what no name holds goes. A derivative
# passes out of each part, draws and counts go on, and what a name holds is what it was.
steps() {
  cat <<'A'
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 8, tanh) >> dense(8, 1, sigmoid)
let opt = adam(net, lr = 0.05)
param k = 2.0
var v = [k, 1.0]
let first = mse(net(x), y)
A
  echo "$2"
  awk -v n="$1" 'BEGIN { for (k = 1; k <= n; k++) {
    print "opt.step(binary_cross_entropy(net(x), y))"
    if (k % 500 == 0) print "let at" k " = mse(net(x), y)" } }'
  echo 'print opt.t, mse(net(x), y) < 0.0001, first > 0.1, at500 > at1000'
}
opts='v = [k * k, k]'
{ steps 1500 "$opts"; echo 'print v, grad(sum(v), k), uniform([2], 0, 1)'; } > parts.nn
"$GLIA" --allow unused --max-memory 120000000 parts.nn
# the same bits as one loop
{ steps 1500 "$opts"; echo 'print net.0.w, net.1.w, opt.m.1.b, at1000'; } > many.nn
{ steps 0 "$opts" | sed '$d'; echo 'for t in 1..1000 { opt.step(binary_cross_entropy(net(x), y)) }
let at1000 = mse(net(x), y)
for t in 1..500 { opt.step(binary_cross_entropy(net(x), y)) }'; echo 'print net.0.w, net.1.w, opt.m.1.b, at1000'; } > loop.nn
"$GLIA" --allow unused many.nn | sed 1d > many.out
"$GLIA" --allow unused loop.nn > loop.out
cmp many.out loop.out && echo same
# more nodes than a session may have at once, and a mistake behind them is found before the first step
{ steps 5000; echo 'print at5000 < at4000'; } > large.nn
"$GLIA" --allow unused --max-memory 120000000 large.nn
{ steps 5000; echo 'print [1, 2] + [1, 2, 3]'; } > wrong.nn
"$GLIA" wrong.nn 2>&1 | head -1
"$GLIA" --allow unused check large.nn && echo checked
