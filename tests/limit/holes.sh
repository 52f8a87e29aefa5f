# strings in holes of strings
awk 'BEGIN { printf "print "; for (i = 0; i < 1001; i++) printf "\"{"; printf "1"; for (i = 0; i < 1001; i++) printf "}\""; print "" }'
