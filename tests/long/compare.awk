# Random programs that are well typed and smooth enough to be checked: elementwise functions, shapes, reductions,
# products, branches and loops of the run, functions, draws, derivatives of both orders.
#   awk -v first=SEED -v count=N -v type=f64 -f compare.awk    a script of N programs, each a proc
# A program writes what it computed to PROGRAM.st (its bits are compared between ways of running) and prints a line for
# each identity that does not hold: gradients against differences, products against gradients, vmap against rows, a loop
# against its turns. Everything it needs follows from its seed.

function random(n) {                       # 0 .. n - 1
  state = (state * 69069 + 12345) % 4294967296
  return int(state / 65536) % n
}
function one_in(n) { return random(n) == 0 }
function pick(list,   parts, n) { n = split(list, parts, "|"); return parts[random(n) + 1] }

# Shapes are texts: "" a number, "3", "2,3".
function rank(s,   p) { return s == "" ? 0 : split(s, p, ",") }
function dim(s, k,   p) { split(s, p, ","); return p[k] + 0 }
function tail(s) { return s ~ /,/ ? substr(s, index(s, ",") + 1) : "" }
function front(n, s) { return s == "" ? n "" : n "," s }
function last_off(s) { return s ~ /,/ ? substr(s, 1, length(s) - index(reverse(s), ",")) : "" }
function reverse(s,   k, r) { for (k = length(s); k > 0; k--) r = r substr(s, k, 1); return r }
function shown(s,   t) { t = s; gsub(",", ", ", t); return "[" t "]" }
function any_shape() { return pick("|3|4|2,3|3,2|2,2|4,3|2,3,2") }
function number() { return sprintf("%.2f", 0.25 + random(150) / 100) }

function leaf(s,   k, n, found) {
  n = 0
  for (k = 1; k <= n_names; k++) if (shape[k] == s) found[++n] = name[k]
  if (n && !one_in(8)) return found[random(n) + 1]
  if (s == "") return number()
  k = n_names && !one_in(4) ? random(n_names) + 1 : 0
  if (!k) return "constant(" shown(s) ", " random(97) ")"
  return "(constant(" shown(s) ", " random(97) ") * mean(" name[k] "))"
}

