# glia test: blocks, expectations and examples in documentation, good ones and bad ones.
cat >good.nn <<'S'
## Twice a number.
##   twice(2)   # => 4
fn twice(x) = 2 * x
let w = [0.58931, 2]
print w            # => [0.59, 2]
print [[1, 2], [3, 4]]   # => [[1, 2],
                         #     [3, 4]]
for i in 1..3 { print i }   # => 1 2 3
test "doubles" { assert twice(3.0) == 6 }
S
cat >bad.nn <<'S'
## Three times a number.
##   thrice(2)   # => 7
##   thrice(2) + nothing   # => 7
fn thrice(x) = 3 * x
print 0.58931      # => 0.58
print 3            # => 4
let a = 1          # => 1
test "fails" { assert thrice(1.0) == 4, "three is not four" }
test "holds" { assert thrice(1.0) == 3 }
print "no expectation"
S
mkdir -p tree/deep
cp good.nn tree/b.nn
echo 'print 1   # => 1' >tree/deep/a.nn
echo 'not a script' >tree/notes.txt
"$GLIA" test good.nn; echo "status $?"
"$GLIA" test bad.nn; echo "status $?"
"$GLIA" test tree; echo "status $?"
"$GLIA" test missing.nn 2>&1; echo "status $?"
# standard input; a folder holds a pipe, links and what cannot be read
printf 'print 2   # => 2\n' | "$GLIA" test -; echo "status $?"
printf 'print 2   # => 3\n' | "$GLIA" test -; echo "status $?"
mkdir -p odd/sub
cp good.nn odd/sub
mkfifo odd/pipe.nn
ln -s sub/good.nn odd/link.nn
ln -s gone.nn odd/dangling.nn
ln -s . odd/round.nn
timeout 20 "$GLIA" test odd 2>&1; echo "status $?"
(
  long=$(printf '%0200d' 0)
  mkdir deep
  cd deep
  for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do mkdir $long && cd -P $long || exit; done
)
"$GLIA" test deep 2>&1 | sed 's/0\{200\}/O/g'
rm -rf deep
# a checkpoint within a test flushes what was printed, which is kept here
printf 'print 1   # => 1\ncheckpoint("run.ckpt")\nprint 2   # => 2\ntest "a" { assert 1 + 1 == 2 }\n' >kept.nn
"$GLIA" test kept.nn; echo "status $?"
