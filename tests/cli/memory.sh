# What a plan needs is compared with the memory allowed before it runs; without a limit of the user's with what the machine has.
printf 'let x = ones([500000, 500000])\nprint "never"\nprint sum(x @ x)\n' >large.nn
"$GLIA" large.nn 2>&1 | sed 's/[0-9]* bytes of memory, more than the [0-9]* allowed/N bytes of memory, more than the M allowed/'
printf 'let x: [1000, 1000] ~ normal(0, 1)\nprint shape(x), sum(x @ x) > -1e9\n' >small.nn
"$GLIA" small.nn
"$GLIA" --max-memory 1M small.nn 2>&1 | sed 's/needs [0-9]* bytes/needs N bytes/'
"$GLIA" check --max-memory 1M small.nn 2>&1 | sed 's/needs [0-9]* bytes/needs N bytes/'
"$GLIA" check small.nn && echo checked
