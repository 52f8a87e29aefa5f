# recompute keeps nothing of a block for the gradient: what does not fit in 40 MB without it does with it, to the same bits.
for f in block 'recompute(block)'; do
  cat >deep.nn <<END
param w: [64, 64] ~ glorot_uniform()
let x: [4096, 64] ~ normal(0, 1)
fn block(x) {
  let a = tanh(x @ w)
  let b = tanh(a @ w)
  let c = sigmoid(b @ w)
  tanh(c @ w) * a + b * c
}
let f = $f
let y = f(f(f(f(f(f(f(f(x))))))))
let g = grad(mean(y^2), w)
print sum(g), norm(g)
END
  echo "$f"
  "$GLIA" --max-memory 40M deep.nn 2>&1 | grep -c E0850
  "$GLIA" deep.nn
done
