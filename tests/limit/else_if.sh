# 5,000 branches
awk 'BEGIN { printf "let x = 3\nif x == 0 { print 0 }"; for (i = 1; i < 5000; i++) printf " else if x == %d { print %d }", i, i; print "" }'