# Functions whose derivatives are bounded, and which are smooth but at single points.
function unary(x,   f) {
  f = pick("tanh|sin|cos|sigmoid|softplus|square|relu|abs|exp|log|sqrt|gelu|silu|erf|negative|cube|elu|reciprocal|atan|power")
  if (f == "square") return "tanh(" x ")^2"
  if (f == "cube") return "tanh(" x ")^3"
  if (f == "power") return "(1 + tanh(" x ")^2)^" pick("0.5|1.5|-1|2.5|3")
  if (f == "exp") return "exp(-abs(" x "))"
  if (f == "log") return "log(1 + (" x ")^2)"
  if (f == "sqrt") return "sqrt(0.5 + (" x ")^2)"
  if (f == "negative") return "(-" x ")"
  if (f == "reciprocal") return "(1 / (1.5 + sin(" x ")))"
  return f "(" x ")"
}
function binary(s, d,   a, b, op) {
  a = expr(s, d)
  b = one_in(3) && s != "" ? expr("", d) : expr(s, d)
  op = pick("+|-|*|/|min|max|where|and|hypot|lerp|mod")
  if (op == "/") return "(" a " / (1.25 + tanh(" b ")^2))"
  if (op == "min" || op == "max") return op "(" a ", " b ")"
  if (op == "where" || op == "and") a = typed(s, d)
  if (op == "where") return "where(" a " > " b ", " expr(s, d) ", " a ")"
  if (op == "and") return "where(" a " > 0 and not (" b " < 0.25), " b ", " a " * 0.5)"
  if (op == "hypot") return "sqrt(0.1 + (" a ")^2 + (" b ")^2)"
  if (op == "lerp") return "(0.25 * " a " + 0.75 * " b ")"
  if (op == "mod") return "clamp(" a ", -1, 1.5)"
  return "(" a " " op " " b ")"
}
function reduced(s, d,   n, f, at) {      # a reduction whose value has shape s
  n = 2 + random(3)
  f = pick("sum|mean|max|min|logsumexp|mean_square|std")
  if (s == "" && one_in(2)) {
    s = any_shape()
    if (s == "") s = "3"
    return f == "mean_square" ? "mean((" expr(s, d) ")^2)" : f == "std" ? "sqrt(0.1 + variance(" expr(s, d) "))" : f "(" expr(s, d) ")"
  }
  at = one_in(2) || s == "" ? 0 : rank(s)
  s = at == 0 ? front(n, s) : s "," n
  if (f == "mean_square") return "mean((" expr(s, d) ")^2, axis = " at ")"
  if (f == "std") return "variance(" expr(s, d) ", axis = " at ")"
  return f "(" expr(s, d) ", axis = " at ")"
}
function moved(s, d,   r, k, n, p, q) {   # what only moves elements
  r = rank(s)
  k = random(10)
  if (r == 0) return "(" expr("3", d) ")[" random(3) "]"
  if (k == 0) return "(" expr(front(dim(s, 1) + 1 + random(2), tail(s)), d) ")[:" dim(s, 1) "]"
  if (k == 1) return "(" expr(front(3, s), d) ")[" (random(6) - 3) "]"
  if (k == 2 && r == 2) return "(" expr(dim(s, 2) "," dim(s, 1), d) ")'"
  if (k == 3) return "reshape(" expr(flat(s), d) ", " shown(s) ")"
  if (k == 4) return "flip(" expr(s, d) ", axis = " random(r) ")"
  if (k == 5) return "roll(" expr(s, d) ", " (1 + random(2)) ", axis = " random(r) ")"
  if (k == 6) {
    for (n = 1; n <= dim(s, 1); n++) p = p (n > 1 ? ", " : "") random(3)
    return "gather(" expr(front(3, tail(s)), d) ", [" p "])"
  }
  if (k == 7 && dim(s, 1) > 1) {
    n = 1 + random(dim(s, 1) - 1)
    return "concat((" expr(front(n, tail(s)), d) ", " expr(front(dim(s, 1) - n, tail(s)), d) "))"
  }
  if (k == 8) return "pad(" expr(s, d) ", 1)[" ones(r) "]"
  if (k == 9) return "cumsum(" expr(s, d) ", axis = " random(r) ")"
  return "sort(" expr(s, d) ")"
}
function ones(r,   k, t) { for (k = 1; k <= r; k++) t = t (k > 1 ? ", " : "") pick("1:-1|:-2|2:"); return t }
function flat(s,   p, n, k, c) { n = split(s, p, ","); c = 1; for (k = 1; k <= n; k++) c *= p[k]; return c "" }
function product(s, d,   n) {
  n = 2 + random(3)
  if (rank(s) == 0) return "(" expr(n "", d) " @ " expr(n "", d) " / " n ")"
  if (rank(s) == 1) return "(" expr(s "," n, d) " @ " expr(n "", d) " / " n ")"
  if (rank(s) == 2 && one_in(3)) return "einsum(\"i k, j k -> i j\", " expr(dim(s, 1) "," n, d) ", " expr(dim(s, 2) "," n, d) ") / " n
  if (rank(s) == 2 && one_in(3)) return "((" expr(dim(s, 1) "", d) ")[:, None] * (" expr(dim(s, 2) "", d) ")[None, :])"
  if (rank(s) == 2) return "(" expr(dim(s, 1) "," n, d) " @ " expr(n "," dim(s, 2), d) " / " n ")"
  return "(" expr(last_off(s) "," n, d) " @ " expr(n "," dim(s, rank(s)), d) " / " n ")"
}
function chosen(s, d) {
  return "(if " expr("", d) " > " number() " - 1 { " expr(s, d) " } else { " typed(s, d) " })"
}
# Of the element type of the program even if it is made of literals alone.
function typed(s, d) { return "(" expr(s, d) " + zeros_of(" shown(s) "))" }
function folded(s, d,   n, had, i) {
  n = 2 + random(2)
  had = n_names
  i = ++serial
  name[++n_names] = "s" i; shape[n_names] = s
  name[++n_names] = "r" i; shape[n_names] = s
  body = "0.5 * s" i " + 0.5 * tanh(" expr(s, d) ")"
  n_names = had
  return "fold(fn (s" i ", r" i ") = " body ", " typed(s, d) ", " typed(front(n, s), d) ")"
}
function called(s, d,   k, n, found) {
  n = 0
  for (k = 1; k <= n_functions; k++) if (returns[k] == s) found[++n] = k
  if (!n) return unary(expr(s, d))
  k = found[random(n) + 1]
  return "f" program "_" k "(" typed(takes[k], d) ")"
}
function normalised(s, d) {
  if (s == "") return expr(s, d)
  return pick("softmax|log_softmax|sort|normalised_rows") "(tanh(" expr(s, d) "))"      # no softmax of a softmax
}
function expr(s, d,   k) {
  if (d <= 0 || length_now > 6000) return leaf(s)
  length_now += 10
  k = random(24)
  d--
  if (k < 2) return leaf(s)
  if (k < 6) return unary(expr(s, d))
  if (k < 11) return binary(s, d)
  if (k < 14 && rank(s) < 3) return reduced(s, d)
  if (k < 17) return moved(s, d)
  if (k < 19) return product(s, d)
  if (k == 19) return chosen(s, d)
  if (k == 20 && rank(s) < 3 && d > 0) return folded(s, d - 1)
  if (k == 21) return called(s, d)
  if (k == 22) return normalised(s, d)
  if (s != "" && draws) return "(0.5 * " expr(s, d) " + 0.1 * " type "(normal(" shown(s) ", 0, 1)))"
  return unary(expr(s, d))
}

