# What a person cannot read is told by its ends: a number of 100,000 digits, a path, a key, an expected error.
awk 'function many(c, n,   s) { s = c; while (length(s) < n) s = s s; return substr(s, 1, n) }
  BEGIN {
    print "print " many("7", 100000)
    print "print 1e" many("7", 100000)
    print "print [1, 2][0x" many("f", 100000) "]"
    print "let r = {a = 1}"
    print "print r[\"" many("é", 100000) "\"]"
    print "assert_error(\"" many("word", 100000) "\", fn () = [1, 2] + [1, 2, 3])"
  }'
