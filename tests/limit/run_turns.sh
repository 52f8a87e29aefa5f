# Turns that run are not counted.
echo 'var s = 0'
echo 'for i in 1..3000000 { s += 1 }'
echo 'print s'
