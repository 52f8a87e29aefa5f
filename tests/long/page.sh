#!/bin/sh
# page: what the page of a graph computes by itself, beside what Glia computed: the example of each operation in the
# language, and examples/ with their gradients over the recorded steps; and its formulas beside those of `:back`. By
# page.js; NODE: a node.js; where none is, it is said, and nothing else.
set -u
dir=$BUILD/tests/out/page
node=${NODE:-node}
glia=${GLIA:-$BUILD/glia}
if ! "$node" --version >/dev/null 2>&1; then
  echo "skip page: there is no $node"
  exit 0
fi
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir" || exit 1
status=0
echo 'let nothing = 0.0' >empty.nn
# what is no tensor, or has no form for a page, is left out
"$glia" doc --all | sed -n 's/^\([a-z_0-9]*(.*[^ ]\)  *# => .*/\1/p' | sort -u >examples
made=0
while read -r e; do
  made=$((made + 1))
  "$glia" graph empty.nn --format=html -e "$e" >"$made.html" 2>/dev/null
  grep -q '"live": *true' "$made.html" || rm -f "$made.html"
done <examples
for f in autograd gates own_parts xor iris kfold autoencoder comp_graph; do
  "$glia" graph "$SRC/examples/$f.nn" --format=html >"$f.html" 2>/dev/null || { echo "not ok page $f"; status=1; }
done
"$glia" graph "$SRC/examples/comp_graph.nn" --format=html --fork rate=4 >fork.html || status=1
# what examples of the documentation have no derivatives of
cat >conv.nn <<'S'
param k: [2, 1, 3, 3] ~ normal()
param k2: [4, 1, 2, 2] ~ normal()
param v: [4, 4] ~ normal()
let x = reshape(sin(f32(iota(128))), [2, 1, 8, 8])
let h = relu(conv2d(x, k, stride = 1, padding = 1))
let p = max_pool2d(conv2d(h, k2, stride = 2, groups = 2), 2)
let pool = mean(avg_pool2d(h, 2)) + sum(roll_along(v, 1) * v) + sum(sort(v, axis = 1) * v) + sum(cumprod(v, axis = 0))
let loss = mean((reshape(p, [8, 4]) @ v)^2) + pool + sum(conv2d(x, k, stride = 2, padding = 1)^2)
S
"$glia" graph conv.nn --format=html >conv.html
"$node" "$SRC/tests/long/page.js" *.html || status=1
echo "of $made examples and 10 scripts"
# the texts of :back
cat >back.nn <<'S'
let x = [[1, 2], [3, 4]]
param w: [2, 1] = 0.1
let h = tanh(x @ w)
let loss = mean((h - 1)^2) + sum(exp(-w) / (1 + w^2)) - 0.5 * sum(relu(w - 0.3) * sigmoid(w))
S
{ echo ':back loss'; awk 'BEGIN { for (k = 0; k < 60; k++) print "step"; print "quit" }'; } |
  "$glia" repl back.nn 2>/dev/null | sed -n 's/^  \(d[ L].*\)/\1/p' >wanted
"$glia" graph back.nn --format=html >back.page
"$node" "$SRC/tests/long/page.js" --texts back.page >found
if cmp -s wanted found && [ -s found ]; then echo "ok page texts: $(wc -l <found | tr -d ' ') formulas"
else
  echo "not ok page texts"
  diff wanted found
  status=1
fi
# the recorded steps, beside the run put back to them
cat >steps.nn <<'S'
let x = [[0, 0], [0, 1], [1, 0], [1, 1]]
let y = [[0], [1], [1], [0]]
let net = dense(2, 4, tanh) >> dense(4, 1)
let opt = adam(net, lr = 0.05)
for step in 1..100 { opt.step(mse(net(x), y)) }
S
"$glia" graph steps.nn --format=html -e 'mse(net(x), y)' >steps.page
"$node" "$SRC/tests/long/page.js" --steps steps.page >found
while read -r at value; do printf ':at %s\n:now mse(net(x), y)\n' "$at"; done <found >typed
"$glia" repl steps.nn <typed | sed -n 's/  : f32\[\]$//p' >wanted
cut -d' ' -f2 found | awk '{ print $1 + 0 }' >values
if awk '{ print $1 + 0 }' wanted | cmp -s - values && [ "$(wc -l <values)" -gt 10 ]; then
  echo "ok page steps: $(wc -l <values | tr -d ' ')"
else
  echo "not ok page steps"
  diff wanted found
  status=1
fi
# drawn by a browser, where there is one: CHROMIUM
chromium=${CHROMIUM:-chromium}
if ! "$chromium" --version >/dev/null 2>&1; then echo "skip page drawn: there is no $chromium"
else
  for f in comp_graph fork iris; do
    "$chromium" --headless --no-sandbox --disable-gpu --virtual-time-budget=4000 --dump-dom "file://$dir/$f.html" 2>/dev/null >dom
    boxes=$(grep -o 'data-item=' dom | wc -l | tr -d ' ')
    if [ "$boxes" -gt 2 ] && grep -q 'class="phase"' dom; then echo "ok page drawn $f: $boxes boxes"
    else
      echo "not ok page drawn $f"
      status=1
    fi
  done
fi
exit $status
