awk 'BEGIN { for (i = 0; i < 300; i++) a = a "a"; print "let " a " = 3"; print "print 1" }'
