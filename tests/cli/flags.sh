# Flags, commands and their mistakes. $GLIA is the program; what is written to standard output is compared with flags.out.
try() {
  "$GLIA" "$@" >out 2>err </dev/null
  echo "$? $*: $(head -n 1 out) $(head -n 1 err)"
}
echo 'print "ran", args' >a.nn
"$GLIA" --version | sed 's/glia [0-9.]*/glia N/; s/ v[34] fma//g; s/kernels v[134], bits of class [a-z]*;/kernels L, bits of class C;/'
echo 'var w = 1.5' >w.nn
try --digest w.nn
try --digest --cpu v1 w.nn
try --cpu v2 w.nn
try check --digest w.nn
"$GLIA" --help | head -n 1
"$GLIA" --help | grep -c '^  --  .*args\|ARGs are the list'
for flag in --help --version; do
  if [ -w /dev/full ]; then "$GLIA" $flag 2>&1 >/dev/full; echo "status $?"
  else echo 'glia: cannot write standard output: No space left on device'; echo 'status 1'; fi
done
try a.nn
try run a.nn
try a.nn one two
try --threads 2 --seed 5 --no-fuse --quiet --max-memory 1G --color=never --strict a.nn
try --threads=1 a.nn -- --threads
try a.nn -1
try -- a.nn
try check a.nn
try --threds 2 a.nn
try --threads
try --threads 0 a.nn
try --threads x a.nn
try --seed -1 a.nn
try --max-memory lots a.nn
try -D x a.nn
try --color=red a.nn
try --dump=grap a.nn
try --quiet=yes a.nn
try --check-numbers a.nn
try --profile p.json a.nn
try --resume a.nn
try rum a.nn
try chekc a.nn
try grad a.nn
try run
try check
try doc
try doc no_such_name
try fmt
try repl a b
