# The memory of a forward product does not grow with the turns of a loop; that of a gradient does.
forward() {
  cat <<END
let a: [1000] ~ uniform(0.5, 0.9)
fn folded(a) = fold(fn (x, k) = sin(a * x), a, 1..$1)
fn ended(a) = iterate(fn ((x, k)) = (sin(a * x), k + 1), (a, 0), until = fn ((x, k)) = k == $1, limit = 1000000)[0]
let v = jvp(folded, a, ones([1000]))
print close(v, jvp(ended, a, ones([1000])), tol = 0)
END
}
for turns in 10 10000; do
  forward $turns >forward.nn
  "$GLIA" --max-memory 3M forward.nn
done
{ forward 10000; echo 'print close(v, vjp(folded, a, ones([1000])))'; } >back.nn
"$GLIA" back.nn
"$GLIA" --max-memory 3M back.nn 2>&1 | grep -c E0850
