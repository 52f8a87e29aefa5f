# A loop over pieces, each a loop that is recomputed, has the gradient of one loop, and keeps the states between the pieces
# alone. What a derivative keeps of the products of a turn, or makes again, has the same bits.
script() {
  cat <<END
let start = linspace(-1, 1, 100)
let ws = reshape(cos(linspace(0, 9, 10000)), [100, 100]) / 10
let xs = sin(linspace(0, 99, 10000))
fn turn(s, x) = s + 0.001 * sin(s + x)
fn plain(s) = sum(fold(turn, s, xs))
fn pieces(s) = sum(fold(fn (s, piece) = recompute(fn (s) = fold(turn, s, piece))(s), s, reshape(xs, [100, 100])))
fn deep(s, x) = s + 0.001 * tanh(tanh(s @ ws) @ ws' + x)
fn products(s) = sum(fold(deep, s, xs[:2000]))
fn again(s) = sum(fold(fn (s, x) = recompute(fn (s) = deep(s, x))(s), s, xs[:2000]))
let g = grad($1)(start)
END
}
for f in plain pieces; do
  { script $f; echo 'print close(g, grad(pieces)(start)), sum(abs(g)) > 0'; } >$f.nn
  "$GLIA" --quiet --max-memory 3M $f.nn 2>&1 | sed 's/.*\[E0850\]/too much/' | head -n 1
done
{ script products; echo 'print all(g == grad(again)(start))'; } >same.nn
"$GLIA" --quiet same.nn
