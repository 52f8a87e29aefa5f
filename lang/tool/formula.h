/* formula: a graph as text of the language. In: a graph, and names for its inputs. Out: `let` statements, then what its
 * outputs are; read again and called with the same inputs, it computes the same bits.
 *
 * What is read once stands where it is read, what is read twice has a `let`. An operation is written by its face
 * (runtime/graph/face.h) or its sign. What stretches by itself in the language is not stretched in the text. A loop
 * of a known number of turns is a `fold` or a `scan`.
 */
#ifndef LANG_FORMULA_H
#define LANG_FORMULA_H
#include "runtime/graph/op.h"

typedef struct FormulaNames {
  const char *(*input)(void *ctx, uint32_t slot);
  /* What a node of the graph, or of the body of a loop in it, is called, or NULL. *own: it gets a line of its own even
   * where it is read once. May be NULL. */
  const char *(*hint)(void *ctx, const Graph *g, NodeId id, bool *own);
  /* A node that has a name already, which stands for it; NULL: it is to be written. May be NULL. */
  const char *(*given)(void *ctx, NodeId id);
  bool (*taken)(void *ctx, const char *name);      /* a name that means something else */
  void *ctx;
} FormulaNames;

/* Each line begins with `indent` blanks. false: *why says what cannot be written. */
bool formula_write(Text *t, const Graph *g, const FormulaNames *names, int indent, const char **why);
/* One operation by its face, its operands as they are called: `sum(x, axis = 1)`, `x @ y`. */
char *formula_call(Arena *a, const Graph *g, NodeId id, const char *const *operand);
/* A number that reads back as the same bits. */
void formula_number(Text *t, DType d, double v);
#endif
