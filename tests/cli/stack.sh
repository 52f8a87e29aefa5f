# A small C stack (`ulimit -s`): whatever is asked, an answer and no signal; 1 MB is enough for ordinary scripts.
cat >sum.nn <<'X'
print 1 + 1
X
cat >train.nn <<'X'
let net = dense(2, 4, tanh) >> dense(4, 1)
let opt = adam(net)
let x = [[1, 2], [3, 4]]
for k in 1..10 { opt.step(mean(net(x)^2)) }
print shape(net(x))
X
awk 'BEGIN { for (i = 0; i < 900; i++) { a = a "("; b = b ")" } print "print " a "1" b }' >brackets.nn
printf 'fn f(n: int) = if n == 0 { 0 } else { 1 + f(n - 1) }\nprint f(900)\n' >calls.nn
try() {
  "$GLIA" --threads 2 "$@" >/dev/null 2>err
  status=$?
  case $status in
    0) ;;
    1) grep -q 'nested too deeply\|the thread that runs it\|more than 4,000' err || { echo "$kb kB, $*:"; cat err; } ;;
    *) echo "$kb kB, $*: status $status" ;;
  esac
}
for kb in 64 96 128 192 256 512; do
  (
    ulimit -s $kb || exit
    for f in sum.nn train.nn brackets.nn calls.nn; do
      try $f
      try check $f
      try test $f
      try fmt - <$f
    done
    try doc softmax
    try --dump=ast brackets.nn
    try --dump=plan train.nn
    cat train.nn brackets.nn calls.nn | try
  )
done
ulimit -s 1024
"$GLIA" sum.nn
"$GLIA" train.nn
"$GLIA" brackets.nn 2>&1
"$GLIA" calls.nn 2>&1 | grep -o 'error: .*' | head -n 1
