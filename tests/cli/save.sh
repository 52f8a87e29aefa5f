# save and load: by path, all or nothing, and what is refused by name.
try() { printf '%s\n' "$2" >"$1.nn"; "$GLIA" "$1.nn" 2>&1 | grep -v '^ *[0-9]* |\|^ *|'; }
try save 'let net = dense(2, 3) >> dense(3, 1)
let opt = sgd(net, momentum = 0.9)
opt.step(sum(net([[1, 2]])))
save("net.st", net)
save("both.st", {net, opt})
save("value.st", {a = [1, 2], b = (3.0, [[true]])})
print opt.t, net.0.b'
try load 'let net = dense(2, 3) >> dense(3, 1)
let opt = sgd(net, momentum = 0.9)
load("both.st", {net, opt})
print opt.t, net.0.b
net.0.b = [7, 7, 7]
load("net.st", net)
print net.0.b
var t = {a = [0, 0], b = (0.0, [[false]])}
load("value.st", t)
print t.a, t.b'
try extra 'let net = dense(2, 3)
load("net.st", net)'
try shapes 'let net = dense(2, 4) >> dense(4, 1)
load("net.st", net)'
try missing 'let net = dense(2, 3) >> dense(3, 1) >> dense(1, 1)
load("net.st", net)'
try types 'let net = f64(dense(2, 3) >> dense(3, 1))
load("net.st", net)'
try values 'let net = dense(2, 3) >> dense(3, 1)
load("net.st", copy(net))'
try function 'save("f.st", fn (x) = x)'
for n in 0 7 8 60 300; do
  head -c $n net.st >short.st
  try short 'let net = dense(2, 3) >> dense(3, 1)
load("short.st", net)'
done
(cat net.st; printf x) >long.st
try long 'let net = dense(2, 3) >> dense(3, 1)
load("long.st", net)'
# a file changes at once or not at all
before=$(cksum <net.st)
mkdir folder
chmod 500 folder
try folder 'let net = dense(2, 3)
save("none/net.st", net)'
[ "$before" = "$(cksum <net.st)" ] && echo "net.st is as it was"
ls | grep -v 'nn$'
