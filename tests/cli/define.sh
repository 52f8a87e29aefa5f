# -D replaces the literal of a top-level let; args are the words behind the script; GLIA_PATH is where import looks.
cat >d.nn <<'END'
let lr = 0.1
let n = 3
let name = "abc"
let flag = false
let z = n + 1
print lr, n, name, flag, args, zeros([n])
END
try() {
  "$GLIA" "$@" >out 2>&1 </dev/null
  echo "$? $*"
  cat out
}
try d.nn
try -D lr=1e-3 -D n=5 -D name=x.csv -D flag=true d.nn one "two words"
try -D lr=-2 -D 'name="12"' -D n=0x1 d.nn
try -D lrr=3 d.nn
try -D z=2 d.nn
try -D flag=3 d.nn
try -D name=3 d.nn
try -D n=many d.nn
try -D n=2.5 d.nn
try -D other=1 d.nn
mkdir -p lib/deep
echo 'fn f(x) = 10 * x' >lib/deep/far.nn
printf 'import "far.nn" as far\nprint far.f(2)\n' >use.nn
try use.nn
GLIA_PATH=/nowhere:lib/deep "$GLIA" use.nn
printf 'import "m.nn" as m\nlet x = 3\n' >twice.nn
printf 'let a = 1\n' >m.nn
try -D a=2 twice.nn
