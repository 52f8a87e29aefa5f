# glia graph and glia plan: what a script computes, before any step of it runs
cat >xor.nn <<'S'
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 3, tanh) >> dense(3, 1)
let opt = sgd(net, lr = 0.05)
print "this does not run"
for step in 1..300 {
  opt.step(mse(net(x), y))
}
S
cat >last.nn <<'S'
let x = [1.0, 2.0]
let y = sum(x^2 * "two"[0..0] |> fn (t) = 3)
S
printf 'let a = 2.0\nlet b = a^2 + 3 * a\n' >named.nn
printf 'print 1\n' >nothing.nn
"$GLIA" graph xor.nn
"$GLIA" graph xor.nn -e 'sum(net(x))'
"$GLIA" graph named.nn
"$GLIA" graph --format=dot named.nn
"$GLIA" plan xor.nn | sed -n '/loop/,$p'
# an SVG is made where Graphviz is
if command -v dot >svg; then "$GLIA" graph --format=svg named.nn | grep -c '<svg'
else "$GLIA" graph --format=svg named.nn 2>&1 | grep -c 'Graphviz'; fi
# wrong input: one line, status 1 or 2
for try in 'nothing.nn' 'xor.nn -e nope' 'xor.nn -e 3' 'xor.nn -e "text"' 'missing.nn' '' 'xor.nn named.nn' \
           'xor.nn --format=pdf' 'xor.nn --format'; do
  "$GLIA" graph $try 2>&1
  echo "graph $try: $?"
done
"$GLIA" plan 2>&1; echo "plan: $?"
"$GLIA" plan xor.nn -e x 2>&1; echo "plan -e: $?"
"$GLIA" plan last.nn 2>&1 | head -1
"$GLIA" -e x xor.nn 2>&1; echo "run -e: $?"
# the session: what memory is used for
printf 'param w: [100, 10] ~ normal()\nlet h = w * 2\n:mem\n' | "$GLIA" | sed -n '2,3p'
printf 'param w: [100, 10] ~ normal()\n:profile sum(w * 2)\n' | "$GLIA" | grep -c 'line 1'
