# The same script gives the same bits whatever the number of threads, fused or not: draws, shuffles, sums, training.
cat >d.nn <<'E'
fn e() { let x: [] ~ uniform(0, 1); x }
let z: [5] ~ normal(0, 1)
let net = dense(3, 4) >> dropout(0.5)
for k in 1..2 {
  for b in batches(z, 2, shuffle = true) { print b, e() }
  print vmap(fn (x) = x * e())(z), fold(fn (s, v) = s + v * e(), 0.0, z), scan(fn (s, v) = s + e(), 0.0, z)
}
print training { net([[1, 2, 3]]) }
print categorical([4], [0.1, 0.9]), randint([3], 0, 100), shuffle(range(10)), sample(range(10), 3)
let big: [100001] ~ normal(0, 1)
print "{[sum(big), mean(big^2), max(big), big @ big, norm(softmax(big))]:.9}"
let m: [130, 70] ~ normal(0, 1)
print "{sum(m @ m' @ m, axis = 0)[0:5]:.9}"
let data = moons(101)
let model = dense(2, 16, tanh) >> dense(16, 2)
train(model, data, loss = cross_entropy, epochs = 3, batch = 32)
save("model.st", model)
E
"$GLIA" --threads 1 d.nn >one 2>/dev/null && mv model.st one.st
for flags in "--threads 2" "--threads 3" "--threads 7" --no-fuse "--threads 7 --no-fuse"; do
  "$GLIA" $flags d.nn >other 2>/dev/null
  cmp one other && cmp one.st model.st && echo "$flags: the same"
done
wc -l <one
