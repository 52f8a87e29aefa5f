# -D replaces a top-level `let` literal by a value of its kind; `args` are the strings behind the script; `-` reads the standard input.
cat >d.nn <<'E'
let n = 3
let s = "x"
let b = false
let f = 1.5
print n, s, b, f, zeros([n])
E
try() { echo "--- $*"; "$GLIA" "$@" 2>&1; [ $? = 0 ] || echo "status not 0"; }
try -D n=2 -D s=hello -D b=true -D f=2 d.nn
try -D 's="q"' -D f=1e-3 -D n=0x2 d.nn
try -D s= d.nn
try -D n=2.5 d.nn
try -D n=-4 d.nn
try -D zz=1 d.nn
try -D n d.nn
try -D 'n=[1]' d.nn
try --seed x d.nn
try --threads 0 d.nn
try --bogus d.nn
try nofile.nn
try --max-memory abc d.nn
echo 'print args, len(args)' | "$GLIA" - a "b c" 3
echo 'print 1 +' | "$GLIA" - 2>&1
printf 'print args\n' >args.nn
"$GLIA" args.nn --seed 3 -- x
true
