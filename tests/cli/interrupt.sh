# Ctrl-C ends a run between two steps with status 130 and says where it stood.
printf 'print "started"\nvar i = 0\nwhile i >= 0 {\n  i += 1\n}\n' >endless.nn
# A shell without job control starts what runs in the background with SIGINT ignored; a new shell with -m does not.
cat >run.sh <<'S'
set -m
"$GLIA" endless.nn >out 2>err &
pid=$!
n=0
until [ -s out ] || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
kill -INT $pid
wait $pid
echo $?
S
sh run.sh 2>/dev/null
cat out
sed 's/:[0-9]*:[0-9]*$/:L:C/' err
