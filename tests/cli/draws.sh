# What is drawn does not change when a comment or an unrelated definition is added, nor with the number of threads.
cat >a.nn <<'N'
fn noisy(x) { let e: [3] ~ uniform(0, 1); x * e }
let x: [3] ~ normal(0, 1)
let net = dense(2, 3) >> dropout(0.5) >> dense(3, 1)
for k in 1..3 {
  let z: [2] ~ uniform(0, 1)
  print z, noisy(x), training { net(z) }
}
for (a, b) in batches(([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), 2, shuffle = true) { print a, b }
print shuffle([1, 2, 3, 4, 5]), sample([1, 2, 3, 4, 5], 2)
print scan(fn (s, v) { let e: [] ~ normal(0, 1); s + e * v }, 0.0, [1.0, 1.0])
print net.0.w
N
"$GLIA" a.nn >plain 2>&1
sed 's/^let x:/# a comment\nlet unrelated = 3\nfn other(x) = x + unrelated\n&/; s/^for k/let more: [5] ~ normal(0, 1)\n&/; s/^  print z/  let own: [] ~ uniform(0, 1)\n&/' a.nn >b.nn
"$GLIA" b.nn >more 2>/dev/null
cmp plain more && echo "a comment and other definitions change nothing"
cat >loops.nn <<'N'
for i in 1..2 { assert i > 0 }
for i in [1, 2] { assert i > 0 }
var turns = 0
while turns < 2 { turns += 1 }
for (a, b) in batches(([1, 2, 3], [1, 2, 3]), 2) { assert sum(a * b) > 0 }
for i in 1..2 { for j in 1..2 { assert i + j > 0 } }
assert len([softmax([1.0, i]) for i in 1..3]) == 3
assert shape(shuffle([1, 2])) == [2]
N
(sed 8d loops.nn; cat a.nn) >d.nn
"$GLIA" d.nn >more 2>&1
cmp plain more && echo "nor do loops and calls above that draw nothing"
(cat loops.nn a.nn) >d.nn
"$GLIA" d.nn >more 2>&1
cmp -s plain more || echo "one that draws counts among its like"
# a turn is a turn, whether those before it draw or not
cat >turns.nn <<'N'
fn e() { let x: [] ~ uniform(0, 1); x }
fn drawn(from) {
  var all = []
  for k in 0..<4 { if k >= from { all = append(all, e()) } }
  all
}
print drawn(FROM)
N
sed s/FROM/0/ turns.nn >t0.nn
sed s/FROM/2/ turns.nn >t2.nn
echo "$("$GLIA" t0.nn | tr -d '[,]' | cut -d' ' -f3-) / $("$GLIA" t2.nn | tr -d '[,]')"
"$GLIA" --threads 3 a.nn >threads 2>&1
cmp plain threads && echo "nor do threads"
"$GLIA" --seed 0 a.nn >seed 2>&1
cmp plain seed && echo "0 is the seed if none is given"
"$GLIA" --seed 1 a.nn >seed 2>&1
cmp -s plain seed || echo "another seed draws otherwise"
sed '1s/^/seed(1)\n/' a.nn >c.nn
"$GLIA" c.nn >more 2>&1
cmp seed more && echo "--seed and seed() are one"
