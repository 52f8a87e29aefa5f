# a training says one line an epoch on the diagnostics' stream, and nothing on the script's; figures of time are cut away
cat >t.nn <<'X'
let x: [40, 2] ~ normal(0, 1)
let y = i32(x[:, 0] > 0)
let net = dense(2, 2)
train(net, {x, y}, cross_entropy, with = sgd(lr = 0.5), epochs = 3, validate = (x, y), metrics = [accuracy])
print "done"
X
"$GLIA" t.nn 2>err; echo "status $?"
sed 's/  [0-9.]*[kM]* samples.*//; s/[0-9]\.[0-9]*/#/g' err
"$GLIA" --quiet t.nn 2>&1; echo "status $?"
cat >nan.nn <<'X'
let net = dense(2, 2)
train(net, (ones([4, 2]), zeros(i32[4])), fn (z, y) = cross_entropy(z, y) / 0, epochs = 3)
print "never here"
X
"$GLIA" --quiet nan.nn 2>&1; echo "status $?"
# of many fast epochs some lines stay, the last one always, also of a training that ends early
cat >many.nn <<'X'
let x = [[0], [1]]
let net = dense(1, 1)
train(net, (x, x), mse, with = sgd(lr = 0.1), epochs = 200)
let still = dense(1, 1)
train(still, (x, x), mse, with = sgd(lr = 0), epochs = 200, stop_after = 3)
X
"$GLIA" many.nn 2>err; echo "status $?"
grep -o 'epoch *[0-9]*/200\|in all\|stopped early' err | paste -sd ' ' - | sed 's/ epoch/\nepoch/g'
