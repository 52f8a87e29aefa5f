awk 'BEGIN { print "var x = 0"; for (i = 0; i < 5000; i++) print "x += 1"; print "print x" }'
