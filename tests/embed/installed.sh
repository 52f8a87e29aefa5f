#!/bin/sh
# installed.sh SOURCE: what `make install' put down is enough for a host: the examples of examples/embed, compiled with pkg-config (found
# through PKG_CONFIG_PATH) as C and, the headers alone, as C++, and run. `make installcheck' calls it, so `make distcheck' does.
set -eu
src=$(cd "$1" && pwd)
: "${CC:=cc}" "${CXX:=c++}" "${PKG_CONFIG:=pkg-config}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v "$PKG_CONFIG" >/dev/null || { echo "installed.sh: there is no $PKG_CONFIG: left out"; exit 0; }
flags=$($PKG_CONFIG --cflags --libs glia)
lib=$($PKG_CONFIG --variable=libdir glia)
cd "$src"
for f in graph host; do
  # shellcheck disable=SC2086
  $CC -std=c11 -Wall -Wextra -Wpedantic -Werror "examples/embed/$f.c" $flags -o "$work/$f"
  LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/$f" >"$work/$f.out"
  cmp "$work/$f.out" "examples/embed/$f.out"
done
if command -v "$CXX" >/dev/null; then
  # shellcheck disable=SC2086
  $CXX -std=c++11 -Wall -Wextra -Wpedantic -Werror tests/embed/cxx.cpp $flags -o "$work/cxx"
  LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$work/cxx"
fi
echo "installed: the examples build and run"
