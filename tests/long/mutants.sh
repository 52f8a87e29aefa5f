#!/bin/sh
# mutants: each derivative rule of runtime/ops broken, one way at a time, and whether a test says so.
#   result   what a rule gives to an operand: its sign, twice it, another operand's in its place. One program does all of
#            them: grad.c, copied, asks the environment which (mutant.awk writes the hook).
#   source   a call within a rule: the operands of one that does not commute, a minus, a number. The file of the rule is
#            compiled once for each.
# The tests: the op's own of tests/ops; if that passes, all of tests/ops; if they pass, the programs in `scripts`.
# The table is on standard output: a line a mutant. Status 1 if one lives that `equivalent` does not name.
# KINDS=result, KINDS=source: one kind; ONLY=pattern: those of such a name ("mul 0 sign").
set -u
: "${KINDS:=result source}" "${ONLY:=*}" "${CC:=cc}" "${CFLAGS:=-O1}" "${NEEDS:=}"
dir=$BUILD/tests/out/mutants
here=$SRC/tests/long
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir" || exit 2
export LSAN_OPTIONS=detect_leaks=0
scripts='second_order derivatives derivatives_selects derivatives_conventions derivatives_nested stable gradcheck
  optimizer_rules losses losses_edges convolution linear decompose assign_part vmap'
UNIT_LIST=1 "$BUILD/tests/ops" >tests_of_ops
ln -s "$SRC/tests" "$SRC/stdlib" "$SRC/examples" .

objects() { find "$BUILD/lang/tool" -maxdepth 1 -name '*.o' | sort; }
compile() {   # compile TO FROM
  # shellcheck disable=SC2086
  $CC $CFLAGS -O0 -g0 -std=c11 -D_POSIX_C_SOURCE=200809L -iquote "$SRC/runtime" -iquote "$BUILD" -c "$2" -o "$1" 2>>compile.log
}
link() {      # link OBJECT: ./ops and ./glia with it in the place of the house's own
  # shellcheck disable=SC2086,SC2046
  $CC $CFLAGS -pthread ${LDFLAGS-} "$BUILD/tests/ops.o" "$1" "$BUILD/.libs/libruntime.a" -lcunit $NEEDS -o ops &&
    $CC $CFLAGS -pthread ${LDFLAGS-} $(objects) "$1" "$BUILD/.libs/liblang.a" "$BUILD/.libs/libruntime.a" $NEEDS -o glia
}
passes() { timeout 120 "$@" >test.log 2>&1 </dev/null; }
# killed_by OP: what kills the mutant that is linked, or nothing
killed_by() {
  if grep -qx "ops/$1" tests_of_ops && ! UNIT_TEST=$1 passes ./ops; then echo "ops/$1"
  elif ! passes ./ops; then echo "ops/$(sed -n 's,^not ok ops/,,p' test.log | head -n 1)"
  else
    for s in $scripts; do
      passes ./glia test "tests/lang/$s.nn" || { echo "lang/$s"; return; }
    done
  fi
}

# What no test can tell from the rule, and why.
equivalent() { grep -F "$1: " "$here/mutants.equivalent" | sed 's/^[^:]*: //' | head -n 1; }

n=0 killed=0 same=0 lives=0
judge() {     # judge NAME OP
  case $1 in $ONLY) ;; *) return ;; esac
  n=$((n + 1))
  by=$(killed_by "$2")
  if [ -n "$by" ]; then
    killed=$((killed + 1))
    echo "killed      $1   by $by"
    return
  fi
  why=$(equivalent "$1")
  if [ -n "$why" ]; then
    same=$((same + 1))
    echo "equivalent  $1   $why"
  else
    lives=$((lives + 1))
    echo "LIVES       $1"
  fi
}

results() {
  awk -f "$here/mutant.awk" "$SRC/runtime/graph/grad.c" >grad.c
  compile grad.o grad.c && link grad.o || { cat compile.log; exit 2; }
  GLIA_MUTANTS=$dir/seen passes ./ops || { echo "not ok: tests/ops fails as it is"; tail -n 20 test.log; exit 2; }
  GLIA_MUTANTS=$dir/seen passes ./glia test "$SRC/tests/lang/derivatives.nn" "$SRC/tests/lang/custom.nn" "$SRC/tests/lang/foreign_gradients.nn"
  sort -u seen >list
  while read -r name k how; do
    GLIA_MUTANT="$name $k $how"
    export GLIA_MUTANT
    judge "$name $k $how" "$name"
  done <list
  unset GLIA_MUTANT
}

# Each call within a rule that has operands in an order, a sign or a number: its place in the file, what it becomes.
sources() {
  for f in "$SRC"/runtime/ops/*.c; do
    awk -v list=1 -f "$here/mutant_source.awk" "$f" >sites
    while read -r place rule call; do
      case "$rule $place $call" in $ONLY) ;; *) continue ;; esac
      awk -v place="$place" -f "$here/mutant_source.awk" "$f" >mutated.c
      if compile mutated.o mutated.c && link mutated.o; then judge "$rule $place $call" "${rule%_grad}"
      else echo "not ok: $rule $place $call does not compile"; lives=$((lives + 1)); fi
    done <sites
  done
}

for kind in $KINDS; do "${kind}s"; done
echo "$n mutants, $killed killed, $same equivalent, $lives live"
[ "$lives" = 0 ]
