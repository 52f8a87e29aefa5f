# Paths of the run and trees in one script: each epoch its own file, the best one read back, numbers beside the net.
cat >best.nn <<'E'
let net = dense(1, 1)
net.w = [[0]]
var best = 0
var least = 1e9
for epoch in 1..4 {
  net.w = f32(epoch) * [[1.0]]
  let loss = sum((net.w - 3)^2)
  save("epoch-{epoch}.st", {net, epoch})
  if loss < least {
    least = loss
    best = epoch
  }
}
print best, least
var epoch = 0
load("epoch-{best}.st", {net, epoch})
print net.w, epoch
fn name(k) = "epoch-{k}.st"
for k in [1, 2] {
  load(name(k), {net, epoch})
  print net.w, epoch
}
E
"$GLIA" best.nn && ls *.st
