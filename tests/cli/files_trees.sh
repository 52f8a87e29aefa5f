# save and load: nets, optimizers, tuples, lists, records and cells, by path; what does not fit is named and changes nothing.
try() { printf '%s\n' "$2" >"$1.nn"; "$GLIA" "$1.nn" 2>&1; }
try write 'let net = dense(2, 3) >> relu >> dense(3, 1)
let opt = adam(net, lr = 0.1)
var step = 7
var pair = ([1.0, 2.0], {deep = [[3.0]]})
for k in 1..3 { opt.step(sum(net([[1.0, 2.0]])^2)) }
save("all.st", {net, opt, step, pair})
save("net.st", net)
save("sum.st", {twice = 2 * net.0.w, n = f64(3), flag = [true, false], small = u8([1, 255]), i = i32(4)})
print opt.t, sum(net.0.w), pair'
try read 'let net = dense(2, 3) >> relu >> dense(3, 1)
let opt = adam(net, lr = 0.1)
var step = 0
var pair = ([0.0, 0.0], {deep = [[0.0]]})
load("all.st", {net, opt, step, pair})
print opt.t, sum(net.0.w), pair, step
opt.step(sum(net([[1.0, 2.0]])^2))
print opt.t
var n = f64(0)
var flag = [false, false]
var small = u8([0, 0])
var i = 0
var twice = zeros([2, 3])
load("sum.st", {twice, n, flag, small, i})
print n, flag, small, i, close(2 * net.0.w, twice)'
echo "--- the same twice, and what does not fit"
try twice 'let net = dense(2, 2)
save("a.st", (net, net))
let other = dense(2, 2)
load("a.st", (other, other))
print all(net.w == other.w)'
try missing 'let net = dense(2, 3) >> relu >> dense(3, 1) >> dense(1, 1)
let before = copy(net)
load("net.st", net)'
try extra 'let first = dense(2, 3)
load("net.st", first)'
try shape 'let net = dense(2, 4) >> relu >> dense(4, 1)
load("net.st", net)'
try type 'var n = 0.0
var flag = [0.0, 0.0]
load("sum.st", {n, flag})'
try kind 'load("net.st", 3)'
try function 'save("f.st", {f = sum})'
try known 'let net = dense(1, 1)
save("k.st", {net, epoch = 3, done = true, dims = shape(net.w), halves = [1, 2] / 2, part = (4, {deep = 5})})
var epoch = 0
var done = false
var dims = i32([0, 0])
var halves = zeros([2])
var part = (0, {deep = 0})
load("k.st", {net, epoch, done, dims, halves, part})
print epoch, done, dims, halves, part'
try fixed 'let net = dense(1, 1)
load("k.st", {net, epoch = 3})'
try series 'let s = series()
s.add(a = 1.0)
save("s.st", {s, big = 5000000000})'
try let 'let x = [1.0, 2.0]
load("net.st", {x})'
try text 'save("t.st", {name = "mnist"})'
try folder 'save("nofolder/x.st", [1.0])'
try path 'save(3, [1.0])'
try formula 'fn f(x) { save("x.st", x); x }
print f([1.0])'
printf garbage >bad.st
try broken 'let net = dense(2, 3)
load("bad.st", net)'
head -c 40 net.st >short.st
try short 'let net = dense(2, 3)
load("short.st", net)'
true
