printf 'print 1\nprint 2 \000 3\n'
