# The path of a file that a step writes or reads may be of the run; a file that makes a shape must be known.
cat >a.nn <<'E'
let net = dense(2, 1)
var lr = 0.5
let curve = series()
for epoch in 1..3 {
  net.b += 1
  curve.add(epoch = epoch)
  save("m-{epoch}.st", net)
  to_csv("t-{epoch}-{lr:.2}.csv", {a = [1.0 * epoch, 2], b = net.b[0] * [1.0, 1.0]})
  to_npy("b{net.b[0]:.0}.npy", net.b)
  plot([1.0, 2.0 * epoch], "p{epoch}.svg")
  plot([1.0, 2.0], [3.0, 4.0], "q{epoch}.svg")
  hist(net.w, "h{epoch}.svg")
  hist(net.w, 3, "i{epoch}.svg")
  heat(net.w, "w{epoch}.png")
  lr /= 2
}
to_csv("curve{i32(lr)}.csv", curve)
print net.b
for epoch in 2..3 {
  load("m-{epoch - 1}.st", net)
  print net.b
}
E
"$GLIA" a.nn
ls -- *.st *.csv *.npy *.svg *.png
cat t-2-0.25.csv
cmp p1.svg p2.svg >/dev/null || echo "each with its own contents"
head -c 8 w3.png | od -An -c
echo "--- what a proc is given"
cat >b.nn <<'E'
proc keep(name, tree) { save("{name}.st", tree) }
let net = dense(1, 1)
for k in 1..2 { keep("kept{k}", {net}) }
E
"$GLIA" b.nn; ls kept*
echo "--- checkpoints, and going on from one"
cat >c.nn <<'E'
var x = 0.0
let s = series()
for k in 1..4 {
  let z: [] ~ normal(0, 1)
  x += z
  s.add(x = x)
  checkpoint("c{k}.run")
}
print s.x
E
"$GLIA" c.nn >whole; ls c?.run
"$GLIA" c.nn --resume c2.run >rest && cmp whole rest && echo "the same bits"
echo "--- what cannot be"
cat >d.nn <<'E'
let net = dense(1, 1)
for k in 1..2 {
  plot([1.0, 2.0], "p{k}")
  heat(net.w, "{k}.jpg")
  save(k, net)
  let t = csv("t-{k}.csv")
  save("{k + missing}", net)
}
E
"$GLIA" d.nn 2>&1
cat >e.nn <<'E'
let net = dense(1, 1)
for k in 1..2 { save("no{k}/x.st", net) }
E
"$GLIA" e.nn 2>&1
cat >f.nn <<'E'
let net = dense(2, 2)
for k in 1..2 { load("m-{k}.st", net) }
E
"$GLIA" f.nn 2>&1
cat >g.nn <<'E'
let net = dense(2, 2)
for k in 7..8 { load("m-{k}.st", net) }
E
"$GLIA" g.nn 2>&1
true
