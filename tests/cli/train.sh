# a training says one line an epoch on the diagnostics' stream, and nothing on the script's; figures of time are cut away
cat >t.nn <<'X'
let x: [40, 2] ~ normal(0, 1)
let y = i32(x[:, 0] > 0)
let net = dense(2, 2)
train(net, {x, y}, cross_entropy, with = sgd(lr = 0.5), epochs = 3, validate = (x, y), metrics = [accuracy])
print "done"
X
"$GLIA" t.nn 2>err; echo "status $?"
sed 's/  [0-9]*k* samples.*//; s/[0-9]\.[0-9]*/#/g' err
"$GLIA" --quiet t.nn 2>&1; echo "status $?"
cat >nan.nn <<'X'
let net = dense(2, 2)
train(net, (ones([4, 2]), zeros(i32[4])), fn (z, y) = cross_entropy(z, y) / 0, epochs = 3)
print "never here"
X
"$GLIA" --quiet nan.nn 2>&1; echo "status $?"
