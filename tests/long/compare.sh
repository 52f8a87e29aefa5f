#!/bin/sh
# compare: random well-typed programs (compare.awk) run in four ways: fused, --no-fuse, on three threads and on seven. What
# they compute has the same bits, and in each the identities hold that need no other program: derivatives against
# differences and against each other, vmap against rows, a loop against its turns. f64 and f32.
set -eu
: "${PROGRAMS:=4000}" "${FIRST:=1}" "${EACH:=40}"
dir=$BUILD/tests/out/compare
glia=${GLIA:-$BUILD/glia}
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
quiet=unused,float_equality,grad_zero,grad_flat,stale_draw,hidden
run() {                                   # run NAME FLAG... < script
  mkdir -p "$1"
  (cd "$1" && rm -f ./*.st && way=$1 && shift && "$glia" --allow "$quiet" "$@" ../script.nn >out 2>&1) || true
}
failed=0
at=$FIRST
while [ "$at" -lt $((FIRST + PROGRAMS)) ]; do
  for type in f64 f32; do
    awk -v first="$at" -v count="$EACH" -v type=$type -f "$SRC/tests/long/compare.awk" >script.nn
    run fused --threads 1
    run unfused --threads 1 --no-fuse
    run three --threads 3
    run seven --threads 7
    [ -s fused/out ] && { echo "not ok $type, from program $at:"; head -n 40 fused/out; failed=1; }
    for way in unfused three seven; do
      if ! diff -rq fused $way >differ; then
        echo "not ok $type, fused against $way, from program $at:"
        head -n 20 differ
        failed=1
      fi
    done
  done
  at=$((at + EACH))
done
[ $failed = 0 ] && echo "ok compare: $PROGRAMS programs in 2 types"
exit $failed
