#!/bin/sh
# grammar: 100,000 random programs under AddressSanitizer and UndefinedBehaviorSanitizer, a quarter of them made of lines of the
# tests, the library and the examples: none may crash, leak, hang, or print something else with --no-fuse.
set -eu
dir=$BUILD/tests/out/asan
mkdir -p "$dir"
cd "$dir"
[ -f Makefile ] || "$SRC/configure" -q --disable-shared CC="$CC" --enable-asan --enable-ubsan
$MAKE -s tests/fuzz/grammar
FUZZ_TEXTS=$(ls "$SRC"/tests/lang/*.nn "$SRC"/tests/bad/*.nn "$SRC"/stdlib/*.nn "$SRC"/examples/*.nn | tr '\n' ' ')
export FUZZ_TEXTS
tests/fuzz/grammar 100000 1 >log 2>err || { cat log; tail -n 100 err; exit 1; }
tail -n 1 log
