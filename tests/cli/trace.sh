# trace in bodies of fold and scan shows each turn's value in the order in which a reader expects them.
cat >t.nn <<'END'
print fold(fn (s, x) = trace(s + x, "s"), 0.0, [1.0, 2, 3])
print scan(fn (s, x) {
  let a = trace(x * 2, "a")
  trace(s + a, "b")
}, 0.0, [1.0, 2])
print fold(fn (s, x) = s + fold(fn (q, y) = trace(q + x * y, "inner"), 0.0, [1.0, 2]) + trace(x, "outer"), 0.0, [10.0, 20])
print fold(fn (s, x) = trace(s + x), zeros([2]), ones([2, 2]))
fn f(x) = fold(fn (s, k) = trace(s * x, "p"), 1.0, 1..2)
print grad(f)(3.0)
for i in 1..2 { print fold(fn (s, x) = trace(s + x, "run"), 0.0, [1.0, 2] * i) }
print fold(fn (s, x) = trace(s + x, "never"), 0.0, zeros([0]))
print fold(fn (s, k) = s + fold(fn (q, y) = trace(q + y, "no turn"), 0.0, zeros([0])), 0.0, 1..3)
END
"$GLIA" t.nn
"$GLIA" --no-fuse --threads 1 t.nn | cmp - /dev/stdin <<END
$("$GLIA" t.nn)
END
