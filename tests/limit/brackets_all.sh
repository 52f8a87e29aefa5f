# 1,000 open brackets are allowed
awk 'BEGIN { printf "print "; for (i = 0; i < 1000; i++) printf "("; printf "7"; for (i = 0; i < 1000; i++) printf ")"; print "" }'
