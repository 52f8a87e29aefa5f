# mutant_source: a file of runtime/ops with one call of its rules broken. list=1: what there is to break, a line each:
# `LINE:COLUMN RULE CALL`; place=LINE:COLUMN breaks that one. A rule is a function of a Grad, or of
# a Graph for those.
BEGIN {
  # what becomes of a call; the last are where the operands of g_op2 do not commute
  n = split("neg_ sub_ div_ scale_ plus_ number_ g_op3 g_op2", call, " ")
}
FNR == 1 {
  if (!list) {
    print "#define BROKEN_neg_(g, x) (x)"
    print "#define BROKEN_sub_(g, a, b) sub_(g, b, a)"
    print "#define BROKEN_div_(g, a, b) div_(g, b, a)"
    print "#define BROKEN_scale_(g, a, v) scale_(g, a, 2 * (v))"
    print "#define BROKEN_plus_(g, a, v) plus_(g, a, -(v))"
    print "#define BROKEN_number_(g, a, v) number_(g, a, (v) + 1)"
    print "#define BROKEN_g_op2(g, op, a, b) g_op2(g, op, b, a)"
    print "#define BROKEN_g_op3(g, op, c, a, b) g_op3(g, op, c, b, a)"
    print "#line 1 \"" FILENAME "\""
  }
}
/^static (void|NodeId|bool) [a-z_0-9]*\((Grad \*d|Graph \*g)/ { rule = $3; sub(/\(.*/, "", rule) }
{
  line = $0
  out = ""
  if (rule) for (at = 1; at <= length(line);) {
    found = ""
    for (k = 1; k <= n; k++) {
      if (substr(line, at, length(call[k]) + 1) == call[k] "(" && (at == 1 || substr(line, at - 1, 1) !~ /[A-Za-z_0-9]/))
        found = call[k]
    }
    rest = substr(line, at)
    if (found == "g_op2" && rest ~ /^g_op2\([^,]*, &op_(add|mul|eq|ne|and|or|min2|max2)/) found = ""
    if (found == "g_op3" && rest !~ /^g_op3\([^,]*, &op_where/) found = ""
    if (found != "") {
      if (list) print FNR ":" at, rule, found
      else if (place == FNR ":" at) out = out "BROKEN_"
      out = out found
      at += length(found)
    } else {
      out = out substr(line, at, 1)
      at++
    }
  }
  if (!list) print rule ? out : line
}
/^}/ { rule = "" }
