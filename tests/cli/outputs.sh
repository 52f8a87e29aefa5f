# A closed pipe ends a run quietly, a full disk is an error; what does not fit in memory is one, before the first step.
printf 'for k in 1..200000 { print k }\n' >many.nn
"$GLIA" many.nn 2>err | head -n 1
cat err
printf 'print "start"\nlet b: [2000, 2000] ~ normal(0, 1)\nprint mean(b) < 1\n' >big.nn
"$GLIA" --max-memory 1000000 big.nn 2>&1 | sed 's/[0-9]\{5,\}/N/g'
"$GLIA" --max-memory 100M big.nn
if [ -w /dev/full ]; then "$GLIA" big.nn >/dev/full 2>err; echo "status $?"; cat err
else echo "status 1"; echo "glia: cannot write standard output: No space left on device"; fi
