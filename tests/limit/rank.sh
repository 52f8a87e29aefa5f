awk 'BEGIN { for (i = 0; i < 16; i++) { a = a "["; b = "]" b }
  print "print shape(" a "1" b ")"; print "print [" a "1" b "]"; print "print " a "1" b "[None]" }'
