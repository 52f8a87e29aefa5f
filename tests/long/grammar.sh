#!/bin/sh
# grammar: 100,000 random programs under AddressSanitizer and UndefinedBehaviorSanitizer, a quarter of them made of lines of the
# tests, the library and the examples: none may crash, leak, hang, or print something else with --no-fuse. A process for each processor.
set -eu
: "${PROGRAMS:=100000}"
dir=$BUILD/tests/out/asan
mkdir -p "$dir"
cd "$dir"
[ -f Makefile ] || "$SRC/configure" -q --disable-shared CC="$CC" --enable-asan --enable-ubsan
$MAKE -s tests/fuzz/grammar
FUZZ_TEXTS=$(ls "$SRC"/tests/lang/*.nn "$SRC"/tests/bad/*.nn "$SRC"/stdlib/*.nn "$SRC"/examples/*.nn | tr '\n' ' ')
export FUZZ_TEXTS
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
each=$(((PROGRAMS + jobs - 1) / jobs))
running=
for j in $(seq "$jobs"); do
  tests/fuzz/grammar "$each" $((1 + (j - 1) * each)) >"log.$j" 2>"err.$j" &
  running="$running $j:$!"
done
failed=0
for r in $running; do
  j=${r%%:*}
  wait "${r#*:}" || { failed=1; cat "log.$j"; tail -n 100 "err.$j"; }
  tail -n 1 "log.$j"
done
exit $failed
