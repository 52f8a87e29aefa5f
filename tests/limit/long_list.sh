# Length costs no depth.
awk 'BEGIN { printf "let x = ["; for (i = 0; i < 200000; i++) printf "1, "; print "]"; print "print sum(x), len(x)" }'
