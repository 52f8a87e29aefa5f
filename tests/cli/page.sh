# glia graph --format=html and :graph e FILE.html: one file that needs nothing else, whatever stands in the script
cat >xor.nn <<'S'
let lr = 0.1
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 3, tanh) >> dense(3, 1)
let opt = sgd(net, lr = lr)
print "this is not seen"
for step in 1..300 {
  opt.step(mse(net(x), y))
}
S
cat >hostile.nn <<'S'
param w: [2] = 0.5   # </script><img src=x onerror=alert(1)> "quoted" & <b>
let bad = sum(log(w - 0.5) * 0) + sum(1 / (w - 0.5)) # <!-- </script> ]]>
S
printf 'let a = 2.0\nlet b = 1.0\nlet y = (a + b) * (b + 1)\n' >plain.nn
printf 'let v = [1.0, 2.0] * 3\n' >vector.nn
# what makes a page one: its parts, nothing from elsewhere, at most 300 kB
page() {
  printf '%s: %s scripts, %s ends, ' "$1" "$(grep -c '<script' "$1")" "$(grep -c '</script>' "$1")"
  printf '%s addresses, ' "$(grep -o 'https\{0,1\}://[^" ]*\|<[a-z]* [^>]*src=\|<[a-z]* [^>]*href=\|@import\|url(h' "$1" | grep -cv www.w3.org/2000/svg)"
  [ "$(wc -c <"$1")" -le 300000 ] && [ "$(wc -c <"$1")" -ge 40000 ] && echo "size good" || wc -c "$1"
}
# a list of the data
of() { sed -n 's/.*"'"$2"'": *\(\[[^]]*\]\).*/\1/p' "$1" | head -1; }
steps() { grep -o '{"at":[0-9]*' "$1" | tr -dc '0-9\n' | tr '\n' ' '; echo; }
"$GLIA" graph plain.nn --format=html >plain.html; echo "status $?"; page plain.html
of plain.html formula; of plain.html vary; of plain.html adjoint; of plain.html passed; of plain.html fixed; of plain.html ops
grep -o '"live": *[a-z]*' plain.html; sed -n '/^const OPS/,/^};/p' plain.html
"$GLIA" graph xor.nn --format=html >xor.html; page xor.html; steps xor.html
"$GLIA" graph xor.nn --format html --fork lr=0.3 >two.html; page two.html; grep -o '"name": *"[^"]*"' two.html
"$GLIA" graph xor.nn --format html -e 'sum(net(x))' -D lr=0.2 >sum.html; page sum.html
"$GLIA" graph vector.nn --format=html >vector.html; page vector.html; grep -c '"adjoint":' vector.html
"$GLIA" graph hostile.nn --format=html -e 'sum(w) + bad # </title></script>
' >hostile.html; page hostile.html; grep -c 'onerror=alert(1)>' hostile.html; grep -c '1e999' hostile.html; grep '^{"title"' hostile.html | grep -c 'null'
# a page of many operations: less of each is told
awk 'BEGIN { print "param w: [] = 0.5\nvar h = w"; for (k = 0; k < 1500; k++) print "let h" k " = sin(" (k ? "h" k - 1 : "w") ") * 1.01 + w" }' >deep.nn
"$GLIA" graph deep.nn --format=html >deep.html; echo "status $?"; page deep.html
# wrong input: one line, status 1 or 2
for try in 'xor.nn --format=pdf' 'xor.nn --fork lr=1' 'xor.nn --format=html --fork lr' 'xor.nn --format=html --fork nope=1' \
           'xor.nn --format=html -e nope' 'xor.nn --format=html -e 3' 'missing.nn --format=html'; do
  "$GLIA" graph $try 2>&1 >out.html | head -1
  echo "graph $try: $(wc -c <out.html | tr -d ' ')"
done
# in a session: at the steps of the run, beside its fork; once something moved, as it stands
cat >typed <<'S'
:graph mse(net(x), y) one.html
:fork lr = 0.3
:graph mse(net(x), y) both.html
let mine = mse(net(x), y)
:graph mine mine.html
net.0.b[0] = 3
:graph mse(net(x), y) moved.html
:graph mse(net(x), y) nowhere/moved.html
:graph nope nope.html
:graph net net.html
mse(net(x), y)
S
"$GLIA" repl xor.nn <typed 2>&1
ls | grep -c '^n.*html'
for f in one both mine moved; do page $f.html; steps $f.html | wc -w | tr -d ' '; done
