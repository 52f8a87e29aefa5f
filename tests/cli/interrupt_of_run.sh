# Ctrl-C keeps the run in the checkpoint that it wrote last, also when the path is of the run, and goes on from it.
cat >cc.nn <<'E'
var x = 0.0
print "started"
for k in 1..3 {
  x += 1
  checkpoint("cc-{k}.run")
}
while args[0] == "wait" { x += 1 }
print "x is above 2: {x > 2}"
E
cat >run.sh <<'S'
set -m
"$GLIA" cc.nn wait >out 2>err &
pid=$!
n=0
until [ -s cc-3.run ] || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
sleep 0.2
kill -INT $pid
wait $pid
echo $?
S
sh run.sh 2>/dev/null
cat out
sed 's/:[0-9]*:[0-9]*$/:L:C/' err
ls cc-*.run
