echo 'let xs = [i for i in 1..1000001]'
echo 'print len(xs)'
