# Thirty planted faults of ten kinds: `--check-numbers` and `:blame e` name the expression that made the first bad number,
# and the operation that `:blame` gives alone makes it again. Twenty healthy nets with masks: nobody is blamed.
under() {    # the text that is underlined first
  awk '/^ *[0-9]+ \| / && !at { line = $0; next }
       line && /^ *\| / { at = index($0, "^"); n = match(substr($0, at), /[^^]/); n = n ? n - 1 : length($0) - at + 1
                          print substr(line, at, n); exit }'
}
planted=0 checked=0 blamed=0 repeated=0
t() {        # t KIND EXPRESSION SCRIPT VALUE [GRADIENT]
  planted=$((planted + 1))
  printf '%s\nprint %s\n' "$3" "${5:-$4}" >f.nn
  found=$("$GLIA" --check-numbers f.nn 2>&1 >/dev/null | under)
  if [ "$found" = "$2" ]; then checked=$((checked + 1)); else echo "$1: --check-numbers names \`$found', not \`$2'"; fi
  printf '%s\n:blame %s\n' "$3" "$4" | "$GLIA" >blamed 2>&1
  found=$(under <blamed)
  if [ "$found" = "$2" ]; then blamed=$((blamed + 1)); else echo "$1: :blame names \`$found', not \`$2'"; fi
  sed -n '/^  alone:/,$p' blamed | sed '1d; s/^    //' >alone.nn
  if [ -s alone.nn ] && "$GLIA" alone.nn 2>&1 | grep -q -e nan -e inf; then repeated=$((repeated + 1)); else
    echo "$1: \`$2' is not made again"; sed 's/^/    /' blamed; fi
}
x='var x = [[1.0, 2], [0, 3], [4, -1]]'
w='param w: [2] = 1'
# logarithms
t log 'log(x @ w)' "$x
$w
w = [1, -1]
let h = log(x @ w)" 'sum(h)'
t log 'log(p)' "$x
let p = relu(x)
let loss = -mean(log(p))" 'loss'
t log 'log1p(-x)' "$x
let u = mean(log1p(-x))" 'u'
# quotients
t quotient 'x / x' "$x
let u = sum(x / x)" 'u'
t quotient 'x / norm_' "$x
let norm_ = sum(x * 0, axis = 1, keep = true)
let u = x / norm_" 'mean(u)'
t quotient '1 / x' "$x
$w
let u = (1 / x) @ w" 'sum(u)'
# roots
t root 'sqrt(x)' "$x
let u = sqrt(x)" 'mean(u)'
t root 'sqrt(d)' "$x
param v: [2] = 0
let d = (x - x) @ v
let l = sum(sqrt(d))" 'l' 'grad(l, v)'
t root 'rsqrt(s)' "$x
let s = sum(x^2, axis = 1) - sum(x^2, axis = 1)
let u = rsqrt(s)" 'sum(u)'
# exponentials
t exp 'exp(100 * x)' "$x
let u = exp(100 * x)" 'mean(u)'
t exp 'exp(z)' "$x
$w
let z = (x @ w) * 40
let u = 2 * exp(z)" 'sum(u)'
t exp 'sinh(50 * x)' "$x
let u = sinh(50 * x)" 'mean(u)'
# powers
t power 'x^-1' "$x
let u = x^-1" 'sum(u)'
t power 'x^0.5' "$x
let u = x^0.5" 'sum(u)'
t power '(10 * x)^40' "$x
let u = (10 * x)^40" 'sum(u)'
# differences of infinities
t difference 'a - b' 'var a = [1.0, inf]
var b = [1.0, inf]
let u = a - b' 'sum(u)'
t difference 'm + n' 'var m = [-inf, 0.0]
var n = [inf, 0.0]
let u = m + n' 'sum(u)'
t difference 'q - max(q)' 'var q = [1.0, inf, 2]
let u = q - max(q)' 'sum(u)'
# products with infinities
t product 'mask * s' 'var mask = [1.0, 0, 1]
var s = [1.0, inf, 2]
let u = mask * s' 'sum(u)'
t product 'x * big' "$x
var big = 3e38
let u = x * big" 'mean(u)'
t product 'g * 0' 'var g = [1.0, -inf]
let u = g * 0' 'sum(u)'
# sums
t sum 'sum(a)' 'var a = [3e38, 3e38, 1.0]
let u = sum(a)' 'u'
t sum 'cumsum(a)' 'var a = [3e38, 3e38, 1.0]
let u = cumsum(a)' 'sum(u)'
t sum 'prod(a)' 'var a = [1e30, 1e30, 1.0]
let u = prod(a)' 'u'
# matrix products
t matmul 'x @ v' "$x
var v = [3e38, 3e38]
let u = x @ v" 'sum(u)'
t matmul 'h @ m' 'var h = [[1e30, 1e30]]
var m = [[1e30], [1.0]]
let u = h @ m' 'sum(u)'
t matmul 'a @ b' 'var a = f64([[1e308, 1e308]])
var b = f64([10.0, 1.0])
let u = a @ b' 'sum(u)'
# what is outside of a domain, or of a type
t domain 'acos(x)' "$x
let u = acos(x)" 'mean(u)'
t domain 'asin(x)' "$x
let u = asin(x)" 'sum(u)'
t domain 'atanh(x)' "$x
let u = atanh(x)" 'sum(u)'
echo "$planted planted: --check-numbers names $checked, :blame $blamed; $repeated are made again alone"
# ---- healthy ----
healthy=0 alarms=0
h() {
  healthy=$((healthy + 1))
  printf '%s\n' "$1" >h.nn
  "$GLIA" --check-numbers --quiet h.nn >said 2>&1 || { alarms=$((alarms + 1)); echo "alarm: $1"; cat said; }
  printf '%s\n:blame l\n' "$1" | "$GLIA" >said 2>&1
  tail -n 1 said | grep -q '^it is finite' || { alarms=$((alarms + 1)); echo "alarm: $1"; cat said; }
}
data='let x: [6, 4] ~ normal()
let y = [0, 1, 1, 0, 1, 0]
let net = dense(4, 8, relu) >> dense(8, 2)
let opt = adam(net)'
step='for k in 1..5 { opt.step(LOSS) }
let l = LOSS'
for loss in 'cross_entropy(net(x), y)' 'cross_entropy(net(x) * 1000, y)' 'cross_entropy(where([true, false], net(x), -inf), y * 0)' \
            'mean(where(x > 0, log(x), 0)) + mean(net(x)^2)' 'mean(where(x > 0, sqrt(x), 0) * net(x)[:, :1])' \
            'mean(softmax(where(tril(ones([6, 6])) > 0, x @ transpose(x), -inf)) @ net(x))' \
            'cross_entropy(net(x), y, ignore = 1)' 'mean(max(net(x), -inf))' 'mean(min(net(x), inf)^2)' \
            'mean(logsumexp(where([true, false], net(x), -inf), axis = 1))' \
            'mean(where(net(x) > 0, net(x) / max(net(x), 1e-6), 0))' 'mean(exp(-abs(net(x)) * 1e4))' \
            'mean(sigmoid(net(x) * 1e4))' 'mean(tanh(net(x) * 1e30))' 'bce_logits(net(x)[:, 0] * 1e4, y)' \
            'mean(clamp(net(x), -inf, 1))' 'mean(where(isnan(x / x), 0, net(x)[:, :1] * x))' \
            'mean(gather(where(x > 0, log(x), 0), [0, 2])) * 0 + 1 + mean(net(x)^2)' \
            'max(where(x > 100, inf, net(x)[:, :1] * x))' 'mean(net(x)[where([1, 0, 1, 1, 0, 1] > 0, 1, 0)]^2)'; do
  h "$data
$(printf '%s' "$step" | awk -v l="$loss" '{ gsub(/LOSS/, l); print }')"
done
echo "$healthy healthy: $alarms alarms"
