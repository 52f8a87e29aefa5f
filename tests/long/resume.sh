#!/bin/sh
# resume.sh: kills a training run (kill -9) at many moments, also while a checkpoint is being written, goes on from the file
# that is there, and compares what comes out at the end with a run that nobody disturbed: the saved trees to the byte, every
# line that was printed. Then damages a checkpoint byte by byte: each is refused or goes on, none crashes. Arguments: how many
# kills (40), how many damaged files (400). Run by `make check-long`; needs the built program: GLIA=./glia.
set -eu
: "${GLIA:=$(pwd)/glia}"
kills=${1:-40}
damages=${2:-400}
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
cat >run.nn <<'N'
let n = 512
let x: [n, 16] ~ normal(0, 1)
let y = sin(x[:, 0] * 3) + x[:, 1]^2
layer net_() {
  let body = dense(16, 64, tanh) >> dropout(0.1) >> dense(64, 1)
  state seen = 0.0
  fn (x) { seen = seen + 1; body(x)[:, 0] }
}
let net = net_()
let first = train(net, (x, y), loss = mse, with = adam(lr = 1e-3), batch = 32, epochs = 30, checkpoint = "run.ckpt")
print first.loss[-1]
let opt = sgd(net, lr = cosine_decay(0.01, 900))
let curve = series()
for k in 1..60 {
  var worst = 0.0
  for (a, b) in batches((x, y), 50, shuffle = true) {
    let l = training { mse(net(a), b) }
    opt.step(l)
    worst = max(worst, l)
  }
  curve.add(epoch = k, worst = worst)
  if k % 4 == 0 { checkpoint("run.ckpt"); print k, worst }
  if k == 57 { break }
}
print mean(curve.worst), len(curve)
let e: [3] ~ normal(0, 1)
print e, net.seen
save("end.st", {net, opt})
N
time_of() { "$GLIA" run.nn >"$1" 2>/dev/null; }
begin=$(date +%s%N)
time_of full
took=$((($(date +%s%N) - begin) / 1000000))
mv end.st full.st
echo "undisturbed: $took ms, $(wc -l <full) lines"
rm -f run.ckpt all
k=0
done=
while [ $k -lt "$kills" ]; do
  resume=
  [ -f run.ckpt ] && resume="--resume run.ckpt"
  threads=$((k % 3 + 1))
  # shellcheck disable=SC2086
  "$GLIA" --threads $threads run.nn $resume >part 2>err &
  pid=$!
  # a moment that moves through the run, the start of the program included
  sleep "$(awk -v k=$k -v t="$took" 'BEGIN { printf "%.3f", (5 + (k * 37) % (t / 4 + 20)) / 1000 }')"
  kill -9 $pid 2>/dev/null && wait $pid 2>/dev/null && done=yes || done=
  cat part >>all
  if [ -n "$done" ]; then
    cmp full.st end.st
    rm -f run.ckpt end.st
  fi
  k=$((k + 1))
done
resume=
[ -f run.ckpt ] && resume="--resume run.ckpt"
# shellcheck disable=SC2086
"$GLIA" run.nn $resume >part 2>err || { cat err; exit 1; }
cat part >>all
cmp full.st end.st
sort -u all >got
sort -u full >want
cmp want got
echo "$kills kills: the same bits, no other line"
[ -f run.ckpt ] || "$GLIA" run.nn >/dev/null 2>&1
size=$(wc -c <run.ckpt)
k=0
refused=0
while [ $k -lt "$damages" ]; do
  cp run.ckpt bad.ckpt
  # half of them in the text about the run, which stands at the end
  if [ $((k % 2)) = 0 ]; then at=$((size - 1 - (k * 7) % 700)); else at=$(((k * 7919) % size)); fi
  printf "\\$(printf %o $((k * 31 % 256)))" | dd of=bad.ckpt bs=1 seek=$at conv=notrunc 2>/dev/null
  status=0
  timeout 60 "$GLIA" run.nn --resume bad.ckpt >/dev/null 2>err || status=$?
  case $status in
  0) ;;
  1) refused=$((refused + 1)) ;;
  *) echo "byte $at: status $status"; cat err; cp bad.ckpt /tmp/resume-bad.ckpt; exit 1 ;;
  esac
  k=$((k + 1))
done
echo "$damages damaged files: $refused refused, none crashed"
