# mutant: grad.c with a hook behind each rule. GLIA_MUTANT="OP K HOW" breaks what the rule of OP gives to operand K:
# HOW is sign, twice, or order (operand K + 1's in its place, and the other way round). GLIA_MUTANTS=FILE writes what
# there is to break, as it is met.
/^#include "graph\/grad.h"/ { print; print "#include <stdio.h>\n#include <stdlib.h>"; next }
/^static void push\(Reverse \*r, uint32_t at\) \{/ {
  print "static bool gives(const Grad *d, uint32_t k) { return k < d->n && d->wanted[k] && d->dx[k] != NO_NODE; }"
  print "static bool can_turn(const Grad *d, uint32_t k) {"
  print "  return gives(d, k) && gives(d, k + 1) && d->dx[k] != d->dx[k + 1] &&"
  print "         type_eq(d->g->node[d->dx[k]].type, d->g->node[d->dx[k + 1]].type);"
  print "}"
  print "static void mutate(Grad *d, const Op *op) {"
  print "  const char *file = getenv(\"GLIA_MUTANTS\"), *what = getenv(\"GLIA_MUTANT\");"
  print "  FILE *to = file ? fopen(file, \"a\") : NULL;"
  print "  for (uint32_t k = 0; k < d->n && k < 8; k++) {"
  print "    char name[80];"
  print "    if (!gives(d, k)) continue;"
  print "    if (to) fprintf(to, \"%s %u sign\\n%s %u twice\\n\", op->name, k, op->name, k);"
  print "    if (to && can_turn(d, k)) fprintf(to, \"%s %u order\\n\", op->name, k);"
  print "    if (!what) continue;"
  print "    snprintf(name, sizeof name, \"%s %u \", op->name, k);"
  print "    if (strncmp(what, name, strlen(name)) != 0) continue;"
  print "    const char *how = what + strlen(name);"
  print "    if (!strcmp(how, \"sign\")) d->dx[k] = g_op(d->g, &op_neg, d->dx[k]);"
  print "    if (!strcmp(how, \"twice\")) d->dx[k] = g_op2(d->g, &op_add, d->dx[k], d->dx[k]);"
  print "    if (!strcmp(how, \"order\") && can_turn(d, k)) {"
  print "      NodeId other = d->dx[k];"
  print "      d->dx[k] = d->dx[k + 1];"
  print "      d->dx[k + 1] = other;"
  print "    }"
  print "  }"
  print "  if (to) fclose(to);"
  print "}"
}
{ print }
/^  node.op->grad\(&d\);/ { print "  mutate(&d, node.op);" }
