awk 'BEGIN { for (i = 0; i < 990; i++) { a = a "("; b = b ")" } print "print " a "1" b }'
