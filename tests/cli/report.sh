# --html: a page of the run that needs no other file: curves, parameters and gradients, classes where it is a
# classification, the environment.
heads() { grep -o '<h2>[^<]*</h2>' "$1" | sed 's/<[^>]*>//g'; }
words() { sed 's/<[^>]*>/ /g; s/  */ /g' "$1"; }
# every element that is opened is closed, and nothing is fetched
whole() {
  for tag in html body div table tr td th svg g details pre h1 h2 h3 p; do
    a=$(grep -o "<$tag[ >]" "$1" | wc -l) b=$(grep -o "</$tag>" "$1" | wc -l)
    [ "$tag" = tr ] || [ "$a" = "$b" ] || echo "$tag: $a opened, $b closed"
  done
  grep -o '\(src\|href\)="[^"]\{0,12\}' "$1" | grep -v '"data:' ; grep -c '<script' "$1"
}
cat >net.nn <<'S'
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 8, tanh) >> dense(8, 1, sigmoid)
let curve = train(net, (x, y), mse, with = adam(lr = 0.05), batch = 3, epochs = 100, metrics = [accuracy])
print "<b>&{len(curve.loss)}</b><script>alert(1)</script>"
S
"$GLIA" --quiet net.nn --html page.html "<args>"
heads page.html
whole page.html
words page.html | grep -e 'rows are right' -e '^ 0 2' -e '^ 1 0' -e 'accuracy 1 ' -e 'script&gt;' -e 'lt;args'
grep -c 'epoch 100' page.html
# class numbers and scores, a batch that is smaller, weights that are moved by hand, a row that is left out
cat >three.nn <<'S'
let x = [[1, 0], [0, 1], [1, 1], [0.9, 0], [0, 0.8]]
let y = [0, 1, 2, 0, -1]
param w: [2, 3] = 0
for epoch in 1..40 {
  for (a, b) in batches((x, y), 2) {
    let l = cross_entropy(a @ w, b, ignore = -1)
    w -= 0.5 * grad(l, w)
  }
}
S
"$GLIA" three.nn --html page.html
heads page.html
words page.html | grep -e 'rows are right' -e '^ [0-2] [0-9] [0-9] [0-9]'
# an image a row; logits of two classes
cat >images.nn <<'S'
let x: [6, 64] ~ uniform(0, 1)
let y = [1, 0, 1, 1, 0, 0]
let net = dense(64, 1)
let o = adam(net)
for i in 1..20 { o.step(bce_logits(net(x), y)) }
S
"$GLIA" images.nn --html page.html
grep -c 'src="data:image/png;base64,' page.html
words page.html | grep 'rows are right'
# no classes where there are none; no curves where nothing is trained
cat >line.nn <<'S'
param w = 0.0
for i in 1..10 { w -= 0.1 * grad(mse([w, w], [2.5, 0.25]), w) }
S
"$GLIA" line.nn --html page.html && heads page.html
echo 'print 1' >one.nn
"$GLIA" one.nn --html page.html && words page.html | grep 'moved no'
# a mistake, and Ctrl-C: the page is there all the same
echo 'print nosuch' >bad.nn
"$GLIA" bad.nn --html page.html 2>err; echo "status $?"; words page.html | grep -e outcome -e 'error: .nosuch'
cat >long.nn <<'S'
param w = 0.0
for i in 1..100000000 { w -= 0.1 * grad((w - 2)^2, w) }
S
cat >stop.sh <<'S'
set -m
rm -f page.html
"$GLIA" long.nn --log run.jsonl --html page.html >out 2>err &
pid=$!
n=0
until grep -q step run.jsonl 2>/dev/null || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
kill -INT $pid
wait $pid
echo "status $?"
S
sh stop.sh 2>/dev/null
words page.html | grep outcome; heads page.html | head -n 2
ls | grep -v -e '[.]nn$' -e '[.]sh$'
# what cannot be
mkdir folder
"$GLIA" net.nn --html nowhere/page.html 2>&1; echo "status $?"
"$GLIA" net.nn --html folder 2>&1; echo "status $?"
"$GLIA" net.nn --html net.nn 2>&1; echo "status $?"
"$GLIA" test net.nn --html page.html 2>&1; echo "status $?"
