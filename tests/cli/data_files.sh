# tables, texts and NumPy's arrays; what is wrong with a file is said before the first step
printf 'price,crime rate,town\n1.5,2,"Ulm, a. d. Donau"\n-3e2,.5,Köln\n7,1e-3,Köln\n' >a.csv
printf 'a,b\n1,\n3,4\n' >gap.csv
printf 'a;b\n1;x\n3;y\n' >semicolon.csv
printf 'hällo\nwörld' >t.txt
cat >t.nn <<'X'
let t = csv("a.csv")
print t.price, t["crime rate"], t.town.codes, t.town.classes
let k = len(t.town.classes)
let net = dense(2, k)
print shape(net(stack((t.price, t["crime rate"]), axis = 1)))
print csv("gap.csv", missing = nan).b, csv("semicolon.csv", separator = ";").b.classes
let x = text("t.txt")
print x.codes, len(x.classes)
to_npy("w.npy", f64([[1.5, 2], [3, 4]]))
X
"$GLIA" t.nn; echo "status $?"
echo 'let w = npy("w.npy")
print w, shape(w)' >n.nn
"$GLIA" n.nn; echo "status $?"
printf 'a,b\n1,2\n3\n' >short.csv
printf 'a,a\n1,2' >twice.csv
printf 'a,b\n1,"x\n' >quote.csv
: >empty.csv
printf 'a\n\377\n' >utf8.csv
head -c 100 w.npy >cut.npy
for f in short gap twice quote empty utf8 none; do
  echo "print 1, csv(\"$f.csv\").a" >u.nn
  "$GLIA" u.nn 2>&1
done
for f in cut.npy a.csv; do
  echo "print 1, npy(\"$f\")" >u.nn
  "$GLIA" u.nn 2>&1
done
echo 'print csv("a.csv").prise' >u.nn
"$GLIA" u.nn 2>&1
echo 'print csv("gap.csv", missing = 0).a' >u.nn
"$GLIA" u.nn 2>&1
echo "status $?"
