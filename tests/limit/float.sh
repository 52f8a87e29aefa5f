echo 'print 1e999'
