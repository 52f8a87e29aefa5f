# LAPACK is opened by the first step that needs it: without it a check goes through and the steps before it run. An empty
# file of its name, found before it, is none.
mkdir empty && : >empty/liblapack.so.3
none() { LD_LIBRARY_PATH=$PWD/empty "$@"; }
cat >s.nn <<'EOF'
param a: [2, 2] = [[2, 0], [0, 1]]
print det(a)
print svd(a)[1]
EOF
none "$GLIA" check s.nn; echo $?
none "$GLIA" s.nn 2>&1; echo $?
echo 'print eigh([[1, 2], [2, 1]])[0]' | none "$GLIA" - 2>&1; echo $?
echo 'print shape(qr(zeros([0, 2]))[1])' | none "$GLIA" - 2>&1; echo $?
"$GLIA" s.nn; echo $?
