# a sum of 3,000 terms
awk 'BEGIN { printf "print 1"; for (i = 0; i < 2999; i++) printf " + 1"; print "" }'
