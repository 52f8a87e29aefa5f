# glia fmt: writes, checks, refuses, reads standard input; the standard library and the examples are in the one layout.
top=$(cd "$(dirname "$0")/../.." && pwd)
printf 'let   x=1\n' >a.nn
printf 'let y = 2\n' >b.nn
printf 'let z = (1\n' >bad.nn
chmod 640 a.nn
"$GLIA" fmt --check a.nn b.nn; echo "check: $?"
cat a.nn
"$GLIA" fmt a.nn b.nn; echo "fmt: $?"
cat a.nn; ls -l a.nn | cut -c1-10
"$GLIA" fmt --check a.nn b.nn; echo "check: $?"
printf 'let w=3\n' >c.nn
"$GLIA" fmt bad.nn c.nn 2>err; echo "with a mistake: $?"
cat err bad.nn c.nn
# owner, mode and other names of the file stay
printf 'let   v=1\n' >linked.nn
ln linked.nn other.nn
chmod 604 linked.nn
ln -s linked.nn soft.nn
if [ "$(id -u)" = 0 ]; then chown 12:34 linked.nn; fi
before=$(ls -lin linked.nn | awk '{ print $1, $2, $3, $4, $5 }')
"$GLIA" fmt soft.nn
cat other.nn
[ "$before" = "$(ls -lin linked.nn | awk '{ print $1, $2, $3, $4, $5 }')" ] || { echo "$before"; ls -lin linked.nn; }
rm other.nn
printf 'let   v=2\n' >linked.nn
"$GLIA" fmt soft.nn
[ "${before#* }" = "$(ls -lin linked.nn | awk '{ print $2, 2, $4, $5 }')" ] || { echo "$before"; ls -lin linked.nn; }
ls -l soft.nn | cut -c1; rm soft.nn linked.nn
# a line takes as long as it is long
awk 'BEGIN { printf "let x = ["; for (i = 0; i < 300000; i++) printf "%d,", i; print "0]" }' >long.nn
timeout 60 "$GLIA" fmt long.nn; echo "long: $? $(wc -l <long.nn | tr -d ' ') lines"
rm long.nn
printf 'print  1+1' | "$GLIA" fmt -; echo "input: $?"
printf 'print  1+1' | "$GLIA" fmt --check -; echo "input: $?"
"$GLIA" fmt none.nn 2>err; echo "none: $? $(cat err)"
ls
cd "$top" && "$GLIA" fmt --check stdlib/*.nn $(find examples -name '*.nn'); echo "ours: $?"
