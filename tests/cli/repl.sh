# The REPL with files: a session saved and loaded again, a script run first, sessions without end of line and with mistakes.
repl() { "$GLIA" "$@" 2>&1; echo "status $?"; }
printf 'let a = [1, 2]\nfn f(x) =\n  x + 1\nf(a)\nnothing\nlet b = f(\n  a)\n:save s.txt\n' | repl
cat s.txt
printf ':load s.txt\nb\n:save t.txt\n' | repl
head -n "$(wc -l <s.txt)" t.txt | cmp - s.txt || echo 'not the same'
echo 'let from_file = 7' >a.nn
printf 'from_file' | repl repl a.nn
printf ':load a.nn\nfrom_file + 1\n:load none.nn\n:load\n:save\n:save no/such/folder/s.txt\n' | repl
echo 'let broken = (' >bad.nn
printf '1 + 1\n' | repl repl bad.nn
printf ':time 1 + 1\n' | "$GLIA" | sed 's/[0-9.e-]* ms/T ms/g; s/median of [0-9]*, [0-9.e-]* to [0-9.e-]*/median of N/'
