awk 'BEGIN { for (i = 0; i < 30000; i++) a = a " + 1"; print "print 1" a }'
