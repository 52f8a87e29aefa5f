#!/bin/sh
# lenet: examples/mnist/lenet.nn, 5 epochs on the files beside it: the mean test accuracy of seeds 0 to 4 is at least 98.8 %.
set -eu
work=$BUILD/tests/out/lenet
mkdir -p "$work"
cd "$work"
sed "s|mnist(\"data\")|mnist(\"$SRC/examples/mnist/data\")|; s|:.1%|:.2%|" "$SRC/examples/mnist/lenet.nn" >lenet.nn
for seed in 0 1 2 3 4; do
  "$BUILD/glia" --quiet --seed $seed lenet.nn | sed -n "s/^test accuracy \(.*\)%/$seed \1/p"
done >accuracies
awk '{ print "seed " $1 ": " $2 " %"; sum += $2 }
     END { printf "mean %.2f %%\n", sum / NR; exit !(NR == 5 && sum / NR >= 98.8) }' accuracies
