# a sum of 5,000 terms: its tree is deeper than syntax may be
awk 'BEGIN { printf "print 1"; for (i = 0; i < 5000; i++) printf " + 1"; print "" }'
