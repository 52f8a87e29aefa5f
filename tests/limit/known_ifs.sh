# Known conditions are computed from what they need alone: 200,000 of them are read in a second, not in minutes.
awk 'BEGIN { for (k = 0; k < 200000; k++) print "if " k % 2 " + 0.5 > 1 { " (k < 199996 ? "assert true" : "print " k) " }" }'
