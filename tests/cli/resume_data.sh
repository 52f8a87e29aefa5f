# A run goes on with the data that it was given, wherever it goes on from; other data are refused.
try() { "$GLIA" "$@" >out 2>err; echo "$? $(tr '\n' ' ' <out)$(sed "s,$here,HERE,g" err | head -n 3 | tr '\n' ';')"; }
here=$(pwd)
mkdir proj proj/lib elsewhere data
printf 'x,kind\n1,a\n2,b\n' >proj/table.csv
printf 'x\n5\n' >proj/lib/own.csv
printf 'x\n7\n' >data/given.csv
printf '## Of the module.\nlet own = csv("own.csv").x\n' >proj/lib/m.nn
cat >proj/run.nn <<'N'
import "lib/m.nn" as m
let t = csv("table.csv")
let given = csv("given.csv").x
checkpoint("run.ckpt")
print sum(t.x) + sum(m.own) + sum(given), t.kind.classes
N
# the script's files lie beside it, beside an import, and where it is called
(cd data && try ../proj/run.nn)
# the same run from another folder, where a file of such a name is another one
printf 'x\n8\n' >elsewhere/given.csv
printf 'x,kind\n9,a\n9,b\n' >elsewhere/table.csv
(cd elsewhere && try "$here/proj/run.nn" --resume ../data/run.ckpt)
(cd / && "$GLIA" "$here/proj/run.nn" --resume "$here/data/run.ckpt")
# a file that is another one now, each in its place
changed() {
  cp "$1" kept
  printf "$2" >"$1"
  (cd "$3" && try "$here/proj/run.nn" --resume "$here/data/run.ckpt")
  mv kept "$1"
}
changed proj/table.csv 'x,kind\n1,a\n3,b\n' elsewhere
changed proj/table.csv 'x,kind\n1,a\n2,c\n' /tmp
changed proj/table.csv 'x,y,kind\n1,1,a\n2,1,b\n' elsewhere
changed proj/lib/own.csv 'x\n6\n' elsewhere
changed data/given.csv 'x\n8\n' elsewhere
(cd elsewhere && try "$here/proj/run.nn" --resume ../data/run.ckpt)
# all of it was moved: the folder where the run began is no more
mkdir moved
mv proj data moved
(cd moved/data && try ../proj/run.nn --resume run.ckpt)
# what counts is what was read, not what stands there when the run is first kept
printf 'let d = csv("late.csv").x\nvar total = sum(d)\nsave("late.csv", {w = d})\ncheckpoint("late.ckpt")\nprint total\n' >late.nn
printf 'x\n3\n' >late.csv
try late.nn
printf 'x\n4\n' >late.csv
try late.nn --resume late.ckpt
printf 'x\n3\n' >late.csv
try late.nn --resume late.ckpt
# of a part that was passed over, too; and each kind of file
printf 'let d = csv("past.csv").x\nlet s = series()\nfor k in 1..3 { s.add(v = d[0]); if k == 2 { break } }\nprint len(s.v)\nlet t = mean(s.v)\ncheckpoint("past.ckpt")\nprint t\n' >past.nn
printf 'x\n3\n' >past.csv
try past.nn
try past.nn --resume past.ckpt
printf 'x\n4\n' >past.csv
try past.nn --resume past.ckpt
cat >kinds.nn <<'N'
let d = text("kind.txt").codes
let p = image("kind.pgm")
let i = idx("kind.idx")
let only_its_size = shape(idx("size.idx"))
checkpoint("kinds.ckpt")
print len(d), sum(p), sum(i), only_its_size
N
kinds() {
  printf 'some words' >kind.txt
  printf 'P2\n2 1\n255\n255 0\n' >kind.pgm
  printf '\0\0\010\001\0\0\0\00212' >kind.idx
  cp kind.idx size.idx
}
kinds
try kinds.nn
try kinds.nn --resume kinds.ckpt
printf 'some wards' >kind.txt
try kinds.nn --resume kinds.ckpt
kinds
printf 'P2\n2 1\n255\n255 1\n' >kind.pgm
try kinds.nn --resume kinds.ckpt
kinds
gzip kind.idx                     # the same numbers in other bytes
try kinds.nn --resume kinds.ckpt
kinds
rm kind.idx.gz
printf '\0\0\010\001\0\0\0\00234' >size.idx
try kinds.nn --resume kinds.ckpt
printf '\0\0\010\001\0\0\0\003123' >size.idx
try kinds.nn --resume kinds.ckpt
# what comes through a pipe is not asked for again to keep the run
mkfifo pipe
printf 'let d = csv("pipe").x\ncheckpoint("pipe.ckpt")\nprint sum(d)\n' >pipe.nn
for x in 1 1 2; do
  printf 'x\n%s\n' $x >pipe &
  try pipe.nn $([ ! -f pipe.ckpt ] || echo --resume pipe.ckpt)
  wait
done
