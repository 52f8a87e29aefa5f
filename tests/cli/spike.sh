# `:blame spike`: the step whose loss jumped, and which rows of its batch did it, by their share of loss and gradient.
cat >one.nn <<'S'
let x: [40, 3] ~ normal()
var y = x @ [[1], [2], [3]]
y[7, 0] = 400
let net = dense(3, 1)
let opt = sgd(net, lr = 0.001)
for epoch in 1..3 {
  for (a, b) in batches((x, y), 4, shuffle = true) {
    let loss = mse(net(a), b) + 0.001 * sum(net.w^2)
    opt.step(loss)
  }
}
S
printf ':blame spike\n:blame spike 3\nnet.w\n' | "$GLIA" repl one.nn
# class numbers, by hand, no batches drawn: a label that is wrong
cat >label.nn <<'S'
let x = [[1, 0], [0, 1], [1, 0.1], [0.1, 1]]
param w: [2, 2] = 0
for k in 1..30 {
  let t = [0, 1, 0, 1]
  let u = if k == 25 { [0, 1, 1, 1] } else { t }
  let l = cross_entropy(x @ w, u)
  w -= 0.5 * grad(l, w)
}
S
printf ':blame spike\n' | "$GLIA" repl label.nn
# a quiet run; one number a step; what cannot be
cat >quiet.nn <<'S'
param w = 1.0
for k in 1..5 { w -= 0.1 * grad(w^2, w) }
S
printf ':blame spike\n:blame spike 2\n:blame spike 6\n:blame spike 0\n:blame spike x\nw\n' | "$GLIA" repl quiet.nn 2>&1
echo ':blame spike' | "$GLIA" 2>&1
