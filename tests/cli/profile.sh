# --profile: an array of events in Chrome's format: a row a thread, each part of a step by operation, text and place.
cat >step.nn <<'S'
let x: [512, 256] ~ uniform(-1, 1)
param w: [256, 256] ~ normal()
for i in 1..3 {
  w -= 0.1 * grad(mean(tanh(x @ w)^2), w)
}
print fold(fn (s, k) = tanh(s + k), 0.0, 1..4)
S
"$GLIA" step.nn --threads 2 --profile trace.json
head -n 1 trace.json | sed 's/,$//'
tail -n 1 trace.json | tail -c 3
# well formed: one event a line, brackets and braces in pairs, an even number of quotes
awk '{ n = gsub(/"/, "\""); open += gsub(/[[{]/, "x"); shut += gsub(/[]}]/, "x"); odd += n % 2 }
     END { print "quotes", odd, "brackets", open - shut }' trace.json
# each product of each turn; the loop's turns one by one within it; nothing but whole events between begin and end
grep -o '"name": "[^"]*x @ w"' trace.json | sort | uniq -c | awk '$1 >= 3 { sub(/^ *[0-9]+ /, ""); print }'
grep -o '"operations": "loop".*"place": "[^"]*"' trace.json
grep -c '"name": "[^"]*tanh: fold(fn' trace.json
grep '"ph": "X"' trace.json | sed 's/.*"dur": \([-0-9.]*\),.*/\1/' | awk '$1 < 0 { bad++ } END { print bad + 0 }'
grep -o '"thread_name", "args": {"name": "main"}' trace.json
# what cannot be
"$GLIA" step.nn --profile nowhere/trace.json 2>&1; echo "status $?"
"$GLIA" plan step.nn --profile trace.json 2>&1; echo "status $?"