# ---- functions: one argument, locals, known and run branches, loops ----
function function_of(from, to,   k, had, i, f) {
  had = n_names
  f = "f" program "_" (n_functions + 1)
  n_names = 0
  name[++n_names] = "x"; shape[n_names] = from
  printf "fn %s(x) {\n", f
  for (k = 0; k < 1 + random(2); k++) {
    i = ++serial
    s = any_shape()
    printf "  let u%d = %s\n", i, typed(s, 2)
    name[++n_names] = "u" i; shape[n_names] = s
  }
  if (one_in(2)) {
    i = ++serial
    s = any_shape()
    printf "  var v%d = %s\n", i, typed(s, 1)
    name[++n_names] = "v" i; shape[n_names] = s
    if (one_in(2)) printf "  for k in 1..%d { v%d = 0.5 * v%d + %s / k }\n", 2 + random(2), i, i, expr(s, 2)
    else printf "  if %s > 0.5 {\n    let w = %s\n    v%d = w + %s\n  } else { v%d = %s }\n", expr("", 1), typed(s, 1), i, expr(s, 1), i, expr(s, 2)
  }
  printf "  %s", typed(to, 3)
  for (k = 1; k <= n_names; k++) printf " + 0.1 * mean(%s)", name[k]
  printf "\n}\n"
  n_names = had
  takes[++n_functions] = from
  returns[n_functions] = to
  return f
}

# What is split between threads and blocks: sizes around those of the kernels.
function big(   m, n, k) {
  m = pick("1|7|33|130|257"); n = pick("5|17|64|129"); k = pick("3|16|65|128")
  printf "  let a%d = tanh(constant([%d, %d], %d))\n", program, m, k, random(97)
  printf "  let b%d = cos(constant([%d, %d], %d)) @ constant([%d], %d)\n", program, n, k, random(97), k, random(97)
  printf "  let m%d = a%d @ constant([%d, %d], %d) + b%d\n", program, program, k, n, random(97), program
  printf "  let big%d = (%s, %s, %s, %s)\n", program, bigger(m, n), bigger(m, n), bigger(m, n), bigger(m, n)
}
function bigger(m, n,   x) {
  x = "m" program
  return pick("softmax(" x ")|sum(" x ", axis = 0)|mean(" x "^2, axis = 1)|sort(" x ")|cumsum(" x ", axis = 1)|" \
              x "' @ " x "|sum(tanh(" x "))|max(" x ", axis = 0)|logsumexp(" x ", axis = 1)|argsort(" x ")|" \
              "where(" x " > 0, exp(-abs(" x ")), " x ")[" random(m) "]|variance(" x ")|" \
              "grad(fn (v) = sum(softmax(v)^2))(" x ")|" x "[::-1, :" n - 1 "]|sum(i32(round(" x ")))|" \
              "shuffle(" x ")|u8(clamp(20 * " x " + 100, 0, 255))|argmax(" x ", axis = 1)|cumsum(i32(" x " > 0), axis = 0)")
}

# Cells that steps change: parts at places that the run knows, loops that end by themselves.
function steps(   n) {
  n = 3 + random(3)
  printf "  var cells = %s + zeros_of([%d])\n  var turn = 0\n", number(), n
  printf "  while turn < %d {\n", n - 1
  printf "    cells[turn] = 0.5 * cells[turn + 1] + %s\n", expr("", 1)
  printf "    cells[turn : turn + 2] %s= %s\n", pick("+|-|*"), expr("2", 1)
  if (one_in(2)) printf "    if cells[0] > 1 { turn += 1; continue }\n"
  printf "    cells = tanh(cells)\n    turn += 1\n  }\n"
  printf "  let states = scan(fn (s, r) = 0.5 * s + tanh(r), %s, %s)\n", typed("", 1), typed(n "", 2)
  printf "  let picked = gather(cells, i32(abs(states) * 10) %% %d)\n", n
}

