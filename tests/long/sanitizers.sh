#!/bin/sh
# sanitizers: the whole of `make check' under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer.
set -eu
for kind in 'asan --enable-asan --enable-ubsan' 'tsan --enable-tsan'; do
  # shellcheck disable=SC2086
  set -- $kind
  dir=$BUILD/tests/out/$1
  shift
  mkdir -p "$dir"
  cd "$dir"
  "$SRC/configure" -q --disable-shared CC="$CC" "$@"
  # ThreadSanitizer's shadow memory wants the addresses where they have always been
  still=
  case $dir in *tsan) setarch -R true 2>/dev/null && still='setarch -R' ;; esac
  $MAKE -s
  $still "$MAKE" -s check
done
