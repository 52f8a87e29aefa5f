# a text of more than 64 MiB
awk 'BEGIN { for (i = 0; i < 66000; i++) printf "# %01024d\n", 0 }'
