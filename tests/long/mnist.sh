#!/bin/sh
# mnist: 784-128-10, SGD 0.1, batch 64, 5 epochs on the files of examples/mnist/data: the mean test accuracy of seeds 0 to 4 is
# at least 96.8 %, and what is saved is the same to the byte on 1, 2, 3 and 7 threads and with --no-fuse.
set -eu
work=$BUILD/tests/out/mnist
mkdir -p "$work"
cd "$work"
cat >train.nn <<X
let digits = mnist("$SRC/examples/mnist/data")
let net = dense(784, 128, relu) >> dense(128, 10)
train(net, digits.train, loss = cross_entropy, with = sgd(lr = 0.1), batch = 64, epochs = 5)
print "accuracy {100 * accuracy(net(digits.test.x), digits.test.y):.2}"
save("net.safetensors", net)
X
for seed in 0 1 2 3 4; do
  "$BUILD/glia" --quiet --seed $seed train.nn | sed -n "s/^accuracy /$seed /p"
  mv net.safetensors seed$seed
done >accuracies
awk '{ print "seed " $1 ": " $2 " %"; sum += $2; if (NR == 1 || $2 < low) low = $2; if ($2 > high) high = $2 }
     END { mean = sum / NR; printf "mean %.2f %%, %.2f to %.2f\n", mean, low, high; exit !(NR == 5 && mean >= 96.8) }' accuracies
for how in '--threads 1' '--threads 2' '--threads 3' '--threads 7' '--threads 1 --no-fuse' '--threads 3 --no-fuse'; do
  # shellcheck disable=SC2086
  "$BUILD/glia" --quiet --seed 0 $how train.nn >/dev/null
  cmp seed0 net.safetensors || { echo "$how gives another file"; exit 1; }
done
echo "the same file on 1, 2, 3 and 7 threads, fused and not"
