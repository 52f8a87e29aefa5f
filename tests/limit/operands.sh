# a bracket of 70,000 tensors
awk 'BEGIN { print "let x = [1, 2]"; printf "print shape([x"; for (i = 1; i < 70000; i++) printf ", x"; print "])" }'
