# 20,000 powers, to the right
awk 'BEGIN { printf "print 1"; for (i = 0; i < 20000; i++) printf "^1"; print "" }'
