#!/bin/sh
# recursion: every cycle of calls in the library asks how much of the C stack is left (host_deeper, host_stack_need or
# elab_stack_ok), or stands below with what bounds it. The calls are gcc's (-fcallgraph-info); those through pointers are
# not among them: those of natives, derivatives and effects lead through functions that ask.
set -eu
dir=$BUILD/tests/out/recursion
mkdir -p "$dir"
cd "$dir"
echo 'int f(int n); int f(int n) { return n ? f(n - 1) : 0; }' >one.c
if ! $CC -fcallgraph-info -c one.c 2>/dev/null || ! test -s one.ci; then
  echo "recursion: $CC writes no graph of calls: not looked at"
  exit 0
fi
rm -f one.ci
"$SRC/configure" -q --disable-shared CC="$CC" CFLAGS='-g -O1 -fcallgraph-info'
$MAKE -s libglia.la
# What does not ask, and why it ends. Walks of a tree of the syntax take less than STACK_LEVEL a level (syntax/ast.h).
cat >bounded <<'X'
argument_in        a walk of syntax
may_assign         a walk of syntax
leaves_in_if       a walk of syntax
series_lost        a walk of syntax
fields_of_pattern  a walk of syntax
value_of_pattern   a walk of syntax
bind_pattern_at    a walk of syntax
match_type         a walk of syntax
dump               a walk of syntax
fmt_same_tree      a walk of syntax
walk               a walk of syntax, or of a graph: asks there
value_type         a walk of syntax
signature_type     a walk of syntax
parameters         a walk of syntax
function           a walk of syntax
block              a walk of syntax
statements         a walk of syntax
parts              a walk of syntax
expr               a walk of syntax
choose_again       at most 64 nodes
is_chosen          at most 64 nodes
same               at most 64 nodes
same_formula       a bound is counted down
linear_add         a bound is counted down
look               a bound is counted down
log_of             a bound is counted down
log_of_base        a bound is counted down
enter              a bound is counted down
share_alone        a bound is counted down
type_add           a bound is counted down
type_text          type_add
fn_text            type_add
add_value          a bound is counted down
elab_binary        once: an operator that is made of another
take_diagonals     at most 16 axes
nest               at most 16 axes
format_number      once: a number that is written as another kind
format_int         once: a number that is written as another kind
polygamma_at       once: the reflection
run_steps          loops in a plan: plan_stack
run_loop           loops in a plan: plan_stack
begin_levels       a level of the processor
test_path          32 folders
test_folder        32 folders
X
find . -name '*.ci' -exec cat {} + | awk '
  function base(name) { sub(/.*:/, "", name); sub(/\.(part|constprop|isra|cold).*/, "", name); return name }
  function visit(v,   k, w) {
    number[v] = low[v] = ++count; stack[++top] = v; on[v] = 1
    for (k = 1; k <= degree[v]; k++) {
      w = to[v, k]
      if (!(w in number)) { visit(w); if (low[w] < low[v]) low[v] = low[w] }
      else if (on[w] && number[w] < low[v]) low[v] = number[w]
    }
    if (low[v] != number[v]) return
    size = 0
    do { w = stack[top--]; on[w] = 0; part[++size] = w } while (w != v)
    if (size == 1 && !self[v]) return
    for (k = 1; k <= size; k++) if (!(base(part[k]) in bounded)) odd = odd " " part[k]
  }
  BEGIN { while ((getline line <"bounded") > 0) { split(line, word, " "); bounded[word[1]] = 1 } }
  /^edge:/ {
    split($0, q, "\"")
    if (base(q[4]) ~ /^(host_deeper|host_stack_need|elab_stack_ok)$/) asks[q[2]] = 1
    if (q[2] == q[4]) self[q[2]] = 1
    from[++edges] = q[2]; goal[edges] = q[4]; name[q[2]] = 1
  }
  END {
    for (k = 1; k <= edges; k++) if (!(from[k] in asks) && !(goal[k] in asks)) to[from[k], ++degree[from[k]]] = goal[k]
    for (v in name) if (!(v in number) && !(v in asks)) visit(v)
    if (odd != "") { print "recursion that nothing bounds:" odd; exit 1 }
    print "recursion: " edges " calls, every cycle asks or is bounded"
  }'
