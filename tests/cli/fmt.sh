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
printf 'print  1+1' | "$GLIA" fmt -; echo "input: $?"
printf 'print  1+1' | "$GLIA" fmt --check -; echo "input: $?"
"$GLIA" fmt none.nn 2>err; echo "none: $? $(cat err)"
ls
cd "$top" && "$GLIA" fmt --check stdlib/*.nn $(find examples -name '*.nn'); echo "ours: $?"
