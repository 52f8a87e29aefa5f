# 20,000 signs
awk 'BEGIN { printf "print "; for (i = 0; i < 20000; i++) printf "- "; print "1" }'
