# what plot, hist, heat, show, boundary, to_csv and to_npy give: text for a terminal, files by their suffix
cat >t.nn <<'X'
let s = series()
for i in 1..6 { s.add(epoch = i, train = 1.0 / i, valid = 0.25 + 1.0 / i) }
plot(s)
plot(s, "curve.svg")
plot([1, nan, 4, 9, inf])
hist([1, 2, 2, 3, 3, 3, nan], 3)
hist([1, 2, 2], "hist.svg")
heat([[1, 2], [3, nan]])
heat([[1, 2], [3, 4]], "heat.png")
show([0, 0.5, 0.75, 1])
show([[0, 1], [1, 0]], "show.svg")
let x = [[0, 0], [0, 1], [1, 0], [1, 1.0]]
boundary(fn (x) = stack((x[:, 0] - 0.5, 0.5 - x[:, 0]), axis = 1), {x, y = i32([1, 1, 0, 0])}, rows = 4, columns = 8)
boundary(fn (x) = x[:, 1], (x, [0, 1, 0, 1]), "boundary.svg", rows = 2, columns = 2)
to_csv("series.csv", s)
to_csv("record.csv", {a = [1.5, 0.1], b = [1, -3]})
to_csv("matrix.csv", [[1, 2], [3, nan]])
to_npy("i32.npy", i32([[1, 2], [3, 4]]))
X
"$GLIA" t.nn; echo "status $?"
cat curve.svg hist.svg show.svg boundary.svg
cat series.csv record.csv matrix.csv
od -An -c heat.png | head -2
od -An -c i32.npy
echo 'plot([1, 2], "a.gif")
plot(3)
plot([1, 2], [1, 2, 3])
hist([1], 0)
heat([1, 2])
show(zeros([2, 3, 4]))
fn f(x) = plot(x)
print f([1])' >bad.nn
"$GLIA" bad.nn 2>&1; echo "status $?"
echo 'plot([1, 2], "no/such/folder/a.svg"); print "never here"' >where.nn
"$GLIA" where.nn 2>&1; echo "status $?"
