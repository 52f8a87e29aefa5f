# What ends a run from outside: Ctrl-C, SIGTERM, SIGHUP, a closed pipe, a limit of the size of files. Each has its status and
# its sentence, and leaves the run's checkpoint.
unset CDPATH
cat >kept.nn <<'N'
var x = 0.0
for k in 1..3 {
  x += 1
  if k == 2 { checkpoint("kept.run") }
}
print "started"
while args[0] == "wait" { x += 1 }
print "x is above 2: {x > 2}"
N
# start SIGNAL COMMAND...: runs it until a line of its output, or the file `ready`, is there, and sends the signal.
cat >start.sh <<'S'
signal=$1
shift
: >out
"$@" >out 2>err &
pid=$!
n=0
until [ -s out ] || [ -e ready ] || [ $n = 500 ]; do sleep 0.02; n=$((n + 1)); done
sleep 0.2
kill -"$signal" $pid
wait $pid
echo "status $?"
S
start() { sh start.sh "$@" 2>/dev/null; cat out; sed 's/:[0-9]*:[0-9]*$/:L:C/' err; rm -f ready; }
for signal in TERM HUP; do
  rm -f kept.run
  start $signal "$GLIA" kept.nn wait
  ls kept.run
done
# what is ignored when it begins stays so: nohup
(trap '' HUP; "$GLIA" kept.nn wait >out 2>err & pid=$!
 until [ -s out ]; do sleep 0.02; done
 kill -HUP $pid; sleep 0.3; kill -0 $pid && echo 'goes on'; kill -TERM $pid; wait $pid; echo "status $?") 2>/dev/null
# while data are read: from a pipe that never ends, and from a file
mkfifo endless
(until [ -e stop ]; do echo 1 || break; sleep 0.05; done >endless 2>/dev/null) &
: >ready
printf 'print csv("endless").x\n' >csv.nn
start INT "$GLIA" csv.nn
: >stop
wait
awk 'BEGIN { print "a,b,c"; for (i = 0; i < 700000; i++) print i ",1.5,x" }' >large.csv
printf 'print "read", sum(csv("large.csv").a)\n' >large.nn
: >ready
start INT "$GLIA" large.nn | grep -v '^glia: interrupted before'
# inside one product
cat >product.nn <<'N'
let a: [4000, 4000] ~ normal(0, 1)
print "begun"
assert mean(a) < 1
let b = a @ a
print "done", b[0, 0]
N
sh start.sh INT "$GLIA" --threads 1 product.nn 2>/dev/null
cat out err
# glia test ends at once: what was not run has not failed
printf 'print 1   # => 1\n' >t1.nn
printf 'print 1   # => 1\nvar x = 0.0\nwhile x > -1 { x += 1 }\nprint 2   # => 2\n' >t2.nn
printf 'test "endless" {\n  var x = 0.0\n  while x > -1 { x += 1 }\n}\ntest "next" { assert 1 == 2 }\n' >t3.nn
for f in t2.nn t3.nn; do start INT "$GLIA" test t1.nn $f t1.nn | sed 's/interrupted .*/interrupted/'; done
# a script that is being read
mkfifo script
sleep 3 >script &
: >ready
start INT sh -c 'exec "$GLIA" - <script'
kill $! 2>/dev/null
# a closed pipe ends it quietly, but what follows was not done
printf 'for k in 1..200000 { print k }\nsave("late.st", {x = 1.0})\n' >many.nn
{ "$GLIA" many.nn 2>err; echo "status $?" >status; } | head -n 1
cat status err
ls late.st 2>/dev/null
# files that may not grow
printf 'let w = zeros([4096])\nsave("big.st", {w})\n' >big.nn
(ulimit -f 4; "$GLIA" big.nn 2>&1; echo "status $?")
(ulimit -f 4; "$GLIA" many.nn >grown 2>err; echo "status $?"; cat err)
ls -A | grep -c '^[.]glia\|big.st'
# what a killed writer left is taken away by the next
: >.glia-99999-0.part
printf 'save("small.st", {x = 1.0})\n' >small.nn
"$GLIA" small.nn
ls -A | grep -c '^[.]glia'
# what cannot be
try() { "$GLIA" "$@" >out 2>err </dev/null; echo "$? $(head -n 1 err)"; }
try kept.nn go --resume kept.run --seed 1
try kept.nn go --seed=1 --resume kept.run
mkfifo pipe
try kept.nn go --resume pipe
printf 'let net = dense(1, 1)\nload("pipe", net)\n' >load.nn
try load.nn
printf 'print npz("pipe").a\n' >npz.nn
try npz.nn
try kept.nn go --resume /dev/null
