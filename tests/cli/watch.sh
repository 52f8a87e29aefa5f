# --watch: the script runs again on an edit, from the first statement that the edit touches; a mistake leaves it alive;
# Ctrl-C ends it.
cat >run.sh <<'S'
set -m
"$GLIA" run.nn --watch >out 2>err &
pid=$!
wait_for() {     # so many lines of a text in a file
  n=0
  until [ "$(grep -c "$1" "$3")" -ge "$2" ] || [ $n = 200 ]; do sleep 0.05; n=$((n + 1)); done
  [ $n -lt 200 ] || echo "never: $1 ($2)"
}
edit() { sed "$1" run.nn >new.nn; mv new.nn run.nn; }     # as editors do
wait_for 'glia: done' 1 err
edit 's/third/THIRD/'; wait_for 'glia: done' 2 err
edit 's/0.5 \*/0.25 */'; wait_for 'glia: done' 3 err
edit 's/first/FIRST/'; wait_for 'glia: done' 4 err
edit 's/print "THIRD/print nosuch "THIRD/'; wait_for 'error' 1 err
edit 's/print nosuch/print/'; wait_for 'glia: done' 5 err                                  # the last piece again
edit 's/assert w0 > 0/assert w0 > 100/'; wait_for 'it failed' 1 err
edit 's/assert w0 > 100/assert w0 > 0/'; wait_for 'glia: done' 6 err
sed 's/1$/2/' helper.nn >new.nn; cat new.nn >helper.nn; wait_for 'glia: done' 7 err       # an import, written in place
echo 'for k in 1..2000000000 { w *= 1 }' >>run.nn; wait_for 'from line 15' 1 err
edit 's/2000000000/3/'; wait_for 'glia: done' 8 err                                        # while it runs
kill -INT $pid
wait $pid
echo "status $?"
S
printf 'fn one() = 1\n' >helper.nn
cat >run.nn <<'S'
import "helper.nn" as helper
fn half(x) = x / 2
param w = 4.0
let noise: [2] ~ normal()
print "first"
for k in 1..3 {
  w -= 0.5 * grad(half(w^2), w)
}
let w0 = w
let s = series()
for k in 1..3 { s.add(k = k) }
print "second {w} {w0} {noise}"
assert w0 > 0
print "third {s.k} {helper.one()}"
S
cp run.nn start.nn
"$GLIA" start.nn >wanted
sh run.sh 2>/dev/null
cat out
head -n 3 out | cmp - wanted
grep -v '^ ' err
# what stands before the edit is not run again: nothing of its own output is written, and it takes no time
cat >slow.nn <<'S'
var x = 0.0
while x < 3000000 { x += 1 }
print "slow"
print "a"
S
cat >slow.sh <<'S'
set -m
"$GLIA" slow.nn --watch --quiet >out 2>err &
pid=$!
wait_for() { n=0; until grep -q "$1" out || [ $n = 400 ]; do sleep 0.05; n=$((n + 1)); done; }
wait_for '^a'
for k in b c d; do sed 's/"[a-d]"/"'$k'"/' slow.nn >new.nn; mv new.nn slow.nn; wait_for "^$k"; done
kill -INT $pid
wait $pid
echo "status $?"
S
sh slow.sh 2>/dev/null
cat out err
# what cannot be
"$GLIA" none.nn --watch --log x 2>&1; echo "status $?"
"$GLIA" check run.nn --watch 2>&1; echo "status $?"
"$GLIA" - --watch 2>&1; echo "status $?"
