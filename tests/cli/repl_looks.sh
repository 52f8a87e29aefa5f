# Commands that look at a statement change nothing: no variable, series, file or output, whatever the statement does.
cat >typed <<'S'
var w = 1.0
param p: [2] = 1
let s = series()
:plan w += 1
:time w += 1
:time print "hello"
:time save("x.safetensors", p)
:time checkpoint("x.run")
:time for k in 1..3 { p -= 0.1 * grad(sum(p^2), p); s.add(k = k) }
:time seed(5)
:dump graph w = 7
(w, p)
s
:time let zz = 3
zz
:type trace(w)
:shape trace(p)
1 + 2
:plan it * w
:time it * w
it
:type it
it * 2
:time 1 + (
:time nosuch
:time load("nothing", p)
:type let a = 3
normal([2])
S
"$GLIA" <typed 2>&1 | sed 's/[0-9.e-]* ms/T ms/g; s/median of [0-9]*, [0-9.e-]* to [0-9.e-]*/median of N/' >looked
cat looked
# the draws are those of a session that never looked
grep -v '^:' typed | "$GLIA" 2>/dev/null | tail -n 1 | cmp - /dev/stdin <<E2
$(tail -n 1 looked)
E2
ls
# Ctrl-C stops what is computed when it is shown, and a command; the session goes on
cat >stop.sh <<'S'
set -m
mkfifo in
"$GLIA" <in >out 2>err &
pid=$!
exec 3>in
for e in 'fold(fn (s, k) = s + k, 0, 1..2000000000)' ':time fold(fn (s, k) = tanh(s + k), 0.0, 1..2000000000)' \
         ':why w fold(fn (s, k) = tanh(s + k * w), 0.0, 1..5000000)' 'fold(fn (s, k) = s + k, 1, 1..2000000000)'; do
  echo '"ready"' >&3
  [ "${e#:why}" = "$e" ] || echo 'param w = 0.5' >&3
  echo "$e" >&3
  sleep 0.4
  kill -INT $pid
done
echo '1 + 1' >&3
exec 3>&-
wait $pid
echo "status $?"
S
sh stop.sh 2>/dev/null
cat out
sed 's/ at entry.*//; s/^entry [0-9]*: //; s/^glia: //; s/ before the first step//' err
