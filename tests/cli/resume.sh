# A run that is kept and goes on: the same bits, nothing twice; and what is refused.
cat >run.nn <<'N'
let net = dense(2, 8, tanh) >> dense(8, 1, sigmoid)
let opt = adam(net, lr = 0.05)
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let before = mse(net(x), y)
let curve = series()
proc epoch_of(k) {
  var total = 0.0
  for (a, b) in batches((x, y), 3, shuffle = true) {
    let l = training { mse(net(a), b) }
    opt.step(l)
    total += l
  }
  let noise: [2] ~ normal(0, 1)
  if k % 3 == 0 {
    let held = sum(noise)
    if k == 3 { checkpoint("run.ckpt") }
    print "third {held}"
  }
  curve.add(epoch = k, loss = total, noise = noise)
  print "epoch {k} {total} {noise}"
  total
}
for k in 1..9 {
  let t = epoch_of(k)
  if t < 0 { break }
}
print before, curve.loss
var n = 3
while n > 0 { n -= 1; let u: [] ~ uniform(0, 1); print n, u }
save("end.st", {net, opt})
N
"$GLIA" run.nn >full 2>err || cat err
mv end.st full.st
for threads in 1 3; do
  "$GLIA" --threads $threads run.nn --resume run.ckpt >rest 2>err || cat err
  tail -n "$(wc -l <rest)" full | cmp - rest && cmp full.st end.st && echo "the same bits on $threads threads: $(wc -l <rest | tr -d ' ') lines"
done
head -n 1 rest | cut -c 1-5
# its trees can be read
printf 'let net = dense(2, 8, tanh) >> dense(8, 1, sigmoid)\nload("run.ckpt", net)\nprint shape(net.0.w)\nload("run.ckpt", {other = net})\n' >read.nn
"$GLIA" read.nn 2>&1 | head -n 3
# Ctrl-C keeps the run where the script keeps its checkpoints
sed 's/^for k in 1..9/for k in 1..20000/' run.nn >long.nn
"$GLIA" long.nn >full 2>err || cat err
mv end.st full.st
cat >stop.sh <<'S'
set -m
rm -f part
"$GLIA" long.nn $1 >part 2>err &
pid=$!
n=0
until [ -s part ] || [ $n = 200 ]; do sleep 0.01; n=$((n + 1)); done
kill -INT $pid
wait $pid
echo $? >status
S
rm -f run.ckpt all
sh stop.sh 2>/dev/null
cat part >>all
turns=0
while [ "$(cat status)" = 130 ] && [ $turns -lt 100 ]; do
  [ $turns = 0 ] && sed 's/:[0-9]*:[0-9]*$/:L:C/' err
  turns=$((turns + 1))
  if [ $turns -lt 4 ]; then sh stop.sh "--resume run.ckpt" 2>/dev/null
  else "$GLIA" long.nn --resume run.ckpt >part 2>err; echo $? >status; fi
  cat part >>all
done
cat status
cmp full all && cmp full.st end.st && echo "stopped and gone on: the same output, once"
# what is refused
try() { "$GLIA" "$@" >out 2>err; echo "$? $(head -n 1 err)"; }
"$GLIA" run.nn >/dev/null
try run.nn --resume none.ckpt
try run.nn --resume run.nn
try run.nn --resume end.st
try read.nn --resume run.ckpt
try run.nn one --resume run.ckpt
head -c 1000 run.ckpt >short.ckpt
try run.nn --resume short.ckpt
printf '3,1\n' >data.csv
printf '\0\0\010\001\0\0\0\0021234' >data.idx
printf 'let d = idx("data.idx")\ncheckpoint("data.ckpt")\nprint d\n' >data.nn
printf '\0\0\010\001\0\0\0\00212' >data.idx
try data.nn
printf '\0\0\010\001\0\0\0\00213' >data.idx
try data.nn --resume data.ckpt
rm data.idx
try data.nn --resume data.ckpt
printf 'checkpoint("no/such/folder/x.ckpt")\n' >folder.nn
try folder.nn
# `train` keeps its run after each epoch
cat >train.nn <<'N'
let x: [64, 3] ~ normal(0, 1)
let net = dense(3, 4, tanh) >> dense(4, 1)
let s = train(net, (x, x[:, :1]), loss = mse, with = adam(lr = 0.01), batch = 10, epochs = 4, checkpoint = "train.ckpt", keep_best = true)
print s.loss
save("end.st", net)
N
"$GLIA" --quiet train.nn >full 2>&1
mv end.st full.st
"$GLIA" --quiet train.nn --resume train.ckpt >rest 2>err
cat err
cmp full rest && cmp full.st end.st && echo "train goes on after its last epoch"
