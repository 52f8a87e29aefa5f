# derivatives of derivatives: the graph doubles with each
cat <<'X'
fn nest(f, n: int) = if n == 0 { f } else { nest(grad(f), n - 1) }
print nest(fn (x) = exp(sin(x)), 3)(1.0)
print nest(fn (x) = exp(sin(x * x)), 40)(1.0)
X
