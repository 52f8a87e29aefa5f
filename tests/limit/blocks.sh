# blocks in blocks
awk 'BEGIN { for (i = 0; i < 1001; i++) print "if true {"; print "print 1"; for (i = 0; i < 1001; i++) print "}" }'
