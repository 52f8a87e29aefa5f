# Warnings by name: left out, made errors, hidden; told before the first step runs.
cat >w.nn <<'S'
let a = 1
let scale = 2
for i in 1..1 { let b = i; print "step {i}" }
print scale
S
run() { echo "--- glia $*"; "$GLIA" "$@" 2>&1; echo "status $?"; }
run w.nn
run --allow unused w.nn
run --allow W0201,hidden w.nn
run --allow=unusd w.nn
run --allow "unused hidden" w.nn
run --allow "" w.nn
run --quiet w.nn
run --strict w.nn
run --strict --allow unused w.nn
run check --allow unused w.nn
printf 'fn f(x) { let y = 2; x }\nf(1)\nf(2)\n:set allow unused\nfn g(x) { let y = 2; x }\n:set allow usused\n:set allow\n' | "$GLIA" 2>&1