function check(what, holds) { printf "  if not (%s) { print \"program %d: %s\" }\n", holds, program, what }

function whole(   k, s, f, g, out, had, i) {
  n_names = n_functions = serial = 0
  length_now = 0
  state = (program * 7919 + 13) % 4294967296
  for (k = 0; k < 5; k++) random(2)
  draws = 0
  for (k = 0; k < 1 + random(2); k++) function_of(any_shape(), any_shape())
  f = function_of(pick("3|4|2,3|2,2"), "")       # differentiated, of first and second order
  g = "f" program "_" n_functions
  from = takes[n_functions]
  draws = one_in(2)
  printf "proc p%d() {\n  seed(%d)\n", program, program
  printf "  let x: %s%s ~ normal(0, 1)\n  let y: %s%s ~ uniform(-1, 1)\n", type, shown(from), type, shown(from)
  name[++n_names] = "x"; shape[n_names] = from
  name[++n_names] = "y"; shape[n_names] = from
  for (k = 0; k < 3; k++) {
    s = any_shape()
    i = ++serial
    printf "  let t%d = %s\n", i, typed(s, 3)
    name[++n_names] = "t" i; shape[n_names] = s
    out = out ", t" i
  }
  s = any_shape()
  printf "  var c = %s\n", typed(s, 2)
  name[++n_names] = "c"; shape[n_names] = s
  k = random(3)
  if (k == 0) printf "  for k in 1..%d { c = 0.5 * c + %s / k }\n", 2 + random(3), typed(s, 3)
  else if (k == 1) printf "  for k in 1..3 { if %s > 0.5 { c = 0.5 * c - %s } else { c = c * 0.25 } }\n", expr("", 2), expr(s, 2)
  else printf "  for z in [0.5, 1.5] { c = c * z + %s }\n", expr(s, 2)
  steps()
  big()
  printf "  let v = %s(x)\n  let (w, d) = value_and_grad(%s)(x)\n", f, f
  printf "  let h = hvp(%s, x, y)\n  let step = c + 0 * sum(d)\n", f
  printf "  save(\"%d.st\", {v, w, d, h, step, cells, turn, states, picked, big%d%s})\n", program, program, out
  check("value_and_grad", "close(v, w, tol = small)")
  check("jvp", "close(jvp(" f ", x, y), sum(d * y), tol = small)")
  check("vjp", "close(vjp(" f ", x, 2.0), 2 * d, tol = small)")
  check("vmap", "close(vmap(" f ")(concat((x[None], y[None]))), [" f "(x), " f "(y)], tol = small)")
  check("vmap of grad", "close(vmap(grad(" f "))(concat((x[None], y[None])))[0], d, tol = small)")
  check("fold", "close(fold(fn (s, r) = 0.5 * s + " f "(r), 0 * v, concat((x[None], y[None]))), 0.5 * " f "(x) + " f "(y), tol = small)")
  check("recompute", "close(grad(recompute(" f "))(x), d, tol = small)")
  check("hvp", "close(h, grad(fn (a) = sum(grad(" f ")(a) * y))(x), tol = small)")
  check("jacobian", "close(jacobian(" f ")(x), d, tol = small)")
  check("gradcheck", "gradcheck(" f ", x).ok")
  if (one_in(3)) {
    check("second differences", "gradcheck(" f ", x, order = 2).ok")
    check("vmap of hvp", "close(vmap(fn (a) = hvp(" f ", x, a))(concat((y[None], x[None])))[0], h, tol = small)")
    check("grad of fold of grad", "close(grad(fn (a) = fold(fn (s, r) = s + sum(grad(" f ")(a) * r), 0 * v, y[None]))(x), h, tol = small)")
  }
  printf "}\np%d()\n", program
}

BEGIN {
  printf "let small = %s\n", type == "f64" ? "1e-9" : "2e-3"
  printf "fn zeros_of(s) = %s(zeros(s))\n", type
  printf "fn constant(s, k) = sin(%s(reshape(range(count_of(s)), s)) + k)\n", type
  print "fn count_of(s) = len(reshape(zeros(s), [-1]))"
  print "fn normalised_rows(x) = x / sqrt(0.5 + sum(x^2, axis = -1, keep = true))"
  for (program = first; program < first + count; program++) whole()
}
