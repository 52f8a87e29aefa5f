awk 'BEGIN { for (i = 0; i < 1100000; i++) printf "%s", i ? "a" : "print \""; print "\"" }'
