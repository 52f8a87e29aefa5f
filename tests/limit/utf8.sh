printf 'print 1\nprint "\377"\n'
